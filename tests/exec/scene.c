#include "exec/scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ThreadSanitizer's own thread makes every fork one of many threads, after which it wants no more. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

/* Appends to the witness, says its pid, waits for the word, exits with it. */
static const char witness_script[] = "echo begun >> \"$1\"\n"
                                     "echo $$ > \"$2\"\n"
                                     "read code < \"$3\"\n"
                                     "exit \"$code\"\n";

void scene_open(struct scene *scene, struct world *world)
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

void scene_close(struct scene *scene)
{
    close(scene->says);
    close(scene->hears);
}

size_t begun(const struct scene *scene)
{
    return world_lines(scene->witness);
}

/* The dead server: a process that starts the attempt, serves until it is killed, and takes nothing
 * with it. */
pid_t server_start(const struct scene *scene)
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

void server_kill(pid_t server)
{
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

/* The attempt runs, its server is dead: returns the task's pid. */
pid_t orphan(struct scene *scene, struct world *world)
{
    scene_open(scene, world);
    pid_t server = server_start(scene);
    pid_t task = (pid_t)world_hear_number(world, scene->says);
    server_kill(server);
    return task;
}

void assert_exited(const struct told *told, int code)
{
    assert_int_equal(told->report.kind, EXEC_OUTCOME);
    assert_int_equal(told->report.cause, CAUSE_EXITED);
    assert_int_equal(told->report.exit_code, code);
}

/* A supervisor that has nothing more to do removes the record that it kept, in its own time. */
static void await_removal(const char *path)
{
    enum { WAIT_MS = 30000 };
    struct pollfd seen = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};

    assert_true(seen.fd >= 0);
    if (inotify_add_watch(seen.fd, path, IN_DELETE_SELF) >= 0)
        assert_int_equal(poll(&seen, 1, WAIT_MS), 1);
    close(seen.fd);
    assert_int_equal(access(path, F_OK), -1);
}

/* Acknowledged, nothing more is told and the record goes. */
void finish(struct scene *scene)
{
    struct world *world = scene->world;
    size_t count = world_count(world, &scene->id);

    exec_ack(world->exec, &scene->id);
    world_settle(world);
    assert_int_equal(world_count(world, &scene->id), count);
    assert_int_equal(exec_live(world->exec), 0);
    world_down(world);
    await_removal(world_file(world, &scene->id, ".rec"));
    scene_close(scene);
}

/* The same number again, under the next epoch. */
void start_again(struct scene *scene)
{
    scene->id.epoch++;
    scene->order.id = scene->id;
    world_order(scene->world, &scene->order);
    world_hear(scene->world, scene->says);
    world_say(scene->hears, "0");
    assert_exited(world_await(scene->world, &scene->id), 0);
}

/* A helper that says its pid and waits for a word before it becomes the real one. */
void slow_helper(struct scene *scene, int *says, int *hears)
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
