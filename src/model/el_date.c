#include "model/el_date.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"

/* Instants of the years 1 to 9999, less a day at both ends for what zones add. */
#define FIRST_MS (-INT64_C(62135596800000) + 86400000)
#define LAST_MS  (INT64_C(253402300799999) - 86400000)

#define COUNT_MAX INT64_C(6000000000) /* minutes in these years: more leaves them */

enum { MS_PER_S = 1000 };

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};

enum { SHORT_NAME = 3 };

/* ---- instants and clocks ---- */

static enum err_code check_range(int64_t ms, struct err *err)
{
    if (ms >= FIRST_MS && ms <= LAST_MS)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER, "leaves the years 1 to 9999");
}

struct civil el_date_local(int64_t ms, const struct el_clock *clock)
{
    int64_t offset_s = clock->offset(clock->zone, floor_div(ms, MS_PER_S));
    return civil_from_ms(ms + offset_s * MS_PER_S);
}

/* The instant at which clocks show it. */
static int64_t instant_of(const struct civil *civil, const struct el_clock *clock)
{
    int64_t local_ms = civil_to_ms(civil);
    int64_t local_s = floor_div(local_ms, MS_PER_S);
    return clock->instant(clock->zone, local_s) * MS_PER_S + (local_ms - local_s * MS_PER_S);
}

/* As GregorianCalendar.add: the time that clocks showed, by the offset that they had; where they have
 * another one by then the difference goes in, unless that leads to another day. */
static int64_t add_days(int64_t ms, int64_t count, const struct el_clock *clock)
{
    const int64_t day_ms = INT64_C(86400000);
    int64_t offset_s = clock->offset(clock->zone, floor_div(ms, MS_PER_S));
    int64_t sum = ms + count * day_ms;
    int64_t change_s = offset_s - clock->offset(clock->zone, floor_div(sum, MS_PER_S));
    int64_t wanted_day = floor_div(sum + offset_s * MS_PER_S, day_ms);
    int64_t moved = sum + change_s * MS_PER_S;
    int64_t moved_s = floor_div(moved, MS_PER_S);
    int64_t local_ms = moved + clock->offset(clock->zone, moved_s) * (int64_t)MS_PER_S;
    return floor_div(local_ms, day_ms) == wanted_day ? moved : sum;
}

/* The day of another month, or that one's last. False: none of these years. */
static bool add_months(int64_t ms, int64_t count, const struct el_clock *clock, int64_t *ret_ms)
{
    struct civil civil = el_date_local(ms, clock);
    int64_t month = civil.year * INT64_C(12) + civil.month - 1 + count;
    if (month < 12 || month >= INT64_C(12) * 10000)
        return false;
    civil.year = (int)(month / 12);
    civil.month = (int)(month % 12) + 1;
    int last = civil_month_days(civil.year, civil.month);
    civil.day = civil.day < last ? civil.day : last;
    *ret_ms = instant_of(&civil, clock);
    return true;
}

enum err_code el_date_add(int64_t ms, enum el_unit unit, int64_t count,
                          const struct el_clock *clock, int64_t *ret_ms, struct err *err)
{
    int64_t sum = ms;
    bool in_range = count <= COUNT_MAX && count >= -COUNT_MAX;
    if (in_range && unit == EL_MONTHS)
        in_range = !count || add_months(ms, count, clock, &sum);
    else if (in_range && unit == EL_DAYS)
        sum = add_days(ms, count, clock);
    else if (in_range)
        sum = ms + count * (unit == EL_HOURS ? 3600 : 60) * MS_PER_S;
    if (check_range(in_range ? sum : INT64_MAX, err))
        return err->code;
    *ret_ms = sum;
    return ERR_OK;
}

/* ---- patterns ---- */

/* A run of one letter, or text. */
struct piece {
    char letter; /* 0: text */
    int count;   /* of the letter */
    char text;   /* one byte of it */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where a pattern is read, and whether between quotes. */
struct cursor {
    const char *at;
    bool quoted;
};

/* False at the end; an open quote is looked for by el_date_check. */
static bool next_piece(struct cursor *cursor, struct piece *ret)
{
    while (*cursor->at == '\'' && cursor->at[1] != '\'') {
        cursor->quoted = !cursor->quoted;
        cursor->at++;
    }
    const char *p = cursor->at;
    if (!*p)
        return false;
    *ret = (struct piece){.text = *p};
    if (*p == '\'') { /* '' is a quote, within quotes and without */
        cursor->at += 2;
        return true;
    }
    if (!cursor->quoted && is_letter(*p)) {
        ret->letter = *p;
        while (*cursor->at == *p) {
            cursor->at++;
            ret->count++;
        }
        return true;
    }
    cursor->at++;
    return true;
}

enum err_code el_date_check(const char *pattern, struct err *err)
{
    struct cursor cursor = {.at = pattern};
    struct piece piece;
    if (strlen(pattern) > EL_MAX_PATTERN)
        return err_set(err, ERR_INVALID_PARAMETER, "must be a date pattern of at most %d bytes",
                       EL_MAX_PATTERN);
    while (next_piece(&cursor, &piece)) {
        if (piece.letter == 'z')
            return err_set(err, ERR_INVALID_PARAMETER,
                           "must be a date pattern without z: names of zones are not known here, "
                           "Z and XXX show the offset");
        if (piece.letter && !strchr("GyYMLwWDdFEuaHkKhmsSZX", piece.letter))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "must be a date pattern as SimpleDateFormat has it: %c is no letter of "
                           "it (text stands between ' and ')",
                           piece.letter);
        if (piece.letter == 'X' && piece.count > 3)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "must be a date pattern with at most XXX, not %d of them", piece.count);
    }
    if (cursor.quoted)
        return err_set(err, ERR_INVALID_PARAMETER, "must be a date pattern whose ' are closed");
    return ERR_OK;
}

/* ---- format ---- */

static void put_number(int64_t value, int width, struct buf *out)
{
    buf_printf(out, "%0*lld", width > EL_MAX_PATTERN ? EL_MAX_PATTERN : width, (long long)value);
}

static void put_name(const char *name, int count, struct buf *out)
{
    buf_add(out, name, count > SHORT_NAME ? strlen(name) : SHORT_NAME);
}

static void put_offset(int64_t offset_s, const struct piece *piece, struct buf *out)
{
    int64_t minutes = offset_s / 60;
    if (piece->letter == 'X' && !minutes) {
        buf_putc(out, 'Z');
        return;
    }
    buf_putc(out, minutes < 0 ? '-' : '+');
    minutes = minutes < 0 ? -minutes : minutes;
    put_number(minutes / 60, 2, out);
    if (piece->letter == 'X' && piece->count == 1)
        return;
    if (piece->letter == 'X' && piece->count == 3)
        buf_putc(out, ':');
    put_number(minutes % 60, 2, out);
}

static int day_of_year(const struct civil *civil)
{
    int day = civil->day;
    for (int month = 1; month < civil->month; month++)
        day += civil_month_days(civil->year, month);
    return day;
}

/* The week, from 1, of the day-th day, whose weekday counts from Sunday 0. */
static int week_of(int day, int weekday)
{
    int first = ((weekday - (day - 1)) % 7 + 7) % 7; /* the weekday of the first */
    return (day - 1 + first) / 7 + 1;
}

/* A week that holds January 1st is the first of that year. */
static bool is_in_next_year(const struct civil *civil, int weekday)
{
    return civil->month == 12 && civil->day + (6 - weekday) > 31;
}

static void put_of_date(const struct civil *civil, const struct piece *piece, struct buf *out)
{
    int weekday = civil->iso_weekday % 7;
    bool next = is_in_next_year(civil, weekday);
    int year = civil->year + (piece->letter == 'Y' && next);
    switch (piece->letter) {
    case 'G':
        buf_puts(out, "AD");
        return;
    case 'y':
    case 'Y':
        put_number(piece->count == 2 ? year % 100 : year, piece->count, out);
        return;
    case 'M':
    case 'L':
        if (piece->count >= SHORT_NAME)
            put_name(months[civil->month - 1], piece->count, out);
        else
            put_number(civil->month, piece->count, out);
        return;
    case 'w':
        put_number(next ? 1 : week_of(day_of_year(civil), weekday), piece->count, out);
        return;
    case 'W':
        put_number(week_of(civil->day, weekday), piece->count, out);
        return;
    case 'D':
        put_number(day_of_year(civil), piece->count, out);
        return;
    case 'd':
        put_number(civil->day, piece->count, out);
        return;
    case 'F':
        put_number((civil->day - 1) / 7 + 1, piece->count, out);
        return;
    case 'u':
        put_number(civil->iso_weekday, piece->count, out);
        return;
    default: /* E */
        put_name(days[civil->iso_weekday - 1], piece->count, out);
        return;
    }
}

static void put_of_time(const struct civil *civil, const struct piece *piece, struct buf *out)
{
    int hour = civil->hour;
    switch (piece->letter) {
    case 'a':
        buf_puts(out, hour < 12 ? "AM" : "PM");
        return;
    case 'H':
        break;
    case 'k':
        hour = hour ? hour : 24;
        break;
    case 'K':
        hour %= 12;
        break;
    case 'h':
        hour = hour % 12 ? hour % 12 : 12;
        break;
    case 'm':
        put_number(civil->minute, piece->count, out);
        return;
    case 's':
        put_number(civil->second, piece->count, out);
        return;
    default: /* S */
        put_number(civil->ms, piece->count, out);
        return;
    }
    put_number(hour, piece->count, out);
}

enum err_code el_date_format(int64_t ms, const char *pattern, const struct el_clock *clock,
                             struct buf *out, struct err *err)
{
    enum err_code code = el_date_check(pattern, err);
    if (!code)
        code = check_range(ms, err);
    if (code)
        return code;
    const struct civil civil = el_date_local(ms, clock);
    struct cursor cursor = {.at = pattern};
    struct piece piece;
    while (next_piece(&cursor, &piece)) {
        if (!piece.letter)
            buf_putc(out, piece.text);
        else if (piece.letter == 'Z' || piece.letter == 'X')
            put_offset(clock->offset(clock->zone, floor_div(ms, MS_PER_S)), &piece, out);
        else if (strchr("aHkKhmsS", piece.letter))
            put_of_time(&civil, &piece, out);
        else
            put_of_date(&civil, &piece, out);
    }
    return ERR_OK;
}

/* ---- parse ---- */

struct reading {
    const char *at;
    struct civil civil;
    int64_t offset_s;
    bool has_offset;
    bool is_half; /* the hour is one of K or h: a counts */
    bool is_afternoon;
};

/* At most `width` digits, 0: all there are. */
static bool take_number(struct reading *reading, int width, int *ret)
{
    enum { DIGITS_MAX = 9 };
    int value = 0;
    int count = 0;
    for (; is_digit(*reading->at) && (!width || count < width); count++) {
        if (count == DIGITS_MAX)
            return false;
        value = value * 10 + (*reading->at++ - '0');
    }
    *ret = value;
    return count && (!width || count == width);
}

/* Long or short, in any case. The index, -1 when none stands there. */
static int take_name(struct reading *reading, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(reading->at, names[i], len) != 0)
            len = SHORT_NAME;
        if (strncasecmp(reading->at, names[i], len) != 0)
            continue;
        reading->at += len;
        return i;
    }
    return -1;
}

/* Z, +hh, +hhmm or +hh:mm. */
static bool take_offset(struct reading *reading)
{
    reading->has_offset = true;
    if (*reading->at == 'Z') {
        reading->at++;
        return true;
    }
    int sign = *reading->at == '-' ? -1 : *reading->at == '+' ? 1 : 0;
    int hours = 0;
    int minutes = 0;
    if (!sign)
        return false;
    reading->at++;
    if (!take_number(reading, 2, &hours))
        return false;
    if (*reading->at == ':')
        reading->at++;
    if (is_digit(*reading->at) && !take_number(reading, 2, &minutes))
        return false;
    reading->offset_s = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

/* yy: the century that puts the year nearest to now. */
static int whole_year(int year, int64_t now_ms)
{
    int first = civil_from_ms(now_ms).year - 80;
    int whole = first - first % 100 + year;
    return whole < first ? whole + 100 : whole;
}

static bool take_year(struct reading *reading, const struct piece *piece, int width, int64_t now_ms)
{
    const char *start = reading->at;
    int *year = &reading->civil.year;
    if (!take_number(reading, width, year))
        return false;
    if (piece->count == 2 && reading->at - start == 2)
        *year = whole_year(*year, now_ms);
    return *year >= 1 && *year <= 9999;
}

static bool take_month(struct reading *reading, const struct piece *piece, int width)
{
    if (piece->count < SHORT_NAME)
        return take_number(reading, width, &reading->civil.month);
    reading->civil.month = take_name(reading, months, 12) + 1;
    return true;
}

static bool take_half(struct reading *reading)
{
    static const char *const halves[] = {"AM", "PM"};
    for (int i = 0; i < 2; i++) {
        if (strncasecmp(reading->at, halves[i], 2) != 0)
            continue;
        reading->at += 2;
        reading->is_afternoon = i == 1;
        return true;
    }
    return false;
}

static bool take_hour(struct reading *reading, char letter, int width)
{
    int hour;
    if (!take_number(reading, width, &hour))
        return false;
    bool from_one = letter == 'k' || letter == 'h';
    int most = letter == 'H' || letter == 'k' ? 24 : 12;
    if (hour < from_one || hour > most - !from_one)
        return false;
    reading->civil.hour = hour == most ? 0 : hour;
    reading->is_half = most == 12;
    return true;
}

/* What one piece of the pattern stands for. */
static bool take(struct reading *reading, const struct piece *piece, int width, int64_t now_ms)
{
    switch (piece->letter) {
    case '\0':
        return *reading->at && *reading->at++ == piece->text;
    case 'y':
        return take_year(reading, piece, width, now_ms);
    case 'M':
    case 'L':
        return take_month(reading, piece, width);
    case 'd':
        return take_number(reading, width, &reading->civil.day);
    case 'E':
        return take_name(reading, days, 7) >= 0;
    case 'a':
        return take_half(reading);
    case 'm':
        return take_number(reading, width, &reading->civil.minute);
    case 's':
        return take_number(reading, width, &reading->civil.second);
    case 'S':
        return take_number(reading, width, &reading->civil.ms);
    case 'Z':
    case 'X':
        return take_offset(reading);
    default:
        return take_hour(reading, piece->letter, width);
    }
}

/* A number that another one follows at once has as many digits as it has letters. */
static bool is_abutted(const struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    struct piece next;
    return next_piece(&ahead, &next) && next.letter && !strchr("EaZX", next.letter) &&
           !(strchr("ML", next.letter) && next.count >= SHORT_NAME);
}

static bool is_date(const struct civil *civil)
{
    return civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= civil_month_days(civil->year, civil->month) && civil->minute < 60 &&
           civil->second < 60 && civil->ms < MS_PER_S;
}

enum err_code el_date_parse(const char *text, const char *pattern, const struct el_clock *clock,
                            int64_t now_ms, int64_t *ret_ms, struct err *err)
{
    struct reading reading = {.at = text, .civil = {.year = 1970, .month = 1, .day = 1}};
    struct cursor cursor = {.at = pattern};
    struct piece piece;
    if (el_date_check(pattern, err))
        return err->code;
    bool good = true;
    while (good && next_piece(&cursor, &piece)) {
        if (piece.letter && !strchr("yMLdEaHkKhmsSZX", piece.letter))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "must be a pattern that a date can be read by, without %c",
                           piece.letter);
        good = take(&reading, &piece, is_abutted(&cursor) ? piece.count : 0, now_ms);
    }
    if (!good || *reading.at || !is_date(&reading.civil))
        return err_set(err, ERR_INVALID_PARAMETER, "is \"%.60s\" by which \"%.60s\" is no date",
                       pattern, text);
    if (reading.is_half && reading.is_afternoon)
        reading.civil.hour += 12;
    int64_t ms = reading.has_offset ? civil_to_ms(&reading.civil) - reading.offset_s * MS_PER_S
                                    : instant_of(&reading.civil, clock);
    if (check_range(ms, err))
        return err->code;
    *ret_ms = ms;
    return ERR_OK;
}
