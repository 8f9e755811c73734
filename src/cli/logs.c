/* run logs: what tasks wrote, byte for byte, or made harmless for a terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/tree.h"
#include "cli/verbs.h"
#include "cli/watch.h"

/* A byte that is shown takes up to ten. */
enum { FOLLOW_PAUSE_MS = 300, PIECE_SHOWN_MAX = 1 << 30 };

/* One stream of one task run, on its way out. */
struct stream {
    const char *name; /* "stdout" */
    FILE *out;
    bool to_terminal;
    struct log_filter filter;
    int64_t offset; /* of the next byte to ask for */
};

static void put(struct stream *stream, const struct buf *piece)
{
    const char *data = piece->len ? piece->data : "";
    if (!stream->to_terminal) {
        fwrite(data, 1, piece->len, stream->out);
        return;
    }
    struct buf shown;
    buf_init(&shown, PIECE_SHOWN_MAX);
    log_filter_add(&stream->filter, data, piece->len, &shown);
    fwrite(shown.len ? shown.data : "", 1, shown.len, stream->out);
    buf_release(&shown);
}

static void end_stream(struct stream *stream)
{
    struct buf shown;
    buf_init(&shown, PIECE_SHOWN_MAX);
    log_filter_end(&stream->filter, &shown);
    fwrite(shown.len ? shown.data : "", 1, shown.len, stream->out);
    buf_release(&shown);
    fflush(stream->out);
}

/* Asks until there is nothing more at the moment. */
static int drain(struct cli *cli, const char *task_run, struct stream *stream)
{
    for (;;) {
        struct http_answer answer;
        struct buf path;
        buf_init(&path, 1 << 20);
        buf_printf(&path, "/taskRuns/%s/logs?stream=%s&offset=%" PRId64, task_run, stream->name,
                   stream->offset);
        if (cli->options.attempt >= 0)
            buf_printf(&path, "&attempt=%" PRId64, cli->options.attempt);
        const struct call call = {
            .method = "GET", .path = path.data, .flags = cli->options.follow ? CALL_PATIENT : 0};
        int status = call_send(cli, &call, &answer);
        buf_release(&path);
        if (status)
            return status;
        int64_t got = (int64_t)answer.body.len;
        put(stream, &answer.body);
        int64_t told = *answer.next_offset ? strtoll(answer.next_offset, NULL, 10) : 0;
        http_answer_release(&answer);
        stream->offset = told > stream->offset ? told : stream->offset + got;
        fflush(stream->out);
        if (got == 0)
            return CLI_DONE;
    }
}

/* Has the task run ended? -1: it cannot be told; the exit code is in *status. */
static int has_ended(struct cli *cli, const char *task_run, int *status)
{
    struct http_answer answer;
    json_t *tree = NULL;
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/taskRuns/%s", task_run);
    const struct call call = {.method = "GET", .path = path.data, .flags = CALL_PATIENT};
    *status = call_send(cli, &call, &answer);
    buf_release(&path);
    if (*status)
        return -1;
    *status = call_parse(&answer, &tree);
    const char *word = get_text(json_object_get(tree, "state"), "status");
    int ended = *status ? -1
                        : !word || (strcmp(word, "BLOCKED") != 0 && strcmp(word, "QUEUED") != 0 &&
                                    strcmp(word, "PENDING") != 0 && strcmp(word, "RUNNING") != 0 &&
                                    strcmp(word, "CANCELING") != 0);
    json_decref(tree);
    http_answer_release(&answer);
    return ended;
}

static void pause_a_little(void)
{
    struct timespec left = {.tv_nsec = FOLLOW_PAUSE_MS * 1000000L};
    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}

static int print_task_run(struct cli *cli, const char *task_run)
{
    const char *wanted = cli->options.stream ? cli->options.stream : "both";
    struct stream streams[2] = {
        {.name = "stdout", .out = stdout, .to_terminal = isatty(STDOUT_FILENO) == 1},
        {.name = "stderr", .out = stderr, .to_terminal = isatty(STDERR_FILENO) == 1}};
    bool only_one = strcmp(wanted, "both") != 0;
    if (only_one && strcmp(wanted, "stderr") == 0) {
        streams[1].out = stdout; /* what was asked for by name goes where it can be piped */
        streams[1].to_terminal = streams[0].to_terminal;
    }
    int status = CLI_DONE;
    for (int ended = !cli->options.follow, last = 0; !status && !last;) {
        /* what was written before the end is there after it: one more round */
        last = ended;
        for (int i = 0; i < 2 && !status; i++)
            if (!only_one || strcmp(wanted, streams[i].name) == 0)
                status = drain(cli, task_run, &streams[i]);
        if (!status && !last) {
            ended = has_ended(cli, task_run, &status);
            if (!ended)
                pause_a_little();
        }
    }
    end_stream(&streams[0]);
    end_stream(&streams[1]);
    return status;
}

struct started {
    int64_t start_ms;
    const char *key;
    const char *run_key;
};

static int by_start(const void *a, const void *b)
{
    const struct started *x = a, *y = b;
    return (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

/* The task runs to print, in order of start. IF_ELSE tasks write nothing. */
static int choose(struct cli *cli, const json_t *run, struct started **ret, size_t *ret_count)
{
    const json_t *tasks = json_object_get(run, "tasks");
    const json_t *summaries = json_object_get(run, "taskRunSummaryMap");
    const struct word_list *named = &cli->options.tasks;
    struct started *chosen = arena_array(&cli->arena, json_array_size(tasks) + 1, sizeof *chosen);
    size_t i, count = 0, found = 0;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey"), *type = get_text(task, "type");
        const char *run_key = key ? get_text(json_object_get(run, "taskToTaskRunMap"), key) : NULL;
        int64_t start = run_key ? get_number(json_object_get(summaries, run_key), "startTime", -1)
                                : -1;
        bool is_named = named->count == 0;
        for (size_t n = 0; key && n < named->count; n++)
            is_named = is_named || strcmp(named->items[n], key) == 0;
        if (!is_named || !run_key)
            continue;
        found++;
        if (named->count || (start >= 0 && type && strcmp(type, "IF_ELSE_TASK") != 0))
            chosen[count++] = (struct started){start, arena_strdup(&cli->arena, key),
                                               arena_strdup(&cli->arena, run_key)};
    }
    if (found < named->count) {
        cli_complain("the run has no such task: it has %zu of the %zu that --task names", found,
                     named->count);
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
    if ((options->follow || options->attempt >= 0) && options->tasks.count != 1) {
        cli_complain("--follow and --attempt need one --task");
        return CLI_USAGE;
    }
    return CLI_DONE;
}

int verb_run_logs(struct cli *cli)
{
    const char *key;
    struct http_answer answer;
    json_t *run = NULL;
    struct started *chosen = NULL;
    size_t count = 0;
    int status = check_options(&cli->options);
    if (!status)
        status = call_run_key(cli, cli->options.args.items[0], &key);
    if (!status)
        status = watch_get_run(cli, call_escape(cli, key), false, &answer);
    if (status)
        return status;
    status = call_parse(&answer, &run);
    if (!status)
        status = choose(cli, run, &chosen, &count);
    json_decref(run);
    http_answer_release(&answer);
    for (size_t i = 0; i < count && !status; i++) {
        if (count > 1)
            printf("%s==> %s <==\n", i ? "\n" : "", safe_line(&cli->arena, chosen[i].key));
        fflush(stdout);
        status = print_task_run(cli, call_escape(cli, chosen[i].run_key));
    }
    return status;
}
