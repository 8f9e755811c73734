/* The crash table (DURABILITY §3), where the supervisor lives or has written: servers are killed at the
 * point of the row. A witness file counts how often the task began: never twice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec/exec.h"
#include "exec/scene.h"
#include "exec/world.h"

/* Wall clock of the host's start, as a server works it out. */
static int64_t booted_ms(void)
{
    struct record_time now = record_now();

    return now.wall_ms - (int64_t)(now.boot_ns / 1000000);
}

/* ---- before the order is sent ---- */

/* Not even the run's folder was made. */
static void test_crash_order_not_sent(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    assert_int_equal(world_record(world, &scene.id).state, RECORD_VOID);
    assert_int_equal(exec_live(world->exec), 0);
    start_again(&scene);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
}

/* Power went soon after the start: what the record said was not on the disk yet. That is no proof that nothing ran. */
static void test_crash_nothing_on_the_disk(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world);
    exec_recover(world->exec, &scene.id, 0, 10000, booted_ms() - 5000, false);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_non_null(strstr(told->message, "the host was restarted"));
    assert_int_equal(exec_live(world->exec), 0);
    scene.id.attempt++;
    exec_recover(world->exec, &scene.id, 0, 10000, booted_ms() + 5000, false); /* since then */
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    scene_close(&scene);
}

static bool told_twice(void *context)
{
    struct scene *scene = context;
    return world_count(scene->world, &scene->id) == 2;
}

/* What is void stays void: asked again, and after an acknowledgement of what it never was. */
static void test_crash_void_is_told_again(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    exec_ack(world->exec, &scene.id);
    world_restart(world);
    world_recover(world, &scene.id);
    world_run(world, told_twice, &scene);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    scene_close(&scene);
}

/* ---- sent, not claimed ---- */

static void test_crash_order_sent_not_claimed(void **state)
{
    struct world *world = *state;
    struct scene scene;
    int says;
    int hears;

    scene_open(&scene, world);
    slow_helper(&scene, &says, &hears);
    pid_t server = server_start(&scene);
    pid_t helper = (pid_t)world_hear_number(world, says);
    server_kill(server);

    free((char *)world->config.supervise_path);
    world->config.supervise_path = world->helper;
    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    world_say(hears, "go"); /* now it reads the order, finds VOID and refuses */
    world_await_end(helper);
    assert_int_equal(begun(&scene), 0);
    start_again(&scene);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
    close(says);
    close(hears);
}

/* The server lives, and asks about what it sent itself: it is being started, that is all. */
static void test_recover_of_own_unclaimed_order(void **state)
{
    struct world *world = *state;
    struct scene scene;
    int says;
    int hears;

    scene_open(&scene, world);
    slow_helper(&scene, &says, &hears);
    world_up(world);
    world_order(world, &scene.order);
    world_hear(world, says);
    world_recover(world, &scene.id);
    assert_int_equal(world->told_count, 0);
    world_say(hears, "go");
    world_hear(world, scene.says);
    world_say(scene.hears, "0");
    assert_exited(world_await(world, &scene.id), 0);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
    free((char *)world->config.supervise_path);
    close(says);
    close(hears);
}

static void spin(int64_t us)
{
    struct timespec start;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < us);
}

/* The server goes right after it has sent, recovery comes some time later: whoever writes first, the
 * record has one meaning, and the task has begun exactly once in the end. */
static void test_crash_void_against_claim(void **state)
{
    struct world *world = *state;
    size_t rounds = 300;
    size_t voids = 0;

    world_script(world, "a.sh", "echo begun >> \"$1\"\n");
    for (size_t round = 0; round < rounds; round++) {
        struct attempt_id id = world_id(world);
        struct err err;
        char name[32];
        snprintf(name, sizeof name, "witness%zu", round);
        const char *witness = world_path(world, name);

        struct exec *next = exec_open(&world->config, &err);
        assert_non_null(next);
        world->config.prespawn = round % 2; /* one that is up already, or one that has to start */
        world_up(world);
        world_start(world, &id, "a.sh", witness, NULL);
        world_down(world);
        world->exec = next;
        spin((int64_t)(round / 2 % 50) * 20);
        world_recover(world, &id);
        const struct told *told = world_await(world, &id);
        if (told->report.kind == EXEC_VOID) {
            voids++;
            id.epoch++;
            world_start(world, &id, "a.sh", witness, NULL);
            told = world_await(world, &id);
        }
        assert_exited(told, 0);
        exec_ack(world->exec, &id);
        world_down(world);
        assert_int_equal(world_lines(witness), 1);
    }
    print_message("void won %zu of %zu rounds\n", voids, rounds);
}

/* ---- claimed, not exec'd ---- */

/* A lease of ours on the interpreter holds whoever executes it: claimed, and not yet exec'd. */
static void test_crash_claimed_not_execed(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    char *python = strdup(world_path(world, "python"));
    world_copy("/bin/sh", python);
    world->config.python = python;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGIO, &ignore, NULL), 0); /* that somebody waits */
    int lease = open(python, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fcntl(lease, F_SETLEASE, F_WRLCK), 0);
    pid_t server = server_start(&scene);
    world_await_record(world, &scene.id, RECORD_CLAIM);
    server_kill(server);

    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(exec_live(world->exec), 1);
    assert_int_equal(begun(&scene), 0);
    assert_int_equal(fcntl(lease, F_SETLEASE, F_UNLCK), 0);
    world_hear(world, scene.says);
    world_say(scene.hears, "6");
    assert_exited(world_await(world, &scene.id), 6);
    assert_int_equal(begun(&scene), 1);
    close(lease);
    finish(&scene);
    free(python);
}

/* ---- exec failed ---- */

static void test_crash_exec_failed(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    FILE *file = fopen(world_path(world, "interpreter"), "we");
    fputs("neither a program nor a script\n", file);
    fclose(file);
    assert_int_equal(chmod(world_path(world, "interpreter"), 0700), 0);
    char *python = strdup(world_path(world, "interpreter"));
    world->config.python = python;
    pid_t server = server_start(&scene);
    world_await_record(world, &scene.id, RECORD_OUTCOME);
    server_kill(server);

    world_up(world);
    world_recover(world, &scene.id);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.kind, EXEC_OUTCOME);
    assert_int_equal(told->report.cause, CAUSE_EXEC_FAILED);
    assert_string_equal(told->message,
                        "Cannot start: its interpreter could not be executed: Exec format error");
    assert_int_equal(told->report.started_ms, FIELD_NULL);
    finish(&scene);
    free(python);
}

/* ---- running, server dead ---- */

static void test_crash_running_server_dead(void **state)
{
    struct world *world = *state;
    struct scene scene;
    pid_t task = orphan(&scene, world);

    world_up(world);
    world_recover(world, &scene.id);
    world_recover(world, &scene.id); /* twice is once */
    assert_int_equal(world->told_count, 0);
    assert_int_equal(exec_live(world->exec), 1);
    assert_true(world_alive(task));
    world_say(scene.hears, "3");
    const struct told *told = world_await(world, &scene.id);
    assert_exited(told, 3);
    assert_string_equal(told->message, "Exited with code 3");
    assert_int_equal(world_count(world, &scene.id), 1);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
}

/* A task has removed its record: what runs is found by its token, and does not run a second time beside itself. It is
 * let be, for DATA may be a copy. */
static void test_crash_running_and_its_record_is_gone(void **state)
{
    struct world *world = *state;
    struct scene scene;
    pid_t task = orphan(&scene, world);

    assert_int_equal(unlink(world_file(world, &scene.id, ".rec")), 0);
    world_up(world);
    world_recover(world, &scene.id);
    exec_stop(world->exec, &scene.id);
    world_settle(world);
    assert_int_equal(world->told_count, 0);
    assert_true(world_alive(task));
    world_say(scene.hears, "0");
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_non_null(strstr(told->message, "its record was gone"));
    assert_int_equal(exec_live(world->exec), 0);
    assert_int_equal(begun(&scene), 1);
    world_down(world);
    scene_close(&scene);
}

/* It has ended meanwhile, and nothing of it lives: that its output is there says that it has begun. */
static void test_crash_ended_and_its_record_is_gone(void **state)
{
    struct world *world = *state;
    struct scene scene;
    orphan(&scene, world);

    world_say(scene.hears, "0");
    world_await_record(world, &scene.id, RECORD_OUTCOME);
    assert_int_equal(unlink(world_file(world, &scene.id, ".rec")), 0);
    world_up(world);
    world_recover(world, &scene.id);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_non_null(strstr(told->message, "its record was gone"));
    assert_int_equal(begun(&scene), 1);
    world_down(world);
    scene_close(&scene);
}

/* The supervisor that was adopted is killed, and there is no record: that was no copy, so what it left is killed. */
static void test_adopted_attempt_whose_record_is_gone(void **state)
{
    struct world *world = *state;
    struct scene scene;
    pid_t task = orphan(&scene, world);
    pid_t supervisor = world_record(world, &scene.id).pid;

    world_up(world);
    world_recover(world, &scene.id);
    world_settle(world);
    assert_int_equal(unlink(world_file(world, &scene.id, ".rec")), 0);
    assert_int_equal(kill(supervisor, SIGKILL), 0);
    assert_int_not_equal(world_await(world, &scene.id)->report.kind, EXEC_OUTCOME);
    assert_false(world_alive(task));
    assert_int_equal(exec_live(world->exec), 0);
    world_down(world);
    scene_close(&scene);
}

/* The server lives, and sees the supervisor go: that there is no record is no proof that it took nothing. */
static void test_own_attempt_whose_record_is_gone(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_script(world, "a.sh",
                 "echo begun >> \"$1\"\nrm -f ../*.rec\n(setsid sleep 600 &)\nkill -9 $PPID\n"
                 "sleep 600\n");
    world_up(world);
    world_order(world, &scene.order);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_non_null(strstr(told->message, "its record was gone"));
    assert_int_equal(begun(&scene), 1);
    assert_int_equal(exec_live(world->exec), 0);
    world_down(world);
    scene_close(&scene);
}

/* No file is in its place: its run would wait for ever for what is not going to be one. */
static void test_crash_running_and_its_record_is_no_file(void **state)
{
    static const char *const kinds[] = {"link", "folder", "pipe"};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct scene scene;
        pid_t task = orphan(&scene, world);
        char path[WORLD_PATH * 2];

        snprintf(path, sizeof path, "%s", world_file(world, &scene.id, ".rec"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(i == 0   ? symlink("/nowhere", path)
                         : i == 1 ? mkdir(path, 0700)
                                  : mkfifo(path, 0600),
                         0);
        world_up(world);
        world_recover(world, &scene.id);
        assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_LOST);
        assert_false(world_alive(task));
        world_down(world);
        assert_int_equal(i == 1 ? rmdir(path) : unlink(path), 0);
        assert_int_equal(unlink(scene.witness), 0);
        assert_int_equal(unlink(scene.says_path), 0);
        assert_int_equal(unlink(scene.hears_path), 0);
        scene_close(&scene);
    }
}

/* A task of the server's own user has closed the run's folder, to whoever is not root. */
static void test_crash_running_and_its_folder_is_closed(void **state)
{
    struct world *world = *state;
    struct scene scene;
    char folder[WORLD_PATH * 2];

    orphan(&scene, world);
    snprintf(folder, sizeof folder, "%s", world_file(world, &scene.id, ".rec"));
    assert_int_equal(chmod(folder, 0400), 0);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(chmod(folder, 0500), 0);
    world_up(world);
    world_recover(world, &scene.id);
    world_say(scene.hears, "0");
    assert_exited(world_await(world, &scene.id), 0);
    assert_int_equal(begun(&scene), 1);
    assert_int_equal(chmod(folder, 0700), 0);
    finish(&scene);
}

/* Several servers come and go. */
static void test_crash_of_adopters_too(void **state)
{
    struct world *world = *state;
    struct scene scene;

    orphan(&scene, world);
    for (int i = 0; i < 3; i++) {
        world_up(world);
        world_recover(world, &scene.id);
        world_settle(world);
        assert_int_equal(exec_live(world->exec), 1);
        world_down(world);
    }
    world_up(world);
    world_recover(world, &scene.id);
    world_say(scene.hears, "0");
    assert_exited(world_await(world, &scene.id), 0);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
}

static void test_crash_adopted_is_stopped(void **state)
{
    struct world *world = *state;
    struct scene scene;
    pid_t task = orphan(&scene, world);

    world_up(world);
    world_recover(world, &scene.id);
    exec_stop(world->exec, &scene.id);
    exec_stop(world->exec, &scene.id);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.cause, CAUSE_STOPPED);
    assert_string_equal(told->message, "Stopped");
    assert_false(world_alive(task));
    finish(&scene);
}

/* The limit is the supervisor's: no server is needed for it. */
static void test_crash_timeout_while_down(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    scene.order.timeout_ms = 300;
    pid_t server = server_start(&scene);
    pid_t task = (pid_t)world_hear_number(world, scene.says);
    pid_t supervisor = world_record(world, &scene.id).pid;
    server_kill(server);
    world_await_end(supervisor);
    assert_false(world_alive(task));

    world_up(world);
    exec_recover(world->exec, &scene.id, 300, 10000, FIELD_NULL, false);
    const struct told *told = world_await(world, &scene.id);
    assert_string_equal(told->message, "Timed out after 300 ms");
    assert_int_equal(told->report.cause, CAUSE_TIMED_OUT);
    finish(&scene);
}

/* ---- an outcome is there ---- */

static void test_crash_outcome_not_reported(void **state)
{
    struct world *world = *state;
    struct scene scene;

    orphan(&scene, world);
    pid_t supervisor = world_record(world, &scene.id).pid;
    world_say(scene.hears, "5");
    world_await_end(supervisor);

    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(world->told_count, 1); /* at once */
    assert_exited(world_await(world, &scene.id), 5);
    finish(&scene);
}

/* It was reported, but the commit failed: the same server asks again, and once more after that. */
static void test_crash_outcome_not_committed(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world);
    world_order(world, &scene.order);
    world_hear(world, scene.says);
    world_recover(world, &scene.id); /* it runs: nothing to tell */
    assert_int_equal(world->told_count, 0);
    world_say(scene.hears, "4");
    assert_exited(world_await(world, &scene.id), 4);
    world_recover(world, &scene.id);
    assert_int_equal(world_count(world, &scene.id), 2);
    assert_exited(world_await(world, &scene.id), 4);
    world_restart(world); /* and the server is started anew, still without a commit */
    world_recover(world, &scene.id);
    assert_int_equal(world_count(world, &scene.id), 3);
    assert_exited(world_await(world, &scene.id), 4);
    assert_int_equal(begun(&scene), 1);
    finish(&scene);
}

/* A supervisor that waits for the acknowledgement of a dead server still holds the lock. */
static void test_crash_outcome_while_locked(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    pid_t server = server_start(&scene);
    world_hear(world, scene.says);
    pid_t supervisor = world_record(world, &scene.id).pid;
    world_say(scene.hears, "2");
    world_await_record(world, &scene.id, RECORD_OUTCOME);
    kill(supervisor, SIGSTOP);
    world_await_state(supervisor, 'T');
    server_kill(server);

    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(world->told_count, 1);
    assert_exited(world_await(world, &scene.id), 2);
    kill(supervisor, SIGCONT);
    world_await_end(supervisor);
    finish(&scene);
}

static void test_crash_committed_not_acknowledged(void **state)
{
    struct world *world = *state;
    struct scene scene;

    orphan(&scene, world);
    pid_t supervisor = world_record(world, &scene.id).pid;
    world_say(scene.hears, "0");
    world_await_end(supervisor);
    world_up(world);
    finish(&scene); /* acknowledges what this exec has never heard of */
    assert_int_equal(world->told_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_crash_order_not_sent),
        TEST(test_crash_nothing_on_the_disk),
        TEST(test_crash_void_is_told_again),
        TEST(test_crash_order_sent_not_claimed),
        TEST(test_recover_of_own_unclaimed_order),
        TEST(test_crash_void_against_claim),
        TEST(test_crash_claimed_not_execed),
        TEST(test_crash_exec_failed),
        TEST(test_crash_running_server_dead),
        TEST(test_crash_running_and_its_record_is_gone),
        TEST(test_crash_ended_and_its_record_is_gone),
        TEST(test_adopted_attempt_whose_record_is_gone),
        TEST(test_own_attempt_whose_record_is_gone),
        TEST(test_crash_running_and_its_record_is_no_file),
        TEST(test_crash_running_and_its_folder_is_closed),
        TEST(test_crash_of_adopters_too),
        TEST(test_crash_adopted_is_stopped),
        TEST(test_crash_timeout_while_down),
        TEST(test_crash_outcome_not_reported),
        TEST(test_crash_outcome_not_committed),
        TEST(test_crash_outcome_while_locked),
        TEST(test_crash_committed_not_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
