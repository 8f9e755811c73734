#include "cli/since.h"

#include <string.h>

#include "base/mem.h"
#include "base/own_zone.h"
#include "base/timefmt.h"
#include "cli/context.h"
#include "cli/times.h"

enum {
    DAY_MS = 86400000,
    DIGITS_MOST = 4, /* of how long ago */
    DATE_LENGTH = 10,
    MINUTES_LENGTH = 16, /* 2026-01-31T12:00 */
};

/* "12h": how much of what. */
static bool parse_ago(const char *text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', DAY_MS}, {'w', 7 * (int64_t)DAY_MS}};
    size_t digits = strspn(text, "0123456789");
    int64_t count = 0;
    if (!digits || digits > DIGITS_MOST || !text[digits] || text[digits + 1])
        return false;
    for (size_t i = 0; i < digits; i++)
        count = count * 10 + (text[i] - '0');
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].unit != text[digits])
            continue;
        *ret_ms = count * units[i].ms;
        return true;
    }
    return false;
}

/* RFC 3339 with what may be left out of it put in: the T, seconds, and Z in the place of an offset. NULL: it is none. */
static const char *whole_time(const char *text, struct arena *arena, bool *ret_has_offset)
{
    size_t len = strlen(text);
    if (len < MINUTES_LENGTH || !strchr("Tt ", text[DATE_LENGTH]))
        return NULL;
    const char *rest = text + MINUTES_LENGTH;
    *ret_has_offset = strpbrk(rest, "Zz+-") != NULL;
    return arena_printf(arena, "%.*sT%.5s%s%s%s", DATE_LENGTH, text, text + DATE_LENGTH + 1,
                        *rest == ':' ? "" : ":00", rest, *ret_has_offset ? "" : "Z");
}

/* The day so many days before the one of `now_ms`, as the zone's clock has it. */
static const char *day_before(int64_t now_ms, int days, const struct zone *zone,
                              struct arena *arena)
{
    int64_t offset_ms = (int64_t)zone_offset(zone, now_ms / 1000) * 1000;
    struct civil c = civil_from_ms(now_ms + offset_ms - (int64_t)days * DAY_MS);
    return arena_printf(arena, "%04d-%02d-%02d", c.year, c.month, c.day);
}

/* What needs no clock: how long ago, a time with an offset, or ms. */
static bool parse_instant(const char *text, int64_t now_ms, struct arena *arena, int64_t *ret_ms)
{
    bool has_offset = false;
    int64_t ago_ms;
    if (parse_ago(text, &ago_ms)) {
        *ret_ms = now_ms - ago_ms;
        return true;
    }
    const char *whole = whole_time(text, arena, &has_offset);
    return whole ? has_offset && timefmt_parse(whole, ret_ms)
                 : !times_is_date(text) && times_parse(text, NULL, DAY_BEGINS, ret_ms);
}

static bool parse_local(const char *text, int64_t now_ms, const struct zone *zone,
                        struct arena *arena, int64_t *ret_ms)
{
    bool has_offset;
    int64_t local_ms;
    int days = strcmp(text, "today") == 0 ? 0 : strcmp(text, "yesterday") == 0 ? 1 : -1;
    const char *day = days >= 0 ? day_before(now_ms, days, zone, arena) : text;
    const char *whole = whole_time(day, arena, &has_offset);
    if (!whole)
        return times_parse(day, zone, DAY_BEGINS, ret_ms);
    if (has_offset || !timefmt_parse(whole, &local_ms))
        return false;
    *ret_ms = zone_instant(zone, local_ms / 1000) * 1000;
    return true;
}

int since_option(const char *text, int64_t now_ms, struct arena *arena, int64_t *ret_ms)
{
    struct zone *zone;
    if (parse_instant(text, now_ms, arena, ret_ms))
        return CLI_DONE;
    int status = times_zone("the clock of this machine", own_zone_id(arena), &zone);
    if (status)
        return status;
    bool is_time = parse_local(text, now_ms, zone, arena, ret_ms);
    zone_unref(zone);
    if (is_time)
        return CLI_DONE;
    cli_complain(
        "--since: \"%s\" is neither how long ago (30m, 12h, 3d, 2w) nor today, yesterday, a "
        "date or time such as 2026-01-31 or 2026-01-31T12:00, nor ms since 1970",
        text);
    return CLI_USAGE;
}
