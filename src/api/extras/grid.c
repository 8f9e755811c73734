/*
 * A job's tasks against its runs: the states of a page of runs as one letter a task, for a grid of
 * 1,000 × 100 in one answer of some hundred kilobytes.
 *
 * The rows are the tasks of the job's present definition, or one that is named; a task that a run had and the
 * definition has not is not shown. `after` keeps a grid current at little cost: a run without an event behind
 * that number keeps its letters, and they are not read.
 */
#include <string.h>

#include "api/extras/extras.h"
#include "api/oracle/run_source.h"
#include "api/oracle/run_view.h"
#include "api/oracle/tables.h"
#include "api/oracle/views.h"
#include "api/page.h"
#include "api/respond.h"

enum { GRID_MAX_RUNS = 100 };

static const char no_letter = '-';
static const char letters[STATE_COUNT] = {
    [STATE_BLOCKED] = 'B',
    [STATE_CANCELED] = 'C',
    [STATE_CANCELING] = 'c',
    [STATE_EXCLUDED] = 'X',
    [STATE_FAILED] = 'F',
    [STATE_INTERNAL_ERROR] = 'I',
    [STATE_PAUSED_MAINTENANCE] = 'M',
    [STATE_PENDING] = 'P',
    [STATE_QUEUED] = 'Q',
    [STATE_RUNNING] = 'R',
    [STATE_SKIPPED] = 'K',
    [STATE_SUCCESS] = 'S',
    [STATE_TIMED_OUT] = 'T',
    [STATE_UPSTREAM_CANCELED] = 'V',
    [STATE_UPSTREAM_FAILED] = 'U',
};

/* ---- what is asked for ---- */

struct grid_query {
    struct list_query list;
    const char *task_key;
    int64_t after;
};

static const struct field query_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(grid_query, task_key),
     .min = 1,
     .doc = "Only this task, with its start and end in each run; one that the definition no longer "
            "has is shown as well."},
    {.name = "after",
     .kind = FIELD_INT64,
     .flags = FIELD_HIDDEN,
     AT(grid_query, after),
     .max = INT64_MAX,
     .doc = "lastEvent of an answer before: runs in which nothing has happened since have `states` "
            "null and are as they were."},
    LIST_PAGE_ROWS(grid_query, GRID_MAX_RUNS, GRID_MAX_RUNS),
};
const struct schema grid_query_schema =
    SCHEMA("GetJobGrid", grid_query, query_fields, "Which part of the grid.");

enum err_code grid_parse(struct call *call)
{
    struct grid_query *query = call->filter;
    query->list.sort_by = SORT_TIME_CREATED;
    query->list.sort_order = FIELD_UNSET; /* newest first */
    return list_query_open(call, &query->list);
}

/* ---- how it looks ---- */

struct grid_run_view {
    struct job_run_summary_view run;
    int status;      /* enum state */
    int64_t plan_ms; /* FIELD_NULL: of no schedule */
    const char *states;
    int64_t task_start_ms;
    int64_t task_end_ms;
};

struct grid_view {
    const char *job_key;
    int64_t version;
    int64_t last_event;
    struct field_list letters;   /* of struct field_pair */
    struct field_list task_keys; /* of const char * */
    struct field_list runs;      /* of struct grid_run_view */
};

static const struct field run_fields[] = {
    {.name = "key", .kind = FIELD_STRING, AT(grid_run_view, run.key), .doc = "Key of the run."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(grid_run_view, status),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "The run's state."},
    {.name = "launched",
     .kind = FIELD_ENUM,
     AT(grid_run_view, run.launched),
     NAMES(launched_names),
     .doc = "SCHEDULED when a schedule fired it, else MANUAL."},
    {.name = "createdByName",
     .kind = FIELD_STRING,
     AT(grid_run_view, run.created_by_name),
     .doc = "Name of the user that made the run."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(grid_run_view, run.created_ms),
     .doc = "When the run was made."},
    {.name = "plannedTime",
     .kind = FIELD_TIME,
     .flags = FIELD_SPARSE,
     AT(grid_run_view, plan_ms),
     .doc = "The time of the schedule that the run stands for, if it stands for one."},
    {.name = "timeUpdated",
     .kind = FIELD_TIME,
     AT(grid_run_view, run.updated_ms),
     .doc = "When the run or one of its task runs last changed."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     AT(grid_run_view, run.start_ms),
     .doc = "When the run was first RUNNING, in epoch milliseconds."},
    {.name = "attemptStartTime",
     .kind = FIELD_INT64,
     AT(grid_run_view, run.attempt_start_ms),
     .doc = "When its newest attempt was first RUNNING, likewise."},
    {.name = "endTime",
     .kind = FIELD_INT64,
     AT(grid_run_view, run.end_ms),
     .doc = "When its newest attempt ended, in epoch milliseconds; null while it is active."},
    {.name = "executionDuration",
     .kind = FIELD_INT64,
     AT(grid_run_view, run.execution_ms),
     .doc = "Milliseconds its newest attempt took, without set-up and clean-up."},
    {.name = "states",
     .kind = FIELD_STRING,
     AT(grid_run_view, states),
     .doc = "A letter for each of taskKeys, as `letters` says; - where the run has no such task. "
            "Null: nothing has happened since `after`."},
    {.name = "taskStartTime",
     .kind = FIELD_INT64,
     .flags = FIELD_SPARSE,
     AT(grid_run_view, task_start_ms),
     .doc = "With taskKey: when that task started, in epoch milliseconds."},
    {.name = "taskEndTime",
     .kind = FIELD_INT64,
     .flags = FIELD_SPARSE,
     AT(grid_run_view, task_end_ms),
     .doc = "With taskKey: when it ended, in epoch milliseconds."},
};
static const struct schema grid_run_schema =
    SCHEMA("JobGridRun", grid_run_view, run_fields, "A run as a column of a grid.");

static const struct field grid_fields[] = {
    {.name = "jobKey", .kind = FIELD_STRING, AT(grid_view, job_key), .doc = "Key of the job."},
    {.name = "definitionVersion",
     .kind = FIELD_INT64,
     AT(grid_view, version),
     .doc = "Version of the job's definition, whose tasks these are."},
    {.name = "lastEvent",
     .kind = FIELD_INT64,
     AT(grid_view, last_event),
     .doc = "Id of the newest event that the answer knows of: what `after` takes."},
    {.name = "letters",
     .kind = FIELD_MAP,
     AT(grid_view, letters),
     .doc = "What each letter of `states` stands for."},
    {.name = "taskKeys",
     .kind = FIELD_STRINGS,
     AT(grid_view, task_keys),
     .doc = "The tasks, in the order of the definition."},
    {.name = "runs",
     .kind = FIELD_LIST,
     AT(grid_view, runs),
     .object = &grid_run_schema,
     .doc = "The runs, newest first."},
};
const struct schema grid_schema =
    SCHEMA("JobGrid", grid_view, grid_fields, "A job's tasks against its runs.");

static struct field_list letter_pairs(struct arena *arena)
{
    struct field_pair *pairs = ARENA_ARRAY(arena, STATE_COUNT, struct field_pair);
    for (int state = 0; state < STATE_COUNT; state++)
        pairs[state] =
            (struct field_pair){arena_printf(arena, "%c", letters[state]), state_names[state]};
    return (struct field_list){pairs, STATE_COUNT};
}

/* ---- the letters of a run ---- */

/* What the rows are: the tasks of a definition, or the one that is named. */
struct grid_rows {
    const struct job_def *def;
    const char *only; /* or NULL */
    size_t count;
};

/* -1: not shown. Task runs come in the order of the definition nearly always: `guess` spares the search. */
static int64_t row_of(const struct grid_rows *rows, const char *task_key, size_t guess)
{
    if (rows->only)
        return strcmp(rows->only, task_key) == 0 ? 0 : -1;
    if (guess < rows->count && strcmp(rows->def->tasks[guess].task_key, task_key) == 0)
        return (int64_t)guess;
    return job_def_find(rows->def, task_key);
}

static void put_task(struct grid_run_view *view, const struct grid_rows *rows, char *states,
                     const struct task_state *task, size_t guess)
{
    int64_t row = row_of(rows, task->task_key, guess);
    if (row < 0)
        return;
    states[row] = letters[task->state];
    if (!rows->only)
        return;
    view->task_start_ms = task->start_ms;
    view->task_end_ms = task->end_ms;
}

/* Of a repaired run the map of its newest attempt is made as everywhere else; without repairs a run has its
 * task runs and no others. */
static enum err_code read_letters(struct call *call, const struct run_row *run,
                                  const struct grid_rows *rows, struct grid_run_view *view)
{
    const struct api_reads *reads = &call->backend->reads;
    char *states = arena_alloc(call->arena, rows->count + 1);
    memset(states, no_letter, rows->count);
    states[rows->count] = '\0';
    view->states = states;
    if (!run->repair_number) {
        struct task_state *tasks;
        size_t count = reads->task_states(call->reading.reader, run->workspace, &run->key,
                                          call->arena, &tasks);
        for (size_t i = 0; i < count; i++)
            put_task(view, rows, states, &tasks[i], i);
        return reads->failed(call->reading.reader) ? call_missing(call, "Job run") : ERR_OK;
    }
    struct run_source source;
    if (!run_source_load(&call->reading, &run->key, NULL, &source))
        return call_missing(call, "Job run");
    for (uint32_t i = 0; i < source.def->task_count; i++) {
        const struct task_run_row *row = source.newest[i];
        if (!row)
            continue;
        const struct task_state task = {
            row->task_key, row->repair_number, row->state, row->start_ms, row->end_ms,
        };
        put_task(view, rows, states, &task, i);
    }
    run_source_release(&source);
    return ERR_OK;
}

/* Did nothing happen in the run since the answer that the caller has? */
static bool is_as_before(struct call *call, const struct run_row *run, int64_t after)
{
    int64_t version, last_event, updated_ms;
    return after != FIELD_NULL &&
           call->backend->reads.get_run_etag(call->reading.reader, run->workspace, &run->key,
                                             &version, &last_event, &updated_ms) &&
           last_event <= after;
}

static enum err_code read_runs(struct call *call, const struct run_list *list,
                               const struct grid_rows *rows, struct field_list *ret)
{
    const struct grid_query *query = call->filter;
    struct grid_run_view *views = ARENA_ARRAY(call->arena, list->count, struct grid_run_view);
    int no_places = 0; /* in line: no message is shown */
    for (size_t i = 0; i < list->count; i++) {
        const struct run_row *run = &list->items[i];
        views[i] = (struct grid_run_view){
            .run = job_run_summary_view(&call->reading, run, &no_places),
            .status = (int)run->state,
            .plan_ms = run_is_planned(run) ? run->plan_ms : FIELD_NULL,
            .task_start_ms = FIELD_NULL,
            .task_end_ms = FIELD_NULL,
        };
        if (!is_as_before(call, run, query->after) && read_letters(call, run, rows, &views[i]))
            return call->err.code;
    }
    *ret = (struct field_list){views, list->count};
    return ERR_OK;
}

/* ---- the call ---- */

static enum err_code respond_grid(struct call *call, const struct job_row *job,
                                  const struct job_def *def)
{
    const struct api_reads *reads = &call->backend->reads;
    const struct grid_query *query = call->filter;
    const struct grid_rows rows = {def, query->task_key, query->task_key ? 1 : def->task_count};
    const char **keys = ARENA_ARRAY(call->arena, rows.count, const char *);
    const struct run_filter filter = {
        .jobs = &job->key,
        .job_count = 1,
        .created_from_ms = FIELD_NULL,
        .created_to_ms = FIELD_NULL,
    };
    struct run_list list;
    for (size_t i = 0; i < rows.count; i++)
        keys[i] = query->task_key ? query->task_key : def->tasks[i].task_key;
    struct grid_view view = {
        .job_key = key_text(&job->key, call->arena),
        .version = job->version,
        .last_event = reads->newest_event(call->reading.reader, job->workspace),
        .letters = letter_pairs(call->arena),
        .task_keys = {keys, rows.count},
    };
    reads->list_runs(call->reading.reader, job->workspace, &filter, &query->list.order,
                     &query->list.cursor, call->arena, &list);
    if (read_runs(call, &list, &rows, &view.runs))
        return call->err.code;
    fields_print(&grid_schema, &view, &call->response->body);
    respond_json(call, 200);
    if (list.more)
        respond_next_cursor(call, &list.next);
    return ERR_OK;
}

enum err_code grid_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct job_row job;
    struct uuid key;
    if (call_key(call, 0, "Job", &key))
        return call->err.code;
    if (!backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                &job) ||
        job.deleted_ms != FIELD_NULL)
        return call_missing(call, "Job");
    struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &key, job.version);
    if (!def)
        return call_missing(call, "The definition of a job");
    enum err_code code = respond_grid(call, &job, def);
    job_def_unref(def);
    return code;
}
