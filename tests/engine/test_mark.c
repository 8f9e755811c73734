/* Repairs that take a task for successful without running it (markSuccess). */
#include "engine/harness.h"

#define WIDE "'maxConcurrentRuns':9"

static void what_is_below_goes_on(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b; d: c", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 1);
    struct uuid kept = world_task(world, &run, "a")->row.key;
    struct uuid failed = world_task(world, &run, "b")->row.key;
    world_repair(world, &run, "=b", NULL, NULL);
    world_expect(world, &run, "RUNNING a=SUCCESS b=SUCCESS c=RUNNING d=BLOCKED");
    assert_same(world_task(world, &run, "a")->row.key, kept);
    const struct booked_task *marked = world_task(world, &run, "b");
    assert_differ(marked->row.key, failed);
    assert_int_equal(marked->attempt_count, 0);
    assert_string_equal(marked->row.message,
                        "Marked as successful by ann in repair 1; nothing ran");
    assert_has(world_event(world, &run, "b", STATE_BLOCKED)->decision, "\"MARK\"");
    assert_string_equal(world_newest_repair(world, &run)->plan, "[\"b\",\"c\",\"d\"]");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS d=SUCCESS");
    assert_string_equal(world_run(world, &run)->message,
                        "Succeeded; 1 task marked as successful: b");
    /* From here on it is as any other that succeeded. */
    world_repair(world, &run, "b", NULL, NULL);
    world_exit(world, &run, "b", 0);
    assert_string_equal(world_run(world, &run)->message, "Succeeded");
    assert_int_equal(world_task(world, &run, "b")->attempt_count, 1);
}

/* What it depends on is waited for, and may end as it likes. */
static void it_comes_in_its_turn_and_asks_no_rule(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, "=b", NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=FAILED b=SUCCESS c=RUNNING");
    world_exit(world, &run, "c", 0);
    assert_string_equal(world_run(world, &run)->message,
                        "Succeeded; 1 task failed: a; 1 task marked as successful: b");
}

/* A branch that was not taken, too. */
static void an_excluded_task_can_be_marked(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "?d; yes: d=true; no: d=false; end: no", "");
    struct uuid run = world_submit(world, &job, "d=1");
    world_exit(world, &run, "yes", 0);
    world_expect(world, &run, "SUCCESS d=SUCCESS yes=SUCCESS no=EXCLUDED end=EXCLUDED");
    world_repair(world, &run, "=no", NULL, NULL);
    world_expect(world, &run, "RUNNING d=SUCCESS yes=SUCCESS no=SUCCESS end=RUNNING");
    world_all_succeed(world);
}

static void what_else_is_selected(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c: a b; d: b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 1);
    /* Named, it is all that is selected; what is below is evaluated: c fails for a. */
    world_repair(world, &run, "b =b", NULL, NULL);
    world_expect(world, &run, "RUNNING a=FAILED b=SUCCESS c=UPSTREAM_FAILED d=RUNNING");
    world_exit(world, &run, "d", 1);
    /* Not named, it comes on top of what did not succeed; a mark wins. */
    world_repair(world, &run, "=d", NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=SUCCESS c=BLOCKED d=SUCCESS");
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, "+c+ =c", "RESUME", NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=SUCCESS c=BLOCKED d=SUCCESS");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS d=SUCCESS");
}

static void refusals(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; ?d: a; e: d=true", "");
    struct uuid run = world_submit(world, &job, "d=1");
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "e", 1);
    assert_answer(world_try_repair(world, &run, "=x", NULL, NULL), ERR_INVALID_PARAMETER,
                  "markSuccess[0]: the run has no task x");
    assert_answer(world_try_repair(world, &run, "=e =a", NULL, NULL), ERR_INVALID_PARAMETER,
                  "markSuccess[1]: a is SUCCESS already");
    assert_answer(world_try_repair(world, &run, "=d", NULL, NULL), ERR_INVALID_PARAMETER,
                  "d is an IF_ELSE_TASK");
    world_expect(world, &run, "FAILED a=SUCCESS d=SUCCESS e=FAILED");
    assert_int_equal(world_run(world, &run)->version, 1);
}

static void canceled_before_its_turn(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, "=b", NULL, NULL);
    world_cancel(world, &run);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
    assert_string_equal(world_run(world, &run)->message, "Canceled by ann");
    /* A mark is of one repair. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_all_succeed(world);
}

static void it_outlives_the_server(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, "=b", NULL, NULL);
    world_crash(world);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "SUCCESS a=FAILED b=SUCCESS");
}

/* Nothing happens to its child, and a later repair goes on with that. */
static void the_child_of_a_job_task_is_left_alone(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x; y", WIDE);
    struct uuid upper = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}; d: c", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &child, "x", 0);
    world_exit(world, &child, "y", 1);
    world_repair(world, &run, "=c", NULL, NULL);
    world_expect(world, &run, "RUNNING c=SUCCESS d=RUNNING");
    world_expect(world, &child, "FAILED x=SUCCESS y=FAILED");
    world_exit(world, &run, "d", 0);
    world_repair(world, &run, "c", NULL, NULL);
    world_expect(world, &child, "RUNNING x=SUCCESS y=RUNNING");
    world_exit(world, &child, "y", 0);
    world_expect(world, &run, "SUCCESS c=SUCCESS d=SUCCESS");
}

static struct plan_task planned(struct world *world, const struct uuid *run, const char *keys,
                                const char *task)
{
    struct repair_plan plan = world_plan(world, run, keys, NULL);
    return *plan_task_of(&plan, task);
}

/* Of a mark nothing new comes, so what is kept behind it is as good as before. */
static void the_plan_tells(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; tidy: b @ALL_DONE; after: tidy; c: b; d: c", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 1);
    world_exit(world, &run, "tidy", 0);
    world_exit(world, &run, "after", 0);
    struct plan_task marked = planned(world, &run, "b =b", "b");
    assert_int_equal(marked.verdict, PLAN_MARK);
    assert_true(marked.will_start);
    assert_has(marked.reason, "It is FAILED; it is marked as successful");
    assert_int_equal(planned(world, &run, "b =b", "c").verdict, PLAN_REEVALUATE);
    assert_true(planned(world, &run, "b =b", "d").will_start);
    assert_int_equal(planned(world, &run, "b =b", "tidy").hazard_count, 0);
    assert_int_equal(planned(world, &run, "b =b", "after").hazard_count, 0);
    assert_int_equal(planned(world, &run, "b", "tidy").hazard_count, 1);
    assert_int_equal(planned(world, &run, "b", "after").hazard_count, 1);
    assert_int_equal(planned(world, &run, "a =b", "tidy").hazard_count, 0);
    /* Nor does what runs again above it reach through it. */
    job = world_dag(world, "r; m: r; i: m @ALL_DONE; k: i", "");
    struct uuid other = world_submit(world, &job, NULL);
    world_exit(world, &other, "r", 0);
    world_exit(world, &other, "m", 1);
    world_exit(world, &other, "i", 0);
    world_exit(world, &other, "k", 0);
    assert_int_equal(planned(world, &other, "r =m", "i").hazard_count, 0);
    assert_int_equal(planned(world, &other, "r =m", "k").hazard_count, 0);
    /* It is no matter that what it depends on stays as it is. */
    assert_true(planned(world, &run, "d =d", "d").will_start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_below_goes_on),
        WORLD_TEST(it_comes_in_its_turn_and_asks_no_rule),
        WORLD_TEST(an_excluded_task_can_be_marked),
        WORLD_TEST(what_else_is_selected),
        WORLD_TEST(refusals),
        WORLD_TEST(canceled_before_its_turn),
        WORLD_TEST(it_outlives_the_server),
        WORLD_TEST(the_child_of_a_job_task_is_left_alone),
        WORLD_TEST(the_plan_tells),
    };
    return cmocka_run_group_tests_name("marked as successful", tests, NULL, NULL);
}
