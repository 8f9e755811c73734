/*
 * Sentences that are written at a move and derived anew when they are read, since what they tell
 * grows stale while nothing moves (RULES §1): the same words from both.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/uuid.h"
#include "model/def.h"

/* "1st", "2nd", "3rd", "11th", … */
const char *message_ordinal(int64_t n, struct arena *arena);

enum { MESSAGE_NAMED = 3 };

/* Who has the slots of a job that has `slots`: "2 of 2 run slots are held by runs …", from the keys of the
 * first MESSAGE_NAMED of `count` holders. */
const char *message_holders(const struct uuid *holders, size_t count, int64_t slots,
                            struct arena *arena);

enum { MESSAGE_NOBODY = UINT32_MAX };

/* For each task whom one waits for that depends on it: the task itself while it is open, else an open one above it, which a
 * repair may have planned above a task that it keeps; else MESSAGE_NOBODY. Linear in the graph. */
void message_find_open(const struct job_def *def,
                       bool (*is_open)(const void *context, uint32_t task), const void *context,
                       uint32_t *ret_behind);
/* What a BLOCKED task waits for: "Waiting for a, b, c and 2 more", of what `behind` (message_find_open) has for its
 * dependencies, each once as far as they are named; else that it waits for the run. NULL: nothing has ended yet. */
const char *message_waiting(const struct job_def *def, uint32_t task, const uint32_t *behind,
                            struct arena *arena);
