/* Which files are refused; tables as the table of columns says; statements that search an index. */
#include "store/world.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite.h"

/* ---- files that are refused ---- */

static void exec_sql(const char *path, const char *sql)
{
    sqlite3 *handle;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(handle);
}

static void assert_not_opened(const char *path, const char *part)
{
    struct err err = {0};
    assert_null(store_open_sqlite(path, &err));
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    assert_null(strstr(err.message, path));
}

static void a_file_that_is_not_ours_is_refused(void **state)
{
    struct world *world = *state;
    const char *garbage = world_file(world, "garbage"), *foreign = world_file(world, "foreign");
    FILE *file = fopen(garbage, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database, ", file);
    fclose(file);
    assert_not_opened(garbage, "not a SQLite database");
    exec_sql(foreign, "CREATE TABLE bookmarks (url TEXT)");
    assert_not_opened(foreign, "not one of Reprise");
    exec_sql(foreign, "SELECT * FROM bookmarks"); /* and left as it was */
    assert_int_not_equal(access(world_file(world, "foreign-wal"), F_OK), 0);
    assert_not_opened(world_file(world, "no/such/folder"), "cannot be opened");
}

static void a_newer_schema_is_refused(void **state)
{
    struct world *world = *state;
    const char *path = world_file(world, "newer");
    struct err err;
    store_close(store_open_sqlite(path, &err));
    exec_sql(path, "PRAGMA user_version = 2000");
    assert_not_opened(path, "newer");
}

/* ---- the schema ---- */

/* The table of columns and the migrations say the same. */
static void tables_have_the_columns_of_rows(void **state)
{
    struct world *world = *state;
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(world->path, &handle), SQLITE_OK);
    for (int kind = 0; kind <= ROW_KIND_COUNT; kind++) {
        const struct table *table = kind < ROW_KIND_COUNT ? &store_tables[kind]
                                                          : &store_workspace_table;
        for (size_t i = 0; i < table->count; i++) {
            const struct column *column = &table->columns[i];
            const char *type;
            int key;
            for (size_t k = 0; k < i; k++)
                assert_int_not_equal(table->columns[k].offset, column->offset);
            if (sqlite3_table_column_metadata(handle, NULL, table->name, column->name, &type, NULL,
                                              NULL, &key, NULL) != SQLITE_OK)
                fail_msg("%s.%s is not there", table->name, column->name);
            const char *wanted = column->kind == COLUMN_TEXT    ? "TEXT"
                                 : column->kind == COLUMN_BYTES ? "BLOB"
                                 : column->kind == COLUMN_UUID  ? "BLOB"
                                 : column->kind == COLUMN_HASH  ? "BLOB"
                                                                : "INTEGER";
            assert_string_equal(type, wanted);
            if (kind != ROW_RETRY_TOKEN)
                assert_int_equal(key, (column->flags & COLUMN_KEY) != 0);
        }
    }
    sqlite3_close(handle);
}

/* What the statements must be found by whose cost would otherwise grow with what is stored. */
static const struct {
    int sql;
    const char *step;
} wanted_steps[] = {
    {SQL_GET_RUN, "PRIMARY KEY (workspace=? AND key=?)"},
    {SQL_RUN_NEWEST_EVENT, "PRIMARY KEY (workspace=? AND run=?)"},
    {SQL_RUN_TASK_RUNS, "PRIMARY KEY (workspace=? AND run=?)"},
    {SQL_RUN_TASK_STATES, "PRIMARY KEY (workspace=? AND run=?)"},
    {SQL_PRIOR_STARTS, "PRIMARY KEY (workspace=? AND run=?)"},
    {SQL_RUN_ATTEMPTS, "PRIMARY KEY (workspace=? AND run=?)"},
    {SQL_ATTEMPTS, "PRIMARY KEY (workspace=? AND run=? AND task_run=? AND number>?)"},
    {SQL_RUN_EVENTS, "PRIMARY KEY (workspace=? AND run=? AND number>?)"},
    {SQL_RUN_EVENTS, "task_run USING PRIMARY KEY (workspace=? AND run=? AND key=?)"},
    {SQL_TASK_NEWEST_EVENT, "PRIMARY KEY (workspace=? AND run=? AND key=?)"},
    {SQL_EVENT, "PRIMARY KEY (workspace=? AND run=? AND number=?)"},
    {SQL_OWN_EVENTS, "INDEX event_of_run (workspace=? AND run=?)"},
    {SQL_QUEUE_POSITION, "COVERING INDEX run_queued (workspace=? AND job=?)"},
    {SQL_RUN_MOVES, "COVERING INDEX event_run_moves (workspace=? AND number>?)"},
    {SQL_SERIES_OF_JOB, "COVERING INDEX sqlite_autoindex_series_1 (workspace=? AND job=?)"},
    {SQL_SERIES_OF_NAME, "COVERING INDEX series_by_name (workspace=? AND job_name=?)"},
    {SQL_NAME_AFTER, "COVERING INDEX series_by_name (workspace=? AND job_name>?)"},
    {SQL_NAME_BEFORE, "COVERING INDEX series_by_name (workspace=? AND job_name<?)"},
    {SQL_JOBS_NEWEST_FIRST, "COVERING INDEX job_live (workspace=? AND key>? AND key<?)"},
    {SQL_JOBS_NAME_AFTER, "COVERING INDEX job_by_name_newest (workspace=? AND name>?)"},
    {SQL_JOBS_NAME_BEFORE, "COVERING INDEX job_by_name (workspace=? AND name<?)"},
    {SQL_RUN_KEYS + RUN_KEYS_NEWEST, "PRIMARY KEY (workspace=? AND key>? AND key<?)"},
    {SQL_RUN_KEYS + RUN_KEYS_SERIES,
     "COVERING INDEX run_by_series (workspace=? AND series=? AND key>? AND key<?)"},
    {SQL_RUN_KEYS + RUN_KEYS_STATE,
     "COVERING INDEX run_by_state (workspace=? AND state=? AND key>? AND key<?)"},
    {SQL_RUN_KEYS + RUN_KEYS_SERIES + RUN_KEYS_STATE + RUN_KEYS_NEWEST,
     "COVERING INDEX run_by_series_state (workspace=? AND series=? AND state=? AND key>? AND "
     "key<?)"},
    {SQL_RUN_COUNT, "COVERING INDEX run_by_state (workspace=? AND state=?)"},
    {SQL_QUEUE_FRONT, "COVERING INDEX run_queued (workspace=?)"},
    {SQL_UPDATE + ROW_RUN, "PRIMARY KEY (workspace=? AND key=?)"},
    {SQL_UPDATE + ROW_TASK_RUN, "PRIMARY KEY (workspace=? AND run=? AND key=?)"},
    {SQL_UPDATE + ROW_ATTEMPT, "PRIMARY KEY (workspace=? AND run=? AND task_run=? AND number=?)"},
    {SQL_PRUNE_RETRY_TOKENS, "COVERING INDEX retry_token_by_age (created_ms<?)"},
    {SQL_PRUNE_OPERATIONS, "PRIMARY KEY (workspace=? AND key<?)"},
    {SQL_PRUNE_SKIPPED, "INDEX skipped_by_age (created_ms<?)"},
    {SQL_MARK_RETRY_TOKENS, "retry_token_by_run (workspace=? AND run=?)"},
};

/* One step of a plan: no sort, and no scan but of tables that stay small. */
static void check_step(const char *sql, const char *step)
{
    bool small = strstr(step, "SCAN installation") || strstr(step, "SCAN workspace");
    if (strstr(step, "TEMP B-TREE") || (strncmp(step, "SCAN", 4) == 0 && !small))
        fail_msg("%s\n  %s", sql, step);
}

static void check_plan(struct world *world, struct db *db, int number, const char *sql)
{
    sqlite3_stmt *plan = NULL;
    const char *explain = arena_printf(&world->arena, "EXPLAIN QUERY PLAN %s", sql);
    char *steps = arena_strdup(&world->arena, "");
    if (sqlite3_prepare_v2(db->handle, explain, -1, &plan, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db->handle));
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        check_step(sql, step);
        steps = arena_printf(&world->arena, "%s%s\n", steps, step);
    }
    sqlite3_finalize(plan);
    for (size_t i = 0; i < ARRAY_LEN(wanted_steps); i++)
        if (wanted_steps[i].sql == number && !strstr(steps, wanted_steps[i].step))
            fail_msg("%s\n%snot %s", sql, steps, wanted_steps[i].step);
}

static void every_statement_searches_an_index(void **state)
{
    struct world *world = *state;
    struct db db;
    struct err err;
    struct buf text;
    buf_init(&text, 32 << 10);
    assert_true(db_open(&db, world->path, DB_READER, &db_default_options, &err));
    for (int sql = SQL_READ_VERSION; sql < SQL_COUNT; sql++)
        if (db_statement_text(sql, &text))
            check_plan(world, &db, sql, text.data);
    db_close(&db);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_ours_is_refused),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(tables_have_the_columns_of_rows),
        cmocka_unit_test(every_statement_searches_an_index),
    };
    return world_run_sqlite("store schema", tests, sizeof tests / sizeof *tests);
}
