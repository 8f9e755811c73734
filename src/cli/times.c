#include "cli/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timefmt.h"
#include "calendar/zones.h"

enum { DAY_MS = 86400000 };

/* As if it were one of UTC. */
static bool parse_date(const char *text, int64_t *ret_ms)
{
    static const char form[] = "dddd-dd-dd";
    char whole[TIMEFMT_TEXT];
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    return timefmt_parse(whole, ret_ms);
}

bool times_is_date(const char *text)
{
    int64_t ignored;
    return parse_date(text, &ignored);
}

static int64_t instant_of_wall(int64_t local_ms, const struct zone *zone)
{
    return zone ? zone_instant(zone, local_ms / 1000) * 1000 : local_ms;
}

bool times_parse(const char *text, const struct zone *zone, enum day_end end, int64_t *ret_ms)
{
    int64_t local_ms;
    if (!parse_date(text, &local_ms))
        return timefmt_parse_instant(text, ret_ms);
    *ret_ms = end == DAY_BEGINS ? instant_of_wall(local_ms, zone)
                                : instant_of_wall(local_ms + DAY_MS, zone) - 1;
    return true;
}

struct zone *times_zone(const char *id)
{
    struct zones *zones;
    struct zone *zone = NULL;
    struct err err;
    if (!id || strcmp(id, "UTC") == 0)
        return NULL;
    zones = zones_new(ZONES_FOLDER);
    if (zones_get(zones, id, &zone, &err))
        zone = NULL;
    zones_free(zones);
    return zone;
}

const char *times_wall(struct arena *arena, int64_t ms, const struct zone *zone)
{
    int32_t offset_s = zone ? zone_offset(zone, ms >= 0 ? ms / 1000 : (ms - 999) / 1000) : 0;
    struct civil c = civil_from_ms(ms + (int64_t)offset_s * 1000);
    int32_t minutes = abs(offset_s) / 60;
    const char *seconds = c.second ? arena_printf(arena, ":%02d", c.second) : "";
    const char *east = zone ? arena_printf(arena, "%c%02d:%02d", offset_s < 0 ? '-' : '+',
                                           minutes / 60, minutes % 60)
                            : "Z";
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d%s%s", c.year, c.month, c.day, c.hour,
                        c.minute, seconds, east);
}
