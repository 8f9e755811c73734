#include "base/mem.h"
#include "store/sqlite.h"

static sqlite3_stmt *series_statement(struct db *db, enum sql sql, const struct run_row *run)
{
    sqlite3_stmt *statement = db_statement(db, (int)sql);
    if (statement) {
        sqlite3_bind_int64(statement, 1, run->workspace);
        db_bind_uuid(statement, 2, &run->job);
        db_bind_text(statement, 3, run->job_name);
    }
    return statement;
}

/* The number that stands for (job, name) in the indexes of run; 0: there is none yet. */
static bool find_series(struct db *db, const struct run_row *run, int64_t *ret)
{
    sqlite3_stmt *statement = series_statement(db, SQL_SERIES_GET, run);
    if (!statement)
        return false;
    int code = sqlite3_step(statement);
    *ret = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

static bool add_series(struct db *db, const struct run_row *run, int64_t *ret)
{
    if (!db_run(series_statement(db, SQL_SERIES_INSERT, run)))
        return false;
    *ret = sqlite3_last_insert_rowid(db->handle);
    return true;
}

static bool insert_row(struct db *db, enum row_kind kind, const void *row)
{
    const struct table *table = &store_tables[kind];
    int64_t series = 0;
    if (kind == ROW_RUN && !find_series(db, row, &series))
        return false;
    if (kind == ROW_RUN && !series && !add_series(db, row, &series))
        return false;
    sqlite3_stmt *statement = db_statement(db, SQL_INSERT + (int)kind);
    if (!statement)
        return false;
    db_bind_row(statement, table, row, 0);
    if (kind == ROW_RUN)
        sqlite3_bind_int64(statement, (int)table->count + 1, series);
    return db_run(statement);
}

/* Says that the run has events in this block of numbers; `before` is the event that was written just
 * before, or NULL: most events come in rows of one run. */
static bool note_event_block(struct db *db, const struct event_row *event,
                             const struct event_row *before)
{
    int64_t block = event->number / STORE_EVENT_BLOCK;
    if (before && before->number / STORE_EVENT_BLOCK == block &&
        before->workspace == event->workspace && uuid_equal(&before->run, &event->run))
        return true;
    sqlite3_stmt *statement = db_statement(db, SQL_EVENT_BLOCK_INSERT);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, event->workspace);
    sqlite3_bind_int64(statement, 2, block);
    db_bind_uuid(statement, 3, &event->run);
    return db_run(statement);
}

static bool update_row(struct db *db, enum row_kind kind, const void *row)
{
    sqlite3_stmt *statement = db_statement(db, SQL_UPDATE + (int)kind);
    if (!statement)
        return false;
    db_bind_row(statement, &store_tables[kind], row, COLUMN_KEY | COLUMN_MOVING);
    return db_run(statement) && sqlite3_changes(db->handle) == 1;
}

static bool delete_row(struct db *db, enum row_kind kind, const void *row)
{
    sqlite3_stmt *statement = db_statement(db, SQL_DELETE + (int)kind);
    if (!statement)
        return false;
    db_bind_row(statement, &store_tables[kind], row, COLUMN_KEY);
    return db_run(statement) && sqlite3_changes(db->handle) == 1;
}

/* Children first, as the foreign keys want it; the last step is the row itself. */
static bool delete_whole(struct db *db, const enum sql *steps, size_t count, int64_t workspace,
                         const struct uuid *key)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *statement = db_statement(db, (int)steps[i]);
        if (!statement)
            return false;
        sqlite3_bind_int64(statement, 1, workspace);
        db_bind_uuid(statement, 2, key);
        if (!db_run(statement))
            return false;
    }
    return sqlite3_changes(db->handle) == 1;
}

static bool delete_run(struct db *db, const struct run_row *run)
{
    static const enum sql steps[] = {
        SQL_DELETE_EVENT_BLOCKS, SQL_DELETE_EVENTS,     SQL_DELETE_ATTEMPTS, SQL_DELETE_TASK_RUNS,
        SQL_DELETE_REPAIRS,      SQL_MARK_RETRY_TOKENS, SQL_DELETE_RUN};
    return delete_whole(db, steps, ARRAY_LEN(steps), run->workspace, &run->key);
}

static bool delete_campaign(struct db *db, const struct campaign_row *campaign)
{
    static const enum sql steps[] = {SQL_DELETE_CAMPAIGN_CELLS, SQL_DELETE_CAMPAIGN};
    return delete_whole(db, steps, ARRAY_LEN(steps), campaign->workspace, &campaign->key);
}

bool sqlite_write_batch(struct db *db, const struct row_batch *batch)
{
    const struct event_row *event = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct row_change *change = &batch->items[i];
        bool done = false;
        switch (change->action) {
        case ROW_INSERT:
            done = insert_row(db, change->kind, change->row);
            if (done && change->kind == ROW_EVENT) {
                done = note_event_block(db, change->row, event);
                event = change->row;
            }
            break;
        case ROW_UPDATE:
            done = update_row(db, change->kind, change->row);
            break;
        case ROW_DELETE:
            done = change->kind == ROW_RUN        ? delete_run(db, change->row)
                   : change->kind == ROW_CAMPAIGN ? delete_campaign(db, change->row)
                                                  : delete_row(db, change->kind, change->row);
            break;
        }
        if (!done)
            return false;
    }
    return true;
}
