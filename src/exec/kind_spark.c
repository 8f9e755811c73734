/* What runs on Spark: SPARK_SUBMIT_TASK with its own words, and JAR_TASK and PYTHON_TASK on a cluster
 * that has a Spark master. All of them are SPARK_HOME/bin/spark-submit under the supervisor. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "exec/kind.h"

enum { HEAD_MAX = 16, WORD_MAX_BYTES = 120 << 10 };

#define LOCAL_MASTER "local[*]"
#define OF_WORKSPACE "/Workspace/"

struct head {
    const char *words[HEAD_MAX];
    size_t count;
};

static void put(struct head *head, const char *word)
{
    head->words[head->count++] = word;
}

static const char *spark_folder(const struct launch *launch)
{
    return arena_printf(launch->arena, "%s/../spark", launch->cwd);
}

const char *launch_spark(struct launch *launch, struct err *err)
{
    static const char *const passed_on[] = {"HADOOP_CONF_DIR", "YARN_CONF_DIR", "SPARK_CONF_DIR"};
    struct process *process = launch->process;
    struct arena *arena = launch->arena;
    const char *home = process_spark_home(process, arena, err);
    const char *java = home ? process_java(process, arena, err) : NULL;
    const char *python = java ? process_python(process, err) : NULL;

    if (!python)
        return NULL;
    launch_env(launch, "SPARK_HOME", home);
    launch_env(launch, "JAVA_HOME", process_program_home(java, arena));
    launch_env(launch, "PYSPARK_PYTHON", python);
    launch_env(launch, "SPARK_LOCAL_DIRS", spark_folder(launch));
    for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
        if (getenv(passed_on[i]))
            launch_env(launch, passed_on[i], getenv(passed_on[i]));
    launch->is_spark = true;
    return home;
}

/* spark-submit, and on which master it works; who makes a cluster adds that. A local one logs its application's id only together
 * with events, so they are kept in the run's folder. */
static bool begin(struct launch *launch, struct head *head, struct err *err)
{
    struct arena *arena = launch->arena;
    const char *master = launch->from->master ? launch->from->master : LOCAL_MASTER;
    const char *home = launch_spark(launch, err);

    if (!home)
        return false;
    *head = (struct head){.count = 0};
    put(head, arena_printf(arena, "%s/bin/spark-submit", home));
    if (launch->from->cluster)
        return true;
    put(head, "--master");
    put(head, master);
    if (strncmp(master, "local", strlen("local")) == 0) {
        put(head, "--conf");
        put(head, "spark.eventLog.enabled=true");
        put(head, "--conf");
        put(head, arena_printf(arena, "spark.eventLog.dir=%s", spark_folder(launch)));
    }
    return true;
}

/* "/Workspace/a.jar", and lists such as "/Workspace/a.jar,/Workspace/b.jar": absolute paths. */
static const char *translate(struct launch *launch, const char *word)
{
    const char *folder = process_workspace(launch->process);
    struct buf text;

    if (!folder || strncmp(word, OF_WORKSPACE, strlen(OF_WORKSPACE)) != 0)
        return word;
    buf_init(&text, WORD_MAX_BYTES);
    for (const char *part = word; *part;) {
        size_t len = strcspn(part, ",");
        if (strncmp(part, OF_WORKSPACE, strlen(OF_WORKSPACE)) == 0) {
            buf_add(&text, folder, strlen(folder));
            buf_add(&text, part + strlen(OF_WORKSPACE) - 1, len - strlen(OF_WORKSPACE) + 1);
        } else
            buf_add(&text, part, len);
        part += len;
        if (*part == ',')
            buf_add(&text, part++, 1);
    }
    const char *translated = text.overflowed ? word : arena_strdup(launch->arena, text.data);
    buf_release(&text);
    return translated;
}

bool kind_spark_submit(struct launch *launch, struct err *err)
{
    const struct exec_order *from = launch->from;
    struct head head;

    if (!begin(launch, &head, err) || !process_open_workspace(launch->process, err))
        return false;
    const char **args = ARENA_ARRAY(launch->arena, from->arg_count + 1, const char *);
    for (size_t i = 0; i < from->arg_count; i++)
        args[i] = translate(launch, from->args[i]);
    launch_command_with(launch, head.words, head.count, args);
    return true;
}

bool kind_spark_jar(struct launch *launch, struct err *err)
{
    const struct exec_order *from = launch->from;
    struct head head;

    if (!begin(launch, &head, err))
        return false;
    if (from->library_count == 0)
        return process_cannot(err, "dependentLibraries names no archive: the first is the "
                                   "application, the others its libraries");
    const char *first = launch_file(launch, from->libraries[0], err);
    const char *others = first ? launch_libraries(launch, 1, ',', err) : NULL;
    if (!others)
        return false;
    put(&head, "--class");
    put(&head, from->main_class);
    if (*others) {
        put(&head, "--jars");
        put(&head, others);
    }
    put(&head, first);
    launch_command(launch, head.words, head.count);
    return true;
}

bool kind_spark_python(struct launch *launch, struct err *err)
{
    struct head head;

    if (!begin(launch, &head, err))
        return false;
    const char *file = launch_file(launch, launch->from->file, err);
    if (!file)
        return false;
    put(&head, file);
    launch_command(launch, head.words, head.count);
    return true;
}
