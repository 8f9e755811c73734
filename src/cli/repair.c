/* run repair: the plan, and doing it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/run.h"
#include "cli/verbs.h"

enum { BODY_MAX = 64 << 20, HINT_MAX = 1000 };

static void add_task_keys(struct buf *body, const struct options *options)
{
    bool closed = options->with_downstream || options->with_upstream;
    for (size_t i = 0; i < options->tasks.count; i++) {
        const char *opening = closed ? ",\"repairTasks\":[{\"taskKey\":" : ",\"taskKeys\":[";
        const char *next = closed ? ",{\"taskKey\":" : ",";
        buf_puts(body, i ? next : opening);
        buf_json_string(body, options->tasks.items[i]);
        if (closed)
            buf_printf(body, ",\"shouldIncludeDownstream\":%s,\"shouldIncludeUpstream\":%s}",
                       options->with_downstream ? "true" : "false",
                       options->with_upstream ? "true" : "false");
    }
    if (options->tasks.count)
        BUF_LIT(body, "]");
}

static void add_upper_case(struct buf *body, const char *text)
{
    struct buf upper;
    buf_init(&upper, 1 << 16);
    for (; *text; text++)
        buf_putc(&upper, *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text);
    buf_json_string_len(body, upper.len ? upper.data : "", upper.len);
    buf_release(&upper);
}

/* The request of repair and planRepair alike. */
static void make_body(const struct options *options, struct buf *body)
{
    struct buf members;
    const char *definition = options->definition;
    buf_init(&members, BODY_MAX);
    add_task_keys(&members, options);
    add_parameters(&members, &options->parameters);
    if (options->mode) {
        BUF_LIT(&members, ",\"repairMode\":");
        add_upper_case(&members, options->mode);
    }
    if (definition) {
        BUF_LIT(&members, ",\"definition\":");
        if (*definition && strspn(definition, "123456789") &&
            strspn(definition, "0123456789") == strlen(definition))
            buf_puts(&members, definition);
        else
            add_upper_case(&members, definition);
    }
    buf_putc(body, '{');
    if (members.len)
        buf_puts(body, members.data + 1); /* without its first comma */
    buf_putc(body, '}');
    buf_release(&members);
}

static const char *quoted(struct cli *cli, const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? arena_printf(&cli->arena, "\"%s\"", safe_line(&cli->arena, text)) : "(none)";
}

static void print_parameters(struct cli *cli, const json_t *plan)
{
    const char *arrow = cli->screen.unicode ? "→" : "->";
    size_t i;
    json_t *parameter;
    json_array_foreach (json_object_get(plan, "parameters"), i, parameter) {
        printf("%s  %s: %s %s %s\n", i ? "" : "\nParameters that change:\n",
               safe_line(&cli->arena, get_text(parameter, "name")),
               quoted(cli, json_object_get(parameter, "old")), arrow,
               quoted(cli, json_object_get(parameter, "new")));
    }
}

struct verdict {
    const char *name;
    const char *word;
    const char *color;
    int count;
};

static struct verdict *verdict_of(struct verdict verdicts[3], const json_t *task)
{
    const char *name = get_text(task, "verdict");
    for (int i = 0; name && i < 3; i++)
        if (strcmp(verdicts[i].name, name) == 0)
            return &verdicts[i];
    return &verdicts[2];
}

/* Does the key need no quotes in a shell? */
static bool is_plain_word(const char *text)
{
    return text && *text && *text != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
               strlen(text);
}

/* Kept tasks whose result may be stale, and what to add so that they run again too. */
static void print_hazards(struct cli *cli, const json_t *tasks)
{
    struct buf more;
    size_t i, h;
    json_t *task, *hazard;
    buf_init(&more, HINT_MAX);
    json_array_foreach (tasks, i, task) {
        const json_t *hazards = json_object_get(task, "hazards");
        const char *key = get_text(task, "taskKey");
        if (json_array_size(hazards) && !more.len)
            printf("\nTake care:\n");
        json_array_foreach (hazards, h, hazard) {
            printf("  %s: %s\n", safe_line(&cli->arena, key),
                   safe_line(&cli->arena, json_string_value(hazard)));
        }
        if (json_array_size(hazards))
            buf_printf(&more, " --task %s", is_plain_word(key) ? key : "…");
    }
    if (more.len)
        printf("To run these again too, add%s%s\n", more.data, more.overflowed ? " …" : "");
    buf_release(&more);
}

/* "Will run 5, re-evaluate 2, keep 7", each with its reason; kept ones only in the whole plan. */
static void print_plan(struct cli *cli, const char *run, const json_t *plan, bool whole)
{
    struct verdict verdicts[3] = {
        {"RUN", "run", "34", 0}, {"REEVALUATE", "re-evaluate", "36", 0}, {"KEEP", "keep", "2", 0}};
    static const char *const heads[] = {"VERDICT", "TASK", "REASON"};
    const json_t *tasks = json_object_get(plan, "tasks");
    struct table table;
    size_t i;
    json_t *task;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (tasks, i, task) {
        struct verdict *verdict = verdict_of(verdicts, task);
        verdict->count++;
        if (!whole && verdict == &verdicts[2])
            continue;
        table_add(&table, verdict->word, verdict->color);
        table_add(&table, get_text(task, "taskKey"), NULL);
        table_add(&table, get_text(task, "reason"), NULL);
    }
    printf("Repair of run %s: will run %d, re-evaluate %d, keep %d\n\n",
           safe_line(&cli->arena, run), verdicts[0].count, verdicts[1].count, verdicts[2].count);
    if (table.count)
        table_print(&table, &cli->screen, stdout);
    table_release(&table);
    print_parameters(cli, plan);
    print_hazards(cli, tasks);
    if (whole)
        printf("\nNothing was changed. Without --plan, this is what happens.\n");
    else
        putchar('\n');
    fflush(stdout);
}

/* Shows the plan; *ret_etag is what it was made for. A server without plans shows none. */
static int show_plan(struct cli *cli, const char *run, const char *body, bool whole,
                     const char **ret_etag)
{
    struct http_answer answer;
    json_t *plan = NULL;
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/jobRuns/%s/actions/planRepair", call_escape(cli, run));
    const struct call call = {.method = "POST", .path = path.data, .body = body};
    int status = call_send(cli, &call, &answer);
    buf_release(&path);
    if (status)
        return status;
    if (!(whole && call_print_raw(cli, &answer)) && !(status = call_parse(&answer, &plan))) {
        print_plan(cli, run, plan, whole);
        *ret_etag = arena_strdup(&cli->arena, get_text(plan, "etag"));
    }
    json_decref(plan);
    http_answer_release(&answer);
    return status;
}

static int send_repair(struct cli *cli, const char *run, const char *body, const char *if_match)
{
    struct http_answer answer;
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/jobRuns/%s/actions/repair", call_escape(cli, run));
    const struct call call = {.method = "POST",
                              .path = path.data,
                              .body = body,
                              .if_match = if_match,
                              .flags = CALL_CREATE};
    int status = call_send(cli, &call, &answer);
    buf_release(&path);
    if (status)
        return status;
    status = run_follow(cli, &answer, "Repaired");
    http_answer_release(&answer);
    return status;
}

int verb_run_repair(struct cli *cli)
{
    const struct options *options = &cli->options;
    const char *run, *if_match = options->if_match;
    struct buf body;
    if ((options->with_downstream || options->with_upstream) && !options->tasks.count) {
        cli_complain("--with-downstream and --with-upstream need --task: which task's?");
        return CLI_USAGE;
    }
    int status = call_run_key(cli, options->args.items[0], &run);
    if (status)
        return status;
    buf_init(&body, BODY_MAX);
    make_body(options, &body);
    /* With the plan on the screen, what is done is that plan or nothing (412). */
    if (options->plan || options->output == OUTPUT_TABLE)
        status = show_plan(cli, run, body.data, options->plan, &if_match);
    if (!status && !options->plan)
        status = send_repair(cli, run, body.data, options->if_match ? options->if_match : if_match);
    buf_release(&body);
    return status;
}
