/*
 * Fills the database of a server that is not running with finished runs, through the store.
 *
 *     fill DATABASE JOB-KEY[,JOB-KEY]… RUNS [SEED]
 *
 * The jobs exist, made through the API, so that their definitions are real ones; their tasks are
 * read from there. The runs go to the jobs in turn, a minute apart, the last one a minute ago. Each
 * has the rows that the engine would have left: run, original attempt, task runs, attempts, events
 * with reasons. Of each job, every tenth has failed at its last task. A database that is filled more
 * than once needs another seed each time: keys are made from it.
 *
 *     {"runs":…,"rows":…,"seconds":…}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "bench.h"
#include "store/store.h"

enum { BATCH_RUNS = 500, MINUTE_MS = 60000, TASK_MS = 4000 };

struct filled_job {
    struct job_row row;
    const char **task_keys;
    int64_t task_count;
};

struct fill {
    struct store *store;
    struct workspace_row workspace;
    struct filled_job *jobs;
    size_t job_count;
    struct uuid_source keys;
    struct arena kept;  /* of the jobs */
    struct arena arena; /* of one batch */
    struct row_batch batch;
    int64_t now_ms;
    int64_t rows;
};

static void add(struct fill *fill, enum row_kind kind, const void *row)
{
    row_batch_add_copy(&fill->batch, &fill->arena, kind, ROW_INSERT, row);
    fill->rows++;
}

static void flush(struct fill *fill)
{
    struct store_commit commit = {.workspace = &fill->workspace, .rows = &fill->batch};
    if (store_commit(fill->store, &commit) != STORE_OK)
        bench_die("a commit failed");
    row_batch_clear(&fill->batch);
    arena_clear(&fill->arena);
}

static void add_event(struct fill *fill, const struct run_row *run, const struct uuid *task_run,
                      enum state from, enum state to, const char *reason)
{
    static const struct uuid no_task;
    /* Those of a task run are made one behind the other. */
    int64_t previous = task_run && from != STATE_NEW ? fill->workspace.last_event : FIELD_NULL;
    const struct event_row event = {
        .workspace = run->workspace,
        .run = run->key,
        .number = ++fill->workspace.last_event,
        .time_ms = fill->now_ms,
        .task_run = task_run ? *task_run : no_task,
        .attempt = FIELD_NULL,
        .previous = previous,
        .type = task_run ? EVENT_TASK_STATE : EVENT_RUN_STATE,
        .from = from,
        .to = to,
        .reason = reason,
    };
    add(fill, ROW_EVENT, &event);
}

static void add_attempt(struct fill *fill, const struct task_run_row *task_run)
{
    bool failed = task_run->state == STATE_FAILED;
    const struct attempt_row attempt = {
        .workspace = task_run->workspace,
        .run = task_run->run,
        .task_run = task_run->key,
        .epoch = fill->workspace.epoch,
        .host = "bench",
        .created_ms = task_run->start_ms,
        .state = task_run->state,
        .message = task_run->message,
        .error_trace = task_run->error_trace,
        .cause = CAUSE_EXITED,
        .budget = failed ? BUDGET_RETRIES : BUDGET_NONE,
        .exit_code = failed ? 1 : 0,
        .signal = FIELD_NULL,
        .setup_start_ms = task_run->start_ms,
        .start_ms = task_run->start_ms,
        .end_ms = task_run->end_ms,
        .execution_ms = TASK_MS,
        .user_us = 21000,
        .system_us = 9000,
        .max_rss_kib = 11000,
    };
    add(fill, ROW_ATTEMPT, &attempt);
}

static void add_task_run(struct fill *fill, const struct run_row *run, const struct filled_job *job,
                         int64_t position)
{
    bool failed = run->state == STATE_FAILED && position == job->task_count - 1;
    int64_t start_ms = run->start_ms + position * TASK_MS;
    enum state state = failed ? STATE_FAILED : STATE_SUCCESS;
    struct uuid key = uuid_next(&fill->keys, fill->now_ms);
    struct task_run_row task_run = {
        .workspace = run->workspace,
        .key = key,
        .run = run->key,
        .position = position,
        .task_key = job->task_keys[position],
        .definition_version = run->definition_version,
        .created_ms = run->created_ms,
        .state = state,
        .message = failed ? "Exited with code 1" : "Succeeded",
        .error_trace = failed ? "Traceback (most recent call last):\nValueError: no rows" : NULL,
        .error_code = failed ? "1" : "",
        .parameters = "[]",
        .outcome = FIELD_UNSET,
        .attempts = 1,
        .start_ms = start_ms,
        .end_ms = start_ms + TASK_MS,
        .setup_start_ms = start_ms,
        .execution_ms = TASK_MS,
        .retry_at_ms = FIELD_NULL,
        .last_event = fill->workspace.last_event + 4,
    };
    add(fill, ROW_TASK_RUN, &task_run);
    add_event(fill, run, &key, STATE_NEW, STATE_BLOCKED, "Waits for its dependencies");
    add_event(fill, run, &key, STATE_BLOCKED, STATE_PENDING, "All dependencies succeeded");
    add_event(fill, run, &key, STATE_PENDING, STATE_RUNNING, "Attempt 0 started");
    add_event(fill, run, &key, STATE_RUNNING, state, task_run.message);
    add_attempt(fill, &task_run);
}

static void add_repair(struct fill *fill, const struct run_row *run)
{
    const struct repair_row original = {
        .workspace = run->workspace,
        .run = run->key,
        .operation = uuid_next(&fill->keys, fill->now_ms),
        .definition_version = run->definition_version,
        .mode = FIELD_UNSET,
        .parameters = "[]",
        .plan = "[]",
        .created_by = run->created_by,
        .created_by_name = run->created_by_name,
        .requested_ms = run->created_ms,
        .state = run->state,
        .unified = "[]",
        .message = run->message,
        .error_trace = run->error_trace,
        .slot_ms = run->start_ms,
        .start_ms = run->start_ms,
        .end_ms = run->end_ms,
        .execution_ms = run->end_ms - run->start_ms,
    };
    add(fill, ROW_REPAIR, &original);
}

static void add_run(struct fill *fill, const struct filled_job *job, int64_t created_ms)
{
    fill->now_ms = created_ms;
    bool failed = fill->workspace.last_run_number / (int64_t)fill->job_count % 10 == 9;
    struct uuid key = uuid_next(&fill->keys, created_ms);
    const struct run_row run = {
        .workspace = fill->workspace.id,
        .key = key,
        .number = ++fill->workspace.last_run_number,
        .job = job->row.key,
        .job_name = job->row.name,
        .definition_version = job->row.version,
        .launched = LAUNCHED_MANUAL,
        .trigger = TRIGGER_ONE_TIME,
        .instance_type = INSTANCE_MANUAL,
        .plan_ms = created_ms,
        .submit_ms = created_ms,
        .original_attempt_run = key,
        .root_run = key,
        .created_by = job->row.created_by,
        .created_by_name = job->row.created_by_name,
        .parameters = "[]",
        .queue = "null",
        .schedule = "null",
        .queue_enabled = FIELD_UNSET,
        .max_concurrent_runs = 1,
        .created_ms = created_ms,
        .version = 1,
        .state = failed ? STATE_FAILED : STATE_SUCCESS,
        .ending = STATE_NEW,
        .message = failed ? "1 of the run's tasks failed" : "All tasks succeeded",
        .error_trace = failed ? "Traceback (most recent call last):\nValueError: no rows" : NULL,
        .queued_ms = FIELD_NULL,
        .start_ms = created_ms + 5,
        .attempt_start_ms = created_ms + 5,
        .end_ms = created_ms + 5 + job->task_count * TASK_MS,
        .updated_ms = created_ms + 5 + job->task_count * TASK_MS,
        .last_event = fill->workspace.last_event + 3 + 4 * job->task_count,
    };
    add(fill, ROW_RUN, &run);
    add_repair(fill, &run);
    add_event(fill, &run, NULL, STATE_NEW, STATE_PENDING, "Waiting for the first task to start");
    add_event(fill, &run, NULL, STATE_PENDING, STATE_RUNNING, "The first task started");
    for (int64_t i = 0; i < job->task_count; i++)
        add_task_run(fill, &run, job, i);
    add_event(fill, &run, NULL, STATE_RUNNING, run.state, run.message);
}

/* ---- what is there ---- */

static void read_tasks(struct fill *fill, struct filled_job *job, const char *definition)
{
    struct err err;
    json_t *json = json_parse(definition, strlen(definition), &err);
    json_t *tasks = json_object_get(json, "tasks");
    job->task_count = (int64_t)json_array_size(tasks);
    if (!job->task_count)
        bench_die("a job has no tasks");
    job->task_keys = ARENA_ARRAY(&fill->kept, (size_t)job->task_count, const char *);
    for (int64_t i = 0; i < job->task_count; i++) {
        json_t *task = json_array_get(tasks, (size_t)i);
        job->task_keys[i] =
            arena_strdup(&fill->kept, json_string_value(json_object_get(task, "taskKey")));
    }
    json_decref(json);
}

static void read_jobs(struct fill *fill, char *keys)
{
    size_t cap = 0;
    char *save;
    struct store_reader *reader = store_reader_open(fill->store);
    store_read_begin(reader);
    for (char *text = strtok_r(keys, ",", &save); text; text = strtok_r(NULL, ",", &save)) {
        struct uuid key;
        struct job_version_row version;
        GROW(fill->jobs, fill->job_count, cap);
        struct filled_job *job = &fill->jobs[fill->job_count++];
        if (!uuid_parse(text, &key) ||
            !store_get_job(reader, fill->workspace.id, &key, &fill->kept, &job->row) ||
            !store_get_job_version(reader, fill->workspace.id, &key, 0, &fill->kept, &version))
            bench_die("no job %s", text);
        read_tasks(fill, job, version.definition);
    }
    store_read_end(reader);
    store_reader_close(reader);
}

static void fill_open(struct fill *fill, const char *path)
{
    struct err err;
    struct workspace_row *rows;
    *fill = (struct fill){.store = store_open_sqlite(path, &err)};
    arena_init(&fill->kept);
    arena_init(&fill->arena);
    row_batch_init(&fill->batch);
    if (!fill->store)
        bench_die("%s", err.message);
    size_t count;
    if (!store_workspaces(fill->store, &fill->kept, &rows, &count) || count != 1)
        bench_die("a database with one workspace is needed");
    fill->workspace = rows[0];
    if (store_take_over(fill->store, rows[0].id, 0, &fill->workspace) != STORE_OK)
        bench_die("the workspace cannot be taken over");
}

static void fill_close(struct fill *fill)
{
    store_close(fill->store);
    row_batch_release(&fill->batch);
    arena_release(&fill->arena);
    arena_release(&fill->kept);
    free(fill->jobs);
}

int main(int argc, char **argv)
{
    struct fill fill;
    if (argc != 4 && argc != 5)
        bench_die("usage: DATABASE JOB-KEY[,JOB-KEY]… RUNS [SEED]");
    int64_t runs = bench_number("RUNS", argv[3]);
    fill_open(&fill, argv[1]);
    read_jobs(&fill, argv[2]);
    int64_t first_ms = (int64_t)time(NULL) * 1000 - (runs + 1) * MINUTE_MS;
    uuid_source_init(&fill.keys, 0, argc == 5 ? (uint64_t)bench_number("SEED", argv[4]) : 7);
    double began = bench_now();
    for (int64_t i = 0; i < runs; i++) {
        add_run(&fill, &fill.jobs[(size_t)i % fill.job_count], first_ms + i * MINUTE_MS);
        if (i % BATCH_RUNS == BATCH_RUNS - 1 || i == runs - 1)
            flush(&fill);
    }
    printf("{\"runs\":%lld,\"rows\":%lld,\"seconds\":%.3f}\n", (long long)runs,
           (long long)fill.rows, bench_now() - began);
    fill_close(&fill);
    return 0;
}
