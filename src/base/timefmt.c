#include "base/timefmt.h"

#include <stddef.h>
#include <string.h>

#include "base/number.h"

enum { MS_PER_DAY = 86400000 };

/* Days since 1970-01-01, by the method of eras of 400 years (March-based years). */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil civil_from_ms(int64_t ms)
{
    int64_t days = floor_div(ms, MS_PER_DAY);
    int64_t rest = ms % MS_PER_DAY;
    rest += rest < 0 ? MS_PER_DAY : 0;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * day_of_year + 2) / 153;
    int month = (int)(month_index < 10 ? month_index + 3 : month_index - 9);
    int64_t weekday = (days % 7 + 7 + 3) % 7; /* day 0 was a Thursday */
    return (struct civil){
        .year = (int)(year_of_era + era * 400) + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * month_index + 2) / 5 + 1),
        .hour = (int)(rest / 3600000),
        .minute = (int)(rest / 60000 % 60),
        .second = (int)(rest / 1000 % 60),
        .ms = (int)(rest % 1000),
        .iso_weekday = (int)weekday + 1,
    };
}

int64_t civil_to_ms(const struct civil *civil)
{
    int64_t days = days_from_civil(civil->year, civil->month, civil->day);
    return days * MS_PER_DAY + civil->hour * INT64_C(3600000) + civil->minute * INT64_C(60000) +
           civil->second * INT64_C(1000) + civil->ms;
}

int civil_month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* `width` decimal digits, zero-padded; returns behind them. */
static char *put_digits(char *p, int value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + width;
}

char *timefmt_rfc3339(int64_t ms, char text[static TIMEFMT_TEXT])
{
    struct civil at = civil_from_ms(ms);
    char *p = put_digits(text, at.year, 4);
    *p++ = '-';
    p = put_digits(p, at.month, 2);
    *p++ = '-';
    p = put_digits(p, at.day, 2);
    *p++ = 'T';
    p = put_digits(p, at.hour, 2);
    *p++ = ':';
    p = put_digits(p, at.minute, 2);
    *p++ = ':';
    p = put_digits(p, at.second, 2);
    *p++ = '.';
    p = put_digits(p, at.ms, 3);
    *p++ = 'Z';
    *p = '\0';
    return text;
}

static bool take_digits(const char **p, int width, int *ret)
{
    int value = 0;
    for (int i = 0; i < width; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return true;
}

static bool take(const char **p, char upper, char other)
{
    if (**p != upper && **p != other)
        return false;
    (*p)++;
    return true;
}

static bool take_fraction(const char **p, int *ret_ms)
{
    *ret_ms = 0;
    if (**p != '.')
        return true;
    (*p)++;
    int digits = 0;
    for (int weight = 100; **p >= '0' && **p <= '9'; (*p)++, weight /= 10, digits++)
        *ret_ms += (**p - '0') * weight;
    return digits >= 1 && digits <= 9;
}

static bool take_offset(const char **p, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (take(p, 'Z', 'z'))
        return true;
    int sign = **p == '-' ? -1 : 1;
    int hours, minutes;
    if (!take(p, '+', '-') || !take_digits(p, 2, &hours) || !take(p, ':', ':') ||
        !take_digits(p, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_ms = sign * (hours * INT64_C(3600000) + minutes * INT64_C(60000));
    return true;
}

static bool is_real(const struct civil *at)
{
    return at->year >= 1 && at->month >= 1 && at->month <= 12 && at->day >= 1 &&
           at->day <= civil_month_days(at->year, at->month) && at->hour <= 23 && at->minute <= 59 &&
           at->second <= 60;
}

bool timefmt_parse(const char *text, int64_t *ret_ms)
{
    const char *p = text;
    struct civil at = {0};
    int64_t offset_ms;
    if (!take_digits(&p, 4, &at.year) || !take(&p, '-', '-') || !take_digits(&p, 2, &at.month) ||
        !take(&p, '-', '-') || !take_digits(&p, 2, &at.day) || !take(&p, 'T', 't') ||
        !take_digits(&p, 2, &at.hour) || !take(&p, ':', ':') || !take_digits(&p, 2, &at.minute) ||
        !take(&p, ':', ':') || !take_digits(&p, 2, &at.second) || !take_fraction(&p, &at.ms) ||
        !take_offset(&p, &offset_ms) || *p)
        return false;
    if (!is_real(&at))
        return false;
    int64_t ms = civil_to_ms(&at) - offset_ms;
    if (ms < TIMEFMT_FIRST_MS || ms > TIMEFMT_LAST_MS)
        return false; /* the offset leads out of what can be printed */
    *ret_ms = ms;
    return true;
}

bool timefmt_parse_instant(const char *text, int64_t *ret_ms)
{
    const char *digit = text + (*text == '-');
    int64_t ms = 0;
    if (!*digit)
        return false;
    for (; *digit >= '0' && *digit <= '9' && ms <= TIMEFMT_LAST_MS; digit++)
        ms = ms * 10 + (*digit - '0');
    if (*digit)
        return timefmt_parse(text, ret_ms);
    ms = *text == '-' ? -ms : ms;
    if (ms < TIMEFMT_FIRST_MS || ms > TIMEFMT_LAST_MS)
        return false;
    *ret_ms = ms;
    return true;
}

/* One of `count` three-letter words in `words`; its number from 1. */
static bool take_word(const char **p, const char *words, int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (strncmp(*p, words + (ptrdiff_t)3 * i, 3) != 0)
            continue;
        *p += 3;
        *ret = i + 1;
        return true;
    }
    return false;
}

static bool take_text(const char **p, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*p, text, len) != 0)
        return false;
    *p += len;
    return true;
}

bool timefmt_parse_http(const char *text, int64_t *ret_ms)
{
    const char *p = text;
    struct civil at = {0};
    int weekday;
    if (!take_word(&p, "MonTueWedThuFriSatSun", 7, &weekday) || !take_text(&p, ", ") ||
        !take_digits(&p, 2, &at.day) || !take_text(&p, " ") ||
        !take_word(&p, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &at.month) ||
        !take_text(&p, " ") || !take_digits(&p, 4, &at.year) || !take_text(&p, " ") ||
        !take_digits(&p, 2, &at.hour) || !take_text(&p, ":") || !take_digits(&p, 2, &at.minute) ||
        !take_text(&p, ":") || !take_digits(&p, 2, &at.second) || strcmp(p, " GMT") != 0 ||
        !is_real(&at))
        return false;
    *ret_ms = civil_to_ms(&at);
    return true;
}

bool timefmt_parse_basic(const char *text, int64_t *ret_ms)
{
    const char *p = text;
    struct civil at = {0};
    if (!take_digits(&p, 4, &at.year) || !take_digits(&p, 2, &at.month) ||
        !take_digits(&p, 2, &at.day) || !take_text(&p, "T") || !take_digits(&p, 2, &at.hour) ||
        !take_digits(&p, 2, &at.minute) || !take_digits(&p, 2, &at.second) || strcmp(p, "Z") != 0 ||
        !is_real(&at))
        return false;
    *ret_ms = civil_to_ms(&at);
    return true;
}
