/*
 * Held runs (RULES §10), said a second time: none goes on before the runs of its upstream windows are as its
 * policies want them, none is canceled but for one that failed, and none waits for nothing.
 */
#include <string.h>

#include "base/mem.h"
#include "model/def.h"
#include "sim/book_check.h"
#include "sim/law.h"

struct booked_window {
    struct uuid job;
    int64_t from_ms, to_ms;
    int policy;
};

static void add_window(struct booked_run *run, const char *job, int64_t from_ms, int64_t to_ms,
                       int policy)
{
    struct booked_window *window = &run->windows[run->window_count++];
    *window = (struct booked_window){.from_ms = from_ms, .to_ms = to_ms, .policy = policy};
    if (!uuid_parse(job, &window->job))
        broken("a job depends on what is no key");
}

/* False: the law knows nothing of when it was planned before. */
static bool find_windows(struct booked_run *run)
{
    struct err err;
    struct job_def *def;
    char own[UUID_TEXT];
    if (run->windows)
        return run->window_count > 0;
    int64_t version = run->row.definition_version;
    if (job_def_load(run->job->versions[version - 1].definition, version, &def, &err))
        broken("a stored definition does not load: %s", err.message);
    const struct job_details *details = &def->details;
    const struct job_dependency *items = details->dependencies.items;
    run->windows = ARENA_ARRAY(&run->arena, details->dependencies.count + 1, struct booked_window);
    int64_t every_ms = book_plan_period(details->schedule);
    int64_t plan_ms = run->row.plan_ms;
    for (size_t i = 0; i < details->dependencies.count && every_ms; i++) {
        int64_t to_ms = items[i].period == PERIOD_PRE ? plan_ms - every_ms : plan_ms;
        add_window(run, items[i].job_key, to_ms - every_ms + 1, to_ms, items[i].fail_policy);
    }
    bool counts = details->previous_runs_from_ms == FIELD_NULL ||
                  plan_ms - every_ms >= details->previous_runs_from_ms;
    if (details->depends_on_previous_run == 1 && every_ms && counts)
        add_window(run, uuid_format(&run->row.job, own), plan_ms - every_ms, plan_ms - 1,
                   DEPENDENCY_SUSPEND);
    job_def_unref(def);
    return run->window_count > 0;
}

/* As of an event; STATE_NEW: it was not there yet. */
static enum state state_at(const struct booked_run *run, int64_t number)
{
    enum state state = STATE_NEW;
    for (size_t i = 0; i < run->event_count && run->events[i].number < number; i++)
        if (run->events[i].type == EVENT_RUN_STATE)
            state = run->events[i].to;
    return state;
}

enum slot { SLOT_MET, SLOT_OPEN, SLOT_FAILED };

/* Is it a run of the job for a planned time? A child is its parent's. */
static bool is_instance(const struct booked_run *run, const struct uuid *job)
{
    return run->row.launched == LAUNCHED_SCHEDULED && run->row.instance_type != INSTANCE_SUB_JOB &&
           uuid_equal(&run->row.job, job);
}

/* One planned time of an upstream job, of which `one` is a run. */
static enum slot slot_at(const struct book *book, const struct booked_run *one, int64_t number)
{
    bool is_open = false;
    for (size_t i = 0; i < book->run_count; i++) {
        const struct booked_run *run = book->runs[i];
        if (run->row.plan_ms != one->row.plan_ms || !is_instance(run, &one->row.job))
            continue;
        enum state state = state_at(run, number);
        if (state == STATE_SUCCESS)
            return SLOT_MET;
        is_open = is_open || (state != STATE_NEW && !law_is_final(state));
    }
    return is_open ? SLOT_OPEN : SLOT_FAILED;
}

/* Will a schedule fire in the window? A guess where the law does not know when it fires. */
static bool is_to_come(const struct book *book, const struct booked_window *window, bool guess)
{
    const struct schedule_row *row = uuid_map_get(&book->schedules, &window->job);
    if (!row || row->kind != SCHEDULE_CRON || row->active != 1)
        return false;
    int64_t every_ms = book_schedule_period(row);
    int64_t after_ms = row->cursor_ms < window->from_ms ? window->from_ms - 1 : row->cursor_ms;
    if (!every_ms)
        return guess && after_ms < window->to_ms;
    return after_ms / every_ms * every_ms + every_ms <= window->to_ms;
}

struct tally {
    size_t open, failed, fatal;
};

static struct tally count_at(const struct book *book, const struct booked_run *held, int64_t number)
{
    struct tally tally = {0};
    for (size_t w = 0; w < held->window_count; w++) {
        const struct booked_window *window = &held->windows[w];
        for (size_t i = 0; i < book->run_count; i++) {
            const struct booked_run *run = book->runs[i];
            if (run->row.plan_ms < window->from_ms || run->row.plan_ms > window->to_ms ||
                run == held || !is_instance(run, &window->job) ||
                state_at(run, number) == STATE_NEW)
                continue;
            enum slot slot = slot_at(book, run, number);
            tally.open += slot == SLOT_OPEN;
            tally.failed += slot == SLOT_FAILED && window->policy != DEPENDENCY_IGNORE;
            tally.fatal += slot == SLOT_FAILED && window->policy == DEPENDENCY_FAIL;
        }
    }
    return tally;
}

static bool is_about(const struct event_row *event, const char *text)
{
    return event->decision && strstr(event->decision, text);
}

bool book_was_held(const struct booked_run *run)
{
    return run->event_count && is_about(&run->events[0], "\"JOB_DEPENDENCY\"");
}

/* The event by which it was held no more, NULL: it is. */
static const struct event_row *end_of_hold(const struct booked_run *run)
{
    for (size_t i = 1; i < run->event_count; i++) {
        const struct event_row *event = &run->events[i];
        bool leaves = event->type == EVENT_RUN_STATE && event->from == STATE_QUEUED;
        if (leaves || (event->type == EVENT_NOTE && is_about(event, "\"RUN_SLOT\"")))
            return event;
    }
    return NULL;
}

void book_check_hold(const struct book *book, struct booked_run *run)
{
    const struct event_row *end = book_was_held(run) ? end_of_hold(run) : NULL;
    if (run->row.is_held && (run->row.state != STATE_QUEUED || end || !book_was_held(run)))
        broken("a run is held and %s", state_name(run->row.state));
    if (!end || run->hold_is_checked)
        return;
    run->hold_is_checked = true;
    if (!find_windows(run))
        return;
    struct tally tally = count_at(book, run, end->number);
    for (size_t w = 0; w < run->window_count; w++)
        tally.open += is_to_come(book, &run->windows[w], false);
    bool goes_on = end->to == STATE_PENDING || end->to == STATE_QUEUED;
    if (goes_on && (tally.open || tally.failed))
        broken("a held run goes on, and of what it waits for %zu are open and %zu failed",
               tally.open, tally.failed);
    bool by_policy = end->to == STATE_CANCELED && strstr(end->reason, "it depends on");
    if (by_policy && !tally.fatal)
        broken("a held run is canceled, and nothing that it waits for failed");
}

void book_check_waiting(const struct book *book)
{
    for (size_t i = 0; i < book->run_count; i++) {
        struct booked_run *run = book->runs[i];
        if (!run->row.is_held || !find_windows(run))
            continue;
        struct tally tally = count_at(book, run, INT64_MAX);
        bool to_come = false;
        for (size_t w = 0; w < run->window_count; w++)
            to_come = to_come || is_to_come(book, &run->windows[w], true);
        if (tally.fatal || !(tally.open || tally.failed || to_come))
            broken("run %lld is held, with %zu open, %zu failed, %zu of them fatal, before it",
                   (long long)run->row.number, tally.open, tally.failed, tally.fatal);
    }
}
