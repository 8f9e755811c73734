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

struct json_t;

/* What tasks publish in a simulation, by their position in the definition. Everything lives in the
 * arena but the tree. */
struct simulated_values {
    const struct job_def *def;
    struct arena *arena;
    struct json_t *tree;       /* def->json */
    struct field_list *needed; /* of const char *: the keys that others refer to */
    struct field_list *given;  /* of struct param: what is assumed */
    const char **published;    /* the text of both; NULL: not made yet */
    uint8_t *undecided;        /* an IF_ELSE whose operands hang on a value that is not known */
};

void simulated_values_init(struct simulated_values *values, const struct job_def *def,
                           struct arena *arena);
void simulated_values_release(struct simulated_values *values);
/* ERR_INVALID_PARAMETER: they cannot be published; without `where[index].`. */
enum err_code simulated_values_check(const struct simulated_values *values,
                                     const struct assumption *assumption, struct err *err);
void simulated_values_give(struct simulated_values *values, uint32_t task,
                           const struct field_list *given);
/* What an attempt of the task publishes (model/values.h). */
const char *simulated_values_of(struct simulated_values *values, uint32_t task);
/* Is a value of the text referred to that nobody assumed? */
bool simulated_values_lack(const struct simulated_values *values, const char *text);
/* The references of a task to such values: of const char *, as they are written. */
struct field_list simulated_values_unknown(const struct simulated_values *values, uint32_t task);

/* The definition with what is assumed of its IF_ELSE tasks written into it, as version `version`; one
 * reference. Takes the assumed values in `values`; what cannot be decided without others is false.
 * `where` is the path of the list for messages. */
enum err_code simulate_assume(const struct job_def *def, const struct field_list *assumptions,
                              const char *where, int64_t version, struct simulated_values *values,
                              struct job_def **ret, struct err *err);
