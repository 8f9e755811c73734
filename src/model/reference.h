/*
 * References: {{namespace.name}} in the string values of tasks and parameters (RULES §5).
 *
 * Not an expression language: a text is scanned once, from left to right; what a reference yields
 * is never scanned again. Malformed braces and unknown namespaces stay as text; an unknown name in
 * a known namespace is an error. Odd names are back-quoted: {{tasks.`my task`.run_id}}.
 *
 * Job-level values (parameters of the job, a run, a repair) see job.*, workspace.* and hub.*; there
 * job.parameters.NAME yields the text as it was given. Values of a task see task.* and tasks.* too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/def.h"
#include "model/rows.h"

/* What {{tasks.T.…}} shows of an upstream task. */
struct reference_task {
    enum state state;
    const char *error_code; /* '' on success */
    struct uuid task_run;
    int64_t execution_count;
};

struct reference_scope {
    struct uuid job;
    const char *job_name;
    struct uuid run;
    int64_t repair_count;
    int64_t start_ms; /* the original's */
    int trigger;      /* enum trigger */
    const struct param *parameters; /* what job.parameters.NAME sees */
    size_t parameter_count;
    struct uuid workspace;
    const char *hub_region;
    /* Below: task_name NULL means job level. */
    const char *task_name;
    struct uuid task_run;
    int64_t execution_count; /* the current start included */
    /* False when T is not a transitive upstream task. */
    bool (*find_task)(const void *context, const char *task_key, struct reference_task *ret);
    const void *context;
};

/* Appends `text` with its references put in. ERR_INVALID_PARAMETER with the reference named when it
 * cannot be resolved; ERR_LIMIT_EXCEEDED when `out` overflows. */
enum err_code reference_resolve(const char *text, const struct reference_scope *scope,
                                struct buf *out, struct err *err);

/* The check at save: every reference that can be known to be wrong. `task` NULL: job level. */
struct reference_check {
    const char *task; /* taskKey, for messages */
    bool (*is_upstream)(const void *context, const char *task_key);
    const void *context;
};
enum err_code reference_check(const char *text, const struct reference_check *check,
                              struct err *err);

/* Names and values of systemParameters, "job.id", "job.run_id", … for a run (task_name NULL) or a
 * task run; pairs in the arena. */
struct field_list reference_system_parameters(const struct reference_scope *scope,
                                              struct arena *arena);

/* Result names of {{tasks.T.result_state}}: "success", "timedout", … ; '' for a state not final. */
const char *reference_result_state(enum state state);
