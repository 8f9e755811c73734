/*
 * States of runs and task runs, and the moves that exist between them (RULES §1).
 *
 *   run   new ─> QUEUED ─> PENDING ─> RUNNING ─> SUCCESS FAILED CANCELED TIMED_OUT INTERNAL_ERROR
 *                   └─> SKIPPED            └─> CANCELING ─> CANCELED TIMED_OUT
 *         final ─> QUEUED, PENDING by a repair only
 *   task  new ─> BLOCKED ─> QUEUED ─> PENDING ─> RUNNING ─> final      (retry: back to PENDING)
 *
 * The values are stored and sort alphabetically by name, as lists sorted by status are: keep them
 * so. A new state means a migration.
 */
#pragma once

#include <stdbool.h>

#define STATE_LIST(X)     \
    X(BLOCKED)            \
    X(CANCELED)           \
    X(CANCELING)          \
    X(EXCLUDED)           \
    X(FAILED)             \
    X(INTERNAL_ERROR)     \
    X(PAUSED_MAINTENANCE) \
    X(PENDING)            \
    X(QUEUED)             \
    X(RUNNING)            \
    X(SKIPPED)            \
    X(SUCCESS)            \
    X(TIMED_OUT)          \
    X(UPSTREAM_CANCELED)  \
    X(UPSTREAM_FAILED)

enum state {
    STATE_NEW = -1, /* not there yet */
#define STATE_ENUM(name) STATE_##name,
    STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
        STATE_COUNT
};

/* Names in the order of the enum, as the APIs write them. */
extern const char *const state_names[STATE_COUNT];
/* "NEW" for STATE_NEW. */
const char *state_name(enum state state);
/* STATE_NEW when there is no such name. */
enum state state_from_name(const char *name);

bool state_is_final(enum state state);
/* States in which a run holds one of its job's run slots (RULES §4). */
bool state_holds_slot(enum state state);
/* state.isUserCanceledOrTimedOut (RULES §12). */
bool state_is_canceled_or_timed_out(enum state state);
/* FAILED, TIMED_OUT, INTERNAL_ERROR, CANCELED, UPSTREAM_FAILED, UPSTREAM_CANCELED: what a repair
 * selects by default (RULES §8.2). */
bool state_is_unsuccessful(enum state state);
/* Final and held against a run when its errors are shown: the task itself went wrong. */
bool state_is_own_failure(enum state state);

/* The tables of allowed moves, for a run those of a repair too: from final ones to QUEUED and PENDING. */
bool state_run_may_move(enum state from, enum state to);
bool state_task_may_move(enum state from, enum state to);
