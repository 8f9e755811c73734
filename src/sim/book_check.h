/* What the book holds every row and every batch to. All of it ends in `broken`. */
#pragma once

#include "sim/book.h"

/* INSERT: there is none yet; UPDATE, DELETE: there is one. */
void book_check_action(enum row_kind kind, enum row_action action, const void *old);
/* An UPDATE writes moving columns only: what it changes besides would be lost in the store. */
void book_check_fixed(enum row_kind kind, const void *old, const void *row);
void book_check_run_progress(const struct run_row *old, const struct run_row *row);
/* What a run resolved a branch to stays, and nothing is resolved twice for one base. */
void book_check_commits(const char *old, const char *commits);
void book_check_attempt(const struct attempt_row *old, const struct attempt_row *row);
/* An allowed move from the state that was told last; `task` NULL: about the run. */
void book_check_event(struct booked_run *run, struct booked_task *task,
                      const struct event_row *event);
void book_check_counters(const struct workspace_row *old, const struct workspace_row *row,
                         int64_t last_event);
/* After a batch: rows agree with each other, with the events, and with the caps. */
void book_check_all(struct book *book);
/* How often a schedule fires; 0: the law knows nothing of it. Of a row: not at all, if it is not active. */
int64_t book_plan_period(const struct schedule *schedule);
int64_t book_schedule_period(const struct schedule_row *row);
/* A run that was held: has it been let go of by right? */
void book_check_hold(const struct book *book, struct booked_run *run);
/* Planned times of the batch, and where the schedules stand after it. */
void book_plans(struct book *book, const struct row_batch *rows);
