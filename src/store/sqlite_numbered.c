/*
 * What the DataArts dialect asks for: jobs and runs by number, and lists with an offset and a total.
 *
 * A total has to look at everything that matches. So an index has all that is needed to say so, where
 * that can be; and rows are read for what only they know, and for the page.
 */
#include "store/sqlite.h"

#include <string.h>

#include "base/mem.h"
#include "store/page.h"

/* ---- by number ---- */

bool sqlite_find_number(struct store_reader *base, enum row_kind kind, int64_t workspace,
                        int64_t number, struct arena *arena, void *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    enum sql sql = kind == ROW_JOB ? SQL_JOB_OF_NUMBER : SQL_RUN_OF_NUMBER;
    sqlite3_stmt *statement = sqlite_reader_query(reader, (int)sql, workspace);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 2, number);
    bool found = sqlite_reader_step(reader, statement);
    struct uuid key = {{0}};
    if (found)
        key = db_column_uuid(statement, 0);
    sqlite3_reset(statement);
    if (!found)
        return false;
    return kind == ROW_JOB ? store_get_job(base, workspace, &key, arena, ret)
                           : store_get_run(base, workspace, &key, arena, ret);
}

/* ---- pages ---- */

/* The keys of a page with an offset, counted on behind it. */
struct window {
    struct uuid *keys;
    size_t count;
    size_t offset;
    size_t limit;
    int64_t total;
};

static struct window window_begin(struct arena *arena, size_t offset, size_t limit)
{
    return (struct window){
        .keys = ARENA_ARRAY(arena, limit, struct uuid), .offset = offset, .limit = limit};
}

static void window_add(struct window *window, const struct uuid *key)
{
    if ((size_t)window->total++ >= window->offset && window->count < window->limit)
        window->keys[window->count++] = *key;
}

/* Reads the rows of the page, as lists have them. */
static size_t read_page(struct sqlite_reader *reader, enum row_kind kind, enum sql sql,
                        int64_t workspace, const struct window *window, struct arena *arena,
                        void *items)
{
    const struct table *table = &store_tables[kind];
    size_t count = 0;
    for (size_t i = 0; i < window->count; i++) {
        sqlite3_stmt *statement = sqlite_reader_query(reader, (int)sql, workspace);
        if (!statement)
            return 0;
        db_bind_uuid(statement, 2, &window->keys[i]);
        if (sqlite_reader_step(reader, statement))
            db_read_row(statement, table, kind == ROW_RUN ? table->listed : table->count,
                        (char *)items + count++ * table->row_size, arena);
        sqlite3_reset(statement);
    }
    return reader->failed ? 0 : count;
}

/* ---- instances ---- */

static struct run_row row_to_judge(sqlite3_stmt *statement, bool whole, struct arena *scratch)
{
    struct run_row run = {0};
    if (!whole)
        return run;
    run.instance_type = sqlite3_column_int(statement, 1);
    run.state = (enum state)sqlite3_column_int(statement, 2);
    run.is_suspended = (int8_t)sqlite3_column_int(statement, 3);
    run.ignored_failure = (int8_t)sqlite3_column_int(statement, 4);
    run.job_name = db_column_text(statement, 5, scratch); /* the job's present one */
    return run;
}

void sqlite_list_instances(struct store_reader *base, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    bool whole = instance_needs_row(filter);
    enum sql sql = whole ? SQL_INSTANCES_WHOLE : SQL_INSTANCES;
    if (filter->job)
        sql = whole ? SQL_INSTANCES_OF_JOB_WHOLE : SQL_INSTANCES_OF_JOB;
    *ret = (struct instance_list){.items = ARENA_ARRAY(arena, filter->limit, struct run_row)};
    sqlite3_stmt *statement = sqlite_reader_query(reader, (int)sql, workspace);
    if (!statement)
        return;
    sqlite3_bind_int64(statement, 2, filter->from_ms);
    sqlite3_bind_int64(statement, 3, filter->to_ms);
    if (filter->job)
        db_bind_uuid(statement, 4, filter->job);
    struct window window = window_begin(arena, filter->offset, filter->limit);
    struct arena scratch;
    arena_init(&scratch);
    while (sqlite_reader_step(reader, statement)) {
        struct uuid key = db_column_uuid(statement, 0);
        struct run_row run = row_to_judge(statement, whole, &scratch);
        if (instance_matches(filter, &run))
            window_add(&window, &key);
        arena_clear(&scratch);
    }
    arena_release(&scratch);
    sqlite3_reset(statement);
    ret->count = read_page(reader, ROW_RUN, SQL_RUN_LISTED, workspace, &window, arena, ret->items);
    ret->total = reader->failed ? 0 : window.total;
}

/* ---- jobs ---- */

static bool has_number(const struct numbered_job_filter *filter, int64_t number)
{
    for (size_t i = 0; i < filter->number_count; i++)
        if (filter->numbers[i] == number)
            return true;
    return filter->number_count == 0;
}

static bool is_wanted(struct sqlite_reader *reader, int64_t workspace,
                      const struct numbered_job_filter *filter, const struct uuid *key,
                      struct arena *scratch)
{
    struct job_row row;
    return !filter->number_count || (store_get_job(&reader->base, workspace, key, scratch, &row) &&
                                     has_number(filter, row.number));
}

void sqlite_list_numbered_jobs(struct store_reader *base, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    bool asks_active = filter->is_active != FIELD_UNSET;
    enum sql sql = asks_active ? SQL_NUMBERED_JOBS_ACTIVE : SQL_NUMBERED_JOBS;
    *ret = (struct numbered_job_list){.items = ARENA_ARRAY(arena, filter->limit, struct job_row)};
    sqlite3_stmt *statement = sqlite_reader_query(reader, (int)sql, workspace);
    struct window window = window_begin(arena, filter->offset, filter->limit);
    struct arena scratch;
    arena_init(&scratch);
    while (statement && sqlite_reader_step(reader, statement)) {
        struct uuid key = db_column_uuid(statement, 0);
        arena_clear(&scratch);
        const char *name = db_column_text(statement, 1, &scratch);
        if ((!filter->name_part || strstr(name, filter->name_part)) &&
            (!asks_active || sqlite3_column_int(statement, 2) == filter->is_active) &&
            is_wanted(reader, workspace, filter, &key, &scratch))
            window_add(&window, &key);
    }
    arena_release(&scratch);
    sqlite3_reset(statement);
    ret->count = read_page(reader, ROW_JOB, SQL_GET_JOB, workspace, &window, arena, ret->items);
    ret->total = reader->failed ? 0 : window.total;
}
