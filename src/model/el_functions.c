/* What the names of EL stand for: Job, DateUtil and Env (see model/el.h). */
#include <string.h>

#include "model/el_date.h"
#include "model/el_internal.h"

#define CALL(function_name)                                                                       \
    static enum err_code function_name(const struct el_scope *scope, const struct el_value *args, \
                                       struct arena *arena, struct el_value *ret, struct err *err)
#define UNUSED(what) ((void)(what))

static enum err_code give_text(const char *text, struct el_value *ret)
{
    *ret = (struct el_value){.kind = EL_TEXT, .text = text};
    return ERR_OK;
}

static enum err_code give_number(int64_t number, struct el_value *ret)
{
    *ret = (struct el_value){.kind = EL_LONG, .number = number};
    return ERR_OK;
}

static enum err_code give_date(int64_t ms, struct el_value *ret)
{
    *ret = (struct el_value){.kind = EL_DATE, .number = ms};
    return ERR_OK;
}

static enum err_code give_formatted(int64_t ms, const char *pattern, const struct el_scope *scope,
                                    struct arena *arena, struct el_value *ret, struct err *err)
{
    struct buf out;
    buf_init(&out, EL_MAX_RESULT);
    enum err_code code = el_date_format(ms, pattern, &scope->clock, &out, err);
    if (!code)
        give_text(arena_memdup(arena, out.data ? out.data : "", out.len), ret);
    buf_release(&out);
    return code;
}

/* ---- Job ---- */

CALL(job_name)
{
    UNUSED(args), UNUSED(arena), UNUSED(err);
    return give_text(scope->job_name, ret);
}

CALL(job_plan_time)
{
    UNUSED(args), UNUSED(arena), UNUSED(err);
    return give_date(scope->plan_ms, ret);
}

CALL(job_start_time)
{
    UNUSED(args), UNUSED(arena), UNUSED(err);
    return give_date(scope->start_ms, ret);
}

CALL(job_param)
{
    const char *span = arena_printf(arena, "${%s}", args[0].text);
    const char *value = el_parameter(span, strlen(span), scope, arena);
    if (value)
        return give_text(value, ret);
    return err_set(err, ERR_INVALID_PARAMETER, "there is no parameter \"%.100s\"", args[0].text);
}

CALL(job_node_status)
{
    UNUSED(arena);
    const char *status = scope->node_status ? scope->node_status(scope->context, args[0].text)
                                            : NULL;
    if (status)
        return give_text(status, ret);
    return err_set(err, ERR_INVALID_PARAMETER, "there is no task \"%.100s\" upstream",
                   args[0].text);
}

CALL(job_formatted_plan_time)
{
    return give_formatted(scope->plan_ms, args[0].text, scope, arena, ret, err);
}

static enum err_code give_earlier(enum el_unit unit, const struct el_value *args,
                                  const struct el_scope *scope, struct arena *arena,
                                  struct el_value *ret, struct err *err)
{
    int64_t ms = 0;
    enum err_code code = el_date_add(scope->plan_ms, unit, -1, &scope->clock, &ms, err);
    return code ? code : give_formatted(ms, args[0].text, scope, arena, ret, err);
}

CALL(job_yesterday)
{
    return give_earlier(EL_DAYS, args, scope, arena, ret, err);
}

CALL(job_last_hour)
{
    return give_earlier(EL_HOURS, args, scope, arena, ret, err);
}

const char *el_node_status(enum state state)
{
    if (state == STATE_SUCCESS)
        return "success";
    if (state == STATE_EXCLUDED)
        return "skip";
    if (state == STATE_CANCELED || state == STATE_UPSTREAM_CANCELED)
        return "manual-stop";
    if (state_is_final(state))
        return "fail";
    return state == STATE_RUNNING || state == STATE_CANCELING ? "running" : "waiting";
}

/* ---- DateUtil ---- */

CALL(date_format)
{
    return give_formatted(args[0].number, args[1].text, scope, arena, ret, err);
}

CALL(date_parse)
{
    UNUSED(arena);
    int64_t ms = 0;
    enum err_code code =
        el_date_parse(args[0].text, args[1].text, &scope->clock, scope->now_ms, &ms, err);
    return code ? code : give_date(ms, ret);
}

static enum err_code give_sum(enum el_unit unit, const struct el_value *args,
                              const struct el_scope *scope, struct el_value *ret, struct err *err)
{
    int64_t ms = 0;
    enum err_code code = el_date_add(args[0].number, unit, args[1].number, &scope->clock, &ms, err);
    return code ? code : give_date(ms, ret);
}

CALL(date_add_months)
{
    UNUSED(arena);
    return give_sum(EL_MONTHS, args, scope, ret, err);
}

CALL(date_add_days)
{
    UNUSED(arena);
    return give_sum(EL_DAYS, args, scope, ret, err);
}

CALL(date_add_hours)
{
    UNUSED(arena);
    return give_sum(EL_HOURS, args, scope, ret, err);
}

CALL(date_add_minutes)
{
    UNUSED(arena);
    return give_sum(EL_MINUTES, args, scope, ret, err);
}

CALL(date_day)
{
    UNUSED(arena), UNUSED(err);
    return give_number(el_date_local(args[0].number, &scope->clock).day, ret);
}

CALL(date_month)
{
    UNUSED(arena), UNUSED(err);
    return give_number(el_date_local(args[0].number, &scope->clock).month, ret);
}

CALL(date_quarter)
{
    UNUSED(arena), UNUSED(err);
    return give_number((el_date_local(args[0].number, &scope->clock).month + 2) / 3, ret);
}

CALL(date_year)
{
    UNUSED(arena), UNUSED(err);
    return give_number(el_date_local(args[0].number, &scope->clock).year, ret);
}

CALL(date_time)
{
    UNUSED(scope), UNUSED(arena), UNUSED(err);
    return give_number(args[0].number, ret);
}

CALL(date_now)
{
    UNUSED(args), UNUSED(arena), UNUSED(err);
    return give_date(scope->now_ms, ret);
}

/* ---- Env ---- */

CALL(env_get)
{
    UNUSED(arena);
    const char *value = scope->env ? scope->env(scope->context, args[0].text) : NULL;
    if (value)
        return give_text(value, ret);
    return err_set(err, ERR_INVALID_PARAMETER, "there is no variable \"%.100s\"", args[0].text);
}

/* ---- all of them ---- */

/* Those of a space stand together. */
static const struct el_function functions[] = {
    {"Job", "name", NULL, job_name},
    {"Job", "planTime", NULL, job_plan_time},
    {"Job", "startTime", NULL, job_start_time},
    {"Job", "getParam", "s", job_param},
    {"Job", "getNodeStatus", "t", job_node_status},
    {"Job", "getPlanTime", "p", job_formatted_plan_time},
    {"Job", "getYesterday", "p", job_yesterday},
    {"Job", "getLastHour", "p", job_last_hour},
    {"DateUtil", "format", "dp", date_format},
    {"DateUtil", "parseDate", "sp", date_parse},
    {"DateUtil", "addMonths", "dn", date_add_months},
    {"DateUtil", "addDays", "dn", date_add_days},
    {"DateUtil", "addHours", "dn", date_add_hours},
    {"DateUtil", "addMinutes", "dn", date_add_minutes},
    {"DateUtil", "getDay", "d", date_day},
    {"DateUtil", "getMonth", "d", date_month},
    {"DateUtil", "getQuarter", "d", date_quarter},
    {"DateUtil", "getYear", "d", date_year},
    {"DateUtil", "getTime", "d", date_time},
    {"DateUtil", "now", "", date_now},
    {"Env", "get", "s", env_get},
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

const struct el_function *el_function_find(const char *space, const char *name)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (!strcmp(functions[i].space, space) && !strcmp(functions[i].name, name))
            return &functions[i];
    return NULL;
}

const char *el_function_names(const char *space, struct arena *arena)
{
    const char *last = "";
    const char *names = NULL;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const char *name = space ? functions[i].name : functions[i].space;
        if ((space && strcmp(functions[i].space, space) != 0) || !strcmp(name, last))
            continue;
        names = names ? arena_printf(arena, "%s, %s", names, name) : name;
        last = name;
    }
    return names;
}
