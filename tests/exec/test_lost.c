/* The crash table (DURABILITY §3), where nobody can tell any more: killed supervisors, reboots, torn
 * records. Lost is told only when nothing of the attempt lives. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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

/* ---- the supervisor is killed ---- */

/* A task that leaves a daemon behind: no death signal reaches that one. */
static const char daemon_script[] = "echo begun >> \"$1\"\n"
                                    "setsid sh -c 'echo $$ > \"$0\"; exec sleep 600' \"$2\" &\n"
                                    "trap '' TERM; read code < \"$3\"\n";

static void assert_lost(struct scene *scene)
{
    const struct told *told = world_await(scene->world, &scene->id);

    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_string_equal(told->message,
                        "Lost: the supervisor died and nothing of the attempt is left");
    assert_true(told->report.started_ms > 0);
    assert_int_equal(exec_live(scene->world->exec), 0);
    assert_int_equal(begun(scene), 1);
}

static void test_crash_supervisor_killed_server_alive(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_script(world, "a.sh", daemon_script);
    world_up(world);
    world_order(world, &scene.order);
    pid_t stray = (pid_t)world_hear_number(world, scene.says);
    kill(world_record(world, &scene.id).pid, SIGKILL);
    assert_lost(&scene);
    assert_false(world_alive(stray));
    finish(&scene);
}

static void test_crash_supervisor_killed(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_script(world, "a.sh", daemon_script);
    pid_t server = server_start(&scene);
    pid_t stray = (pid_t)world_hear_number(world, scene.says);
    pid_t supervisor = world_record(world, &scene.id).pid;
    server_kill(server);
    kill(supervisor, SIGKILL);
    world_await_end(supervisor);
    assert_true(world_alive(stray));

    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(exec_live(world->exec), 1); /* not lost before nothing lives */
    assert_lost(&scene);
    assert_false(world_alive(stray));
    finish(&scene);
}

/* Recovery comes while the supervisor is dying. */
static void test_crash_supervisor_killed_in_the_same_moment(void **state)
{
    struct world *world = *state;

    world_script(world, "a.sh", "echo begun >> \"$1\"; echo $$ > \"$2\"; exec sleep 600\n");
    int says = world_pipe(world, "says");
    for (int round = 0; round < 50; round++) {
        struct attempt_id id = world_id(world);
        world_up(world);
        world_start(world, &id, "a.sh", world_path(world, "witness"), world_path(world, "says"),
                    NULL);
        pid_t task = (pid_t)world_hear_number(world, says);
        pid_t supervisor = world_record(world, &id).pid;
        world_down(world);
        world_up(world);
        kill(supervisor, SIGKILL);
        world_recover(world, &id);
        assert_int_equal(world_await(world, &id)->report.kind, EXEC_LOST);
        assert_false(world_alive(task));
        world_down(world);
    }
    assert_int_equal(world_lines(world_path(world, "witness")), 50);
    close(says);
}

/* Somebody starts a server on a copy of DATA, tokens and all: what the first one runs goes on. */
static void test_crash_copied_data_harms_nobody(void **state)
{
    struct world *world = *state;
    struct world *copy;
    struct scene scene;
    struct record record;
    uint8_t block[RECORD_BLOCK_BYTES];

    scene_open(&scene, world);
    world_up(world);
    world_order(world, &scene.order);
    world_hear(world, scene.says);
    world_setup((void **)&copy);
    copy->run = world->run;
    world_up(copy);
    mkdir(world_run_folder(copy), 0700);
    record = world_record(world, &scene.id);
    record_encode(&record, block);
    int fd = open(world_file(copy, &scene.id, ".rec"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, block, sizeof block), sizeof block);
    close(fd);
    world_recover(copy, &scene.id);
    exec_stop(copy->exec, &scene.id);
    world_settle(copy);
    assert_int_equal(copy->told_count, 0);
    world_say(scene.hears, "3");
    assert_exited(world_await(world, &scene.id), 3);
    finish(&scene);
    assert_int_equal(world_await(copy, &scene.id)->report.kind, EXEC_LOST);
    world_teardown((void **)&copy);
}

/* Many at once: one walk through /proc serves all. */
static void test_crash_many_supervisors_killed(void **state)
{
    struct world *world = *state;
    struct attempt_id ids[20];
    pid_t tasks[20];
    int says = world_pipe(world, "says");

    world_script(world, "a.sh", "setsid sh -c 'echo $$ > \"$0\"; exec sleep 600' \"$1\" & wait\n");
    world_up(world);
    for (int i = 0; i < 20; i++) {
        ids[i] = world_id(world);
        world_start(world, &ids[i], "a.sh", world_path(world, "says"), NULL);
        tasks[i] = (pid_t)world_hear_number(world, says);
    }
    struct attempt_id spared = world_id(world);
    world_start(world, &spared, "a.sh", world_path(world, "says"), NULL);
    pid_t alive = (pid_t)world_hear_number(world, says);
    for (int i = 0; i < 20; i++)
        kill(world_record(world, &ids[i]).pid, SIGKILL);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(world_await(world, &ids[i])->report.kind, EXEC_LOST);
        assert_false(world_alive(tasks[i]));
    }
    assert_true(world_alive(alive));
    exec_stop(world->exec, &spared);
    assert_int_equal(world_await(world, &spared)->report.cause, CAUSE_STOPPED);
    close(says);
}

/* The task has ended by itself, but its supervisor never got to write that. */
static void test_crash_exited_outcome_not_written(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    pid_t server = server_start(&scene);
    pid_t task = (pid_t)world_hear_number(world, scene.says);
    pid_t supervisor = world_record(world, &scene.id).pid;
    kill(supervisor, SIGSTOP);
    world_await_state(supervisor, 'T');
    world_say(scene.hears, "0");
    world_await_end(task);
    server_kill(server);
    kill(supervisor, SIGKILL);
    world_await_end(supervisor);

    world_up(world);
    world_recover(world, &scene.id);
    assert_lost(&scene);
    finish(&scene);
}

static void test_crash_adopted_supervisor_frozen(void **state)
{
    struct world *world = *state;
    struct scene scene;

    world->config.frozen_after_ms = 200;
    scene_open(&scene, world);
    scene.order.timeout_ms = 500;
    scene.order.grace_ms = 100;
    pid_t server = server_start(&scene);
    pid_t task = (pid_t)world_hear_number(world, scene.says);
    pid_t supervisor = world_record(world, &scene.id).pid;
    kill(supervisor, SIGSTOP);
    server_kill(server);

    world_up(world);
    exec_recover(world->exec, &scene.id, 500, 100, FIELD_NULL, false);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_LOST);
    assert_false(world_alive(task));
    assert_false(world_alive(supervisor));
    finish(&scene);
}

/* ---- reboot, torn ---- */

/* A record as another boot, or a broken disk, leaves it. */
static void write_record(struct scene *scene, enum record_state written, const char *boot_id,
                         size_t size, int flip)
{
    struct record record = {.state = written, .pid = 4711, .start_ticks = 1, .exit_code = 9};
    uint8_t block[RECORD_BLOCK_BYTES];

    mkdir(world_path(scene->world, "data/runs"), 0700);
    mkdir(world_run_folder(scene->world), 0700);
    attempt_token(&scene->id, record.token);
    snprintf(record.boot_id, sizeof record.boot_id, "%s", boot_id);
    record.claimed = record_now();
    if (written == RECORD_OUTCOME) {
        record.cause = RECORD_EXITED;
        record.started = record.ended = record_now();
    }
    record_encode(&record, block);
    if (flip >= 0)
        block[flip] ^= 1;
    int fd = open(world_file(scene->world, &scene->id, ".rec"),
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, block, size), size);
    close(fd);
}

static const struct told *recover_written(struct scene *scene)
{
    world_up(scene->world);
    world_recover(scene->world, &scene->id);
    return world_await(scene->world, &scene->id);
}

static void test_crash_reboot_without_outcome(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    write_record(&scene, RECORD_CLAIM, "another-boot", RECORD_BLOCK_BYTES, -1);
    const struct told *told = recover_written(&scene);
    assert_int_equal(told->report.kind, EXEC_LOST);
    assert_string_equal(told->message, "Lost: the host was restarted while it ran");
    assert_true(told->report.started_ms > 0);
    finish(&scene);
}

static void test_crash_reboot_with_outcome(void **state)
{
    struct scene scene;

    scene_open(&scene, *state);
    write_record(&scene, RECORD_OUTCOME, "another-boot", RECORD_BLOCK_BYTES, -1);
    assert_exited(recover_written(&scene), 9);
    finish(&scene);
}

/* A number that belongs to somebody else by now is not taken for the supervisor. */
static void test_crash_claim_of_a_recycled_pid(void **state)
{
    struct world *world = *state;
    struct record record = {.state = RECORD_CLAIM, .pid = getpid(), .start_ticks = 1};
    struct scene scene;
    uint8_t block[RECORD_BLOCK_BYTES];

    scene_open(&scene, world);
    write_record(&scene, RECORD_CLAIM, "", RECORD_BLOCK_BYTES, -1);
    attempt_token(&scene.id, record.token);
    assert_int_equal(record_boot_id(record.boot_id), 0);
    record_encode(&record, block);
    int fd = open(world_file(world, &scene.id, ".rec"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, block, sizeof block), sizeof block);
    close(fd);
    assert_int_equal(recover_written(&scene)->report.kind, EXEC_LOST);
    finish(&scene);
}

static void test_crash_torn_record(void **state)
{
    const struct {
        enum record_state state;
        size_t size;
        int flip;
    } cases[] = {
        {RECORD_CLAIM, 100, -1},
        {RECORD_CLAIM, RECORD_BLOCK_BYTES, 300},
        {RECORD_OUTCOME, RECORD_BLOCK_BYTES, 2},
        {RECORD_OUTCOME, RECORD_BLOCK_BYTES, 260},
        {RECORD_OUTCOME, RECORD_BLOCK_BYTES, 511},
    };
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene.id = world_id(world);
        write_record(&scene, cases[i].state, "boot", cases[i].size, cases[i].flip);
        assert_int_equal(recover_written(&scene)->report.kind, EXEC_LOST);
        world_down(world);
    }
    scene_close(&scene);
}

/* A record of the right form that speaks of another attempt says nothing about this one. */
static void test_crash_record_of_another_attempt(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    struct attempt_id id = scene.id;
    write_record(&scene, RECORD_OUTCOME, "boot", RECORD_BLOCK_BYTES, -1);
    scene.id.epoch = 2;
    write_record(&scene, RECORD_OUTCOME, "boot", RECORD_BLOCK_BYTES, -1);
    char *from = strdup(world_file(world, &scene.id, ".rec"));
    assert_int_equal(rename(from, world_file(world, &id, ".rec")), 0);
    free(from);
    scene.id = id;
    assert_int_equal(recover_written(&scene)->report.kind, EXEC_LOST);
    scene_close(&scene);
}

/* ---- the record cannot be had just now ---- */

static void test_crash_record_unreadable_for_a_while(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    write_record(&scene, RECORD_OUTCOME, "boot", RECORD_BLOCK_BYTES, -1);
    char *path = strdup(world_file(world, &scene.id, ".rec"));
    char *away = strdup(world_path(world, "away"));
    assert_int_equal(rename(path, away), 0);
    /* Whoever opens a program that runs, to write, gets an error. */
    char *const argv[] = {path, (char[]){"600"}, NULL};
    char *const envp[] = {NULL};
    pid_t busy;
    world_copy("/bin/sleep", path);
    assert_int_equal(posix_spawn(&busy, path, NULL, NULL, argv, envp), 0);
    world_up(world);
    world_recover(world, &scene.id);
    exec_stop(world->exec, &scene.id);
    world_settle(world);
    assert_int_equal(world->told_count, 0); /* nothing is decided */
    assert_int_equal(exec_live(world->exec), 1);
    kill(busy, SIGKILL);
    assert_int_equal(waitpid(busy, NULL, 0), busy);
    assert_int_equal(rename(away, path), 0);
    assert_exited(world_await(world, &scene.id), 9);
    free(path);
    free(away);
    finish(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_crash_adopted_supervisor_frozen),
        TEST(test_crash_supervisor_killed_server_alive),
        TEST(test_crash_supervisor_killed),
        TEST(test_crash_supervisor_killed_in_the_same_moment),
        TEST(test_crash_copied_data_harms_nobody),
        TEST(test_crash_many_supervisors_killed),
        TEST(test_crash_exited_outcome_not_written),
        TEST(test_crash_reboot_without_outcome),
        TEST(test_crash_reboot_with_outcome),
        TEST(test_crash_claim_of_a_recycled_pid),
        TEST(test_crash_torn_record),
        TEST(test_crash_record_of_another_attempt),
        TEST(test_crash_record_unreadable_for_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
