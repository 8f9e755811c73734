#include "model/reference.h"

#include <stdio.h>
#include <string.h>

#include "base/timefmt.h"
#include "base/utf8.h"
#include "model/values.h"

/* ---- written form ---- */

static const char blanks[] = " \t\r\n";

/* Behind the back-quoted name that begins at `p`; NULL when it does not end. */
static const char *skip_quoted(const char *p)
{
    const char *end = strchr(p + 1, '`');
    return end ? end + 1 : NULL;
}

size_t reference_span(const char *text)
{
    if (text[0] != '{' || text[1] != '{')
        return 0;
    const char *p = text + 2;
    for (;;) {
        p += strcspn(p, "{}`");
        if (*p != '`')
            break;
        p = skip_quoted(p);
        if (!p)
            return 0;
    }
    return p[0] == '}' && p[1] == '}' ? (size_t)(p + 2 - text) : 0;
}

bool span_is(struct span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.text, text, span.len) == 0;
}

/* Cuts `prefix` off; false leaves the span as it is. */
static bool span_skip(struct span *span, const char *prefix)
{
    size_t len = strlen(prefix);
    if (span->len < len || memcmp(span->text, prefix, len) != 0)
        return false;
    span->text += len;
    span->len -= len;
    return true;
}

static struct span span_trim(struct span span)
{
    while (span.len && strchr(blanks, span.text[0])) {
        span.text++;
        span.len--;
    }
    while (span.len && strchr(blanks, span.text[span.len - 1]))
        span.len--;
    return span;
}

/* Cuts the T of "T.name", back-quoted or up to the first dot, and the dot. False when the text has
 * another form. */
static bool take_task(struct span *body, struct span *ret)
{
    bool quoted = body->len && body->text[0] == '`';
    struct span task = *body;
    if (quoted)
        span_skip(&task, "`");
    const char *end = memchr(task.text, quoted ? '`' : '.', task.len);
    if (!end)
        return false;
    task.len = (size_t)(end - task.text);
    const char *rest = quoted ? end + 1 : end;
    size_t left = (size_t)(body->text + body->len - rest);
    if (!task.len || !left || *rest != '.')
        return false;
    *body = (struct span){rest + 1, left - 1};
    *ret = task;
    return true;
}

static bool reference_parse(struct span whole, struct reference *ret)
{
    static const char *const spaces[] = {
        [REFERENCE_JOB] = "job.",     [REFERENCE_TASK] = "task.",
        [REFERENCE_TASKS] = "tasks.", [REFERENCE_WORKSPACE] = "workspace.",
        [REFERENCE_HUB] = "hub.",
    };
    struct span body = span_trim((struct span){whole.text + 2, whole.len - 4});
    for (int i = 0; i < (int)(sizeof spaces / sizeof spaces[0]); i++) {
        if (!span_skip(&body, spaces[i]))
            continue;
        *ret = (struct reference){.space = (enum reference_space)i, .whole = whole};
        if (ret->space == REFERENCE_TASKS && !take_task(&body, &ret->task))
            return false;
        ret->name = body;
        return true;
    }
    return false;
}

bool reference_next(const char **cursor, struct reference *ret)
{
    for (;;) {
        const char *p = strchr(*cursor, '{');
        if (!p)
            return false;
        size_t len = reference_span(p);
        *cursor = p + (len ? len : 1);
        if (len && reference_parse((struct span){p, len}, ret))
            return true;
    }
}

/* ---- what the names stand for ---- */

static void put_uuid(const struct uuid *uuid, struct buf *out)
{
    char text[UUID_TEXT];
    buf_puts(out, uuid_format(uuid, text));
}

static void put_job_id(const struct reference_scope *scope, struct buf *out)
{
    put_uuid(&scope->job, out);
}

static void put_job_name(const struct reference_scope *scope, struct buf *out)
{
    buf_puts(out, scope->job_name);
}

static void put_job_run_id(const struct reference_scope *scope, struct buf *out)
{
    put_uuid(&scope->run, out);
}

static void put_job_repair_count(const struct reference_scope *scope, struct buf *out)
{
    buf_int(out, scope->repair_count);
}

static void put_job_trigger(const struct reference_scope *scope, struct buf *out)
{
    static const char *const names[] = {
        [TRIGGER_PERIODIC] = "periodic",
        [TRIGGER_ONE_TIME] = "one_time",
        [TRIGGER_RUN_JOB_TASK] = "run_job_task",
        [TRIGGER_CONTINUOUS] = "continuous",
    };
    buf_puts(out, names[scope->trigger]);
}

static void put_workspace_id(const struct reference_scope *scope, struct buf *out)
{
    put_uuid(&scope->workspace, out);
}

static void put_hub_region(const struct reference_scope *scope, struct buf *out)
{
    buf_puts(out, scope->hub_region);
}

static void put_task_name(const struct reference_scope *scope, struct buf *out)
{
    buf_puts(out, scope->task_name);
}

static void put_task_run_id(const struct reference_scope *scope, struct buf *out)
{
    put_uuid(&scope->task_run, out);
}

static void put_task_execution_count(const struct reference_scope *scope, struct buf *out)
{
    buf_int(out, scope->execution_count);
}

static void put_result_state(const struct reference_task *task, struct buf *out)
{
    buf_puts(out, reference_result_state(task->state));
}

static void put_error_code(const struct reference_task *task, struct buf *out)
{
    buf_puts(out, task->error_code ? task->error_code : "");
}

static void put_run_id(const struct reference_task *task, struct buf *out)
{
    put_uuid(&task->task_run, out);
}

static void put_execution_count(const struct reference_task *task, struct buf *out)
{
    buf_int(out, task->execution_count);
}

/* Names without an argument: of the scope, or of another task of it. */
static const struct name {
    enum reference_space space;
    const char *name;
    void (*put)(const struct reference_scope *scope, struct buf *out);
    void (*put_of)(const struct reference_task *task, struct buf *out);
} names[] = {
    {REFERENCE_JOB, "id", put_job_id, NULL},
    {REFERENCE_JOB, "name", put_job_name, NULL},
    {REFERENCE_JOB, "run_id", put_job_run_id, NULL},
    {REFERENCE_JOB, "repair_count", put_job_repair_count, NULL},
    {REFERENCE_JOB, "trigger.type", put_job_trigger, NULL},
    {REFERENCE_WORKSPACE, "id", put_workspace_id, NULL},
    {REFERENCE_HUB, "region", put_hub_region, NULL},
    {REFERENCE_TASK, "name", put_task_name, NULL},
    {REFERENCE_TASK, "run_id", put_task_run_id, NULL},
    {REFERENCE_TASK, "execution_count", put_task_execution_count, NULL},
    {REFERENCE_TASKS, "result_state", NULL, put_result_state},
    {REFERENCE_TASKS, "error_code", NULL, put_error_code},
    {REFERENCE_TASKS, "run_id", NULL, put_run_id},
    {REFERENCE_TASKS, "execution_count", NULL, put_execution_count},
};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

const char *reference_result_state(enum state state)
{
    static const char *const results[STATE_COUNT] = {
        [STATE_SUCCESS] = "success",
        [STATE_FAILED] = "failed",
        [STATE_TIMED_OUT] = "timedout",
        [STATE_CANCELED] = "canceled",
        [STATE_EXCLUDED] = "excluded",
        [STATE_UPSTREAM_FAILED] = "upstream_failed",
        [STATE_UPSTREAM_CANCELED] = "upstream_canceled",
        [STATE_INTERNAL_ERROR] = "internal_error",
    };
    return state == STATE_NEW || !results[state] ? "" : results[state];
}

/* Parts of job.start_time and job.planned_time, in UTC: numbers without leading zeros, straight from the calendar … */
static const struct time_part {
    const char *name;
    size_t offset; /* of an int of struct civil */
} time_numbers[] = {
    {"year", offsetof(struct civil, year)},
    {"month", offsetof(struct civil, month)},
    {"day", offsetof(struct civil, day)},
    {"hour", offsetof(struct civil, hour)},
    {"minute", offsetof(struct civil, minute)},
    {"second", offsetof(struct civil, second)},
    {"iso_weekday", offsetof(struct civil, iso_weekday)},
};
/* … and the others. All names, in the order of systemParameters: */
static const char *const time_names[] = {
    "iso_date", "iso_datetime", "timestamp_ms", "year",        "month",      "day",
    "hour",     "minute",       "second",       "iso_weekday", "is_weekday",
};
enum {
    TIME_NUMBER_COUNT = sizeof time_numbers / sizeof time_numbers[0],
    TIME_NAME_COUNT = sizeof time_names / sizeof time_names[0],
};

static bool is_time_name(struct span name)
{
    for (int i = 0; i < TIME_NAME_COUNT; i++)
        if (span_is(name, time_names[i]))
            return true;
    return false;
}

static void put_time(struct span name, int64_t time_ms, struct buf *out)
{
    struct civil at = civil_from_ms(time_ms);
    for (int i = 0; i < TIME_NUMBER_COUNT; i++) {
        const char *number = (const char *)&at + time_numbers[i].offset;
        if (span_is(name, time_numbers[i].name)) {
            buf_int(out, *(const int *)(const void *)number);
            return;
        }
    }
    char text[TIMEFMT_TEXT];
    timefmt_rfc3339(time_ms, text);
    if (span_is(name, "timestamp_ms"))
        buf_int(out, time_ms);
    else if (span_is(name, "is_weekday"))
        buf_puts(out, at.iso_weekday <= 5 ? "true" : "false");
    else if (span_is(name, "iso_date"))
        buf_add(out, text, strlen("2026-01-31"));
    else
        buf_printf(out, "%.19sZ", text); /* iso_datetime: to the second */
}

/* ---- meaning of one reference ---- */

enum meaning {
    MEANS_NOTHING,
    MEANS_NAME,
    MEANS_START,
    MEANS_PLANNED,
    MEANS_PARAMETER,
    MEANS_VALUE
};

struct meant {
    enum meaning meaning;
    const struct name *name;
    struct span argument; /* of job.start_time, job.planned_time, job.parameters, tasks.T.values */
};

static struct span unquote(struct span span)
{
    if (span.len >= 2 && span.text[0] == '`' && span.text[span.len - 1] == '`')
        return (struct span){span.text + 1, span.len - 2};
    return span;
}

static bool is_parameter_name(struct span span)
{
    char name[DEF_MAX_NAME + 1];
    struct err ignored;
    if (span.len > DEF_MAX_NAME)
        return false;
    memcpy(name, span.text, span.len);
    name[span.len] = '\0';
    return param_name_check(name, &ignored);
}

static struct meant meaning_of(const struct reference *reference)
{
    struct meant meant = {.argument = reference->name};
    struct span *argument = &meant.argument;
    bool job = reference->space == REFERENCE_JOB;
    bool is_start = job && span_skip(argument, "start_time.");
    if (is_start || (job && span_skip(argument, "planned_time."))) {
        enum meaning time = is_start ? MEANS_START : MEANS_PLANNED;
        meant.meaning = is_time_name(*argument) ? time : MEANS_NOTHING;
        return meant;
    }
    if (job && span_skip(argument, "parameters.")) {
        *argument = unquote(*argument);
        meant.meaning = is_parameter_name(*argument) ? MEANS_PARAMETER : MEANS_NOTHING;
        return meant;
    }
    if (reference->space == REFERENCE_TASKS && span_skip(argument, "values.")) {
        *argument = unquote(*argument);
        meant.meaning = argument->len ? MEANS_VALUE : MEANS_NOTHING;
        return meant;
    }
    for (int i = 0; i < NAME_COUNT; i++) {
        if (names[i].space == reference->space && span_is(reference->name, names[i].name)) {
            meant.meaning = MEANS_NAME;
            meant.name = &names[i];
            break;
        }
    }
    return meant;
}

bool reference_names_parameter(const struct reference *reference, struct span *ret_name)
{
    struct meant meant = meaning_of(reference);
    if (meant.meaning != MEANS_PARAMETER)
        return false;
    *ret_name = meant.argument;
    return true;
}

bool reference_names_value(const struct reference *reference, struct span *ret_key)
{
    struct meant meant = meaning_of(reference);
    if (meant.meaning != MEANS_VALUE)
        return false;
    *ret_key = meant.argument;
    return true;
}

__attribute__((format(printf, 3, 4))) static enum err_code refuse(const struct reference *reference,
                                                                  struct err *err,
                                                                  const char *format, ...)
{
    enum { SHOWN_BYTES = 200 };
    char what[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    struct span whole = reference->whole;
    size_t shown = utf8_cut(whole.text, whole.len, SHOWN_BYTES);
    return err_set(err, ERR_INVALID_PARAMETER, "%.*s%s %s", (int)shown, whole.text,
                   shown < whole.len ? "…" : "", what);
}

bool reference_task_key(const struct reference *reference, char key[static TASK_KEY_TEXT])
{
    struct span task = reference->task;
    if (task.len >= TASK_KEY_TEXT)
        return false;
    memcpy(key, task.text, task.len);
    key[task.len] = '\0';
    return true;
}

/* ---- resolving ---- */

static const struct param *find_parameter(struct span name, const struct reference_scope *scope)
{
    char key[DEF_MAX_NAME + 1];
    struct str_map *by_name = scope->parameters_by_name;
    const struct param *params = scope->parameters;
    if (by_name && name.len < sizeof key) {
        if (!by_name->count)
            for (size_t i = 0; i < scope->parameter_count; i++)
                str_map_add(by_name, params[i].name, (void *)(uintptr_t)&params[i]);
        memcpy(key, name.text, name.len);
        key[name.len] = '\0';
        return str_map_get(by_name, key);
    }
    for (size_t i = 0; i < scope->parameter_count; i++)
        if (span_is(name, params[i].name))
            return &params[i];
    return NULL;
}

static enum err_code put_parameter(const struct reference *reference, struct span name,
                                   const struct reference_scope *scope, struct buf *out,
                                   struct err *err)
{
    const struct param *param = find_parameter(name, scope);
    if (!param)
        return refuse(reference, err, "cannot be resolved: the run has no parameter of that name");
    buf_puts(out, param->value);
    return ERR_OK;
}

static enum err_code find_task(const struct reference *reference,
                               const struct reference_scope *scope, struct reference_task *ret,
                               struct err *err)
{
    char key[TASK_KEY_TEXT];
    if (!reference_task_key(reference, key) || !scope->find_task ||
        !scope->find_task(scope->context, key, ret))
        return refuse(reference, err, "cannot be resolved: it names no upstream task");
    return ERR_OK;
}

static enum err_code put_task(const struct reference *reference, const struct name *name,
                              const struct reference_scope *scope, struct buf *out, struct err *err)
{
    struct reference_task task = {0};
    enum err_code code = find_task(reference, scope, &task, err);
    if (!code)
        name->put_of(&task, out);
    return code;
}

static enum err_code put_value(const struct reference *reference, struct span key,
                               const struct reference_scope *scope, struct buf *out,
                               struct err *err)
{
    struct reference_task task = {0};
    size_t len;
    enum err_code code = find_task(reference, scope, &task, err);
    if (code)
        return code;
    const char *value = values_find(task.values, key.text, key.len, &len);
    if (!value)
        return refuse(reference, err,
                      "cannot be resolved: the task published no value of that key");
    buf_add(out, value, len);
    return ERR_OK;
}

static bool sees_tasks(enum reference_space space)
{
    return space == REFERENCE_TASK || space == REFERENCE_TASKS;
}

static enum err_code put_reference(const struct reference *reference,
                                   const struct reference_scope *scope, struct buf *out,
                                   struct err *err)
{
    if (sees_tasks(reference->space) && !scope->task_name)
        return refuse(reference, err, "is known only to the values of a task");
    struct meant meant = meaning_of(reference);
    switch (meant.meaning) {
    case MEANS_NAME:
        if (meant.name->put_of)
            return put_task(reference, meant.name, scope, out, err);
        meant.name->put(scope, out);
        return ERR_OK;
    case MEANS_START:
        if (scope->start_ms == FIELD_NULL)
            return refuse(reference, err, "is not known before the run has started");
        put_time(meant.argument, scope->start_ms, out);
        return ERR_OK;
    case MEANS_PLANNED:
        put_time(meant.argument, scope->plan_ms, out);
        return ERR_OK;
    case MEANS_PARAMETER:
        return put_parameter(reference, meant.argument, scope, out, err);
    case MEANS_VALUE:
        return put_value(reference, meant.argument, scope, out, err);
    case MEANS_NOTHING:
    default:
        return refuse(reference, err, "is unknown");
    }
}

enum err_code reference_resolve(const char *text, const struct reference_scope *scope,
                                struct buf *out, struct err *err)
{
    const char *cursor = text;
    const char *plain = text;
    struct reference reference;
    while (reference_next(&cursor, &reference)) {
        buf_add(out, plain, (size_t)(reference.whole.text - plain));
        enum err_code code = put_reference(&reference, scope, out, err);
        if (code)
            return code;
        plain = cursor;
    }
    buf_puts(out, plain);
    if (out->overflowed)
        return err_set(err, ERR_LIMIT_EXCEEDED,
                       "text is longer than %zu bytes once its references are put in",
                       out->max_bytes);
    return ERR_OK;
}

/* ---- the check at save ---- */

enum err_code reference_check(const char *text, const struct reference_check *check,
                              struct err *err)
{
    struct reference reference;
    while (reference_next(&text, &reference)) {
        if (sees_tasks(reference.space) && !check->task)
            return refuse(&reference, err, "is known only to the values of a task");
        struct meant meant = meaning_of(&reference);
        if (meant.meaning == MEANS_NOTHING)
            return refuse(&reference, err, "is unknown");
        if (reference.space != REFERENCE_TASKS)
            continue;
        char key[TASK_KEY_TEXT];
        if (!reference_task_key(&reference, key) || !check->is_upstream(check->context, key))
            return refuse(&reference, err, "does not name a task upstream of \"%s\"", check->task);
        if (meant.meaning == MEANS_VALUE && check->may_publish &&
            !check->may_publish(check->context, key))
            return refuse(&reference, err,
                          "names a task that publishes no values: it has no process");
    }
    return ERR_OK;
}

/* ---- systemParameters ---- */

static const char *take_text(struct buf *out, struct arena *arena)
{
    const char *text = arena_memdup(arena, out->data, out->len);
    buf_clear(out);
    return text;
}

struct field_list reference_system_parameters(const struct reference_scope *scope,
                                              struct arena *arena)
{
    static const char *const spaces[] = {
        [REFERENCE_JOB] = "job",
        [REFERENCE_TASK] = "task",
        [REFERENCE_WORKSPACE] = "workspace",
        [REFERENCE_HUB] = "hub",
    };
    struct field_pair *pairs = ARENA_ARRAY(arena, NAME_COUNT + TIME_NAME_COUNT, struct field_pair);
    size_t count = 0;
    struct buf out;
    buf_init(&out, DEF_MAX_VALUE_BYTES);
    for (int i = 0; i < NAME_COUNT; i++) {
        if (!names[i].put || (names[i].space == REFERENCE_TASK && !scope->task_name))
            continue;
        names[i].put(scope, &out);
        pairs[count].key = arena_printf(arena, "%s.%s", spaces[names[i].space], names[i].name);
        pairs[count++].value = take_text(&out, arena);
    }
    for (int i = 0; i < TIME_NAME_COUNT && scope->start_ms != FIELD_NULL; i++) {
        const char *name = time_names[i];
        put_time((struct span){name, strlen(name)}, scope->start_ms, &out);
        pairs[count].key = arena_printf(arena, "job.start_time.%s", name);
        pairs[count++].value = take_text(&out, arena);
    }
    buf_release(&out);
    return (struct field_list){pairs, count};
}
