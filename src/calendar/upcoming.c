#include "calendar/upcoming.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/timefmt.h"

static bool is_gap(const struct zone_change *change)
{
    return change->after_s > change->before_s;
}

/* The first wall time of the expression in a gap: on a clock that is not changed there it would fire. */
static bool find_in_gap(const struct cron *cron, const struct zone_change *gap,
                        int64_t *ret_local_s)
{
    struct zone *unchanged = zone_fixed(gap->before_s);
    int64_t length_s = (int64_t)gap->after_s - gap->before_s, time_ms;
    bool found = cron_next_until(cron, unchanged, gap->at_s * 1000 - 1,
                                 (gap->at_s + length_s) * 1000 - 1, &time_ms);
    zone_unref(unchanged);
    if (found)
        *ret_local_s = time_ms / 1000 + gap->before_s;
    return found;
}

/* What a gap did to the times between the one before and this. A search that begins right behind the gap finds what one that
 * came through it may leave out. */
static void look_at_gap(const struct cron *cron, const struct zone *zone,
                        const struct zone_change *gap, struct upcoming *ret)
{
    int64_t behind_ms;
    ret->has_skipped = find_in_gap(cron, gap, &ret->skipped_local_s);
    ret->has_left_out =
        cron_next_until(cron, zone, gap->at_s * 1000 - 1, ret->time_ms - 1, &behind_ms);
    if (ret->has_left_out)
        ret->left_out_local_s = behind_ms / 1000 + zone_offset(zone, behind_ms / 1000);
}

/* The newest gap after `from_ms` that took times away. */
static void look_for_gaps(const struct cron *cron, const struct zone *zone, int64_t from_ms,
                          struct upcoming *ret)
{
    struct zone_change change;
    int64_t until_s = ret->time_ms / 1000;
    while (!ret->has_skipped && !ret->has_left_out && zone_newest_change(zone, until_s, &change) &&
           change.at_s * 1000 > from_ms) {
        if (is_gap(&change))
            look_at_gap(cron, zone, &change, ret);
        until_s = change.at_s - 1;
    }
}

size_t upcoming_list(const struct cron *cron, const struct zone *zone, int64_t after_ms, size_t max,
                     struct upcoming *ret)
{
    size_t count = 0;
    for (; count < max; count++) {
        struct upcoming next = {0};
        if (!cron_next(cron, zone, after_ms, &next.time_ms))
            break;
        next.offset_s = zone_offset(zone, next.time_ms / 1000);
        next.has_change = zone_change_of_day(zone, next.time_ms / 1000, &next.change);
        look_for_gaps(cron, zone, after_ms, &next);
        ret[count] = next;
        after_ms = next.time_ms;
    }
    return count;
}

char *upcoming_local(const struct upcoming *upcoming, char text[static UPCOMING_TEXT])
{
    const struct civil at = civil_from_ms(upcoming->time_ms + upcoming->offset_s * INT64_C(1000));
    int minutes = abs(upcoming->offset_s) / 60;
    snprintf(text, UPCOMING_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", at.year % 10000,
             at.month % 100, at.day % 100, at.hour % 100, at.minute % 100, at.second % 100,
             upcoming->offset_s < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
    return text;
}

const char *upcoming_change_name(const struct upcoming *upcoming)
{
    if (!upcoming->has_change)
        return NULL;
    return is_gap(&upcoming->change) ? "GAP" : "OVERLAP";
}

/* "02:30", with seconds where there are some. */
static void put_clock(struct buf *out, int64_t local_s)
{
    const struct civil at = civil_from_ms(local_s * 1000);
    buf_printf(out, "%02d:%02d", at.hour, at.minute);
    if (at.second)
        buf_printf(out, ":%02d", at.second);
}

static void put_change(const struct upcoming *upcoming, struct buf *out)
{
    const struct zone_change *change = &upcoming->change;
    int64_t old_s = change->at_s + change->before_s, new_s = change->at_s + change->after_s;
    int64_t local_s = upcoming->time_ms / 1000 + upcoming->offset_s;
    buf_puts(out, is_gap(change) ? "gap day: clocks go from " : "overlap day: clocks go from ");
    put_clock(out, old_s);
    buf_puts(out, is_gap(change) ? " to " : " back to ");
    put_clock(out, new_s);
    if (!is_gap(change) && local_s >= new_s && local_s < old_s) {
        buf_puts(out, ", this is the second ");
        put_clock(out, local_s);
    }
}

static void put_day_and_clock(struct buf *out, int64_t local_s)
{
    const struct civil at = civil_from_ms(local_s * 1000);
    buf_printf(out, "%04d-%02d-%02d ", at.year, at.month, at.day);
    put_clock(out, local_s);
}

void upcoming_note(const struct upcoming *upcoming, struct buf *out)
{
    size_t start = out->len;
    if (upcoming->has_change)
        put_change(upcoming, out);
    if (upcoming->has_skipped) {
        buf_puts(out, out->len > start ? "; not at " : "not at ");
        put_day_and_clock(out, upcoming->skipped_local_s);
        buf_puts(out, ", which no clock showed");
    }
    if (upcoming->has_left_out) {
        buf_puts(out, out->len > start ? "; Quartz leaves out " : "Quartz leaves out ");
        put_day_and_clock(out, upcoming->left_out_local_s);
        buf_puts(out, " until here");
    }
}
