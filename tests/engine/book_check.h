/* What the book holds every row and every batch to. All of it fails the test. */
#pragma once

#include "engine/book.h"

/* INSERT: there is none yet; UPDATE, DELETE: there is one. */
void check_action(enum row_kind kind, enum row_action action, const void *old);
/* An UPDATE writes moving columns only: what it changes besides would be lost in the store. */
void check_fixed(enum row_kind kind, const void *old, const void *row);
void check_run_progress(const struct run_row *old, const struct run_row *row);
void check_attempt(const struct attempt_row *old, const struct attempt_row *row);
/* An allowed move from the state that was told last; `task` NULL: about the run. */
void check_event(struct booked_run *run, struct booked_task *task, const struct event_row *event);
void check_counters(const struct workspace_row *old, const struct workspace_row *row,
                    int64_t last_event);
/* After a batch: rows agree with each other, with the events, and with the caps. */
void check_book(struct book *book);
