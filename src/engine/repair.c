/* Repair of a finished run, in place (RULES §8). */
#include "base/buf.h"
#include "engine/internal.h"
#include "engine/plan.h"

enum { PLAN_MAX_BYTES = 4 << 20 };

static enum err_code make_plan(struct step *step, const struct erun *run,
                               const struct repair_request *request, struct repair_plan *ret,
                               struct err *err)
{
    struct arena *arena = &step->fx->arena;
    uint32_t count = run->def->task_count;
    enum state *states = ARENA_ARRAY(arena, count, enum state);
    int8_t *outcomes = ARENA_ARRAY(arena, count, int8_t);
    for (uint32_t i = 0; i < count; i++) {
        states[i] = task_state(&run->tasks[i]);
        outcomes[i] = run->tasks[i].row.outcome;
    }
    const struct plan_input input = {run->def, states, outcomes, request};
    return plan_make(&input, arena, ret, err);
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
                         const struct repair_plan *plan)
{
    struct engine *engine = step->engine;
    struct arena *arena = &step->fx->arena;
    track_flush(step, &run->tracked, sizeof run->row);
    track_flush(step, &run->repair_tracked, sizeof run->repair);
    for (uint32_t i = 0; i < run->def->task_count; i++)
        track_flush(step, &run->tasks[i].tracked, sizeof run->tasks[i].row);
    repair_drop_strings(engine, run);

    run->row.version++;
    run->row.repair_number++;
    run->row.ending = STATE_NEW;
    set_text(engine, &run->row.error_trace, NULL);
    run->repair = (struct repair_row){
        .workspace = engine->workspace.id,
        .run = run->row.key,
        .number = run->row.repair_number,
        .operation =
            new_operation(step, command, "JOB_RUN", "REPAIR", &run->row.key, run->row.job_name),
        .definition_version = run->def->version,
        .mode = command->repair.mode,
        .parameters = params_json(command->repair.parameters, arena),
        .unified = params_json(run->unified, arena),
        .plan = planned_keys(arena, plan),
        .created_by = command->principal.id,
        .created_by_name = command->principal.name,
        .requested_ms = step->now_ms,
        .state = run->row.state,
        .slot_ms = FIELD_NULL,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .setup_ms = FIELD_NULL,
        .execution_ms = FIELD_NULL,
        .cleanup_ms = FIELD_NULL,
    };
    repair_own_strings(run);
    run->repair_tracked = (struct tracked){.kind = ROW_REPAIR, .row = &run->repair};
    track(engine, &run->repair_tracked);
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
        task->inherited = child_to_inherit(task);
        task_forget(step->engine, task);
        task->retries_used = task->lost_used = task->culprit = 0;
        task->number_is_free = false;
    }
    for (uint32_t n = 0; n < run->def->task_count; n++) {
        uint32_t i = run->def->order[n];
        if (plan->tasks[i].verdict != PLAN_KEEP)
            task_create(step, &run->tasks[i], run->row.repair_number,
                        text_waiting(arena, &run->tasks[i]),
                        verdict_decision(arena, run->row.repair_number, &plan->tasks[i]));
    }
    run_count_waiting(run);
}

/* A kept task that failed still shows on the run: the earliest one's trace. */
static void show_kept_trace(struct step *step, struct erun *run)
{
    const struct etask *earliest = NULL;
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        const struct etask *task = &run->tasks[i];
        if (!state_is_own_failure(task_state(task)) || !task->row.error_trace)
            continue;
        if (!earliest || task->row.end_ms < earliest->row.end_ms)
            earliest = task;
    }
    if (earliest)
        set_text(step->engine, &run->row.error_trace, earliest->row.error_trace);
}

static enum err_code add_parameters(struct step *step, struct erun *run,
                                    const struct repair_request *request, struct err *err)
{
    const struct param_list layers[] = {run->given, params_copy(request->parameters, &run->arena)};
    const struct param_list given = run->given;
    const struct param_list unified = run->unified;
    run->given = params_merge(layers, 2, &run->arena);
    enum err_code code = run_check_params(run, err);
    int64_t repairs = run->row.repair_number++; /* {{job.repair_count}} of the new attempt */
    if (!code)
        code = run_unify(step->engine, run, step->now_ms, err);
    run->row.repair_number = repairs;
    if (code) {
        run->given = given;
        run->unified = unified;
    }
    return code;
}

/* RULES §7, order of checks: state; fields that need the run; nothing to repair; a slot. On success
 * the repair's parameters are the run's. */
static bool admit(struct step *step, struct erun *run, const struct repair_request *request,
                  struct repair_plan *ret_plan, enum state *ret_place, struct err *err)
{
    if (!state_is_final(run->row.state)) {
        err_set(err, ERR_INCORRECT_STATE, "the run is %s; only a finished run is repaired",
                state_name(run->row.state));
        return false;
    }
    const struct param_list given = run->given;
    const struct param_list unified = run->unified;
    struct err wrong;
    enum err_code code = make_plan(step, run, request, ret_plan, err);
    if (code == ERR_INVALID_PARAMETER)
        return false;
    if (add_parameters(step, run, request, &wrong)) {
        *err = wrong;
        return false;
    }
    *ret_place = run_placement(run);
    if (!code && *ret_place == STATE_SKIPPED)
        code = err_set(err, ERR_INCORRECT_STATE,
                       "the repair needs a run slot: %s, and the queue is off",
                       text_holders(&step->fx->arena, run->job));
    if (code) {
        run->given = given;
        run->unified = unified;
    }
    return code == ERR_OK;
}

void run_repair(struct step *step, const struct command *command, struct erun *run,
                struct command_result *result)
{
    struct arena *arena = &step->fx->arena;
    struct repair_plan plan = {0};
    enum state place = STATE_NEW;
    struct err err;
    if (!admit(step, run, &command->repair, &plan, &place, &err)) {
        result_refuse(result, err.code, "%s", err.message);
        return;
    }
    begin_repair(step, run, command, &plan);
    note_event(step, run, NULL, EVENT_REPAIR,
               arena_printf(arena, "Repair %lld by %s: will run %u, re-evaluate %u, keep %u",
                            (long long)run->row.repair_number, command->principal.name,
                            plan.run_count, plan.reevaluate_count, plan.keep_count),
               NULL);
    run_enter(step, run, place);
    renew_tasks(step, run, &plan);
    show_kept_trace(step, run);
    if (place == STATE_PENDING)
        run_evaluate(step, run);
    result->operation = run->repair.operation;
}
