/* How long to wait before something is tried again: twice as long each time, up to a limit. */
#pragma once

#include <stdint.h>

/* The wait behind one of `last_ms`; 0: it is the first. */
static inline int64_t backoff_next_ms(int64_t last_ms, int64_t first_ms, int64_t longest_ms)
{
    int64_t next_ms = last_ms > 0 ? 2 * last_ms : first_ms;
    return next_ms < longest_ms ? next_ms : longest_ms;
}
