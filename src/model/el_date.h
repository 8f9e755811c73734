/*
 * Dates of EL: patterns of java.text.SimpleDateFormat in English, and arithmetic of the calendar.
 *
 * Letters: G y Y M L w W D d F E u a H k K h m s S Z X, text between ' and ', '' for one '. Weeks
 * begin on Sunday, and the first of a year holds January 1st. Names of zones (z) are not known here.
 * Instants are in ms and within the years 1 to 9999 of the clock's zone; what would leave them is
 * refused.
 */
#pragma once

#include "base/timefmt.h"
#include "model/el.h"

/* Message: "… must …", about the pattern. */
enum err_code el_date_check(const char *pattern, struct err *err);
enum err_code el_date_format(int64_t ms, const char *pattern, const struct el_clock *clock,
                             struct buf *out, struct err *err);
/* The whole text, blanks and all. Reads y M L d H k K h m s S a Z X, and E without holding it
 * against the date; what the pattern lacks is that of 1970-01-01T00:00. Two digits of a year (yy)
 * mean the one from 80 years before `now_ms` to 20 years behind it. */
enum err_code el_date_parse(const char *text, const char *pattern, const struct el_clock *clock,
                            int64_t now_ms, int64_t *ret_ms, struct err *err);

enum el_unit { EL_MINUTES, EL_HOURS, EL_DAYS, EL_MONTHS };
/* Days and months keep the time on the clock, months the day where there is one; hours and minutes
 * are counted. */
enum err_code el_date_add(int64_t ms, enum el_unit unit, int64_t count,
                          const struct el_clock *clock, int64_t *ret_ms, struct err *err);

struct civil el_date_local(int64_t ms, const struct el_clock *clock);
