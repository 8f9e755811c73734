#include "api/dataarts/translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/dataarts/refusal.h"
#include "api/dataarts/spelling.h"
#include "api/oracle/oracle.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "calendar/schedule.h"

enum { KEPT_MAX_BYTES = 16 << 20, RETRY_INTERVAL_S = 120, SCAN_DURATION_MIN = 1440 };
static const char default_zone[] = "UTC";

enum err_code dataarts_find_job(const struct reading *at, const char *name, struct job_row *ret,
                                struct err *err)
{
    const struct job_filter filter = {.display_name = name};
    const struct list_order order = {SORT_TIME_CREATED, true, 1};
    struct job_list list = {0};
    if (*name)
        at->api->backend.reads.list_jobs(at->reader, at->workspace->id, &filter, &order, NULL,
                                         at->arena, &list);
    if (reading_check(at, err))
        return err->code;
    if (!list.count)
        return err_set(err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "The job does not exist: %.128s",
                       name);
    *ret = list.items[0];
    return ERR_OK;
}

enum err_code dataarts_find_reference(const struct reading *at, const char *name,
                                      char ret_key[static UUID_TEXT], struct err *err)
{
    struct job_row row;
    struct uuid key;
    enum err_code code = dataarts_find_job(at, name, &row, err);
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND && uuid_parse(name, &key)) {
        uuid_format(&key, ret_key);
        return ERR_OK;
    }
    if (!code)
        uuid_format(&row.key, ret_key);
    return code;
}

/* ---- times ---- */

bool dataarts_parse_time(const char *text, int64_t *ret_ms)
{
    enum { DATE_AND_TIME = 19, TEXT_MAX = 40 };
    char whole[TEXT_MAX];
    size_t len = strlen(text);
    if (len < DATE_AND_TIME || len >= TEXT_MAX - 8)
        return false;
    const char *zone = text + DATE_AND_TIME;
    zone += *zone == ' ';
    size_t digits = strspn(zone + (*zone != '\0'), "0123456789");
    bool is_offset = (*zone == '+' || *zone == '-') && zone[1 + digits] == '\0';
    if (is_offset && digits == 2)
        snprintf(whole, sizeof whole, "%.*s%s:00", DATE_AND_TIME, text, zone);
    else if (is_offset && digits == 4)
        snprintf(whole, sizeof whole, "%.*s%.3s:%s", DATE_AND_TIME, text, zone, zone + 3);
    else
        snprintf(whole, sizeof whole, "%.*s%s", DATE_AND_TIME, text, zone);
    return timefmt_parse(whole, ret_ms);
}

static enum err_code set_time(json_t *schedule, const char *field, const char *name,
                              const char *text, struct err *err)
{
    char rfc3339[TIMEFMT_TEXT];
    int64_t ms;
    if (!has_text(text))
        return ERR_OK;
    if (!dataarts_parse_time(text, &ms))
        return err_set(err, ERR_SCHEDULE_INVALID,
                       "The job scheduling parameter is invalid: schedule.cron.%s must be like "
                       "2018-10-22T23:59:59+08",
                       name);
    json_object_set_new(schedule, field, json_string(timefmt_rfc3339(ms, rfc3339)));
    return ERR_OK;
}

/* ---- the schedule ---- */

/* 00:00 of a day yyyyMMdd in a zone. */
static bool midnight_of(const struct zone *zone, int64_t date, int64_t *ret_ms)
{
    char text[TIMEFMT_TEXT];
    int64_t utc_ms;
    if (date < 19700101 || date > 99991231)
        return false;
    snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", (int)(date / 10000),
             (int)(date / 100 % 100), (int)(date % 100));
    if (!timefmt_parse(text, &utc_ms))
        return false;
    *ret_ms = zone_instant(zone, utc_ms / 1000) * 1000;
    return true;
}

/* The first moment of the day that a start has named; false with `err`. */
static bool first_moment(const struct dataarts_start *start, const struct zone *zone,
                         int64_t *ret_ms, struct err *err)
{
    if (midnight_of(zone, start->start_date, ret_ms))
        return true;
    err_set(err, ERR_INVALID_PARAMETER, "start_date must be a day yyyyMMdd, not %lld",
            (long long)start->start_date);
    return false;
}

/* A start date holds back what the job's own start would let through. */
static enum err_code set_start_date(json_t *schedule, const struct dataarts_start *start,
                                    const struct zone *zone, struct err *err)
{
    char text[TIMEFMT_TEXT];
    int64_t own, date;
    if (!start || start->start_date == FIELD_NULL)
        return ERR_OK;
    if (!first_moment(start, zone, &date, err))
        return err->code;
    const char *given = json_string_value(json_object_get(schedule, "startTime"));
    if (!given || !timefmt_parse(given, &own) || own < date)
        json_object_set_new(schedule, "startTime", json_string(timefmt_rfc3339(date, text)));
    return ERR_OK;
}

/* In which expressions and days are read. The caller's reference. */
static enum err_code find_zone(const struct reading *at, const struct dataarts_cron *cron,
                               const char **ret_id, struct zone **ret, struct err *err)
{
    *ret_id = cron && has_text(cron->time_zone) ? cron->time_zone : default_zone;
    return schedule_find_zone(at->api->backend.zones, *ret_id, "schedule.cron.expressionTimeZone",
                              ret, err);
}

static enum err_code cron_of(const struct reading *at, const struct dataarts_kept *kept,
                             json_t *schedule, struct err *err)
{
    const struct dataarts_cron *cron = kept->job->schedule->cron;
    struct cron ignored;
    struct zone *zone;
    const char *id;
    struct err why;
    if (!cron)
        return err_set(err, ERR_SCHEDULE_INVALID,
                       "The job scheduling parameter is invalid: schedule.cron is required");
    if (schedule_parse_cron(cron->expression, "schedule.cron.expression", &ignored, &why) ||
        find_zone(at, cron, &id, &zone, &why))
        return err_set(err, ERR_SCHEDULE_INVALID, "The job scheduling parameter is invalid: %s",
                       why.message);
    json_object_set_new(schedule, "quartzCronExpression", json_string(cron->expression));
    json_object_set_new(schedule, "timezoneId", json_string(id));
    enum err_code code = set_time(schedule, "startTime", "startTime", cron->start_time, err);
    if (!code)
        code = set_time(schedule, "endTime", "endTime", cron->end_time, err);
    if (!code)
        code = set_start_date(schedule, kept->start, zone, err);
    zone_unref(zone);
    return code;
}

/* A job that runs once is a schedule that fires once. */
static json_t *once(int64_t at_ms)
{
    char text[TIMEFMT_TEXT]; /* 2026-01-31T23:59:59.000Z */
    char expression[64];
    timefmt_rfc3339(at_ms, text);
    snprintf(expression, sizeof expression, "%ld %ld %ld %ld %ld ? %ld",
             strtol(text + 17, NULL, 10), strtol(text + 14, NULL, 10), strtol(text + 11, NULL, 10),
             strtol(text + 8, NULL, 10), strtol(text + 5, NULL, 10), strtol(text, NULL, 10));
    return json_pack("{s:s, s:s, s:b}", "quartzCronExpression", expression, "timezoneId", "UTC",
                     "isOnce", 1);
}

/* When a job that runs once does: as soon as it is started, but not before the day that the start has named. */
static enum err_code once_of(const struct reading *at, const struct dataarts_kept *kept,
                             json_t **ret, struct err *err)
{
    const struct dataarts_schedule *schedule = kept->job->schedule;
    const struct dataarts_start *start = kept->start;
    int64_t date = start->at_ms;
    struct zone *zone;
    const char *id;
    if (start->start_date != FIELD_NULL) {
        if (start->start_date / 10000 > CRON_LAST_YEAR)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "start_date must be a day up to %d1231, not %lld", CRON_LAST_YEAR,
                           (long long)start->start_date);
        enum err_code code = find_zone(at, schedule ? schedule->cron : NULL, &id, &zone, err);
        if (code)
            return code;
        bool good = first_moment(start, zone, &date, err);
        zone_unref(zone);
        if (!good)
            return err->code;
    }
    *ret = once(date > start->at_ms ? date : start->at_ms);
    return ERR_OK;
}

static enum err_code set_schedule(const struct reading *at, const struct dataarts_kept *kept,
                                  bool is_active, json_t *details, struct err *err)
{
    const struct dataarts_schedule *given = kept->job->schedule;
    if (given && given->type == SCHEDULE_EVENT)
        return err_set(err, ERR_SCHEDULE_INVALID,
                       "The job scheduling parameter is invalid: schedule.type EVENT is not "
                       "supported: use CRON or EXECUTE_ONCE");
    json_t *schedule = NULL;
    enum err_code code = ERR_OK;
    if (given && given->type == SCHEDULE_OF_CRON) {
        schedule = json_object();
        code = cron_of(at, kept, schedule, err);
    } else if (kept->start && kept->start->at_ms != FIELD_NULL) {
        code = once_of(at, kept, &schedule, err);
    }
    if (schedule) {
        json_object_set_new(schedule, "pauseStatus",
                            json_string(is_active ? "UNPAUSED" : "PAUSED"));
        json_object_set_new(details, "schedule", schedule);
    }
    return code;
}

/* ---- what an instance waits for ---- */

static enum err_code add_dependencies_of_job(const struct reading *at, struct dataarts_cron *cron,
                                             const struct dataarts_start *start, json_t *details,
                                             struct err *err)
{
    char since[TIMEFMT_TEXT];
    if (cron->depends_on_previous == 1)
        json_object_set_new(details, "dependsOnPreviousRun", json_true());
    if (cron->depends_on_previous == 1 && start && start->previous_from_ms != FIELD_NULL)
        json_object_set_new(details, "previousRunsFrom",
                            json_string(timefmt_rfc3339(start->previous_from_ms, since)));
    json_t *list = json_array();
    enum err_code code = dataarts_read_depend(at, cron, list, err);
    if (!code && json_array_size(list))
        json_object_set(details, "dependencies", list);
    json_decref(list);
    return code;
}

/* ---- nodes ---- */

static json_t *dependency(const char *task_key)
{
    return json_pack("{s:s}", "taskKey", task_key);
}

static enum err_code add_nodes_before(const struct dataarts_node *node, bool monitored,
                                      json_t *task, struct err *err)
{
    json_t *list = json_array();
    const char *const *before = node->pre_node_names.items;
    const struct dataarts_condition *conditions = node->conditions.items;
    json_object_set_new(task, "dependsOn", list);
    for (size_t i = 0; i < node->pre_node_names.count; i++)
        json_array_append_new(list, dependency(before[i]));
    for (size_t i = 0; i < node->conditions.count; i++) {
        size_t n = 0;
        while (n < node->pre_node_names.count &&
               strcmp(before[n], conditions[i].pre_node_name) != 0)
            n++;
        if (n == node->pre_node_names.count)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "node %s: conditions[%zu].preNodeName %.128s is not in its preNodeName",
                           node->name, i, conditions[i].pre_node_name);
        if (json_object_get(json_array_get(list, n), "x-condition"))
            return err_set(
                err, ERR_INVALID_PARAMETER,
                "node %s: conditions[%zu].preNodeName %.128s has a condition already: say "
                "both in one expression, with &&",
                node->name, i, conditions[i].pre_node_name);
        json_object_set_new(json_array_get(list, n), "x-condition",
                            json_string(conditions[i].expression));
    }
    if (monitored && !json_array_size(list))
        json_array_append_new(list, dependency(DEF_MONITOR_TASK));
    return ERR_OK;
}

/* Clients send a truth value, or the word for one. */
static bool parse_truth(const char *json, bool *ret)
{
    static const char *const words[] = {"false", "\"false\"", "true", "\"true\""};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        *ret = i >= 2;
        if (strcasecmp(json, words[i]) == 0)
            return true;
    }
    return false;
}

static void add_policy(const struct dataarts_node *node, bool retries_on_timeout, json_t *task)
{
    int policy = node->fail_policy == FIELD_UNSET ? POLICY_FAIL : node->fail_policy;
    int64_t interval_s = node->retry_interval_s == FIELD_NULL ? RETRY_INTERVAL_S
                                                              : node->retry_interval_s;
    json_object_set_new(task, "x-failPolicy", json_string(fail_policy_names[policy]));
    if (strcmp(json_string_value(json_object_get(task, "type")), "DUMMY_TASK") == 0)
        return; /* there is nothing to retry, and nothing that takes time */
    if (node->retry_times != FIELD_NULL && node->retry_times > 0) {
        json_object_set_new(task, "maxRetries", json_integer(node->retry_times));
        json_object_set_new(task, "minRetryIntervalMillis", json_integer(interval_s * 1000));
    }
    if (retries_on_timeout)
        json_object_set_new(task, "isRetryOnTimeout", json_true());
    if (node->max_execution_min != FIELD_NULL)
        json_object_set_new(task, "timeoutSeconds", json_integer(node->max_execution_min * 60));
}

static enum err_code add_node(const struct reading *at, const struct dataarts_node *node,
                              bool monitored, json_t *tasks, struct err *err)
{
    if (strcmp(node->name, DEF_MONITOR_TASK) == 0)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "a node must not be called " DEF_MONITOR_TASK
                       ": that is what waits for monitorObsPath");
    if (node->event_trigger || node->cron_trigger)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "node %s: eventTrigger and cronTrigger are of real-time jobs, which are "
                       "not supported",
                       node->name);
    bool retries_on_timeout = false;
    if (node->retries_on_timeout && !parse_truth(node->retries_on_timeout, &retries_on_timeout))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "node %s: execTimeOutRetry must be true or false", node->name);
    json_t *task = dataarts_task_of_node(at, node, err);
    if (!task)
        return err->code;
    json_array_append_new(tasks, task);
    json_object_set_new(task, "taskKey", json_string(node->name));
    json_object_set_new(task, "runIf", json_string("ALL_SUCCESS"));
    json_object_set_new(task, "x-expressionLanguage", json_string("EL"));
    add_policy(node, retries_on_timeout, task);
    return add_nodes_before(node, monitored, task, err);
}

/* The path of monitorObsPath, in the arena; NULL: none. */
static enum err_code monitored_path(const struct reading *at, const struct dataarts_cron *cron,
                                    const char **ret, struct err *err)
{
    *ret = NULL;
    if (!cron || !cron->monitor_path)
        return ERR_OK;
    json_t *value = json_loads(cron->monitor_path, JSON_DECODE_ANY, NULL);
    const char *path = json_string_value(value);
    bool is_off = json_is_false(value) || json_is_null(value) || (path && !*path) ||
                  (path && strcmp(path, "false") == 0);
    bool is_path = path && strcmp(path, "true") != 0 && strncmp(path, "obs://", 6) != 0;
    if (is_path && !is_off)
        *ret = arena_strdup(at->arena, path);
    json_decref(value);
    if (is_off || is_path)
        return ERR_OK;
    return err_set(err, ERR_OBS_PATH,
                   "The OBS path is invalid: schedule.cron.monitorObsPath must be a path of the "
                   "workspace");
}

static void add_monitor(const struct dataarts_cron *cron, const char *path, json_t *tasks)
{
    int64_t interval_min = cron->scan_interval_min == FIELD_NULL ? 1 : cron->scan_interval_min;
    int64_t duration_min = cron->scan_duration_min == FIELD_NULL ? SCAN_DURATION_MIN
                                                                 : cron->scan_duration_min;
    json_array_append_new(tasks,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "taskKey",
                                    DEF_MONITOR_TASK, "type", "PATH_TASK", "runIf", "ALL_SUCCESS",
                                    "x-failPolicy", "FAIL", "x-expressionLanguage", "EL", "action",
                                    "WAIT_PATH", "path", path, "pollIntervalSeconds",
                                    interval_min * 60, "timeoutSeconds", duration_min * 60));
}

static enum err_code add_nodes(const struct reading *at, const struct dataarts_job *job,
                               json_t *details, struct err *err)
{
    const struct dataarts_node *nodes = job->nodes.items;
    json_t *tasks = json_array();
    const struct dataarts_cron *cron = job->schedule ? job->schedule->cron : NULL;
    const char *path;
    json_object_set_new(details, "tasks", tasks);
    enum err_code code = monitored_path(at, cron, &path, err);
    if (!code && cron && path)
        add_monitor(cron, path, tasks);
    for (size_t i = 0; i < job->nodes.count && !code; i++)
        code = add_node(at, &nodes[i], path != NULL, tasks, err);
    return code;
}

/* ---- parameters ---- */

static const char *started_value(const struct dataarts_start *start, const char *name)
{
    const struct dataarts_param *params = start ? start->params.items : NULL;
    for (size_t i = 0; start && i < start->params.count; i++)
        if (strcmp(params[i].name, name) == 0)
            return params[i].value ? params[i].value : "";
    return NULL;
}

static bool job_has_param(const struct dataarts_job *job, const char *name)
{
    const struct dataarts_param *params = job->params.items;
    for (size_t i = 0; i < job->params.count; i++)
        if (strcmp(params[i].name, name) == 0)
            return true;
    return false;
}

static void add_param(json_t *list, const char *name, const char *value)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value ? value : ""));
}

static void add_params(const struct dataarts_kept *kept, json_t *details)
{
    const struct dataarts_job *job = kept->job;
    const struct dataarts_param *params = job->params.items;
    json_t *list = json_array();
    for (size_t i = 0; i < job->params.count; i++) {
        const char *started = started_value(kept->start, params[i].name);
        add_param(list, params[i].name, started ? started : params[i].value);
    }
    params = kept->start ? kept->start->params.items : NULL;
    for (size_t i = 0; kept->start && i < kept->start->params.count; i++)
        if (!job_has_param(job, params[i].name))
            add_param(list, params[i].name, params[i].value);
    json_object_set_new(details, "parameters", list);
}

/* ---- the job ---- */

static enum err_code check_job(const struct dataarts_job *job, struct err *err)
{
    if (!has_text(job->name))
        return err_set(err, ERR_NAME_MISSING, "The job name cannot be left blank.");
    size_t legal = strspn(job->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_.");
    bool has_letter = strspn(job->name, "0123456789-_.") == 0;
    if (job->name[legal] || legal > DATAARTS_MAX_NAME || !has_letter)
        return err_set(err, ERR_NAME_INVALID,
                       "The job name is invalid: at most %d letters, digits, '-', '_' and '.', a "
                       "letter first",
                       DATAARTS_MAX_NAME);
    if (!job->nodes.count)
        return err_set(err, ERR_NODES_MISSING, "The job node is empty.");
    if (job->process_type == PROCESS_REAL_TIME)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "processType REAL_TIME is not supported: use BATCH");
    if (!has_text(job->empty_running) || strcmp(job->empty_running, "0") == 0)
        return ERR_OK;
    if (strcmp(job->empty_running, "1") == 0)
        return err_set(err, ERR_INVALID_PARAMETER, "emptyRunningJob 1 is not supported: use 0");
    return err_set(err, ERR_INVALID_PARAMETER, "emptyRunningJob must be 0 or 1, not %.16s",
                   job->empty_running);
}

static enum err_code set_kept(const struct dataarts_kept *kept, json_t *details, struct err *err)
{
    struct buf text;
    buf_init(&text, KEPT_MAX_BYTES);
    fields_print(&dataarts_kept_schema, kept, &text);
    json_t *value = text.overflowed ? NULL : json_parse(text.data, text.len, err);
    buf_release(&text);
    if (!value)
        return err_set(err, ERR_INVALID_PARAMETER, "the job is too large or nested too deep");
    json_object_set_new(details, "x-dataarts", value);
    return ERR_OK;
}

static enum err_code fill_details(const struct reading *at, const struct dataarts_kept *kept,
                                  bool is_active, json_t *details, struct err *err)
{
    const struct dataarts_job *job = kept->job;
    struct dataarts_cron *cron = job->schedule ? job->schedule->cron : NULL;
    const struct dataarts_basic *basic = job->basic;
    enum err_code code = check_job(job, err);
    if (code)
        return code;
    json_object_set_new(details, "name", json_string(job->name));
    json_object_set_new(details, "path",
                        json_string(has_text(job->directory) ? job->directory : "/"));
    if (has_text(job->description))
        json_object_set_new(details, "description", json_string(job->description));
    int64_t concurrent = cron && cron->concurrent != FIELD_NULL ? cron->concurrent : 1;
    json_object_set_new(details, "maxConcurrentRuns", json_integer(concurrent));
    json_object_set_new(details, "queue", json_pack("{s:b}", "isEnabled", 1));
    json_object_set_new(details, "x-expressionLanguage", json_string("EL"));
    if (basic && basic->instance_timeout_min != FIELD_NULL && basic->instance_timeout_min > 0)
        json_object_set_new(details, "timeoutSeconds",
                            json_integer(basic->instance_timeout_min * 60));
    add_params(kept, details);
    code = add_nodes(at, job, details, err);
    if (!code && cron)
        code = add_dependencies_of_job(at, cron, kept->start, details, err);
    if (!code)
        code = set_kept(kept, details, err);
    return code ? code : set_schedule(at, kept, is_active, details, err);
}

static bool is_monitored(const json_t *details)
{
    const json_t *first = json_array_get(json_object_get(details, "tasks"), 0);
    const char *key = json_string_value(json_object_get(first, "taskKey"));
    return key && strcmp(key, DEF_MONITOR_TASK) == 0;
}

enum err_code dataarts_to_def(const struct reading *at, const struct dataarts_kept *kept,
                              bool is_active, struct job_def **ret, struct err *err)
{
    json_t *details = json_object();
    enum err_code code = fill_details(at, kept, is_active, details, err);
    if (!code && (code = job_def_parse(details, false, ret, err)))
        dataarts_rename_refusal(kept, is_monitored(details), at->arena, err);
    json_decref(details);
    return code;
}
