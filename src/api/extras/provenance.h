/*
 * Where the parameters of a run and of its tasks came from, as `explanation` shows it: the layers and
 * scopes of model/provenance, taken from a snapshot of the run.
 */
#pragma once

#include "api/oracle/run_source.h"
#include "model/provenance.h"

extern const struct schema param_provenance_schema;
extern const struct schema reference_use_schema;

/* Made once for an answer; what it works out for an attempt of the run is kept for its other tasks. */
struct run_provenance {
    const struct run_source *source;
    struct attempt_provenance *attempts; /* by number of the repair */
    size_t items;                        /* parameters told so far */
};

void run_provenance_init(struct run_provenance *provenance, const struct run_source *source);
void run_provenance_release(struct run_provenance *provenance);

/* Of the run as of its newest attempt: of struct param_provenance. */
struct field_list run_provenance_of_run(struct run_provenance *provenance);
/* What a task run started with, and what its texts referred to; empty lists before it started.
 * `ret_references`: of struct reference_use. */
struct field_list run_provenance_of_task(struct run_provenance *provenance,
                                         const struct task_run_row *row,
                                         struct field_list *ret_references);
