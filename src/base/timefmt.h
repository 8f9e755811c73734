/*
 * Instants as text. An instant is ms since 1970-01-01T00:00:00Z; the proleptic Gregorian calendar
 * is computed here, without libc's time zone state. Years 1–9999.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TIMEFMT_TEXT = 32 };

/* 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z */
#define TIMEFMT_FIRST_MS (-INT64_C(62135596800000))
#define TIMEFMT_LAST_MS  INT64_C(253402300799999)

struct civil {
    int year, month, day; /* month 1–12, day 1–31 */
    int hour, minute, second, ms;
    int iso_weekday; /* 1 Monday … 7 Sunday */
};

struct civil civil_from_ms(int64_t ms);
/* Ignores iso_weekday; fields are not checked. */
int64_t civil_to_ms(const struct civil *civil);
/* 28–31; month 1–12. */
int civil_month_days(int year, int month);

/* RFC 3339 with ms and Z, "2026-01-31T23:59:59.999Z"; returns `text`. */
char *timefmt_rfc3339(int64_t ms, char text[static TIMEFMT_TEXT]);
/* Accepts RFC 3339 with any offset and 0–9 fraction digits (cut to ms). */
bool timefmt_parse(const char *text, int64_t *ret_ms);
/* The same, or epoch ms in digits. */
bool timefmt_parse_instant(const char *text, int64_t *ret_ms);
/* Accepts HTTP's form only: "Thu, 05 Jan 2014 21:31:40 GMT". The name of the day is not held against
 * the date. */
bool timefmt_parse_http(const char *text, int64_t *ret_ms);
/* Accepts ISO 8601's basic form only: "20140105T213140Z". */
bool timefmt_parse_basic(const char *text, int64_t *ret_ms);
