#include "store/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- folders ---- */

void world_make_folder(char folder[static 64])
{
    const char *base = getenv("TMPDIR");
    int len =
        snprintf(folder, 64, "%.40s/store-XXXXXX", base && strlen(base) <= 40 ? base : "/tmp");
    assert_in_range(len, 1, 63);
    assert_non_null(mkdtemp(folder));
}

void world_remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

const char *world_file(struct world *world, const char *name)
{
    return arena_printf(&world->arena, "%s/%s", world->folder, name);
}

/* ---- a store ---- */

static enum store_result on_commit(void *context, int64_t number, bool *ret_applied)
{
    struct world *world = context;
    (void)number;
    enum store_result result = world->next_result;
    *ret_applied = world->next_applied;
    world->next_result = STORE_OK;
    world->next_applied = false;
    return result;
}

static void open_store(struct world *world)
{
    struct err err = {0};
    const struct store_faults faults = {on_commit, world};
    world->store = world->kind == WORLD_SQLITE ? store_open_sqlite(world->path, &err)
                                               : store_open_memory(&faults);
    if (!world->store)
        fail_msg("%s", err.message);
    world->reader = store_reader_open(world->store);
}

int world_setup(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);
    world->kind = *(const enum world_kind *)*state;
    world_make_folder(world->folder);
    snprintf(world->path, sizeof world->path, "%s/reprise.db", world->folder);
    arena_init(&world->arena);
    row_batch_init(&world->batch);
    world->now_ms = 1700000000000;
    uuid_source_init(&world->keys, 0, 7);
    open_store(world);
    world->workspace = (struct workspace_row){.name = "default", .created_ms = world->now_ms};
    world->workspace.key = world_key(world);
    assert_int_equal(store_workspace_create(world->store, &world->workspace), STORE_OK);
    assert_int_equal(store_take_over(world->store, world->workspace.id, 0, &world->workspace),
                     STORE_OK);
    world->job = world_key(world);
    const struct job_row job = {.workspace = world->workspace.id,
                                .key = world->job,
                                .name = "nightly",
                                .version = 1,
                                .deleted_ms = FIELD_NULL};
    world_write(world, ROW_JOB, ROW_INSERT, &job);
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    struct world *world = *state;
    store_reader_close(world->reader);
    store_close(world->store);
    row_batch_release(&world->batch);
    arena_release(&world->arena);
    world_remove_folder(world->folder);
    free(world);
    return 0;
}

void world_reopen(struct world *world)
{
    if (world->kind == WORLD_MEMORY)
        return;
    store_reader_close(world->reader);
    store_close(world->store);
    open_store(world);
}

static int run_kinds(const char *group, const struct CMUnitTest *tests, size_t count,
                     const enum world_kind *kinds, size_t kind_count)
{
    static const char *const names[] = {[WORLD_SQLITE] = "sqlite", [WORLD_MEMORY] = "memory"};
    struct arena arena;
    arena_init(&arena);
    struct CMUnitTest *all = ARENA_ARRAY(&arena, count * kind_count, struct CMUnitTest);
    for (size_t k = 0; k < kind_count; k++)
        for (size_t i = 0; i < count; i++) {
            struct CMUnitTest *test = &all[k * count + i];
            *test = tests[i];
            test->name = arena_printf(&arena, "%s_%s", names[kinds[k]], tests[i].name);
            test->setup_func = world_setup;
            test->teardown_func = world_teardown;
            test->initial_state = (void *)(uintptr_t)&kinds[k];
        }
    int failed = _cmocka_run_group_tests(group, all, count * kind_count, NULL, NULL);
    arena_release(&arena);
    return failed;
}

int world_run(const char *group, const struct CMUnitTest *tests, size_t count)
{
    static const enum world_kind kinds[] = {WORLD_SQLITE, WORLD_MEMORY};
    return run_kinds(group, tests, count, kinds, 2);
}

int world_run_sqlite(const char *group, const struct CMUnitTest *tests, size_t count)
{
    static const enum world_kind kinds[] = {WORLD_SQLITE};
    return run_kinds(group, tests, count, kinds, 1);
}

/* ---- writing ---- */

struct uuid world_key(struct world *world)
{
    return uuid_next(&world->keys, world->now_ms);
}

void world_add(struct world *world, enum row_kind kind, enum row_action action, const void *row)
{
    row_batch_add_copy(&world->batch, &world->arena, kind, action, row);
}

enum store_result world_commit(struct world *world)
{
    struct store_commit commit = {.workspace = &world->workspace, .rows = &world->batch};
    enum store_result result = store_commit(world->store, &commit);
    row_batch_clear(&world->batch);
    return result;
}

void world_write(struct world *world, enum row_kind kind, enum row_action action, const void *row)
{
    world_add(world, kind, action, row);
    assert_int_equal(world_commit(world), STORE_OK);
}

/* ---- rows ---- */

/* Names and keys of tasks are never unset. */
static bool is_required(const struct table *table, const struct column *column)
{
    return column->flags & COLUMN_KEY || strcmp(column->name, "job_name") == 0 ||
           strcmp(column->name, "task_key") == 0 ||
           ((table == &store_tables[ROW_JOB] || table == &store_tables[ROW_USER]) &&
            strcmp(column->name, "name") == 0);
}

static void fill_column(const struct column *column, void *row, uint64_t value, bool set,
                        struct arena *arena)
{
    void *member = column_member(column, row);
    int64_t int64 = set ? (int64_t)(value >> 1) : FIELD_NULL;
    int number = set ? (int)(value % STATE_COUNT) : FIELD_UNSET;
    const char *text = set ? arena_printf(arena, "%s é\xf0\x9f\x8e\xb5 %llx", column->name,
                                          (unsigned long long)value)
                           : NULL;
    switch (column->kind) {
    case COLUMN_INT64:
        memcpy(member, &int64, sizeof int64);
        break;
    case COLUMN_INT:
        memcpy(member, &number, sizeof number);
        break;
    case COLUMN_INT8:
        *(int8_t *)member = set ? (int8_t)(value % 2) : FIELD_UNSET;
        break;
    case COLUMN_TEXT:
        memcpy(member, &text, sizeof text);
        break;
    case COLUMN_BYTES:
        int64 = text ? (int64_t)strlen(text) : 0;
        memcpy(member, &text, sizeof text);
        memcpy((char *)row + column->length_offset, &int64, sizeof int64);
        break;
    case COLUMN_UUID:
        memset(member, set ? (int)(value % 255 + 1) : 0, sizeof(struct uuid));
        break;
    case COLUMN_HASH:
        memset(member, (int)(value % 256), COLUMN_HASH_BYTES);
        break;
    }
}

void row_fill(const struct table *table, void *row, unsigned seed, bool set, struct arena *arena)
{
    memset(row, 0, table->row_size);
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        uint64_t value = mix64((uint64_t)seed * 1000 + i);
        fill_column(column, row, value, set || is_required(table, column), arena);
    }
}

static bool column_equal(const struct column *column, const void *a, const void *b)
{
    static const size_t sizes[] = {
        [COLUMN_INT64] = sizeof(int64_t),  [COLUMN_INT] = sizeof(int),
        [COLUMN_INT8] = sizeof(int8_t),    [COLUMN_UUID] = sizeof(struct uuid),
        [COLUMN_HASH] = COLUMN_HASH_BYTES,
    };
    if (column->kind != COLUMN_TEXT && column->kind != COLUMN_BYTES)
        return memcmp(column_get(column, a), column_get(column, b), sizes[column->kind]) == 0;
    const char *x, *y;
    memcpy(&x, column_get(column, a), sizeof x);
    memcpy(&y, column_get(column, b), sizeof y);
    size_t len = column_length(column, a);
    if (!x || !y)
        return x == y && len == column_length(column, b);
    return len == column_length(column, b) && memcmp(x, y, len) == 0 && y[len] == '\0';
}

bool row_equal(const struct table *table, const void *a, const void *b, size_t count,
               unsigned flags)
{
    bool equal = true;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &table->columns[i];
        if (flags && !(column->flags & flags))
            continue;
        if (column_equal(column, a, b))
            continue;
        print_message("%s.%s differs\n", table->name, column->name);
        equal = false;
    }
    return equal;
}

void assert_row_equal(enum row_kind kind, const void *a, const void *b)
{
    const struct table *table = &store_tables[kind];
    assert_true(row_equal(table, a, b, table->count, 0));
}

/* ---- simple rows ---- */

struct run_row world_run_row(struct world *world, enum state state)
{
    struct run_row row;
    row_fill(&store_tables[ROW_RUN], &row, 1, false, &world->arena);
    row.workspace = world->workspace.id;
    row.key = row.root_run = row.original_attempt_run = world_key(world);
    row.number = ++world->workspace.last_run_number;
    row.job = world->job;
    row.job_name = "nightly";
    row.version = 1;
    row.definition_version = 1;
    row.launched = LAUNCHED_MANUAL;
    row.trigger = TRIGGER_ONE_TIME;
    row.instance_type = INSTANCE_MANUAL;
    row.created_ms = row.updated_ms = uuid_time_ms(&row.key);
    row.state = state;
    row.repair_number = 0;
    row.is_held = 0;
    row.queued_ms = state == STATE_QUEUED ? row.created_ms : FIELD_NULL;
    row.last_event = world->workspace.last_event;
    return row;
}

struct task_run_row world_task_run_row(struct world *world, const struct uuid *run,
                                       int64_t position)
{
    struct task_run_row row;
    row_fill(&store_tables[ROW_TASK_RUN], &row, 1, false, &world->arena);
    row.workspace = world->workspace.id;
    row.run = *run;
    row.key = world_key(world);
    row.repair_number = 0;
    row.position = position;
    row.task_key = arena_printf(&world->arena, "task_%lld", (long long)position);
    row.definition_version = 1;
    row.state = STATE_BLOCKED;
    row.attempts = 0;
    return row;
}

struct event_row world_event_row(struct world *world, const struct uuid *run, enum state from,
                                 enum state to)
{
    return (struct event_row){
        .workspace = world->workspace.id,
        .run = *run,
        .number = ++world->workspace.last_event,
        .time_ms = world->now_ms,
        .attempt = FIELD_NULL,
        .previous = FIELD_NULL,
        .type = EVENT_RUN_STATE,
        .from = from,
        .to = to,
        .reason = "because",
    };
}
