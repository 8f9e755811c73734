/*
 * The SQLite store: one writing connection behind a lock, one connection per reader.
 *
 * Shared by src/store/sqlite*.c and their tests only.
 */
#pragma once

#include <pthread.h>

#include "base/mem.h"
#include "store/impl.h"
#include "store/sqlite_db.h"

struct sqlite_store {
    struct store base;
    char *path;
    struct db_options options;
    pthread_mutex_t lock; /* over all that follows */
    struct db writer;
    int wal_tried_pages; /* length of the log at the last try to fold it back */
};

struct sqlite_reader {
    struct store_reader base;
    const struct sqlite_store *store; /* NULL during `extend` */
    struct db *db;                    /* its own, or the writer's during `extend` */
    struct db own;
    bool failed;
};

/* store_open_sqlite with other options than a server's. */
struct store *sqlite_open(const char *path, const struct db_options *options, struct err *err);

/* Events of a workspace are found by blocks of so many numbers; SQL and migrations say it too. */
enum { STORE_EVENT_BLOCK = 1024 };

/* sqlite_write.c: rows into the open transaction of `db`; false at the first that fails. */
bool sqlite_write_batch(struct db *db, const struct row_batch *batch);

/* sqlite_read.c */
extern const struct reader_ops sqlite_reader_ops;
static inline struct sqlite_reader *sqlite_reader_of(struct store_reader *base)
{
    return CONTAINER_OF(base, struct sqlite_reader, base);
}
struct store_reader *sqlite_reader_open(struct store *store);
/* The next row? False at the end and on failure, which the reader remembers. */
bool sqlite_reader_step(struct sqlite_reader *reader, sqlite3_stmt *statement);
/* The prepared statement with ?1 = workspace; NULL after a failure, which the reader remembers. */
sqlite3_stmt *sqlite_reader_query(struct sqlite_reader *reader, int sql, int64_t workspace);

/* Events with their task's key behind their own columns, as they come. */
size_t sqlite_read_events(struct sqlite_reader *reader, sqlite3_stmt *statement,
                          struct arena *arena, struct event_row **ret);

/* sqlite_events.c */
size_t sqlite_workspace_events(struct store_reader *base, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto);
int64_t sqlite_newest_event(struct store_reader *base, int64_t workspace);

/* sqlite_accounts.c: as in store.h */
size_t sqlite_accounts(struct store_reader *reader, const struct account_query *query,
                       struct arena *arena, void **ret);
size_t sqlite_resources(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret);
size_t sqlite_job_permissions(struct store_reader *reader, int64_t workspace,
                              const struct uuid *job, struct arena *arena,
                              struct job_permission_row **ret);
size_t sqlite_recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret);

/* sqlite_grid.c */
size_t sqlite_task_states(struct store_reader *base, int64_t workspace, const struct uuid *run,
                          struct arena *arena, struct task_state **ret);

/* sqlite_numbered.c */
bool sqlite_find_number(struct store_reader *base, enum row_kind kind, int64_t workspace,
                        int64_t number, struct arena *arena, void *ret);
void sqlite_list_instances(struct store_reader *base, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret);
void sqlite_list_numbered_jobs(struct store_reader *base, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret);
/* sqlite_list.c, sqlite_list_jobs.c */
void sqlite_list_runs(struct store_reader *base, int64_t workspace, const struct run_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct run_list *ret);
void sqlite_recent_runs(struct store_reader *base, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret);
void sqlite_list_jobs(struct store_reader *base, int64_t workspace, const struct job_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct job_list *ret);
void sqlite_list_operations(struct store_reader *base, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret);

/* sqlite_read.c: all rows of a kind that a statement gives. */
size_t sqlite_read_all(struct sqlite_reader *reader, sqlite3_stmt *statement, enum row_kind kind,
                       struct arena *arena, void **ret);

/* sqlite_campaigns.c: as in store.h */
size_t sqlite_campaigns(struct store_reader *reader, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret);
size_t sqlite_active_campaigns(struct store_reader *reader, int64_t workspace, struct arena *arena,
                               struct uuid **ret);
size_t sqlite_campaigns_of_run(struct store_reader *reader, int64_t workspace,
                               const struct uuid *run, struct arena *arena, struct uuid **ret);
size_t sqlite_campaign_cells(struct store_reader *reader, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret);
bool sqlite_campaign_counts(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret);
size_t sqlite_planned_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                           int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                           struct run_row **ret);
size_t sqlite_window_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct window_run **ret);
