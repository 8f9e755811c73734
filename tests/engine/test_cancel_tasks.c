/* Tasks that are canceled alone: their run goes on. */
#include "engine/harness.h"

static struct command_result try_cancel(struct world *world, const struct uuid *run,
                                        const char *const *keys, size_t count)
{
    struct command command = {
        .kind = COMMAND_RUN_CANCEL, .key = *run, .task_keys = keys, .task_key_count = count};
    return world_command(world, &command);
}

static void cancel_task(struct world *world, const struct uuid *run, const char *key)
{
    assert_answer(try_cancel(world, run, &key, 1), ERR_OK, "");
}

static void a_task_that_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "stuck: {'maxRetries':3}; good; next: stuck; tidy: stuck @ALL_DONE; last: good", "");
    struct uuid run = world_submit(world, &job, NULL);
    cancel_task(world, &run, "stuck");
    world_expect(world, &run,
                 "RUNNING stuck=CANCELING good=RUNNING next=BLOCKED tidy=BLOCKED last=BLOCKED");
    assert_true(world_running(world, &run, "stuck")->stop_asked);
    assert_false(world_running(world, &run, "good")->stop_asked);
    assert_string_equal(world_task(world, &run, "stuck")->row.message,
                        "Being stopped: canceled by ann");
    world_crash(world);
    cancel_task(world, &run, "stuck"); /* once more changes nothing */
    world_ends(world, &run, "stuck", CAUSE_STOPPED);
    world_expect(world, &run,
                 "RUNNING stuck=CANCELED good=RUNNING next=UPSTREAM_CANCELED "
                 "tidy=RUNNING last=BLOCKED");
    assert_string_equal(world_task(world, &run, "stuck")->row.message, "Canceled by ann");
    assert_int_equal(world_task(world, &run, "stuck")->attempt_count, 1);
    world_all_succeed(world);
    world_expect(world, &run,
                 "CANCELED stuck=CANCELED good=SUCCESS next=UPSTREAM_CANCELED "
                 "tidy=SUCCESS last=SUCCESS");
    /* It is repaired as any other that did not succeed. */
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect(world, &run,
                 "SUCCESS stuck=SUCCESS good=SUCCESS next=SUCCESS tidy=SUCCESS last=SUCCESS");
    assert_null(world_task(world, &run, "stuck")->row.canceled_by);
}

/* One that waits, for what is above it, for its next attempt, or for a slot, never starts. */
static void tasks_that_wait(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a; b: a; c: b; d: b @ALL_DONE; "
                                "f: {'maxRetries':1,'minRetryIntervalMillis':60000}",
                                "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "f", 1);
    static const char *const keys[] = {"b", "f"};
    assert_answer(try_cancel(world, &run, keys, 2), ERR_OK, "");
    world_expect(world, &run, "RUNNING a=RUNNING b=CANCELED c=BLOCKED d=BLOCKED f=CANCELED");
    world_advance(world, 120000);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run,
                 "RUNNING a=SUCCESS b=CANCELED c=UPSTREAM_CANCELED d=RUNNING f=CANCELED");
    world_exit(world, &run, "d", 0);
    world_expect(world, &run,
                 "CANCELED a=SUCCESS b=CANCELED c=UPSTREAM_CANCELED d=SUCCESS f=CANCELED");
    assert_string_equal(world_run(world, &run)->message, "Canceled; 2 tasks canceled: b, f");
}

static void all_that_there_is(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b", "");
    struct uuid run = world_submit(world, &job, NULL);
    cancel_task(world, &run, "a");
    cancel_task(world, &run, "b");
    world_expect(world, &run, "RUNNING a=CANCELING b=CANCELING");
    world_cancel(world, &run);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_ends(world, &run, "b", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
}

static void refusals(void **state)
{
    static const char *const keys[] = {"a", "x"};
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'queue':{'isEnabled':true}");
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    assert_answer(try_cancel(world, &run, keys, 2), ERR_INVALID_PARAMETER,
                  "taskKeys[1]: the run has no task x");
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    assert_answer(try_cancel(world, &queued, keys, 1), ERR_INCORRECT_STATE, "the run is QUEUED");
    world_exit(world, &run, "a", 0);
    cancel_task(world, &run, "a");
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_all_succeed(world);
    cancel_task(world, &run, "b");
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
    assert_answer(try_cancel(world, &run, keys, 2), ERR_INVALID_PARAMETER, "no task x");
}

static void a_job_task_ends_with_its_child(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x; y: x", "!c: {'jobKey':'%s'}; d: c @ALL_DONE");
    cancel_task(world, &pair.run, "c");
    world_expect(world, &pair.child, "CANCELING x=CANCELING y=CANCELED");
    assert_string_equal(world_run(world, &pair.child)->message,
                        "Canceled: task c of its parent run was, by ann");
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.run, "RUNNING c=CANCELED d=RUNNING");
    assert_string_equal(world_task(world, &pair.run, "c")->row.message, "Canceled by ann");
    world_all_succeed(world);
}

/* It is being stopped by its own timeout, and would be tried again. */
static void a_job_task_whose_time_is_up(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(
        world, "x",
        "!c: {'jobKey':'%s','timeoutSeconds':5,'maxRetries':3,'isRetryOnTimeout':true}; d: c @ALL_DONE");
    world_advance(world, 5000);
    world_expect(world, &pair.run, "RUNNING c=CANCELING d=BLOCKED");
    cancel_task(world, &pair.run, "c");
    world_crash(world);
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.run, "RUNNING c=CANCELED d=RUNNING");
    assert_string_equal(world_task(world, &pair.run, "c")->row.message, "Canceled by ann");
    assert_int_equal(world_task(world, &pair.run, "c")->attempt_count, 1);
    world_all_succeed(world);
    assert_string_equal(world_run(world, &pair.run)->message, "Succeeded; 1 task canceled: c");
}

/* What a repair was to mark is canceled before its turn. */
static void a_marked_task(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, "=b", NULL, NULL);
    cancel_task(world, &run, "b");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "CANCELED a=SUCCESS b=CANCELED");
    assert_string_equal(world_run(world, &run)->message, "Canceled; 1 task canceled: b");
}

/* It is no failure of a task, so it does not end the run as one would. */
static void a_policy_does_not_ask(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a: {'x-failPolicy':'FAIL'}; b", "");
    struct uuid run = world_submit(world, &job, NULL);
    cancel_task(world, &run, "a");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "RUNNING a=CANCELED b=RUNNING");
    world_all_succeed(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_task_that_runs),
        WORLD_TEST(tasks_that_wait),
        WORLD_TEST(all_that_there_is),
        WORLD_TEST(refusals),
        WORLD_TEST(a_job_task_ends_with_its_child),
        WORLD_TEST(a_job_task_whose_time_is_up),
        WORLD_TEST(a_marked_task),
        WORLD_TEST(a_policy_does_not_ask),
    };
    return cmocka_run_group_tests_name("tasks canceled alone", tests, NULL, NULL);
}
