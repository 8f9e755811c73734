#include "engine/plan.h"

#include <string.h>

#include "base/buf.h"
#include "engine/text_limits.h"

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
            bool runs = planner->planned[dep] && planner->selected[dep] != AS_MARKED;
            planner->stale[i] |= runs || planner->stale[dep];
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

/* ---- preview ---- */

/* Layers as they were given: `first` is the job's, `last` that of the repair to be. */
static struct param_list layers_of(const struct run_image *image, struct param_list first,
                                   struct param_list last, struct arena *arena)
{
    struct param_list *layers = ARENA_ARRAY(arena, image->repair_count + 3, struct param_list);
    size_t count = 0;
    layers[count++] = first;
    layers[count++] = params_load(image->run.parameters, arena);
    for (size_t i = 0; i < image->repair_count; i++)
        if (image->repairs[i].number > 0)
            layers[count++] = params_load(image->repairs[i].parameters, arena);
    layers[count++] = last;
    return params_merge(layers, count, arena);
}

/* The names that the run and its repairs were given must fit those of the definition. */
static enum err_code check_given(const struct run_image *image, const struct job_def *def,
                                 struct param_list last, struct arena *arena, struct err *err)
{
    struct param_list given = layers_of(image, (struct param_list){NULL, 0}, last, arena);
    return job_def_check_parameters(def, given.items, given.count, err);
}

/* ---- the newest attempt ---- */

struct kept_tasks {
    const struct job_def *def; /* of the newest attempt */
    const struct task_run_row *const *rows;
};

static struct kept_tasks kept_tasks_of(const struct run_image *image, const struct job_def *newest,
                                       struct arena *arena)
{
    const struct task_run_row **rows =
        ARENA_ARRAY(arena, newest->task_count, const struct task_run_row *);
    run_image_map(image, newest, image->run.repair_number, rows);
    return (struct kept_tasks){newest, rows};
}

/* Of the tasks of the input's definition, as those of the newest attempt ended. */
static void set_states(struct plan_input *input, const struct kept_tasks *kept, struct arena *arena)
{
    enum state *old_states = ARENA_ARRAY(arena, kept->def->task_count, enum state);
    int8_t *old_outcomes = ARENA_ARRAY(arena, kept->def->task_count, int8_t);
    for (uint32_t i = 0; i < kept->def->task_count; i++) {
        const struct task_run_row *row = kept->rows[i];
        old_states[i] = row ? row->state : STATE_NEW;
        old_outcomes[i] = row ? row->outcome : FIELD_UNSET;
    }
    enum state *states = ARENA_ARRAY(arena, input->def->task_count, enum state);
    int8_t *outcomes = ARENA_ARRAY(arena, input->def->task_count, int8_t);
    plan_carry_over(kept->def, old_states, old_outcomes, input->def, states, outcomes);
    input->states = states;
    input->outcomes = outcomes;
}

/* ---- what references stand for ---- */

static bool find_kept(const void *context, const char *task_key, struct reference_task *ret)
{
    const struct kept_tasks *kept = context;
    int64_t position = job_def_find(kept->def, task_key);
    if (position < 0 || !kept->rows[position])
        return false;
    const struct task_run_row *row = kept->rows[position];
    *ret = (struct reference_task){
        .state = row->state,
        .error_code = row->error_code ? row->error_code : "",
        .task_run = row->key,
        .values = row->published,
    };
    return true;
}

/* As run_unify of the engine has them, with the same limits. */
static enum err_code resolve_parameters(struct param_list raw, const struct reference_scope *scope,
                                        struct arena *arena, struct param *ret, struct err *err)
{
    size_t spent = 0;
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < raw.count && !code; i++) {
        struct buf text;
        buf_init(&text, TEXT_MAX_BYTES);
        code = reference_resolve(raw.items[i].value, scope, &text, err);
        const char *value = text.data ? text.data : "";
        if (!code)
            code = text_spend(&spent, "the parameters", raw.items[i].name, value, err);
        if (!code)
            ret[i] = (struct param){raw.items[i].name, arena_strdup(arena, value)};
        buf_release(&text);
    }
    return code;
}

/* `raw`: parameters of the repair as they are given. One that cannot be resolved refuses it. `by_name`: an empty map for the
 * scope, the caller's. */
static enum err_code repaired_scope(const struct run_image *image, const struct kept_tasks *kept,
                                    struct param_list raw, int64_t now_ms, struct str_map *by_name,
                                    struct arena *arena, struct reference_scope *ret,
                                    struct err *err)
{
    struct str_map raw_by_name;
    const struct run_row *run = &image->run;
    struct reference_scope scope = {
        .job = run->job,
        .job_name = run->job_name,
        .run = run->key,
        .repair_count = run->repair_number + 1,
        .start_ms = run->start_ms == FIELD_NULL ? now_ms : run->start_ms,
        .plan_ms = run_planned_ms(run),
        .trigger = run->trigger,
        .parameters = raw.items,
        .parameter_count = raw.count,
        .parameters_by_name = &raw_by_name,
        .hub_region = "",
    };
    struct param *resolved = ARENA_ARRAY(arena, raw.count, struct param);
    str_map_init(&raw_by_name);
    enum err_code code = resolve_parameters(raw, &scope, arena, resolved, err);
    str_map_release(&raw_by_name);
    if (code)
        return code;
    scope.parameters_by_name = by_name;
    scope.start_ms = run->start_ms; /* of one that has not started nobody knows when it will */
    scope.parameters = resolved;
    scope.find_task = find_kept;
    scope.context = kept;
    *ret = scope;
    return ERR_OK;
}

/* Does the value of a parameter, as given, yield the same now as in the repair? When a run starts that has not, and where
 * it is, is not known here. */
static bool is_known_beforehand(const struct run_row *run, const char *value)
{
    struct reference reference;
    for (const char *rest = value; reference_next(&rest, &reference);)
        if (reference.space == REFERENCE_WORKSPACE || reference.space == REFERENCE_HUB)
            return false;
    return run->start_ms != FIELD_NULL || !strstr(value, "job.start_time.");
}

static bool are_known_beforehand(const struct run_row *run, struct param_list raw)
{
    for (size_t i = 0; i < raw.count; i++)
        if (!is_known_beforehand(run, raw.items[i].value))
            return false;
    return true;
}

/* What was given differently, as it was given; and what the same text now stands for, where that is known. `resolved` is
 * parallel to `after`, or NULL. */
static struct param_changes parameter_changes(const struct run_image *image,
                                              struct param_list before, struct param_list after,
                                              const struct param *resolved, struct arena *arena)
{
    const struct repair_row *newest = &image->repairs[image->repair_count - 1];
    const struct param_changes given = params_diff(before, after, arena);
    struct param *known = ARENA_ARRAY(arena, after.count, struct param);
    size_t known_count = 0;
    for (size_t i = 0; resolved && i < after.count; i++)
        if (is_known_beforehand(&image->run, after.items[i].value))
            known[known_count++] = resolved[i];
    const struct param_changes meant = params_diff(params_load(newest->unified, arena),
                                                   (struct param_list){known, known_count}, arena);
    struct param_changes all = {ARENA_ARRAY(arena, given.count + meant.count, struct param_change),
                                0};
    struct str_map names;
    str_map_init(&names);
    for (size_t i = 0; i < given.count; i++) {
        all.items[all.count++] = given.items[i];
        str_map_add(&names, given.items[i].name, all.items);
    }
    for (size_t i = 0; i < meant.count; i++)
        if (meant.items[i].new_value && !str_map_get(&names, meant.items[i].name))
            all.items[all.count++] = meant.items[i];
    str_map_release(&names);
    return all;
}

/* `by_name`: an empty map, for the parameters of the repair. */
static enum err_code preview(const struct run_image *image, const struct job_def *newest,
                             const struct job_def *def, const struct repair_request *request,
                             int64_t now_ms, struct str_map *by_name, struct arena *arena,
                             struct repair_plan *ret, struct err *err)
{
    enum err_code code = plan_check_state(image->run.state, err);
    if (code)
        return code;
    const struct kept_tasks kept = kept_tasks_of(image, newest, arena);
    const struct def_diff *diff = def_diff_make(newest, def, arena);
    struct plan_input input = {.def = def, .request = request, .diff = diff};
    set_states(&input, &kept, arena);
    struct err no_plan;
    code = plan_make(&input, arena, ret, &no_plan);
    if (code == ERR_INVALID_PARAMETER) {
        *err = no_plan;
        return code;
    }
    /* What is wrong with the parameters comes before that there is nothing to repair, as in a repair. */
    struct param_list after =
        layers_of(image, params_of(&def->details.parameters), request->parameters, arena);
    struct reference_scope scope = {0}; /* of EL nothing is asked */
    bool is_el = def->details.expression_language == LANGUAGE_EL;
    if (check_given(image, def, request->parameters, arena, err) ||
        (!is_el && repaired_scope(image, &kept, after, now_ms, by_name, arena, &scope, err)))
        return err->code;
    if (code) {
        *err = no_plan;
        return code;
    }
    const struct param_list none = {NULL, 0};
    struct param_list before =
        layers_of(image, params_of(&newest->details.parameters), none, arena);
    ret->definition = diff;
    ret->parameters =
        parameter_changes(image, before, after, is_el ? NULL : scope.parameters, arena);
    plan_foresee(&input, are_known_beforehand(&image->run, after) ? &scope : NULL, arena, ret);
    return ERR_OK;
}

enum err_code plan_preview(const struct run_image *image, const struct job_def *newest,
                           const struct job_def *def, const struct repair_request *request,
                           int64_t now_ms, struct arena *arena, struct repair_plan *ret,
                           struct err *err)
{
    struct str_map by_name;
    str_map_init(&by_name);
    enum err_code code = preview(image, newest, def, request, now_ms, &by_name, arena, ret, err);
    str_map_release(&by_name);
    return code;
}
