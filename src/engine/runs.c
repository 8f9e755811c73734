/* Runs: slots, queue, timeouts, cancel, result (RULES §2–4). */
#include <assert.h>

#include "engine/internal.h"
#include "model/message.h"

bool run_may_queue(const struct erun *run)
{
    if (run->row.in_campaign == 1)
        return true; /* the campaign is its queue */
    if (run->row.queue_enabled != FIELD_UNSET)
        return run->row.queue_enabled == 1;
    const struct queue *queue = run->job->def->details.queue;
    return queue && queue->is_enabled == 1;
}

void run_set_timeout(struct engine *engine, struct erun *run, int64_t now_ms, int64_t mono_ms)
{
    int64_t timeout_s = run->def->details.timeout_s;
    if (timeout_s == FIELD_NULL || timeout_s == 0)
        return;
    int64_t left_ms = run->repair.slot_ms + timeout_s * 1000 - now_ms;
    if (left_ms > timeout_s * 1000)
        left_ms = timeout_s * 1000; /* the wall clock went back */
    run->deadline.kind = DEADLINE_RUN_TIMEOUT;
    heap_set(&engine->deadlines, &run->deadline.item, mono_ms + (left_ms > 0 ? left_ms : 0));
}

static bool has_free_slot(const struct ejob *job)
{
    return (int64_t)job->holder_count < job->def->details.max_concurrent_runs;
}

/* Of a run that is about to queue. One that was held has its place by the time since which it was. */
static size_t runs_ahead(const struct erun *run)
{
    const struct ejob *job = run->job;
    bool is_ahead = run_queue_of(run) == &job->repairs;
    size_t ahead = is_ahead ? job->repairs.count : job->repairs.count + job->queue.count;
    for (const struct list *node = job->queue.runs.prev;
         run->row.is_held && node != &job->queue.runs &&
         run_queues_before(run, LIST_ITEM(node, struct erun, of_job));
         node = node->prev)
        ahead--;
    return ahead;
}

/* NULL: nobody waits. */
static struct erun *first_in_line(const struct ejob *job)
{
    const struct run_queue *queue = job->repairs.count ? &job->repairs : &job->queue;
    return queue->count ? LIST_ITEM(queue->runs.next, struct erun, of_job) : NULL;
}

enum state run_placement(const struct erun *run)
{
    if (has_free_slot(run->job) && !first_in_line(run->job))
        return STATE_PENDING;
    return run_may_queue(run) ? STATE_QUEUED : STATE_SKIPPED;
}

void run_enter(struct step *step, struct erun *run, enum state place)
{
    struct arena *arena = &step->fx->arena;
    struct ejob *job = run->job;
    if (place == STATE_PENDING) {
        run_move(step, run, place, "Waiting for the first task to start", NULL);
        run_set_timeout(step->engine, run, step->now_ms, step->mono_ms);
        return;
    }
    if (run->row.is_held && run->row.state == STATE_NEW) {
        run_move(step, run, place, "Waiting for the jobs that its own depends on",
                 "{\"kind\":\"JOB_DEPENDENCY\",\"result\":\"HELD\"}");
        return;
    }
    const char *holders = text_holders(arena, job);
    const char *decision = decision_slot(arena, job, state_names[place]);
    const char *reason = place == STATE_QUEUED
                             ? arena_printf(arena, "Queued, %s in line: %s",
                                            message_ordinal((int64_t)runs_ahead(run) + 1, arena),
                                            holders)
                             : arena_printf(arena, "Skipped: %s, and the queue is off", holders);
    if (run->row.is_held && place == STATE_QUEUED)
        run_end_hold(step, run, reason, decision);
    else
        run_move(step, run, place, reason, decision);
}

void run_release(struct step *step, struct erun *run)
{
    enum state place = run_placement(run);
    run_enter(step, run, place);
    if (place == STATE_PENDING)
        run_evaluate(step, run);
    for (uint32_t i = 0; i < run->def->task_count && place == STATE_SKIPPED; i++)
        task_stop(step, &run->tasks[i], run->row.message);
}

void job_admit(struct step *step, struct ejob *job)
{
    struct erun *run;
    while (has_free_slot(job) && (run = first_in_line(job)) && !sweep_covers(job, run)) {
        run_enter(step, run, STATE_PENDING);
        run_evaluate(step, run);
    }
}

void run_start(struct step *step, struct erun *run)
{
    struct err err;
    run_move(step, run, STATE_RUNNING, "Running", NULL);
    /* Now {{job.start_time…}} is known. What creation has checked cannot fail here but for limits,
     * and then the task's own resolution says so. */
    if (run_unify(step->engine, run, step->now_ms, &err) == ERR_OK)
        set_text(step->engine, &run->repair.unified, params_json(run->unified, &step->fx->arena));
}

/* ---- the end ---- */

void run_finish(struct step *step, struct erun *run)
{
    struct arena *arena = &step->fx->arena;
    if (run->open_count > 0 || state_is_final(run->row.state) || run->row.state == STATE_QUEUED)
        return;
    if (run->row.state == STATE_CANCELING) {
        enum state ending = run->row.ending;
        const char *reason = run->row.message;
        run->row.ending = STATE_NEW;
        run_move(step, run, ending, arena_strdup(arena, reason), NULL);
        return;
    }
    enum state *states = ARENA_ARRAY(arena, run->def->task_count, enum state);
    for (uint32_t i = 0; i < run->def->task_count; i++)
        states[i] = task_state(&run->tasks[i]);
    enum state result = policy_result(run, rule_run_result(run->def, states));
    run->row.ignored_failure = result == STATE_SUCCESS && policy_ignored_any(run);
    run_move(step, run, result, text_run_result(arena, run, result), NULL);
}

static void stop_attempt(struct step *step, const struct etask *task)
{
    struct effects *fx = step->fx;
    GROW(fx->stops, fx->stop_count, fx->stop_cap);
    fx->stops[fx->stop_count++] = (struct stop_effect){
        .run = task->run->row.key,
        .task_run = task->row.key,
        .repair = task->row.repair_number,
        .attempt = task->attempt->number,
        .epoch = task->attempt->epoch,
    };
}

void task_stop(struct step *step, struct etask *task, const char *reason)
{
    struct arena *arena = &step->fx->arena;
    enum state state = task_state(task);
    const char *user = task->row.canceled_by;
    if (state == STATE_RUNNING) {
        task_move(step, task, STATE_CANCELING,
                  user ? arena_printf(arena, "Being stopped: canceled by %s", user)
                       : "Being stopped",
                  NULL);
        if (task_has_process(task))
            stop_attempt(step, task);
        else
            child_stop(step, task,
                       user ? arena_printf(arena, "Canceled: task %s of its parent run was, by %s",
                                           task->row.task_key, user)
                            : "Canceled with its parent run");
    } else if (state != STATE_NEW && state != STATE_CANCELING && !state_is_final(state)) {
        set_text(step->engine, &task->row.error_code, state_names[STATE_CANCELED]);
        task_move(step, task, STATE_CANCELED, reason, NULL);
    }
}

void task_cancel(struct step *step, struct etask *task, const char *user)
{
    enum state state = task_state(task);
    const char *reason = text_canceled(&step->fx->arena, user);
    /* A JOB_TASK whose time is up is CANCELING until its child has ended, and might be tried again. */
    bool timed_out = state == STATE_CANCELING && task->attempt->cause == CAUSE_TIMED_OUT;
    if (!task->has_row || task->row.canceled_by || state_is_final(state) ||
        (state == STATE_CANCELING && !timed_out))
        return;
    set_text(step->engine, &task->row.canceled_by, user);
    if (!timed_out) {
        task_stop(step, task, reason);
        return;
    }
    track(step->engine, &task->tracked);
    note_event(step, task->run, task, EVENT_NOTE, reason, NULL);
}

void run_stop(struct step *step, struct erun *run, enum state ending, const char *reason)
{
    assert(ending == STATE_CANCELED || ending == STATE_TIMED_OUT);
    const char *task_reason = ending == STATE_TIMED_OUT ? "Canceled: the run's timeout passed"
                                                        : "Canceled";
    if (run->row.state == STATE_QUEUED) {
        run_move(step, run, STATE_CANCELED, reason, NULL);
    } else {
        run->row.ending = ending;
        run_move(step, run, STATE_CANCELING, reason, NULL);
    }
    for (uint32_t i = 0; i < run->def->task_count; i++)
        task_stop(step, &run->tasks[i], task_reason);
    if (run->open_count == 0 && !list_is_linked(&run->ending))
        list_append(&step->engine->runs_ending, &run->ending);
}

static void queue_expired(struct step *step, struct erun *run)
{
    struct arena *arena = &step->fx->arena;
    long long hours = (long long)(step->engine->config.queue_max_ms / 3600000);
    const char *reason = run->row.is_held
                             ? arena_printf(arena, "Skipped after %lld h: %s", hours,
                                            run->row.message ? run->row.message : "")
                             : arena_printf(arena, "Waited %lld h in the queue", hours);
    /* A repair goes back to an end that a run which has run can have. */
    enum state end = run->row.repair_number > 0 ? STATE_CANCELED : STATE_SKIPPED;
    run_move(step, run, end, reason, NULL);
    for (uint32_t i = 0; i < run->def->task_count; i++)
        task_stop(step, &run->tasks[i], reason);
}

void run_deadline(struct step *step, struct erun *run, enum deadline_kind kind)
{
    struct arena *arena = &step->fx->arena;
    enum state state = run->row.state;
    if (kind == DEADLINE_QUEUE && state == STATE_QUEUED)
        queue_expired(step, run);
    if (kind == DEADLINE_RUN_TIMEOUT && state_holds_slot(state) && state != STATE_CANCELING)
        run_stop(step, run, STATE_TIMED_OUT,
                 arena_printf(arena, "The run's timeout of %lld s passed",
                              (long long)run->def->details.timeout_s));
}
