#include "engine/fast.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/book.h"

enum { TEXT_MAX_BYTES = 1 << 16 };

const char *fast_json(const struct law_dag *dag, struct arena *arena)
{
    struct buf json;
    buf_init(&json, TEXT_MAX_BYTES);
    BUF_LIT(&json, "{\"name\":\"j\",\"path\":\"/\",\"maxConcurrentRuns\":10,\"tasks\":[");
    for (int i = 0; i < dag->count; i++) {
        const struct law_task *task = &dag->tasks[i];
        buf_printf(&json, "%s{\"taskKey\":\"t%d\",\"runIf\":\"%s\"", i ? "," : "", dag->first + i,
                   run_if_names[task->run_if]);
        if (task->is_if_else)
            buf_printf(&json,
                       ",\"type\":\"IF_ELSE_TASK\",\"condition\":\"k\",\"expressions\":[{\"key\":"
                       "\"k\",\"value\":\"{{job.parameters.t%d}} <= 1\"}]",
                       dag->first + i);
        else
            BUF_LIT(&json, ",\"type\":\"PYTHON_TASK\",\"filePath\":\"t.py\"");
        BUF_LIT(&json, ",\"dependsOn\":[");
        const char *comma = "";
        for (int d = 0; d < dag->count; d++) {
            if (!task->needs[d].is_there)
                continue;
            buf_printf(&json, "%s{\"taskKey\":\"t%d\"", comma, dag->first + d);
            if (task->needs[d].wanted >= 0)
                buf_printf(&json, ",\"outcome\":\"%s\"", task->needs[d].wanted ? "true" : "false");
            buf_putc(&json, '}');
            comma = ",";
        }
        BUF_LIT(&json, "]}");
    }
    BUF_LIT(&json, "]}");
    const char *kept = arena_memdup(arena, json.data, json.len);
    buf_release(&json);
    return kept;
}

struct param_list fast_params(const struct law_dag *dag, const struct law_end *ends,
                              struct arena *arena)
{
    static const char *const names[LAW_TASKS] = {"t0", "t1", "t2", "t3", "t4", "t5"};
    struct param *items = ARENA_ARRAY(arena, LAW_TASKS, struct param);
    size_t count = 0;
    for (int i = 0; i < dag->count; i++) {
        if (!dag->tasks[i].is_if_else || ends[i].state == STATE_INTERNAL_ERROR)
            continue; /* an unknown parameter */
        const char *value = ends[i].state == STATE_FAILED ? "many" : ends[i].outcome ? "1" : "2";
        items[count++] = (struct param){names[dag->first + i], value};
    }
    return (struct param_list){items, count};
}

int fast_cause(struct law_end end)
{
    return end.state == STATE_TIMED_OUT        ? (int)CAUSE_TIMED_OUT
           : end.state == STATE_INTERNAL_ERROR ? (int)CAUSE_EXEC_FAILED
                                               : (int)CAUSE_EXITED;
}

/* ---- stepping ---- */

static void harvest(struct fast *fast)
{
    struct effects *fx = &fast->effects;
    const char *problem = engine_validate(fast->engine, &fast->arena);
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
    *fast = (struct fast){.dag = dag, .now_ms = 1000000};
    arena_init(&fast->arena);
    effects_init(&fast->effects);
    const struct engine_config config = {.workspace = {.id = 1, .epoch = 1}, .queue_max_ms = 1000};
    fast->engine = engine_new(&config);
    struct err err;
    const char *text = fast_json(dag, &fast->arena);
    json_t *json = json_parse(text, strlen(text), &err);
    if (!json || job_def_parse(json, true, &fast->def, &err))
        broken("%s\nin %s", err.message, text);
    json_decref(json);
    struct command create = {.kind = COMMAND_JOB_CREATE, .def = fast->def};
    fast->job = command(fast, &create).key;
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
    create.run = (struct run_request){.parameters = fast_params(fast->dag, ends, &fast->arena),
                                      .queue_enabled = FIELD_UNSET};
    command(fast, &create);
    for (int i; (i = next_to_end(fast, ends, turn)) >= 0; turn /= 2) {
        fast->tasks[i].is_live = false;
        struct engine_event event = {.kind = ENGINE_OUTCOME, .attempt = fast->tasks[i].ref};
        event.outcome = (struct attempt_outcome){.cause = fast_cause(ends[i]),
                                                 .exit_code = ends[i].state == STATE_FAILED,
                                                 .ended_ms = FIELD_NULL};
        step(fast, &event);
    }
}

/* ---- describing ---- */

const char *fast_describe(const struct law_dag *dag, const struct law_end *ends,
                          struct arena *arena)
{
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    for (int i = 0; i < dag->count; i++) {
        const struct law_task *task = &dag->tasks[i];
        buf_printf(&text, "%s%st%d", i ? "; " : "", task->is_if_else ? "?" : "", dag->first + i);
        const char *colon = ":";
        for (int d = 0; d < dag->count; d++) {
            if (!task->needs[d].is_there)
                continue;
            buf_printf(&text, "%s t%d", colon, dag->first + d);
            if (task->needs[d].wanted >= 0)
                buf_puts(&text, task->needs[d].wanted ? "=true" : "=false");
            colon = "";
        }
        if (!*colon)
            buf_printf(&text, " @%s", run_if_names[task->run_if]);
    }
    buf_puts(&text, " |");
    for (int i = 0; i < dag->count; i++)
        buf_printf(&text, " t%d %s%s", dag->first + i, state_name(ends[i].state),
                   !dag->tasks[i].is_if_else || ends[i].state != STATE_SUCCESS ? ""
                   : ends[i].outcome                                           ? " true"
                                                                               : " false");
    const char *kept = arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return kept;
}
