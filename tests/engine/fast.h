/*
 * The engine without a world: one definition, run after run, nothing kept but how the tasks end.
 * For enumerations of some hundred thousand runs; the harness checks more and is slower.
 */
#pragma once

#include "engine/engine.h"
#include "sim/law.h"
#include "sim/shape.h"

struct fast_task {
    enum state state;
    int8_t outcome;
    bool is_live;
    int starts; /* orders sent in this run */
    struct attempt_ref ref;
};

struct fast {
    struct engine *engine;
    struct effects effects;
    struct job_def *def;
    const struct law_dag *dag;
    struct uuid job;
    enum state run_state;
    struct fast_task tasks[LAW_TASKS]; /* by position */
    uint64_t seed;
    int64_t now_ms;
    uint32_t validate_one_in; /* steps; 1: each */
    uint32_t steps;
    struct arena arena;
};

void fast_begin(struct fast *fast, const struct law_dag *dag);
/* The same tasks and edges with other runIfs and outcomes: the definition is changed where it
 * stands, which only a test may do, between two runs. Saves parsing it. */
void fast_redefine(struct fast *fast, const struct law_dag *dag);
void fast_end(struct fast *fast);
/* One run to its end. Of several live attempts that end, the one at `turn` modulo their number
 * goes first, and so on. */
void fast_run(struct fast *fast, const struct law_end *ends, uint32_t turn);
