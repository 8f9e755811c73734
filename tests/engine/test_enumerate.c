/*
 * RULES §2 and §8 over whole runs: the engine against law.c, which is slow and obviously right.
 *
 * Exhaustive: every labelled DAG of up to three PYTHON tasks with every runIf and every end of each
 * task that starts; every DAG of up to three tasks, each of which may be an IF_ELSE, with every
 * outcome on every edge; every repair of every finished or cancelled run of up to three tasks. A
 * sample with a seed: four and five tasks. REPRISE_TEST_LONG=exhaustive opens all of four.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/cmocka_all.h"
#include "engine/enumerate.h"
#include "engine/fast.h"
#include "engine/harness.h"

static size_t compared;

/* ---- one run ---- */

static void compare_run(struct fast *fast, const struct law_end *ends, const struct law_result *law)
{
    fast_run(fast, ends, (uint32_t)compared);
    bool same = fast->run_state == law_run_result(fast->dag, law);
    for (int i = 0; i < fast->dag->count; i++) {
        const struct fast_task *task = &fast->tasks[i];
        bool orders = law[i].started && !fast->dag->tasks[i].is_if_else;
        same = same && task->state == law[i].state && task->outcome == law[i].outcome &&
               task->starts == (int)orders;
    }
    compared++;
    if (same)
        return;
    print_error("%s\n", fast_describe(fast->dag, ends, &fast->arena));
    for (int i = 0; i < fast->dag->count; i++)
        print_error("t%d: %s, started %d times; must be %s\n", i, state_name(fast->tasks[i].state),
                    fast->tasks[i].starts, state_name(law[i].state));
    fail_msg("the run is %s, must be %s", state_name(fast->run_state),
             state_name(law_run_result(fast->dag, law)));
}

/* Every end of every task that starts. */
static void every_end(const struct law_dag *dag)
{
    struct fast fast;
    fast_begin(&fast, dag);
    struct ends_walk walk;
    struct law_end ends[LAW_TASKS];
    struct law_result law[LAW_TASKS];
    for (ends_walk_begin(&walk, dag, false); ends_walk_next(&walk, ends, law);)
        compare_run(&fast, ends, law);
    fast_end(&fast);
}

static void every_labelled_dag_of_python_tasks(void **state)
{
    (void)state;
    const char *how_long = getenv("REPRISE_TEST_LONG");
    int most = how_long && *how_long ? 4 : 3;
    compared = 0;
    size_t dags = 0;
    for (int count = 1; count <= most; count++) {
        struct dag_walk walk;
        struct law_dag dag;
        dag_walk_begin(&walk, (struct dag_kind){.count = count, .every_label = true});
        for (; dag_walk_next(&walk, &dag); dags++)
            every_end(&dag);
    }
    print_message("compared %zu runs of %zu definitions\n", compared, dags);
}

static void every_dag_with_if_else(void **state)
{
    (void)state;
    compared = 0;
    size_t dags = 0;
    for (int count = 1; count <= 3; count++) {
        struct dag_walk walk;
        struct law_dag dag;
        dag_walk_begin(&walk, (struct dag_kind){.count = count, .if_else = true});
        for (; dag_walk_next(&walk, &dag); dags++)
            every_end(&dag);
    }
    print_message("compared %zu runs of %zu definitions\n", compared, dags);
}

static void a_sample_of_four_and_five_tasks(void **state)
{
    (void)state;
    enum { DAGS = 4000, RUNS = 12 };
    struct dice dice = {.state = 20260101};
    compared = 0;
    for (int d = 0; d < DAGS; d++) {
        struct law_dag dag;
        dice_dag(&dice, 4 + (int)dice_below(&dice, 2), &dag);
        struct fast fast;
        fast_begin(&fast, &dag);
        for (int r = 0; r < RUNS; r++) {
            struct law_end ends[LAW_TASKS];
            struct law_result law[LAW_TASKS];
            dice_ends(&dice, &dag, false, ends);
            law_run(&dag, ends, NULL, law);
            compare_run(&fast, ends, law);
        }
        fast_end(&fast);
    }
    print_message("compared %zu runs of %d definitions\n", compared, DAGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_labelled_dag_of_python_tasks),
        cmocka_unit_test(every_dag_with_if_else),
        cmocka_unit_test(a_sample_of_four_and_five_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
