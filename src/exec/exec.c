#include "exec/exec.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/locks.h"
#include "base/log.h"
#include "base/mem.h"
#include "exec/news.h"
#include "exec/owner.h"
#include "exec/recover.h"

enum { FROZEN_AFTER_MS = 30000 };
enum { FIRST_BACKOFF_MS = 10, LONGEST_BACKOFF_MS = 1000 };

/* Our number in STOP frames; it comes back in the record. */
enum { STOP_ASKED = 1 };

/* Up to here an order is kept until its outcome is there, which is cheaper than one message more; of
 * a longer one the supervisor is to tell when it has started, and then it is forgotten. */
enum { ORDER_KEPT_BYTES = 64 << 10 };

/* ---- telling the owner ---- */

static void tell(struct exec *exec, struct report *report)
{
    exec->config.on_report(exec->config.context, &report->told);
    report_release(report);
}

static void forget(struct exec *exec, struct attempt *attempt)
{
    heap_remove(&exec->timers, &attempt->timer);
    list_remove(&attempt->watched);
    if (list_is_linked(&attempt->remains))
        remains_drop(&exec->remains, attempt);
    if (attempt->supervisor)
        attempt->supervisor->attempt = NULL;
    attempt_remove(&exec->table, attempt);
}

void exec_tell_outcome(struct exec *exec, struct attempt *attempt, const struct record *outcome)
{
    struct report report;

    heap_remove(&exec->timers, &attempt->timer);
    list_remove(&attempt->watched);
    attempt->outcome = *outcome;
    attempt_move(&exec->table, attempt, ATTEMPT_REPORTED);
    report_outcome(&report, exec->folders.runs_fd, attempt);
    tell(exec, &report);
}

void exec_tell_void(struct exec *exec, struct attempt *attempt)
{
    struct report report;

    report_void(&report, attempt);
    forget(exec, attempt);
    tell(exec, &report);
}

void exec_tell_lost(struct exec *exec, struct attempt *attempt, const char *message)
{
    struct report report;

    attempt_log(LOG_WARN, "attempt lost", attempt);
    report_lost(&report, exec->folders.runs_fd, attempt, message);
    forget(exec, attempt);
    tell(exec, &report);
}

void exec_tell_not_started(struct exec *exec, struct attempt *attempt, int cause,
                           const char *message)
{
    struct report report;

    report_not_started(&report, &attempt->id, cause, message);
    isolation_remove(exec->isolation.base, &attempt->id);
    forget(exec, attempt);
    tell(exec, &report);
}

void exec_tell_stopped_early(struct exec *exec, struct attempt *attempt)
{
    exec_tell_not_started(exec, attempt, CAUSE_STOPPED, "Stopped before it started");
}

/* ---- opening ---- */

/* Strings of the caller's may be gone later. */
static void copy_config(struct exec *exec, const struct exec_config *config)
{
    struct exec_config *own = &exec->config;

    *own = *config;
    own->data_dir = arena_strdup(&exec->strings, config->data_dir);
    own->workspace_dir = arena_strdup(&exec->strings, config->workspace_dir);
    own->supervise_path = arena_strdup(&exec->strings, config->supervise_path);
    own->self = arena_strdup(&exec->strings, config->self);
    own->python = arena_strdup(&exec->strings, config->python);
    own->warm_preload = arena_strdup(&exec->strings, config->warm_preload);
    own->pass_env = arena_strdup(&exec->strings, config->pass_env);
    own->java = arena_strdup(&exec->strings, config->java);
    own->spark_home = arena_strdup(&exec->strings, config->spark_home);
    own->umask = arena_strdup(&exec->strings, config->umask);
    own->user = arena_strdup(&exec->strings, config->user);
    own->cgroup = arena_strdup(&exec->strings, config->cgroup);
    if (own->frozen_after_ms <= 0)
        own->frozen_after_ms = FROZEN_AFTER_MS;
    assert(own->log_max_bytes == 0 || own->log_max_bytes >= EXEC_LOG_LEAST_BYTES);
}

static bool check_helper(const char *path, struct err *err)
{
    if (process_is_program(path))
        return true;
    err_set(err, ERR_INTERNAL, "reprise-supervise is missing or not executable: %s",
            strerrordesc_np(errno));
    return false;
}

static bool open_parts(struct exec *exec, struct err *err)
{
    if (!check_helper(exec->config.supervise_path, err) || !process_check(&exec->config, err) ||
        !folders_open(&exec->folders, exec->config.data_dir, err) ||
        !isolation_open(&exec->isolation, &exec->config, &exec->strings, err))
        return false;
    exec->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (exec->epoll_fd < 0) {
        err_set(err, ERR_INTERNAL, "epoll: %s", strerrordesc_np(errno));
        return false;
    }
    exec->purge = purge_open(exec->folders.data_fd, exec->folders.runs_fd,
                             exec->config.log_max_bytes, &exec->isolation, err);
    if (!exec->purge)
        return false;
    exec->pool.epoll_fd = exec->epoll_fd;
    int r = pool_prespawn(&exec->pool, exec->config.prespawn);
    if (r < 0)
        err_set(err, ERR_INTERNAL, "reprise-supervise cannot be started: %s", strerrordesc_np(-r));
    return r == 0;
}

struct exec *exec_open(const struct exec_config *config, struct err *err)
{
    struct exec *exec = xcalloc(1, sizeof *exec);

    arena_init(&exec->strings);
    arena_init(&exec->scratch);
    copy_config(exec, config);
    exec->epoll_fd = -1;
    exec->folders = (struct folders){.data_fd = -1, .runs_fd = -1, .no_params_fd = -1};
    attempt_table_init(&exec->table);
    heap_init(&exec->timers);
    list_init(&exec->watched);
    pool_init(&exec->pool, -1, exec->config.supervise_path, exec->config.max_idle);
    remains_init(&exec->remains);
    process_init(&exec->process, &exec->config);
    if (open_parts(exec, err))
        return exec;
    exec_close(exec);
    return NULL;
}

void exec_close(struct exec *exec)
{
    if (!exec)
        return;
    pool_release(&exec->pool);
    if (exec->purge)
        purge_close(exec->purge);
    remains_release(&exec->remains);
    attempt_table_release(&exec->table);
    heap_release(&exec->timers);
    process_release(&exec->process);
    folders_close(&exec->folders);
    if (exec->epoll_fd >= 0)
        close(exec->epoll_fd);
    arena_release(&exec->scratch);
    arena_release(&exec->strings);
    free(exec);
}

/* ---- starting and stopping ---- */

void exec_expect_end(struct exec *exec, struct attempt *attempt, int64_t at_ms)
{
    int64_t deadline_ms = at_ms + attempt->grace_ms + exec->config.frozen_after_ms;

    if (attempt->timer.place == 0 || deadline_ms < attempt->timer.deadline_ms)
        heap_set(&exec->timers, &attempt->timer, deadline_ms);
}

static void send_stop(struct exec *exec, struct attempt *attempt)
{
    uint8_t frame[FRAME_SMALL_MAX_BYTES];
    struct supervisor *supervisor = attempt->supervisor;

    exec_expect_end(exec, attempt, boot_ms());
    if (supervisor->socket < 0) {
        supervisor_signal(supervisor, SIGTERM);
        return;
    }
    ssize_t size = frame_encode_stop(STOP_ASKED, frame, sizeof frame);
    supervisor_post(&exec->pool, supervisor, frame, (size_t)size);
    supervisor_flush(&exec->pool, supervisor);
}

void exec_try_later(struct exec *exec, struct attempt *attempt, enum attempt_phase phase)
{
    attempt->backoff_ms =
        backoff_next_ms(attempt->backoff_ms, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS);
    attempt_move(&exec->table, attempt, phase);
    heap_set(&exec->timers, &attempt->timer, boot_ms() + attempt->backoff_ms);
}

/* Too little of processes, memory or descriptors, or a helper that is being replaced: nothing that a task should pay
 * for with a retry. */
static bool will_pass(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE ||
           error == ENOBUFS || error == ETXTBSY;
}

static void on_no_supervisor(struct exec *exec, struct attempt *attempt, int error)
{
    char message[ERR_MESSAGE_MAX];

    if (will_pass(error)) {
        if (!exec->is_short)
            log_event(LOG_ERROR, "attempts wait, for no supervisor can be started",
                      LOG_TEXT("error", strerrordesc_np(error)));
        exec->is_short = true;
        exec_try_later(exec, attempt, ATTEMPT_UNSENT);
        return;
    }
    snprintf(message, sizeof message, "Cannot start: no supervisor could be started: %s",
             strerrordesc_np(error));
    exec_tell_not_started(exec, attempt, CAUSE_CANNOT_START, message);
}

void exec_send_order(struct exec *exec, struct attempt *attempt)
{
    struct supervisor *supervisor = pool_take(&exec->pool, attempt->is_warm);

    if (!supervisor) {
        on_no_supervisor(exec, attempt, errno);
        return;
    }
    exec->is_short = false;
    attempt_move(&exec->table, attempt, ATTEMPT_RUNNING);
    attempt->backoff_ms = 0;
    attempt->sends++;
    attempt->supervisor = supervisor;
    supervisor->attempt = attempt;
    supervisor_post(&exec->pool, supervisor, attempt->order, attempt->order_bytes);
    supervisor_flush(&exec->pool, supervisor);
    if (attempt->timeout_ms > 0)
        exec_expect_end(exec, attempt, boot_ms() + attempt->timeout_ms);
}

/* 0, or the error of order_encode. */
static int encode_order(struct attempt *attempt, struct order *order)
{
    ssize_t size = order_encode(order, NULL, 0);

    if (size > ORDER_KEPT_BYTES)
        order->flags &= ~(uint32_t)ORDER_NO_STARTED;
    if (size < 0)
        return (int)size;
    attempt->order = xmalloc((size_t)size);
    attempt->order_bytes = (size_t)size;
    order_encode(order, attempt->order, (size_t)size);
    return 0;
}

static bool prepare(struct exec *exec, struct attempt *attempt, const struct exec_order *from,
                    struct err *err)
{
    struct order order;

    if (!process_order(&exec->process, &exec->folders, from, attempt->token, &exec->scratch, &order,
                       err) ||
        !isolation_prepare(&exec->isolation, exec->folders.runs_fd, &attempt->id, &exec->scratch,
                           &order, err))
        return false;
    if (order.launch == RECORD_LAUNCH_WARM && order.uid != ORDER_KEEP_USER)
        order.launch = RECORD_LAUNCH_USER;
    attempt->is_warm = order.launch == RECORD_LAUNCH_WARM;
    int r = encode_order(attempt, &order);
    if (r == -E2BIG)
        err_set(err, ERR_INTERNAL,
                "Cannot start: its arguments and parameters are more than %u MiB or %d values",
                FRAME_MAX_BYTES >> 20, ORDER_STRINGS_MAX);
    else if (r < 0)
        err_set(err, ERR_INTERNAL, "Cannot start: its order is not valid");
    return r == 0;
}

void exec_start(struct exec *exec, const struct exec_order *order)
{
    struct err err;

    if (attempt_find(&exec->table, &order->id))
        return; /* it has been started; a second time would be wrong */
    struct attempt *attempt = attempt_add(&exec->table, &order->id);
    attempt->ours = true;
    attempt->is_plain = !order->master && !order->cluster && order->kind != EXEC_SPARK_SUBMIT;
    attempt->has_helper = order->kind == EXEC_NOTEBOOK || order->cluster;
    attempt->timeout_ms = attempt_limit_ms(order->timeout_ms);
    attempt->grace_ms = attempt_limit_ms(order->grace_ms);
    bool prepared = prepare(exec, attempt, order, &err);
    arena_clear(&exec->scratch);
    if (!prepared) {
        exec_tell_not_started(exec, attempt, CAUSE_CANNOT_START, err.message);
        return;
    }
    if (!attempt->is_plain)
        news_watch(exec, attempt);
    exec_send_order(exec, attempt);
}

void exec_stop(struct exec *exec, const struct attempt_id *id)
{
    struct attempt *attempt = attempt_find(&exec->table, id);

    if (!attempt || attempt->stopping || attempt->phase == ATTEMPT_REPORTED)
        return;
    attempt->stopping = true;
    if (attempt->phase == ATTEMPT_UNSENT)
        exec_tell_stopped_early(exec, attempt);
    else if (attempt->phase == ATTEMPT_RUNNING && !attempt->dying)
        send_stop(exec, attempt);
}

/* A record that is not ours to judge is left alone, as one that a supervisor is just passing on to its next attempt
 * is, and so is VOID: an order that was sent under a dead server may still be unread, and must find it. */
static bool may_sweep(const struct record *record, const struct attempt_id *id)
{
    char token[TOKEN_TEXT];

    switch (record->state) {
    case RECORD_EMPTY:
    case RECORD_VOID:
        return false;
    case RECORD_TORN:
        return true;
    case RECORD_CLAIM:
    case RECORD_OUTCOME:
        break;
    }
    return strcmp(record->token, attempt_token(id, token)) == 0;
}

static void sweep_unknown(struct exec *exec, const struct attempt_id *id)
{
    struct record record = {.state = RECORD_EMPTY};
    char name[ATTEMPT_FILE];

    int fd = locks_open(exec->folders.runs_fd, attempt_file(id, ".rec", name),
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0 && errno == ENOENT) /* its supervisor, who kept it, has removed it */
        purge_attempt(exec->purge, id, false, boot_ms());
    if (fd < 0)
        return;
    int r = record_read(fd, &record);
    close(fd);
    if (r == 0 && may_sweep(&record, id))
        purge_attempt(exec->purge, id, true, boot_ms());
}

void exec_sweep(struct exec *exec, const struct attempt_id *id)
{
    if (!attempt_find(&exec->table, id))
        sweep_unknown(exec, id);
}

void exec_ack(struct exec *exec, const struct attempt_id *id)
{
    struct attempt *attempt = attempt_find(&exec->table, id);
    uint8_t frame[FRAME_SMALL_MAX_BYTES];

    if (!attempt) {
        sweep_unknown(exec, id);
        return;
    }
    if (attempt->phase != ATTEMPT_REPORTED)
        return;
    struct supervisor *supervisor = attempt->supervisor;
    bool reusable = record_unremarkable(&attempt->outcome);
    /* Who takes another order makes the record that one's, or removes it. */
    bool passes_on = supervisor && supervisor->socket >= 0 && reusable;
    forget(exec, attempt);
    if (supervisor) {
        ssize_t size = frame_encode_ack(frame, sizeof frame);
        supervisor_post(&exec->pool, supervisor, frame, (size_t)size);
        pool_put_back(&exec->pool, supervisor, reusable);
    }
    purge_attempt(exec->purge, id, !passes_on, boot_ms());
}

/* ---- recovery ---- */

void exec_recover(struct exec *exec, const struct attempt_id *id, int64_t timeout_ms,
                  int64_t grace_ms, int64_t started_ms, bool has_helper)
{
    struct attempt *attempt = attempt_find(&exec->table, id);

    if (attempt) {
        if (attempt->phase == ATTEMPT_REPORTED)
            exec_tell_outcome(exec, attempt, &attempt->outcome);
        return;
    }
    attempt = attempt_add(&exec->table, id);
    attempt->timeout_ms = attempt_limit_ms(timeout_ms);
    attempt->grace_ms = attempt_limit_ms(grace_ms);
    attempt->started_ms = started_ms;
    attempt->has_helper = has_helper;
    recover_look(exec, attempt, 0);
}

/* ---- asking and purging ---- */

size_t exec_live(const struct exec *exec)
{
    return exec->table.live;
}

bool exec_has_room(const struct exec *exec)
{
    return folders_have_room(&exec->folders);
}

size_t exec_idle(const struct exec *exec)
{
    return exec->pool.idle_count;
}

void exec_purge_run(struct exec *exec, const struct uuid *run)
{
    purge_run(exec->purge, run);
}
