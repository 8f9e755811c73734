/* The last lines of what happened in a world: told when a rule is broken. */
#pragma once

#include <stddef.h>

enum { TRACE_LINES = 40, TRACE_LINE_BYTES = 200 };

struct trace {
    char lines[TRACE_LINES][TRACE_LINE_BYTES];
    size_t count; /* ever written; the newest is at (count - 1) % TRACE_LINES */
};

__attribute__((format(printf, 2, 3))) void trace_add(struct trace *trace, const char *format, ...);
/* Line `i` of those that are still there, oldest first; NULL past the end. */
const char *trace_line(const struct trace *trace, size_t i);
