/* run diff: what differs between two attempts of a run. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/plan.h"
#include "cli/run.h"
#include "cli/verbs.h"

static bool is_attempt_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits < 10 && !text[digits];
}

/* "/jobRuns/KEY/diff?from=0&to=2"; NULL, said, when a number is none. */
static const char *diff_path(struct cli *cli, const char *key)
{
    const char *names[] = {"from", "to"};
    const char *values[] = {cli->options.from, cli->options.to};
    const char *path = arena_printf(&cli->arena, "/jobRuns/%s/diff", call_escape(cli, key));
    const char *next = "?";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!values[i])
            continue;
        if (!is_attempt_number(values[i])) {
            cli_complain("--%s: \"%s\" is not the number of an attempt: 0 is the original, 1 the "
                         "first repair",
                         names[i], safe_line(&cli->arena, values[i]));
            return NULL;
        }
        path = arena_printf(&cli->arena, "%s%s%s=%s", path, next, names[i], values[i]);
        next = "&";
    }
    return path;
}

static const char *took(struct cli *cli, const json_t *side)
{
    char text[FORMAT_TEXT];
    int64_t ms = get_number(side, "executionDuration", -1);
    return ms < 0 ? NULL : arena_strdup(&cli->arena, format_duration(ms, text));
}

/* "Original  ✗ FAILED  2.00 s  Failed; 1 task failed: load" */
static void add_side(struct cli *cli, struct table *table, const json_t *side)
{
    int64_t key = get_number(side, "key", 0);
    table_add(table, key ? arena_printf(&cli->arena, "Repair %" PRId64, key) : "Original", NULL);
    run_add_state(cli, table, get_text(side, "status"));
    table_add(table, took(cli, side), NULL);
    table_add(table, get_text(side, "stateMessage"), NULL);
}

static void print_sides(struct cli *cli, const json_t *diff)
{
    static const char *const heads[] = {"ATTEMPT", "STATE", "TOOK", "WHY"};
    struct table table;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    add_side(cli, &table, json_object_get(diff, "from"));
    add_side(cli, &table, json_object_get(diff, "to"));
    table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

static void print_tasks(struct cli *cli, const json_t *diff)
{
    static const char *const heads[] = {"TASK", "BEFORE", "TOOK", "AFTER", "TOOK", "WHY"};
    struct table table;
    size_t i;
    json_t *task;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (json_object_get(diff, "tasks"), i, task) {
        const json_t *from = json_object_get(task, "from");
        const json_t *to = json_object_get(task, "to");
        table_add(&table, get_text(task, "taskKey"), NULL);
        run_add_state(cli, &table, get_text(from, "status"));
        table_add(&table, took(cli, from), NULL);
        run_add_state(cli, &table, get_text(to, "status"));
        table_add(&table, took(cli, to), NULL);
        table_add(&table, json_is_object(to) ? get_text(to, "stateMessage") : "removed", NULL);
    }
    if (table.count) {
        putchar('\n');
        table_print(&table, &cli->screen, stdout);
    }
    table_release(&table);
    int64_t kept = get_number(diff, "keptTasks", 0);
    printf("\n%" PRId64 " task%s kept\n", kept, kept == 1 ? "" : "s");
}

int verb_run_diff(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *tree = NULL;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {.method = "GET", .path = diff_path(cli, key)};
    if (!call.path)
        return CLI_USAGE;
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_JSON) {
        (void)call_print_raw(cli, &answer);
    } else if (!(status = call_parse(&answer, &tree))) {
        size_t i;
        json_t *task;
        if (cli->options.output == OUTPUT_NAME) {
            json_array_foreach (json_object_get(tree, "tasks"), i, task) {
                printf("%s\n", safe_line(&cli->arena, get_text(task, "taskKey")));
            }
        } else {
            print_sides(cli, tree);
            print_tasks(cli, tree);
            plan_print_definition(cli, json_object_get(tree, "definition"));
            plan_print_parameters(cli, json_object_get(tree, "parameters"));
            plan_print_commits(cli, json_object_get(tree, "gitCommits"), "none", NULL);
        }
    }
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}
