#include "sim/shape.h"

#include "base/buf.h"
#include "base/mem.h"
#include "model/rows.h"

enum { TEXT_MAX_BYTES = 1 << 16 };

const char *shape_json(const struct law_dag *dag, struct arena *arena)
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

struct param_list shape_params(const struct law_dag *dag, const struct law_end *ends,
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

int shape_cause(struct law_end end)
{
    return end.state == STATE_TIMED_OUT        ? (int)CAUSE_TIMED_OUT
           : end.state == STATE_INTERNAL_ERROR ? (int)CAUSE_EXEC_FAILED
                                               : (int)CAUSE_EXITED;
}

/* ---- describing ---- */

const char *shape_describe(const struct law_dag *dag, const struct law_end *ends,
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
