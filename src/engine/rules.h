/*
 * Trigger rules and run results (RULES §2): pure functions of states.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/def.h"
#include "model/state.h"

/* A dependency as a rule sees it. */
struct rule_dep {
    enum state state;      /* STATE_NEW: not known (repair planning) */
    int8_t outcome;        /* of an IF_ELSE that succeeded: 0, 1; else FIELD_UNSET */
    int8_t wanted_outcome; /* what the edge names: 0, 1; else FIELD_UNSET */
};

enum rule_verdict {
    RULE_RUN,
    RULE_EXCLUDED_OUTCOME, /* (a) an outcome that the edge needs was not met */
    RULE_EXCLUDED_ALL,     /* (b) every dependency is excluded */
    RULE_EXCLUDED,         /* the rule waits for failures and there are not enough */
    RULE_UPSTREAM_FAILED,
    RULE_UPSTREAM_CANCELED,
};

struct rule_result {
    enum rule_verdict verdict;
    uint32_t because; /* index of the dependency that decided, where one did; else UINT32_MAX */
};

/* The state of a task as rules and results see it: a failure that is to be ignored is a success. */
enum state rule_state_seen(const struct task_def *task, enum state state);

/* Every dependency is final. A task without dependencies runs. */
struct rule_result rule_evaluate(enum run_if run_if, const struct rule_dep *deps, uint32_t count);

/* The state that a task takes on by a verdict other than RULE_RUN. */
enum state rule_state(enum rule_verdict verdict);

/* With some dependencies unknown: can it be said already that the task will not start? Then *ret is
 * why. What becomes of it may still change to EXCLUDED, where an unknown dependency names an outcome,
 * and from UPSTREAM_CANCELED to UPSTREAM_FAILED. */
bool rule_cannot_run(enum run_if run_if, const struct rule_dep *deps, uint32_t count,
                     struct rule_result *ret);

/* The result of a run whose tasks are all final; `states` by position. Not for runs that were
 * cancelled or timed out. */
enum state rule_run_result(const struct job_def *def, const enum state *states);
