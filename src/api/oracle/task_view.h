/* Views of task runs. */
#pragma once

#include "api/oracle/run_source.h"
#include "model/command.h"

/* "TASKRUN.NUMBER" of an attempt. */
const char *output_key(struct arena *arena, const struct task_run_row *row,
                       const struct attempt_row *attempt);
/* What an attempt has used; NULL when that is not known (yet). */
struct usage_view *usage_view(struct arena *arena, const struct attempt_row *attempt);
/* Attempts that have started; others are passed over. */
struct field_list retry_views(struct arena *arena, const struct task_run_row *row,
                              const struct attempt_row *attempts, size_t count);
/* False when there is no such task run (or the reader failed). */
bool task_run_print(const struct reading *at, const struct uuid *key, struct buf *out,
                    char etag[static ETAG_TEXT]);
