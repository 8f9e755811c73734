#include "engine/sweep.h"

#include <string.h>

#include "engine/enumerate.h"

/* Where the walk is. */
struct walk {
    struct sweep *sweep;
    struct law_dag dag;
    int order[SWEEP_TASKS]; /* every task behind its dependencies */
    struct edge {
        int from, to;
    } edges[SWEEP_TASKS * (SWEEP_TASKS - 1)];
    int edge_count;
    bool is_leaf[SWEEP_TASKS];
    bool is_new;
    uint64_t number;
    struct law_end ends[LAW_TASKS];
    struct law_result results[LAW_TASKS];
};

/* ---- the rule, remembered ---- */

enum { DEP_CODES = 13, RULE_CODES = DEP_CODES * DEP_CODES * DEP_CODES * DEP_CODES };

/* A dependency as law_trigger sees it, in a digit; 0: none. */
static uint32_t dep_code(const struct law_result *result, int8_t wanted)
{
    uint32_t class = result->state == STATE_SUCCESS    ? 0
                     : result->state == STATE_EXCLUDED ? 1
                     : result->state == STATE_CANCELED || result->state == STATE_UPSTREAM_CANCELED
                         ? 2
                         : 3;
    uint32_t relation = wanted < 0 ? 0 : wanted == result->outcome ? 1 : 2;
    return 1 + class * 3 + relation;
}

/* law_trigger, asked once for each combination of what it can tell apart. */
static enum state rule(const struct walk *walk, int task)
{
    static struct {
        bool is_known;
        enum state state;
    } known[RUN_IF_COUNT][RULE_CODES];
    const struct law_task *it = &walk->dag.tasks[task];
    struct law_dep deps[LAW_TASKS];
    int count = 0;
    uint32_t code = 0;
    for (int d = 0; d < walk->dag.count; d++) {
        if (!it->needs[d].is_there)
            continue;
        const struct law_result *result = &walk->results[d];
        deps[count++] = (struct law_dep){result->state, result->outcome, it->needs[d].wanted};
        code = code * DEP_CODES + dep_code(result, it->needs[d].wanted);
    }
    if (!known[it->run_if][code].is_known) {
        known[it->run_if][code].is_known = true;
        known[it->run_if][code].state = law_trigger(it->run_if, deps, count);
    }
    return known[it->run_if][code].state;
}

/* ---- ends ---- */

static const enum state failures[] = {STATE_FAILED, STATE_TIMED_OUT, STATE_INTERNAL_ERROR};

static bool matters(const struct walk *walk, int task, enum state failure)
{
    if (!walk->sweep->few_ends || failure == STATE_FAILED)
        return true;
    return failure == STATE_INTERNAL_ERROR && walk->is_leaf[task];
}

static void descend(struct walk *walk, int depth);

static void end_as(struct walk *walk, int depth, struct law_end end)
{
    int task = walk->order[depth];
    bool decides = walk->dag.tasks[task].is_if_else && end.state == STATE_SUCCESS;
    walk->ends[task] = end;
    walk->results[task] =
        (struct law_result){end.state, (int8_t)(decides ? end.outcome : -1), true};
    descend(walk, depth + 1);
}

static void descend(struct walk *walk, int depth)
{
    struct sweep *sweep = walk->sweep;
    if (depth == walk->dag.count) {
        sweep->cases++;
        sweep->each(sweep->context, walk->ends, walk->results);
        return;
    }
    int task = walk->order[depth];
    enum state verdict = rule(walk, task);
    if (verdict != STATE_NEW) {
        walk->ends[task] = (struct law_end){STATE_SUCCESS, false};
        walk->results[task] = (struct law_result){verdict, -1, false};
        descend(walk, depth + 1);
        return;
    }
    bool decides = walk->dag.tasks[task].is_if_else;
    end_as(walk, depth, (struct law_end){STATE_SUCCESS, false});
    if (decides)
        end_as(walk, depth, (struct law_end){STATE_SUCCESS, true});
    for (size_t f = 0; f < sizeof failures / sizeof *failures; f++)
        if (matters(walk, task, failures[f]) && !(decides && failures[f] == STATE_TIMED_OUT))
            end_as(walk, depth, (struct law_end){failures[f], false});
}

/* ---- definitions ---- */

static bool has_deps(const struct walk *walk, int task)
{
    for (int e = 0; e < walk->edge_count; e++)
        if (walk->edges[e].to == task)
            return true;
    return false;
}

static void every_run_if(struct walk *walk, int task)
{
    struct sweep *sweep = walk->sweep;
    if (task < walk->dag.count) {
        int settings = has_deps(walk, task) ? RUN_IF_COUNT : 1;
        for (int r = 0; r < settings; r++) {
            walk->dag.tasks[task].run_if = (enum run_if)r;
            every_run_if(walk, task + 1);
        }
        return;
    }
    if (walk->number++ % sweep->one_in != sweep->first)
        return;
    sweep->definitions++;
    sweep->begin(sweep->context, &walk->dag, walk->is_new);
    walk->is_new = false;
    descend(walk, 0);
}

static void every_outcome(struct walk *walk, int edge)
{
    if (edge < walk->edge_count) {
        const struct edge *it = &walk->edges[edge];
        struct law_edge *need = &walk->dag.tasks[it->to].needs[it->from];
        int most = walk->sweep->outcomes ? 1 : -1;
        for (int wanted = -1; wanted <= most; wanted++) {
            *need = (struct law_edge){true, (int8_t)wanted};
            every_outcome(walk, edge + 1);
        }
        return;
    }
    bool types[SWEEP_TASKS] = {false};
    for (int e = 0; e < walk->edge_count; e++) {
        const struct edge *it = &walk->edges[e];
        types[it->from] |= walk->dag.tasks[it->to].needs[it->from].wanted >= 0;
    }
    for (int i = 0; i < walk->dag.count; i++) {
        walk->is_new |= walk->dag.tasks[i].is_if_else != types[i];
        walk->dag.tasks[i].is_if_else = types[i];
    }
    every_run_if(walk, 0);
}

/* False: there is a cycle. */
static bool sort(struct walk *walk)
{
    bool placed[SWEEP_TASKS] = {false};
    for (int depth = 0; depth < walk->dag.count; depth++) {
        int next = -1;
        for (int i = 0; i < walk->dag.count && next < 0; i++) {
            bool is_free = !placed[i];
            for (int e = 0; e < walk->edge_count; e++)
                is_free = is_free && (walk->edges[e].to != i || placed[walk->edges[e].from]);
            next = is_free ? i : -1;
        }
        if (next < 0)
            return false;
        placed[next] = true;
        walk->order[depth] = next;
    }
    return true;
}

static void take_edges(struct walk *walk, uint32_t mask)
{
    walk->edge_count = 0;
    memset(walk->is_leaf, true, sizeof walk->is_leaf);
    for (int from = 0; from < walk->dag.count; from++)
        for (int to = 0; to < walk->dag.count; to++) {
            if (from == to)
                continue;
            bool is_there = mask & 1U;
            mask >>= 1;
            walk->dag.tasks[to].needs[from] = (struct law_edge){is_there, -1};
            if (!is_there)
                continue;
            walk->edges[walk->edge_count++] = (struct edge){from, to};
            walk->is_leaf[from] = false;
        }
}

static bool stands_for_its_shape(const struct walk *walk)
{
    for (int e = 0; e < walk->edge_count; e++)
        if (walk->edges[e].from > walk->edges[e].to)
            return false;
    return dag_is_first_of_its_shape(&walk->dag);
}

void sweep_all(struct sweep *sweep)
{
    static struct walk walk;
    memset(&walk, 0, sizeof walk);
    walk.sweep = sweep;
    walk.dag.count = sweep->count;
    for (uint32_t mask = 0; mask < 1U << sweep->count * (sweep->count - 1); mask++) {
        take_edges(&walk, mask);
        if (!sort(&walk) || (sweep->shapes && !stands_for_its_shape(&walk)))
            continue;
        walk.is_new = true;
        every_outcome(&walk, 0);
    }
}
