/* explanation: why the run and each of its tasks are where they are, from recorded decisions. */
#include <string.h>

#include "api/extras/explain_attempts.h"
#include "api/extras/extras.h"
#include "api/extras/provenance.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/map.h"
#include "base/timefmt.h"

enum {
    EVENTS_AT_ONCE = 1000,
    DECISIONS_MAX_BYTES = 16 << 20,
    PARAMETERS_MAX = 100000, /* of all tasks together; then only those of tasks that are named */
    TASKS_NAMED_MAX = 100,
};

struct explanation_query {
    struct field_list task_keys; /* of const char * */
};

static const struct field query_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRINGS,
     AT(explanation_query, task_keys),
     .max = TASKS_NAMED_MAX,
     .doc = "Tasks to be explained; all of them when there is none."},
};
const struct schema explanation_query_schema =
    SCHEMA("ExplainJobRun", explanation_query, query_fields, "Which tasks are explained.");

struct explained {
    const char *task_key; /* not of the run */
    int status;           /* enum state */
    const char *reason;
    struct field_list parameters; /* of struct param_provenance */
    struct field_list references; /* of struct reference_use; not of the run */
    struct field_list attempts;   /* not of the run */
    const char *decisions;        /* JSON list */
    struct buf text;              /* of it, while it grows */
};

struct explanation_view {
    struct explained *run;
    struct field_list tasks; /* of struct explained */
    int8_t parameters_left_out;
};

#define EXPLAINED_ROWS                                                                            \
    {.name = "status",                                                                            \
     .kind = FIELD_ENUM,                                                                          \
     AT(explained, status),                                                                       \
     .names = state_names,                                                                        \
     .name_count = STATE_COUNT,                                                                   \
     .doc = "The present state; null for a task that the run never had a task run of."},          \
        {.name = "reason",                                                                        \
         .kind = FIELD_STRING,                                                                    \
         AT(explained, reason),                                                                   \
         .doc = "Why it is there, in one plain sentence."},                                       \
        {.name = "parameters",                                                                    \
         .kind = FIELD_LIST,                                                                      \
         AT(explained, parameters),                                                               \
         .object = &param_provenance_schema,                                                      \
         .doc = "Its resolved parameters, and where each came from."},                            \
    {                                                                                             \
        .name = "decisions", .kind = FIELD_RAW, AT(explained, decisions), .raw_kind = FIELD_LIST, \
        .doc = "The recorded grounds of its moves with their times, oldest first."                \
    }

static const struct field run_fields[] = {EXPLAINED_ROWS};
static const struct schema run_schema =
    SCHEMA("ExplainedRun", explained, run_fields, "Why a run is where it is.");

static const struct field task_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(explained, task_key),
     .doc = "Key of the task in the definition."},
    EXPLAINED_ROWS,
    {.name = "references",
     .kind = FIELD_LIST,
     AT(explained, references),
     .object = &reference_use_schema,
     .doc = "The references in its other texts, and what was put in."},
    {.name = "attempts",
     .kind = FIELD_LIST,
     AT(explained, attempts),
     .object = &explained_attempt_schema,
     .doc = "Its attempts that have started, the newest 10, and what each has cost; none of an "
            "IF_ELSE_TASK."},
};
static const struct schema task_schema_of_explanation =
    SCHEMA("ExplainedTask", explained, task_fields, "Why a task is where it is.");

static const struct field explanation_fields[] = {
    {.name = "run",
     .kind = FIELD_OBJECT,
     AT(explanation_view, run),
     .object = &run_schema,
     .doc = "The run itself."},
    {.name = "tasks",
     .kind = FIELD_LIST,
     AT(explanation_view, tasks),
     .object = &task_schema_of_explanation,
     .doc = "Every task, or those that were asked for, in the order of the definition."},
    {.name = "areParametersLeftOut",
     .kind = FIELD_BOOL,
     AT(explanation_view, parameters_left_out),
     .doc = "Whether there are too many parameters of tasks for one answer: some lists are empty "
            "then; ask by taskKey."},
};
const struct schema explanation_schema =
    SCHEMA("Explanation", explanation_view, explanation_fields,
           "Why a run and each of its tasks are where they are.");

/* A decision is an object of its own; its time goes before what it says. */
static void add_decision(struct explained *item, const struct event_row *event)
{
    char time[TIMEFMT_TEXT];
    if (!event->decision || event->decision[0] != '{')
        return;
    buf_puts(&item->text, item->text.len ? "," : "[");
    BUF_LIT(&item->text, "{\"time\":\"");
    buf_puts(&item->text, timefmt_rfc3339(event->time_ms, time));
    buf_puts(&item->text, event->decision[1] == '}' ? "\"" : "\",");
    buf_puts(&item->text, event->decision + 1);
}

static void finish(struct explained *item, struct arena *arena)
{
    item->decisions = "[]";
    if (item->text.len) {
        buf_putc(&item->text, ']');
        item->decisions = arena_memdup(arena, item->text.data, item->text.len);
    }
    buf_release(&item->text);
}

/* Every event of the run goes to the run or to the task run that it is about. */
static void read_decisions(const struct run_source *source, struct explained *run,
                           struct explained *tasks)
{
    const struct reading *at = source->at;
    struct uuid_map items;
    struct event_row *events;
    int64_t after = 0;
    size_t count;
    uuid_map_init(&items);
    for (uint32_t i = 0; i < source->def->task_count; i++)
        if (source->newest[i] && tasks[i].task_key)
            uuid_map_put(&items, &source->newest[i]->key, &tasks[i]);
    do {
        count = at->api->backend.reads.run_events(at->reader, at->workspace->id,
                                                  &source->image.run.key, after, EVENTS_AT_ONCE,
                                                  at->arena, &events);
        for (size_t i = 0; i < count; i++) {
            bool about_run = uuid_is_nil(&events[i].task_run);
            struct explained *item = about_run ? run : uuid_map_get(&items, &events[i].task_run);
            if (item)
                add_decision(item, &events[i]);
            after = events[i].number;
        }
    } while (count == EVENTS_AT_ONCE);
    uuid_map_release(&items);
}

static struct explained explained_task(const struct run_source *source, uint32_t i,
                                       struct arena *arena)
{
    const struct task_run_row *row = source->newest[i];
    struct explained item = {
        .task_key = source->def->tasks[i].task_key,
        .status = FIELD_UNSET,
        .reason = source->image.run.message,
    };
    if (row) {
        item.status = (int)row->state;
        item.reason = task_message(source, row);
        item.attempts = explained_attempts(source, row, arena);
    }
    buf_init(&item.text, DECISIONS_MAX_BYTES);
    return item;
}

static bool is_wanted(const struct explanation_query *query, const char *task_key)
{
    const char *const *keys = query->task_keys.items;
    for (size_t i = 0; i < query->task_keys.count; i++)
        if (strcmp(keys[i], task_key) == 0)
            return true;
    return query->task_keys.count == 0;
}

/* True when some were left out. */
static bool add_parameters(struct run_provenance *provenance, bool are_named,
                           struct explained *tasks)
{
    const struct run_source *source = provenance->source;
    bool left_out = false;
    for (uint32_t i = 0; i < source->def->task_count; i++) {
        if (!tasks[i].task_key || !source->newest[i])
            continue;
        if (!are_named && provenance->items >= PARAMETERS_MAX)
            left_out = true;
        else
            tasks[i].parameters =
                run_provenance_of_task(provenance, source->newest[i], &tasks[i].references);
    }
    return left_out;
}

static void respond_explanation(struct call *call, const struct run_source *source)
{
    const struct explanation_query *query = call->filter;
    uint32_t count = source->def->task_count;
    struct explained *tasks = ARENA_ARRAY(call->arena, count, struct explained);
    struct explained run = {
        .status = (int)source->image.run.state,
        .reason = run_message(&call->reading, &source->image.run),
    };
    struct run_provenance provenance;
    run_provenance_init(&provenance, source);
    buf_init(&run.text, DECISIONS_MAX_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        if (is_wanted(query, source->def->tasks[i].task_key))
            tasks[i] = explained_task(source, i, call->arena);
    }
    read_decisions(source, &run, tasks);
    run.parameters = run_provenance_of_run(&provenance);
    finish(&run, call->arena);
    bool left_out = add_parameters(&provenance, query->task_keys.count > 0, tasks);
    size_t shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!tasks[i].task_key)
            continue; /* nobody asked for it */
        finish(&tasks[i], call->arena);
        tasks[shown++] = tasks[i];
    }
    const struct explanation_view view = {&run, {tasks, shown}, left_out};
    respond_json(call, 200);
    fields_print(&explanation_schema, &view, &call->response->body);
    run_provenance_release(&provenance);
}

enum err_code explanation_get(struct call *call)
{
    struct run_source source;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, NULL, &source))
        return call_missing(call, "Job run");
    respond_explanation(call, &source);
    run_source_release(&source);
    return ERR_OK;
}
