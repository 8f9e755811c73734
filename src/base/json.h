/*
 * JSON in: jansson with our limits (depth, size, no duplicate keys).
 *
 * JSON out goes straight into a buf (see base/buf.h, base/fields.h), not through a tree.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { JSON_MAX_DEPTH = 64, JSON_MAX_VALUES = 1000000 };

/* Does the text hold at most JSON_MAX_VALUES values, where every comma and every bracket counts as
 * one? For what comes from strangers: three bytes of text ("{},") make 240 bytes of tree, so its
 * length alone does not bound that. Not for what was accepted and stored: that may be more. */
bool json_is_small(const char *text, size_t len);

/* How many arrays and objects lie in each other, at most. */
int json_depth(const char *text, size_t len);

/* Parses `len` bytes into a tree that the caller gives back with json_decref; NULL with `err`
 * (ERR_CANNOT_PARSE, naming line and column) when it is not one JSON text. Scalars are allowed at
 * the top. Depth past JSON_MAX_DEPTH is refused before a tree is built. */
json_t *json_parse(const char *text, size_t len, struct err *err);

/* "an object", "a string", … : for messages. */
const char *json_kind(const json_t *value);
