/* The schedule of a job or a run: what its table cannot say. */
#include "calendar/schedule.h"

#include "api/oracle/oracle.h"

enum err_code schedule_check(struct call *call, const struct schedule *schedule)
{
    struct cron cron;
    struct zone *zone;
    if (!schedule)
        return ERR_OK;
    if (schedule_parse_cron(schedule->quartz_cron_expression, "schedule.quartzCronExpression",
                            &cron, &call->err) ||
        schedule_find_zone(call->backend->zones, schedule->timezone_id, "schedule.timezoneId",
                           &zone, &call->err))
        return call->err.code;
    zone_unref(zone);
    return ERR_OK;
}
