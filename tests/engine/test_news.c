/* What becomes known of an attempt while it goes on: its Spark application, that its cluster is up; and how long
 * clusters take (RULES §12). */
#include "engine/harness.h"

#define CLUSTER "{'cluster':{'newCluster':{'numWorkers':2}}}"

static void tell(struct world *world, const struct attempt_ref *ref, const char *id,
                 int64_t setup_ms)
{
    const struct attempt_outcome news = {.external_id = id, .setup_ms = setup_ms};
    world_report(world, ENGINE_NEWS, *ref, &news);
}

static void finish(struct world *world, const struct uuid *run, const char *task, int64_t setup_ms,
                   int64_t cleanup_ms)
{
    struct running was = world_take(world, world_running(world, run, task));
    const struct attempt_outcome outcome = {.cause = CAUSE_EXITED,
                                            .ended_ms = world->now_ms,
                                            .setup_ms = setup_ms,
                                            .cleanup_ms = cleanup_ms};
    world_report(world, ENGINE_OUTCOME, was.ref, &outcome);
}

static size_t note_count(struct world *world, const struct uuid *run)
{
    const struct booked_run *booked = book_run(&world->book, run);
    size_t count = 0;
    for (size_t i = 0; i < booked->event_count; i++)
        count += booked->events[i].type == EVENT_NOTE;
    return count;
}

static void an_application_is_known_once(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    const struct attempt_ref ref = world_running(world, &run, "a")->ref;
    assert_null(world_attempt(world, &run, "a", 0)->external_id);
    int64_t before = world_task(world, &run, "a")->row.last_event;
    tell(world, &ref, "app-1", 0);
    assert_true(world_task(world, &run, "a")->row.last_event > before); /* its etag moves */
    assert_string_equal(world_attempt(world, &run, "a", 0)->external_id, "app-1");
    assert_int_equal(note_count(world, &run), 1);
    tell(world, &ref, "app-1", 0); /* as a server does that has come back */
    tell(world, &ref, NULL, 5000); /* it has no cluster of its own */
    assert_int_equal(note_count(world, &run), 1);
    assert_int_equal(world_attempt(world, &run, "a", 0)->setup_ms, 0);
    world_exit(world, &run, "a", 0); /* its outcome does not name it again */
    assert_string_equal(world_attempt(world, &run, "a", 0)->external_id, "app-1");
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

static void stale_news_change_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1}", "");
    struct uuid run = world_submit(world, &job, NULL);
    const struct attempt_ref first = world_running(world, &run, "a")->ref;
    world_exit(world, &run, "a", 1);
    tell(world, &first, "app-1", 0);
    assert_null(world_attempt(world, &run, "a", 0)->external_id);
    assert_null(world_attempt(world, &run, "a", 1)->external_id);
    const struct attempt_ref second = world_running(world, &run, "a")->ref;
    world_exit(world, &run, "a", 0);
    tell(world, &second, "app-2", 0);
    assert_null(world_attempt(world, &run, "a", 1)->external_id);
    assert_int_equal(note_count(world, &run), 0);
}

static void a_cluster_is_measured(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: " CLUSTER, "");
    struct uuid run = world_submit(world, &job, NULL);
    const struct attempt_ref ref = world_running(world, &run, "a")->ref;
    assert_int_equal(world_task(world, &run, "a")->row.setup_ms, FIELD_NULL);
    world_advance(world, 7000);
    tell(world, &ref, NULL, 6000);
    assert_int_equal(world_task(world, &run, "a")->row.setup_ms, 6000);
    assert_int_equal(world_attempt(world, &run, "a", 0)->execution_ms, FIELD_NULL);
    world_advance(world, 3000);
    finish(world, &run, "a", 6000, 1000);
    const struct task_run_row *row = &world_task(world, &run, "a")->row;
    assert_int_equal(row->end_ms - row->start_ms, 10000);
    assert_int_equal(row->setup_ms, 6000);
    assert_int_equal(row->execution_ms, 3000);
    assert_int_equal(row->cleanup_ms, 1000);
    const struct repair_row *repair = world_newest_repair(world, &run);
    assert_int_equal(repair->setup_ms, 6000);
    assert_int_equal(repair->cleanup_ms, 1000);
    assert_int_equal(repair->execution_ms, 3000);
}

/* The helper and the supervisor measure by themselves: nothing is longer than the whole. */
static void measures_that_do_not_fit(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: " CLUSTER "; b: " CLUSTER, "");
    struct uuid run = world_submit(world, &job, NULL);
    const struct attempt_ref b = world_running(world, &run, "b")->ref;
    struct uuid other = world_dag(world, "a: " CLUSTER, "");
    struct uuid second = world_submit(world, &other, NULL);
    const struct attempt_ref far = world_running(world, &second, "a")->ref;
    world_advance(world, 1000);
    tell(world, &far, NULL, INT64_MAX);
    assert_int_equal(world_task(world, &second, "a")->row.setup_ms, 1000);
    finish(world, &run, "a", 4000, 500);
    const struct task_run_row *row = &world_task(world, &run, "a")->row;
    assert_int_equal(row->setup_ms, 1000);
    assert_int_equal(row->execution_ms + row->cleanup_ms, 0);
    /* Killed before it could tell: what was told before stands. */
    tell(world, &b, NULL, 800);
    assert_int_equal(world_task(world, &run, "b")->row.setup_ms, 800);
    finish(world, &run, "b", 0, 0);
    row = &world_task(world, &run, "b")->row;
    assert_int_equal(row->setup_ms, 800);
    assert_int_equal(row->execution_ms, 200);
    assert_int_equal(row->cleanup_ms, 0);
}

/* Clusters that are made at the same time count once; so do those of a repair alone. */
static void a_run_counts_what_overlaps_once(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: " CLUSTER "; b: " CLUSTER "; c: a b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 10000);
    finish(world, &run, "a", 4000, 1000); /* 0-4, and 9-10 */
    world_advance(world, 500);
    finish(world, &run, "b", 6000, 1000); /* 0-6, and 9.5-10.5 */
    world_advance(world, 1500);
    world_exit(world, &run, "c", 1);
    const struct repair_row *repair = world_newest_repair(world, &run);
    assert_int_equal(repair->setup_ms, 6000);
    assert_int_equal(repair->cleanup_ms, 1500);
    assert_int_equal(repair->execution_ms, 12000 - 7500);
    world_repair(world, &run, "c", NULL, NULL);
    world_exit(world, &run, "c", 0);
    assert_int_equal(world_newest_repair(world, &run)->setup_ms, 0);
    assert_int_equal(world_newest_repair(world, &run)->cleanup_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_application_is_known_once),    WORLD_TEST(stale_news_change_nothing),
        WORLD_TEST(a_cluster_is_measured),           WORLD_TEST(measures_that_do_not_fit),
        WORLD_TEST(a_run_counts_what_overlaps_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
