#include "engine/fast.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sim/fail.h"

/* ---- stepping ---- */

static void harvest(struct fast *fast)
{
    struct effects *fx = &fast->effects;
    const char *problem = fast->steps++ % fast->validate_one_in == 0
                              ? engine_validate(fast->engine, &fast->arena)
                              : NULL;
    if (problem)
        broken("engine_validate: %s", problem);
    engine_collect(fast->engine, fx);
    for (size_t i = 0; i < fx->rows.count; i++) {
        if (fx->rows.items[i].kind == ROW_RUN)
            fast->run_state = ((const struct run_row *)fx->rows.items[i].row)->state;
        if (fx->rows.items[i].kind != ROW_TASK_RUN)
            continue;
        const struct task_run_row *row = fx->rows.items[i].row;
        fast->tasks[row->position].state = row->state;
        fast->tasks[row->position].outcome = row->outcome;
    }
    for (size_t i = 0; i < fx->start_count; i++) {
        const struct start_effect *start = &fx->starts[i];
        struct fast_task *task = &fast->tasks[start->task - fast->def->tasks];
        if (task->is_live)
            broken("started while it lives");
        task->is_live = true;
        task->starts++;
        task->ref = (struct attempt_ref){start->task_run, start->attempt, start->epoch};
    }
    engine_committed(fast->engine);
    effects_clear(fx);
}

static void step(struct fast *fast, struct engine_event *event)
{
    event->now_ms = event->mono_ms = ++fast->now_ms;
    event->seed = ++fast->seed;
    engine_step(fast->engine, event, &fast->effects);
    harvest(fast);
}

static struct command_result command(struct fast *fast, struct command *command)
{
    struct command_result result;
    struct engine_event event = {.kind = ENGINE_COMMAND, .command = command, .result = &result};
    command->principal = (struct principal){"ocid1.user.ann", "ann"};
    step(fast, &event);
    if (result.code)
        broken("%s", result.message);
    return result;
}

void fast_begin(struct fast *fast, const struct law_dag *dag)
{
    *fast = (struct fast){.dag = dag, .now_ms = 1000000, .validate_one_in = 1};
    arena_init(&fast->arena);
    effects_init(&fast->effects);
    const struct engine_config config = {.workspace = {.id = 1, .epoch = 1}, .queue_max_ms = 1000};
    fast->engine = engine_new(&config);
    struct err err;
    const char *text = shape_json(dag, &fast->arena);
    json_t *json = json_parse(text, strlen(text), &err);
    if (!json || job_def_parse(json, true, &fast->def, &err))
        broken("%s\nin %s", err.message, text);
    json_decref(json);
    struct command create = {.kind = COMMAND_JOB_CREATE, .def = fast->def};
    fast->job = command(fast, &create).key;
}

static void set_outcomes(const struct law_dag *dag, struct job_def *def)
{
    for (uint32_t i = 0; i < def->task_count; i++) {
        struct graph_node *node = &def->nodes[i];
        for (uint32_t d = 0; d < node->dep_count; d++)
            node->deps[d].outcome = dag->tasks[i].needs[node->deps[d].task].wanted;
        for (uint32_t d = 0; d < node->dependent_count; d++)
            node->dependents[d].outcome = dag->tasks[node->dependents[d].task].needs[i].wanted;
    }
}

void fast_redefine(struct fast *fast, const struct law_dag *dag)
{
    for (uint32_t i = 0; i < fast->def->task_count; i++)
        fast->def->tasks[i].run_if = dag->tasks[i].run_if;
    set_outcomes(dag, fast->def);
    fast->dag = dag;
}

void fast_end(struct fast *fast)
{
    engine_free(fast->engine);
    effects_release(&fast->effects);
    job_def_unref(fast->def);
    arena_release(&fast->arena);
}

/* The live attempt whose turn it is among those that end; -1: none. */
static int next_to_end(const struct fast *fast, const struct law_end *ends, uint32_t turn)
{
    int ready[LAW_TASKS];
    uint32_t count = 0;
    for (int i = 0; i < fast->dag->count; i++)
        if (fast->tasks[i].is_live && ends[i].state != STATE_NEW)
            ready[count++] = i;
    return count ? ready[turn % count] : -1;
}

void fast_run(struct fast *fast, const struct law_end *ends, uint32_t turn)
{
    arena_clear(&fast->arena);
    memset(fast->tasks, 0, sizeof fast->tasks);
    struct command create = {.kind = COMMAND_RUN_CREATE, .key = fast->job};
    create.run = (struct run_request){.parameters = shape_params(fast->dag, ends, &fast->arena),
                                      .queue_enabled = FIELD_UNSET};
    command(fast, &create);
    for (int i; (i = next_to_end(fast, ends, turn)) >= 0; turn /= 2) {
        fast->tasks[i].is_live = false;
        struct engine_event event = {.kind = ENGINE_OUTCOME, .attempt = fast->tasks[i].ref};
        event.outcome = (struct attempt_outcome){.cause = shape_cause(ends[i]),
                                                 .exit_code = ends[i].state == STATE_FAILED,
                                                 .ended_ms = FIELD_NULL};
        step(fast, &event);
    }
}
