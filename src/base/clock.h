/*
 * Readings of the host's clocks. Not for logic, whose time comes with the event; the engine and the
 * APIs are given theirs by server/clock.h.
 */
#pragma once

#include <stdint.h>
#include <time.h>

int64_t clock_us(clockid_t clock);
int64_t clock_ms(clockid_t clock);
/* CLOCK_BOOTTIME: goes on while the host sleeps. */
int64_t boot_ms(void);
