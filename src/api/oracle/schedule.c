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

static size_t times_after(const struct reading *at, const struct schedule *schedule, int64_t after,
                          size_t max, int64_t *ret)
{
    const struct api_backend *backend = &at->api->backend;
    struct cron cron;
    struct cron_error error;
    struct zone *zone;
    struct err err;
    size_t count = 0;
    if (!schedule || schedule->pause_status == PAUSE_PAUSED ||
        !cron_parse(schedule->quartz_cron_expression, &cron, &error) ||
        zones_get(backend->zones, schedule->timezone_id, &zone, &err))
        return 0;
    int64_t until = schedule->end_ms == FIELD_NULL ? INT64_MAX : schedule->end_ms;
    if (schedule->start_ms != FIELD_NULL && after < schedule->start_ms)
        after = schedule->start_ms - 1;
    while (count < max && cron_next(&cron, zone, after, &after) && after <= until)
        ret[count++] = after;
    zone_unref(zone);
    return count;
}

size_t schedule_next_times(const struct reading *at, const struct schedule *schedule, size_t max,
                           int64_t *ret)
{
    const struct api_backend *backend = &at->api->backend;
    return times_after(at, schedule, backend->now_ms(backend->context), max, ret);
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
    /* What is decided already does not fire again, though the clock may have been ahead when it was. */
    bool is_ahead = is_known && row.cursor_ms > now_ms;
    if (!details->continuous)
        return times_after(at, details->schedule, is_ahead ? row.cursor_ms : now_ms, max, ret);
    if (details->continuous->pause_status == PAUSE_PAUSED || max == 0 || !is_ahead ||
        row.kind != SCHEDULE_CONTINUOUS)
        return 0;
    *ret = row.cursor_ms;
    return 1;
}
