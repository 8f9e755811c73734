/*
 * Replay: what really happened, once more, offline.
 *
 * From a store it takes what came from outside (definitions, run requests, repairs, cancels,
 * deadlines that passed, what git answered, how attempts ended and when), in the order of the stored
 * events, gives it to a fresh engine in a simulated world (sim/world.h, with all its checks), and
 * compares what this engine makes of it: the states that every run and task run went through, how
 * they ended and what they said then, how often tasks were started, what repairs planned.
 *
 * Tasks get their execution slots when the events say that they did. Not in the store, so not compared: what became
 * of runs that were deleted. Expressions (model/el.h) are in the zone of the job's schedule here, without one in UTC, and
 * variables empty: where one of these decided something, that may differ. Where run numbers are missing, whatever had
 * to do with run slots may differ.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* One line about a difference. */
typedef void replay_tell(void *context, const char *line);

struct replay_result {
    size_t runs, events, attempts, repairs; /* compared */
    size_t deleted;                         /* numbers of runs that are not there */
    size_t differences;
};

/* All runs of a workspace; the reader's snapshot is the caller's. `tell` gets each difference.
 * False: the store could not be read. A rule that the engine breaks ends in `broken`. */
bool replay_workspace(struct store_reader *reader, const struct workspace_row *workspace,
                      replay_tell *tell, void *context, struct replay_result *ret);
