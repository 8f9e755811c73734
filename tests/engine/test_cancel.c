/* RULES §3: cancel in every state, and the timeout of a run. */
#include "engine/harness.h"

static void live_and_waiting_tasks(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a; b; c: a; d: a b @ALL_DONE; e: c @AT_LEAST_ONE_FAILED; "
                                "f: {'maxRetries':1,'minRetryIntervalMillis':60000}",
                                "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "f", 1);
    world_expect(world, &run,
                 "RUNNING a=SUCCESS b=RUNNING c=RUNNING d=BLOCKED e=BLOCKED f=PENDING");
    world_cancel(world, &run);
    world_expect(world, &run,
                 "CANCELING a=SUCCESS b=CANCELING c=CANCELING d=CANCELED e=CANCELED f=CANCELED");
    assert_true(world_running(world, &run, "b")->stop_asked);
    assert_true(world_running(world, &run, "c")->stop_asked);
    assert_has(world_run(world, &run)->message, "ann");
    world_ends(world, &run, "b", CAUSE_STOPPED);
    world_expect(world, &run,
                 "CANCELING a=SUCCESS b=CANCELED c=CANCELING d=CANCELED e=CANCELED f=CANCELED");
    /* A later outcome is CANCELED, even a good one. */
    world_exit(world, &run, "c", 0);
    world_expect(world, &run,
                 "CANCELED a=SUCCESS b=CANCELED c=CANCELED d=CANCELED e=CANCELED f=CANCELED");
    world_advance(world, 120000);
    world_expect(world, &run,
                 "CANCELED a=SUCCESS b=CANCELED c=CANCELED d=CANCELED e=CANCELED f=CANCELED");
}

static void a_canceled_run_ends_canceled_whatever_the_leaves_say(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELING a=FAILED b=CANCELING");
    world_exit(world, &run, "b", 1);
    world_expect(world, &run, "CANCELED a=FAILED b=CANCELED");
}

/* Both in one batch: what was accepted first stands. */
static void an_outcome_before_the_cancel_stands(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_begin(world);
    world_exit(world, &run, "a", 0);
    struct command cancel = {.kind = COMMAND_RUN_CANCEL, .key = run};
    world_command(world, &cancel);
    world_commit(world);
    /* The rows knew b's attempt, the world did not yet. */
    assert_int_equal(world_task(world, &run, "a")->row.state, STATE_SUCCESS);
    if (world_is_running(world, &run, "b"))
        world_ends(world, &run, "b", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=SUCCESS b=CANCELED");
}

static void before_anything_started(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid busy = world_dag(world, "x", "");
    struct uuid holder = world_submit(world, &busy, NULL);
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "PENDING a=QUEUED b=BLOCKED");
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
    assert_non_null(world_event(world, &run, NULL, STATE_CANCELING));
    world_exit(world, &holder, "x", 0);
    assert_int_equal(world->start_count, 1);
}

static void in_the_queue(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'queue':{'isEnabled':true}");
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid third = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
    assert_null(world_event(world, &run, NULL, STATE_CANCELING)); /* directly */
    world_all_succeed(world);
    world_expect(world, &first, "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &third, "SUCCESS a=SUCCESS b=SUCCESS");
}

static void a_final_run_is_not_changed(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    int64_t last = world->book.last_event;
    int64_t updated = world_run(world, &run)->updated_ms;
    world_cancel(world, &run);
    world_expect(world, &run, "FAILED a=FAILED");
    assert_int_equal(world->book.last_event, last);
    assert_int_equal(world_run(world, &run)->updated_ms, updated);
    struct uuid nobody = run;
    nobody.bytes[0] ^= 1;
    assert_answer(world_on_run(world, COMMAND_RUN_CANCEL, &nobody, NULL),
                  ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
}

static void twice(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    world_cancel(world, &run); /* a second stop order would fail the test */
    world_expect(world, &run, "CANCELING a=CANCELING");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED");
}

static void a_lost_attempt_of_a_cancelled_run_is_not_started_again(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':3}; b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    world_lost(world, &run, "a");
    world_expect(world, &run, "CANCELING a=CANCELED b=CANCELING");
    world_running(world, &run, "b")->never_started = true;
    world_crash(world);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
}

static void a_cancel_survives_a_restart(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a @ALL_DONE", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    world_reboot(world); /* the harness sees that the stop is asked for again */
    world_expect(world, &run, "CANCELING a=CANCELING b=CANCELED");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
}

/* ---- the timeout of a run ---- */

static void a_run_times_out(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a: {'maxRetries':3,'isRetryOnTimeout':true}; b: a @ALL_DONE",
                                "'timeoutSeconds':60");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 59999);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_advance(world, 1);
    world_expect(world, &run, "CANCELING a=CANCELING b=CANCELED");
    assert_has(world_task(world, &run, "b")->row.message, "the run's timeout");
    assert_has(world_run(world, &run)->message, "60 s");
    world_cancel(world, &run); /* changes nothing */
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "TIMED_OUT a=CANCELED b=CANCELED");
    assert_has(world_task(world, &run, "a")->row.message, "the run's timeout");
}

static void the_time_in_the_queue_does_not_count(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'timeoutSeconds':60,'queue':{'isEnabled':true}");
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 50000);
    world_exit(world, &first, "a", 0);
    world_advance(world, 59999);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_advance(world, 1);
    world_expect(world, &run, "CANCELING a=CANCELING");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    /* Each repair has the full time. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_advance(world, 59999);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
    world_advance(world, 1000);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

/* From the slot, not from the first start: a run that waits for an execution slot times out. */
static void the_timeout_counts_from_the_slot(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid busy = world_dag(world, "x", "");
    struct uuid holder = world_submit(world, &busy, NULL);
    struct uuid job = world_dag(world, "a", "'timeoutSeconds':60");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 60000);
    world_expect(world, &run, "TIMED_OUT a=CANCELED");
    world_exit(world, &holder, "x", 0);
}

/* What is being stopped has no deadline any more, before a restart as after it. */
static void a_run_that_is_being_stopped_does_not_time_out(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'timeoutSeconds':60");
    struct uuid run = world_submit(world, &job, NULL);
    assert_int_equal(engine_next_deadline(world->engine), world->mono_ms + 60000);
    world_cancel(world, &run);
    assert_true(engine_next_deadline(world->engine) == INT64_MAX);
    world_advance(world, 120000);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED");
}

static void a_timeout_goes_on_over_a_reboot(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'timeoutSeconds':60");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 40000);
    world_reboot(world);
    world_advance(world, 19999);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_advance(world, 1);
    world_expect(world, &run, "CANCELING a=CANCELING");
    world_reboot(world);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "TIMED_OUT a=CANCELED");
}

/* ---- all runs of a job ---- */

static struct command_result cancel_runs(struct world *world, const struct uuid *job,
                                         const char *if_match)
{
    struct command command = {.kind = COMMAND_JOB_CANCEL_RUNS, .key = *job, .if_match = if_match};
    return world_command(world, &command);
}

static void all_active_runs_of_a_job(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':2,'queue':{'isEnabled':true}");
    struct uuid other_job = world_dag(world, "x", "");
    struct uuid other = world_submit(world, &other_job, NULL);
    struct uuid done = world_submit(world, &job, NULL);
    world_exit(world, &done, "a", 0);
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    assert_answer(cancel_runs(world, &job, "\"7\""), ERR_NO_ETAG_MATCH, "");
    assert_answer(cancel_runs(world, &job, "\"1\""), ERR_OK, "");
    world_expect(world, &queued, "CANCELED a=CANCELED");
    world_expect(world, &first, "CANCELING a=CANCELING");
    assert_has(world_run(world, &queued)->message, "Canceled by ann, with all runs of the job");
    /* What comes later is not touched. */
    struct uuid late = world_submit(world, &job, NULL);
    world_expect(world, &late, "QUEUED a=BLOCKED");
    world_ends(world, &first, "a", CAUSE_STOPPED);
    world_ends(world, &second, "a", CAUSE_STOPPED);
    world_expect(world, &second, "CANCELED a=CANCELED");
    world_expect(world, &late, "RUNNING a=RUNNING");
    world_expect(world, &done, "SUCCESS a=SUCCESS");
    world_expect(world, &other, "RUNNING x=RUNNING");
    assert_int_equal(book_job(&world->book, &job)->row.cancel_number, FIELD_NULL);
    world_all_succeed(world);
    /* With nothing active it is accepted too; of no job it is not. */
    assert_answer(cancel_runs(world, &job, NULL), ERR_OK, "");
    struct uuid ghost = {{9}};
    assert_answer(cancel_runs(world, &ghost, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "Job");
}

static void repairs_are_swept_like_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'queue':{'isEnabled':true}");
    struct uuid failed = world_submit(world, &job, NULL);
    world_exit(world, &failed, "a", 1);
    struct uuid holder = world_submit(world, &job, NULL);
    world_repair(world, &failed, NULL, NULL, NULL);
    world_expect(world, &failed, "QUEUED a=BLOCKED");
    assert_answer(cancel_runs(world, &job, NULL), ERR_OK, "");
    world_expect(world, &failed, "CANCELED a=CANCELED");
    world_advance(world, 1);
    world_repair(world, &failed, NULL, NULL, NULL);
    world_ends(world, &holder, "a", CAUSE_STOPPED);
    world_expect(world, &failed, "RUNNING a=RUNNING");
    world_exit(world, &failed, "a", 0);
}

/* 1,000 runs of 10 tasks are not one commit; and what is left outlives a crash. */
static void many_runs_are_cancelled_in_parts(void **state)
{
    enum { RUNS = 1000 };
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c; d; e; f; g; h; i; j",
                                "'maxConcurrentRuns':0,'queue':{'isEnabled':true}");
    struct uuid runs[RUNS];
    world_begin(world);
    for (size_t i = 0; i < RUNS; i++)
        runs[i] = world_submit(world, &job, NULL);
    world_commit(world);
    assert_answer(cancel_runs(world, &job, NULL), ERR_OK, "");
    assert_int_equal(engine_next_deadline(world->engine), 0);
    assert_int_equal(world_run(world, &runs[0])->state, STATE_CANCELED);
    assert_int_equal(world_run(world, &runs[RUNS - 1])->state, STATE_QUEUED);
    /* The cap is raised meanwhile: nothing that is to be cancelled starts. */
    const char *json = world_dag_json(world, "a; b; c; d; e; f; g; h; i; j",
                                      "'maxConcurrentRuns':5,'queue':{'isEnabled':true}");
    assert_answer(world_update_job(world, &job, json, NULL), ERR_OK, "");
    world_crash(world);
    size_t steps = 0;
    for (; engine_next_deadline(world->engine) <= world->mono_ms; steps++)
        world_report(world, ENGINE_TIMER, (struct attempt_ref){0}, NULL);
    assert_in_range(steps, 0, 2);
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(world_run(world, &runs[i])->state, STATE_CANCELED);
    assert_int_equal(world->start_count, 0);
    struct uuid late = world_submit(world, &job, NULL);
    assert_int_equal(world_run(world, &late)->state, STATE_RUNNING);
    world_all_succeed(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(live_and_waiting_tasks),
        WORLD_TEST(a_canceled_run_ends_canceled_whatever_the_leaves_say),
        WORLD_TEST(an_outcome_before_the_cancel_stands),
        WORLD_TEST(before_anything_started),
        WORLD_TEST(in_the_queue),
        WORLD_TEST(a_final_run_is_not_changed),
        WORLD_TEST(twice),
        WORLD_TEST(a_lost_attempt_of_a_cancelled_run_is_not_started_again),
        WORLD_TEST(a_cancel_survives_a_restart),
        WORLD_TEST(a_run_times_out),
        WORLD_TEST(the_time_in_the_queue_does_not_count),
        WORLD_TEST(the_timeout_counts_from_the_slot),
        WORLD_TEST(a_run_that_is_being_stopped_does_not_time_out),
        WORLD_TEST(a_timeout_goes_on_over_a_reboot),
        WORLD_TEST(all_active_runs_of_a_job),
        WORLD_TEST(repairs_are_swept_like_runs),
        cmocka_unit_test_setup_teardown(many_runs_are_cancelled_in_parts, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
