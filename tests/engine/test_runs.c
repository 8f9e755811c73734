/* RULES §2, §6: trigger rules, outcomes and results in whole runs, and what they say. */
#include <stdio.h>

#include "base/json.h"
#include "engine/harness.h"

static void a_chain_runs_in_order(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    assert_has(world_task(world, &run, "b")->row.message, "Waiting for a");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED");
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
}

/* DURABILITY §1: EXITED(k) → SUCCESS(k) → START(k+1) share a commit. */
static void a_link_of_a_chain_is_one_step(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; ?c: b; d: c=true", "");
    struct uuid run = world_submit(world, &job, "c=1");
    size_t before = world->steps;
    size_t crashes = world->crashes;
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=SUCCESS c=SUCCESS d=RUNNING");
    /* A crash adds the TIMER that follows a load. */
    assert_int_equal(world->steps - before, 2 + (world->crashes - crashes));
}

static void tasks_are_evaluated_once_all_dependencies_are_final(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a; b; c: a b @AT_LEAST_ONE_SUCCESS; d: a b @ALL_SUCCESS", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED d=BLOCKED");
    world_exit(world, &run, "b", 1);
    world_expect(world, &run, "RUNNING a=SUCCESS b=FAILED c=RUNNING d=UPSTREAM_FAILED");
    world_exit(world, &run, "c", 0);
    world_expect(world, &run, "FAILED a=SUCCESS b=FAILED c=SUCCESS d=UPSTREAM_FAILED");
}

static void upstream_failed_names_the_nearest_failed_ancestor(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; clean: load; merge: clean; report: merge", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 0);
    world_exit(world, &run, "clean", 1);
    world_expect(world, &run,
                 "FAILED load=SUCCESS clean=FAILED merge=UPSTREAM_FAILED report=UPSTREAM_FAILED");
    assert_has(world_task(world, &run, "merge")->row.message, "clean");
    assert_has(world_task(world, &run, "report")->row.message, "clean");
}

static void the_leaves_make_the_result(void **state)
{
    struct world *world = *state;
    /* An inner failure under a successful run is told. */
    struct uuid job = world_dag(world, "load; save: load @ALL_DONE", "'maxConcurrentRuns':9");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    world_exit(world, &run, "save", 0);
    world_expect(world, &run, "SUCCESS load=FAILED save=SUCCESS");
    assert_string_equal(world_run(world, &run)->message, "Succeeded; 1 task failed: load");

    struct uuid two = world_dag(world, "a; b", "'maxConcurrentRuns':9");
    struct uuid failed = world_submit(world, &two, NULL);
    world_ends(world, &failed, "a", CAUSE_EXEC_FAILED);
    world_exit(world, &failed, "b", 1);
    world_expect(world, &failed, "FAILED a=INTERNAL_ERROR b=FAILED");
    struct uuid internal = world_submit(world, &two, NULL);
    world_ends(world, &internal, "a", CAUSE_EXEC_FAILED);
    world_exit(world, &internal, "b", 0);
    world_expect(world, &internal, "INTERNAL_ERROR a=INTERNAL_ERROR b=SUCCESS");
    struct uuid timed_out = world_submit(world, &two, NULL);
    world_ends(world, &timed_out, "a", CAUSE_TIMED_OUT);
    world_exit(world, &timed_out, "b", 0);
    world_expect(world, &timed_out, "FAILED a=TIMED_OUT b=SUCCESS");
    struct uuid excluded_job = world_dag(world, "a; b: a @ALL_FAILED", "");
    struct uuid excluded = world_submit(world, &excluded_job, NULL);
    world_exit(world, &excluded, "a", 0);
    world_expect(world, &excluded, "SUCCESS a=SUCCESS b=EXCLUDED");
    assert_string_equal(world_run(world, &excluded)->message, "Succeeded");
}

static void the_run_shows_its_earliest_trace(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct attempt_outcome outcome = {
        .cause = CAUSE_EXITED, .exit_code = 1, .ended_ms = FIELD_NULL, .error_trace = "first"};
    const char *const order[] = {"b", "a"};
    for (size_t i = 0; i < 2; i++) {
        struct running *one = world_running(world, &run, order[i]);
        struct attempt_ref ref = one->ref;
        *one = world->running[--world->running_count];
        world_advance(world, 10);
        world_report(world, ENGINE_OUTCOME, ref, &outcome);
        outcome.error_trace = "second";
    }
    assert_string_equal(world_run(world, &run)->error_trace, "first");
    assert_string_equal(world_task(world, &run, "a")->row.error_trace, "second");
    world_exit(world, &run, "c", 0);
    assert_string_equal(world_run(world, &run)->error_trace, "first");
}

/* Behind a restart ends are heard of in any order. */
static void the_earliest_trace_may_be_heard_of_last(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c", "");
    struct uuid run = world_submit(world, &job, NULL);
    static const char *const tasks[] = {"c", "a", "b"};
    static const int after_ms[] = {200, 100, 300};
    const int64_t begun_ms = world->now_ms;
    world_advance(world, 1000);
    for (size_t i = 0; i < 3; i++) {
        const struct attempt_outcome outcome = {.cause = CAUSE_EXITED,
                                                .exit_code = 1,
                                                .ended_ms = begun_ms + after_ms[i],
                                                .error_trace = tasks[i]};
        struct running *one = world_running(world, &run, tasks[i]);
        struct attempt_ref ref = one->ref;
        *one = world->running[--world->running_count];
        world_report(world, ENGINE_OUTCOME, ref, &outcome);
        world_crash(world);
    }
    assert_string_equal(world_run(world, &run)->error_trace, "a");
}

/* ---- IF_ELSE ---- */

static void a_branch_is_chosen(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "?decide; yes: decide=true; no: decide=false; both: decide; end: yes no", "");
    struct uuid run = world_submit(world, &job, "decide=2");
    world_expect(world, &run,
                 "RUNNING decide=SUCCESS yes=EXCLUDED no=RUNNING both=RUNNING end=BLOCKED");
    assert_has(world_task(world, &run, "yes")->row.message,
               "Excluded: decide was false, this branch needs true");
    const struct task_run_row *decide = &world_task(world, &run, "decide")->row;
    assert_int_equal(decide->outcome, 0);
    assert_int_equal(decide->start_ms, world->now_ms);
    assert_int_equal(decide->end_ms, world->now_ms);
    assert_int_equal(world_task(world, &run, "decide")->attempt_count, 0);
    assert_int_equal(decide->attempts, 0);
    world_all_succeed(world);
    world_expect(world, &run,
                 "SUCCESS decide=SUCCESS yes=EXCLUDED no=SUCCESS both=SUCCESS end=SUCCESS");
}

static void an_if_else_takes_no_execution_slot(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid busy = world_dag(world, "a", "");
    struct uuid holder = world_submit(world, &busy, NULL);
    struct uuid job = world_dag(world, "?d; b: d=true", "");
    struct uuid run = world_submit(world, &job, "d=1");
    world_expect(world, &run, "RUNNING d=SUCCESS b=QUEUED");
    world_exit(world, &holder, "a", 0);
    world_expect(world, &run, "RUNNING d=SUCCESS b=RUNNING");
    world_exit(world, &run, "b", 0);
}

static struct uuid submit_condition(struct world *world, const char *value, const char *parameters)
{
    const char *json = arena_printf(
        &world->arena,
        "{'name':'j','path':'/','tasks':[{'taskKey':'d','type':'IF_ELSE_TASK','condition':'k',"
        "'expressions':[{'key':'k','value':'%s'}]}]}",
        value);
    struct uuid job = world_job(world, json);
    return world_submit(world, &job, parameters);
}

static void bad_operands_and_references(void **state)
{
    struct world *world = *state;
    struct uuid run = submit_condition(world, "{{job.parameters.n}} < 3", "n=many");
    world_expect(world, &run, "FAILED d=FAILED");
    assert_has(world_task(world, &run, "d")->row.message, "many");
    run = submit_condition(world, "{{job.parameters.n}} < 3", NULL);
    world_expect(world, &run, "INTERNAL_ERROR d=INTERNAL_ERROR");
    assert_has(world_task(world, &run, "d")->row.message, "job.parameters.n");
    /* == compares strings, and what a reference yields is never parsed. */
    run = submit_condition(world, "{{job.parameters.n}} == 3", "n=many");
    world_expect(world, &run, "SUCCESS d=SUCCESS");
    assert_int_equal(world_task(world, &run, "d")->row.outcome, 0);
    run = submit_condition(world, "{{job.parameters.n}} == x", "n=x == x");
    assert_int_equal(world_task(world, &run, "d")->row.outcome, 0);
    run = submit_condition(world, "{{job.parameters.n}} >= 1.50", "n=1.5");
    assert_int_equal(world_task(world, &run, "d")->row.outcome, 1);
}

static void every_expression_is_evaluated(void **state)
{
    struct world *world = *state;
    /* `a OR b` is true by a already; b's bad operand is told all the same. */
    struct uuid job =
        world_job(world, "{'name':'j','path':'/','tasks':[{'taskKey':'d','type':'IF_ELSE_TASK',"
                         "'condition':'a OR b','expressions':[{'key':'a','value':'1 == 1'},"
                         "{'key':'b','value':'{{job.parameters.n}} < 1'}]}]}");
    struct uuid run = world_submit(world, &job, "n=many");
    world_expect(world, &run, "FAILED d=FAILED");
}

static void a_failed_decision_is_not_retried(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "?d; b: d=true; c: d=false @ALL_DONE", "");
    struct uuid run = world_submit(world, &job, "d=many");
    world_expect(world, &run, "RUNNING d=FAILED b=UPSTREAM_FAILED c=RUNNING");
    world_exit(world, &run, "c", 0);
    world_expect(world, &run, "FAILED d=FAILED b=UPSTREAM_FAILED c=SUCCESS");
}

/* ---- what is told ---- */

static const char *json_text(const char *json, const char *field)
{
    static char value[256];
    struct err err;
    json_t *object = json_parse(json, strlen(json), &err);
    if (!object)
        fail_msg("%s in %s", err.message, json);
    const char *text = json_string_value(json_object_get(object, field));
    snprintf(value, sizeof value, "%s", text ? text : "");
    json_decref(object);
    return value;
}

static void decisions_are_recorded(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a; b: a; c: a @ALL_FAILED; ?d: a @ALL_DONE; e: d=false", "");
    struct uuid run = world_submit(world, &job, "d=1");
    world_exit(world, &run, "a", 1);
    static const struct {
        const char *task;
        enum state to;
        const char *run_if;
    } rows[] = {
        {"b", STATE_UPSTREAM_FAILED, "ALL_SUCCESS"},
        {"c", STATE_QUEUED, "ALL_FAILED"},
        {"d", STATE_RUNNING, "ALL_DONE"},
        {"e", STATE_EXCLUDED, "ALL_SUCCESS"},
    };
    for (size_t i = 0; i < 4; i++) {
        const struct event_row *event = world_event(world, &run, rows[i].task, rows[i].to);
        assert_non_null(event);
        assert_non_null(event->decision);
        assert_string_equal(json_text(event->decision, "kind"), "TRIGGER_RULE");
        assert_string_equal(json_text(event->decision, "runIf"), rows[i].run_if);
        assert_has(event->decision, "\"dependencies\"");
    }
    const struct event_row *decided = world_event(world, &run, "d", STATE_SUCCESS);
    assert_string_equal(json_text(decided->decision, "kind"), "CONDITION");
    assert_string_equal(json_text(decided->decision, "outcome"), "true");
    world_all_succeed(world);
}

static void times_of_a_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    int64_t t0 = world->now_ms;
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 1000);
    world_exit(world, &run, "a", 0);
    world_advance(world, 500);
    world_exit(world, &run, "b", 0);
    const struct run_row *row = world_run(world, &run);
    assert_int_equal(row->start_ms, t0);
    assert_int_equal(row->end_ms, t0 + 1500);
    const struct repair_row *repair = world_newest_repair(world, &run);
    assert_int_equal(repair->slot_ms, t0);
    assert_int_equal(repair->execution_ms, 1500);
    const struct task_run_row *b = &world_task(world, &run, "b")->row;
    assert_int_equal(b->start_ms, t0 + 1000);
    assert_int_equal(b->execution_ms, 500);
}

/* A wall clock that goes back must not give negative durations (the book looks too). */
static void the_wall_clock_goes_back(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 1000);
    world_set_clock(world, world->now_ms - 3600000);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_true(world_newest_repair(world, &run)->execution_ms >= 0);

    /* What is made later was created later: it is listed so, and filtered by what is shown. */
    int64_t before_ms = world_run(world, &run)->created_ms;
    struct uuid later_job = world_dag(world, "a", "");
    struct uuid later = world_submit(world, &later_job, NULL);
    assert_true(world_run(world, &later)->created_ms >= before_ms);
    assert_int_equal(world_run(world, &later)->created_ms, uuid_time_ms(&later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_chain_runs_in_order),
        WORLD_TEST(a_link_of_a_chain_is_one_step),
        WORLD_TEST(tasks_are_evaluated_once_all_dependencies_are_final),
        WORLD_TEST(upstream_failed_names_the_nearest_failed_ancestor),
        WORLD_TEST(the_leaves_make_the_result),
        WORLD_TEST(the_run_shows_its_earliest_trace),
        WORLD_TEST(the_earliest_trace_may_be_heard_of_last),
        WORLD_TEST(a_branch_is_chosen),
        WORLD_TEST(an_if_else_takes_no_execution_slot),
        WORLD_TEST(bad_operands_and_references),
        WORLD_TEST(every_expression_is_evaluated),
        WORLD_TEST(a_failed_decision_is_not_retried),
        WORLD_TEST(decisions_are_recorded),
        WORLD_TEST(times_of_a_run),
        WORLD_TEST(the_wall_clock_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
