/*
 * A schedule as a job or a request names it, checked: expression and time zone.
 *
 * One place, so that what is saved, previewed and fired is judged alike. Messages name the field, and in the expression the
 * column: "schedule.quartzCronExpression, column 5: the hour must be a number from 0 to 23, not "25"".
 */
#pragma once

#include "calendar/cron.h"
#include "calendar/zones.h"

/* The expression alone; `where` names its field. ERR_INVALID_PARAMETER. */
__attribute__((warn_unused_result)) enum err_code schedule_parse_cron(const char *expression,
                                                                      const char *where,
                                                                      struct cron *ret,
                                                                      struct err *err);
/* The zone alone, one reference for the caller. */
__attribute__((warn_unused_result)) enum err_code schedule_find_zone(
    struct zones *zones, const char *id, const char *where, struct zone **ret, struct err *err);
