/* Campaigns and their cells, and runs by planned time. */
#include <string.h>

#include "base/mem.h"
#include "store/page.h"
#include "store/sqlite.h"

/* They are few: what the filter asks for is looked at row by row. */
size_t sqlite_campaigns(struct store_reader *base, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    const struct table *table = &store_tables[ROW_CAMPAIGN];
    struct uuid before = filter->before;
    if (uuid_is_nil(&before))
        memset(&before, 0xff, sizeof before);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_CAMPAIGNS, workspace);
    if (statement)
        db_bind_uuid(statement, 2, &before);
    struct campaign_row *rows = NULL;
    size_t count = 0, cap = 0;
    while (count < filter->limit && sqlite_reader_step(reader, statement)) {
        GROW(rows, count, cap);
        db_read_row(statement, table, table->listed, &rows[count], arena);
        count += campaign_is_wanted(filter, &rows[count]);
    }
    sqlite3_reset(statement);
    if (reader->failed)
        count = 0;
    *ret = arena_take(arena, rows, count, sizeof *rows);
    return count;
}

/* One key a row; the same one may come several times in a row. */
static size_t read_keys(struct sqlite_reader *reader, sqlite3_stmt *statement, struct arena *arena,
                        struct uuid **ret)
{
    struct uuid *keys = NULL;
    size_t count = 0, cap = 0;
    while (sqlite_reader_step(reader, statement)) {
        GROW(keys, count, cap);
        keys[count] = db_column_uuid(statement, 0);
        count += count == 0 || !uuid_equal(&keys[count], &keys[count - 1]);
    }
    if (reader->failed)
        count = 0;
    *ret = arena_take(arena, keys, count, sizeof *keys);
    return count;
}

size_t sqlite_active_campaigns(struct store_reader *base, int64_t workspace, struct arena *arena,
                               struct uuid **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    return read_keys(reader, sqlite_reader_query(reader, SQL_ACTIVE_CAMPAIGNS, workspace), arena,
                     ret);
}

size_t sqlite_campaigns_of_run(struct store_reader *base, int64_t workspace, const struct uuid *run,
                               struct arena *arena, struct uuid **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_CAMPAIGNS_OF_RUN, workspace);
    if (statement)
        db_bind_uuid(statement, 2, run);
    return read_keys(reader, statement, arena, ret);
}

size_t sqlite_campaign_cells(struct store_reader *base, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_CAMPAIGN_CELLS, workspace);
    if (statement) {
        db_bind_uuid(statement, 2, campaign);
        sqlite3_bind_int64(statement, 3, from_position);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)max);
    }
    void *rows;
    size_t count = sqlite_read_all(reader, statement, ROW_CAMPAIGN_CELL, arena, &rows);
    *ret = rows;
    return count;
}

bool sqlite_campaign_counts(struct store_reader *base, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_CAMPAIGN_COUNTS, workspace);
    *ret = (struct campaign_counts){{0}};
    if (statement)
        db_bind_uuid(statement, 2, campaign);
    while (sqlite_reader_step(reader, statement)) {
        int64_t state = db_column_int64(statement, 0);
        if (state >= 0 && state < CAMPAIGN_CELL_STATE_COUNT)
            ret->cells[state] = db_column_int64(statement, 1);
    }
    return !reader->failed;
}

/* Of runs of a job that were planned for then. */
static sqlite3_stmt *query_of_times(struct sqlite_reader *reader, enum sql sql, int64_t workspace,
                                    const struct uuid *job, int64_t from_ms, int64_t to_ms,
                                    size_t max)
{
    sqlite3_stmt *statement = sqlite_reader_query(reader, sql, workspace);
    if (statement) {
        db_bind_uuid(statement, 2, job);
        sqlite3_bind_int64(statement, 3, from_ms);
        sqlite3_bind_int64(statement, 4, to_ms);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)max);
    }
    return statement;
}

size_t sqlite_planned_runs(struct store_reader *base, int64_t workspace, const struct uuid *job,
                           int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                           struct run_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    const struct table *table = &store_tables[ROW_RUN];
    sqlite3_stmt *statement =
        query_of_times(reader, SQL_PLANNED_RUNS, workspace, job, from_ms, to_ms, max);
    struct run_row *rows = NULL;
    size_t count = 0, cap = 0;
    while (sqlite_reader_step(reader, statement)) {
        GROW(rows, count, cap);
        db_read_row(statement, table, table->listed, &rows[count++], arena);
    }
    if (reader->failed)
        count = 0;
    *ret = arena_take(arena, rows, count, sizeof *rows);
    return count;
}

size_t sqlite_window_runs(struct store_reader *base, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct window_run **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement =
        query_of_times(reader, SQL_WINDOW_RUNS, workspace, job, from_ms, to_ms, max);
    struct window_run *runs = NULL;
    size_t count = 0, cap = 0;
    while (sqlite_reader_step(reader, statement)) {
        GROW(runs, count, cap);
        runs[count++] = (struct window_run){
            .key = db_column_uuid(statement, 0),
            .plan_ms = db_column_int64(statement, 1),
            .launched = sqlite3_column_int(statement, 2),
            .instance_type = sqlite3_column_int(statement, 3),
            .state = (enum state)sqlite3_column_int(statement, 4),
        };
    }
    if (reader->failed)
        count = 0;
    *ret = arena_take(arena, runs, count, sizeof *runs);
    return count;
}
