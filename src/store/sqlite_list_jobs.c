/*
 * Lists of jobs and operations. Their order comes from an index; filters beyond the name are
 * checked row by row, so a filter that takes almost nothing reads almost everything: jobs are few
 * beside runs, and the reader's time limit bounds the rest.
 */
#include "store/sqlite.h"

#include <string.h>

#include "base/mem.h"
#include "store/page.h"

/* One page being filled, of rows of either kind. */
struct page_query {
    struct sqlite_reader *reader;
    int64_t workspace;
    const struct list_order *order;
    struct store_cursor cursor; /* as_of set, also on the first page */
    struct key_range range;     /* what as_of leaves */
    bool newest_first;
    const struct table *table;
    struct arena *arena;
    struct arena scratch; /* of the row being looked at */
    char *items;          /* the page and one more */
    size_t count;
    size_t wanted;
};

static bool begin_page(struct page_query *page, enum sql newest, const struct store_cursor *cursor)
{
    arena_init(&page->scratch);
    page->wanted = page->order->limit + 1;
    page->items = arena_array(page->arena, page->wanted, page->table->row_size);
    page->newest_first = page->order->sort != SORT_TIME_CREATED || !page->order->ascending;
    if (cursor && cursor->is_set) {
        page->cursor = *cursor;
    } else {
        sqlite3_stmt *statement = sqlite_reader_query(page->reader, (int)newest, page->workspace);
        if (!sqlite_reader_step(page->reader, statement))
            return false;
        page->cursor.as_of = db_column_uuid(statement, 0);
        sqlite3_reset(statement);
    }
    page->range = key_range_to(&page->cursor.as_of);
    return true;
}

static void add_row(struct page_query *page, const void *row)
{
    void *item = page->items + page->count++ * page->table->row_size;
    table_copy_row(page->table, row, item, page->arena);
}

/* How many of the items are the page; *ret_more when one follows. */
static size_t end_page(struct page_query *page, bool *ret_more)
{
    arena_release(&page->scratch);
    if (page->reader->failed)
        page->count = 0;
    *ret_more = page->count == page->wanted;
    return *ret_more ? page->count - 1 : page->count;
}

/* ?1 workspace, ?2 and ?3 the range, cut behind the cursor where the list goes on in it. */
static sqlite3_stmt *query_range(struct page_query *page, enum sql sql, struct key_range *range,
                                 bool continued)
{
    *range = page->range;
    if (continued && page->cursor.is_set)
        key_range_cut_after(range, &page->cursor.key, page->newest_first);
    sqlite3_stmt *statement = sqlite_reader_query(page->reader, (int)sql, page->workspace);
    if (statement) {
        db_bind_uuid(statement, 2, &range->first);
        db_bind_uuid(statement, 3, &range->last);
    }
    return statement;
}

/* ---- jobs ---- */

static bool read_job(struct page_query *page, const struct uuid *key, struct job_row *ret)
{
    sqlite3_stmt *statement = sqlite_reader_query(page->reader, SQL_GET_JOB, page->workspace);
    if (!statement)
        return false;
    db_bind_uuid(statement, 2, key);
    bool found = sqlite_reader_step(page->reader, statement);
    arena_clear(&page->scratch);
    if (found)
        db_read_row(statement, page->table, page->table->count, ret, &page->scratch);
    sqlite3_reset(statement);
    return found;
}

/* Rows of the keys that the statement finds, until the page is full. */
static void add_jobs(struct page_query *page, sqlite3_stmt *statement,
                     const struct job_filter *filter)
{
    while (page->count < page->wanted && sqlite_reader_step(page->reader, statement)) {
        struct uuid key = db_column_uuid(statement, 0);
        struct job_row job;
        if (key_range_has(&page->range, &key) && read_job(page, &key, &job) &&
            job_matches(filter, &job))
            add_row(page, &job);
    }
    sqlite3_reset(statement);
}

static void list_by_time(struct page_query *page, const struct job_filter *filter)
{
    struct key_range range;
    sqlite3_stmt *statement = query_range(
        page, page->newest_first ? SQL_JOBS_NEWEST_FIRST : SQL_JOBS_OLDEST_FIRST, &range, true);
    add_jobs(page, statement, filter);
}

static void list_of_name(struct page_query *page, const struct job_filter *filter, const char *name)
{
    struct key_range range;
    sqlite3_stmt *statement = query_range(
        page, page->newest_first ? SQL_JOBS_OF_NAME_NEWEST_FIRST : SQL_JOBS_OF_NAME_OLDEST_FIRST,
        &range, true);
    if (statement)
        db_bind_text(statement, 4, name);
    add_jobs(page, statement, filter);
}

/* First the rest of the name at which the page before ended, then the names behind it. */
static void list_by_name(struct page_query *page, const struct job_filter *filter)
{
    bool up = page->order->ascending;
    const char *name = up ? "" : "\xff"; /* no name is empty, no UTF-8 sorts behind 0xff */
    if (page->cursor.is_set) {
        name = page->cursor.name;
        list_of_name(page, filter, name);
    }
    sqlite3_stmt *statement = sqlite_reader_query(
        page->reader, up ? SQL_JOBS_NAME_AFTER : SQL_JOBS_NAME_BEFORE, page->workspace);
    if (statement)
        db_bind_text(statement, 4, name);
    add_jobs(page, statement, filter);
}

struct listed_job {
    struct place place;
    struct job_row row;
};

/* Jobs given by key: read one by one and sorted here. */
static void list_given(struct page_query *page, const struct job_filter *filter)
{
    struct listed_job *jobs = ARENA_ARRAY(page->arena, filter->job_count, struct listed_job);
    struct list_order order = *page->order;
    size_t count = 0;
    for (size_t i = 0; i < filter->job_count; i++) {
        struct job_row job;
        if (!key_range_has(&page->range, &filter->jobs[i]) ||
            !read_job(page, &filter->jobs[i], &job) || !job_matches(filter, &job))
            continue;
        struct listed_job *listed = &jobs[count++];
        table_copy_row(page->table, &job, &listed->row, page->arena);
        listed->place = (struct place){.name = listed->row.name, .key = listed->row.key};
    }
    places_sort(&order, jobs, count, sizeof *jobs);
    size_t first = places_after(&order, &page->cursor, jobs, count, sizeof *jobs);
    for (size_t i = first; i < count && page->count < page->wanted; i++)
        if (i == first || !uuid_equal(&jobs[i].row.key, &jobs[i - 1].row.key))
            add_row(page, &jobs[i].row);
}

void sqlite_list_jobs(struct store_reader *base, int64_t workspace, const struct job_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct job_list *ret)
{
    struct list_order by = *order;
    if (by.sort == SORT_STATUS)
        by.sort = SORT_DISPLAY_NAME;
    struct page_query page = {
        .reader = sqlite_reader_of(base),
        .workspace = workspace,
        .order = &by,
        .table = &store_tables[ROW_JOB],
        .arena = arena,
    };
    *ret = (struct job_list){0};
    if (begin_page(&page, SQL_JOB_NEWEST, cursor)) {
        if (filter->job_count)
            list_given(&page, filter);
        else if (filter->display_name)
            list_of_name(&page, filter, filter->display_name);
        else if (by.sort == SORT_TIME_CREATED)
            list_by_time(&page, filter);
        else
            list_by_name(&page, filter);
    }
    ret->items = (struct job_row *)(void *)page.items;
    ret->count = end_page(&page, &ret->more);
    if (ret->more) {
        const struct job_row *last = &ret->items[ret->count - 1];
        const struct place place = {.name = last->name, .key = last->key};
        ret->next = cursor_behind(&page.cursor, &place);
    }
}

/* ---- operations ---- */

void sqlite_list_operations(struct store_reader *base, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret)
{
    struct list_order by = {SORT_TIME_CREATED, order->ascending, order->limit};
    struct page_query page = {
        .reader = sqlite_reader_of(base),
        .workspace = workspace,
        .order = &by,
        .table = &store_tables[ROW_OPERATION],
        .arena = arena,
    };
    *ret = (struct operation_list){0};
    if (begin_page(&page, SQL_OPERATION_NEWEST, cursor)) {
        struct key_range range;
        enum sql sql = page.newest_first ? SQL_OPERATIONS_NEWEST_FIRST
                                         : SQL_OPERATIONS_OLDEST_FIRST;
        sqlite3_stmt *statement = query_range(&page, sql, &range, true);
        while (page.count < page.wanted && sqlite_reader_step(page.reader, statement)) {
            struct operation_row row;
            arena_clear(&page.scratch);
            db_read_row(statement, page.table, page.table->count, &row, &page.scratch);
            if (operation_matches(filter, &row))
                add_row(&page, &row);
        }
        sqlite3_reset(statement);
    }
    ret->items = (struct operation_row *)(void *)page.items;
    ret->count = end_page(&page, &ret->more);
    if (ret->more) {
        const struct place place = {.key = ret->items[ret->count - 1].key};
        ret->next = cursor_behind(&page.cursor, &place);
    }
}
