/* Task runs: one, those of a run, and the attempts of one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/task_view.h"
#include "api/respond.h"

/* ---- one ---- */

enum err_code task_run_get(struct call *call)
{
    struct uuid key;
    char etag[ETAG_TEXT];
    if (call_key(call, 0, "Task run", &key))
        return call->err.code;
    if (!task_run_print(&call->reading, &key, &call->response->body, etag))
        return call_missing(call, "Task run");
    respond_json(call, 200);
    respond_etag(call, etag);
    return ERR_OK;
}

/* ---- attempts ---- */

enum err_code retry_list_parse(struct call *call)
{
    struct plain_list_query *query = call->filter;
    return query->list.page ? page_open_numbers(call, query->list.page, &query->next, 1) : ERR_OK;
}

enum err_code retry_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    const struct plain_list_query *query = call->filter;
    struct task_run_row row;
    struct uuid key;
    if (call_key(call, 0, "Task run", &key))
        return call->err.code;
    if (!reads->get_task_run(call->reading.reader, call->workspace.id, &key, call->arena, &row))
        return call_missing(call, "Task run");
    struct attempt_row *attempts;
    size_t count = reads->attempts(call->reading.reader, call->workspace.id, &key, query->next,
                                   (size_t)query->list.limit + 1, call->arena, &attempts);
    struct field_list views = retry_views(call->arena, &row, attempts, count);
    bool more = views.count > (size_t)query->list.limit;
    if (more)
        views.count--;
    respond_items_begin(call);
    for (size_t i = 0; i < views.count; i++)
        respond_item(call, i, &task_run_retry_schema, (const struct retry_view *)views.items + i);
    respond_items_end(call);
    const int64_t next = query->next + query->list.limit;
    if (more)
        respond_next_page(call, page_of_numbers(call, &next, 1));
    return ERR_OK;
}

/* ---- those of a run ----
 *
 * Sorted in memory: they are the tasks of one run. A page token holds the repair and the event as
 * of which the first page was made, and how many items came before: states are those of then, so
 * that no task run is on two pages or on none. */

enum { PLACE_REPAIR, PLACE_EVENT, PLACE_OFFSET, PLACE_COUNT };

enum err_code task_run_list_parse(struct call *call)
{
    struct task_run_list_query *query = call->filter;
    query->states = states_of(&query->statuses);
    enum err_code code = ERR_OK;
    const char *page = query->list.page;
    query->list.page = NULL; /* not a cursor of the store */
    code = list_query_open(call, &query->list);
    if (!code && page)
        code = page_open_numbers(call, page, query->place, PLACE_COUNT);
    query->list.page = page;
    return code;
}

struct item {
    const struct task_run_row *row;
    enum state state; /* as of the first page */
    enum store_sort sort;
    bool ascending;
};

static int compare_items(const void *x, const void *y)
{
    const struct item *a = x;
    const struct item *b = y;
    int order = 0;
    if (a->sort == SORT_DISPLAY_NAME)
        order = strcmp(a->row->task_key, b->row->task_key);
    else if (a->sort == SORT_STATUS)
        order = (a->state > b->state) - (a->state < b->state);
    else
        order = (a->row->created_ms > b->row->created_ms) -
                (a->row->created_ms < b->row->created_ms);
    if (order)
        return a->ascending ? order : -order;
    if (a->row->created_ms != b->row->created_ms)
        return a->row->created_ms > b->row->created_ms ? -1 : 1;
    return uuid_compare(&a->row->key, &b->row->key);
}

/* Its state when the newest event was `event`. */
static enum state state_as_of(const struct reading *at, const struct task_run_row *row,
                              int64_t event)
{
    if (row->last_event <= event)
        return row->state;
    struct event_row *events;
    enum state state = row->state;
    size_t count = at->api->backend.reads.entity_events(at->reader, row->workspace, &row->run,
                                                        &row->key, at->arena, &events);
    for (size_t i = 0; i < count && events[i].number <= event; i++)
        if (events[i].type == EVENT_TASK_STATE)
            state = events[i].to;
    return state;
}

static bool is_wanted(const struct task_run_list_query *query, const struct item *item)
{
    if (query->display_name && strcmp(query->display_name, item->row->task_key) != 0)
        return false;
    return !query->states || (query->states >> (unsigned)item->state & 1);
}

/* A filter by a key that the run has not leaves nothing. */
static bool is_wanted_run(const struct task_run_list_query *query, const struct run_source *source)
{
    const char *parent = query->parent_job_run_key;
    const char *root = query->root_job_run_key;
    if (parent && (!source->parent_key || strcasecmp(parent, source->parent_key) != 0))
        return false;
    return !root || strcasecmp(root, source->root_key) == 0;
}

static size_t collect(const struct run_source *source, const struct task_run_list_query *query,
                      struct item **ret)
{
    struct arena *arena = source->at->arena;
    struct job_def *def = run_source_def(source, query->place[PLACE_REPAIR]);
    if (!def)
        return 0;
    const struct task_run_row **rows =
        ARENA_ARRAY(arena, def->task_count, const struct task_run_row *);
    struct item *items = ARENA_ARRAY(arena, def->task_count, struct item);
    size_t count = 0;
    run_image_map(&source->image, def, query->place[PLACE_REPAIR], rows);
    for (uint32_t i = 0; i < def->task_count; i++) {
        if (!rows[i])
            continue;
        const struct item item = {
            .row = rows[i],
            .state = state_as_of(source->at, rows[i], query->place[PLACE_EVENT]),
            .sort = query->list.order.sort,
            .ascending = query->list.order.ascending,
        };
        if (is_wanted(query, &item))
            items[count++] = item;
    }
    job_def_unref(def);
    qsort(items, count, sizeof *items, compare_items);
    *ret = items;
    return count;
}

/* The newest attempt of a task run that a later repair replaced is not in the image. */
static const struct attempt_row *shown_attempt(const struct run_source *source,
                                               const struct task_run_row *row)
{
    const struct reading *at = source->at;
    const struct attempt_row *attempt = newest_attempt(source, row);
    if (attempt || row->attempt == FIELD_NULL)
        return attempt;
    struct attempt_row *attempts;
    size_t count = at->api->backend.reads.attempts(at->reader, row->workspace, &row->key,
                                                   row->attempt, 1, at->arena, &attempts);
    return count ? attempts : NULL;
}

static void respond_page(struct call *call, const struct run_source *source,
                         struct task_run_list_query *query)
{
    struct item *items = NULL;
    size_t count = is_wanted_run(query, source) ? collect(source, query, &items) : 0;
    size_t first = (size_t)query->place[PLACE_OFFSET];
    size_t end = first < count ? first : count;
    respond_items_begin(call);
    for (; end < count && end - first < query->list.order.limit; end++) {
        const struct task_run_row *row = items[end].row;
        respond_item(call, end - first, &task_run_summary_schema,
                     task_run_summary_view(source, row, shown_attempt(source, row)));
    }
    respond_items_end(call);
    query->place[PLACE_OFFSET] = (int64_t)end;
    if (end < count)
        respond_next_page(call, page_of_numbers(call, query->place, PLACE_COUNT));
}

enum err_code task_run_list(struct call *call)
{
    struct task_run_list_query *query = call->filter;
    struct run_source source;
    struct uuid key;
    if (!uuid_parse(query->job_run_key, &key) ||
        !run_source_load(&call->reading, &key, NULL, &source))
        return call_missing(call, "Job run");
    enum err_code code = ERR_OK;
    int64_t newest = (int64_t)source.image.repair_count - 1;
    if (!query->list.page) {
        query->place[PLACE_REPAIR] = query->repair_key == FIELD_NULL ? newest : query->repair_key;
        query->place[PLACE_EVENT] = source.stamps.last_event;
    }
    if (query->place[PLACE_REPAIR] > newest)
        code = err_set(&call->err, ERR_INVALID_PARAMETER,
                       "repairKey must be the key of a repair of this run, 0 to %lld",
                       (long long)newest);
    else
        respond_page(call, &source, query);
    run_source_release(&source);
    return code;
}
