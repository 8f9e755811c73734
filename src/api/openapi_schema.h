/* Schemas of the OpenAPI document, from field tables. Included by src/api/openapi*.c only. */
#pragma once

#include <jansson.h>

#include "base/fields.h"

enum shape {
    SHAPE_ANSWER,  /* every field is there */
    SHAPE_REQUEST, /* what is not required may be absent */
};

/* {"$ref": …} to the component of a table, which is added to `components` (by name) with everything
 * that it refers to, when it is not there yet. One reference for the caller, as of all below. */
json_t *openapi_ref(json_t *components, const struct schema *schema, enum shape shape);
/* {"items": [of that component]}, as a component of its own. */
json_t *openapi_collection(json_t *components, const struct schema *schema);
/* Adds it to a list of texts that does not have it yet. */
void openapi_add_name(json_t *names, const char *name);
/* Schema of one query parameter: nothing in there is null. */
json_t *openapi_parameter(json_t *components, const struct field *field);
