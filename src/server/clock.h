/* The only place that reads clocks for the engine and the APIs. Milliseconds. */
#pragma once

#include <stdint.h>

/* Wall clock: what is shown and stored. */
int64_t clock_wall_ms(void);
/* CLOCK_BOOTTIME: what deadlines are measured on; goes on while the host sleeps. */
int64_t clock_boot_ms(void);
/* Both at one instant, with ticks that fall together: between two readings both have advanced by the
 * same number of ms (unless the wall clock was set), so that a wait measured on one is not a ms
 * shorter on the other. */
struct instant {
    int64_t wall_ms;
    int64_t boot_ms;
};
struct instant clock_instant(void);
/* A descriptor that becomes readable when the wall clock is set, or the host has slept: whoever waits
 * for a wall clock time has to look again. -1 with errno. clock_watch_take makes it quiet again. */
int clock_watch_open(void);
void clock_watch_take(int fd);
/* CLOCK_MONOTONIC in µs, for measuring work. */
int64_t clock_monotonic_us(void);
