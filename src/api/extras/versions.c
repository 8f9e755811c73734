/* The versions of a job: each is a whole definition that was saved once and never changes. */
#include <stdlib.h>
#include <string.h>

#include "api/extras/extras.h"
#include "api/oracle/lists.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

enum { VERSION_DIGITS = 15 }; /* below 2^53 */

struct version_view {
    const char *job_key;
    int64_t version;
    int8_t is_current;
    int64_t created_ms;
    const char *created_by;
    const char *definition; /* JSON; not of the summary */
};

#define VERSION_ROWS                                                                               \
    {.name = "jobKey", .kind = FIELD_STRING, AT(version_view, job_key), .doc = "Key of the job."}, \
        {.name = "version",                                                                        \
         .kind = FIELD_INT64,                                                                      \
         AT(version_view, version),                                                                \
         .doc = "Its number, from 1: what `definition` of a repair may name."},                    \
        {.name = "isCurrent",                                                                      \
         .kind = FIELD_BOOL,                                                                       \
         AT(version_view, is_current),                                                             \
         .doc = "Whether it is the job's definition now."},                                        \
        {.name = "timeCreated",                                                                    \
         .kind = FIELD_TIME,                                                                       \
         AT(version_view, created_ms),                                                             \
         .doc = "When it was saved."},                                                             \
    {                                                                                              \
        .name = "createdBy", .kind = FIELD_STRING, AT(version_view, created_by),                   \
        .doc = "Who saved it."                                                                     \
    }

static const struct field summary_fields[] = {VERSION_ROWS};
const struct schema job_version_summary_schema =
    SCHEMA("JobVersionSummary", version_view, summary_fields, "A version of a job's definition.");

static const struct field version_fields[] = {
    VERSION_ROWS,
    {.name = "definition",
     .kind = FIELD_RAW,
     .raw_kind = FIELD_OBJECT,
     .object = &job_details_schema,
     AT(version_view, definition),
     .doc = "The definition as it was saved, with defaults filled in."},
};
const struct schema job_version_schema =
    SCHEMA("JobVersion", version_view, version_fields,
           "A version of a job's definition, with the definition.");

/* The job of the path, one that is not deleted; false with call->err. */
static bool read_job(struct call *call, struct job_row *ret)
{
    struct uuid key;
    if (call_key(call, 0, "Job", &key))
        return false;
    if (call->backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                     ret) &&
        ret->deleted_ms == FIELD_NULL)
        return true;
    call_missing(call, "Job");
    return false;
}

static bool read_version(struct call *call, const struct job_row *job, int64_t version,
                         struct arena *arena, struct version_view *ret)
{
    struct job_version_row row;
    if (!call->backend->reads.get_job_version(call->reading.reader, call->workspace.id, &job->key,
                                              version, arena, &row))
        return false;
    *ret = (struct version_view){
        .job_key = key_text(&job->key, arena),
        .version = row.version,
        .is_current = row.version == job->version,
        .created_ms = row.created_ms,
        .created_by = row.created_by,
        .definition = row.definition,
    };
    return true;
}

enum err_code version_list(struct call *call)
{
    const struct plain_list_query *query = call->filter;
    struct job_row job;
    if (!read_job(call, &job))
        return call->err.code;
    /* A token holds the number that the page begins with; versions are numbered without gaps. */
    int64_t next = query->next ? query->next : job.version;
    struct arena one; /* definitions are long, and not shown here */
    arena_init(&one);
    respond_items_begin(call);
    for (int64_t i = 0; i < query->list.limit && next > 0; i++, next--) {
        struct version_view view;
        arena_clear(&one);
        if (!read_version(call, &job, next, &one, &view))
            break;
        respond_item(call, (size_t)i, &job_version_summary_schema, &view);
    }
    respond_items_end(call);
    arena_release(&one);
    if (next > 0)
        respond_next_page(call, page_of_numbers(call, &next, 1));
    return ERR_OK;
}

enum err_code version_get(struct call *call)
{
    const char *text = call->keys[1];
    size_t digits = strspn(text, "0123456789");
    struct version_view view;
    struct job_row job;
    if (!read_job(call, &job))
        return call->err.code;
    bool is_number = digits && digits <= VERSION_DIGITS && !text[digits] && text[0] != '0';
    if (!is_number || !read_version(call, &job, strtoll(text, NULL, 10), call->arena, &view))
        return call_missing(call, "Version");
    respond_json(call, 200);
    fields_print(&job_version_schema, &view, &call->response->body);
    return ERR_OK;
}
