/*
 * Supplement data: one new instance for each planned time of a range, as a campaign (RULES §10,
 * reference dataarts-api §1.7).
 */
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/translate.h"
#include "api/extras/campaigns.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/json.h"

enum {
    PARALLEL_MAX = 5,
    PAGE_SIZE = 10,
    PAGE_SIZE_MAX = 100,
    CHUNK = 100,
    LISTED_MAX = 10000,
    SHORTEST_MS = 2000,
};

/* ---- tables ---- */

struct depend_job {
    const char *job_name;
    const char *workspace_id;
};
static const struct field depend_fields[] = {
    {.name = "job_name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(depend_job, job_name),
     .min = 1,
     .max = DATAARTS_MAX_NAME,
     .doc = "Name of the job."},
    {.name = "workspace_id",
     .kind = FIELD_STRING,
     AT(depend_job, workspace_id),
     .max = 64,
     .doc = "The workspace of the request."},
};
static const struct schema depend_schema =
    SCHEMA("DataArtsSupplementJob", depend_job, depend_fields, "A job that is supplemented, too.");

struct run_time {
    const char *time_of_day;
    const char *day_of_week;
    const char *day_of_month;
};
static const struct field run_time_fields[] = {
    {.name = "time_of_day",
     .kind = FIELD_STRING,
     AT(run_time, time_of_day),
     .max = 64,
     .doc = "00:00-00:00, any time, is the only one that is taken."},
    {.name = "day_of_week",
     .kind = FIELD_STRING,
     AT(run_time, day_of_week),
     .max = 64,
     .doc = "Must be absent."},
    {.name = "day_of_month",
     .kind = FIELD_STRING,
     AT(run_time, day_of_month),
     .max = 256,
     .doc = "Must be absent."},
};
static const struct schema run_time_schema =
    SCHEMA("DataArtsSupplementTime", run_time, run_time_fields, "When instances may run.");

struct supplement_body {
    const char *name;
    const char *job_name;
    const char *start_date;
    const char *end_date;
    int64_t parallel;
    struct field_list depend_jobs; /* of struct depend_job */
    int8_t is_day_granularity;
    int64_t priority;
    int8_t is_stop_when_fail;
    int64_t reverse_order;
    struct run_time *run_time;
    const char *instance_time;
    int8_t force;
    /* what the texts mean */
    int64_t begin_ms;
    int64_t end_ms;
};

#define ROW(json_name, field_kind, member, ...)                                             \
    {                                                                                       \
        .name = (json_name), .kind = (field_kind), AT(supplement_body, member), __VA_ARGS__ \
    }
static const struct field supplement_fields[] = {
    ROW("name", FIELD_STRING, name, .flags = FIELD_REQUIRED, .min = 1, .max = 128,
        .doc = "What it is called, and stopped by."),
    ROW("job_name", FIELD_STRING, job_name, .flags = FIELD_REQUIRED, .min = 1,
        .max = DATAARTS_MAX_NAME, .doc = "Name of the job."),
    ROW("start_date", FIELD_STRING, start_date, .flags = FIELD_REQUIRED, .max = 64,
        .doc = "Planned times from: 2026-07-28T00:00:00 +00."),
    ROW("end_date", FIELD_STRING, end_date, .flags = FIELD_REQUIRED, .max = 64,
        .doc = "Planned times to."),
    ROW("parallel", FIELD_INT32, parallel, .flags = FIELD_REQUIRED, .min = 1, .max = PARALLEL_MAX,
        .doc = "How many at once."),
    ROW("depend_jobs", FIELD_LIST, depend_jobs, .max = CAMPAIGN_MAX_JOBS - 1,
        .object = &depend_schema, .doc = "Jobs that depend on it, to be supplemented too."),
    ROW("is_day_granularity", FIELD_BOOL, is_day_granularity, .flags = 0, .doc = "Taken."),
    ROW("priority", FIELD_INT32, priority, .flags = 0, .doc = "Taken."),
    ROW("is_stop_when_fail", FIELD_BOOL, is_stop_when_fail, .flags = FIELD_DEFAULT,
        .doc = "Whether nothing new starts once one has failed."),
    ROW("reverse_order", FIELD_INT32, reverse_order, .flags = FIELD_DEFAULT, .min = 0, .max = 1,
        .doc = "1: the newest planned time first."),
    ROW("supplement_data_run_time", FIELD_OBJECT, run_time, .object = &run_time_schema,
        .doc = "When instances may run."),
    ROW("supplement_data_instance_time", FIELD_RAW, instance_time,
        .doc = "Which planned times are left out: must be absent."),
    ROW("force", FIELD_BOOL, force, .flags = FIELD_DEFAULT,
        .doc = "Also when another one of the job is going on."),
};
const struct schema dataarts_supplement_schema =
    SCHEMA("DataArtsSupplement", supplement_body, supplement_fields, "What is supplemented.");

/* ---- asked for ---- */

static enum err_code refuse_restriction(struct call *call, const char *field)
{
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "The request parameter is invalid: %s is not supported: leave it out", field);
}

/* "2026-07-28T00:00:00 +00" and nothing else: a T, a blank, and an offset of whole hours. */
static bool parse_date(const char *text, int64_t *ret_ms)
{
    enum { LETTER = 10, BLANK = 19, SIGN = 20, LENGTH = 23 };
    return strlen(text) == LENGTH && text[LETTER] == 'T' && text[BLANK] == ' ' &&
           (text[SIGN] == '+' || text[SIGN] == '-') && dataarts_parse_time(text, ret_ms);
}

enum err_code dataarts_supplement_parse(struct call *call)
{
    struct supplement_body *body = call->details;
    const struct run_time *times = body->run_time;
    if (!parse_date(body->start_date, &body->begin_ms) ||
        !parse_date(body->end_date, &body->end_ms) || body->end_ms - body->begin_ms < SHORTEST_MS)
        return err_set(&call->err, ERR_TIME_RANGE,
                       "The end time should be at least 2 second later than the start time: "
                       "start_date and end_date must be like 2026-07-28T00:00:00 +00");
    if (times && has_text(times->time_of_day) && strcmp(times->time_of_day, "00:00-00:00") != 0)
        return refuse_restriction(call, "supplement_data_run_time.time_of_day");
    if (times && (has_text(times->day_of_week) || has_text(times->day_of_month)))
        return refuse_restriction(call, "supplement_data_run_time.day_of_…");
    if (body->instance_time && strcmp(body->instance_time, "{}") != 0)
        return refuse_restriction(call, "supplement_data_instance_time");
    return ERR_OK;
}

static enum err_code find_jobs(struct call *call, const struct supplement_body *body,
                               struct job_row *ret_job, struct campaign_request *ret)
{
    const struct depend_job *others = body->depend_jobs.items;
    struct uuid *keys = ARENA_ARRAY(call->arena, body->depend_jobs.count, struct uuid);
    enum err_code code = dataarts_find_job(&call->reading, body->job_name, ret_job, &call->err);
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
        err_set(&call->err, code, "The job does not exist: job_name %.128s", body->job_name);
    if (code)
        return code;
    for (size_t i = 0; i < body->depend_jobs.count; i++) {
        struct job_row row;
        if (has_text(others[i].workspace_id) &&
            dataarts_check_workspace(call, others[i].workspace_id, "depend_jobs", i))
            return call->err.code;
        code = dataarts_find_job(&call->reading, others[i].job_name, &row, &call->err);
        if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
            err_set(&call->err, code, "The job does not exist: depend_jobs[%zu].job_name %.128s", i,
                    others[i].job_name);
        if (code)
            return code;
        keys[i] = row.key;
    }
    ret->job = ret_job->key;
    ret->jobs = keys;
    ret->job_count = body->depend_jobs.count;
    return ERR_OK;
}

static enum err_code check_scheduled(struct call *call, const struct job_row *row)
{
    struct job_def *def = call->backend->definition(call->backend->context, call->reading.reader,
                                                    call->workspace.id, &row->key, row->version);
    if (!def)
        return call_missing(call, "Job");
    bool is_scheduled = def->details.schedule && def->details.schedule->is_once != 1;
    job_def_unref(def);
    if (is_scheduled)
        return ERR_OK;
    return err_set(&call->err, ERR_NOT_SCHEDULED,
                   "The job [%.128s] should be cron job or http trigger or parent trigger.",
                   row->name);
}

/* The next chunk, newest first, behind `before`. */
static size_t read_chunk(const struct reading *at, const char *name, const struct uuid *before,
                         struct campaign_row **ret)
{
    const struct campaign_filter filter = {
        .name = name, .kind = CAMPAIGN_SUPPLEMENT, .before = *before, .limit = CHUNK};
    return at->api->backend.reads.campaigns(at->reader, at->workspace->id, &filter, at->arena, ret);
}

static enum err_code check_others(struct call *call, const struct supplement_body *body,
                                  const struct uuid *job)
{
    struct uuid before = {{0}};
    struct campaign_row *rows;
    size_t count;
    do {
        count = read_chunk(&call->reading, NULL, &before, &rows);
        for (size_t i = 0; i < count; i++) {
            if (campaign_is_final((enum campaign_state)rows[i].state))
                continue;
            bool same_job = uuid_equal(&rows[i].job, job) && body->force != 1;
            if (same_job || strcmp(rows[i].name, body->name) == 0)
                return err_set(&call->err, ERR_INVALID_PARAMETER,
                               "The request parameter is invalid: %s %.128s is going on%s",
                               same_job ? "supplement" : "name:", rows[i].name,
                               same_job ? " for this job: wait for it, or use force" : "");
        }
        if (count)
            before = rows[count - 1].key;
    } while (count == CHUNK);
    return call_reader_check(call);
}

enum err_code dataarts_supplement(struct call *call, struct command *command)
{
    const struct supplement_body *body = call->details;
    struct campaign_request request = {
        .kind = CAMPAIGN_SUPPLEMENT,
        .name = body->name,
        .begin_ms = body->begin_ms,
        .end_ms = body->end_ms,
        .concurrent = body->parallel,
        .stop_on_fail = body->is_stop_when_fail == 1,
        .reverse = body->reverse_order == 1,
    };
    struct job_row job;
    command->name_is_unique = body->force != 1; /* also of those that are on their way */
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = find_jobs(call, body, &job, &request);
    if (!code)
        code = check_scheduled(call, &job);
    if (!code)
        code = check_others(call, body, &job.key);
    call_read_end(call);
    return code ? code : campaign_order(call, &request, command);
}

/* ---- stop ---- */

enum err_code dataarts_supplement_stop(struct call *call, struct command *command)
{
    static const struct uuid newest;
    struct campaign_row *rows;
    command->kind = COMMAND_CAMPAIGN_CANCEL;
    if (call_read_begin(call))
        return call->err.code;
    size_t count = read_chunk(&call->reading, call->keys[0], &newest, &rows);
    enum err_code code = call_reader_check(call);
    call_read_end(call);
    if (code)
        return code;
    if (!count)
        return err_set(&call->err, ERR_SUPPLEMENT_UNKNOWN, "Task[%.128s] does not exist",
                       call->keys[0]);
    command->key = rows[0].key;
    return ERR_OK;
}

/* ---- list ---- */

enum {
    SUPPLEMENT_SUCCESS,
    SUPPLEMENT_RUNNING,
    SUPPLEMENT_CANCEL,
    SUPPLEMENT_FAIL,
    SUPPLEMENT_COUNT
};
static const char *const supplement_statuses[SUPPLEMENT_COUNT] = {"SUCCESS", "RUNNING", "CANCEL",
                                                                  "FAIL"};
static const char *const sorts[] = {"desc", "asc"};

static int status_of(const struct campaign_row *row)
{
    switch ((enum campaign_state)row->state) {
    case CAMPAIGN_SUCCESS:
        return SUPPLEMENT_SUCCESS;
    case CAMPAIGN_FAILED:
        return SUPPLEMENT_FAIL;
    case CAMPAIGN_CANCELED:
        return SUPPLEMENT_CANCEL;
    case CAMPAIGN_PENDING:
    case CAMPAIGN_RUNNING:
    case CAMPAIGN_PAUSED:
    case CAMPAIGN_STATE_COUNT:
    default:
        return SUPPLEMENT_RUNNING;
    }
}

struct supplement_query {
    int sort;
    int64_t page;
    int64_t size;
    const char *name;
    const char *user_name;
    int status;
    int64_t from_ms;
    int64_t to_ms;
};
#define QUERY_ROW(json_name, field_kind, member, ...)                                        \
    {                                                                                        \
        .name = (json_name), .kind = (field_kind), AT(supplement_query, member), __VA_ARGS__ \
    }
static const struct field supplement_query_fields[] = {
    QUERY_ROW("sort", FIELD_ENUM, sort, .flags = FIELD_DEFAULT, NAMES(sorts),
              .doc = "By when they were asked for."),
    QUERY_ROW("page", FIELD_INT32, page, .flags = FIELD_DEFAULT, .max = INT32_MAX,
              .doc = "Which page, from 0."),
    QUERY_ROW("size", FIELD_INT32, size, .flags = FIELD_DEFAULT, .min = 1, .max = PAGE_SIZE_MAX,
              .fallback = PAGE_SIZE, .doc = "How many on a page."),
    QUERY_ROW("name", FIELD_STRING, name, .max = 128, .doc = "A part of the name."),
    QUERY_ROW("user_name", FIELD_STRING, user_name, .max = 256, .doc = "Who asked for it."),
    QUERY_ROW("status", FIELD_ENUM, status, NAMES(supplement_statuses), .doc = "How it stands."),
    QUERY_ROW("start_date", FIELD_INT64, from_ms, .doc = "Asked for at that ms or later."),
    QUERY_ROW("end_date", FIELD_INT64, to_ms, .doc = "Asked for at that ms or before."),
};
const struct schema dataarts_supplement_query_schema = SCHEMA(
    "DataArtsSupplementQuery", supplement_query, supplement_query_fields, "Which supplements.");

struct supplement_view {
    const char *name;
    struct field_list job_list; /* of const char * */
    int status;
    int64_t begin_ms;
    int64_t end_ms;
    int64_t submitted_ms;
    int64_t parallel;
    int64_t type;
    const char *user_name;
};
#define VIEW_ROW(json_name, field_kind, member, ...)                                        \
    {                                                                                       \
        .name = (json_name), .kind = (field_kind), AT(supplement_view, member), __VA_ARGS__ \
    }
static const struct field view_fields[] = {
    VIEW_ROW("name", FIELD_STRING, name, .doc = "What it is called."),
    VIEW_ROW("job_list", FIELD_STRINGS, job_list, .doc = "Names of its jobs."),
    VIEW_ROW("status", FIELD_ENUM, status, NAMES(supplement_statuses), .doc = "How it stands."),
    VIEW_ROW("start_date", FIELD_INT64, begin_ms, .doc = "Planned times from, ms."),
    VIEW_ROW("end_date", FIELD_INT64, end_ms, .doc = "Planned times to, ms."),
    VIEW_ROW("submitted_date", FIELD_INT64, submitted_ms, .doc = "When it was asked for, ms."),
    VIEW_ROW("parallel", FIELD_INT64, parallel, .doc = "How many at once."),
    VIEW_ROW("type", FIELD_INT64, type, .doc = "0."),
    VIEW_ROW("user_name", FIELD_STRING, user_name, .doc = "Who asked for it."),
};
static const struct schema view_schema =
    SCHEMA("DataArtsSupplementRow", supplement_view, view_fields, "A supplement.");

struct supplement_page {
    int8_t success;
    const char *msg;
    int64_t total;
    struct field_list rows; /* of struct supplement_view */
};
static const struct field page_fields[] = {
    {.name = "success", .kind = FIELD_BOOL, AT(supplement_page, success), .doc = "true."},
    {.name = "msg", .kind = FIELD_STRING, AT(supplement_page, msg), .doc = "Nothing."},
    {.name = "total",
     .kind = FIELD_INT64,
     AT(supplement_page, total),
     .doc = "How many there are."},
    {.name = "rows",
     .kind = FIELD_LIST,
     AT(supplement_page, rows),
     .object = &view_schema,
     .doc = "Those of the page."},
};
const struct schema dataarts_supplement_list_schema =
    SCHEMA("DataArtsSupplements", supplement_page, page_fields, "Supplements.");

static bool matches(const struct supplement_query *query, const struct campaign_row *row)
{
    return (!has_text(query->name) || strstr(row->name, query->name)) &&
           (!has_text(query->user_name) || strcmp(row->created_by_name, query->user_name) == 0) &&
           (query->status == FIELD_UNSET || query->status == status_of(row)) &&
           (query->from_ms == FIELD_NULL || row->created_ms >= query->from_ms) &&
           (query->to_ms == FIELD_NULL || row->created_ms <= query->to_ms);
}

/* Newest first, at most LISTED_MAX. */
static size_t find_all(struct call *call, const struct campaign_row **ret)
{
    struct uuid before = {{0}};
    struct campaign_row *rows;
    size_t count, found = 0;
    do {
        count = read_chunk(&call->reading, NULL, &before, &rows);
        for (size_t i = 0; i < count && found < LISTED_MAX; i++)
            if (matches(call->filter, &rows[i]))
                ret[found++] = &rows[i];
        if (count)
            before = rows[count - 1].key;
    } while (count == CHUNK && found < LISTED_MAX);
    return found;
}

/* From the list that is kept with a campaign. */
static struct field_list job_names(struct call *call, const char *jobs)
{
    struct err err;
    json_t *list = json_parse(jobs, strlen(jobs), &err);
    const char **names = ARENA_ARRAY(call->arena, json_array_size(list), const char *);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
        names[i] = arena_strdup(call->arena, json_string_value(json_object_get(item, "name")));
    size_t count = json_array_size(list);
    json_decref(list);
    return (struct field_list){names, count};
}

enum err_code dataarts_supplement_list(struct call *call)
{
    const struct supplement_query *query = call->filter;
    const struct campaign_row **found =
        ARENA_ARRAY(call->arena, LISTED_MAX, const struct campaign_row *);
    size_t total = find_all(call, found);
    size_t size = (size_t)query->size, first = (size_t)query->page * size;
    struct supplement_view *views = ARENA_ARRAY(call->arena, size, struct supplement_view);
    size_t count = 0;
    for (size_t i = first; i < total && count < size; i++) {
        const struct campaign_row *row = found[query->sort == 1 ? total - 1 - i : i];
        views[count++] = (struct supplement_view){
            .name = row->name,
            .job_list = job_names(call, row->jobs),
            .status = status_of(row),
            .begin_ms = row->begin_ms,
            .end_ms = row->end_ms,
            .submitted_ms = row->created_ms,
            .parallel = row->concurrent,
            .user_name = row->created_by_name,
        };
    }
    const struct supplement_page page = {1, "", (int64_t)total, {views, count}};
    respond_json(call, 200);
    fields_print(&dataarts_supplement_list_schema, &page, &call->response->body);
    return ERR_OK;
}
