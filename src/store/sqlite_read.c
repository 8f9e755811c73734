#include "store/sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* ---- the snapshot ---- */

/* Opens the connection, unless it is open. */
static bool connect_reader(struct sqlite_reader *reader)
{
    const struct sqlite_store *store = reader->store;
    struct err err;
    return reader->own.handle ||
           db_open(&reader->own, store->path, DB_READER, &store->options, &err);
}

struct store_reader *sqlite_reader_open(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);
    struct sqlite_reader *reader = xcalloc(1, sizeof *reader);
    reader->base.ops = &sqlite_reader_ops;
    reader->store = store;
    reader->db = &reader->own;
    reader->failed = !connect_reader(reader);
    return &reader->base;
}

static void reader_close(struct store_reader *base)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    db_close(&reader->own);
    free(reader);
}

static void read_begin(struct store_reader *base)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    /* What kept it from being opened, no more descriptors mostly, need not last. */
    reader->failed = !connect_reader(reader);
    if (reader->failed)
        return;
    db_set_deadline(reader->db, reader->store->options.reader_limit_ms);
    reader->failed = !db_run_plain(reader->db, SQL_BEGIN_READ);
}

static void read_end(struct store_reader *base)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    struct db *db = reader->db;
    db_set_deadline(db, 0);
    if (db->handle && db_in_transaction(db) && !db_run_plain(db, SQL_COMMIT))
        db_run_plain(db, SQL_ROLLBACK);
}

static bool reader_failed(const struct store_reader *base)
{
    return CONTAINER_OF(base, const struct sqlite_reader, base)->failed;
}

bool sqlite_reader_step(struct sqlite_reader *reader, sqlite3_stmt *statement)
{
    if (reader->failed || !statement)
        return false;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return true;
    sqlite3_reset(statement);
    reader->failed = code != SQLITE_DONE;
    return false;
}

sqlite3_stmt *sqlite_reader_query(struct sqlite_reader *reader, int sql, int64_t workspace)
{
    if (reader->failed)
        return NULL;
    sqlite3_stmt *statement = db_statement(reader->db, sql);
    if (statement)
        sqlite3_bind_int64(statement, 1, workspace);
    else
        reader->failed = true;
    return statement;
}

static uint64_t read_version(struct store_reader *base)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = reader->failed ? NULL : db_statement(reader->db, SQL_READ_VERSION);
    uint64_t version = 0;
    if (sqlite_reader_step(reader, statement))
        version = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return version;
}

/* ---- rows ---- */

/* Rows of one kind as they come, in an array that moves to the arena at the end. */
struct rows {
    const struct table *table;
    char *items;
    size_t count;
    size_t cap;
};

static void *rows_add(struct rows *rows)
{
    size_t size = rows->table->row_size;
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 16;
        rows->items = xreallocarray(rows->items, rows->cap, size);
    }
    return rows->items + rows->count++ * size;
}

static size_t rows_finish(struct rows *rows, bool failed, struct arena *arena, void **ret)
{
    size_t count = failed ? 0 : rows->count;
    *ret = arena_take(arena, rows->items, count, rows->table->row_size);
    return count;
}

size_t sqlite_read_all(struct sqlite_reader *reader, sqlite3_stmt *statement, enum row_kind kind,
                       struct arena *arena, void **ret)
{
    struct rows rows = {.table = &store_tables[kind]};
    while (sqlite_reader_step(reader, statement))
        db_read_row(statement, rows.table, rows.table->count, rows_add(&rows), arena);
    return rows_finish(&rows, reader->failed, arena, ret);
}

static enum sql get_statement(enum row_kind kind, const struct row_id *id)
{
    switch (kind) {
    case ROW_JOB:
        return SQL_GET_JOB;
    case ROW_JOB_VERSION:
        return id->version ? SQL_GET_JOB_VERSION : SQL_GET_JOB_VERSION_NEWEST;
    case ROW_SCHEDULE:
        return SQL_GET_SCHEDULE;
    case ROW_RUN:
        return SQL_GET_RUN;
    case ROW_TASK_RUN:
        return SQL_GET_TASK_RUN;
    case ROW_OPERATION:
        return SQL_GET_OPERATION;
    case ROW_RETRY_TOKEN:
        return SQL_GET_RETRY_TOKEN;
    case ROW_USER:
        return id->by_name ? SQL_GET_USER_BY_NAME : SQL_GET_USER;
    case ROW_ROLE:
        return SQL_GET_ROLE;
    case ROW_TOKEN:
        return SQL_GET_TOKEN;
    case ROW_API_KEY:
        return SQL_GET_API_KEY;
    case ROW_ACCESS_KEY:
        return SQL_GET_ACCESS_KEY;
    case ROW_SECRET:
        return SQL_GET_SECRET;
    case ROW_RESOURCE:
        return SQL_GET_RESOURCE;
    case ROW_CAMPAIGN:
        return SQL_GET_CAMPAIGN;
    case ROW_CAMPAIGN_CELL:
    case ROW_RECENT_JOB:
    case ROW_JOB_PERMISSION:
    case ROW_SKIPPED:
    case ROW_REPAIR:
    case ROW_ATTEMPT:
    case ROW_EVENT:
    case ROW_AUDIT:
    case ROW_KIND_COUNT:
        break;
    }
    abort(); /* not found by an id */
}

static bool get(struct store_reader *base, enum row_kind kind, const struct row_id *id,
                struct arena *arena, void *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    const struct table *table = &store_tables[kind];
    enum sql sql = get_statement(kind, id);
    sqlite3_stmt *statement = sqlite_reader_query(reader, (int)sql, id->workspace);
    if (!statement)
        return false;
    bool is_global = kind == ROW_USER || kind == ROW_TOKEN || kind == ROW_API_KEY ||
                     kind == ROW_ACCESS_KEY;
    int place = is_global ? 1 : 2;
    if (id->key)
        db_bind_uuid(statement, place, id->key);
    else if (id->hash)
        sqlite3_bind_blob(statement, place, id->hash, COLUMN_HASH_BYTES, SQLITE_STATIC);
    else
        db_bind_text(statement, place, id->text);
    if (sql == SQL_GET_JOB_VERSION)
        sqlite3_bind_int64(statement, 3, id->version);
    bool found = sqlite_reader_step(reader, statement);
    if (found)
        db_read_row(statement, table, table->count, ret, arena);
    sqlite3_reset(statement);
    return found;
}

/* ---- of jobs ---- */

static size_t active_schedules(struct store_reader *base, int64_t workspace, struct arena *arena,
                               struct schedule_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    void *items;
    size_t count = sqlite_read_all(reader,
                                   sqlite_reader_query(reader, SQL_ACTIVE_SCHEDULES, workspace),
                                   ROW_SCHEDULE, arena, &items);
    *ret = items;
    return count;
}

static size_t skipped(struct store_reader *base, int64_t workspace, const struct uuid *job,
                      size_t max, struct arena *arena, struct skipped_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_SKIPPED, workspace);
    if (statement) {
        db_bind_uuid(statement, 2, job);
        sqlite3_bind_int64(statement, 3, (int64_t)max);
    }
    void *items;
    size_t count = sqlite_read_all(reader, statement, ROW_SKIPPED, arena, &items);
    *ret = items;
    return count;
}

/* ---- a run ---- */

/* ?1 workspace, ?2 run. */
static sqlite3_stmt *query_run(struct sqlite_reader *reader, int sql, int64_t workspace,
                               const struct uuid *run)
{
    sqlite3_stmt *statement = sqlite_reader_query(reader, sql, workspace);
    if (statement)
        db_bind_uuid(statement, 2, run);
    return statement;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The run's row is not written when only a task run moves: its events are. */
static bool get_run_etag(struct store_reader *base, int64_t workspace, const struct uuid *key,
                         int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = query_run(reader, SQL_RUN_ETAG, workspace, key);
    if (!sqlite_reader_step(reader, statement))
        return false;
    int64_t version = db_column_int64(statement, 0);
    int64_t updated_ms = db_column_int64(statement, 1);
    int64_t last_event = db_column_int64(statement, 2);
    sqlite3_reset(statement);
    statement = query_run(reader, SQL_RUN_NEWEST_EVENT, workspace, key);
    if (sqlite_reader_step(reader, statement)) {
        last_event = larger(last_event, db_column_int64(statement, 0));
        updated_ms = larger(updated_ms, db_column_int64(statement, 1));
    }
    sqlite3_reset(statement);
    if (reader->failed)
        return false;
    *ret_version = version;
    *ret_last_event = last_event;
    *ret_updated_ms = updated_ms;
    return true;
}

static void turn_round(struct attempt_row *attempts, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct attempt_row other = attempts[i];
        attempts[i] = attempts[count - 1 - i];
        attempts[count - 1 - i] = other;
    }
}

/* Attempts of a run are stored together; those of task runs that a repair has replaced are passed over. They come
 * backwards: the first of a task run is its newest, whose trace is read. The traces of the others stand on
 * pages of their own, and stay there. */
static void read_attempts(struct sqlite_reader *reader, sqlite3_stmt *statement,
                          struct run_image *image, struct arena *arena)
{
    struct rows rows = {.table = &store_tables[ROW_ATTEMPT]};
    size_t without_trace = rows.table->count - 1;
    assert(strcmp(rows.table->columns[without_trace].name, "error_trace") == 0);
    struct uuid before = {{0}};
    struct uuid_map newest;
    uuid_map_init(&newest);
    bool all = image->repair_count <= 1;
    if (!all)
        run_image_newest(image, &newest);
    while (sqlite_reader_step(reader, statement)) {
        struct uuid task_run = db_column_uuid(statement, 2);
        if (!all && !uuid_map_get(&newest, &task_run))
            continue;
        bool is_older = uuid_equal(&task_run, &before);
        struct attempt_row *row = rows_add(&rows);
        db_read_row(statement, rows.table, is_older ? without_trace : rows.table->count, row,
                    arena);
        before = task_run;
    }
    uuid_map_release(&newest);
    void *items;
    image->attempt_count = rows_finish(&rows, reader->failed, arena, &items);
    image->attempts = items;
    turn_round(image->attempts, image->attempt_count);
}

static void read_task_runs(struct sqlite_reader *reader, int64_t workspace, const struct uuid *key,
                           struct arena *arena, struct run_image *image)
{
    void *items;
    image->task_run_count = sqlite_read_all(
        reader, query_run(reader, SQL_RUN_TASK_RUNS, workspace, key), ROW_TASK_RUN, arena, &items);
    image->task_runs = items;
    run_image_sort_task_runs(image);
    read_attempts(reader, query_run(reader, SQL_RUN_ATTEMPTS, workspace, key), image, arena);
}

static bool get_run_image(struct store_reader *base, int64_t workspace, const struct uuid *key,
                          bool is_outline, struct arena *arena, struct run_image *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    const struct row_id id = {.workspace = workspace, .key = key};
    struct run_image image = {.is_outline = is_outline};
    if (!get(base, ROW_RUN, &id, arena, &image.run))
        return false;
    void *items;
    image.repair_count = sqlite_read_all(reader, query_run(reader, SQL_RUN_REPAIRS, workspace, key),
                                         ROW_REPAIR, arena, &items);
    image.repairs = items;
    if (!is_outline)
        read_task_runs(reader, workspace, key, arena, &image);
    if (reader->failed)
        return false;
    *ret = image;
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static size_t live_runs(struct store_reader *base, int64_t workspace, struct arena *arena,
                        struct uuid **ret)
{
    static const struct uuid first = {{0}};
    struct sqlite_reader *reader = sqlite_reader_of(base);
    struct uuid last, *keys = NULL;
    size_t count = 0, cap = 0;
    memset(&last, 0xff, sizeof last);
    for (int state = 0; state < STATE_COUNT; state++) {
        if (state_is_final((enum state)state))
            continue;
        sqlite3_stmt *statement =
            sqlite_reader_query(reader, SQL_RUN_KEYS + RUN_KEYS_STATE, workspace);
        if (statement) {
            db_bind_uuid(statement, 2, &first);
            db_bind_uuid(statement, 3, &last);
            sqlite3_bind_int(statement, 5, state);
        }
        while (sqlite_reader_step(reader, statement)) {
            GROW(keys, count, cap);
            keys[count++] = db_column_uuid(statement, 0);
        }
    }
    if (reader->failed)
        count = 0;
    if (count)
        qsort(keys, count, sizeof *keys, compare_keys);
    *ret = arena_take(arena, keys, count, sizeof *keys);
    return count;
}

static int64_t read_census_number(struct sqlite_reader *reader, sqlite3_stmt *statement)
{
    int64_t number = FIELD_NULL;
    if (sqlite_reader_step(reader, statement) && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return number;
}

static bool run_census(struct store_reader *base, int64_t workspace, struct run_census *ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    struct run_census census = {.queued_since_ms = FIELD_NULL};
    for (int state = 0; state < STATE_COUNT && !reader->failed; state++) {
        if (state_is_final((enum state)state))
            continue;
        sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_RUN_COUNT, workspace);
        if (statement)
            sqlite3_bind_int(statement, 2, state);
        census.counts[state] = read_census_number(reader, statement);
    }
    census.queued_since_ms =
        read_census_number(reader, sqlite_reader_query(reader, SQL_QUEUE_FRONT, workspace));
    if (reader->failed)
        return false;
    *ret = census;
    return true;
}

static int64_t queue_position(struct store_reader *base, const struct run_row *run)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = sqlite_reader_query(reader, SQL_QUEUE_POSITION, run->workspace);
    if (!statement)
        return 0;
    db_bind_uuid(statement, 2, &run->job);
    sqlite3_bind_int(statement, 3, run->repair_number == 0 || run->in_campaign == 1);
    sqlite3_bind_int64(statement, 4, run->queued_ms);
    db_bind_uuid(statement, 5, &run->key);
    sqlite3_bind_int(statement, 6, QUEUE_POSITION_MAX);
    int64_t position = 0;
    while (sqlite_reader_step(reader, statement))
        position++;
    sqlite3_reset(statement);
    return position;
}

static size_t attempts(struct store_reader *base, int64_t workspace, const struct uuid *task_run,
                       int64_t from_number, size_t max, struct arena *arena,
                       struct attempt_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = query_run(reader, SQL_TASK_RUN_OWNER, workspace, task_run);
    struct uuid run = {0};
    if (sqlite_reader_step(reader, statement))
        run = db_column_uuid(statement, 0);
    sqlite3_reset(statement);
    statement = query_run(reader, SQL_ATTEMPTS, workspace, &run);
    if (statement) {
        db_bind_uuid(statement, 3, task_run);
        sqlite3_bind_int64(statement, 4, from_number);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)max);
    }
    void *items;
    size_t count = sqlite_read_all(reader, statement, ROW_ATTEMPT, arena, &items);
    *ret = items;
    return count;
}

/* ---- events ---- */

size_t sqlite_read_events(struct sqlite_reader *reader, sqlite3_stmt *statement,
                          struct arena *arena, struct event_row **ret)
{
    struct rows rows = {.table = &store_tables[ROW_EVENT]};
    while (sqlite_reader_step(reader, statement)) {
        struct event_row *event = rows_add(&rows);
        db_read_row(statement, rows.table, rows.table->count, event, arena);
        event->task_key = db_column_text(statement, (int)rows.table->count, arena);
    }
    void *items;
    size_t count = rows_finish(&rows, reader->failed, arena, &items);
    *ret = items;
    return count;
}

static size_t run_events(struct store_reader *base, int64_t workspace, const struct uuid *run,
                         int64_t after, size_t max, struct arena *arena, struct event_row **ret)
{
    struct sqlite_reader *reader = sqlite_reader_of(base);
    sqlite3_stmt *statement = query_run(reader, SQL_RUN_EVENTS, workspace, run);
    if (statement) {
        sqlite3_bind_int64(statement, 3, after);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)max);
    }
    return sqlite_read_events(reader, statement, arena, ret);
}

const struct reader_ops sqlite_reader_ops = {
    .close = reader_close,
    .begin = read_begin,
    .end = read_end,
    .version = read_version,
    .failed = reader_failed,
    .get = get,
    .get_run_etag = get_run_etag,
    .get_run_image = get_run_image,
    .active_schedules = active_schedules,
    .skipped = skipped,
    .run_census = run_census,
    .live_runs = live_runs,
    .queue_position = queue_position,
    .task_states = sqlite_task_states,
    .prior_starts = sqlite_prior_starts,
    .attempts = attempts,
    .run_events = run_events,
    .workspace_events = sqlite_workspace_events,
    .newest_event = sqlite_newest_event,
    .entity_events = sqlite_entity_events,
    .list_runs = sqlite_list_runs,
    .recent_runs = sqlite_recent_runs,
    .list_jobs = sqlite_list_jobs,
    .find_number = sqlite_find_number,
    .list_instances = sqlite_list_instances,
    .list_numbered_jobs = sqlite_list_numbered_jobs,
    .list_operations = sqlite_list_operations,
    .accounts = sqlite_accounts,
    .resources = sqlite_resources,
    .job_permissions = sqlite_job_permissions,
    .recent_jobs = sqlite_recent_jobs,
    .campaigns = sqlite_campaigns,
    .active_campaigns = sqlite_active_campaigns,
    .campaigns_of_run = sqlite_campaigns_of_run,
    .campaign_cells = sqlite_campaign_cells,
    .campaign_counts = sqlite_campaign_counts,
    .planned_runs = sqlite_planned_runs,
    .window_runs = sqlite_window_runs,
};
