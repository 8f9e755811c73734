/* A task with a cluster of its own: reprise task-cluster STEM VERSION WORKERS CORES COMMAND…, where the command
 * is what the task's kind makes. The helper (cli/node_cluster.c) makes the cluster within the attempt, so that
 * whatever ends the attempt ends the cluster. STEM.in has the settings, which may hold secrets. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "exec/kind.h"

enum { SETTINGS_MAX_BYTES = 1 << 20 };

/* ---- which Spark ---- */

const char *spark_version_of(const char *home, struct arena *arena)
{
    glob_t found;
    const char *version = NULL;
    const char *pattern = arena_printf(arena, "%s/jars/spark-core_*-*.jar", home);
    if (glob(pattern, 0, NULL, &found) == 0) {
        const char *name = strrchr(found.gl_pathv[0], '/');
        const char *dash = strchr(strstr(name, "spark-core_"), '_');
        dash = strchr(dash, '-'); /* behind the version of Scala */
        version = arena_printf(arena, "%.*s", (int)(strlen(dash + 1) - strlen(".jar")), dash + 1);
    }
    globfree(&found);
    return version;
}

/* Compares major and minor only, as far as both give them: 3.5 fits 3.5.1. */
static bool is_of_version(const char *version, const char *wanted)
{
    for (int i = 0; i < 2; i++) {
        char *end, *wanted_end;
        if (strtol(version, &end, 10) != strtol(wanted, &wanted_end, 10))
            return false;
        if (*end != '.' || *wanted_end != '.')
            return true;
        version = end + 1;
        wanted = wanted_end + 1;
    }
    return true;
}

/* ---- settings ---- */

/* As a line of Java's properties, which know backslashes. */
static void add_setting(struct buf *out, const char *name, const char *value, const char *more)
{
    buf_printf(out, "%s=", name);
    for (; *value; value++) {
        if (*value == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *value);
    }
    buf_printf(out, "%s\n", more);
}

static bool is_class_path(const char *name)
{
    return strcmp(name, "spark.driver.extraClassPath") == 0 ||
           strcmp(name, "spark.executor.extraClassPath") == 0;
}

/* Between the bounds Spark takes and gives back workers by itself. What the definition says comes later and
 * wins. */
static void add_scaling(struct buf *out, const struct exec_cluster *cluster)
{
    int64_t first = cluster->min_workers > 0 ? cluster->min_workers : 1;
    if (cluster->min_workers == cluster->max_workers)
        return;
    BUF_LIT(out, "spark.dynamicAllocation.enabled=true\n"
                 "spark.dynamicAllocation.shuffleTracking.enabled=true\n");
    buf_printf(out, "spark.dynamicAllocation.minExecutors=%lld\n", (long long)cluster->min_workers);
    buf_printf(out, "spark.dynamicAllocation.initialExecutors=%lld\n", (long long)first);
    buf_printf(out, "spark.dynamicAllocation.maxExecutors=%lld\n", (long long)cluster->max_workers);
}

static const char *settings_of(const struct launch *launch, const char *library)
{
    const struct exec_cluster *cluster = launch->from->cluster;
    const char *more = library ? arena_printf(launch->arena, ":%s", library) : "";
    struct buf text;
    const char *kept = NULL;
    buf_init(&text, SETTINGS_MAX_BYTES);
    add_scaling(&text, cluster);
    if (library) {
        add_setting(&text, "spark.driver.extraClassPath", library, "");
        add_setting(&text, "spark.executor.extraClassPath", library, "");
    }
    for (size_t i = 0; i < cluster->settings.count; i++) {
        const struct param *one = &cluster->settings.items[i];
        add_setting(&text, one->name, one->value, is_class_path(one->name) ? more : "");
    }
    if (!text.overflowed)
        kept = arena_memdup(launch->arena, text.len ? text.data : "", text.len);
    buf_release(&text);
    return kept;
}

/* A fair share of the host for each worker, but room for the executor that is asked for. */
static long cores_of(const struct exec_cluster *cluster)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN) / (long)cluster->max_workers;
    for (size_t i = 0; i < cluster->settings.count; i++) {
        const struct param *one = &cluster->settings.items[i];
        long wanted = strcmp(one->name, "spark.executor.cores") == 0 ? strtol(one->value, NULL, 10)
                                                                     : 0;
        if (wanted > cores)
            cores = wanted;
    }
    return cores > 0 ? cores : 1;
}

/* ---- arguments of spark-submit that would lead away from the cluster ---- */

static bool takes_no_value(const char *option)
{
    static const char *const options[] = {"--verbose", "-v",        "--help",
                                          "-h",        "--version", "--supervise"};
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strcmp(options[i], option) == 0)
            return true;
    return strchr(option, '=') != NULL;
}

static bool check_arguments(const struct launch *launch, struct err *err)
{
    static const char *const refused[] = {"--properties-file", "--deploy-mode", "--master"};
    const struct exec_order *from = launch->from;
    if (from->kind != EXEC_SPARK_SUBMIT)
        return true;
    for (size_t i = 0; i < from->arg_count && from->args[i][0] == '-';) {
        const char *option = from->args[i];
        for (size_t r = 0; r < ARRAY_LEN(refused); r++)
            if (strncmp(option, refused[r], strlen(refused[r])) == 0)
                return process_cannot(err,
                                      "commandLineArguments has %s, which a newCluster decides: "
                                      "use its sparkConf",
                                      refused[r]);
        i += takes_no_value(option) ? 1 : 2;
    }
    return true;
}

/* ---- the command ---- */

static void put_before(struct launch *launch, const char *const *head, size_t count)
{
    size_t given = 0;
    while (launch->argv[given])
        given++;
    char **argv = ARENA_ARRAY(launch->arena, count + given + 1, char *);
    for (size_t i = 0; i < count; i++)
        argv[i] = (char *)(uintptr_t)head[i];
    memcpy(argv + count, launch->argv, (given + 1) * sizeof *argv);
    launch->argv = argv;
}

bool kind_on_cluster(struct launch *launch, struct err *err)
{
    struct arena *arena = launch->arena;
    const struct exec_cluster *cluster = launch->from->cluster;
    const char *home = process_spark_home(launch->process, arena, err);
    const char *version = home ? spark_version_of(home, arena) : NULL;
    const char *library = NULL;
    if (!home || !check_arguments(launch, err))
        return false;
    if (!launch->process->self)
        return process_cannot(err, "the server does not know its own binary");
    if (!version)
        return process_cannot(err, "the Spark of this server has no jars/spark-core_….jar");
    if (cluster->spark_version && !is_of_version(version, cluster->spark_version))
        return process_cannot(err, "newCluster.sparkVersion is %.32s, the Spark here is %.32s",
                              cluster->spark_version, version);
    if (cluster->library && !(library = launch_file(launch, cluster->library, err)))
        return false;
    if (!(launch->input = settings_of(launch, library)))
        return process_cannot(err, "newCluster.sparkConf is too long");
    const char *const head[] = {
        launch->process->self,
        "task-cluster",
        launch->stem,
        version,
        arena_printf(arena, "%lld", (long long)cluster->max_workers),
        arena_printf(arena, "%ld", cores_of(cluster)),
    };
    put_before(launch, head, ARRAY_LEN(head));
    return true;
}
