/*
 * JOB_TASKs: a task whose attempts are runs of another job (RULES §6, §8.6).
 *
 *     QUEUED ─> launches ─> child_launch ─> RUNNING, waiting for its child ─> child_ended
 *                  ^              │
 *                  └── parked <───┘ rows are wanted that the engine does not hold
 *
 * Such a task has attempts, retries and times like any other, but no process and no execution slot.
 * engine->waiters says which task waits for which child; a child that ends is told through
 * engine->runs_ended, so that nothing here recurses. Only a cancel goes down through the levels, and
 * there are DEF_MAX_NESTING of them.
 */
#include <assert.h>

#include "engine/internal.h"

/* ---- what a launch does ---- */

enum launch_kind {
    CHILD_WAIT,   /* rows are wanted first */
    CHILD_NEW,    /* a new run of its job */
    CHILD_REPAIR, /* its child ended unsuccessful: repaired in place */
    CHILD_ADOPT,  /* its child is being repaired by somebody: waited for */
    CHILD_TAKE,   /* its child has succeeded since */
    CHILD_CANNOT
};

struct launch {
    enum launch_kind kind;
    struct ejob *job;   /* NEW */
    struct erun *child; /* REPAIR, ADOPT, TAKE */
    struct err err;     /* CANNOT: why */
};

/* Only the first attempt of a repaired task goes on with a child; a retry starts a new one. */
static bool is_to_go_on(const struct etask *task)
{
    return task->row.attempts == 0 && !uuid_is_nil(&task->row.child_run);
}

static enum launch_kind find_child(struct step *step, const struct etask *task,
                                   struct launch *launch)
{
    const struct uuid *key = &task->row.child_run;
    struct erun *child = NULL;
    switch (want_run(step, key, &child)) {
    case WANT_ASKED:
        return CHILD_WAIT;
    case WANT_MISSING:
        return CHILD_NEW;
    case WANT_THERE:
        break;
    }
    struct uuid job; /* which the definition of a repair may have changed */
    if (child->is_deleted || !uuid_parse(task_def_of(task)->job_key, &job) ||
        !uuid_equal(&child->row.job, &job))
        return CHILD_NEW;
    if (child->row.state == STATE_SUCCESS && task->row.after_success == 1)
        return CHILD_NEW;
    launch->child = child;
    if (!state_is_final(child->row.state))
        return CHILD_ADOPT;
    return child->row.state == STATE_SUCCESS ? CHILD_TAKE : CHILD_REPAIR;
}

static enum launch_kind find_job(struct step *step, const struct etask *task, struct launch *launch)
{
    const char *text = task_def_of(task)->job_key;
    struct uuid key;
    bool is_key = uuid_parse(text, &key);
    enum want_answer answer = is_key ? want_job(step, &key, &launch->job) : WANT_MISSING;
    if (answer == WANT_ASKED)
        return CHILD_WAIT;
    if (answer == WANT_MISSING || launch->job->row.deleted_ms != FIELD_NULL) {
        err_set(&launch->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                "Cannot start: there is no job %s (any more)", text);
        return CHILD_CANNOT;
    }
    enum nest_verdict verdict = nest_check_run(step, task->run, launch->job, &launch->err);
    return verdict == NEST_WAIT ? CHILD_WAIT : verdict == NEST_REFUSED ? CHILD_CANNOT : CHILD_NEW;
}

static void prepare(struct step *step, const struct etask *task, struct launch *launch)
{
    *launch = (struct launch){.kind = CHILD_NEW};
    if (is_to_go_on(task))
        launch->kind = find_child(step, task, launch);
    if (launch->kind == CHILD_NEW)
        launch->kind = find_job(step, task, launch);
}

/* ---- doing it ---- */

/* A command as a user would give it: whoever made or repaired the run asks. */
static struct command command_of(const struct etask *task, enum command_kind kind,
                                 const struct uuid *key)
{
    const struct repair_row *repair = &task->run->repair;
    return (struct command){
        .kind = kind,
        .principal = {repair->created_by, repair->created_by_name},
        .key = *key,
    };
}

static void make_child(struct step *step, struct etask *task, struct param_list params,
                       struct launch *launch)
{
    struct command command = command_of(task, COMMAND_RUN_CREATE, &launch->job->row.key);
    struct command_result result = {.code = ERR_OK};
    command.run = (struct run_request){.parameters = params, .queue_enabled = FIELD_UNSET};
    const struct run_origin origin = {.plan_ms = FIELD_NULL};
    run_create(step, &command, &origin, task, &result);
    if (result.code) {
        launch->kind = CHILD_CANNOT;
        err_set(&launch->err, result.code, "Cannot start: job %s: %s", launch->job->row.name,
                result.message);
        return;
    }
    launch->child = engine_run(step->engine, &result.key);
}

/* Who has all jobs taken as they are now means those of the children too. A job that is gone has no such
 * definition, and its run is repaired on what it has. */
static enum repair_definition definition_of_child(const struct etask *task,
                                                  const struct erun *child)
{
    bool is_current = task->run->repair.definition == DEFINITION_CURRENT &&
                      child->job->row.deleted_ms == FIELD_NULL;
    return is_current ? DEFINITION_CURRENT : DEFINITION_NEWEST;
}

static void repair_child(struct step *step, const struct etask *task, struct param_list params,
                         struct launch *launch)
{
    struct command command = command_of(task, COMMAND_RUN_REPAIR, &launch->child->row.key);
    struct command_result result = {.code = ERR_OK};
    command.repair =
        (struct repair_request){.parameters = params,
                                .mode = FIELD_UNSET,
                                .definition = definition_of_child(task, launch->child)};
    run_repair(step, &command, launch->child, &result);
    if (!result.code)
        return;
    char key[UUID_TEXT];
    launch->kind = CHILD_CANNOT;
    err_set(&launch->err, result.code, "Its child run %s cannot be repaired: %s",
            uuid_format(&launch->child->row.key, key), result.message);
}

/* From now on it belongs to this task run. What is final stays as it is. */
static void claim_child(struct step *step, const struct etask *task, const struct launch *launch)
{
    struct erun *child = launch->child;
    if (launch->kind != CHILD_ADOPT && launch->kind != CHILD_REPAIR)
        return;
    child->row.parent_task_run = task->row.key;
    track(step->engine, &child->tracked);
    if (launch->kind == CHILD_ADOPT)
        note_event(step, child, NULL, EVENT_NOTE,
                   arena_printf(&step->fx->arena, "Repair %lld of its parent run waits for it",
                                (long long)task->run->row.repair_number),
                   NULL);
}

static const char *running_message(struct arena *arena, const struct etask *task,
                                   const struct launch *launch)
{
    char key[UUID_TEXT];
    const char *what = launch->kind == CHILD_REPAIR  ? "Repairing"
                       : launch->kind == CHILD_ADOPT ? "Waiting for the repair of"
                                                     : "Running";
    int64_t number = task->attempt->number;
    uuid_format(&launch->child->row.key, key);
    return number
               ? arena_printf(arena, "%s job %s as run %s, attempt %lld", what,
                              launch->child->row.job_name, key, (long long)number)
               : arena_printf(arena, "%s job %s as run %s", what, launch->child->row.job_name, key);
}

/* The attempt is there; from now on the child's end is the task's. */
static void wait_for_child(struct step *step, struct etask *task, const struct launch *launch)
{
    struct engine *engine = step->engine;
    int64_t timeout_s = task_def_of(task)->timeout_s;
    assert(launch->child);
    claim_child(step, task, launch);
    uuid_map_put(&engine->waiters, &launch->child->row.key, task);
    task_move(step, task, STATE_RUNNING, running_message(&step->fx->arena, task, launch), NULL);
    if (timeout_s > 0) {
        task->timer.kind = DEADLINE_TASK_TIMEOUT;
        heap_set(&engine->deadlines, &task->timer.item, step->mono_ms + timeout_s * 1000);
    }
    if (state_is_final(launch->child->row.state)) /* SKIPPED at once, or a success that is taken */
        list_append(&engine->runs_ended, &launch->child->ended);
}

static void cannot_start(struct step *step, struct etask *task, const struct err *err)
{
    /* A child that could not get a slot failed; all else is ours. */
    bool no_slot = err->code == ERR_INCORRECT_STATE;
    const struct attempt_outcome outcome = outcome_unmeasured(CAUSE_CANNOT_START, NULL);
    task_move(step, task, STATE_RUNNING, "Being started", NULL);
    attempt_finish(step, task, &outcome, no_slot ? STATE_FAILED : STATE_INTERNAL_ERROR,
                   arena_strdup(&step->fx->arena, err->message));
}

static void launch_now(struct step *step, struct etask *task, struct launch *launch)
{
    struct arena *arena = &step->fx->arena;
    struct param_list params;
    struct err err;
    maintenance_end(step, task->run);
    task_move(step, task, STATE_PENDING, "Being set up", NULL);
    if (task->run->row.state == STATE_PENDING)
        run_start(step, task->run);
    if (child_resolve(step->engine, task, step->now_ms, arena, &params, &err)) {
        attempt_refuse(step, task, err.message);
        return;
    }
    set_text(step->engine, &task->row.parameters, params_json(params, arena));
    if (launch->kind == CHILD_NEW)
        make_child(step, task, params, launch);
    else if (launch->kind == CHILD_REPAIR)
        repair_child(step, task, params, launch);
    attempt_begin_child(step, task, launch->child ? &launch->child->row.key : NULL);
    if (launch->kind == CHILD_CANNOT)
        cannot_start(step, task, &launch->err);
    else
        wait_for_child(step, task, launch);
}

void child_launch(struct step *step, struct etask *task)
{
    struct launch launch;
    prepare(step, task, &launch);
    if (launch.kind == CHILD_WAIT) {
        list_remove(&task->ready);
        list_append(&step->engine->launches_parked, &task->ready);
        return;
    }
    launch_now(step, task, &launch);
}

/* ---- while it goes on ---- */

void child_stop(struct step *step, const struct etask *task, const char *reason)
{
    struct erun *child = engine_run(step->engine, &task->attempt->child_run);
    assert(child);
    if (!state_is_final(child->row.state) && child->row.state != STATE_CANCELING)
        run_stop(step, child, STATE_CANCELED, reason);
}

void child_timed_out(struct step *step, struct etask *task)
{
    struct arena *arena = &step->fx->arena;
    const char *message =
        arena_printf(arena, "Timed out after %lld s", (long long)task_def_of(task)->timeout_s);
    attempt_mark_timed_out(step, task);
    task_move(step, task, STATE_CANCELING,
              arena_printf(arena, "%s; its child run is being canceled", message), NULL);
    child_stop(
        step, task,
        arena_printf(arena, "Canceled: task %s of its parent run timed out", task->row.task_key));
}

/* ---- the end ---- */

static enum state state_of_child(enum state state)
{
    return state == STATE_SKIPPED ? STATE_FAILED : state;
}

void child_ended(struct step *step, struct erun *child)
{
    struct arena *arena = &step->fx->arena;
    struct etask *task = uuid_map_remove(&step->engine->waiters, &child->row.key);
    char key[UUID_TEXT];
    assert(task && state_is_final(child->row.state));
    struct attempt_outcome outcome = outcome_unmeasured(CAUSE_CHILD, NULL);
    outcome.error_trace = child->row.error_trace;
    enum state state = state_of_child(child->row.state);
    const char *message = arena_printf(arena, "Child run %s: %s", uuid_format(&child->row.key, key),
                                       child->row.message);
    if (task->row.state == STATE_CANCELING && task->attempt->cause != CAUSE_TIMED_OUT)
        state = STATE_CANCELED;
    if (task->row.state == STATE_CANCELING && task->attempt->cause == CAUSE_TIMED_OUT) {
        state = STATE_TIMED_OUT;
        message = arena_printf(arena, "Timed out after %lld s; child run %s ended %s",
                               (long long)task_def_of(task)->timeout_s, key,
                               state_name(child->row.state));
    }
    attempt_finish(step, task, &outcome, state, message);
}

void child_to_inherit(const struct etask *task, struct uuid *ret_child, bool *ret_after_success)
{
    static const struct uuid none;
    bool is_again = task->has_row && task->run->repair.mode != REPAIR_MODE_RERUN;
    *ret_child = is_again ? task->row.child_run : none;
    /* one that was to be renewed, and did not come to it, is as its forerunner was */
    *ret_after_success = is_again && (task->row.state == STATE_SUCCESS ||
                                      (task->row.after_success == 1 && task->row.attempts == 0));
}
