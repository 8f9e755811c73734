/*
 * Following what a task run writes, through the server's streams: nothing is asked for until
 * something is written, or an attempt ends.
 */
#pragma once

#include "cli/context.h"
#include "cli/output.h"

enum { FOLLOW_OUTPUTS = 2 };

/* Until the task run has ended, over all its attempts, or with --attempt until that one has. False
 * when the server has no streams (any more, for us), with what was heard put out and the offsets
 * behind it: go on by asking. Else the exit code is in *ret_status. */
bool follow_task_run(struct cli *cli, const char *task_run,
                     struct output outputs[static FOLLOW_OUTPUTS], int *ret_status);

struct task_place {
    bool has_ended;
    bool is_between; /* waits, also for its next attempt */
    int64_t attempt; /* the newest that has started, -1: none */
};

/* Where the task run stands; else the exit code. */
__attribute__((warn_unused_result)) int follow_look(struct cli *cli, const char *task_run,
                                                    struct task_place *ret);
