/* RULES §3, §4: run slots and the queue; execution slots. */
#include <stdio.h>

#include "base/buf.h"
#include "engine/harness.h"

#define QUEUE "'queue':{'isEnabled':true}"

static const char *key_of(const struct uuid *run)
{
    static char text[UUID_TEXT];
    return uuid_format(run, text);
}

static void one_slot_by_default_and_skipped_without_a_queue(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    world_expect(world, &first, "RUNNING a=RUNNING");
    world_expect(world, &second, "SKIPPED"); /* no task runs at all */
    assert_has(world_run(world, &second)->message, key_of(&first));
    assert_has(world_event(world, &second, NULL, STATE_SKIPPED)->decision, "\"RUN_SLOT\"");
    assert_int_equal(world_run(world, &second)->start_ms, FIELD_NULL);
    world_exit(world, &first, "a", 0);
    struct uuid third = world_submit(world, &job, NULL);
    world_expect(world, &third, "RUNNING a=RUNNING");
    world_exit(world, &third, "a", 0);
}

static void first_in_first_out(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'maxConcurrentRuns':2," QUEUE);
    struct uuid runs[5];
    for (int i = 0; i < 5; i++) {
        runs[i] = world_submit(world, &job, NULL);
        world_advance(world, 10);
    }
    world_expect(world, &runs[2], "QUEUED a=BLOCKED b=BLOCKED");
    assert_has(world_run(world, &runs[2])->message, "Queued, 1st in line: 2 of 2 run slots");
    assert_has(world_run(world, &runs[3])->message, "Queued, 2nd in line");
    assert_has(world_run(world, &runs[3])->message, key_of(&runs[0]));
    assert_has(world_event(world, &runs[3], NULL, STATE_QUEUED)->decision, "\"RUN_SLOT\"");
    world_exit(world, &runs[1], "a", 1);
    world_expect(world, &runs[2], "RUNNING a=RUNNING b=BLOCKED");
    world_expect(world, &runs[3], "QUEUED a=BLOCKED b=BLOCKED");
    world_exit(world, &runs[2], "a", 1);
    world_expect(world, &runs[3], "RUNNING a=RUNNING b=BLOCKED");
    world_expect(world, &runs[4], "QUEUED a=BLOCKED b=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &runs[4], "SUCCESS a=SUCCESS b=SUCCESS");
}

/* Keys sort even when the clock goes back, and so does the queue. */
static void first_in_first_out_when_the_clock_goes_back(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", QUEUE);
    struct uuid holder = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    world_set_clock(world, world->now_ms - 3600000);
    struct uuid third = world_submit(world, &job, NULL);
    world_exit(world, &holder, "a", 0);
    world_expect(world, &second, "RUNNING a=RUNNING");
    world_expect(world, &third, "QUEUED a=BLOCKED");
    world_all_succeed(world);
}

static void the_runs_own_queue_wins(void **state)
{
    struct world *world = *state;
    struct uuid queues = world_dag(world, "a", QUEUE);
    struct uuid holder = world_submit(world, &queues, NULL);
    struct run_request off = {.queue_enabled = 0, .queue_json = "{\"isEnabled\":false}"};
    struct uuid skipped = world_try_submit(world, &queues, &off).key;
    world_expect(world, &skipped, "SKIPPED");
    struct uuid plain = world_dag(world, "a", "");
    struct uuid other = world_submit(world, &plain, NULL);
    struct run_request on = {.queue_enabled = 1, .queue_json = "{\"isEnabled\":true}"};
    struct uuid queued = world_try_submit(world, &plain, &on).key;
    world_expect(world, &queued, "QUEUED a=BLOCKED");
    world_exit(world, &holder, "a", 0);
    world_exit(world, &other, "a", 0);
    world_expect(world, &queued, "RUNNING a=RUNNING");
    world_exit(world, &queued, "a", 0);
}

/* Who waits is told of three holders, and how many more there are. */
static void many_holders_are_counted(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':6,'queue':{'isEnabled':true}");
    struct uuid holders[6];
    char key[UUID_TEXT];
    for (int i = 0; i < 6; i++)
        holders[i] = world_submit(world, &job, NULL);
    struct uuid run = world_submit(world, &job, NULL);
    const char *message = world_run(world, &run)->message;
    assert_has(message, "Queued, 1st in line: 6 of 6 run slots are held by runs ");
    assert_has(message, uuid_format(&holders[2], key));
    assert_has(message, " and 3 more");
    assert_null(strstr(message, uuid_format(&holders[3], key)));
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

static void a_cap_of_zero(void **state)
{
    struct world *world = *state;
    struct uuid none = world_dag(world, "a", "'maxConcurrentRuns':0");
    struct uuid skipped = world_submit(world, &none, NULL);
    world_expect(world, &skipped, "SKIPPED");
    struct uuid held = world_dag(world, "a", "'maxConcurrentRuns':0," QUEUE);
    struct uuid run = world_submit(world, &held, NULL);
    world_advance(world, 60000);
    world_expect(world, &run, "QUEUED a=BLOCKED");
    const char *json = world_dag_json(world, "a", "'maxConcurrentRuns':1," QUEUE);
    assert_answer(world_update_job(world, &held, json, NULL), ERR_OK, "");
    world_expect(world, &run, "RUNNING a=RUNNING");
    /* The run shows the value at its creation. */
    assert_int_equal(world_run(world, &run)->max_concurrent_runs, 0);
    world_exit(world, &run, "a", 0);
}

static void the_cap_is_the_jobs_current_value(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':3," QUEUE);
    struct uuid runs[5];
    for (int i = 0; i < 5; i++)
        runs[i] = world_submit(world, &job, NULL);
    /* Lowering it stops nothing. */
    world_update_job(world, &job, world_dag_json(world, "a", "'maxConcurrentRuns':1," QUEUE), NULL);
    for (int i = 0; i < 3; i++)
        world_expect(world, &runs[i], "RUNNING a=RUNNING");
    world_exit(world, &runs[0], "a", 0);
    world_exit(world, &runs[1], "a", 0);
    world_expect(world, &runs[3], "QUEUED a=BLOCKED");
    world_exit(world, &runs[2], "a", 0);
    world_expect(world, &runs[3], "RUNNING a=RUNNING");
    world_expect(world, &runs[4], "QUEUED a=BLOCKED");
    world_update_job(world, &job, world_dag_json(world, "a", "'maxConcurrentRuns':2," QUEUE), NULL);
    world_expect(world, &runs[4], "RUNNING a=RUNNING");
    world_all_succeed(world);
}

static void a_run_runs_its_snapshot(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", QUEUE);
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    world_update_job(world, &job, world_dag_json(world, "x", QUEUE), NULL);
    struct uuid newer = world_submit(world, &job, NULL);
    world_all_succeed(world);
    world_expect(world, &first, "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &queued, "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &newer, "SUCCESS x=SUCCESS");
    assert_int_equal(world_run(world, &queued)->definition_version, 1);
    assert_int_equal(world_run(world, &newer)->definition_version, 2);
}

static void canceling_holds_the_slot(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", QUEUE);
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    world_cancel(world, &first);
    world_expect(world, &second, "QUEUED a=BLOCKED");
    world_ends(world, &first, "a", CAUSE_STOPPED);
    world_expect(world, &second, "RUNNING a=RUNNING");
    world_exit(world, &second, "a", 0);
}

static void patience_ends_after_48_hours(void **state)
{
    struct world *world = *state;
    enum { HOUR = 3600000 };
    struct uuid job = world_dag(world, "a; b: a", QUEUE);
    struct uuid holder = world_submit(world, &job, NULL);
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 30LL * HOUR);
    world_reboot(world);
    world_advance(world, 18LL * HOUR - 1);
    world_expect(world, &run, "QUEUED a=BLOCKED b=BLOCKED");
    struct uuid later = world_submit(world, &job, NULL);
    world_advance(world, 1);
    world_expect(world, &run, "SKIPPED a=CANCELED b=CANCELED");
    assert_has(world_run(world, &run)->message, "48 h");
    world_expect(world, &later, "QUEUED a=BLOCKED b=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &holder, "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &later, "SUCCESS a=SUCCESS b=SUCCESS");
}

/* ---- repairs ---- */

static void repairs_go_ahead_of_runs_that_never_ran(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':2," QUEUE);
    struct uuid failed = world_submit(world, &job, NULL);
    struct uuid failed_later = world_submit(world, &job, NULL);
    world_exit(world, &failed, "a", 1);
    world_exit(world, &failed_later, "a", 1);
    struct uuid holders[2] = {world_submit(world, &job, NULL), world_submit(world, &job, NULL)};
    struct uuid waiting = world_submit(world, &job, NULL);
    world_advance(world, 100);
    world_repair(world, &failed_later, NULL, NULL, NULL);
    world_advance(world, 100);
    world_repair(world, &failed, NULL, NULL, NULL); /* by request time, not by age */
    world_expect(world, &failed_later, "QUEUED a=BLOCKED");
    assert_has(world_run(world, &failed_later)->message, "1st in line");
    assert_has(world_run(world, &failed)->message, "2nd in line");
    world_exit(world, &holders[0], "a", 0);
    world_expect(world, &failed_later, "RUNNING a=RUNNING");
    world_expect(world, &failed, "QUEUED a=BLOCKED");
    world_exit(world, &holders[1], "a", 0);
    world_expect(world, &failed, "RUNNING a=RUNNING");
    world_expect(world, &waiting, "QUEUED a=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &waiting, "SUCCESS a=SUCCESS");
}

static void repairs_of_one_instant_stand_by_request(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", QUEUE);
    struct uuid older = world_submit(world, &job, NULL);
    world_exit(world, &older, "a", 1);
    struct uuid newer = world_submit(world, &job, NULL);
    world_exit(world, &newer, "a", 1);
    struct uuid holder = world_submit(world, &job, NULL);
    world_repair(world, &newer, NULL, NULL, NULL);
    world_repair(world, &older, NULL, NULL, NULL);
    world_exit(world, &holder, "a", 0);
    world_expect(world, &newer, "RUNNING a=RUNNING");
    world_expect(world, &older, "QUEUED a=BLOCKED");
    world_all_succeed(world);
}

static void a_repair_without_slot_and_queue_is_refused(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid failed = world_submit(world, &job, NULL);
    world_exit(world, &failed, "a", 1);
    struct uuid holder = world_submit(world, &job, NULL);
    int64_t last = world->book.last_event;
    assert_answer(world_try_repair(world, &failed, NULL, NULL, NULL), ERR_INCORRECT_STATE,
                  key_of(&holder));
    world_expect(world, &failed, "FAILED a=FAILED");
    assert_int_equal(world->book.last_event, last);
    assert_int_equal(world_run(world, &failed)->version, 1);
    world_exit(world, &holder, "a", 0);
    world_repair(world, &failed, NULL, NULL, NULL);
    world_expect(world, &failed, "RUNNING a=RUNNING");
    world_exit(world, &failed, "a", 0);
}

static void a_queued_repair_ends_canceled(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", QUEUE);
    struct uuid failed = world_submit(world, &job, NULL);
    world_exit(world, &failed, "a", 0);
    world_exit(world, &failed, "b", 1);
    struct uuid holder = world_submit(world, &job, NULL);
    world_repair(world, &failed, NULL, NULL, NULL);
    world_expect(world, &failed, "QUEUED a=SUCCESS b=BLOCKED");
    assert_int_equal(world_newest_repair(world, &failed)->start_ms, FIELD_NULL);
    world_advance(world, 48LL * 3600000 - 1);
    world_expect(world, &failed, "QUEUED a=SUCCESS b=BLOCKED");
    world_advance(world, 1);
    world_expect(world, &failed, "CANCELED a=SUCCESS b=CANCELED");
    /* Cancelled by hand it ends so too, and may be repaired again. */
    world_repair(world, &failed, NULL, NULL, NULL);
    world_expect(world, &failed, "QUEUED a=SUCCESS b=BLOCKED");
    world_cancel(world, &failed);
    world_expect(world, &failed, "CANCELED a=SUCCESS b=CANCELED");
    world_all_succeed(world);
    world_expect(world, &holder, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_int_equal(world_run(world, &failed)->version, 3);
}

/* ---- execution slots ---- */

static void never_more_than_there_are(void **state)
{
    struct world *world = *state;
    world_limit(world, 2);
    struct uuid job = world_dag(world, "a; b; c; d: a b c", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING c=QUEUED d=BLOCKED");
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "RUNNING a=RUNNING b=SUCCESS c=RUNNING d=BLOCKED");
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELING a=CANCELING b=SUCCESS c=CANCELING d=CANCELED");
    /* What is being stopped still lives. */
    struct uuid other_job = world_dag(world, "x", "");
    struct uuid other = world_submit(world, &other_job, NULL);
    world_expect(world, &other, "PENDING x=QUEUED");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &other, "RUNNING x=RUNNING");
    world_ends(world, &run, "c", CAUSE_STOPPED);
    world_exit(world, &other, "x", 0);
}

/* The order of a turn is not in the rows, so this one does not crash. */
static void handed_out_round_robin(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid wide = world_dag(world, "a0; a1; a2; a3", "'maxConcurrentRuns':9");
    struct uuid slim = world_dag(world, "b0; b1", "'maxConcurrentRuns':9");
    world_submit(world, &wide, NULL);
    world_submit(world, &slim, NULL);
    world_submit(world, &slim, NULL);
    world_all_succeed(world);
    /* a0 was alone; then the wide run stood first in line, the slim ones behind it. */
    struct buf order;
    buf_init(&order, 256);
    for (size_t i = 0; i < world->start_count; i++)
        buf_printf(&order, "%s ", world->starts[i].task_key);
    assert_string_equal(order.data, "a0 a1 b0 b0 a2 b1 b1 a3 ");
    buf_release(&order);
}

static void a_run_that_cannot_go_on_never_stops_the_scan(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid job =
        world_dag(world, "a: {'commandLineArguments':'{{job.parameters.missing}}'}; b", "");
    struct uuid good_job = world_dag(world, "x", "");
    struct uuid busy_job = world_dag(world, "y", "");
    struct uuid busy = world_submit(world, &busy_job, NULL);
    struct uuid bad = world_submit(world, &job, NULL);
    struct uuid good = world_submit(world, &good_job, NULL);
    world_exit(world, &busy, "y", 0);
    /* The unreadable reference takes no slot; the next in turn gets it. */
    assert_int_equal(world_task(world, &bad, "a")->row.state, STATE_INTERNAL_ERROR);
    assert_int_equal(world->running_count, 1);
    world_all_succeed(world);
    world_expect(world, &good, "SUCCESS x=SUCCESS");
    world_expect(world, &bad, "INTERNAL_ERROR a=INTERNAL_ERROR b=SUCCESS");
}

static void a_limit_lowered_below_what_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world->config.max_running = 1; /* another setting at the next start; both live on */
    world_crash(world);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING c=BLOCKED");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=QUEUED");
    world_exit(world, &run, "b", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=SUCCESS c=RUNNING");
    world_exit(world, &run, "c", 0);
}

static void a_drained_server_starts_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
    world_expect(world, &run, "PAUSED_MAINTENANCE a=RUNNING b=BLOCKED");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "PAUSED_MAINTENANCE a=SUCCESS b=BLOCKED");
    world_crash(world);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_exit(world, &run, "b", 0);
    assert_int_equal(world_event(world, &run, NULL, STATE_PAUSED_MAINTENANCE)->from, STATE_RUNNING);
    assert_has(world_event(world, &run, NULL, STATE_PAUSED_MAINTENANCE)->reason,
               "the server is being stopped");
}

static void drain(struct world *world)
{
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
}

static void each_state_comes_back_as_it_was(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid job = world_dag(world, "a", "'queue':{'isEnabled':true}");
    struct uuid other = world_dag(world, "?x; y: x", "'maxConcurrentRuns':9");
    struct uuid running = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    drain(world);
    world_expect(world, &running, "PAUSED_MAINTENANCE a=RUNNING");
    world_expect(world, &queued, "QUEUED a=BLOCKED");
    /* What is asked for now is taken, and rests too; what ends, ends. */
    struct uuid late = world_submit(world, &other, "x=1");
    world_expect(world, &late, "PAUSED_MAINTENANCE x=BLOCKED y=BLOCKED");
    world_exit(world, &running, "a", 0);
    world_expect(world, &running, "SUCCESS a=SUCCESS");
    world_expect(world, &queued, "PAUSED_MAINTENANCE a=BLOCKED");
    world_cancel(world, &late);
    world_expect(world, &late, "CANCELED x=CANCELED y=CANCELED");
    world_crash(world);
    world_expect(world, &queued, "RUNNING a=RUNNING");
    assert_int_equal(world_event(world, &queued, NULL, STATE_PAUSED_MAINTENANCE)->from,
                     STATE_PENDING);
    world_all_succeed(world);
}

/* What was ready when the server went down starts in a run that goes on first. */
static void what_was_ready_starts_in_a_run_that_goes_on(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid job = world_dag(world, "a", "");
    struct uuid busy = world_submit(world, &job, NULL);
    struct uuid other = world_dag(world, "x", "");
    struct uuid run = world_submit(world, &other, NULL);
    world_expect(world, &run, "PENDING x=QUEUED");
    drain(world);
    world_expect(world, &run, "PAUSED_MAINTENANCE x=QUEUED");
    world_exit(world, &busy, "a", 0);
    world_crash(world);
    world_expect(world, &run, "RUNNING x=RUNNING");
    assert_int_equal(world_event(world, &run, NULL, STATE_RUNNING)->from, STATE_PENDING);
    assert_true(world_newest_repair(world, &run)->start_ms != FIELD_NULL);
    world_exit(world, &run, "x", 0);
}

static void a_timeout_passes_while_a_run_rests(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'timeoutSeconds':60");
    struct uuid run = world_submit(world, &job, NULL);
    world_advance(world, 40000);
    drain(world);
    world_advance(world, 19999);
    world_expect(world, &run, "PAUSED_MAINTENANCE a=RUNNING b=BLOCKED");
    world_advance(world, 1);
    world_expect(world, &run, "CANCELING a=CANCELING b=CANCELED");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "TIMED_OUT a=CANCELED b=CANCELED");
}

static void children_rest_and_go_on(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x; y: x", "'maxConcurrentRuns':9");
    struct uuid job = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}; e: c", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid child = world_child(world, &run, "c");
    drain(world);
    world_expect(world, &run, "PAUSED_MAINTENANCE c=RUNNING e=BLOCKED");
    world_expect(world, &child, "PAUSED_MAINTENANCE x=RUNNING y=BLOCKED");
    world_exit(world, &child, "x", 0);
    world_crash(world);
    world_expect(world, &child, "RUNNING x=SUCCESS y=RUNNING");
    world_exit(world, &child, "y", 0);
    world_expect(world, &run, "RUNNING c=SUCCESS e=RUNNING");
    world_exit(world, &run, "e", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(one_slot_by_default_and_skipped_without_a_queue),
        WORLD_TEST(first_in_first_out),
        WORLD_TEST(first_in_first_out_when_the_clock_goes_back),
        WORLD_TEST(the_runs_own_queue_wins),
        WORLD_TEST(many_holders_are_counted),
        WORLD_TEST(a_cap_of_zero),
        WORLD_TEST(the_cap_is_the_jobs_current_value),
        WORLD_TEST(a_run_runs_its_snapshot),
        WORLD_TEST(canceling_holds_the_slot),
        WORLD_TEST(patience_ends_after_48_hours),
        WORLD_TEST(repairs_go_ahead_of_runs_that_never_ran),
        WORLD_TEST(repairs_of_one_instant_stand_by_request),
        WORLD_TEST(a_repair_without_slot_and_queue_is_refused),
        WORLD_TEST(a_queued_repair_ends_canceled),
        WORLD_TEST(never_more_than_there_are),
        cmocka_unit_test_setup_teardown(handed_out_round_robin, world_setup, world_teardown),
        WORLD_TEST(a_run_that_cannot_go_on_never_stops_the_scan),
        WORLD_TEST(a_limit_lowered_below_what_runs),
        cmocka_unit_test_setup_teardown(a_drained_server_starts_nothing, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(each_state_comes_back_as_it_was, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(what_was_ready_starts_in_a_run_that_goes_on, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_timeout_passes_while_a_run_rests, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(children_rest_and_go_on, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
