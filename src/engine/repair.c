/* Repair of a finished run, in place (RULES §8). */
#include <assert.h>

#include "base/buf.h"
#include "engine/internal.h"
#include "engine/plan.h"
#include "model/message.h"

enum { PLAN_MAX_BYTES = 4 << 20 };

/* ---- the definition ---- */

/* One that the run or its job holds. */
static struct job_def *held_version(const struct erun *run, int64_t version)
{
    if (run->def->version == version)
        return run->def;
    return run->job->def->version == version ? run->job->def : NULL;
}

static enum err_code choose_version(const struct erun *run, const struct repair_request *request,
                                    int64_t *ret, struct err *err)
{
    return plan_choose_version(request, &run->job->row, run->row.definition_version,
                               run->def->version, ret, err);
}

bool engine_lacks_version(const struct engine *engine, const struct command *command,
                          struct uuid *ret_job, int64_t *ret_version)
{
    const struct erun *run = engine_run(engine, &command->key);
    struct err ignored;
    int64_t version;
    if (command->kind != COMMAND_RUN_REPAIR || !run ||
        choose_version(run, &command->repair, &version, &ignored) || held_version(run, version))
        return false;
    *ret_job = run->job->row.key;
    *ret_version = version;
    return true;
}

enum err_code repair_choose_def(const struct erun *run, const struct repair_request *request,
                                struct job_def *brought, struct job_def **ret, struct err *err)
{
    int64_t version;
    enum err_code code = choose_version(run, request, &version, err);
    if (code)
        return code;
    struct job_def *def = held_version(run, version);
    if (!def && brought && brought->version == version)
        def = brought;
    if (!def)
        return plan_no_version(version, &run->job->row, err);
    *ret = def;
    return ERR_OK;
}

/* ---- the plan ---- */

/* What a run has until a repair of it is admitted. */
struct before {
    struct param_list given;
    struct param_list unified;
    int8_t in_campaign;
};

static struct before remember(const struct erun *run)
{
    return (struct before){run->given, run->unified, run->row.in_campaign};
}

static void take_back(struct erun *run, const struct before *before)
{
    run->given = before->given;
    run->unified = before->unified;
    run->row.in_campaign = before->in_campaign;
}

/* What a repair that may begin is made of. */
struct admitted {
    struct before before;
    struct job_def *def; /* held by the run, the job or the command */
    struct plan_input input;
    struct repair_plan plan;
    enum state place;
};

static enum err_code make_plan(struct step *step, const struct erun *run, const struct job_def *def,
                               const struct repair_request *request, struct admitted *ret,
                               struct err *err)
{
    struct arena *arena = &step->fx->arena;
    uint32_t count = run->def->task_count;
    enum state *old_states = ARENA_ARRAY(arena, count, enum state);
    int8_t *old_outcomes = ARENA_ARRAY(arena, count, int8_t);
    for (uint32_t i = 0; i < count; i++) {
        old_states[i] = task_state(&run->tasks[i]);
        old_outcomes[i] = run->tasks[i].row.outcome;
    }
    enum state *states = ARENA_ARRAY(arena, def->task_count, enum state);
    int8_t *outcomes = ARENA_ARRAY(arena, def->task_count, int8_t);
    plan_carry_over(run->def, old_states, old_outcomes, def, states, outcomes);
    ret->input = (struct plan_input){def, states, outcomes, request, NULL};
    return plan_make(&ret->input, arena, &ret->plan, err);
}

static const char *planned_keys(struct arena *arena, const struct repair_plan *plan)
{
    struct buf text;
    buf_init(&text, PLAN_MAX_BYTES);
    buf_putc(&text, '[');
    for (uint32_t i = 0; i < plan->task_count; i++) {
        if (plan->tasks[i].verdict == PLAN_KEEP)
            continue;
        if (text.len > 1)
            buf_putc(&text, ',');
        buf_json_string(&text, plan->tasks[i].task_key);
    }
    buf_putc(&text, ']');
    const char *json = arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return json;
}

static const char *verdict_decision(struct arena *arena, int64_t number,
                                    const struct plan_task *task)
{
    struct buf text;
    buf_init(&text, ERR_MESSAGE_MAX * 2);
    buf_printf(&text, "{\"kind\":\"REPAIR\",\"repair\":%lld,\"verdict\":\"%s\",\"reason\":",
               (long long)number, plan_verdict_names[task->verdict]);
    buf_json_string(&text, task->reason);
    buf_putc(&text, '}');
    const char *json = text.overflowed ? NULL : arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return json;
}

/* The attempt of the run before this one goes out as it ended; the run gets a new one. */
static void begin_repair(struct step *step, struct erun *run, const struct command *command,
                         const struct repair_request *request, const struct admitted *admitted)
{
    struct engine *engine = step->engine;
    struct arena *arena = &step->fx->arena;
    track_flush(step, &run->tracked, sizeof run->row);
    track_flush(step, &run->repair_tracked, sizeof run->repair);
    for (uint32_t i = 0; i < run->def->task_count; i++)
        track_flush(step, &run->tasks[i].tracked, sizeof run->tasks[i].row);
    repair_drop_strings(engine, run);
    run_redefine(engine, run, admitted->def);

    run->row.version++;
    run->row.repair_number++;
    run->row.ending = STATE_NEW;
    run->row.attempt_start_ms = FIELD_NULL;
    run->commits.base = git_base_of(run->commits.base, request->definition, run->row.repair_number);
    set_text(engine, &run->row.error_trace, NULL);
    struct repair_row *row = &run->repair;
    *row = repair_row_blank(step, run, command);
    row->operation =
        new_operation(step, command, "JOB_RUN", "REPAIR", &run->row.key, run->row.job_name);
    row->definition = (int)request->definition;
    row->mode = request->mode;
    row->monitor = (int)request->monitor;
    row->parameters = params_json(request->parameters, arena);
    row->plan = planned_keys(arena, &admitted->plan);
    row->commits = source_json(run, arena);
    repair_own_strings(run);
    run->repair_tracked = (struct tracked){.kind = ROW_REPAIR, .row = &run->repair};
    track(engine, &run->repair_tracked);
}

static bool is_open(const void *context, uint32_t task)
{
    const struct erun *run = context;
    return !state_is_final(task_state(&run->tasks[task]));
}

/* Planned tasks get new task runs with fresh budgets; kept ones are not touched. */
static void renew_tasks(struct step *step, struct erun *run, const struct repair_plan *plan)
{
    struct arena *arena = &step->fx->arena;
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        struct etask *task = &run->tasks[i];
        if (plan->tasks[i].verdict == PLAN_KEEP)
            continue;
        if (task->has_row)
            task->prior_executions += task->row.attempts;
        child_to_inherit(task, &task->inherited, &task->after_success);
        task->is_marked = plan->tasks[i].verdict == PLAN_MARK;
        task_forget(step->engine, task);
        task->retries_used = task->lost_used = 0;
        task->number_is_free = false;
    }
    run_find_culprits(run); /* of those that are kept: their places may have changed */
    run_count_waiting(run);
    uint32_t *behind = ARENA_ARRAY(arena, run->def->task_count, uint32_t);
    message_find_open(run->def, is_open, run, behind);
    for (uint32_t n = 0; n < run->def->task_count; n++) {
        uint32_t i = run->def->order[n];
        if (plan->tasks[i].verdict != PLAN_KEEP)
            task_create(step, &run->tasks[i], run->row.repair_number,
                        text_waiting(arena, &run->tasks[i], behind),
                        verdict_decision(arena, run->row.repair_number, &plan->tasks[i]));
    }
}

/* A kept task that failed still shows on the run: the earliest one's trace. */
static void show_kept_trace(struct step *step, struct erun *run)
{
    const struct etask *earliest = run_first_trace(run);
    if (!earliest)
        return;
    run->traced_ms = earliest->row.end_ms;
    set_text(step->engine, &run->row.error_trace, earliest->row.error_trace);
    set_text(step->engine, &run->repair.error_trace, earliest->row.error_trace);
}

/* The parameters are checked and resolved on the definition that the repair uses. The caller takes back what fails. */
static enum err_code add_parameters(struct step *step, struct erun *run, struct job_def *def,
                                    const struct repair_request *request, struct err *err)
{
    const struct param_list layers[] = {run->given, params_copy(request->parameters, &run->arena)};
    struct job_def *newest = run->def;
    int64_t repairs = run->row.repair_number++; /* {{job.repair_count}} of the new attempt */
    run->def = def;
    run->given = params_merge(layers, 2, &run->arena);
    enum err_code code = run_check_params(run, err);
    if (!code)
        code = run_unify(step->engine, run, step->now_ms, err);
    run->def = newest;
    run->row.repair_number = repairs;
    return code;
}

/* RULES §7, order of checks: state; fields that need the run; nothing to repair; a slot. On success
 * the repair's parameters are the run's. */
static enum err_code admit(struct step *step, struct erun *run,
                           const struct repair_request *request, struct job_def *brought,
                           struct admitted *ret, struct err *err)
{
    struct err wrong;
    ret->before = remember(run);
    enum err_code code = plan_check_state(run->row.state, err);
    if (!code)
        code = repair_choose_def(run, request, brought, &ret->def, err);
    if (code)
        return code;
    assert(ret->def);
    code = make_plan(step, run, ret->def, request, ret, err);
    if (code == ERR_INVALID_PARAMETER)
        return code;
    if (add_parameters(step, run, ret->def, request, &wrong)) {
        take_back(run, &ret->before);
        *err = wrong;
        return err->code;
    }
    run->row.in_campaign = request->in_campaign;
    ret->place = run_placement(run);
    if (!code && ret->place == STATE_SKIPPED)
        code = err_set(err, ERR_INCORRECT_STATE,
                       "the repair needs a run slot: %s, and the queue is off",
                       text_holders(&step->fx->arena, run->job));
    if (code) {
        take_back(run, &ret->before);
        return code;
    }
    struct texts texts;
    texts_init_repair(&texts, step->engine, run);
    plan_foresee(&ret->input, &texts.references, &step->fx->arena, &ret->plan);
    texts_release(&texts);
    return ERR_OK;
}

static const char *accepted_text(struct arena *arena, const struct erun *run, const char *by,
                                 const struct admitted *admitted, bool other)
{
    const struct repair_plan *plan = &admitted->plan;
    const char *definition = other ? arena_printf(arena, "on version %lld of the definition, ",
                                                  (long long)admitted->def->version)
                                   : "";
    const char *marked = plan->mark_count ? arena_printf(arena, "mark %u, ", plan->mark_count) : "";
    return arena_printf(arena, "Repair %lld by %s: %swill run %u, re-evaluate %u, %skeep %u",
                        (long long)run->row.repair_number, by, definition, plan->run_count,
                        plan->reevaluate_count, marked, plan->keep_count);
}

static void begin_admitted(struct step *step, struct erun *run, const struct command *command,
                           const struct repair_request *request, const struct admitted *admitted)
{
    bool other = admitted->def->version != run->def->version;
    begin_repair(step, run, command, request, admitted);
    note_event(step, run, NULL, EVENT_REPAIR,
               accepted_text(&step->fx->arena, run, command->principal.name, admitted, other),
               NULL);
    run_enter(step, run, admitted->place);
    renew_tasks(step, run, &admitted->plan);
    show_kept_trace(step, run);
    if (admitted->place == STATE_PENDING)
        run_evaluate(step, run);
}

void run_repair(struct step *step, const struct command *command, struct erun *run,
                struct command_result *result)
{
    struct admitted admitted = {0};
    struct err err;
    if (admit(step, run, &command->repair, command->def, &admitted, &err)) {
        result_refuse(result, err.code, "%s", err.message);
        return;
    }
    begin_admitted(step, run, command, &command->repair, &admitted);
    struct repair_plan *plan = ARENA_NEW(&step->fx->arena, struct repair_plan);
    *plan = admitted.plan;
    step->fx->plan = plan;
    result->operation = run->repair.operation;
}

/* ---- several runs together: all of them, or none (RULES §10, mode A) ---- */

/* A run of the request. */
struct chosen {
    struct erun *run;
    struct admitted admitted;
};

/* Each is admitted as if it were alone; without a queue they need slots side by side. */
static enum err_code check_slots(struct step *step, const struct chosen *chosen, size_t count,
                                 struct err *err)
{
    const struct erun *run = chosen[count].run;
    int64_t taken = (int64_t)run->job->holder_count;
    for (size_t i = 0; i < count; i++)
        taken += chosen[i].run->job == run->job;
    if (run_may_queue(run) || taken < run->job->def->details.max_concurrent_runs)
        return ERR_OK;
    return err_set(err, ERR_INCORRECT_STATE,
                   "the reruns need more run slots than are free: %s, and the queue is off",
                   text_holders(&step->fx->arena, run->job));
}

static enum err_code choose(struct step *step, const struct rerun *rerun, struct chosen *ret,
                            struct err *err)
{
    struct erun *run = engine_run(step->engine, &rerun->run);
    if (!run || run->is_deleted)
        return err_set(err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "Job run not found or not allowed");
    if (run->row.version != rerun->version)
        return err_set(err, ERR_NO_ETAG_MATCH,
                       "instance %lld has changed since it was looked at: try again",
                       (long long)run->row.number);
    *ret = (struct chosen){.run = run};
    enum err_code code = admit(step, run, &rerun->repair, rerun->def, &ret->admitted, err);
    if (code)
        err_set(err, code, "instance %lld: %s", (long long)run->row.number, err->message);
    return code;
}

void runs_rerun(struct step *step, const struct command *command, struct command_result *result)
{
    size_t count = command->rerun_count, admitted = 0;
    struct chosen *chosen = ARENA_ARRAY(&step->fx->arena, count, struct chosen);
    struct err err;
    enum err_code code = ERR_OK;
    while (admitted < count && !code) {
        code = choose(step, &command->reruns[admitted], &chosen[admitted], &err);
        if (code)
            break;
        code = check_slots(step, chosen, admitted, &err);
        admitted++;
    }
    if (code) {
        for (size_t i = 0; i < admitted; i++)
            take_back(chosen[i].run, &chosen[i].admitted.before);
        result_refuse(result, code, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        chosen[i].admitted.place = run_placement(chosen[i].run);
        begin_admitted(step, chosen[i].run, command, &command->reruns[i].repair,
                       &chosen[i].admitted);
    }
    result->key = chosen[0].run->row.key;
    result->operation = chosen[0].run->repair.operation;
}
