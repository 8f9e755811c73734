/* run start, get, list, watch, history, cancel, delete. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/as_of.h"
#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/failures.h"
#include "cli/format.h"
#include "cli/interrupt.h"
#include "cli/pages.h"
#include "cli/parameters.h"
#include "cli/plan.h"
#include "cli/planned.h"
#include "cli/run.h"
#include "cli/tree.h"
#include "cli/verbs.h"
#include "cli/watch.h"

static const char *run_path(struct cli *cli, const char *key, const char *rest)
{
    return arena_printf(&cli->arena, "/jobRuns/%s%s", call_escape(cli, key), rest);
}

/* `goes_on`: whoever stops waiting leaves the run as it is. */
static int follow(struct cli *cli, const struct http_answer *answer, const char *what, bool goes_on)
{
    bool waits = cli->options.wait || cli->options.watch;
    json_t *tree = NULL;
    if (!waits && call_print_raw(cli, answer))
        return CLI_DONE;
    int status = call_parse(answer, &tree);
    if (status)
        return status;
    const char *key = arena_strdup(&cli->arena, get_text(tree, "key"));
    const char *word = get_text(json_object_get(tree, "state"), "status");
    if (cli->options.output == OUTPUT_TABLE && word && strcmp(word, "SKIPPED") == 0) {
        printf("Skipped run %s  %s\n", safe_line(&cli->arena, key),
               safe_line(&cli->arena, get_text(json_object_get(tree, "state"), "stateMessage")));
        fflush(stdout);
    } else if (cli->options.output == OUTPUT_TABLE) {
        printf("%s run %s  %s\n", what, safe_line(&cli->arena, key), safe_line(&cli->arena, word));
        fflush(stdout);
    }
    json_decref(tree);
    if (waits && key && goes_on)
        interrupt_tell_of_run(cli, key);
    if (waits && key)
        status = watch_run(cli, key, cli->options.watch ? WATCH_SHOWN : WATCH_SILENT);
    interrupt_forget();
    return status;
}

int run_follow(struct cli *cli, const struct http_answer *answer, const char *what)
{
    return follow(cli, answer, what, true);
}

int verb_run_start(struct cli *cli)
{
    const char *job;
    struct buf body;
    struct http_answer answer;
    int status = call_job_key(cli, cli->options.args.items[0], &job);
    if (status)
        return status;
    buf_init(&body, 64 << 20);
    BUF_LIT(&body, "{\"jobKey\":");
    buf_json_string(&body, job);
    add_parameters(&body, &cli->options.parameters);
    BUF_LIT(&body, "}");
    const struct call call = {
        .method = "POST", .path = "/jobRuns", .body = body.data, .flags = CALL_CREATE};
    status = call_send(cli, &call, &answer);
    buf_release(&body);
    if (status)
        return status;
    parameters_warn_start(cli, job, "run");
    status = run_follow(cli, &answer, "Started");
    http_answer_release(&answer);
    return status;
}

void run_print_trace(const char *trace)
{
    struct buf safe;
    if (!trace || !*trace)
        return;
    buf_init(&safe, 1 << 20);
    safe_text(&safe, trace, strlen(trace), SAFE_BLOCK);
    printf("\n%s%s", safe.len ? safe.data : "",
           safe.len && safe.data[safe.len - 1] == '\n' ? "" : "\n");
    buf_release(&safe);
}

/* What made it, as far as the body and the planned times tell. */
static const char *maker(struct cli *cli, const json_t *run, const json_t *planned)
{
    const char *launched = get_text(run, "launched"), *parent = get_text(run, "parentJobRunKey");
    const char *user = safe_line(&cli->arena, get_text(run, "createdByName"));
    if (parent)
        return arena_printf(&cli->arena, " by a task of run %s, in the name of %s",
                            safe_line(&cli->arena, parent), user);
    if (get_text(planned,
                 "campaignKey")) /* it made the run, or the schedule did: that is not told */
        return arena_printf(&cli->arena, " in the name of %s", user);
    if (launched && strcmp(launched, "SCHEDULED") == 0)
        return arena_printf(&cli->arena, " by %s, in the name of %s",
                            planned ? "the schedule" : "itself", user);
    return arena_printf(&cli->arena, " by %s", user);
}

/* For which time of the schedule it stands, and who or what made it. */
static void print_origin(struct cli *cli, const json_t *run)
{
    const char *made = format_date_time(&cli->arena, get_text(run, "timeCreated"));
    struct planned planned;
    if (!made)
        return;
    (void)planned_init(&planned, cli, &run, 1, PLANNED_CAMPAIGN);
    const json_t *item = planned_item(&planned, run);
    const char *time = planned_text(&planned, item);
    const char *zone = get_text(json_object_get(item, "schedule"), "timezoneId");
    const char *campaign = get_text(item, "campaignKey");
    putchar('\n');
    if (time)
        printf("Planned     %s (%s)\n", time, safe_line(&cli->arena, zone ? zone : "UTC"));
    if (campaign)
        printf("Campaign    %s asked for it, or for a repair of it\n",
               safe_line(&cli->arena, campaign));
    printf("Made        %s%s\n", safe_line(&cli->arena, made), maker(cli, run, item));
    planned_release(&planned);
}

/* What was put together here, as -o json or -o name would show what the server sent. */
static void print_key_or_json(struct cli *cli, const json_t *run)
{
    if (cli->options.output == OUTPUT_JSON)
        json_dumpf(run, stdout, JSON_COMPACT);
    else
        fputs(safe_line(&cli->arena, get_text(run, "key")), stdout);
    putchar('\n');
}

static void print_run(struct cli *cli, const json_t *run)
{
    struct tree tree;
    watch_tree(cli, run, &tree);
    tree_print(&tree, &cli->screen, 0);
    tree_release(&tree);
    print_origin(cli, run);
    const json_t *parameters = json_object_get(run, "unifiedJobAndJobRunParameters");
    if (cli->options.of_repair < 0 && json_array_size(parameters)) {
        putchar('\n');
        parameters_print(cli, parameters);
    }
    failures_print(cli, run);
}

static int show_run(struct cli *cli, const char *path_key, const struct http_answer *answer)
{
    json_t *run = NULL;
    int status = call_parse(answer, &run);
    if (!status)
        status = as_of_repair(cli, path_key, run);
    if (!status && cli->options.output == OUTPUT_TABLE)
        print_run(cli, run);
    else if (!status)
        print_key_or_json(cli, run);
    json_decref(run);
    return status;
}

int verb_run_get(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const char *path_key = call_escape(cli, key);
    status = watch_get_run(cli, path_key, false, &answer);
    if (status)
        return status;
    if (cli->options.of_repair >= 0 || !call_print_raw(cli, &answer))
        status = show_run(cli, path_key, &answer);
    http_answer_release(&answer);
    return status;
}

void run_add_state(struct cli *cli, struct table *table, const char *status)
{
    table_add(table,
              status ? arena_printf(&cli->arena, "%s %s", state_sign(&cli->screen, status), status)
                     : NULL,
              state_look(status)->color);
}

static void add_time_cells(struct table *table, int64_t start_ms, int64_t took_ms)
{
    char time[FORMAT_TEXT], took[FORMAT_TEXT];
    table_add(table, start_ms < 0 ? NULL : format_time(start_ms, time), NULL);
    table_add(table, took_ms < 0 ? NULL : format_duration(took_ms, took), NULL);
}

int verb_run_watch(struct cli *cli)
{
    const char *key;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    interrupt_tell_of_run(cli, key);
    status = watch_run(cli, key, WATCH_SHOWN);
    interrupt_forget();
    return status;
}

static void add_history_row(struct cli *cli, struct table *table, const json_t *item)
{
    struct buf text;
    size_t i;
    json_t *value;
    table_add(table, arena_printf(&cli->arena, "%" PRId64, get_number(item, "key", 0)), NULL);
    table_add(table, get_text(item, "type"), NULL);
    table_add(table, get_text(item, "createdByName"), NULL);
    run_add_state(cli, table, get_text(json_object_get(item, "state"), "status"));
    add_time_cells(table, get_number(item, "startTime", -1), tree_took_ms(item, watch_now_ms()));
    buf_init(&text, 64 << 10);
    json_array_foreach (json_object_get(item, "parameters"), i, value) {
        buf_printf(&text, "%s%s=%s", i ? " " : "",
                   get_text(value, "name") ? get_text(value, "name") : "",
                   get_text(value, "value") ? get_text(value, "value") : "");
    }
    table_add(table, text.len ? text.data : NULL, NULL);
    buf_clear(&text);
    json_array_foreach (json_object_get(item, "repairedTasks"), i, value) {
        buf_printf(&text, "%s%s", i ? " " : "",
                   json_string_value(value) ? json_string_value(value) : "");
    }
    table_add(table, text.len ? text.data : NULL, NULL);
    buf_release(&text);
}

int verb_run_history(struct cli *cli)
{
    static const char *const heads[] = {"REPAIR",  "TYPE", "BY",    "STATE",
                                        "STARTED", "TOOK", "GIVEN", "TASKS"};
    const char *key;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    return status ? status
                  : pages_print(cli, run_path(cli, key, "/repairHistory?"), "attempts", heads,
                                ARRAY_LEN(heads), add_history_row);
}

/* Otherwise than `but`. */
static bool has_ended(const json_t *run, const char *but)
{
    const char *word = get_text(json_object_get(run, "state"), "status");
    return word && state_name_is_final(word) && strcmp(word, but) != 0;
}

enum { TASKS_MAX_BYTES = 8 << 20 };

/* In the arena; NULL: the run as a whole. */
static const char *tasks_body(struct cli *cli, const struct word_list *tasks)
{
    struct buf body;
    if (!tasks->count)
        return NULL;
    buf_init(&body, TASKS_MAX_BYTES);
    plan_add_keys(&body, "taskKeys", tasks);
    const char *text = arena_printf(&cli->arena, "{%s}", body.data + 1); /* without its comma */
    buf_release(&body);
    return text;
}

/* "Asked to cancel", "Asked to cancel load, check of"; in the arena. */
static const char *asked_to_cancel(struct cli *cli)
{
    const struct word_list *tasks = &cli->options.tasks;
    const char *text = "Asked to cancel";
    for (size_t i = 0; i < tasks->count; i++)
        text = arena_printf(&cli->arena, "%s%s %s", text, i ? "," : "",
                            safe_line(&cli->arena, tasks->items[i]));
    return tasks->count ? arena_printf(&cli->arena, "%s of", text) : text;
}

int verb_run_cancel(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    const char *body = tasks_body(cli, &cli->options.tasks);
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    /* The answer alone does not tell whether it was this call that has canceled the run. Only people are told. */
    json_t *before =
        cli->options.output == OUTPUT_TABLE ? call_get_quietly(cli, run_path(cli, key, "")) : NULL;
    bool had_ended = has_ended(before, "");
    json_decref(before);
    const struct call call = {
        .method = "POST",
        .path = run_path(cli, key, body ? "/actions/cancelTasks" : "/actions/cancel"),
        .body = body,
        .if_match = cli->options.if_match,
        .flags = CALL_CREATE};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    json_t *run = NULL;
    status = call_parse(&answer, &run);
    if (!body) /* it may have, in between; without some of its tasks it may end at once, in any way */
        had_ended |= has_ended(run, "CANCELED");
    json_decref(run);
    if (!status)
        status =
            follow(cli, &answer, had_ended ? "Had ended already:" : asked_to_cancel(cli), false);
    if (status == CLI_RUN_FAILED) /* whoever cancels expects no SUCCESS */
        status = CLI_DONE;
    http_answer_release(&answer);
    return status;
}

int verb_run_delete(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {
        .method = "DELETE", .path = run_path(cli, key, ""), .if_match = cli->options.if_match};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_TABLE)
        printf("Deleted run %s\n", safe_line(&cli->arena, key));
    http_answer_release(&answer);
    return CLI_DONE;
}
