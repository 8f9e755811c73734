/*
 * Jobs that start by themselves: schedules and `continuous` (RULES §11).
 *
 *      planned time comes ──> late by up to a minute: fired
 *                        `──> later: missed; the policy says what becomes of it
 *
 * An alarm is the schedule of a job as the engine keeps it; while it fires it stands on the heap of
 * alarms by the wall clock time at which it is next due, all others off it. Its cursor is stored with
 * every firing: planned times up to it are decided, so none is fired twice, whatever crashes and
 * wherever the wall clock goes; back, and the times that come again are behind the cursor; forth, and
 * those that were jumped over are missed. The identity of a firing is its planned time.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timefmt.h"
#include "engine/internal.h"

/* What is later than that was missed. */
enum { LATE_MS = 60 * 1000 };
/* Policy ALL goes back no further. */
static const int64_t missed_horizon_ms = INT64_C(7) * 24 * 3600 * 1000;
/* CONTINUOUS: between two starts; doubled from FIRST to LONGEST by each failure in a row. */
enum { CONTINUOUS_PAUSE_MS = 1000, FIRST_BACKOFF_MS = 10000, LONGEST_BACKOFF_MS = 600000 };
enum { BACKOFF_DOUBLINGS = 6 }; /* from the first to past the longest */
/* Skipped times are counted so far. */
enum { SKIPPED_COUNT_MAX = 1000 };
/* Jobs that one step asks for. */
enum { WANTS_MAX = 500 };

/* ---- life ---- */

static struct ealarm *alarm_of(const struct engine *engine, const struct uuid *job)
{
    return uuid_map_get(&engine->alarms, job);
}

static struct ealarm *alarm_new(struct engine *engine, const struct schedule_row *row)
{
    struct ealarm *alarm = xcalloc(1, sizeof *alarm);
    alarm->row = *row;
    alarm->row.expression = row->expression ? xstrdup(row->expression) : NULL;
    alarm->row.timezone_id = row->timezone_id ? xstrdup(row->timezone_id) : NULL;
    alarm->tracked = (struct tracked){.kind = ROW_SCHEDULE, .row = &alarm->row};
    uuid_map_put(&engine->alarms, &alarm->row.job, alarm);
    return alarm;
}

void alarm_free(struct engine *engine, struct ealarm *alarm)
{
    set_text(engine, &alarm->row.expression, NULL);
    set_text(engine, &alarm->row.timezone_id, NULL);
    heap_remove(&engine->alarms_due, &alarm->due);
    list_remove(&alarm->parked);
    list_remove(&alarm->tracked.link);
    uuid_map_remove(&engine->alarms, &alarm->row.job);
    zone_unref(alarm->zone);
    free(alarm);
}

void alarm_release_idle(struct engine *engine, const struct uuid *job)
{
    struct ealarm *alarm = alarm_of(engine, job);
    if (alarm && alarm->row.active != 1 && !list_is_linked(&alarm->tracked.link))
        alarm_free(engine, alarm);
}

/* Behind this time it fires: its cursor, or the beginning of its window. */
static int64_t fires_since(const struct schedule_row *row)
{
    bool is_before = row->window_start_ms != FIELD_NULL && row->cursor_ms < row->window_start_ms;
    return is_before ? row->window_start_ms - 1 : row->cursor_ms;
}

/* The next planned time behind the cursor, within the window; false: there is none. */
static bool next_planned(const struct ealarm *alarm, int64_t *ret_ms)
{
    return cron_next(&alarm->cron, alarm->zone, fires_since(&alarm->row), ret_ms) &&
           (alarm->row.window_end_ms == FIELD_NULL || *ret_ms <= alarm->row.window_end_ms);
}

/* Puts the alarm where its cursor says. One without a further time stays off the heap. */
static void arm(struct engine *engine, struct ealarm *alarm)
{
    int64_t planned;
    heap_remove(&engine->alarms_due, &alarm->due);
    if (alarm->row.active == 1 && next_planned(alarm, &planned))
        heap_set(&engine->alarms_due, &alarm->due, planned);
}

/* CONTINUOUS: due at that time, whenever the last run ended. */
static void arm_continuous(struct engine *engine, struct ealarm *alarm, int64_t at_ms)
{
    heap_set(&engine->alarms_due, &alarm->due, at_ms);
}

void engine_add_schedule(struct engine *engine, const struct schedule_row *row, struct zone *zone)
{
    if (alarm_of(engine, &row->job))
        return;
    struct ealarm *alarm = alarm_new(engine, row);
    alarm->tracked.is_stored = true;
    if (row->active != 1)
        return;
    if (row->kind == SCHEDULE_CONTINUOUS) {
        arm_continuous(engine, alarm, row->cursor_ms);
        return;
    }
    struct cron_error error;
    if (!zone || !cron_parse(row->expression, &alarm->cron, &error))
        return; /* checked when it was saved; its zone may be gone since */
    alarm->zone = zone_ref(zone);
    arm(engine, alarm);
}

bool alarm_will_fire(const struct engine *engine, const struct uuid *job, int64_t from_ms,
                     int64_t to_ms, int64_t *ret_ms)
{
    const struct ealarm *alarm = alarm_of(engine, job);
    if (!alarm || alarm->row.active != 1 || alarm->row.kind != SCHEDULE_CRON || !alarm->zone)
        return false;
    const struct schedule_row *row = &alarm->row;
    if (row->window_end_ms != FIELD_NULL && to_ms > row->window_end_ms)
        to_ms = row->window_end_ms;
    return cron_next_since(&alarm->cron, alarm->zone, fires_since(row), from_ms, to_ms, ret_ms);
}

bool engine_has_schedule(const struct engine *engine, const struct uuid *job)
{
    return alarm_of(engine, job) != NULL;
}

int64_t engine_next_alarm(const struct engine *engine)
{
    const struct heap_item *first = heap_first(&engine->alarms_due);
    return first && !engine->is_draining ? first->deadline_ms : INT64_MAX;
}

bool engine_minds_clock(const struct engine *engine, int64_t now_ms)
{
    return heap_first(&engine->alarms_due) && !engine->is_draining &&
           (engine->clock_went_back || now_ms < engine->alarms_now_ms);
}

/* ---- saving a job ---- */

/* What a definition asks for, as a row; not active: nothing. */
static struct schedule_row wanted_row(const struct step *step, const struct ejob *job)
{
    const struct job_details *details = &job->def->details;
    const struct schedule *schedule = details->schedule;
    struct schedule_row row = {
        .workspace = step->engine->workspace.id,
        .job = job->row.key,
        .window_start_ms = FIELD_NULL,
        .window_end_ms = FIELD_NULL,
        .cursor_ms = step->now_ms,
        .decided_ms = FIELD_NULL,
    };
    if (details->continuous) {
        row.kind = SCHEDULE_CONTINUOUS;
        row.active = details->continuous->pause_status != PAUSE_PAUSED;
    } else if (schedule) {
        row.kind = SCHEDULE_CRON;
        row.active = schedule->pause_status != PAUSE_PAUSED;
        row.expression = schedule->quartz_cron_expression;
        row.timezone_id = schedule->timezone_id;
        row.missed_policy = schedule->missed_run_policy == FIELD_UNSET
                                ? MISSED_LATEST
                                : schedule->missed_run_policy;
        row.window_start_ms = schedule->start_ms;
        row.window_end_ms = schedule->end_ms;
    }
    return row;
}

/* Does it fire at the same times as before? Then nothing of it begins anew. */
static bool fires_alike(const struct schedule_row *a, const struct schedule_row *b)
{
    return a->active == b->active && a->kind == b->kind &&
           same_text(a->expression, b->expression) && same_text(a->timezone_id, b->timezone_id) &&
           a->window_start_ms == b->window_start_ms && a->window_end_ms == b->window_end_ms;
}

static void put_row(struct engine *engine, struct ealarm *alarm, const struct schedule_row *row)
{
    struct schedule_row *own = &alarm->row;
    set_text(engine, &own->expression, row->expression);
    set_text(engine, &own->timezone_id, row->timezone_id);
    own->active = row->active;
    own->kind = row->kind;
    own->missed_policy = row->missed_policy;
    own->window_start_ms = row->window_start_ms;
    own->window_end_ms = row->window_end_ms;
    own->cursor_ms = row->cursor_ms;
    own->failures = 0;
}

/* The clock may be set back between two schedules of a job: what one has decided the next does not. */
static void go_behind_decided(struct ealarm *alarm, struct schedule_row *row)
{
    struct schedule_row *own = &alarm->row;
    if (own->kind == SCHEDULE_CRON && own->cursor_ms > own->decided_ms)
        own->decided_ms = own->cursor_ms;
    if (row->kind == SCHEDULE_CRON && own->decided_ms > row->cursor_ms)
        row->cursor_ms = own->decided_ms;
}

static bool is_once(const struct ejob *job)
{
    const struct schedule *schedule = job->def->details.schedule;
    return schedule && schedule->is_once == 1;
}

/* The one time of a schedule may have come while the command that sets it was on its way: then it is late, not
 * past. What is decided stays so. */
static void look_back(const struct step *step, struct ealarm *alarm)
{
    int64_t planned, from_ms = step->now_ms - LATE_MS;
    if (next_planned(alarm, &planned))
        return;
    alarm->row.cursor_ms = from_ms > alarm->row.decided_ms ? from_ms : alarm->row.decided_ms;
}

bool alarm_set(struct step *step, struct ejob *job, struct zone *zone)
{
    struct engine *engine = step->engine;
    struct schedule_row row = wanted_row(step, job);
    struct ealarm *alarm = alarm_of(engine, &job->row.key);
    if (!alarm && row.active != 1)
        return false;
    if (alarm && fires_alike(&alarm->row, &row)) {
        if (alarm->row.missed_policy != row.missed_policy)
            track(engine, &alarm->tracked);
        alarm->row.missed_policy = row.missed_policy;
        return false;
    }
    if (!alarm)
        alarm = alarm_new(engine, &row);
    else
        go_behind_decided(alarm, &row);
    put_row(engine, alarm, &row);
    track(engine, &alarm->tracked);
    holds_alarm_moved(engine, &job->row.key);
    zone_unref(alarm->zone);
    alarm->zone = NULL;
    heap_remove(&engine->alarms_due, &alarm->due);
    if (row.active != 1)
        return true;
    if (row.kind == SCHEDULE_CONTINUOUS) {
        arm_continuous(engine, alarm, step->now_ms);
        return true;
    }
    struct cron_error error;
    bool parsed = cron_parse(row.expression, &alarm->cron, &error);
    assert(parsed && zone); /* the command was checked */
    alarm->zone = zone_ref(zone);
    if (is_once(job))
        look_back(step, alarm);
    arm(engine, alarm);
    return true;
}

void alarm_stop(struct step *step, const struct uuid *job)
{
    struct ealarm *alarm = alarm_of(step->engine, job);
    if (!alarm || alarm->row.active != 1)
        return;
    alarm->row.active = 0;
    heap_remove(&step->engine->alarms_due, &alarm->due);
    track(step->engine, &alarm->tracked);
    holds_alarm_moved(step->engine, job);
}

/* ---- firing ---- */

static void skip(struct step *step, struct ealarm *alarm, int64_t first_ms, int64_t last_ms,
                 int64_t count, const char *reason)
{
    struct skipped_row *row = ARENA_NEW(&step->fx->arena, struct skipped_row);
    *row = (struct skipped_row){
        .workspace = alarm->row.workspace,
        .job = alarm->row.job,
        .key = step_new_key(step),
        .created_ms = step->now_ms,
        .first_ms = first_ms,
        .last_ms = last_ms,
        .count = count,
        .reason = arena_strdup(&step->fx->arena, reason),
    };
    row_batch_add(&step->fx->events, ROW_SKIPPED, ROW_INSERT, row);
    holds_alarm_moved(step->engine, &alarm->row.job);
}

/* createdBy of a scheduled run is who the job runs as, else its creator (RULES §11). */
static struct principal schedule_owner(const struct ejob *job)
{
    if (job->row.run_as)
        return (struct principal){job->row.run_as, job->row.run_as};
    return (struct principal){job->row.created_by, job->row.created_by_name};
}

/* CONTINUOUS: due again in so many milliseconds. */
static void go_on_in(struct step *step, struct ealarm *alarm, int64_t wait_ms)
{
    alarm->row.cursor_ms = step->now_ms + wait_ms;
    track(step->engine, &alarm->tracked);
    arm_continuous(step->engine, alarm, alarm->row.cursor_ms);
}

/* Longer after each failure, up to a limit. */
static void back_off(struct step *step, struct ealarm *alarm)
{
    int64_t before = alarm->row.failures++;
    int64_t doublings = before < BACKOFF_DOUBLINGS ? before : BACKOFF_DOUBLINGS;
    int64_t wait_ms = FIRST_BACKOFF_MS << doublings;
    go_on_in(step, alarm, wait_ms < LONGEST_BACKOFF_MS ? wait_ms : LONGEST_BACKOFF_MS);
}

/* `missed`: fired only because the policy says so. */
static void fire(struct step *step, struct ealarm *alarm, struct ejob *job, int64_t planned_ms,
                 bool missed)
{
    struct arena *arena = &step->fx->arena;
    bool continuous = alarm->row.kind == SCHEDULE_CONTINUOUS;
    const struct command command = {
        .kind = COMMAND_RUN_CREATE,
        .principal = schedule_owner(job),
        .key = job->row.key,
        .run = {.queue_enabled = FIELD_UNSET},
    };
    const struct run_origin origin = {
        .launched = LAUNCHED_SCHEDULED,
        .trigger = continuous ? TRIGGER_CONTINUOUS : TRIGGER_PERIODIC,
        .instance_type = is_once(job) ? INSTANCE_ONCE : INSTANCE_SCHEDULED,
        .plan_ms = planned_ms,
        .may_be_held = !continuous,
    };
    struct command_result result = {.code = ERR_OK};
    alarm->row.cursor_ms = continuous ? step->now_ms : planned_ms;
    if (planned_ms > alarm->row.decided_ms)
        alarm->row.decided_ms = planned_ms;
    track(step->engine, &alarm->tracked);
    run_create(step, &command, &origin, NULL, &result);
    if (result.code) {
        skip(step, alarm, planned_ms, planned_ms, 1, result.message);
        if (continuous) /* no run will end and say when to go on */
            back_off(step, alarm);
        return;
    }
    int64_t late_ms = step->now_ms > planned_ms ? step->now_ms - planned_ms : 0;
    const char *decision = arena_printf(
        arena, "{\"kind\":\"SCHEDULE\",\"plannedTime\":%lld,\"lateMillis\":%lld,\"missed\":%s}",
        (long long)planned_ms, (long long)late_ms, missed ? "true" : "false");
    char planned[TIMEFMT_TEXT];
    timefmt_rfc3339(planned_ms, planned);
    const char *reason =
        missed
            ? arena_printf(arena, "Planned for %s and missed; made up for, as its policy %s says",
                           planned, missed_policy_names[alarm->row.missed_policy])
            : arena_printf(arena, "%s %s, %lld ms late",
                           continuous ? "Started again at" : "Fired by its schedule for", planned,
                           (long long)late_ms);
    note_event(step, engine_run(step->engine, &result.key), NULL, EVENT_SCHEDULE, reason, decision);
}

/* ---- missed times ---- */

static int64_t newest_until(const struct ealarm *alarm, int64_t known, int64_t until)
{
    return cron_newest_until(&alarm->cron, alarm->zone, known, until);
}

/* How many planned times in [first, last], both of them such; up to SKIPPED_COUNT_MAX. */
static int64_t count_planned(const struct ealarm *alarm, int64_t first, int64_t last)
{
    int64_t count = 1;
    while (count < SKIPPED_COUNT_MAX && first < last &&
           cron_next_until(&alarm->cron, alarm->zone, first, last, &first))
        count++;
    return count;
}

static void skip_range(struct step *step, struct ealarm *alarm, int64_t first, int64_t last,
                       const char *reason)
{
    skip(step, alarm, first, last, count_planned(alarm, first, last), reason);
    alarm->row.cursor_ms = last;
    track(step->engine, &alarm->tracked);
}

/* `planned` is the oldest of the missed times; all before `now - LATE_MS` are. */
static void make_up(struct step *step, struct ealarm *alarm, struct ejob *job, int64_t planned)
{
    int64_t until = step->now_ms - LATE_MS - 1;
    if (alarm->row.window_end_ms != FIELD_NULL && until > alarm->row.window_end_ms)
        until = alarm->row.window_end_ms;
    int64_t horizon = step->now_ms - missed_horizon_ms;
    int64_t newest = newest_until(alarm, planned, until), found;
    switch ((enum missed_policy)alarm->row.missed_policy) {
    case MISSED_NONE:
        skip_range(step, alarm, planned, newest,
                   "Missed: the server was down, or its clock was set");
        return;
    case MISSED_ALL:
        if (planned >= horizon) {
            fire(step, alarm, job, planned, true);
            return;
        }
        found = newest_until(alarm, planned, until < horizon ? until : horizon - 1);
        skip_range(step, alarm, planned, found, "Missed more than 7 days ago");
        return;
    case MISSED_LATEST:
    case MISSED_POLICY_COUNT:
    default:
        if (planned < newest) {
            found = newest_until(alarm, planned, newest - 1);
            skip_range(step, alarm, planned, found,
                       "Missed: only the newest missed time is made up for");
        }
        fire(step, alarm, job, newest, true);
        return;
    }
}

/* ---- the heap ---- */

/* CONTINUOUS: now, but for a clock that was set back to a time that had a run. */
static int64_t undecided_now(const struct step *step, const struct ealarm *alarm)
{
    int64_t decided_ms = alarm->row.decided_ms;
    return step->now_ms > decided_ms ? step->now_ms : decided_ms + 1;
}

/* The job of a due alarm is there. */
static void go_off(struct step *step, struct ealarm *alarm, struct ejob *job)
{
    if (alarm->row.kind == SCHEDULE_CONTINUOUS) {
        if (job->active_count == 0) /* else the end of the run that is on will say */
            fire(step, alarm, job, undecided_now(step, alarm), false);
        return;
    }
    int64_t planned;
    if (!next_planned(alarm, &planned))
        return;
    if (planned <= step->now_ms) { /* else the clock was set back since */
        if (step->now_ms - planned > LATE_MS)
            make_up(step, alarm, job, planned);
        else
            fire(step, alarm, job, planned, false);
    }
    arm(step->engine, alarm);
}

/* Of a due alarm, taken off the heap. */
static void alarm_due(struct step *step, struct ealarm *alarm)
{
    struct ejob *job;
    switch (want_job(step, &alarm->row.job, &job)) {
    case WANT_ASKED:
        list_append(&step->engine->alarms_parked, &alarm->parked);
        return;
    case WANT_MISSING:
        alarm_stop(step, &alarm->row.job);
        return;
    case WANT_THERE:
        go_off(step, alarm, job);
        return;
    }
}

/* Jobs are there by the hundred, and each may make a run of many rows: what is too much for one step goes
 * back, and is due at once. */
void alarms_go_on(struct step *step, size_t max_rows)
{
    LIST_EACH_SAFE (&step->engine->alarms_parked, node) {
        struct ealarm *alarm = LIST_ITEM(node, struct ealarm, parked);
        list_remove(node);
        if (step->fx->events.count < max_rows)
            alarm_due(step, alarm);
        else
            heap_set(&step->engine->alarms_due, &alarm->due, alarm->due.deadline_ms);
    }
}

void alarms_note_clock(struct engine *engine, int64_t now_ms)
{
    engine->clock_went_back |= now_ms < engine->alarms_now_ms;
    engine->alarms_now_ms = now_ms;
}

/* The wall clock was set back, or nobody knows where it was: continuous jobs wait no longer than they would
 * have to. Planned times need nothing: their cursor is behind them. */
static void look_again(struct step *step)
{
    struct engine *engine = step->engine;
    struct ealarm *alarm;
    engine->clock_went_back = false;
    for (size_t cursor = 0; (alarm = uuid_map_next(&engine->alarms, &cursor));)
        if (alarm->row.kind == SCHEDULE_CONTINUOUS && alarm->due.place &&
            alarm->due.deadline_ms > step->now_ms + LONGEST_BACKOFF_MS)
            go_on_in(step, alarm, LONGEST_BACKOFF_MS);
}

void alarms_ring(struct step *step, size_t max_rows)
{
    struct engine *engine = step->engine;
    struct heap_item *first;
    if (engine->clock_went_back)
        look_again(step);
    while (!engine->is_draining && step->fx->events.count < max_rows &&
           step->fx->want_count < WANTS_MAX && (first = heap_first(&engine->alarms_due)) &&
           first->deadline_ms <= step->now_ms) {
        heap_remove(&engine->alarms_due, first);
        alarm_due(step, CONTAINER_OF(first, struct ealarm, due));
    }
}

void alarm_run_ended(struct step *step, const struct erun *run)
{
    struct ealarm *alarm = alarm_of(step->engine, &run->row.job);
    if (!alarm || alarm->row.active != 1 || alarm->row.kind != SCHEDULE_CONTINUOUS)
        return;
    if (run->row.state != STATE_SUCCESS && run->row.state != STATE_CANCELED) {
        back_off(step, alarm);
        return;
    }
    alarm->row.failures = 0;
    int64_t wait_ms = run->row.created_ms + CONTINUOUS_PAUSE_MS - step->now_ms;
    if (wait_ms > CONTINUOUS_PAUSE_MS)
        wait_ms = CONTINUOUS_PAUSE_MS; /* the wall clock was set back */
    go_on_in(step, alarm, wait_ms > 0 ? wait_ms : 0);
}
