#include "store/memory_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void memory_rows_init(struct memory_rows *rows)
{
    *rows = (struct memory_rows){0};
}

void memory_rows_release(struct memory_rows *rows)
{
    memory_rows_take_back(rows);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        struct memory_table *table = &rows->tables[kind];
        for (size_t i = 0; i < table->count; i++)
            free(table->rows[i]);
        free(table->rows);
    }
    uuid_map_release(&rows->task_runs);
    free(rows->changes);
    memory_rows_init(rows);
}

/* ---- copies ---- */

static bool is_string(const struct column *column)
{
    return column->kind == COLUMN_TEXT || column->kind == COLUMN_BYTES;
}

static void *copy_row(const struct table *table, const void *row)
{
    size_t size = table->row_size;
    for (size_t i = 0; i < table->count; i++)
        if (is_string(&table->columns[i]))
            size += column_length(&table->columns[i], row) + 1;
    char *copy = xmalloc(size);
    char *end = copy + table->row_size;
    memcpy(copy, row, table->row_size);
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        const char *text;
        if (!is_string(column))
            continue;
        memcpy(&text, column_get(column, row), sizeof text);
        if (!text)
            continue;
        size_t len = column_length(column, row);
        memcpy(end, text, len);
        end[len] = '\0';
        memcpy(column_member(column, copy), &end, sizeof end);
        end += len + 1;
    }
    return copy;
}

static size_t member_size(const struct column *column)
{
    switch (column->kind) {
    case COLUMN_INT64:
        return sizeof(int64_t);
    case COLUMN_INT:
        return sizeof(int);
    case COLUMN_INT8:
        return sizeof(int8_t);
    case COLUMN_TEXT:
    case COLUMN_BYTES:
        return sizeof(char *);
    case COLUMN_UUID:
        return sizeof(struct uuid);
    case COLUMN_HASH:
        return COLUMN_HASH_BYTES;
    }
    abort();
}

/* The old row with the moving members of the new one. */
static void *move_row(const struct table *table, const void *old, const void *new)
{
    char *merged = xmalloc(table->row_size);
    memcpy(merged, old, table->row_size);
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        if (!(column->flags & COLUMN_MOVING))
            continue;
        memcpy(column_member(column, merged), column_get(column, new), member_size(column));
        if (column->kind == COLUMN_BYTES)
            memcpy(merged + column->length_offset, (const char *)new + column->length_offset,
                   sizeof(int64_t));
    }
    void *copy = copy_row(table, merged);
    free(merged);
    return copy;
}

/* ---- order ---- */

static int compare_column(const struct column *column, const void *a, const void *b)
{
    const void *x = column_get(column, a), *y = column_get(column, b);
    int64_t m, n;
    int i, j;
    const char *s, *t;
    switch (column->kind) {
    case COLUMN_INT64:
        memcpy(&m, x, sizeof m);
        memcpy(&n, y, sizeof n);
        return (m > n) - (m < n);
    case COLUMN_TEXT:
        memcpy(&s, x, sizeof s);
        memcpy(&t, y, sizeof t);
        return strcmp(s, t);
    case COLUMN_UUID:
        return memcmp(x, y, sizeof(struct uuid));
    case COLUMN_HASH:
        return memcmp(x, y, COLUMN_HASH_BYTES);
    case COLUMN_INT:
        memcpy(&i, x, sizeof i);
        memcpy(&j, y, sizeof j);
        return (i > j) - (i < j);
    case COLUMN_INT8:
    case COLUMN_BYTES:
        break;
    }
    abort(); /* in no key */
}

/* Key columns come first in every table. */
static int compare_keys(const struct table *table, const void *a, const void *b, size_t columns)
{
    int order = 0;
    for (size_t i = 0; order == 0 && i < columns && (table->columns[i].flags & COLUMN_KEY); i++)
        order = compare_column(&table->columns[i], a, b);
    return order;
}

size_t memory_rows_from(const struct memory_rows *rows, enum row_kind kind, const void *key,
                        size_t columns)
{
    const struct memory_table *table = &rows->tables[kind];
    const struct table *what = &store_tables[kind];
    size_t low = 0, high = table->count;
    /* Keys sort by creation: what is new goes to the end. */
    if (high > 0 && compare_keys(what, table->rows[high - 1], key, columns) < 0)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(what, table->rows[middle], key, columns) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool memory_rows_is_at(const struct memory_rows *rows, enum row_kind kind, size_t place,
                       const void *key, size_t columns)
{
    const struct memory_table *table = &rows->tables[kind];
    return place < table->count &&
           compare_keys(&store_tables[kind], table->rows[place], key, columns) == 0;
}

const void *memory_rows_find(const struct memory_rows *rows, enum row_kind kind, const void *key)
{
    size_t place = memory_rows_from(rows, kind, key, SIZE_MAX);
    return memory_rows_is_at(rows, kind, place, key, SIZE_MAX) ? rows->tables[kind].rows[place]
                                                               : NULL;
}

/* ---- changes ---- */

static void put_row(struct memory_rows *rows, enum row_kind kind, void *row)
{
    struct memory_table *table = &rows->tables[kind];
    size_t place = memory_rows_from(rows, kind, row, SIZE_MAX);
    if (memory_rows_is_at(rows, kind, place, row, SIZE_MAX)) {
        table->rows[place] = row;
    } else {
        GROW(table->rows, table->count, table->cap);
        memmove(&table->rows[place + 1], &table->rows[place],
                (table->count - place) * sizeof *table->rows);
        table->rows[place] = row;
        table->count++;
    }
    if (kind == ROW_TASK_RUN)
        uuid_map_put(&rows->task_runs, &((const struct task_run_row *)row)->key, row);
}

static void drop_row(struct memory_rows *rows, enum row_kind kind, size_t place)
{
    struct memory_table *table = &rows->tables[kind];
    if (kind == ROW_TASK_RUN)
        uuid_map_remove(&rows->task_runs, &((const struct task_run_row *)table->rows[place])->key);
    table->count--;
    memmove(&table->rows[place], &table->rows[place + 1],
            (table->count - place) * sizeof *table->rows);
}

static void log_change(struct memory_rows *rows, enum row_kind kind, void *before, void *after)
{
    GROW(rows->changes, rows->change_count, rows->change_cap);
    rows->changes[rows->change_count++] = (struct memory_change){kind, before, after};
}

static bool has_job(const struct memory_rows *rows, int64_t workspace, const struct uuid *key)
{
    const struct job_row job = {.workspace = workspace, .key = *key};
    return memory_rows_find(rows, ROW_JOB, &job) != NULL;
}

static bool has_run(const struct memory_rows *rows, int64_t workspace, const struct uuid *key)
{
    const struct run_row run = {.workspace = workspace, .key = *key};
    return memory_rows_find(rows, ROW_RUN, &run) != NULL;
}

static bool has_task_run(const struct memory_rows *rows, const struct attempt_row *attempt)
{
    const struct task_run_row task_run = {
        .workspace = attempt->workspace, .run = attempt->run, .key = attempt->task_run};
    return memory_rows_find(rows, ROW_TASK_RUN, &task_run) != NULL;
}

static bool has_campaign(const struct memory_rows *rows, const struct campaign_cell_row *cell)
{
    const struct campaign_row campaign = {.workspace = cell->workspace, .key = cell->campaign};
    return memory_rows_find(rows, ROW_CAMPAIGN, &campaign) != NULL;
}

static bool is_name_free(const struct memory_rows *rows, const struct user_row *user)
{
    const struct memory_table *users = &rows->tables[ROW_USER];
    for (size_t i = 0; i < users->count; i++) {
        const struct user_row *other = users->rows[i];
        if (strcmp(other->name, user->name) == 0 && strcmp(other->id, user->id) != 0)
            return false;
    }
    return true;
}

/* P3: at most one scheduled run per job and planned time. */
static bool is_time_free(const struct memory_rows *rows, const struct run_row *run)
{
    const struct memory_table *runs = &rows->tables[ROW_RUN];
    if (run->instance_type != INSTANCE_SCHEDULED && run->instance_type != INSTANCE_ONCE)
        return true;
    for (size_t i = 0; i < runs->count; i++) {
        const struct run_row *other = runs->rows[i];
        if (other->workspace == run->workspace && uuid_equal(&other->job, &run->job) &&
            other->plan_ms == run->plan_ms &&
            (other->instance_type == INSTANCE_SCHEDULED || other->instance_type == INSTANCE_ONCE))
            return false;
    }
    return true;
}

/* What the database's foreign keys and unique columns say. */
static bool may_insert(const struct memory_rows *rows, enum row_kind kind, const void *row)
{
    switch (kind) {
    case ROW_JOB_VERSION:
        return has_job(rows, ((const struct job_version_row *)row)->workspace,
                       &((const struct job_version_row *)row)->job);
    case ROW_SCHEDULE:
        return has_job(rows, ((const struct schedule_row *)row)->workspace,
                       &((const struct schedule_row *)row)->job);
    case ROW_SKIPPED:
        return has_job(rows, ((const struct skipped_row *)row)->workspace,
                       &((const struct skipped_row *)row)->job);
    case ROW_RUN:
        return has_job(rows, ((const struct run_row *)row)->workspace,
                       &((const struct run_row *)row)->job) &&
               is_time_free(rows, row);
    case ROW_REPAIR:
        return has_run(rows, ((const struct repair_row *)row)->workspace,
                       &((const struct repair_row *)row)->run);
    case ROW_TASK_RUN:
        return has_run(rows, ((const struct task_run_row *)row)->workspace,
                       &((const struct task_run_row *)row)->run) &&
               !uuid_map_get(&rows->task_runs, &((const struct task_run_row *)row)->key);
    case ROW_ATTEMPT:
        return has_task_run(rows, row);
    case ROW_EVENT:
        return has_run(rows, ((const struct event_row *)row)->workspace,
                       &((const struct event_row *)row)->run);
    case ROW_CAMPAIGN_CELL:
        return has_campaign(rows, row);
    case ROW_USER:
        return is_name_free(rows, row);
    case ROW_JOB:
    case ROW_OPERATION:
    case ROW_RETRY_TOKEN:
    case ROW_ROLE:
    case ROW_TOKEN:
    case ROW_API_KEY:
    case ROW_ACCESS_KEY:
    case ROW_SECRET:
    case ROW_AUDIT:
    case ROW_RESOURCE:
    case ROW_RECENT_JOB:
    case ROW_JOB_PERMISSION:
    case ROW_CAMPAIGN:
    case ROW_KIND_COUNT:
        break;
    }
    return true;
}

static bool insert_row(struct memory_rows *rows, enum row_kind kind, const void *row)
{
    if (memory_rows_find(rows, kind, row) || !may_insert(rows, kind, row))
        return false;
    void *copy = copy_row(&store_tables[kind], row);
    put_row(rows, kind, copy);
    log_change(rows, kind, NULL, copy);
    return true;
}

static bool update_row(struct memory_rows *rows, enum row_kind kind, const void *row)
{
    size_t place = memory_rows_from(rows, kind, row, SIZE_MAX);
    if (!memory_rows_is_at(rows, kind, place, row, SIZE_MAX) ||
        (kind == ROW_USER && !is_name_free(rows, row)))
        return false;
    void *before = rows->tables[kind].rows[place];
    void *after = move_row(&store_tables[kind], before, row);
    put_row(rows, kind, after);
    log_change(rows, kind, before, after);
    return true;
}

void memory_rows_remove(struct memory_rows *rows, enum row_kind kind, size_t place)
{
    void *row = rows->tables[kind].rows[place];
    drop_row(rows, kind, place);
    log_change(rows, kind, row, NULL);
}

static void mark_retry_tokens(struct memory_rows *rows, const struct run_row *run)
{
    const struct memory_table *tokens = &rows->tables[ROW_RETRY_TOKEN];
    for (size_t i = 0; i < tokens->count; i++) {
        struct retry_token_row token = *(const struct retry_token_row *)tokens->rows[i];
        if (token.workspace != run->workspace || !uuid_equal(&token.run, &run->key))
            continue;
        token.run_deleted = 1;
        update_row(rows, ROW_RETRY_TOKEN, &token);
    }
}

/* All rows that agree with `key` in the first two columns: of children these are (workspace, parent). */
static void remove_matching(struct memory_rows *rows, enum row_kind kind, const void *key)
{
    size_t place = memory_rows_from(rows, kind, key, 2);
    while (memory_rows_is_at(rows, kind, place, key, 2))
        memory_rows_remove(rows, kind, place);
}

static bool delete_run(struct memory_rows *rows, const struct run_row *run)
{
    const struct repair_row repair = {.workspace = run->workspace, .run = run->key};
    const struct task_run_row task_run = {.workspace = run->workspace, .run = run->key};
    const struct attempt_row attempt = {.workspace = run->workspace, .run = run->key};
    const struct event_row event = {.workspace = run->workspace, .run = run->key};
    const struct {
        enum row_kind kind;
        const void *key;
    } children[] = {{ROW_EVENT, &event},
                    {ROW_ATTEMPT, &attempt},
                    {ROW_TASK_RUN, &task_run},
                    {ROW_REPAIR, &repair},
                    {ROW_RUN, run}};
    if (!memory_rows_find(rows, ROW_RUN, run))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(children); i++)
        remove_matching(rows, children[i].kind, children[i].key);
    mark_retry_tokens(rows, run);
    return true;
}

static bool delete_campaign(struct memory_rows *rows, const struct campaign_row *campaign)
{
    const struct campaign_cell_row cell = {.workspace = campaign->workspace,
                                           .campaign = campaign->key};
    if (!memory_rows_find(rows, ROW_CAMPAIGN, campaign))
        return false;
    remove_matching(rows, ROW_CAMPAIGN_CELL, &cell);
    remove_matching(rows, ROW_CAMPAIGN, campaign);
    return true;
}

static bool delete_row(struct memory_rows *rows, enum row_kind kind, const void *row)
{
    size_t place = memory_rows_from(rows, kind, row, SIZE_MAX);
    assert(store_tables[kind].is_deletable);
    if (!memory_rows_is_at(rows, kind, place, row, SIZE_MAX))
        return false;
    memory_rows_remove(rows, kind, place);
    return true;
}

bool memory_rows_apply(struct memory_rows *rows, const struct row_change *change)
{
    switch (change->action) {
    case ROW_INSERT:
        return insert_row(rows, change->kind, change->row);
    case ROW_UPDATE:
        return update_row(rows, change->kind, change->row);
    case ROW_DELETE:
        if (change->kind == ROW_RUN)
            return delete_run(rows, change->row);
        if (change->kind == ROW_CAMPAIGN)
            return delete_campaign(rows, change->row);
        return delete_row(rows, change->kind, change->row);
    }
    return false;
}

void memory_rows_keep(struct memory_rows *rows)
{
    for (size_t i = 0; i < rows->change_count; i++)
        free(rows->changes[i].before);
    rows->change_count = 0;
}

void memory_rows_take_back(struct memory_rows *rows)
{
    while (rows->change_count > 0) {
        const struct memory_change *change = &rows->changes[--rows->change_count];
        if (change->before)
            put_row(rows, change->kind, change->before);
        else
            drop_row(rows, change->kind,
                     memory_rows_from(rows, change->kind, change->after, SIZE_MAX));
        free(change->after);
    }
}
