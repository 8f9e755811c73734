/* diff: what differs between two attempts of a run: task runs, parameters, definition, durations. */
#include <assert.h>

#include "api/extras/diff_view.h"
#include "api/extras/extras.h"
#include "api/extras/git_view.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

/* ---- tables ---- */

struct diff_query {
    int64_t from; /* FIELD_NULL: the one before `to` */
    int64_t to;   /* FIELD_NULL: the newest */
};

static const struct field query_fields[] = {
    {.name = "from",
     .kind = FIELD_INT32,
     AT(diff_query, from),
     .max = INT32_MAX,
     .doc = "Key of an attempt of the run, 0: the original; when absent the one before `to`."},
    {.name = "to",
     .kind = FIELD_INT32,
     AT(diff_query, to),
     .max = INT32_MAX,
     .doc = "Key of an attempt of the run; when absent the newest."},
};
const struct schema run_diff_query_schema =
    SCHEMA("DiffJobRun", diff_query, query_fields, "Which two attempts of the run are compared.");

struct side_view {
    int64_t key;
    int status; /* enum state */
    const char *message;
    int64_t start_ms;
    int64_t end_ms;
    int64_t execution_ms;
    int64_t definition_version;
};

static const struct field side_fields[] = {
    {.name = "key",
     .kind = FIELD_INT32,
     AT(side_view, key),
     .doc = "Key of the attempt of the run; 0: the original."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(side_view, status),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "How it ended, or where it is."},
    {.name = "stateMessage", .kind = FIELD_STRING, AT(side_view, message), .doc = "Why."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     AT(side_view, start_ms),
     .doc = "When its first task started."},
    {.name = "endTime", .kind = FIELD_INT64, AT(side_view, end_ms), .doc = "When it ended."},
    {.name = "executionDuration",
     .kind = FIELD_INT64,
     AT(side_view, execution_ms),
     .doc = "How long it took."},
    {.name = "definitionVersion",
     .kind = FIELD_INT64,
     AT(side_view, definition_version),
     .doc = "Version of the job's definition that it used."},
};
static const struct schema side_schema =
    SCHEMA("DiffedAttempt", side_view, side_fields, "One of the two attempts of the run.");

struct task_side_view {
    const char *task_run_key;
    int status; /* enum state */
    const char *message;
    int64_t attempts;
    int64_t start_ms;
    int64_t end_ms;
    int64_t execution_ms;
};

static const struct field task_side_fields[] = {
    {.name = "taskRunKey",
     .kind = FIELD_STRING,
     AT(task_side_view, task_run_key),
     .doc = "Key of the task run."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(task_side_view, status),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "How it ended, or where it is."},
    {.name = "stateMessage", .kind = FIELD_STRING, AT(task_side_view, message), .doc = "Why."},
    {.name = "attempts",
     .kind = FIELD_INT32,
     AT(task_side_view, attempts),
     .doc = "How many of its attempts have started."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     AT(task_side_view, start_ms),
     .doc = "When its newest attempt started."},
    {.name = "endTime", .kind = FIELD_INT64, AT(task_side_view, end_ms), .doc = "When that ended."},
    {.name = "executionDuration",
     .kind = FIELD_INT64,
     AT(task_side_view, execution_ms),
     .doc = "How long that took."},
};
static const struct schema task_side_schema =
    SCHEMA("DiffedTaskRun", task_side_view, task_side_fields, "A task run of one of the two.");

struct task_diff_view {
    const char *task_key;
    struct task_side_view *from;
    struct task_side_view *to;
};

static const struct field task_diff_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(task_diff_view, task_key),
     .doc = "Key of a task that has not the same task run in both."},
    {.name = "from",
     .kind = FIELD_OBJECT,
     AT(task_diff_view, from),
     .object = &task_side_schema,
     .doc = "Its task run there; null when it has none."},
    {.name = "to",
     .kind = FIELD_OBJECT,
     AT(task_diff_view, to),
     .object = &task_side_schema,
     .doc = "Its task run there; null when it has none."},
};
static const struct schema task_diff_schema =
    SCHEMA("TaskRunDifference", task_diff_view, task_diff_fields, "A task that ran again.");

struct diff_view {
    struct side_view *from;
    struct side_view *to;
    struct field_list tasks; /* of struct task_diff_view */
    int64_t kept;
    struct field_list parameters; /* of struct param_change */
    struct def_diff_view *definition;
    struct field_list git; /* of git_change_schema */
};

static const struct field diff_fields[] = {
    {.name = "from",
     .kind = FIELD_OBJECT,
     AT(diff_view, from),
     .object = &side_schema,
     .doc = "The attempt that is compared with."},
    {.name = "to",
     .kind = FIELD_OBJECT,
     AT(diff_view, to),
     .object = &side_schema,
     .doc = "The attempt that is compared."},
    {.name = "tasks",
     .kind = FIELD_LIST,
     AT(diff_view, tasks),
     .object = &task_diff_schema,
     .doc = "Tasks whose task run is another one, in the order of the definition of `to`; then "
            "those that it has not."},
    {.name = "keptTasks",
     .kind = FIELD_INT32,
     AT(diff_view, kept),
     .doc = "How many tasks have the same task run in both."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(diff_view, parameters),
     .object = &param_change_schema,
     .doc = "Resolved parameters of the run that differ."},
    {.name = "definition",
     .kind = FIELD_OBJECT,
     AT(diff_view, definition),
     .object = &def_diff_schema,
     .doc = "What differs between the definitions of the two."},
    {.name = "gitCommits",
     .kind = FIELD_LIST,
     AT(diff_view, git),
     .object = &git_change_schema,
     .doc = "Branches whose files the two took from different commits."},
};
const struct schema job_run_difference_schema = SCHEMA(
    "JobRunDifference", diff_view, diff_fields, "What differs between two attempts of a run.");

/* ---- the two ---- */

struct side {
    const struct repair_row *row;
    struct job_def *def;             /* one reference */
    const struct task_run_row **map; /* by position in def */
};

static bool load_side(const struct run_source *source, int64_t number, struct side *ret)
{
    struct arena *arena = source->at->arena;
    *ret = (struct side){&source->image.repairs[number], run_source_def(source, number), NULL};
    if (!ret->def)
        return false;
    ret->map = ARENA_ARRAY(arena, ret->def->task_count, const struct task_run_row *);
    run_image_map(&source->image, ret->def, number, ret->map);
    return true;
}

static struct side_view side_view(const struct repair_row *row)
{
    assert(row);
    return (struct side_view){
        .key = row->number,
        .status = (int)row->state,
        .message = row->message,
        .start_ms = row->start_ms,
        .end_ms = row->end_ms,
        .execution_ms = row->execution_ms,
        .definition_version = row->definition_version,
    };
}

static const struct task_run_row *task_of(const struct side *side, const char *task_key)
{
    int64_t position = job_def_find(side->def, task_key);
    return position < 0 ? NULL : side->map[position];
}

static struct task_side_view *task_side(const struct run_source *source,
                                        const struct task_run_row *row)
{
    if (!row)
        return NULL;
    struct task_side_view *view = ARENA_NEW(source->at->arena, struct task_side_view);
    *view = (struct task_side_view){
        .task_run_key = run_source_key(source, row),
        .status = (int)row->state,
        .message = row->message,
        .attempts = row->attempts,
        .start_ms = row->start_ms,
        .end_ms = row->end_ms,
        .execution_ms = row->execution_ms,
    };
    return view;
}

static struct field_list task_diffs(const struct run_source *source, const struct side *from,
                                    const struct side *to, int64_t *ret_kept)
{
    size_t most = (size_t)from->def->task_count + to->def->task_count;
    struct task_diff_view *views = ARENA_ARRAY(source->at->arena, most, struct task_diff_view);
    size_t count = 0;
    *ret_kept = 0;
    for (uint32_t i = 0; i < to->def->task_count; i++) {
        const char *key = to->def->tasks[i].task_key;
        const struct task_run_row *old = task_of(from, key);
        if (old == to->map[i])
            *ret_kept += old != NULL;
        else
            views[count++] =
                (struct task_diff_view){key, task_side(source, old), task_side(source, to->map[i])};
    }
    for (uint32_t i = 0; i < from->def->task_count; i++) {
        const char *key = from->def->tasks[i].task_key;
        if (from->map[i] && job_def_find(to->def, key) < 0)
            views[count++] = (struct task_diff_view){key, task_side(source, from->map[i]), NULL};
    }
    return (struct field_list){views, count};
}

static void respond_diff(struct call *call, const struct run_source *source,
                         const struct side *from, const struct side *to)
{
    struct arena *arena = call->arena;
    struct side_view sides[] = {side_view(from->row), side_view(to->row)};
    const struct param_changes changes = params_diff(params_load(from->row->unified, arena),
                                                     params_load(to->row->unified, arena), arena);
    struct def_diff_view definition =
        def_diff_view(def_diff_make(from->def, to->def, arena), arena);
    const struct git_commits commits[] = {git_commits_load(from->row->commits, arena),
                                          git_commits_load(to->row->commits, arena)};
    struct diff_view view = {
        .from = &sides[0],
        .to = &sides[1],
        .parameters = {changes.items, changes.count},
        .definition = &definition,
        .git = git_changes(&commits[0], &commits[1], true, arena),
    };
    view.tasks = task_diffs(source, from, to, &view.kept);
    respond_json(call, 200);
    fields_print(&job_run_difference_schema, &view, &call->response->body);
}

/* ---- the call ---- */

/* Fills in what is absent; the numbers must be those of attempts of the run. */
static enum err_code choose_sides(const struct call *call, int64_t newest, int64_t *ret_from,
                                  int64_t *ret_to, struct err *err)
{
    const struct diff_query *query = call->filter;
    int64_t to = query->to == FIELD_NULL ? newest : query->to;
    int64_t from = query->from != FIELD_NULL ? query->from : to > 0 ? to - 1 : 0;
    if (from > newest || to > newest)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "%s must be the key of an attempt of this run, 0 to %lld",
                       from > newest ? "from" : "to", (long long)newest);
    *ret_from = from;
    *ret_to = to;
    return ERR_OK;
}

enum err_code run_diff_get(struct call *call)
{
    struct run_source source;
    struct side from = {0};
    struct side to = {0};
    struct uuid key;
    int64_t numbers[2] = {0};
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, NULL, &source))
        return call_missing(call, "Job run");
    enum err_code code = choose_sides(call, (int64_t)source.image.repair_count - 1, &numbers[0],
                                      &numbers[1], &call->err);
    if (!code && (!load_side(&source, numbers[0], &from) || !load_side(&source, numbers[1], &to)))
        code = call_missing(call, "Definition");
    if (!code)
        respond_diff(call, &source, &from, &to);
    job_def_unref(from.def);
    job_def_unref(to.def);
    run_source_release(&source);
    return code;
}
