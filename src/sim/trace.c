#include "sim/trace.h"

#include <stdarg.h>
#include <stdio.h>

void trace_add(struct trace *trace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(trace->lines[trace->count++ % TRACE_LINES], TRACE_LINE_BYTES, format, args);
    va_end(args);
}

const char *trace_line(const struct trace *trace, size_t i)
{
    size_t first = trace->count > TRACE_LINES ? trace->count - TRACE_LINES : 0;
    return first + i < trace->count ? trace->lines[(first + i) % TRACE_LINES] : NULL;
}
