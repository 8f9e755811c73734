/* The plan of a repair, as an object: what would happen to each task, and why (RULES §8.3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/def_diff.h"
#include "model/params.h"

enum plan_verdict { PLAN_RUN, PLAN_REEVALUATE, PLAN_MARK, PLAN_KEEP, PLAN_VERDICT_COUNT };
extern const char *const plan_verdict_names[PLAN_VERDICT_COUNT];

struct plan_task {
    const char *task_key;
    enum plan_verdict verdict;
    const char *reason;   /* one plain sentence */
    bool will_start;      /* false where it is known that it will not */
    const char **hazards; /* of a kept task: why its result may be stale */
    size_t hazard_count;
};

struct repair_plan {
    struct plan_task *tasks; /* in definition order */
    uint32_t task_count;
    uint32_t run_count, reevaluate_count, mark_count, keep_count;
    /* Of job, run and repairs together, as they were given; of what was given as before but comes to something else, what
     * it comes to. */
    struct param_changes parameters;
    int64_t definition_version;
    const struct def_diff *definition; /* to that of the newest attempt; NULL: not looked at */
};
