#include "server/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/clock.h"
#include "server/orders.h"
#include "server/pump_internal.h"

/* When a batch closes (DURABILITY §1). */
enum {
    BATCH_MAX_US = 5000,
    BATCH_MAX_ROWS = 5000,
    BATCH_MIN_COMMANDS = 16,
    FIRST_BACKOFF_MS = 50,
    LONGEST_BACKOFF_MS = 5000,
    ROOM_EVERY_MS = 1000, /* looked for while something waits for it */
};

uint64_t pump_seed(struct pump *pump)
{
    return mix64(pump->seed++);
}

/* ---- answers ---- */

void pump_answer(struct api_pending *pending, enum err_code code, const char *message)
{
    pending->result.code = code;
    snprintf(pending->result.message, sizeof pending->result.message, "%s", message);
    pending->done(pending);
}

void pump_answer_unavailable(struct api_pending *pending)
{
    pump_answer(pending, ERR_UNAVAILABLE, "the store cannot be written right now; try again");
}

/* ---- a batch ---- */

struct engine_event pump_event(struct pump *pump, enum engine_event_kind kind)
{
    const struct instant now = clock_instant();
    return (struct engine_event){
        .kind = kind,
        .now_ms = now.wall_ms,
        .mono_ms = now.boot_ms,
        .seed = pump_seed(pump),
        .slots_elsewhere = pump->is_disk_full ? ENGINE_NO_SLOT : pump->slots_elsewhere,
    };
}

/* The schedule that a command saves, or NULL. That of a version that a repair runs again fires nothing. */
static const struct schedule *schedule_to_save(const struct command *command)
{
    bool saves = command->kind == COMMAND_JOB_CREATE || command->kind == COMMAND_JOB_UPDATE;
    return saves && command->def ? command->def->details.schedule : NULL;
}

/* The API has asked for the zone already, so it is there; unless its file went away since. */
static bool find_zone(struct pump *pump, struct api_pending *pending, struct zone **ret)
{
    const struct schedule *schedule = schedule_to_save(&pending->command);
    struct err err;
    if (!schedule || zones_get(pump->config.zones, schedule->timezone_id, ret, &err) == ERR_OK)
        return true;
    pump_answer(pending, err.code, err.message);
    return false;
}

/* False when the command must wait for the next batch. */
static bool step_command(struct pump *pump, struct api_pending *pending)
{
    pump_read_begin(pump);
    if (!pump_load_for(pump, &pending->command)) {
        pump_answer_unavailable(pending);
        return true;
    }
    enum token_verdict verdict = pump_check_token(pump, pending);
    if (verdict == TOKEN_LATER)
        return false;
    if (verdict == TOKEN_ANSWERED)
        return true;
    struct engine_event event = pump_event(pump, ENGINE_COMMAND);
    event.command = &pending->command;
    event.result = &pending->result;
    if (!find_zone(pump, pending, &event.zone))
        return true;
    bool stepped = pump_step(pump, &event);
    zone_unref(event.zone);
    if (!stepped) {
        pump_answer_unavailable(pending);
        return true;
    }
    GROW(pump->stepped, pump->stepped_count, pump->stepped_cap);
    pump->stepped[pump->stepped_count++] = pending;
    if (pending->command.token.is_set && pending->result.code == ERR_OK) {
        GROW(pump->kept, pump->kept_count, pump->kept_cap);
        pump->kept[pump->kept_count++] = (struct kept){pending, verdict == TOKEN_EXPIRED};
    }
    return true;
}

static bool is_full(const struct pump *pump, int64_t began_us)
{
    return pump->is_lost ||
           pump->effects.rows.count + pump->effects.events.count >= BATCH_MAX_ROWS ||
           clock_monotonic_us() - began_us >= BATCH_MAX_US;
}

/* A slot has come free elsewhere. */
static bool may_take_slot(const struct pump *pump)
{
    struct slots *slots = pump->config.slots;
    return !pump->is_disk_full && engine_wants_slot(pump->engine) &&
           (slots->max == 0 ||
            (int64_t)engine_attempt_count(pump->engine) + slots_elsewhere(slots, &pump->place) <
                slots->max);
}

/* Deadlines are on one clock, planned times on the other. */
static bool is_due(const struct pump *pump)
{
    return may_take_slot(pump) || engine_next_deadline(pump->engine) <= clock_boot_ms() ||
           engine_next_alarm(pump->engine) <= clock_wall_ms() ||
           engine_minds_clock(pump->engine, clock_wall_ms());
}

static void step_all(struct pump *pump)
{
    int64_t began_us = clock_monotonic_us();
    const struct exec_report *report;
    while (!is_full(pump, began_us) && (report = inbox_take(&pump->inbox)))
        pump_step_report(pump, report);
    if (!pump->is_lost)
        pump_git_step(pump);
    if (!pump->is_lost && is_due(pump)) {
        struct engine_event event = pump_event(pump, ENGINE_TIMER);
        pump_step(pump, &event);
    }
    /* Some commands in each batch, however full the timer made it: who floods the server with
     * planned runs must be able to pause them. */
    for (size_t taken = 0; pump->backlog && !pump->is_lost &&
                           (taken < BATCH_MIN_COMMANDS || !is_full(pump, began_us));
         taken++) {
        struct api_pending *pending = pump->backlog;
        struct api_pending *rest = pending->next;
        if (!step_command(pump, pending))
            break;
        pump->backlog = rest;
    }
    pump_read_end(pump);
}

static void start_attempt(struct pump *pump, const struct start_effect *start)
{
    struct arena arena;
    bool reads = order_needs_cluster(start);
    arena_init(&arena);
    if (reads)
        pump_read_begin(pump);
    const struct exec_order order =
        order_of(start, engine_workspace(pump->engine), pump->reader, pump->config.secrets, &arena);
    if (reads)
        pump_read_end(pump);
    exec_start(pump->exec, &order);
    arena_release(&arena);
}

/* Only after the commit. Answers first: somebody waits for them. */
static void act(struct pump *pump)
{
    const struct effects *fx = &pump->effects;
    for (size_t i = 0; i < pump->kept_count; i++)
        pump->kept[i].pending->result.replayed = true;
    for (size_t i = 0; i < pump->stepped_count; i++)
        pump->stepped[i]->done(pump->stepped[i]);
    /* Before the starts: an acknowledged supervisor takes the next order, in the same message. */
    for (size_t i = 0; i < pump->ack_count; i++) {
        exec_ack(pump->exec, &pump->acks[i].id);
        if (pump->config.metrics)
            metrics_ended(pump->config.metrics, pump->acks[i].kind, pump->acks[i].cause);
    }
    for (size_t i = 0; i < fx->start_count; i++)
        start_attempt(pump, &fx->starts[i]);
    pump_git_ask(pump);
    for (size_t i = 0; i < fx->stop_count; i++) {
        const struct stop_effect *stop = &fx->stops[i];
        const struct attempt_id id = {stop->run, stop->task_run, stop->repair, stop->attempt,
                                      stop->epoch};
        exec_stop(pump->exec, &id);
    }
    for (size_t i = 0; i < fx->purge_count; i++)
        exec_purge_run(pump->exec, &fx->purges[i]);
    pump_git_release(pump);
}

/* Without an engine nothing is started; what it held goes on. */
static void tell_slots(struct pump *pump)
{
    const struct engine *engine = pump->engine;
    int64_t held = engine ? (int64_t)engine_attempt_count(engine) : pump->place.held;
    slots_tell(pump->config.slots, &pump->place, held, engine && engine_wants_slot(engine),
               engine && pump->effects.start_count > 0);
}

static void end_batch(struct pump *pump)
{
    tell_slots(pump);
    effects_clear(&pump->effects);
    arena_clear(&pump->answers);
    pump->stepped_count = pump->kept_count = pump->ack_count = 0;
    inbox_settle(&pump->inbox);
}

static void back_off(struct pump *pump)
{
    pump->backoff_ms = backoff_next_ms(pump->backoff_ms, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS);
    pump->retry_load_ms = clock_boot_ms() + pump->backoff_ms;
}

/* What the failed batch knew is gone; the store decides what is true. */
void pump_lose(struct pump *pump, enum store_result result)
{
    atomic_store(&pump->is_ready, false);
    for (size_t i = 0; i < pump->stepped_count; i++)
        pump_answer_unavailable(pump->stepped[i]);
    engine_free(pump->engine);
    pump->engine = NULL;
    inbox_rewind(&pump->inbox);
    pump->is_fenced = result == STORE_FENCED;
    back_off(pump);
    log_event(
        LOG_ERROR, pump->is_fenced ? "another server has taken the workspace" : "commit failed",
        LOG_TEXT("workspace", pump->workspace.name), LOG_NUMBER("retry_in_ms", pump->backoff_ms));
}

static void commit_batch(struct pump *pump)
{
    if (pump->is_lost) {
        pump->is_lost = false;
        pump_lose(pump, STORE_FAILED);
        return;
    }
    engine_collect(pump->engine, &pump->effects);
    pump_add_audit(pump);
    pump_hand_made(pump);
    if (pump->effects.rows.count == 0 && pump->kept_count == 0) {
        act(pump);
        engine_committed(pump->engine);
        return;
    }
    struct store_commit commit = {
        .workspace = engine_workspace(pump->engine),
        .rows = &pump->effects.rows,
        .extend = pump->kept_count ? pump_keep_answers : NULL,
        .context = pump,
    };
    int64_t began_us = clock_monotonic_us();
    enum store_result result = store_commit(pump->config.store, &commit);
    pump_count_commit(pump, commit.rows, result, clock_monotonic_us() - began_us);
    if (result != STORE_OK) {
        pump_lose(pump, result);
        return;
    }
    pump->backoff_ms = 0;
    atomic_store(&pump->is_ready, true);
    act(pump);
    if (pump->config.feed) /* after the starts: streams can wait, tasks need not */
        feed_publish(pump->config.feed, &pump->effects.rows, commit.workspace->last_event);
    engine_committed(pump->engine);
}

/* ---- the round ---- */

static void take_commands(struct pump *pump)
{
    uint64_t count;
    ssize_t ignored = read(pump->bell_fd, &count, sizeof count);
    (void)ignored;
    pthread_mutex_lock(&pump->lock);
    struct api_pending *taken = pump->first;
    pump->first = NULL;
    pump->last = &pump->first;
    pthread_mutex_unlock(&pump->lock);
    struct api_pending **end = &pump->backlog;
    while (*end)
        end = &(*end)->next;
    *end = taken;
}

static bool has_work(const struct pump *pump)
{
    return pump->backlog || inbox_waiting(&pump->inbox) > 0 ||
           pump->effects.rows.count + pump->effects.events.count > 0 ||
           pump->effects.start_count + pump->effects.prepare_count > 0 || is_due(pump);
}

static void refuse_backlog(struct pump *pump)
{
    while (pump->backlog) {
        struct api_pending *pending = pump->backlog;
        pump->backlog = pending->next;
        pump_answer_unavailable(pending);
    }
}

static bool ensure_engine(struct pump *pump)
{
    if (pump->engine)
        return true;
    if (pump->is_fenced || clock_boot_ms() < pump->retry_load_ms)
        return false;
    if (!pump_load(pump)) {
        back_off(pump);
        return false;
    }
    atomic_store(&pump->is_ready, true); /* a new epoch is a commit too */
    return true;
}

/* On a full disk nothing starts, and so nothing fails for it. The log is told when that changes. */
static void look_for_room(struct pump *pump)
{
    bool is_full = !exec_has_room(pump->exec);
    if (is_full != pump->is_disk_full)
        log_event(is_full ? LOG_ERROR : LOG_INFO,
                  is_full ? "the disk is too full for tasks to start"
                          : "there is room again for tasks to start",
                  LOG_TEXT("workspace", pump->workspace.name));
    pump->is_disk_full = is_full;
}

static void run_batch(struct pump *pump)
{
    exec_dispatch(pump->exec);
    take_commands(pump);
    if (!ensure_engine(pump)) {
        refuse_backlog(pump);
        return;
    }
    look_for_room(pump);
    pump->slots_elsewhere = slots_elsewhere(pump->config.slots, &pump->place);
    step_all(pump);
    commit_batch(pump);
    end_batch(pump);
    pump_publish_gauges(pump);
}

void pump_run(struct pump *pump)
{
    run_batch(pump);
    pump_prune_tokens(pump);
    pump_retain(pump);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int pump_timeout_ms(struct pump *pump)
{
    if (pump->engine && has_work(pump))
        return 0;
    int64_t until = exec_deadline_ms(pump->exec);
    if (pump->engine)
        until = earlier(earlier(until, pump_retain_ms(pump)),
                        earlier(engine_next_deadline(pump->engine), pump->prune_ms));
    else if (!pump->is_fenced)
        until = earlier(until, pump->retry_load_ms);
    if (pump->is_disk_full && pump->engine && engine_wants_slot(pump->engine))
        until = earlier(until, clock_boot_ms() + ROOM_EVERY_MS);
    int64_t planned = pump->engine ? engine_next_alarm(pump->engine) : INT64_MAX;
    if (until == INT64_MAX && planned == INT64_MAX)
        return -1;
    int64_t wait = until - clock_boot_ms();
    if (planned != INT64_MAX)
        wait = earlier(wait, planned - clock_wall_ms());
    return wait <= 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
}

/* ---- reports of exec ---- */

static void on_report(void *context, const struct exec_report *report)
{
    struct pump *pump = context;
    inbox_add(&pump->inbox, report);
}

/* ---- life ---- */

static bool watch(struct pump *pump, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(pump->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool watch_ends(struct pump *pump)
{
    return (pump->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) >= 0 &&
           (pump->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0 &&
           watch(pump, pump->bell_fd) && watch(pump, exec_fd(pump->exec));
}

static enum err_code pump_open(struct pump *pump, struct err *err)
{
    if (getrandom(&pump->seed, sizeof pump->seed, 0) != (ssize_t)sizeof pump->seed)
        return err_set(err, ERR_INTERNAL, "no randomness to be had: %s", strerror(errno));
    pump->exec = exec_open(&pump->config.exec, err);
    if (!pump->exec)
        return err->code;
    if (!watch_ends(pump))
        return err_set(err, ERR_INTERNAL, "cannot make an event loop: %s", strerror(errno));
    pump->reader = store_reader_open(pump->config.store);
    if (!pump->reader || !pump_load(pump))
        return err_set(err, ERR_INTERNAL, "workspace %s cannot be recovered from the store",
                       pump->config.workspace.name);
    pump_sweep(pump);
    uuid_source_init(&pump->audit_keys, 0, pump_seed(pump));
    tell_slots(pump);
    return ERR_OK;
}

struct pump *pump_new(const struct pump_config *config, struct err *err)
{
    struct pump *pump = xcalloc(1, sizeof *pump);
    pump->config = *config;
    pump->config.exec.on_report = on_report;
    pump->config.exec.context = pump;
    pump->workspace =
        (struct api_workspace){config->workspace.id, config->workspace.key, config->workspace.name};
    pump->last = &pump->first;
    pump->epoll_fd = pump->bell_fd = -1;
    pthread_mutex_init(&pump->lock, NULL);
    effects_init(&pump->effects);
    inbox_init(&pump->inbox);
    arena_init(&pump->answers);
    slots_join(config->slots, &pump->place);
    if (pump_open(pump, err)) {
        pump_free(pump);
        return NULL;
    }
    atomic_store(&pump->is_ready, true);
    return pump;
}

void pump_free(struct pump *pump)
{
    if (!pump)
        return;
    pump_git_close(pump);
    engine_free(pump->engine);
    if (pump->exec)
        exec_close(pump->exec);
    if (pump->reader)
        store_reader_close(pump->reader);
    effects_release(&pump->effects);
    inbox_release(&pump->inbox);
    arena_release(&pump->answers);
    slots_leave(pump->config.slots, &pump->place);
    if (pump->bell_fd >= 0)
        close(pump->bell_fd);
    if (pump->epoll_fd >= 0)
        close(pump->epoll_fd);
    free(pump->stepped);
    free(pump->kept);
    free(pump->acks);
    pump_withdraw_gauges(pump);
    pthread_mutex_destroy(&pump->lock);
    free(pump);
}

void pump_set_api(struct pump *pump, struct api *api)
{
    pump->api = api;
}

int pump_fd(const struct pump *pump)
{
    return pump->epoll_fd;
}

void pump_ring(const struct pump *pump)
{
    bell_ring(pump->bell_fd);
}

void pump_submit(struct pump *pump, struct api_pending *pending)
{
    pending->next = NULL;
    pthread_mutex_lock(&pump->lock);
    bool closed = pump->is_closed;
    bool ring = !pump->first;
    if (!closed) {
        *pump->last = pending;
        pump->last = &pending->next;
    }
    pthread_mutex_unlock(&pump->lock);
    if (closed) {
        pump_answer(pending, ERR_UNAVAILABLE, "the server is stopping");
    } else if (ring) {
        pump_ring(pump);
    }
}

void pump_drain(struct pump *pump)
{
    pump->is_draining = true;
    if (!pump->engine)
        return;
    struct engine_event event = pump_event(pump, ENGINE_DRAIN);
    pump_step(pump, &event);
    pump_read_end(pump);
}

void pump_close(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    pump->is_closed = true;
    pthread_mutex_unlock(&pump->lock);
    do {
        run_batch(pump);
    } while (pump->engine && has_work(pump));
    refuse_backlog(pump);
}

bool pump_is_ready(const struct pump *pump)
{
    return atomic_load(&pump->is_ready);
}

bool pump_has_room(const struct pump *pump)
{
    return exec_has_room(pump->exec);
}

bool pump_is_fenced(const struct pump *pump)
{
    return pump->is_fenced;
}
