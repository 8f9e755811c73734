/*
 * Spellings: what a client wrote, brought into the form that a table asks for.
 *
 * v2 writes pre_node_names where v1 writes preNodeName, and clients send numbers and truth values as
 * strings, and single objects for lists of one. Values that mean nothing of the kind are left for the
 * table to refuse.
 */
#pragma once

#include <jansson.h>

#include "base/fields.h"

/* Changes `value` in place, down to where the table ends. Fields that the table does not name stay. */
void spelling_mend(const struct schema *schema, json_t *value);
