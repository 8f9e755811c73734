/* Lists of jobs, in both spellings. */
#include <stdlib.h>
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/translate.h"
#include "api/oracle/oracle.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/mem.h"
#include "base/timefmt.h"

enum { LIST_LIMIT = 10, LIST_MAX = 1000, IDS_MAX = 50, IDS_MAX_TEXT = 1000, TEXT_MAX = 1024 };

/* ---- queries ---- */

struct job_query {
    int job_type; /* enum dataarts_process */
    int64_t offset;
    int64_t limit;
    const char *name;
    const char *tags;
    const char *ids;
    const char *status;
    int8_t match_all_tags;
    int8_t need_alarms;
    /* what the texts mean */
    struct numbered_job_filter filter;
    bool matches_none;
};

#define OFFSET_AND_LIMIT                                                                    \
    {.name = "offset",                                                                      \
     .kind = FIELD_INT64,                                                                   \
     .flags = FIELD_DEFAULT,                                                                \
     AT(job_query, offset),                                                                 \
     .max = INT32_MAX,                                                                      \
     .doc = "How many to pass over."},                                                      \
    {                                                                                       \
        .name = "limit", .kind = FIELD_INT32, .flags = FIELD_DEFAULT, AT(job_query, limit), \
        .min = 1, .max = LIST_MAX, .fallback = LIST_LIMIT, .doc = "How many at most."       \
    }
#define TEXT(json_name, member, text)                                                      \
    {                                                                                      \
        .name = (json_name), .kind = FIELD_STRING, AT(job_query, member), .max = TEXT_MAX, \
        .doc = (text)                                                                      \
    }
#define TYPE(json_name)                                                                  \
    {                                                                                    \
        .name = (json_name), .kind = FIELD_ENUM, AT(job_query, job_type),                \
        NAMES(dataarts_processes), .doc = "BATCH: all are; there are none of REAL_TIME." \
    }

static const struct field query_fields[] = {
    TYPE("jobType"),
    OFFSET_AND_LIMIT,
    TEXT("jobName", name, "A part of the name."),
    TEXT("tags", tags, "Tags, with commas: jobs that have one of them."),
};
const struct schema dataarts_job_list_query_schema =
    SCHEMA("DataArtsJobListQuery", job_query, query_fields, "Which jobs.");

static const struct field query_v2_fields[] = {
    TYPE("job_type"),
    OFFSET_AND_LIMIT,
    TEXT("job_name", name, "A part of the name."),
    TEXT("job_id", ids, "Numbers of jobs, with commas, at most 50."),
    TEXT("status", status, "SCHEDULING, STOPPED or PAUSED, with commas."),
    TEXT("tags", tags, "Tags, with commas."),
    {.name = "match_all_tags",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(job_query, match_all_tags),
     .doc = "Whether a job must have all of them."},
    {.name = "need_alarms",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(job_query, need_alarms),
     .doc = "Taken: there are no alarms."},
};
const struct schema dataarts_job_list_query_v2_schema =
    SCHEMA("DataArtsJobListQueryV2", job_query, query_v2_fields, "Which jobs.");

/* Is `word` one of the words of `list`, which have commas between them? */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        p += strspn(p, " ");
        size_t part = strcspn(p, ",");
        while (part && p[part - 1] == ' ')
            part--;
        if (part == len && memcmp(p, word, len) == 0)
            return true;
    }
    return false;
}

static enum err_code parse_ids(struct call *call, struct job_query *query)
{
    int64_t *numbers = ARENA_ARRAY(call->arena, IDS_MAX, int64_t);
    size_t count = 0;
    for (const char *p = query->ids; *p; p += *p == ',') {
        char *end;
        long long number = strtoll(p, &end, 10);
        bool is_number = *p >= '0' && *p <= '9' && (*end == ',' || *end == '\0');
        if (!is_number || count == IDS_MAX || strlen(query->ids) > IDS_MAX_TEXT)
            return err_set(&call->err, ERR_INVALID_PARAMETER,
                           "job_id must be at most %d numbers with commas between them", IDS_MAX);
        numbers[count++] = number;
        p = end;
    }
    query->filter.numbers = numbers;
    query->filter.number_count = count;
    query->matches_none |= count == 0;
    return ERR_OK;
}

static enum err_code parse_status(struct call *call, struct job_query *query)
{
    static const char *const known[] = {"SCHEDULING", "STOPPED",  "PAUSED", "STARTING", "NORMAL",
                                        "EXCEPTION",  "STOPPING", "PAUSE",  "ABNORMAL"};
    char *copy = arena_strdup(call->arena, query->status);
    for (char *rest = copy, *word; (word = strsep(&rest, ","));) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found |= has_word(word, known[i]);
        if (!found)
            return err_set(&call->err, ERR_INVALID_PARAMETER,
                           "status must be SCHEDULING, STOPPED or PAUSED, not %.64s", word);
    }
    bool active = has_word(query->status, "SCHEDULING");
    bool stopped = has_word(query->status, "STOPPED");
    if (active != stopped)
        query->filter.is_active = active;
    query->matches_none |= !active && !stopped;
    return ERR_OK;
}

enum err_code dataarts_job_list_parse(struct call *call)
{
    struct job_query *query = call->filter;
    query->filter = (struct numbered_job_filter){
        .is_active = FIELD_UNSET,
        .name_part = query->name,
        .offset = (size_t)query->offset,
        .limit = (size_t)query->limit,
    };
    query->matches_none = query->job_type == PROCESS_REAL_TIME;
    if ((query->ids && parse_ids(call, query)) || (query->status && parse_status(call, query)))
        return call->err.code;
    return ERR_OK;
}

/* ---- answers ---- */

struct job_item {
    const char *name;
    const char *job_type;
    const char *status;
    const char *create_user;
    int64_t create_ms;
    int64_t start_ms;
    int64_t end_ms;
    const char *last_instance_status;
    int64_t last_instance_end_ms;
    const char *owner;
    int64_t priority;
    const char *last_update_user;
    int64_t last_update_ms;
    const char *path;
    int8_t is_single_node;
    const char *single_node_type;
    const char *empty_running;
    const char *next_plan_time;
    int64_t id;
};

struct job_page {
    int64_t total;
    struct field_list jobs; /* of struct job_item */
};

/* v1's name, v2's name, kind, member, what it says. */
#define JOB_ITEM(X)                                                                             \
    X("name", "name", FIELD_STRING, name, "Name of the job.")                                   \
    X("jobId", "job_id", FIELD_INT64, id, "Number of the job.")                                 \
    X("jobType", "job_type", FIELD_STRING, job_type, "BATCH.")                                  \
    X("status", "status", FIELD_STRING, status, "SCHEDULING, or STOPPED.")                      \
    X("createUser", "create_user", FIELD_STRING, create_user, "Who made it.")                   \
    X("createTime", "create_time", FIELD_INT64, create_ms, "When, ms.")                         \
    X("startTime", "start_time", FIELD_INT64, start_ms, "When its scheduling was started, ms.") \
    X("endTime", "end_time", FIELD_INT64, end_ms, "When its schedule ends, ms.")                \
    X("lastInstanceStatus", "last_instance_status", FIELD_STRING, last_instance_status,         \
      "success or fail: of the newest instance that was carried out.")                          \
    X("lastInstanceEndTime", "last_instance_end_time", FIELD_INT64, last_instance_end_ms,       \
      "When that ended, ms.")                                                                   \
    X("owner", "owner", FIELD_STRING, owner, "Who owns it.")                                    \
    X("priority", "priority", FIELD_INT32, priority, "0 high, 1, 2 low.")                       \
    X("lastUpdateUser", "last_update_user", FIELD_STRING, last_update_user,                     \
      "Who changed it last.")                                                                   \
    X("lastUpdateTime", "last_update_time", FIELD_INT64, last_update_ms, "When, ms.")           \
    X("path", "path", FIELD_STRING, path, "Folder and name.")                                   \
    X("singleNodeJobFlag", "single_node_job_flag", FIELD_BOOL, is_single_node,                  \
      "Whether it is one node.")                                                                \
    X("singleNodeJobType", "single_node_job_type", FIELD_STRING, single_node_type,              \
      "Its type then.")                                                                         \
    X("emptyRunningJob", "empty_running_job", FIELD_STRING, empty_running, "0.")                \
    X("nextPlanTime", "next_plan_time", FIELD_STRING, next_plan_time,                           \
      "The next planned time, RFC 3339.")

#define ROW_V1(v1, v2, field_kind, member, text) \
    {.name = (v1),                               \
     .kind = (field_kind),                       \
     .flags = FIELD_SPARSE,                      \
     AT(job_item, member),                       \
     .doc = (text)},
#define ROW_V2(v1, v2, field_kind, member, text) \
    {.name = (v2),                               \
     .kind = (field_kind),                       \
     .flags = FIELD_SPARSE,                      \
     AT(job_item, member),                       \
     .doc = (text)},

static const struct field item_fields[] = {JOB_ITEM(ROW_V1)};
static const struct field item_v2_fields[] = {JOB_ITEM(ROW_V2)};
static const struct schema item_schema =
    SCHEMA("DataArtsJobItem", job_item, item_fields, "A job in a list.");
static const struct schema item_v2_schema =
    SCHEMA("DataArtsJobItemV2", job_item, item_v2_fields, "A job in a list.");

#define PAGE_FIELDS(item)                                                                          \
    {                                                                                              \
        {.name = "total", .kind = FIELD_INT64, AT(job_page, total), .doc = "How many there are."}, \
            {.name = "jobs",                                                                       \
             .kind = FIELD_LIST,                                                                   \
             AT(job_page, jobs),                                                                   \
             .object = &(item),                                                                    \
             .doc = "Newest first."},                                                              \
    }
static const struct field page_fields[] = PAGE_FIELDS(item_schema);
static const struct field page_v2_fields[] = PAGE_FIELDS(item_v2_schema);
const struct schema dataarts_job_list_schema =
    SCHEMA("DataArtsJobs", job_page, page_fields, "Jobs, and how many there are.");
const struct schema dataarts_job_list_v2_schema =
    SCHEMA("DataArtsJobsV2", job_page, page_v2_fields, "Jobs, and how many there are.");

/* ---- one of them ---- */

/* The newest instance that ended in success or failure. */
static void fill_last_instance(const struct reading *at, const struct job_row *row,
                               struct job_item *item)
{
    const struct run_filter filter = {
        .jobs = &row->key,
        .job_count = 1,
        .states = 1U << STATE_SUCCESS | 1U << STATE_FAILED | 1U << STATE_TIMED_OUT |
                  1U << STATE_INTERNAL_ERROR,
        .created_from_ms = FIELD_NULL,
        .created_to_ms = FIELD_NULL,
    };
    const struct list_order order = {SORT_TIME_CREATED, false, 1};
    struct run_list list;
    at->api->backend.reads.list_runs(at->reader, at->workspace->id, &filter, &order, NULL,
                                     at->arena, &list);
    if (!list.count)
        return;
    item->last_instance_status = list.items[0].state == STATE_SUCCESS ? "success" : "fail";
    item->last_instance_end_ms = list.items[0].end_ms;
}

/* Does its schedule fire? A job of the other dialect may have one that goes on as soon as a run has ended. */
static bool is_scheduling(const struct job_details *details)
{
    if (details->continuous)
        return details->continuous->pause_status != PAUSE_PAUSED;
    return details->schedule && details->schedule->pause_status != PAUSE_PAUSED;
}

static void fill_schedule(const struct reading *at, const struct job_row *row,
                          const struct job_details *details, struct job_item *item)
{
    char text[TIMEFMT_TEXT];
    int64_t next;
    if (details->schedule)
        item->end_ms = details->schedule->end_ms;
    if (is_scheduling(details)) {
        item->status = "SCHEDULING";
        item->start_ms = row->scheduled_ms;
    }
    if (job_next_times(at, &row->key, details, 1, &next))
        item->next_plan_time = arena_strdup(at->arena, timefmt_rfc3339(next, text));
}

static void fill_kept(const struct dataarts_job *job, struct job_item *item)
{
    if (job->basic && job->basic->owner)
        item->owner = job->basic->owner;
    else if (job->owner)
        item->owner = job->owner;
    if (job->basic && job->basic->priority != FIELD_NULL)
        item->priority = job->basic->priority;
    if (job->is_single_node != FIELD_UNSET)
        item->is_single_node = job->is_single_node;
    item->single_node_type = job->single_node_type;
    if (job->empty_running)
        item->empty_running = job->empty_running;
}

static void fill_item(const struct reading *at, const struct job_row *row,
                      const struct job_def *def, struct job_item *item)
{
    const char *folder = row->path ? row->path : "";
    bool slash = *folder && folder[strlen(folder) - 1] == '/';
    *item = (struct job_item){
        .name = row->name,
        .id = row->number,
        .job_type = dataarts_processes[PROCESS_BATCH],
        .status = "STOPPED",
        .create_user = row->created_by_name,
        .create_ms = row->created_ms,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .last_instance_end_ms = FIELD_NULL,
        .owner = row->created_by_name,
        .priority = 0,
        .last_update_user = row->updated_by_name,
        .last_update_ms = row->updated_ms,
        .path = arena_printf(at->arena, "%s%s%s", folder, slash ? "" : "/", row->name),
        .is_single_node = 0,
        .empty_running = "0",
    };
    fill_schedule(at, row, &def->details, item);
    fill_last_instance(at, row, item);
    const struct dataarts_kept *kept = dataarts_kept_of(def, at->arena);
    if (kept)
        fill_kept(kept->job, item);
}

/* ---- the page ---- */

static bool has_tags(const struct job_query *query, const struct job_def *def, struct arena *arena)
{
    const struct dataarts_kept *kept = dataarts_kept_of(def, arena);
    const struct dataarts_basic *basic = kept ? kept->job->basic : NULL;
    const char *const *tags = basic ? basic->tags.items : NULL;
    bool any = false, all = true;
    char *copy = arena_strdup(arena, query->tags);
    for (char *rest = copy, *word; (word = strsep(&rest, ","));) {
        bool has = false;
        for (size_t i = 0; tags && i < basic->tags.count; i++)
            has |= has_word(word, tags[i]);
        any |= has;
        all &= has;
    }
    return query->match_all_tags == 1 ? all : any;
}

static struct job_def *newest_def(const struct reading *at, const struct job_row *row)
{
    const struct api_backend *backend = &at->api->backend;
    return backend->definition(backend->context, at->reader, at->workspace->id, &row->key,
                               row->version);
}

/* Tags stand in definitions: every job is gone through, a thousand at a time. */
static void find_tagged(struct call *call, struct job_query *query, struct numbered_job_list *ret)
{
    struct numbered_job_filter filter = query->filter;
    struct numbered_job_list chunk;
    *ret = (struct numbered_job_list){
        .items = ARENA_ARRAY(call->arena, query->filter.limit, struct job_row)};
    filter.offset = 0;
    filter.limit = LIST_MAX;
    do {
        call->backend->reads.list_numbered_jobs(call->reading.reader, call->workspace.id, &filter,
                                                call->arena, &chunk);
        for (size_t i = 0; i < chunk.count; i++) {
            struct job_def *def = newest_def(&call->reading, &chunk.items[i]);
            bool matches = def && has_tags(query, def, call->arena);
            job_def_unref(def);
            if (matches && (size_t)ret->total++ >= query->filter.offset &&
                ret->count < query->filter.limit)
                ret->items[ret->count++] = chunk.items[i];
        }
        filter.offset += LIST_MAX;
    } while (chunk.count == LIST_MAX);
}

enum err_code dataarts_job_list(struct call *call)
{
    struct job_query *query = call->filter;
    struct numbered_job_list list = {0};
    if (!query->matches_none && query->tags && *query->tags)
        find_tagged(call, query, &list);
    else if (!query->matches_none)
        call->backend->reads.list_numbered_jobs(call->reading.reader, call->workspace.id,
                                                &query->filter, call->arena, &list);
    struct job_item *items = ARENA_ARRAY(call->arena, list.count, struct job_item);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct job_def *def = newest_def(&call->reading, &list.items[i]);
        if (!def)
            return call_missing(call, "Job");
        fill_item(&call->reading, &list.items[i], def, &items[count++]);
        job_def_unref(def); /* strings of the schedule are not in items */
    }
    const struct job_page page = {list.total, {items, count}};
    respond_json(call, 200);
    fields_print(call->route->answer, &page, &call->response->body);
    return ERR_OK;
}
