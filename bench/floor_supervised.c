/*
 * The composite limit with the supervisor that DURABILITY §2 asks for, and nothing else of a server: a chain of processes,
 * one durable row a commit, each started by a reused reprise-supervise with an attempt record and two output files.
 *
 *     floor-supervised DATABASE FOLDER COUNT SUPERVISOR PROGRAM
 *         attempts 0 to COUNT - 1 in FOLDER, which is there and empty: order, outcome, commit, acknowledgement
 *
 *     {"seconds":…}
 *
 * What this costs besides the composite limit no engine, store or server can win back.
 */
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "commits.h"
#include "supervise/order.h"

enum { ORDER_BYTES = 16 << 10 };

struct supervised {
    struct commits commits;
    const char *folder;
    char *program;
    int socket;
    uint8_t in[2 * FRAME_SMALL_MAX_BYTES];
};

static int start_supervisor(const char *path)
{
    char *const argv[] = {(char[]){"reprise-supervise"}, NULL};
    char *const envp[] = {NULL};
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        bench_die("no socket: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], SUPERVISOR_FD);
    int r = posix_spawn(&pid, path, &actions, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    if (r)
        bench_die("%s cannot be started: %s", path, strerror(r));
    close(ends[1]);
    return ends[0];
}

static void say(const struct supervised *supervised, const uint8_t *frame, ssize_t size)
{
    if (size < 0 || send(supervised->socket, frame, (size_t)size, MSG_NOSIGNAL) != size)
        bench_die("the supervisor takes no frame");
}

static void send_order(const struct supervised *supervised, int64_t number)
{
    char token[32];
    char record[PATH_MAX];
    char out[PATH_MAX];
    char err[PATH_MAX];
    uint8_t frame[ORDER_BYTES];
    snprintf(token, sizeof token, "attempt-%lld", (long long)number);
    snprintf(record, sizeof record, "%s/%lld.rec", supervised->folder, (long long)number);
    snprintf(out, sizeof out, "%s/%lld.out", supervised->folder, (long long)number);
    snprintf(err, sizeof err, "%s/%lld.err", supervised->folder, (long long)number);
    struct order order = {
        .token = token,
        .record_path = record,
        .stdout_path = out,
        .stderr_path = err,
        .cwd = supervised->folder,
        .cgroup = "",
        .argv = (char *const[]){supervised->program, NULL},
        .envp = (char *const[]){NULL},
        .umask = 022,
        .uid = ORDER_KEEP_USER,
        .gid = ORDER_KEEP_USER,
        .flags = ORDER_NO_STARTED,
    };
    say(supervised, frame, order_encode(&order, frame, sizeof frame));
}

static void await_success(struct supervised *supervised)
{
    struct frame frame;
    struct record record;
    size_t filled = 0;
    int r = 0;
    while (r == 0) {
        ssize_t got =
            recv(supervised->socket, supervised->in + filled, sizeof supervised->in - filled, 0);
        if (got <= 0)
            bench_die("the supervisor has ended");
        filled += (size_t)got;
        r = frame_next(supervised->in, filled, &frame);
    }
    if (r < 0 || frame.type != FRAME_OUTCOME || frame_decode_record(&frame, &record) < 0 ||
        record.cause != RECORD_EXITED || record.exit_code != 0)
        bench_die("an attempt did not succeed");
}

int main(int argc, char **argv)
{
    uint8_t ack[FRAME_SMALL_MAX_BYTES];
    if (argc != 6)
        bench_die("usage: DATABASE FOLDER COUNT SUPERVISOR PROGRAM");
    struct supervised supervised = {.folder = argv[2], .program = argv[5]};
    int64_t count = bench_number("COUNT", argv[3]);
    commits_open(&supervised.commits, argv[1]);
    supervised.socket = start_supervisor(argv[4]);
    ssize_t ack_bytes = frame_encode_ack(ack, sizeof ack);

    double began = bench_now();
    commits_write(&supervised.commits, 1);
    for (int64_t i = 0; i < count; i++) {
        send_order(&supervised, i);
        await_success(&supervised);
        commits_write(&supervised.commits, 1);
        say(&supervised, ack, ack_bytes);
    }
    double seconds = bench_now() - began;

    close(supervised.socket);
    while (wait(NULL) > 0)
        ;
    commits_release(&supervised.commits);
    printf("{\"seconds\":%.6f}\n", seconds);
    return 0;
}
