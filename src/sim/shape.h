/* Definitions of law.h as JSON that a job can be made of, and how its tasks are made to end. */
#pragma once

#include "base/arena.h"
#include "model/params.h"
#include "sim/law.h"

/* JSON of a definition: task i is called "t" and dag->first + i, at most t5. An IF_ELSE asks for the
 * parameter of its name. */
const char *shape_json(const struct law_dag *dag, struct arena *arena);
/* The parameters that make IF_ELSE tasks end as they shall. */
struct param_list shape_params(const struct law_dag *dag, const struct law_end *ends,
                               struct arena *arena);
int shape_cause(struct law_end end);

/* "t0 t1:t0=true@ALL_DONE ends …": a case in a line, for failures. */
const char *shape_describe(const struct law_dag *dag, const struct law_end *ends,
                           struct arena *arena);
