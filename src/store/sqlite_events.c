/*
 * The table of events is stored by run, and every index would be more pages of every commit. So
 *
 * - events of a workspace by number: `event_block` says which runs have events in which block of
 *   STORE_EVENT_BLOCK numbers, a row per run and block, and a block is read run by run;
 * - events of a task run: its row names the newest, and each the one before.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite.h"

/* With a filter by job: after so many blocks without enough of it the caller asks again. */
enum { BLOCKS_AT_ONCE = 64 };

/* One read of a workspace's events. */
struct event_query {
    struct sqlite_reader *reader;
    int64_t workspace;
    const struct event_filter *filter;
    struct arena *arena;
    struct event_row *items; /* malloc'd */
    size_t count, cap;
};

static sqlite3_stmt *query_uuid(struct event_query *query, int sql, const struct uuid *run)
{
    sqlite3_stmt *statement = sqlite_reader_query(query->reader, sql, query->workspace);
    if (statement)
        db_bind_uuid(statement, 2, run);
    return statement;
}

/* The job of a run; false when there is no such run, or the filter wants another job. */
static bool find_job(struct event_query *query, const struct uuid *run, struct uuid *ret_job,
                     const char **ret_name)
{
    sqlite3_stmt *statement = query_uuid(query, SQL_RUN_JOB, run);
    bool found = sqlite_reader_step(query->reader, statement);
    if (found) {
        *ret_job = db_column_uuid(statement, 0);
        found = !query->filter->job || uuid_equal(ret_job, query->filter->job);
    }
    if (found)
        *ret_name = db_column_text(statement, 1, query->arena);
    sqlite3_reset(statement);
    return found;
}

/* Adds a run's events with numbers from `first` to `last`, the lowest `max` of them. */
static void add_run(struct event_query *query, const struct uuid *run, int64_t first, int64_t last,
                    size_t max)
{
    struct uuid job;
    const char *job_name;
    if (!find_job(query, run, &job, &job_name))
        return;
    sqlite3_stmt *statement = query_uuid(query, SQL_EVENTS_OF_BLOCK, run);
    if (statement) {
        sqlite3_bind_int64(statement, 3, first);
        sqlite3_bind_int64(statement, 4, last);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)max);
    }
    struct event_row *found;
    size_t count = sqlite_read_events(query->reader, statement, query->arena, &found);
    for (size_t i = 0; i < count; i++) {
        found[i].job = job;
        found[i].job_name = job_name;
        GROW(query->items, query->count, query->cap);
        query->items[query->count++] = found[i];
    }
}

static int by_number(const void *a, const void *b)
{
    const struct event_row *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* -1: there is none. */
static int64_t next_block(struct event_query *query, int64_t from)
{
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, SQL_EVENT_BLOCK_NEXT, query->workspace);
    if (statement)
        sqlite3_bind_int64(statement, 2, from);
    int64_t block = -1;
    if (sqlite_reader_step(query->reader, statement))
        block = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return block;
}

/* Everything of a block behind `after`, sorted. At most STORE_EVENT_BLOCK events. */
static void add_block(struct event_query *query, int64_t block, int64_t after)
{
    size_t before = query->count;
    int64_t last = (block + 1) * STORE_EVENT_BLOCK - 1;
    struct uuid *runs = NULL;
    size_t count = 0, cap = 0;
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, SQL_EVENT_BLOCK_RUNS, query->workspace);
    if (statement)
        sqlite3_bind_int64(statement, 2, block);
    while (sqlite_reader_step(query->reader, statement)) {
        GROW(runs, count, cap);
        runs[count++] = db_column_uuid(statement, 0);
    }
    for (size_t i = 0; i < count; i++)
        add_run(query, &runs[i], after + 1, last, STORE_EVENT_BLOCK);
    free(runs);
    if (query->count > before)
        qsort(query->items + before, query->count - before, sizeof *query->items, by_number);
}

/* Block after block until there is enough; everything up to what is returned has been looked at. */
static int64_t add_blocks(struct event_query *query, int64_t after, size_t max, int64_t newest)
{
    for (int i = 0; i < BLOCKS_AT_ONCE && query->count < max && after < newest; i++) {
        int64_t block = next_block(query, (after + 1) / STORE_EVENT_BLOCK);
        if (block < 0)
            return newest;
        add_block(query, block, after);
        after = (block + 1) * STORE_EVENT_BLOCK - 1;
    }
    return after < newest ? after : newest;
}

int64_t sqlite_newest_event(struct store_reader *base, int64_t workspace)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_NEWEST_EVENT, workspace);
    int64_t newest = 0;
    if (sqlite_reader_step(reader, statement) && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        newest = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return newest;
}

size_t sqlite_workspace_events(struct store_reader *base, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto)
{
    struct event_query query = {
        .reader = sqlite_reader_of(base),
        .workspace = workspace,
        .filter = filter,
        .arena = arena,
    };
    int64_t upto = sqlite_newest_event(base, workspace);
    if (after >= upto)
        after = upto; /* and no further: one is added */
    if (filter->run)
        add_run(&query, filter->run, after + 1, INT64_MAX, max);
    else
        upto = add_blocks(&query, after, max, upto);
    size_t count = query.reader->failed ? 0 : query.count < max ? query.count : max;
    *ret = arena_take(arena, query.items, count, sizeof *query.items);
    *ret_upto = count && count == max ? (*ret)[count - 1].number : upto;
    return count;
}

/* ---- events of a task run, or about the run itself ---- */

/* 0: there is none. */
static int64_t newest_of_task(struct event_query *query, const struct uuid *run,
                              const struct uuid *task_run)
{
    sqlite3_stmt *statement = query_uuid(query, SQL_TASK_NEWEST_EVENT, run);
    if (statement)
        db_bind_uuid(statement, 3, task_run);
    int64_t newest = 0;
    if (sqlite_reader_step(query->reader, statement))
        newest = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return newest;
}

/* The event, and the number of the one before; 0 when that was the first. */
static int64_t add_event(struct event_query *query, const struct uuid *run, int64_t number)
{
    sqlite3_stmt *statement = query_uuid(query, SQL_EVENT, run);
    if (statement)
        sqlite3_bind_int64(statement, 3, number);
    struct event_row *found;
    if (sqlite_read_events(query->reader, statement, query->arena, &found) == 0)
        return 0;
    GROW(query->items, query->count, query->cap);
    query->items[query->count++] = *found;
    return found->previous < number ? found->previous : 0;
}

size_t sqlite_entity_events(struct store_reader *base, int64_t workspace, const struct uuid *run,
                            const struct uuid *task_run, struct arena *arena,
                            struct event_row **ret)
{
    struct event_query query = {
        .reader = sqlite_reader_of(base), .workspace = workspace, .arena = arena};
    if (!task_run)
        return sqlite_read_events(query.reader, query_uuid(&query, SQL_OWN_EVENTS, run), arena,
                                  ret);
    for (int64_t number = newest_of_task(&query, run, task_run); number > 0;)
        number = add_event(&query, run, number);
    size_t count = query.reader->failed ? 0 : query.count;
    for (size_t i = 0; i < count / 2; i++) {
        struct event_row newer = query.items[i];
        query.items[i] = query.items[count - 1 - i];
        query.items[count - 1 - i] = newer;
    }
    *ret = arena_take(arena, query.items, count, sizeof *query.items);
    return count;
}
