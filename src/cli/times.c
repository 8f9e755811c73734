#include "cli/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timefmt.h"
#include "calendar/zones.h"
#include "cli/context.h"

enum { DAY_MS = 86400000, DATE_LENGTH = 10, COMPACT_DATE_LENGTH = 8 };

/* As if it were one of UTC. */
static bool parse_date(const char *text, int64_t *ret_ms)
{
    char whole[TIMEFMT_TEXT];
    if (strlen(text) != DATE_LENGTH)
        return false;
    snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    return timefmt_parse(whole, ret_ms);
}

bool times_is_date(const char *text)
{
    int64_t ignored;
    return text && parse_date(text, &ignored);
}

/* When a day of the zone's clock begins. Where its midnight is there twice it begins with the first. */
static int64_t day_begins(int64_t local_ms, const struct zone *zone)
{
    struct zone_change change;
    if (!zone)
        return local_ms;
    int64_t at_s = zone_instant(zone, local_ms / 1000); /* of two, the second */
    if (zone_newest_change(zone, at_s, &change)) {
        int32_t twice_s = change.before_s - change.after_s;
        if (twice_s > 0 && at_s - change.at_s < twice_s)
            at_s -= twice_s;
    }
    return at_s * 1000;
}

bool times_parse(const char *text, const struct zone *zone, enum day_end end, int64_t *ret_ms)
{
    int64_t local_ms;
    if (parse_date(text, &local_ms)) {
        *ret_ms = end == DAY_BEGINS ? day_begins(local_ms, zone)
                                    : day_begins(local_ms + DAY_MS, zone) - 1;
        return true;
    }
    size_t len = strlen(text);
    if (len == COMPACT_DATE_LENGTH && strspn(text, "0123456789") == len)
        return false;
    return timefmt_parse_instant(text, ret_ms);
}

int times_option(const char *option, const char *text, const struct zone *zone, enum day_end end,
                 int64_t *ret_ms)
{
    if (times_parse(text, zone, end, ret_ms))
        return CLI_DONE;
    cli_complain("--%s: \"%s\" is neither a date such as 2026-01-31 nor RFC 3339, such as "
                 "2026-01-31T12:00:00Z, nor ms since 1970",
                 option, text);
    return CLI_USAGE;
}

int times_zone(const char *what, const char *id, struct zone **ret)
{
    struct zones *zones = zones_new(ZONES_FOLDER);
    struct err err;
    enum err_code code = zones_get(zones, id, ret, &err);
    zones_free(zones);
    if (!code)
        return CLI_DONE;
    if (code == ERR_INVALID_PARAMETER)
        cli_complain("%s: \"%s\" %s", what, id, err.message);
    else
        cli_complain("%s: %s", what, err.message);
    return CLI_USAGE;
}

const char *times_wall(struct arena *arena, int64_t ms, const struct zone *zone)
{
    int32_t offset_s = zone ? zone_offset(zone, ms >= 0 ? ms / 1000 : (ms - 999) / 1000) : 0;
    struct civil c = civil_from_ms(ms + (int64_t)offset_s * 1000);
    int32_t minutes = abs(offset_s) / 60;
    const char *seconds = c.second ? arena_printf(arena, ":%02d", c.second) : "";
    const char *east = offset_s ? arena_printf(arena, "%c%02d:%02d", offset_s < 0 ? '-' : '+',
                                               minutes / 60, minutes % 60)
                                : "Z";
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d%s%s", c.year, c.month, c.day, c.hour,
                        c.minute, seconds, east);
}
