/* Planned times that became no run: what a schedule missed, and what was done about it (RULES §11). */
#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct skipped_query {
    int64_t limit;
};

static const struct field query_fields[] = {
    {.name = "limit",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(skipped_query, limit),
     .min = 1,
     .max = API_PAGE_MAX_LIMIT,
     .fallback = API_PAGE_LIMIT,
     .doc = "Most entries of an answer, the newest."},
};
const struct schema skipped_list_query_schema =
    SCHEMA("ListSkippedTimes", skipped_query, query_fields, "How many entries.");

static const struct field skipped_fields[] = {
    {.name = "time",
     .kind = FIELD_TIME,
     AT(skipped_row, created_ms),
     .doc = "When it was found out."},
    {.name = "firstPlannedTime",
     .kind = FIELD_TIME,
     AT(skipped_row, first_ms),
     .doc = "The first of the planned times."},
    {.name = "lastPlannedTime",
     .kind = FIELD_TIME,
     AT(skipped_row, last_ms),
     .doc = "The last of them."},
    {.name = "count",
     .kind = FIELD_INT32,
     AT(skipped_row, count),
     .doc = "How many they are; 1,000 stands for so many or more."},
    {.name = "reason", .kind = FIELD_STRING, AT(skipped_row, reason), .doc = "Why, in words."},
};
const struct schema skipped_times_schema =
    SCHEMA("SkippedTimes", skipped_row, skipped_fields, "Planned times that became no run.");

enum err_code skipped_list(struct call *call)
{
    const struct api_backend *backend = call->backend;
    const struct skipped_query *query = call->filter;
    struct skipped_row *rows;
    struct job_row job;
    struct uuid key;
    if (call_key(call, 0, "Job", &key))
        return call->err.code;
    if (!backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                &job) ||
        job.deleted_ms != FIELD_NULL)
        return call_missing(call, "Job");
    size_t count = backend->reads.skipped(call->reading.reader, call->workspace.id, &key,
                                          (size_t)query->limit, call->arena, &rows);
    if (backend->reads.failed(call->reading.reader))
        return call_missing(call, "Job");
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++)
        respond_item(call, i, &skipped_times_schema, &rows[i]);
    respond_items_end(call);
    return ERR_OK;
}
