/* Events of a run: every move and its reason, in one sequence. */
#include "api/extras/extras.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct event_query {
    int64_t after;
    int64_t limit;
};

static const struct field query_fields[] = {
    {.name = "after",
     .kind = FIELD_INT64,
     .flags = FIELD_DEFAULT,
     AT(event_query, after),
     .max = INT64_MAX,
     .doc = "Id of an event: the list begins with the next one."},
    {.name = "limit",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(event_query, limit),
     .min = 1,
     .max = API_PAGE_MAX_LIMIT,
     .fallback = API_PAGE_LIMIT,
     .doc = "Most events of an answer; a full one may not be the last."},
};
const struct schema event_list_query_schema =
    SCHEMA("ListEvents", event_query, query_fields, "Which part of the events.");

struct event_view {
    int64_t id;
    int64_t time_ms;
    const char *task_key;
    const char *task_run_key;
    int64_t repair_key;
    int64_t attempt;
    int type; /* enum event_type */
    int from; /* enum state */
    int to;
    const char *reason;
    const char *decision; /* JSON */
};

static const struct field event_fields[] = {
    {.name = "id",
     .kind = FIELD_INT64,
     AT(event_view, id),
     .doc = "Number of the event; ids ascend over the whole workspace."},
    {.name = "time", .kind = FIELD_TIME, AT(event_view, time_ms), .doc = "When it happened."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(event_view, task_key),
     .doc = "The task that it is about; null: the run."},
    {.name = "taskRunKey",
     .kind = FIELD_STRING,
     AT(event_view, task_run_key),
     .doc = "The task run that it is about; null: the run."},
    {.name = "repairKey",
     .kind = FIELD_INT32,
     AT(event_view, repair_key),
     .doc = "Number of the repair during which it happened; 0 is the original."},
    {.name = "attempt",
     .kind = FIELD_INT32,
     AT(event_view, attempt),
     .doc = "Number of the attempt that it is about."},
    {.name = "type",
     .kind = FIELD_ENUM,
     AT(event_view, type),
     .names = event_type_names,
     .name_count = EVENT_TYPE_COUNT,
     .doc = "What kind of event it is."},
    {.name = "from",
     .kind = FIELD_ENUM,
     AT(event_view, from),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "The state before; null at the first."},
    {.name = "to",
     .kind = FIELD_ENUM,
     AT(event_view, to),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "The state after."},
    {.name = "reason",
     .kind = FIELD_STRING,
     AT(event_view, reason),
     .doc = "Why, in one plain sentence."},
    {.name = "decision",
     .kind = FIELD_RAW,
     .raw_kind = FIELD_OBJECT,
     AT(event_view, decision),
     .doc = "The recorded grounds, where there was something to decide."},
};
const struct schema run_event_schema =
    SCHEMA("RunEvent", event_view, event_fields, "A move of a run or of one of its tasks.");

enum err_code event_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    const struct event_query *query = call->filter;
    int64_t version, last_event, updated_ms;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!reads->get_run_etag(call->reading.reader, call->workspace.id, &key, &version, &last_event,
                             &updated_ms))
        return call_missing(call, "Job run");
    struct event_row *events;
    size_t count = reads->run_events(call->reading.reader, call->workspace.id, &key, query->after,
                                     (size_t)query->limit, call->arena, &events);
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++) {
        const struct event_view view = {
            .id = events[i].number,
            .time_ms = events[i].time_ms,
            .task_key = events[i].task_key,
            .task_run_key = key_text(&events[i].task_run, call->arena),
            .repair_key = events[i].repair_number,
            .attempt = events[i].attempt,
            .type = events[i].type,
            .from = (int)events[i].from,
            .to = (int)events[i].to,
            .reason = events[i].reason,
            .decision = events[i].decision,
        };
        respond_item(call, i, &run_event_schema, &view);
    }
    respond_items_end(call);
    return ERR_OK;
}
