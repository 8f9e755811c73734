/* The store in memory: lists, a page at a time. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/memory.h"
#include "store/page.h"

/* ---- everything that matches, sorted, and then the page cut out ---- */

struct listed {
    struct place place;
    const void *row;
};

struct listing {
    struct listed *items;
    size_t count;
    size_t cap;
};

static void listing_add(struct listing *listing, const struct place *place, const void *row)
{
    GROW(listing->items, listing->count, listing->cap);
    listing->items[listing->count++] = (struct listed){*place, row};
}

/* Sorts and cuts; copies of the page's rows in *ret_rows. The listing is released. */
static size_t listing_cut(struct listing *listing, enum row_kind kind,
                          const struct list_order *order, const struct store_cursor *cursor,
                          struct arena *arena, void **ret_rows, bool *ret_more,
                          struct store_cursor *ret_next)
{
    const struct table *table = &store_tables[kind];
    const size_t size = sizeof *listing->items;
    places_sort(order, listing->items, listing->count, size);
    size_t first = places_after(order, cursor, listing->items, listing->count, size);
    size_t count = listing->count - first;
    *ret_more = count > order->limit;
    if (*ret_more)
        count = order->limit;
    assert(count == 0 || listing->items);
    char *rows = arena_array(arena, count, table->row_size);
    for (size_t i = 0; i < count; i++)
        table_copy_row(table, listing->items[first + i].row, rows + i * table->row_size, arena);
    if (*ret_more && count > 0) {
        *ret_next = cursor_behind(cursor, &listing->items[first + count - 1].place);
        ret_next->name = arena_strdup(arena, ret_next->name);
    }
    free(listing->items);
    *ret_rows = rows;
    return count;
}

/* The cursor of this page: the one given, or that of a first page, as of now. */
static struct store_cursor cursor_of(struct memory_store *store, const struct store_cursor *given,
                                     int64_t workspace)
{
    if (given && given->is_set)
        return *given;
    struct store_cursor cursor = {0};
    memset(&cursor.as_of, 0xff, sizeof cursor.as_of);
    cursor.as_of_event = memory_newest_event(store, workspace);
    return cursor;
}

/* The state of a run when `as_of_event` was the newest event. */
static enum state status_as_of(const struct memory_rows *rows, const struct run_row *run,
                               int64_t as_of_event)
{
    const struct event_row key = {
        .workspace = run->workspace, .run = run->key, .number = as_of_event + 1};
    size_t place = memory_rows_from(rows, ROW_EVENT, &key, 3);
    for (; memory_rows_is_at(rows, ROW_EVENT, place, &key, 2); place++) {
        const struct event_row *event = rows->tables[ROW_EVENT].rows[place];
        if (event->type == EVENT_RUN_STATE)
            return event->from;
    }
    return run->state;
}

static struct place place_of_run(const struct memory_rows *rows, const struct run_row *run,
                                 const struct list_order *order, const struct store_cursor *cursor)
{
    enum state status = run->state;
    if (order->sort == SORT_STATUS)
        status = status_as_of(rows, run, cursor->as_of_event);
    return (struct place){run->job_name, status, run->key};
}

static void finish_runs(struct listing *listing, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret)
{
    void *rows;
    *ret = (struct run_list){0};
    ret->count = listing_cut(listing, ROW_RUN, order, cursor, arena, &rows, &ret->more, &ret->next);
    ret->items = rows;
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i].parameters = ret->items[i].queue = ret->items[i].schedule = NULL;
}

/* Keys made later are on no page: the newest of now is the last of this list. */
static void set_as_of(struct store_cursor *cursor, const struct memory_table *table, size_t end,
                      size_t key_offset)
{
    if (!cursor->is_set && end > 0)
        memcpy(&cursor->as_of, (const char *)table->rows[end - 1] + key_offset,
               sizeof cursor->as_of);
}

void memory_list_runs(struct store_reader *base, int64_t workspace, const struct run_filter *filter,
                      const struct list_order *order, const struct store_cursor *given,
                      struct arena *arena, struct run_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    struct store_cursor cursor = cursor_of(reader->store, given, workspace);
    const struct run_row key = {.workspace = workspace};
    struct listing listing = {0};
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_RUN, &key, &first);
    set_as_of(&cursor, &rows->tables[ROW_RUN], end, offsetof(struct run_row, key));
    for (size_t i = first; i < end; i++) {
        const struct run_row *run = rows->tables[ROW_RUN].rows[i];
        const struct place place = place_of_run(rows, run, order, &cursor);
        if (uuid_compare(&run->key, &cursor.as_of) <= 0 && run_matches(filter, run, place.status))
            listing_add(&listing, &place, run);
    }
    finish_runs(&listing, order, &cursor, arena, ret);
    memory_reader_unlock(reader);
}

void memory_recent_runs(struct store_reader *base, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *given, struct arena *arena, struct run_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    struct store_cursor cursor = cursor_of(reader->store, given, workspace);
    const struct run_row key = {.workspace = workspace};
    struct listing listing = {0};
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_RUN, &key, &first);
    size_t *taken = xcalloc(job_count + 1, sizeof *taken);
    set_as_of(&cursor, &rows->tables[ROW_RUN], end, offsetof(struct run_row, key));
    for (size_t i = end; i-- > first;) { /* newest first */
        const struct run_row *run = rows->tables[ROW_RUN].rows[i];
        size_t job = 0;
        while (job < job_count && !uuid_equal(&jobs[job], &run->job))
            job++;
        if (job == job_count || taken[job] == per_job || uuid_compare(&run->key, &cursor.as_of) > 0)
            continue;
        taken[job]++;
        const struct place place = place_of_run(rows, run, order, &cursor);
        listing_add(&listing, &place, run);
    }
    free(taken);
    finish_runs(&listing, order, &cursor, arena, ret);
    memory_reader_unlock(reader);
}

void memory_list_jobs(struct store_reader *base, int64_t workspace, const struct job_filter *filter,
                      const struct list_order *order, const struct store_cursor *given,
                      struct arena *arena, struct job_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    struct store_cursor cursor = cursor_of(reader->store, given, workspace);
    struct list_order by = *order;
    const struct job_row key = {.workspace = workspace};
    struct listing listing = {0};
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_JOB, &key, &first);
    if (by.sort == SORT_STATUS)
        by.sort = SORT_DISPLAY_NAME;
    set_as_of(&cursor, &rows->tables[ROW_JOB], end, offsetof(struct job_row, key));
    for (size_t i = first; i < end; i++) {
        const struct job_row *job = rows->tables[ROW_JOB].rows[i];
        const struct place place = {.name = job->name, .key = job->key};
        if (uuid_compare(&job->key, &cursor.as_of) <= 0 && job_matches(filter, job))
            listing_add(&listing, &place, job);
    }
    void *items;
    *ret = (struct job_list){0};
    ret->count =
        listing_cut(&listing, ROW_JOB, &by, &cursor, arena, &items, &ret->more, &ret->next);
    ret->items = items;
    memory_reader_unlock(reader);
}

void memory_list_operations(struct store_reader *base, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *given, struct arena *arena,
                            struct operation_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    struct store_cursor cursor = cursor_of(reader->store, given, workspace);
    const struct list_order by = {SORT_TIME_CREATED, order->ascending, order->limit};
    const struct operation_row key = {.workspace = workspace};
    struct listing listing = {0};
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_OPERATION, &key, &first);
    set_as_of(&cursor, &rows->tables[ROW_OPERATION], end, offsetof(struct operation_row, key));
    for (size_t i = first; i < end; i++) {
        const struct operation_row *operation = rows->tables[ROW_OPERATION].rows[i];
        const struct place place = {.key = operation->key};
        if (uuid_compare(&operation->key, &cursor.as_of) <= 0 &&
            operation_matches(filter, operation))
            listing_add(&listing, &place, operation);
    }
    void *items;
    *ret = (struct operation_list){0};
    ret->count =
        listing_cut(&listing, ROW_OPERATION, &by, &cursor, arena, &items, &ret->more, &ret->next);
    ret->items = items;
    memory_reader_unlock(reader);
}
