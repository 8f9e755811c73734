/*
 * Layers of parameters (RULES §5): job < task < run < repair 1 < … < repair N.
 *
 * Names and values are checked by params_check (model/def.h). Strings are shared with the layers
 * that they came from unless an arena is said to hold copies.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/map.h"
#include "model/def.h"

struct param_list {
    const struct param *items;
    size_t count;
};

/* Merges layers, weakest first: a stronger value replaces a weaker one of the same name; order is
 * that of first appearance. Linear in the total. The list is in the arena. */
struct param_list params_merge(const struct param_list *layers, size_t count, struct arena *arena);

/* A parameter that differs between two lists. Values NULL: not there. */
struct param_change {
    const char *name;
    const char *old_value;
    const char *new_value;
};

struct param_changes {
    struct param_change *items;
    size_t count;
};

/* What differs, in the order of `to`, then what it lacks in the order of `from`. Names are unique in
 * each. Linear; shares the strings. */
struct param_changes params_diff(struct param_list from, struct param_list to, struct arena *arena);

/* A JSON list [{"name":…,"value":…}], as the APIs and the store write it, and back. */
void params_print(struct param_list params, struct buf *out);
const char *params_json(struct param_list params, struct arena *arena);
/* From our own stored text, copied into the arena; NULL or "null" is an empty list. Aborts when it
 * is not what params_print writes. */
struct param_list params_load(const char *json, struct arena *arena);
/* The list that a field table parsed. */
struct param_list params_of(const struct field_list *list);

/* The variables of the environment that names take up (see parameter_variable), to hold other
 * names against: "a.b" and "a_b" cannot both be given to a task. Shares the names. */
struct param_variables {
    struct str_map names; /* by variable */
    struct arena arena;
};

void param_variables_init(struct param_variables *taken);
void param_variables_release(struct param_variables *taken);
/* The name that holds the variable of `name` already, else NULL after taking it. */
const char *param_variables_add(struct param_variables *taken, const char *name);
/* Refuses a name that meets another one in its variable; the same name twice is fine. */
enum err_code param_variables_check(struct param_variables *taken, struct param_list params,
                                    const char *where, struct err *err);
