/*
 * RULES §8.2–8.4 over all small runs: the plan of every selection in every mode on every finished or
 * cancelled run of up to three tasks against law.c; whether what the plan foretells comes true; and
 * the repairs themselves, each that differs from the others once, in a world whose book sees that
 * kept rows are never written again.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/enumerate.h"
#include "engine/whole.h"

struct tally {
    size_t plans, repairs, definitions;
    uint64_t repairs_seen[4096]; /* hashes, of one definition */
    size_t seen_count;
    struct arena arena;
};

/* A repair is told by what is kept, how that ended, and what is planned. */
static bool is_new(struct tally *tally, const struct finished *run, const enum law_verdict *law)
{
    uint64_t hash = 1;
    for (int i = 0; i < run->dag->count; i++) {
        uint64_t digit = law[i] != LAW_KEEP ? (uint64_t)law[i]
                                            : 10 + (uint64_t)run->states[i] * 4 +
                                                  (uint64_t)(run->results[i].outcome + 1);
        hash = mix64(hash * 101 + digit);
    }
    for (size_t i = 0; i < tally->seen_count; i++)
        if (tally->repairs_seen[i] == hash)
            return false;
    if (tally->seen_count < ARRAY_LEN(tally->repairs_seen))
        tally->repairs_seen[tally->seen_count++] = hash;
    return true;
}

/* The run, to its end, then the repair. */
static void run_and_repair(struct world *world, const struct uuid *job, const struct finished *run,
                           struct law_selection selection, const enum law_verdict *law)
{
    struct run_request submit = {.queue_enabled = FIELD_UNSET};
    submit.parameters = shape_params(run->dag, run->ends, &world->arena);
    struct uuid key = world_try_submit(world, job, &submit).key;
    whole_finish(world, run, &key);
    whole_expect(world, &key, run->dag, run->results,
                 run->was_cancelled ? STATE_CANCELED : law_run_result(run->dag, run->results));
    struct law_result results[LAW_TASKS];
    whole_repair(world, run, selection, DEFINITION_NEWEST, &key, law, results);
    world_delete(world, &key);
}

static void one_selection(struct world *world, const struct uuid *job, struct tally *tally,
                          const struct finished *run, struct law_selection selection)
{
    int8_t outcomes[LAW_TASKS];
    for (int i = 0; i < run->dag->count; i++)
        outcomes[i] = run->results[i].outcome;
    arena_clear(&tally->arena);
    broken_context("%s", whole_describe(run, selection, &tally->arena));
    struct repair_request request = whole_request(run->dag, selection, &tally->arena);
    const struct plan_input input = {run->def, run->states, outcomes, &request, NULL};
    struct repair_plan plan;
    struct err err;
    enum law_verdict law[LAW_TASKS];
    enum err_code code = plan_make(&input, &tally->arena, &plan, &err);
    bool something = law_plan(run->dag, run->states, &selection, law);
    if (code != (something ? ERR_OK : ERR_INCORRECT_STATE))
        broken("planned with %s", err_code_text(code));
    tally->plans++;
    if (!something)
        return;
    whole_compare_plan(run, &plan, law, 0);
    if (!is_new(tally, run, law))
        return;
    whole_compare_foretelling(run, &plan, law, NULL);
    run_and_repair(world, job, run, selection, law);
    tally->repairs++;
}

/* Every selection in every mode: nothing named, or some tasks, all of them alone, with what is
 * upstream, with what is downstream, with both. */
static void every_selection(struct world *world, const struct uuid *job, struct tally *tally,
                            const struct finished *run)
{
    for (unsigned named = 0; named < 1U << run->dag->count; named++)
        for (unsigned around = 0; around < (named ? 4U : 1U); around++)
            for (int mode = LAW_NO_MODE; mode <= LAW_RERUN; mode++)
                one_selection(world, job, tally, run,
                              (struct law_selection){
                                  .named = named,
                                  .with_upstream = around & 1U ? named : 0,
                                  .with_downstream = around & 2U ? named : 0,
                                  .mode = (enum law_mode)mode,
                              });
}

static void every_repair(const struct law_dag *dag, struct tally *tally)
{
    struct world *world = world_new(tally->definitions % 16 == 0);
    struct finished run = {.dag = dag};
    struct job_def *def = world_parse(world, shape_json(dag, &world->arena));
    struct uuid job = world_job(world, shape_json(dag, &world->arena));
    run.def = def;
    struct ends_walk walk;
    ends_walk_begin(&walk, dag, true);
    walk.few = true;
    tally->seen_count = 0;
    while (ends_walk_next(&walk, run.ends, run.results)) {
        whole_settle(&run);
        every_selection(world, &job, tally, &run);
    }
    job_def_unref(def);
    world_free(world);
    tally->definitions++;
}

static void walk_all(struct dag_kind kind, int most, uint32_t one_in)
{
    struct tally *tally = xcalloc(1, sizeof *tally);
    struct dice dice = {.state = 7};
    arena_init(&tally->arena);
    for (kind.count = 1; kind.count <= most; kind.count++) {
        struct dag_walk walk;
        struct law_dag dag;
        for (dag_walk_begin(&walk, kind); dag_walk_next(&walk, &dag);)
            if (kind.count < 3 || dice_below(&dice, one_in) == 0)
                every_repair(&dag, tally);
    }
    print_message("compared %zu plans and %zu repairs on %zu definitions\n", tally->plans,
                  tally->repairs, tally->definitions);
    arena_release(&tally->arena);
    free(tally);
}

static void every_repair_of_python_tasks(void **state)
{
    (void)state;
    walk_all((struct dag_kind){.every_label = true}, 3, FEWER);
}

static void every_repair_with_if_else(void **state)
{
    (void)state;
    const char *how_long = getenv("REPRISE_TEST_LONG");
    walk_all((struct dag_kind){.if_else = true}, 3,
             how_long && strcmp(how_long, "exhaustive") == 0 ? 1 : 8 * FEWER);
}

/* Up to the numbers of the tasks; in make test so many definitions, spread over all. */
static void every_repair_of_four_tasks(void **state)
{
    (void)state;
    enum { DEFINITIONS = 12 / FEWER, ONE_IN = 197 };
    const char *how_long = getenv("REPRISE_TEST_LONG");
    bool all = how_long && strcmp(how_long, "exhaustive") == 0;
    struct tally *tally = xcalloc(1, sizeof *tally);
    struct dag_walk walk;
    struct law_dag dag;
    size_t seen = 0;
    arena_init(&tally->arena);
    dag_walk_begin(&walk, (struct dag_kind){.count = 4});
    while (dag_walk_next(&walk, &dag) && (all || tally->definitions < DEFINITIONS))
        if (dag_is_first_of_its_shape(&dag) && (seen++ % ONE_IN == 0 || all))
            every_repair(&dag, tally);
    print_message("4 tasks: compared %zu plans and %zu repairs on %zu of %zu definitions\n",
                  tally->plans, tally->repairs, tally->definitions, seen);
    arena_release(&tally->arena);
    free(tally);
}

static void a_sample_of_four_and_five_tasks(void **state)
{
    (void)state;
    enum { DAGS = 600 / FEWER, SELECTIONS = 10 };
    struct tally *tally = xcalloc(1, sizeof *tally);
    struct dice dice = {.state = 20260201};
    arena_init(&tally->arena);
    for (int d = 0; d < DAGS; d++) {
        struct law_dag dag;
        dice_dag(&dice, 4 + (int)dice_below(&dice, 2), &dag);
        struct world *world = world_new(d % 16 == 0);
        struct finished run = {.dag = &dag};
        struct job_def *def = world_parse(world, shape_json(&dag, &world->arena));
        struct uuid job = world_job(world, shape_json(&dag, &world->arena));
        run.def = def;
        tally->seen_count = 0;
        for (int s = 0; s < SELECTIONS; s++) {
            dice_ends(&dice, &dag, true, run.ends);
            whole_settle(&run);
            struct law_selection selection = {
                .named = dice_below(&dice, 1U << dag.count),
                .with_upstream = dice_below(&dice, 1U << dag.count),
                .with_downstream = dice_below(&dice, 1U << dag.count),
                .mode = (enum law_mode)dice_below(&dice, 3),
            };
            one_selection(world, &job, tally, &run, selection);
        }
        job_def_unref(def);
        world_free(world);
        tally->definitions++;
    }
    print_message("compared %zu plans and %zu repairs on %zu definitions\n", tally->plans,
                  tally->repairs, tally->definitions);
    arena_release(&tally->arena);
    free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_repair_of_python_tasks),
        cmocka_unit_test(every_repair_with_if_else),
        cmocka_unit_test(every_repair_of_four_tasks),
        cmocka_unit_test(a_sample_of_four_and_five_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
