#include "model/state.h"

#include <stddef.h>
#include <string.h>

const char *const state_names[STATE_COUNT] = {
#define STATE_NAME(name) [STATE_##name] = #name,
    STATE_LIST(STATE_NAME)
#undef STATE_NAME
};

const char *state_name(enum state state)
{
    return state == STATE_NEW ? "NEW" : state_names[state];
}

enum state state_from_name(const char *name)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum state)i;
    return STATE_NEW;
}

#define BIT(name)       (1U << STATE_##name)
#define HAS(set, state) (((set) >> (unsigned)(state)) & 1U)

static const unsigned final_states = BIT(SUCCESS) | BIT(FAILED) | BIT(CANCELED) | BIT(TIMED_OUT) |
                                     BIT(INTERNAL_ERROR) | BIT(SKIPPED) | BIT(UPSTREAM_FAILED) |
                                     BIT(UPSTREAM_CANCELED) | BIT(EXCLUDED);

/* Final states of a run that has started or could have: all but SKIPPED. */
#define RUN_ENDS (BIT(SUCCESS) | BIT(FAILED) | BIT(CANCELED) | BIT(TIMED_OUT) | BIT(INTERNAL_ERROR))

/* RULES §1, row "run": from → set of to. */
static const unsigned run_moves[STATE_COUNT] = {
    [STATE_QUEUED] = BIT(PENDING) | BIT(SKIPPED) | BIT(CANCELED),
    [STATE_PENDING] = BIT(RUNNING) | BIT(CANCELING) | BIT(PAUSED_MAINTENANCE) | RUN_ENDS,
    [STATE_RUNNING] = BIT(CANCELING) | BIT(PAUSED_MAINTENANCE) | RUN_ENDS,
    [STATE_PAUSED_MAINTENANCE] = BIT(PENDING) | BIT(RUNNING) | BIT(CANCELING) | RUN_ENDS,
    [STATE_CANCELING] = BIT(CANCELED) | BIT(TIMED_OUT),
};

/* RULES §1, row "task". */
static const unsigned task_moves[STATE_COUNT] = {
    [STATE_BLOCKED] = BIT(QUEUED) | BIT(RUNNING) | BIT(UPSTREAM_FAILED) | BIT(UPSTREAM_CANCELED) |
                      BIT(EXCLUDED) | BIT(CANCELED) | BIT(INTERNAL_ERROR),
    [STATE_QUEUED] = BIT(PENDING) | BIT(CANCELED),
    [STATE_PENDING] = BIT(QUEUED) | BIT(RUNNING) | BIT(CANCELING) | BIT(CANCELED) |
                      BIT(INTERNAL_ERROR),
    [STATE_RUNNING] = BIT(CANCELING) | BIT(PENDING) | BIT(SUCCESS) | BIT(FAILED) | BIT(TIMED_OUT) |
                      BIT(INTERNAL_ERROR) | BIT(CANCELED),
    [STATE_CANCELING] = BIT(CANCELED) | BIT(TIMED_OUT) | BIT(PENDING),
};

bool state_is_final(enum state state)
{
    return state != STATE_NEW && HAS(final_states, state);
}

bool state_holds_slot(enum state state)
{
    const unsigned holders = BIT(PENDING) | BIT(RUNNING) | BIT(CANCELING) | BIT(PAUSED_MAINTENANCE);
    return state != STATE_NEW && HAS(holders, state);
}

bool state_is_canceled_or_timed_out(enum state state)
{
    const unsigned set = BIT(CANCELING) | BIT(CANCELED) | BIT(TIMED_OUT);
    return state != STATE_NEW && HAS(set, state);
}

bool state_is_unsuccessful(enum state state)
{
    const unsigned set = BIT(FAILED) | BIT(TIMED_OUT) | BIT(INTERNAL_ERROR) | BIT(CANCELED) |
                         BIT(UPSTREAM_FAILED) | BIT(UPSTREAM_CANCELED);
    return state != STATE_NEW && HAS(set, state);
}

bool state_is_own_failure(enum state state)
{
    return state == STATE_FAILED || state == STATE_TIMED_OUT || state == STATE_INTERNAL_ERROR;
}

bool state_run_may_move(enum state from, enum state to)
{
    if (from == STATE_NEW)
        return to == STATE_QUEUED || to == STATE_PENDING || to == STATE_SKIPPED;
    if (state_is_final(from))
        return to == STATE_QUEUED || to == STATE_PENDING;
    return HAS(run_moves[from], to);
}

bool state_task_may_move(enum state from, enum state to)
{
    if (from == STATE_NEW)
        return to == STATE_BLOCKED;
    return HAS(task_moves[from], to);
}
