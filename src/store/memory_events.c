/* Events of a workspace: everything that matches, sorted, and then cut. */
#include <stdlib.h>

#include "store/memory.h"

int64_t memory_newest_event(struct memory_store *store, int64_t workspace)
{
    const struct workspace_row *row = memory_workspace(store, workspace);
    return row ? row->last_event : 0;
}

int64_t memory_read_newest_event(struct store_reader *base, int64_t workspace)
{
    struct memory_reader *reader = memory_reader_lock(base);
    int64_t newest = memory_newest_event(reader->store, workspace);
    memory_reader_unlock(reader);
    return newest;
}

static int by_number(const void *a, const void *b)
{
    const struct event_row *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static bool event_matches(const struct event_row *event, const struct run_row *run,
                          const struct event_filter *filter, int64_t after)
{
    return event->number > after && (!filter->run || uuid_equal(&event->run, filter->run)) &&
           (!filter->job || uuid_equal(&run->job, filter->job));
}

size_t memory_workspace_events(struct store_reader *base, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct event_row key = {.workspace = workspace};
    size_t count = 0, first = memory_rows_from(rows, ROW_EVENT, &key, 1), end = first;
    while (memory_rows_is_at(rows, ROW_EVENT, end, &key, 1))
        end++;
    struct event_row *items = ARENA_ARRAY(arena, end - first, struct event_row);
    for (size_t i = first; i < end; i++) {
        const struct event_row *event = rows->tables[ROW_EVENT].rows[i];
        const struct run_row wanted = {.workspace = workspace, .key = event->run};
        const struct run_row *run = memory_rows_find(rows, ROW_RUN, &wanted);
        if (event_matches(event, run, filter, after))
            table_copy_row(&store_tables[ROW_EVENT], event, &items[count++], arena);
    }
    if (count)
        qsort(items, count, sizeof *items, by_number);
    memory_fill_task_keys(rows, items, count, arena);
    for (size_t i = 0; i < count; i++) {
        const struct run_row wanted = {.workspace = workspace, .key = items[i].run};
        const struct run_row *run = memory_rows_find(rows, ROW_RUN, &wanted);
        items[i].job = run->job;
        items[i].job_name = arena_strdup(arena, run->job_name);
    }
    *ret = items;
    *ret_upto = count > max || (count && count == max)
                    ? items[max - 1].number
                    : memory_newest_event(reader->store, workspace);
    memory_reader_unlock(reader);
    return count < max ? count : max;
}
