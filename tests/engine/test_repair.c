/* RULES §8: repair. */
#include "base/json.h"
#include "engine/harness.h"

#define MANY "'maxConcurrentRuns':9"

static void a_failed_task_and_what_is_below_it(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "load; clean: load; merge: clean; note: load; end: merge note", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    int64_t start = world_run(world, &run)->start_ms;
    world_exit(world, &run, "load", 0);
    world_advance(world, 1000);
    world_exit(world, &run, "clean", 1);
    world_exit(world, &run, "note", 0);
    world_expect(world, &run,
                 "FAILED load=SUCCESS clean=FAILED merge=UPSTREAM_FAILED note=SUCCESS "
                 "end=UPSTREAM_FAILED");
    const struct task_run_row load = world_task(world, &run, "load")->row;
    const struct task_run_row clean = world_task(world, &run, "clean")->row;
    world_advance(world, 5000);
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run,
                 "RUNNING load=SUCCESS clean=RUNNING merge=BLOCKED note=SUCCESS end=BLOCKED");
    assert_null(world_run(world, &run)->error_trace);
    world_all_succeed(world);
    world_expect(world, &run,
                 "SUCCESS load=SUCCESS clean=SUCCESS merge=SUCCESS note=SUCCESS end=SUCCESS");
    /* Kept byte for byte: the book lets nothing final be written again, and it is the same row. */
    assert_memory_equal(&world_task(world, &run, "load")->row, &load, sizeof load);
    assert_true(uuid_compare(&world_task(world, &run, "clean")->row.key, &clean.key) > 0);
    /* In place: the same run, startTime the original's. */
    assert_int_equal(world_run(world, &run)->version, 2);
    assert_int_equal(world_run(world, &run)->start_ms, start);
    assert_int_equal(world_task(world, &run, "clean")->row.attempt, 0);
}

/* What a planned task refers to may stand above a kept one: it is not read while it is still to run. */
static void what_is_planned_above_a_kept_task_comes_first(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "load; note: load; mail: note; report: mail load; last: mail", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_all_succeed(world);
    world_repair(world, &run, "load report last", NULL, NULL);
    world_expect(world, &run,
                 "RUNNING load=RUNNING note=SUCCESS mail=SUCCESS report=BLOCKED last=BLOCKED");
    assert_string_equal(world_task(world, &run, "report")->row.message, "Waiting for load");
    assert_string_equal(world_task(world, &run, "last")->row.message, "Waiting for load");
    world_crash(world);
    world_expect(world, &run,
                 "RUNNING load=RUNNING note=SUCCESS mail=SUCCESS report=BLOCKED last=BLOCKED");
    world_exit(world, &run, "load", 1);
    /* Its rule asks direct dependencies, and those of last are as they were. */
    world_expect(
        world, &run,
        "RUNNING load=FAILED note=SUCCESS mail=SUCCESS report=UPSTREAM_FAILED last=RUNNING");
    world_exit(world, &run, "last", 0);
    world_expect(
        world, &run,
        "FAILED load=FAILED note=SUCCESS mail=SUCCESS report=UPSTREAM_FAILED last=SUCCESS");
}

static void history(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "b; a: b", MANY);
    struct uuid run = world_submit(world, &job, "x=1");
    const struct booked_run *booked = book_run(&world->book, &run);
    assert_int_equal(booked->repair_count, 1); /* ORIGINAL is there from creation */
    assert_int_equal(booked->repairs[0].number, 0);
    assert_string_equal(booked->repairs[0].plan, "[]");
    assert_string_equal(booked->repairs[0].parameters, "[{\"name\":\"x\",\"value\":\"1\"}]");
    world_exit(world, &run, "b", 1);
    world_advance(world, 1000);
    world_repair(world, &run, "b", "RERUN", "y=2");
    assert_int_equal(booked->repair_count, 2);
    /* The whole plan, in definition order; what it was given, not what it inherits. */
    assert_string_equal(booked->repairs[1].plan, "[\"b\",\"a\"]");
    assert_string_equal(booked->repairs[1].parameters, "[{\"name\":\"y\",\"value\":\"2\"}]");
    assert_int_equal(booked->repairs[1].mode, REPAIR_MODE_RERUN);
    assert_int_equal(booked->repairs[0].state, STATE_FAILED);
    assert_int_equal(booked->repairs[1].state, STATE_RUNNING);
    assert_int_equal(booked->repairs[1].start_ms, world->now_ms);
    assert_int_equal(booked->repairs[0].end_ms, world->now_ms - 1000);
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "a", 0);
    world_repair(world, &run, "a", NULL, NULL);
    assert_string_equal(booked->repairs[2].plan, "[\"a\"]");
    assert_string_equal(booked->repairs[2].parameters, "[]");
    world_exit(world, &run, "a", 0);
    assert_int_equal(world_run(world, &run)->version, 3);
    /* Every attempt of the run has its slice of events. */
    int64_t newest = 0;
    for (size_t i = 0; i < booked->event_count; i++) {
        assert_true(booked->events[i].repair_number >= newest);
        newest = booked->events[i].repair_number;
    }
    assert_int_equal(newest, 2);
}

static void the_run_ends_in_each_attempt(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 100);
    world_exit(world, &run, "a", 1);
    assert_int_equal(world_run(world, &run)->end_ms, world->now_ms);
    world_advance(world, 1000);
    world_repair(world, &run, NULL, NULL, NULL);
    assert_int_equal(world_run(world, &run)->end_ms, FIELD_NULL);
    world_advance(world, 300);
    world_exit(world, &run, "a", 0);
    assert_int_equal(world_newest_repair(world, &run)->execution_ms, 300);
    assert_int_equal(book_run(&world->book, &run)->repairs[0].execution_ms, 100);
}

/* ---- refusals ---- */

static void refusals(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    assert_answer(world_try_repair(world, &run, NULL, NULL, NULL), ERR_INCORRECT_STATE, "RUNNING");
    /* State before fields that need the run. */
    assert_answer(world_try_repair(world, &run, "zebra", NULL, NULL), ERR_INCORRECT_STATE, "");
    world_cancel(world, &run);
    assert_answer(world_try_repair(world, &run, NULL, NULL, NULL), ERR_INCORRECT_STATE,
                  "CANCELING");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    assert_answer(world_try_repair(world, &run, "a zebra", NULL, NULL), ERR_INVALID_PARAMETER,
                  "zebra");
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_answer(world_try_repair(world, &run, NULL, NULL, NULL), ERR_INCORRECT_STATE, "nothing");
    assert_answer(world_try_repair(world, &run, NULL, "RESUME", NULL), ERR_INCORRECT_STATE,
                  "nothing");
    assert_answer(world_try_repair(world, &run, "b", "RESUME", NULL), ERR_INCORRECT_STATE,
                  "nothing");
    assert_answer(world_try_repair(world, &run, "zebra", "RESUME", NULL), ERR_INVALID_PARAMETER,
                  "zebra");
    assert_int_equal(world_run(world, &run)->version, 2);
    struct uuid nobody = run;
    nobody.bytes[0] ^= 1;
    assert_answer(world_try_repair(world, &nobody, NULL, NULL, NULL),
                  ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
}

/* RULES §7, order of checks: fields that need the run 400, then nothing to repair 409. */
static void parameters_are_checked_before_nothing_to_repair(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'parameters':[{'name':'a.b','value':'1'}]");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    assert_answer(world_try_repair(world, &run, NULL, NULL, "a_b=2"), ERR_INVALID_PARAMETER, "a_b");
    /* Nothing of a refused repair is left. */
    world_repair(world, &run, "a", NULL, NULL);
    assert_int_equal(world->last_start.params.count, 1);
    world_exit(world, &run, "a", 0);
}

static void selection_never_overrides_the_rules(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; merge: load; tell: load @ALL_FAILED", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    world_exit(world, &run, "tell", 0);
    world_expect(world, &run, "FAILED load=FAILED merge=UPSTREAM_FAILED tell=SUCCESS");
    /* Accepted, though merge cannot start: load stays FAILED. */
    world_repair(world, &run, "merge", NULL, NULL);
    world_expect(world, &run, "FAILED load=FAILED merge=UPSTREAM_FAILED tell=SUCCESS");
    assert_int_equal(world_run(world, &run)->version, 2);
    assert_int_equal(world_newest_repair(world, &run)->start_ms, FIELD_NULL); /* nothing ran */
    /* What was SUCCESS by a failure is kept when nothing fails any more. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS load=SUCCESS merge=SUCCESS tell=SUCCESS");
}

static void budgets_are_fresh(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "a: {'maxRetries':1,'commandLineArguments':'{{task.execution_count}}'}", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
    world_repair(world, &run, NULL, NULL, NULL);
    assert_string_equal(world->last_start.args[0], "3"); /* over all repairs */
    for (int i = 0; i < 3; i++)
        world_lost(world, &run, "a");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=RUNNING");
    assert_string_equal(world->last_start.args[0], "7");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 5); /* from 0 again */
}

/* ---- runs that ended in other ways ---- */

static void a_skipped_run_runs_whole(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c", "");
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "SKIPPED");
    world_all_succeed(world);
    world_repair(world, &run, "b", "RESUME", NULL); /* whatever is named */
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=RUNNING");
    assert_string_equal(world_newest_repair(world, &run)->plan, "[\"a\",\"b\",\"c\"]");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
    assert_int_equal(world_run(world, &run)->start_ms, world->now_ms);
    world_expect(world, &first, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
}

static void canceled_and_timed_out_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b", MANY ",'timeoutSeconds':60");
    struct uuid canceled = world_submit(world, &job, NULL);
    world_exit(world, &canceled, "a", 0);
    world_cancel(world, &canceled);
    world_ends(world, &canceled, "b", CAUSE_STOPPED);
    world_expect(world, &canceled, "CANCELED a=SUCCESS b=CANCELED c=CANCELED");
    world_repair(world, &canceled, NULL, NULL, NULL);
    world_expect(world, &canceled, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &canceled, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");

    struct uuid late = world_submit(world, &job, NULL);
    world_advance(world, 60000);
    world_ends(world, &late, "a", CAUSE_STOPPED);
    world_expect(world, &late, "TIMED_OUT a=CANCELED b=CANCELED c=CANCELED");
    world_repair(world, &late, "b", NULL, NULL); /* a is kept, CANCELED */
    world_expect(world, &late, "CANCELED a=CANCELED b=UPSTREAM_CANCELED c=UPSTREAM_CANCELED");
    assert_string_equal(world_run(world, &late)->message, "Canceled; 1 task canceled: a");
    world_repair(world, &late, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &late, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
}

static void a_repair_that_fails_is_repaired(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, NULL, NULL, NULL);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 1);
    world_expect(world, &run, "FAILED a=SUCCESS b=FAILED c=UPSTREAM_FAILED");
    struct uuid a = world_task(world, &run, "a")->row.key;
    world_repair(world, &run, NULL, "RESUME", NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
    assert_true(uuid_equal(&world_task(world, &run, "a")->row.key, &a));
    assert_int_equal(world_task(world, &run, "a")->row.repair_number, 1);
    assert_int_equal(world_task(world, &run, "c")->row.repair_number, 2);
    world_repair(world, &run, NULL, "RERUN", NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    world_cancel(world, &run);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED c=CANCELED");
    assert_int_equal(world_run(world, &run)->version, 4);
}

static void an_if_else_is_decided_again(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "?d; yes: d=true; no: d=false; end: yes no", MANY);
    struct uuid run = world_submit(world, &job, "d=1");
    world_exit(world, &run, "yes", 1);
    world_expect(world, &run, "FAILED d=SUCCESS yes=FAILED no=EXCLUDED end=UPSTREAM_FAILED");
    world_repair(world, &run, "d", NULL, "d=2");
    world_expect(world, &run, "RUNNING d=SUCCESS yes=EXCLUDED no=RUNNING end=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS d=SUCCESS yes=EXCLUDED no=SUCCESS end=SUCCESS");
}

static void verdicts_are_recorded(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "c", 0);
    world_repair(world, &run, "a", NULL, NULL);
    assert_has(world_event(world, &run, "a", STATE_BLOCKED)->decision, "\"RUN\"");
    assert_has(world_event(world, &run, "b", STATE_BLOCKED)->decision, "\"REEVALUATE\"");
    const struct booked_run *booked = book_run(&world->book, &run);
    const struct event_row *accepted = NULL;
    for (size_t i = 0; i < booked->event_count; i++)
        if (booked->events[i].type == EVENT_REPAIR)
            accepted = &booked->events[i];
    assert_has(accepted ? accepted->reason : NULL, "ann");
    world_all_succeed(world);
}

static void a_kept_failure_shows_on_the_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 1);
    world_repair(world, &run, "a", NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "FAILED a=SUCCESS b=FAILED");
    assert_non_null(world_run(world, &run)->error_trace);
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_null(world_run(world, &run)->error_trace);
}

static void a_deleted_jobs_run_is_repaired(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'queue':{'isEnabled':true}");
    struct uuid first = world_submit(world, &job, NULL);
    world_exit(world, &first, "a", 1);
    struct uuid second = world_submit(world, &job, NULL);
    world_exit(world, &second, "a", 1);
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
    world_repair(world, &first, NULL, NULL, NULL);
    world_repair(world, &second, NULL, NULL, NULL); /* its cap and queue are still there */
    world_expect(world, &second, "QUEUED a=BLOCKED b=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &first, "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &second, "SUCCESS a=SUCCESS b=SUCCESS");
}

static void a_repair_takes_the_definition_of_the_newest_attempt(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_update_job(world, &job, world_dag_json(world, "a; c: a", MANY), NULL);
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_int_equal(world_newest_repair(world, &run)->definition_version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_failed_task_and_what_is_below_it),
        WORLD_TEST(what_is_planned_above_a_kept_task_comes_first),
        WORLD_TEST(history),
        WORLD_TEST(the_run_ends_in_each_attempt),
        WORLD_TEST(refusals),
        WORLD_TEST(parameters_are_checked_before_nothing_to_repair),
        WORLD_TEST(selection_never_overrides_the_rules),
        WORLD_TEST(budgets_are_fresh),
        WORLD_TEST(a_skipped_run_runs_whole),
        WORLD_TEST(canceled_and_timed_out_runs),
        WORLD_TEST(a_repair_that_fails_is_repaired),
        WORLD_TEST(an_if_else_is_decided_again),
        WORLD_TEST(verdicts_are_recorded),
        WORLD_TEST(a_kept_failure_shows_on_the_run),
        WORLD_TEST(a_deleted_jobs_run_is_repaired),
        WORLD_TEST(a_repair_takes_the_definition_of_the_newest_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
