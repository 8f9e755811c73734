/*
 * Lists of runs. A page is found as keys, over covering indexes, and only its own rows are read.
 *
 * Every list falls into groups of one sort value, in order (by time: one group; by name: a group a
 * name; by status: a group a state), and a group into streams: ranges of an index in which all but
 * the key is equal, so that keys come out in order. The first keys of a group's streams together
 * are kept until the page is full. What is read is proportional to the page and to the number of
 * streams, never to the number of stored runs.
 */
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "store/page.h"

enum { ALL_SERIES = 0, ALL_STATES = -1 };

/* The runs of one job under one name. */
struct series {
    int64_t id;
    const char *name;
};

struct series_list {
    struct series *items; /* by name, then id; each once */
    size_t count;
    size_t cap;
};

/* The best keys of a group so far: a heap with the worst on top. */
struct top {
    struct uuid *keys;
    size_t count;
    size_t cap;
    bool newest_first;
};

struct run_query {
    struct sqlite_reader *reader;
    int64_t workspace;
    const struct run_filter *filter;
    const struct list_order *order;
    struct store_cursor cursor; /* as_of and as_of_event set, also on the first page */
    struct key_range range;     /* what the filter and as_of leave */
    struct arena *arena;
    bool by_series; /* the filter names jobs or a name: `series` are all there are */
    struct series_list series;
    struct uuid *best;     /* room for the best keys of one group */
    struct uuid_map moved; /* key → state as of the first page, +2, as (void *)(uintptr_t) */
    struct uuid *moved_keys;
    size_t moved_count;
    struct place *places; /* the page and one more */
    size_t count;
    size_t wanted;
};

/* ---- the best keys ---- */

static bool is_worse(const struct top *top, const struct uuid *a, const struct uuid *b)
{
    int order = uuid_compare(a, b);
    return top->newest_first ? order < 0 : order > 0;
}

static void swap_keys(struct top *top, size_t a, size_t b)
{
    struct uuid key = top->keys[a];
    top->keys[a] = top->keys[b];
    top->keys[b] = key;
}

static void sift_down(struct top *top)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < top->count; i = child) {
        if (child + 1 < top->count && is_worse(top, &top->keys[child + 1], &top->keys[child]))
            child++;
        if (!is_worse(top, &top->keys[child], &top->keys[i]))
            return;
        swap_keys(top, i, child);
    }
}

/* False when the key is worse than all that are kept: nothing behind it in its stream counts. */
static bool top_offer(struct top *top, const struct uuid *key)
{
    if (top->count == top->cap) {
        if (top->cap == 0 || !is_worse(top, &top->keys[0], key))
            return false;
        top->keys[0] = *key;
        sift_down(top);
        return true;
    }
    size_t i = top->count++;
    top->keys[i] = *key;
    for (; i > 0 && is_worse(top, &top->keys[i], &top->keys[(i - 1) / 2]); i = (i - 1) / 2)
        swap_keys(top, i, (i - 1) / 2);
    return true;
}

/* Best first; the heap is used up. */
static void top_sort(struct top *top)
{
    size_t count = top->count;
    while (top->count > 1) {
        swap_keys(top, 0, --top->count);
        sift_down(top);
    }
    top->count = count;
}

/* ---- streams and groups ---- */

static void read_stream(struct run_query *query, struct top *top, const struct key_range *range,
                        int64_t series, int state, bool skip_moved)
{
    int flags = (series != ALL_SERIES ? RUN_KEYS_SERIES : 0) |
                (state != ALL_STATES ? RUN_KEYS_STATE : 0) |
                (top->newest_first ? RUN_KEYS_NEWEST : 0);
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, SQL_RUN_KEYS + flags, query->workspace);
    if (!statement)
        return;
    db_bind_uuid(statement, 2, &range->first);
    db_bind_uuid(statement, 3, &range->last);
    if (series != ALL_SERIES)
        sqlite3_bind_int64(statement, 4, series);
    if (state != ALL_STATES)
        sqlite3_bind_int(statement, 5, state);
    while (sqlite_reader_step(query->reader, statement)) {
        struct uuid key = db_column_uuid(statement, 0);
        if (skip_moved && uuid_map_get(&query->moved, &key))
            continue;
        if (!top_offer(top, &key))
            break;
    }
    sqlite3_reset(statement);
}

static void read_series(struct run_query *query, struct top *top, const struct key_range *range,
                        int64_t series, unsigned states)
{
    if (!states) {
        read_stream(query, top, range, series, ALL_STATES, false);
        return;
    }
    for (int state = 0; state < STATE_COUNT; state++)
        if (states >> state & 1U)
            read_stream(query, top, range, series, state, false);
}

/* Of at most `cap` keys, which query->best has room for; one at a time. */
static struct top top_begin(const struct run_query *query, size_t cap)
{
    return (struct top){
        .keys = query->best,
        .cap = cap,
        .newest_first = query->order->sort != SORT_TIME_CREATED || !query->order->ascending,
    };
}

/* The range of a group: the one in which the page before ended goes on behind its last key. */
static struct key_range group_range(const struct run_query *query, const struct top *top,
                                    bool continued)
{
    struct key_range range = query->range;
    if (continued && query->cursor.is_set)
        key_range_cut_after(&range, &query->cursor.key, top->newest_first);
    return range;
}

static void add_group(struct run_query *query, struct top *top, const char *name, enum state status)
{
    top_sort(top);
    for (size_t i = 0; i < top->count; i++)
        query->places[query->count++] = (struct place){name, status, top->keys[i]};
}

/* ---- series ---- */

static void add_series(struct run_query *query, sqlite3_stmt *statement, const char *name)
{
    struct series_list *list = &query->series;
    while (sqlite_reader_step(query->reader, statement)) {
        GROW(list->items, list->count, list->cap);
        list->items[list->count++] = (struct series){
            sqlite3_column_int64(statement, 0),
            name ? name : db_column_text(statement, 1, query->arena),
        };
    }
}

static int compare_series(const void *a, const void *b)
{
    const struct series *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static void sort_series(struct series_list *list)
{
    if (!list->count)
        return;
    qsort(list->items, list->count, sizeof *list->items, compare_series);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++)
        if (list->items[i].id != list->items[kept - 1].id)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static void load_series_of_job(struct run_query *query, const struct uuid *job)
{
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, SQL_SERIES_OF_JOB, query->workspace);
    if (statement)
        db_bind_uuid(statement, 2, job);
    add_series(query, statement, NULL);
}

static void load_series_of_name(struct run_query *query, const char *name)
{
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, SQL_SERIES_OF_NAME, query->workspace);
    if (statement)
        db_bind_text(statement, 2, name);
    add_series(query, statement, name);
}

/* Those of the filter's jobs, or of its name, or of both. */
static void load_series(struct run_query *query)
{
    const struct run_filter *filter = query->filter;
    struct series_list *list = &query->series;
    query->by_series = filter->job_count || filter->display_name;
    for (size_t i = 0; i < filter->job_count; i++)
        load_series_of_job(query, &filter->jobs[i]);
    if (!filter->job_count && filter->display_name)
        load_series_of_name(query, filter->display_name);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!filter->display_name || strcmp(list->items[i].name, filter->display_name) == 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
    sort_series(list);
}

/* ---- by time ---- */

static void list_by_time(struct run_query *query)
{
    struct top top = top_begin(query, query->wanted);
    struct key_range range = group_range(query, &top, true);
    if (!query->by_series)
        read_series(query, &top, &range, ALL_SERIES, query->filter->states);
    for (size_t i = 0; i < query->series.count; i++)
        read_series(query, &top, &range, query->series.items[i].id, query->filter->states);
    add_group(query, &top, NULL, STATE_NEW);
}

/* ---- by name ---- */

/* The next name in order among the series of the filter; NULL at the end, `name` NULL: the first. */
static const char *next_name_of_series(const struct run_query *query, const char *name)
{
    const struct series_list *list = &query->series;
    bool up = query->order->ascending;
    for (size_t i = 0; i < list->count; i++) {
        const char *next = list->items[up ? i : list->count - 1 - i].name;
        int order = name ? strcmp(next, name) : 0;
        if (!name || (up ? order > 0 : order < 0))
            return next;
    }
    return NULL;
}

static const char *next_name(struct run_query *query, const char *name)
{
    if (query->by_series)
        return next_name_of_series(query, name);
    bool up = query->order->ascending;
    sqlite3_stmt *statement =
        sqlite_reader_query(query->reader, up ? SQL_NAME_AFTER : SQL_NAME_BEFORE, query->workspace);
    if (!statement)
        return NULL;
    /* No name is empty, and no UTF-8 sorts behind the byte 0xff. */
    db_bind_text(statement, 2, name ? name : up ? "" : "\xff");
    const char *next = NULL;
    if (sqlite_reader_step(query->reader, statement))
        next = db_column_text(statement, 0, query->arena);
    sqlite3_reset(statement);
    return next;
}

static void list_by_name(struct run_query *query)
{
    const char *name = query->cursor.is_set ? query->cursor.name : next_name(query, NULL);
    bool continued = query->cursor.is_set;
    for (; name && query->count < query->wanted; name = next_name(query, name)) {
        struct top top = top_begin(query, query->wanted - query->count);
        struct key_range range = group_range(query, &top, continued);
        continued = false;
        if (!query->by_series) {
            query->series.count = 0;
            load_series_of_name(query, name);
        }
        for (size_t i = 0; i < query->series.count; i++)
            if (strcmp(query->series.items[i].name, name) == 0)
                read_series(query, &top, &range, query->series.items[i].id, query->filter->states);
        add_group(query, &top, name, STATE_NEW);
    }
}

/* ---- by status, as it was when the first page was read ---- */

/* Runs that have moved since then, and from where: their first state event behind as_of_event. All
 * others are still what their row and its indexes say. */
static void load_moved(struct run_query *query)
{
    if (query->order->sort != SORT_STATUS || !query->cursor.is_set)
        return;
    size_t cap = 0;
    sqlite3_stmt *statement = sqlite_reader_query(query->reader, SQL_RUN_MOVES, query->workspace);
    if (statement)
        sqlite3_bind_int64(statement, 2, query->cursor.as_of_event);
    while (sqlite_reader_step(query->reader, statement)) {
        struct uuid key = db_column_uuid(statement, 0);
        if (uuid_map_get(&query->moved, &key))
            continue;
        uintptr_t from = (uintptr_t)sqlite3_column_int64(statement, 1) + 2;
        uuid_map_put(&query->moved, &key, (void *)from);
        GROW(query->moved_keys, query->moved_count, cap);
        query->moved_keys[query->moved_count++] = key;
    }
}

static enum state status_as_of(const struct run_query *query, const struct uuid *key,
                               enum state now)
{
    uintptr_t from = (uintptr_t)uuid_map_get(&query->moved, key);
    return from ? (enum state)((int)from - 2) : now;
}

static bool is_in_series(struct run_query *query, const struct uuid *key)
{
    if (!query->by_series)
        return true;
    sqlite3_stmt *statement = sqlite_reader_query(query->reader, SQL_RUN_SERIES, query->workspace);
    if (!statement)
        return false;
    db_bind_uuid(statement, 2, key);
    int64_t id = 0;
    if (sqlite_reader_step(query->reader, statement))
        id = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    for (size_t i = 0; i < query->series.count; i++)
        if (query->series.items[i].id == id)
            return true;
    return false;
}

static void list_of_status(struct run_query *query, enum state status)
{
    struct top top = top_begin(query, query->wanted - query->count);
    struct key_range range = group_range(query, &top, status == query->cursor.status);
    if (!query->by_series)
        read_stream(query, &top, &range, ALL_SERIES, (int)status, true);
    for (size_t i = 0; i < query->series.count; i++)
        read_stream(query, &top, &range, query->series.items[i].id, (int)status, true);
    for (size_t i = 0; i < query->moved_count; i++) {
        const struct uuid *key = &query->moved_keys[i];
        if (status_as_of(query, key, STATE_NEW) == status && key_range_has(&range, key) &&
            is_in_series(query, key))
            top_offer(&top, key);
    }
    add_group(query, &top, NULL, status);
}

static void list_by_status(struct run_query *query)
{
    unsigned states = query->filter->states ? query->filter->states : ~0U;
    const struct store_cursor *cursor = &query->cursor;
    bool up = query->order->ascending;
    for (int i = 0; i < STATE_COUNT && query->count < query->wanted; i++) {
        enum state status = (enum state)(up ? i : STATE_COUNT - 1 - i);
        bool passed = cursor->is_set && (up ? status < cursor->status : status > cursor->status);
        if (!passed && (states >> (unsigned)status & 1U))
            list_of_status(query, status);
    }
}

/* ---- a list ---- */

static bool begin_query(struct run_query *query, const struct store_cursor *cursor)
{
    uuid_map_init(&query->moved);
    if (cursor && cursor->is_set) {
        query->cursor = *cursor;
    } else {
        sqlite3_stmt *statement =
            sqlite_reader_query(query->reader, SQL_RUN_NEWEST, query->workspace);
        if (!sqlite_reader_step(query->reader, statement))
            return false;
        query->cursor.as_of = db_column_uuid(statement, 0);
        sqlite3_reset(statement);
        statement = sqlite_reader_query(query->reader, SQL_NEWEST_EVENT, query->workspace);
        if (sqlite_reader_step(query->reader, statement))
            query->cursor.as_of_event = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
    }
    query->range = key_range_to(&query->cursor.as_of);
    return true;
}

static void end_query(struct run_query *query)
{
    uuid_map_release(&query->moved);
    free(query->moved_keys);
    free(query->series.items);
}

static bool read_listed(struct run_query *query, const struct uuid *key, struct run_row *ret)
{
    const struct table *table = &store_tables[ROW_RUN];
    sqlite3_stmt *statement = sqlite_reader_query(query->reader, SQL_RUN_LISTED, query->workspace);
    if (!statement)
        return false;
    db_bind_uuid(statement, 2, key);
    bool found = sqlite_reader_step(query->reader, statement);
    if (found)
        db_read_row(statement, table, table->listed, ret, query->arena);
    sqlite3_reset(statement);
    return found;
}

/* Reads the rows of the page that the places say. */
static void finish_list(struct run_query *query, struct run_list *ret)
{
    struct run_list list = {.more = query->count == query->wanted};
    size_t count = list.more ? query->count - 1 : query->count;
    list.items = ARENA_ARRAY(query->arena, count, struct run_row);
    for (size_t i = 0; i < count; i++)
        if (read_listed(query, &query->places[i].key, &list.items[list.count]))
            list.count++;
    if (list.more)
        list.next = cursor_behind(&query->cursor, &query->places[count - 1]);
    if (!query->reader->failed)
        *ret = list;
}

void sqlite_list_runs(struct store_reader *base, int64_t workspace, const struct run_filter *filter,
                      const struct list_order *order, const struct store_cursor *cursor,
                      struct arena *arena, struct run_list *ret)
{
    struct run_query query = {
        .reader = sqlite_reader_of(base),
        .workspace = workspace,
        .filter = filter,
        .order = order,
        .arena = arena,
        .wanted = order->limit + 1,
        .places = ARENA_ARRAY(arena, order->limit + 1, struct place),
        .best = ARENA_ARRAY(arena, order->limit + 1, struct uuid),
    };
    *ret = (struct run_list){0};
    if (begin_query(&query, cursor)) {
        key_range_cut_times(&query.range, filter->created_from_ms, filter->created_to_ms);
        load_series(&query);
        load_moved(&query);
        if (order->sort == SORT_TIME_CREATED)
            list_by_time(&query);
        else if (order->sort == SORT_DISPLAY_NAME)
            list_by_name(&query);
        else
            list_by_status(&query);
        finish_list(&query, ret);
    }
    end_query(&query);
}

/* ---- recent runs ---- */

static bool is_repeated(const struct uuid *keys, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (uuid_equal(&keys[i], &keys[at]))
            return true;
    return false;
}

/* What a run is sorted by, and no more. */
static bool read_place(struct run_query *query, const struct uuid *key, struct place *ret)
{
    *ret = (struct place){.key = *key};
    if (query->order->sort == SORT_TIME_CREATED)
        return true;
    sqlite3_stmt *statement = sqlite_reader_query(query->reader, SQL_RUN_PLACE, query->workspace);
    if (!statement)
        return false;
    db_bind_uuid(statement, 2, key);
    bool found = sqlite_reader_step(query->reader, statement);
    if (found) {
        enum state now = (enum state)sqlite3_column_int(statement, 0);
        ret->status = status_as_of(query, key, now);
        ret->name = db_column_text(statement, 1, query->arena);
    }
    sqlite3_reset(statement);
    return found;
}

/* The places of the newest runs of every job: few enough to be sorted here. */
static size_t read_recent(struct run_query *query, const struct uuid *jobs, size_t job_count,
                          size_t per_job, struct place *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < job_count; i++) {
        if (is_repeated(jobs, i))
            continue;
        struct top top = top_begin(query, per_job);
        top.newest_first = true;
        query->series.count = 0;
        load_series_of_job(query, &jobs[i]);
        for (size_t k = 0; k < query->series.count; k++)
            read_stream(query, &top, &query->range, query->series.items[k].id, ALL_STATES, false);
        for (size_t k = 0; k < top.count; k++)
            count += read_place(query, &top.keys[k], &ret[count]);
    }
    return count;
}

void sqlite_recent_runs(struct store_reader *base, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret)
{
    struct run_query query = {
        .reader = sqlite_reader_of(base),
        .workspace = workspace,
        .order = order,
        .arena = arena,
        .best = ARENA_ARRAY(arena, per_job, struct uuid),
        .wanted = order->limit + 1,
    };
    *ret = (struct run_list){0};
    if (begin_query(&query, cursor)) {
        load_moved(&query);
        struct place *places = ARENA_ARRAY(arena, job_count * per_job, struct place);
        size_t count = read_recent(&query, jobs, job_count, per_job, places);
        places_sort(order, places, count, sizeof *places);
        size_t first = places_after(order, &query.cursor, places, count, sizeof *places);
        query.places = places + first;
        query.count = count - first < query.wanted ? count - first : query.wanted;
        finish_list(&query, ret);
    }
    end_query(&query);
}
