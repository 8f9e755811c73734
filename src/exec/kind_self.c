/* HTTP_TASK and PATH_TASK: verbs of our own binary that nobody else is told of (cli/node.h). */
#include "exec/kind.h"

static bool needs_self(const struct launch *launch, struct err *err)
{
    if (!process_open_workspace(launch->process, err))
        return false;
    return launch->process->self || process_cannot(err, "the server does not know its own binary");
}

bool kind_http(struct launch *launch, struct err *err)
{
    if (!needs_self(launch, err))
        return false;
    const char *const head[] = {launch->process->self, "task-http", launch_input(launch)};
    launch_command(launch, head, 3);
    return true;
}

/* The path is looked at where the task runs: it need not be there. */
bool kind_path(struct launch *launch, struct err *err)
{
    if (!needs_self(launch, err))
        return false;
    const char *const head[] = {launch->process->self, "task-path", launch->from->file};
    launch_command(launch, head, 3);
    return true;
}
