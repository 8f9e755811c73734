/* The store in memory: workspaces and clusters as resources, jobs that were used last,
 * and who was given what on a job. */
#include <string.h>

#include "base/mem.h"
#include "store/memory.h"

/* Copies of the rows of a kind that `wanted` wants, in the order of their keys. */
static size_t collect(struct store_reader *base, enum row_kind kind,
                      bool (*wanted)(const void *row, const void *like), const void *like,
                      struct arena *arena, void **ret)
{
    struct memory_reader *reader = memory_reader_lock(base);
    const struct table *table = &store_tables[kind];
    const struct memory_table *rows = &reader->store->rows.tables[kind];
    char *items = arena_array(arena, rows->count, table->row_size);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (wanted(rows->rows[i], like))
            table_copy_row(table, rows->rows[i], items + count++ * table->row_size, arena);
    memory_reader_unlock(reader);
    *ret = items;
    return count;
}

static bool is_live_resource(const void *row, const void *like)
{
    const struct resource_row *a = row, *b = like;
    return a->workspace == b->workspace && a->kind == b->kind && a->deleted_ms == FIELD_NULL;
}

size_t memory_resources(struct store_reader *base, int64_t workspace, int kind, struct arena *arena,
                        struct resource_row **ret)
{
    const struct resource_row like = {.workspace = workspace, .kind = kind};
    void *rows;
    size_t count = collect(base, ROW_RESOURCE, is_live_resource, &like, arena, &rows);
    *ret = rows;
    return count;
}

static bool is_of_user(const void *row, const void *like)
{
    const struct recent_job_row *a = row, *b = like;
    return a->workspace == b->workspace && strcmp(a->user_id, b->user_id) == 0;
}

size_t memory_recent_jobs(struct store_reader *base, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret)
{
    const struct recent_job_row like = {.workspace = workspace, .user_id = user_id};
    void *rows;
    size_t count = collect(base, ROW_RECENT_JOB, is_of_user, &like, arena, &rows);
    *ret = rows;
    return count;
}

static bool is_of_job(const void *row, const void *like)
{
    const struct job_permission_row *a = row, *b = like;
    return a->workspace == b->workspace && uuid_equal(&a->job, &b->job);
}

size_t memory_job_permissions(struct store_reader *base, int64_t workspace, const struct uuid *job,
                              struct arena *arena, struct job_permission_row **ret)
{
    const struct job_permission_row like = {.workspace = workspace, .job = *job};
    void *rows;
    size_t count = collect(base, ROW_JOB_PERMISSION, is_of_job, &like, arena, &rows);
    *ret = rows;
    return count;
}
