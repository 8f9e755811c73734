/* job create, list, get, update, delete, validate. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/check.h"
#include "cli/format.h"
#include "cli/job_file.h"
#include "cli/pages.h"
#include "cli/verbs.h"

enum { NAMES_LOOKED_UP = 20 }; /* of jobs that one waits for; of others the key is shown */

static const char *job_path(struct cli *cli, const char *key, const char *rest)
{
    return arena_printf(&cli->arena, "/jobs/%s%s", call_escape(cli, key), rest);
}

static bool is_silent(const json_t *file, const char *what)
{
    const json_t *given = json_object_get(file, what);
    return json_is_object(given) && !get_text(given, "pauseStatus");
}

/* A PUT is the whole job: one without a word of a pause would end it. `*if_match` is what was looked at, where nothing else was asked
 * for. */
static int keep_pauses(struct cli *cli, const char *path, struct buf *body, const char **if_match,
                       bool *ret_kept)
{
    struct http_answer answer;
    struct err err;
    json_t *file = json_parse(body->data, body->len, &err), *now = NULL;
    int status = CLI_DONE;
    if (is_silent(file, "schedule") || is_silent(file, "continuous"))
        status = call_get(cli, path, &answer, &now);
    if (!status && now) {
        *ret_kept = job_file_keep_pauses(file, now, NULL);
        if (!*if_match)
            *if_match = arena_strdup(&cli->arena, answer.etag);
        http_answer_release(&answer);
    }
    if (*ret_kept)
        job_file_write(file, body);
    json_decref(now);
    json_decref(file);
    return status;
}

/* Sends the job file; prints "what" the job is now, and behind that which of its fields were ignored: a misspelt one may
 * be why others are missing. */
static int send_file(struct cli *cli, const char *method, const char *path, const char *what)
{
    struct buf body;
    struct http_answer answer;
    const char *if_match = cli->options.if_match;
    bool is_new = strcmp(method, "POST") == 0, stays_paused = false;
    int status = job_file_read(cli, &body);
    if (status)
        return status;
    if (!is_new && (status = keep_pauses(cli, path, &body, &if_match, &stays_paused))) {
        buf_release(&body);
        return status;
    }
    const struct call call = {
        .method = method,
        .path = cli->options.strict ? arena_printf(&cli->arena, "%s?strict=true", path) : path,
        .body = body.data,
        .if_match = if_match,
        .flags = is_new ? CALL_CREATE : 0,
    };
    status = call_send(cli, &call, &answer);
    if (!status) {
        json_t *tree = NULL;
        if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree)))
            printf("%s job %s  %s\n", what, safe_line(&cli->arena, get_text(tree, "name")),
                   safe_line(&cli->arena, get_text(tree, "key")));
        fflush(stdout);
        json_decref(tree);
        http_answer_release(&answer);
    }
    if (!status && stays_paused)
        cli_complain("it stays paused, since the file says nothing of that; `reprise schedule "
                     "resume %s` lets it go on",
                     cli->options.args.items[0]);
    if (!status || (status == CLI_REFUSED && cli->refused_with == 400))
        check_warn(cli, body.data);
    buf_release(&body);
    return status;
}

int verb_job_create(struct cli *cli)
{
    return send_file(cli, "POST", "/jobs", "Created");
}

int verb_job_update(struct cli *cli)
{
    const char *key;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    return status ? status : send_file(cli, "PUT", job_path(cli, key, ""), "Updated");
}

int verb_job_cancel_runs(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {.method = "POST",
                              .path = job_path(cli, key, "/actions/cancelJobRuns"),
                              .if_match = cli->options.if_match};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_TABLE)
        printf("Canceling all active runs of job %s\n", safe_line(&cli->arena, key));
    http_answer_release(&answer);
    return CLI_DONE;
}

int verb_job_delete(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {
        .method = "DELETE", .path = job_path(cli, key, ""), .if_match = cli->options.if_match};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_TABLE)
        printf("Deleted job %s\n", safe_line(&cli->arena, key));
    http_answer_release(&answer);
    return CLI_DONE;
}

/* The definition is checked by the server alone: this half of the program knows nothing of jobs. */
int verb_job_validate(struct cli *cli)
{
    struct buf body;
    struct http_answer answer;
    json_t *tree;
    int status = job_file_read(cli, &body);
    if (status)
        return status;
    status = check_ask(cli, body.data, &answer, &tree);
    if (!status) {
        if (cli->options.output == OUTPUT_JSON)
            (void)call_print_raw(cli, &answer);
        status = check_tell(cli, tree, body.data, NULL, false);
        if (!status && cli->options.output == OUTPUT_TABLE)
            printf("%s: the job is valid\n", safe_line(&cli->arena, cli->options.files.items[0]));
        json_decref(tree);
        http_answer_release(&answer);
    }
    buf_release(&body);
    return status;
}

static bool is_paused(const json_t *what)
{
    const char *status = get_text(what, "pauseStatus");
    return status && strcmp(status, "PAUSED") == 0;
}

/* What starts runs of the job, or NULL: "0 0 3 * * ?, UTC (paused)". */
static const char *schedule_text(struct cli *cli, const json_t *job)
{
    const json_t *schedule = json_object_get(job, "schedule");
    const json_t *continuous = json_object_get(job, "continuous");
    const char *cron = get_text(schedule, "quartzCronExpression");
    const char *zone = get_text(schedule, "timezoneId");
    const char *rest = is_paused(schedule) || is_paused(continuous) ? " (paused)" : "";
    if (json_is_object(continuous))
        return arena_printf(&cli->arena, "continuous%s", rest);
    return cron ? arena_printf(&cli->arena, "%s%s%s%s", cron, zone ? ", " : "", zone ? zone : "",
                               rest)
                : NULL;
}

static void add_job_row(struct cli *cli, struct table *table, const json_t *job)
{
    table_add(table, get_text(job, "name"), NULL);
    table_add(table, get_text(job, "key"), NULL);
    table_add(table, schedule_text(cli, job), NULL);
    table_add(table, clocks_next(cli, job, get_text(job, "nextRunTime")), NULL);
    table_add(table, format_date_time(&cli->arena, get_text(job, "timeCreated")), NULL);
}

int verb_job_list(struct cli *cli)
{
    static const char *const heads[] = {"NAME", "KEY", "SCHEDULE", "NEXT", "CREATED"};
    return pages_print(cli, "/jobs?", "jobs", heads, ARRAY_LEN(heads), add_job_row);
}

static const char *dependencies_text(struct cli *cli, const json_t *task)
{
    struct buf text;
    size_t i;
    json_t *dependency;
    buf_init(&text, 64 << 10);
    json_array_foreach (json_object_get(task, "dependsOn"), i, dependency) {
        const char *outcome = get_text(dependency, "outcome");
        const char *key = get_text(dependency, "taskKey");
        buf_printf(&text, "%s%s%s%s%s", i ? ", " : "", key ? key : "?", outcome ? " (" : "",
                   outcome ? outcome : "", outcome ? ")" : "");
    }
    const char *result = text.len ? arena_strdup(&cli->arena, text.data) : NULL;
    buf_release(&text);
    return result;
}

static void print_field(struct cli *cli, const char *name, const char *text)
{
    if (text && *text)
        printf("%-12s %s\n", name, safe_line(&cli->arena, text));
}

static void print_tasks(struct cli *cli, const json_t *job)
{
    static const char *const heads[] = {"TASK", "TYPE", "RUN IF", "AFTER"};
    const json_t *tasks = json_object_get(job, "tasks");
    struct table table;
    size_t i;
    json_t *task;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (tasks, i, task) {
        table_add(&table, get_text(task, "taskKey"), NULL);
        table_add(&table, get_text(task, "type"), NULL);
        table_add(&table, get_text(task, "runIf"), NULL);
        table_add(&table, dependencies_text(cli, task), NULL);
    }
    if (table.count) {
        putchar('\n');
        table_print(&table, &cli->screen, stdout);
    }
    table_release(&table);
}

/* "load (PRE_PERIOD, SUSPEND)": words that go without saying are left out. */
static const char *dependency_text(struct cli *cli, const json_t *dependency, const char *job_name)
{
    const char *period = get_text(dependency, "period");
    const char *policy = get_text(dependency, "failPolicy");
    bool tells_period = period && strcmp(period, "SAME_PERIOD") != 0;
    bool tells_policy = policy && strcmp(policy, "FAIL") != 0;
    if (tells_period && tells_policy)
        return arena_printf(&cli->arena, "%s (%s, %s)", job_name, period, policy);
    if (tells_period || tells_policy)
        return arena_printf(&cli->arena, "%s (%s)", job_name, tells_period ? period : policy);
    return job_name;
}

static void print_dependencies(struct cli *cli, const json_t *job)
{
    const char *label = "Waits for";
    size_t i;
    json_t *dependency;
    json_array_foreach (json_object_get(job, "dependencies"), i, dependency) {
        const char *key = get_text(dependency, "jobKey");
        key = key ? key : "?";
        json_t *other = i < NAMES_LOOKED_UP ? call_get_quietly(cli, job_path(cli, key, "")) : NULL;
        const char *name = get_text(other, "name");
        print_field(cli, label, dependency_text(cli, dependency, name ? name : key));
        json_decref(other);
        label = "";
    }
    if (json_is_true(json_object_get(job, "dependsOnPreviousRun")))
        print_field(cli, label, "its own run before");
}

static void print_limits(struct cli *cli, const json_t *job)
{
    int64_t timeout_s = get_number(job, "timeoutSeconds", 0);
    bool queues = json_is_true(json_object_get(json_object_get(job, "queue"), "isEnabled"));
    char text[FORMAT_TEXT];
    printf("%-12s %" PRId64 " at once, others %s\n", "Runs",
           get_number(job, "maxConcurrentRuns", 1), queues ? "wait in line" : "are SKIPPED");
    if (timeout_s > 0)
        print_field(cli, "Timeout", format_duration(timeout_s * 1000, text));
}

static void print_job(struct cli *cli, const json_t *job)
{
    const json_t *next = json_array_get(json_object_get(job, "nextRunTimes"), 0);
    size_t i;
    json_t *parameter;
    print_field(cli, "Job", get_text(job, "name"));
    print_field(cli, "Key", get_text(job, "key"));
    print_field(cli, "Description", get_text(job, "description"));
    print_field(cli, "Created", get_text(job, "timeCreated"));
    print_field(cli, "Updated", get_text(job, "timeUpdated"));
    print_field(cli, "Schedule", schedule_text(cli, job));
    print_field(cli, "Next", clocks_next(cli, job, json_string_value(next)));
    print_dependencies(cli, job);
    print_limits(cli, job);
    json_array_foreach (json_object_get(job, "parameters"), i, parameter) {
        printf("%-12s %s = %s\n", i ? "" : "Parameters",
               safe_line(&cli->arena, get_text(parameter, "name")),
               safe_line(&cli->arena, get_text(parameter, "value")));
    }
    print_tasks(cli, job);
}

int verb_job_get(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {.method = "GET", .path = job_path(cli, key, "")};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    json_t *tree = NULL;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree)))
        print_job(cli, tree);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

/* ---- export ---- */

/* Members that are null, or lists of nothing, mean what absent ones do. Bounded: an answer is as deep as a body may be. */
static void leave_out_empty(json_t *value)
{
    const char *name;
    size_t i;
    json_t *item;
    void *next;
    json_array_foreach (value, i, item) {
        leave_out_empty(item);
    }
    json_object_foreach_safe (value, next, name, item) {
        if (json_is_null(item) || (json_is_array(item) && !json_array_size(item)))
            json_object_del(value, name);
        else
            leave_out_empty(item);
    }
}

static void print_visibly(const json_t *value)
{
    struct buf shown;
    char *text = json_dumps(value, JSON_INDENT(2));
    buf_init(&shown, 64 << 20);
    buf_json_shown(&shown, text, strlen(text));
    printf("%s\n", shown.data);
    buf_release(&shown);
    free(text);
}

/* Whether it is paused now is left out: who applies the file leaves that as it is. */
int verb_job_export(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *definition;
    int status = call_job_key(cli, cli->options.args.items[0], &key);
    if (!status)
        status = call_read_definition(cli, key, &answer, &definition);
    if (status)
        return status;
    leave_out_empty(definition);
    json_object_del(json_object_get(definition, "schedule"), "pauseStatus");
    json_object_del(json_object_get(definition, "continuous"), "pauseStatus");
    print_visibly(definition);
    json_decref(definition);
    http_answer_release(&answer);
    return CLI_DONE;
}
