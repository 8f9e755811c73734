/* Backwards: the calendar only knows what comes next, so spans of time are halved. */
#include "calendar/cron.h"

/* How far back a planned time is looked for. */
static const int64_t lookback_ms = INT64_C(3660) * 24 * 3600 * 1000;

/* Nothing fires in the first pass of an overlap, yet a search that begins there goes on from the same wall time of the
 * second, and misses what stands before it. So it is to begin with the second. */
static int64_t behind_first_pass(const struct zone *zone, int64_t after_ms)
{
    int64_t first_s = after_ms / 1000 - (after_ms % 1000 < 0) + 1;
    int64_t meant_s = zone_instant(zone, first_s + zone_offset(zone, first_s));
    struct zone_change change;
    if (meant_s == first_s || !zone_newest_change(zone, meant_s, &change))
        return after_ms;
    return change.at_s * 1000 - 1;
}

int64_t cron_newest_until(const struct cron *cron, const struct zone *zone, int64_t known_ms,
                          int64_t until_ms)
{
    int64_t end = until_ms; /* nothing fires in (end, until] unless `known` is there */
    while (end - known_ms >= 1000) {
        int64_t middle = known_ms + (end - known_ms) / 2, found;
        int64_t after = behind_first_pass(zone, middle);
        if (after < end && cron_next_until(cron, zone, after, end, &found))
            known_ms = found;
        else
            end = middle;
    }
    return known_ms;
}

bool cron_previous(const struct cron *cron, const struct zone *zone, int64_t before_ms,
                   int64_t *ret_ms)
{
    int64_t found;
    for (int64_t back_ms = 60000;; back_ms *= 2) {
        if (back_ms > lookback_ms)
            back_ms = lookback_ms;
        if (cron_next_until(cron, zone, before_ms - back_ms - 1, before_ms - 1, &found)) {
            *ret_ms = cron_newest_until(cron, zone, found, before_ms - 1);
            return true;
        }
        if (back_ms == lookback_ms)
            return false;
    }
}
