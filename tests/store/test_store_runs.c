/* One contract, every implementation: what is read of a run, its events and the queue. */
#include "store/world.h"

#include "base/json.h"

static void an_image_holds_a_run_of_ten_thousand_tasks(void **state)
{
    struct world *world = *state;
    enum { TASKS = 10000 };
    struct run_row run = world_run_row(world, STATE_RUNNING);
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    for (int64_t i = TASKS - 1; i >= 0; i--) { /* keys do not follow positions here */
        struct task_run_row task_run = world_task_run_row(world, &run.key, i);
        world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_run);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    struct run_image image;
    store_read_begin(world->reader);
    assert_true(store_get_run_image(world->reader, 1, &run.key, &world->arena, &image));
    store_read_end(world->reader);
    assert_int_equal(image.task_run_count, TASKS);
    for (int64_t i = 0; i < TASKS; i++)
        assert_int_equal(image.task_runs[i].position, i);
}

/* Of a run alone, replaced task runs too, as they were made. */
static void states_of_tasks_are_those_of_the_run(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_RUNNING),
                   other = world_run_row(world, STATE_RUNNING);
    struct task_state *states;
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    world_add(world, ROW_RUN, ROW_INSERT, &other);
    for (int64_t i = 0; i < 4; i++) {
        struct task_run_row row = world_task_run_row(world, i == 2 ? &other.key : &run.key, i);
        row.repair_number = i == 3;
        row.state = i ? STATE_FAILED : STATE_BLOCKED;
        row.start_ms = i ? 100 + i : FIELD_NULL;
        row.end_ms = i ? 200 + i : FIELD_NULL;
        row.error_trace = "not read";
        world_add(world, ROW_TASK_RUN, ROW_INSERT, &row);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    store_read_begin(world->reader);
    size_t count = store_task_states(world->reader, 1, &run.key, &world->arena, &states);
    store_read_end(world->reader);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(states[i].repair_number, i == 2);
        assert_int_equal(states[i].state, i ? STATE_FAILED : STATE_BLOCKED);
        assert_int_equal(states[i].start_ms, i == 2 ? 103 : i ? 101 : FIELD_NULL);
        assert_int_equal(states[i].end_ms, i == 2 ? 203 : i ? 201 : FIELD_NULL);
        assert_non_null(states[i].task_key);
    }
}

static void assert_starts(struct world *world, const struct task_run_row *row, int64_t repair,
                          int64_t wanted)
{
    int64_t starts = -1;
    store_read_begin(world->reader);
    assert_true(store_prior_starts(world->reader, 1, &row->run, row->task_key, repair, &starts));
    store_read_end(world->reader);
    assert_int_equal(starts, wanted);
}

/* Of one task of one run, in what came before. */
static void starts_before_a_repair(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_RUNNING),
                   other = world_run_row(world, STATE_RUNNING);
    struct task_run_row first = {0};
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    world_add(world, ROW_RUN, ROW_INSERT, &other);
    for (int64_t repair = 2; repair >= 0; repair--)
        for (int64_t position = 0; position < 2; position++)
            for (int of = 0; of < 2; of++) {
                struct task_run_row row =
                    world_task_run_row(world, of ? &other.key : &run.key, position);
                row.repair_number = repair;
                row.attempts = of ? 1000 : position ? 100 : 1 + 4 * repair;
                world_add(world, ROW_TASK_RUN, ROW_INSERT, &row);
                if (!of && !position)
                    first = row;
            }
    assert_int_equal(world_commit(world), STORE_OK);
    assert_starts(world, &first, 0, 0);
    assert_starts(world, &first, 1, 1);
    assert_starts(world, &first, 2, 1 + 5);
    assert_starts(world, &first, 3, 1 + 5 + 9);
    first.task_key = "nobody";
    assert_starts(world, &first, 3, 0);
}

/* Two tasks; the second is repaired twice, every task run has attempts. */
static void an_image_has_the_attempts_of_the_newest(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_RUNNING);
    struct task_run_row task_runs[4];
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    for (int64_t i = 0; i < 3; i++) {
        struct repair_row repair = {.workspace = 1, .run = run.key, .number = i};
        world_add(world, ROW_REPAIR, ROW_INSERT, &repair);
    }
    for (int i = 0; i < 4; i++) {
        task_runs[i] = world_task_run_row(world, &run.key, i == 0 ? 0 : 1);
        task_runs[i].repair_number = i > 1 ? i - 1 : 0;
        world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_runs[i]);
        for (int64_t n = 0; n < 12; n++) {
            struct attempt_row attempt = {.workspace = 1,
                                          .run = run.key,
                                          .task_run = task_runs[i].key,
                                          .number = n,
                                          .error_trace = n < 11 ? "old" : "new"};
            world_add(world, ROW_ATTEMPT, ROW_INSERT, &attempt);
        }
    }
    assert_int_equal(world_commit(world), STORE_OK);
    struct run_image image;
    struct attempt_row *attempts;
    store_read_begin(world->reader);
    assert_true(store_get_run_image(world->reader, 1, &run.key, &world->arena, &image));
    assert_int_equal(
        store_attempts(world->reader, 1, &task_runs[2].key, 3, 5, &world->arena, &attempts), 5);
    assert_int_equal(attempts[0].number, 3);
    assert_int_equal(attempts[4].number, 7);
    store_read_end(world->reader);
    assert_int_equal(image.repair_count, 3);
    assert_int_equal(image.task_run_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(uuid_equal(&image.task_runs[i].key, &task_runs[i].key));
    assert_int_equal(image.attempt_count, 24);
    for (size_t i = 0; i < 24; i++) {
        assert_true(uuid_equal(&image.attempts[i].task_run, &task_runs[i < 12 ? 0 : 3].key));
        assert_int_equal(image.attempts[i].number, i % 12);
        if (i % 12 == 11) /* those before it are read by nobody */
            assert_string_equal(image.attempts[i].error_trace, "new");
        else
            assert_null(image.attempts[i].error_trace);
    }
    assert_string_equal(attempts[0].error_trace, "old");

    struct run_image outline;
    store_read_begin(world->reader);
    assert_true(store_get_run_outline(world->reader, 1, &run.key, &world->arena, &outline));
    store_read_end(world->reader);
    assert_true(outline.is_outline && !image.is_outline);
    assert_int_equal(outline.repair_count, 3);
    assert_int_equal(outline.task_run_count + outline.attempt_count, 0);
    assert_true(uuid_equal(&outline.run.key, &run.key));
}

/* "b" is repaired, then "a" removed and "c" added by a newer definition. */
static void a_map_has_the_newest_as_of_a_repair(void **state)
{
    static const char text[] =
        "{\"name\":\"j\",\"tasks\":["
        "{\"taskKey\":\"c\",\"type\":\"PYTHON_TASK\",\"filePath\":\"c.py\"},"
        "{\"taskKey\":\"b\",\"type\":\"PYTHON_TASK\",\"filePath\":\"b.py\"}]}";
    struct err err = {0};
    struct job_def *def = NULL;
    json_t *json = json_parse(text, sizeof text - 1, &err);
    (void)state;
    assert_non_null(json);
    if (job_def_parse(json, false, &def, &err) != ERR_OK)
        fail_msg("%s", err.message);
    json_decref(json);
    struct task_run_row rows[] = {
        {.task_key = "a", .repair_number = 0},
        {.task_key = "b", .repair_number = 0},
        {.task_key = "b", .repair_number = 1},
        {.task_key = "c", .repair_number = 2},
    };
    const struct run_image image = {.task_runs = rows, .task_run_count = 4};
    const struct task_run_row *map[2];
    run_image_map(&image, def, 0, map);
    assert_null(map[0]);
    assert_ptr_equal(map[1], &rows[1]);
    run_image_map(&image, def, 1, map);
    assert_null(map[0]);
    assert_ptr_equal(map[1], &rows[2]);
    run_image_map(&image, def, 2, map);
    assert_ptr_equal(map[0], &rows[3]);
    assert_ptr_equal(map[1], &rows[2]);
    job_def_unref(def);
}

static void events_are_sliced(void **state)
{
    struct world *world = *state;
    struct run_row runs[2];
    struct task_run_row task_runs[2];
    for (int i = 0; i < 2; i++) {
        runs[i] = world_run_row(world, STATE_RUNNING);
        world_add(world, ROW_RUN, ROW_INSERT, &runs[i]);
        task_runs[i] = world_task_run_row(world, &runs[0].key, i);
        task_runs[i].last_event = FIELD_NULL;
    }
    world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_runs[0]);
    world_add(world, ROW_TASK_RUN, ROW_INSERT, &task_runs[1]);
    for (int i = 0; i < 60; i++) { /* in turn: the run, its tasks, another run */
        struct event_row event =
            world_event_row(world, &runs[i % 4 == 3].key, STATE_PENDING, STATE_RUNNING);
        event.time_ms = 1000 + i;
        if (i % 4 == 1 || i % 4 == 2) {
            struct task_run_row *about = &task_runs[i % 4 - 1];
            event.type = EVENT_TASK_STATE;
            event.task_run = about->key;
            event.previous = about->last_event;
            about->last_event = event.number;
        }
        world_add(world, ROW_EVENT, ROW_INSERT, &event);
    }
    world_add(world, ROW_TASK_RUN, ROW_UPDATE, &task_runs[0]);
    world_add(world, ROW_TASK_RUN, ROW_UPDATE, &task_runs[1]);
    runs[0].updated_ms = 500;
    world_add(world, ROW_RUN, ROW_UPDATE, &runs[0]);
    assert_int_equal(world_commit(world), STORE_OK);
    struct event_row *events;
    struct arena *arena = &world->arena;
    store_read_begin(world->reader);
    assert_int_equal(store_run_events(world->reader, 1, &runs[0].key, 0, 1000, arena, &events), 45);
    assert_int_equal(store_run_events(world->reader, 1, &runs[0].key, 30, 5, arena, &events), 5);
    assert_int_equal(events[0].number, 31);
    assert_string_equal(events[0].task_key, "task_1");
    assert_int_equal(store_entity_events(world->reader, 1, &runs[0].key, NULL, arena, &events), 15);
    for (int i = 0; i < 15; i++)
        assert_int_equal(events[i].number, 4 * i + 1);
    assert_null(events[0].task_key);
    assert_int_equal(
        store_entity_events(world->reader, 1, &runs[0].key, &task_runs[0].key, arena, &events), 15);
    for (int i = 0; i < 15; i++)
        assert_int_equal(events[i].number, 4 * i + 2);
    assert_string_equal(events[14].task_key, "task_0");
    int64_t version, last_event, updated_ms;
    assert_true(
        store_get_run_etag(world->reader, 1, &runs[0].key, &version, &last_event, &updated_ms));
    assert_int_equal(version, 1);
    assert_int_equal(last_event, 59);
    assert_int_equal(updated_ms, 1058);
    store_read_end(world->reader);
}

static void live_runs_and_the_queue(void **state)
{
    struct world *world = *state;
    struct run_row runs[STATE_COUNT * 2], queued[6];
    struct uuid *live;
    size_t expected = 0;
    for (int i = 0; i < STATE_COUNT * 2; i++) {
        runs[i] = world_run_row(world, (enum state)((i * 7) % STATE_COUNT));
        runs[i].queued_ms = FIELD_NULL;
        if (runs[i].state == STATE_QUEUED)
            runs[i].state = STATE_RUNNING;
        world_add(world, ROW_RUN, ROW_INSERT, &runs[i]);
        expected += !state_is_final(runs[i].state);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    assert_int_equal(store_live_runs(world->reader, 1, &world->arena, &live), expected);
    for (size_t i = 0, k = 0; i < STATE_COUNT * 2; i++)
        if (!state_is_final(runs[i].state))
            assert_true(uuid_equal(&live[k++], &runs[i].key));
    /* Repairs first, then by the time of queueing, then by key. */
    static const struct {
        int64_t repair, queued_ms, position;
    } order[] = {{0, 50, 3}, {0, 50, 4}, {0, 60, 5}, {2, 90, 2}, {1, 70, 0}, {3, 70, 1}};
    for (int i = 0; i < 6; i++) {
        queued[i] = world_run_row(world, STATE_QUEUED);
        queued[i].repair_number = order[i].repair;
        queued[i].queued_ms = order[i].queued_ms;
        world_add(world, ROW_RUN, ROW_INSERT, &queued[i]);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(store_queue_position(world->reader, &queued[i]), order[i].position);
}

static void a_census_counts_runs_that_are_not_final(void **state)
{
    struct world *world = *state;
    struct run_census census;
    int64_t expected[STATE_COUNT] = {0};
    assert_true(store_run_census(world->reader, 1, &census));
    assert_int_equal(census.queued_since_ms, FIELD_NULL);
    for (int i = 0; i < STATE_COUNT * 3; i++) {
        struct run_row run = world_run_row(world, (enum state)(i % STATE_COUNT));
        run.queued_ms = run.state == STATE_QUEUED ? 90 - i : FIELD_NULL;
        world_add(world, ROW_RUN, ROW_INSERT, &run);
        assert_int_equal(world_commit(world), STORE_OK);
        expected[run.state] += !state_is_final(run.state);
    }
    assert_true(store_run_census(world->reader, 1, &census));
    assert_memory_equal(census.counts, expected, sizeof expected);
    assert_int_equal(census.queued_since_ms, 90 - (STATE_QUEUED + 2 * STATE_COUNT));
    assert_true(store_run_census(world->reader, 2, &census));
    assert_int_equal(census.counts[STATE_RUNNING], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_holds_a_run_of_ten_thousand_tasks),
        cmocka_unit_test(states_of_tasks_are_those_of_the_run),
        cmocka_unit_test(starts_before_a_repair),
        cmocka_unit_test(an_image_has_the_attempts_of_the_newest),
        cmocka_unit_test(a_map_has_the_newest_as_of_a_repair),
        cmocka_unit_test(events_are_sliced),
        cmocka_unit_test(live_runs_and_the_queue),
        cmocka_unit_test(a_census_counts_runs_that_are_not_final),
    };
    return world_run("store runs", tests, sizeof tests / sizeof *tests);
}
