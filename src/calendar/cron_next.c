/*
 * The next time that an expression fires.
 *
 * The search goes the way of Quartz: a wall clock is put forward field by field, from the second to the year, and the search
 * begins again from the second whenever a larger field moved. Each time the clock is set to a wall time, that is made one
 * that exists (`settle`). What happens at gaps and overlaps follows from that and from nothing else, which is why this is
 * not a list of days with times put on them: the results have to be those of Quartz, on the odd days too.
 */
#include "base/number.h"
#include "base/timefmt.h"
#include "calendar/cron.h"

enum {
    WEEK = 7,
    MONTHS = 12,
    SATURDAY = 6, /* iso_weekday */
    SUNDAY = 7,
    DAY_END_HOUR = 24,
    /* A working day lies at most two days before the day that it stands for, be it behind the end of a month; twice that. */
    WORKING_DAY_SLACK_S = 4 * 86400,
    /* Far more than the months until CRON_LAST_YEAR need: a bound that does not depend on being right. */
    MAX_STEPS = 100000,
};

struct search {
    const struct cron *cron;
    const struct zone *zone;
    int64_t from_s; /* the first second that may be the answer */
    struct civil at;
    int64_t at_s;
};

enum step {
    STEP_FITS,  /* the field has a value of the expression already */
    STEP_MOVED, /* it was put forward: the smaller fields have to be looked at again */
    STEP_NEVER,
};

/* The smallest value ≥ `from` in the set, -1 when there is none. */
static int next_in(uint64_t set, int from)
{
    uint64_t rest = from < 64 ? set >> from << from : 0;
    return rest ? __builtin_ctzll(rest) : -1;
}

static int next_year(const struct cron *cron, int from)
{
    int bit = from < CRON_FIRST_YEAR ? 0 : from - CRON_FIRST_YEAR;
    for (int word = bit / 64; word < CRON_YEAR_WORDS; word++, bit = word * 64) {
        int found = next_in(cron->years[word], bit % 64);
        if (found >= 0)
            return CRON_FIRST_YEAR + word * 64 + found;
    }
    return -1;
}

static int month_length(const struct civil *at)
{
    return civil_month_days(at->year, at->month);
}

/* The instant of a wall time whose fields may be too large ("hour 24", "month 13"). */
static int64_t instant_of(const struct search *search, struct civil wall)
{
    if (wall.month > MONTHS) {
        wall.month -= MONTHS;
        wall.year++;
    }
    return zone_instant(search->zone, civil_to_ms(&wall) / 1000);
}

static void show(struct search *search, int64_t instant_s)
{
    int64_t local_s = instant_s + zone_offset(search->zone, instant_s);
    search->at_s = instant_s;
    search->at = civil_from_ms(local_s * 1000);
}

/* Makes the wall time one that exists. */
static void settle(struct search *search)
{
    show(search, instant_of(search, search->at));
}

static void set_midnight(struct search *search, int year, int month, int day)
{
    search->at = (struct civil){.year = year, .month = month, .day = day};
    settle(search);
}

/* An hour that a gap took is tried again one later, from where the first attempt came to lie: so Quartz. */
static void set_hour(struct search *search, int hour)
{
    search->at.hour = hour;
    settle(search);
    if (search->at.hour != hour && hour != DAY_END_HOUR) {
        search->at.hour = hour + 1;
        settle(search);
    }
}

static void step_second(struct search *search)
{
    int next = next_in(search->cron->seconds, search->at.second);
    if (next < 0)
        search->at.minute++;
    search->at.second = next < 0 ? next_in(search->cron->seconds, 0) : next;
    settle(search);
}

static enum step step_minute(struct search *search)
{
    int next = next_in(search->cron->minutes, search->at.minute), hour = search->at.hour;
    if (next == search->at.minute)
        return STEP_FITS;
    if (next < 0) {
        next = next_in(search->cron->minutes, 0);
        hour++;
    }
    search->at.second = 0;
    search->at.minute = next;
    set_hour(search, hour);
    return STEP_MOVED;
}

static enum step step_hour(struct search *search)
{
    int next = next_in(search->cron->hours, search->at.hour);
    if (next == search->at.hour)
        return STEP_FITS;
    if (next < 0) {
        next = next_in(search->cron->hours, 0);
        search->at.day++;
    }
    search->at.second = search->at.minute = 0;
    set_hour(search, next);
    return STEP_MOVED;
}

/* `day` of this month (or of the next, where it is larger) with the first fitting time of day: the working day nearest to
 * it, without leaving the month. */
static int nearest_working_day(const struct search *search, int day)
{
    const struct civil midnight = {.year = search->at.year, .month = search->at.month, .day = day};
    int64_t instant_s = instant_of(search, midnight);
    int64_t local_s = instant_s + zone_offset(search->zone, instant_s);
    switch (civil_from_ms(local_s * 1000).iso_weekday) {
    case SATURDAY:
        return day == 1 ? day + 2 : day - 1;
    case SUNDAY:
        return day == month_length(&search->at) ? day - 2 : day + 1;
    default:
        return day;
    }
}

static bool is_same_day(const struct civil *a, const struct civil *b)
{
    return a->day == b->day && a->month == b->month && a->year == b->year;
}

/* The working day nearest to `day`; when it has passed, or is not there, `restart` of the next month. Quartz never ends
 * when it is not there: L-30 of a short month, or December 30, 2011 in Samoa, which went over the date line. */
static enum step step_working_day(struct search *search, int day, int restart)
{
    const struct civil from = search->at;
    struct civil candidate = from;
    candidate.day = nearest_working_day(search, day);
    bool is_there = day >= 1 && instant_of(search, candidate) >= search->from_s;
    if (is_there && candidate.day == from.day)
        return STEP_FITS;
    if (is_there)
        set_midnight(search, from.year, from.month, candidate.day);
    if (!is_there || is_same_day(&search->at, &from))
        set_midnight(search, from.year, from.month + 1, restart);
    return STEP_MOVED;
}

static enum step step_day_of_month(struct search *search)
{
    const struct cron *cron = search->cron;
    int length = month_length(&search->at), day = search->at.day, month = search->at.month;
    int next = next_in(cron->days_of_month, day);
    switch (cron->day_rule) {
    case CRON_LAST_DAY_WEEKDAY:
        return step_working_day(search, length - cron->last_day_offset, 1);
    case CRON_NEAREST_WEEKDAY:
        next = next_in(cron->days_of_month, 0);
        return step_working_day(search, next, next);
    case CRON_LAST_DAY:
        next = length - cron->last_day_offset;
        if (day > next) {
            next = 1;
            month++;
        }
        break;
    case CRON_DAYS_OF_MONTH:
    case CRON_DAYS_OF_WEEK:
    case CRON_LAST_DAY_OF_WEEK:
    case CRON_NTH_DAY_OF_WEEK:
        if (next < 0 || next > length) {
            next = next_in(cron->days_of_month, 0);
            month++;
        }
        break;
    }
    if (next == day && month == search->at.month)
        return STEP_FITS;
    set_midnight(search, search->at.year, month, next);
    return STEP_MOVED;
}

static enum step step_day_of_week(struct search *search)
{
    const struct cron *cron = search->cron;
    int today = search->at.iso_weekday % WEEK + 1; /* 1 is Sunday */
    int wanted = next_in(cron->days_of_week, 0);
    if (cron->day_rule == CRON_DAYS_OF_WEEK && next_in(cron->days_of_week, today) > 0)
        wanted = next_in(cron->days_of_week, today);
    int length = month_length(&search->at);
    int day = search->at.day + (wanted - today + WEEK) % WEEK;
    bool has_passed = false;
    if (cron->day_rule == CRON_LAST_DAY_OF_WEEK && day <= length) {
        day += (length - day) / WEEK * WEEK;
    } else if (cron->day_rule == CRON_NTH_DAY_OF_WEEK) {
        int week = (day + WEEK - 1) / WEEK;
        has_passed = week > cron->nth;
        day += (cron->nth - week) * WEEK;
    }
    if (!has_passed && day == search->at.day)
        return STEP_FITS;
    if (has_passed || day > length)
        set_midnight(search, search->at.year, search->at.month + 1, 1);
    else
        set_midnight(search, search->at.year, search->at.month, day);
    return STEP_MOVED;
}

static enum step step_day(struct search *search)
{
    switch (search->cron->day_rule) {
    case CRON_DAYS_OF_WEEK:
    case CRON_LAST_DAY_OF_WEEK:
    case CRON_NTH_DAY_OF_WEEK:
        return step_day_of_week(search);
    case CRON_DAYS_OF_MONTH:
    case CRON_LAST_DAY:
    case CRON_LAST_DAY_WEEKDAY:
    case CRON_NEAREST_WEEKDAY:
        break;
    }
    return step_day_of_month(search);
}

static enum step step_month(struct search *search)
{
    int next = next_in(search->cron->months, search->at.month), year = search->at.year;
    if (next == search->at.month)
        return STEP_FITS;
    if (next < 0) {
        next = next_in(search->cron->months, 0);
        year++;
    }
    set_midnight(search, year, next, 1);
    return STEP_MOVED;
}

static enum step step_year(struct search *search)
{
    int next = next_year(search->cron, search->at.year);
    if (next == search->at.year)
        return STEP_FITS;
    if (next < 0)
        return STEP_NEVER;
    set_midnight(search, next, 1, 1);
    return STEP_MOVED;
}

static enum step step_all(struct search *search)
{
    static enum step (*const steps[])(struct search *) = {step_minute, step_hour, step_day,
                                                          step_month, step_year};
    step_second(search);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum step step = steps[i](search);
        if (step != STEP_FITS)
            return step;
    }
    return STEP_FITS;
}

/* How far behind its answer a search may come to lie on the way: it goes to the 15th first, then to the working day
 * nearest to it. */
static int64_t slack_ms(const struct cron *cron)
{
    bool is_working_day = cron->day_rule == CRON_LAST_DAY_WEEKDAY ||
                          cron->day_rule == CRON_NEAREST_WEEKDAY;
    return is_working_day ? WORKING_DAY_SLACK_S * INT64_C(1000) : 0;
}

bool cron_next_until(const struct cron *cron, const struct zone *zone, int64_t after_ms,
                     int64_t until_ms, int64_t *ret_ms)
{
    /* No expression names an earlier year; two days are more than any offset. */
    const struct civil first = {.year = CRON_FIRST_YEAR - 1, .month = 12, .day = 30};
    int64_t first_ms = civil_to_ms(&first);
    const struct civil last = {.year = CRON_LAST_YEAR + 1, .month = 1, .day = 3};
    int64_t last_ms = civil_to_ms(&last);
    if (after_ms < first_ms)
        after_ms = first_ms;
    if (after_ms >= last_ms)
        return false;
    struct search search = {.cron = cron, .zone = zone, .from_s = floor_div(after_ms, 1000) + 1};
    if (until_ms > last_ms)
        until_ms = last_ms;
    int64_t given_up_ms = until_ms + slack_ms(cron);
    show(&search, search.from_s);
    settle(&search); /* of a wall time that exists twice, the second */
    for (int i = 0; i < MAX_STEPS; i++) {
        if (search.at.year > CRON_LAST_YEAR || search.at_s * 1000 > given_up_ms)
            return false;
        enum step step = step_all(&search);
        if (step == STEP_NEVER)
            return false;
        if (step == STEP_FITS) {
            if (search.at_s * 1000 > until_ms)
                return false;
            *ret_ms = search.at_s * 1000;
            return true;
        }
    }
    return false;
}

bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ms, int64_t *ret_ms)
{
    return cron_next_until(cron, zone, after_ms, INT64_MAX, ret_ms);
}

bool cron_is_satisfiable(const struct cron *cron)
{
    struct zone *zone = zone_fixed(0);
    int64_t first_ms;
    bool found = cron_next(cron, zone, INT64_MIN, &first_ms);
    zone_unref(zone);
    return found;
}
