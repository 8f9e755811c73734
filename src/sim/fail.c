#include "sim/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONTEXT_MAX_BYTES = 512, MESSAGE_MAX_BYTES = 4096 };

static broken_handler *handler;
static void *handler_context;
static char context[CONTEXT_MAX_BYTES];

void broken_handle(broken_handler *new_handler, void *new_context)
{
    handler = new_handler;
    handler_context = new_context;
}

void broken_context(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
}

void broken(const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (handler)
        handler(handler_context, context, text);
    fprintf(stderr, "broken: %s%s%s\n", context, context[0] ? ": " : "", text);
    abort();
}
