/*
 * The rule behind the table of a zone: the POSIX TZ text in the footer of a TZif file, with the hours of version 3
 * (-167 to 167). "CET-1CEST,M3.5.0,M10.5.0/3". For src/calendar only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calendar/zone.h"

enum posix_day_kind {
    POSIX_DAY_JULIAN,  /* J60: 1–365, February 29 is not counted */
    POSIX_DAY_OF_YEAR, /* 59: 0–365, it is */
    POSIX_DAY_OF_WEEK, /* M3.5.0: the fifth, which means last, Sunday of March */
};

struct posix_day {
    enum posix_day_kind kind;
    int day;  /* of the year; of the week, 0 is Sunday */
    int week; /* 1–5 */
    int month;
    int32_t time_s; /* of the wall clock until then, from that day's midnight */
};

struct posix_tz {
    int32_t standard_s; /* offsets, east is positive (the text has west) */
    int32_t summer_s;
    bool has_summer;
    struct posix_day start, end; /* of summer time */
};

/* The whole text. False: it is not one, `ret` is untouched. */
__attribute__((warn_unused_result)) bool posix_tz_parse(const char *text, size_t len,
                                                        struct posix_tz *ret);
/* The newest change by the rule at or before the instant. Only with has_summer. */
struct zone_change posix_tz_newest_change(const struct posix_tz *rule, int64_t instant_s);
