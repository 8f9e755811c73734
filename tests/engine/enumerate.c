#include "engine/enumerate.h"

#include <string.h>

/* ---- definitions: an odometer over runIfs, types and edges ---- */

/* 0: no edge, 1: any outcome, 2 and 3: false and true. */
static int edge_get(const struct law_edge *edge)
{
    return edge->is_there ? edge->wanted + 2 : 0;
}

static void edge_set(struct law_edge *edge, int value)
{
    *edge = value ? (struct law_edge){true, (int8_t)(value - 2)} : (struct law_edge){false, -1};
}

static bool may_have_edge(const struct dag_kind *kind, int from, int to)
{
    return from != to && (kind->every_label || from < to);
}

/* The next setting of the edge, or back to none and true: carry on. */
static bool turn_edge(struct dag_walk *walk, int from, int to)
{
    struct law_edge *edge = &walk->dag.tasks[to].needs[from];
    int settings = walk->dag.tasks[from].is_if_else ? 4 : 2;
    int value = edge_get(edge) + 1;
    edge_set(edge, value == settings ? 0 : value);
    return value == settings;
}

static bool turn_run_if(struct law_task *task)
{
    task->run_if = (enum run_if)(task->run_if + 1);
    if (task->run_if < RUN_IF_COUNT)
        return false;
    task->run_if = (enum run_if)0;
    return true;
}

/* Types turn when no edge is there, so an edge never outlives the IF_ELSE whose outcome it names. */
static bool turn(struct dag_walk *walk)
{
    struct law_dag *dag = &walk->dag;
    for (int i = 0; i < dag->count; i++)
        if (!turn_run_if(&dag->tasks[i]))
            return true;
    for (int to = 0; to < dag->count; to++)
        for (int from = 0; from < dag->count; from++)
            if (may_have_edge(&walk->kind, from, to) && !turn_edge(walk, from, to))
                return true;
    for (int i = 0; i < dag->count && walk->kind.if_else; i++) {
        dag->tasks[i].is_if_else = !dag->tasks[i].is_if_else;
        if (dag->tasks[i].is_if_else)
            return true;
    }
    return false;
}

static bool reaches(const struct law_dag *dag, int from, int to, int steps)
{
    if (steps == 0)
        return false;
    for (int d = 0; d < dag->count; d++)
        if (dag->tasks[from].needs[d].is_there && (d == to || reaches(dag, d, to, steps - 1)))
            return true;
    return false;
}

/* No cycle, and no second version of what is the same: a task without dependencies has one runIf. */
static bool is_canonical(const struct law_dag *dag)
{
    for (int i = 0; i < dag->count; i++) {
        bool needs = false;
        for (int d = 0; d < dag->count; d++)
            needs = needs || dag->tasks[i].needs[d].is_there;
        if ((!needs && dag->tasks[i].run_if != 0) || reaches(dag, i, i, dag->count))
            return false;
    }
    return true;
}

void dag_walk_begin(struct dag_walk *walk, struct dag_kind kind)
{
    *walk = (struct dag_walk){.kind = kind, .dag = {.count = kind.count}};
    for (int i = 0; i < LAW_TASKS; i++)
        for (int d = 0; d < LAW_TASKS; d++)
            edge_set(&walk->dag.tasks[i].needs[d], 0);
}

bool dag_walk_next(struct dag_walk *walk, struct law_dag *ret)
{
    for (;;) {
        if (walk->begun && !turn(walk))
            return false;
        walk->begun = true;
        if (!is_canonical(&walk->dag))
            continue;
        *ret = walk->dag;
        return true;
    }
}

/* ---- shapes ---- */

/* The edges as a number, with the tasks renamed. */
static uint32_t edges_as(const struct law_dag *dag, const int *names)
{
    uint32_t edges = 0;
    for (int to = 0; to < dag->count; to++)
        for (int from = 0; from < dag->count; from++)
            if (dag->tasks[to].needs[from].is_there)
                edges |= 1U << (names[from] * dag->count + names[to]);
    return edges;
}

/* The next order of `names`, the first having been ascending. False: that was the last. */
static bool next_order(int *names, int count)
{
    int at = count - 2;
    while (at >= 0 && names[at] > names[at + 1])
        at--;
    if (at < 0)
        return false;
    int with = count - 1;
    while (names[with] < names[at])
        with--;
    int kept = names[at];
    names[at] = names[with];
    names[with] = kept;
    for (int a = at + 1, b = count - 1; a < b; a++, b--) {
        kept = names[a];
        names[a] = names[b];
        names[b] = kept;
    }
    return true;
}

/* Of those whose edges go from lower to higher numbers, as a walk makes them. */
static bool ascends(const struct law_dag *dag, const int *names)
{
    for (int to = 0; to < dag->count; to++)
        for (int from = 0; from < dag->count; from++)
            if (dag->tasks[to].needs[from].is_there && names[from] > names[to])
                return false;
    return true;
}

bool dag_is_first_of_its_shape(const struct law_dag *dag)
{
    int names[LAW_TASKS];
    for (int i = 0; i < dag->count; i++)
        names[i] = i;
    uint32_t own = edges_as(dag, names);
    while (next_order(names, dag->count))
        if (ascends(dag, names) && edges_as(dag, names) < own)
            return false;
    return true;
}

/* ---- ends ---- */

void ends_walk_begin(struct ends_walk *walk, const struct law_dag *dag, bool with_running)
{
    *walk = (struct ends_walk){.dag = dag, .with_running = with_running};
}

static bool turn_end(struct ends_walk *walk, int i)
{
    int count = walk->dag->tasks[i].is_if_else ? IF_ELSE_ENDS : PYTHON_ENDS;
    walk->digits[i] = (walk->digits[i] + 1) % count;
    return walk->digits[i] == 0;
}

bool ends_walk_next(struct ends_walk *walk, struct law_end *ret_ends,
                    struct law_result *ret_results)
{
    for (;;) {
        int i = 0;
        while (walk->begun && i < walk->dag->count && turn_end(walk, i))
            i++;
        if (i == walk->dag->count)
            return false;
        walk->begun = true;
        bool fits = true;
        for (i = 0; i < walk->dag->count; i++) {
            ret_ends[i] = walk->dag->tasks[i].is_if_else ? dice_if_else_ends[walk->digits[i]]
                                                         : dice_python_ends[walk->digits[i]];
            fits = fits && (walk->with_running || ret_ends[i].state != STATE_NEW) &&
                   (!walk->few || (ret_ends[i].state != STATE_TIMED_OUT &&
                                   ret_ends[i].state != STATE_INTERNAL_ERROR));
        }
        if (!fits)
            continue;
        law_run(walk->dag, ret_ends, NULL, ret_results);
        for (i = 0; i < walk->dag->count; i++)
            fits = fits && (ret_results[i].started || walk->digits[i] == 0);
        if (fits)
            return true;
    }
}
