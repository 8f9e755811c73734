/*
 * Quartz cron expressions: parsed, and asked for the next time that they fire.
 *
 * Pure functions of (expression, zone, instant). They do what CronExpression of Quartz 2.3.2 does, its gaps, overlaps and
 * oddities included; docs/design/calendar.md lists the few texts that it takes and we refuse, and why. RULES §11.
 *
 * Instants are ms since 1970-01-01T00:00:00Z. Columns count from 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "calendar/zone.h"

enum cron_field {
    CRON_SECOND,
    CRON_MINUTE,
    CRON_HOUR,
    CRON_DAY_OF_MONTH,
    CRON_MONTH,
    CRON_DAY_OF_WEEK,
    CRON_YEAR,
    CRON_FIELD_COUNT, /* in errors: the expression as a whole */
};

enum {
    CRON_MAX_TEXT = 512,    /* bytes of an expression */
    CRON_FIRST_YEAR = 1900, /* that may be named; `*` begins with 1970, as in Quartz */
    CRON_LAST_YEAR = 2199,  /* nothing fires later */
    CRON_YEAR_WORDS = (CRON_LAST_YEAR - CRON_FIRST_YEAR) / 64 + 1,
    CRON_ERROR_MAX = 192,
};

/* Which days of a month count. */
enum cron_day_rule {
    CRON_DAYS_OF_MONTH,    /* 1,15 */
    CRON_LAST_DAY,         /* L, L-3 */
    CRON_LAST_DAY_WEEKDAY, /* LW, L-3W: the working day nearest to it */
    CRON_NEAREST_WEEKDAY,  /* 15W: the working day nearest to the first day that is named */
    CRON_DAYS_OF_WEEK,     /* MON-FRI */
    CRON_LAST_DAY_OF_WEEK, /* 6L: the last Friday */
    CRON_NTH_DAY_OF_WEEK,  /* 6#3: the third Friday */
};

/* Sets of values are bits: bit 5 of `hours` is five o'clock. */
struct cron {
    uint64_t seconds;
    uint64_t minutes;
    uint64_t hours;
    uint64_t days_of_month;
    uint64_t months;
    uint64_t days_of_week; /* 1 is Sunday */
    uint64_t years[CRON_YEAR_WORDS];
    enum cron_day_rule day_rule;
    int last_day_offset; /* the 3 of L-3 */
    int nth;             /* the 3 of 6#3 */
};

struct cron_error {
    enum cron_field field;
    int column;                   /* where the text is wrong */
    char message[CRON_ERROR_MAX]; /* "must be a number from 0 to 23, not 25" */
};

/* Parses a whole expression; `ret` is untouched on failure. */
__attribute__((warn_unused_result)) bool cron_parse(const char *text, struct cron *ret,
                                                    struct cron_error *error);
/* "hour", "day of month", …; "expression" for CRON_FIELD_COUNT. */
const char *cron_field_name(enum cron_field field);

/* The first time strictly after `after_ms`; false: it fires no more, up to the end of CRON_LAST_YEAR.
 * Bounded work: some steps for each month that has to be looked at. */
__attribute__((warn_unused_result)) bool cron_next(const struct cron *cron, const struct zone *zone,
                                                   int64_t after_ms, int64_t *ret_ms);
/* The same, but nothing later than `until_ms` is looked for. */
__attribute__((warn_unused_result)) bool cron_next_until(const struct cron *cron,
                                                         const struct zone *zone, int64_t after_ms,
                                                         int64_t until_ms, int64_t *ret_ms);
/* The newest time up to `until_ms`; `known_ms` is one of them. Some forty questions, however many times
 * lie between. */
int64_t cron_newest_until(const struct cron *cron, const struct zone *zone, int64_t known_ms,
                          int64_t until_ms);
/* The last time before `before_ms`; false: there is none within ten years. */
__attribute__((warn_unused_result)) bool cron_previous(const struct cron *cron,
                                                       const struct zone *zone, int64_t before_ms,
                                                       int64_t *ret_ms);
/* Of a schedule that has been going since `since_ms`, the first time at or after `from_ms`, not later than `until_ms`. On a day
 * of a clock change that may be another one than a search sees that begins at `from_ms` itself. */
__attribute__((warn_unused_result)) bool cron_next_since(const struct cron *cron,
                                                         const struct zone *zone, int64_t since_ms,
                                                         int64_t from_ms, int64_t until_ms,
                                                         int64_t *ret_ms);
/* Is there any day on which it fires? "0 0 0 30 2 ?" has none. Says nothing of when: all its years may have passed. */
bool cron_is_satisfiable(const struct cron *cron);
