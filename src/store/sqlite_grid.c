/*
 * A little of each of a run's task runs: states for grids, starts for one that a repair made. Task runs are
 * stored by run, so this is one range of the table's own key, of which the columns up to end_ms are read;
 * traces and parameters stand behind them and stay on their pages. An index with the state in it would be
 * written at every move of every task.
 */
#include "base/mem.h"
#include "store/sqlite.h"

size_t sqlite_task_states(struct store_reader *base, int64_t workspace, const struct uuid *run,
                          struct arena *arena, struct task_state **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_RUN_TASK_STATES, workspace);
    struct task_state *items = NULL;
    size_t count = 0, cap = 0;
    if (statement)
        db_bind_uuid(statement, 2, run);
    while (sqlite_reader_step(reader, statement)) {
        GROW(items, count, cap);
        items[count++] = (struct task_state){
            .task_key = db_column_text(statement, 0, arena),
            .repair_number = db_column_int64(statement, 1),
            .state = (enum state)sqlite3_column_int(statement, 2),
            .start_ms = db_column_int64(statement, 3),
            .end_ms = db_column_int64(statement, 4),
        };
    }
    if (reader->failed)
        count = 0;
    *ret = arena_take(arena, items, count, sizeof *items);
    return count;
}

bool sqlite_prior_starts(struct store_reader *base, int64_t workspace, const struct uuid *run,
                         const char *task_key, int64_t before_repair, int64_t *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_PRIOR_STARTS, workspace);
    int64_t starts = 0;
    if (statement) {
        db_bind_uuid(statement, 2, run);
        db_bind_text(statement, 3, task_key);
        sqlite3_bind_int64(statement, 4, before_repair);
    }
    while (sqlite_reader_step(reader, statement))
        starts = sqlite3_column_int64(statement, 0);
    if (reader->failed)
        return false;
    *ret = starts;
    return true;
}
