/*
 * References: {{namespace.name}} in the string values of tasks and parameters (RULES §5).
 *
 * Not an expression language: a text is scanned once, from left to right; what a reference yields
 * is never scanned again.
 *
 * Written form: two braces, blanks, a body, blanks, two braces. The body holds no braces but inside
 * back-quotes, so of nested braces the innermost pair counts and the outer ones stay as text. It is
 * a namespace (job, task, tasks, workspace, hub), a dot and a name. Odd names are back-quoted:
 * {{tasks.`my task`.run_id}}; a back-quoted name holds everything but a back-quote. What has another
 * form, or another namespace, stays as text; an unknown name in one of these is an error.
 *
 * Job-level values (parameters of the job, a run, a repair) see job.*, workspace.* and hub.*; there
 * job.parameters.NAME yields the text as it was given. Values of a task see task.* and tasks.* too;
 * at the level of the job these are an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "model/def.h"
#include "model/rows.h"

enum reference_space {
    REFERENCE_JOB,
    REFERENCE_TASK,
    REFERENCE_TASKS,
    REFERENCE_WORKSPACE,
    REFERENCE_HUB,
};

struct span {
    const char *text; /* not NUL-terminated */
    size_t len;       /* bytes */
};

bool span_is(struct span span, const char *text);

/* A reference as it is written; spans point into the text. */
struct reference {
    enum reference_space space;
    struct span whole; /* {{…}} */
    struct span task;  /* T of tasks.T, without back-quotes */
    struct span name;  /* behind the namespace and T: "run_id", "parameters.a.b" */
};

/* Bytes of the {{…}} that `text` begins with, whatever its body says; 0 when it begins with none. */
size_t reference_span(const char *text);
/* The next reference of a known namespace at or behind *cursor, which moves behind it; false at the
 * end. Linear in the text over all calls. */
bool reference_next(const char **cursor, struct reference *ret);

enum { TASK_KEY_TEXT = DEF_MAX_TASK_KEY * 4 + 1 };
/* T of tasks.T as a string; false when no task can have that key. */
bool reference_task_key(const struct reference *reference, char key[static TASK_KEY_TEXT]);
/* Is it job.parameters.NAME, with a NAME that a parameter can have? The span is without back-quotes. */
bool reference_names_parameter(const struct reference *reference, struct span *ret_name);
/* Is it tasks.T.values.KEY? T is reference->task. The span is without back-quotes. */
bool reference_names_value(const struct reference *reference, struct span *ret_key);

/* What {{tasks.T.…}} shows of an upstream task. */
struct reference_task {
    enum state state;
    const char *error_code; /* '' on success */
    struct uuid task_run;
    int64_t execution_count;
    const char *values; /* what it published (model/values.h), NULL: nothing */
};

struct reference_scope {
    struct uuid job;
    const char *job_name;
    struct uuid run;
    int64_t repair_count;
    int64_t start_ms; /* the original's; FIELD_NULL: not started, job.start_time is an error */
    int64_t plan_ms; /* for which it was planned; of a run that nothing planned, when it was made */
    int trigger;     /* enum trigger */
    const struct param *parameters; /* what job.parameters.NAME sees */
    size_t parameter_count;
    /* An empty map, filled when it is first needed and released by the caller: for many references.
     * NULL: `parameters` is gone through for each. */
    struct str_map *parameters_by_name;
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

/* The check at save: every reference that can be known to be wrong. `task` NULL: job level. Names
 * of parameters are not looked up: a run may bring them. Messages begin with the reference. */
struct reference_check {
    const char *task; /* taskKey, for messages */
    bool (*is_upstream)(const void *context, const char *task_key);
    const void *context;
    /* May it publish values? NULL: all may. */
    bool (*may_publish)(const void *context, const char *task_key);
};
enum err_code reference_check(const char *text, const struct reference_check *check,
                              struct err *err);

/* Names and values of systemParameters for a run (task_name NULL) or a task run: every reference
 * that takes no argument and is known, "job.id", "job.run_id", … "job.start_time.year" (once the
 * run has started), in a fixed order; struct field_pair in the arena. */
struct field_list reference_system_parameters(const struct reference_scope *scope,
                                              struct arena *arena);

/* Result names of {{tasks.T.result_state}}: "success", "timedout", … ; '' for a state not final. */
const char *reference_result_state(enum state state);
