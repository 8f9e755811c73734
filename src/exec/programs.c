/* Programs that tasks need: how one is found, and Java and Spark, where the configuration, the server's
 * environment or the usual places have them. Looked up for each start: they may be installed while
 * the server runs. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "exec/process.h"

bool process_is_program(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return false;
    if (S_ISREG(status.st_mode))
        return access(path, X_OK) == 0;
    errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
    return false;
}

char *process_find_program(const char *name, const char *path)
{
    char candidate[PATH_MAX];

    if (strchr(name, '/'))
        return name[0] == '/' && process_is_program(name) ? xstrdup(name) : NULL;
    for (;;) {
        size_t len = strcspn(path, ":");
        int size = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)len, path, name);

        if (path[0] == '/' && size > 0 && (size_t)size < sizeof candidate &&
            process_is_program(candidate))
            return xstrdup(candidate);
        if (path[len] == '\0')
            return NULL;
        path += len + 1;
    }
}

static const char *find(const struct process *process, const char *name, struct arena *arena)
{
    char *found = process_find_program(name, process->inherited[0] + strlen("PATH="));
    const char *kept = arena_strdup(arena, found);

    free(found);
    return kept;
}

const char *process_java(const struct process *process, struct arena *arena, struct err *err)
{
    const char *wanted = process->java_wanted;
    const char *home = getenv("JAVA_HOME");
    const char *found = NULL;

    if (wanted)
        found = find(process, wanted, arena);
    else {
        if (home)
            found = find(process, arena_printf(arena, "%s/bin/java", home), arena);
        if (!found)
            found = find(process, "java", arena);
    }
    if (!found)
        process_cannot(err, "no java (exec.java): install a Java runtime, on Debian the package "
                            "default-jre-headless");
    return found;
}

const char *process_program_home(const char *program, struct arena *arena)
{
    char path[PATH_MAX];

    if (!realpath(program, path))
        snprintf(path, sizeof path, "%s", program);
    for (int i = 0; i < 2; i++) { /* …/bin/java */
        char *slash = strrchr(path, '/');
        if (slash && slash != path)
            *slash = '\0';
    }
    return arena_strdup(arena, path);
}

static bool is_spark_home(const char *path, struct arena *arena)
{
    struct stat status;

    return path && path[0] == '/' &&
           process_is_program(arena_printf(arena, "%s/bin/spark-submit", path)) &&
           stat(arena_printf(arena, "%s/jars", path), &status) == 0 && S_ISDIR(status.st_mode);
}

/* PyPI's pyspark is a whole Spark, below the interpreter's folder. */
static const char *of_pyspark(const struct process *process, struct arena *arena)
{
    const char *found = NULL;
    glob_t found_all;
    const char *slash = process->python ? strrchr(process->python, '/') : NULL;

    if (!slash)
        return NULL;
    const char *pattern = arena_printf(arena, "%.*s/../lib/python3*/*-packages/pyspark",
                                       (int)(slash - process->python), process->python);
    if (glob(pattern, 0, NULL, &found_all) == 0 && is_spark_home(found_all.gl_pathv[0], arena))
        found = arena_strdup(arena, found_all.gl_pathv[0]);
    globfree(&found_all);
    return found;
}

static const char *of_spark_submit(const struct process *process, struct arena *arena)
{
    const char *program = find(process, "spark-submit", arena);
    const char *home = program ? process_program_home(program, arena) : NULL;

    return is_spark_home(home, arena) ? home : NULL;
}

const char *process_spark_home(const struct process *process, struct arena *arena, struct err *err)
{
    const char *home = process->spark_home_wanted ? process->spark_home_wanted
                                                  : getenv("SPARK_HOME");

    if (home && is_spark_home(home, arena))
        return home;
    if (home) {
        process_cannot(err,
                       "%s is no folder of a Spark distribution: it has no bin/spark-submit "
                       "or no jars",
                       process->spark_home_wanted ? "exec.spark-home" : "SPARK_HOME");
        return NULL;
    }
    home = of_pyspark(process, arena);
    if (!home)
        home = of_spark_submit(process, arena);
    if (!home)
        process_cannot(err, "no Spark (exec.spark-home): unpack a Spark distribution, or install "
                            "the Python package pyspark, and name its folder");
    return home;
}
