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

/* All rows of a kind that a statement gives. */
size_t sqlite_read_all(struct sqlite_reader *reader, sqlite3_stmt *statement, enum row_kind kind,
                       struct arena *arena, void **ret);
/* Events with their task's key behind their own columns, as they come. */
size_t sqlite_read_events(struct sqlite_reader *reader, sqlite3_stmt *statement,
                          struct arena *arena, struct event_row **ret);

/* sqlite_events.c */
reader_workspace_events sqlite_workspace_events;
reader_newest_event sqlite_newest_event;
reader_entity_events sqlite_entity_events;

/* sqlite_accounts.c */
reader_accounts sqlite_accounts;
reader_resources sqlite_resources;
reader_job_permissions sqlite_job_permissions;
reader_recent_jobs sqlite_recent_jobs;

/* sqlite_grid.c */
reader_task_states sqlite_task_states;
reader_prior_starts sqlite_prior_starts;

/* sqlite_numbered.c */
reader_find_number sqlite_find_number;
reader_list_instances sqlite_list_instances;
reader_list_numbered_jobs sqlite_list_numbered_jobs;

/* sqlite_campaigns.c */
reader_campaigns sqlite_campaigns;
reader_active_campaigns sqlite_active_campaigns;
reader_campaigns_of_run sqlite_campaigns_of_run;
reader_campaign_cells sqlite_campaign_cells;
reader_campaign_counts sqlite_campaign_counts;
reader_planned_runs sqlite_planned_runs;
reader_window_runs sqlite_window_runs;

/* sqlite_list.c, sqlite_list_jobs.c */
reader_list_runs sqlite_list_runs;
reader_recent_runs sqlite_recent_runs;
reader_list_jobs sqlite_list_jobs;
reader_list_operations sqlite_list_operations;
