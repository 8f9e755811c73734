/*
 * What differs between two definitions of a job, task by task and field by field.
 *
 * A task is the same one in both when its taskKey is. What it depends on is told apart from its
 * other fields: a task can be rewired without being edited. The order of tasks, and of dependsOn,
 * means nothing and is not a difference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/def.h"
#include "model/params.h"

enum def_change { DEF_ADDED, DEF_REMOVED, DEF_KEPT };

struct def_task_diff {
    const char *task_key;
    enum def_change change;
    /* Of a task that is in both: */
    const char **fields; /* names of fields that differ, but for dependsOn */
    size_t field_count;
    const char **gained; /* "load", "decide (true)": dependencies that the newer one has */
    size_t gained_count;
    const char **lost; /* … that it has not any more */
    size_t lost_count;
};

struct def_diff {
    int64_t from_version;
    int64_t to_version;
    struct def_task_diff *tasks; /* that differ: in the newer one's order, then what was removed */
    size_t task_count;
    const struct def_task_diff **by_position; /* in the newer one; NULL: no difference */
    const char **fields;                      /* of the job that differ, but for these: */
    size_t field_count;
    struct param_changes parameters; /* of the job */
};

/* Everything in the arena; strings are shared with both definitions, which must live as long.
 * Linear in their sizes. */
const struct def_diff *def_diff_make(const struct job_def *from, const struct job_def *to,
                                     struct arena *arena);

static inline bool def_task_is_rewired(const struct def_task_diff *task)
{
    return task->gained_count + task->lost_count > 0;
}
