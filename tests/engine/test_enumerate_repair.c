/*
 * RULES §8.2–8.4 over all small runs: the plan of every selection in every mode on every finished or
 * cancelled run of up to three tasks against law.c; whether what the plan foretells comes true; and
 * the repairs themselves, each that differs from the others once, in a world whose book sees that
 * kept rows are never written again.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/enumerate.h"
#include "engine/fast.h"
#include "engine/harness.h"
#include "engine/plan.h"

static const char *const task_names[LAW_TASKS] = {"t0", "t1", "t2", "t3", "t4", "t5"};

/* A finished run, as the model has it. */
struct finished {
    const struct law_dag *dag;
    const struct job_def *def;
    struct law_end ends[LAW_TASKS];
    struct law_result results[LAW_TASKS];
    enum state states[LAW_TASKS];
    bool was_cancelled;
};

struct selection {
    unsigned named; /* bits by task */
    enum law_mode mode;
};

struct tally {
    size_t plans, repairs, definitions;
    uint64_t repairs_seen[4096]; /* hashes, of one definition */
    size_t seen_count;
    struct arena arena;
};

static const char *describe(const struct finished *run, struct selection selection,
                            struct arena *arena)
{
    static const char *const modes[] = {"no mode", "RESUME", "RERUN"};
    return arena_printf(arena, "%s, named %#x, %s", fast_describe(run->dag, run->ends, arena),
                        selection.named, modes[selection.mode]);
}

static struct repair_request request_of(const struct law_dag *dag, struct selection selection,
                                        struct arena *arena)
{
    const char **keys = ARENA_ARRAY(arena, LAW_TASKS, const char *);
    size_t count = 0;
    for (int i = 0; i < dag->count; i++)
        if (selection.named >> i & 1U)
            keys[count++] = task_names[i];
    return (struct repair_request){
        .task_keys = keys,
        .task_key_count = count,
        .mode = selection.mode == LAW_NO_MODE  ? FIELD_UNSET
                : selection.mode == LAW_RESUME ? (int)REPAIR_MODE_RESUME
                                               : (int)REPAIR_MODE_RERUN,
    };
}

/* ---- the plan ---- */

static bool above(const struct law_dag *dag, const enum law_verdict *verdicts, int i)
{
    for (int d = 0; d < dag->count; d++)
        if (dag->tasks[i].needs[d].is_there && (verdicts[d] != LAW_KEEP || above(dag, verdicts, d)))
            return true;
    return false;
}

/* Verdicts, counts, hazards: kept results below something planned. */
static void compare_plan(const struct finished *run, const struct repair_plan *plan,
                         const enum law_verdict *law)
{
    static const enum plan_verdict verdicts[] = {PLAN_KEEP, PLAN_REEVALUATE, PLAN_RUN};
    uint32_t counts[3] = {0};
    for (int i = 0; i < run->dag->count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        counts[law[i]]++;
        if (task->verdict != verdicts[law[i]])
            broken("t%d: %s, must be %s", i, plan_verdict_names[task->verdict],
                   plan_verdict_names[verdicts[law[i]]]);
        bool stale = law[i] == LAW_KEEP && above(run->dag, law, i);
        if (stale != (task->hazard_count > 0))
            broken("t%d: %zu hazards", i, task->hazard_count);
        if (!task->reason || !task->reason[0])
            broken("t%d: %s without a reason", i, plan_verdict_names[task->verdict]);
    }
    if (plan->keep_count != counts[LAW_KEEP] || plan->run_count != counts[LAW_RUN] ||
        plan->reevaluate_count != counts[LAW_REEVALUATE])
        broken("the plan's counts are wrong");
}

/* A planned task that "will not start" does not, however the others end. */
static void compare_foretelling(const struct finished *run, const struct repair_plan *plan,
                                const enum law_verdict *law)
{
    struct law_result kept[LAW_TASKS];
    bool foretold = false;
    for (int i = 0; i < run->dag->count; i++) {
        kept[i] = law[i] == LAW_KEEP ? run->results[i] : (struct law_result){STATE_NEW, -1, false};
        foretold = foretold || (law[i] != LAW_KEEP && !plan->tasks[i].will_start);
    }
    if (!foretold)
        return;
    struct ends_walk walk;
    struct law_end ends[LAW_TASKS];
    struct law_result results[LAW_TASKS];
    for (ends_walk_begin(&walk, run->dag, false); ends_walk_next(&walk, ends, results);) {
        law_run(run->dag, ends, kept, results);
        for (int i = 0; i < run->dag->count; i++)
            if (law[i] != LAW_KEEP && !plan->tasks[i].will_start && results[i].started)
                broken("t%d: \"%s\", but it may start", i, plan->tasks[i].reason);
    }
}

/* ---- the repair ---- */

static void finish(struct world *world, const struct finished *run, const struct uuid *key)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < run->dag->count; i++) {
            if (run->ends[i].state == STATE_NEW || !world_is_running(world, key, task_names[i]))
                continue;
            int cause = fast_cause(run->ends[i]);
            if (cause == CAUSE_EXITED)
                world_exit(world, key, task_names[i], run->ends[i].state == STATE_FAILED);
            else
                world_ends(world, key, task_names[i], cause);
            again = true;
        }
    }
    if (!run->was_cancelled)
        return;
    world_cancel(world, key);
    for (int i = 0; i < run->dag->count; i++)
        if (world_is_running(world, key, task_names[i]))
            world_ends(world, key, task_names[i], CAUSE_STOPPED);
}

static void expect_states(struct world *world, const struct uuid *key, const struct law_dag *dag,
                          const struct law_result *law, enum state run_state)
{
    for (int i = 0; i < dag->count; i++) {
        enum state state = world_task(world, key, task_names[i])->row.state;
        if (state != law[i].state)
            broken("t%d is %s, must be %s", i, state_name(state), state_name(law[i].state));
    }
    if (world_run(world, key)->state != run_state)
        broken("the run is %s, must be %s", state_name(world_run(world, key)->state),
               state_name(run_state));
}

static void repair(struct world *world, const struct finished *run, struct selection selection,
                   const struct uuid *key, const enum law_verdict *law)
{
    struct law_end ends[LAW_TASKS];
    struct law_result kept[LAW_TASKS];
    struct law_result results[LAW_TASKS];
    struct uuid before[LAW_TASKS];
    for (int i = 0; i < run->dag->count; i++) {
        ends[i] = (struct law_end){STATE_SUCCESS, true};
        kept[i] = law[i] == LAW_KEEP ? run->results[i] : (struct law_result){STATE_NEW, -1, false};
        before[i] = world_task(world, key, task_names[i])->row.key;
    }
    struct command command = {.kind = COMMAND_RUN_REPAIR, .key = *key};
    command.repair = request_of(run->dag, selection, &world->arena);
    command.repair.parameters = fast_params(run->dag, ends, &world->arena);
    assert_answer(world_command(world, &command), ERR_OK, "");
    world_all_succeed(world);
    law_run(run->dag, ends, kept, results);
    expect_states(world, key, run->dag, results, law_run_result(run->dag, results));
    for (int i = 0; i < run->dag->count; i++) {
        struct uuid now = world_task(world, key, task_names[i])->row.key;
        if (uuid_equal(&now, &before[i]) != (law[i] == LAW_KEEP))
            broken("t%d: a kept task run is replaced, or a planned one is not", i);
    }
}

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
                           struct selection selection, const enum law_verdict *law)
{
    struct run_request submit = {.queue_enabled = FIELD_UNSET};
    submit.parameters = fast_params(run->dag, run->ends, &world->arena);
    struct uuid key = world_try_submit(world, job, &submit).key;
    finish(world, run, &key);
    expect_states(world, &key, run->dag, run->results,
                  run->was_cancelled ? STATE_CANCELED : law_run_result(run->dag, run->results));
    repair(world, run, selection, &key, law);
    world_delete(world, &key);
}

static void one_selection(struct world *world, const struct uuid *job, struct tally *tally,
                          const struct finished *run, struct selection selection)
{
    int8_t outcomes[LAW_TASKS];
    for (int i = 0; i < run->dag->count; i++)
        outcomes[i] = run->results[i].outcome;
    arena_clear(&tally->arena);
    broken_context("%s", describe(run, selection, &tally->arena));
    struct repair_request request = request_of(run->dag, selection, &tally->arena);
    const struct plan_input input = {run->def, run->states, outcomes, &request};
    struct repair_plan plan;
    struct err err;
    enum law_verdict law[LAW_TASKS];
    enum err_code code = plan_make(&input, &tally->arena, &plan, &err);
    bool something = law_plan(run->dag, run->states, selection.named, selection.mode, law);
    if (code != (something ? ERR_OK : ERR_INCORRECT_STATE))
        broken("planned with %s", err_code_text(code));
    tally->plans++;
    if (!something)
        return;
    compare_plan(run, &plan, law);
    if (!is_new(tally, run, law))
        return;
    compare_foretelling(run, &plan, law);
    run_and_repair(world, job, run, selection, law);
    tally->repairs++;
}

/* What RULES make of the ends, cancelled if something runs on. */
static void settle(struct finished *run)
{
    law_run(run->dag, run->ends, NULL, run->results);
    run->was_cancelled = false;
    for (int i = 0; i < run->dag->count; i++)
        run->was_cancelled = run->was_cancelled || run->results[i].state == STATE_NEW;
    law_cancel(run->dag, run->results);
    for (int i = 0; i < run->dag->count; i++)
        run->states[i] = run->results[i].state;
}

static void every_repair(const struct law_dag *dag, struct tally *tally)
{
    struct world *world = world_new(tally->definitions % 16 == 0);
    struct finished run = {.dag = dag};
    struct job_def *def = world_parse(world, fast_json(dag, &world->arena));
    struct uuid job = world_job(world, fast_json(dag, &world->arena));
    run.def = def;
    struct ends_walk walk;
    ends_walk_begin(&walk, dag, true);
    walk.few = true;
    tally->seen_count = 0;
    while (ends_walk_next(&walk, run.ends, run.results)) {
        settle(&run);
        for (unsigned named = 0; named < 1U << dag->count; named++)
            for (int mode = LAW_NO_MODE; mode <= LAW_RERUN; mode++)
                one_selection(world, &job, tally, &run,
                              (struct selection){named, (enum law_mode)mode});
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
    walk_all((struct dag_kind){.every_label = true}, 3, 1);
}

static void every_repair_with_if_else(void **state)
{
    (void)state;
    const char *how_long = getenv("REPRISE_TEST_LONG");
    walk_all((struct dag_kind){.if_else = true}, 3, how_long && *how_long ? 1 : 8);
}

static void a_sample_of_four_and_five_tasks(void **state)
{
    (void)state;
    enum { DAGS = 600, SELECTIONS = 10 };
    struct tally *tally = xcalloc(1, sizeof *tally);
    struct dice dice = {.state = 20260201};
    arena_init(&tally->arena);
    for (int d = 0; d < DAGS; d++) {
        struct law_dag dag;
        dice_dag(&dice, 4 + (int)dice_below(&dice, 2), &dag);
        struct world *world = world_new(d % 16 == 0);
        struct finished run = {.dag = &dag};
        struct job_def *def = world_parse(world, fast_json(&dag, &world->arena));
        struct uuid job = world_job(world, fast_json(&dag, &world->arena));
        run.def = def;
        tally->seen_count = 0;
        for (int s = 0; s < SELECTIONS; s++) {
            dice_ends(&dice, &dag, true, run.ends);
            settle(&run);
            struct selection selection = {dice_below(&dice, 1U << dag.count),
                                          (enum law_mode)dice_below(&dice, 3)};
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
        cmocka_unit_test(a_sample_of_four_and_five_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
