/*
 * Why tasks of a run failed, in a line each: the end of what the server kept of their errors, and for a task that ran another
 * job the command that looks into that run.
 */
#pragma once

#include <jansson.h>

#include "base/map.h"
#include "cli/context.h"

struct failure {
    const char *task;  /* its key; safe text, as all of these */
    const char *line;  /* the last of its error trace that is not empty; "" without a trace */
    const char *child; /* key of the run that a JOB_TASK started, or NULL */
};

/* Of a run (JobRun), in the order of its definition, as far as there is more to tell than the state's own message. */
struct failures {
    struct failure *items;
    size_t count;
    struct str_map by_task; /* task key, as the server spells it → struct failure */
};
void failures_init(struct failures *failures, struct cli *cli, const json_t *run);
void failures_release(struct failures *failures);

/* What a run leaves to be said behind its tree: each failure, and the whole trace of the first. Nothing without any. */
void failures_print(struct cli *cli, const json_t *run);
