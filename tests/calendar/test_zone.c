/* TZif files, the rules behind them, wall times: against files made here, and against glibc for every zone of the host. */
#include "calendar/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "calendar/posix_tz.h"

/* ---- files made here ---- */

static void put_u32(struct buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_putc(out, (char)(value >> shift));
}

static void put_i64(struct buf *out, int64_t value)
{
    put_u32(out, (uint32_t)((uint64_t)value >> 32));
    put_u32(out, (uint32_t)(uint64_t)value);
}

struct made {
    char version;
    const int64_t *times;
    const uint8_t *types; /* of each time */
    uint32_t time_count;
    const int32_t *offsets; /* of each type */
    uint32_t type_count;
    uint32_t leap_count;
    const char *footer; /* NULL: none */
};

static void put_block(struct buf *out, const struct made *made, bool wide, bool empty)
{
    uint32_t times = empty ? 0 : made->time_count;
    buf_puts(out, "TZif");
    buf_putc(out, made->version);
    for (int i = 0; i < 15; i++)
        buf_putc(out, '\0');
    const uint32_t counts[] = {
        0, 0, empty ? 0 : made->leap_count, times, empty ? 1 : made->type_count, 4};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        put_u32(out, counts[i]);
    for (uint32_t i = 0; i < times; i++) {
        if (wide)
            put_i64(out, made->times[i]);
        else
            put_u32(out, (uint32_t)made->times[i]);
    }
    buf_add(out, made->types, times);
    for (uint32_t i = 0; i < (empty ? 1 : made->type_count); i++) {
        put_u32(out, (uint32_t)made->offsets[i]);
        buf_add(out, "\0\0", 2);
    }
    buf_add(out, "XXX", 4);
    for (uint32_t i = 0; i < (empty ? 0 : made->leap_count); i++) {
        put_i64(out, i);
        put_u32(out, i);
    }
}

static void make_file(struct buf *out, const struct made *made)
{
    bool wide = made->version >= '2';
    buf_init(out, 1 << 20);
    if (wide)
        put_block(out, made, false, true);
    put_block(out, made, wide, false);
    if (made->footer)
        buf_printf(out, "\n%s\n", made->footer);
}

static struct zone *parse_made(const struct made *made)
{
    struct buf file;
    struct zone *zone = NULL;
    struct err err;
    make_file(&file, made);
    if (zone_parse(file.data, file.len, &zone, &err))
        fail_msg("%s", err.message);
    buf_release(&file);
    return zone;
}

static void refuse_made(const struct made *made, const char *part)
{
    struct buf file;
    struct zone *zone = NULL;
    struct err err;
    make_file(&file, made);
    if (!zone_parse(file.data, file.len, &zone, &err))
        fail_msg("taken, wanted: %s", part);
    assert_int_equal(err.code, ERR_INVALID_PARAMETER);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    assert_null(zone);
    buf_release(&file);
}

static const int64_t two_times[] = {1000000, 2000000};
static const uint8_t two_types[] = {1, 0};
static const int32_t two_offsets[] = {3600, 7200};
static const struct made two_changes = {'2', two_times, two_types, 2, two_offsets, 2, 0, "XXX-1"};

static void test_versions(void **state)
{
    (void)state;
    static const char versions[] = {'\0', '2', '3', '4'};
    for (size_t i = 0; i < sizeof versions; i++) {
        struct made made = two_changes;
        made.version = versions[i];
        if (versions[i] < '2')
            made.footer = NULL;
        struct zone *zone = parse_made(&made);
        assert_int_equal(zone_offset(zone, 0), 3600);
        assert_int_equal(zone_offset(zone, 999999), 3600);
        assert_int_equal(zone_offset(zone, 1000000), 7200);
        assert_int_equal(zone_offset(zone, 1999999), 7200);
        assert_int_equal(zone_offset(zone, 2000000), 3600);
        assert_int_equal(zone_offset(zone, INT64_C(1) << 40), 3600);
        zone_unref(zone);
    }
}

static void test_64_bits_and_names_alone(void **state)
{
    (void)state;
    /* the second transition changes nothing but a name */
    static const int64_t times[] = {-INT64_C(5000000000), 0, INT64_C(5000000000)};
    static const uint8_t types[] = {1, 2, 0};
    static const int32_t offsets[] = {-1234, 3600, 3600};
    const struct made made = {'3', times, types, 3, offsets, 3, 0, ""};
    struct zone *zone = parse_made(&made);
    struct zone_change change;
    assert_int_equal(zone_offset(zone, -INT64_C(5000000001)), -1234);
    assert_int_equal(zone_offset(zone, -INT64_C(5000000000)), 3600);
    assert_true(zone_newest_change(zone, 10, &change));
    assert_int_equal(change.at_s, -INT64_C(5000000000));
    assert_int_equal(zone_offset(zone, INT64_C(5000000000)), -1234);
    assert_false(zone_newest_change(zone, -INT64_C(6000000000), &change));
    zone_unref(zone);
}

static void test_bad_files(void **state)
{
    (void)state;
    struct made made = two_changes;
    made.footer = NULL;
    refuse_made(&made, "footer is missing");
    made.footer = "rubbish";
    refuse_made(&made, "rule in its footer");
    made = two_changes;
    made.types = (const uint8_t[]){1, 2};
    refuse_made(&made, "a type that is not there");
    made = two_changes;
    made.times = (const int64_t[]){2000000, 2000000};
    refuse_made(&made, "not in order");
    made = two_changes;
    made.offsets = (const int32_t[]){3600, 26 * 3600 + 1};
    refuse_made(&made, "more than 26 hours");
    made = two_changes;
    made.leap_count = 2;
    refuse_made(&made, "leap seconds");
    made = two_changes;
    made.type_count = 0;
    made.time_count = 0;
    refuse_made(&made, "local time types");
    struct zone *zone = NULL;
    struct err err;
    assert_int_equal(zone_parse("", 0, &zone, &err), ERR_INVALID_PARAMETER);
    assert_int_equal(zone_parse("TZif2", 5, &zone, &err), ERR_INVALID_PARAMETER);
    char *large = xcalloc(1, ZONE_MAX_BYTES + 1);
    memcpy(large, "TZif", 4);
    assert_int_equal(zone_parse(large, ZONE_MAX_BYTES + 1, &zone, &err), ERR_INVALID_PARAMETER);
    assert_non_null(strstr(err.message, "too large"));
    free(large);
    assert_null(zone);
}

/* Uses it as a search would; what it says does not matter, that it ends does. */
static void use(const struct zone *zone)
{
    struct zone_change change;
    static const int64_t instants[] = {-4000000000, 0, 1700000000, 4000000000, 7258118400};
    for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
        int64_t local_s = instants[i] + zone_offset(zone, instants[i]);
        (void)zone_instant(zone, local_s);
        (void)zone_change_of_day(zone, instants[i], &change);
    }
}

/* A real file, cut at every length, and with each byte changed in turn: refused or usable, nothing else. */
static void test_damaged_files(void **state)
{
    (void)state;
    FILE *file = fopen(ZONES_FOLDER "/America/New_York", "rb");
    uint8_t bytes[8192];
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file), taken = 0;
    fclose(file);
    for (size_t cut = 0; cut < len; cut++) {
        struct zone *zone = NULL;
        struct err err;
        uint8_t *copy = xmalloc(cut + 1); /* of its own, so that ASan sees a step past its end */
        memcpy(copy, bytes, cut);
        if (!zone_parse(copy, cut, &zone, &err))
            fail_msg("taken when cut at %zu", cut);
        free(copy);
    }
    for (size_t i = 0; i < len; i++) {
        static const uint8_t masks[] = {0x01, 0x80, 0xff};
        for (size_t k = 0; k < sizeof masks; k++) {
            struct zone *zone = NULL;
            struct err err;
            bytes[i] ^= masks[k];
            if (!zone_parse(bytes, len, &zone, &err)) {
                use(zone);
                zone_unref(zone);
                taken++;
            }
            bytes[i] ^= masks[k];
        }
    }
    assert_true(taken > 100); /* names and instants may be anything */
}

/* ---- rules ---- */

static void test_rules(void **state)
{
    (void)state;
    static const char *const good[] = {
        "UTC0",
        "EST5",
        "<+0530>-5:30",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT4,M3.2.0/2:00:00,M11.1.0",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "XXX3YYY,J60/0,J300/24",
        "XXX3YYY,0/0,365/25",
        "AAA-24BBB+24:59:59,M1.1.0,M12.5.6/-167",
    };
    static const char *const bad[] = {
        "",
        "UT0",
        "UTC",
        "UTC25",
        "UTC0 ",
        "EST5EDT",
        "EST5EDT,M3.2.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,J0,J1",
        "EST5EDT,J366,J1",
        "EST5EDT,366,1",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "<EST5",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5:60",
        "EST99999999999",
    };
    struct posix_tz rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!posix_tz_parse(good[i], strlen(good[i]), &rule))
            fail_msg("\"%s\" is refused", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (posix_tz_parse(bad[i], strlen(bad[i]), &rule))
            fail_msg("\"%s\" is taken", bad[i]);
}

static void assert_change(const char *text, const char *until, const char *wanted, int32_t before_s,
                          int32_t after_s)
{
    struct posix_tz rule;
    assert_true(posix_tz_parse(text, strlen(text), &rule));
    struct zone_change change = posix_tz_newest_change(&rule, at(until) / 1000);
    if (change.at_s != at(wanted) / 1000 || change.before_s != before_s ||
        change.after_s != after_s)
        fail_msg("\"%s\" until %s: %lld, %d to %d", text, until, (long long)change.at_s,
                 change.before_s, change.after_s);
}

static void test_changes_by_rule(void **state)
{
    (void)state;
    const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    assert_change(berlin, "2050-03-27T01:00:00Z", "2050-03-27T01:00:00Z", 3600, 7200);
    assert_change(berlin, "2050-03-27T00:59:59Z", "2049-10-31T01:00:00Z", 7200, 3600);
    assert_change(berlin, "2050-12-31T23:59:59Z", "2050-10-30T01:00:00Z", 7200, 3600);
    /* south of the equator summer goes over the end of the year */
    assert_change("AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-01-15T00:00:00Z", "2049-10-02T16:00:00Z",
                  36000, 39600);
    /* the hour before the day, and after it */
    assert_change("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-06-01T00:00:00Z", "2050-03-27T01:00:00Z",
                  -7200, -3600);
    assert_change("IST-2IDT,M3.4.4/26,M10.5.0", "2050-06-01T00:00:00Z", "2050-03-25T00:00:00Z",
                  7200, 10800);
    /* J60 is March 1 in any year; 59 is February 29 in a leap year */
    assert_change("XXX0YYY,J60/0,J300/0", "2052-04-01T00:00:00Z", "2052-03-01T00:00:00Z", 0, 3600);
    assert_change("XXX0YYY,59/0,J300/0", "2052-04-01T00:00:00Z", "2052-02-29T00:00:00Z", 0, 3600);
}

/* ---- wall times ---- */

static void test_wall_times(void **state)
{
    (void)state;
    struct zone *zone = zone_of("America/New_York");
    int64_t gap_s = at("2026-03-08T07:00:00Z") / 1000,
            overlap_s = at("2026-11-01T06:00:00Z") / 1000;
    const int64_t est_s = -5 * 3600, edt_s = -4 * 3600;
    assert_int_equal(zone_instant(zone, gap_s - 1 + est_s), gap_s - 1);
    assert_int_equal(zone_instant(zone, gap_s + est_s), gap_s); /* 02:00 is 03:00 */
    assert_int_equal(zone_instant(zone, gap_s + 1800 + est_s), gap_s + 1800);
    assert_int_equal(zone_instant(zone, gap_s + edt_s), gap_s);
    assert_int_equal(zone_instant(zone, overlap_s - 3601 + edt_s), overlap_s - 3601);
    assert_int_equal(zone_instant(zone, overlap_s - 3600 + edt_s),
                     overlap_s); /* the second 01:00 */
    assert_int_equal(zone_instant(zone, overlap_s + est_s), overlap_s);
    zone_unref(zone);
    zone = zone_fixed(19800);
    assert_int_equal(zone_instant(zone, 19800), 0);
    assert_int_equal(zone_offset(zone, INT64_C(1) << 40), 19800);
    zone_unref(zone);
}

static int change_of_day(const char *id, const char *instant)
{
    struct zone *zone = zone_of(id);
    struct zone_change change;
    bool found = zone_change_of_day(zone, at(instant) / 1000, &change);
    zone_unref(zone);
    return found ? change.after_s - change.before_s : 0;
}

static void test_days_with_a_change(void **state)
{
    (void)state;
    const char *zone = "America/New_York";
    assert_int_equal(change_of_day(zone, "2026-03-07T23:59:59-05:00"), 0);
    assert_int_equal(change_of_day(zone, "2026-03-08T00:00:00-05:00"), 3600);
    assert_int_equal(change_of_day(zone, "2026-03-08T23:59:59-04:00"), 3600);
    assert_int_equal(change_of_day(zone, "2026-03-09T00:00:00-04:00"), 0);
    assert_int_equal(change_of_day(zone, "2026-10-31T23:59:59-04:00"), 0);
    assert_int_equal(change_of_day(zone, "2026-11-01T00:00:00-04:00"), -3600);
    assert_int_equal(change_of_day(zone, "2026-11-01T23:59:59-05:00"), -3600);
    assert_int_equal(change_of_day(zone, "2026-11-02T00:00:00-05:00"), 0);
    /* by the rule behind the table too */
    assert_int_equal(change_of_day(zone, "2090-03-12T12:00:00Z"), 3600);
    /* Samoa: the day that begins where the lost one ended */
    assert_int_equal(change_of_day("Pacific/Apia", "2011-12-31T12:00:00+14:00"), 86400);
    assert_int_equal(change_of_day("Australia/Lord_Howe", "2026-10-04T12:00:00+11:00"), 1800);
    assert_int_equal(change_of_day("UTC", "2026-03-08T12:00:00Z"), 0);
}

/* ---- every zone of the host ---- */

static void compare_offset(const char *id, const struct zone *zone, int64_t instant_s)
{
    struct tm wall;
    time_t instant = (time_t)instant_s;
    assert_non_null(localtime_r(&instant, &wall));
    if (zone_offset(zone, instant_s) != wall.tm_gmtoff)
        fail_msg("%s at %lld: %d, glibc has %ld", id, (long long)instant_s,
                 zone_offset(zone, instant_s), wall.tm_gmtoff);
}

/* All changes back to 1900 from 2199 on, with the seconds around them. */
static size_t compare_zone(const char *id)
{
    struct zone *zone = zone_of(id);
    struct zone_change change;
    size_t count = 0;
    int64_t until_s = at("2199-12-31T00:00:00Z") / 1000;
    assert_int_equal(setenv("TZ", id, 1), 0);
    tzset();
    while (zone_newest_change(zone, until_s, &change) && change.at_s > -2208988800) {
        compare_offset(id, zone, change.at_s);
        compare_offset(id, zone, change.at_s - 1);
        compare_offset(id, zone, change.at_s + 90 * 86400);
        assert_int_equal(zone_offset(zone, change.at_s - 1), change.before_s);
        until_s = change.at_s - 1;
        count++;
    }
    compare_offset(id, zone, at("2199-12-31T00:00:00Z") / 1000);
    zone_unref(zone);
    return count;
}

static void test_every_zone(void **state)
{
    (void)state;
    char **zones = all_zones();
    size_t count = 0;
    for (size_t i = 0; zones[i]; i++)
        count += compare_zone(zones[i]);
    assert_true(count > 10000);
    free_names(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),   cmocka_unit_test(test_64_bits_and_names_alone),
        cmocka_unit_test(test_bad_files),  cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_changes_by_rule),
        cmocka_unit_test(test_wall_times), cmocka_unit_test(test_days_with_a_change),
        cmocka_unit_test(test_every_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
