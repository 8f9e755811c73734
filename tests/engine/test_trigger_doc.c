/*
 * docs/guide/trigger-rules.md is printed from the engine's own rules, and is what they say now.
 * REPRISE_WRITE_DOCS=1 writes it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/cmocka_all.h"
#include "engine/rules.h"

enum { PAGE_MAX_BYTES = 1 << 16, CLASSES = 4 };

static const enum state example[CLASSES] = {STATE_SUCCESS, STATE_FAILED, STATE_CANCELED,
                                            STATE_EXCLUDED};
static const char *const class_words[CLASSES] = {"succeeded", "failed", "canceled", "excluded"};

static const char intro[] =
    "# Trigger rules\n"
    "\n"
    "When all tasks that a task depends on are final, its `runIf` decides whether it runs. This page is\n"
    "printed from the engine's own rules; a test holds it to them.\n"
    "\n"
    "What a dependency counts as:\n"
    "\n"
    "| counts as | states |\n"
    "|---|---|\n";

static const char after_classes[] =
    "\n"
    "A dependency that names an `outcome` of an IF_ELSE task comes first: when that task was excluded, or\n"
    "succeeded with the other outcome, the task is `EXCLUDED`, whatever its `runIf` says.\n"
    "\n"
    "Otherwise, by what there is among the dependencies, one or more of each:\n"
    "\n";

static const char between[] =
    "\n"
    "**runs** means that it becomes `QUEUED` and starts as soon as there is an execution slot. A task\n"
    "without dependencies runs. `UPSTREAM_FAILED` names the nearest task that failed.\n"
    "\n"
    "## The result of a run\n"
    "\n"
    "A run ends as its leaves do, the tasks that nothing depends on; after a cancel or a timeout it ends\n"
    "`CANCELED` or `TIMED_OUT`, whatever they say. The first line that holds:\n"
    "\n"
    "| among the leaves | the run is |\n"
    "|---|---|\n";

static const char after_results[] =
    "\n"
    "A failure that reaches no leaf does not fail the run. So a clean-up with `ALL_DONE`, or a message with\n"
    "`AT_LEAST_ONE_FAILED`, at the end of a job turns runs in which something failed into `SUCCESS`: whoever\n"
    "waits for them or is told of failures sees none. Give such a job another end, a `DUMMY_TASK` behind the\n"
    "tasks that the run stands for:\n"
    "\n"
    "```yaml\n"
    "tasks:\n"
    "  - {taskKey: load, type: PYTHON_TASK, filePath: load.py}\n"
    "  - {taskKey: clean, type: SHELL_TASK, script: rm -rf parts, dependsOn: [{taskKey: load}], runIf: ALL_DONE}\n"
    "  - {taskKey: result, type: DUMMY_TASK, dependsOn: [{taskKey: load}]}\n"
    "```\n"
    "\n"
    "When `load` fails, `clean` runs, `result` is `UPSTREAM_FAILED`, and so the run is `FAILED`. `job validate`,\n"
    "`create`, `update` and `apply` warn of a job that lacks such an end: where the failure of one task, while\n"
    "all others succeed, leaves the run `SUCCESS`. They do not where the `x-failPolicy` of that task is `FAIL`,\n"
    "`IGNORE` or `SUSPEND`, nor where another task runs in its place, without which the run would fail.\n";

/* ---- the table of rules ---- */

static const char *verdict_word(struct rule_result result)
{
    enum state state = rule_state(result.verdict);
    return state == STATE_NEW ? "**runs**" : state_names[state];
}

/* `times` dependencies of each class in the set. */
static struct rule_result evaluate(enum run_if run_if, unsigned set, uint32_t times)
{
    struct rule_dep deps[CLASSES * 3];
    uint32_t count = 0;
    for (int c = 0; c < CLASSES; c++)
        for (uint32_t t = 0; t < times && (set >> c & 1U); t++)
            deps[count++] = (struct rule_dep){example[c], FIELD_UNSET, FIELD_UNSET};
    return rule_evaluate(run_if, deps, count);
}

/* Does every rule take this state as it takes the example of the class? */
static bool counts_as(enum state state, int class)
{
    for (int r = 0; r < RUN_IF_COUNT; r++) {
        const struct rule_dep dep = {state, FIELD_UNSET, FIELD_UNSET};
        if (rule_evaluate((enum run_if)r, &dep, 1).verdict !=
            evaluate((enum run_if)r, 1U << class, 1).verdict)
            return false;
    }
    return true;
}

static void print_classes(struct buf *page)
{
    for (int c = 0; c < CLASSES; c++) {
        const char *comma = " |";
        buf_printf(page, "| %s", class_words[c]);
        for (int s = 0; s < STATE_COUNT; s++) {
            if (!state_is_final((enum state)s) || s == STATE_SKIPPED ||
                !counts_as((enum state)s, c))
                continue;
            buf_printf(page, "%s `%s`", comma, state_names[s]);
            comma = ",";
        }
        buf_puts(page, " |\n");
    }
}

static void print_rules(struct buf *page)
{
    buf_puts(page, "| dependencies |");
    for (int r = 0; r < RUN_IF_COUNT; r++)
        buf_printf(page, " `%s` |", run_if_names[r]);
    buf_puts(page, "\n|---|---|---|---|---|---|---|\n");
    for (unsigned set = 1; set < 1U << CLASSES; set++) {
        const char *comma = "| ";
        for (int c = 0; c < CLASSES; c++) {
            if (!(set >> c & 1U))
                continue;
            buf_printf(page, "%s%s", comma, class_words[c]);
            comma = ", ";
        }
        buf_puts(page, " |");
        for (int r = 0; r < RUN_IF_COUNT; r++)
            buf_printf(page, " %s |", verdict_word(evaluate((enum run_if)r, set, 1)));
        buf_putc(page, '\n');
    }
}

/* ---- the table of results ---- */

static enum state result_of(const enum state *leaves, uint32_t count)
{
    struct graph_node nodes[STATE_COUNT] = {{.deps = NULL}};
    struct task_def tasks[STATE_COUNT];
    for (uint32_t i = 0; i < count; i++)
        tasks[i] = (struct task_def){.fail_policy = FIELD_UNSET};
    const struct job_def def = {.task_count = count, .nodes = nodes, .tasks = tasks};
    return rule_run_result(&def, leaves);
}

/* States of leaves that make a run end like this, by themselves; strongest result first. */
static void print_results(struct buf *page)
{
    static const enum state results[] = {STATE_FAILED, STATE_INTERNAL_ERROR, STATE_CANCELED};
    for (size_t r = 0; r < ARRAY_LEN(results); r++) {
        const char *comma = "| any ";
        for (int s = 0; s < STATE_COUNT; s++) {
            enum state leaf = (enum state)s;
            if (!state_is_final(leaf) || result_of(&leaf, 1) != results[r])
                continue;
            buf_printf(page, "%s`%s`", comma, state_names[s]);
            comma = ", ";
        }
        buf_printf(page, " | `%s` |\n", state_names[results[r]]);
    }
    buf_puts(page, "| none of those | `SUCCESS` |\n");
    /* The order of the lines is that of the engine: the stronger of two wins, on either side. */
    for (size_t a = 0; a < ARRAY_LEN(results); a++)
        for (size_t b = a + 1; b < ARRAY_LEN(results); b++) {
            const enum state one[] = {results[a], results[b]};
            const enum state other[] = {results[b], results[a], STATE_SUCCESS};
            assert_int_equal(result_of(one, 2), results[a]);
            assert_int_equal(result_of(other, 3), results[a]);
        }
}

/* ---- the page ---- */

static void the_page_is_what_the_engine_says(void **state)
{
    (void)state;
    struct buf page;
    buf_init(&page, PAGE_MAX_BYTES);
    buf_puts(&page, intro);
    print_classes(&page);
    buf_puts(&page, after_classes);
    print_rules(&page);
    buf_puts(&page, between);
    print_results(&page);
    buf_puts(&page, after_results);
    char path[4096];
    const char *root = getenv("REPRISE_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/docs/guide/trigger-rules.md", root ? root : ".");
    if (getenv("REPRISE_WRITE_DOCS")) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        assert_int_equal(fwrite(page.data, 1, page.len, out), page.len);
        assert_int_equal(fclose(out), 0);
    }
    char *stored = calloc(1, PAGE_MAX_BYTES);
    FILE *in = fopen(path, "r");
    if (!in)
        fail_msg("%s is not there; REPRISE_WRITE_DOCS=1 writes it", path);
    size_t len = fread(stored, 1, PAGE_MAX_BYTES - 1, in);
    fclose(in);
    if (len != page.len || memcmp(stored, page.data, len) != 0)
        fail_msg("%s is stale; REPRISE_WRITE_DOCS=1 writes it anew", path);
    free(stored);
    buf_release(&page);
}

/* The table speaks of "one or more": how many there are changes nothing. */
static void numbers_do_not_matter(void **state)
{
    (void)state;
    for (int r = 0; r < RUN_IF_COUNT; r++)
        for (unsigned set = 1; set < 1U << CLASSES; set++)
            for (uint32_t times = 2; times <= 3; times++)
                assert_int_equal(evaluate((enum run_if)r, set, times).verdict,
                                 evaluate((enum run_if)r, set, 1).verdict);
}

/* What the page says of named outcomes, before any rule. */
static void outcomes_come_first(void **state)
{
    (void)state;
    for (int r = 0; r < RUN_IF_COUNT; r++)
        for (int8_t wanted = 0; wanted < 2; wanted++) {
            const struct rule_dep excluded[] = {{STATE_EXCLUDED, FIELD_UNSET, wanted},
                                                {STATE_FAILED, FIELD_UNSET, FIELD_UNSET}};
            const struct rule_dep other[] = {{STATE_SUCCESS, (int8_t)!wanted, wanted},
                                             {STATE_SUCCESS, FIELD_UNSET, FIELD_UNSET}};
            enum run_if run_if = (enum run_if)r;
            assert_int_equal(rule_state(rule_evaluate(run_if, excluded, 2).verdict),
                             STATE_EXCLUDED);
            assert_int_equal(rule_state(rule_evaluate(run_if, other, 2).verdict), STATE_EXCLUDED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_what_the_engine_says),
        cmocka_unit_test(numbers_do_not_matter),
        cmocka_unit_test(outcomes_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
