/*
 * The composite limit: durable commits and one process per task; no server, no supervisor, no
 * output files. What is left when everything that a job-run server does besides is left out.
 *
 *     limit-composite DATABASE chain COUNT PROGRAM [ARGUMENT]…
 *         COUNT processes, one after the other; one commit before the first and one after each: an
 *         end and the next start share a commit
 *     limit-composite DATABASE fanout COUNT IN-FLIGHT PROGRAM [ARGUMENT]…
 *         COUNT processes, IN-FLIGHT at a time; all ends that are seen at once and the starts that
 *         follow share a commit
 *     limit-composite DATABASE warm COUNT PROGRAM [ARGUMENT]…
 *         one process, which says a byte when it is up, is asked COUNT times with a byte on its standard
 *         input and answers each with a byte; two commits for each
 *
 *     {"seconds":…,"commits":…}
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "commits.h"

struct composite {
    struct commits commits;
    char **argv;
    int64_t commit_count;
};

static void commit(struct composite *composite, size_t rows)
{
    commits_write(&composite->commits, rows);
    composite->commit_count++;
}

static void start(const struct composite *composite)
{
    static char *const envp[] = {NULL};
    pid_t pid;
    int r = posix_spawn(&pid, composite->argv[0], NULL, NULL, composite->argv, envp);
    if (r)
        bench_die("%s cannot be started: %s", composite->argv[0], strerror(r));
}

/* False when none has ended (and WNOHANG was given). */
static bool await(int flags)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(-1, &status, flags);
    while (pid < 0 && errno == EINTR);
    if (pid > 0 && status != 0)
        bench_die("a task ended with status %d", status);
    return pid > 0;
}

static void chain(struct composite *composite, int64_t count)
{
    commit(composite, 1);
    for (int64_t i = 0; i < count; i++) {
        start(composite);
        await(0);
        commit(composite, 1);
    }
}

static void fanout(struct composite *composite, int64_t count, int64_t most)
{
    int64_t waiting = count, running = 0, ended = 0;
    while (waiting > 0 || running > 0) {
        int64_t starting = most - running < waiting ? most - running : waiting;
        commit(composite, (size_t)(ended + starting));
        for (int64_t i = 0; i < starting; i++)
            start(composite);
        waiting -= starting;
        running += starting;
        ended = await(0) ? 1 : 0;
        while (ended < running && await(WNOHANG))
            ended++;
        running -= ended;
    }
    commit(composite, (size_t)ended);
}

static void await_byte(int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        bench_die("the warm process has ended");
}

/* `fds`: what it writes, what it reads. */
static void start_warm(const struct composite *composite, int fds[static 2])
{
    static char *const envp[] = {NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    pid_t pid;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        bench_die("no pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int r = posix_spawn(&pid, composite->argv[0], &actions, NULL, composite->argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    if (r)
        bench_die("%s cannot be started: %s", composite->argv[0], strerror(r));
    close(in[0]);
    close(out[1]);
    fds[0] = out[0];
    fds[1] = in[1];
    await_byte(fds[0]);
}

static void warm(struct composite *composite, int64_t count, const int fds[static 2])
{
    for (int64_t i = 0; i < count; i++) {
        commit(composite, 1);
        if (write(fds[1], "f", 1) != 1)
            bench_die("the warm process has ended");
        await_byte(fds[0]);
        commit(composite, 1);
    }
}

int main(int argc, char **argv)
{
    struct composite composite = {.commit_count = 0};
    bool is_chain = argc > 4 && strcmp(argv[2], "chain") == 0;
    bool is_fanout = argc > 5 && strcmp(argv[2], "fanout") == 0;
    bool is_warm = argc > 4 && strcmp(argv[2], "warm") == 0;
    int fds[2] = {-1, -1};
    if (!is_chain && !is_fanout && !is_warm)
        bench_die(
            "usage: DATABASE chain COUNT PROGRAM… | DATABASE fanout COUNT IN-FLIGHT PROGRAM… | "
            "DATABASE warm COUNT PROGRAM…");
    int64_t count = bench_number("COUNT", argv[3]);
    composite.argv = argv + (is_fanout ? 5 : 4);
    commits_open(&composite.commits, argv[1]);
    if (is_warm)
        start_warm(&composite, fds);
    double began = bench_now();
    if (is_chain)
        chain(&composite, count);
    else if (is_warm)
        warm(&composite, count, fds);
    else
        fanout(&composite, count, bench_number("IN-FLIGHT", argv[4]));
    double seconds = bench_now() - began;
    commits_release(&composite.commits);
    printf("{\"seconds\":%.6f,\"commits\":%lld}\n", seconds, (long long)composite.commit_count);
    return 0;
}
