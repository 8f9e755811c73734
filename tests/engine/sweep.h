/*
 * The whole of it: every labelled DAG of n tasks, with every outcome on every edge, every runIf, and
 * every way in which the tasks that start can end. What RULES make of each is worked out once for all
 * that begin alike: a walk down a tree of ends, in the order of the graph.
 *
 * Left out is only what cannot differ: a runIf without dependencies; an IF_ELSE none of whose
 * outcomes is named (it is a task like others); and, with `few_ends`, ways to fail that mean the same
 * to everybody: FAILED stands for TIMED_OUT, and for INTERNAL_ERROR where others depend on the task.
 */
#pragma once

#include "sim/law.h"

enum { SWEEP_TASKS = 5 };

struct sweep {
    int count;     /* tasks */
    bool outcomes; /* edges may name an outcome; then the task that they come from is an IF_ELSE */
    bool few_ends;
    bool shapes;     /* of graphs that differ in nothing but the numbers of their tasks only one */
    uint32_t one_in; /* of the definitions, this share; 1: all */
    uint32_t first;  /* which of them: number modulo one_in */
    /* One definition begins: a new graph or other types of tasks (`is_new`), or the one before with
     * other runIfs and outcomes. */
    void (*begin)(void *context, const struct law_dag *dag, bool is_new);
    /* One way through it. Ends of tasks that do not start are SUCCESS. */
    void (*each)(void *context, const struct law_end *ends, const struct law_result *results);
    void *context;
    uint64_t definitions, cases; /* visited */
};

void sweep_all(struct sweep *sweep);
