/*
 * RULES §2 over whole runs: the engine against law.c, which is slow and obviously right.
 *
 * Every labelled DAG of up to four tasks, every runIf, every outcome on every edge, every end of
 * every task that starts (sweep.h). Through the engine's rules alone (rules.h), where a case costs next
 * to nothing: all 158 million ways through four tasks in `make exhaustive`, a share in `make test`.
 * Through engine_step from its first event to its last: all of three tasks; of four, where the numbers
 * of the tasks decide nothing but who comes first, every shape of graph once, and a share of all the
 * labelled ones. Five tasks: a sample with a seed.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/cmocka_all.h"
#include "engine/enumerate.h"
#include "engine/fast.h"
#include "engine/harness.h"
#include "engine/rules.h"
#include "engine/sweep.h"

static bool is_exhaustive(void)
{
    const char *how_long = getenv("REPRISE_TEST_LONG");
    return how_long && strcmp(how_long, "exhaustive") == 0;
}

/* ---- one run ---- */

/* `turn`: which of several live attempts ends first. */
static void compare_run(struct fast *fast, const struct law_end *ends, const struct law_result *law,
                        uint32_t turn)
{
    fast_run(fast, ends, turn);
    bool same = fast->run_state == law_run_result(fast->dag, law);
    for (int i = 0; i < fast->dag->count; i++) {
        const struct fast_task *task = &fast->tasks[i];
        bool orders = law[i].started && !fast->dag->tasks[i].is_if_else;
        same = same && task->state == law[i].state && task->outcome == law[i].outcome &&
               task->starts == (int)orders;
    }
    if (same)
        return;
    print_error("%s\n", shape_describe(fast->dag, ends, &fast->arena));
    for (int i = 0; i < fast->dag->count; i++)
        print_error("t%d: %s, started %d times; must be %s\n", i, state_name(fast->tasks[i].state),
                    fast->tasks[i].starts, state_name(law[i].state));
    fail_msg("the run is %s, must be %s", state_name(fast->run_state),
             state_name(law_run_result(fast->dag, law)));
}

/* ---- whole runs ---- */

struct runs {
    struct fast fast;
    bool has_begun;
    uint32_t validate_one_in;
    uint64_t compared;
};

static void begin_runs(void *context, const struct law_dag *dag, bool is_new)
{
    struct runs *runs = context;
    if (is_new) {
        if (runs->has_begun)
            fast_end(&runs->fast);
        fast_begin(&runs->fast, dag);
        runs->fast.validate_one_in = runs->validate_one_in;
        runs->has_begun = true;
    }
    fast_redefine(&runs->fast, dag);
}

static void one_run(void *context, const struct law_end *ends, const struct law_result *results)
{
    struct runs *runs = context;
    compare_run(&runs->fast, ends, results, (uint32_t)runs->compared++);
}

static void sweep_runs(struct sweep sweep, uint32_t validate_one_in)
{
    struct runs *runs = xcalloc(1, sizeof *runs);
    runs->validate_one_in = validate_one_in;
    sweep.begin = begin_runs;
    sweep.each = one_run;
    sweep.context = runs;
    sweep_all(&sweep);
    fast_end(&runs->fast);
    print_message("%d tasks%s: compared %llu runs of %llu definitions%s\n", sweep.count,
                  sweep.outcomes ? ", outcomes on edges" : "", (unsigned long long)sweep.cases,
                  (unsigned long long)sweep.definitions,
                  sweep.one_in > 1 ? ", a share of all" : ", all there are");
    free(runs);
}

static void every_run_of_three_tasks(void **state)
{
    (void)state;
    for (int count = 1; count <= 3; count++)
        sweep_runs(
            (struct sweep){.count = count, .outcomes = true, .one_in = count < 3 ? 1 : FEWER}, 1);
}

/* Nothing is decided by outcomes here, so every way to fail is looked at. */
static void runs_of_four_python_tasks(void **state)
{
    (void)state;
    uint32_t share = is_exhaustive() ? 1 : 37 * FEWER;
    sweep_runs((struct sweep){.count = 4, .one_in = share}, 5);
}

static void runs_of_four_tasks(void **state)
{
    (void)state;
    uint32_t share = is_exhaustive() ? 16 : 997 * FEWER;
    sweep_runs((struct sweep){.count = 4, .outcomes = true, .few_ends = true, .one_in = share}, 20);
}

static void every_run_of_four_tasks_of_every_shape(void **state)
{
    (void)state;
    struct sweep sweep = {.count = 4, .outcomes = true, .few_ends = true, .shapes = true};
    sweep.one_in = is_exhaustive() ? 1 : 211 * FEWER;
    sweep_runs(sweep, 20);
}

/* ---- the pure rules ---- */

static enum state pure_state(const struct runs *pure, int task, const struct law_result *results)
{
    struct rule_dep deps[LAW_TASKS];
    const struct graph_node *node = &pure->fast.def->nodes[task];
    for (uint32_t d = 0; d < node->dep_count; d++) {
        const struct law_result *dep = &results[node->deps[d].task];
        deps[d] = (struct rule_dep){dep->state, dep->outcome, node->deps[d].outcome};
    }
    enum run_if run_if = (enum run_if)pure->fast.def->tasks[task].run_if;
    return rule_state(rule_evaluate(run_if, deps, node->dep_count).verdict);
}

static void one_pure(void *context, const struct law_end *ends, const struct law_result *results)
{
    const struct runs *pure = context;
    enum state states[LAW_TASKS];
    for (int i = 0; i < pure->fast.dag->count; i++) {
        enum state state = pure_state(pure, i, results);
        states[i] = results[i].state;
        if (state != (results[i].started ? STATE_NEW : results[i].state))
            broken("t%d: the rule says %s, must be %s", i, state_name(state),
                   state_name(results[i].state));
    }
    (void)ends;
    static bool is_failure[STATE_COUNT] = {
        [STATE_FAILED] = true, [STATE_TIMED_OUT] = true, [STATE_UPSTREAM_FAILED] = true};
    bool failed = false;
    bool internal = false;
    for (int i = 0; i < pure->fast.dag->count; i++) {
        bool is_leaf = pure->fast.def->nodes[i].dependent_count == 0;
        failed |= is_leaf && is_failure[states[i]];
        internal |= is_leaf && states[i] == STATE_INTERNAL_ERROR;
    }
    enum state must = failed ? STATE_FAILED : internal ? STATE_INTERNAL_ERROR : STATE_SUCCESS;
    if (rule_run_result(pure->fast.def, states) != must)
        broken("the run would be %s, must be %s",
               state_name(rule_run_result(pure->fast.def, states)), state_name(must));
}

static void every_rule_of_four_tasks(void **state)
{
    (void)state;
    struct runs *pure = xcalloc(1, sizeof *pure);
    pure->validate_one_in = 1;
    struct sweep sweep = {.count = 4,
                          .outcomes = true,
                          .few_ends = true,
                          .one_in = is_exhaustive() ? 1 : 19 * FEWER,
                          .begin = begin_runs,
                          .each = one_pure,
                          .context = pure};
    sweep_all(&sweep);
    fast_end(&pure->fast);
    print_message("4 tasks, the rules alone: compared %llu ways through %llu definitions\n",
                  (unsigned long long)sweep.cases, (unsigned long long)sweep.definitions);
    free(pure);
}

/* ---- more than can be walked through ---- */

static void a_sample_of_five_tasks(void **state)
{
    (void)state;
    enum { RUNS = 12 };
    int dags = is_exhaustive() ? 100000 : 4000 / FEWER;
    struct dice dice = {.state = 20260101};
    uint32_t compared = 0;
    for (int d = 0; d < dags; d++) {
        struct law_dag dag;
        dice_dag(&dice, 5, &dag);
        struct fast fast;
        fast_begin(&fast, &dag);
        for (int r = 0; r < RUNS; r++) {
            struct law_end ends[LAW_TASKS];
            struct law_result law[LAW_TASKS];
            dice_ends(&dice, &dag, false, ends);
            law_run(&dag, ends, NULL, law);
            compare_run(&fast, ends, law, compared++);
        }
        fast_end(&fast);
    }
    print_message("5 tasks: compared %u runs of %d definitions, a sample\n", compared, dags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_of_three_tasks),
        cmocka_unit_test(runs_of_four_python_tasks),
        cmocka_unit_test(runs_of_four_tasks),
        cmocka_unit_test(every_run_of_four_tasks_of_every_shape),
        cmocka_unit_test(every_rule_of_four_tasks),
        cmocka_unit_test(a_sample_of_five_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
