/* As sqlite_numbered.c, by going through all rows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/memory.h"
#include "store/page.h"

bool memory_find_number(struct store_reader *base, enum row_kind kind, int64_t workspace,
                        int64_t number, struct arena *arena, void *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct job_row job_key = {.workspace = workspace};
    const struct run_row run_key = {.workspace = workspace};
    const void *key = kind == ROW_JOB ? (const void *)&job_key : (const void *)&run_key;
    size_t first, end = memory_workspace_rows(rows, kind, key, &first);
    bool found = false;
    for (size_t i = first; i < end && !found; i++) {
        const void *row = rows->tables[kind].rows[i];
        int64_t own = kind == ROW_JOB ? ((const struct job_row *)row)->number
                                      : ((const struct run_row *)row)->number;
        found = own == number;
        if (found)
            table_copy_row(&store_tables[kind], row, ret, arena);
    }
    memory_reader_unlock(reader);
    return found;
}

static int newest_plan_first(const void *a, const void *b)
{
    const struct run_row *x = *(const struct run_row *const *)a;
    const struct run_row *y = *(const struct run_row *const *)b;
    if (x->plan_ms != y->plan_ms)
        return (x->plan_ms < y->plan_ms) - (x->plan_ms > y->plan_ms);
    return uuid_compare(&y->key, &x->key);
}

/* Judged by the name that the job has now. */
static bool instance_is_wanted(const struct memory_rows *rows, const struct instance_filter *filter,
                               const struct run_row *run)
{
    struct run_row judged = *run;
    const struct job_row key = {.workspace = run->workspace, .key = run->job};
    const struct job_row *job = memory_rows_find(rows, ROW_JOB, &key);
    judged.job_name = job ? job->name : NULL;
    return (!filter->job || uuid_equal(filter->job, &run->job)) &&
           run->plan_ms >= filter->from_ms && run->plan_ms <= filter->to_ms &&
           instance_matches(filter, &judged);
}

void memory_list_instances(struct store_reader *base, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct run_row key = {.workspace = workspace};
    size_t first, end = memory_workspace_rows(rows, ROW_RUN, &key, &first), count = 0;
    const struct run_row **found = ARENA_ARRAY(arena, end - first, const struct run_row *);
    for (size_t i = first; i < end; i++) {
        const struct run_row *run = rows->tables[ROW_RUN].rows[i];
        if (instance_is_wanted(rows, filter, run))
            found[count++] = run;
    }
    if (count)
        qsort(found, count, sizeof(const struct run_row *), newest_plan_first);
    *ret = (struct instance_list){.items = ARENA_ARRAY(arena, filter->limit, struct run_row),
                                  .total = (int64_t)count};
    for (size_t i = filter->offset; i < count && ret->count < filter->limit; i++) {
        struct run_row *item = &ret->items[ret->count++];
        table_copy_row(&store_tables[ROW_RUN], found[i], item, arena);
        item->parameters = item->queue = item->schedule = NULL;
    }
    memory_reader_unlock(reader);
}

static bool job_is_wanted(const struct memory_rows *rows, const struct numbered_job_filter *filter,
                          const struct job_row *job)
{
    const struct schedule_row key = {.workspace = job->workspace, .job = job->key};
    const struct schedule_row *schedule = memory_rows_find(rows, ROW_SCHEDULE, &key);
    bool has_number = filter->number_count == 0;
    for (size_t i = 0; i < filter->number_count; i++)
        has_number |= filter->numbers[i] == job->number;
    return has_number && job->deleted_ms == FIELD_NULL &&
           (!filter->name_part || strstr(job->name, filter->name_part)) &&
           (filter->is_active == FIELD_UNSET ||
            filter->is_active == (schedule && schedule->active == 1));
}

void memory_list_numbered_jobs(struct store_reader *base, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct job_row key = {.workspace = workspace};
    size_t first, end = memory_workspace_rows(rows, ROW_JOB, &key, &first);
    *ret = (struct numbered_job_list){.items = ARENA_ARRAY(arena, filter->limit, struct job_row)};
    for (size_t i = end; i-- > first;) {
        const struct job_row *job = rows->tables[ROW_JOB].rows[i];
        if (!job_is_wanted(rows, filter, job))
            continue;
        if ((size_t)ret->total++ >= filter->offset && ret->count < filter->limit)
            table_copy_row(&store_tables[ROW_JOB], job, &ret->items[ret->count++], arena);
    }
    memory_reader_unlock(reader);
}
