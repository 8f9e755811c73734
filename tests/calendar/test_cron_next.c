/* The next time: what holds for any expression, and the days that are odd. */
#include "calendar/support.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/timefmt.h"

static void assert_next(const char *expression, const char *zone, const char *after,
                        const char *wanted)
{
    char text[TIMEFMT_TEXT];
    int64_t next_ms = next_of(expression, zone, at(after));
    if (next_ms != (wanted ? at(wanted) : -1))
        fail_msg("\"%s\" in %s after %s: %s, not %s", expression, zone, after,
                 next_ms < 0 ? "never" : timefmt_rfc3339(next_ms, text), wanted ? wanted : "never");
}

static void test_gaps(void **state)
{
    (void)state;
    const char *zone = "America/New_York"; /* 2026-03-08 02:00 -> 03:00 */
    assert_next("0 30 2 * * ?", zone, "2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00");
    assert_next("0 */15 * * * ?", zone, "2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00");
    assert_next("0 30 * * * ?", zone, "2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00");
    assert_next("0 0 2 8 3 ?", zone, "2026-01-01T00:00:00Z", "2027-03-08T02:00:00-05:00");
    /* at midnight: the day begins at 01:00 */
    assert_next("0 0 0 * * ?", "Africa/Cairo", "2026-04-23T00:00:00+02:00",
                "2026-04-25T00:00:00+03:00");
    /* half an hour */
    assert_next("0 15 2 * * ?", "Australia/Lord_Howe", "2026-10-03T02:15:00+10:30",
                "2026-10-05T02:15:00+11:00");
    /* a whole day: Samoa had no 2011-12-30 */
    assert_next("0 0 12 * * ?", "Pacific/Apia", "2011-12-29T12:00:00-10:00",
                "2011-12-31T12:00:00+14:00");
    /* two hours: Quartz, looking for 01:00, comes to lie at 03:00, tries 02:00 from there, and misses what is between */
    assert_next("0 */15 * * * ?", "Antarctica/Troll", "2026-03-29T00:45:00Z",
                "2026-03-29T04:00:00+02:00");
}

static void test_overlaps(void **state)
{
    (void)state;
    const char *zone = "America/New_York"; /* 2026-11-01 02:00 -> 01:00 */
    assert_next("0 30 1 * * ?", zone, "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-05:00");
    assert_next("0 30 1 * * ?", zone, "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00");
    assert_next("0 */15 * * * ?", zone, "2026-11-01T00:45:00-04:00", "2026-11-01T01:00:00-05:00");
    /* asked within the first pass, it goes on from the same wall time of the second */
    assert_next("0 */15 * * * ?", zone, "2026-11-01T01:20:00-04:00", "2026-11-01T01:30:00-05:00");
}

static void test_short_months_and_working_days(void **state)
{
    (void)state;
    assert_next("0 0 0 31 * ?", "UTC", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z");
    assert_next("0 0 0 29 2 ?", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z");
    assert_next("0 0 0 L 2 ?", "UTC", "2028-01-01T00:00:00Z", "2028-02-29T00:00:00Z");
    assert_next("0 0 0 L-29 * ?", "UTC", "2026-01-02T00:00:00Z", "2026-03-02T00:00:00Z");
    assert_next("0 0 0 LW * ?", "UTC", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z");
    assert_next("0 0 0 1W * ?", "UTC", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00Z");
    assert_next("0 0 0 ? * 6#5", "UTC", "2026-02-01T00:00:00Z", "2026-05-29T00:00:00Z");
    /* where Quartz never ends */
    assert_next("0 0 0 L-30W * ?", "UTC", "2026-01-10T00:00:00Z", "2026-03-02T00:00:00Z");
    assert_next("0 0 12 LW * ?", "Pacific/Apia", "2011-12-01T00:00:00Z",
                "2012-01-31T12:00:00+14:00");
}

/* A search for a working day looks at Saturday the 15th before it answers Friday the 14th: it has not passed the bound yet. */
static void test_a_bound_before_a_working_day(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *after, *wanted;
    } cases[] = {
        {"0 30 9 15W * ?", "2026-07-20T00:00:00Z", "2026-08-14T09:30:00Z"},
        {"0 30 9 29W * ?", "2026-07-30T00:00:00Z", "2026-08-28T09:30:00Z"},
        {"0 0 0 31W * ?", "2026-04-30T12:00:00Z", "2026-05-29T00:00:00Z"},
        {"0 30 9 LW * ?", "2026-05-10T00:00:00Z", "2026-05-29T09:30:00Z"},
        {"0 0 0 L-1W * ?", "2026-01-31T00:00:00Z", "2026-02-27T00:00:00Z"},
        {"0 0 0 31W * ?", "2026-06-01T00:00:00Z", "2026-07-31T00:00:00Z"},
        {"0 0 0 1W * ?", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00Z"},
    };
    struct zone *zone = zone_fixed(0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cron cron = cron_of(cases[i].expression);
        int64_t wanted_ms = at(cases[i].wanted), found_ms = 0;
        assert_next(cases[i].expression, "UTC", cases[i].after, cases[i].wanted);
        if (!cron_next_until(&cron, zone, at(cases[i].after), wanted_ms, &found_ms) ||
            found_ms != wanted_ms)
            fail_msg("\"%s\" until %s: not found", cases[i].expression, cases[i].wanted);
        assert_false(cron_next_until(&cron, zone, at(cases[i].after), wanted_ms - 1, &found_ms));
        assert_true(cron_previous(&cron, zone, wanted_ms + 1, &found_ms));
        assert_int_equal(found_ms, wanted_ms);
    }
    zone_unref(zone);
}

/* Whoever asks from within the first pass of an overlap is answered from that wall time of the second on, and misses what is
 * before it: no way to find the newest. */
static void test_the_newest_behind_an_overlap(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *zone, *before, *wanted;
    } cases[] = {
        {"0 0 1 * * ?", "America/New_York", "2026-11-01T01:10:00-05:00",
         "2026-11-01T01:00:00-05:00"},
        {"0 5 * * * ?", "America/New_York", "2026-11-01T01:06:00-05:00",
         "2026-11-01T01:05:00-05:00"},
        {"0 0 2 * * ?", "Europe/Berlin", "2026-10-25T02:40:00+01:00", "2026-10-25T02:00:00+01:00"},
        {"0 10 2 * * ?", "Europe/Berlin", "2026-10-25T02:55:00+02:00", "2026-10-24T02:10:00+02:00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cron cron = cron_of(cases[i].expression);
        struct zone *zone = zone_of(cases[i].zone);
        /* whatever it halves on the way */
        for (int64_t known_ms = at(cases[i].wanted), back = 0; back < 3000; back += 7) {
            int64_t before_ms = at(cases[i].before) + back % 100, older_ms, found_ms = 0;
            assert_true(cron_previous(&cron, zone, known_ms - back * 60000, &older_ms));
            found_ms = cron_newest_until(&cron, zone, older_ms, before_ms);
            if (found_ms != known_ms)
                fail_msg("\"%s\" before %s, from %lld on: %lld", cases[i].expression,
                         cases[i].before, (long long)older_ms, (long long)found_ms);
        }
        zone_unref(zone);
    }
}

/* What a schedule fires that comes through a clock change is what is found from any moment of it, backwards and forwards. */
static void test_from_the_middle_of_a_clock_change(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS, TIMES_MAX = 4000 };
    static const char *const expressions[] = {"0 */15 * * * ?", "0 0 * * * ?", "0 30 1,2,23 * * ?",
                                              "0 0 0/5 ? * SUN", "0 10 0 * * ?"};
    static const struct {
        const char *zone, *change;
    } cases[] = {
        {"Europe/Berlin", "2025-10-26T01:00:00Z"},    {"Europe/Berlin", "2026-03-29T01:00:00Z"},
        {"America/New_York", "2026-11-01T06:00:00Z"}, {"America/Nuuk", "2026-03-29T01:00:00Z"},
        {"America/Nuuk", "2026-10-25T01:00:00Z"},     {"Antarctica/Troll", "2026-03-29T01:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(expressions); i++) {
        const char *expression = expressions[i % ARRAY_LEN(expressions)];
        struct zone *zone = zone_of(cases[i / ARRAY_LEN(expressions)].zone);
        int64_t change_ms = at(cases[i / ARRAY_LEN(expressions)].change);
        struct cron cron = cron_of(expression);
        int64_t times[TIMES_MAX] = {0}, found_ms, since_ms = change_ms - 20 * (int64_t)DAY_MS;
        size_t count = 0, next = 1;
        for (int64_t ms = since_ms; ms < change_ms + 20 * (int64_t)DAY_MS; times[count++] = ms)
            if (count == TIMES_MAX || !cron_next(&cron, zone, ms, &ms))
                fail_msg("\"%s\": too many times, or too few", expression);
        for (int64_t from_ms = change_ms - 3 * (int64_t)DAY_MS;
             from_ms < change_ms + 9 * (int64_t)DAY_MS; from_ms += 7 * 60000 + 1) {
            while (next + 1 < count && times[next] < from_ms)
                next++;
            if (!cron_next_since(&cron, zone, INT64_MIN, from_ms, INT64_MAX, &found_ms) ||
                found_ms != times[next])
                fail_msg("\"%s\" from %lld: %lld, not %lld", expression, (long long)from_ms,
                         (long long)found_ms, (long long)times[next]);
            assert_false(
                cron_next_since(&cron, zone, since_ms, from_ms, times[next] - 1, &found_ms));
            if (!cron_previous(&cron, zone, from_ms, &found_ms) || found_ms != times[next - 1])
                fail_msg("\"%s\" before %lld: %lld, not %lld", expression, (long long)from_ms,
                         (long long)found_ms, (long long)times[next - 1]);
            assert_int_equal(cron_newest_until(&cron, zone, times[0], from_ms - 1), found_ms);
        }
        zone_unref(zone);
    }
}

/* Egypt puts its clocks forward at the midnight that begins the last Friday of April: that midnight never comes. */
static void test_a_time_that_is_always_in_a_gap(void **state)
{
    (void)state;
    assert_next("0 0 0 ? 4 6L", "Africa/Cairo", "2026-01-01T00:00:00Z", NULL);
    assert_next("0 0 0 ? 4 6L", "UTC", "2026-01-01T00:00:00Z", "2026-04-24T00:00:00Z");
}

static void test_years(void **state)
{
    (void)state;
    assert_next("0 0 0 1 1 ? 2030", "UTC", "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z");
    assert_next("0 0 0 1 1 ? 2030", "UTC", "2030-01-01T00:00:00Z", NULL);
    assert_next("0 0 0 1 1 ? 2199", "UTC", "2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z");
    assert_next("0 0 0 1 1 ?", "UTC", "2199-06-01T00:00:00Z", NULL);
    assert_next("0 0 0 1 1 ?", "UTC", "9999-12-31T23:59:59Z", NULL);
    assert_next("0 0 0 1 1 ?", "UTC", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
    assert_next("0 0 0 1 1 ? 1950", "UTC", "0001-01-01T00:00:00Z", "1950-01-01T00:00:00Z");
    /* behind the table of the zone its rule goes on */
    assert_next("0 0 12 1 7 ? 2150", "Europe/Berlin", "2026-01-01T00:00:00Z",
                "2150-07-01T12:00:00+02:00");
    struct cron cron = cron_of("0 0 0 1 1 ?");
    struct zone *zone = zone_fixed(0);
    int64_t next_ms = 7;
    assert_false(cron_next(&cron, zone, INT64_MAX, &next_ms));
    assert_int_equal(next_ms, 7);
    assert_true(cron_next(&cron, zone, INT64_MIN, &next_ms));
    assert_int_equal(next_ms, 0);
    assert_false(cron_next_until(&cron, zone, 0, INT64_C(31535999999), &next_ms));
    assert_true(cron_next_until(&cron, zone, 0, INT64_C(31536000000), &next_ms));
    zone_unref(zone);
}

static void test_what_never_fires(void **state)
{
    (void)state;
    static const char *const never[] = {
        "0 0 0 30 2 ?",   "0 0 0 31 2,4,6,9,11 ?",   "0 0 0 29 2 ? 2025-2027",
        "0 0 0 L-30 2 ?", "0 0 0 ? 2 2#5 2026,2027", "0 0 0 L-30W 2,4,6 ?"};
    static const char *const sometimes[] = {"0 0 0 29 2 ?", "0 0 0 ? 2 2#5", "0 0 0 1 1 ? 1950",
                                            "0 0 0 L-30 12 ?", "0 0 0 1 1 ? 2199"};
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        struct cron cron = cron_of(never[i]);
        assert_false(cron_is_satisfiable(&cron));
        assert_int_equal(next_of(never[i], "Europe/Berlin", at("2026-01-01T00:00:00Z")), -1);
    }
    for (size_t i = 0; i < ARRAY_LEN(sometimes); i++) {
        struct cron cron = cron_of(sometimes[i]);
        assert_true(cron_is_satisfiable(&cron));
    }
}

/* ---- any expression ---- */

static void put_field(struct draw *draw, char *text, size_t size, int min, int max)
{
    int span = max - min + 1;
    int a = min + (int)draw_below(draw, (uint32_t)span),
        b = min + (int)draw_below(draw, (uint32_t)span);
    int step = 1 + (int)draw_below(draw, (uint32_t)(span > 1 ? span - 1 : 1));
    switch (draw_below(draw, 6)) {
    case 0:
        snprintf(text, size, "%d", a);
        break;
    case 1:
        snprintf(text, size, "%d,%d", a, b);
        break;
    case 2:
        snprintf(text, size, "%d-%d", a, b);
        break;
    case 3:
        snprintf(text, size, "%d/%d", a, step);
        break;
    case 4:
        snprintf(text, size, "%d-%d/%d", a, b, step);
        break;
    default:
        snprintf(text, size, "*");
        break;
    }
}

static void put_days(struct draw *draw, char day[static 16], char week[static 16])
{
    snprintf(day, 16, "?");
    snprintf(week, 16, "?");
    switch (draw_below(draw, 7)) {
    case 0:
        snprintf(day, 16, "L-%u", draw_below(draw, 28));
        break;
    case 1:
        snprintf(day, 16, "L-%uW", draw_below(draw, 28));
        break;
    case 2:
        snprintf(day, 16, "%uW", 1 + draw_below(draw, 28));
        break;
    case 3:
        snprintf(week, 16, "%uL", 1 + draw_below(draw, 7));
        break;
    case 4:
        snprintf(week, 16, "%u#%u", 1 + draw_below(draw, 7), 1 + draw_below(draw, 4));
        break;
    case 5:
        put_field(draw, week, 16, 1, 7);
        break;
    default:
        put_field(draw, day, 16, 1, 28);
        break;
    }
}

static bool has(uint64_t set, int value)
{
    return set >> value & 1;
}

/* What can be read off the wall clock, whatever the rule for days. */
static bool fits(const struct cron *cron, const struct civil *wall)
{
    bool day = true;
    if (cron->day_rule == CRON_DAYS_OF_MONTH)
        day = has(cron->days_of_month, wall->day);
    else if (cron->day_rule == CRON_LAST_DAY_WEEKDAY || cron->day_rule == CRON_NEAREST_WEEKDAY)
        day = wall->iso_weekday <= 5;
    else if (cron->day_rule != CRON_LAST_DAY)
        day = has(cron->days_of_week, wall->iso_weekday % 7 + 1);
    return day && has(cron->seconds, wall->second) && has(cron->minutes, wall->minute) &&
           has(cron->hours, wall->hour) && has(cron->months, wall->month);
}

/* Where clocks jump by less than an hour, Quartz moves a time in the gap on to a minute that may not fit, and
 * begins the next hour: what it finds then depends on where it came from. */
static bool is_day_of_a_broken_hour(const struct zone *zone, int64_t instant_s)
{
    struct zone_change change;
    return zone_change_of_day(zone, instant_s, &change) &&
           (change.after_s - change.before_s) % 3600 != 0;
}

/* Is every wall time that fits, from `after_ms` on, one that the clocks jump over? */
static bool fits_only_in_gaps(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    struct zone *wall = zone_fixed(0);
    int64_t local_ms = after_ms + zone_offset(zone, after_ms / 1000) * INT64_C(1000);
    bool found = false, in_gap = true;
    while (in_gap && cron_next(cron, wall, local_ms, &local_ms)) {
        int64_t instant_s = zone_instant(zone, local_ms / 1000);
        in_gap = instant_s + zone_offset(zone, instant_s) != local_ms / 1000;
        found = true;
    }
    zone_unref(wall);
    return found && in_gap;
}

static void try_one(struct draw *draw, const char *expression, const char *id,
                    const struct zone *zone)
{
    struct cron cron = cron_of(expression);
    int64_t after_ms = (1500000000 + (int64_t)draw_below(draw, 900000000)) * 1000 +
                       draw_below(draw, 1000);
    int64_t first_ms = 0, earlier_ms = 0;
    for (int i = 0; i < 5; i++) {
        int64_t next_ms, again_ms;
        /* days 1 to 28, and fourth weeks at most: there is always one more, but for something like two
         * o'clock on the last Sunday of March */
        if (!cron_next(&cron, zone, after_ms, &next_ms)) {
            if (!fits_only_in_gaps(&cron, zone, after_ms))
                fail_msg("\"%s\" in %s stops after %lld", expression, id, (long long)after_ms);
            return;
        }
        int64_t instant_s = next_ms / 1000;
        int64_t local_s = instant_s + zone_offset(zone, instant_s);
        const struct civil wall = civil_from_ms(local_s * 1000);
        if (next_ms <= after_ms || next_ms % 1000 || !fits(&cron, &wall) ||
            zone_instant(zone, local_s) != instant_s)
            fail_msg("\"%s\" in %s after %lld: %lld", expression, id, (long long)after_ms,
                     (long long)next_ms);
        /* from any moment between it is the same, unless the clock was put back there */
        int64_t between_ms = after_ms + draw_below(draw, (uint32_t)(next_ms - after_ms < 86400000
                                                                        ? next_ms - after_ms
                                                                        : 86400000));
        int64_t between_s = between_ms / 1000 + 1;
        if (zone_instant(zone, between_s + zone_offset(zone, between_s)) == between_s &&
            !is_day_of_a_broken_hour(zone, between_s) &&
            (!cron_next(&cron, zone, between_ms, &again_ms) || again_ms != next_ms))
            fail_msg("\"%s\" in %s: from %lld another than from %lld", expression, id,
                     (long long)between_ms, (long long)after_ms);
        /* bounded, it finds the same, and nothing before it */
        if (!cron_next_until(&cron, zone, after_ms, next_ms, &again_ms) || again_ms != next_ms)
            fail_msg("\"%s\" in %s after %lld: not found until %lld", expression, id,
                     (long long)after_ms, (long long)next_ms);
        assert_false(cron_next_until(&cron, zone, after_ms, next_ms - 1, &again_ms));
        first_ms = i == 0 ? next_ms : first_ms;
        assert_true(i == 0 || next_ms > earlier_ms);
        earlier_ms = after_ms = next_ms;
    }
}

static void test_any_expression(void **state)
{
    (void)state;
    static const char *const zones[] = {"UTC",
                                        "Europe/Berlin",
                                        "America/New_York",
                                        "Australia/Lord_Howe",
                                        "Asia/Kathmandu",
                                        "Africa/Casablanca",
                                        "America/Sao_Paulo",
                                        "Europe/London",
                                        "PST",
                                        "GMT-3:30"};
    struct draw draw = {20260307};
    int rounds = is_exhaustive() ? 2000000 : 30000;
    struct zone *parsed[ARRAY_LEN(zones)];
    for (size_t i = 0; i < ARRAY_LEN(zones); i++)
        parsed[i] = zone_of(zones[i]);
    for (int i = 0; i < rounds; i++) {
        char second[16], minute[16], hour[16], month[16], day[16], week[16], text[128];
        put_field(&draw, second, sizeof second, 0, 59);
        put_field(&draw, minute, sizeof minute, 0, 59);
        put_field(&draw, hour, sizeof hour, 0, 23);
        put_field(&draw, month, sizeof month, 1, 12);
        put_days(&draw, day, week);
        snprintf(text, sizeof text, "%s %s %s %s %s %s", second, minute, hour, day, month, week);
        uint32_t zone = draw_below(&draw, ARRAY_LEN(zones));
        try_one(&draw, text, zones[zone], parsed[zone]);
    }
    for (size_t i = 0; i < ARRAY_LEN(zones); i++)
        zone_unref(parsed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_short_months_and_working_days),
        cmocka_unit_test(test_a_bound_before_a_working_day),
        cmocka_unit_test(test_the_newest_behind_an_overlap),
        cmocka_unit_test(test_from_the_middle_of_a_clock_change),
        cmocka_unit_test(test_a_time_that_is_always_in_a_gap),
        cmocka_unit_test(test_years),
        cmocka_unit_test(test_what_never_fires),
        cmocka_unit_test(test_any_expression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
