#include "engine/plan.h"

#include "base/buf.h"

enum { HAZARDS_NAMED = 10 }; /* of one kept task */

/* How a task came to be selected. */
enum chosen { NOT_CHOSEN, BY_NAME, BY_STATE, AS_UPSTREAM, AS_DOWNSTREAM, AS_NEW, AS_MARKED };

struct planner {
    const struct plan_input *input;
    const struct job_def *def;
    struct arena *arena;
    bool is_named;       /* the request names tasks */
    bool never_ran;      /* no task of the definition has a task run */
    uint8_t *selected;   /* by position: enum chosen */
    uint8_t *planned;    /* selected or downstream of it and not SUCCESS */
    uint8_t *downstream; /* of the selection, whatever its state */
    uint8_t
        *stale; /* downstream of what runs again or may: of what is marked alone nothing changes */
};

/* ---- selection ---- */

static bool is_untouched(const struct plan_input *input)
{
    for (uint32_t i = 0; i < input->def->task_count; i++)
        if (input->states[i] != STATE_NEW)
            return false;
    return true;
}

static enum err_code find_task(const struct planner *planner, const char *field, size_t index,
                               const char *key, uint32_t *ret, struct err *err)
{
    int64_t position = job_def_find(planner->def, key);
    if (position >= 0) {
        *ret = (uint32_t)position;
        return ERR_OK;
    }
    if (planner->input->request->definition == DEFINITION_NEWEST)
        return err_set(err, ERR_INVALID_PARAMETER, "%s[%zu]: the run has no task %s", field, index,
                       key);
    return err_set(err, ERR_INVALID_PARAMETER,
                   "%s[%zu]: version %lld of the definition has no task %s", field, index,
                   (long long)planner->def->version, key);
}

/* All roots of one direction together: linear in the graph. */
static void add_closure(struct planner *planner, uint8_t *roots, bool upstream)
{
    if (upstream)
        job_def_close_upstream(planner->def, roots);
    else
        job_def_close_downstream(planner->def, roots);
    for (uint32_t i = 0; i < planner->def->task_count; i++)
        if (roots[i] && !planner->selected[i])
            planner->selected[i] = upstream ? AS_UPSTREAM : AS_DOWNSTREAM;
}

static enum err_code select_named(struct planner *planner, struct err *err)
{
    const struct repair_request *request = planner->input->request;
    uint32_t count = planner->def->task_count;
    uint8_t *above = ARENA_ARRAY(planner->arena, count, uint8_t);
    uint8_t *below = ARENA_ARRAY(planner->arena, count, uint8_t);
    enum err_code code = ERR_OK;
    uint32_t task = 0;
    for (size_t i = 0; i < request->task_key_count; i++) {
        code = find_task(planner, "taskKeys", i, request->task_keys[i], &task, err);
        if (code)
            return code;
        planner->selected[task] = BY_NAME;
    }
    for (size_t i = 0; i < request->repair_task_count; i++) {
        const struct repair_task *named = &request->repair_tasks[i];
        code = find_task(planner, "repairTasks", i, named->task_key, &task, err);
        if (code)
            return code;
        planner->selected[task] = BY_NAME;
        above[task] |= named->include_upstream == 1;
        below[task] |= named->include_downstream == 1;
    }
    add_closure(planner, above, true);
    add_closure(planner, below, false);
    for (uint32_t i = 0; i < count && request->mode == REPAIR_MODE_RESUME; i++)
        if (planner->input->states[i] == STATE_SUCCESS)
            planner->selected[i] = NOT_CHOSEN;
    return ERR_OK;
}

/* Last, so that a mark wins over other ways of being selected. */
static enum err_code select_marked(struct planner *planner, struct err *err)
{
    const struct repair_request *request = planner->input->request;
    for (size_t i = 0; i < request->mark_success_count; i++) {
        const char *key = request->mark_success[i];
        uint32_t task = 0;
        enum err_code code = find_task(planner, "markSuccess", i, key, &task, err);
        if (code)
            return code;
        if (planner->def->tasks[task].type == TASK_IF_ELSE)
            return err_set(
                err, ERR_INVALID_PARAMETER,
                "markSuccess[%zu]: %s is an IF_ELSE_TASK: its outcome decides which branch runs, and a "
                "mark has none",
                i, key);
        if (planner->input->states[task] == STATE_SUCCESS)
            return err_set(err, ERR_INVALID_PARAMETER, "markSuccess[%zu]: %s is SUCCESS already", i,
                           key);
        planner->selected[task] = AS_MARKED;
    }
    return ERR_OK;
}

/* Of a run that never had task runs every task is planned, and so is every task that the definition
 * has and the newest attempt had not, whatever is asked for. */
static enum err_code make_selection(struct planner *planner, struct err *err)
{
    const struct plan_input *input = planner->input;
    if (planner->def->task_count == 0)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "definition: version %lld has no tasks that could run",
                       (long long)planner->def->version);
    enum err_code code = planner->is_named ? select_named(planner, err) : ERR_OK;
    if (code)
        return code;
    bool every = input->request->mode == REPAIR_MODE_RERUN;
    for (uint32_t i = 0; i < planner->def->task_count; i++) {
        if (input->states[i] == STATE_NEW && !planner->selected[i])
            planner->selected[i] = AS_NEW;
        else if (!planner->is_named && (every || state_is_unsuccessful(input->states[i])))
            planner->selected[i] = BY_STATE;
    }
    return select_marked(planner, err);
}

bool plan_passes(const struct plan_input *input, uint32_t task)
{
    return input->request->monitor == MONITOR_PASSED && input->states[task] != STATE_SUCCESS &&
           job_def_find_monitor(input->def) == task;
}

/* The path that a schedule watches is waited for as the request says, not as others are. */
static void select_monitor(struct planner *planner)
{
    enum repair_monitor asked = planner->input->request->monitor;
    int64_t task = job_def_find_monitor(planner->def);
    if (task < 0 || asked == MONITOR_AS_OTHERS)
        return;
    bool is_kept = asked == MONITOR_PASSED && !plan_passes(planner->input, (uint32_t)task);
    planner->selected[task] = is_kept ? NOT_CHOSEN : BY_NAME;
}

static void close_selection(struct planner *planner)
{
    const struct job_def *def = planner->def;
    for (uint32_t n = 0; n < def->task_count; n++) {
        uint32_t i = def->order[n];
        for (uint32_t d = 0; d < def->nodes[i].dep_count; d++) {
            uint32_t dep = def->nodes[i].deps[d].task;
            planner->downstream[i] |= planner->selected[dep] || planner->downstream[dep];
            bool changes = planner->selected[dep] != AS_MARKED; /* of what is marked nothing runs */
            planner->stale[i] |= changes && (planner->planned[dep] || planner->stale[dep]);
        }
        bool again = planner->downstream[i] && planner->input->states[i] != STATE_SUCCESS;
        planner->planned[i] = planner->selected[i] || again;
    }
}

/* ---- hazards ---- */

/* "filePath, dependsOn", as far as there is room. */
static const char *edited_fields(struct arena *arena, const struct def_task_diff *edit)
{
    enum { FIELDS_MAX_BYTES = 512 };
    struct buf text;
    buf_init(&text, FIELDS_MAX_BYTES);
    for (size_t i = 0; i < edit->field_count; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", edit->fields[i]);
    if (def_task_is_rewired(edit))
        buf_puts(&text, text.len ? ", dependsOn" : "dependsOn");
    const char *fields = arena_strdup(arena, text.data);
    buf_release(&text);
    return fields;
}

static const struct def_task_diff *edit_of(const struct planner *planner, uint32_t i)
{
    return planner->input->diff ? planner->input->diff->by_position[i] : NULL;
}

/* What a dependency of a kept task means to its result; NULL: nothing. */
static const char *hazard_of(const struct planner *planner, const struct repair_plan *plan,
                             uint32_t dep)
{
    const char *key = planner->def->tasks[dep].task_key;
    struct arena *arena = planner->arena;
    const struct plan_task *task = &plan->tasks[dep];
    if (task->verdict == PLAN_MARK)
        return NULL;
    if (planner->planned[dep] && task->verdict == PLAN_REEVALUATE && !task->will_start)
        return arena_printf(arena, "%s is evaluated again; should it start, this result is stale",
                            key);
    if (planner->planned[dep] && planner->def->tasks[dep].type == TASK_IF_ELSE)
        return arena_printf(arena, "%s is decided again; this branch keeps its old result", key);
    if (planner->planned[dep])
        return arena_printf(arena, "%s runs again; this result may be stale", key);
    if (planner->stale[dep])
        return arena_printf(arena, "%s may be stale, and so may this result", key);
    return NULL;
}

/* Why the results of kept tasks may be stale: their definition is another one, or their nearest
 * ancestors run again and their inputs may change under them. */
static void find_hazards(struct planner *planner, struct repair_plan *plan)
{
    const struct job_def *def = planner->def;
    for (uint32_t i = 0; i < def->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        const struct def_task_diff *edit = edit_of(planner, i);
        if (planner->planned[i] || (!planner->stale[i] && !edit))
            continue;
        const struct graph_node *node = &def->nodes[i];
        task->hazards = ARENA_ARRAY(planner->arena, HAZARDS_NAMED + 1, const char *);
        for (uint32_t d = 0; d < node->dep_count && task->hazard_count < HAZARDS_NAMED; d++) {
            const char *text = hazard_of(planner, plan, node->deps[d].task);
            if (text)
                task->hazards[task->hazard_count++] = text;
        }
        if (edit)
            task->hazards[task->hazard_count++] =
                arena_printf(planner->arena,
                             "its definition has changed (%s); this result is of "
                             "the one before",
                             edited_fields(planner->arena, edit));
    }
}

/* The neighbour through which a task was selected with another one. */
static const char *selected_next_to(const struct planner *planner, uint32_t i, bool upstream)
{
    const struct graph_node *node = &planner->def->nodes[i];
    const struct graph_edge *edges = upstream ? node->dependents : node->deps;
    uint32_t count = upstream ? node->dependent_count : node->dep_count;
    for (uint32_t e = 0; e < count; e++) {
        uint8_t other = planner->selected[edges[e].task];
        if (other == BY_NAME || other == (upstream ? AS_UPSTREAM : AS_DOWNSTREAM))
            return planner->def->tasks[edges[e].task].task_key;
    }
    return "a selected task"; /* which RESUME has left out */
}

static const char *selected_reason(const struct planner *planner, uint32_t i)
{
    const char *state = state_name(planner->input->states[i]);
    enum chosen chosen = (enum chosen)planner->selected[i];
    if (planner->never_ran)
        return "It has not run yet";
    if (planner->input->states[i] == STATE_NEW)
        return arena_printf(planner->arena, "It is new in version %lld of the definition",
                            (long long)planner->def->version);
    if (chosen == AS_UPSTREAM || chosen == AS_DOWNSTREAM)
        return arena_printf(planner->arena, "Selected as %s of %s; it is %s",
                            chosen == AS_UPSTREAM ? "upstream" : "downstream",
                            selected_next_to(planner, i, chosen == AS_UPSTREAM), state);
    return arena_printf(planner->arena, chosen == BY_NAME ? "Selected; it is %s" : "It is %s",
                        state);
}

static const char *marked_reason(const struct planner *planner, uint32_t i)
{
    enum state state = planner->input->states[i];
    const char *is = state == STATE_NEW ? "has not run"
                                        : arena_printf(planner->arena, "is %s", state_name(state));
    return arena_printf(planner->arena, "It %s; it is marked as successful, and nothing runs", is);
}

static const char *kept_reason(const struct planner *planner, uint32_t i)
{
    const char *state = state_name(planner->input->states[i]);
    const struct def_task_diff *edit = edit_of(planner, i);
    if (!edit)
        return arena_printf(planner->arena, "It is %s and is kept as it is", state);
    return arena_printf(planner->arena,
                        "It is %s and is kept as it is, although its definition has changed: %s",
                        state, edited_fields(planner->arena, edit));
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
        if (plan_passes(planner->input, i)) {
            task->verdict = PLAN_REEVALUATE;
            task->reason = "The watched path is not waited for";
            plan->reevaluate_count++;
        } else if (planner->selected[i] == AS_MARKED) {
            task->verdict = PLAN_MARK;
            task->reason = marked_reason(planner, i);
            plan->mark_count++;
        } else if (planner->selected[i]) {
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
            task->reason = kept_reason(planner, i);
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
        .stale = ARENA_ARRAY(arena, count, uint8_t),
        .is_named = input->request->task_key_count + input->request->repair_task_count > 0,
        .never_ran = is_untouched(input),
    };
    enum err_code code = make_selection(&planner, err);
    if (code)
        return code;
    select_monitor(&planner);
    close_selection(&planner);
    struct repair_plan plan = {
        .tasks = ARENA_ARRAY(arena, count, struct plan_task),
        .task_count = count,
        .definition_version = input->def->version,
    };
    give_verdicts(&planner, &plan);
    if (plan.run_count + plan.mark_count == 0)
        return err_set(err, ERR_INCORRECT_STATE, "there is nothing to repair: %s",
                       planner.is_named ? "every selected task has succeeded"
                                        : "no task was unsuccessful");
    plan_foresee(input, NULL, arena, &plan);
    find_hazards(&planner, &plan);
    *ret = plan;
    return ERR_OK;
}

/* ---- the definition ---- */

enum err_code plan_check_state(enum state state, struct err *err)
{
    if (state_is_final(state))
        return ERR_OK;
    return err_set(err, ERR_INCORRECT_STATE, "the run is %s; only a finished run is repaired",
                   state_name(state));
}

enum err_code plan_choose_version(const struct repair_request *request, const struct job_row *job,
                                  int64_t original_version, int64_t newest_version,
                                  int64_t *ret_version, struct err *err)
{
    switch (request->definition) {
    case DEFINITION_ORIGINAL:
        *ret_version = original_version;
        return ERR_OK;
    case DEFINITION_CURRENT:
        if (job->deleted_ms != FIELD_NULL)
            return err_set(err, ERR_INCORRECT_STATE,
                           "definition CURRENT: the job was deleted; use \"ORIGINAL\" or a version "
                           "number");
        *ret_version = job->version;
        return ERR_OK;
    case DEFINITION_VERSION:
        *ret_version = request->definition_version;
        return ERR_OK;
    case DEFINITION_NEWEST:
    default:
        *ret_version = newest_version;
        return ERR_OK;
    }
}

enum err_code plan_no_version(int64_t version, const struct job_row *job, struct err *err)
{
    return err_set(err, ERR_INVALID_PARAMETER,
                   "definition: the job has no version %lld; its versions are 1 to %lld",
                   (long long)version, (long long)job->version);
}

void plan_carry_over(const struct job_def *newest, const enum state *states, const int8_t *outcomes,
                     const struct job_def *def, enum state *ret_states, int8_t *ret_outcomes)
{
    for (uint32_t i = 0; i < def->task_count; i++) {
        int64_t old = newest == def ? i : job_def_find(newest, def->tasks[i].task_key);
        ret_states[i] = old < 0 ? STATE_NEW : states[old];
        ret_outcomes[i] = old < 0 ? FIELD_UNSET : outcomes[old];
    }
}
