/* Ways through all small definitions and all ends of their tasks. */
#pragma once

#include "sim/dice.h"

/* Sanitizers look at the same code in every case, at several times its cost: a share shows them all. */
#ifdef __SANITIZE_ADDRESS__
enum { FEWER = 5 };
#else
enum { FEWER = 1 };
#endif

/* ---- definitions ---- */

struct dag_kind {
    int count;
    bool if_else;     /* every task may be an IF_ELSE, every edge from one may name an outcome */
    bool every_label; /* edges both ways; else only from a lower to a higher number */
};

struct dag_walk {
    struct dag_kind kind;
    struct law_dag dag;
    bool begun;
};

void dag_walk_begin(struct dag_walk *walk, struct dag_kind kind);
bool dag_walk_next(struct dag_walk *walk, struct law_dag *ret);

/* Of all definitions that differ in nothing but the numbers of their tasks, is this the one that
 * stands for them? (Of its graph alone: types, runIfs and outcomes go with it.) */
bool dag_is_first_of_its_shape(const struct law_dag *dag);

/* ---- ends: each that makes a difference, once ---- */

struct ends_walk {
    const struct law_dag *dag;
    bool with_running; /* a task may also go on running */
    bool few;          /* of failures only FAILED */
    int digits[LAW_TASKS];
    bool begun;
};

void ends_walk_begin(struct ends_walk *walk, const struct law_dag *dag, bool with_running);
/* `ret_results`: what RULES make of these ends. Ends of tasks that do not start stay at SUCCESS. */
bool ends_walk_next(struct ends_walk *walk, struct law_end *ret_ends,
                    struct law_result *ret_results);
