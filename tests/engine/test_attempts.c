/* RULES §3: attempts, budgets, intervals, timeouts, losses, stale reports. */
#include "engine/harness.h"

static const struct attempt_row *attempt(struct world *world, const struct uuid *run,
                                         const char *task, int64_t number)
{
    const struct attempt_row *row = booked_attempt(world_task(world, run, task), number);
    if (!row)
        fail_msg("%s has no attempt %lld", task, (long long)number);
    return row;
}

static void retries_are_numbered_and_kept(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':2}; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 7);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_ends(world, &run, "a", CAUSE_EXEC_FAILED);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 3);
    assert_int_equal(attempt(world, &run, "a", 0)->state, STATE_FAILED);
    assert_int_equal(attempt(world, &run, "a", 0)->exit_code, 7);
    assert_int_equal(attempt(world, &run, "a", 0)->budget, BUDGET_RETRIES);
    /* It failed before exec: it has a number, is listed, and used maxRetries. */
    assert_int_equal(attempt(world, &run, "a", 1)->state, STATE_INTERNAL_ERROR);
    assert_int_equal(attempt(world, &run, "a", 1)->budget, BUDGET_RETRIES);
    assert_int_equal(attempt(world, &run, "a", 2)->state, STATE_SUCCESS);
    assert_int_equal(world_task(world, &run, "a")->row.attempt, 2);
    assert_int_equal(world_task(world, &run, "a")->row.attempts, 3);
    world_all_succeed(world);
}

static void a_budget_ends(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1}; b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "b", 1); /* no retries by default */
    world_expect(world, &run, "RUNNING a=RUNNING b=FAILED");
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED b=FAILED");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 2);
    assert_int_equal(world_task(world, &run, "b")->attempt_count, 1);
}

/* From start to start. During the wait: PENDING, the run's slot held, no execution slot. */
static void the_interval_is_measured_from_start_to_start(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid job = world_dag(world, "a: {'maxRetries':3,'minRetryIntervalMillis':10000}", "");
    struct uuid other = world_dag(world, "x", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &other, NULL);
    world_expect(world, &second, "PENDING x=QUEUED");
    world_advance(world, 4000);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=PENDING");
    world_expect(world, &second, "RUNNING x=RUNNING");
    world_exit(world, &second, "x", 0);
    world_advance(world, 5999);
    world_expect(world, &run, "RUNNING a=PENDING");
    world_advance(world, 1);
    world_expect(world, &run, "RUNNING a=RUNNING");
    assert_int_equal(
        attempt(world, &run, "a", 1)->start_ms - attempt(world, &run, "a", 0)->start_ms, 10000);
    /* An attempt that took longer than the interval is followed at once. */
    world_advance(world, 10001);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

/* Deadlines are measured on CLOCK_BOOTTIME; the wall clock is for display. */
static void an_interval_outlives_a_wall_clock_that_jumps(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1,'minRetryIntervalMillis':10000}", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 1000);
    world_set_clock(world, world->now_ms - 86400000);
    world_exit(world, &run, "a", 1);
    world_advance(world, 10000);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_all_succeed(world);
}

static void a_wait_goes_on_over_a_reboot(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1,'minRetryIntervalMillis':10000}", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_advance(world, 6000);
    world_reboot(world);
    world_advance(world, 3999);
    world_expect(world, &run, "RUNNING a=PENDING");
    world_advance(world, 1);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_all_succeed(world);
}

static void a_timeout_is_retried_only_if_asked(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a: {'maxRetries':2,'timeoutSeconds':60}; "
                                "b: {'maxRetries':2,'timeoutSeconds':60,'isRetryOnTimeout':true}",
                                "");
    struct uuid run = world_submit(world, &job, NULL);
    assert_int_equal(world->last_start.timeout_ms, 60000);
    assert_int_equal(world->last_start.grace_ms, 10000);
    world_ends(world, &run, "a", CAUSE_TIMED_OUT);
    world_ends(world, &run, "b", CAUSE_TIMED_OUT);
    world_expect(world, &run, "RUNNING a=TIMED_OUT b=RUNNING");
    assert_int_equal(attempt(world, &run, "b", 0)->budget, BUDGET_RETRIES);
    world_ends(world, &run, "b", CAUSE_TIMED_OUT);
    world_ends(world, &run, "b", CAUSE_TIMED_OUT);
    world_expect(world, &run, "FAILED a=TIMED_OUT b=TIMED_OUT");
    assert_int_equal(world_task(world, &run, "b")->attempt_count, 3);
}

/* The end is what the supervisor measured, never before the start and never after now. */
static void when_an_attempt_ended(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c", "");
    struct uuid run = world_submit(world, &job, NULL);
    int64_t start = world->now_ms;
    world_advance(world, 10000);
    static const char *const tasks[] = {"a", "b", "c"};
    const int64_t ended[] = {start + 4000, start + 99000, start - 5};
    const int64_t shown[] = {start + 4000, start + 10000, start};
    for (size_t i = 0; i < 3; i++) {
        struct running *one = world_running(world, &run, tasks[i]);
        struct attempt_ref ref = one->ref;
        *one = world->running[--world->running_count];
        struct attempt_outcome outcome = {.cause = CAUSE_EXITED, .ended_ms = ended[i]};
        world_report(world, ENGINE_OUTCOME, ref, &outcome);
        assert_int_equal(attempt(world, &run, tasks[i], 0)->end_ms, shown[i]);
        assert_int_equal(world_task(world, &run, tasks[i])->row.execution_ms, shown[i] - start);
    }
}

/* ---- lost ---- */

static void the_fourth_loss_ends_a_task(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':5}", "");
    struct uuid run = world_submit(world, &job, NULL);
    for (int i = 0; i < 3; i++) {
        world_lost(world, &run, "a");
        world_expect(world, &run, "RUNNING a=RUNNING");
        assert_int_equal(attempt(world, &run, "a", i)->budget, BUDGET_LOST);
        assert_int_equal(attempt(world, &run, "a", i)->state, STATE_INTERNAL_ERROR);
        assert_int_equal(attempt(world, &run, "a", i)->user_us, FIELD_NULL); /* nobody measured */
    }
    world_lost(world, &run, "a");
    world_expect(world, &run, "INTERNAL_ERROR a=INTERNAL_ERROR");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 4);
}

/* Nobody here asked for it: a host that goes down signals its supervisors. */
static void what_is_stopped_from_outside_is_lost(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a:", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "RUNNING a=RUNNING");
    assert_int_equal(attempt(world, &run, "a", 0)->budget, BUDGET_LOST);
    assert_has(attempt(world, &run, "a", 0)->message, "stopped from outside");
    assert_int_equal(attempt(world, &run, "a", 0)->cause, CAUSE_LOST);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

static void losses_do_not_use_the_users_retries(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':2}", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_lost(world, &run, "a");
    world_exit(world, &run, "a", 1);
    world_lost(world, &run, "a");
    world_exit(world, &run, "a", 1);
    world_lost(world, &run, "a");
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 6);
}

static void a_loss_knows_no_more_of_its_launch_than_was_told(void **state)
{
    static const int64_t told[] = {FIELD_NULL, LAUNCH_WARM};
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    for (int i = 0; i < 2; i++) {
        const struct attempt_outcome outcome = {.launch = told[i]};
        struct running was = world_take(world, world_running(world, &run, "a"));
        world_report(world, ENGINE_LOST, was.ref, &outcome);
        assert_int_equal(attempt(world, &run, "a", i)->launch, told[i]);
    }
}

/* ---- VOID ---- */

static void a_void_attempt_keeps_its_number(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1}", "");
    struct uuid run = world_submit(world, &job, NULL);
    int64_t epoch = attempt(world, &run, "a", 0)->epoch;
    int64_t created_ms = attempt(world, &run, "a", 0)->created_ms;
    world_advance(world, 1000);
    world_running(world, &run, "a")->never_started = true; /* its order is not sent */
    world_crash(world);
    assert_int_equal(attempt(world, &run, "a", 0)->created_ms, created_ms);
    world_expect(world, &run, "RUNNING a=RUNNING");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 1);
    assert_true(attempt(world, &run, "a", 0)->epoch > epoch);
    assert_int_equal(world_task(world, &run, "a")->row.attempts, 1);
    /* It has used no budget: the retry is still there. */
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_running(world, &run, "a")->never_started = true;
    world_crash(world);
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 2);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

/* While it waits for a slot again, the task shows the attempt that did start (the book looks). */
static void a_void_attempt_is_not_shown_as_started(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid job = world_dag(world, "a: {'maxRetries':1}", "");
    struct uuid run = world_submit(world, &job, NULL);
    int64_t first = world->now_ms;
    world_advance(world, 1000);
    world_exit(world, &run, "a", 1);
    struct uuid slow = world_dag(world, "x", "");
    struct uuid other = world_submit(world, &slow, NULL);
    world_running(world, &run, "a")->never_started = true;
    world_crash(world);
    world_expect(world, &run, "RUNNING a=QUEUED");
    assert_int_equal(world_task(world, &run, "a")->row.attempt, 0);
    assert_int_equal(world_task(world, &run, "a")->row.start_ms, first);
    world_exit(world, &other, "x", 0);
    world_expect(world, &run, "RUNNING a=RUNNING");
    assert_int_equal(world_task(world, &run, "a")->row.attempt, 1);
    world_exit(world, &run, "a", 0);
}

/* The number goes on under the next epoch, with {{task.execution_count}} as it was. */
static void a_void_attempt_counts_no_execution(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a: {'commandLineArguments':'{{task.execution_count}}'}", "");
    struct uuid run = world_submit(world, &job, NULL);
    assert_string_equal(world->last_start.args[0], "1");
    world_running(world, &run, "a")->never_started = true;
    world_crash(world);
    assert_string_equal(world->last_start.args[0], "1");
    world_lost(world, &run, "a");
    assert_string_equal(world->last_start.args[0], "2");
    world_exit(world, &run, "a", 0);
}

/* ---- stale ---- */

static void nothing_changes(struct world *world, struct attempt_ref stale)
{
    static const enum engine_event_kind kinds[] = {ENGINE_OUTCOME, ENGINE_VOID, ENGINE_LOST};
    struct attempt_outcome good = {.cause = CAUSE_EXITED, .ended_ms = FIELD_NULL};
    int64_t last_event = world->book.last_event;
    for (size_t k = 0; k < 3; k++)
        world_report(world, kinds[k], stale, &good);
    assert_int_equal(world->book.last_event, last_event);
}

static void stale_reports_change_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a: {'maxRetries':1,'minRetryIntervalMillis':1000}; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_crash(world);
    struct attempt_ref first = world_running(world, &run, "a")->ref;
    world_exit(world, &run, "a", 1);
    nothing_changes(world, first); /* during the wait */
    world_advance(world, 1000);
    nothing_changes(world, first);
    struct attempt_ref live = world_running(world, &run, "a")->ref;
    for (int off = -1; off <= 1; off += 2) {
        struct attempt_ref stale = live;
        stale.epoch += off;
        nothing_changes(world, stale);
        stale = live;
        stale.attempt += off;
        nothing_changes(world, stale);
        stale = live;
        stale.task_run.bytes[15] ^= 1;
        nothing_changes(world, stale);
    }
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_exit(world, &run, "a", 0);
    nothing_changes(world, live);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_exit(world, &run, "b", 0);
    nothing_changes(world, live);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    /* Nor does a report about a task run that a repair has replaced. */
    world_repair(world, &run, "a", NULL, NULL);
    nothing_changes(world, live);
    world_expect(world, &run, "RUNNING a=RUNNING b=SUCCESS");
    world_exit(world, &run, "a", 0);
}

static void an_attempt_of_an_old_epoch_reports_under_it(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    int64_t epoch = world_running(world, &run, "a")->ref.epoch;
    world_crash(world);
    world_crash(world);
    assert_int_equal(world_running(world, &run, "a")->ref.epoch, epoch);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    assert_true(world_running(world, &run, "b")->ref.epoch > epoch);
    world_exit(world, &run, "b", 0);
}

/* ---- commits that fail ---- */

static void a_commit_that_fails_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct attempt_ref ref = world_running(world, &run, "a")->ref;
    struct attempt_outcome good = {.cause = CAUSE_EXITED, .ended_ms = FIELD_NULL};
    world->fate = COMMIT_FAILED;
    world_report(world, ENGINE_OUTCOME, ref, &good);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    assert_false(world_is_running(world, &run, "b"));
    world_exit(world, &run, "a", 0); /* reported again */
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_exit(world, &run, "b", 0);
}

static void a_commit_whose_answer_is_lost(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world->fate = COMMIT_UNANSWERED;
    world_exit(world, &run, "a", 0);
    /* The order for b was never sent: VOID, the same number, once more. */
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    assert_int_equal(world_task(world, &run, "b")->attempt_count, 1);
    assert_int_equal(attempt(world, &run, "b", 0)->epoch,
                     world->book.workspace.epoch - (world->crash_always ? 0 : 0));
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
}

static void what_a_retry_says(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'maxRetries':1,'minRetryIntervalMillis':600}", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 3);
    assert_has(world_task(world, &run, "a")->row.message, "retry 1 of 1");
    const struct event_row *event = world_event(world, &run, "a", STATE_PENDING);
    assert_int_equal(event->from, STATE_RUNNING);
    assert_has(event->decision, "\"RETRY\"");
    assert_int_equal(world_task(world, &run, "a")->row.retry_at_ms, world->now_ms + 600);
    world_advance(world, 600);
    assert_int_equal(world_task(world, &run, "a")->row.retry_at_ms, FIELD_NULL);
    world_exit(world, &run, "a", 3);
    world_expect(world, &run, "FAILED a=FAILED");
    assert_has(world_task(world, &run, "a")->row.message, "3");
    assert_string_equal(world_task(world, &run, "a")->row.error_code, "FAILED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(retries_are_numbered_and_kept),
        WORLD_TEST(a_budget_ends),
        WORLD_TEST(the_interval_is_measured_from_start_to_start),
        WORLD_TEST(an_interval_outlives_a_wall_clock_that_jumps),
        WORLD_TEST(a_wait_goes_on_over_a_reboot),
        WORLD_TEST(a_timeout_is_retried_only_if_asked),
        WORLD_TEST(when_an_attempt_ended),
        WORLD_TEST(the_fourth_loss_ends_a_task),
        WORLD_TEST(what_is_stopped_from_outside_is_lost),
        WORLD_TEST(losses_do_not_use_the_users_retries),
        WORLD_TEST(a_loss_knows_no_more_of_its_launch_than_was_told),
        WORLD_TEST(a_void_attempt_keeps_its_number),
        WORLD_TEST(a_void_attempt_is_not_shown_as_started),
        WORLD_TEST(a_void_attempt_counts_no_execution),
        WORLD_TEST(stale_reports_change_nothing),
        WORLD_TEST(an_attempt_of_an_old_epoch_reports_under_it),
        WORLD_TEST(a_commit_that_fails_leaves_nothing),
        WORLD_TEST(a_commit_whose_answer_is_lost),
        WORLD_TEST(what_a_retry_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
