/* Layers of parameters (RULES §5): job < task < run < repair 1 < … < repair N. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "model/def.h"

struct param_list {
    const struct param *items;
    size_t count;
};

/* Merges layers, weakest first: a stronger value replaces a weaker one of the same name; order is
 * that of first appearance. Linear in the total. */
struct param_list params_merge(const struct param_list *layers, size_t count, struct arena *arena);

/* A JSON list [{"name":…,"value":…}], as the APIs and the store write it, and back. */
void params_print(struct param_list params, struct buf *out);
const char *params_json(struct param_list params, struct arena *arena);
/* From our own stored text; NULL text is an empty list. */
struct param_list params_load(const char *json, struct arena *arena);
/* The list that a field table parsed. */
struct param_list params_of(const struct field_list *list);
