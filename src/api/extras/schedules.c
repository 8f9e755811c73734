/* The next times of a schedule that is not saved yet: for whoever is writing one. */
#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "calendar/schedule.h"
#include "calendar/upcoming.h"

struct next_query {
    const char *quartz_cron_expression;
    const char *timezone_id;
    const char *after;
    int64_t count;
    /* what the texts mean, once they were looked at */
    struct cron cron;
    int64_t after_ms;
};

static const struct field query_fields[] = {
    {.name = "quartzCronExpression",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(next_query, quartz_cron_expression),
     .doc = "A Quartz cron expression of six or seven fields."},
    {.name = "timezoneId",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(next_query, timezone_id),
     .doc = "A Java time zone id."},
    {.name = "after",
     .kind = FIELD_STRING,
     AT(next_query, after),
     .doc = "Epoch ms or RFC 3339: times are strictly later; absent: now."},
    {.name = "count",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(next_query, count),
     .min = 1,
     .max = UPCOMING_MAX,
     .fallback = UPCOMING_DEFAULT,
     .doc = "Most times of an answer; fewer when it fires no more."},
};
const struct schema schedule_next_query_schema =
    SCHEMA("NextScheduleTimes", next_query, query_fields, "Which times of which schedule.");

struct time_view {
    int64_t time_ms;
    const char *local;
    const char *clock_change;
    const char *note;
};

static const struct field time_fields[] = {
    {.name = "time", .kind = FIELD_TIME, AT(time_view, time_ms), .doc = "When it fires."},
    {.name = "local",
     .kind = FIELD_STRING,
     AT(time_view, local),
     .doc = "The same as clocks of the time zone show it, RFC 3339."},
    {.name = "clockChange",
     .kind = FIELD_STRING,
     AT(time_view, clock_change),
     .doc = "GAP or OVERLAP when clocks are changed on its local day, else null."},
    {.name = "note",
     .kind = FIELD_STRING,
     AT(time_view, note),
     .doc = "What is special about it, in words; null on an ordinary day."},
};
static const struct schema time_schema =
    SCHEMA("ScheduleTime", time_view, time_fields, "A time at which a schedule fires.");

static void print_times(struct call *call, const struct upcoming *times, size_t count)
{
    struct buf *body = &call->response->body, note;
    char local[UPCOMING_TEXT];
    respond_json(call, 200);
    BUF_LIT(body, "{\"next\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(body, ',');
        buf_int(body, times[i].time_ms);
    }
    BUF_LIT(body, "],\"items\":[");
    buf_init(&note, ERR_MESSAGE_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&note);
        upcoming_note(&times[i], &note);
        const struct time_view view = {
            .time_ms = times[i].time_ms,
            .local = upcoming_local(&times[i], local),
            .clock_change = upcoming_change_name(&times[i]),
            .note = note.len ? note.data : NULL,
        };
        if (i)
            buf_putc(body, ',');
        fields_print(&time_schema, &view, body);
    }
    buf_release(&note);
    BUF_LIT(body, "]}");
}

/* All that can be wrong is the request's, so it is looked at with the fields. */
enum err_code schedule_next_parse(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct next_query *query = call->filter;
    struct zone *zone;
    query->after_ms = backend->now_ms(backend->context);
    if (schedule_parse_cron(query->quartz_cron_expression, "quartzCronExpression", &query->cron,
                            &call->err) ||
        (query->after && query_parse_time("after", query->after, true, call->arena,
                                          &query->after_ms, &call->err)) ||
        schedule_find_zone(backend->zones, query->timezone_id, "timezoneId", &zone, &call->err))
        return call->err.code;
    zone_unref(zone); /* the caller's role may be too low: nothing is held until then */
    return ERR_OK;
}

enum err_code schedule_next_get(struct call *call)
{
    const struct next_query *query = call->filter;
    struct zone *zone;
    if (schedule_find_zone(call->backend->zones, query->timezone_id, "timezoneId", &zone,
                           &call->err))
        return call->err.code;
    struct upcoming *times = ARENA_ARRAY(call->arena, (size_t)query->count, struct upcoming);
    size_t count = upcoming_list(&query->cron, zone, query->after_ms, (size_t)query->count, times);
    zone_unref(zone);
    print_times(call, times, count);
    return ERR_OK;
}
