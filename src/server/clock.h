/* The only place that reads clocks for the engine and the APIs. Milliseconds. */
#pragma once

#include <stdint.h>

/* Wall clock: what is shown and stored. */
int64_t clock_wall_ms(void);
/* CLOCK_BOOTTIME: what deadlines are measured on; goes on while the host sleeps. */
int64_t clock_boot_ms(void);
/* CLOCK_MONOTONIC in µs, for measuring work. */
int64_t clock_monotonic_us(void);
