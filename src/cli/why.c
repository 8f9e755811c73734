/* run why: the server's explanation, for people. */
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/decision.h"
#include "cli/failures.h"
#include "cli/format.h"
#include "cli/provenance.h"
#include "cli/verbs.h"

static double mebibytes(const json_t *usage, const char *name)
{
    return (double)get_number(usage, name, 0) / (1 << 20);
}

/* "attempt 0: SUCCESS, warm start: Forked …; used 0.31 s of processor time, 12.0 MiB of memory, …" */
static void print_attempt(struct cli *cli, const json_t *attempt)
{
    const json_t *usage = json_object_get(attempt, "usage");
    const char *launch = get_text(attempt, "launch");
    const char *why = get_text(attempt, "launchReason");
    printf("    attempt %lld: %s", (long long)get_number(attempt, "retryNumber", 0),
           safe_line(&cli->arena, get_text(attempt, "status")));
    if (launch && why)
        printf(", %s start: %s", decision_words(cli, launch), safe_line(&cli->arena, why));
    if (json_is_object(usage)) {
        int64_t cpu_us = get_number(usage, "userCpuMicros", 0) +
                         get_number(usage, "systemCpuMicros", 0);
        printf("; used %.2f s of processor time, %.1f MiB of memory, read %.1f MiB, wrote %.1f MiB",
               (double)cpu_us / 1e6, mebibytes(usage, "peakMemoryBytes"),
               mebibytes(usage, "readBytes"), mebibytes(usage, "writtenBytes"));
    }
    putchar('\n');
}

static bool is_wanted(const struct word_list *tasks, const char *key)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (key && strcmp(tasks->items[i], key) == 0)
            return true;
    return tasks->count == 0;
}

/* "Exited with code 1" tells nobody what went wrong; the end of what the task wrote mostly does. */
static void print_failure(const struct failure *failure)
{
    if (failure && *failure->line)
        printf("  error: %s\n", failure->line);
    if (failure && failure->child)
        printf("  why its run failed: reprise run why %s\n", failure->child);
}

/* What is told of a run, and on which clocks. */
struct told {
    struct clocks clocks;
    const char *own; /* id of the run's own clock, NULL: it has none */
};

/* What it waits for is named by its planned time, on the clock of that one's job. */
static const char *reason_of(struct told *told, const json_t *task)
{
    const char *reason = get_text(task, "reason"), *job = NULL;
    size_t i;
    json_t *decision;
    json_array_foreach (json_object_get(task, "decisions"), i, decision) {
        const char *kind = get_text(decision, "kind");
        if (kind && strcmp(kind, "JOB_DEPENDENCY") == 0 && get_text(decision, "jobKey"))
            job = get_text(decision, "jobKey");
    }
    if (!job)
        return reason;
    return clocks_sentence(&told->clocks, clocks_id_of_job(&told->clocks, job), reason);
}

/* A task, or the run itself; `failure` is NULL when there is nothing to add. */
static void print_explained(struct told *told, const char *title, const json_t *task,
                            const struct failure *failure)
{
    struct cli *cli = told->clocks.cli;
    const char *status = get_text(task, "status");
    struct line line;
    size_t i;
    json_t *decision, *attempt;
    line_init(&line, &cli->screen);
    line_add(&line, safe_line(&cli->arena, title), "1");
    line_add(&line, "  ", NULL);
    line_add(&line, state_sign(&cli->screen, status), state_look(status)->color);
    line_add(&line, " ", NULL);
    line_add(&line, safe_line(&cli->arena, status), state_look(status)->color);
    line_print(&line, stdout);
    line_release(&line);
    const char *reason = reason_of(told, task);
    if (reason && status && *state_reason(status, reason))
        printf("  %s\n", safe_line(&cli->arena, reason));
    print_failure(failure);
    json_array_foreach (json_object_get(task, "decisions"), i, decision) {
        decision_print(&told->clocks, told->own, decision);
    }
    json_array_foreach (json_object_get(task, "attempts"), i, attempt) {
        print_attempt(cli, attempt);
    }
}

/* "/jobRuns/KEY/explanation", of the tasks that are named. */
static const char *explanation_path(struct cli *cli, const char *key)
{
    const struct word_list *tasks = &cli->options.tasks;
    const char *path = arena_printf(&cli->arena, "/jobRuns/%s/explanation", call_escape(cli, key));
    for (size_t i = 0; i < tasks->count; i++)
        path = arena_printf(&cli->arena, "%s%staskKey=%s", path, i ? "&" : "?",
                            call_escape(cli, tasks->items[i]));
    return path;
}

static bool was_decided(const json_t *run, const char *kind)
{
    size_t i;
    json_t *decision;
    json_array_foreach (json_object_get(run, "decisions"), i, decision) {
        const char *its = get_text(decision, "kind");
        if (its && strcmp(its, kind) == 0)
            return true;
    }
    return false;
}

/* Why a run has not begun is a matter of the run: it waits in line, or for other jobs, or did until it was given
 * up. */
static bool has_waited(const json_t *run)
{
    const char *status = get_text(run, "status");
    return was_decided(run, "JOB_DEPENDENCY") ||
           (status && (strcmp(status, "QUEUED") == 0 || strcmp(status, "SKIPPED") == 0));
}

/* False when none of the tasks is one that was asked for. */
static bool print_explanation(struct told *told, const json_t *tree,
                              const struct failures *failures)
{
    struct cli *cli = told->clocks.cli;
    const struct word_list *wanted = &cli->options.tasks;
    bool names_only = cli->options.output == OUTPUT_NAME;
    size_t i, shown = 0;
    json_t *task, *run = json_object_get(tree, "run");
    if (!wanted->count && !names_only && has_waited(run))
        print_explained(told, "The run", run, NULL);
    json_array_foreach (json_object_get(tree, "tasks"), i, task) {
        const char *key = get_text(task, "taskKey");
        if (!is_wanted(wanted, key))
            continue;
        shown++;
        if (names_only) {
            printf("%s\n", safe_line(&cli->arena, key));
            continue;
        }
        print_explained(told, key, task, key ? str_map_get(&failures->by_task, key) : NULL);
        if (wanted->count)
            print_provenance(cli, task, "Parameters", 2);
    }
    if (!wanted->count && !names_only)
        print_provenance(cli, run, "\nParameters of the run", 0);
    return shown > 0 || wanted->count == 0;
}

static bool has_failed_task(const json_t *tree)
{
    size_t i;
    json_t *task;
    json_array_foreach (json_object_get(tree, "tasks"), i, task) {
        const char *status = get_text(task, "status");
        if (status && (strcmp(status, "SUCCESS") != 0 && state_name_is_final(status)))
            return true;
    }
    return false;
}

static int print_tree(struct cli *cli, const char *key, const json_t *tree)
{
    bool tells = cli->options.output == OUTPUT_TABLE &&
                 (has_failed_task(tree) || was_decided(json_object_get(tree, "run"), "SCHEDULE"));
    /* The explanation has no traces, and no clock; the run has. Without it they are left out. */
    const char *path = arena_printf(&cli->arena, "/jobRuns/%s", call_escape(cli, key));
    json_t *run = tells ? call_get_quietly(cli, path) : NULL;
    struct told told = {.own = clocks_id(run)};
    struct failures failures;
    int status = CLI_DONE;
    clocks_init(&told.clocks, cli);
    failures_init(&failures, cli, run);
    if (!print_explanation(&told, tree, &failures)) {
        cli_complain("run %s has no task \"%s\"", key, cli->options.tasks.items[0]);
        status = CLI_USAGE;
    }
    failures_release(&failures);
    clocks_release(&told.clocks);
    json_decref(run);
    return status;
}

int verb_run_why(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *tree = NULL;
    int status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    const struct call call = {.method = "GET", .path = explanation_path(cli, key)};
    status = call_send(cli, &call, &answer);
    if (status)
        return status;
    if (cli->options.output == OUTPUT_JSON)
        (void)call_print_raw(cli, &answer);
    else if (!(status = call_parse(&answer, &tree)))
        status = print_tree(cli, key, tree);
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}
