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

enum { TIMES_MAX_BYTES = 2 + UPCOMING_MAX * 21 };

struct times_view {
    const char *next;        /* JSON */
    struct field_list items; /* of struct time_view */
};

static const struct field times_fields[] = {
    {.name = "next",
     .kind = FIELD_RAW,
     .flags = FIELD_REQUIRED,
     AT(times_view, next),
     .doc = "The times alone, in ms since 1970: a list of integers."},
    {.name = "items",
     .kind = FIELD_LIST,
     AT(times_view, items),
     .object = &time_schema,
     .doc = "The same times, and what clock changes do to them."},
};
const struct schema schedule_times_schema =
    SCHEMA("ScheduleTimes", times_view, times_fields, "When a schedule would fire next.");

static void print_times(struct call *call, const struct upcoming *times, size_t count)
{
    struct arena *arena = call->arena;
    struct time_view *views = ARENA_ARRAY(arena, count, struct time_view);
    struct buf next, note;
    buf_init(&next, TIMES_MAX_BYTES);
    buf_init(&note, ERR_MESSAGE_MAX);
    buf_putc(&next, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(&next, ',');
        buf_int(&next, times[i].time_ms);
        buf_clear(&note);
        upcoming_note(&times[i], &note);
        views[i] = (struct time_view){
            .time_ms = times[i].time_ms,
            .local = upcoming_local(&times[i], arena_alloc(arena, UPCOMING_TEXT)),
            .clock_change = upcoming_change_name(&times[i]),
            .note = note.len ? arena_strdup(arena, note.data) : NULL,
        };
    }
    buf_putc(&next, ']');
    const struct times_view view = {arena_strdup(arena, next.data), {views, count}};
    respond_json(call, 200);
    fields_print(&schedule_times_schema, &view, &call->response->body);
    buf_release(&next);
    buf_release(&note);
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
