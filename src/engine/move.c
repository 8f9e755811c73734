/*
 * The only place where a state changes. A setter checks the table of allowed moves, writes the
 * event, and keeps what follows from the state: slots, lists, counts.
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/internal.h"

static void add_event(struct step *step, struct erun *run, struct etask *task, int type,
                      enum state from, enum state to, const char *reason, const char *decision)
{
    struct engine *engine = step->engine;
    struct event_row *event = ARENA_NEW(&step->fx->arena, struct event_row);
    *event = (struct event_row){
        .workspace = engine->workspace.id,
        .run = run->row.key,
        .job = run->row.job,
        .job_name = run->row.job_name,
        .number = ++engine->workspace.last_event,
        .time_ms = step->now_ms,
        .repair_number = run->row.repair_number,
        .attempt = task && task->attempt ? task->attempt->number : FIELD_NULL,
        .previous = FIELD_NULL,
        .type = type,
        .from = from,
        .to = to,
        .reason = arena_strdup(&step->fx->arena, reason),
        .decision = arena_strdup(&step->fx->arena, decision),
    };
    if (task) {
        if (task->row.last_event > 0)
            event->previous = task->row.last_event;
        event->task_run = task->row.key;
        event->task_key = task->row.task_key;
        task->row.last_event = event->number;
        track(engine, &task->tracked);
    } else {
        track(engine, &run->tracked);
    }
    run->row.last_event = event->number;
    run->row.updated_ms = step->now_ms;
    row_batch_add(&step->fx->events, ROW_EVENT, ROW_INSERT, event);
}

void note_event(struct step *step, struct erun *run, struct etask *task, int type,
                const char *reason, const char *decision)
{
    enum state state = task ? task->row.state : run->row.state;
    add_event(step, run, task, type, state, state, reason, decision);
}

/* ---- runs ---- */

/* Repairs go ahead of runs that never ran, but for those that a campaign asked for (RULES §4). */
struct run_queue *run_queue_of(const struct erun *run)
{
    bool goes_ahead = run->row.repair_number > 0 && run->row.in_campaign != 1;
    return goes_ahead ? &run->job->repairs : &run->job->queue;
}

bool run_queues_before(const struct erun *a, const struct erun *b)
{
    if (a->row.queued_ms != b->row.queued_ms)
        return a->row.queued_ms < b->row.queued_ms;
    return uuid_compare(&a->row.key, &b->row.key) < 0;
}

/* The time of entry into the queue: not before that of the run it comes behind, wherever the wall
 * clock has gone. Repairs in one ms stand by request, not by key. */
static int64_t queue_time(const struct erun *run, int64_t now_ms)
{
    const struct run_queue *queue = run_queue_of(run);
    if (list_is_empty(&queue->runs))
        return now_ms;
    const struct erun *last = LIST_ITEM(queue->runs.prev, struct erun, of_job);
    if (last->row.queued_ms < now_ms)
        return now_ms;
    bool key_is_less = uuid_compare(&run->row.key, &last->row.key) < 0;
    return last->row.queued_ms + key_is_less;
}

static void queue_insert(struct run_queue *queue, struct erun *run)
{
    /* Nearly always the last place: look from the end. */
    struct list *place = &queue->runs;
    while (place->prev != &queue->runs &&
           run_queues_before(run, LIST_ITEM(place->prev, struct erun, of_job)))
        place = place->prev;
    list_insert_before(place, &run->of_job);
    queue->count++;
}

void run_enlist(struct engine *engine, struct erun *run)
{
    enum state state = run->row.state;
    if (state_holds_slot(state)) {
        list_append(&run->job->holders, &run->of_job);
        run->job->holder_count++;
    } else if (state == STATE_QUEUED && run->row.is_held) {
        list_append(&run->job->held.runs, &run->of_job);
        run->job->held.count++;
        hold_begin(engine, run);
    } else if (state == STATE_QUEUED) {
        queue_insert(run_queue_of(run), run);
    }
    if (!state_is_final(state))
        run->job->active_count++;
    else if (!list_is_linked(&run->done))
        list_append(&engine->done, &run->done);
}

static void run_delist(struct engine *engine, struct erun *run, enum state state)
{
    if (state == STATE_NEW)
        return;
    if (state_holds_slot(state)) {
        run->job->holder_count--;
        if (!list_is_linked(&run->job->freed))
            list_append(&engine->freed, &run->job->freed);
    } else if (state == STATE_QUEUED && run->row.is_held) {
        run->job->held.count--;
        hold_end(engine, run);
    } else if (state == STATE_QUEUED) {
        run_queue_of(run)->count--;
    }
    list_remove(&run->of_job);
    if (!state_is_final(state))
        run->job->active_count--;
    list_remove(&run->done);
}

struct interval {
    int64_t from, to;
};

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a;
    const struct interval *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* How long at least one of them lasted: what several tasks do at the same time counts once. */
static int64_t covered_ms(struct interval *spans, size_t count)
{
    int64_t total = 0;
    int64_t until = INT64_MIN;
    qsort(spans, count, sizeof *spans, by_start);
    for (size_t i = 0; i < count; i++) {
        int64_t from = spans[i].from > until ? spans[i].from : until;
        if (spans[i].to <= from)
            continue;
        total += spans[i].to - from;
        until = spans[i].to;
    }
    return total;
}

/* How long clusters were made, and taken down, for tasks of the newest attempt of the run (RULES §12). */
static void run_durations(const struct erun *run, struct repair_row *repair)
{
    uint32_t most = run->def->task_count;
    struct interval *setups = NULL;
    struct interval *cleanups = NULL;
    size_t setup_count = 0;
    size_t cleanup_count = 0;
    for (uint32_t i = 0; i < most; i++) {
        const struct task_run_row *row = &run->tasks[i].row;
        if (!run->tasks[i].has_row || row->repair_number != run->row.repair_number ||
            row->setup_start_ms == FIELD_NULL || row->end_ms == FIELD_NULL)
            continue;
        /* Files from git are fetched before the start: no cluster's time. */
        int64_t setup_ms =
            row->setup_ms == FIELD_NULL ? 0 : row->setup_ms - (row->start_ms - row->setup_start_ms);
        if (setup_ms <= 0 && row->cleanup_ms <= 0)
            continue;
        setups = setups ? setups : xcalloc(most, sizeof *setups);
        cleanups = cleanups ? cleanups : xcalloc(most, sizeof *cleanups);
        setups[setup_count++] = (struct interval){row->start_ms, row->start_ms + setup_ms};
        if (row->cleanup_ms > 0)
            cleanups[cleanup_count++] =
                (struct interval){row->end_ms - row->cleanup_ms, row->end_ms};
    }
    repair->setup_ms = setups ? covered_ms(setups, setup_count) : 0;
    repair->cleanup_ms = cleanups ? covered_ms(cleanups, cleanup_count) : 0;
    free(setups);
    free(cleanups);
}

static void run_times(struct step *step, struct erun *run, enum state from, enum state to)
{
    struct repair_row *repair = &run->repair;
    if (to == STATE_QUEUED)
        run->row.queued_ms = queue_time(run, step->now_ms);
    if (to == STATE_PENDING && (from == STATE_NEW || from == STATE_QUEUED || state_is_final(from)))
        repair->slot_ms = step->now_ms;
    if (to == STATE_RUNNING) {
        if (run->row.start_ms == FIELD_NULL)
            run->row.start_ms = step->now_ms;
        if (repair->start_ms == FIELD_NULL)
            repair->start_ms = run->row.attempt_start_ms = step->now_ms;
    }
    if (!state_is_final(to)) {
        run->row.end_ms = run->row.execution_ms = FIELD_NULL;
        return;
    }
    /* Nothing ends before it began, wherever the wall clock has gone. */
    bool started = repair->start_ms != FIELD_NULL;
    int64_t end_ms = started && repair->start_ms > step->now_ms ? repair->start_ms : step->now_ms;
    run->row.end_ms = repair->end_ms = end_ms;
    run_durations(run, repair);
    int64_t rest_ms = started ? end_ms - repair->start_ms - repair->setup_ms - repair->cleanup_ms
                              : 0;
    run->row.execution_ms = repair->execution_ms = rest_ms > 0 ? rest_ms : 0;
}

void run_move(struct step *step, struct erun *run, enum state to, const char *reason,
              const char *decision)
{
    struct engine *engine = step->engine;
    enum state from = run->row.state;
    assert(state_run_may_move(from, to));
    /* Within one holder-to-holder move the slot never counts as free. */
    bool keeps_slot = from != STATE_NEW && state_holds_slot(from) && state_holds_slot(to);
    if (!keeps_slot)
        run_delist(engine, run, from);
    run->row.state = to;
    if (to != STATE_QUEUED)
        run->row.is_held = 0;
    if (state_is_final(from) || state_is_final(to))
        run->row.is_suspended = 0;
    if (state_is_final(from))
        run->row.ignored_failure = 0;
    run_times(step, run, from, to);
    if (!keeps_slot)
        run_enlist(engine, run);
    maintenance_note(engine, run);
    if (to == STATE_QUEUED) {
        run->deadline.kind = DEADLINE_QUEUE;
        heap_set(&engine->deadlines, &run->deadline.item,
                 step->mono_ms + engine->config.queue_max_ms);
    } else if (from == STATE_QUEUED || to == STATE_CANCELING || state_is_final(to)) {
        heap_remove(&engine->deadlines, &run->deadline.item);
    }
    set_text(engine, &run->row.message, reason);
    run->repair.state = to;
    set_text(engine, &run->repair.message, reason);
    track(engine, &run->tracked); /* before what refers to it */
    track(engine, &run->repair_tracked);
    add_event(step, run, NULL, EVENT_RUN_STATE, from, to, reason, decision);
    if (state_is_final(to))
        alarm_run_ended(step, run);
    campaign_run_moved(step, run, from);
    holds_run_moved(engine, &run->row, from);
    if (state_is_final(to) && uuid_map_get(&engine->waiters, &run->row.key))
        list_append(&engine->runs_ended, &run->ended);
}

void run_end_hold(struct step *step, struct erun *run, const char *reason, const char *decision)
{
    struct engine *engine = step->engine;
    assert(run->row.state == STATE_QUEUED && run->row.is_held);
    run_delist(engine, run, STATE_QUEUED);
    run->row.is_held = 0;
    run_enlist(engine, run);
    run_say(step, run, reason, decision);
}

void run_say(struct step *step, struct erun *run, const char *reason, const char *decision)
{
    struct engine *engine = step->engine;
    set_text(engine, &run->row.message, reason);
    set_text(engine, &run->repair.message, reason);
    track(engine, &run->tracked);
    track(engine, &run->repair_tracked);
    note_event(step, run, NULL, EVENT_NOTE, reason, decision);
}

/* ---- tasks ---- */

static bool is_live(enum state state)
{
    return state == STATE_RUNNING || state == STATE_CANCELING;
}

static bool holds_execution_slot(const struct etask *task, enum state state)
{
    bool in_setup = state == STATE_PENDING && task->in_setup;
    return (is_live(state) || in_setup) && task_has_process(task);
}

void task_enlist(struct engine *engine, struct etask *task)
{
    struct erun *run = task->run;
    enum state state = task->row.state;
    if (!state_is_final(state))
        run->open_count++;
    if (holds_execution_slot(task, state)) {
        run->live_count++;
        engine->live_count++;
    }
    bool is_ready = state == STATE_QUEUED;
    engine->ready_count += is_ready;
    if (is_ready && task_def_of(task)->type == TASK_JOB && !run->row.is_suspended) {
        list_append(&engine->launches, &task->ready);
    } else if (is_ready) {
        list_append(&run->ready, &task->ready);
        if (!run->row.is_suspended && !list_is_linked(&run->turn))
            list_append(&engine->runs_ready, &run->turn);
    }
}

static void task_delist(struct engine *engine, struct etask *task, enum state state)
{
    struct erun *run = task->run;
    if (state == STATE_NEW)
        return;
    if (!state_is_final(state))
        run->open_count--;
    if (holds_execution_slot(task, state)) {
        run->live_count--;
        engine->live_count--;
    }
    if (state == STATE_QUEUED) {
        engine->ready_count--;
        list_remove(&task->ready);
        if (list_is_empty(&run->ready))
            list_remove(&run->turn);
    }
}

void task_move(struct step *step, struct etask *task, enum state to, const char *reason,
               const char *decision)
{
    struct engine *engine = step->engine;
    struct erun *run = task->run;
    enum state from = task->row.state;
    assert(state_task_may_move(from, to));
    task_delist(engine, task, from);
    if (to != STATE_PENDING)
        task->in_setup = false;
    task->row.state = to;
    task_enlist(engine, task);
    heap_remove(&engine->deadlines, &task->timer.item);
    task->row.retry_at_ms = FIELD_NULL;
    set_text(engine, &task->row.message, reason);
    add_event(step, run, task, EVENT_TASK_STATE, from, to, reason, decision);
    if (!state_is_final(to))
        return;
    list_append(&engine->tasks_settled, &task->settled);
    if (run->open_count == 0 && !list_is_linked(&run->ending))
        list_append(&engine->runs_ending, &run->ending);
}
