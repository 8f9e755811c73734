/*
 * What a server that was killed has left of attempts whose outcome it had committed (DURABILITY §3: the row is final,
 * sweep the record). It removes remains a moment later and many together, so those of its last moments stay.
 *
 * They are found by the newest events. What is older than SWEPT_MS before the last of them, or not among the
 * SWEPT_EVENTS newest, goes with its run.
 */
#include "server/pump_internal.h"

enum {
    SWEPT_MS = 10 * 1000,
    SWEPT_EVENTS = 8192,
    PAGE_EVENTS = 1024, /* a block of the store's */
};

static void sweep_attempt(struct pump *pump, const struct event_row *event, struct arena *arena)
{
    const int64_t workspace = pump->workspace.id;
    struct task_run_row task_run;
    struct attempt_row *attempt;
    if (!store_get_task_run(pump->reader, workspace, &event->task_run, arena, &task_run) ||
        !store_attempts(pump->reader, workspace, &task_run.key, event->attempt, 1, arena,
                        &attempt) ||
        attempt->number != event->attempt || !state_is_final(attempt->state))
        return;
    const struct attempt_id id = {task_run.run, task_run.key, task_run.repair_number,
                                  attempt->number, attempt->epoch};
    exec_sweep(pump->exec, &id);
}

/* Could an attempt have ended with it? */
static bool tells_end(const struct event_row *event)
{
    return event->type == EVENT_TASK_STATE && event->attempt != FIELD_NULL &&
           event->to != STATE_PENDING && event->to != STATE_RUNNING;
}

/* The page that ends with event `upto`; of what came before `from_ms` nothing. False: so is what is before the page. */
static bool sweep_page(struct pump *pump, int64_t upto, int64_t *from_ms)
{
    const struct event_filter all = {.run = NULL};
    struct arena arena;
    struct event_row *events;
    int64_t ignored;
    arena_init(&arena);
    store_read_begin(pump->reader);
    size_t count = store_workspace_events(pump->reader, pump->workspace.id, &all,
                                          upto - PAGE_EVENTS, PAGE_EVENTS, &arena, &events,
                                          &ignored);
    if (count && *from_ms == FIELD_NULL)
        *from_ms = events[count - 1].time_ms - SWEPT_MS;
    for (size_t i = 0; i < count; i++)
        if (tells_end(&events[i]) && events[i].time_ms >= *from_ms)
            sweep_attempt(pump, &events[i], &arena);
    bool goes_on = count && events[0].time_ms >= *from_ms;
    store_read_end(pump->reader);
    arena_release(&arena);
    return goes_on;
}

void pump_sweep(struct pump *pump)
{
    int64_t from_ms = FIELD_NULL;
    store_read_begin(pump->reader);
    int64_t newest = store_newest_event(pump->reader, pump->workspace.id);
    store_read_end(pump->reader);
    for (int64_t upto = newest; upto > 0 && upto > newest - SWEPT_EVENTS; upto -= PAGE_EVENTS)
        if (!sweep_page(pump, upto, &from_ms))
            return;
}
