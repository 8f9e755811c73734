/* Strings that may be absent. */
#pragma once

#include <stdbool.h>
#include <string.h>

/* Both absent (NULL), or both there and equal. */
static inline bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}
