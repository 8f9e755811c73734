#include "calendar/zone.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/number.h"
#include "calendar/zone_data.h"

enum { DAY_S = 86400 };

struct zone *zone_new(const struct zone_data *data)
{
    struct zone *zone = xcalloc(1, sizeof *zone);
    zone->data = *data;
    atomic_init(&zone->references, 1);
    return zone;
}

struct zone *zone_fixed(int32_t offset_s)
{
    assert(offset_s >= -ZONE_MAX_OFFSET_S && offset_s <= ZONE_MAX_OFFSET_S);
    return zone_new(&(struct zone_data){.first_offset_s = offset_s});
}

struct zone *zone_ref(struct zone *zone)
{
    atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
    return zone;
}

void zone_unref(struct zone *zone)
{
    if (!zone || atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) != 1)
        return;
    free(zone->data.changes);
    free(zone);
}

/* Of the table alone: how many changes are at or before the instant. */
static size_t count_until(const struct zone_data *data, int64_t instant_s)
{
    size_t low = 0, high = data->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (data->changes[middle].at_s <= instant_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool zone_newest_change(const struct zone *zone, int64_t instant_s, struct zone_change *ret)
{
    const struct zone_data *data = &zone->data;
    size_t count = count_until(data, instant_s);
    if (count == data->count && data->rule.has_summer) {
        struct zone_change newest = posix_tz_newest_change(&data->rule, instant_s);
        if (count == 0 || newest.at_s > data->changes[count - 1].at_s) {
            *ret = newest;
            return true;
        }
    }
    if (count == 0)
        return false;
    *ret = data->changes[count - 1];
    return true;
}

int32_t zone_offset(const struct zone *zone, int64_t instant_s)
{
    struct zone_change newest;
    return zone_newest_change(zone, instant_s, &newest) ? newest.after_s
                                                        : zone->data.first_offset_s;
}

int64_t zone_instant(const struct zone *zone, int64_t local_s)
{
    /* The newest change whose clock, already changed, shows this time or less. Clocks differ from Greenwich by
     * ZONE_MAX_OFFSET_S at most, so no later change has to be looked at. */
    struct zone_change change;
    int64_t until_s = local_s + ZONE_MAX_OFFSET_S;
    while (zone_newest_change(zone, until_s, &change)) {
        if (change.at_s + change.after_s <= local_s)
            return local_s - change.after_s;
        until_s = change.at_s - 1;
    }
    return local_s - zone->data.first_offset_s;
}

bool zone_change_of_day(const struct zone *zone, int64_t instant_s, struct zone_change *ret)
{
    int64_t local_s = instant_s + zone_offset(zone, instant_s);
    int64_t day_start_s = floor_div(local_s, DAY_S) * DAY_S;
    int64_t until_s = day_start_s + DAY_S + ZONE_MAX_OFFSET_S;
    struct zone_change change;
    while (zone_newest_change(zone, until_s, &change)) {
        int64_t old_s = change.at_s + change.before_s, new_s = change.at_s + change.after_s;
        int64_t first_s = old_s < new_s ? old_s : new_s, end_s = old_s < new_s ? new_s : old_s;
        /* the day that a gap ends on is touched even when it begins there; that an overlap ends on, is not */
        bool touches = old_s < new_s ? end_s >= day_start_s : end_s > day_start_s;
        if (first_s < day_start_s + DAY_S && touches) {
            *ret = change;
            return true;
        }
        if (change.at_s < day_start_s - DAY_S - 2 * (int64_t)ZONE_MAX_OFFSET_S)
            return false;
        until_s = change.at_s - 1;
    }
    return false;
}
