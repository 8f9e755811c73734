/* Whole numbers and their digits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of ASCII, whatever the locale is. */
static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Rounded down, also below 0. `by` is positive. */
static inline int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}
