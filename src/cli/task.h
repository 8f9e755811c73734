/* Task runs, found by the run and the task's key. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* The key of the newest task run of `task_key` in the run that `word` names. As call_run_key. */
__attribute__((warn_unused_result)) int task_run_key(struct cli *cli, const char *word,
                                                     const char *task_key, const char **ret_key);
/* Says why a run (as the API shows it) has no task run of that task: it has no such task, or it was skipped. */
void task_complain_missing(const json_t *run, const char *task_key);
