/*
 * The OpenAPI 3.1 document, made from what parses and prints: the table of routes and the field
 * tables that its rows name. Nothing is described a second time.
 *
 * An object has two shapes. In an answer every field is there, and null where it is unset; in a
 * request only required fields are, and null means absent (RULES §12). A table that is used both
 * ways is therefore two components: `Task`, and `TaskInput`; of …Details there is only the request.
 * An object whose fields depend on an enum of its own is a oneOf with a discriminator.
 */
#pragma once

#include <jansson.h>

/* The whole document; the same every time. One reference for the caller. */
json_t *openapi_document(void);
