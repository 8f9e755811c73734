/* run logs: what tasks wrote, byte for byte, or made harmless for a terminal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/as_of.h"
#include "cli/call.h"
#include "cli/follow.h"
#include "cli/format.h"
#include "cli/task.h"
#include "cli/verbs.h"

enum { FOLLOW_PAUSE_MS = 300 };

/* Asks until there is nothing more at the moment. */
static int drain(struct cli *cli, const char *task_run, struct output *output)
{
    for (;;) {
        struct http_answer answer;
        struct buf path;
        buf_init(&path, 1 << 20);
        buf_printf(&path, "/taskRuns/%s/logs?stream=%s&offset=%" PRId64, task_run, output->name,
                   output->offset);
        if (cli->options.attempt >= 0)
            buf_printf(&path, "&attempt=%" PRId64, cli->options.attempt);
        const struct call call = {
            .method = "GET", .path = path.data, .flags = cli->options.follow ? CALL_PATIENT : 0};
        int status = call_send(cli, &call, &answer);
        buf_release(&path);
        if (status)
            return status;
        int64_t got = (int64_t)answer.body.len;
        output_put(output, answer.body.len ? answer.body.data : "", answer.body.len);
        int64_t told = *answer.next_offset ? strtoll(answer.next_offset, NULL, 10) : 0;
        http_answer_release(&answer);
        output->offset = told > output->offset ? told : output->offset + got;
        if (got == 0)
            return CLI_DONE;
    }
}

/* Asks again and again until the task run has ended. */
static int poll_task_run(struct cli *cli, const char *task_run, struct output *outputs)
{
    int status = CLI_DONE;
    for (bool ended = !cli->options.follow, last = false; !status && !last;) {
        /* what was written before the end is there after it: one more round */
        last = ended;
        for (int i = 0; i < FOLLOW_OUTPUTS && !status; i++)
            if (outputs[i].is_wanted)
                status = drain(cli, task_run, &outputs[i]);
        struct task_place now = {0};
        if (status || last)
            continue;
        status = follow_look(cli, task_run, &now);
        ended = now.has_ended;
        if (!status && !ended)
            call_pause_ms(FOLLOW_PAUSE_MS);
    }
    return status;
}

static int print_task_run(struct cli *cli, const char *task_run)
{
    const char *wanted = cli->options.stream ? cli->options.stream : "both";
    struct output outputs[FOLLOW_OUTPUTS] = {
        {.name = "stdout", .out = stdout, .to_terminal = isatty(STDOUT_FILENO) == 1},
        {.name = "stderr", .out = stderr, .to_terminal = isatty(STDERR_FILENO) == 1}};
    bool only_one = strcmp(wanted, "both") != 0;
    if (only_one && strcmp(wanted, "stderr") == 0) {
        outputs[1].out = stdout; /* what was asked for by name goes where it can be piped */
        outputs[1].to_terminal = outputs[0].to_terminal;
    }
    for (int i = 0; i < FOLLOW_OUTPUTS; i++)
        outputs[i].is_wanted = !only_one || strcmp(wanted, outputs[i].name) == 0;
    int status = CLI_DONE;
    if (!cli->options.follow || !follow_task_run(cli, task_run, outputs, &status))
        status = poll_task_run(cli, task_run, outputs);
    output_end(&outputs[0]);
    output_end(&outputs[1]);
    return status;
}

struct started {
    int64_t start_ms;
    const char *key;
    const char *run_key;
    const char *child; /* of a JOB_TASK: key of the run that it started */
};

static int by_start(const void *a, const void *b)
{
    const struct started *x = a, *y = b;
    return (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

/* Without --task: has it started, and come to the attempt that is wanted? IF_ELSE tasks write nothing. */
static bool has_written(const struct cli *cli, const char *type, const json_t *summary)
{
    bool is_decided = type &&
                      (strcmp(type, "IF_ELSE_TASK") == 0 || strcmp(type, "DUMMY_TASK") == 0);
    return type && !is_decided && get_number(summary, "startTime", -1) >= 0 &&
           get_number(summary, "retryAttempt", 0) >= cli->options.attempt;
}

static const char *child_of(const char *type, const json_t *summary)
{
    return type && strcmp(type, "JOB_TASK") == 0 ? get_text(summary, "externalId") : NULL;
}

/* The task runs to print, in order of start. */
static int choose(struct cli *cli, const json_t *run, struct arena *arena, struct started **ret,
                  size_t *ret_count)
{
    const json_t *tasks = json_object_get(run, "tasks");
    const json_t *summaries = json_object_get(run, "taskRunSummaryMap");
    const struct word_list *named = &cli->options.tasks;
    struct started *chosen = arena_array(arena, json_array_size(tasks) + 1, sizeof *chosen);
    size_t i, count = 0, found = 0;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey"), *type = get_text(task, "type");
        const char *run_key = key ? get_text(json_object_get(run, "taskToTaskRunMap"), key) : NULL;
        const json_t *summary = run_key ? json_object_get(summaries, run_key) : NULL;
        bool is_named = named->count == 0;
        for (size_t n = 0; key && n < named->count; n++)
            is_named = is_named || strcmp(named->items[n], key) == 0;
        if (!is_named || !run_key)
            continue;
        found++;
        if (named->count || has_written(cli, type, summary))
            chosen[count++] = (struct started){
                get_number(summary, "startTime", -1), arena_strdup(arena, key),
                arena_strdup(arena, run_key), arena_strdup(arena, child_of(type, summary))};
    }
    if (found < named->count) {
        const json_t *map = json_object_get(run, "taskToTaskRunMap");
        for (i = 0; i + 1 < named->count && json_object_get(map, named->items[i]);)
            i++;
        task_complain_missing(run, named->items[i]);
        return CLI_USAGE;
    }
    qsort(chosen, count, sizeof *chosen, by_start);
    *ret = chosen;
    *ret_count = count;
    return CLI_DONE;
}

static int check_options(const struct options *options)
{
    const char *stream = options->stream;
    if (stream && strcmp(stream, "stdout") != 0 && strcmp(stream, "stderr") != 0 &&
        strcmp(stream, "both") != 0) {
        cli_complain("--stream: \"%s\" is none of stdout, stderr, both", stream);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

/* NULL in *ret: there is no such run. */
static int find_run(struct cli *cli, const char *key, json_t **ret)
{
    struct http_answer answer;
    const struct call call = {.method = "GET",
                              .path = arena_printf(&cli->arena, "/jobRuns/%s", key),
                              .flags = cli->options.follow ? CALL_PATIENT : 0};
    int status = call_send_or(cli, &call, 404, &answer);
    *ret = NULL;
    if (status)
        return status;
    if (answer.status != 404)
        status = call_parse(&answer, ret);
    http_answer_release(&answer);
    if (!status && *ret && (status = as_of_repair(cli, key, *ret)))
        json_decref(*ret);
    return status;
}

static int print_one(struct cli *cli, const struct started *one, bool is_first, bool is_only)
{
    if (!is_only)
        printf("%s==> %s <==\n", is_first ? "" : "\n", safe_line(&cli->arena, one->key));
    fflush(stdout);
    if (one->child)
        cli_complain("%s runs a job and writes nothing itself: see `reprise run logs %s`", one->key,
                     one->child);
    return print_task_run(cli, call_escape(cli, one->run_key));
}

static bool has_word(const struct word_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}

/* One round of following a whole run: the first task run that was not printed yet, to its end. */
static int follow_next(struct cli *cli, const json_t *run, struct word_list *printed,
                       bool *ret_found)
{
    struct arena round; /* there may be very many rounds */
    struct started *chosen;
    size_t count, next = 0;
    arena_init(&round);
    int status = choose(cli, run, &round, &chosen, &count);
    while (!status && next < count && has_word(printed, chosen[next].run_key))
        next++;
    *ret_found = !status && next < count;
    if (*ret_found) {
        bool is_only = json_array_size(json_object_get(run, "tasks")) == 1;
        status = print_one(cli, &chosen[next], printed->count == 0, is_only);
        word_list_add(printed, arena_strdup(&cli->arena, chosen[next].run_key));
    }
    arena_release(&round);
    return status;
}

/* Task after task as they start, each to its end, until the run has ended. `run` is given back. */
static int follow_run(struct cli *cli, const char *key, json_t *run)
{
    struct word_list printed = {0};
    int status = CLI_DONE;
    while (!status) {
        bool found = false;
        status = follow_next(cli, run, &printed, &found);
        const char *word = get_text(json_object_get(run, "state"), "status");
        bool ended = !found && word && state_name_is_final(word);
        json_decref(run);
        if (status || ended)
            break;
        if (!found)
            call_pause_ms(FOLLOW_PAUSE_MS);
        status = find_run(cli, key, &run);
        if (!status && !run) {
            cli_complain("the run was deleted");
            status = CLI_REFUSED;
        }
    }
    free(printed.items);
    return status;
}

static int print_run(struct cli *cli, json_t *run)
{
    struct started *chosen = NULL;
    size_t count = 0;
    int status = choose(cli, run, &cli->arena, &chosen, &count);
    json_decref(run);
    for (size_t i = 0; i < count && !status; i++)
        status = print_one(cli, &chosen[i], i == 0, count == 1);
    return status;
}

/* The key is that of no run. */
static int print_by_key(struct cli *cli, const char *key)
{
    const struct options *options = &cli->options;
    json_t *task_run = call_get_quietly(cli, arena_printf(&cli->arena, "/taskRuns/%s", key));
    if (!task_run) {
        cli_complain("there is neither a run nor a task run with the key %s", key);
        return CLI_REFUSED;
    }
    const char *type = get_text(json_object_get(task_run, "task"), "type");
    const struct started one = {
        .key = arena_strdup(&cli->arena, get_text(task_run, "taskKey")),
        .run_key = key,
        .child = arena_strdup(&cli->arena, child_of(type, task_run)),
    };
    json_decref(task_run);
    if (options->tasks.count || options->of_repair >= 0) {
        cli_complain("%s is the key of a task run: --task and --repair go with one of a run", key);
        return CLI_USAGE;
    }
    return print_one(cli, &one, true, true);
}

int verb_run_logs(struct cli *cli)
{
    const char *key;
    json_t *run;
    int status = check_options(&cli->options);
    if (!status)
        status = call_run_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    key = call_escape(cli, key);
    status = find_run(cli, key, &run);
    if (status)
        return status;
    if (!run)
        return print_by_key(cli, key);
    if (cli->options.follow && cli->options.tasks.count != 1)
        return follow_run(cli, key, run);
    return print_run(cli, run);
}
