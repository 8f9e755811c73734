/*
 * Held runs (RULES §10, dependJobs): a run that a cron schedule fires, of a job that depends on jobs or on
 * its own run before, is QUEUED, outside the line of its job, until the runs of its upstream windows are as
 * it wants them.
 *
 *      fired ──> held ──> everything has succeeded ────────> where a new run goes: a slot, or the line
 *                  ├────> something failed, policy FAIL ───> CANCELED
 *                  └────> 48 h (the queue's limit) ────────> SKIPPED
 *
 * Windows, with t the planned time of the run and P(t) the one before it by the run's own definition: a
 * dependency on job U is one on U's runs planned in (P(t), t], with PRE_PERIOD in (P(P(t)), P(t)];
 * dependsOnPreviousRun on the job's own in [P(t), t). Of a job that fires once there is no P(t): U's newest
 * planned time counts. Runs that were started by hand are for no planned time, and a child is its parent's.
 *
 * Of one planned time it is enough that one of its runs has succeeded. Else, as long as one is not final, or
 * U's schedule has yet to fire it, it is waited for; else it failed, and the policy says what that means:
 * FAIL cancels, SUSPEND (and dependsOnPreviousRun) waits until it has been repaired, IGNORE takes any end.
 *
 * Nothing is stored but that the run is held. What it waits for follows from its row and definition, and how
 * that stands from the rows of others: it is looked up when something moves that may matter, and after
 * loading. So no crash can lose or double it, and an engine made from the store comes to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "engine/internal.h"

/* What the holds of one batch may ask for and read. Rows are counted when they have come: one hold may go
 * past the limit. */
enum { BATCH_MAX_HOLDS = 200, BATCH_MAX_ROWS = 20000 };

enum hold_verdict { HOLD_OPEN, HOLD_WAITS, HOLD_STUCK, HOLD_OVER }; /* the strongest wins */

struct hold_window {
    struct hold *hold;
    struct uuid job; /* upstream */
    int64_t from_ms, to_ms;
    int policy; /* enum dependency_policy */
    bool is_own;
    bool newest_only;   /* of its planned times */
    struct list of_job; /* in hold_jobs.windows */
    bool is_read;       /* `runs` is there, as of hold->batch */
    struct window_run *runs;
    size_t count;
};

/* What decides. */
struct sight {
    enum hold_verdict verdict;
    const struct hold_window *window;
    int64_t plan_ms;
    struct uuid run; /* nil: not there yet */
    enum state state;
};

struct hold {
    struct erun *run;
    struct hold_window *windows;
    size_t count;
    struct heap_item due; /* in engine->holds_due */
    struct list parked;   /* in engine->holds_parked */
    struct sight sight;   /* as of the last look */
    uint64_t batch;       /* in which its windows were last asked for: no later one goes by them */
    struct arena arena;   /* of what was read */
};

/* Those who wait for runs of one job. */
struct hold_jobs {
    struct uuid job;
    struct list windows;
};

bool hold_is_asked_for(const struct job_def *def)
{
    return def->details.dependencies.count > 0 || def->details.depends_on_previous_run == 1;
}

/* ---- windows ---- */

struct clock {
    struct cron cron;
    struct zone *zone; /* NULL: the run's definition has no schedule */
};

/* Before everything: what has no previous planned time. */
static int64_t previous(const struct clock *clock, int64_t plan_ms)
{
    int64_t found;
    bool is_there = clock->zone && plan_ms != INT64_MIN &&
                    cron_previous(&clock->cron, clock->zone, plan_ms, &found);
    return is_there ? found : INT64_MIN;
}

static void add_window(struct engine *engine, struct hold *hold, struct hold_window window)
{
    struct hold_jobs *jobs = uuid_map_get(&engine->holds, &window.job);
    if (!jobs) {
        jobs = xcalloc(1, sizeof *jobs);
        jobs->job = window.job;
        list_init(&jobs->windows);
        uuid_map_put(&engine->holds, &jobs->job, jobs);
    }
    struct hold_window *own = &hold->windows[hold->count++];
    *own = window;
    own->hold = hold;
    list_append(&jobs->windows, &own->of_job);
}

/* A planned time and the two before it. */
struct periods {
    int64_t plan_ms, before_ms, earlier_ms;
};

static void add_dependency(struct engine *engine, struct hold *hold, const struct periods *periods,
                           const struct job_dependency *dependency)
{
    bool is_pre = dependency->period == PERIOD_PRE;
    bool is_first = periods->before_ms == INT64_MIN;
    int64_t before_ms = is_pre ? periods->earlier_ms : periods->before_ms;
    struct hold_window window = {
        .policy = dependency->fail_policy,
        .from_ms = before_ms == INT64_MIN ? INT64_MIN : before_ms + 1,
        .to_ms = is_pre ? periods->before_ms : periods->plan_ms,
        .newest_only = is_first,
    };
    if (uuid_parse(dependency->job_key, &window.job) && !(is_pre && is_first))
        add_window(engine, hold, window);
}

static void find_windows(struct engine *engine, struct hold *hold)
{
    const struct erun *run = hold->run;
    const struct job_details *details = &run->def->details;
    const struct job_dependency *items = details->dependencies.items;
    struct clock clock = {.zone = NULL};
    struct cron_error ignored;
    if (details->schedule &&
        cron_parse(details->schedule->quartz_cron_expression, &clock.cron, &ignored))
        clock.zone = run_zone(engine, run);
    struct periods periods = {.plan_ms = run->row.plan_ms};
    periods.before_ms = previous(&clock, periods.plan_ms);
    periods.earlier_ms = previous(&clock, periods.before_ms);
    hold->windows = xcalloc(details->dependencies.count + 1, sizeof *hold->windows);
    for (size_t i = 0; i < details->dependencies.count; i++)
        add_dependency(engine, hold, &periods, &items[i]);
    bool counts = details->previous_runs_from_ms == FIELD_NULL ||
                  periods.before_ms >= details->previous_runs_from_ms;
    if (details->depends_on_previous_run == 1 && periods.before_ms != INT64_MIN && counts)
        add_window(engine, hold,
                   (struct hold_window){.job = run->row.job,
                                        .from_ms = periods.before_ms,
                                        .to_ms = periods.plan_ms - 1,
                                        .policy = DEPENDENCY_SUSPEND,
                                        .is_own = true});
    zone_unref(clock.zone);
}

/* ---- life ---- */

/* By number, so that what is looked at comes in one order whenever it was put down. */
static void set_due(struct engine *engine, struct hold *hold)
{
    if (!hold->due.place && !list_is_linked(&hold->parked))
        heap_set(&engine->holds_due, &hold->due, hold->run->row.number);
}

void hold_begin(struct engine *engine, struct erun *run)
{
    struct hold *hold = run->hold = xcalloc(1, sizeof *hold);
    hold->run = run;
    hold->sight.verdict = HOLD_WAITS;
    arena_init(&hold->arena);
    find_windows(engine, hold);
    set_due(engine, hold);
}

void hold_end(struct engine *engine, struct erun *run)
{
    struct hold *hold = run->hold;
    for (size_t i = 0; i < hold->count; i++) {
        struct hold_jobs *jobs = uuid_map_get(&engine->holds, &hold->windows[i].job);
        list_remove(&hold->windows[i].of_job);
        if (!list_is_empty(&jobs->windows))
            continue;
        uuid_map_remove(&engine->holds, &jobs->job);
        free(jobs);
    }
    heap_remove(&engine->holds_due, &hold->due);
    list_remove(&hold->parked);
    arena_release(&hold->arena);
    free(hold->windows);
    free(hold);
    run->hold = NULL;
}

void holds_init(struct engine *engine)
{
    uuid_map_init(&engine->holds);
    heap_init(&engine->holds_due);
    list_init(&engine->holds_parked);
    holds_committed(engine);
}

/* The runs are gone, and so is what they waited for. */
void holds_free(struct engine *engine)
{
    uuid_map_release(&engine->holds);
    heap_release(&engine->holds_due);
}

void holds_committed(struct engine *engine)
{
    engine->batch++;
    engine->holds_left = BATCH_MAX_HOLDS;
    engine->hold_rows_left = BATCH_MAX_ROWS;
}

/* ---- what moves ---- */

static bool covers(const struct hold_window *window, int64_t plan_ms)
{
    return plan_ms >= window->from_ms && plan_ms <= window->to_ms;
}

/* A child inherits from its parent how that was launched, and its planned time. */
static bool is_instance(int launched, int instance_type)
{
    return launched == LAUNCHED_SCHEDULED && instance_type != INSTANCE_SUB_JOB;
}

/* A success can only help whoever waited for just that. */
static bool matters(const struct hold_window *window, const struct run_row *run, enum state from)
{
    const struct sight *sight = &window->hold->sight;
    enum state to = run->state;
    if (!covers(window, run->plan_ms) || uuid_equal(&window->hold->run->row.key, &run->key))
        return false;
    if (to == STATE_SUCCESS && !state_is_final(from) && from != STATE_NEW)
        return !sight->window ||
               (uuid_equal(&sight->window->job, &window->job) && sight->plan_ms == run->plan_ms);
    return from == STATE_NEW || state_is_final(from) || state_is_final(to);
}

void holds_run_moved(struct engine *engine, const struct run_row *run, enum state from)
{
    const struct hold_jobs *jobs = uuid_map_get(&engine->holds, &run->job);
    if (!jobs || !is_instance(run->launched, run->instance_type))
        return;
    LIST_EACH (&jobs->windows, node) {
        struct hold_window *window = LIST_ITEM(node, struct hold_window, of_job);
        if (matters(window, run, from))
            set_due(engine, window->hold);
    }
}

void engine_run_removed(struct engine *engine, const struct run_row *run)
{
    holds_run_moved(engine, run, run->state);
}

void holds_alarm_moved(struct engine *engine, const struct uuid *job)
{
    const struct hold_jobs *jobs = uuid_map_get(&engine->holds, job);
    if (!jobs)
        return;
    LIST_EACH (&jobs->windows, node) {
        struct hold *hold = LIST_ITEM(node, struct hold_window, of_job)->hold;
        if (hold->sight.verdict == HOLD_WAITS && uuid_is_nil(&hold->sight.run))
            set_due(engine, hold);
    }
}

/* ---- reading ---- */

void hold_add_window(struct engine *engine, struct erun *run, const struct want *want,
                     const struct window_run *runs, size_t count)
{
    struct hold *hold = run->hold;
    engine->hold_rows_left -= count < engine->hold_rows_left ? count : engine->hold_rows_left;
    for (size_t i = 0; hold && i < hold->count; i++) {
        struct hold_window *window = &hold->windows[i];
        if (window->is_read || window->from_ms != want->from_ms || window->to_ms != want->to_ms ||
            !uuid_equal(&window->job, &want->key))
            continue;
        window->runs = ARENA_ARRAY(&hold->arena, count, struct window_run);
        window->count = 0;
        for (size_t r = 0; r < count; r++)
            if (is_instance(runs[r].launched, runs[r].instance_type))
                window->runs[window->count++] = runs[r];
        window->is_read = true;
    }
}

static void forget(struct hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        hold->windows[i].is_read = false;
    arena_release(&hold->arena); /* there may be ten thousand who wait */
}

static size_t count_read(const struct engine *engine, const struct hold *hold)
{
    size_t count = 0;
    for (size_t i = 0; i < hold->count && hold->batch == engine->batch; i++)
        count += hold->windows[i].is_read;
    return count;
}

/* Of this batch: after a commit, what has moved in it is no longer the engine's, and the rows say more. */
static bool is_read(const struct engine *engine, const struct hold *hold)
{
    return hold->count > 0 && count_read(engine, hold) == hold->count;
}

/* What has been begun is read to its end, so that something is read in every batch. */
bool engine_drops_want(const struct engine *engine, const struct want *want)
{
    const struct erun *run = want->kind == WANT_WINDOW ? engine_run(engine, &want->run) : NULL;
    return run && run->hold && engine->hold_rows_left == 0 && count_read(engine, run->hold) == 0;
}

/* False: parked until the rows are there. Jobs for their names. */
static bool bring(struct step *step, struct hold *hold)
{
    bool is_there = true;
    if (hold->batch != step->engine->batch)
        forget(hold);
    hold->batch = step->engine->batch;
    for (size_t i = 0; i < hold->count; i++) {
        const struct hold_window *window = &hold->windows[i];
        struct ejob *job;
        if (!window->is_read)
            want_window(step, &hold->run->row.key, &window->job, window->from_ms, window->to_ms);
        bool has_job = want_job(step, &window->job, &job) != WANT_ASKED;
        is_there = is_there && has_job && window->is_read;
    }
    return is_there;
}

/* ---- looking ---- */

static int newest_first(const void *a, const void *b)
{
    const struct window_run *x = a, *y = b;
    if (x->plan_ms != y->plan_ms)
        return x->plan_ms > y->plan_ms ? -1 : 1;
    return uuid_compare(&y->key, &x->key);
}

/* What the store has, but for runs that the engine knows better, and those. */
static struct window_run *runs_of(const struct engine *engine, const struct hold_window *window,
                                  size_t *ret_count)
{
    struct arena *arena = &window->hold->arena;
    const struct ejob *job = engine_job(engine, &window->job);
    size_t most = window->count + (job ? job->run_count : 0), count = 0;
    struct window_run *runs = ARENA_ARRAY(arena, most, struct window_run);
    for (size_t i = 0; i < window->count; i++)
        if (!engine_run(engine, &window->runs[i].key))
            runs[count++] = window->runs[i];
    if (job)
        LIST_EACH (&job->runs, node) {
            const struct run_row *row = &LIST_ITEM(node, struct erun, in_job)->row;
            if (is_instance(row->launched, row->instance_type) && covers(window, row->plan_ms) &&
                !LIST_ITEM(node, struct erun, in_job)->is_deleted)
                runs[count++] = (struct window_run){row->key, row->plan_ms, row->launched,
                                                    row->instance_type, row->state};
        }
    if (count)
        qsort(runs, count, sizeof *runs, newest_first);
    *ret_count = count;
    return runs;
}

/* The runs of one planned time: HOLD_OPEN, or which of them decides. */
static struct sight look_at_time(const struct hold_window *window, const struct window_run *runs,
                                 size_t count)
{
    const struct window_run *active = NULL;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].state == STATE_SUCCESS)
            return (struct sight){.verdict = HOLD_OPEN};
        if (!active && !state_is_final(runs[i].state))
            active = &runs[i];
    }
    const struct window_run *one = active ? active : &runs[0];
    enum hold_verdict failed = window->policy == DEPENDENCY_FAIL      ? HOLD_OVER
                               : window->policy == DEPENDENCY_SUSPEND ? HOLD_STUCK
                                                                      : HOLD_OPEN;
    return (struct sight){.verdict = active ? HOLD_WAITS : failed,
                          .window = window,
                          .plan_ms = one->plan_ms,
                          .run = one->key,
                          .state = one->state};
}

static void take_stronger(struct sight *sight, struct sight other)
{
    if (other.verdict > sight->verdict)
        *sight = other;
}

static struct sight look_at_window(const struct engine *engine, const struct hold_window *window)
{
    struct sight sight = {.verdict = HOLD_OPEN};
    size_t count, end;
    const struct window_run *runs = runs_of(engine, window, &count);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && runs[end].plan_ms == runs[i].plan_ms; end++)
            ;
        take_stronger(&sight, look_at_time(window, &runs[i], end - i));
        if (window->newest_only)
            break;
    }
    int64_t from_ms = window->newest_only && count ? runs[0].plan_ms + 1 : window->from_ms;
    struct sight to_come = {.verdict = HOLD_WAITS, .window = window};
    if (alarm_will_fire(engine, &window->job, from_ms, window->to_ms, &to_come.plan_ms))
        take_stronger(&sight, to_come);
    return sight;
}

static struct sight look(const struct engine *engine, const struct hold *hold)
{
    struct sight sight = {.verdict = HOLD_OPEN};
    for (size_t i = 0; i < hold->count; i++)
        take_stronger(&sight, look_at_window(engine, &hold->windows[i]));
    return sight;
}

/* ---- in words ---- */

static const char *name_of(const struct engine *engine, const struct sight *sight,
                           struct arena *arena)
{
    const struct ejob *job = engine_job(engine, &sight->window->job);
    return job ? job->row.name : uuid_format(&sight->window->job, arena_alloc(arena, UUID_TEXT));
}

static const char *sentence(const struct engine *engine, const struct sight *sight,
                            struct arena *arena)
{
    char planned[TIMEFMT_TEXT];
    timefmt_rfc3339(sight->plan_ms, planned);
    const char *what = sight->window->is_own ? arena_printf(arena, "its own run of %s", planned)
                                             : arena_printf(arena, "job %s of %s",
                                                            name_of(engine, sight, arena), planned);
    switch (sight->verdict) {
    case HOLD_OVER:
        return arena_printf(arena, "Canceled: it depends on %s, which ended %s", what,
                            state_name(sight->state));
    case HOLD_STUCK:
        return arena_printf(arena, "Waiting for %s, which ended %s, to be repaired", what,
                            state_name(sight->state));
    case HOLD_WAITS:
    case HOLD_OPEN:
    default:
        return arena_printf(arena, "Waiting for %s", what);
    }
}

static const char *decision(const struct engine *engine, const struct sight *sight,
                            struct arena *arena)
{
    enum { DECISION_MAX_BYTES = 4096 };
    static const char *const results[] = {"OPEN", "WAIT", "SUSPENDED", "CANCELED"};
    char key[UUID_TEXT], planned[TIMEFMT_TEXT];
    struct buf text;
    buf_init(&text, DECISION_MAX_BYTES);
    buf_printf(&text,
               "{\"kind\":\"JOB_DEPENDENCY\",\"result\":\"%s\",\"jobKey\":\"%s\",\"jobName\":",
               results[sight->verdict], uuid_format(&sight->window->job, key));
    buf_json_string(&text, name_of(engine, sight, arena));
    buf_printf(&text, ",\"plannedTime\":\"%s\"", timefmt_rfc3339(sight->plan_ms, planned));
    if (!uuid_is_nil(&sight->run))
        buf_printf(&text, ",\"jobRunKey\":\"%s\",\"status\":\"%s\"", uuid_format(&sight->run, key),
                   state_name(sight->state));
    buf_printf(&text, ",\"failPolicy\":\"%s\"}", dependency_policy_names[sight->window->policy]);
    const char *kept = text.overflowed ? NULL : arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return kept;
}

/* ---- the look ---- */

static struct hold *first_due(const struct engine *engine)
{
    struct heap_item *first = heap_first(&engine->holds_due);
    return first ? CONTAINER_OF(first, struct hold, due) : NULL;
}

bool holds_wait(const struct engine *engine)
{
    return !engine->is_draining && first_due(engine);
}

bool holds_may_go(const struct engine *engine)
{
    bool may_ask = engine->holds_left > 0 && engine->hold_rows_left > 0;
    return holds_wait(engine) && (may_ask || is_read(engine, first_due(engine)));
}

/* Told only when it says something else than before. */
static void say(struct step *step, struct erun *run, const struct sight *sight)
{
    struct arena *arena = &step->fx->arena;
    const char *reason = sentence(step->engine, sight, arena);
    if (!run->row.message || strcmp(run->row.message, reason) != 0)
        run_say(step, run, reason, decision(step->engine, sight, arena));
}

void hold_review(struct step *step)
{
    struct engine *engine = step->engine;
    struct hold *hold = first_due(engine);
    struct erun *run = hold->run;
    heap_remove(&engine->holds_due, &hold->due);
    if (!is_read(engine, hold)) {
        engine->holds_left--;
        if (!bring(step, hold)) {
            list_append(&engine->holds_parked, &hold->parked);
            return;
        }
    }
    struct sight sight = hold->sight = look(engine, hold);
    forget(hold);
    if (sight.verdict == HOLD_OPEN) {
        if (!sweep_covers(run->job, run)) /* else it is about to be cancelled */
            run_release(step, run);
        return;
    }
    say(step, run, &sight);
    if (sight.verdict == HOLD_OVER)
        run_stop(step, run, STATE_CANCELED, arena_strdup(&step->fx->arena, run->row.message));
}

void holds_go_on(struct engine *engine)
{
    LIST_EACH_SAFE (&engine->holds_parked, node) {
        list_remove(node);
        set_due(engine, LIST_ITEM(node, struct hold, parked));
    }
}

/* ---- invariants ---- */

const char *holds_validate(const struct engine *engine, struct arena *arena)
{
    size_t cursor = 0, windows = 0, listed = 0;
    for (const struct erun *run; (run = uuid_map_next(&engine->runs, &cursor));) {
        bool is_held = run->row.state == STATE_QUEUED && run->row.is_held;
        if (is_held != (run->hold != NULL) || (!is_held && run->row.is_held))
            return arena_printf(arena, "run %lld: held and state differ",
                                (long long)run->row.number);
        windows += run->hold ? run->hold->count : 0;
    }
    cursor = 0;
    for (const struct hold_jobs *jobs; (jobs = uuid_map_next(&engine->holds, &cursor));)
        LIST_EACH (&jobs->windows, node)
            listed++;
    if (listed != windows)
        return "those who wait for a job are miscounted";
    if (!heap_validate(&engine->holds_due))
        return "the heap of held runs is out of order";
    return list_is_empty(&engine->holds_parked) ? NULL : "rows that a held run wanted did not come";
}
