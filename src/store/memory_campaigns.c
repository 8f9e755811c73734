/* The store in memory: campaigns and their cells, and runs by planned time. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/memory.h"
#include "store/page.h"

size_t memory_campaigns(struct store_reader *base, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_table *table = &reader->store->rows.tables[ROW_CAMPAIGN];
    size_t max = table->count < filter->limit ? table->count : filter->limit;
    size_t count = 0;
    *ret = ARENA_ARRAY(arena, max, struct campaign_row);
    for (size_t i = table->count; i-- > 0 && count < max;) {
        const struct campaign_row *row = table->rows[i];
        bool is_behind = uuid_is_nil(&filter->before) ||
                         uuid_compare(&row->key, &filter->before) < 0;
        if (row->workspace == workspace && is_behind && campaign_is_wanted(filter, row))
            table_copy_row(&store_tables[ROW_CAMPAIGN], row, &(*ret)[count++], arena);
    }
    memory_reader_unlock(reader);
    return count;
}

size_t memory_active_campaigns(struct store_reader *base, int64_t workspace, struct arena *arena,
                               struct uuid **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_table *table = &reader->store->rows.tables[ROW_CAMPAIGN];
    size_t count = 0;
    *ret = ARENA_ARRAY(arena, table->count, struct uuid);
    for (size_t i = 0; i < table->count; i++) {
        const struct campaign_row *row = table->rows[i];
        if (row->workspace == workspace && !campaign_is_final((enum campaign_state)row->state))
            (*ret)[count++] = row->key;
    }
    memory_reader_unlock(reader);
    return count;
}

size_t memory_campaigns_of_run(struct store_reader *base, int64_t workspace, const struct uuid *run,
                               struct arena *arena, struct uuid **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_table *table = &reader->store->rows.tables[ROW_CAMPAIGN_CELL];
    size_t count = 0;
    *ret = ARENA_ARRAY(arena, table->count, struct uuid);
    for (size_t i = 0; i < table->count; i++) {
        const struct campaign_cell_row *row = table->rows[i];
        if (row->workspace == workspace && row->state == CELL_FAILED &&
            uuid_equal(&row->run, run) &&
            (count == 0 || !uuid_equal(&(*ret)[count - 1], &row->campaign)))
            (*ret)[count++] = row->campaign;
    }
    memory_reader_unlock(reader);
    return count;
}

size_t memory_campaign_cells(struct store_reader *base, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct memory_table *table = &rows->tables[ROW_CAMPAIGN_CELL];
    const struct campaign_cell_row key = {
        .workspace = workspace, .campaign = *campaign, .position = from_position};
    size_t first = memory_rows_from(rows, ROW_CAMPAIGN_CELL, &key, SIZE_MAX), end = first;
    while (end - first < max && memory_rows_is_at(rows, ROW_CAMPAIGN_CELL, end, &key, 2))
        end++;
    *ret = ARENA_ARRAY(arena, end - first, struct campaign_cell_row);
    for (size_t i = first; i < end; i++)
        table_copy_row(&store_tables[ROW_CAMPAIGN_CELL], table->rows[i], &(*ret)[i - first], arena);
    memory_reader_unlock(reader);
    return end - first;
}

bool memory_campaign_counts(struct store_reader *base, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct memory_table *table = &rows->tables[ROW_CAMPAIGN_CELL];
    const struct campaign_cell_row key = {.workspace = workspace, .campaign = *campaign};
    *ret = (struct campaign_counts){{0}};
    for (size_t i = memory_rows_from(rows, ROW_CAMPAIGN_CELL, &key, SIZE_MAX);
         memory_rows_is_at(rows, ROW_CAMPAIGN_CELL, i, &key, 2); i++)
        ret->cells[((const struct campaign_cell_row *)table->rows[i])->state]++;
    memory_reader_unlock(reader);
    return true;
}

static int compare_planned(const void *a, const void *b)
{
    const struct run_row *x = *(const struct run_row *const *)a;
    const struct run_row *y = *(const struct run_row *const *)b;
    if (x->plan_ms != y->plan_ms)
        return x->plan_ms < y->plan_ms ? -1 : 1;
    return uuid_compare(&x->key, &y->key);
}

/* Ascending by planned time, then by key. */
static const struct run_row **planned_between(const struct memory_reader *reader, int64_t workspace,
                                              const struct uuid *job, int64_t from_ms,
                                              int64_t to_ms, struct arena *arena, size_t *ret)
{
    const struct memory_table *table = &reader->store->rows.tables[ROW_RUN];
    const struct run_row **found = ARENA_ARRAY(arena, table->count, const struct run_row *);
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct run_row *row = table->rows[i];
        if (row->workspace == workspace && uuid_equal(&row->job, job) && row->plan_ms >= from_ms &&
            row->plan_ms <= to_ms)
            found[count++] = row;
    }
    if (count)
        qsort(found, count, sizeof *found, compare_planned);
    *ret = count;
    return found;
}

size_t memory_window_runs(struct store_reader *base, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct window_run **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    size_t found_count;
    const struct run_row **found =
        planned_between(reader, workspace, job, from_ms, to_ms, arena, &found_count);
    size_t count = found_count < max ? found_count : max;
    *ret = ARENA_ARRAY(arena, count, struct window_run);
    for (size_t i = 0; i < count; i++) {
        const struct run_row *row = found[found_count - 1 - i];
        (*ret)[i] = (struct window_run){row->key, row->plan_ms, row->launched, row->instance_type,
                                        row->state};
    }
    memory_reader_unlock(reader);
    return count;
}

size_t memory_planned_runs(struct store_reader *base, int64_t workspace, const struct uuid *job,
                           int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                           struct run_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    size_t count;
    const struct run_row **found =
        planned_between(reader, workspace, job, from_ms, to_ms, arena, &count);
    if (count > max)
        count = max;
    *ret = ARENA_ARRAY(arena, count, struct run_row);
    for (size_t i = 0; i < count; i++) {
        table_copy_row(&store_tables[ROW_RUN], found[i], &(*ret)[i], arena);
        (*ret)[i].parameters = (*ret)[i].queue = (*ret)[i].schedule = NULL;
    }
    memory_reader_unlock(reader);
    return count;
}
