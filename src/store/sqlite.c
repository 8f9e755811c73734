#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/schema.h"

enum { CHECKPOINT_PAGES = 1000 };

static struct sqlite_store *store_of(struct store *store)
{
    return CONTAINER_OF(store, struct sqlite_store, base);
}

/* ---- the writing connection ---- */

/* Folds the log back into the database, as far as readers let it, once per so many new pages.
 * SQLite's own rule (try again at every commit once past the mark) costs 18 times the throughput
 * while one reader is open. */
static int on_wal(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct sqlite_store *store = context;
    if (pages < store->wal_tried_pages)
        store->wal_tried_pages = 0; /* it was folded back whole and began anew */
    if (pages - store->wal_tried_pages >= CHECKPOINT_PAGES) {
        store->wal_tried_pages = pages;
        sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return SQLITE_OK;
}

/* What SQLite locks for as long as a connection is open. */
static void each_locked(const struct sqlite_store *store, void (*tell)(const char *path))
{
    char index[PATH_MAX];

    tell(store->path);
    if (snprintf(index, sizeof index, "%s-shm", store->path) < (int)sizeof index)
        tell(index);
}

/* The index of a new log is made by whoever reads first. */
static void tell_locked(struct sqlite_store *store)
{
    sqlite3_stmt *statement = db_statement(&store->writer, SQL_META_GET);

    if (statement) {
        db_bind_text(statement, 1, "");
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    each_locked(store, locks_add);
}

static bool open_writer(struct sqlite_store *store, struct err *err)
{
    if (!db_open(&store->writer, store->path, DB_WRITER, &store->options, err))
        return false;
    if (schema_migrate(store->writer.handle, err) == ERR_OK && db_use_wal(&store->writer, err)) {
        store->wal_tried_pages = 0;
        sqlite3_wal_hook(store->writer.handle, on_wal, store);
        tell_locked(store);
        return true;
    }
    db_close(&store->writer);
    return false;
}

/* Somebody has taken the file away, or put another in its place: what is written goes nowhere. */
static bool has_moved(struct db *db)
{
    int moved = 0;
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved;
}

/* One line per failure, whatever comes of it. Where SQLite knows of none, it is what was found by looking. */
static void log_failure(struct sqlite_store *store, const char *what)
{
    sqlite3 *handle = store->writer.handle;
    int code = handle ? sqlite3_extended_errcode(handle) : SQLITE_CANTOPEN;
    const char *error = handle ? sqlite3_errmsg(handle) : "the database is not open";
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        error = has_moved(&store->writer) ? "the database is no longer where it was"
                                          : "a row that was to be changed is not there";
    log_event(LOG_ERROR, "store failed", LOG_TEXT("doing", what), LOG_TEXT("error", error),
              LOG_NUMBER("code", code), LOG_TEXT("path", store->path));
}

/* After a failure nothing of the transaction stays. Where SQLite cannot say so, because the file
 * itself failed, a new connection can. */
static enum store_result give_up(struct sqlite_store *store, const char *what)
{
    log_failure(store, what);
    struct db *db = &store->writer;
    if (!db->handle)
        return STORE_FAILED;
    int code = sqlite3_errcode(db->handle) & 0xff;
    for (int i = 0; i < SQL_COUNT; i++)
        if (db->statements[i])
            sqlite3_reset(db->statements[i]);
    bool clean = !db_in_transaction(db) || db_run_plain(db, SQL_ROLLBACK);
    if (!clean || code == SQLITE_IOERR || code == SQLITE_CORRUPT || code == SQLITE_PROTOCOL)
        db_close(db);
    return STORE_FAILED;
}

/* Opens the connection again if it had to be closed. */
static bool ensure_open(struct sqlite_store *store)
{
    struct err err;
    if (store->writer.handle || open_writer(store, &err))
        return true;
    log_event(LOG_ERROR, "the database cannot be opened again", LOG_TEXT("error", err.message));
    return false;
}

static bool begin(struct sqlite_store *store)
{
    return ensure_open(store) && db_run_plain(&store->writer, SQL_BEGIN_WRITE);
}

/* ---- settings ---- */

static bool meta_get(struct store *base, const char *name, struct arena *arena, char **ret)
{
    struct sqlite_store *store = store_of(base);
    int code = SQLITE_ERROR;
    *ret = NULL;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = ensure_open(store) ? db_statement(&store->writer, SQL_META_GET)
                                                 : NULL;
    if (statement) {
        db_bind_text(statement, 1, name);
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *ret = db_column_text(statement, 0, arena);
        sqlite3_reset(statement);
    }
    bool read = code == SQLITE_ROW || code == SQLITE_DONE;
    if (!read)
        give_up(store, "read a value");
    pthread_mutex_unlock(&store->lock);
    return read;
}

static bool commit_to_file(struct db *db)
{
    return !has_moved(db) && db_run_plain(db, SQL_COMMIT);
}

/* Ends a transaction that touched no workspace's batch. */
static bool commit_changes(struct db *db)
{
    return db_run_plain(db, SQL_BUMP_CHANGES) && commit_to_file(db);
}

static enum store_result meta_set(struct store *base, const char *name, const char *value)
{
    struct sqlite_store *store = store_of(base);
    struct db *db = &store->writer;
    enum store_result result = STORE_OK;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = begin(store) ? db_statement(db, SQL_META_SET) : NULL;
    if (statement) {
        db_bind_text(statement, 1, name);
        db_bind_text(statement, 2, value);
    }
    if (!db_run(statement) || !commit_changes(db))
        result = give_up(store, "set a value");
    pthread_mutex_unlock(&store->lock);
    return result;
}

static enum store_result workspace_create(struct store *base, struct workspace_row *row)
{
    struct sqlite_store *store = store_of(base);
    struct db *db = &store->writer;
    enum store_result result = STORE_OK;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = begin(store) ? db_statement(db, SQL_WORKSPACE_INSERT) : NULL;
    if (statement) {
        const struct table *table = &store_workspace_table;
        for (size_t i = 0; i < table->count; i++)
            sqlite3_bind_null(statement, (int)i + 1);
        db_bind_row(statement, table, row, 0);
    }
    int64_t id = 0;
    if (db_run(statement))
        id = sqlite3_last_insert_rowid(db->handle);
    if (id && commit_changes(db))
        row->id = id;
    else
        result = give_up(store, "create a workspace");
    pthread_mutex_unlock(&store->lock);
    return result;
}

static bool workspaces(struct store *base, struct arena *arena, struct workspace_row **ret,
                       size_t *ret_count)
{
    struct sqlite_store *store = store_of(base);
    const struct table *table = &store_workspace_table;
    struct workspace_row *rows = NULL;
    size_t count = 0, cap = 0;
    int code = SQLITE_ERROR;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = ensure_open(store) ? db_statement(&store->writer, SQL_WORKSPACES)
                                                 : NULL;
    while (statement && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        GROW(rows, count, cap);
        db_read_row(statement, table, table->count, &rows[count++], arena);
    }
    sqlite3_reset(statement);
    if (code != SQLITE_DONE) {
        give_up(store, "read the workspaces");
        count = 0;
    }
    pthread_mutex_unlock(&store->lock);
    *ret_count = count;
    *ret = arena_take(arena, rows, count, sizeof *rows);
    return code == SQLITE_DONE;
}

/* ---- writing ---- */

static bool read_workspace(struct db *db, int64_t workspace, struct workspace_row *ret)
{
    sqlite3_stmt *statement = db_statement(db, SQL_WORKSPACE_GET);
    if (!statement)
        return false;
    const struct table *table = &store_workspace_table;
    struct arena arena;
    arena_init(&arena);
    struct workspace_row row;
    sqlite3_bind_int64(statement, 1, workspace);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found) {
        db_read_row(statement, table, table->count, &row, &arena);
        row.name = NULL; /* the caller has no arena here, and asked for the counters */
        *ret = row;
    }
    sqlite3_reset(statement);
    arena_release(&arena);
    return found;
}

static enum store_result take_over(struct store *base, int64_t workspace, int64_t seen,
                                   struct workspace_row *ret)
{
    struct sqlite_store *store = store_of(base);
    struct db *db = &store->writer;
    struct workspace_row row;
    enum store_result result = STORE_OK;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = begin(store) ? db_statement(db, SQL_TAKE_OVER) : NULL;
    if (statement) {
        sqlite3_bind_int64(statement, 1, workspace);
        sqlite3_bind_int64(statement, 2, seen);
    }
    if (db_run(statement) && read_workspace(db, workspace, &row) && commit_to_file(db))
        *ret = row;
    else
        result = give_up(store, "take over a workspace");
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* The first statement of every commit: says whether the workspace is still ours, and keeps the
 * counters. */
static enum store_result fence(struct db *db, const struct workspace_row *workspace)
{
    sqlite3_stmt *statement = db_statement(db, SQL_FENCE);
    if (!statement)
        return STORE_FAILED;
    sqlite3_bind_int64(statement, 1, workspace->id);
    sqlite3_bind_int64(statement, 5, workspace->epoch);
    sqlite3_bind_int64(statement, 6, workspace->batch);
    sqlite3_bind_int64(statement, 7, workspace->last_job_number);
    sqlite3_bind_int64(statement, 8, workspace->last_run_number);
    sqlite3_bind_int64(statement, 9, workspace->last_event);
    sqlite3_bind_int64(statement, 10, workspace->last_ms);
    if (!db_run(statement))
        return STORE_FAILED;
    return sqlite3_changes(db->handle) == 1 ? STORE_OK : STORE_FENCED;
}

static bool write_extension(struct sqlite_store *store, const struct store_commit *commit)
{
    struct sqlite_reader reader = {.base.ops = &sqlite_reader_ops, .db = &store->writer};
    struct row_batch more;
    row_batch_init(&more);
    commit->extend(commit->context, &reader.base, &more);
    bool done = !reader.failed && sqlite_write_batch(&store->writer, &more);
    row_batch_release(&more);
    return done;
}

static enum store_result commit_locked(struct sqlite_store *store, struct store_commit *commit)
{
    struct db *db = &store->writer;
    if (!begin(store))
        return give_up(store, "begin a commit");
    enum store_result result = fence(db, commit->workspace);
    if (result == STORE_FENCED) {
        if (!db_run_plain(db, SQL_ROLLBACK))
            give_up(store, "roll back a fenced commit");
        return STORE_FENCED;
    }
    if (result != STORE_OK)
        return give_up(store, "begin a batch");
    if (!sqlite_write_batch(db, commit->rows))
        return give_up(store, "write rows");
    if (commit->extend && !write_extension(store, commit))
        return give_up(store, "write answers");
    if (!commit_to_file(db))
        return give_up(store, "commit");
    commit->workspace->batch++;
    return STORE_OK;
}

static enum store_result commit(struct store *base, struct store_commit *commit)
{
    struct sqlite_store *store = store_of(base);
    pthread_mutex_lock(&store->lock);
    enum store_result result = commit_locked(store, commit);
    pthread_mutex_unlock(&store->lock);
    return result;
}

static enum store_result write_accounts(struct store *base, const struct row_batch *rows)
{
    struct sqlite_store *store = store_of(base);
    enum store_result result = STORE_OK;
    pthread_mutex_lock(&store->lock);
    if (!begin(store) || !sqlite_write_batch(&store->writer, rows) ||
        !commit_changes(&store->writer))
        result = give_up(store, "write accounts");
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* What is too old goes by a key, which says when it was made, or by a time. */
static const struct {
    enum sql sql;
    bool by_key;
    const char *doing;
} prunes[PRUNE_COUNT] = {
    [PRUNE_RETRY_TOKENS] = {SQL_PRUNE_RETRY_TOKENS, false, "prune retry tokens"},
    [PRUNE_OPERATIONS] = {SQL_PRUNE_OPERATIONS, true, "prune operations"},
    [PRUNE_SKIPPED] = {SQL_PRUNE_SKIPPED, false, "prune skipped times"},
    [PRUNE_REFUSED] = {SQL_PRUNE_REFUSED, true, "prune the audit"},
    [PRUNE_RUN_AUDIT] = {SQL_PRUNE_RUN_AUDIT, true, "prune the audit"},
};

static size_t prune(struct store *base, enum prune what, int64_t workspace, int64_t before_ms,
                    size_t max)
{
    struct sqlite_store *store = store_of(base);
    struct db *db = &store->writer;
    const struct uuid before = uuid_at_ms(before_ms); /* not copied when it is bound */
    size_t pruned = 0;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *statement = begin(store) ? db_statement(db, (int)prunes[what].sql) : NULL;
    if (statement) {
        sqlite3_bind_int64(statement, 1, workspace);
        if (prunes[what].by_key)
            db_bind_uuid(statement, 2, &before);
        else
            sqlite3_bind_int64(statement, 2, before_ms);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)max);
    }
    bool done = db_run(statement);
    int changes = done ? sqlite3_changes(db->handle) : 0;
    if (done && commit_changes(db))
        pruned = (size_t)changes;
    else
        give_up(store, prunes[what].doing);
    pthread_mutex_unlock(&store->lock);
    return pruned;
}

/* A real commit: a disk that is full, or read-only, says so nowhere else. */
static bool is_writable(struct store *base)
{
    struct sqlite_store *store = store_of(base);
    pthread_mutex_lock(&store->lock);
    bool writable = begin(store) && db_run_plain(&store->writer, SQL_PROBE) &&
                    commit_to_file(&store->writer);
    if (!writable)
        give_up(store, "probe the disk");
    pthread_mutex_unlock(&store->lock);
    return writable;
}

/* ---- backup ---- */

/* VACUUM INTO takes an empty file for a new one: made by us, it is nobody else's to read. -1 with
 * errno. */
static int make_empty(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool vacuum_into(struct db *db, const char *path)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db->handle, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK)
        return false;
    db_bind_text(statement, 1, path);
    bool done = db_run(statement);
    sqlite3_finalize(statement);
    return done;
}

/* The path of the same file, that means nothing else to SQLite, as `:memory:` and `file:…` do; with `end` behind it. Allocated. */
static char *plain_path(const char *path, const char *end)
{
    static const char here[] = "./";
    const char *begin = path[0] == '/' ? "" : here;
    size_t size = sizeof here + strlen(path) + strlen(end);
    char *plain = xmalloc(size);
    snprintf(plain, size, "%s%s%s", begin, path, end);
    return plain;
}

static bool flush_folder_of(const char *path)
{
    char *folder = xstrdup(path);
    *strrchr(folder, '/') = '\0'; /* a plain path has one */
    int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(folder);
    return done;
}

/* Whatever SQLite says: a copy that is somewhere else is none. */
static bool is_filled(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_size > 0;
}

/* Into the empty file `half`, a plain one; VACUUM INTO leaves flushing to the system. */
static enum err_code copy_into(struct db *db, int fd, const char *half, struct err *err)
{
    if (!vacuum_into(db, half))
        return err_set(err, ERR_INTERNAL, "the backup cannot be written: %s",
                       sqlite3_errmsg(db->handle));
    if (!is_filled(fd))
        return err_set(err, ERR_INTERNAL, "the backup file is empty");
    if (fsync(fd) != 0)
        return err_set(err, ERR_INTERNAL, "the backup cannot be flushed to the disk");
    return ERR_OK;
}

static bool is_there(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Over nothing. Not every file system can promise that; there it is looked at before. */
static bool rename_to_new(const char *half, const char *path)
{
    if (renameat2(AT_FDCWD, half, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    return errno == EINVAL && !is_there(path) && rename(half, path) == 0;
}

static enum err_code make_backup(struct db *db, const char *half, const char *path, struct err *err)
{
    if (is_there(path))
        return err_set(err, ERR_INTERNAL, "the backup file exists already");
    unlink(half); /* of one that was killed */
    int fd = make_empty(half);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "the backup file cannot be made");
    enum err_code code = copy_into(db, fd, half, err);
    close(fd);
    if (!code && !rename_to_new(half, path))
        code = err_set(err, ERR_INTERNAL, "the backup cannot be put in its place: %s",
                       strerror(errno));
    if (!code && !flush_folder_of(path))
        code = err_set(err, ERR_INTERNAL, "the backup cannot be flushed to the disk");
    if (code)
        unlink(half);
    return code;
}

/* On a connection of its own: commits go on meanwhile, by whichever process. Half a backup is none, so it has another name until
 * it is whole. */
static enum err_code back_up(const char *database, const struct db_options *options,
                             const char *given, struct err *err)
{
    struct db db;
    if (!db_open(&db, database, DB_WRITER, options, err))
        return err->code;
    /* It is read, and its log is not for us to fold back, should nobody else be there. */
    sqlite3_db_config(db.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    char *path = plain_path(given, "");
    char *half = plain_path(given, ".reprise-half");
    enum err_code code = make_backup(&db, half, path, err);
    free(half);
    free(path);
    db_close(&db);
    return code;
}

static enum err_code backup(struct store *base, const char *path, struct err *err)
{
    const struct sqlite_store *store = store_of(base);
    return back_up(store->path, &store->options, path, err);
}

enum err_code store_backup_sqlite(const char *database, const char *path, struct err *err)
{
    const struct db_options options = {0};
    if (access(database, F_OK) != 0)
        return err_set(err, ERR_INTERNAL, "there is no database");
    return back_up(database, &options, path, err);
}

/* ---- opening ---- */

static void close_store(struct store *base)
{
    struct sqlite_store *store = store_of(base);
    each_locked(store, locks_remove);
    db_close(&store->writer);
    pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store);
}

static const struct store_ops sqlite_store_ops = {
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
    .reader_open = sqlite_reader_open,
};

struct store *sqlite_open(const char *path, const struct db_options *options, struct err *err)
{
    struct sqlite_store *store = xcalloc(1, sizeof *store);
    store->base.ops = &sqlite_store_ops;
    store->path = xstrdup(path);
    store->options = *options;
    pthread_mutex_init(&store->lock, NULL);
    if (open_writer(store, err))
        return &store->base;
    close_store(&store->base);
    return NULL;
}

struct store *store_open_sqlite(const char *path, struct err *err)
{
    return sqlite_open(path, &db_default_options, err);
}

struct store *store_open_sqlite_copy(const char *path, struct err *err)
{
    struct db_options options = db_default_options;
    options.reader_limit_ms = 0;
    return sqlite_open(path, &options, err);
}
