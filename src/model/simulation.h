/*
 * Simulations: what a run of a definition would do, and repairs of it, under assumptions about how
 * tasks end. What is asked, and what comes out; the engine works it out (engine/simulate.h).
 *
 * Times are virtual, in ms from the run's creation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/command.h"
#include "model/plan.h"

/* How a task ends. Of an IF_ELSE: that it is true or false whatever its operands are, or FAILED. */
enum assumed {
    ASSUMED_SUCCESS,
    ASSUMED_FAILED,
    ASSUMED_TIMED_OUT,
    ASSUMED_INTERNAL_ERROR,
    ASSUMED_TRUE,
    ASSUMED_FALSE,
    ASSUMED_COUNT
};
extern const char *const assumed_names[ASSUMED_COUNT]; /* "SUCCESS", …, "true", "false" */

/* What is not assumed succeeds after SIMULATED_DURATION_MS; IF_ELSE tasks are decided. */
struct assumption {
    const char *task_key;
    int outcome;         /* enum assumed */
    int64_t times;       /* so many attempts end so, the next one succeeds; 0: all of them */
    int64_t duration_ms; /* of each attempt; FIELD_NULL: SIMULATED_DURATION_MS */
    /* Of struct param: what each of its attempts publishes; it holds for later repairs too, until
     * others are given. What is referred to and not given is unknown. */
    struct field_list values;
};

enum {
    SIMULATED_DURATION_MS = 1000,
    SIMULATION_MAX_REPAIRS = 10,
    SIMULATION_MAX_EVENTS = 50000,  /* attempts that end, and deadlines, in all */
    SIMULATION_MAX_BYTES = 4 << 20, /* of definition and parameters */
    SIMULATION_SLOTS = 64,          /* execution slots */
    SIMULATION_MAX_VALUES = 100,    /* of one assumption */
};

struct simulated_repair {
    struct repair_request request; /* its definition: DEFINITION_NEWEST */
    struct field_list assumptions; /* of struct assumption: of this attempt alone */
};

struct simulation {
    const struct job_def *def;
    struct param_list parameters;
    struct field_list assumptions; /* of struct assumption */
    struct field_list repairs;     /* of struct simulated_repair */
    struct uuid workspace;
    const char *hub_region;
    int64_t now_ms; /* wall clock at the run's creation */
    /* Asked again and again: is it taking too long? NULL: it never does. */
    bool (*is_late)(void *context);
    void *context;
};

struct simulated_task {
    const char *task_key;
    int status; /* enum state; FIELD_UNSET: it has no task run */
    const char *reason;
    int64_t order;    /* from 1: which task started how early in this attempt; FIELD_NULL: not */
    int64_t start_ms; /* FIELD_NULL: it did not start */
    int64_t end_ms;
    int64_t attempts;
    int8_t outcome; /* of an IF_ELSE */
    /* Of const char *: its references to values that nobody assumed; what it does may hang on them. */
    struct field_list unknown_values;
};

/* The original, or a repair. */
struct simulated_attempt {
    int64_t number;
    int status; /* enum state */
    const char *reason;
    int64_t start_ms; /* when it was asked for */
    int64_t end_ms;
    struct field_list tasks; /* of struct simulated_task, in definition order */
    struct repair_plan plan; /* of repairs */
};

struct simulation_result {
    struct simulated_attempt *attempts;
    size_t count;
};
