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

/* Of a schedule whose times up to `since_ms` are decided, those that are still to come. */
static size_t times_to_come(const struct reading *at, const struct schedule *schedule,
                            int64_t since_ms, int64_t now_ms, size_t max, int64_t *ret)
{
    struct cron cron;
    struct cron_error error;
    struct zone *zone;
    struct err err;
    int64_t next_ms;
    size_t count = 0;
    if (schedule->pause_status == PAUSE_PAUSED ||
        !cron_parse(schedule->quartz_cron_expression, &cron, &error) ||
        zones_get(at->api->backend.zones, schedule->timezone_id, &zone, &err))
        return 0;
    int64_t until_ms = schedule->end_ms == FIELD_NULL ? INT64_MAX : schedule->end_ms;
    if (schedule->start_ms != FIELD_NULL && since_ms < schedule->start_ms)
        since_ms = schedule->start_ms - 1;
    bool more = cron_next_since(&cron, zone, since_ms, now_ms + 1, until_ms, &next_ms);
    while (more && count < max) {
        ret[count++] = next_ms;
        more = cron_next_until(&cron, zone, next_ms, until_ms, &next_ms);
    }
    zone_unref(zone);
    return count;
}

size_t job_next_times(const struct reading *at, const struct uuid *job,
                      const struct job_details *details, size_t max, int64_t *ret)
{
    const struct api_backend *backend = &at->api->backend;
    int64_t now_ms = backend->now_ms(backend->context);
    struct schedule_row row;
    if (!details->schedule && !details->continuous)
        return 0;
    bool is_known =
        at->reader &&
        backend->reads.get_schedule(at->reader, at->workspace->id, job, at->arena, &row) &&
        row.active == 1;
    /* As the engine does it, from what is decided on: that may be ahead of the clock, and in the middle of a clock change
     * the present would have other times. */
    if (!details->continuous)
        return times_to_come(at, details->schedule, is_known ? row.cursor_ms : now_ms, now_ms, max,
                             ret);
    if (details->continuous->pause_status == PAUSE_PAUSED || max == 0 || !is_known ||
        row.cursor_ms <= now_ms || row.kind != SCHEDULE_CONTINUOUS)
        return 0;
    *ret = row.cursor_ms;
    return 1;
}
