/* How the log is written (store/sqlite_wal.h): a transaction at once, whole, and before anybody hears of it. */
#include "store/world.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite_wal.h"

/* Write calls that this process has made so far. */
static long write_calls(void)
{
    char text[512];
    int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof text - 1);
    assert_true(got > 0);
    close(fd);
    text[got] = '\0';
    const char *line = strstr(text, "syscw: ");
    assert_non_null(line);
    return strtol(line + strlen("syscw: "), NULL, 10);
}

static void add_run(struct world *world, struct run_row *ret)
{
    *ret = world_run_row(world, STATE_PENDING);
    struct event_row event = world_event_row(world, &ret->key, STATE_NEW, STATE_PENDING);
    world_add(world, ROW_RUN, ROW_INSERT, ret);
    world_add(world, ROW_EVENT, ROW_INSERT, &event);
}

static void a_commit_is_one_write(void **state)
{
    struct world *world = *state;
    struct run_row run;
    add_run(world, &run);
    assert_int_equal(world_commit(world), STORE_OK); /* statements are prepared, pages are there */
    add_run(world, &run);
    long before = write_calls();
    assert_int_equal(world_commit(world), STORE_OK);
    assert_int_equal(write_calls() - before, 1);
}

static void assert_sound(sqlite3 *handle)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
}

/* Through SQLite's own VFS, which knows nothing of what is kept. */
static int64_t count_runs(const char *path)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_sound(handle);
    assert_int_equal(sqlite3_prepare_v2(handle, "SELECT count(*) FROM run", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return count;
}

static void others_see_each_commit_at_once(void **state)
{
    struct world *world = *state;
    struct run_row run;
    for (int commits = 1; commits <= 20; commits++) {
        for (int i = 0; i < commits; i++)
            add_run(world, &run);
        assert_int_equal(world_commit(world), STORE_OK);
        assert_int_equal(count_runs(world->path), commits * (commits + 1) / 2);
    }
}

/* More than is kept, and more than the connection's cache holds: pages are written in the middle of the transaction and read
 * again. */
static void a_transaction_may_be_larger_than_all_buffers(void **state)
{
    enum { VERSIONS = 24, BYTES = 1 << 20 };
    struct world *world = *state;
    struct job_version_row read;
    char *text = xmalloc(BYTES + 1);
    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    for (int64_t version = 1; version <= VERSIONS; version++) {
        struct job_version_row large = {
            .workspace = 1, .job = world->job, .version = version, .definition = text};
        world_add(world, ROW_JOB_VERSION, ROW_INSERT, &large);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    assert_int_equal(count_runs(world->path), 0);
    store_read_begin(world->reader);
    for (int64_t version = 1; version <= VERSIONS; version++) {
        assert_true(
            store_get_job_version(world->reader, 1, &world->job, version, &world->arena, &read));
        assert_string_equal(read.definition, text);
    }
    store_read_end(world->reader);
    free(text);
}

/* ---- a transaction that is taken back ---- */

static void run_sql(sqlite3 *handle, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

static sqlite3 *open_small(struct world *world, const char *vfs)
{
    sqlite3 *handle;
    const char *path = world_file(world, "small");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(path, &handle, flags, vfs), SQLITE_OK);
    if (vfs)
        sqlite_wal_attach(handle);
    /* So few pages are cached that a transaction spills into the log before its end. */
    run_sql(handle, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = 10");
    return handle;
}

#define FILL_SQL                                                                 \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400) " \
    "INSERT INTO t SELECT NULL, randomblob(1000) FROM n"

/* Other pages than those, and more of them. */
#define OTHER_SQL                                                                 \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) " \
    "INSERT INTO t SELECT NULL, randomblob(300) FROM n"

static void assert_rows(sqlite3 *handle, int wanted)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(handle, "SELECT count(*) FROM t", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), wanted);
    sqlite3_finalize(statement);
    assert_sound(handle);
}

/* What it had kept must not be written later, over what others have committed meanwhile. */
static void what_is_rolled_back_is_dropped(void **state)
{
    struct world *world = *state;
    sqlite3 *ours = open_small(world, sqlite_wal_vfs());
    sqlite3 *other = open_small(world, NULL);
    run_sql(ours, "CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB);" FILL_SQL);
    for (int i = 1; i <= 3; i++) {
        run_sql(ours, "PRAGMA wal_checkpoint(RESTART)");
        run_sql(ours, "BEGIN;" FILL_SQL "; ROLLBACK");
        run_sql(other, OTHER_SQL); /* in the log over where that was */
        assert_rows(ours, 400 + i * 2001 - 1);
        run_sql(ours, "INSERT INTO t VALUES (NULL, randomblob(1000))");
        assert_rows(other, 400 + i * 2001);
    }
    run_sql(ours, "PRAGMA wal_checkpoint(RESTART)");
    run_sql(ours, "BEGIN;" FILL_SQL);
    sqlite3_close(ours); /* in the middle of a transaction */
    run_sql(other, OTHER_SQL);
    assert_rows(other, 400 + 3 * 2001 + 2000);
    sqlite3_close(other);
    other = open_small(world, NULL);
    assert_rows(other, 400 + 3 * 2001 + 2000);
    sqlite3_close(other);
}

/* Of a statement that fails only that is taken back: what came before it is there to be committed. */
static void a_savepoint_is_taken_back_alone(void **state)
{
    struct world *world = *state;
    sqlite3 *ours = open_small(world, sqlite_wal_vfs());
    sqlite3 *other = open_small(world, NULL);
    run_sql(ours, "CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)");
    run_sql(ours,
            "BEGIN;" FILL_SQL "; SAVEPOINT s;" FILL_SQL ";" FILL_SQL "; ROLLBACK TO s; RELEASE s");
    assert_rows(ours, 400);
    run_sql(ours, FILL_SQL "; COMMIT");
    assert_rows(other, 800);
    assert_rows(ours, 800);
    sqlite3_close(other);
    sqlite3_close(ours);
}

static void the_vfs_is_one_for_all(void **state)
{
    (void)state;
    const char *name = sqlite_wal_vfs();
    assert_non_null(name);
    assert_ptr_equal(sqlite_wal_vfs(), name);
    assert_non_null(sqlite3_vfs_find(name));
    assert_string_not_equal(sqlite3_vfs_find(NULL)->zName, name); /* nobody gets it unasked */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_one_write),
        cmocka_unit_test(others_see_each_commit_at_once),
        cmocka_unit_test(a_transaction_may_be_larger_than_all_buffers),
        cmocka_unit_test(what_is_rolled_back_is_dropped),
        cmocka_unit_test(a_savepoint_is_taken_back_alone),
        cmocka_unit_test(the_vfs_is_one_for_all),
    };
    return world_run_sqlite("store_wal", tests, sizeof tests / sizeof tests[0]);
}
