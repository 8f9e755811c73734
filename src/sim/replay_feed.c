/* What came from outside, found in the events: each names a change, and some changes only a user, an
 * executor or a clock can have caused. */
#include <string.h>

#include "sim/replay_internal.h"
#include "sim/world_internal.h"

static const char never_started[] = "Never started";
static const char canceled_by[] = "Canceled by ";

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* ---- time ---- */

/* Deadlines are not let pass here: they passed when the events say so. */
static void set_clock(struct replay *replay, const struct event_row *event)
{
    struct world *world = replay->world;
    if (event->time_ms > world->now_ms)
        world->mono_ms += event->time_ms - world->now_ms;
    world_set_clock(world, event->time_ms);
}

/* What a step has left to do is done at once. */
static void do_chores(struct world *world)
{
    struct engine_event timer = {.kind = ENGINE_TIMER};
    int64_t mono_ms = world->mono_ms;
    world->mono_ms = 0; /* no real deadline passes */
    while (engine_next_deadline(world->engine) == 0)
        world_step(world, &timer);
    world->mono_ms = mono_ms;
}

static void let_deadline_pass(struct replay *replay)
{
    struct world *world = replay->world;
    do_chores(world);
    int64_t next = engine_next_deadline(world->engine);
    int64_t now_ms = world->now_ms;
    if (next == INT64_MAX)
        return;
    world_advance(world, next > world->mono_ms ? next - world->mono_ms : 0);
    world_set_clock(world, now_ms);
}

/* ---- execution slots ---- */

/* Not only that it got one: where the run itself went on too late, by a cap that was raised just then, it has one by now. */
static bool has_slot(const struct event_row *event)
{
    bool gets_one = event->from == STATE_QUEUED && event->to == STATE_PENDING;
    return gets_one || event->to == STATE_RUNNING || event->from == STATE_RUNNING;
}

/* It begins, and nothing else happens: the step is about no event. */
static void let_start(struct replay *replay, const struct past_run *run, const char *task_key)
{
    struct world *world = replay->world;
    const struct booked_task *task = booked_task_of(book_run(&world->book, &run->key), task_key);
    struct engine_event nothing = {.kind = ENGINE_LOADED};
    if (!task || !engine_let_pass(world->engine, &task->row.key))
        return;
    world->slots_elsewhere = REPLAY_SLOTS - (int64_t)engine_attempt_count(world->engine) - 1;
    world_step(world, &nothing);
    world->slots_elsewhere = ENGINE_NO_SLOT;
}

/* ---- runs ---- */

static struct past_run *past_run(const struct replay *replay, const struct uuid *stored)
{
    for (size_t i = 0; i < replay->run_count; i++)
        if (uuid_equal(&replay->runs[i].image.run.key, stored))
            return &replay->runs[i];
    return NULL;
}

static const struct task_run_row *past_task(const struct past_run *run, const struct uuid *key)
{
    for (size_t i = 0; i < run->image.task_run_count; i++)
        if (uuid_equal(&run->image.task_runs[i].key, key))
            return &run->image.task_runs[i];
    return NULL;
}

/* A child has been made by the engine itself: which is it? */
static void find_child(struct replay *replay, struct past_run *run)
{
    const struct past_run *parent = past_run(replay, &run->image.run.parent_run);
    const struct task_run_row *row = parent ? past_task(parent, &run->image.run.parent_task_run)
                                            : NULL;
    const struct booked_run *booked =
        row && parent->is_made ? book_run(&replay->world->book, &parent->key) : NULL;
    const struct booked_task *task = booked ? booked_task_of(booked, row->task_key) : NULL;
    run->is_made = task && !uuid_is_nil(&task->row.child_run);
    run->is_lost = !run->is_made;
    if (run->is_made)
        run->key = task->row.child_run;
    else if (parent && !parent->is_lost)
        replay_differs(replay, run, NULL, "is a child that the replay does not make");
}

/* ---- runs that were held ---- */

static bool is_about(const struct event_row *event, const char *kind)
{
    return event->decision && strstr(event->decision, kind);
}

static bool was_held(const struct past_run *run)
{
    return run->event_count && run->events[0].to == STATE_QUEUED &&
           is_about(&run->events[0], "\"JOB_DEPENDENCY\"");
}

/* The number of the event by which it was held no more. */
static int64_t end_of_hold(const struct past_run *run)
{
    for (size_t i = 0; i < run->event_count; i++) {
        const struct event_row *event = &run->events[i];
        bool leaves = event->type == EVENT_RUN_STATE && event->from == STATE_QUEUED;
        bool stands_in_line = event->type == EVENT_NOTE && is_about(event, "\"RUN_SLOT\"");
        if (leaves || stands_in_line)
            return event->number;
    }
    return INT64_MAX;
}

/* Schedules do not fire here: what they were about to fire when a run was held was waited for, too. */
size_t replay_more_runs(void *context, const struct want *want, struct arena *arena,
                        struct window_run **runs, size_t count)
{
    const struct replay *replay = context;
    const struct past_run *held = NULL;
    for (size_t i = 0; i < replay->run_count && !held; i++)
        if (replay->runs[i].is_made && uuid_equal(&replay->runs[i].key, &want->run))
            held = &replay->runs[i];
    int64_t end = held ? end_of_hold(held) : INT64_MIN;
    struct window_run *all = ARENA_ARRAY(arena, count + replay->run_count, struct window_run);
    if (count)
        memcpy(all, *runs, count * sizeof *all);
    for (size_t i = 0; i < replay->run_count; i++) {
        const struct past_run *run = &replay->runs[i];
        const struct run_row *row = &run->image.run;
        const struct past_job *job = uuid_map_get(&replay->jobs, &row->job);
        if (!run->is_made && !run->is_lost && job && uuid_equal(&job->key, &want->key) &&
            run->event_count && run->events[0].number < end && row->plan_ms >= want->from_ms &&
            row->plan_ms <= want->to_ms)
            all[count++] = (struct window_run){row->key, row->plan_ms, row->launched,
                                               row->instance_type, STATE_QUEUED};
    }
    *runs = all;
    return count;
}

static bool make_run(struct replay *replay, struct past_run *run)
{
    const struct run_row *row = &run->image.run;
    if (!uuid_is_nil(&row->parent_run)) {
        find_child(replay, run);
        return true;
    }
    struct past_job *job = replay_find_job(replay, &row->job);
    if (!job || !replay_bring_job(replay, job, row->definition_version, row->created_ms))
        return false;
    const struct run_origin fired = {
        .launched = row->launched,
        .trigger = row->trigger,
        .instance_type = row->instance_type,
        .plan_ms = row->plan_ms,
        .submit_ms = row->submit_ms,
        .in_campaign = row->instance_type == INSTANCE_SUPPLEMENT,
        .may_be_held = was_held(run),
    };
    struct command command = {
        .kind = COMMAND_RUN_CREATE,
        .key = job->key,
        .principal = {row->created_by, row->created_by_name},
        .run = {.origin = row->launched == LAUNCHED_SCHEDULED ? &fired : NULL,
                .parameters = params_load(row->parameters, &replay->arena),
                .queue_enabled = row->queue_enabled,
                .queue_json = row->queue,
                .schedule_json = row->schedule},
    };
    struct command_result result = world_command(replay->world, &command);
    run->is_made = result.code == ERR_OK;
    run->is_lost = !run->is_made;
    run->key = result.key;
    if (!run->is_made)
        replay_differs(replay, run, NULL, "could not be made: %s", result.message);
    return true;
}

/* Behind a repair that a campaign asked for. */
static const char asked_by_campaign[] = "Asked for by campaign ";

/* Selected were the tasks whose verdict was RUN or MARK. */
static void repair_run(struct replay *replay, struct past_run *run, const struct event_row *event)
{
    const struct repair_row *repair = &run->image.repairs[event->repair_number];
    const char **keys = ARENA_ARRAY(&replay->arena, run->event_count + 1, const char *);
    const char **marked = ARENA_ARRAY(&replay->arena, run->event_count + 1, const char *);
    size_t count = 0, marked_count = 0;
    bool by_campaign = false;
    for (size_t i = 0; i < run->event_count; i++) {
        const struct event_row *one = &run->events[i];
        by_campaign |= one->repair_number == event->repair_number && one->type == EVENT_NOTE &&
                       strncmp(one->reason, asked_by_campaign, strlen(asked_by_campaign)) == 0;
        if (one->repair_number != event->repair_number || one->from != STATE_NEW || !one->decision)
            continue;
        if (strstr(one->decision, "\"verdict\":\"RUN\""))
            keys[count++] = one->task_key;
        if (strstr(one->decision, "\"verdict\":\"MARK\""))
            keys[count++] = marked[marked_count++] = one->task_key;
    }
    struct command command = {
        .kind = COMMAND_RUN_REPAIR,
        .key = run->key,
        .principal = {repair->created_by, repair->created_by_name},
        .repair = {.task_keys = keys,
                   .task_key_count = count,
                   .mark_success = marked,
                   .mark_success_count = marked_count,
                   .parameters = params_load(repair->parameters, &replay->arena),
                   .mode = repair->mode,
                   .definition = (enum repair_definition)repair->definition,
                   .definition_version = repair->definition_version,
                   .monitor = (enum repair_monitor)repair->monitor,
                   .in_campaign = by_campaign},
    };
    struct command_result result = world_command(replay->world, &command);
    if (result.code == ERR_OK)
        return;
    run->is_lost = true;
    replay_differs(replay, run, NULL, "repair %lld is refused: %s", (long long)event->repair_number,
                   result.message);
}

static void cancel_run(struct replay *replay, struct past_run *run, const struct event_row *event)
{
    const char *name = event->reason + strlen(canceled_by);
    struct command command = {
        .kind = COMMAND_RUN_CANCEL, .key = run->key, .principal = {name, name}};
    world_command(replay->world, &command);
}

/* Who has canceled the task alone, as it began to stop or was not started yet; NULL: nobody has. */
static const char *task_canceled_by(const struct event_row *event)
{
    static const char live[] = "Being stopped: canceled by ";
    if (event->type == EVENT_NOTE &&
        begins(event->reason, canceled_by)) /* its timeout was stopping it */
        return event->reason + strlen(canceled_by);
    if (event->to == STATE_CANCELED && event->from != STATE_CANCELING &&
        begins(event->reason, canceled_by))
        return event->reason + strlen(canceled_by);
    return event->to == STATE_CANCELING && begins(event->reason, live)
               ? event->reason + strlen(live)
               : NULL;
}

/* All that this user has canceled at that moment are one command: what is behind them is decided after it. */
static void cancel_tasks(struct replay *replay, struct past_run *run, const struct event_row *event,
                         const char *user)
{
    const char **keys = ARENA_ARRAY(&replay->arena, run->event_count, const char *);
    size_t count = 0;
    for (size_t i = 0; i < run->event_count; i++) {
        const struct event_row *one = &run->events[i];
        const char *by = one->time_ms == event->time_ms && one->task_key ? task_canceled_by(one)
                                                                         : NULL;
        if (by && strcmp(by, user) == 0)
            keys[count++] = one->task_key;
    }
    struct command command = {.kind = COMMAND_RUN_CANCEL,
                              .key = run->key,
                              .principal = {user, user},
                              .task_keys = keys,
                              .task_key_count = count};
    world_command(replay->world, &command);
}

/* ---- attempts ---- */

static bool past_attempt(struct replay *replay, const struct event_row *event,
                         struct attempt_row *ret)
{
    struct attempt_row *rows;
    if (store_attempts(replay->reader, replay->workspace, &event->task_run, event->attempt, 1,
                       &replay->arena, &rows) == 0 ||
        rows[0].number != event->attempt)
        return false;
    *ret = rows[0];
    return true;
}

/* What it published is known of the newest attempt only: `row` has it. How it ended is said from outside, and what was
 * not taken of REPRISE_OUTPUT behind that (engine/attempts.c). */
static struct attempt_outcome outcome_of(struct replay *replay, const struct attempt_row *attempt,
                                         const struct task_run_row *row)
{
    static const char mark[] = "; not all of REPRISE_OUTPUT was taken: ";
    const char *message = attempt->message ? attempt->message : "";
    const char *unpublished = strstr(message, mark);
    size_t len = unpublished ? (size_t)(unpublished - message) : strlen(message);
    return (struct attempt_outcome){
        .cause = attempt->cause,
        .exit_code = attempt->exit_code,
        .signal = attempt->signal,
        .ended_ms = attempt->end_ms,
        .message = len ? arena_memdup(&replay->arena, message, len) : NULL,
        .error_trace = attempt->error_trace,
        .published = row->published,
        .unpublished = unpublished ? unpublished + strlen(mark) : NULL,
    };
}

static void end_attempt(struct replay *replay, struct past_run *run, const struct event_row *event,
                        const struct task_run_row *row)
{
    struct world *world = replay->world;
    const struct booked_run *booked = book_run(&world->book, &run->key);
    const struct booked_task *task = booked_task_of(booked, event->task_key);
    struct running *one = NULL;
    for (size_t i = 0; i < world->running_count && task; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &task->row.key))
            one = &world->running[i];
    struct attempt_row attempt;
    if (!one || one->ref.attempt != event->attempt || !past_attempt(replay, event, &attempt)) {
        run->is_lost = true;
        replay_differs(replay, run, event->task_key,
                       "attempt %lld ended %s, in the replay it is %s", (long long)event->attempt,
                       state_name(event->to), task ? state_name(task->row.state) : "not there");
        return;
    }
    replay->result->attempts++;
    /* One of a run that was being cancelled is told by its row: the event says why the task ended. */
    bool was_cancelled = event->to == STATE_CANCELED && attempt.state == STATE_PENDING;
    if (begins(was_cancelled ? attempt.message : event->reason, never_started)) {
        one->never_started = true;
        world_crash(world);
        return;
    }
    struct running was = world_take(world, one);
    struct attempt_outcome outcome = outcome_of(replay, &attempt, row);
    world_report(world, attempt.cause == CAUSE_LOST ? ENGINE_LOST : ENGINE_OUTCOME, was.ref,
                 &outcome);
}

/* ---- files from git ---- */

/* Where in what is asked for the task's files are; asked_count: they are not. */
static size_t asked_for(const struct world *world, const struct uuid *task_run)
{
    size_t i = 0;
    while (i < world->asked_count && !uuid_equal(&world->asked[i].ref.task_run, task_run))
        i++;
    return i;
}

/* The answer of git. Which commit it was is in the task run, where it ever started from one; a refusal by the engine
 * itself comes with any. */
static void tell_files(struct replay *replay, size_t place, const struct event_row *event,
                       const struct task_run_row *row)
{
    static const char any_commit[] = "0000000000000000000000000000000000000000";
    struct attempt_row attempt;
    if (row->git_commit)
        world_prepare(replay->world, place, row->git_commit);
    else if (event->attempt != FIELD_NULL && past_attempt(replay, event, &attempt))
        world_cannot_prepare(replay->world, place, attempt.message);
    else
        world_prepare(replay->world, place, any_commit);
}

/* A task in set-up goes on when its files are there, or cannot be had. Where it goes back, either its run rests, or the
 * server was killed. */
static void leave_setup(struct replay *replay, size_t place, const struct event_row *event,
                        const struct task_run_row *row, const struct run_row *run)
{
    bool begins_anew = event->to == STATE_QUEUED && !run->is_suspended &&
                       run->state != STATE_PAUSED_MAINTENANCE;
    if (begins_anew)
        world_crash(replay->world);
    else if (event->to != STATE_CANCELED)
        tell_files(replay, place, event, row);
}

/* Its files could not be fetched: the attempt has ended with its set-up (leave_setup). */
static bool ended_in_setup(const struct booked_task *task, const struct event_row *event)
{
    const struct attempt_row *attempt =
        event->from == STATE_RUNNING && task ? booked_attempt(task, event->attempt) : NULL;
    return attempt && state_is_final(attempt->state) && attempt->cause == CAUSE_CANNOT_START;
}

/* ---- which event had a cause from outside ---- */

/* The server was asked to end, and came back. */
static void maintain(struct replay *replay, enum state state, const struct event_row *event)
{
    struct world *world = replay->world;
    if (state != event->from || event->type != EVENT_RUN_STATE)
        return;
    if (event->to == STATE_PAUSED_MAINTENANCE && !world->is_draining)
        world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
    else if (event->from == STATE_PAUSED_MAINTENANCE && world->is_draining)
        world_crash(world);
}

static bool feed_run_event(struct replay *replay, struct past_run *run,
                           const struct event_row *event)
{
    if (event->type == EVENT_RUN_STATE && event->from == STATE_NEW)
        return make_run(replay, run);
    if (run->is_lost || !run->is_made)
        return true;
    const struct booked_run *booked = book_run(&replay->world->book, &run->key);
    if (event->type == EVENT_REPAIR) {
        if (booked->row.repair_number <
            event->repair_number) /* a child's parent may have done it */
            repair_run(replay, run, event);
    } else if (event->to == STATE_PAUSED_MAINTENANCE || event->from == STATE_PAUSED_MAINTENANCE) {
        maintain(replay, booked->row.state, event);
    } else if (event->type == EVENT_RUN_STATE && booked->row.state == event->from) {
        bool by_queue = event->from == STATE_QUEUED && state_is_final(event->to);
        if (begins(event->reason, canceled_by) && event->to != event->from &&
            (event->to == STATE_CANCELING || by_queue))
            cancel_run(replay, run, event);
        else if (event->to == STATE_CANCELING || by_queue)
            let_deadline_pass(replay);
    }
    return true;
}

/* An attempt that is a child run ends with it. */
static bool is_child(struct replay *replay, const struct event_row *event)
{
    struct attempt_row attempt;
    return event->attempt != FIELD_NULL && event->from != STATE_PENDING &&
           past_attempt(replay, event, &attempt) && !attempt.host;
}

static void feed_task_event(struct replay *replay, struct past_run *run,
                            const struct event_row *event)
{
    const struct task_run_row *row = past_task(run, &event->task_run);
    const char *user = event->type == EVENT_NOTE ? task_canceled_by(event) : NULL;
    if (row && user)
        cancel_tasks(replay, run, event, user);
    if (!row || event->type != EVENT_TASK_STATE)
        return;
    const struct booked_run *booked = book_run(&replay->world->book, &run->key);
    const struct booked_task *task = booked_task_of(booked, event->task_key);
    if (ended_in_setup(task, event)) {
        replay->result->attempts++;
        return;
    }
    if (has_slot(event))
        let_start(replay, run, event->task_key);
    bool was_live = event->from == STATE_RUNNING || event->from == STATE_CANCELING;
    bool is_behind = task && task->row.state == event->from;
    user = is_behind ? task_canceled_by(event) : NULL;
    if (user)
        cancel_tasks(replay, run, event, user);
    else if (is_child(replay, event)) {
        if (is_behind && event->to == STATE_CANCELING && booked->row.state != STATE_CANCELING)
            let_deadline_pass(replay); /* the task's timeout */
    } else if (was_live && event->to != STATE_CANCELING && event->attempt != FIELD_NULL) {
        end_attempt(replay, run, event, row);
    } else if (is_behind && event->from == STATE_PENDING) {
        size_t place = asked_for(replay->world, &task->row.key);
        if (place < replay->world->asked_count)
            leave_setup(replay, place, event, row, &booked->row);
        else if (event->to == STATE_QUEUED)
            let_deadline_pass(replay); /* the wait for its next attempt */
    }
}

bool replay_event(struct replay *replay, struct past_run *run, const struct event_row *event)
{
    set_clock(replay, event);
    do_chores(replay->world);
    if (!replay_bring_jobs(replay, event->time_ms))
        return false;
    replay_delete_jobs(replay, event->time_ms);
    replay->result->events++;
    if (uuid_is_nil(&event->task_run))
        return feed_run_event(replay, run, event);
    if (run->is_made && !run->is_lost)
        feed_task_event(replay, run, event);
    return true;
}
