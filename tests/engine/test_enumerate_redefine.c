/*
 * RULES §8.7 over many pairs of definitions: a run by one, a repair by the other (CURRENT), then one
 * by the first again (ORIGINAL). Tasks are removed, added, edited, rewired and turned into
 * decisions; law.c says what is planned and how it ends, and the preview says the same as the engine.
 */
#include "engine/enumerate.h"
#include "engine/whole.h"

struct pair {
    struct law_dag dags[2]; /* as it was, as it is now */
    struct job_def *defs[2];
};

/* The place of a task of one dag in another one, -1: it is not there. */
static int place_in(const struct law_dag *of, int i, const struct law_dag *in)
{
    int place = of->first + i - in->first;
    return place >= 0 && place < in->count ? place : -1;
}

/* Whether the dependencies of a task, and what they want, are the same. */
static bool same_needs(const struct law_dag *a, int i, const struct law_dag *b, int j)
{
    for (int number = 0; number < LAW_TASKS; number++) {
        const struct law_edge none = {false, -1};
        int x = number - a->first;
        int y = number - b->first;
        struct law_edge left = x >= 0 && x < a->count ? a->tasks[i].needs[x] : none;
        struct law_edge right = y >= 0 && y < b->count ? b->tasks[j].needs[y] : none;
        if (left.is_there != right.is_there || (left.is_there && left.wanted != right.wanted))
            return false;
    }
    return true;
}

static unsigned edited_tasks(const struct law_dag *from, const struct law_dag *to)
{
    unsigned edited = 0;
    for (int j = 0; j < to->count; j++) {
        int i = place_in(to, j, from);
        if (i < 0)
            continue;
        bool same = from->tasks[i].run_if == to->tasks[j].run_if &&
                    from->tasks[i].is_if_else == to->tasks[j].is_if_else &&
                    same_needs(from, i, to, j);
        edited |= same ? 0 : 1U << j;
    }
    return edited;
}

/* The run as it stands when it is looked at by another definition. */
static struct finished seen_by(const struct finished *run, const struct law_dag *dag,
                               const struct job_def *def)
{
    struct finished seen = {.dag = dag, .def = def};
    for (int j = 0; j < dag->count; j++) {
        int i = place_in(dag, j, run->dag);
        seen.results[j] = i < 0 ? (struct law_result){STATE_NEW, -1, false} : run->results[i];
        seen.states[j] = seen.results[j].state;
        seen.ends[j] = (struct law_end){STATE_SUCCESS, true};
    }
    return seen;
}

/* Tasks as bits, each with one chance in four. */
static uint32_t few(struct dice *dice, uint32_t tasks)
{
    uint32_t some = dice_below(dice, tasks);
    return some & dice_below(dice, tasks);
}

static struct law_selection any_selection(struct dice *dice, const struct law_dag *dag)
{
    uint32_t tasks = 1U << dag->count;
    return (struct law_selection){
        .named = dice_below(dice, 3) ? dice_below(dice, tasks) : 0,
        .with_upstream = few(dice, tasks),
        .with_downstream = few(dice, tasks),
        .mode = (enum law_mode)dice_below(dice, 3),
    };
}

/* What planRepair shows is what law says. */
static bool preview(struct world *world, const struct finished *run, const struct finished *seen,
                    struct law_selection selection, const struct uuid *key,
                    enum law_verdict *ret_law)
{
    const struct booked_run *booked = book_run(&world->book, key);
    struct run_image image = book_image(booked, &world->arena);
    struct repair_request request = whole_request(seen->dag, selection, &world->arena);
    struct repair_plan plan;
    struct err err;
    request.parameters = shape_params(seen->dag, seen->ends, &world->arena);
    enum err_code code =
        plan_preview(&image, run->def, seen->def, &request, 0, &world->arena, &plan, &err);
    bool something = law_plan(seen->dag, seen->states, &selection, ret_law);
    if (code != (something ? ERR_OK : ERR_INCORRECT_STATE))
        broken("planned with %s", err_code_text(code));
    if (!something)
        return false;
    whole_compare_plan(seen, &plan, ret_law, edited_tasks(run->dag, seen->dag));
    whole_compare_foretelling(seen, &plan, ret_law, seen->ends);
    return true;
}

/* Looks at the run by the other definition, plans, repairs; *run is how it ended, unless there was
 * nothing to repair. */
static bool redefine(struct world *world, struct dice *dice, struct finished *run,
                     const struct law_dag *dag, const struct job_def *def,
                     enum repair_definition definition, const struct uuid *key)
{
    struct finished seen = seen_by(run, dag, def);
    struct law_selection selection = any_selection(dice, dag);
    enum law_verdict law[LAW_TASKS];
    broken_context("%s, by %s", whole_describe(run, (struct law_selection){0}, &world->arena),
                   whole_describe(&seen, selection, &world->arena));
    if (!preview(world, run, &seen, selection, key, law))
        return false;
    whole_repair(world, &seen, selection, definition, key, law, seen.results);
    for (int i = 0; i < dag->count; i++)
        seen.states[i] = seen.results[i].state;
    *run = seen;
    return true;
}

static void roll_pair(struct dice *dice, struct pair *pair)
{
    for (int d = 0; d < 2; d++) {
        dice_dag(dice, 1 + (int)dice_below(dice, 4), &pair->dags[d]);
        pair->dags[d].first = (int)dice_below(dice, 3);
    }
    if (dice_below(dice, 2))
        return;
    /* Half of them differ in little: one rule, or one edge. */
    pair->dags[1] = pair->dags[0];
    struct law_task *task = &pair->dags[1].tasks[dice_below(dice, (uint32_t)pair->dags[1].count)];
    task->run_if = (enum run_if)dice_below(dice, RUN_IF_COUNT);
    task->needs[dice_below(dice, (uint32_t)pair->dags[1].count)].is_there = false;
}

static size_t one_pair(struct dice *dice, bool crashing)
{
    struct world *world = world_new(crashing);
    struct pair pair = {0};
    roll_pair(dice, &pair);
    const char *texts[2];
    for (int d = 0; d < 2; d++) {
        texts[d] = shape_json(&pair.dags[d], &world->arena);
        pair.defs[d] = world_parse(world, texts[d]);
        pair.defs[d]->version = d + 1;
    }
    struct uuid job = world_job(world, texts[0]);
    struct finished run = {.dag = &pair.dags[0], .def = pair.defs[0]};
    dice_ends(dice, run.dag, true, run.ends);
    whole_settle(&run);
    struct run_request submit = {.queue_enabled = FIELD_UNSET};
    submit.parameters = shape_params(run.dag, run.ends, &world->arena);
    struct uuid key = world_try_submit(world, &job, &submit).key;
    whole_finish(world, &run, &key);
    assert_answer(world_update_job(world, &job, texts[1], NULL), ERR_OK, "");
    size_t repairs = 0;
    repairs += redefine(world, dice, &run, &pair.dags[1], pair.defs[1], DEFINITION_CURRENT, &key);
    repairs += redefine(world, dice, &run, &pair.dags[0], pair.defs[0], DEFINITION_ORIGINAL, &key);
    repairs += redefine(world, dice, &run, run.dag, run.def, DEFINITION_NEWEST, &key);
    job_def_unref(pair.defs[0]);
    job_def_unref(pair.defs[1]);
    world_free(world);
    return repairs;
}

static void repairs_by_another_definition(void **state)
{
    (void)state;
    enum { PAIRS = 3000 / FEWER };
    struct dice dice = {.state = 20260308};
    size_t repairs = 0;
    for (int i = 0; i < PAIRS; i++)
        repairs += one_pair(&dice, i % 8 == 0);
    print_message("compared %zu repairs on %d pairs of definitions\n", repairs, PAIRS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repairs_by_another_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
