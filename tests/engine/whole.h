/*
 * A run from its first task to its end, and a repair of it from the plan to its end, held to law.c:
 * for tests that go through many of them.
 */
#pragma once

#include "engine/fast.h"
#include "engine/harness.h"
#include "engine/plan.h"

/* A finished run, as the model has it. */
struct finished {
    const struct law_dag *dag;
    const struct job_def *def;
    struct law_end ends[LAW_TASKS];
    struct law_result results[LAW_TASKS];
    enum state states[LAW_TASKS];
    bool was_cancelled;
};

const char *whole_name(const struct law_dag *dag, int i);
/* A case in a line, for failures. */
const char *whole_describe(const struct finished *run, struct law_selection selection,
                           struct arena *arena);
struct repair_request whole_request(const struct law_dag *dag, struct law_selection selection,
                                    struct arena *arena);

/* Fills results and states from the ends; what runs on is cancelled. */
void whole_settle(struct finished *run);
/* `edited`: bits by task, of those whose definition has changed under them. */
void whole_compare_plan(const struct finished *run, const struct repair_plan *plan,
                        const enum law_verdict *law, unsigned edited);
/* `decided`: how decisions end by the parameters that the plan was made with; NULL: it knew none. */
void whole_compare_foretelling(const struct finished *run, const struct repair_plan *plan,
                               const enum law_verdict *law, const struct law_end *decided);

/* Brings a run that was submitted to its end. */
void whole_finish(struct world *world, const struct finished *run, const struct uuid *key);
void whole_expect(struct world *world, const struct uuid *key, const struct law_dag *dag,
                  const struct law_result *law, enum state run_state);
/* The repair of a run of which `run` is what law makes of it, its dag that of the definition that is
 * used; all its attempts succeed. `ret`: how its tasks end. */
void whole_repair(struct world *world, const struct finished *run, struct law_selection selection,
                  enum repair_definition definition, const struct uuid *key,
                  const enum law_verdict *law, struct law_result *ret);
