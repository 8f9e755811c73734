#include "store/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/page.h"

struct memory_reader *memory_reader_lock(struct store_reader *base)
{
    struct memory_reader *reader = CONTAINER_OF(base, struct memory_reader, base);
    if (!reader->inside)
        pthread_mutex_lock(&reader->store->lock);
    return reader;
}

void memory_reader_unlock(struct memory_reader *reader)
{
    if (!reader->inside)
        pthread_mutex_unlock(&reader->store->lock);
}

static void reader_close(struct store_reader *base)
{
    free(CONTAINER_OF(base, struct memory_reader, base));
}

static void read_begin(struct store_reader *base)
{
    (void)base;
}

static void read_end(struct store_reader *base)
{
    (void)base;
}

static uint64_t read_version(struct store_reader *base)
{
    struct memory_reader *reader = memory_reader_lock(base);
    uint64_t version = reader->store->version;
    memory_reader_unlock(reader);
    return version;
}

static bool reader_failed(const struct store_reader *base)
{
    (void)base;
    return false;
}

/* ---- rows by id ---- */

static const struct job_version_row *newest_version(const struct memory_rows *rows,
                                                    const struct row_id *id)
{
    const struct job_version_row key = {
        .workspace = id->workspace, .job = *id->key, .version = INT64_MAX};
    size_t place = memory_rows_from(rows, ROW_JOB_VERSION, &key, SIZE_MAX);
    if (place == 0 || !memory_rows_is_at(rows, ROW_JOB_VERSION, place - 1, &key, 2))
        return NULL;
    return rows->tables[ROW_JOB_VERSION].rows[place - 1];
}

static const struct task_run_row *task_run_of_key(const struct memory_rows *rows, int64_t workspace,
                                                  const struct uuid *key)
{
    const struct task_run_row *row = uuid_map_get(&rows->task_runs, key);
    return row && row->workspace == workspace ? row : NULL;
}

static const void *find_row(const struct memory_rows *rows, enum row_kind kind,
                            const struct row_id *id)
{
    switch (kind) {
    case ROW_JOB:
        return memory_rows_find(rows, kind,
                                &(struct job_row){.workspace = id->workspace, .key = *id->key});
    case ROW_JOB_VERSION:
        if (!id->version)
            return newest_version(rows, id);
        return memory_rows_find(rows, kind,
                                &(struct job_version_row){.workspace = id->workspace,
                                                          .job = *id->key,
                                                          .version = id->version});
    case ROW_SCHEDULE:
        return memory_rows_find(
            rows, kind, &(struct schedule_row){.workspace = id->workspace, .job = *id->key});
    case ROW_RUN:
        return memory_rows_find(rows, kind,
                                &(struct run_row){.workspace = id->workspace, .key = *id->key});
    case ROW_TASK_RUN:
        return task_run_of_key(rows, id->workspace, id->key);
    case ROW_OPERATION:
        return memory_rows_find(
            rows, kind, &(struct operation_row){.workspace = id->workspace, .key = *id->key});
    case ROW_RETRY_TOKEN: {
        struct retry_token_row key = {.workspace = id->workspace};
        memcpy(key.scope, id->hash, sizeof key.scope);
        return memory_rows_find(rows, kind, &key);
    }
    case ROW_USER:
    case ROW_ROLE:
    case ROW_TOKEN:
    case ROW_API_KEY:
    case ROW_ACCESS_KEY:
    case ROW_SECRET:
        return memory_account(rows, kind, id);
    case ROW_RESOURCE:
        return memory_rows_find(
            rows, kind, &(struct resource_row){.workspace = id->workspace, .key = *id->key});
    case ROW_CAMPAIGN:
        return memory_rows_find(
            rows, kind, &(struct campaign_row){.workspace = id->workspace, .key = *id->key});
    case ROW_CAMPAIGN_CELL:
    case ROW_RECENT_JOB:
    case ROW_JOB_PERMISSION:
    case ROW_SKIPPED:
    case ROW_REPAIR:
    case ROW_ATTEMPT:
    case ROW_EVENT:
    case ROW_AUDIT:
    case ROW_KIND_COUNT:
        break;
    }
    abort(); /* not found by an id */
}

static bool get(struct store_reader *base, enum row_kind kind, const struct row_id *id,
                struct arena *arena, void *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const void *row = find_row(&reader->store->rows, kind, id);
    if (row)
        table_copy_row(&store_tables[kind], row, ret, arena);
    memory_reader_unlock(reader);
    return row != NULL;
}

/* ---- a run ---- */

static const struct run_row *find_run(const struct memory_rows *rows, int64_t workspace,
                                      const struct uuid *key)
{
    const struct run_row wanted = {.workspace = workspace, .key = *key};
    return memory_rows_find(rows, ROW_RUN, &wanted);
}

static bool get_run_etag(struct store_reader *base, int64_t workspace, const struct uuid *key,
                         int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct run_row *run = find_run(rows, workspace, key);
    if (run) {
        *ret_version = run->version;
        *ret_last_event = run->last_event;
        *ret_updated_ms = run->updated_ms;
        const struct event_row after = {.workspace = workspace, .run = *key, .number = INT64_MAX};
        size_t place = memory_rows_from(rows, ROW_EVENT, &after, SIZE_MAX);
        if (place > 0 && memory_rows_is_at(rows, ROW_EVENT, place - 1, &after, 2)) {
            const struct event_row *event = rows->tables[ROW_EVENT].rows[place - 1];
            if (event->number > *ret_last_event)
                *ret_last_event = event->number;
            if (event->time_ms > *ret_updated_ms)
                *ret_updated_ms = event->time_ms;
        }
    }
    memory_reader_unlock(reader);
    return run != NULL;
}

/* Rows of the kind whose first `columns` key columns are those of `key`, from `place` on. */
static size_t copy_range(const struct memory_rows *rows, enum row_kind kind, size_t place,
                         const void *key, size_t columns, size_t max, struct arena *arena,
                         void **ret)
{
    const struct table *table = &store_tables[kind];
    size_t count = 0;
    while (count < max && memory_rows_is_at(rows, kind, place + count, key, columns))
        count++;
    char *items = arena_array(arena, count, table->row_size);
    for (size_t i = 0; i < count; i++)
        table_copy_row(table, rows->tables[kind].rows[place + i], items + i * table->row_size,
                       arena);
    *ret = items;
    return count;
}

static size_t copy_of_run(const struct memory_rows *rows, enum row_kind kind, const void *key,
                          struct arena *arena, void **ret)
{
    return copy_range(rows, kind, memory_rows_from(rows, kind, key, 2), key, 2, SIZE_MAX, arena,
                      ret);
}

static void keep_newest_attempts(struct run_image *image)
{
    struct uuid_map newest;
    uuid_map_init(&newest);
    run_image_newest(image, &newest);
    size_t kept = 0;
    for (size_t i = 0; i < image->attempt_count; i++)
        if (uuid_map_get(&newest, &image->attempts[i].task_run))
            image->attempts[kept++] = image->attempts[i];
    image->attempt_count = kept;
    uuid_map_release(&newest);
}

static void copy_task_runs(const struct memory_rows *rows, int64_t workspace,
                           const struct uuid *key, struct arena *arena, struct run_image *ret)
{
    const struct task_run_row task_run = {.workspace = workspace, .run = *key};
    const struct attempt_row attempt = {.workspace = workspace, .run = *key};
    void *items;
    ret->task_run_count = copy_of_run(rows, ROW_TASK_RUN, &task_run, arena, &items);
    ret->task_runs = items;
    run_image_sort_task_runs(ret);
    ret->attempt_count = copy_of_run(rows, ROW_ATTEMPT, &attempt, arena, &items);
    ret->attempts = items;
    keep_newest_attempts(ret);
    run_image_drop_traces(ret);
}

static bool get_run_image(struct store_reader *base, int64_t workspace, const struct uuid *key,
                          bool is_outline, struct arena *arena, struct run_image *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct run_row *run = find_run(rows, workspace, key);
    if (run) {
        const struct repair_row repair = {.workspace = workspace, .run = *key};
        *ret = (struct run_image){.is_outline = is_outline};
        void *items;
        table_copy_row(&store_tables[ROW_RUN], run, &ret->run, arena);
        ret->repair_count = copy_of_run(rows, ROW_REPAIR, &repair, arena, &items);
        ret->repairs = items;
        if (!is_outline)
            copy_task_runs(rows, workspace, key, arena, ret);
    }
    memory_reader_unlock(reader);
    return run != NULL;
}

size_t memory_workspace_rows(const struct memory_rows *rows, enum row_kind kind, const void *key,
                             size_t *ret_first)
{
    size_t first = memory_rows_from(rows, kind, key, 1), end = first;
    while (memory_rows_is_at(rows, kind, end, key, 1))
        end++;
    *ret_first = first;
    return end;
}

static size_t active_schedules(struct store_reader *base, int64_t workspace, struct arena *arena,
                               struct schedule_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct schedule_row key = {.workspace = workspace};
    size_t first, count = 0;
    size_t end = memory_workspace_rows(rows, ROW_SCHEDULE, &key, &first);
    *ret = ARENA_ARRAY(arena, end - first, struct schedule_row);
    for (size_t i = first; i < end; i++) {
        const struct schedule_row *row = rows->tables[ROW_SCHEDULE].rows[i];
        if (row->active == 1)
            table_copy_row(&store_tables[ROW_SCHEDULE], row, &(*ret)[count++], arena);
    }
    memory_reader_unlock(reader);
    return count;
}

static size_t skipped(struct store_reader *base, int64_t workspace, const struct uuid *job,
                      size_t max, struct arena *arena, struct skipped_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct skipped_row key = {.workspace = workspace, .job = *job};
    size_t first = memory_rows_from(rows, ROW_SKIPPED, &key, 2), end = first, count = 0;
    while (memory_rows_is_at(rows, ROW_SKIPPED, end, &key, 2))
        end++;
    *ret = ARENA_ARRAY(arena, end - first, struct skipped_row);
    for (size_t i = end; i > first && count < max; i--)
        table_copy_row(&store_tables[ROW_SKIPPED], rows->tables[ROW_SKIPPED].rows[i - 1],
                       &(*ret)[count++], arena);
    memory_reader_unlock(reader);
    return count;
}

static size_t live_runs(struct store_reader *base, int64_t workspace, struct arena *arena,
                        struct uuid **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct run_row key = {.workspace = workspace};
    size_t first, count = 0;
    size_t end = memory_workspace_rows(rows, ROW_RUN, &key, &first);
    *ret = ARENA_ARRAY(arena, end - first, struct uuid);
    for (size_t i = first; i < end; i++) {
        const struct run_row *run = rows->tables[ROW_RUN].rows[i];
        if (!state_is_final(run->state))
            (*ret)[count++] = run->key;
    }
    memory_reader_unlock(reader);
    return count;
}

static bool run_census(struct store_reader *base, int64_t workspace, struct run_census *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct run_row key = {.workspace = workspace};
    struct run_census census = {.queued_since_ms = FIELD_NULL};
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_RUN, &key, &first);
    for (size_t i = first; i < end; i++) {
        const struct run_row *run = rows->tables[ROW_RUN].rows[i];
        if (!state_is_final(run->state))
            census.counts[run->state]++;
        if (run->state == STATE_QUEUED &&
            (census.queued_since_ms == FIELD_NULL || run->queued_ms < census.queued_since_ms))
            census.queued_since_ms = run->queued_ms;
    }
    memory_reader_unlock(reader);
    *ret = census;
    return true;
}

static bool waits_before(const struct run_row *a, const struct run_row *b)
{
    bool a_is_new = a->repair_number == 0 || a->in_campaign == 1;
    bool b_is_new = b->repair_number == 0 || b->in_campaign == 1;
    if (a_is_new != b_is_new)
        return b_is_new;
    if (a->queued_ms != b->queued_ms)
        return a->queued_ms < b->queued_ms;
    return uuid_compare(&a->key, &b->key) < 0;
}

static int64_t queue_position(struct store_reader *base, const struct run_row *run)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    size_t first;
    size_t end = memory_workspace_rows(rows, ROW_RUN, run, &first);
    int64_t position = 0;
    for (size_t i = first; i < end && position < QUEUE_POSITION_MAX; i++) {
        const struct run_row *other = rows->tables[ROW_RUN].rows[i];
        if (other->state == STATE_QUEUED && !other->is_held && uuid_equal(&other->job, &run->job) &&
            waits_before(other, run))
            position++;
    }
    memory_reader_unlock(reader);
    return position;
}

static size_t task_states(struct store_reader *base, int64_t workspace, const struct uuid *run,
                          struct arena *arena, struct task_state **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct task_run_row key = {.workspace = workspace, .run = *run};
    void *items;
    size_t count = copy_of_run(&reader->store->rows, ROW_TASK_RUN, &key, arena, &items);
    const struct task_run_row *rows = items;
    memory_reader_unlock(reader);
    *ret = ARENA_ARRAY(arena, count, struct task_state);
    for (size_t i = 0; i < count; i++)
        (*ret)[i] = (struct task_state){
            .task_key = rows[i].task_key,
            .repair_number = rows[i].repair_number,
            .state = rows[i].state,
            .start_ms = rows[i].start_ms,
            .end_ms = rows[i].end_ms,
        };
    return count;
}

static bool prior_starts(struct store_reader *base, int64_t workspace, const struct uuid *run,
                         const char *task_key, int64_t before_repair, int64_t *ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct task_run_row key = {.workspace = workspace, .run = *run};
    int64_t starts = 0;
    for (size_t i = memory_rows_from(rows, ROW_TASK_RUN, &key, 2);
         memory_rows_is_at(rows, ROW_TASK_RUN, i, &key, 2); i++) {
        const struct task_run_row *row = rows->tables[ROW_TASK_RUN].rows[i];
        if (row->repair_number < before_repair && strcmp(row->task_key, task_key) == 0)
            starts += row->attempts;
    }
    memory_reader_unlock(reader);
    *ret = starts;
    return true;
}

static size_t attempts(struct store_reader *base, int64_t workspace, const struct uuid *task_run,
                       int64_t from_number, size_t max, struct arena *arena,
                       struct attempt_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct task_run_row *owner = task_run_of_key(rows, workspace, task_run);
    struct attempt_row key = {.workspace = workspace, .task_run = *task_run, .number = from_number};
    if (owner)
        key.run = owner->run;
    void *items;
    size_t count = copy_range(rows, ROW_ATTEMPT, memory_rows_from(rows, ROW_ATTEMPT, &key, 4), &key,
                              3, max, arena, &items);
    *ret = items;
    memory_reader_unlock(reader);
    return count;
}

/* ---- events ---- */

void memory_fill_task_keys(const struct memory_rows *rows, struct event_row *events, size_t count,
                           struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        const struct task_run_row *task_run =
            task_run_of_key(rows, events[i].workspace, &events[i].task_run);
        events[i].task_key = task_run ? arena_strdup(arena, task_run->task_key) : NULL;
        events[i].job_name = NULL; /* the writer's, which is gone */
    }
}

static size_t run_events(struct store_reader *base, int64_t workspace, const struct uuid *run,
                         int64_t after, size_t max, struct arena *arena, struct event_row **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct memory_rows *rows = &reader->store->rows;
    const struct event_row key = {
        .workspace = workspace, .run = *run, .number = after < INT64_MAX ? after + 1 : after};
    void *items;
    size_t count = copy_range(rows, ROW_EVENT, memory_rows_from(rows, ROW_EVENT, &key, 3), &key, 2,
                              max, arena, &items);
    *ret = items;
    memory_fill_task_keys(rows, *ret, count, arena);
    memory_reader_unlock(reader);
    return count;
}

static size_t entity_events(struct store_reader *base, int64_t workspace, const struct uuid *run,
                            const struct uuid *task_run, struct arena *arena,
                            struct event_row **ret)
{
    static const struct uuid nil;
    size_t count = run_events(base, workspace, run, INT64_MIN, SIZE_MAX, arena, ret);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (uuid_equal(&(*ret)[i].task_run, task_run ? task_run : &nil))
            (*ret)[kept++] = (*ret)[i];
    return kept;
}

const struct reader_ops memory_reader_ops = {
    .close = reader_close,
    .begin = read_begin,
    .end = read_end,
    .version = read_version,
    .failed = reader_failed,
    .get = get,
    .get_run_etag = get_run_etag,
    .get_run_image = get_run_image,
    .active_schedules = active_schedules,
    .skipped = skipped,
    .run_census = run_census,
    .live_runs = live_runs,
    .queue_position = queue_position,
    .task_states = task_states,
    .prior_starts = prior_starts,
    .attempts = attempts,
    .run_events = run_events,
    .workspace_events = memory_workspace_events,
    .newest_event = memory_read_newest_event,
    .entity_events = entity_events,
    .list_runs = memory_list_runs,
    .recent_runs = memory_recent_runs,
    .list_jobs = memory_list_jobs,
    .find_number = memory_find_number,
    .list_instances = memory_list_instances,
    .list_numbered_jobs = memory_list_numbered_jobs,
    .list_operations = memory_list_operations,
    .campaigns = memory_campaigns,
    .active_campaigns = memory_active_campaigns,
    .campaigns_of_run = memory_campaigns_of_run,
    .campaign_cells = memory_campaign_cells,
    .campaign_counts = memory_campaign_counts,
    .planned_runs = memory_planned_runs,
    .window_runs = memory_window_runs,
    .accounts = memory_accounts,
    .resources = memory_resources,
    .job_permissions = memory_job_permissions,
    .recent_jobs = memory_recent_jobs,
};
