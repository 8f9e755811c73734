/* task get, task output. */
#include "cli/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/as_of.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/run.h"
#include "cli/verbs.h"
#include "cli/watch.h"

void task_complain_missing(const json_t *run, const char *task_key)
{
    const char *key = get_text(run, "key");
    const char *status = get_text(json_object_get(run, "state"), "status");
    size_t i;
    json_t *task;
    bool is_known = false;
    json_array_foreach (json_object_get(run, "tasks"), i, task) {
        const char *name = get_text(task, "taskKey");
        is_known |= name && strcmp(name, task_key) == 0;
    }
    if (is_known)
        cli_complain("run %s is %s: its tasks, \"%s\" too, never began", key ? key : "",
                     status ? status : "new", task_key);
    else
        cli_complain("run %s has no task \"%s\"", key ? key : "", task_key);
}

int task_run_key(struct cli *cli, const char *word, const char *task_key, const char **ret_key)
{
    const char *run;
    struct http_answer answer;
    json_t *tree = NULL;
    int status = call_run_key(cli, word, &run);
    if (!status)
        status = watch_get_run(cli, call_escape(cli, run), false, &answer);
    if (status)
        return status;
    status = call_parse(&answer, &tree);
    if (!status)
        status = as_of_repair(cli, call_escape(cli, run), tree);
    const char *key = get_text(json_object_get(tree, "taskToTaskRunMap"), task_key);
    if (!status && key) {
        *ret_key = arena_strdup(&cli->arena, key);
    } else if (!status) {
        task_complain_missing(tree, task_key);
        status = CLI_USAGE;
    }
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

static void print_field(struct cli *cli, const char *name, const char *text)
{
    if (text && *text)
        printf("%-12s %s\n", name, safe_line(&cli->arena, text));
}

/* What it has cost, in two columns; nothing until that is known. */
static void add_usage(struct cli *cli, struct table *table, const json_t *usage)
{
    char cpu[FORMAT_TEXT], memory[FORMAT_TEXT];
    int64_t user = get_number(usage, "userCpuMicros", -1);
    int64_t system = get_number(usage, "systemCpuMicros", 0);
    if (user < 0) {
        table_add(table, NULL, NULL);
        table_add(table, NULL, NULL);
        return;
    }
    format_duration((user + system) / 1000, cpu);
    format_bytes(get_number(usage, "peakMemoryBytes", 0), memory);
    table_add(table, arena_strdup(&cli->arena, cpu), NULL);
    table_add(table, arena_strdup(&cli->arena, memory), NULL);
}

static void print_attempts(struct cli *cli, const json_t *task_run)
{
    static const char *const heads[] = {"ATTEMPT", "STATE",  "STARTED", "TOOK",
                                        "CPU",     "MEMORY", "REASON"};
    struct table table;
    size_t i;
    json_t *attempt;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (json_object_get(task_run, "retries"), i, attempt) {
        char time[FORMAT_TEXT], took[FORMAT_TEXT];
        const json_t *state = json_object_get(attempt, "state");
        const char *status = get_text(state, "status");
        int64_t start = get_number(attempt, "startTime", -1);
        int64_t end = get_number(attempt, "endTime", -1);
        table_add(&table,
                  arena_printf(&cli->arena, "%" PRId64, get_number(attempt, "retryNumber", 0)),
                  NULL);
        table_add(&table, status, state_look(status)->color);
        table_add(&table, start < 0 ? NULL : format_time(start, time), NULL);
        table_add(&table,
                  start < 0 ? NULL
                            : format_duration((end < 0 ? watch_now_ms() : end) - start, took),
                  NULL);
        add_usage(cli, &table, json_object_get(attempt, "usage"));
        table_add(&table, get_text(state, "stateMessage"), NULL);
    }
    if (table.count) {
        putchar('\n');
        table_print(&table, &cli->screen, stdout);
    }
    table_release(&table);
}

static void print_duration(struct cli *cli, const char *name, int64_t ms)
{
    char text[FORMAT_TEXT];
    if (ms > 0)
        print_field(cli, name, format_duration(ms, text));
}

/* Of a task on Spark: the application, and what the cluster took that was made for it. Until it is known the id
 * is the attempt's token, which begins with the run's key. */
static void print_spark(struct cli *cli, const json_t *task_run)
{
    const char *id = get_text(task_run, "externalId");
    const char *run = get_text(task_run, "jobRunKey");
    const char *type = get_text(json_object_get(task_run, "task"), "type");
    bool is_child = type && strcmp(type, "JOB_TASK") == 0;
    if (id && run && !is_child && strncmp(id, run, strlen(run)) != 0)
        print_field(cli, "Application", id);
    print_duration(cli, "Set-up", get_number(task_run, "setupDuration", 0));
    print_duration(cli, "Clean-up", get_number(task_run, "cleanupDuration", 0));
}

/* What the task has published for those behind it. */
static void print_values(struct cli *cli, const json_t *values)
{
    const char *name, *label = "Values";
    json_t *value;
    json_object_foreach ((json_t *)values, name, value) {
        const char *text = json_string_value(value);
        printf("%-12s %s", label, safe_line(&cli->arena, name));
        printf(" = %s\n", safe_line(&cli->arena, text));
        label = "";
    }
}

static void print_task_run(struct cli *cli, const json_t *task_run)
{
    const json_t *state = json_object_get(task_run, "state");
    size_t i;
    json_t *parameter;
    print_field(cli, "Task", get_text(task_run, "taskKey"));
    print_field(cli, "Key", get_text(task_run, "key"));
    print_field(cli, "Run", get_text(task_run, "jobRunKey"));
    print_field(cli, "State", get_text(state, "status"));
    print_field(cli, "Reason", get_text(state, "stateMessage"));
    print_spark(cli, task_run);
    json_array_foreach (json_object_get(task_run, "parameters"), i, parameter) {
        printf("%-12s %s = %s\n", i ? "" : "Parameters",
               safe_line(&cli->arena, get_text(parameter, "name")),
               safe_line(&cli->arena, get_text(parameter, "value")));
    }
    print_values(cli, json_object_get(task_run, "values"));
    print_attempts(cli, task_run);
    run_print_trace(get_text(state, "errorTrace"));
}

/* The task run that the arguments name: by its key, or as the newest of --task in a run. */
static int named_task_run(struct cli *cli, const char **ret_key)
{
    *ret_key = cli->options.args.items[0];
    if (cli->options.tasks.count > 1) {
        cli_complain("--task names one task here");
        return CLI_USAGE;
    }
    if (!cli->options.tasks.count && strstr(*ret_key, "@latest")) {
        cli_complain("%s is a run: say which of its tasks is meant, with --task K", *ret_key);
        return CLI_USAGE;
    }
    if (!cli->options.tasks.count && cli->options.of_repair >= 0) {
        cli_complain("--repair needs a run and --task: a task run is of one repair");
        return CLI_USAGE;
    }
    return cli->options.tasks.count
               ? task_run_key(cli, *ret_key, cli->options.tasks.items[0], ret_key)
               : CLI_DONE;
}

int verb_task_get(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *tree = NULL;
    int status = named_task_run(cli, &key);
    if (status)
        return status;
    const struct call call = {
        .method = "GET",
        .path = arena_printf(&cli->arena, "/taskRuns/%s", call_escape(cli, key)),
    };
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree)))
        print_task_run(cli, tree);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

/* Byte for byte; to a terminal only text and colours. */
static void print_output(const struct cli *cli, const json_t *output)
{
    const json_t *value =
        json_object_get(json_array_get(json_object_get(output, "data"), 0), "value");
    const char *text = json_string_value(value);
    if (json_is_true(json_object_get(output, "isTruncated")))
        cli_complain("only the end of the output is here; `run logs` reads all of it");
    if (!text)
        return;
    if (!cli->screen.is_terminal) {
        fwrite(text, 1, json_string_length(value), stdout);
        return;
    }
    struct log_filter filter = {0};
    struct buf shown;
    buf_init(&shown, 64 << 20);
    log_filter_add(&filter, text, json_string_length(value), &shown);
    log_filter_end(&filter, &shown);
    fwrite(shown.len ? shown.data : "", 1, shown.len, stdout);
    buf_release(&shown);
}

int verb_task_output(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    struct buf body;
    json_t *tree = NULL;
    int status = named_task_run(cli, &key);
    if (status)
        return status;
    buf_init(&body, 1 << 16);
    if (cli->options.attempt >= 0) {
        BUF_LIT(&body, "{\"outputKey\":");
        buf_json_string(&body, arena_printf(&cli->arena, "%s.%" PRId64, key, cli->options.attempt));
        buf_putc(&body, '}');
    }
    const struct call call = {
        .method = "POST",
        .path =
            arena_printf(&cli->arena, "/taskRuns/%s/actions/fetchOutput", call_escape(cli, key)),
        .body = body.len ? body.data : "{}",
    };
    status = call_send(cli, &call, &answer);
    buf_release(&body);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree)))
        print_output(cli, tree);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}
