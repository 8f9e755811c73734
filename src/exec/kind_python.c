/* PYTHON_TASK: python FILE ARGS… */
#include "exec/kind.h"

bool kind_python(struct launch *launch, struct err *err)
{
    const char *python = process_python(launch->process, err);
    const char *file =
        python ? process_file(launch->process, launch->from->file, launch->arena, err) : NULL;

    if (!file)
        return false;
    launch_command(launch, (const char *const[]){python, file}, 2);
    return true;
}
