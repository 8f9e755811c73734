/*
 * The raw target of a request, taken apart: path segments, decoded one by one, and the query.
 *
 * Routing needs the raw form: %2F inside a segment is a character of it, not a border.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { TARGET_MAX_SEGMENTS = 16 };

struct target {
    const char *path;  /* raw, without the query */
    const char *query; /* raw, "" when there is none */
    /* Decoded. More than the maximum, or an empty one (a doubled or trailing slash), leaves count 0:
     * no path of ours looks like that. */
    const char *segments[TARGET_MAX_SEGMENTS];
    size_t count;
    /* Byte offsets in `path` behind the slash before each segment. */
    size_t starts[TARGET_MAX_SEGMENTS];
};

/* ERR_INVALID_PARAMETER when the percent-encoding is malformed or hides a NUL. Strings are in the
 * arena. */
enum err_code target_parse(const char *text, struct arena *arena, struct target *ret,
                           struct err *err);
