/*
 * The engine without a world: one definition, run after run, nothing kept but how the tasks end.
 * For enumerations of some hundred thousand runs; the harness checks more and is slower.
 */
#pragma once

#include "engine/engine.h"
#include "engine/law.h"

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
    struct arena arena;
};

/* JSON of a definition: task i is called "t" and dag->first + i, at most t5. An IF_ELSE asks for the parameter of its name. */
const char *fast_json(const struct law_dag *dag, struct arena *arena);
/* The parameters that make IF_ELSE tasks end as they shall. */
struct param_list fast_params(const struct law_dag *dag, const struct law_end *ends,
                              struct arena *arena);
int fast_cause(struct law_end end);

void fast_begin(struct fast *fast, const struct law_dag *dag);
void fast_end(struct fast *fast);
/* One run to its end. Of several live attempts that end, the one at `turn` modulo their number
 * goes first, and so on. */
void fast_run(struct fast *fast, const struct law_end *ends, uint32_t turn);

/* "t0 t1:t0=true@ALL_DONE ends …": a case in a line, for failures. */
const char *fast_describe(const struct law_dag *dag, const struct law_end *ends,
                          struct arena *arena);
