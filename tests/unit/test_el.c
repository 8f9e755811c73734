/* model/el: expressions of DataArts (RULES §10). What dates become was made with java.text.SimpleDateFormat and
 * java.util.GregorianCalendar of OpenJDK 17. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/timefmt.h"
#include "calendar/zones.h"
#include "model/el_date.h"

/* ---- dates ---- */

static int32_t offset(const void *zone, int64_t instant_s)
{
    return zone_offset(zone, instant_s);
}

static int64_t instant(const void *zone, int64_t local_s)
{
    return zone_instant(zone, local_s);
}

struct setting {
    struct zones *zones;
    struct zone *zone;
    struct el_clock clock;
};

static void set_zone(struct setting *setting, const char *id)
{
    struct err err;
    zone_unref(setting->zone);
    setting->zone = NULL;
    assert_int_equal(zones_get(setting->zones, id, &setting->zone, &err), ERR_OK);
    setting->clock = (struct el_clock){setting->zone, offset, instant};
}

static int set_up(void **state)
{
    struct setting *setting = xcalloc(1, sizeof *setting);
    setting->zones = zones_new(ZONES_FOLDER);
    set_zone(setting, "UTC");
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;
    zone_unref(setting->zone);
    zones_free(setting->zones);
    free(setting);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t ms;
    if (!timefmt_parse(text, &ms))
        fail_msg("%s is no time", text);
    return ms;
}

static void dates_are_formatted(void **state)
{
    struct setting *setting = *state;
    static const struct {
        const char *instant;
        const char *zone;
        const char *pattern;
        const char *text;
    } cases[] = {
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyyy-MM-dd HH:mm:ss", "2024-03-01 00:30:05"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyyyMMdd", "20240301"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yy", "24"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "y", "2024"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyy", "2024"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyyyy", "02024"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "MMM", "Mar"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "MMMM", "March"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "M", "3"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "E", "Fri"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "EEEE", "Friday"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "d", "1"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "D", "61"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "DDD", "061"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "u", "5"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "F", "1"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "w", "9"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "ww", "09"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "W", "1"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "YYYY", "2024"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "H", "0"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "k", "24"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "K", "0"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "h", "12"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "a", "AM"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "S", "7"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "SSS", "007"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "Z", "+0800"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "X", "+08"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "XX", "+0800"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "XXX", "+08:00"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "G", "AD"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "L", "3"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "LLLL", "March"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyyy-MM-dd'T'HH", "2024-03-01T00"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "h 'o''clock' a", "12 o'clock AM"},
        {"2024-02-29T16:30:05.007Z", "Asia/Shanghai", "yyyy年M月d日", "2024年3月1日"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "yyyy.MM.dd G 'at' HH:mm:ss",
         "2001.07.04 AD at 12:08:56"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "EEE, MMM d, ''yy", "Wed, Jul 4, '01"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "h:mm a", "12:08 PM"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "hh 'o''clock' a", "12 o'clock PM"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "yyyyy.MMMMM.dd GGG hh:mm aaa",
         "02001.July.04 AD 12:08 PM"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "EEE, d MMM yyyy HH:mm:ss Z",
         "Wed, 4 Jul 2001 12:08:56 -0700"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "yyMMddHHmmssZ", "010704120856-0700"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
         "2001-07-04T12:08:56.235-0700"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
         "2001-07-04T12:08:56.235-07:00"},
        {"2001-07-04T19:08:56.235Z", "America/Los_Angeles", "YYYY-'W'ww-u", "2001-W27-3"},
        {"2024-12-28T12:00:00Z", "UTC", "YYYY w W F D u", "2024 52 4 4 363 6"},
        {"2024-12-29T12:00:00Z", "UTC", "YYYY w W F D u", "2025 1 5 5 364 7"},
        {"2024-12-31T12:00:00Z", "UTC", "YYYY w W F D u", "2025 1 5 5 366 2"},
        {"2023-01-01T00:00:00Z", "UTC", "YYYY w W F D u", "2023 1 1 1 1 7"},
        {"2021-12-25T00:00:00Z", "UTC", "YYYY w W F D u", "2021 52 4 4 359 6"},
        {"2021-12-26T00:00:00Z", "UTC", "YYYY w W F D u", "2022 1 5 4 360 7"},
        {"2022-01-01T12:00:00Z", "UTC", "YYYY w W F D u", "2022 1 1 1 1 6"},
        {"2027-01-02T12:00:00Z", "UTC", "YYYY w W F D u", "2027 1 1 1 2 6"},
        {"2000-12-31T12:00:00Z", "UTC", "YYYY w W F D u", "2001 1 6 5 366 7"},
        {"2024-03-31T00:59:59Z", "Europe/Berlin", "yyyy-MM-dd HH:mm:ss XXX",
         "2024-03-31 01:59:59 +01:00"},
        {"2024-03-31T01:00:00Z", "Europe/Berlin", "yyyy-MM-dd HH:mm:ss XXX",
         "2024-03-31 03:00:00 +02:00"},
        {"2024-10-27T00:30:00Z", "Europe/Berlin", "HH:mm Z", "02:30 +0200"},
        {"2024-10-27T01:30:00Z", "Europe/Berlin", "HH:mm Z", "02:30 +0100"},
        {"2024-06-01T00:00:00Z", "Asia/Kolkata", "X XX XXX", "+05 +0530 +05:30"},
        {"2024-06-01T00:00:00Z", "America/St_Johns", "X XX XXX", "-02 -0230 -02:30"},
        {"2024-06-01T00:00:00Z", "UTC", "X XX XXX Z", "Z Z Z +0000"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err err;
        buf_init(&out, 4096);
        set_zone(setting, cases[i].zone);
        if (el_date_format(at(cases[i].instant), cases[i].pattern, &setting->clock, &out, &err))
            fail_msg("%s: %s", cases[i].pattern, err.message);
        assert_string_equal(out.data, cases[i].text);
        buf_release(&out);
    }
}

static void dates_are_added_to(void **state)
{
    struct setting *setting = *state;
    static const struct {
        const char *instant;
        const char *zone;
        enum el_unit unit;
        int64_t count;
        const char *sum;
    } cases[] = {
        {"2024-03-30T01:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-03-31T00:30:00Z"},
        {"2024-03-30T00:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-03-31T00:30:00Z"},
        {"2024-03-30T02:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-03-31T01:30:00Z"},
        {"2024-03-30T23:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-03-31T22:30:00Z"},
        {"2024-04-01T00:30:00Z", "Europe/Berlin", EL_DAYS, -1, "2024-03-31T01:30:00Z"},
        {"2024-10-26T00:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-10-27T00:30:00Z"},
        {"2024-10-28T01:30:00Z", "Europe/Berlin", EL_DAYS, -1, "2024-10-27T01:30:00Z"},
        {"2024-10-26T12:00:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-10-27T13:00:00Z"},
        {"2024-10-27T00:30:00Z", "Europe/Berlin", EL_DAYS, 1, "2024-10-28T01:30:00Z"},
        {"2024-10-27T01:30:00Z", "Europe/Berlin", EL_DAYS, -1, "2024-10-26T00:30:00Z"},
        {"2024-10-27T01:30:00Z", "Europe/Berlin", EL_DAYS, 0, "2024-10-27T01:30:00Z"},
        {"2024-10-27T00:30:00Z", "Europe/Berlin", EL_DAYS, 0, "2024-10-27T00:30:00Z"},
        {"2024-03-31T00:30:00Z", "Europe/Berlin", EL_HOURS, 1, "2024-03-31T01:30:00Z"},
        {"2024-10-27T00:30:00Z", "Europe/Berlin", EL_HOURS, 1, "2024-10-27T01:30:00Z"},
        {"2024-03-31T00:30:00Z", "Europe/Berlin", EL_MINUTES, 31, "2024-03-31T01:01:00Z"},
        {"2024-01-01T00:00:00Z", "Europe/Berlin", EL_MINUTES, -1, "2023-12-31T23:59:00Z"},
        {"2024-01-31T10:00:00Z", "UTC", EL_MONTHS, 1, "2024-02-29T10:00:00Z"},
        {"2023-01-31T10:00:00Z", "UTC", EL_MONTHS, 1, "2023-02-28T10:00:00Z"},
        {"2024-03-31T10:00:00Z", "UTC", EL_MONTHS, -1, "2024-02-29T10:00:00Z"},
        {"2024-12-15T10:00:00Z", "UTC", EL_MONTHS, 1, "2025-01-15T10:00:00Z"},
        {"2024-01-15T10:00:00Z", "UTC", EL_MONTHS, -1, "2023-12-15T10:00:00Z"},
        {"2024-02-29T10:00:00Z", "UTC", EL_MONTHS, -12, "2023-02-28T10:00:00Z"},
        {"2024-05-31T10:00:00Z", "UTC", EL_MONTHS, -27, "2022-02-28T10:00:00Z"},
        {"2024-02-29T01:30:00Z", "Europe/Berlin", EL_MONTHS, 1, "2024-03-29T01:30:00Z"},
        {"2024-02-29T23:30:00Z", "Asia/Shanghai", EL_MONTHS, 1, "2024-03-31T23:30:00Z"},
        {"2024-03-29T01:30:00Z", "Europe/Berlin", EL_DAYS, 2, "2024-03-31T00:30:00Z"},
        {"2024-09-27T00:30:00Z", "Europe/Berlin", EL_MONTHS, 1, "2024-10-27T01:30:00Z"},
        {"2024-11-27T01:30:00Z", "Europe/Berlin", EL_MONTHS, -1, "2024-10-27T01:30:00Z"},
        {"2024-03-31T00:30:00Z", "Europe/Berlin", EL_MONTHS, 0, "2024-03-31T00:30:00Z"},
        {"2024-10-27T00:30:00Z", "Europe/Berlin", EL_MONTHS, 0, "2024-10-27T00:30:00Z"},
        {"2024-10-27T01:30:00Z", "Europe/Berlin", EL_MONTHS, 12, "2025-10-27T01:30:00Z"},
        {"2011-12-29T12:00:00Z", "Pacific/Apia", EL_DAYS, 1, "2011-12-30T12:00:00Z"},
        {"2011-12-28T12:00:00Z", "Pacific/Apia", EL_DAYS, 1, "2011-12-29T12:00:00Z"},
        {"2018-11-03T05:00:00Z", "America/Sao_Paulo", EL_DAYS, 1, "2018-11-04T04:00:00Z"},
        {"2018-11-03T03:00:00Z", "America/Sao_Paulo", EL_DAYS, 1, "2018-11-04T03:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        int64_t ms = 0;
        set_zone(setting, cases[i].zone);
        assert_int_equal(el_date_add(at(cases[i].instant), cases[i].unit, cases[i].count,
                                     &setting->clock, &ms, &err),
                         ERR_OK);
        if (ms != at(cases[i].sum))
            fail_msg("%s %+lld in %s is %lld, not %s", cases[i].instant, (long long)cases[i].count,
                     cases[i].zone, (long long)ms, cases[i].sum);
    }
    static const int64_t far[] = {INT64_MAX, INT64_MIN, INT64_C(6000000000), 120000, -30000};
    for (size_t i = 0; i < ARRAY_LEN(far); i++) {
        struct err err;
        int64_t ms;
        assert_int_not_equal(
            el_date_add(at("2024-01-01T00:00:00Z"), EL_MONTHS, far[i], &setting->clock, &ms, &err),
            0);
        assert_refused(&err, ERR_INVALID_PARAMETER, "leaves the years 1 to 9999");
    }
}

static void dates_are_parsed(void **state)
{
    struct setting *setting = *state;
    static const struct {
        const char *text;
        const char *zone;
        const char *pattern;
        const char *instant; /* NULL: refused */
    } cases[] = {
        {"2024-03-01 00:30:05", "Asia/Shanghai", "yyyy-MM-dd HH:mm:ss", "2024-02-29T16:30:05Z"},
        {"20240301", "Asia/Shanghai", "yyyyMMdd", "2024-02-29T16:00:00Z"},
        {"2024031", "UTC", "yyyyMMdd", "2024-03-01T00:00:00Z"},
        {"240301", "UTC", "yyMMdd", "2024-03-01T00:00:00Z"},
        {"450301", "UTC", "yyMMdd", "2045-03-01T00:00:00Z"},
        {"440301", "UTC", "yyMMdd", "2044-03-01T00:00:00Z"},
        {"Mar 1, 2024 1:05 PM", "UTC", "MMM d, yyyy h:mm a", "2024-03-01T13:05:00Z"},
        {"March 1, 2024 12:05 am", "UTC", "MMM d, yyyy h:mm a", "2024-03-01T00:05:00Z"},
        {"2001-07-04T12:08:56.235-0700", "UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
         "2001-07-04T19:08:56.235Z"},
        {"2001-07-04T12:08:56.235-07:00", "UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
         "2001-07-04T19:08:56.235Z"},
        {"2001-07-04T12:08:56Z", "UTC", "yyyy-MM-dd'T'HH:mm:ssX", "2001-07-04T12:08:56Z"},
        {"Wed, 4 Jul 2001 12:08:56 -0700", "UTC", "EEE, d MMM yyyy HH:mm:ss Z",
         "2001-07-04T19:08:56Z"},
        {"2024-13-01", "UTC", "yyyy-MM-dd", NULL},
        {"2023-02-29", "UTC", "yyyy-MM-dd", NULL},
        {"2024-2-3", "UTC", "yyyy-MM-dd", "2024-02-03T00:00:00Z"},
        {"2024-10-27 02:30", "Europe/Berlin", "yyyy-MM-dd HH:mm", "2024-10-27T01:30:00Z"},
        {"24:05", "UTC", "kk:mm", "1970-01-01T00:05:00Z"},
        {"11", "UTC", "KK", "1970-01-01T11:00:00Z"},
        {"12:00 AM", "UTC", "hh:mm a", "1970-01-01T00:00:00Z"},
        {"2024-03-01 ", "UTC", "yyyy-MM-dd", NULL},
        {"", "UTC", "yyyy", NULL},
        {"2024", "UTC", "yyyyMM", NULL},
        {"99999999999", "UTC", "yyyy", NULL},
        {"+99:99", "UTC", "XXX", NULL},
        {"Foo 1", "UTC", "MMM d", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        int64_t ms = 0;
        set_zone(setting, cases[i].zone);
        enum err_code code = el_date_parse(cases[i].text, cases[i].pattern, &setting->clock,
                                           at("2026-11-26T00:00:00Z"), &ms, &err);
        if (!cases[i].instant)
            assert_int_equal(code, ERR_INVALID_PARAMETER);
        else if (code || ms != at(cases[i].instant))
            fail_msg("%s by %s: %lld, not %s", cases[i].text, cases[i].pattern, (long long)ms,
                     cases[i].instant);
    }
}

static void patterns_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *part;
    } cases[] = {
        {"yyyy-MM-dd'T", "whose ' are closed"},
        {"hh:mm z", "without z"},
        {"b", "b is no letter"},
        {"XXXX", "at most XXX"},
        {"yyyyI", "I is no letter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        el_date_check(cases[i].pattern, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i].part);
    }
}

/* ---- expressions ---- */

static const struct param parameters[] = {
    {"n", "5"}, {"name", "Ada"}, {"empty", ""}, {"evil", "#{Job.name}${n}'"}, {"day.fmt", "yyyy"},
};

static const char *variable(const void *context, const char *name)
{
    (void)context;
    return strcmp(name, "REGION") == 0 ? "north" : NULL;
}

static const char *status(const void *context, const char *task_key)
{
    (void)context;
    return strcmp(task_key, "first") == 0 ? "success" : NULL;
}

/* The plan is for half past midnight of March 1st in Shanghai. */
static struct el_scope scope_of(struct setting *setting)
{
    set_zone(setting, "Asia/Shanghai");
    return (struct el_scope){
        .job_name = "nightly",
        .plan_ms = at("2024-02-29T16:30:05.007Z"),
        .start_ms = at("2024-02-29T16:31:00Z"),
        .now_ms = at("2024-02-29T17:00:00Z"),
        .clock = setting->clock,
        .parameters = parameters,
        .parameter_count = ARRAY_LEN(parameters),
        .env = variable,
        .node_status = status,
    };
}

static void texts_are_resolved(void **state)
{
    static const struct {
        const char *text;
        const char *result;
    } cases[] = {
        {"", ""},
        {"plain {{job.id}} # $ { } text", "plain {{job.id}} # $ { } text"},
        {"#{Job.name}", "nightly"},
        {"a #{ Job.name } b #{Job['name']}", "a nightly b nightly"},
        {"#{Job.planTime}", "2024-03-01 00:30:05"},
        {"#{DateUtil.format(Job.planTime, 'yyyyMMdd')}", "20240301"},
        {"dt=#{DateUtil.format(DateUtil.addDays(Job.planTime,-1),\"yyyy-MM-dd\")}/x",
         "dt=2024-02-29/x"},
        {"#{DateUtil.format(DateUtil.addMonths(Job.planTime,-1),'yyyyMM')}", "202402"},
        {"#{DateUtil.format(DateUtil.addHours(Job.planTime,-1),'yyyyMMddHH')}", "2024022923"},
        {"#{DateUtil.format(DateUtil.addMinutes(Job.startTime, 29),'HH:mm')}", "01:00"},
        {"#{Job.getPlanTime('yyyy')}-#{Job.getYesterday('MM-dd')}-#{Job.getLastHour('HH')}",
         "2024-02-29-23"},
        {"#{DateUtil.getDay(Job.planTime)} #{DateUtil.getMonth(Job.planTime)} #{DateUtil.getQuarter(Job.planTime)} "
         "#{DateUtil.getYear(Job.planTime)}",
         "1 3 1 2024"},
        {"#{DateUtil.getTime(Job.planTime)}", "1709224205007"},
        {"#{DateUtil.format(DateUtil.now(), 'HH:mm')}", "01:00"},
        {"#{DateUtil.format(DateUtil.parseDate('2020-02-28', 'yyyy-MM-dd'), 'EEE')}", "Fri"},
        {"#{Job.getParam('name')} #{Job.getParam(\"n\")}", "Ada 5"},
        {"#{Job.getNodeStatus('first')}", "success"},
        {"#{Env.get('REGION')}", "north"},
        {"${name} and ${HOME} and ${} and $name and ${n",
         "Ada and ${HOME} and ${} and $name and ${n"},
        {"#{${n} + 1} #{'<${name}>'} #{\"${HOME}\"}", "6 <Ada> ${HOME}"},
        {"#{DateUtil.format(Job.planTime, '${day.fmt}')}", "2024"},
        /* nothing is looked through twice */
        {"${evil}", "#{Job.name}${n}'"},
        {"#{Job.getParam('evil')}", "#{Job.name}${n}'"},
        {"#{'${evil}'}", "#{Job.name}${n}'"},
        /* quotes and braces */
        {"#{'}'}#{\"#{\"}#{'it\\'s'}#{'a\\\\b'}#{'a\\nb'}", "}#{it'sa\\ba\\nb"},
        {"\xe4\xb8\xad#{'\xe6\x96\x87'}", "\xe4\xb8\xad\xe6\x96\x87"},
        /* arithmetic */
        {"#{1 + 2 * 3 - 4}", "3"},
        {"#{(1 + 2) * -3}", "-9"},
        {"#{7 / 2} #{7 div 7} #{1 / 3}", "3.5 1.0 0.3333333333333333"},
        {"#{7 % 3} #{-7 mod 3} #{7.5 % 2}", "1 -1 1.5"},
        {"#{1.5 + 1} #{1e7} #{0.0001} #{123456.0 * 100}", "2.5 1.0E7 1.0E-4 1.23456E7"},
        {"#{'2' + '3'} #{'2.5' * 2} #{null + 1} #{'' + 1} #{-'4'}", "5 5.0 1 1 -4"},
        {"#{9223372036854775807 - 1}", "9223372036854775806"},
        /* comparisons */
        {"#{1 == 1.0} #{'1' == 1} #{'a' eq 'a'} #{'a' ne 'b'} #{true == 'true'}",
         "true true true true true"},
        {"#{2 < 10} #{'2' < '10'} #{'2' lt 10} #{'b' > 'a'}", "true false true true"},
        {"#{1 <= 1} #{1 ge 2} #{1 le 2} #{3 gt 2}", "true false true true"},
        {"#{null == null} #{null == ''} #{null < 1} #{null >= null}", "true false false true"},
        {"#{Job.planTime < Job.startTime} #{Job.planTime == Job.planTime}", "true true"},
        {"#{Job.getNodeStatus('first') == 'success' && Job.getParam('n') > 4}", "true"},
        /* logic */
        {"#{true and false} #{true or false} #{not true} #{!false}", "false true false true"},
        {"#{false && Job.getParam('none')} #{true || Job.getParam('none')}", "false true"},
        {"#{true || false && false} #{1 < 2 == true}", "true true"},
        {"#{empty ''} #{empty null} #{empty 'x'} #{not empty Job.getParam('empty')}",
         "true true false false"},
        {"#{1 > 2 ? 'a' : 2 > 1 ? 'b' : 'c'}", "b"},
        {"#{true ? 1 : Job.getParam('none')}", "1"},
    };
    struct setting *setting = *state;
    struct el_scope scope = scope_of(setting);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err err;
        buf_init(&out, 4096);
        if (el_check(cases[i].text, NULL, &err) || el_resolve(cases[i].text, &scope, &out, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(out.data ? out.data : "", cases[i].result);
        buf_release(&out);
    }
}

static bool is_upstream(const void *context, const char *task_key)
{
    (void)context;
    return strcmp(task_key, "first") == 0;
}

/* At save. */
static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"a #{Job.nam}",
         "Job.nam at character 5 is not known here: Job has name, planTime, startTime"},
        {"#{Job.getNodeOutput('first')}", "Job.getNodeOutput at character 3 is not known here"},
        {"#{Loop.current[0]}", "\"Loop\" at character 3 is not known here: Job, DateUtil, Env"},
        {"\xc3\xa4#{foo}", "\"foo\" at character 4"},
        {"#{Job}", "must have a name behind Job at character 6"},
        {"#{Job.name", "must close the #{ at character 1"},
        {"#{}", "must have a value where the end stands at character 3"},
        {"#{1 +}", "must have a value where the end stands at character 6"},
        {"#{1 2}", "must have an operator or the end where 2 stands at character 5"},
        {"#{'abc}", "a text that is not closed at character 3"},
        {"#{(1}", "must have ) where the end stands"},
        {"#{1 ? 2}", "must have : where the end stands"},
        {"#{DateUtil.format(Job.planTime)}", "DateUtil.format at character 3 takes 2 arguments"},
        {"#{DateUtil.now(1)}", "DateUtil.now at character 3 takes 0 arguments"},
        {"#{DateUtil.format(Job.planTime,'yyyy','x')}", "takes 2 arguments"},
        {"#{DateUtil.format('2024','yyyy')}", "DateUtil.format must have a date at character 19"},
        {"#{DateUtil.format(Job.planTime,'yyyy-bb')}",
         "DateUtil.format at character 32 must be a date pattern"},
        {"#{Job.getNodeStatus('other')}", "must name a task upstream, which \"other\" is not"},
        {"#{Job.name.length}", "has a value without members or elements at character 11"},
        {"#{Job.name()}", "must have an operator or the end where ( stands"},
        {"#{Job.getParam}", "must have ( where the end stands"},
        {"#{99999999999999999999}", "a number that is too large at character 3"},
        {"#{@}", "must have a value where @ stands"},
    };
    const struct el_check check = {is_upstream, NULL};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        assert_int_not_equal(el_check(cases[i].text, &check, &err), ERR_OK);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i].part);
    }
    struct err err = {0};
    const struct el_check of_job = {NULL, NULL};
    assert_int_not_equal(el_check("#{Job.getNodeStatus('first')}", &of_job, &err), ERR_OK);
    assert_refused(&err, ERR_INVALID_PARAMETER, "stands where there are no tasks");
}

/* At start. */
static void what_fails_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"#{Job.getParam('none')}", "Job.getParam at character 3: there is no parameter \"none\""},
        {"#{${none}}", "${none} at character 3: there is no parameter of that name"},
        {"#{Env.get('none')}", "Env.get at character 3: there is no variable \"none\""},
        {"#{Job.getNodeStatus('none')}", "there is no task \"none\" upstream"},
        {"#{'a' + 1}", "The operator at character 7: \"a\" is no number"},
        {"#{1 / 0}", "nothing can be divided by 0"},
        {"#{1 % 0}", "nothing can be divided by 0"},
        {"#{9223372036854775807 + 1}", "does not fit into 64 bits"},
        {"#{Job.planTime + 1}", "a date is no number"},
        {"#{true < false}", "a truth is neither less nor greater"},
        {"#{'x' && true}", "\"x\" is neither true nor false"},
        {"#{DateUtil.addDays(Job.planTime, 1.5)}", "1.5 is no whole number"},
        {"#{DateUtil.addDays(Job.planTime, 9999999)}",
         "DateUtil.addDays at character 3: leaves the years"},
        {"#{DateUtil.parseDate('x', 'yyyy')}", "is \"yyyy\" by which \"x\" is no date"},
        {"#{DateUtil.format(Job.getParam('n'), 'yyyy')}", "a text is no date"},
    };
    struct setting *setting = *state;
    struct el_scope scope = scope_of(setting);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err err = {0};
        buf_init(&out, 4096);
        assert_int_not_equal(el_resolve(cases[i].text, &scope, &out, &err), ERR_OK);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i].part);
        buf_release(&out);
    }
}

static void conditions_are_decided(void **state)
{
    struct setting *setting = *state;
    struct el_scope scope = scope_of(setting);
    static const struct {
        const char *text;
        int result; /* -1: refused */
    } cases[] = {
        {"#{Job.getNodeStatus('first') == 'success'}", 1},
        {"Job.getParam('n') == 6", 0},
        {" #{true} ", 1},
        {"'FALSE'", 0},
        {"null", 0},
        {"1", -1},
        {"#{true} x", -1},
        {"#{true", -1},
        {"", -1},
        {"true}", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        bool result = false;
        enum err_code code = el_decide(cases[i].text, &scope, &result, &err);
        if (cases[i].result < 0)
            assert_int_equal(code, ERR_INVALID_PARAMETER);
        else
            assert_true(!code && result == (cases[i].result == 1));
    }
}

/* ---- bounds ---- */

static void depth_and_size_are_bounded(void **state)
{
    struct setting *setting = *state;
    struct el_scope scope = scope_of(setting);
    static const struct {
        const char *unit;
        const char *end;
        int fits;
    } cases[] = {
        {"(", "1", 50}, {"!", "true", 50}, {"1+", "1", 50}, {"1?1:", "1", 30}, {"-", "1", 50}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int round = 0; round < 2; round++) {
            int count = round ? 20000 : cases[i].fits;
            struct buf text;
            struct err err = {0};
            buf_init(&text, 1 << 20);
            buf_puts(&text, "#{");
            for (int k = 0; k < count; k++)
                buf_puts(&text, cases[i].unit);
            buf_puts(&text, cases[i].end);
            for (int k = 0; k < count && cases[i].unit[0] == '('; k++)
                buf_putc(&text, ')');
            buf_putc(&text, '}');
            enum err_code code = el_check(text.data, NULL, &err);
            assert_int_equal(code, round ? ERR_INVALID_PARAMETER : ERR_OK);
            if (round)
                assert_refused(&err, ERR_INVALID_PARAMETER, "nests more than 64 deep");
            buf_release(&text);
        }
    }
    struct err err = {0};
    struct buf out;
    buf_init(&out, 8);
    assert_int_equal(el_resolve("#{Job.name} #{Job.name}", &scope, &out, &err), ERR_LIMIT_EXCEEDED);
    buf_release(&out);
}

/* Each of them is within the limit of one. */
static void all_expressions_together_are_bounded(void **state)
{
    struct setting *setting = *state;
    struct el_scope scope = scope_of(setting);
    struct err err = {0};
    struct buf out;
    size_t work = 0;
    char *large = xcalloc(1, 100001);
    memset(large, 'x', 100000);
    const struct param param = {"large", large};
    scope.parameters = &param;
    scope.parameter_count = 1;
    scope.parameters_by_name = NULL;
    scope.work = &work;
    buf_init(&out, 1 << 20);
    int resolved = 0;
    while (!el_resolve("#{'${large}${large}' == ''}", &scope, &out, &err) && resolved < 10000)
        resolved++;
    assert_refused(&err, ERR_INVALID_PARAMETER, "64 MiB");
    assert_in_range(resolved, 50, EL_MAX_WORK_ALL / 200000);
    bool yes;
    assert_int_equal(el_decide("1 == 1", &scope, &yes, &err), ERR_INVALID_PARAMETER);
    scope.work = NULL;
    assert_int_equal(el_decide("1 == 1", &scope, &yes, &err), ERR_OK);
    buf_release(&out);
    free(large);
}

static void pieces_of_words_are_whole(void **state)
{
    (void)state;
    assert_int_equal(el_span("#{a 'b}' c} d"), strlen("#{a 'b}' c}"));
    assert_int_equal(el_span("#{'${x}'} d"), strlen("#{'${x}'}"));
    assert_int_equal(el_span("#{'\\'}'} d"), strlen("#{'\\'}'}"));
    assert_int_equal(el_span("${a.b} c"), strlen("${a.b}"));
    assert_int_equal(el_span("#{a"), 0);
    assert_int_equal(el_span("{{a}}"), 0);
    assert_int_equal(el_span(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_formatted),
        cmocka_unit_test(dates_are_added_to),
        cmocka_unit_test(dates_are_parsed),
        cmocka_unit_test(patterns_are_checked),
        cmocka_unit_test(texts_are_resolved),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_fails_is_named),
        cmocka_unit_test(conditions_are_decided),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(pieces_of_words_are_whole),
        cmocka_unit_test(all_expressions_together_are_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
