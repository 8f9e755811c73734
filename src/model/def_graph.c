/* The graph of a definition: keys, dependencies, limits, cycles. Everything is linear in tasks and
 * dependencies, and nothing recurses. */
#include "model/def_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct dependency *dependency_at(const struct task_def *task, size_t index)
{
    return (const struct dependency *)task->depends_on.items + index;
}

static enum err_code report_one(enum err_code code, const struct def_report *report,
                                const struct err *err)
{
    if (code && report)
        def_report_add(report, err);
    return code;
}

static enum err_code take_keys(struct job_def *def, const struct def_report *report,
                               struct err *err)
{
    enum err_code code = ERR_OK;
    for (uint32_t i = 0; i < def->task_count && (!code || report); i++) {
        const char *key = def->tasks[i].task_key;
        if (!key) /* that it has none was told */
            continue;
        uintptr_t first = (uintptr_t)str_map_add(&def->by_key, key, (void *)(uintptr_t)(i + 1));
        if (!first)
            continue;
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "tasks[%u].taskKey \"%s\" is the key of tasks[%u] already", i, key,
                       (unsigned)first - 1);
        report_one(code, report, err);
    }
    return code;
}

static enum err_code count_edges(const struct job_def *def, size_t *ret, struct err *err)
{
    size_t edges = 0;
    for (uint32_t i = 0; i < def->task_count; i++)
        edges += def->tasks[i].depends_on.count;
    if (edges > DEF_MAX_EDGES)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "tasks must have at most %d dependencies (dependsOn) in all, not %zu",
                       DEF_MAX_EDGES, edges);
    *ret = edges;
    return ERR_OK;
}

/* `ret` is FIELD_UNSET without an outcome. */
static enum err_code parse_outcome(const struct task_def *upstream, const char *outcome,
                                   int8_t *ret, struct err *err)
{
    *ret = FIELD_UNSET;
    if (!outcome || upstream->type < 0)
        return ERR_OK;
    if (upstream->type != TASK_IF_ELSE)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "is allowed only where an IF_ELSE_TASK is named; \"%s\" is a %s",
                       upstream->task_key, task_type_names[upstream->type]);
    *ret = strcmp(outcome, "true") == 0;
    if (!*ret && strcmp(outcome, "false") != 0)
        return err_set(err, ERR_INVALID_PARAMETER, "must be \"true\" or \"false\"");
    return ERR_OK;
}

/* What is wrong with a dependency on the task of that key; NULL: nothing, and *ret is the task. */
static const char *find_upstream(const struct job_def *def, uint32_t task, const char *key,
                                 const uint32_t *seen, uint32_t *ret)
{
    int64_t upstream = job_def_find(def, key);
    if (upstream < 0)
        return "names no task of the job";
    if (upstream == task)
        return "names the task itself";
    if (seen[upstream] == task + 1)
        return "is given twice";
    *ret = (uint32_t)upstream;
    return NULL;
}

static enum err_code link_one(struct job_def *def, uint32_t task, uint32_t place, uint32_t *seen,
                              struct err *err)
{
    const struct dependency *dependency = dependency_at(&def->tasks[task], place);
    struct graph_node *node = &def->nodes[task];
    const char *key = dependency->task_key;
    uint32_t upstream;
    if (!key) /* that it has none was told */
        return ERR_OK;
    const char *wrong = find_upstream(def, task, key, seen, &upstream);
    if (wrong)
        return err_set(err, ERR_INVALID_PARAMETER, "tasks[%u].dependsOn[%u].taskKey \"%s\" %s",
                       task, place, key, wrong);
    seen[upstream] = task + 1;
    struct graph_edge *edge = &node->deps[node->dep_count++];
    edge->task = upstream;
    edge->condition = dependency->condition;
    def->nodes[upstream].dependent_count++;
    if (parse_outcome(&def->tasks[upstream], dependency->outcome, &edge->outcome, err))
        return def_refuse_at(err, "tasks[%u].dependsOn[%u].outcome", task, place);
    return ERR_OK;
}

/* Fills nodes[task].deps. `seen[t]` is the last task + 1 that was found to depend on t. */
static enum err_code link_task(struct job_def *def, uint32_t task, uint32_t *seen,
                               const struct def_report *report, struct err *err)
{
    enum err_code code = ERR_OK;
    uint32_t count = (uint32_t)def->tasks[task].depends_on.count;
    for (uint32_t i = 0; i < count && (!code || report); i++)
        if (link_one(def, task, i, seen, err))
            code = report_one(err->code, report, err);
    return code;
}

static enum err_code link_upstream(struct job_def *def, size_t edge_count,
                                   const struct def_report *report, struct err *err)
{
    struct graph_edge *edges = ARENA_ARRAY(&def->arena, edge_count, struct graph_edge);
    uint32_t *seen = xcalloc(def->task_count, sizeof *seen);
    enum err_code code = ERR_OK;
    for (uint32_t i = 0; i < def->task_count && (!code || report); i++) {
        def->nodes[i].deps = edges;
        edges += def->tasks[i].depends_on.count;
        enum err_code of_task = link_task(def, i, seen, report, err);
        code = code ? code : of_task;
    }
    free(seen);
    return code;
}

/* The other direction. Tasks are gone through in order, so dependents ascend. */
static void link_downstream(struct job_def *def, size_t edge_count)
{
    struct graph_edge *edges = ARENA_ARRAY(&def->arena, edge_count, struct graph_edge);
    for (uint32_t i = 0; i < def->task_count; i++) {
        def->nodes[i].dependents = edges;
        edges += def->nodes[i].dependent_count;
        def->nodes[i].dependent_count = 0;
    }
    for (uint32_t i = 0; i < def->task_count; i++) {
        for (uint32_t d = 0; d < def->nodes[i].dep_count; d++) {
            const struct graph_edge *edge = &def->nodes[i].deps[d];
            struct graph_node *upstream = &def->nodes[edge->task];
            upstream->dependents[upstream->dependent_count++] =
                (struct graph_edge){.task = i, .outcome = edge->outcome};
        }
    }
}

/* Kahn: a task is put in order once all its dependencies are. Returns how many could be; `waiting`
 * (zeroed, one per task) tells how many dependencies of each of the others could not. */
static uint32_t sort(struct job_def *def, uint32_t *waiting)
{
    uint32_t ready = 0;
    for (uint32_t i = 0; i < def->task_count; i++) {
        waiting[i] = def->nodes[i].dep_count;
        if (!waiting[i])
            def->order[ready++] = i;
    }
    for (uint32_t done = 0; done < ready; done++) {
        const struct graph_node *node = &def->nodes[def->order[done]];
        for (uint32_t d = 0; d < node->dependent_count; d++)
            if (--waiting[node->dependents[d].task] == 0)
                def->order[ready++] = node->dependents[d].task;
    }
    return ready;
}

/* A dependency of `task` that could not be put in order either. */
static uint32_t stuck_dependency(const struct job_def *def, const uint32_t *waiting, uint32_t task)
{
    const struct graph_node *node = &def->nodes[task];
    uint32_t d = 0;
    while (!waiting[node->deps[d].task])
        d++;
    assert(d < node->dep_count);
    return node->deps[d].task;
}

/* Finds one cycle among the stuck tasks, by going up until a task comes again. `path` gets it with
 * each task behind its dependency, from the one that stands first in the definition. */
static uint32_t find_cycle(const struct job_def *def, const uint32_t *waiting, uint32_t *path)
{
    uint32_t *step = xcalloc(def->task_count, sizeof *step); /* when a task was met, from 1 */
    uint32_t task = 0;
    while (!waiting[task])
        task++;
    uint32_t met = 0;
    for (; !step[task]; task = stuck_dependency(def, waiting, task))
        step[task] = ++met;
    uint32_t length = met - step[task] + 1;
    free(step);

    uint32_t first = task;
    for (uint32_t i = 0; i < length; i++) {
        task = stuck_dependency(def, waiting, task);
        if (task < first)
            first = task;
    }
    task = first;
    for (uint32_t i = 0; i < length; i++) {
        path[(length - i) % length] = task;
        task = stuck_dependency(def, waiting, task);
    }
    return length;
}

static enum err_code refuse_cycle(const struct job_def *def, const uint32_t *waiting,
                                  struct err *err)
{
    enum { SHOWN = 12, TEXT_BYTES = 400 };
    uint32_t *path = xcalloc(def->task_count, sizeof *path);
    uint32_t length = find_cycle(def, waiting, path);
    struct buf names;
    buf_init(&names, TEXT_BYTES);
    for (uint32_t i = 0; i < length && !names.overflowed; i++) {
        if (length > SHOWN && i == SHOWN - 1) {
            buf_puts(&names, "… -> ");
            i = length - 1;
        }
        buf_printf(&names, "%s -> ", def->tasks[path[i]].task_key);
    }
    enum err_code code = err_set(err, ERR_INVALID_PARAMETER,
                                 "tasks[%u].dependsOn: %s%s%s is a cycle of %u tasks", path[0],
                                 names.data ? names.data : "", names.overflowed ? "… -> " : "",
                                 def->tasks[path[0]].task_key, length);
    buf_release(&names);
    free(path);
    return code;
}

enum err_code def_build_graph(struct job_def *def, const struct def_report *report, struct err *err)
{
    size_t edge_count = 0;
    enum err_code code = take_keys(def, report, err);
    if (code && !report)
        return code;
    if (count_edges(def, &edge_count, err))
        return report_one(err->code, report, err);
    def->nodes = ARENA_ARRAY(&def->arena, def->task_count, struct graph_node);
    def->order = ARENA_ARRAY(&def->arena, def->task_count, uint32_t);
    enum err_code of_edges = link_upstream(def, edge_count, report, err);
    code = code ? code : of_edges;
    if (code && !report)
        return code;
    link_downstream(def, edge_count);
    uint32_t *waiting = xcalloc(def->task_count, sizeof *waiting);
    if (sort(def, waiting) < def->task_count)
        code = report_one(refuse_cycle(def, waiting, err), report, err);
    free(waiting);
    return code;
}
