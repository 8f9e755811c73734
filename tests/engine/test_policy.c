/* What a failure means to its run, and conditions of dependencies: x-failPolicy, x-condition (RULES §10). */
#include "engine/harness.h"

#define WIDE "'maxConcurrentRuns':9"

/* ---- FAIL ---- */

static void a_failure_that_ends_the_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'FAIL'}; b; c: a @ALL_DONE; d: b", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=FAILED b=CANCELING c=CANCELED d=CANCELED");
    assert_has(world_message(world, &run, "c"), "task a ended FAILED, which ends the run");
    assert_true(world_running(world, &run, "b")->stop_asked);
    world_crash(world);
    world_ends(world, &run, "b", CAUSE_STOPPED);
    world_expect(world, &run, "FAILED a=FAILED b=CANCELED c=CANCELED d=CANCELED");
    assert_false(state_is_canceled_or_timed_out(world_run(world, &run)->state));
    /* Repaired, it is done again with the rest. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING c=BLOCKED d=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS d=SUCCESS");
}

static void only_the_last_retry_ends_it(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a: {'x-failPolicy':'FAIL','maxRetries':1}; b: a @ALL_DONE", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED b=CANCELED");
}

static void a_child_of_a_run_that_ends(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid job =
        world_dag_of(world, &lower, "a: {'x-failPolicy':'FAIL'}; !c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=FAILED c=CANCELING");
    world_ends(world, &child, "x", CAUSE_STOPPED);
    world_expect(world, &run, "FAILED a=FAILED c=CANCELED");
}

/* Its own timeout is stopping it already. */
static void a_child_that_would_be_tried_again(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid job =
        world_dag_of(world, &lower,
                     "a: {'x-failPolicy':'FAIL'}; !c: {'jobKey':'%s','timeoutSeconds':5,"
                     "'maxRetries':3,'isRetryOnTimeout':true}",
                     WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_advance(world, 5000);
    world_expect(world, &run, "RUNNING a=RUNNING c=CANCELING");
    world_exit(world, &run, "a", 1);
    world_ends(world, &child, "x", CAUSE_STOPPED);
    world_expect(world, &run, "FAILED a=FAILED c=TIMED_OUT");
}

/* ---- FAIL_CHILD, and saying nothing ---- */

static void a_failure_that_follows_the_trigger_rules(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'FAIL_CHILD'}; b; c: a; d: b", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "d", 0);
    world_expect(world, &run, "FAILED a=FAILED b=SUCCESS c=UPSTREAM_FAILED d=SUCCESS");
}

/* ---- IGNORE ---- */

static void a_failure_that_counts_as_a_success(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a: {'x-failPolicy':'IGNORE'}; b: a; c: a @AT_LEAST_ONE_FAILED", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=FAILED b=RUNNING c=EXCLUDED");
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "SUCCESS a=FAILED b=SUCCESS c=EXCLUDED");
    assert_int_equal(world_run(world, &run)->ignored_failure, 1);
    assert_has(world_run(world, &run)->message, "1 task failed: a");
    /* It did not succeed, so a repair does it again; then nothing is ignored. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=EXCLUDED");
    assert_int_equal(world_run(world, &run)->ignored_failure, 0);
}

static void an_ignored_failure_is_nobodys_cause(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'IGNORE'}; b; c: a b; d: c", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 1);
    world_expect(world, &run, "FAILED a=FAILED b=FAILED c=UPSTREAM_FAILED d=UPSTREAM_FAILED");
    assert_string_equal(world_message(world, &run, "c"), "Not run: upstream task b ended FAILED");
    assert_string_equal(world_message(world, &run, "d"), "Not run: upstream task b ended FAILED");
    const struct event_row *decided = world_event(world, &run, "c", STATE_UPSTREAM_FAILED);
    assert_has(decided->decision,
               "{\"taskKey\":\"a\",\"status\":\"FAILED\",\"countsAs\":\"SUCCESS\"}");
    assert_has(decided->decision, "{\"taskKey\":\"b\",\"status\":\"FAILED\"}");
}

static void a_leaf_whose_failure_is_ignored(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'IGNORE'}; b: a", WIDE);
    struct uuid leaf = world_dag(world, "a; b: a {'x-failPolicy':'IGNORE'}", WIDE);
    struct uuid run = world_submit(world, &leaf, NULL);
    world_exit(world, &run, "a", 0);
    world_ends(world, &run, "b", CAUSE_TIMED_OUT);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=TIMED_OUT");
    assert_int_equal(world_run(world, &run)->ignored_failure, 1);
    /* What is upstream of it is not ignored with it. */
    run = world_submit(world, &leaf, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED b=UPSTREAM_FAILED");
    assert_int_equal(world_run(world, &run)->ignored_failure, 0);
    /* A kept failure that is ignored lets a planned task start. */
    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 1);
    world_repair(world, &run, "b", NULL, NULL);
    world_expect(world, &run, "RUNNING a=FAILED b=RUNNING");
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "SUCCESS a=FAILED b=SUCCESS");
}

/* ---- SUSPEND ---- */

static void a_failure_that_suspends_the_run(void **state)
{
    struct world *world = *state;
    world_limit(world, 2);
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid job = world_dag_of(world, &lower,
                                   "a: {'x-failPolicy':'SUSPEND'}; b; c: a @ALL_DONE; d: b; e; "
                                   "!f: b {'jobKey':'%s'}",
                                   WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING c=BLOCKED d=BLOCKED e=QUEUED f=BLOCKED");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=FAILED b=RUNNING c=BLOCKED d=BLOCKED e=QUEUED f=BLOCKED");
    assert_int_equal(world_run(world, &run)->is_suspended, 1);
    assert_has(world_run(world, &run)->message, "Suspended: task a ended FAILED");
    /* What runs goes on; nothing follows it. Another run gets the slots. */
    world_exit(world, &run, "b", 0);
    world_crash(world);
    world_expect(world, &run, "RUNNING a=FAILED b=SUCCESS c=BLOCKED d=BLOCKED e=QUEUED f=BLOCKED");
    struct uuid other = world_submit(world, &lower, NULL);
    world_expect(world, &other, "RUNNING x=RUNNING");
    world_exit(world, &other, "x", 0);
    assert_int_equal(world->running_count, 0);
    world_cancel(world, &run);
    world_expect(world, &run,
                 "CANCELED a=FAILED b=SUCCESS c=CANCELED d=CANCELED e=CANCELED f=CANCELED");
    assert_int_equal(world_run(world, &run)->is_suspended, 0);
    world_repair(world, &run, NULL, NULL, NULL);
    world_exit(world, &run, "a", 0);
    world_all_succeed(world);
    world_expect(world, &run,
                 "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS d=SUCCESS e=SUCCESS f=SUCCESS");
}

static void a_retry_of_a_suspended_run_waits_too(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a: {'x-failPolicy':'SUSPEND'}; "
                                "b: {'maxRetries':1,'minRetryIntervalMillis':60000}",
                                WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "b", 1);
    world_exit(world, &run, "a", 1);
    world_advance(world, 60000);
    world_expect(world, &run, "RUNNING a=FAILED b=QUEUED");
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
    world_crash(world);
    world_expect(world, &run, "RUNNING a=FAILED b=QUEUED");
    assert_has(world_run(world, &run)->message, "Suspended: task a ended FAILED");
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELED a=FAILED b=CANCELED");
}

static void a_last_failure_has_nothing_to_suspend(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'SUSPEND'}", WIDE);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
}

/* What a repair keeps is as it is, and ends or suspends nothing again. */
static void a_kept_failure_does_nothing(void **state)
{
    static const char *const policies[] = {"FAIL", "SUSPEND"};
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        const char *tasks = arena_printf(
            &world->arena, "a: {'x-failPolicy':'%s'}; b; c: b; d: a @ALL_DONE", policies[i]);
        struct uuid job = world_dag(world, tasks, WIDE);
        struct uuid run = world_submit(world, &job, NULL);
        world_exit(world, &run, "b", 0);
        world_exit(world, &run, "a", 1);
        world_cancel(world, &run);
        if (world->running_count)
            world_ends(world, &run, "c", CAUSE_STOPPED);
        world_repair(world, &run, "c d", NULL, NULL);
        world_expect(world, &run, "RUNNING a=FAILED b=SUCCESS c=RUNNING d=RUNNING");
        world_all_succeed(world);
        world_expect(world, &run, "SUCCESS a=FAILED b=SUCCESS c=SUCCESS d=SUCCESS");
    }
}

/* ---- conditions of dependencies ---- */

/* A dependency on a with a condition. */
static struct uuid conditional(struct world *world, const char *condition)
{
    const char *json = arena_printf(
        &world->arena,
        "{'name':'j','path':'/','maxConcurrentRuns':9,'tasks':["
        "{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.py'},"
        "{'taskKey':'b','type':'PYTHON_TASK','filePath':'b.py','maxRetries':2,"
        "'dependsOn':[{'taskKey':'a','x-condition':'%s'}]},"
        "{'taskKey':'c','type':'PYTHON_TASK','filePath':'c.py','dependsOn':[{'taskKey':'b'}]}]}",
        condition);
    return world_job(world, json);
}

static void a_condition_that_is_true_or_false(void **state)
{
    struct world *world = *state;
    struct uuid job = conditional(world, "{{tasks.a.values.rows}} > 10");
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 0, "rows=12\n");
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED");
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 0);
    run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 0, "rows=3\n");
    world_expect(world, &run, "SUCCESS a=SUCCESS b=EXCLUDED c=EXCLUDED");
    assert_string_equal(world_message(world, &run, "b"),
                        "Excluded: the condition of its dependency on a was false");
    /* Of a dependency that did not succeed nothing is asked. */
    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED b=UPSTREAM_FAILED c=UPSTREAM_FAILED");
}

static void a_condition_that_cannot_be_said(void **state)
{
    struct world *world = *state;
    struct uuid job = conditional(world, "{{tasks.a.values.rows}} > 10");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "FAILED a=SUCCESS b=INTERNAL_ERROR c=UPSTREAM_FAILED");
    assert_has(world_message(world, &run, "b"), "{{tasks.a.values.rows}}");
    run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 0, "rows=many\n");
    world_expect(world, &run, "FAILED a=SUCCESS b=INTERNAL_ERROR c=UPSTREAM_FAILED");
    assert_has(world_message(world, &run, "b"), "many");
}

static void what_is_set_is_kept_and_what_is_not_is_not_shown(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(world, world_dag_json(world, "a; b: a", ""));
    assert_null(strstr(def->json, "x-"));
    job_def_unref(def);
    def = world_parse(world, "{'name':'j','path':'/','tasks':[{'taskKey':'a','type':'PYTHON_TASK',"
                             "'filePath':'a.py','x-failPolicy':'IGNORE'},{'taskKey':'b',"
                             "'type':'PYTHON_TASK','filePath':'b.py','dependsOn':[{'taskKey':'a',"
                             "'x-condition':'1 == 1'}]}]}");
    struct job_def *again;
    struct err err;
    assert_int_equal(job_def_load(def->json, 1, &again, &err), ERR_OK);
    assert_string_equal(again->json, def->json);
    assert_has(def->json, "\"x-failPolicy\":\"IGNORE\"");
    assert_int_equal(again->tasks[0].fail_policy, POLICY_IGNORE);
    assert_string_equal(again->nodes[1].deps[0].condition, "1 == 1");
    job_def_unref(def);
    job_def_unref(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_failure_that_ends_the_run),
        WORLD_TEST(only_the_last_retry_ends_it),
        WORLD_TEST(a_child_of_a_run_that_ends),
        WORLD_TEST(a_child_that_would_be_tried_again),
        WORLD_TEST(a_failure_that_follows_the_trigger_rules),
        WORLD_TEST(a_failure_that_counts_as_a_success),
        WORLD_TEST(an_ignored_failure_is_nobodys_cause),
        WORLD_TEST(a_leaf_whose_failure_is_ignored),
        WORLD_TEST(a_failure_that_suspends_the_run),
        WORLD_TEST(a_retry_of_a_suspended_run_waits_too),
        WORLD_TEST(a_last_failure_has_nothing_to_suspend),
        WORLD_TEST(a_kept_failure_does_nothing),
        WORLD_TEST(a_condition_that_is_true_or_false),
        WORLD_TEST(a_condition_that_cannot_be_said),
        WORLD_TEST(what_is_set_is_kept_and_what_is_not_is_not_shown),
    };
    return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
