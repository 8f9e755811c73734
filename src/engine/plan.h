/*
 * Repair planning (RULES §8): a pure function of a definition, the states as they are, and what is
 * asked. The engine repairs by it and planRepair shows it: there is no second opinion.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/command.h"
#include "model/def.h"
#include "model/image.h"
#include "model/plan.h"

struct plan_input {
    const struct job_def *def;
    const enum state *states; /* by position; STATE_NEW: the run never had a task run of it */
    const int8_t *outcomes;   /* by position: of IF_ELSE tasks, else FIELD_UNSET */
    const struct repair_request *request;
};

/* Fills tasks and counts of `ret` (strings in `arena`); parameters are the caller's business.
 * ERR_INVALID_PARAMETER: an unknown taskKey, named. ERR_INCORRECT_STATE: nothing to repair. */
enum err_code plan_make(const struct plan_input *input, struct arena *arena,
                        struct repair_plan *ret, struct err *err);

/* The same on an image from the store, with the difference in parameters: for previews. The run
 * must be final. */
enum err_code plan_preview(const struct run_image *image, const struct job_def *def,
                           const struct repair_request *request, struct arena *arena,
                           struct repair_plan *ret, struct err *err);
