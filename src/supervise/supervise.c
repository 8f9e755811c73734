/*
 * reprise-supervise: stands over one attempt at a time (DURABILITY §2, docs/design/supervisor.md).
 *
 *     IDLE         waits for an ORDER; a fork server (warm.h) that nobody needed for long goes;
 *      |           the record of the attempt before is kept for the next (claim.h)
 *      |  ORDER: record claimed                   refused, end of file, SIGTERM: DONE
 *     RUNNING      waits for the end of the task  exec failed: REPORTED
 *      |  timeout, STOP or SIGTERM: SIGTERM to its group
 *     TERMINATING  waits for its end, or the end of the grace period
 *      |  grace passed: SIGKILL to its group
 *     KILLED       waits for its end
 *      |  task ended (in any of the three): strays killed, OUTCOME written and sent
 *     REPORTED     waits for the ACK
 *      |  ACK after an unremarkable end: IDLE
 *     DONE         ACK after any other end; end of file or SIGTERM: record synced
 *
 * When the socket ends nothing changes for a task that runs: every limit is kept, the outcome goes
 * into the record. A task that has ended has ended by itself, whatever else waits to be looked at:
 * children come first in every turn, and once more before any signal is sent.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/claim.h"
#include "supervise/link.h"
#include "supervise/order.h"
#include "supervise/record.h"
#include "supervise/setup.h"
#include "supervise/strays.h"
#include "supervise/task.h"
#include "supervise/warm.h"
#include "supervise/warm_fork.h"

#define NS_PER_MS     1000000u
#define NS_PER_SECOND 1000000000u

/* Room for argv and envp with their two NULLs. */
#define STRINGS_BYTES ((ORDER_STRINGS_MAX + 2) * sizeof(char *))

enum phase {
    PHASE_IDLE,
    PHASE_RUNNING,
    PHASE_TERMINATING, /* SIGTERM sent, the grace period runs */
    PHASE_KILLED,      /* SIGKILL sent */
    PHASE_REPORTED,    /* the outcome is written, the ACK is not there */
    PHASE_DONE,
};

struct supervisor {
    struct setup setup;
    struct link link;
    struct warm warm;
    char **strings; /* of the order being started */
    struct claim claim;
    enum phase phase;
    enum supervisor_exit exit_code;

    /* The attempt; meaningless while idle. */
    struct record record;
    uint64_t grace_ms;
    bool timer_armed;
    char cgroup[ORDER_CGROUP_MAX]; /* "": none */
};

static void complain(const char *what, int error)
{
    dprintf(STDERR_FILENO, "reprise-supervise: %s%s%s\n", what, error ? ": " : "",
            error ? strerror(-error) : "");
}

/* CLOCK_BOOTTIME, absolute; 0 disarms, and forgets an expiry that nobody has looked at. */
static void timer_set(struct supervisor *supervisor, uint64_t boot_ns)
{
    struct itimerspec timer = {
        .it_value.tv_sec = (time_t)(boot_ns / NS_PER_SECOND),
        .it_value.tv_nsec = (long)(boot_ns % NS_PER_SECOND),
    };

    timerfd_settime(supervisor->setup.timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
    supervisor->timer_armed = boot_ns != 0;
}

static void report(struct supervisor *supervisor, enum frame_type type)
{
    uint8_t frame[FRAME_SMALL_MAX_BYTES];

    link_send(&supervisor->link, frame,
              frame_encode_record(type, &supervisor->record, frame, sizeof frame));
}

/* The task is over, or never was: nothing of it lives any more. The outcome takes the claim's place
 * in a block that the claim allocated, so a full disk cannot stop it; should the disk itself fail,
 * the server is told what the record could not keep. */
static void finish(struct supervisor *supervisor)
{
    struct record *record = &supervisor->record;

    if (supervisor->timer_armed)
        timer_set(supervisor, 0);
    record->state = RECORD_OUTCOME;
    int r = record_write(supervisor->claim.fd, record);
    if (r < 0) {
        record->flags |= RECORD_WRITE_FAILED;
        supervisor->exit_code = SUPERVISOR_IO;
        complain("outcome not written", r);
    }
    supervisor->phase = PHASE_REPORTED;
    report(supervisor, FRAME_OUTCOME);
}

/* `has_others`: there may be children besides the fork server. It is stopped before they are killed: what is left then is
 * none of its family, so it is the attempt's. */
static void task_ended(struct supervisor *supervisor, int status, bool has_others)
{
    struct record *record = &supervisor->record;

    record->ended = record_now();
    record->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    record->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (supervisor->phase == PHASE_RUNNING)
        record->cause = WIFEXITED(status) ? RECORD_EXITED : RECORD_SIGNALED;
    if (has_others) {
        warm_stop(&supervisor->warm);
        if (warm_has_others(&supervisor->warm))
            record->flags |= strays_kill(record, supervisor->cgroup);
    }
    finish(supervisor);
}

/* Waits for every child that has ended: the task, and orphans of it that became ours. That no child
 * is left (ECHILD) proves that there are no strays; /proc is looked at only when there are, or when
 * there is a fork server, whose end is nobody's and whose use of the machine in no account. */
static void reap(struct supervisor *supervisor)
{
    bool running = supervisor->phase >= PHASE_RUNNING && supervisor->phase <= PHASE_KILLED;
    bool ended = false;
    int task_status = 0;
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (warm_ended(&supervisor->warm, pid) || !running)
            continue;
        usage_add(&supervisor->record, &usage);
        if (pid == supervisor->record.task_pid) {
            ended = true;
            task_status = status;
        }
    }
    if (ended)
        task_ended(supervisor, task_status, pid == 0 && warm_has_others(&supervisor->warm));
}

/* Ends a running task; the first cause stands. SIGCONT lets a stopped one see its SIGTERM. */
static void terminate(struct supervisor *supervisor, enum record_cause cause, uint32_t reason)
{
    reap(supervisor);
    if (supervisor->phase != PHASE_RUNNING)
        return;
    supervisor->record.cause = cause;
    supervisor->record.stop_reason = reason;
    supervisor->phase = PHASE_TERMINATING;
    task_signal(supervisor->record.task_pid, SIGTERM);
    task_signal(supervisor->record.task_pid, SIGCONT);
    timer_set(supervisor, record_now().boot_ns + supervisor->grace_ms * NS_PER_MS);
}

static void kill_task(struct supervisor *supervisor)
{
    reap(supervisor);
    if (supervisor->phase != PHASE_TERMINATING)
        return;
    supervisor->record.flags |= RECORD_KILL_USED;
    supervisor->phase = PHASE_KILLED;
    task_signal(supervisor->record.task_pid, SIGKILL);
    strays_kill_cgroup(supervisor->cgroup);
}

/* 0, or -1 with the refusal. */
static int claim(struct supervisor *supervisor, const struct order *order, struct refusal *refusal)
{
    supervisor->record = supervisor->setup.claim;
    memcpy(supervisor->record.token, order->token, strlen(order->token));
    supervisor->record.claimed = record_now();
    return claim_take(&supervisor->claim, order->record_path, &supervisor->record, refusal);
}

static void refuse(struct supervisor *supervisor, const struct refusal *refusal)
{
    uint8_t frame[FRAME_SMALL_MAX_BYTES];

    link_send(&supervisor->link, frame, frame_encode_refused(refusal, frame, sizeof frame));
    supervisor->phase = PHASE_DONE;
}

static void start(struct supervisor *supervisor, const struct order *order)
{
    struct record *record = &supervisor->record;
    struct task_failure failure = {.step = RECORD_STEP_NONE};

    record->task_pid =
        task_start(&supervisor->setup.task, &supervisor->warm, order, &record->launch, &failure);
    if (record->task_pid == 0) {
        record->cause = RECORD_EXEC_FAILED;
        record->step = failure.step;
        record->error = failure.error;
        record->exit_code = -1;
        record->ended = record_now();
        finish(supervisor);
        return;
    }
    record->started = record_now();
    supervisor->grace_ms = order->grace_ms;
    snprintf(supervisor->cgroup, sizeof supervisor->cgroup, "%s", order->cgroup);
    supervisor->phase = PHASE_RUNNING;
    if (order->timeout_ms > 0)
        timer_set(supervisor, record->started.boot_ns + order->timeout_ms * NS_PER_MS);
    if (!(order->flags & ORDER_NO_STARTED))
        report(supervisor, FRAME_STARTED);
}

static int on_order(struct supervisor *supervisor, const struct frame *frame)
{
    struct order order;
    struct refusal refusal;

    if (supervisor->phase != PHASE_IDLE)
        return -EPROTO;
    if (supervisor->timer_armed)
        timer_set(supervisor, 0);
    int r = order_decode(frame, supervisor->strings, ORDER_STRINGS_MAX + 2, &order);
    if (r < 0)
        return r;
    if (claim(supervisor, &order, &refusal) < 0)
        refuse(supervisor, &refusal);
    else
        start(supervisor, &order);
    return 0;
}

static int on_stop(struct supervisor *supervisor, const struct frame *frame)
{
    uint32_t reason;

    int r = frame_decode_stop(frame, &reason);
    if (r == 0)
        terminate(supervisor, RECORD_STOPPED, reason);
    return r;
}

static int on_ack(struct supervisor *supervisor)
{
    if (supervisor->phase != PHASE_REPORTED)
        return -EPROTO;
    supervisor->phase = record_unremarkable(&supervisor->record) ? PHASE_IDLE : PHASE_DONE;
    claim_release(&supervisor->claim, supervisor->phase == PHASE_IDLE);
    if (supervisor->phase == PHASE_IDLE && supervisor->warm.pid > 0)
        timer_set(supervisor, record_now().boot_ns + (uint64_t)WARM_IDLE_MS * NS_PER_MS);
    return 0;
}

static int on_frame(struct supervisor *supervisor, const struct frame *frame)
{
    switch (frame->type) {
    case FRAME_ORDER:
        return on_order(supervisor, frame);
    case FRAME_STOP:
        return on_stop(supervisor, frame);
    case FRAME_ACK:
        return frame->payload_bytes == 0 ? on_ack(supervisor) : -EPROTO;
    case FRAME_STARTED:
    case FRAME_OUTCOME:
    case FRAME_REFUSED:
        break;
    }
    return -EPROTO;
}

static void on_socket(struct supervisor *supervisor)
{
    struct frame frame;
    int r = 0;

    link_receive(&supervisor->link);
    while (supervisor->phase != PHASE_DONE && (r = link_next(&supervisor->link, &frame)) > 0) {
        r = on_frame(supervisor, &frame);
        if (r < 0)
            break;
        if (supervisor->link.fd >= 0)
            link_drop(&supervisor->link, &frame);
    }
    if (r < 0) {
        complain("the server's end of the socket makes no sense, closed", r);
        supervisor->exit_code = SUPERVISOR_PROTOCOL;
        link_close(&supervisor->link);
    }
}

/* Power may fail before a server comes that commits the outcome: only now is a sync worth it. */
static void leave_outcome(struct supervisor *supervisor)
{
    int r = claim_sync(&supervisor->claim);

    if (r < 0) {
        supervisor->exit_code = SUPERVISOR_IO;
        complain("outcome not synced", r);
    }
    supervisor->phase = PHASE_DONE;
}

static void leave_idle(struct supervisor *supervisor)
{
    claim_end(&supervisor->claim);
    supervisor->phase = PHASE_DONE;
}

/* SIGTERM comes from a server that has no socket to this supervisor, or from a person. */
static void on_sigterm(struct supervisor *supervisor)
{
    if (supervisor->phase == PHASE_IDLE)
        leave_idle(supervisor);
    else if (supervisor->phase == PHASE_REPORTED)
        leave_outcome(supervisor);
    else
        terminate(supervisor, RECORD_STOPPED, 0);
}

static void on_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info[2];
    bool terminated = false;

    ssize_t got = read(supervisor->setup.signal_fd, info, sizeof info);
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof info[0]; i++)
        terminated |= info[i].ssi_signo == SIGTERM;
    reap(supervisor);
    if (terminated)
        on_sigterm(supervisor);
}

static void on_timer(struct supervisor *supervisor)
{
    uint64_t expirations;

    if (read(supervisor->setup.timer_fd, &expirations, sizeof expirations) < 0)
        return; /* disarmed since poll saw it */
    supervisor->timer_armed = false;
    if (supervisor->phase == PHASE_IDLE)
        warm_stop(&supervisor->warm);
    else if (supervisor->phase == PHASE_RUNNING)
        terminate(supervisor, RECORD_TIMED_OUT, 0);
    else
        kill_task(supervisor);
}

static void supervise(struct supervisor *supervisor)
{
    while (supervisor->phase != PHASE_DONE) {
        struct pollfd events[] = {
            {.fd = supervisor->setup.signal_fd, .events = POLLIN},
            {.fd = supervisor->setup.timer_fd, .events = POLLIN},
            {.fd = supervisor->link.fd, .events = POLLIN},
        };

        poll(events, 3, -1);
        if (events[0].revents)
            on_signals(supervisor);
        if (events[1].revents)
            on_timer(supervisor);
        if (events[2].revents && supervisor->link.fd >= 0)
            on_socket(supervisor);
        if (supervisor->link.fd < 0 && supervisor->phase == PHASE_REPORTED)
            leave_outcome(supervisor);
        if (supervisor->link.fd < 0 && supervisor->phase == PHASE_IDLE)
            leave_idle(supervisor);
    }
}

/* Address space, not memory: pages come when an order is long enough to need them. */
static void *reserve(size_t bytes)
{
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

static int usage(void)
{
    static const char text[] =
        "usage: reprise-supervise, with a unix stream socket as descriptor 3\n"
        "It stands over running tasks and is started by `reprise serve`; there is nothing in it\n"
        "to be run by hand.\n";

    dprintf(STDERR_FILENO, "%s", text);
    return SUPERVISOR_USAGE;
}

/* The process between fork server and task: ends with its pipe, and passes on whether the task has an
 * order. One that died without is waited for, so that it is in no attempt's account. */
static int middle_run(const char *fd)
{
    char word;

    if (read((int)strtol(fd, NULL, 10), &word, 1) == 1)
        return MIDDLE_TOLD;
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return MIDDLE_SILENT;
}

int main(int argc, char **argv)
{
    struct supervisor supervisor = {.phase = PHASE_IDLE, .link.fd = SUPERVISOR_FD, .claim.fd = -1};

    if (argc == 3 && strcmp(argv[1], "--middle") == 0)
        return middle_run(argv[2]);
    if (argc > 1 || !setup_has_socket())
        return usage();
    int r = setup_process(&supervisor.setup);
    supervisor.link.buffer = reserve(FRAME_MAX_BYTES);
    supervisor.strings = reserve(STRINGS_BYTES);
    if (r == 0 && (!supervisor.link.buffer || !supervisor.strings))
        r = -ENOMEM;
    if (r < 0) {
        complain("cannot start", r);
        return SUPERVISOR_SETUP;
    }
    supervise(&supervisor);
    return (int)supervisor.exit_code;
}
