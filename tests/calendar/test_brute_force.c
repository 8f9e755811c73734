/*
 * Every minute around every change of the clock, by a second way: glibc says what the wall clock shows, a function for each expression
 * says whether that is one of its times, and of a wall time that comes twice the second counts. Nothing here shares code
 * with what is tested, but the expression's text.
 *
 * A sample of the changes, under `make exhaustive` all of them from 2000 to 2037.
 */
#include "calendar/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum {
    FIRST_S = 946684800, /* 2000-01-01 */
    LAST_S = 2145916800, /* 2038-01-01 */
    STEP_S = 6 * 3600,   /* changes are looked for so often */
    AROUND_S = 3 * 86400,
    BEHIND_S = 2 * 86400, /* looked at to know what comes twice */
    MINUTES = (2 * AROUND_S + BEHIND_S) / 60,
    QUARTER = 15,
    SAMPLE = 61, /* one change in so many */
};

/* ---- expressions, and what they mean ---- */

static int length_of_month(const struct tm *wall)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = wall->tm_year + 1900;
    return wall->tm_mon == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
               ? 29
               : lengths[wall->tm_mon];
}

static bool is_half_past_two(const struct tm *wall)
{
    return wall->tm_hour == 2 && wall->tm_min == 30;
}

static bool is_quarter(const struct tm *wall)
{
    return wall->tm_min % 15 == 0;
}

static bool is_midnight(const struct tm *wall)
{
    return wall->tm_hour == 0 && wall->tm_min == 0;
}

static bool is_early_quarter_past(const struct tm *wall)
{
    return wall->tm_hour <= 4 && wall->tm_min == 15;
}

static bool is_sunday_night(const struct tm *wall)
{
    return wall->tm_wday == 0 && wall->tm_hour == 1 && wall->tm_min == 59;
}

static bool is_late_on_the_last(const struct tm *wall)
{
    return wall->tm_mday == length_of_month(wall) && wall->tm_hour == 23 && wall->tm_min == 30;
}

static bool is_third_of_last_sunday(const struct tm *wall)
{
    return wall->tm_wday == 0 && wall->tm_mday > length_of_month(wall) - 7 && wall->tm_hour == 3 &&
           wall->tm_min == 0;
}

static bool is_second_monday(const struct tm *wall)
{
    return wall->tm_wday == 1 && wall->tm_mday > 7 && wall->tm_mday <= 14 && wall->tm_min == 0 &&
           (wall->tm_hour >= 22 || wall->tm_hour <= 3);
}

static bool is_odd(const struct tm *wall)
{
    return wall->tm_min % 7 == 3 &&
           (wall->tm_hour == 0 || wall->tm_hour == 5 || wall->tm_hour == 10 ||
            wall->tm_hour == 15 || wall->tm_hour == 20);
}

static const struct subject {
    const char *expression;
    bool (*is_time)(const struct tm *wall);
} subjects[] = {
    {"0 30 2 * * ?", is_half_past_two},
    {"0 */15 * * * ?", is_quarter},
    {"0 0 0 * * ?", is_midnight},
    {"0 15 0-4 * * ?", is_early_quarter_past},
    {"0 59 1 ? * SUN", is_sunday_night},
    {"0 30 23 L * ?", is_late_on_the_last},
    {"0 0 3 ? * 1L", is_third_of_last_sunday},
    {"0 0 22-3 ? * MON#2", is_second_monday},
    {"0 3/7 */5 * * ?", is_odd},
};

/* ---- a window of time ---- */

struct window {
    int64_t from_s;
    int64_t ignored_from_s, ignored_to_s; /* see fill */
    struct tm walls[MINUTES];
    int64_t clock[MINUTES];    /* minutes that the wall clock shows, as a number */
    bool comes_again[MINUTES]; /* the same wall time, or an earlier one, is shown later */
};

static int64_t clock_of(int64_t instant_s, struct tm *ret)
{
    time_t instant = (time_t)instant_s;
    assert_non_null(localtime_r(&instant, ret));
    return (instant_s + ret->tm_gmtoff) / 60;
}

/* glibc is asked for each quarter of an hour, and for each minute of one in which something odd happens. */
static void look_at_clock(struct window *window)
{
    struct tm ahead;
    for (int i = 0; i < MINUTES; i++) {
        int64_t instant_s = window->from_s + i * 60;
        window->clock[i] = clock_of(instant_s, &window->walls[i]);
        if (window->walls[i].tm_min % QUARTER || i + QUARTER > MINUTES ||
            clock_of(instant_s + (QUARTER - 1) * 60, &ahead) != window->clock[i] + QUARTER - 1)
            continue;
        for (int k = 1; k < QUARTER; k++, i++) {
            window->clock[i + 1] = window->clock[i] + 1;
            window->walls[i + 1] = window->walls[i];
            window->walls[i + 1].tm_min++;
        }
    }
}

/* Behind two kinds of gaps Quartz leaves out times that exist; what it does is in the golden vectors. It tries an hour
 * that a gap took once more one later, counted from where the first attempt came to lie: behind a gap of more than an hour
 * that is too late; and when a gap takes the hour before midnight (Greenland) it is hour 24 of the next day, so that
 * the whole day is left out. */
static void fill(struct window *window, int64_t change_s)
{
    window->from_s = change_s - AROUND_S;
    window->ignored_from_s = window->ignored_to_s = 0;
    look_at_clock(window);
    for (int i = 0; i < MINUTES; i++) {
        int64_t instant_s = window->from_s + i * 60;
        int64_t jump = i > 0 ? window->clock[i] - window->clock[i - 1] - 1 : 0;
        bool at_midnight = jump > 0 && window->walls[i].tm_hour == 0 &&
                           window->walls[i - 1].tm_hour >= 22;
        if (jump > 60 || at_midnight) {
            window->ignored_from_s = instant_s;
            window->ignored_to_s = instant_s + (at_midnight ? 24 * 3600 : jump * 60);
        }
    }
    int64_t least = INT64_MAX;
    for (int i = MINUTES - 1; i >= 0; i--) {
        window->comes_again[i] = window->clock[i] >= least;
        least = window->clock[i] < least ? window->clock[i] : least;
    }
}

static bool is_ignored(const struct window *window, int64_t instant_s)
{
    return instant_s >= window->ignored_from_s && instant_s < window->ignored_to_s;
}

static void compare(const struct window *window, const struct subject *subject,
                    const struct cron *cron, const struct zone *zone, const char *id)
{
    int64_t next_ms = (window->from_s - 1) * 1000;
    const int minutes = 2 * AROUND_S / 60;
    bool has_next = cron_next(cron, zone, next_ms, &next_ms);
    for (int i = 0; i < minutes; i++) {
        int64_t instant_s = window->from_s + i * 60;
        bool wanted = subject->is_time(&window->walls[i]) && !window->comes_again[i];
        bool got = has_next && next_ms == instant_s * 1000;
        if (wanted != got && !is_ignored(window, instant_s))
            fail_msg("\"%s\" in %s: %s at %lld", subject->expression, id,
                     got ? "should not fire" : "should fire", (long long)instant_s);
        if (got)
            has_next = cron_next(cron, zone, next_ms, &next_ms);
        if (has_next && next_ms <= instant_s * 1000)
            fail_msg("\"%s\" in %s: goes back at %lld", subject->expression, id,
                     (long long)instant_s);
    }
}

/* ---- all zones ---- */

/* The first change of the wall clock's offset in (from, from + STEP_S], 0: none. */
static int64_t find_change(int64_t from_s)
{
    struct tm wall;
    int64_t low = from_s, high = from_s + STEP_S;
    int64_t before = clock_of(low, &wall) - low / 60;
    if (clock_of(high, &wall) - high / 60 == before)
        return 0;
    while (high - low > 60) {
        int64_t middle = low + (high - low) / 120 * 60;
        if (clock_of(middle, &wall) - middle / 60 == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void check_change(struct window *window, const char *id, const struct zone *zone,
                         int64_t change_s)
{
    fill(window, change_s);
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        struct cron cron = cron_of(subjects[i].expression);
        compare(window, &subjects[i], &cron, zone, id);
    }
}

/* Returns how many changes were looked at. */
static size_t check_zone(struct window *window, const char *id, size_t *seen)
{
    size_t checked = 0;
    struct zone *zone = zone_of(id);
    assert_int_equal(setenv("TZ", id, 1), 0);
    tzset();
    for (int64_t at_s = FIRST_S; at_s < LAST_S; at_s += STEP_S) {
        int64_t change_s = find_change(at_s);
        if (!change_s)
            continue;
        /* that this one is a change at all is the first thing to agree on */
        struct zone_change change;
        if (!zone_newest_change(zone, change_s, &change) || change.at_s != change_s)
            fail_msg("%s: a change at %lld is unknown", id, (long long)change_s);
        if (is_exhaustive() || (*seen)++ % SAMPLE == 0) {
            check_change(window, id, zone, change_s);
            checked++;
        }
    }
    zone_unref(zone);
    return checked;
}

static void test_around_changes(void **state)
{
    (void)state;
    struct window *window = xcalloc(1, sizeof *window);
    char **zones = all_zones();
    size_t checked = 0, seen = 0, count = 0;
    /* a sample of the zones too, without the long form: glibc takes its time for 55,000 steps each */
    for (size_t i = 0; zones[i]; i += is_exhaustive() ? 1 : 9, count++)
        checked += check_zone(window, zones[i], &seen);
    print_message("%zu changes in %zu zones, %zu expressions\n", checked, count,
                  ARRAY_LEN(subjects));
    assert_true(checked >= 10);
    free_names(zones);
    free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_around_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
