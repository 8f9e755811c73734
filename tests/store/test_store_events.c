/* Events of a workspace by number: pages, filters, holes, and databases of before. */
#include "store/world.h"

#include <sqlite3.h>

enum { STORM_RUNS = 40, STORM_EVENTS = 5000, STORM_PAGE = 300 };

/* Reads everything behind `after`, page by page, and compares it with what the storm wrote. */
static void check_storm(struct world *world, const struct event_filter *filter, int64_t after,
                        const struct run_row *runs, const bool *is_gone)
{
    int64_t upto = after, expected = after;
    store_read_begin(world->reader);
    assert_int_equal(store_newest_event(world->reader, 1), STORM_EVENTS);
    while (upto < STORM_EVENTS) {
        struct event_row *events;
        int64_t from = upto;
        size_t count = store_workspace_events(world->reader, 1, filter, from, STORM_PAGE,
                                              &world->arena, &events, &upto);
        assert_false(store_reader_failed(world->reader));
        assert_true(upto > from && count <= STORM_PAGE);
        for (size_t i = 0; i < count; i++) {
            do {
                expected++; /* event n is of run n % STORM_RUNS */
            } while (is_gone[expected % STORM_RUNS] ||
                     (filter->run && !uuid_equal(filter->run, &runs[expected % STORM_RUNS].key)) ||
                     (filter->job && !uuid_equal(filter->job, &runs[expected % STORM_RUNS].job)));
            const struct run_row *run = &runs[expected % STORM_RUNS];
            assert_int_equal(events[i].number, expected);
            assert_true(uuid_equal(&events[i].run, &run->key));
            assert_true(uuid_equal(&events[i].job, &run->job));
            assert_string_equal(events[i].job_name, run->job_name);
            assert_true(events[i].number <= upto);
        }
    }
    store_read_end(world->reader);
    assert_true(expected > STORM_EVENTS - STORM_RUNS || filter->job || filter->run);
}

/* Events of many runs, by number: whatever the page begins with, each once and in order. */
static void events_of_the_workspace_are_found_by_number(void **state)
{
    struct world *world = *state;
    static struct run_row runs[STORM_RUNS];
    bool is_gone[STORM_RUNS] = {false};
    struct job_row other = {.workspace = 1, .key = world_key(world), .name = "other", .version = 1};
    world_write(world, ROW_JOB, ROW_INSERT, &other);
    for (int i = 0; i < STORM_RUNS; i++) {
        runs[i] = world_run_row(world, STATE_RUNNING);
        if (i % 20 == 7) {
            runs[i].job = other.key;
            runs[i].job_name = "other";
        }
        world_add(world, ROW_RUN, ROW_INSERT, &runs[i]);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    for (int64_t n = 1; n <= STORM_EVENTS; n++) {
        struct event_row event =
            world_event_row(world, &runs[n % STORM_RUNS].key, STATE_PENDING, STATE_RUNNING);
        assert_int_equal(event.number, n);
        world_add(world, ROW_EVENT, ROW_INSERT, &event);
        if (n % 100 == 0)
            assert_int_equal(world_commit(world), STORE_OK);
    }
    const struct event_filter all = {0}, of_job = {.job = &other.key},
                              of_run = {.run = &runs[3].key},
                              of_nothing = {.run = &runs[3].key, .job = &other.key};
    const int64_t starts[] = {0, 1, 1022, 1023, 1024, 1025, 2047, 3000, 4999};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        check_storm(world, &all, starts[i], runs, is_gone);
        check_storm(world, &of_job, starts[i], runs, is_gone);
        check_storm(world, &of_run, starts[i], runs, is_gone);
    }
    struct event_row *events;
    int64_t upto;
    store_read_begin(world->reader);
    assert_int_equal(
        store_workspace_events(world->reader, 1, &of_nothing, 0, 10, &world->arena, &events, &upto),
        0);
    assert_int_equal(upto, STORM_EVENTS);
    store_read_end(world->reader);
    const int64_t behind[] = {STORM_EVENTS, STORM_EVENTS + 1, INT64_MAX - 1, INT64_MAX};
    store_read_begin(world->reader);
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        size_t count = store_workspace_events(world->reader, 1, &all, behind[i], 10, &world->arena,
                                              &events, &upto);
        assert_int_equal(count, 0);
        assert_int_equal(store_workspace_events(world->reader, 1, &of_run, behind[i], 10,
                                                &world->arena, &events, &upto),
                         0);
        assert_int_equal(upto, STORM_EVENTS);
        assert_int_equal(
            store_run_events(world->reader, 1, &runs[3].key, behind[i], 10, &world->arena, &events),
            0);
    }
    store_read_end(world->reader);
    for (int i = 0; i < STORM_RUNS; i += 3) { /* what is deleted leaves holes */
        is_gone[i] = true;
        world_write(world, ROW_RUN, ROW_DELETE, &runs[i]);
    }
    check_storm(world, &all, 0, runs, is_gone);
    check_storm(world, &of_job, 900, runs, is_gone);
}

/* A database of before is brought up: its events are found all the same, by number and by task run. */
static void events_of_before_are_found(void **state)
{
    struct world *world = *state;
    enum { EVENTS = 2500 };
    struct run_row runs[3];
    for (int i = 0; i < 3; i++) {
        runs[i] = world_run_row(world, STATE_RUNNING);
        runs[i].repair_number = i;
        world_add(world, ROW_RUN, ROW_INSERT, &runs[i]);
        for (int64_t number = 0; number <= i; number++) {
            const struct repair_row repair = {.workspace = 1,
                                              .run = runs[i].key,
                                              .number = number,
                                              .created_by = "u",
                                              .created_by_name = "u",
                                              .plan = "[]",
                                              .execution_ms = 100 * i + number};
            world_add(world, ROW_REPAIR, ROW_INSERT, &repair);
        }
    }
    struct task_run_row task_run = world_task_run_row(world, &runs[0].key, 0);
    world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_run);
    for (int i = 0; i < EVENTS; i++) {
        struct event_row event =
            world_event_row(world, &runs[i % 3].key, STATE_PENDING, STATE_RUNNING);
        if (i % 3 == 0 && i % 2 == 0) {
            event.task_run = task_run.key;
            task_run.last_event = event.number;
        }
        world_add(world, ROW_EVENT, ROW_INSERT, &event);
    }
    world_add(world, ROW_TASK_RUN, ROW_UPDATE, &task_run);
    assert_int_equal(world_commit(world), STORE_OK);
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(world->path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            handle,
            "DROP TABLE event_block; DROP TABLE schedule; DROP TABLE skipped;"
            " ALTER TABLE access_token DROP COLUMN parent;"
            " DROP INDEX run_planned; DROP TABLE resource; DROP TABLE recent_job;"
            " DROP INDEX job_by_number; DROP INDEX job_live_number;"
            " DROP INDEX run_by_number; DROP INDEX run_by_time;"
            " DROP TABLE campaign_cell; DROP TABLE campaign; DROP INDEX run_by_plan;"
            " DROP INDEX run_queued; ALTER TABLE run DROP COLUMN in_campaign;"
            " ALTER TABLE run DROP COLUMN is_held;"
            " CREATE INDEX run_queued ON run (workspace, job);"
            " DROP INDEX event_of_run; ALTER TABLE event DROP COLUMN previous;"
            " CREATE INDEX event_by_entity ON event (workspace, run, task_run, number);"
            " ALTER TABLE attempt DROP COLUMN external_id;"
            " ALTER TABLE attempt DROP COLUMN launch;"
            " ALTER TABLE repair DROP COLUMN commits; ALTER TABLE repair DROP COLUMN monitor;"
            " ALTER TABLE repair DROP COLUMN definition;"
            " ALTER TABLE task_run DROP COLUMN after_success; ALTER TABLE task_run DROP COLUMN is_marked;"
            " ALTER TABLE task_run DROP COLUMN canceled_by;"
            " ALTER TABLE run DROP COLUMN execution_ms; ALTER TABLE run DROP COLUMN attempt_start_ms;"
            " ALTER TABLE task_run DROP COLUMN git_commit;"
            " DROP TABLE job_permission; DROP INDEX audit_by_resource; DROP INDEX audit_refused;"
            " ALTER TABLE audit DROP COLUMN subject;"
            " ALTER TABLE audit DROP COLUMN resource;"
            " ALTER TABLE audit DROP COLUMN workspace;"
            " CREATE INDEX audit_by_outcome ON audit (outcome, key);"
            " ALTER TABLE access_token DROP COLUMN parent_key;"
            " ALTER TABLE access_token DROP COLUMN parent_key_is_public;"
            " PRAGMA user_version = 3",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(handle);
    world_reopen(world);
    const struct event_filter all = {0};
    struct event_row *events;
    int64_t upto;
    store_read_begin(world->reader);
    assert_int_equal(store_workspace_events(world->reader, 1, &all, 0, EVENTS + 1, &world->arena,
                                            &events, &upto),
                     EVENTS);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(events[i].number, i + 1);
    assert_int_equal(upto, EVENTS);
    size_t of_task =
        store_entity_events(world->reader, 1, &runs[0].key, &task_run.key, &world->arena, &events);
    assert_int_equal(of_task, (EVENTS + 5) / 6);
    for (size_t i = 0; i < of_task; i++)
        assert_int_equal(events[i].number, 6 * i + 1);
    assert_int_equal(
        store_entity_events(world->reader, 1, &runs[0].key, NULL, &world->arena, &events),
        (EVENTS + 2) / 6);
    store_read_end(world->reader);
    for (int i = 0; i < 3; i++) { /* and its runs have the duration of their newest attempt */
        struct run_row run;
        assert_true(store_get_run(world->reader, 1, &runs[i].key, &world->arena, &run));
        assert_int_equal(run.execution_ms, 100 * i + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_the_workspace_are_found_by_number),
    };
    const struct CMUnitTest sqlite_tests[] = {
        cmocka_unit_test(events_of_before_are_found),
    };
    return world_run("events", tests, sizeof tests / sizeof *tests) +
           world_run_sqlite("events", sqlite_tests, sizeof sqlite_tests / sizeof *sqlite_tests);
}
