/* PYTHON_TASK: python FILE ARGS…, cold or from a warm interpreter (docs/design/warm.md). */
#include <string.h>
#include <unistd.h>

#include "exec/kind.h"

/* What an interpreter or the loader reads when it starts is as it was when the fork server did. One of them is the same
 * then and now: a fork server has the variables of its tasks. */
static bool is_read_at_start(const char *variable)
{
    static const char unbuffered[] = "PYTHONUNBUFFERED=";

    if (strncmp(variable, unbuffered, sizeof unbuffered - 1) == 0)
        return false;
    return strncmp(variable, "PYTHON", 6) == 0 || strncmp(variable, "LD_", 3) == 0;
}

static bool has_start_variables(const struct launch *launch)
{
    for (size_t i = 0; launch->process->inherited[i]; i++)
        if (is_read_at_start(launch->process->inherited[i]))
            return true;
    for (size_t i = 0; i < launch->from->env_count; i++)
        if (is_read_at_start(launch->from->env[i]))
            return true;
    return false;
}

/* As the interpreter finds it out: a file beside its program, or in the folder above. */
static bool is_venv(const struct launch *launch, const char *python)
{
    int folder = (int)(strrchr(python, '/') - python);

    return access(arena_printf(launch->arena, "%.*s/pyvenv.cfg", folder, python), F_OK) == 0 ||
           access(arena_printf(launch->arena, "%.*s/../pyvenv.cfg", folder, python), F_OK) == 0;
}

/* The interpreter may be a warm one: is it, and if not, why? */
static void launch_warm(struct launch *launch, const char *python)
{
    struct err err;

    launch->warm = process_helper(launch->process, "reprise-warm", launch->arena, &err);
    if (!launch->warm)
        launch->launch = RECORD_LAUNCH_NO_SERVER;
    else if (has_start_variables(launch))
        launch->launch = RECORD_LAUNCH_ENVIRONMENT;
    else if (is_venv(launch, python))
        launch->launch = RECORD_LAUNCH_VENV;
    else
        launch->launch = RECORD_LAUNCH_WARM;
}

bool kind_python(struct launch *launch, struct err *err)
{
    const char *python = process_python(launch->process, err);
    const char *file = python ? launch_file(launch, launch->from->file, err) : NULL;

    if (!file)
        return false;
    launch_command(launch, (const char *const[]){python, file}, 2);
    if (launch->from->is_warm)
        launch_warm(launch, python);
    return true;
}
