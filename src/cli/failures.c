#include "cli/failures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "cli/call.h"
#include "cli/run.h"

enum {
    SHOWN_MOST = 5,     /* of a run; each task has its own in `run why` */
    LINE_COLUMNS = 200, /* a trace may end in a line without end */
};

static bool has_failed(const char *status)
{
    return status && (strcmp(status, "FAILED") == 0 || strcmp(status, "TIMED_OUT") == 0 ||
                      strcmp(status, "INTERNAL_ERROR") == 0);
}

static const char *last_line(struct cli *cli, const char *trace)
{
    const char *begin = trace, *end = begin;
    struct buf text;
    if (!trace)
        return "";
    for (const char *line = trace; *line;) {
        size_t len = strcspn(line, "\n");
        size_t blank = strspn(line, " \t\r");
        if (blank < len) {
            begin = line + blank;
            end = line + len;
        }
        line += len + (line[len] == '\n');
    }
    while (end > begin && strchr(" \t\r", end[-1]))
        end--;
    const char *line = arena_memdup(&cli->arena, begin, (size_t)(end - begin));
    buf_init(&text, 1 << 16);
    text_fit(&cli->screen, &text, safe_line(&cli->arena, line), LINE_COLUMNS);
    line = arena_strdup(&cli->arena, text.len ? text.data : "");
    buf_release(&text);
    return line;
}

/* What is outside is a run only where the task starts one; and only once there is one. */
static const char *child_of(struct cli *cli, const json_t *task, const json_t *summary)
{
    const char *type = get_text(task, "type"), *id = get_text(summary, "externalId");
    struct uuid ignored;
    return type && id && strcmp(type, "JOB_TASK") == 0 && uuid_parse(id, &ignored)
               ? arena_strdup(&cli->arena, id)
               : NULL;
}

void failures_init(struct failures *failures, struct cli *cli, const json_t *run)
{
    const json_t *tasks = json_object_get(run, "tasks");
    const json_t *runs = json_object_get(run, "taskToTaskRunMap");
    size_t i;
    json_t *task;
    failures->count = 0;
    failures->items = ARENA_ARRAY(&cli->arena, json_array_size(tasks) + 1, struct failure);
    str_map_init(&failures->by_task);
    json_array_foreach (tasks, i, task) {
        const char *key = get_text(task, "taskKey");
        const char *run_key = key ? get_text(runs, key) : NULL;
        const json_t *summary =
            run_key ? json_object_get(json_object_get(run, "taskRunSummaryMap"), run_key) : NULL;
        const json_t *state = json_object_get(summary, "state");
        if (!has_failed(get_text(state, "status")))
            continue;
        struct failure *failure = &failures->items[failures->count];
        *failure = (struct failure){.task = safe_line(&cli->arena, key),
                                    .line = last_line(cli, get_text(state, "errorTrace")),
                                    .child = child_of(cli, task, summary)};
        if (!*failure->line && !failure->child)
            continue;
        failures->count++;
        str_map_add(&failures->by_task, arena_strdup(&cli->arena, key), failure);
    }
}

void failures_release(struct failures *failures)
{
    str_map_release(&failures->by_task);
}

static void print_one(struct cli *cli, const struct failure *failure)
{
    struct line line;
    line_init(&line, &cli->screen);
    line_add(&line, "  ", NULL);
    line_add(&line, failure->task, NULL);
    line_add(&line, *failure->line ? ": " : "", NULL);
    line_add(&line, failure->line, NULL);
    line_print(&line, stdout);
    line_release(&line);
    if (failure->child)
        printf("    reprise run why %s\n", failure->child);
}

/* The trace of a run is that of the first of its tasks that failed; NULL when none of them has it. */
static const char *task_of_trace(const json_t *run, const char *trace)
{
    const char *run_key, *found = NULL;
    int64_t first_ms = INT64_MAX;
    json_t *summary;
    json_object_foreach (json_object_get(run, "taskRunSummaryMap"), run_key, summary) {
        const char *own = get_text(json_object_get(summary, "state"), "errorTrace");
        int64_t end_ms = get_number(summary, "endTime", INT64_MAX);
        if (!own || strcmp(own, trace) != 0 || (found && end_ms >= first_ms))
            continue;
        found = get_text(summary, "taskKey");
        first_ms = end_ms;
    }
    return found;
}

void failures_print(struct cli *cli, const json_t *run)
{
    const char *trace = get_text(json_object_get(run, "state"), "errorTrace");
    const char *task = trace && *trace ? task_of_trace(run, trace) : NULL;
    struct failures failures;
    failures_init(&failures, cli, run);
    /* Of a single one the whole trace is enough, which is below. */
    bool is_told = failures.count == 1 && task && !failures.items[0].child;
    if (failures.count && !is_told)
        printf("\nErrors:\n");
    for (size_t i = 0; i < failures.count && i < SHOWN_MOST && !is_told; i++)
        print_one(cli, &failures.items[i]);
    if (failures.count > SHOWN_MOST)
        printf("  and %zu more\n", failures.count - SHOWN_MOST);
    failures_release(&failures);
    if (task)
        printf("\nError of %s:", safe_line(&cli->arena, task));
    run_print_trace(trace);
}
