/* How attempts run, end, are stopped and acknowledged; with real supervisors and real processes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/owner.h"
#include "exec/scene.h"
#include "exec/world.h"

static void test_exit_codes(void **state)
{
    struct world *world = *state;
    struct attempt_id good = world_id(world);
    struct attempt_id bad = world_id(world);

    world_script(world, "etl/a.sh", "echo out; echo problem >&2; exit \"$1\"\n");
    world_up(world);
    world_start(world, &good, "etl/a.sh", "0", NULL);
    world_start(world, &bad, "etl/a.sh", "3", NULL);
    const struct told *told = world_await(world, &good);
    assert_exited(told, 0);
    assert_string_equal(told->message, "Exited with code 0");
    assert_null(told->error_trace);
    assert_true(told->report.started_ms > 0);
    assert_true(told->report.ended_ms >= told->report.started_ms);
    assert_in_range(told->report.duration_ms, 0, WORLD_PATIENCE_MS);
    assert_true(told->report.max_rss_kib > 0);
    told = world_await(world, &bad);
    assert_exited(told, 3);
    assert_string_equal(told->message, "Exited with code 3");
    assert_string_equal(told->error_trace, "problem\n");
    assert_int_equal(exec_live(world->exec), 0);
}

static void test_killed_by_signal(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "kill -9 $$\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_SIGNALED);
    assert_int_equal(told->report.signal, SIGKILL);
    assert_int_equal(told->report.exit_code, FIELD_NULL);
    assert_string_equal(told->message, "Killed by signal 9 (SIGKILL)");
}

/* An attempt after another runs under the same supervisor, as long as ends are unremarkable. */
static void test_supervisor_is_reused(void **state)
{
    struct world *world = *state;
    pid_t first = 0;

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    for (int i = 0; i < 20; i++) {
        struct attempt_id id = world_id(world);
        world_start(world, &id, "a.sh", NULL);
        world_await(world, &id);
        pid_t supervisor = world_record(world, &id).pid;
        if (i == 0)
            first = supervisor;
        assert_int_equal(supervisor, first);
        exec_ack(world->exec, &id);
    }
}

/* A large order leaves nothing behind with the supervisor that waits for the next one. */
static void test_idle_supervisor_keeps_no_large_buffer(void **state)
{
    struct world *world = *state;
    static char text[100001];
    const char *args[12];
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .args = args};

    memset(text, 'x', sizeof text - 1);
    while (order.arg_count < ARRAY_LEN(args))
        args[order.arg_count++] = text;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_order(world, &order);
    assert_exited(world_await(world, &order.id), 0);
    exec_ack(world->exec, &order.id);
    world_settle(world);
    assert_int_equal(exec_idle(world->exec), 1);
    const struct supervisor *idle = LIST_ITEM(world->exec->pool.idle.next, struct supervisor, idle);
    assert_in_range(idle->out.cap, 0, 64 << 10);
}

static void test_supervisor_is_not_reused_after_a_remarkable_end(void **state)
{
    struct world *world = *state;
    struct attempt_id killed = world_id(world);
    struct attempt_id next = world_id(world);

    world_script(world, "kill.sh", "kill -9 $$\n");
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &killed, "kill.sh", NULL);
    world_await(world, &killed);
    pid_t first = world_record(world, &killed).pid;
    exec_ack(world->exec, &killed);
    world_start(world, &next, "a.sh", NULL);
    assert_exited(world_await(world, &next), 0);
    assert_int_not_equal(world_record(world, &next).pid, first);
    world_await_end(first);
}

/* An idle supervisor that died unseen costs the attempt nothing. */
static void test_dead_idle_supervisor_is_replaced(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id next = world_id(world);

    world_script(world, "a.sh", "echo x >> \"$1\"\n");
    world_up(world);
    world_start(world, &first, "a.sh", world_path(world, "first"), NULL);
    world_await(world, &first);
    pid_t supervisor = world_record(world, &first).pid;
    exec_ack(world->exec, &first);
    kill(supervisor, SIGKILL);
    world_await_state(supervisor, 'Z');
    world_start(world, &next, "a.sh", world_path(world, "next"), NULL);
    assert_exited(world_await(world, &next), 0);
    assert_int_equal(world_lines(world_path(world, "next")), 1);
}

static void test_helper_that_always_dies(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world->config.supervise_path = "/bin/false";
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_CANNOT_START);
    assert_string_equal(told->message, "Cannot start: 3 supervisors ended before they took it, the "
                                       "last with status 1");
    assert_int_equal(exec_live(world->exec), 0);
}

static void test_stop(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    int says = world_pipe(world, "says");

    world_script(
        world, "a.sh",
        "trap 'echo caught; exit 7' TERM; echo $$ > \"$1\"; while :; do sleep 60 & wait; done\n");
    world_up(world);
    world_start(world, &id, "a.sh", world_path(world, "says"), NULL);
    pid_t task = (pid_t)world_hear_number(world, says);
    exec_stop(world->exec, &id);
    exec_stop(world->exec, &id);
    const struct told *told = world_await(world, &id);
    exec_stop(world->exec, &id);
    assert_int_equal(told->report.cause, CAUSE_STOPPED);
    assert_string_equal(told->message, "Stopped");
    assert_int_equal(told->report.exit_code, FIELD_NULL);
    assert_false(world_alive(task));
    assert_int_equal(world_lines(world_file(world, &id, ".out")), 1);
    exec_ack(world->exec, &id);
    world_settle(world);
    assert_int_equal(world_count(world, &id), 1);
    close(says);
}

/* In the same breath as the start: the supervisor has not even begun to read. */
static void test_stop_before_claim(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "exec sleep 600\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    exec_stop(world->exec, &id);
    assert_int_equal(world_await(world, &id)->report.cause, CAUSE_STOPPED);
}

/* Its supervisor dies with the order unread: it is stopped all the same, and not started anew. */
static void test_stop_of_what_never_started(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world->config.supervise_path = "/bin/false";
    world_script(world, "a.sh", "exec sleep 600\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    exec_stop(world->exec, &id);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_STOPPED);
    assert_string_equal(told->message, "Stopped before it started");
    assert_int_equal(told->report.started_ms, FIELD_NULL);
}

static void test_timeout(void **state)
{
    struct world *world = *state;
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .timeout_ms = 1000};

    order.grace_ms = 10000;
    world_script(world, "a.sh", "echo slow >&2; exec sleep 600\n");
    world_up(world);
    world_order(world, &order);
    const struct told *told = world_await(world, &order.id);
    assert_int_equal(told->report.cause, CAUSE_TIMED_OUT);
    assert_string_equal(told->message, "Timed out after 1 s");
    assert_string_equal(told->error_trace, "slow\n");
    assert_in_range(told->report.duration_ms, 1000, WORLD_PATIENCE_MS);
}

/* SIGTERM is ignored: SIGKILL after the grace period. */
static void test_grace(void **state)
{
    struct world *world = *state;
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .timeout_ms = 200};

    order.grace_ms = 300;
    world_script(world, "a.sh", "trap '' TERM; sleep 600; sleep 600\n");
    world_up(world);
    world_order(world, &order);
    const struct told *told = world_await(world, &order.id);
    assert_int_equal(told->report.cause, CAUSE_TIMED_OUT);
    assert_string_equal(told->message, "Timed out after 200 ms");
    assert_in_range(told->report.duration_ms, 500, WORLD_PATIENCE_MS);
}

enum { FROZEN_GRACE_MS = 100 };

struct frozen {
    struct attempt_id id;
    pid_t task;
    pid_t supervisor;
};

/* Starts a task that lasts, and stops its supervisor once the task runs. timeout_ms: 0 for none. */
static struct frozen freeze_supervisor(struct world *world, int64_t timeout_ms,
                                       int64_t frozen_after_ms)
{
    struct exec_order order = {.id = world_id(world), .file = "a.sh", .timeout_ms = timeout_ms};
    const char *args[] = {world_path(world, "says")};
    int says = world_pipe(world, "says");
    struct frozen frozen = {.id = order.id};

    order.args = args;
    order.arg_count = 1;
    order.grace_ms = FROZEN_GRACE_MS;
    world->config.frozen_after_ms = frozen_after_ms;
    world_script(world, "a.sh", "echo $$ > \"$1\"; exec sleep 600\n");
    world_up(world);
    world_order(world, &order);
    frozen.task = (pid_t)world_hear_number(world, says);
    frozen.supervisor = world_record(world, &order.id).pid;
    assert_int_equal(kill(frozen.supervisor, SIGSTOP), 0);
    close(says);
    return frozen;
}

/* A supervisor that does not move past deadline and grace is killed, and its task with it. */
static void test_frozen_supervisor(void **state)
{
    struct world *world = *state;
    struct frozen frozen = freeze_supervisor(world, 300, 300);

    assert_int_equal(world_await(world, &frozen.id)->report.kind, EXEC_LOST);
    assert_false(world_alive(frozen.task));
    assert_false(world_alive(frozen.supervisor));
}

/* The same without a timeout, when it is asked to stop. */
static void test_frozen_supervisor_is_stopped(void **state)
{
    struct world *world = *state;
    struct frozen frozen = freeze_supervisor(world, 0, 300);

    exec_stop(world->exec, &frozen.id);
    assert_int_equal(world_await(world, &frozen.id)->report.kind, EXEC_LOST);
    assert_false(world_alive(frozen.task));
}

/*
 * Host and all have slept past the deadline: both timers are due at once, and it is the
 * supervisor's turn first. Time itself is what has to pass here: nobody is awake to be awaited.
 */
static void test_overslept_supervisor_times_out(void **state)
{
    /* More than a sixth of FROZEN_AFTER_MS late is what tells sleep from mere lateness. */
    enum { TIMEOUT_MS = 300, FROZEN_AFTER_MS = 3000, WELL_PAST_MS = 600 };
    struct world *world = *state;
    struct frozen frozen = freeze_supervisor(world, TIMEOUT_MS, FROZEN_AFTER_MS);
    int64_t wake_ms = boot_ms() + TIMEOUT_MS + FROZEN_GRACE_MS + FROZEN_AFTER_MS + WELL_PAST_MS;

    while (boot_ms() < wake_ms)
        usleep(10000);
    kill(frozen.supervisor, SIGCONT);
    const struct told *told = world_await(world, &frozen.id);
    assert_int_equal(told->report.kind, EXEC_OUTCOME);
    assert_int_equal(told->report.cause, CAUSE_TIMED_OUT);
}

static void test_strays_are_killed_and_told(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    int says = world_pipe(world, "says");

    world_script(world, "a.sh", "setsid sleep 600 & echo $! > \"$1\"; exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", world_path(world, "says"), NULL);
    pid_t stray = (pid_t)world_hear_number(world, says);
    const struct told *told = world_await(world, &id);
    assert_exited(told, 0);
    assert_string_equal(told->message, "Exited with code 0; what it left running was killed");
    assert_false(world_alive(stray));
    close(says);
}

static bool all_told(void *context)
{
    const struct world *world = context;
    return world->told_count == 200;
}

static void test_200_at_once(void **state)
{
    struct world *world = *state;
    struct attempt_id ids[200];
    int says = world_pipe(world, "says");
    int hears = world_pipe(world, "hears");

    world_script(world, "a.sh", "echo $$ > \"$1\"; read line < \"$2\"; exit \"$3\"\n");
    world->config.max_idle = 300;
    world_up(world);
    for (int i = 0; i < 200; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i);
        ids[i] = world_id(world);
        world_start(world, &ids[i], "a.sh", world_path(world, "says"), world_path(world, "hears"),
                    code, NULL);
    }
    for (int i = 0; i < 200; i++)
        world_hear(world, says);
    assert_int_equal(exec_live(world->exec), 200);
    for (int i = 0; i < 200; i++)
        world_say(hears, "go");
    world_run(world, all_told, world);
    for (int i = 0; i < 200; i++) {
        assert_exited(world_await(world, &ids[i]), i);
        exec_ack(world->exec, &ids[i]);
    }
    assert_int_equal(exec_live(world->exec), 0);
    close(says);
    close(hears);
}

static void test_no_descriptor_leaks(void **state)
{
    struct world *world = *state;
    size_t before = world_open_descriptors();

    world_script(world, "a.sh", "exit \"$1\"\n");
    world->config.max_idle = 2;
    world_up(world);
    size_t idle = 0;
    for (int round = 0; round < 5; round++) {
        struct attempt_id ids[10];
        for (int i = 0; i < 10; i++) {
            ids[i] = world_id(world);
            world_start(world, &ids[i], i == 9 ? "missing.sh" : "a.sh", i % 2 ? "0" : "1", NULL);
        }
        for (int i = 0; i < 10; i++) {
            world_await(world, &ids[i]);
            exec_ack(world->exec, &ids[i]);
        }
        world_settle(world);
        if (round == 0)
            idle = world_open_descriptors();
    }
    assert_in_range(world_open_descriptors(), before, idle + 40);
    world_down(world);
    assert_int_equal(world_open_descriptors(), before);
}

/* The record is swept in the background, everything that people read stays. */
static void test_ack_sweeps_the_record(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "echo out; echo err >&2; exit 1\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    world_await(world, &id);
    assert_int_equal(access(world_file(world, &id, ".rec"), F_OK), 0);
    exec_ack(world->exec, &id);
    exec_ack(world->exec, &id);
    world_down(world); /* waits for the sweep */
    assert_int_equal(access(world_file(world, &id, ".rec"), F_OK), -1);
    assert_int_equal(access(world_file(world, &id, ".out"), F_OK), 0);
    assert_int_equal(access(world_file(world, &id, ".err"), F_OK), 0);
}

static ino_t record_number(struct world *world, const struct attempt_id *id)
{
    struct stat status;
    return stat(world_file(world, id, ".rec"), &status) == 0 ? status.st_ino : 0;
}

/* To the next attempt of the run by the same supervisor; an acknowledgement that comes once more touches nothing of it. */
static void test_the_record_is_passed_on(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id second = world_id(world);

    world_script(world, "a.sh", "exit 1\n");
    world_up(world);
    world_start(world, &first, "a.sh", NULL);
    world_await(world, &first);
    ino_t number = record_number(world, &first);
    int held = open(world_file(world, &first, ".rec"),
                    O_RDONLY | O_CLOEXEC); /* no other gets its number */
    assert_true(held >= 0);
    exec_ack(world->exec, &first);
    world_start(world, &second, "a.sh", NULL);
    world_await(world, &second);
    assert_int_not_equal(number, 0);
    assert_int_equal(record_number(world, &second), number);
    assert_int_equal(record_number(world, &first), 0);
    exec_ack(world->exec, &first);
    world_settle(world);
    assert_int_equal(record_number(world, &second), number);
    exec_ack(world->exec, &second);
    close(held);
}

static void test_started_twice_runs_once(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "echo x >> \"$1\"\n");
    world_up(world);
    world_start(world, &id, "a.sh", world_path(world, "witness"), NULL);
    world_start(world, &id, "a.sh", world_path(world, "witness"), NULL);
    world_await(world, &id);
    exec_ack(world->exec, &id);
    world_settle(world);
    assert_int_equal(world_lines(world_path(world, "witness")), 1);
    assert_int_equal(world_count(world, &id), 1);
}

/* The next attempt of a task run may begin before the last one is acknowledged. */
static void test_next_attempt_before_the_ack(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id second = first;

    second.attempt = 1;
    world_script(world, "a.sh", "exit \"$1\"\n");
    world_up(world);
    world_start(world, &first, "a.sh", "1", NULL);
    world_await(world, &first);
    world_start(world, &second, "a.sh", "0", NULL);
    assert_exited(world_await(world, &second), 0);
    exec_ack(world->exec, &first);
    exec_ack(world->exec, &second);
    assert_int_equal(world_count(world, &first), 1);
    assert_int_equal(world_count(world, &second), 1);
}

static void test_token(void **state)
{
    struct attempt_id id = {.repair = INT64_MAX, .attempt = INT64_MAX, .epoch = INT64_MAX};
    char text[TOKEN_TEXT];

    (void)state;
    assert_string_equal(attempt_token(&id, text),
                        "00000000-0000-0000-0000-000000000000.00000000-0000-0000-0000-000000000000."
                        "9223372036854775807.9223372036854775807.9223372036854775807");
}

/* The claim could not be written: the disk's doing, and said so before anything starts. */
static void test_record_cannot_be_written(void **state)
{
    struct world *world = *state;
    struct attempt_id first = world_id(world);
    struct attempt_id id = world_id(world);

    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &first, "a.sh", NULL);
    world_await(world, &first);
    assert_int_equal(mkdir(world_file(world, &id, ".rec"), 0700), 0);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_CANNOT_START);
    assert_string_equal(told->message,
                        "Cannot start: its record cannot be written: Is a directory");
    assert_int_equal(exec_live(world->exec), 0);
}

/* Whatever a supervisor says, nothing is believed that it could not know. */
static void test_helper_that_talks_garbage(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);
    const char *helper = world_path(world, "workspace/helper");

    world_script(world, "helper", "#!/bin/sh\nprintf '\\377\\377\\377\\377\\021' >&3\n");
    assert_int_equal(chmod(helper, 0700), 0);
    world->config.supervise_path = helper;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    const struct told *told = world_await(world, &id);
    assert_int_equal(told->report.cause, CAUSE_CANNOT_START);
    assert_string_equal(told->message, "Cannot start: 3 supervisors ended before they took it, the "
                                       "last with status 0");
}

/* What passes is waited for: the task is not to pay for it. Here the helper is being replaced. */
static void test_no_supervisor_for_a_while(void **state)
{
    struct world *world = *state;
    struct attempt_id runs = world_id(world);
    struct attempt_id stopped = world_id(world);
    const char *helper = world_path(world, "helper");

    world_copy(world->config.supervise_path, helper);
    world->config.supervise_path = helper;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    int writer = open(helper, O_WRONLY | O_CLOEXEC);
    assert_true(writer >= 0);
    world_start(world, &runs, "a.sh", NULL);
    world_start(world, &stopped, "a.sh", NULL);
    assert_int_equal(exec_live(world->exec), 2);
    exec_stop(world->exec, &stopped);
    const struct told *told = world_await(world, &stopped);
    assert_int_equal(told->report.cause, CAUSE_STOPPED);
    assert_string_equal(told->message, "Stopped before it started");
    assert_int_equal(world_count(world, &runs), 0);
    close(writer);
    assert_exited(world_await(world, &runs), 0);
    assert_int_equal(exec_live(world->exec), 0);
}

static void test_prespawn(void **state)
{
    struct world *world = *state;
    struct attempt_id id = world_id(world);

    world->config.prespawn = 2;
    world_script(world, "a.sh", "exit 0\n");
    world_up(world);
    world_start(world, &id, "a.sh", NULL);
    assert_exited(world_await(world, &id), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_exit_codes),
        TEST(test_killed_by_signal),
        TEST(test_supervisor_is_reused),
        TEST(test_idle_supervisor_keeps_no_large_buffer),
        TEST(test_supervisor_is_not_reused_after_a_remarkable_end),
        TEST(test_dead_idle_supervisor_is_replaced),
        TEST(test_helper_that_always_dies),
        TEST(test_stop),
        TEST(test_stop_before_claim),
        TEST(test_stop_of_what_never_started),
        TEST(test_timeout),
        TEST(test_grace),
        TEST(test_frozen_supervisor),
        TEST(test_frozen_supervisor_is_stopped),
        TEST(test_overslept_supervisor_times_out),
        TEST(test_strays_are_killed_and_told),
        TEST(test_200_at_once),
        TEST(test_no_descriptor_leaks),
        TEST(test_ack_sweeps_the_record),
        TEST(test_the_record_is_passed_on),
        TEST(test_started_twice_runs_once),
        TEST(test_next_attempt_before_the_ack),
        TEST(test_token),
        TEST(test_record_cannot_be_written),
        TEST(test_helper_that_talks_garbage),
        TEST(test_no_supervisor_for_a_while),
        TEST(test_prespawn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
