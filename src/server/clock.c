#include "server/clock.h"

#include <stdatomic.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

enum { US_PER_MS = 1000, READ_TRIES = 3, PHASE_TRIES = 8 };

/* How far the ticks are apart, under a ms: by the reading of both that took the shortest. */
static int64_t measure_phase_us(void)
{
    int64_t apart_us = 0;
    int64_t shortest_us = INT64_MAX;
    for (int i = 0; i < PHASE_TRIES; i++) {
        int64_t before_us = clock_us(CLOCK_BOOTTIME);
        int64_t wall_us = clock_us(CLOCK_REALTIME);
        int64_t took_us = clock_us(CLOCK_BOOTTIME) - before_us;
        if (took_us < shortest_us) {
            shortest_us = took_us;
            apart_us = (wall_us - before_us) % US_PER_MS;
        }
    }
    return apart_us < 0 ? apart_us + US_PER_MS : apart_us;
}

/* What CLOCK_BOOTTIME is moved by, so that its ticks fall together with those of the wall clock as it
 * was at first; found once. */
static int64_t phase_us(void)
{
    static _Atomic int64_t phase = -1;
    int64_t found = atomic_load_explicit(&phase, memory_order_relaxed);
    if (found < 0) {
        int64_t made = measure_phase_us();
        int64_t none = -1;
        /* Whoever is first says it for all. */
        found = atomic_compare_exchange_strong(&phase, &none, made) ? made : none;
    }
    return found;
}

int64_t clock_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
    return (clock_us(CLOCK_BOOTTIME) + phase_us()) / US_PER_MS;
}

struct instant clock_instant(void)
{
    int64_t phase = phase_us();
    int64_t boot_us = 0;
    int64_t wall_us = 0;
    for (int i = 0; i < READ_TRIES; i++) {
        boot_us = clock_us(CLOCK_BOOTTIME) + phase;
        wall_us = clock_us(CLOCK_REALTIME);
        if (wall_us % US_PER_MS >= boot_us % US_PER_MS)
            break; /* else a tick fell between the two */
    }
    return (struct instant){wall_us / US_PER_MS, boot_us / US_PER_MS};
}

/* A timer that is never due, which is cancelled when the clock is set. */
static void watch_arm(int fd)
{
    const struct itimerspec never = {.it_value.tv_sec = INT64_MAX / 1000000000};
    timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

int clock_watch_open(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0)
        watch_arm(fd);
    return fd;
}

void clock_watch_take(int fd)
{
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof count); /* ECANCELED */
    (void)ignored;
    watch_arm(fd);
}

int64_t clock_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}
