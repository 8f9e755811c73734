/*
 * What exec does in its owner's loop: it hears frames and ends of supervisors, and takes care of what
 * is due.
 */
#include "exec/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "exec/news.h"
#include "exec/owner.h"
#include "exec/recover.h"

enum { EVENTS_MAX = 64 };
enum { TRIM_EVERY_MS = 1000 }; /* and a ms for each attempt: two of its files are looked at */

/* ---- what comes from supervisors ---- */

/* A refusal that is not explained by the record is the disk's: full, or broken. */
static void on_refused(struct exec *exec, struct supervisor *supervisor, const struct refusal *why)
{
    struct attempt *attempt = supervisor->attempt;
    char message[ERR_MESSAGE_MAX];

    supervisor->attempt = NULL;
    attempt->supervisor = NULL;
    attempt->ours = false; /* somebody else may have it */
    heap_remove(&exec->timers, &attempt->timer);
    if (why->error == 0 || why->error == EAGAIN) {
        recover_look(exec, attempt, 0);
        return;
    }
    snprintf(message, sizeof message, "Cannot start: its record cannot be written: %s",
             strerrordesc_np(why->error));
    exec_tell_not_started(exec, attempt, CAUSE_CANNOT_START, message);
}

/* False: not what a supervisor of ours would say now. */
static bool on_frame(struct exec *exec, struct supervisor *supervisor, const struct frame *frame)
{
    struct attempt *attempt = supervisor->attempt;
    struct refusal refusal;
    struct record record;

    if (!attempt || attempt->phase != ATTEMPT_RUNNING)
        return false;
    switch (frame->type) {
    case FRAME_STARTED:
        if (frame_decode_record(frame, &record) < 0)
            return false;
        attempt_forget_order(attempt);
        return true;
    case FRAME_OUTCOME:
        if (frame_decode_record(frame, &record) < 0 || strcmp(record.token, attempt->token) != 0)
            return false;
        exec_tell_outcome(exec, attempt, &record);
        return true;
    case FRAME_REFUSED:
        if (frame_decode_refused(frame, &refusal) < 0)
            return false;
        on_refused(exec, supervisor, &refusal);
        return true;
    case FRAME_ORDER:
    case FRAME_STOP:
    case FRAME_ACK:
        break;
    }
    return false;
}

/* True as long as there may be more to read. */
static bool on_readable(struct exec *exec, struct supervisor *supervisor)
{
    size_t before = supervisor->received;
    struct frame frame;
    int r;

    if (!supervisor_receive(&exec->pool, supervisor))
        return false;
    bool more = supervisor->received > before;
    while ((r = supervisor_next(supervisor, &frame)) > 0) {
        /* Out of the buffer before the owner hears of it: who may send the next order at once. */
        uint8_t bytes[FRAME_SMALL_MAX_BYTES];
        memcpy(bytes, frame.payload, frame.payload_bytes);
        supervisor_drop(supervisor, &frame);
        frame.payload = bytes;
        if (!on_frame(exec, supervisor, &frame)) {
            r = -EPROTO;
            break;
        }
    }
    if (r < 0) {
        log_event(LOG_ERROR, "supervisor makes no sense, its socket is closed",
                  LOG_NUMBER("pid", supervisor->pid));
        supervisor_hang_up(&exec->pool, supervisor);
        return false;
    }
    return more;
}

/* What it still said is in the socket; only then comes what its end means. */
static void on_ended(struct exec *exec, struct supervisor *supervisor)
{
    while (on_readable(exec, supervisor))
        ;
    struct attempt *attempt = supervisor->attempt;
    pid_t pid = supervisor->pid;
    int status = supervisor_ended(&exec->pool, supervisor);
    if (status != SUPERVISOR_OK)
        log_event(LOG_ERROR, "supervisor failed", LOG_NUMBER("pid", pid),
                  LOG_NUMBER("status", status));
    if (!attempt)
        return;
    attempt->supervisor = NULL;
    if (attempt->phase == ATTEMPT_RUNNING)
        recover_orphan(exec, attempt, pid, status);
}

static void on_event(struct exec *exec, const struct epoll_event *event)
{
    const struct watch *watch = event->data.ptr;
    struct supervisor *supervisor = watch->supervisor;

    if (supervisor->gone)
        return;
    switch (watch->kind) {
    case WATCH_PROCESS:
        on_ended(exec, supervisor);
        return;
    case WATCH_SOCKET:
        if (event->events & EPOLLOUT)
            supervisor_flush(&exec->pool, supervisor);
        if (event->events & ~(uint32_t)EPOLLOUT)
            on_readable(exec, supervisor);
        return;
    }
}

/* ---- time ---- */

/* The supervisor sleeps when we do (a suspended host, a stopped machine): it must have had its chance since. */
static bool has_overslept(const struct exec *exec, const struct attempt *attempt)
{
    enum { SHARE = 6 }; /* 5 s of the usual 30 */
    return boot_ms() - attempt->timer.deadline_ms > exec->config.frozen_after_ms / SHARE;
}

static void on_timer(struct exec *exec, struct attempt *attempt)
{
    if (attempt->phase == ATTEMPT_UNSENT) {
        exec_send_order(exec, attempt);
        return;
    }
    if (attempt->phase == ATTEMPT_UNSURE) {
        recover_look(exec, attempt, 0);
        return;
    }
    if (has_overslept(exec, attempt)) {
        exec_expect_end(exec, attempt, boot_ms());
        return;
    }
    attempt_log(LOG_ERROR, "supervisor is frozen past its attempt's deadline, killed", attempt);
    supervisor_signal(attempt->supervisor, SIGKILL);
}

static bool is_trimming(const struct exec *exec)
{
    return exec->config.log_max_bytes > 0 && exec->table.live > 0;
}

/* What has ended is trimmed when its record is swept. */
static void trim_live(struct exec *exec, int64_t now_ms)
{
    struct attempt *attempt;
    size_t cursor = 0;

    if (!is_trimming(exec) || now_ms < exec->trim_ms)
        return;
    exec->trim_ms = now_ms + TRIM_EVERY_MS + (int64_t)exec->table.live;
    while ((attempt = uuid_map_next(&exec->table.map, &cursor)))
        for (; attempt; attempt = attempt->next)
            if (attempt->phase == ATTEMPT_RUNNING)
                purge_trim(exec->purge, &attempt->id);
    purge_trim_all(exec->purge);
}

static void run_timers(struct exec *exec)
{
    struct heap_item *item;
    int64_t now_ms = boot_ms();

    while ((item = heap_first(&exec->timers)) && item->deadline_ms <= now_ms) {
        heap_remove(&exec->timers, item);
        on_timer(exec, CONTAINER_OF(item, struct attempt, timer));
    }
    remains_step(&exec->remains, now_ms);
    struct attempt *clean;
    while ((clean = remains_take_clean(&exec->remains)))
        recover_clean(exec, clean);
    purge_step(exec->purge, now_ms);
    news_step(exec, now_ms);
    trim_live(exec, now_ms);
}

void exec_dispatch(struct exec *exec)
{
    struct epoll_event events[EVENTS_MAX];

    pool_flush(&exec->pool);
    int count = epoll_wait(exec->epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++)
        on_event(exec, &events[i]);
    run_timers(exec);
    pool_free_gone(&exec->pool);
}

int exec_fd(const struct exec *exec)
{
    return exec->epoll_fd;
}

int64_t exec_deadline_ms(const struct exec *exec)
{
    const struct heap_item *first = heap_first(&exec->timers);
    int64_t deadline_ms = first ? first->deadline_ms : INT64_MAX;
    int64_t remains_ms = remains_deadline_ms(&exec->remains);
    int64_t purge_ms = purge_deadline_ms(exec->purge);

    if (pool_has_unsent(&exec->pool))
        return 0;
    if (remains_ms < deadline_ms)
        deadline_ms = remains_ms;
    if (news_deadline_ms(exec) < deadline_ms)
        deadline_ms = news_deadline_ms(exec);
    if (is_trimming(exec) && exec->trim_ms < deadline_ms)
        deadline_ms = exec->trim_ms;
    return purge_ms < deadline_ms ? purge_ms : deadline_ms;
}
