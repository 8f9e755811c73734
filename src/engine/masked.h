/*
 * Failures that do not show in the result of a run (RULES §2): a task fails, all others succeed, and the leaves,
 * which alone decide, succeed too, since a trigger rule on the way lets something run all the same.
 *
 * A pure function of a definition, for what is said of it before it is saved. Nothing is said of tasks that end or
 * suspend the run (x-failPolicy FAIL, SUSPEND), that are ignored by wish (IGNORE), or that another task stands in
 * for: one that runs because of the failure, and without whose success the run would fail.
 */
#pragma once

#include "base/arena.h"
#include "model/def.h"

/* One sentence that names such tasks, the task whose rule hides the last of them, by its place, and the cure; in
 * `arena`. NULL: there are none. Of a definition that is too large for MASKED_MAX_STEPS the end is looked at alone. */
const char *masked_failures(const struct job_def *def, struct arena *arena);

/* Tasks and edges looked at, of one definition: it is asked on a thread that others wait for. */
enum { MASKED_MAX_STEPS = 10000000 };
