/*
 * The store in memory: for simulation and tests. Every commit is complete or has left nothing, as
 * in a database; nothing outlives the process.
 *
 * Readers see the committed state as it is at each call: there are no snapshots, and begin and end
 * do nothing. Calls are safe from any thread.
 */
#include "store/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct memory_store *lock_store(struct store *base)
{
    struct memory_store *store = CONTAINER_OF(base, struct memory_store, base);
    pthread_mutex_lock(&store->lock);
    return store;
}

static void unlock_store(struct memory_store *store)
{
    pthread_mutex_unlock(&store->lock);
}

/* ---- settings ---- */

static bool meta_get(struct store *base, const char *name, struct arena *arena, char **ret)
{
    struct memory_store *store = lock_store(base);
    *ret = NULL;
    for (size_t i = 0; i < store->meta_count; i++)
        if (strcmp(store->meta[i].name, name) == 0)
            *ret = arena_strdup(arena, store->meta[i].value);
    unlock_store(store);
    return true;
}

static enum store_result meta_set(struct store *base, const char *name, const char *value)
{
    struct memory_store *store = lock_store(base);
    size_t i = 0;
    while (i < store->meta_count && strcmp(store->meta[i].name, name) != 0)
        i++;
    if (i == store->meta_count) {
        GROW(store->meta, store->meta_count, store->meta_cap);
        store->meta[store->meta_count++] = (struct memory_meta){xstrdup(name), NULL};
    }
    free(store->meta[i].value);
    store->meta[i].value = xstrdup(value);
    store->version++;
    unlock_store(store);
    return STORE_OK;
}

struct workspace_row *memory_workspace(struct memory_store *store, int64_t id)
{
    if (id < 1 || (uint64_t)id > store->workspace_count)
        return NULL;
    return &store->workspaces[id - 1];
}

static enum store_result workspace_create(struct store *base, struct workspace_row *row)
{
    struct memory_store *store = lock_store(base);
    enum store_result result = STORE_OK;
    for (size_t i = 0; i < store->workspace_count; i++)
        if (uuid_equal(&store->workspaces[i].key, &row->key) ||
            strcmp(store->workspaces[i].name, row->name) == 0)
            result = STORE_FAILED;
    if (result == STORE_OK) {
        GROW(store->workspaces, store->workspace_count, store->workspace_cap);
        struct workspace_row *added = &store->workspaces[store->workspace_count++];
        row->id = (int64_t)store->workspace_count;
        *added = *row;
        added->name = xstrdup(row->name);
        store->version++;
    }
    unlock_store(store);
    return result;
}

static bool workspaces(struct store *base, struct arena *arena, struct workspace_row **ret,
                       size_t *ret_count)
{
    struct memory_store *store = lock_store(base);
    size_t count = *ret_count = store->workspace_count;
    *ret = ARENA_ARRAY(arena, count, struct workspace_row);
    for (size_t i = 0; i < count; i++) {
        (*ret)[i] = store->workspaces[i];
        (*ret)[i].name = arena_strdup(arena, store->workspaces[i].name);
    }
    unlock_store(store);
    return true;
}

/* ---- writing ---- */

static enum store_result take_over(struct store *base, int64_t workspace, int64_t seen,
                                   struct workspace_row *ret)
{
    struct memory_store *store = lock_store(base);
    struct workspace_row *row = memory_workspace(store, workspace);
    if (row) {
        row->epoch = (seen > row->epoch ? seen : row->epoch) + 1;
        store->version++;
        *ret = *row;
        ret->name = NULL;
    }
    unlock_store(store);
    return row ? STORE_OK : STORE_FAILED;
}

static bool apply_batch(struct memory_store *store, const struct row_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (!memory_rows_apply(&store->rows, &batch->items[i]))
            return false;
    return true;
}

static bool apply_commit(struct memory_store *store, const struct store_commit *commit)
{
    if (!apply_batch(store, commit->rows))
        return false;
    if (!commit->extend)
        return true;
    struct memory_reader reader = {.base.ops = &memory_reader_ops, .store = store, .inside = true};
    struct row_batch more;
    row_batch_init(&more);
    commit->extend(commit->context, &reader.base, &more);
    bool done = apply_batch(store, &more);
    row_batch_release(&more);
    return done;
}

static void keep_counters(struct workspace_row *row, const struct workspace_row *counters)
{
    row->batch++;
    row->last_job_number = counters->last_job_number;
    row->last_run_number = counters->last_run_number;
    row->last_event = counters->last_event;
    row->last_ms = counters->last_ms;
}

/* What the fault hook says of the commit that is being asked for. */
static enum store_result next_fault(struct memory_store *store, bool *ret_applied)
{
    store->commits++;
    if (!store->faults.on_commit)
        return STORE_OK;
    return store->faults.on_commit(store->faults.context, store->commits, ret_applied);
}

static enum store_result commit_locked(struct memory_store *store, struct store_commit *commit)
{
    bool applied = false;
    enum store_result fault = next_fault(store, &applied);
    if (fault != STORE_OK && !applied)
        return fault;
    struct workspace_row *row = memory_workspace(store, commit->workspace->id);
    if (!row || row->epoch != commit->workspace->epoch || row->batch != commit->workspace->batch)
        return STORE_FENCED;
    if (!apply_commit(store, commit)) {
        memory_rows_take_back(&store->rows);
        return STORE_FAILED;
    }
    memory_rows_keep(&store->rows);
    keep_counters(row, commit->workspace);
    store->version++;
    if (fault != STORE_OK)
        return fault;
    commit->workspace->batch++;
    return STORE_OK;
}

static enum store_result commit(struct store *base, struct store_commit *commit)
{
    struct memory_store *store = lock_store(base);
    enum store_result result = commit_locked(store, commit);
    unlock_store(store);
    return result;
}

static enum store_result write_accounts(struct store *base, const struct row_batch *rows)
{
    struct memory_store *store = lock_store(base);
    enum store_result result = apply_batch(store, rows) ? STORE_OK : STORE_FAILED;
    if (result == STORE_OK)
        memory_rows_keep(&store->rows);
    else
        memory_rows_take_back(&store->rows);
    store->version++;
    unlock_store(store);
    return result;
}

static const enum row_kind pruned_kinds[PRUNE_COUNT] = {
    [PRUNE_RETRY_TOKENS] = ROW_RETRY_TOKEN, [PRUNE_OPERATIONS] = ROW_OPERATION,
    [PRUNE_SKIPPED] = ROW_SKIPPED,          [PRUNE_REFUSED] = ROW_AUDIT,
    [PRUNE_RUN_AUDIT] = ROW_AUDIT,
};

static int64_t operation_age(const struct operation_row *row, int64_t workspace)
{
    bool goes = row->workspace == workspace && row->finished_ms != FIELD_NULL;
    return goes ? uuid_time_ms(&row->key) : INT64_MAX;
}

/* It goes with its run, which may be the younger one. */
static int64_t run_audit_age(const struct audit_row *row)
{
    if (row->subject != AUDIT_ABOUT_RUN || uuid_is_nil(&row->resource))
        return INT64_MAX;
    int64_t own_ms = uuid_time_ms(&row->key), run_ms = uuid_time_ms(&row->resource);
    return own_ms > run_ms ? own_ms : run_ms;
}

/* When a row of what is pruned was made; INT64_MAX: it does not go. */
static int64_t age_of(enum prune what, const void *row, int64_t workspace)
{
    switch (what) {
    case PRUNE_RETRY_TOKENS:
        return ((const struct retry_token_row *)row)->created_ms;
    case PRUNE_OPERATIONS:
        return operation_age(row, workspace);
    case PRUNE_SKIPPED:
        return ((const struct skipped_row *)row)->created_ms;
    case PRUNE_REFUSED: {
        const struct audit_row *audit = row;
        return audit->outcome == AUDIT_REFUSED ? uuid_time_ms(&audit->key) : INT64_MAX;
    }
    case PRUNE_RUN_AUDIT:
        return run_audit_age(row);
    case PRUNE_COUNT:
        break;
    }
    abort();
}

/* Oldest first, like a database over its index by age; quadratic, on what is small here. */
static size_t prune(struct store *base, enum prune what, int64_t workspace, int64_t before_ms,
                    size_t max)
{
    struct memory_store *store = lock_store(base);
    const enum row_kind kind = pruned_kinds[what];
    const struct memory_table *table = &store->rows.tables[kind];
    size_t pruned = 0;
    for (; pruned < max; pruned++) {
        size_t oldest = table->count;
        int64_t oldest_ms = before_ms;
        for (size_t i = 0; i < table->count; i++) {
            int64_t age_ms = age_of(what, table->rows[i], workspace);
            if (age_ms < oldest_ms) {
                oldest = i;
                oldest_ms = age_ms;
            }
        }
        if (oldest == table->count)
            break;
        memory_rows_remove(&store->rows, kind, oldest);
    }
    memory_rows_keep(&store->rows);
    store->version++;
    unlock_store(store);
    return pruned;
}

static enum err_code backup(struct store *base, const char *path, struct err *err)
{
    (void)base, (void)path;
    return err_set(err, ERR_INTERNAL, "a store in memory has no backup");
}

static bool is_writable(struct store *base)
{
    (void)base;
    return true;
}

/* ---- opening ---- */

static struct store_reader *reader_open(struct store *base)
{
    struct memory_reader *reader = xcalloc(1, sizeof *reader);
    reader->base.ops = &memory_reader_ops;
    reader->store = CONTAINER_OF(base, struct memory_store, base);
    return &reader->base;
}

static void close_store(struct store *base)
{
    struct memory_store *store = CONTAINER_OF(base, struct memory_store, base);
    memory_rows_release(&store->rows);
    for (size_t i = 0; i < store->workspace_count; i++)
        free((void *)(uintptr_t)store->workspaces[i].name);
    free(store->workspaces);
    for (size_t i = 0; i < store->meta_count; i++) {
        free(store->meta[i].name);
        free(store->meta[i].value);
    }
    free(store->meta);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static const struct store_ops memory_store_ops = {
    .close = close_store,
    .meta_get = meta_get,
    .meta_set = meta_set,
    .workspace_create = workspace_create,
    .workspaces = workspaces,
    .take_over = take_over,
    .commit = commit,
    .write_accounts = write_accounts,
    .prune = prune,
    .backup = backup,
    .is_writable = is_writable,
    .reader_open = reader_open,
};

struct store *store_open_memory(const struct store_faults *faults)
{
    struct memory_store *store = xcalloc(1, sizeof *store);
    store->base.ops = &memory_store_ops;
    if (faults)
        store->faults = *faults;
    pthread_mutex_init(&store->lock, NULL);
    memory_rows_init(&store->rows);
    return &store->base;
}
