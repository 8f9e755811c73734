/* explanation: why the run and each of its tasks are where they are, from recorded decisions. */
#include "api/extras/extras.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/map.h"
#include "base/timefmt.h"

enum { EVENTS_AT_ONCE = 1000, DECISIONS_MAX_BYTES = 16 << 20 };

struct explained {
    const char *task_key; /* not of the run */
    int status;           /* enum state */
    const char *reason;
    const char *decisions; /* JSON list */
    struct buf text;       /* of it, while it grows */
};

struct explanation_view {
    struct explained *run;
    struct field_list tasks; /* of struct explained */
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
     .doc = "Every task, in the order of the definition."},
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
        if (source->newest[i])
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

static struct explained explained_task(const struct run_source *source, uint32_t i)
{
    const struct task_run_row *row = source->newest[i];
    struct explained item = {
        .task_key = source->def->tasks[i].task_key,
        .status = FIELD_UNSET,
        .reason = source->image.run.message,
    };
    if (row) {
        item.status = (int)row->state;
        item.reason = row->state == STATE_BLOCKED ? waiting_message(source, row) : row->message;
    }
    buf_init(&item.text, DECISIONS_MAX_BYTES);
    return item;
}

enum err_code explanation_get(struct call *call)
{
    struct run_source source;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!run_source_load(&call->reading, &key, &source))
        return call_missing(call, "Job run");
    uint32_t count = source.def->task_count;
    struct explained *tasks = ARENA_ARRAY(call->arena, count, struct explained);
    struct explained run = {
        .status = (int)source.image.run.state,
        .reason = run_message(&call->reading, &source.image.run),
    };
    buf_init(&run.text, DECISIONS_MAX_BYTES);
    for (uint32_t i = 0; i < count; i++)
        tasks[i] = explained_task(&source, i);
    read_decisions(&source, &run, tasks);
    finish(&run, call->arena);
    for (uint32_t i = 0; i < count; i++)
        finish(&tasks[i], call->arena);
    const struct explanation_view view = {&run, {tasks, count}};
    respond_json(call, 200);
    fields_print(&explanation_schema, &view, &call->response->body);
    run_source_release(&source);
    return ERR_OK;
}
