#include "exec/kind.h"

#include <assert.h>

static kind_prepare *const kinds[EXEC_KIND_COUNT] = {
    [EXEC_PYTHON] = kind_python,       [EXEC_NOTEBOOK] = kind_notebook,
    [EXEC_JAVA] = kind_java,           [EXEC_SPARK_SUBMIT] = kind_spark_submit,
    [EXEC_SPARK_JAR] = kind_spark_jar, [EXEC_SPARK_PYTHON] = kind_spark_python,
    [EXEC_SHELL] = kind_shell,         [EXEC_HTTP] = kind_http,
    [EXEC_PATH] = kind_path,
};

bool kind_launch(struct launch *launch, struct err *err)
{
    if (launch->from->refusal)
        return process_cannot(err, "%s", launch->from->refusal);
    assert(kinds[launch->from->kind]);
    if (launch->from->is_warm && launch->from->kind != EXEC_PYTHON)
        launch->launch = RECORD_LAUNCH_SPARK;
    return kinds[launch->from->kind](launch, err) &&
           (!launch->from->cluster || kind_on_cluster(launch, err));
}

const char *launch_input(const struct launch *launch)
{
    return arena_printf(launch->arena, "%s.in", launch->stem);
}

void launch_env(struct launch *launch, const char *name, const char *value)
{
    assert(launch->env_count < LAUNCH_ENV_MAX);
    launch->env[launch->env_count++] = arena_printf(launch->arena, "%s=%s", name, value);
}

void launch_command_with(struct launch *launch, const char *const *head, size_t count,
                         const char *const *args)
{
    size_t arg_count = launch->from->arg_count;
    char **argv = ARENA_ARRAY(launch->arena, count + arg_count + 1, char *);

    for (size_t i = 0; i < count; i++)
        argv[i] = (char *)(uintptr_t)head[i];
    for (size_t i = 0; i < arg_count; i++)
        argv[count + i] = (char *)(uintptr_t)args[i];
    argv[count + arg_count] = NULL;
    launch->argv = argv;
}

void launch_command(struct launch *launch, const char *const *head, size_t count)
{
    launch_command_with(launch, head, count, launch->from->args);
}
