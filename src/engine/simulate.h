/*
 * Simulation of a run: the engine itself in a loop, with virtual time and assumed ends instead of a
 * store, a clock and processes. So what it shows is what a run would do, rules, retries, deadlines
 * and repairs included.
 *
 * Run slots of other runs play no part: the job is alone.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/simulation.h"

/* Strings and rows of *ret live in the arena and in request->def. ERR_INVALID_PARAMETER: an assumption
 * that does not fit, named, or what creating or repairing a run refuses; ERR_INCORRECT_STATE: a repair
 * that is refused so; ERR_LIMIT_EXCEEDED: it is too large or takes too long. */
enum err_code simulate(const struct simulation *request, struct arena *arena,
                       struct simulation_result *ret, struct err *err);

/* The definition with what is assumed of its IF_ELSE tasks written into it, as version `version`; one
 * reference. `where` is the path of the list for messages. */
enum err_code simulate_assume(const struct job_def *def, const struct field_list *assumptions,
                              const char *where, int64_t version, struct job_def **ret,
                              struct err *err);
