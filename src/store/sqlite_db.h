/*
 * One connection to the database: opened and tuned in one place, with every statement that the
 * store ever runs in one table, prepared on first use and kept. A connection belongs to one thread
 * at a time. Nothing but src/store/sqlite*.c (and its tests) includes this.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/columns.h"

/* How the keys of runs are found: over an index whose first columns are equal. */
enum run_keys {
    RUN_KEYS_SERIES = 1 << 0,
    RUN_KEYS_STATE = 1 << 1,
    RUN_KEYS_NEWEST = 1 << 2, /* newest first, else oldest first */
    RUN_KEYS_COUNT = 1 << 3
};

enum sql {
    /* transactions, and what there is once */
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_READ_VERSION,
    SQL_BUMP_CHANGES,
    SQL_PROBE,
    SQL_META_GET,
    SQL_META_SET,
    /* workspaces */
    SQL_WORKSPACE_INSERT,
    SQL_WORKSPACES,
    SQL_WORKSPACE_GET,
    SQL_TAKE_OVER,
    SQL_FENCE,
    /* beside the rows of a batch */
    SQL_SERIES_GET,
    SQL_SERIES_INSERT,
    SQL_EVENT_BLOCK_INSERT,
    /* a whole run, a whole campaign */
    SQL_DELETE_EVENT_BLOCKS,
    SQL_DELETE_EVENTS,
    SQL_DELETE_ATTEMPTS,
    SQL_DELETE_TASK_RUNS,
    SQL_DELETE_REPAIRS,
    SQL_DELETE_RUN,
    SQL_MARK_RETRY_TOKENS,
    SQL_DELETE_CAMPAIGN_CELLS,
    SQL_DELETE_CAMPAIGN,
    /* what is too old: ?1 workspace, where it is of one, ?2 before what, ?3 how many */
    SQL_PRUNE_RETRY_TOKENS,
    SQL_PRUNE_OPERATIONS,
    SQL_PRUNE_SKIPPED,
    SQL_PRUNE_REFUSED,
    SQL_PRUNE_RUN_AUDIT,
    /* by id */
    SQL_GET_JOB,
    SQL_GET_JOB_VERSION,
    SQL_GET_JOB_VERSION_NEWEST,
    SQL_GET_SCHEDULE,
    SQL_GET_RUN,
    SQL_GET_TASK_RUN,
    SQL_GET_OPERATION,
    SQL_GET_RETRY_TOKEN,
    SQL_GET_USER,
    SQL_GET_USER_BY_NAME,
    SQL_GET_ROLE,
    SQL_GET_TOKEN,
    SQL_GET_API_KEY,
    SQL_GET_ACCESS_KEY,
    SQL_GET_SECRET,
    /* accounts: ?1 whose, ?2 behind what, ?3 how many */
    SQL_USERS,
    SQL_ROLES,
    SQL_TOKENS,
    SQL_API_KEYS,
    SQL_ACCESS_KEYS,
    SQL_SECRETS,
    SQL_AUDIT,
    SQL_AUDIT_OF,
    /* of jobs */
    SQL_ACTIVE_SCHEDULES,
    SQL_SKIPPED,
    SQL_PLANNED_RUNS,
    SQL_WINDOW_RUNS,
    SQL_JOB_PERMISSIONS,
    SQL_RECENT_JOBS,
    /* campaigns */
    SQL_GET_CAMPAIGN,
    SQL_CAMPAIGNS,
    SQL_ACTIVE_CAMPAIGNS,
    SQL_CAMPAIGNS_OF_RUN,
    SQL_CAMPAIGN_CELLS,
    SQL_CAMPAIGN_COUNTS,
    /* resources */
    SQL_GET_RESOURCE,
    SQL_RESOURCES,
    /* of a run */
    SQL_RUN_ETAG,
    SQL_RUN_NEWEST_EVENT,
    SQL_RUN_REPAIRS,
    SQL_RUN_TASK_RUNS,
    SQL_RUN_TASK_STATES,
    SQL_PRIOR_STARTS,
    SQL_RUN_ATTEMPTS,
    SQL_TASK_RUN_OWNER,
    SQL_ATTEMPTS,
    SQL_RUN_EVENTS,
    SQL_TASK_NEWEST_EVENT,
    SQL_EVENT,
    SQL_OWN_EVENTS,
    SQL_EVENT_BLOCK_NEXT,
    SQL_EVENT_BLOCK_RUNS,
    SQL_EVENTS_OF_BLOCK,
    SQL_RUN_JOB,
    /* runs in line, and by state */
    SQL_QUEUE_POSITION,
    SQL_QUEUE_FRONT,
    SQL_RUN_COUNT,
    /* lists */
    SQL_RUN_LISTED,
    SQL_RUN_NEWEST,
    SQL_NEWEST_EVENT,
    SQL_RUN_MOVES,
    SQL_RUN_SERIES,
    SQL_RUN_PLACE,
    SQL_SERIES_OF_JOB,
    SQL_SERIES_OF_NAME,
    SQL_NAME_AFTER,
    SQL_NAME_BEFORE,
    SQL_JOB_NEWEST,
    SQL_JOBS_NEWEST_FIRST,
    SQL_JOBS_OLDEST_FIRST,
    SQL_JOBS_OF_NAME_NEWEST_FIRST,
    SQL_JOBS_OF_NAME_OLDEST_FIRST,
    SQL_JOBS_NAME_AFTER,
    SQL_JOBS_NAME_BEFORE,
    SQL_OPERATION_NEWEST,
    SQL_OPERATIONS_NEWEST_FIRST,
    SQL_OPERATIONS_OLDEST_FIRST,
    /* of the DataArts dialect */
    SQL_JOB_OF_NUMBER,
    SQL_RUN_OF_NUMBER,
    SQL_INSTANCES_OF_JOB,
    SQL_INSTANCES_OF_JOB_WHOLE,
    SQL_INSTANCES,
    SQL_INSTANCES_WHOLE,
    SQL_NUMBERED_JOBS,
    SQL_NUMBERED_JOBS_ACTIVE,
    /* families */
    SQL_RUN_KEYS,
    SQL_INSERT = SQL_RUN_KEYS + RUN_KEYS_COUNT,
    SQL_UPDATE = SQL_INSERT + ROW_KIND_COUNT,
    SQL_DELETE = SQL_UPDATE + ROW_KIND_COUNT,
    SQL_COUNT = SQL_DELETE + ROW_KIND_COUNT
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t deadline_ms; /* CLOCK_MONOTONIC: what runs past it is interrupted; 0: none */
};

/* How the database is used; the defaults are what a server runs with, tests tighten them. */
struct db_options {
    int64_t reader_limit_ms; /* a read transaction that takes longer is interrupted */
    int64_t max_pages;       /* a full disk for tests; 0: none */
};
extern const struct db_options db_default_options;

enum db_role { DB_WRITER, DB_READER };

/* Opens and tunes a connection, changing nothing in the file (which is created when missing); false
 * leaves it closed, with SQLite's words in `err`. */
bool db_open(struct db *db, const char *path, enum db_role role, const struct db_options *options,
             struct err *err);
/* Makes the write-ahead log the journal of this database for good; false when its file system does
 * not let it. */
bool db_use_wal(struct db *db, struct err *err);
/* Harmless for a closed one. */
void db_close(struct db *db);
/* True while a transaction is open. */
bool db_in_transaction(const struct db *db);

/* What runs on the connection from so many ms from now on is interrupted; 0: no limit. */
void db_set_deadline(struct db *db, int64_t limit_ms);

/* The text of a statement into `out`; false when the number means none (there is
 * no UPDATE of rows that never move, and no DELETE of those that stay). */
bool db_statement_text(int sql, struct buf *out);
/* The prepared statement, reset; NULL when it cannot be prepared (the handle says why). */
sqlite3_stmt *db_statement(struct db *db, int sql);
/* Runs a statement that returns no rows; its parameters are bound. */
bool db_run(sqlite3_stmt *statement);
/* The same for one without parameters. */
bool db_run_plain(struct db *db, int sql);

/* Parameters and columns of rows by table. Strings are not copied: they live until the statement
 * has run. `flags` 0 binds every column, else those that have one of them; column i is ?i+1. */
void db_bind_row(sqlite3_stmt *statement, const struct table *table, const void *row,
                 unsigned flags);
void db_bind_uuid(sqlite3_stmt *statement, int place, const struct uuid *uuid);
void db_bind_text(sqlite3_stmt *statement, int place, const char *text);
/* Reads the first `count` columns of the row at hand; those not read are unset. */
void db_read_row(sqlite3_stmt *statement, const struct table *table, size_t count, void *row,
                 struct arena *arena);
struct uuid db_column_uuid(sqlite3_stmt *statement, int column);
char *db_column_text(sqlite3_stmt *statement, int column, struct arena *arena);
/* FIELD_NULL for NULL. */
int64_t db_column_int64(sqlite3_stmt *statement, int column);
