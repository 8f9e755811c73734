/* job simulate: what a run would do, if tasks ended as assumed. The server works it out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/format.h"
#include "cli/job_file.h"
#include "cli/plan.h"
#include "cli/run.h"
#include "cli/verbs.h"

enum { BODY_MAX = 64 << 20 };

/* ---- what is asked ---- */

/* "FAILED", "failed*2": the state in upper case but for true and false, and how often. */
static void add_outcome(struct buf *body, const char *text, size_t len)
{
    char *state = xcalloc(len + 1, 1);
    memcpy(state, text, len);
    BUF_LIT(body, ",\"outcome\":");
    if (strcmp(state, "true") == 0 || strcmp(state, "false") == 0)
        buf_json_string(body, state);
    else
        plan_add_upper_case(body, state);
    free(state);
}

/* TASK=STATE, TASK=STATE*N or TASK.values.KEY=VALUE, taken apart. */
struct assumed {
    const char *task;
    size_t task_len;
    const char *key; /* of a value, else NULL */
    size_t key_len;
    const char *rest; /* behind the = */
};

static struct assumed take_apart(const char *word)
{
    const char *equals = strchr(word, '=');
    const char *values = strstr(word, ".values.");
    if (values && equals && values < equals) {
        const char *key = values + strlen(".values.");
        return (struct assumed){word, (size_t)(values - word), key, (size_t)(equals - key),
                                equals + 1};
    }
    equals = strrchr(word, '=');
    return (struct assumed){word, (size_t)(equals - word), NULL, 0, equals + 1};
}

static bool same_task(const char *a, const char *b)
{
    struct assumed x = take_apart(a);
    struct assumed y = take_apart(b);
    return x.task_len == y.task_len && memcmp(x.task, y.task, x.task_len) == 0;
}

static bool is_first_of_task(const struct word_list *words, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_task(words->items[i], words->items[index]))
            return false;
    return true;
}

/* The members that the words from `first` on say of its task. */
static void add_task(struct buf *body, const struct word_list *words, size_t first)
{
    size_t values = 0;
    const struct assumed *outcome = NULL;
    struct assumed last;
    for (size_t i = first; i < words->count; i++) {
        struct assumed word = take_apart(words->items[i]);
        if (!same_task(words->items[first], words->items[i]))
            continue;
        if (!word.key) {
            last = word;
            outcome = &last;
            continue;
        }
        buf_puts(body, values++ ? ",{\"name\":" : ",\"values\":[{\"name\":");
        buf_json_string_len(body, word.key, word.key_len);
        BUF_LIT(body, ",\"value\":");
        buf_json_string(body, word.rest);
        BUF_LIT(body, "}");
    }
    if (values)
        BUF_LIT(body, "]");
    if (!outcome)
        return;
    size_t len = strcspn(outcome->rest, "*");
    add_outcome(body, outcome->rest, len);
    if (outcome->rest[len]) {
        BUF_LIT(body, ",\"times\":");
        buf_int(body, strtoll(outcome->rest + len + 1, NULL, 10));
    }
}

/* Appends ,"assumptions":[…], one for each task that is named. */
static void add_assumptions(struct buf *body, const struct word_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!is_first_of_task(words, i))
            continue;
        struct assumed word = take_apart(words->items[i]);
        buf_puts(body, i ? ",{\"taskKey\":" : ",\"assumptions\":[{\"taskKey\":");
        buf_json_string_len(body, word.task, word.task_len);
        add_task(body, words, i);
        BUF_LIT(body, "}");
    }
    if (words->count)
        BUF_LIT(body, "]");
}

static void add_repair(struct buf *body, const struct options *options)
{
    struct buf members;
    buf_init(&members, BODY_MAX);
    plan_add_selection(&members, options);
    add_assumptions(&members, &options->later_assumptions);
    BUF_LIT(body, ",\"repairs\":[{");
    if (members.len)
        buf_puts(body, members.data + 1); /* without its first comma */
    BUF_LIT(body, "}]");
    buf_release(&members);
}

static bool is_times(const char *word)
{
    struct assumed assumed = take_apart(word);
    const char *times = strchr(assumed.rest, '*');
    if (assumed.key || !times)
        return true;
    size_t digits = strspn(times + 1, "0123456789");
    return digits > 0 && digits < 10 && !times[1 + digits];
}

static int check_options(const struct cli *cli)
{
    const struct options *options = &cli->options;
    const struct word_list *lists[] = {&options->assumptions, &options->later_assumptions};
    if (!options->files.count == !options->args.count) {
        cli_complain("give either a job's file with -f FILE or the JOB of a server");
        return CLI_USAGE;
    }
    if (!options->repair && (options->tasks.count || options->mode || options->with_downstream ||
                             options->with_upstream || options->mark_success.count ||
                             options->later_assumptions.count)) {
        cli_complain(
            "--task, --mark-success, --with-downstream, --with-upstream, --mode and --then are "
            "about the repair: add --repair");
        return CLI_USAGE;
    }
    for (size_t l = 0; l < ARRAY_LEN(lists); l++)
        for (size_t i = 0; i < lists[l]->count; i++)
            if (!is_times(lists[l]->items[i])) {
                cli_complain("\"%s\": behind * stands how many attempts end so",
                             lists[l]->items[i]);
                return CLI_USAGE;
            }
    return plan_check_selection(options);
}

/* {"definition":…} of the file, or {"jobKey":…}. */
static int add_subject(struct cli *cli, struct buf *body)
{
    struct buf file;
    const char *key;
    int status;
    if (cli->options.files.count) {
        status = job_file_read(cli, &file);
        if (status)
            return status;
        BUF_LIT(body, "{\"definition\":");
        buf_add(body, file.data, file.len);
        buf_release(&file);
        return CLI_DONE;
    }
    status = call_job_key(cli, cli->options.args.items[0], &key);
    if (status)
        return status;
    BUF_LIT(body, "{\"jobKey\":");
    buf_json_string(body, key);
    return CLI_DONE;
}

static int make_body(struct cli *cli, struct buf *body)
{
    const struct options *options = &cli->options;
    int status = add_subject(cli, body);
    if (status)
        return status;
    add_parameters(body, &options->parameters);
    add_assumptions(body, &options->assumptions);
    if (options->repair)
        add_repair(body, options);
    buf_putc(body, '}');
    return CLI_DONE;
}

/* ---- what comes out ---- */

struct place {
    int64_t order;
    size_t index; /* in the definition: decides between those that do not start */
    const json_t *task;
};

static int by_order(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static const char *offset_text(struct cli *cli, const json_t *task, const char *name)
{
    char text[FORMAT_TEXT];
    int64_t ms = get_number(task, name, -1);
    return ms < 0 ? NULL : arena_strdup(&cli->arena, format_duration(ms, text));
}

/* "Succeeded (unknown: {{tasks.load.values.rows}})" */
static const char *why_of(struct cli *cli, const json_t *task)
{
    const char *reason = get_text(task, "reason");
    const json_t *unknown = json_object_get(task, "unknownValues");
    const char *first = json_string_value(json_array_get(unknown, 0));
    size_t count = json_array_size(unknown);
    if (!first || get_number(task, "order", 0) == 0)
        return reason;
    return arena_printf(&cli->arena,
                        count > 1 ? "%s (unknown: %s and %zu more)" : "%s (unknown: %s)",
                        reason ? reason : "", first, count - 1);
}

static void add_row(struct cli *cli, struct table *table, const json_t *task)
{
    int64_t order = get_number(task, "order", 0);
    int64_t attempts = get_number(task, "attempts", 0);
    const char *reason = why_of(cli, task);
    table_add(table, order ? arena_printf(&cli->arena, "%" PRId64, order) : NULL, NULL);
    table_add(table, get_text(task, "taskKey"), NULL);
    run_add_state(cli, table, get_text(task, "status"));
    table_add(table, offset_text(cli, task, "startOffsetMillis"), NULL);
    table_add(table, offset_text(cli, task, "endOffsetMillis"), NULL);
    table_add(table,
              attempts > 1 ? arena_printf(&cli->arena, "%s (%" PRId64 " attempts)",
                                          reason ? reason : "", attempts)
                           : reason,
              NULL);
}

/* Those that start, in the order in which they do; then the others, as they are defined. */
static void print_tasks(struct cli *cli, const json_t *tasks)
{
    static const char *const heads[] = {"ORDER", "TASK", "STATE", "STARTS", "ENDS", "WHY"};
    size_t count = json_array_size(tasks);
    struct place *sorted = arena_array(&cli->arena, count, sizeof *sorted);
    struct table table;
    for (size_t i = 0; i < count; i++) {
        const json_t *task = json_array_get(tasks, i);
        sorted[i] = (struct place){get_number(task, "order", INT64_MAX), i, task};
    }
    qsort(sorted, count, sizeof *sorted, by_order);
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    for (size_t i = 0; i < count; i++)
        add_row(cli, &table, sorted[i].task);
    table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

static void print_attempt(struct cli *cli, const json_t *attempt)
{
    char text[FORMAT_TEXT];
    struct line line;
    int64_t key = get_number(attempt, "key", 0);
    const char *status = get_text(attempt, "status");
    int64_t took_ms = get_number(attempt, "endOffsetMillis", 0) -
                      get_number(attempt, "startOffsetMillis", 0);
    if (key) {
        putchar('\n');
        plan_print_tasks(cli, json_object_get(attempt, "plan"),
                         arena_printf(&cli->arena, "Repair %" PRId64, key), false);
        putchar('\n');
    }
    line_init(&line, &cli->screen);
    line_add(&line, key ? "The repair would end " : "The run would end ", NULL);
    line_add(&line, state_sign(&cli->screen, status), state_look(status)->color);
    line_add(&line, " ", NULL);
    line_add(&line, safe_line(&cli->arena, status), state_look(status)->color);
    line_add(&line,
             arena_printf(&cli->arena, " after %s: %s", format_duration(took_ms, text),
                          safe_line(&cli->arena, get_text(attempt, "reason"))),
             NULL);
    line_print(&line, stdout);
    line_release(&line);
    putchar('\n');
    print_tasks(cli, json_object_get(attempt, "tasks"));
}

int verb_job_simulate(struct cli *cli)
{
    struct http_answer answer;
    struct buf body;
    json_t *tree = NULL;
    int status = check_options(cli);
    if (status)
        return status;
    buf_init(&body, BODY_MAX);
    status = make_body(cli, &body);
    const struct call call = {
        .method = "POST",
        .path = cli->options.strict ? "/jobs/actions/simulate?strict=true"
                                    : "/jobs/actions/simulate",
        .body = body.data,
    };
    if (!status)
        status = call_send(cli, &call, &answer);
    buf_release(&body);
    if (status)
        return status;
    if (!call_print_raw(cli, &answer) && !(status = call_parse(&answer, &tree))) {
        size_t i;
        json_t *attempt;
        json_array_foreach (json_object_get(tree, "attempts"), i, attempt) {
            print_attempt(cli, attempt);
        }
    }
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}
