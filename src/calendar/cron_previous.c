/*
 * Backwards, and from the middle: the calendar only knows what comes next, so spans of time are halved.
 *
 * What comes next depends on where one asks from, near a clock change: from within the first pass of an overlap times are
 * missed that a schedule on its way fires, and right behind a gap times are seen that it leaves out. So each answer here
 * is one that a search finds which came through the change.
 */
#include "base/number.h"
#include "calendar/cron.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
/* How far back a planned time is looked for. */
static const int64_t lookback_ms = INT64_C(3660) * 24 * 3600 * 1000;

/* Nothing fires in the first pass of an overlap, yet a search that begins there goes on from the same wall time of the
 * second, and misses what stands before it. So it is to begin with the second. */
static int64_t behind_first_pass(const struct zone *zone, int64_t after_ms)
{
    int64_t first_s = floor_div(after_ms, 1000) + 1;
    int64_t meant_s = zone_instant(zone, first_s + zone_offset(zone, first_s));
    struct zone_change change;
    if (meant_s == first_s || !zone_newest_change(zone, meant_s, &change))
        return after_ms;
    return change.at_s * 1000 - 1;
}

/* Is there any time in (after, end]? Of those behind a gap also what Quartz leaves out, and it leaves out more from the last
 * hour before it than from farther off: so what finds nothing there looks again from behind the gap. */
static bool is_any_seen(const struct cron *cron, const struct zone *zone, int64_t after_ms,
                        int64_t end_ms, int64_t *ret_ms)
{
    struct zone_change change;
    int64_t begin_ms = behind_first_pass(zone, after_ms);
    if (begin_ms < end_ms && cron_next_until(cron, zone, begin_ms, end_ms, ret_ms))
        return true;
    bool is_before_gap = zone_newest_change(zone, (after_ms + day_ms) / 1000, &change) &&
                         change.after_s > change.before_s && change.at_s * 1000 > after_ms;
    return is_before_gap && cron_next_until(cron, zone, change.at_s * 1000 - 1, end_ms, ret_ms);
}

/* The newest, as it is seen from in between. */
static int64_t newest_seen(const struct cron *cron, const struct zone *zone, int64_t known_ms,
                           int64_t until_ms)
{
    int64_t end = until_ms; /* nothing fires in (end, until] unless `known` is there */
    while (end - known_ms >= 1000) {
        int64_t middle = known_ms + (end - known_ms) / 2, found;
        if (is_any_seen(cron, zone, middle, end, &found))
            known_ms = found;
        else
            end = middle;
    }
    return known_ms;
}

static bool previous_seen(const struct cron *cron, const struct zone *zone, int64_t before_ms,
                          int64_t *ret_ms)
{
    int64_t found;
    for (int64_t back_ms = 60000;; back_ms *= 2) {
        if (back_ms > lookback_ms)
            back_ms = lookback_ms;
        if (is_any_seen(cron, zone, before_ms - back_ms - 1, before_ms - 1, &found)) {
            *ret_ms = newest_seen(cron, zone, found, before_ms - 1);
            return true;
        }
        if (back_ms == lookback_ms)
            return false;
    }
}

/* Is the newest change up to then a gap? */
static bool find_gap(const struct zone *zone, int64_t until_ms, int64_t *ret_ms)
{
    struct zone_change change;
    if (!zone_newest_change(zone, until_ms / 1000, &change) || change.after_s < change.before_s)
        return false;
    *ret_ms = change.at_s * 1000;
    return true;
}

/* `seen_ms` lies behind a gap, `before_gap_ms` is the newest time before it: whichever of the two fires last. */
static int64_t come_through(const struct cron *cron, const struct zone *zone, int64_t before_gap_ms,
                            int64_t seen_ms)
{
    int64_t next_ms;
    bool fires = cron_next_until(cron, zone, before_gap_ms, seen_ms, &next_ms);
    return fires ? seen_ms : before_gap_ms;
}

int64_t cron_newest_until(const struct cron *cron, const struct zone *zone, int64_t known_ms,
                          int64_t until_ms)
{
    int64_t newest_ms = newest_seen(cron, zone, known_ms, until_ms), gap_ms;
    if (!find_gap(zone, newest_ms, &gap_ms) || gap_ms <= known_ms)
        return newest_ms;
    return come_through(cron, zone, newest_seen(cron, zone, known_ms, gap_ms - 1), newest_ms);
}

bool cron_previous(const struct cron *cron, const struct zone *zone, int64_t before_ms,
                   int64_t *ret_ms)
{
    int64_t newest_ms, gap_ms, before_gap_ms;
    if (!previous_seen(cron, zone, before_ms, &newest_ms))
        return false;
    if (find_gap(zone, newest_ms, &gap_ms) && previous_seen(cron, zone, gap_ms, &before_gap_ms))
        newest_ms = come_through(cron, zone, before_gap_ms, newest_ms);
    *ret_ms = newest_ms;
    return true;
}

bool cron_next_since(const struct cron *cron, const struct zone *zone, int64_t since_ms,
                     int64_t from_ms, int64_t until_ms, int64_t *ret_ms)
{
    int64_t found_ms;
    if (!cron_next_until(cron, zone, since_ms, until_ms, &found_ms))
        return false;
    if (found_ms < from_ms) {
        found_ms = cron_newest_until(cron, zone, found_ms, from_ms - 1);
        if (!cron_next_until(cron, zone, found_ms, until_ms, &found_ms))
            return false;
    }
    *ret_ms = found_ms;
    return true;
}
