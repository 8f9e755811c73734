/* Ways through all small definitions and all ends of their tasks; and dice for a sample. */
#pragma once

#include "engine/law.h"

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

/* ---- chance ---- */

struct dice {
    uint64_t state;
};

/* 0 … below - 1 */
uint32_t dice_below(struct dice *dice, uint32_t below);
void dice_dag(struct dice *dice, int count, struct law_dag *ret);
void dice_ends(struct dice *dice, const struct law_dag *dag, bool with_running,
               struct law_end *ret);
