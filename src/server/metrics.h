/*
 * What the server counts for its operator, besides the traffic that the API counts: /metrics. What
 * each number means, and what to be woken for: docs/guide/operations.md.
 *
 * One for all workspaces: their pumps add to the same numbers. Work is counted by what was committed,
 * so a batch that was lost counts nothing; how many runs are in which state is asked of the store
 * when somebody looks.
 */
#pragma once

#include "base/metric.h"
#include "exec/exec.h"
#include "model/rows.h"

enum { METRICS_CAUSES = CAUSE_CHILD + 1 };

struct metrics {
    int64_t started_ms; /* wall clock */
    /* work, as committed */
    struct counter runs_made[LAUNCHED_COUNT];
    struct counter runs_ended[STATE_COUNT];
    struct counter tasks_ended[STATE_COUNT];
    struct counter repairs;
    struct counter skipped_times;
    struct histogram lateness; /* of runs by a schedule; µs */
    /* attempts, as reported */
    struct counter attempts_started;
    struct counter attempts_ended[METRICS_CAUSES];
    struct counter attempts_void;
    /* commits */
    struct histogram commit; /* µs */
    struct histogram batch;  /* rows */
    struct counter commit_failures;
    /* now */
    struct gauge attempts_live;
    struct gauge tasks_ready;
    struct gauge supervisors_idle;
};

struct metrics *metrics_new(int64_t now_ms);
void metrics_free(struct metrics *metrics);

/* A batch was committed, in so many µs. */
void metrics_committed(struct metrics *metrics, const struct row_batch *rows, int64_t took_us);
/* An attempt has ended, as was committed. `cause`: enum attempt_cause. */
void metrics_ended(struct metrics *metrics, enum exec_report_kind kind, int cause);

/* Everything of the above. */
void metrics_print(const struct metrics *metrics, struct buf *out);

/* ---- metrics_host.c: of the process and its disk ---- */
/* `db_path` NULL: no file. */
void metrics_print_host(const struct metrics *metrics, const char *data_dir, const char *db_path,
                        struct buf *out);
