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
#include "model/reference.h"

struct plan_input {
    const struct job_def *def; /* that the repair uses */
    const enum state
        *states;            /* by position in def; STATE_NEW: the newest attempt has no such task */
    const int8_t *outcomes; /* by position: of IF_ELSE tasks, else FIELD_UNSET */
    const struct repair_request *request;
    /* From the newest attempt's definition to `def`, for what is said of kept tasks; may be NULL. */
    const struct def_diff *diff;
};

/* Fills tasks and counts of `ret` (strings in `arena`); parameters and the difference are the
 * caller's business. ERR_INVALID_PARAMETER: an unknown taskKey, named, or a definition without
 * tasks. ERR_INCORRECT_STATE: nothing to repair. */
enum err_code plan_make(const struct plan_input *input, struct arena *arena,
                        struct repair_plan *ret, struct err *err);

/* Is it the watched path, which the repair takes for there although it has not been? */
bool plan_passes(const struct plan_input *input, uint32_t task);

/* Says of planned tasks of `plan` that they will not start, and why, where that is known: kept tasks stay
 * as they are, and comparisons are worked out where `scope` tells all of their operands. In `scope`,
 * find_task tells of tasks as they are, and parameters are those of the repair, resolved; NULL: no
 * comparison is known. */
void plan_foresee(const struct plan_input *input, const struct reference_scope *scope,
                  struct arena *arena, struct repair_plan *plan);

/* Only a finished run is repaired. */
enum err_code plan_check_state(enum state state, struct err *err);

/* Which version of the job's definition a request asks for. ERR_INCORRECT_STATE: CURRENT of a job
 * that was deleted. Whether a version of that number exists is not looked at: plan_no_version. */
enum err_code plan_choose_version(const struct repair_request *request, const struct job_row *job,
                                  int64_t original_version, int64_t newest_version,
                                  int64_t *ret_version, struct err *err);
enum err_code plan_no_version(int64_t version, const struct job_row *job, struct err *err);

/* The states of a run, and the outcomes of its IF_ELSE tasks, by position in another definition:
 * tasks are the same when their keys are. `newest` is that of the newest attempt. */
void plan_carry_over(const struct job_def *newest, const enum state *states, const int8_t *outcomes,
                     const struct job_def *def, enum state *ret_states, int8_t *ret_outcomes);

/* The same on an image from the store, with the differences in parameters and definition: for
 * previews. `newest` is the definition of the newest attempt, `def` the one that the repair would
 * use. The run must be final; at `now_ms` it would start that has not before. */
enum err_code plan_preview(const struct run_image *image, const struct job_def *newest,
                           const struct job_def *def, const struct repair_request *request,
                           int64_t now_ms, struct arena *arena, struct repair_plan *ret,
                           struct err *err);
