/* The plan of a repair from what is stored, for previews: the same planner, and what would be different (RULES §8.3). */
#include <string.h>

#include "base/buf.h"
#include "engine/plan.h"
#include "engine/text_limits.h"

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

/* ---- parameters as they were given ---- */

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
        if (code)
            code = text_name_parameter(raw.items[i].name, err);
        else
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

/* ---- the preview ---- */

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
