/* Attempts of tasks: start, end, retry (RULES §3). */
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"
#include "model/cluster.h"

enum { LOST_BUDGET = 3 };

/* ---- rows ---- */

static void attempt_write(struct step *step, struct etask *task, enum row_action action)
{
    row_batch_add_copy(&step->fx->events, &step->fx->arena, ROW_ATTEMPT, action, task->attempt);
}

struct attempt_times times_of_attempt(const struct attempt_row *row)
{
    return (struct attempt_times){
        .start_ms = row->start_ms,
        .end_ms = row->end_ms,
        .setup_start_ms = row->setup_start_ms,
        .setup_ms = row->setup_ms,
        .execution_ms = row->execution_ms,
        .cleanup_ms = row->cleanup_ms,
    };
}

static struct attempt_times times_shown(const struct task_run_row *row)
{
    return (struct attempt_times){
        .start_ms = row->start_ms,
        .end_ms = row->end_ms,
        .setup_start_ms = row->setup_start_ms,
        .setup_ms = row->setup_ms,
        .execution_ms = row->execution_ms,
        .cleanup_ms = row->cleanup_ms,
    };
}

static void show_times(struct task_run_row *row, const struct attempt_times *times)
{
    row->start_ms = times->start_ms;
    row->end_ms = times->end_ms;
    row->setup_start_ms = times->setup_start_ms;
    row->setup_ms = times->setup_ms;
    row->execution_ms = times->execution_ms;
    row->cleanup_ms = times->cleanup_ms;
}

/* TaskRun shows the newest started attempt (RULES §12). */
static void mirror(struct etask *task)
{
    const struct attempt_times times = times_of_attempt(task->attempt);
    task->row.attempt = task->attempt->number;
    show_times(&task->row, &times);
}

/* The newest attempt has not started after all: what was shown before it is shown again. */
static void mirror_before(struct etask *task)
{
    int64_t number = task->attempt->number;
    task->row.attempt = number ? number - 1 : FIELD_NULL;
    show_times(&task->row, &task->before);
}

/* When its set-up began: of a task whose files had to be fetched that is a while ago. */
static int64_t setup_start(const struct step *step, const struct etask *task)
{
    if (!task_has_process(task))
        return FIELD_NULL;
    return task->in_setup && task->setup_start_ms <= step->now_ms ? task->setup_start_ms
                                                                  : step->now_ms;
}

static bool has_new_cluster(const struct etask *task)
{
    const struct job_cluster *cluster =
        cluster_of_task(&task->run->def->details, task_def_of(task));
    return cluster && cluster->new_cluster;
}

static void attempt_row_begin(struct step *step, struct etask *task, const struct uuid *child)
{
    static const struct uuid none;
    bool has_process = task_has_process(task);
    struct engine *engine = step->engine;
    enum row_action action = task->number_is_free ? ROW_UPDATE : ROW_INSERT;
    int64_t number = task->row.attempts; /* also of one that is used again */
    bool once_more = task->attempt && task->number_is_free;
    int64_t created_ms = once_more ? task->attempt->created_ms : step->now_ms;
    if (!task->attempt)
        task->attempt = xcalloc(1, sizeof *task->attempt);
    set_text(engine, &task->attempt->message, "Running");
    set_text(engine, &task->attempt->error_trace, NULL);
    set_text(engine, &task->attempt->external_id, NULL);
    const char *message = task->attempt->message;
    int64_t setup_ms = setup_start(step, task);
    *task->attempt = (struct attempt_row){
        .workspace = engine->workspace.id,
        .run = task->run->row.key,
        .task_run = task->row.key,
        .number = number,
        .epoch = engine->workspace.epoch,
        .host = has_process ? engine->config.host : NULL,
        .child_run = child ? *child : none,
        .created_ms = created_ms,
        .state = STATE_RUNNING,
        .message = message,
        .exit_code = FIELD_NULL,
        .signal = FIELD_NULL,
        .setup_start_ms = setup_ms,
        .start_ms = step->now_ms,
        .end_ms = FIELD_NULL,
        .setup_ms = !has_process            ? 0
                    : has_new_cluster(task) ? FIELD_NULL /* the cluster is part of it */
                                            : step->now_ms - setup_ms,
        .execution_ms = FIELD_NULL,
        .cleanup_ms = FIELD_NULL,
        .launch = FIELD_NULL,
    };
    task->number_is_free = false;
    task->start_mono_ms = step->mono_ms;
    task->row.attempts++;
    task->before = times_shown(&task->row);
    attempt_write(step, task, action);
    mirror(task);
}

void attempt_begin_child(struct step *step, struct etask *task, const struct uuid *child)
{
    attempt_row_begin(step, task, child);
    task->row.child_run = task->attempt->child_run;
}

void attempt_mark_timed_out(struct step *step, struct etask *task)
{
    task->attempt->cause = CAUSE_TIMED_OUT;
    attempt_write(step, task, ROW_UPDATE);
}

/* ---- start ---- */

/* Like a task that is decided: RUNNING for no time. */
static void refuse_own(struct step *step, struct etask *task, const char *message)
{
    if (task->run->row.state == STATE_PENDING)
        run_start(step, task->run);
    task_move(step, task, STATE_RUNNING, "Putting in its expressions", NULL);
    task->row.start_ms = task->row.end_ms = step->now_ms;
    task->row.execution_ms = 0;
    set_text(step->engine, &task->row.error_code, state_names[STATE_FAILED]);
    task_move(step, task, STATE_FAILED, message, NULL);
}

void attempt_refuse(struct step *step, struct etask *task, const char *message)
{
    if (task_def_of(task)->expression_language == LANGUAGE_EL) {
        refuse_own(step, task, message);
        return;
    }
    set_text(step->engine, &task->row.error_code, state_names[STATE_INTERNAL_ERROR]);
    task_move(step, task, STATE_INTERNAL_ERROR, message, NULL);
}

static void add_start(struct step *step, const struct etask *task,
                      const struct resolved_task *resolved, const char *root)
{
    struct effects *fx = step->fx;
    const struct task_def *def = task_def_of(task);
    GROW(fx->starts, fx->start_count, fx->start_cap);
    fx->starts[fx->start_count++] = (struct start_effect){
        .run = task->run->row.key,
        .task_run = task->row.key,
        .repair = task->row.repair_number,
        .attempt = task->attempt->number,
        .epoch = task->attempt->epoch,
        .task = def,
        .cluster = cluster_of_task(&task->run->def->details, def),
        .root = arena_strdup(&fx->arena, root),
        .commit = root ? arena_strdup(&fx->arena, task->row.git_commit) : NULL,
        .file = resolved->file,
        .main_class = resolved->main_class,
        .libraries = resolved->libraries,
        .library_count = resolved->library_count,
        .args = resolved->args,
        .arg_count = resolved->arg_count,
        .input = resolved->input,
        .params = resolved->params,
        .timeout_ms = def->timeout_s == FIELD_NULL ? 0 : def->timeout_s * 1000,
        .grace_ms = step->engine->config.grace_ms,
    };
}

/* From set-up to RUNNING: the attempt takes its number. */
static void attempt_begin(struct step *step, struct etask *task,
                          const struct resolved_task *resolved)
{
    struct arena *arena = &step->fx->arena;
    set_text(step->engine, &task->row.parameters, params_json(resolved->params, arena));
    attempt_row_begin(step, task, NULL);
    int64_t number = task->attempt->number;
    task_move(step, task, STATE_RUNNING,
              number ? arena_printf(arena, "Running, attempt %lld", (long long)number) : "Running",
              NULL);
}

void attempt_start(struct step *step, struct etask *task)
{
    struct erun *run = task->run;
    struct arena *arena = &step->fx->arena;
    struct resolved_task resolved;
    struct err err;
    maintenance_end(step, run);
    task->in_setup = task_def_of(task)->source == SOURCE_GIT_PROVIDER;
    task->setup_start_ms = step->now_ms;
    task_move(step, task, STATE_PENDING,
              task->in_setup ? "Being set up: its files are fetched from git" : "Being set up",
              NULL);
    if (run->row.state == STATE_PENDING)
        run_start(step, run);
    if (task_resolve(step->engine, task, step->now_ms, arena, &resolved, &err)) {
        attempt_refuse(step, task, err.message);
    } else if (resolved.git) {
        source_ask(step, task, &resolved);
    } else {
        attempt_begin(step, task, &resolved);
        add_start(step, task, &resolved, NULL);
    }
}

/* Nothing that was set up starts while the server drains or the run rests: it is ready again. */
static bool may_begin(const struct step *step, const struct erun *run)
{
    return !step->engine->is_draining && !run->row.is_suspended && run->row.state == STATE_RUNNING;
}

void attempt_prepared(struct step *step, struct etask *task, const struct attempt_prepared *told)
{
    struct erun *run = task->run;
    struct resolved_task resolved;
    struct err err;
    if (task_resolve(step->engine, task, step->now_ms, &step->fx->arena, &resolved, &err)) {
        attempt_refuse(step, task, err.message);
        return;
    }
    const char *commit = told->commit ? source_record(step, run, &resolved, told->commit) : NULL;
    if (told->commit && !commit) {
        attempt_refuse(step, task, "Its run takes files from too many branches");
    } else if (!may_begin(step, run)) {
        task_move(step, task, STATE_QUEUED, "Ready again, waiting for an execution slot", NULL);
    } else if (!told->commit) {
        const struct attempt_outcome outcome =
            outcome_unmeasured(CAUSE_CANNOT_START, told->message);
        attempt_begin(step, task, &resolved);
        attempt_outcome(step, task, &outcome);
    } else if (strcmp(commit, told->commit) != 0) {
        source_ask(step, task, &resolved); /* another task of the run was first */
    } else {
        set_text(step->engine, &task->row.git_commit, commit);
        attempt_begin(step, task, &resolved);
        add_start(step, task, &resolved, told->root);
    }
}

/* ---- while it goes on ---- */

/* From when its set-up began to its start, and then the cluster's. A child's is none. */
static int64_t whole_setup_ms(const struct attempt_row *attempt, int64_t cluster_ms)
{
    if (attempt->setup_start_ms == FIELD_NULL)
        return 0;
    return attempt->start_ms - attempt->setup_start_ms + cluster_ms;
}

void attempt_news(struct step *step, struct etask *task, const struct attempt_news *news)
{
    struct attempt_row *attempt = task->attempt;
    struct arena *arena = &step->fx->arena;
    bool is_up = news->setup_ms > 0 && attempt->setup_ms == FIELD_NULL;
    bool is_named = news->external_id && !attempt->external_id;
    if (!is_up && !is_named)
        return;
    if (is_up) {
        int64_t most = step->now_ms > attempt->start_ms ? step->now_ms - attempt->start_ms : 0;
        attempt->setup_ms = whole_setup_ms(attempt, news->setup_ms < most ? news->setup_ms : most);
        note_event(
            step, task->run, task, EVENT_NOTE,
            arena_printf(arena, "Its cluster is up after %lld ms", (long long)news->setup_ms),
            NULL);
    }
    if (is_named) {
        set_text(step->engine, &attempt->external_id, news->external_id);
        note_event(step, task->run, task, EVENT_NOTE,
                   arena_printf(arena, "It is the Spark application %s", news->external_id), NULL);
    }
    attempt_write(step, task, ROW_UPDATE);
    mirror(task);
}

/* ---- end ---- */

struct attempt_outcome outcome_unmeasured(enum attempt_cause cause, const char *message)
{
    return (struct attempt_outcome){
        .cause = (int)cause,
        .ended_ms = FIELD_NULL,
        .launch = FIELD_NULL,
        .user_us = FIELD_NULL,
        .system_us = FIELD_NULL,
        .max_rss_kib = FIELD_NULL,
        .in_blocks = FIELD_NULL,
        .out_blocks = FIELD_NULL,
        .message = message,
    };
}

static enum state state_of_cause(const struct attempt_outcome *outcome)
{
    switch ((enum attempt_cause)outcome->cause) {
    case CAUSE_EXITED:
        return outcome->exit_code == 0 ? STATE_SUCCESS : STATE_FAILED;
    case CAUSE_SIGNALED:
        return STATE_FAILED;
    case CAUSE_TIMED_OUT:
        return STATE_TIMED_OUT;
    case CAUSE_STOPPED: /* which is CANCELED, or lost */
    case CAUSE_EXEC_FAILED:
    case CAUSE_CANNOT_START:
    case CAUSE_LOST:
    case CAUSE_CHILD:
    case CAUSE_NONE:
    default:
        return STATE_INTERNAL_ERROR;
    }
}

static const char *say_cause(struct arena *arena, const struct attempt_outcome *outcome)
{
    if (outcome->message)
        return outcome->message;
    switch ((enum attempt_cause)outcome->cause) {
    case CAUSE_EXITED:
        return arena_printf(arena, "Exited with code %lld", (long long)outcome->exit_code);
    case CAUSE_SIGNALED:
        return arena_printf(arena, "Killed by signal %lld", (long long)outcome->signal);
    case CAUSE_STOPPED:
        return "Stopped";
    case CAUSE_TIMED_OUT:
        return "Timed out";
    case CAUSE_EXEC_FAILED:
    case CAUSE_CANNOT_START:
    case CAUSE_LOST:
    case CAUSE_CHILD:
    case CAUSE_NONE:
    default:
        return "Could not be started";
    }
}

/* How it ended, and what became of what it published. */
static const char *message_of(struct arena *arena, const struct attempt_outcome *outcome,
                              enum state state)
{
    const char *message = state == STATE_SUCCESS ? "Succeeded" : say_cause(arena, outcome);
    return outcome->unpublished ? arena_printf(arena, "%s; not all of REPRISE_OUTPUT was taken: %s",
                                               message, outcome->unpublished)
                                : message;
}

/* Set-up and clean-up of a cluster are parts of the attempt, as its supervisor sees it; they were measured
 * on another clock, so they are held to the whole. Where nobody could say, all of it was execution. */
static void attempt_durations(struct attempt_row *attempt, const struct attempt_outcome *outcome)
{
    int64_t whole = attempt->end_ms - attempt->start_ms;
    int64_t setup = outcome->setup_ms > 0 ? outcome->setup_ms : 0;
    int64_t cleanup = outcome->cleanup_ms > 0 ? outcome->cleanup_ms : 0;
    if (!setup && attempt->setup_ms != FIELD_NULL)
        setup = attempt->setup_ms - whole_setup_ms(attempt, 0); /* as it was told before */
    if (setup > whole)
        setup = whole;
    if (cleanup > whole - setup)
        cleanup = whole - setup;
    attempt->setup_ms = whole_setup_ms(attempt, setup);
    attempt->cleanup_ms = cleanup;
    attempt->execution_ms = whole - setup - cleanup;
}

static void attempt_row_end(struct step *step, struct etask *task,
                            const struct attempt_outcome *outcome, enum state state,
                            const char *message, enum budget budget)
{
    struct engine *engine = step->engine;
    struct attempt_row *attempt = task->attempt;
    int64_t end = outcome->ended_ms == FIELD_NULL ? step->now_ms : outcome->ended_ms;
    if (end > step->now_ms)
        end = step->now_ms;
    if (end < attempt->start_ms)
        end = attempt->start_ms;
    attempt->state = state;
    set_text(engine, &attempt->message, message);
    set_text(engine, &attempt->error_trace, state == STATE_SUCCESS ? NULL : outcome->error_trace);
    if (outcome->external_id)
        set_text(engine, &attempt->external_id, outcome->external_id);
    attempt->cause = outcome->cause;
    attempt->budget = budget;
    attempt->exit_code = outcome->cause == CAUSE_EXITED ? outcome->exit_code : FIELD_NULL;
    attempt->signal = outcome->cause == CAUSE_SIGNALED ? outcome->signal : FIELD_NULL;
    attempt->end_ms = end;
    attempt->launch = outcome->launch;
    attempt_durations(attempt, outcome);
    attempt->user_us = outcome->user_us;
    attempt->system_us = outcome->system_us;
    attempt->max_rss_kib = outcome->max_rss_kib;
    attempt->in_blocks = outcome->in_blocks;
    attempt->out_blocks = outcome->out_blocks;
    attempt_write(step, task, ROW_UPDATE);
    mirror(task);
    set_text(engine, &task->row.error_trace, attempt->error_trace);
    set_text(engine, &task->row.published, outcome->published);
}

static void retry_in(struct step *step, struct etask *task, int64_t wait_ms, const char *reason,
                     const char *decision)
{
    task_move(step, task, STATE_PENDING, reason, decision);
    if (wait_ms <= 0) {
        task_retry_due(step, task);
        return;
    }
    task->row.retry_at_ms = step->now_ms + wait_ms;
    task->timer.kind = DEADLINE_RETRY;
    heap_set(&step->engine->deadlines, &task->timer.item, step->mono_ms + wait_ms);
}

/* Does the task's own budget pay for another attempt? */
static bool may_retry(const struct etask *task, enum state state)
{
    const struct task_def *def = task_def_of(task);
    if (state == STATE_TIMED_OUT && def->is_retry_on_timeout != 1)
        return false;
    return state_is_own_failure(state) && task->retries_used < def->max_retries;
}

static void retry(struct step *step, struct etask *task, const char *message)
{
    struct arena *arena = &step->fx->arena;
    const struct task_def *def = task_def_of(task);
    int64_t wait_ms = task->start_mono_ms + def->min_retry_interval_ms - step->mono_ms;
    if (wait_ms < 0)
        wait_ms = 0;
    int64_t at_ms = step->now_ms + wait_ms;
    task->retries_used++;
    const char *decision = arena_printf(
        arena,
        "{\"kind\":\"RETRY\",\"attempt\":%lld,\"budget\":\"RETRIES\",\"used\":%u,\"of\":%lld,"
        "\"notBefore\":%lld}",
        (long long)task->attempt->number, task->retries_used, (long long)def->max_retries,
        (long long)at_ms);
    const char *reason = arena_printf(arena, "%s; retry %u of %lld", message, task->retries_used,
                                      (long long)def->max_retries);
    retry_in(step, task, wait_ms, reason, decision);
}

/* The earliest unsuccessful task's trace is the run's; ends are not always heard of in their order. */
static void show_trace(struct step *step, struct etask *task)
{
    struct erun *run = task->run;
    if (!task->row.error_trace || (run->row.error_trace && run->traced_ms <= task->row.end_ms))
        return;
    run->traced_ms = task->row.end_ms;
    set_text(step->engine, &run->row.error_trace, task->row.error_trace);
    set_text(step->engine, &run->repair.error_trace, task->row.error_trace);
    track(step->engine, &run->tracked);
    track(step->engine, &run->repair_tracked);
}

static void task_end(struct step *step, struct etask *task, enum state state, const char *message)
{
    set_text(step->engine, &task->row.error_code, state == STATE_SUCCESS ? "" : state_names[state]);
    task_move(step, task, state, message, NULL);
    if (state_is_own_failure(state))
        show_trace(step, task);
}

/* What a cancelled task says: the run knows why, or it was canceled alone. */
static const char *cancel_reason(struct step *step, const struct etask *task)
{
    const struct run_row *run = &task->run->row;
    if (task->row.canceled_by)
        return text_canceled(&step->fx->arena, task->row.canceled_by);
    if (run->state != STATE_CANCELING)
        return "Canceled: the failure of another task ends the run";
    return run->ending == STATE_TIMED_OUT ? "Canceled: the run's timeout passed" : "Canceled";
}

void attempt_finish(struct step *step, struct etask *task, const struct attempt_outcome *outcome,
                    enum state state, const char *message)
{
    bool run_stops = task->run->row.state == STATE_CANCELING;
    bool was_canceled = run_stops || task->row.canceled_by || state == STATE_CANCELED;
    if (task->row.state == STATE_CANCELING && was_canceled) {
        bool timed_out = outcome->cause == CAUSE_TIMED_OUT ||
                         (outcome->cause == CAUSE_CHILD && task->attempt->cause == CAUSE_TIMED_OUT);
        attempt_row_end(step, task, outcome, STATE_CANCELED,
                        timed_out ? "Canceled, while its timeout was ending it" : message,
                        BUDGET_NONE);
        task_end(step, task, STATE_CANCELED, cancel_reason(step, task));
        return;
    }
    /* Where the failure of another task ends the run, one whose own timeout was stopping it already is not tried again either. */
    bool again = may_retry(task, state) && policy_result(task->run, STATE_NEW) != STATE_FAILED;
    attempt_row_end(step, task, outcome, state, message, again ? BUDGET_RETRIES : BUDGET_NONE);
    if (again)
        retry(step, task, message);
    else
        task_end(step, task, state, message);
}

/* It has a budget of its own, whatever the task's. */
static void lose(struct step *step, struct etask *task, const struct attempt_outcome *outcome,
                 const char *message)
{
    struct arena *arena = &step->fx->arena;
    if (task->row.state == STATE_CANCELING) {
        attempt_row_end(step, task, outcome, STATE_CANCELED, message, BUDGET_NONE);
        task_end(step, task, STATE_CANCELED, cancel_reason(step, task));
        return;
    }
    attempt_row_end(step, task, outcome, STATE_INTERNAL_ERROR, message, BUDGET_LOST);
    if (++task->lost_used > LOST_BUDGET) {
        task_end(
            step, task, STATE_INTERNAL_ERROR,
            arena_printf(arena, "%s; lost %u times, not started again", message, task->lost_used));
        return;
    }
    const char *decision =
        arena_printf(arena,
                     "{\"kind\":\"RETRY\",\"attempt\":%lld,\"budget\":\"LOST\",\"used\":%u,"
                     "\"of\":%d}",
                     (long long)task->attempt->number, task->lost_used, LOST_BUDGET);
    retry_in(step, task, 0, arena_printf(arena, "%s; started again", message), decision);
}

void attempt_outcome(struct step *step, struct etask *task, const struct attempt_outcome *outcome)
{
    bool stopped = task->row.state == STATE_CANCELING;
    if (!stopped && outcome->cause == CAUSE_STOPPED) {
        struct attempt_outcome measured = *outcome;
        measured.cause = CAUSE_LOST;
        lose(step, task, &measured,
             "Lost: it was stopped from outside, as by a host that goes down");
        return;
    }
    enum state state = stopped ? STATE_CANCELED : state_of_cause(outcome);
    attempt_finish(step, task, outcome, state, message_of(&step->fx->arena, outcome, state));
}

void attempt_lost(struct step *step, struct etask *task, const struct attempt_outcome *told)
{
    const char *message = told->message ? told->message
                                        : "Lost: the server or its host failed while it ran";
    struct attempt_outcome outcome = outcome_unmeasured(CAUSE_LOST, message);
    outcome.launch = told->launch;
    outcome.error_trace = told->error_trace;
    outcome.published = told->published;
    lose(step, task, &outcome, message);
}

void attempt_void(struct step *step, struct etask *task)
{
    static const char message[] = "Never started: the server stopped before it could";
    struct attempt_row *attempt = task->attempt;
    if (attempt->epoch == step->engine->workspace.epoch) {
        /* Number and epoch are used up together, and there is no next epoch yet: a new number. */
        const struct attempt_outcome told = outcome_unmeasured(CAUSE_LOST, NULL);
        attempt_lost(step, task, &told);
        return;
    }
    attempt->state = STATE_PENDING;
    attempt->start_ms = attempt->setup_start_ms = FIELD_NULL; /* it is not shown as started */
    set_text(step->engine, &attempt->message, message);
    attempt_write(step, task, ROW_UPDATE);
    task->number_is_free = true;
    task->row.attempts--;
    mirror_before(task);
    if (task->row.state == STATE_CANCELING)
        task_end(step, task, STATE_CANCELED, cancel_reason(step, task));
    else
        retry_in(step, task, 0, message, NULL);
}

void task_retry_due(struct step *step, struct etask *task)
{
    task_move(step, task, STATE_QUEUED, "Ready again, waiting for an execution slot", NULL);
}
