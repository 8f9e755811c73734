/* Lists of instances, in both spellings; one of v2; stop. */
#include "api/dataarts/instances.h"

#include <stdlib.h>
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/translate.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/mem.h"

enum { LIST_LIMIT = 10, LIST_MAX = 1000, NAME_MAX_TEXT = 512 };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* ---- states ---- */

static const char *const statuses[STATUS_COUNT] = {
    [STATUS_WAITING] = "waiting",
    [STATUS_RUNNING] = "running",
    [STATUS_SUCCESS] = "success",
    [STATUS_FAIL] = "fail",
    [STATUS_EXCEPTION] = "running-exception",
    [STATUS_PAUSE] = "pause",
    [STATUS_MANUAL_STOP] = "manual-stop",
    [STATUS_SKIP] = "skip-by-depend",
    [STATUS_FREEZE] = "freeze",
    [STATUS_WAITING_CONFIRM] = "waiting-confirm",
    [STATUS_FORCE_SUCCESS] = "forceSuccess",
    [STATUS_IGNORE_SUCCESS] = "ignoreSuccess",
};

#define BIT(state) (1U << (state))

/* Which states of a run are shown as that; none: there are no such instances here. */
static unsigned states_of(enum instance_status status)
{
    switch (status) {
    case STATUS_WAITING:
        return BIT(STATE_QUEUED) | BIT(STATE_PENDING);
    case STATUS_RUNNING:
        return BIT(STATE_RUNNING) | BIT(STATE_CANCELING);
    case STATUS_EXCEPTION:
        return BIT(STATE_RUNNING);
    case STATUS_SUCCESS:
    case STATUS_IGNORE_SUCCESS:
        return BIT(STATE_SUCCESS);
    case STATUS_FAIL:
        return BIT(STATE_FAILED) | BIT(STATE_TIMED_OUT) | BIT(STATE_INTERNAL_ERROR);
    case STATUS_PAUSE:
        return BIT(STATE_PAUSED_MAINTENANCE);
    case STATUS_MANUAL_STOP:
        return BIT(STATE_CANCELED);
    case STATUS_SKIP:
        return BIT(STATE_SKIPPED);
    case STATUS_FREEZE:
    case STATUS_WAITING_CONFIRM:
    case STATUS_FORCE_SUCCESS:
    case STATUS_COUNT:
    default:
        return 0;
    }
}

enum instance_status instance_status(const struct run_row *run)
{
    static const enum instance_status shown[] = {STATUS_WAITING, STATUS_RUNNING, STATUS_SUCCESS,
                                                 STATUS_FAIL,    STATUS_PAUSE,   STATUS_MANUAL_STOP,
                                                 STATUS_SKIP};
    if (run->state == STATE_RUNNING && run->is_suspended == 1)
        return STATUS_EXCEPTION;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (states_of(shown[i]) & BIT(run->state))
            return shown[i];
    return STATUS_WAITING;
}

const char *instance_status_name(const struct run_row *run)
{
    return statuses[instance_status(run)];
}

/* ---- queries ---- */

struct instance_query {
    const char *name;
    int64_t from_ms;
    int64_t to_ms;
    int64_t limit;
    int64_t offset;
    int status; /* enum instance_status */
    int64_t type;
    int8_t is_precise;
    int8_t force_success;
    int8_t ignore_success;
    struct instance_filter filter;
    bool matches_none;
};

#define QUERY_ROW(json_name, field_kind, member, ...)                                      \
    {                                                                                      \
        .name = (json_name), .kind = (field_kind), AT(instance_query, member), __VA_ARGS__ \
    }
#define QUERY_OFFSET                                                                   \
    QUERY_ROW("offset", FIELD_INT64, offset, .flags = FIELD_DEFAULT, .max = INT32_MAX, \
              .doc = "How many to pass over.")
#define QUERY_LIMIT                                                                           \
    QUERY_ROW("limit", FIELD_INT32, limit, .flags = FIELD_DEFAULT, .min = 1, .max = LIST_MAX, \
              .fallback = LIST_LIMIT, .doc = "How many at most.")
#define QUERY_STATUS \
    QUERY_ROW("status", FIELD_ENUM, status, NAMES(statuses), .doc = "Those in that status.")
#define TYPE_DOC "0 scheduled, 2 manual, 5 supplement, 6 sub-job, 7 once."

static const struct field query_fields[] = {
    QUERY_ROW("jobName", FIELD_STRING, name, .max = NAME_MAX_TEXT,
              .doc = "The job's name, or a part of it."),
    QUERY_ROW("preciseQuery", FIELD_BOOL, is_precise, .flags = FIELD_DEFAULT,
              .doc = "Whether jobName is the whole name."),
    QUERY_ROW("minPlanTime", FIELD_INT64, from_ms,
              .doc = "Planned at that ms or later; absent: today."),
    QUERY_ROW("maxPlanTime", FIELD_INT64, to_ms,
              .doc = "Planned at that ms or before; absent: now. At most 7 days."),
    QUERY_OFFSET,
    QUERY_LIMIT,
    QUERY_STATUS,
    QUERY_ROW("instanceType", FIELD_INT64, type, .doc = TYPE_DOC),
};
const struct schema dataarts_instance_query_schema =
    SCHEMA("DataArtsInstanceQuery", instance_query, query_fields, "Which instances.");

static const struct field query_v2_fields[] = {
    QUERY_ROW("min_plan_time", FIELD_INT64, from_ms,
              .doc = "Planned at that ms or later; absent: today."),
    QUERY_ROW("max_plan_time", FIELD_INT64, to_ms,
              .doc = "Planned at that ms or before; absent: now. At most a month."),
    QUERY_OFFSET,
    QUERY_LIMIT,
    QUERY_STATUS,
    QUERY_ROW("instance_type", FIELD_INT64, type, .doc = TYPE_DOC),
    QUERY_ROW("force_success", FIELD_BOOL, force_success, .flags = FIELD_DEFAULT,
              .doc = "Only what was forced to success: nothing here."),
    QUERY_ROW("ignore_success", FIELD_BOOL, ignore_success, .flags = FIELD_DEFAULT,
              .doc = "Only successes with a failure that was ignored."),
};
const struct schema dataarts_instance_query_v2_schema =
    SCHEMA("DataArtsInstanceQueryV2", instance_query, query_v2_fields, "Which instances.");

/* From 00:00 of today (days are UTC's, as all times that a server shows), or of the last day that is asked
 * for, until now. Who says since when counts back from a now of their own: a little earlier than ours. */
static void default_window(struct instance_query *query, int64_t now_ms, int64_t longest_ms)
{
    enum { CLOCKS_APART_MS = 60 * 1000 };
    bool has_from = query->from_ms != FIELD_NULL;
    if (query->to_ms == FIELD_NULL) {
        query->to_ms = now_ms;
        if (has_from && now_ms - query->from_ms > longest_ms &&
            now_ms - query->from_ms <= longest_ms + CLOCKS_APART_MS)
            query->to_ms = query->from_ms + longest_ms;
    }
    int64_t last_ms = query->to_ms < now_ms ? query->to_ms : now_ms;
    if (!has_from)
        query->from_ms = last_ms - last_ms % day_ms;
}

static bool is_type(int64_t type)
{
    return type == INSTANCE_SCHEDULED || type == INSTANCE_MANUAL || type == INSTANCE_SUPPLEMENT ||
           type == INSTANCE_SUB_JOB || type == INSTANCE_ONCE;
}

enum err_code dataarts_instance_list_parse(struct call *call)
{
    struct instance_query *query = call->filter;
    bool is_v1 = call->route->scope == SCOPE_DATAARTS_V1;
    int64_t longest = is_v1 ? 7 * day_ms : 31 * day_ms;
    default_window(query, call->backend->now_ms(call->backend->context), longest);
    if (query->from_ms > query->to_ms || query->to_ms - query->from_ms > longest)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s must not be after %s, and at most %d days before it",
                       is_v1 ? "minPlanTime" : "min_plan_time",
                       is_v1 ? "maxPlanTime" : "max_plan_time", is_v1 ? 7 : 31);
    if (query->type != FIELD_NULL && !is_type(query->type))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "%s must be one of 0, 2, 5, 6, 7",
                       is_v1 ? "instanceType" : "instance_type");
    query->filter = (struct instance_filter){
        .name = query->name && *query->name ? query->name : NULL,
        .name_is_part = query->is_precise != 1,
        .from_ms = query->from_ms,
        .to_ms = query->to_ms,
        .is_suspended = FIELD_UNSET,
        .ignored_failure = FIELD_UNSET,
        .type = query->type,
        .offset = (size_t)query->offset,
        .limit = (size_t)query->limit,
    };
    if (query->status != FIELD_UNSET) {
        enum instance_status status = (enum instance_status)query->status;
        query->filter.states = states_of(status);
        query->matches_none = !query->filter.states;
        if (status == STATUS_RUNNING || status == STATUS_EXCEPTION)
            query->filter.is_suspended = status == STATUS_EXCEPTION;
        if (status == STATUS_IGNORE_SUCCESS)
            query->filter.ignored_failure = 1;
    }
    if (query->ignore_success == 1)
        query->filter.ignored_failure = 1;
    query->matches_none |= query->force_success == 1;
    return ERR_OK;
}

/* ---- answers ---- */

#define ROW_V1(v1, v2, field_kind, member, text) \
    {.name = (v1),                               \
     .kind = (field_kind),                       \
     .flags = FIELD_SPARSE,                      \
     AT(instance_view, member),                  \
     .doc = (text)},
#define ROW_V2(v1, v2, field_kind, member, text) \
    {.name = (v2),                               \
     .kind = (field_kind),                       \
     .flags = FIELD_SPARSE,                      \
     AT(instance_view, member),                  \
     .doc = (text)},

static const struct field item_fields[] = {
    INSTANCE_FIELDS(ROW_V1){.name = "errorMessage",
                            .kind = FIELD_STRING,
                            .flags = FIELD_SPARSE,
                            AT(instance_view, error_message),
                            .doc = "Why it failed."},
};
static const struct field item_v2_fields[] = {INSTANCE_FIELDS(ROW_V2)};
static const struct schema item_schema =
    SCHEMA("DataArtsInstanceItem", instance_view, item_fields, "An instance in a list.");
static const struct schema item_v2_schema =
    SCHEMA("DataArtsInstanceItemV2", instance_view, item_v2_fields, "An instance in a list.");

struct instance_page {
    int64_t total;
    struct field_list instances; /* of struct instance_view */
};
#define PAGE_FIELDS(item)                          \
    {                                              \
        {.name = "total",                          \
         .kind = FIELD_INT64,                      \
         AT(instance_page, total),                 \
         .doc = "How many there are."},            \
            {.name = "instances",                  \
             .kind = FIELD_LIST,                   \
             AT(instance_page, instances),         \
             .object = &(item),                    \
             .doc = "Newest planned time first."}, \
    }
static const struct field page_fields[] = PAGE_FIELDS(item_schema);
static const struct field page_v2_fields[] = PAGE_FIELDS(item_v2_schema);
const struct schema dataarts_instance_list_schema =
    SCHEMA("DataArtsInstances", instance_page, page_fields, "Instances, and how many there are.");
const struct schema dataarts_instance_list_v2_schema = SCHEMA(
    "DataArtsInstancesV2", instance_page, page_v2_fields, "Instances, and how many there are.");

/* The live answer of v2 says no more of one. */
static const struct field brief_fields[] = {
    {.name = "instance_id",
     .kind = FIELD_INT64,
     AT(instance_view, instance_id),
     .doc = "Number of the instance."},
    {.name = "status", .kind = FIELD_STRING, AT(instance_view, status), .doc = "Its status."},
    {.name = "plan_time",
     .kind = FIELD_INT64,
     AT(instance_view, plan_ms),
     .doc = "Planned time, ms."},
    {.name = "start_time",
     .kind = FIELD_INT64,
     .flags = FIELD_SPARSE,
     AT(instance_view, start_ms),
     .doc = "When it started, ms."},
};
const struct schema dataarts_instance_v2_schema =
    SCHEMA("DataArtsInstanceV2", instance_view, brief_fields, "An instance.");

/* A rerun begins the times of an instance anew, and may be of another version; the run's own are those of
 * its original. */
static struct repair_row newest_attempt(const struct reading *at, const struct run_row *run)
{
    struct run_image image;
    if (run->repair_number && at->api->backend.reads.get_run_image(at->reader, at->workspace->id,
                                                                   &run->key, at->arena, &image))
        return image.repairs[image.repair_count - 1];
    return (struct repair_row){.definition_version = run->definition_version,
                               .start_ms = run->start_ms,
                               .end_ms = run->end_ms};
}

struct instance_view instance_view(const struct reading *at, const struct job_row *job,
                                   const struct run_row *run)
{
    bool is_supplement = run->instance_type == INSTANCE_SUPPLEMENT;
    bool has_failed = states_of(STATUS_FAIL) & BIT(run->state);
    int64_t now_ms = at->api->backend.now_ms(at->api->backend.context);
    const struct repair_row newest = newest_attempt(at, run);
    int64_t start_ms = newest.start_ms;
    int64_t until_ms = newest.end_ms == FIELD_NULL ? now_ms : newest.end_ms;
    return (struct instance_view){
        .job_name = job->name, /* under which its own route finds it */
        .job_id = job->number,
        .job_instance_name = arena_printf(at->arena, "%s%s_%lld", is_supplement ? "P_" : "",
                                          run->job_name, (long long)run->plan_ms),
        .instance_id = run->number,
        .instance_type = run->instance_type,
        .status = instance_status_name(run),
        .plan_ms = run->plan_ms,
        .start_ms = start_ms,
        .end_ms = newest.end_ms,
        .submit_ms = run->submit_ms,
        .execute_ms = start_ms == FIELD_NULL ? 0 : until_ms - start_ms,
        .version = newest.definition_version,
        .force_success = 0,
        .ignore_success = run->state == STATE_SUCCESS && run->ignored_failure == 1,
        .error_message = has_failed ? run->message : NULL,
    };
}

/* Of a list of several jobs, the one that the last item had may do again. */
static const struct job_row *job_of(const struct reading *at, const struct uuid *key,
                                    struct job_row *last, bool *has_last)
{
    if (*has_last && uuid_equal(&last->key, key))
        return last;
    *has_last = at->api->backend.reads.get_job(at->reader, at->workspace->id, key, at->arena, last);
    return *has_last ? last : NULL;
}

static enum err_code print_page(struct call *call, const struct instance_list *list)
{
    struct instance_view *views = ARENA_ARRAY(call->arena, list->count, struct instance_view);
    struct job_row last;
    bool has_last = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct job_row *job = job_of(&call->reading, &list->items[i].job, &last, &has_last);
        if (!job)
            return call_missing(call, "Job");
        views[i] = instance_view(&call->reading, job, &list->items[i]);
    }
    const struct instance_page page = {list->total, {views, list->count}};
    respond_json(call, 200);
    fields_print(call->route->answer, &page, &call->response->body);
    return ERR_OK;
}

enum err_code dataarts_instance_list(struct call *call)
{
    struct instance_query *query = call->filter;
    struct instance_list list = {0};
    struct job_row job;
    if (call->route->scope == SCOPE_DATAARTS_V2) {
        if (dataarts_job_of_path(call, &job))
            return call->err.code;
        query->filter.job = &job.key;
    } else if (query->filter.name && query->is_precise == 1) {
        /* One that is gone, or a younger namesake, has the name too; if nobody lives who has it, they are meant. */
        enum err_code code = dataarts_find_job(&call->reading, query->name, &job, &call->err);
        if (code == ERR_UNAVAILABLE)
            return code;
        if (!code) {
            query->filter.job = &job.key;
            query->filter.name = NULL;
        }
    }
    if (!query->matches_none)
        call->backend->reads.list_instances(call->reading.reader, call->workspace.id,
                                            &query->filter, call->arena, &list);
    return print_page(call, &list);
}

/* ---- one of them ---- */

enum err_code dataarts_instance_of_path(struct call *call, struct run_row *ret)
{
    enum { DIGITS_MAX = 16 };
    struct job_row job;
    const char *text = call->keys[1];
    size_t len = strlen(text);
    if (dataarts_job_of_path(call, &job))
        return call->err.code;
    bool is_number = len && len <= DIGITS_MAX && strspn(text, "0123456789") == len;
    if (is_number &&
        call->backend->reads.find_run(call->reading.reader, call->workspace.id,
                                      strtoll(text, NULL, 10), call->arena, ret) &&
        uuid_equal(&ret->job, &job.key))
        return ERR_OK;
    if (call_reader_check(call))
        return call->err.code;
    return err_set(&call->err, ERR_INSTANCE_UNKNOWN, "Job instance does not exist.");
}

enum err_code dataarts_instance_get_v2(struct call *call)
{
    struct run_row run = {0};
    if (dataarts_instance_of_path(call, &run))
        return call->err.code;
    const struct instance_view view = {
        .instance_id = run.number,
        .status = instance_status_name(&run),
        .plan_ms = run.plan_ms,
        .start_ms = newest_attempt(&call->reading, &run).start_ms,
    };
    respond_json(call, 200);
    fields_print(&dataarts_instance_v2_schema, &view, &call->response->body);
    return ERR_OK;
}

/* What waits may be stopped, too, as the console has it. */
static enum err_code check_stop(struct call *call, const struct run_row *run)
{
    if (!state_is_final(run->state))
        return ERR_OK;
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "The request parameter is invalid: instance %lld is %s, only what waits or runs "
                   "can be stopped",
                   (long long)run->number, instance_status_name(run));
}

enum err_code dataarts_instance_stop(struct call *call, struct command *command)
{
    struct run_row run = {0};
    command->kind = COMMAND_RUN_CANCEL;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = dataarts_instance_of_path(call, &run);
    if (!code)
        code = check_stop(call, &run);
    if (!code)
        command->key = run.key;
    call_read_end(call);
    return code;
}
