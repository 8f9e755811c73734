/* The attempts of a task in its explanation: how each was started, how it ended, what it cost. */
#pragma once

#include "api/oracle/run_source.h"
#include "base/fields.h"

enum { EXPLAINED_ATTEMPTS_MAX = 10 }; /* of a task: the newest */

extern const struct schema explained_attempt_schema;

/* Those of the task run that have started, ascending; in the arena. */
struct field_list explained_attempts(const struct run_source *source,
                                     const struct task_run_row *row, struct arena *arena);
