/*
 * The book: the rows that the engine has written, as the store would keep them, in memory.
 *
 * Every batch is held to what RULES and rows.h promise while it is applied (else: sim/fail.h), so
 * each test proves more than it says: rows are inserted once and updated only then, columns that do
 * not move do not move, what is final is never written again, every change of a state is an allowed
 * move told by an event, events are numbered strictly, run slots are never over the cap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "engine/engine.h"
#include "model/image.h"
#include "model/rows.h"
#include "sim/fail.h"

struct booked_job {
    struct job_row row;
    struct job_version_row *versions;
    size_t version_count, version_cap;
    int64_t cap;     /* of the newest version */
    int64_t holders; /* as counted after the batch before */
};

struct booked_run;

struct booked_task {
    struct booked_run *run;
    struct task_run_row row;
    struct attempt_row *attempts; /* ascending */
    size_t attempt_count, attempt_cap;
    enum state told; /* as the events have it */
    int64_t last_event;
    uint32_t writes;
};

struct booked_run {
    struct run_row row;
    struct booked_job *job;
    struct repair_row *repairs;
    size_t repair_count, repair_cap;
    struct booked_task **tasks; /* in the order in which they came */
    size_t task_count, task_cap;
    struct event_row *events;
    size_t event_count, event_cap;
    enum state told;
    int64_t last_event;            /* the newest */
    int64_t last_run_event;        /* the newest about the run itself */
    bool repair_accepted;          /* told, and the run has not moved yet */
    bool was_written, was_told;    /* in the batch at hand */
    struct booked_window *windows; /* book_holds.c: what it waited for; in the arena */
    size_t window_count;
    bool hold_is_checked;
    struct arena arena;
};

struct booked_campaign {
    struct campaign_row row;
    struct campaign_cell_row *cells; /* row.cell_count of them, cell_count so far */
    size_t cell_count;
    bool *begins; /* by cell: the newest commit has started it */
};

struct book {
    struct workspace_row workspace; /* as of the newest commit */
    struct booked_job **jobs;
    size_t job_count, job_cap;
    struct booked_run **runs; /* in the order in which they came */
    size_t run_count, run_cap;
    struct uuid_map jobs_by_key, runs_by_key, tasks_by_key, campaigns_by_key;
    struct uuid_map schedules; /* of struct schedule_row, by job */
    size_t operations;
    int64_t last_event;
    int64_t max_running;
    struct arena arena;
};

void book_init(struct book *book);
void book_release(struct book *book);
/* Applies a batch, with the workspace's counters, and checks. */
void book_apply(struct book *book, const struct row_batch *rows,
                const struct workspace_row *workspace);

struct booked_job *book_job(const struct book *book, const struct uuid *key);
/* NULL when it is not there (any more). */
struct booked_run *book_run(const struct book *book, const struct uuid *key);
struct booked_campaign *book_campaign(const struct book *book, const struct uuid *key);
struct booked_task *book_task(const struct book *book, const struct uuid *key);
struct attempt_row *booked_attempt(const struct booked_task *task, int64_t number);
/* The newest task run of a task, NULL when there is none. */
struct booked_task *booked_task_of(const struct booked_run *run, const char *task_key);
/* What the store would read back. */
struct run_image book_image(const struct booked_run *run, struct arena *arena);
/* Run slots held, execution slots held: counted from rows. */
int64_t book_holders(const struct book *book, const struct booked_job *job);
int64_t book_live(const struct book *book);
/* Did the jobs that its own depends on ever hold it? */
bool book_was_held(const struct booked_run *run);
/* Every run that is held waits for something. Not while the server drains. */
void book_check_waiting(const struct book *book);
