/* Lists of jobs and runs: what is asked of the store, and pages of what it finds. */
#include "api/oracle/lists.h"

#include <string.h>

#include "api/oracle/oracle.h"
#include "api/oracle/run_view.h"
#include "api/respond.h"

/* Places in line that are looked up for one page: each costs a scan of the queue before it. */
enum { QUEUE_POSITIONS_PER_PAGE = 25 };

enum err_code plain_list_parse(struct call *call)
{
    struct plain_list_query *query = call->filter;
    return query->list.page ? page_open_numbers(call, query->list.page, &query->next, 1) : ERR_OK;
}

struct uuid *keys_of(const struct field_list *texts, struct arena *arena, size_t *ret_count)
{
    const char *const *items = texts->items;
    struct uuid *keys = ARENA_ARRAY(arena, texts->count, struct uuid);
    for (size_t i = 0; i < texts->count; i++)
        uuid_parse(items[i], &keys[i]); /* else nil: the key of nothing */
    *ret_count = texts->count;
    return keys;
}

unsigned states_of(const struct field_list *names)
{
    const char *const *items = names->items;
    unsigned states = 0;
    for (size_t i = 0; i < names->count; i++)
        states |= 1U << (unsigned)state_from_name(items[i]);
    return states;
}

/* ---- jobs ---- */

enum err_code job_list_parse(struct call *call)
{
    struct job_list_query *query = call->filter;
    query->filter = (struct job_filter){
        .display_name = query->display_name,
        .display_name_contains = query->display_name_contains,
        .path = query->path,
        .created_by = query->created_by,
        .updated_by = query->updated_by,
    };
    query->filter.jobs = keys_of(&query->job_keys, call->arena, &query->filter.job_count);
    return list_query_open(call, &query->list);
}

static struct field_list cluster_keys(const struct job_details *details, struct arena *arena)
{
    const struct job_cluster *clusters = details->job_clusters.items;
    const char **keys = ARENA_ARRAY(arena, details->job_clusters.count, const char *);
    size_t count = 0;
    for (size_t i = 0; i < details->job_clusters.count; i++)
        if (clusters[i].cluster_key)
            keys[count++] = clusters[i].cluster_key;
    return (struct field_list){keys, count};
}

static struct job_summary_view job_summary_view(const struct reading *at, const struct job_row *row,
                                                const struct job_details *details)
{
    struct arena *arena = at->arena;
    int64_t next_ms = FIELD_NULL;
    job_next_times(at, &row->key, details, 1, &next_ms);
    return (struct job_summary_view){
        .clusters = cluster_keys(details, arena),
        .created_by = row->created_by,
        .created_by_name = row->created_by_name,
        .job_clusters = details->job_clusters,
        .key = key_text(&row->key, arena),
        .name = row->name,
        .path = row->path,
        .run_as = row->run_as,
        .schedule = details->schedule,
        .continuous = details->continuous,
        .next_ms = next_ms,
        .created_ms = row->created_ms,
        .updated_ms = row->updated_ms,
        .updated_by = row->updated_by,
        .updated_by_name = row->updated_by_name,
    };
}

enum err_code respond_job_summary(struct call *call, size_t index, const struct job_row *row)
{
    const struct api_backend *backend = call->backend;
    struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &row->key, row->version);
    if (!def)
        return call_missing(call, "The definition of a job");
    const struct job_summary_view view = job_summary_view(&call->reading, row, &def->details);
    respond_item(call, index, &job_summary_schema, &view);
    job_def_unref(def);
    return ERR_OK;
}

/* The version that the job had at `at_ms`. Versions are numbered from 1 and made one after another. */
static int64_t job_version_at(const struct call *call, const struct job_row *job, int64_t at_ms)
{
    const struct api_reads *reads = &call->backend->reads;
    struct arena scratch;
    int64_t first = 1;
    int64_t last = job->version;
    arena_init(&scratch);
    while (first < last) {
        const int64_t middle = first + (last - first + 1) / 2;
        struct job_version_row version;
        bool found = reads->get_job_version(call->reading.reader, call->workspace.id, &job->key,
                                            middle, &scratch, &version);
        if (found && version.created_ms <= at_ms)
            first = middle;
        else
            last = middle - 1;
        arena_clear(&scratch);
    }
    arena_release(&scratch);
    return first;
}

/* Whether a page before this one had the job under a name that it has lost since (RULES §9). The
 * first page was read at cursor->as_of_event: in a list of jobs that is a time. */
static bool was_listed(const struct call *call, const struct list_query *list,
                       const struct job_row *job)
{
    const struct store_cursor *behind = &list->cursor;
    const struct api_backend *backend = call->backend;
    if (!behind->is_set || list->order.sort == SORT_TIME_CREATED ||
        job->updated_ms <= behind->as_of_event)
        return false;
    const int64_t version = job_version_at(call, job, behind->as_of_event);
    struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &job->key, version);
    if (!def)
        return false;
    int place = strcmp(def->details.name, behind->name);
    if (!list->order.ascending)
        place = -place;
    if (place == 0)
        place = uuid_compare(&behind->key, &job->key);
    job_def_unref(def);
    return place <= 0;
}

enum err_code job_list(struct call *call)
{
    const struct api_backend *backend = call->backend;
    const struct job_list_query *query = call->filter;
    struct job_list list;
    size_t count = 0;
    backend->reads.list_jobs(call->reading.reader, call->workspace.id, &query->filter,
                             &query->list.order, &query->list.cursor, call->arena, &list);
    respond_items_begin(call);
    for (size_t i = 0; i < list.count; i++)
        if (!was_listed(call, &query->list, &list.items[i]) &&
            respond_job_summary(call, count++, &list.items[i]))
            return call->err.code;
    respond_items_end(call);
    if (list.more) {
        if (!query->list.cursor.is_set)
            list.next.as_of_event = backend->now_ms(backend->context);
        respond_next_cursor(call, &list.next);
    }
    return ERR_OK;
}

/* ---- runs ---- */

void respond_runs(struct call *call, const struct run_list *list)
{
    int budget = QUEUE_POSITIONS_PER_PAGE;
    respond_items_begin(call);
    for (size_t i = 0; i < list->count; i++) {
        const struct job_run_summary_view view =
            job_run_summary_view(&call->reading, &list->items[i], &budget);
        respond_item(call, i, &job_run_summary_schema, &view);
    }
    respond_items_end(call);
    if (list->more)
        respond_next_cursor(call, &list->next);
}

enum err_code job_run_list_parse(struct call *call)
{
    struct run_list_query *query = call->filter;
    query->filter = (struct run_filter){
        .display_name = query->display_name,
        .states = states_of(&query->statuses),
        .created_from_ms = query->created_from_ms,
        .created_to_ms = query->created_to_ms,
    };
    query->filter.jobs = keys_of(&query->job_keys, call->arena, &query->filter.job_count);
    return list_query_open(call, &query->list);
}

enum err_code job_run_list(struct call *call)
{
    const struct run_list_query *query = call->filter;
    struct run_list list;
    call->backend->reads.list_runs(call->reading.reader, call->workspace.id, &query->filter,
                                   &query->list.order, &query->list.cursor, call->arena, &list);
    respond_runs(call, &list);
    return ERR_OK;
}
