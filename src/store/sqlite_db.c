#include "store/sqlite_db.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fields.h"
#include "base/mem.h"
#include "store/sqlite_wal.h"

enum {
    BUSY_TIMEOUT_MS = 5000,
    PROGRESS_STEPS = 4000, /* of SQLite's machine between two looks at the clock: below 1 ms */
    WRITER_CACHE_KIB = 16 << 10,
    READER_CACHE_KIB = 4 << 10,
    WAL_LIMIT_BYTES = 64 << 20, /* what a log that grew under a long reader shrinks to */
    READER_MAP_BYTES = 256 << 20,
    MAX_SQL_BYTES = 16 << 10,
};

const struct db_options db_default_options = {.reader_limit_ms = 2000};

/* SQLite asks in the middle of a long statement: a reader that never ends would keep the log from
 * being folded back, and commits would get slower with its length. */
static int past_deadline(void *context)
{
    const struct db *db = context;
    return db->deadline_ms != 0 && clock_ms(CLOCK_MONOTONIC) >= db->deadline_ms;
}

void db_set_deadline(struct db *db, int64_t limit_ms)
{
    db->deadline_ms = limit_ms ? clock_ms(CLOCK_MONOTONIC) + limit_ms : 0;
}

static bool tune(struct db *db, enum db_role role, const struct db_options *options)
{
    char sql[512];
    /* secure_delete: tokens are stored as hashes, secrets sealed; what else was deleted stays as private as
     * the file. */
    snprintf(sql, sizeof sql,
             "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
             "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF; PRAGMA trusted_schema = OFF;"
             "PRAGMA journal_size_limit = %d; PRAGMA wal_autocheckpoint = 0;"
             "PRAGMA cache_size = -%d; PRAGMA mmap_size = %d; %s",
             WAL_LIMIT_BYTES, role == DB_WRITER ? WRITER_CACHE_KIB : READER_CACHE_KIB,
             role == DB_WRITER ? 0 : READER_MAP_BYTES,
             role == DB_WRITER ? "" : "PRAGMA query_only = ON");
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return false;
    if (options->max_pages) {
        snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)options->max_pages);
        return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK;
    }
    return true;
}

/* Once, before anything else is asked of SQLite (later it does no harm). Debian's has no cache of small
 * blocks per connection, so that each of its many allocations would take a mutex to be counted. */
static void tune_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool db_open(struct db *db, const char *path, enum db_role role, const struct db_options *options,
             struct err *err)
{
    static pthread_once_t tuned = PTHREAD_ONCE_INIT;
    pthread_once(&tuned, tune_library);
    *db = (struct db){0};
    /* Made by us first, so that nobody else may read it; the log files take its mode. One that is
     * there is left alone: to close any descriptor of it drops the locks that this process has on
     * it, and then whoever else looks into the database takes its log away when they leave. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const char *vfs = role == DB_WRITER ? sqlite_wal_vfs() : NULL;
    bool open = sqlite3_open_v2(path, &db->handle, flags, vfs) == SQLITE_OK;
    if (open) {
        sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
        sqlite3_progress_handler(db->handle, PROGRESS_STEPS, past_deadline, db);
        if (vfs)
            sqlite_wal_attach(db->handle);
        open = tune(db, role, options);
    }
    if (!open) {
        int code = db->handle ? sqlite3_errcode(db->handle) & 0xff : SQLITE_NOMEM;
        err_set(err, ERR_INTERNAL, "the database cannot be opened: %s",
                code == SQLITE_NOTADB ? "the file is not a SQLite database"
                : db->handle          ? sqlite3_errmsg(db->handle)
                                      : "out of memory");
        db_close(db);
    }
    return open;
}

bool db_use_wal(struct db *db, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool wal = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL) ==
                   SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    sqlite3_finalize(statement);
    if (!wal)
        err_set(err, ERR_INTERNAL, "the database cannot use a write-ahead log: %s",
                sqlite3_errmsg(db->handle));
    return wal;
}

void db_close(struct db *db)
{
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close_v2(db->handle);
    *db = (struct db){0};
}

bool db_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

sqlite3_stmt *db_statement(struct db *db, int sql)
{
    if (db->statements[sql]) {
        sqlite3_reset(db->statements[sql]);
        return db->statements[sql];
    }
    if (!db->handle)
        return NULL;
    struct buf text;
    buf_init(&text, MAX_SQL_BYTES);
    bool known = db_statement_text(sql, &text);
    assert(known && !text.overflowed);
    if (sqlite3_prepare_v3(db->handle, text.data, -1, SQLITE_PREPARE_PERSISTENT,
                           &db->statements[sql], NULL) != SQLITE_OK)
        db->statements[sql] = NULL;
    buf_release(&text);
    return db->statements[sql];
}

bool db_run(sqlite3_stmt *statement)
{
    if (!statement)
        return false;
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    /* Always: a statement that is left in the middle keeps its transaction from ending. */
    sqlite3_reset(statement);
    return done;
}

bool db_run_plain(struct db *db, int sql)
{
    return db_run(db_statement(db, sql));
}

/* ---- binding ---- */

void db_bind_uuid(sqlite3_stmt *statement, int place, const struct uuid *uuid)
{
    sqlite3_bind_blob(statement, place, uuid->bytes, sizeof uuid->bytes, SQLITE_STATIC);
}

void db_bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

static void bind_column(sqlite3_stmt *statement, int place, const struct column *column,
                        const void *row)
{
    const void *member = column_get(column, row);
    int64_t int64;
    int number;
    const char *text;
    switch (column->kind) {
    case COLUMN_INT64:
        memcpy(&int64, member, sizeof int64);
        if (int64 == FIELD_NULL)
            sqlite3_bind_null(statement, place);
        else
            sqlite3_bind_int64(statement, place, int64);
        break;
    case COLUMN_INT:
        memcpy(&number, member, sizeof number);
        sqlite3_bind_int(statement, place, number);
        break;
    case COLUMN_INT8:
        sqlite3_bind_int(statement, place, *(const int8_t *)member);
        break;
    case COLUMN_TEXT:
        memcpy(&text, member, sizeof text);
        db_bind_text(statement, place, text);
        break;
    case COLUMN_BYTES:
        memcpy(&text, member, sizeof text);
        sqlite3_bind_blob64(statement, place, text, column_length(column, row), SQLITE_STATIC);
        break;
    case COLUMN_UUID:
        if (!(column->flags & COLUMN_KEY) && uuid_is_nil(member))
            sqlite3_bind_null(statement, place);
        else
            db_bind_uuid(statement, place, member);
        break;
    case COLUMN_HASH:
        sqlite3_bind_blob(statement, place, member, COLUMN_HASH_BYTES, SQLITE_STATIC);
        break;
    }
}

void db_bind_row(sqlite3_stmt *statement, const struct table *table, const void *row,
                 unsigned flags)
{
    for (size_t i = 0; i < table->count; i++)
        if (!flags || (table->columns[i].flags & flags))
            bind_column(statement, (int)i + 1, &table->columns[i], row);
}

/* ---- reading ---- */

struct uuid db_column_uuid(sqlite3_stmt *statement, int column)
{
    struct uuid uuid = {0};
    const void *bytes = sqlite3_column_blob(statement, column);
    if (bytes && sqlite3_column_bytes(statement, column) == (int)sizeof uuid.bytes)
        memcpy(uuid.bytes, bytes, sizeof uuid.bytes);
    return uuid;
}

char *db_column_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    if (!text)
        return NULL;
    return arena_memdup(arena, text, (size_t)sqlite3_column_bytes(statement, column));
}

int64_t db_column_int64(sqlite3_stmt *statement, int column)
{
    int64_t value = sqlite3_column_int64(statement, column);
    /* 0 is common and NULL as well; only then is the type worth a call. */
    if (value == 0 && sqlite3_column_type(statement, column) == SQLITE_NULL)
        return FIELD_NULL;
    return value;
}

static void read_bytes(sqlite3_stmt *statement, int place, const struct column *column, void *row,
                       struct arena *arena)
{
    const char *text = NULL;
    int64_t len = 0;
    if (sqlite3_column_type(statement, place) != SQLITE_NULL) {
        const void *bytes = sqlite3_column_blob(statement, place);
        len = sqlite3_column_bytes(statement, place);
        text = arena_memdup(arena, bytes, (size_t)len);
    }
    memcpy(column_member(column, row), &text, sizeof text);
    memcpy((char *)row + column->length_offset, &len, sizeof len);
}

static void read_column(sqlite3_stmt *statement, int place, const struct column *column, void *row,
                        struct arena *arena)
{
    void *member = column_member(column, row);
    int64_t int64;
    int number;
    const char *text;
    struct uuid uuid;
    switch (column->kind) {
    case COLUMN_INT64:
        int64 = db_column_int64(statement, place);
        memcpy(member, &int64, sizeof int64);
        break;
    case COLUMN_INT:
        number = sqlite3_column_int(statement, place);
        memcpy(member, &number, sizeof number);
        break;
    case COLUMN_INT8:
        *(int8_t *)member = (int8_t)sqlite3_column_int(statement, place);
        break;
    case COLUMN_TEXT:
        text = db_column_text(statement, place, arena);
        memcpy(member, &text, sizeof text);
        break;
    case COLUMN_BYTES:
        read_bytes(statement, place, column, row, arena);
        break;
    case COLUMN_UUID:
        uuid = db_column_uuid(statement, place);
        memcpy(member, &uuid, sizeof uuid);
        break;
    case COLUMN_HASH:
        if (sqlite3_column_bytes(statement, place) == COLUMN_HASH_BYTES)
            memcpy(member, sqlite3_column_blob(statement, place), COLUMN_HASH_BYTES);
        break;
    }
}

void db_read_row(sqlite3_stmt *statement, const struct table *table, size_t count, void *row,
                 struct arena *arena)
{
    memset(row, 0, table->row_size);
    for (size_t i = 0; i < count; i++)
        read_column(statement, (int)i, &table->columns[i], row, arena);
}
