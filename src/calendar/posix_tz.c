#include "calendar/posix_tz.h"

#include <assert.h>

#include "base/number.h"
#include "base/timefmt.h"

enum {
    DAY_S = 86400,
    HOUR_S = 3600,
    MAX_HOURS = 24,
    MAX_RULE_HOURS = 167,
    DEFAULT_TIME_S = 2 * HOUR_S
};

struct reader {
    const char *at;
    const char *end;
};

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* `CEST` or `<+03>`: three characters or more. */
static bool skip_name(struct reader *reader)
{
    bool quoted = take(reader, '<');
    const char *from = reader->at;
    while (reader->at < reader->end &&
           (is_letter(*reader->at) ||
            (quoted && (is_digit(*reader->at) || *reader->at == '+' || *reader->at == '-'))))
        reader->at++;
    return reader->at - from >= 3 && (!quoted || take(reader, '>'));
}

static bool read_number(struct reader *reader, int min, int max, int *ret)
{
    int value = 0, digits = 0;
    for (; reader->at < reader->end && is_digit(*reader->at) && digits < 4; reader->at++, digits++)
        value = value * 10 + (*reader->at - '0');
    if (digits == 0 || value < min || value > max)
        return false;
    *ret = value;
    return true;
}

/* [+|-]hh[:mm[:ss]] */
static bool read_time(struct reader *reader, int max_hours, int32_t *ret_s)
{
    int hours = 0, minutes = 0, seconds = 0;
    bool negative = take(reader, '-');
    if (!negative)
        (void)take(reader, '+');
    if (!read_number(reader, 0, max_hours, &hours))
        return false;
    if (take(reader, ':') && (!read_number(reader, 0, 59, &minutes) ||
                              (take(reader, ':') && !read_number(reader, 0, 59, &seconds))))
        return false;
    int32_t value = hours * HOUR_S + minutes * 60 + seconds;
    *ret_s = negative ? -value : value;
    return true;
}

/* `,M3.5.0/3`, `,J60`, `,59` */
static bool read_day(struct reader *reader, struct posix_day *ret)
{
    bool good;
    if (!take(reader, ','))
        return false;
    if (take(reader, 'M')) {
        ret->kind = POSIX_DAY_OF_WEEK;
        good = read_number(reader, 1, 12, &ret->month) && take(reader, '.') &&
               read_number(reader, 1, 5, &ret->week) && take(reader, '.') &&
               read_number(reader, 0, 6, &ret->day);
    } else if (take(reader, 'J')) {
        ret->kind = POSIX_DAY_JULIAN;
        good = read_number(reader, 1, 365, &ret->day);
    } else {
        ret->kind = POSIX_DAY_OF_YEAR;
        good = read_number(reader, 0, 365, &ret->day);
    }
    ret->time_s = DEFAULT_TIME_S;
    return good && (!take(reader, '/') || read_time(reader, MAX_RULE_HOURS, &ret->time_s));
}

bool posix_tz_parse(const char *text, size_t len, struct posix_tz *ret)
{
    struct reader reader = {text, text + len};
    struct posix_tz rule = {0};
    int32_t west_s;
    if (!skip_name(&reader) || !read_time(&reader, MAX_HOURS, &west_s))
        return false;
    rule.standard_s = -west_s;
    if (reader.at < reader.end) {
        rule.has_summer = true;
        rule.summer_s = rule.standard_s + HOUR_S;
        if (!skip_name(&reader))
            return false;
        if (reader.at < reader.end && *reader.at != ',') {
            if (!read_time(&reader, MAX_HOURS, &west_s))
                return false;
            rule.summer_s = -west_s;
        }
        if (!read_day(&reader, &rule.start) || !read_day(&reader, &rule.end) ||
            reader.at < reader.end)
            return false;
    }
    if (rule.has_summer && rule.summer_s == rule.standard_s)
        rule.has_summer = false; /* another name, no other time */
    *ret = rule;
    return true;
}

static int64_t day_number(int year, int month, int day)
{
    const struct civil civil = {.year = year, .month = month, .day = day};
    return civil_to_ms(&civil) / 1000 / DAY_S;
}

/* Midnight of that day in the year plus the time, as a clock counts. */
static int64_t local_of(const struct posix_day *day, int year)
{
    int64_t first = day_number(year, 1, 1), number = 0;
    switch (day->kind) {
    case POSIX_DAY_JULIAN:
        number = first + day->day - (day->day < 60 || civil_month_days(year, 2) < 29);
        break;
    case POSIX_DAY_OF_YEAR:
        number = first + day->day;
        break;
    case POSIX_DAY_OF_WEEK: {
        int64_t month = day_number(year, day->month, 1);
        int64_t weekday = (month % 7 + 7 + 4) % 7; /* day 0 was a Thursday */
        number = month + (day->day - weekday + 7) % 7 + (day->week - 1) * INT64_C(7);
        if (number >= month + civil_month_days(year, day->month)) /* there is no fifth */
            number -= 7;
        break;
    }
    }
    return number * DAY_S + day->time_s;
}

struct zone_change posix_tz_newest_change(const struct posix_tz *rule, int64_t instant_s)
{
    int year = civil_from_ms((instant_s + rule->standard_s) * 1000).year;
    struct zone_change newest = {.at_s = INT64_MIN};
    assert(rule->has_summer);
    /* A time of up to a week before or after its day may lie in the year before or after. */
    for (int y = year - 2; y <= year + 1; y++) {
        int64_t start = local_of(&rule->start, y) - rule->standard_s;
        int64_t end = local_of(&rule->end, y) - rule->summer_s;
        if (start <= instant_s && start >= newest.at_s)
            newest = (struct zone_change){start, rule->standard_s, rule->summer_s};
        if (end <= instant_s && end >= newest.at_s)
            newest = (struct zone_change){end, rule->summer_s, rule->standard_s};
    }
    return newest;
}
