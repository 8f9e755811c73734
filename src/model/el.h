/*
 * EL: the expressions of DataArts in the texts of tasks and parameters (RULES §10).
 *
 * A text is scanned once, from left to right. #{expression} becomes what the expression yields,
 * ${name} the parameter of that name; a ${…} that names no parameter stays as it is, for a shell
 * may mean it. What they yield is never scanned again. Inside an expression ${name} is the
 * parameter's text, alone or within a quoted text.
 *
 *     expression   condition ? a : b, or and the logical, then comparisons, then + - * / mod,
 *                  then not ! - empty, then names and calls, with the words div mod eq ne lt gt
 *                  le ge and or not as well
 *     values       'text' "text" 12 1.5 true false null, and those of these names:
 *     Job          name planTime startTime getParam(k) getNodeStatus(n) getPlanTime(p)
 *                  getYesterday(p) getLastHour(p)
 *     DateUtil     format(d,p) parseDate(s,p) addMonths|addDays|addHours|addMinutes(d,n)
 *                  getDay|getMonth|getQuarter|getYear(d) getTime(d) now()
 *     Env          get(n)
 *
 * Patterns are those of java.text.SimpleDateFormat, in English; numbers, texts and truth become one
 * another as in the expression language of Java. Dates are shown in the zone of the scope.
 *
 * Checked when a definition is saved, evaluated when a task starts. Pure; dates across changes of
 * the clock are the caller's two functions, so that this knows no time zones. Messages name the
 * place as "character n", from 1, of the text. ERR_INVALID_PARAMETER for all that is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "model/def.h"
#include "model/state.h"

enum {
    EL_MAX_DEPTH = 64,          /* of an expression */
    EL_MAX_RESULT = 1 << 20,    /* bytes of a value within an expression */
    EL_MAX_WORK = 16 << 20,     /* bytes of all of them together, while it is evaluated */
    EL_MAX_WORK_ALL = 64 << 20, /* of all expressions that share a count (el_scope.work) */
    EL_MAX_PATTERN = 256,       /* bytes of a date pattern */
};

/* Bytes of the #{…} or ${name} that `text` begins with, whatever stands in it; 0 when it begins with
 * none. */
size_t el_span(const char *text);

/* Instants and local times in seconds, as in calendar/zone.h. `zone` is what the functions are
 * given. */
struct el_clock {
    const void *zone;
    int32_t (*offset)(const void *zone, int64_t instant_s);
    int64_t (*instant)(const void *zone, int64_t local_s);
};

/* What Job.getNodeStatus says of a task, in the words of DataArts. */
const char *el_node_status(enum state state);

/* What names stand for. */
struct el_scope {
    const char *job_name;
    int64_t plan_ms;
    int64_t start_ms;
    int64_t now_ms;
    struct el_clock clock;
    const struct param *parameters;
    size_t parameter_count;
    /* An empty map, filled when it is first needed and released by the caller: for many texts. NULL:
     * `parameters` is gone through for each. */
    struct str_map *parameters_by_name;
    /* Env.get: NULL when there is no such variable. NULL: there are none. */
    const char *(*env)(const void *context, const char *name);
    /* Job.getNodeStatus: "success", "fail", …; NULL when it is no upstream task. NULL: there are no
     * tasks here. */
    const char *(*node_status)(const void *context, const char *task_key);
    const void *context;
    /* Bytes that expressions have put together so far, of all texts of a run, of a task, or of a request: who gives
     * texts does not choose how long all of them take. Zero at first; NULL: nobody counts. */
    size_t *work;
};

/* Is the ${name} that `text` begins with one of a parameter that there is? */
bool el_names_parameter(const char *text, const struct el_scope *scope);

/* Appends `text` with its expressions put in. ERR_LIMIT_EXCEEDED when `out` overflows. */
enum err_code el_resolve(const char *text, const struct el_scope *scope, struct buf *out,
                         struct err *err);
/* A condition: one expression that is true or false, with or without #{…} around it. */
enum err_code el_decide(const char *text, const struct el_scope *scope, bool *ret, struct err *err);

/* The check at save: syntax, names, how many arguments, patterns and tasks that are written out.
 * Names of parameters and variables are not looked up. */
struct el_check {
    /* Of a task that is written out, as in Job.getNodeStatus("T"): is it upstream? NULL: the text is
     * of the job, where there are no tasks. */
    bool (*is_upstream)(const void *context, const char *task_key);
    const void *context;
};
enum err_code el_check(const char *text, const struct el_check *check, struct err *err);
enum err_code el_check_condition(const char *text, const struct el_check *check, struct err *err);
