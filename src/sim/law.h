/*
 * What RULES says, typed a second time and on purpose in another way than src has it: tables as
 * text, trigger rules and repair plans as plain recursion. The tests hold the engine to this.
 *
 * Nothing here may include from src/engine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/def.h"
#include "model/state.h"

/* ---- §1: allowed moves ---- */

bool law_run_may_move(enum state from, enum state to, bool by_repair);
bool law_task_may_move(enum state from, enum state to);
bool law_is_final(enum state state);
bool law_holds_slot(enum state state);

/* ---- §2: what becomes of the tasks of a run ---- */

enum { LAW_TASKS = 6 };

/* How a task ends, should it start; STATE_NEW: it goes on running. An IF_ELSE is SUCCESS with an
 * outcome, FAILED (an operand) or INTERNAL_ERROR (a reference). */
struct law_end {
    enum state state;
    bool outcome;
};

struct law_edge {
    bool is_there;
    int8_t wanted; /* -1: any outcome, else 0 or 1 */
};

struct law_task {
    enum run_if run_if;
    bool is_if_else;
    struct law_edge needs[LAW_TASKS]; /* by task */
};

struct law_dag {
    int first; /* number in the name of the first task: "t1" is what it is in another dag, too */
    int count;
    struct law_task tasks[LAW_TASKS];
};

struct law_result {
    enum state state;
    int8_t outcome; /* -1: none */
    bool started;
};

/* One dependency: its state, its outcome (-1: none) and what the edge wants (-1: nothing). */
struct law_dep {
    enum state state;
    int8_t outcome;
    int8_t wanted;
};

/* STATE_NEW: it runs; else what it becomes. */
enum state law_trigger(enum run_if run_if, const struct law_dep *deps, int count);
/* `kept[i].state` other than STATE_NEW: that task is final already and stays. A task that is not
 * final yet is STATE_NEW in `ret`. */
void law_run(const struct law_dag *dag, const struct law_end *ends, const struct law_result *kept,
             struct law_result *ret);
/* §3: what is not final when the run is cancelled becomes CANCELED. */
void law_cancel(const struct law_dag *dag, struct law_result *results);
enum state law_run_result(const struct law_dag *dag, const struct law_result *results);

/* ---- §8: repair plans ---- */

enum law_verdict { LAW_KEEP, LAW_REEVALUATE, LAW_RUN };

enum law_mode { LAW_NO_MODE, LAW_RESUME, LAW_RERUN };

/* Bits by task; `with_…`: of what is named, with everything upstream or downstream of it. `named` 0:
 * nothing is named. */
struct law_selection {
    unsigned named;
    unsigned with_upstream;
    unsigned with_downstream;
    enum law_mode mode;
};

/* A task whose state is STATE_NEW is new in this definition. False: nothing to repair. */
bool law_plan(const struct law_dag *dag, const enum state *states,
              const struct law_selection *selection, enum law_verdict *ret);
