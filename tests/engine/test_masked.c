/* engine/masked: failures that the result of a run does not tell, each held to what a run does. */
#include "engine/masked.h"

#include "base/mem.h"
#include "engine/harness.h"

static const char *told(struct world *world, const char *tasks)
{
    const char *json = world_dag_json(world, tasks, NULL);
    struct job_def *def = world_parse(world, json);
    const char *text = masked_failures(def, &world->arena);
    job_def_unref(def);
    return text;
}

/* How a run ends in which `task` fails and all else succeeds: it is one of those that begin the run, or comes next. */
static enum state end_of(struct world *world, const char *tasks, const char *task)
{
    struct uuid job = world_dag(world, tasks, NULL);
    struct uuid run = world_submit(world, &job, "d=1");
    if (!world_is_running(world, &run, task))
        world_exit(world, &run, "a", 0);
    world_exit(world, &run, task, 1);
    world_all_succeed(world);
    return world_run(world, &run)->state;
}

static void expect_told(struct world *world, const char *tasks, const char *by, const char *failing,
                        const char *one)
{
    const char *text = told(world, tasks);
    assert_has(text, by);
    assert_has(text, failing);
    assert_int_equal(end_of(world, tasks, one), STATE_SUCCESS);
}

static void what_a_rule_hides_is_told(void **state)
{
    struct world *world = *state;
    expect_told(world, "load; clean: load @ALL_DONE", "tasks[1].runIf is ALL_DONE",
                "when load fails", "load");
    expect_told(world, "load; alert: load @AT_LEAST_ONE_FAILED",
                "tasks[1].runIf is AT_LEAST_ONE_FAILED", "when load fails", "load");
    expect_told(world, "load; alert: load @ALL_FAILED", "tasks[1].runIf is ALL_FAILED",
                "when load fails", "load");
    expect_told(world, "a; b; any: a b @AT_LEAST_ONE_SUCCESS",
                "tasks[2].runIf is AT_LEAST_ONE_SUCCESS", "when a or b fails", "a");
    expect_told(world, "a; b: a @ALL_DONE; end: b", "tasks[1].runIf is ALL_DONE", "when a fails",
                "a");
    expect_told(world, "a; b; c; d; e; end: a b c d e @ALL_DONE", "tasks[5].runIf",
                "when a, b, c or one of 2 others fails", "e");
    expect_told(world, "?d; yes: d=true; end: yes d @ALL_DONE", "tasks[2].runIf", "when yes fails",
                "yes");
}

static void expect_silence(struct world *world, const char *tasks)
{
    const char *text = told(world, tasks);
    if (text)
        fail_msg("%s: %s", tasks, text);
}

/* With one end behind them the others would be told, too. */
static void those_are_named_that_need_an_end(void **state)
{
    struct world *world = *state;
    expect_told(world, "a; b: a; end: b @ALL_DONE", "tasks[2].runIf", "when b fails", "a");
    expect_told(world, "a; b: a @ALL_DONE; end: b @ALL_DONE", "tasks[2].runIf", "when a or b fails",
                "a");
    expect_silence(world, "a; b: a; end: b @ALL_DONE; told: b");
    expect_silence(world, "a; b; any: a b @AT_LEAST_ONE_SUCCESS; told: a b");
}

static void nothing_is_said_without_need(void **state)
{
    struct world *world = *state;
    expect_silence(world, "load; report: load");
    expect_silence(world, "load; report: load @NONE_FAILED");
    expect_silence(world, "load; report: load; clean: load @ALL_DONE");
    expect_silence(world, "load; clean: load @ALL_DONE; publish: load clean");
    expect_silence(world, "?d; yes: d=true; no: d=false; end: yes no @NONE_FAILED");
    expect_silence(world,
                   "?d; yes: d=true; no: d=false; end: yes no; clean: end @ALL_DONE; last: end");
    expect_silence(world, "load {'x-failPolicy':'FAIL'}; clean: load @ALL_DONE");
    expect_silence(world, "load {'x-failPolicy':'IGNORE'}; clean: load @ALL_DONE");
    expect_silence(world, "load {'x-failPolicy':'SUSPEND'}; clean: load @ALL_DONE");
}

/* One that another task stands in for has been thought of; one that is only told of has not. */
static void what_is_stood_in_for_is_no_news(void **state)
{
    struct world *world = *state;
    expect_silence(world, "fast; slow: fast @ALL_FAILED; end: fast slow @AT_LEAST_ONE_SUCCESS");
    expect_told(world, "load; alert: load @AT_LEAST_ONE_FAILED; told: alert", "tasks[1].runIf",
                "when load fails", "load");
    expect_told(world, "load; alert: load @AT_LEAST_ONE_FAILED; clean: load alert @ALL_DONE",
                "tasks[1].runIf", "when load fails", "load");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_a_rule_hides_is_told),
        WORLD_TEST(those_are_named_that_need_an_end),
        WORLD_TEST(nothing_is_said_without_need),
        WORLD_TEST(what_is_stood_in_for_is_no_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
