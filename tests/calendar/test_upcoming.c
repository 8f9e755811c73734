/* The next times with what is special about them, and a schedule's messages. */
#include "calendar/support.h"

#include "base/mem.h"
#include "base/timefmt.h"
#include "calendar/schedule.h"
#include "calendar/upcoming.h"

struct row {
    const char *local;
    const char *change; /* NULL: an ordinary day */
    const char *note;
};

static void check(const char *expression, const char *id, const char *after, const struct row *rows,
                  size_t count)
{
    enum { MAX = 8 };
    struct upcoming times[MAX];
    struct cron cron = cron_of(expression);
    struct zone *zone = zone_of(id);
    struct buf note;
    buf_init(&note, 512);
    assert_int_equal(upcoming_list(&cron, zone, at(after), count, times), count);
    for (size_t i = 0; i < count; i++) {
        char local[UPCOMING_TEXT];
        const char *change = upcoming_change_name(&times[i]);
        buf_clear(&note);
        upcoming_note(&times[i], &note);
        assert_string_equal(upcoming_local(&times[i], local), rows[i].local);
        assert_string_equal(change ? change : "-", rows[i].change ? rows[i].change : "-");
        assert_string_equal(note.len ? note.data : "", rows[i].note);
        assert_int_equal(times[i].time_ms, at(rows[i].local));
    }
    buf_release(&note);
    zone_unref(zone);
}

static void test_a_time_in_the_gap(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"2026-03-07T02:30:00-05:00", NULL, ""},
        {"2026-03-09T02:30:00-04:00", NULL, "not at 2026-03-08 02:30, which no clock showed"},
        {"2026-03-10T02:30:00-04:00", NULL, ""},
    };
    check("0 30 2 * * ?", "America/New_York", "2026-03-07T00:00:00-05:00", rows, ARRAY_LEN(rows));
}

static void test_a_gap_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"2026-03-29T01:30:00+01:00", "GAP", "gap day: clocks go from 02:00 to 03:00"},
        {"2026-03-29T03:30:00+02:00", "GAP",
         "gap day: clocks go from 02:00 to 03:00; not at 2026-03-29 02:30, which no clock showed"},
        {"2026-03-29T04:30:00+02:00", "GAP", "gap day: clocks go from 02:00 to 03:00"},
    };
    check("0 30 * * * ?", "Europe/Berlin", "2026-03-29T01:00:00+01:00", rows, ARRAY_LEN(rows));
}

static void test_an_overlap_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"2026-10-25T01:30:00+02:00", "OVERLAP", "overlap day: clocks go from 03:00 back to 02:00"},
        {"2026-10-25T02:30:00+01:00", "OVERLAP",
         "overlap day: clocks go from 03:00 back to 02:00, this is the second 02:30"},
        {"2026-10-25T03:30:00+01:00", "OVERLAP", "overlap day: clocks go from 03:00 back to 02:00"},
    };
    check("0 30 * * * ?", "Europe/Berlin", "2026-10-25T01:00:00+02:00", rows, ARRAY_LEN(rows));
}

/* Greenland puts its clocks forward at 23:00, and Quartz does not find back before the next day is over. */
static void test_times_that_quartz_leaves_out(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"2026-03-28T22:00:00-02:00", "GAP", "gap day: clocks go from 23:00 to 00:00"},
        {"2026-03-30T00:00:00-01:00", NULL,
         "not at 2026-03-28 23:00, which no clock showed; Quartz leaves out 2026-03-29 00:00 until here"},
        {"2026-03-30T01:00:00-01:00", NULL, ""},
    };
    check("0 0 * * * ?", "America/Nuuk", "2026-03-28T21:30:00-02:00", rows, ARRAY_LEN(rows));
}

static void test_odd_offsets(void **state)
{
    (void)state;
    static const struct row rows[] = {{"2026-01-01T09:00:00+05:45", NULL, ""}};
    static const struct row west[] = {{"2026-01-01T09:00:00-03:30", NULL, ""}};
    check("0 0 9 * * ?", "Asia/Kathmandu", "2026-01-01T00:00:00Z", rows, 1);
    check("0 0 9 * * ?", "GMT-3:30", "2026-01-01T00:00:00Z", west, 1);
}

static void test_fewer_than_asked(void **state)
{
    (void)state;
    struct upcoming times[4];
    struct cron cron = cron_of("0 0 0 1 1,7 ? 2026");
    struct zone *zone = zone_fixed(0);
    assert_int_equal(upcoming_list(&cron, zone, at("2026-01-01T00:00:00Z"), 4, times), 1);
    cron = cron_of("0 0 0 30 2 ?");
    assert_int_equal(upcoming_list(&cron, zone, 0, 4, times), 0);
    zone_unref(zone);
}

static void test_messages(void **state)
{
    (void)state;
    struct err err;
    struct cron cron;
    struct zone *zone;
    struct zones *zones = zones_new(ZONES_FOLDER);
    assert_int_equal(
        schedule_parse_cron("0 0 25 * * ?", "schedule.quartzCronExpression", &cron, &err),
        ERR_INVALID_PARAMETER);
    assert_string_equal(err.message,
                        "schedule.quartzCronExpression, column 5: the hour must be a number "
                        "from 0 to 23, not \"25\"");
    assert_int_equal(schedule_find_zone(zones, "Europe/Berln", "schedule.timezoneId", &zone, &err),
                     ERR_INVALID_PARAMETER);
    assert_string_equal(err.message,
                        "schedule.timezoneId is no known time zone; did you mean Europe/Berlin?");
    assert_int_equal(schedule_parse_cron("0 0 5 * * ?", "x", &cron, &err), ERR_OK);
    assert_int_equal(schedule_find_zone(zones, "PST", "x", &zone, &err), ERR_OK);
    zone_unref(zone);
    zones_free(zones);
}

static void test_instants_as_text(void **state)
{
    (void)state;
    int64_t ms = 7;
    assert_true(timefmt_parse_instant("1767225600000", &ms));
    assert_int_equal(ms, 1767225600000);
    assert_true(timefmt_parse_instant("-1", &ms));
    assert_int_equal(ms, -1);
    assert_true(timefmt_parse_instant("0", &ms));
    assert_true(timefmt_parse_instant("2026-01-01T01:00:00+01:00", &ms));
    assert_int_equal(ms, 1767225600000);
    static const char *const bad[] = {"",           "-",
                                      "1e3",        "12 ",
                                      "+5",         "99999999999999999999",
                                      "2026-01-01", "253402300800000",
                                      "--1",        "2026-13-01T00:00:00Z"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (timefmt_parse_instant(bad[i], &ms))
            fail_msg("\"%s\" is taken", bad[i]);
    assert_int_equal(ms, 1767225600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_in_the_gap),
        cmocka_unit_test(test_a_gap_day),
        cmocka_unit_test(test_an_overlap_day),
        cmocka_unit_test(test_times_that_quartz_leaves_out),
        cmocka_unit_test(test_odd_offsets),
        cmocka_unit_test(test_fewer_than_asked),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_instants_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
