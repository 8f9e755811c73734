/* Events: every move of runs and tasks and its reason, in one sequence; as lists. */
#include "api/extras/events.h"

#include "api/extras/extras.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/page.h"
#include "api/respond.h"

/* ---- what is asked for ---- */

#define AFTER_ROW(type)                                                                \
    {                                                                                  \
        .name = "after", .kind = FIELD_INT64, .flags = FIELD_DEFAULT, AT(type, after), \
        .max = INT64_MAX,                                                              \
        .doc = "Id of an event: what is answered begins with the next "                \
               "one. Of a stream the header Last-Event-ID outranks it."                \
    }
#define ONLY_NEW_ROW(type)                                                                 \
    {                                                                                      \
        .name = "onlyNew", .kind = FIELD_BOOL, .flags = FIELD_DEFAULT, AT(type, only_new), \
        .doc = "Whether to begin with what happens from now on, in place of after."        \
    }

static const struct field query_fields[] = {
    AFTER_ROW(event_query),
    ONLY_NEW_ROW(event_query),
    LIST_PAGE_ROWS(event_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
};
const struct schema event_list_query_schema =
    SCHEMA("ListEvents", event_query, query_fields, "Which part of the events.");

static const struct field workspace_query_fields[] = {
    AFTER_ROW(event_query),
    ONLY_NEW_ROW(event_query),
    {.name = "jobKey",
     .kind = FIELD_STRING,
     AT(event_query, job_key),
     .doc = "Only events of runs of this job."},
    {.name = "jobRunKey",
     .kind = FIELD_STRING,
     AT(event_query, run_key),
     .doc = "Only events of this run."},
    LIST_PAGE_ROWS(event_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
};
const struct schema workspace_event_list_query_schema =
    SCHEMA("ListWorkspaceEvents", event_query, workspace_query_fields,
           "Which part of the events of a workspace.");

/* A key of the wrong form filters everything out: no run and no job has the nil key. */
static bool filter_key(const char *text, struct uuid *ret)
{
    if (text && !uuid_parse(text, ret))
        *ret = (struct uuid){{0}};
    return text != NULL;
}

enum err_code event_parse(struct call *call)
{
    struct event_query *query = call->filter;
    if (filter_key(query->job_key, &query->job))
        query->filter.job = &query->job;
    if (filter_key(query->run_key, &query->run))
        query->filter.run = &query->run;
    query->position = query->after;
    return query->list.page ? page_open_numbers(call, query->list.page, &query->position, 1)
                            : ERR_OK;
}

/* ---- how one looks ---- */

struct event_view {
    const char *job_key;
    const char *job_name;
    const char *job_run_key;
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

#define EVENT_ROWS                                                                                 \
    {.name = "id",                                                                                 \
     .kind = FIELD_INT64,                                                                          \
     AT(event_view, id),                                                                           \
     .doc = "Number of the event; ids ascend over the whole workspace."},                          \
        {.name = "time", .kind = FIELD_TIME, AT(event_view, time_ms), .doc = "When it happened."}, \
        {.name = "taskKey",                                                                        \
         .kind = FIELD_STRING,                                                                     \
         AT(event_view, task_key),                                                                 \
         .doc = "The task that it is about; null: the run."},                                      \
        {.name = "taskRunKey",                                                                     \
         .kind = FIELD_STRING,                                                                     \
         AT(event_view, task_run_key),                                                             \
         .doc = "The task run that it is about; null: the run."},                                  \
        {.name = "repairKey",                                                                      \
         .kind = FIELD_INT32,                                                                      \
         AT(event_view, repair_key),                                                               \
         .doc = "Number of the repair during which it happened; 0 is the original."},              \
        {.name = "attempt",                                                                        \
         .kind = FIELD_INT32,                                                                      \
         AT(event_view, attempt),                                                                  \
         .doc = "Number of the attempt that it is about."},                                        \
        {.name = "type",                                                                           \
         .kind = FIELD_ENUM,                                                                       \
         AT(event_view, type),                                                                     \
         .names = event_type_names,                                                                \
         .name_count = EVENT_TYPE_COUNT,                                                           \
         .doc = "What kind of event it is."},                                                      \
        {.name = "from",                                                                           \
         .kind = FIELD_ENUM,                                                                       \
         AT(event_view, from),                                                                     \
         .names = state_names,                                                                     \
         .name_count = STATE_COUNT,                                                                \
         .doc = "The state before; null at the first."},                                           \
        {.name = "to",                                                                             \
         .kind = FIELD_ENUM,                                                                       \
         AT(event_view, to),                                                                       \
         .names = state_names,                                                                     \
         .name_count = STATE_COUNT,                                                                \
         .doc = "The state after."},                                                               \
        {.name = "reason",                                                                         \
         .kind = FIELD_STRING,                                                                     \
         AT(event_view, reason),                                                                   \
         .doc = "Why, in one plain sentence."},                                                    \
    {                                                                                              \
        .name = "decision", .kind = FIELD_RAW, AT(event_view, decision), .raw_kind = FIELD_OBJECT, \
        .doc = "The recorded grounds, where there was something to decide."                        \
    }

static const struct field event_fields[] = {EVENT_ROWS};
const struct schema run_event_schema =
    SCHEMA("RunEvent", event_view, event_fields, "A move of a run or of one of its tasks.");

static const struct field workspace_event_fields[] = {
    {.name = "jobKey", .kind = FIELD_STRING, AT(event_view, job_key), .doc = "The run's job."},
    {.name = "jobName",
     .kind = FIELD_STRING,
     AT(event_view, job_name),
     .doc = "The job's name when the run was made."},
    {.name = "jobRunKey",
     .kind = FIELD_STRING,
     AT(event_view, job_run_key),
     .doc = "The run that it is about."},
    EVENT_ROWS,
};
const struct schema workspace_event_schema =
    SCHEMA("WorkspaceEvent", event_view, workspace_event_fields,
           "A move of a run or of one of its tasks, with the run's name.");

void event_print(const struct event_row *row, bool names_run, struct arena *arena, struct buf *out)
{
    const struct event_view view = {
        .job_key = names_run ? key_text(&row->job, arena) : NULL,
        .job_name = names_run ? row->job_name : NULL,
        .job_run_key = names_run ? key_text(&row->run, arena) : NULL,
        .id = row->number,
        .time_ms = row->time_ms,
        .task_key = row->task_key,
        .task_run_key = key_text(&row->task_run, arena),
        .repair_key = row->repair_number,
        .attempt = row->attempt,
        .type = row->type,
        .from = (int)row->from,
        .to = (int)row->to,
        .reason = row->reason,
        .decision = row->decision,
    };
    fields_print(names_run ? &workspace_event_schema : &run_event_schema, &view, out);
}

/* ---- lists ---- */

static void respond_events(struct call *call, const struct event_row *events, size_t count,
                           bool names_run)
{
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(&call->response->body, ',');
        event_print(&events[i], names_run, call->arena, &call->response->body);
    }
    respond_items_end(call);
}

enum err_code event_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    struct event_query *query = call->filter;
    struct store_reader *reader = call->reading.reader;
    int64_t version, last_event, updated_ms;
    struct uuid key;
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!reads->get_run_etag(reader, call->workspace.id, &key, &version, &last_event, &updated_ms))
        return call_missing(call, "Job run");
    if (wants_event_stream(call)) {
        query->run = key;
        return event_stream_begin(call, query, true);
    }
    if (query->only_new == 1 && !query->list.page)
        query->position = last_event;
    struct event_row *events;
    size_t count = reads->run_events(reader, call->workspace.id, &key, query->position,
                                     (size_t)query->list.limit, call->arena, &events);
    respond_events(call, events, count, false);
    if (count && events[count - 1].number < last_event)
        respond_next_page(call, page_of_numbers(call, &events[count - 1].number, 1));
    return ERR_OK;
}

enum err_code workspace_event_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    struct event_query *query = call->filter;
    struct store_reader *reader = call->reading.reader;
    if (wants_event_stream(call))
        return event_stream_begin(call, query, false);
    int64_t newest = reads->newest_event(reader, call->workspace.id);
    int64_t upto = query->only_new == 1 && !query->list.page ? newest : query->position;
    struct event_row *events;
    size_t count = reads->workspace_events(reader, call->workspace.id, &query->filter, upto,
                                           (size_t)query->list.limit, call->arena, &events, &upto);
    respond_events(call, events, count, true);
    if (upto < newest)
        respond_next_page(call, page_of_numbers(call, &upto, 1));
    return ERR_OK;
}
