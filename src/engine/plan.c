#include "engine/plan.h"

#include <string.h>

#include "engine/rules.h"

enum { HAZARDS_NAMED = 10 }; /* of one kept task */

struct planner {
    const struct plan_input *input;
    const struct job_def *def;
    struct arena *arena;
    uint8_t *selected;   /* by position */
    uint8_t *planned;    /* selected or downstream of it and not SUCCESS */
    uint8_t *downstream; /* of the selection, whatever its state */
};

/* ---- selection ---- */

static bool never_ran(const struct planner *planner)
{
    for (uint32_t i = 0; i < planner->def->task_count; i++)
        if (planner->input->states[i] != STATE_NEW)
            return false;
    return true;
}

static enum err_code select_named(struct planner *planner, struct err *err)
{
    const struct repair_request *request = planner->input->request;
    for (size_t i = 0; i < request->task_key_count; i++) {
        int64_t position = job_def_find(planner->def, request->task_keys[i]);
        if (position < 0)
            return err_set(err, ERR_INVALID_PARAMETER, "taskKeys[%zu]: the run has no task %s", i,
                           request->task_keys[i]);
        bool succeeded = planner->input->states[position] == STATE_SUCCESS;
        if (request->mode != REPAIR_MODE_RESUME || !succeeded)
            planner->selected[position] = 1;
    }
    return ERR_OK;
}

static enum err_code make_selection(struct planner *planner, struct err *err)
{
    const struct plan_input *input = planner->input;
    if (input->request->task_key_count > 0) {
        enum err_code code = select_named(planner, err);
        if (code || !never_ran(planner))
            return code;
    }
    bool every = input->request->mode == REPAIR_MODE_RERUN || never_ran(planner);
    for (uint32_t i = 0; i < planner->def->task_count; i++)
        if (every || (!input->request->task_key_count && state_is_unsuccessful(input->states[i])))
            planner->selected[i] = 1;
    return ERR_OK;
}

static void close_selection(struct planner *planner)
{
    const struct job_def *def = planner->def;
    for (uint32_t n = 0; n < def->task_count; n++) {
        uint32_t i = def->order[n];
        for (uint32_t d = 0; d < def->nodes[i].dep_count; d++) {
            uint32_t dep = def->nodes[i].deps[d].task;
            planner->downstream[i] |= planner->selected[dep] | planner->downstream[dep];
        }
        bool again = planner->downstream[i] && planner->input->states[i] != STATE_SUCCESS;
        planner->planned[i] = planner->selected[i] || again;
    }
}

/* ---- what is known beforehand ---- */

/* A dependency that is not known yet may still turn out to exclude the task: rule (a) comes first. */
static bool may_be_excluded(const struct rule_dep *deps, uint32_t count)
{
    for (uint32_t d = 0; d < count; d++)
        if (deps[d].state == STATE_NEW && deps[d].wanted_outcome != FIELD_UNSET)
            return true;
    return false;
}

/* The state of every task as far as the plan fixes it: kept ones keep theirs, planned ones that
 * cannot start take what their rule gives them, the others are unknown (STATE_NEW). */
static void foresee(struct planner *planner, struct repair_plan *plan)
{
    const struct job_def *def = planner->def;
    enum state *known = ARENA_ARRAY(planner->arena, def->task_count, enum state);
    for (uint32_t n = 0; n < def->task_count; n++) {
        uint32_t i = def->order[n];
        struct plan_task *task = &plan->tasks[i];
        if (!planner->planned[i]) {
            known[i] = rule_state_seen(&def->tasks[i], planner->input->states[i]);
            continue;
        }
        const struct graph_node *node = &def->nodes[i];
        struct rule_dep *deps = ARENA_ARRAY(planner->arena, node->dep_count, struct rule_dep);
        for (uint32_t d = 0; d < node->dep_count; d++) {
            uint32_t dep = node->deps[d].task;
            deps[d] = (struct rule_dep){
                known[dep],
                planner->planned[dep] ? FIELD_UNSET : planner->input->outcomes[dep],
                node->deps[d].outcome,
            };
        }
        struct rule_result result;
        known[i] = STATE_NEW;
        task->will_start = true;
        if (node->dep_count == 0 ||
            !rule_cannot_run((enum run_if)def->tasks[i].run_if, deps, node->dep_count, &result))
            continue;
        task->will_start = false;
        known[i] = may_be_excluded(deps, node->dep_count) ? STATE_NEW : rule_state(result.verdict);
        uint32_t because = result.because == UINT32_MAX ? 0 : result.because;
        uint32_t dep = node->deps[because].task;
        const char *dep_key = def->tasks[dep].task_key;
        if (planner->planned[dep])
            task->reason =
                arena_printf(planner->arena, "Will not start: %s will not start either", dep_key);
        else
            task->reason = arena_printf(planner->arena,
                                        "Will not start: %s stays %s; select it too", dep_key,
                                        state_name(known[dep]));
    }
}

/* The nearest planned ancestors of a kept, successful task: its inputs may change under it. */
static void find_hazards(struct planner *planner, struct repair_plan *plan)
{
    const struct job_def *def = planner->def;
    for (uint32_t i = 0; i < def->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        if (planner->planned[i] || !planner->downstream[i])
            continue;
        const struct graph_node *node = &def->nodes[i];
        task->hazards = ARENA_ARRAY(planner->arena, HAZARDS_NAMED, const char *);
        for (uint32_t d = 0; d < node->dep_count && task->hazard_count < HAZARDS_NAMED; d++) {
            uint32_t dep = node->deps[d].task;
            const char *key = def->tasks[dep].task_key;
            const char *text = NULL;
            if (planner->planned[dep] && def->tasks[dep].type == TASK_IF_ELSE)
                text = arena_printf(planner->arena,
                                    "%s is decided again; this branch keeps its old result", key);
            else if (planner->planned[dep])
                text = arena_printf(planner->arena, "%s runs again; this result may be stale", key);
            else if (planner->downstream[dep])
                text = arena_printf(planner->arena, "%s may be stale, and so may this result", key);
            if (text)
                task->hazards[task->hazard_count++] = text;
        }
    }
}

static const char *selected_reason(const struct planner *planner, uint32_t i)
{
    enum state state = planner->input->states[i];
    if (state == STATE_NEW)
        return "It has not run yet";
    if (planner->input->request->task_key_count)
        return arena_printf(planner->arena, "Selected; it is %s", state_name(state));
    return arena_printf(planner->arena, "It is %s", state_name(state));
}

static const char *nearest_selected(const struct planner *planner, uint32_t i)
{
    const struct graph_node *node = &planner->def->nodes[i];
    for (uint32_t d = 0; d < node->dep_count; d++) {
        uint32_t dep = node->deps[d].task;
        if (planner->planned[dep] || planner->downstream[dep])
            return planner->def->tasks[dep].task_key;
    }
    return "the selection";
}

static void give_verdicts(struct planner *planner, struct repair_plan *plan)
{
    const struct job_def *def = planner->def;
    for (uint32_t i = 0; i < def->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        task->task_key = def->tasks[i].task_key;
        if (planner->selected[i]) {
            task->verdict = PLAN_RUN;
            task->reason = selected_reason(planner, i);
            plan->run_count++;
        } else if (planner->planned[i]) {
            task->verdict = PLAN_REEVALUATE;
            task->reason =
                arena_printf(planner->arena, "Downstream of %s", nearest_selected(planner, i));
            plan->reevaluate_count++;
        } else {
            task->verdict = PLAN_KEEP;
            task->reason = arena_printf(planner->arena, "It is %s and is kept as it is",
                                        state_name(planner->input->states[i]));
            plan->keep_count++;
        }
    }
}

enum err_code plan_make(const struct plan_input *input, struct arena *arena,
                        struct repair_plan *ret, struct err *err)
{
    uint32_t count = input->def->task_count;
    struct planner planner = {
        .input = input,
        .def = input->def,
        .arena = arena,
        .selected = ARENA_ARRAY(arena, count, uint8_t),
        .planned = ARENA_ARRAY(arena, count, uint8_t),
        .downstream = ARENA_ARRAY(arena, count, uint8_t),
    };
    enum err_code code = make_selection(&planner, err);
    if (code)
        return code;
    close_selection(&planner);
    struct repair_plan plan = {
        .tasks = ARENA_ARRAY(arena, count, struct plan_task),
        .task_count = count,
        .definition_version = input->def->version,
    };
    give_verdicts(&planner, &plan);
    if (plan.run_count == 0)
        return err_set(err, ERR_INCORRECT_STATE, "there is nothing to repair: %s",
                       input->request->task_key_count ? "every selected task has succeeded"
                                                      : "no task was unsuccessful");
    foresee(&planner, &plan);
    find_hazards(&planner, &plan);
    *ret = plan;
    return ERR_OK;
}

/* ---- preview ---- */

static void add_parameter_change(struct repair_plan *plan, const char *name, const char *old_value,
                                 const char *new_value)
{
    if (old_value && new_value && strcmp(old_value, new_value) == 0)
        return;
    plan->parameters[plan->parameter_count++] = (struct plan_parameter){name, old_value, new_value};
}

static void diff_parameters(const struct run_image *image, const struct job_def *def,
                            const struct repair_request *request, struct arena *arena,
                            struct repair_plan *plan)
{
    struct param_list *layers = ARENA_ARRAY(arena, image->repair_count + 2, struct param_list);
    size_t count = 0;
    layers[count++] = params_of(&def->details.parameters);
    layers[count++] = params_load(image->run.parameters, arena);
    for (size_t i = 0; i < image->repair_count; i++)
        if (image->repairs[i].number > 0)
            layers[count++] = params_load(image->repairs[i].parameters, arena);
    struct param_list old = params_merge(layers, count, arena);
    plan->parameters = ARENA_ARRAY(arena, request->parameters.count, struct plan_parameter);
    for (size_t i = 0; i < request->parameters.count; i++) {
        const struct param *given = &request->parameters.items[i];
        const struct param *before = params_find(old.items, old.count, given->name);
        add_parameter_change(plan, given->name, before ? before->value : NULL, given->value);
    }
}

enum err_code plan_preview(const struct run_image *image, const struct job_def *def,
                           const struct repair_request *request, struct arena *arena,
                           struct repair_plan *ret, struct err *err)
{
    if (!state_is_final(image->run.state))
        return err_set(err, ERR_INCORRECT_STATE, "the run is %s; only a finished run is repaired",
                       state_name(image->run.state));
    const struct task_run_row **map =
        ARENA_ARRAY(arena, def->task_count, const struct task_run_row *);
    run_image_map(image, def, image->run.repair_number, map);
    enum state *states = ARENA_ARRAY(arena, def->task_count, enum state);
    int8_t *outcomes = ARENA_ARRAY(arena, def->task_count, int8_t);
    for (uint32_t i = 0; i < def->task_count; i++) {
        states[i] = map[i] ? map[i]->state : STATE_NEW;
        outcomes[i] = map[i] ? map[i]->outcome : FIELD_UNSET;
    }
    const struct plan_input input = {def, states, outcomes, request};
    enum err_code code = plan_make(&input, arena, ret, err);
    if (!code)
        diff_parameters(image, def, request, arena, ret);
    return code;
}
