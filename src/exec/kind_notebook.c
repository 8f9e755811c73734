/* NOTEBOOK_TASK: python reprise-notebook FILE STEM, where STEM begins the names of the attempt's files.
 * The helper (reprise_notebook.py) tells what becomes of it in STEM.say, and leaves the notebook in
 * STEM.notebook/. */
#include "exec/kind.h"

bool kind_notebook(struct launch *launch, struct err *err)
{
    const char *python = process_python(launch->process, err);
    const char *helper =
        python ? process_helper(launch->process, "reprise-notebook", launch->arena, err) : NULL;
    const char *file = helper ? launch_file(launch, launch->from->file, err) : NULL;

    if (!file)
        return false;
    bool is_spark = launch->from->master || launch->from->cluster;
    if (is_spark && !launch_spark(launch, err))
        return false;
    if (launch->from->master) { /* what a session that the notebook begins is connected to */
        launch_env(launch, "PYSPARK_SUBMIT_ARGS",
                   arena_printf(launch->arena, "--master %s pyspark-shell", launch->from->master));
    }
    launch->is_notebook = true;
    launch_command(launch, (const char *const[]){python, "-u", helper, file, launch->stem}, 5);
    return true;
}
