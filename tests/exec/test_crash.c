/* The crash table (DURABILITY §3): every row a test, with real supervisors, and with servers that are
 * killed at the point of the row. A witness file counts how often the task began: never twice. */
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
#include "exec/world.h"

/* Appends to the witness, says its pid, waits for the word, exits with it. */
static const char witness_script[] = "echo begun >> \"$1\"\n"
                                     "echo $$ > \"$2\"\n"
                                     "read code < \"$3\"\n"
                                     "exit \"$code\"\n";

struct scene {
    struct world *world;
    struct attempt_id id;
    int says;
    int hears;
    struct exec_order order;
    const char *args[3];
    char witness[WORLD_PATH * 2];
    char says_path[WORLD_PATH * 2];
    char hears_path[WORLD_PATH * 2];
};

static void scene_open(struct scene *scene, struct world *world)
{
    *scene = (struct scene){.world = world, .id = world_id(world)};
    scene->says = world_pipe(world, "says");
    scene->hears = world_pipe(world, "hears");
    snprintf(scene->witness, sizeof scene->witness, "%s", world_path(world, "witness"));
    snprintf(scene->says_path, sizeof scene->says_path, "%s", world_path(world, "says"));
    snprintf(scene->hears_path, sizeof scene->hears_path, "%s", world_path(world, "hears"));
    scene->args[0] = scene->witness;
    scene->args[1] = scene->says_path;
    scene->args[2] = scene->hears_path;
    scene->order = (struct exec_order){
        .id = scene->id, .file = "a.sh", .args = scene->args, .arg_count = 3, .grace_ms = 10000};
    world_script(world, "a.sh", witness_script);
}

static void scene_close(struct scene *scene)
{
    close(scene->says);
    close(scene->hears);
}

static size_t begun(const struct scene *scene)
{
    return world_lines(scene->witness);
}

/* The dead server: a process that starts the attempt, serves until it is killed, and takes nothing
 * with it. */
static pid_t server_start(const struct scene *scene)
{
    pid_t server = fork();

    assert_true(server >= 0);
    if (server > 0)
        return server;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world_up(scene->world);
    world_order(scene->world, &scene->order);
    for (;;) {
        struct pollfd wait = {.fd = exec_fd(scene->world->exec), .events = POLLIN};
        poll(&wait, 1, exec_deadline_ms(scene->world->exec) == 0 ? 0 : 100);
        exec_dispatch(scene->world->exec);
    }
}

static void server_kill(pid_t server)
{
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

/* The attempt runs, its server is dead: returns the task's pid. */
static pid_t orphan(struct scene *scene, struct world *world)
{
    scene_open(scene, world);
    pid_t server = server_start(scene);
    pid_t task = (pid_t)world_hear_number(world, scene->says);
    server_kill(server);
    return task;
}

static void assert_exited(const struct told *told, int code)
{
    assert_int_equal(told->report.kind, EXEC_OUTCOME);
    assert_int_equal(told->report.cause, CAUSE_EXITED);
    assert_int_equal(told->report.exit_code, code);
}

/* Acknowledged, nothing more is told and the record is swept. */
static void finish(struct scene *scene)
{
    struct world *world = scene->world;
    size_t count = world_count(world, &scene->id);

    exec_ack(world->exec, &scene->id);
    world_settle(world);
    assert_int_equal(world_count(world, &scene->id), count);
    assert_int_equal(exec_live(world->exec), 0);
    world_down(world);
    assert_int_equal(access(world_file(world, &scene->id, ".rec"), F_OK), -1);
    scene_close(scene);
}

/* The same number again, under the next epoch. */
static void start_again(struct scene *scene)
{
    scene->id.epoch++;
    scene->order.id = scene->id;
    world_order(scene->world, &scene->order);
    world_hear(scene->world, scene->says);
    world_say(scene->hears, "0");
    assert_exited(world_await(scene->world, &scene->id), 0);
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

/* What is void stays void: asked again, and after an acknowledgement of what it never was. */
static void test_crash_void_is_told_again(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world);
    world_recover(world, &scene.id);
    exec_ack(world->exec, &scene.id);
    world_restart(world);
    world_recover(world, &scene.id);
    assert_int_equal(world_count(world, &scene.id), 2);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_VOID);
    scene_close(&scene);
}

/* ---- sent, not claimed ---- */

/* A helper that says its pid and waits for a word before it becomes the real one. */
static void slow_helper(struct scene *scene, int *says, int *hears)
{
    struct world *world = scene->world;
    char text[WORLD_PATH * 4];

    *says = world_pipe(world, "helper-says");
    *hears = world_pipe(world, "helper-hears");
    snprintf(text, sizeof text,
             "#!/bin/sh\necho $$ > %s/helper-says\nread line < %s/helper-hears\n", world->dir,
             world->dir);
    world_script(world, "helper", text);
    FILE *file = fopen(world_path(world, "workspace/helper"), "ae");
    fprintf(file, "exec %s\n", world->helper);
    fclose(file);
    assert_int_equal(chmod(world_path(world, "workspace/helper"), 0700), 0);
    world->config.supervise_path = strdup(world_path(world, "workspace/helper"));
}

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

/* Opening its output, a pipe here, holds the supervisor between its claim and exec. */
static void test_crash_claimed_not_execed(void **state)
{
    struct world *world = *state;
    struct scene scene;

    scene_open(&scene, world);
    world_up(world); /* makes DATA/runs */
    world_down(world);
    mkdir(world_path(world, "data/runs/00000000-0000-0000-0000-000000000001"), 0700);
    const char *out = world_file(world, &scene.id, ".out");
    assert_int_equal(mkfifo(out, 0600), 0);
    pid_t server = server_start(&scene);
    world_await_record(world, &scene.id, RECORD_CLAIM);
    server_kill(server);

    world_up(world);
    world_recover(world, &scene.id);
    assert_int_equal(exec_live(world->exec), 1);
    assert_int_equal(begun(&scene), 0);
    int reader = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    world_hear(world, scene.says);
    world_say(scene.hears, "6");
    assert_exited(world_await(world, &scene.id), 6);
    assert_int_equal(begun(&scene), 1);
    close(reader);
    finish(&scene);
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
    exec_recover(world->exec, &scene.id, 300, 10000, FIELD_NULL);
    const struct told *told = world_await(world, &scene.id);
    assert_int_equal(told->report.cause, CAUSE_TIMED_OUT);
    assert_string_equal(told->message, "Timed out after 300 ms");
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
    exec_recover(world->exec, &scene.id, 500, 100, FIELD_NULL);
    assert_int_equal(world_await(world, &scene.id)->report.kind, EXEC_LOST);
    assert_false(world_alive(task));
    assert_false(world_alive(supervisor));
    finish(&scene);
}

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

/* ---- reboot, torn ---- */

/* A record as another boot, or a broken disk, leaves it. */
static void write_record(struct scene *scene, enum record_state written, const char *boot_id,
                         size_t size, int flip)
{
    struct record record = {.state = written, .pid = 4711, .start_ticks = 1, .exit_code = 9};
    uint8_t block[RECORD_BLOCK_BYTES];

    mkdir(world_path(scene->world, "data/runs"), 0700);
    mkdir(world_path(scene->world, "data/runs/00000000-0000-0000-0000-000000000001"), 0700);
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
    assert_int_equal(mkdir(path, 0700), 0); /* whoever opens it gets an error */
    world_up(world);
    world_recover(world, &scene.id);
    exec_stop(world->exec, &scene.id);
    world_settle(world);
    assert_int_equal(world->told_count, 0); /* nothing is decided */
    assert_int_equal(exec_live(world->exec), 1);
    assert_int_equal(rmdir(path), 0);
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
        TEST(test_crash_order_not_sent),
        TEST(test_crash_void_is_told_again),
        TEST(test_crash_order_sent_not_claimed),
        TEST(test_recover_of_own_unclaimed_order),
        TEST(test_crash_void_against_claim),
        TEST(test_crash_claimed_not_execed),
        TEST(test_crash_exec_failed),
        TEST(test_crash_running_server_dead),
        TEST(test_crash_of_adopters_too),
        TEST(test_crash_adopted_is_stopped),
        TEST(test_crash_timeout_while_down),
        TEST(test_crash_adopted_supervisor_frozen),
        TEST(test_crash_supervisor_killed_server_alive),
        TEST(test_crash_supervisor_killed),
        TEST(test_crash_supervisor_killed_in_the_same_moment),
        TEST(test_crash_many_supervisors_killed),
        TEST(test_crash_exited_outcome_not_written),
        TEST(test_crash_outcome_not_reported),
        TEST(test_crash_outcome_not_committed),
        TEST(test_crash_outcome_while_locked),
        TEST(test_crash_committed_not_acknowledged),
        TEST(test_crash_reboot_without_outcome),
        TEST(test_crash_reboot_with_outcome),
        TEST(test_crash_claim_of_a_recycled_pid),
        TEST(test_crash_torn_record),
        TEST(test_crash_record_of_another_attempt),
        TEST(test_crash_record_unreadable_for_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
