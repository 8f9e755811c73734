#include "cli/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/call.h"
#include "cli/clocks.h"

enum { HINT_MAX = 1000 };

/* ---- what is selected ---- */

int plan_check_selection(const struct options *options)
{
    if (options->also.count && options->mode && strcasecmp(options->mode, "resume") == 0) {
        cli_complain("--also adds tasks that succeeded, which --mode resume leaves out");
        return CLI_USAGE;
    }
    if ((!options->with_downstream && !options->with_upstream) || options->tasks.count)
        return CLI_DONE;
    cli_complain("--with-downstream and --with-upstream need --task: which task's?");
    return CLI_USAGE;
}

void plan_add_upper_case(struct buf *body, const char *text)
{
    struct buf upper;
    buf_init(&upper, 1 << 16);
    for (; *text; text++)
        buf_putc(&upper, *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text);
    buf_json_string_len(body, upper.len ? upper.data : "", upper.len);
    buf_release(&upper);
}

static void add_mode(struct buf *body, const char *mode)
{
    if (!mode)
        return;
    BUF_LIT(body, ",\"repairMode\":");
    plan_add_upper_case(body, mode);
}

void plan_add_keys(struct buf *body, const char *member, const struct word_list *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        buf_printf(body, i ? "," : ",\"%s\":[", member);
        buf_json_string(body, keys->items[i]);
    }
    if (keys->count)
        BUF_LIT(body, "]");
}

/* What goes with any selection. */
static void add_mark_and_mode(struct buf *body, const struct options *options)
{
    plan_add_keys(body, "markSuccess", &options->mark_success);
    add_mode(body, options->mode);
}

void plan_add_tasks(struct buf *body, const struct word_list *tasks, const struct options *options)
{
    plan_add_keys(body, "taskKeys", tasks);
    add_mark_and_mode(body, options);
}

void plan_add_selection(struct buf *body, const struct options *options)
{
    if (!options->with_downstream && !options->with_upstream) {
        plan_add_tasks(body, &options->tasks, options);
        return;
    }
    for (size_t i = 0; i < options->tasks.count; i++) {
        buf_puts(body, i ? ",{\"taskKey\":" : ",\"repairTasks\":[{\"taskKey\":");
        buf_json_string(body, options->tasks.items[i]);
        buf_printf(body, ",\"shouldIncludeDownstream\":%s,\"shouldIncludeUpstream\":%s}",
                   options->with_downstream ? "true" : "false",
                   options->with_upstream ? "true" : "false");
    }
    if (options->tasks.count)
        BUF_LIT(body, "]");
    add_mark_and_mode(body, options);
}

/* ---- parameters ---- */

static const char *quoted(struct cli *cli, const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? arena_printf(&cli->arena, "\"%s\"", safe_line(&cli->arena, text)) : "(none)";
}

void plan_print_parameters(struct cli *cli, const json_t *parameters)
{
    const char *arrow = cli->screen.unicode ? "→" : "->";
    size_t i;
    json_t *parameter;
    json_array_foreach (parameters, i, parameter) {
        printf("%s  %s: %s %s %s\n", i ? "" : "\nParameters that change:\n",
               safe_line(&cli->arena, get_text(parameter, "name")),
               quoted(cli, json_object_get(parameter, "old")), arrow,
               quoted(cli, json_object_get(parameter, "new")));
    }
}

/* ---- definitions ---- */

/* "a, b" in the arena. */
static const char *joined(struct cli *cli, const json_t *texts)
{
    const char *text = "";
    size_t i;
    json_t *item;
    json_array_foreach (texts, i, item) {
        text = arena_printf(&cli->arena, "%s%s%s", text, i ? ", " : "",
                            safe_line(&cli->arena, json_string_value(item)));
    }
    return text;
}

static void print_list(struct cli *cli, const json_t *definition, const char *name,
                       const char *words)
{
    const json_t *items = json_object_get(definition, name);
    if (json_array_size(items))
        printf("  %s: %s\n", words, joined(cli, items));
}

void plan_print_changes(struct cli *cli, const json_t *definition)
{
    size_t i;
    json_t *task;
    print_list(cli, definition, "added", "added");
    print_list(cli, definition, "removed", "removed");
    json_array_foreach (json_object_get(definition, "rewired"), i, task) {
        const char *gained = joined(cli, json_object_get(task, "gained"));
        const char *lost = joined(cli, json_object_get(task, "lost"));
        printf("  rewired: %s%s%s%s%s\n", safe_line(&cli->arena, get_text(task, "taskKey")),
               *gained ? ", now after " : "", gained, *lost ? ", no more after " : "", lost);
    }
    json_array_foreach (json_object_get(definition, "changed"), i, task) {
        printf("  changed: %s (%s)\n", safe_line(&cli->arena, get_text(task, "taskKey")),
               joined(cli, json_object_get(task, "fields")));
    }
    print_list(cli, definition, "fields", "of the job");
}

void plan_print_definition(struct cli *cli, const json_t *definition)
{
    int64_t from = get_number(definition, "fromVersion", 0);
    int64_t to = get_number(definition, "toVersion", 0);
    if (from == to)
        return;
    printf("\nDefinition: version %" PRId64 " %s %" PRId64 "\n", from,
           cli->screen.unicode ? "→" : "->", to);
    plan_print_changes(cli, definition);
}

static const char *short_commit(struct cli *cli, const json_t *change, const char *name)
{
    const char *commit = get_text(change, name);
    return commit ? arena_printf(&cli->arena, "%.12s", safe_line(&cli->arena, commit)) : NULL;
}

/* What is no commit's own name can be somewhere else by now. */
static bool may_move(const char *branch)
{
    enum { COMMIT_HEX = 40 };
    return !branch || strlen(branch) != COMMIT_HEX ||
           strspn(branch, "0123456789abcdefABCDEF") != COMMIT_HEX;
}

void plan_print_commits(struct cli *cli, const json_t *commits, const char *unknown,
                        const char *renew)
{
    const char *arrow = cli->screen.unicode ? "→" : "->";
    size_t i;
    json_t *change;
    json_array_foreach (commits, i, change) {
        const char *branch = get_text(change, "branch");
        const char *from = short_commit(cli, change, "from");
        const char *to = short_commit(cli, change, "to");
        printf("%s  %s%s%s: ", i ? "" : "\nFiles from git:\n",
               safe_line(&cli->arena, get_text(change, "repositoryUrl")),
               branch && *branch ? " " : "", safe_line(&cli->arena, branch));
        if (from && to && strcmp(from, to) == 0)
            printf("%s, as before%s\n", from, renew && may_move(branch) ? renew : "");
        else
            printf("%s %s %s\n", from ? from : unknown, arrow, to ? to : unknown);
    }
}

/* ---- tasks ---- */

struct verdict {
    const char *name;
    const char *word;
    const char *color;
    int count;
};

enum { RUN, REEVALUATE, MARK, KEEP, VERDICTS };

static struct verdict *verdict_of(struct verdict verdicts[VERDICTS], const json_t *task)
{
    const char *name = get_text(task, "verdict");
    for (int i = 0; name && i < VERDICTS; i++)
        if (strcmp(verdicts[i].name, name) == 0)
            return &verdicts[i];
    return &verdicts[KEEP];
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
    const struct options *options = &cli->options;
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
            buf_printf(&more, " --also %s", is_plain_word(key) ? key : "…");
    }
    bool closes = options->tasks.count && !options->with_downstream;
    if (more.len)
        printf("To run these again too, add%s%s%s\n", more.data, more.overflowed ? " …" : "",
               closes ? ", or --with-downstream" : "");
    buf_release(&more);
}

void plan_print_tasks(struct cli *cli, const json_t *tasks, const char *title, bool whole)
{
    struct verdict verdicts[VERDICTS] = {[RUN] = {"RUN", "run", "34", 0},
                                         [REEVALUATE] = {"REEVALUATE", "re-evaluate", "36", 0},
                                         [MARK] = {"MARK", "mark", "33", 0},
                                         [KEEP] = {"KEEP", "keep", "2", 0}};
    static const char *const heads[] = {"VERDICT", "TASK", "REASON"};
    struct table table;
    size_t i;
    json_t *task;
    table_init(&table, heads, ARRAY_LEN(heads), &cli->arena);
    json_array_foreach (tasks, i, task) {
        struct verdict *verdict = verdict_of(verdicts, task);
        verdict->count++;
        if (!whole && verdict == &verdicts[KEEP])
            continue;
        table_add(&table, verdict->word, verdict->color);
        table_add(&table, get_text(task, "taskKey"), NULL);
        table_add(&table, get_text(task, "reason"), NULL);
    }
    printf("%s: will run %d, re-evaluate %d, ", title, verdicts[RUN].count,
           verdicts[REEVALUATE].count);
    if (verdicts[MARK].count)
        printf("mark %d as successful, ", verdicts[MARK].count);
    printf("keep %d\n\n", verdicts[KEEP].count);
    if (table.count)
        table_print(&table, &cli->screen, stdout);
    table_release(&table);
}

/* "Will not start: load stays FAILED; select it too": it would end as unsuccessful as it was, and not EXCLUDED. */
static bool waits_in_vain(const char *reason)
{
    return reason && strstr(reason, "; select it too") && !strstr(reason, " stays EXCLUDED;") &&
           !strstr(reason, ", this branch needs ");
}

const char *plan_find_vain(struct cli *cli, const json_t *plan)
{
    const char *found = NULL;
    size_t i;
    json_t *task;
    json_array_foreach (json_object_get(plan, "tasks"), i, task) {
        const char *verdict = get_text(task, "verdict"), *reason = get_text(task, "reason");
        if (!verdict || strcmp(verdict, "KEEP") == 0)
            continue;
        if (!json_is_false(json_object_get(task, "willStart")))
            return NULL;
        if (!found && waits_in_vain(reason))
            found = arena_printf(&cli->arena, "%s: %s",
                                 safe_line(&cli->arena, get_text(task, "taskKey")),
                                 safe_line(&cli->arena, reason));
    }
    return found;
}

static bool has_only_canceled(const json_t *plan)
{
    const json_t *tasks = json_object_get(plan, "tasks");
    size_t i;
    json_t *task;
    json_array_foreach (tasks, i, task) {
        const char *reason = get_text(task, "reason");
        if (!reason || strcmp(reason, "It is CANCELED") != 0)
            return false;
    }
    return json_array_size(tasks) > 0;
}

/* A run that was cancelled before it began, for a run of another job that did not succeed: its repair waits for nothing. */
static void tell_dependency(struct cli *cli, const char *run_key, const json_t *plan)
{
    static const char begin[] = "Canceled: it depends on ";
    struct clocks clocks;
    if (!has_only_canceled(plan))
        return;
    json_t *run =
        call_get_quietly(cli, arena_printf(&cli->arena, "/jobRuns/%s", call_escape(cli, run_key)));
    const char *message = get_text(json_object_get(run, "state"), "stateMessage");
    clocks_init(&clocks, cli);
    if (message && strncmp(message, begin, sizeof begin - 1) == 0)
        printf("\nTake care:\n  It was cancelled since it depends on %s\n"
               "  A repair does not wait for that one: see that it has succeeded first\n",
               safe_line(&cli->arena,
                         clocks_sentence(&clocks, clocks_id(run), message + sizeof begin - 1)));
    clocks_release(&clocks);
    json_decref(run);
}

void plan_print(struct cli *cli, const char *run, const json_t *plan, bool whole)
{
    const json_t *tasks = json_object_get(plan, "tasks");
    const char *title = arena_printf(&cli->arena, "Repair of run %s", safe_line(&cli->arena, run));
    plan_print_tasks(cli, tasks, title, whole);
    plan_print_definition(cli, json_object_get(plan, "definition"));
    plan_print_parameters(cli, json_object_get(plan, "parameters"));
    plan_print_commits(cli, json_object_get(plan, "gitCommits"), "looked up again",
                       "; --definition current looks it up again");
    print_hazards(cli, tasks);
    tell_dependency(cli, run, plan);
    if (whole)
        printf("\nNothing was changed. Without --plan, this is what happens.\n");
    else
        putchar('\n');
    fflush(stdout);
}
