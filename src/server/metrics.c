#include "server/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { LABEL_BYTES = 96 };

/* Rows of a batch: one task takes about eight. */
static const struct histogram_scale scale_rows = {
    .count = 10,
    .bounds = {1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000},
    .unit = 1,
};
/* How late schedules fire: in time to a day. */
static const struct histogram_scale scale_lateness = {
    .count = 10,
    .bounds = {50000, 250000, 1000000, 5000000, 15000000, 60000000, 300000000, 3600000000,
               21600000000, 86400000000},
    .unit = 1e-6,
};

static const char *const cause_names[METRICS_CAUSES] = {
    [CAUSE_NONE] = "none",
    [CAUSE_EXITED] = "exited",
    [CAUSE_SIGNALED] = "signaled",
    [CAUSE_TIMED_OUT] = "timed_out",
    [CAUSE_STOPPED] = "stopped",
    [CAUSE_EXEC_FAILED] = "exec_failed",
    [CAUSE_CANNOT_START] = "cannot_start",
    [CAUSE_LOST] = "lost",
    [CAUSE_CHILD] = "child",
};
static const char *const launched_names[LAUNCHED_COUNT] = {
    [LAUNCHED_SCHEDULED] = "SCHEDULED",
    [LAUNCHED_MANUAL] = "MANUAL",
};

struct metrics *metrics_new(int64_t now_ms)
{
    struct metrics *metrics = xcalloc(1, sizeof *metrics);
    metrics->started_ms = now_ms;
    metrics->lateness.scale = &scale_lateness;
    metrics->commit.scale = &scale_latency;
    metrics->batch.scale = &scale_rows;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

/* ---- counting ---- */

static void count_event(struct metrics *metrics, const struct event_row *event)
{
    if (event->from == event->to || !state_is_final(event->to))
        return;
    if (event->type == EVENT_RUN_STATE)
        counter_add(&metrics->runs_ended[event->to], 1);
    else if (event->type == EVENT_TASK_STATE)
        counter_add(&metrics->tasks_ended[event->to], 1);
}

static void count_run(struct metrics *metrics, const struct run_row *run)
{
    counter_add(&metrics->runs_made[run->launched], 1);
    bool has_plan = run->instance_type == INSTANCE_SCHEDULED && run->plan_ms != FIELD_NULL;
    if (has_plan)
        histogram_observe(&metrics->lateness, (run->created_ms - run->plan_ms) * 1000);
}

static void count_row(struct metrics *metrics, const struct row_change *change)
{
    if (change->action != ROW_INSERT)
        return;
    if (change->kind == ROW_EVENT)
        count_event(metrics, change->row);
    else if (change->kind == ROW_RUN)
        count_run(metrics, change->row);
    else if (change->kind == ROW_REPAIR)
        counter_add(&metrics->repairs, ((const struct repair_row *)change->row)->number > 0);
    else if (change->kind == ROW_SKIPPED)
        counter_add(&metrics->skipped_times,
                    (uint64_t)((const struct skipped_row *)change->row)->count);
}

void metrics_committed(struct metrics *metrics, const struct row_batch *rows, int64_t took_us)
{
    histogram_observe(&metrics->commit, took_us);
    histogram_observe(&metrics->batch, (int64_t)rows->count);
    for (size_t i = 0; i < rows->count; i++)
        count_row(metrics, &rows->items[i]);
}

void metrics_ended(struct metrics *metrics, enum exec_report_kind kind, int cause)
{
    if (kind == EXEC_VOID)
        counter_add(&metrics->attempts_void, 1);
    else
        counter_add(&metrics->attempts_ended[kind == EXEC_LOST ? CAUSE_LOST : cause], 1);
}

/* ---- printing ---- */

static void print_states(struct buf *out, const char *name,
                         const struct counter counters[static STATE_COUNT], bool is_run)
{
    char label[LABEL_BYTES];
    for (int state = 0; state < STATE_COUNT; state++) {
        bool is_of_task = state == STATE_UPSTREAM_FAILED || state == STATE_UPSTREAM_CANCELED ||
                          state == STATE_EXCLUDED;
        if (!state_is_final((enum state)state) || (is_run ? is_of_task : state == STATE_SKIPPED))
            continue;
        snprintf(label, sizeof label, "state=\"%s\"", state_name((enum state)state));
        metric_sample(out, name, label, (double)counter_read(&counters[state]));
    }
}

static void print_work(const struct metrics *metrics, struct buf *out)
{
    char label[LABEL_BYTES];
    metric_family(out, "reprise_runs_created_total", "counter",
                  "Runs that were made, by what launched them.");
    for (int i = 0; i < LAUNCHED_COUNT; i++) {
        snprintf(label, sizeof label, "launched=\"%s\"", launched_names[i]);
        metric_sample(out, "reprise_runs_created_total", label,
                      (double)counter_read(&metrics->runs_made[i]));
    }
    metric_family(out, "reprise_runs_finished_total", "counter",
                  "Runs that became final, by state; a repaired run does so again.");
    print_states(out, "reprise_runs_finished_total", metrics->runs_ended, true);
    metric_family(out, "reprise_tasks_finished_total", "counter",
                  "Task runs that became final, by state.");
    print_states(out, "reprise_tasks_finished_total", metrics->tasks_ended, false);
    metric_single(out, "reprise_repairs_total", "counter", "Repairs that were accepted.",
                  (double)counter_read(&metrics->repairs));
    metric_single(out, "reprise_schedule_skipped_total", "counter",
                  "Planned times that did not become runs.",
                  (double)counter_read(&metrics->skipped_times));
    metric_family(out, "reprise_schedule_lateness_seconds", "histogram",
                  "From the planned time to the making of the run.");
    metric_histogram(out, "reprise_schedule_lateness_seconds", "", &metrics->lateness);
}

static void print_attempts(const struct metrics *metrics, struct buf *out)
{
    char label[LABEL_BYTES];
    metric_single(out, "reprise_attempts_started_total", "counter",
                  "Attempts whose start was committed.",
                  (double)counter_read(&metrics->attempts_started));
    metric_family(
        out, "reprise_attempts_finished_total", "counter",
        "Attempts that ended, by cause; lost ones are the server's or the host's failure.");
    for (int i = CAUSE_EXITED; i <= CAUSE_LOST; i++) {
        snprintf(label, sizeof label, "cause=\"%s\"", cause_names[i]);
        metric_sample(out, "reprise_attempts_finished_total", label,
                      (double)counter_read(&metrics->attempts_ended[i]));
    }
    metric_single(out, "reprise_attempts_void_total", "counter",
                  "Attempts that provably never started, and are started anew.",
                  (double)counter_read(&metrics->attempts_void));
    metric_single(out, "reprise_attempts_running", "gauge",
                  "Attempts in flight: execution slots that are held.",
                  (double)gauge_read(&metrics->attempts_live));
    metric_single(out, "reprise_tasks_waiting", "gauge",
                  "Tasks that are ready and wait for an execution slot.",
                  (double)gauge_read(&metrics->tasks_ready));
    metric_single(out, "reprise_supervisors_idle", "gauge",
                  "Supervisors that wait for the next attempt.",
                  (double)gauge_read(&metrics->supervisors_idle));
}

void metrics_print(const struct metrics *metrics, struct buf *out)
{
    print_work(metrics, out);
    print_attempts(metrics, out);
    metric_family(out, "reprise_commit_duration_seconds", "histogram",
                  "Time of one durable transaction of the pump.");
    metric_histogram(out, "reprise_commit_duration_seconds", "", &metrics->commit);
    metric_family(out, "reprise_commit_rows", "histogram", "Rows of one transaction of the pump.");
    metric_histogram(out, "reprise_commit_rows", "", &metrics->batch);
    metric_single(out, "reprise_commit_failures_total", "counter",
                  "Transactions of the pump that failed; their requests were answered 503.",
                  (double)counter_read(&metrics->commit_failures));
}
