#include "engine/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"

enum {
    IDLE_JOBS_KEPT = 1024,      /* jobs without runs that are kept for the next command, */
    IDLE_BYTES_KEPT = 32 << 20, /* and bytes of their definitions */
    TIMER_MAX_ROWS = 5000, /* a step that has made so many leaves further deadlines to the next */
    PART_MAX_ROWS = 5000,  /* likewise further launches and chores */
    PART_MAX_BYTES =
        32 << 20, /* a batch with so much of texts leaves further launches to the next */
};

/* ---- effects ---- */

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
    arena_init(&effects->arena);
    row_batch_init(&effects->rows);
    row_batch_init(&effects->events);
    row_batch_init(&effects->deletes);
}

void effects_release(struct effects *effects)
{
    arena_release(&effects->arena);
    row_batch_release(&effects->rows);
    row_batch_release(&effects->events);
    row_batch_release(&effects->deletes);
    free(effects->starts);
    free(effects->prepares);
    free(effects->stops);
    free(effects->purges);
    free(effects->wants);
    effects_init(effects);
}

void effects_clear(struct effects *effects)
{
    arena_clear(&effects->arena);
    row_batch_clear(&effects->rows);
    row_batch_clear(&effects->events);
    row_batch_clear(&effects->deletes);
    effects->start_count = effects->prepare_count = effects->stop_count = 0;
    effects->purge_count = effects->want_count = 0;
    effects->plan = NULL;
}

/* ---- strings and rows in flight ---- */

void set_text(struct engine *engine, const char **slot, const char *value)
{
    if (*slot) {
        GROW(engine->garbage, engine->garbage_count, engine->garbage_cap);
        engine->garbage[engine->garbage_count++] = *slot;
    }
    *slot = value ? xstrdup(value) : NULL;
}

static void free_garbage(struct engine *engine)
{
    for (size_t i = 0; i < engine->garbage_count; i++)
        free((char *)(uintptr_t)engine->garbage[i]);
    engine->garbage_count = 0;
    for (size_t i = 0; i < engine->retired_count; i++)
        job_def_unref(engine->retired[i]);
    engine->retired_count = 0;
}

void track(struct engine *engine, struct tracked *tracked)
{
    if (!list_is_linked(&tracked->link))
        list_append(&engine->dirty, &tracked->link);
}

static enum row_action next_action(struct tracked *tracked)
{
    enum row_action action = tracked->is_stored ? ROW_UPDATE : ROW_INSERT;
    tracked->is_stored = true;
    return action;
}

void track_flush(struct step *step, struct tracked *tracked, size_t row_size)
{
    if (!list_is_linked(&tracked->link))
        return;
    list_remove(&tracked->link);
    const void *copy = arena_memdup(&step->fx->arena, tracked->row, row_size);
    row_batch_add(&step->fx->rows, tracked->kind, next_action(tracked), copy);
}

void engine_collect(struct engine *engine, struct effects *effects)
{
    LIST_EACH_SAFE (&engine->dirty, node) {
        struct tracked *tracked = LIST_ITEM(node, struct tracked, link);
        list_remove(node);
        row_batch_add(&effects->rows, tracked->kind, next_action(tracked), tracked->row);
    }
    const struct row_batch *parts[] = {&effects->events, &effects->deletes};
    for (size_t p = 0; p < ARRAY_LEN(parts); p++)
        for (size_t i = 0; i < parts[p]->count; i++)
            row_batch_add(&effects->rows, parts[p]->items[i].kind, parts[p]->items[i].action,
                          parts[p]->items[i].row);
    row_batch_clear(&effects->events);
    row_batch_clear(&effects->deletes);
}

/* ---- life ---- */

struct engine *engine_new(const struct engine_config *config)
{
    struct engine *engine = xcalloc(1, sizeof *engine);
    engine->config = *config;
    engine->config.hub_region = xstrdup(config->hub_region ? config->hub_region : "");
    engine->config.host = xstrdup(config->host ? config->host : "");
    engine->workspace = config->workspace;
    engine->jobs_limit = IDLE_JOBS_KEPT;
    engine->def_bytes_limit = IDLE_BYTES_KEPT;
    uuid_source_init(&engine->ids, config->workspace.last_ms, 0);
    uuid_map_init(&engine->jobs);
    uuid_map_init(&engine->runs);
    uuid_map_init(&engine->tasks);
    uuid_map_init(&engine->waiters);
    uuid_map_init(&engine->missing_jobs);
    uuid_map_init(&engine->missing_runs);
    heap_init(&engine->deadlines);
    uuid_map_init(&engine->alarms);
    heap_init(&engine->alarms_due);
    engine->alarms_now_ms = INT64_MAX;
    list_init(&engine->alarms_parked);
    list_init(&engine->runs_ready);
    list_init(&engine->tasks_settled);
    list_init(&engine->runs_ending);
    list_init(&engine->freed);
    list_init(&engine->launches);
    list_init(&engine->launches_parked);
    list_init(&engine->maintenance);
    list_init(&engine->sweeps);
    list_init(&engine->runs_ended);
    list_init(&engine->dirty);
    list_init(&engine->done);
    campaigns_init(engine);
    holds_init(engine);
    return engine;
}

/* What is on a map, in an array that the caller frees: to be let go of while the map changes. */
static void *map_values(const struct uuid_map *map)
{
    void **values = xcalloc(map->count + 1, sizeof *values);
    size_t cursor = 0;
    for (size_t i = 0; (values[i] = uuid_map_next(map, &cursor)); i++)
        ;
    return values;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    campaigns_free(engine);
    wants_forget(engine);
    struct erun **runs = map_values(&engine->runs);
    for (size_t i = 0; runs[i]; i++)
        run_free(engine, runs[i]);
    free(runs);
    struct ejob **jobs = map_values(&engine->jobs);
    for (size_t i = 0; jobs[i]; i++)
        job_free(engine, jobs[i]);
    free(jobs);
    struct ealarm **alarms = map_values(&engine->alarms);
    for (size_t i = 0; alarms[i]; i++)
        alarm_free(engine, alarms[i]);
    free(alarms);
    holds_free(engine);
    free_garbage(engine);
    free(engine->garbage);
    free(engine->retired);
    free(engine->versions);
    free(engine->slots);
    uuid_map_release(&engine->jobs);
    uuid_map_release(&engine->runs);
    uuid_map_release(&engine->tasks);
    uuid_map_release(&engine->waiters);
    uuid_map_release(&engine->missing_jobs);
    uuid_map_release(&engine->missing_runs);
    heap_release(&engine->deadlines);
    uuid_map_release(&engine->alarms);
    heap_release(&engine->alarms_due);
    free((char *)(uintptr_t)engine->config.hub_region);
    free((char *)(uintptr_t)engine->config.host);
    free(engine);
}

struct ejob *engine_job(const struct engine *engine, const struct uuid *key)
{
    return uuid_map_get(&engine->jobs, key);
}

struct erun *engine_run(const struct engine *engine, const struct uuid *key)
{
    return uuid_map_get(&engine->runs, key);
}

bool engine_has_job(const struct engine *engine, const struct uuid *key)
{
    return engine_job(engine, key) != NULL;
}

/* What is deleted is there no more, and no more of it is needed. */
bool engine_has_run(const struct engine *engine, const struct uuid *key)
{
    const struct erun *run = engine_run(engine, key);
    return run && (!run->is_outline || run->is_deleted);
}

struct workspace_row *engine_workspace(struct engine *engine)
{
    return &engine->workspace;
}

size_t engine_run_count(const struct engine *engine)
{
    return engine->runs.count;
}

size_t engine_attempt_count(const struct engine *engine)
{
    return engine->live_count;
}

size_t engine_ready_count(const struct engine *engine)
{
    return engine->ready_count;
}

static bool launches_wait(const struct engine *engine)
{
    return !engine->is_draining && !list_is_empty(&engine->launches);
}

int64_t engine_next_deadline(const struct engine *engine)
{
    const struct heap_item *first = heap_first(&engine->deadlines);
    if (chores_left(engine) || launches_wait(engine) || campaigns_left(engine) ||
        holds_wait(engine))
        return 0; /* now */
    return first ? first->deadline_ms : INT64_MAX;
}

struct uuid step_new_key(struct step *step)
{
    struct engine *engine = step->engine;
    struct uuid key = uuid_next(&engine->ids, step->now_ms);
    engine->workspace.last_ms = engine->ids.last_ms;
    return key;
}

static size_t twice(size_t count, size_t least)
{
    return count * 2 > least ? count * 2 : least;
}

/* Jobs that have runs stay, however many and large: next time is when there are twice as many, or as much. */
static void free_idle_jobs(struct engine *engine)
{
    bool is_too_large = engine->def_bytes > engine->def_bytes_limit; /* all go that have no runs */
    uint64_t unused_steps = is_too_large ? 0 : IDLE_JOBS_KEPT / 2;
    struct ejob **jobs = map_values(&engine->jobs);
    for (size_t i = 0; jobs[i]; i++)
        if (!jobs[i]->run_count && engine->step - jobs[i]->used > unused_steps)
            job_free(engine, jobs[i]);
    free(jobs);
    engine->jobs_limit = twice(engine->jobs.count, IDLE_JOBS_KEPT);
    engine->def_bytes_limit = twice(engine->def_bytes, IDLE_BYTES_KEPT);
}

/* Final runs and jobs that nobody needs go once their rows are safe. */
void engine_committed(struct engine *engine)
{
    LIST_EACH_SAFE (&engine->done, node)
        run_free(engine, LIST_ITEM(node, struct erun, done));
    campaigns_committed(engine);
    holds_committed(engine);
    if (engine->jobs.count > engine->jobs_limit || engine->def_bytes > engine->def_bytes_limit)
        free_idle_jobs(engine);
    wants_forget(engine);
    free_garbage(engine);
}

/* ---- the step ---- */

bool engine_wants_slot(const struct engine *engine)
{
    return !engine->is_draining && !list_is_empty(&engine->runs_ready);
}

static void put_first(struct list *head, struct list *node)
{
    list_remove(node);
    list_insert_before(head->next, node);
}

bool engine_let_pass(struct engine *engine, const struct uuid *task_run)
{
    struct etask *task = uuid_map_get(&engine->tasks, task_run);
    bool waits = task && task->row.state == STATE_QUEUED && task_def_of(task)->type != TASK_JOB &&
                 list_is_linked(&task->run->turn);
    if (!waits || engine->is_draining)
        return false;
    put_first(&task->run->ready, &task->ready);
    put_first(&engine->runs_ready, &task->run->turn);
    return true;
}

static bool may_start(const struct engine *engine)
{
    int64_t max = engine->config.max_running;
    return engine_wants_slot(engine) && engine->slots_elsewhere != ENGINE_NO_SLOT &&
           (max == 0 || (int64_t)engine->live_count + engine->slots_elsewhere < max);
}

/* One task of the run whose turn it is; the run goes to the end of the line. */
static void start_next(struct step *step)
{
    struct engine *engine = step->engine;
    struct erun *run = LIST_ITEM(engine->runs_ready.next, struct erun, turn);
    struct etask *task = LIST_ITEM(run->ready.next, struct etask, ready);
    list_remove(&run->turn);
    list_append(&engine->runs_ready, &run->turn);
    attempt_start(step, task);
}

static bool may_launch(const struct step *step, size_t enough)
{
    return step->fx->events.count < enough && step->fx->arena.used < PART_MAX_BYTES;
}

void engine_settle(struct step *step)
{
    struct engine *engine = step->engine;
    size_t enough = step->fx->events.count + PART_MAX_ROWS;
    for (;;) {
        if (!list_is_empty(&engine->tasks_settled)) {
            task_propagate(step,
                           LIST_ITEM(list_take(&engine->tasks_settled), struct etask, settled));
        } else if (!list_is_empty(&engine->runs_ending)) {
            run_finish(step, LIST_ITEM(list_take(&engine->runs_ending), struct erun, ending));
        } else if (!list_is_empty(&engine->runs_ended)) {
            child_ended(step, LIST_ITEM(list_take(&engine->runs_ended), struct erun, ended));
        } else if (!list_is_empty(&engine->freed)) {
            job_admit(step, LIST_ITEM(list_take(&engine->freed), struct ejob, freed));
        } else if (holds_may_go(engine) && step->fx->events.count < enough) {
            hold_review(step);
        } else if (launches_wait(engine) && may_launch(step, enough)) {
            child_launch(step, LIST_ITEM(engine->launches.next, struct etask, ready));
        } else if (campaigns_left(engine) && may_launch(step, enough)) {
            campaign_work(step);
        } else if (may_start(engine)) {
            start_next(step);
        } else if (chores_left(engine) && step->fx->events.count < enough) {
            chores_do_one(step);
        } else {
            return;
        }
    }
}

static void step_timer(struct step *step)
{
    struct engine *engine = step->engine;
    size_t enough = step->fx->events.count + TIMER_MAX_ROWS;
    while (step->fx->events.count < enough) {
        struct heap_item *item = heap_first(&engine->deadlines);
        if (!item || item->deadline_ms > step->mono_ms)
            return;
        heap_remove(&engine->deadlines, item);
        struct deadline *deadline = CONTAINER_OF(item, struct deadline, item);
        if (deadline->kind == DEADLINE_RETRY)
            task_retry_due(step, TASK_OF_TIMER(deadline));
        else if (deadline->kind == DEADLINE_TASK_TIMEOUT)
            child_timed_out(step, TASK_OF_TIMER(deadline));
        else
            run_deadline(step, RUN_OF_DEADLINE(deadline), deadline->kind);
    }
}

/* The task whose newest attempt a report is about, or NULL when the report is stale: it changes
 * nothing then. */
static struct etask *reported_task(const struct engine *engine, const struct attempt_ref *ref)
{
    struct etask *task = uuid_map_get(&engine->tasks, &ref->task_run);
    if (!task || !task->attempt || task->number_is_free || task_def_of(task)->type == TASK_JOB)
        return NULL;
    if (task->attempt->number != ref->attempt || task->attempt->epoch != ref->epoch)
        return NULL;
    bool live = task->row.state == STATE_RUNNING || task->row.state == STATE_CANCELING;
    return live ? task : NULL;
}

/* The task that is set up for this attempt, or NULL when it is none any more. */
static struct etask *prepared_task(const struct engine *engine, const struct attempt_ref *ref)
{
    struct etask *task = uuid_map_get(&engine->tasks, &ref->task_run);
    bool waits = task && task->in_setup && task->row.attempts == ref->attempt &&
                 ref->epoch == engine->workspace.epoch;
    return waits ? task : NULL;
}

/* The task that an event is about, or NULL: it is about none. False when the event is stale. */
static bool task_of_event(const struct engine *engine, const struct engine_event *event,
                          struct etask **ret)
{
    switch (event->kind) {
    case ENGINE_OUTCOME:
    case ENGINE_VOID:
    case ENGINE_LOST:
    case ENGINE_NEWS:
        *ret = reported_task(engine, &event->attempt);
        return *ret != NULL;
    case ENGINE_PREPARED:
        *ret = prepared_task(engine, &event->attempt);
        return *ret != NULL;
    case ENGINE_COMMAND:
    case ENGINE_TIMER:
    case ENGINE_DRAIN:
    case ENGINE_LOADED:
    default:
        *ret = NULL;
        return true;
    }
}

void engine_step(struct engine *engine, const struct engine_event *event, struct effects *effects)
{
    struct step step = {engine, effects, event->now_ms, event->mono_ms, event->zone};
    bool is_waiting = engine->parked_command || !list_is_empty(&engine->launches_parked);
    assert(!is_waiting || event->kind == ENGINE_LOADED);
    engine->ids.seed = event->seed;
    engine->slots_elsewhere = event->slots_elsewhere;
    engine->step++;
    alarms_note_clock(engine, event->now_ms);
    struct etask *task;
    if (!task_of_event(engine, event, &task))
        return;
    switch (event->kind) {
    case ENGINE_COMMAND:
        command_step(&step, event->command, event->result);
        break;
    case ENGINE_OUTCOME:
        attempt_outcome(&step, task, &event->outcome);
        break;
    case ENGINE_VOID:
        attempt_void(&step, task);
        break;
    case ENGINE_LOST:
        attempt_lost(&step, task, &event->outcome);
        break;
    case ENGINE_NEWS:
        attempt_news(&step, task, &event->news);
        break;
    case ENGINE_PREPARED:
        attempt_prepared(&step, task, &event->prepared);
        break;
    case ENGINE_TIMER:
        step_timer(&step);
        alarms_ring(&step, effects->events.count + TIMER_MAX_ROWS);
        break;
    case ENGINE_DRAIN:
        maintenance_begin(engine);
        break;
    case ENGINE_LOADED:
        effects->want_count = 0;
        wants_go_on(&step);
        alarms_go_on(&step, effects->events.count + TIMER_MAX_ROWS);
        campaigns_go_on(&step);
        holds_go_on(engine);
        break;
    default:
        assert(!"unknown event");
    }
    engine_settle(&step);
}
