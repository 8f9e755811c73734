/* run repair: the plan, and doing it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/parameters.h"
#include "cli/plan.h"
#include "cli/run.h"
#include "cli/verbs.h"

enum { BODY_MAX = 64 << 20 };

/* The request of repair and planRepair alike. `selected`: keys of the tasks, NULL: as the options say. */
static void make_body(const struct options *options, const struct word_list *selected,
                      struct buf *body)
{
    struct buf members;
    const char *definition = options->definition;
    buf_init(&members, BODY_MAX);
    if (selected)
        plan_add_tasks(&members, selected, options);
    else
        plan_add_selection(&members, options);
    add_parameters(&members, &options->parameters);
    if (definition) {
        BUF_LIT(&members, ",\"definition\":");
        if (*definition && strspn(definition, "123456789") &&
            strspn(definition, "0123456789") == strlen(definition))
            buf_puts(&members, definition);
        else
            plan_add_upper_case(&members, definition);
    }
    buf_putc(body, '{');
    if (members.len)
        buf_puts(body, members.data + 1); /* without its first comma */
    buf_putc(body, '}');
    buf_release(&members);
}

static int ask_plan(struct cli *cli, const char *run, const char *body, unsigned flags,
                    struct http_answer *answer)
{
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/jobRuns/%s/actions/planRepair", call_escape(cli, run));
    const struct call call = {.method = "POST", .path = path.data, .body = body, .flags = flags};
    int status = call_send(cli, &call, answer);
    buf_release(&path);
    return status;
}

/* ---- what would come to nothing ---- */

/* The server takes a repair of which nothing can start; it would only fail once more, and be told of. */
static int refuse_vain(struct cli *cli, const json_t *plan)
{
    const char *vain = plan_find_vain(cli, plan);
    if (!vain)
        return CLI_DONE;
    cli_complain("nothing of it would start, so it was not repaired: %s", vain);
    return CLI_REFUSED;
}

/* For those who are not shown the plan. One that cannot be had refuses nothing. */
static int check_plan(struct cli *cli, const char *run, const char *body)
{
    struct http_answer answer;
    struct err ignored;
    if (ask_plan(cli, run, body, CALL_QUIET, &answer))
        return CLI_DONE;
    json_t *plan = json_parse(answer.body.data ? answer.body.data : "", answer.body.len, &ignored);
    int status = refuse_vain(cli, plan);
    json_decref(plan);
    http_answer_release(&answer);
    return status;
}

/* ---- the plan ---- */

/* Shows the plan; *ret_etag is what it was made for. A server without plans shows none. */
static int show_plan(struct cli *cli, const char *run, const char *body, bool whole,
                     const char **ret_etag)
{
    struct http_answer answer;
    json_t *plan = NULL;
    int status = ask_plan(cli, run, body, 0, &answer);
    if (status)
        return status;
    if (!(whole && call_print_raw(cli, &answer)) && !(status = call_parse(&answer, &plan))) {
        plan_print(cli, run, plan, whole);
        *ret_etag = arena_strdup(&cli->arena, get_text(plan, "etag"));
        status = whole ? CLI_DONE : refuse_vain(cli, plan);
    }
    json_decref(plan);
    http_answer_release(&answer);
    return status;
}

/* What `body` selects, and the tasks of --also. The keys are in the arena, the list is the caller's. */
static int select_also(struct cli *cli, const char *run, const char *body,
                       struct word_list *selected, const char **ret_etag)
{
    const struct word_list *also = &cli->options.also;
    struct http_answer answer;
    json_t *plan = NULL;
    int status = ask_plan(cli, run, body, 0, &answer);
    if (status)
        return status;
    if (!(status = call_parse(&answer, &plan))) {
        size_t i;
        json_t *task;
        json_array_foreach (json_object_get(plan, "tasks"), i, task) {
            const char *verdict = get_text(task, "verdict");
            if (verdict && strcmp(verdict, "RUN") == 0)
                word_list_add(selected, arena_strdup(&cli->arena, get_text(task, "taskKey")));
        }
        for (i = 0; i < also->count; i++)
            word_list_add(selected, also->items[i]);
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
    int status = plan_check_selection(options);
    if (status)
        return status;
    status = call_run_key(cli, options->args.items[0], &run);
    if (status)
        return status;
    buf_init(&body, BODY_MAX);
    make_body(options, NULL, &body);
    if (options->also.count) {
        struct word_list selected = {0};
        status = select_also(cli, run, body.data, &selected, &if_match);
        buf_clear(&body);
        make_body(options, &selected, &body);
        free(selected.items);
    }
    if (!status)
        parameters_warn_repair(cli, run);
    /* With the plan on the screen, what is done is that plan or nothing (412). */
    if (!status && (options->plan || options->output == OUTPUT_TABLE))
        status = show_plan(cli, run, body.data, options->plan, &if_match);
    else if (!status)
        status = check_plan(cli, run, body.data);
    if (!status && !options->plan)
        status = send_repair(cli, run, body.data, options->if_match ? options->if_match : if_match);
    buf_release(&body);
    return status;
}
