/*
 * Where the values of parameters come from: which layer gave each, what it overrode there, which
 * references were put in, and with what (RULES §5; CONTRACT §6, explanation).
 *
 * Nothing of this is stored. The layers are: as they were given they tell everything but what a
 * reference yielded at the time, and that is worked out again from rows that do not change any more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/el.h"
#include "model/params.h"
#include "model/reference.h"

enum param_source {
    PARAM_OF_JOB,
    PARAM_OF_TASK,
    PARAM_OF_RUN,
    PARAM_OF_REPAIR,
    PARAM_SOURCE_COUNT
};
extern const char *const param_source_names[PARAM_SOURCE_COUNT]; /* "JOB", … */

struct param_layer {
    enum param_source source;
    int64_t repair; /* of PARAM_OF_REPAIR: its number; else FIELD_NULL */
    struct param_list params;
};

struct param_origin {
    const char *value; /* as it was given */
    int source;        /* enum param_source */
    int64_t repair;
};

/* What stands in texts: references, or, with `el`, expressions. */
struct text_scope {
    const struct reference_scope *references;
    const struct el_scope *el; /* or NULL */
};

/* A reference, or an expression, that stands in a text. */
struct reference_use {
    const char *field;     /* of the task; NULL: in the value of a parameter */
    const char *reference; /* "{{…}}", "#{…}" or "${…}" */
    const char *value;     /* what it stands for; NULL: that is not known */
    int source;            /* of job.parameters.NAME: where that parameter came from, enum
                              param_source; else FIELD_UNSET */
    int64_t repair;
};

struct param_provenance {
    const char *name;
    const char *value; /* with references put in */
    const char *given; /* without */
    int source;
    int64_t repair;
    struct field_list overrides;  /* of struct param_origin: weaker layers, strongest first */
    struct field_list references; /* of struct reference_use */
};

struct provenance {
    struct param_provenance *items;
    size_t count;
    struct str_map by_name; /* name → item; released by provenance_release */
};

/* For every name of `resolved`: layers weakest first. A parameter of a task's layer is resolved with
 * `scope`; what other layers gave is taken from `of_run`, which was made with the same layers but the
 * task's (NULL: `scope` is for all of them). Strings are shared or in the arena. */
void provenance_make(const struct param_layer *layers, size_t layer_count,
                     struct param_list resolved, const struct text_scope *scope,
                     const struct provenance *of_run, struct arena *arena, struct provenance *ret);
void provenance_release(struct provenance *provenance);

/* The references in `text` (NULL: none), in order; `of_run` says where parameters came from, may be
 * NULL. */
struct field_list provenance_of_text(const char *field, const char *text,
                                     const struct text_scope *scope,
                                     const struct provenance *of_run, struct arena *arena);
