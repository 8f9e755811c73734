/* engine/simulate: what it shows is what RULES make of it (law.c), and what a run does in the world. */
#include "engine/simulate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/enumerate.h"
#include "engine/whole.h"

/* ---- asking ---- */

/* "load=FAILED", "decide=true", "load=FAILED*2": so many times; "load=SUCCESS@5000": takes that long. */
static struct field_list assumptions(struct world *world, const char *text)
{
    struct assumption *items = ARENA_ARRAY(&world->arena, LAW_TASKS + 2, struct assumption);
    size_t count = 0;
    char *save = NULL;
    char *copy = arena_strdup(&world->arena, text);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct assumption *item = &items[count++];
        char *outcome = strchr(word, '=');
        char *times = strchr(word, '*');
        char *duration = strchr(word, '@');
        *outcome++ = '\0';
        *item = (struct assumption){.task_key = word, .duration_ms = FIELD_NULL};
        if (times) {
            *times++ = '\0';
            item->times = strtoll(times, NULL, 10);
        }
        if (duration) {
            *duration++ = '\0';
            item->duration_ms = strtoll(duration, NULL, 10);
        }
        while (item->outcome < ASSUMED_COUNT && strcmp(assumed_names[item->outcome], outcome) != 0)
            item->outcome++;
        assert_true(item->outcome < ASSUMED_COUNT);
    }
    return (struct field_list){items, count};
}

static enum err_code ask(struct world *world, const struct simulation *request,
                         struct simulation_result *ret, struct err *err)
{
    return simulate(request, &world->arena, ret, err);
}

static struct simulation_result good(struct world *world, const struct simulation *request)
{
    struct simulation_result result = {0};
    struct err err;
    if (ask(world, request, &result, &err))
        broken("%s", err.message);
    return result;
}

static struct simulation request_of(struct world *world, const struct job_def *def,
                                    const char *assumed, const char *parameters)
{
    return (struct simulation){
        .def = def,
        .parameters = world_params(world, parameters),
        .assumptions = assumptions(world, assumed),
        .hub_region = "earth-1",
        .now_ms = 1000000,
    };
}

/* "FAILED a=FAILED b=UPSTREAM_FAILED" */
static const char *picture(struct world *world, const struct simulated_attempt *attempt)
{
    const struct simulated_task *tasks = attempt->tasks.items;
    const char *text = state_name((enum state)attempt->status);
    for (size_t i = 0; i < attempt->tasks.count; i++)
        text = arena_printf(&world->arena, "%s %s=%s", text, tasks[i].task_key,
                            state_name((enum state)tasks[i].status));
    return text;
}

static const struct simulated_task *task_at(const struct simulated_attempt *attempt, size_t i)
{
    return (const struct simulated_task *)attempt->tasks.items + i;
}

/* ---- what it shows ---- */

static void a_run_and_its_repair(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(
        world, world_dag_json(
                   world, "load; ?big: load; bulk: big=true; one: big=false; end: bulk one", ""));
    struct simulation request = request_of(world, def, "load=FAILED", NULL);
    struct simulated_repair repair = {
        .assumptions = assumptions(world, "big=false one=SUCCESS@7000")};
    repair.request.mode = FIELD_UNSET;
    request.repairs = (struct field_list){&repair, 1};
    struct simulation_result result = good(world, &request);
    assert_int_equal(result.count, 2);
    assert_string_equal(picture(world, &result.attempts[0]),
                        "FAILED load=FAILED big=UPSTREAM_FAILED bulk=UPSTREAM_FAILED "
                        "one=UPSTREAM_FAILED end=UPSTREAM_FAILED");
    assert_has(result.attempts[0].reason, "1 task failed: load");
    assert_int_equal(result.attempts[0].end_ms, SIMULATED_DURATION_MS);
    assert_int_equal(result.attempts[0].plan.task_count, 0);
    const struct simulated_attempt *again = &result.attempts[1];
    assert_string_equal(picture(world, again),
                        "SUCCESS load=SUCCESS big=SUCCESS bulk=EXCLUDED one=SUCCESS end=SUCCESS");
    assert_int_equal(again->start_ms, SIMULATED_DURATION_MS);
    assert_int_equal(again->end_ms, 3 * SIMULATED_DURATION_MS + 7000);
    assert_int_equal(again->plan.task_count, 5);
    assert_int_equal(again->plan.tasks[0].verdict, PLAN_RUN);
    assert_string_equal(again->plan.tasks[4].task_key, "end");
    assert_string_equal(task_at(again, 1)->reason, "Assumed: false");
    assert_int_equal(task_at(again, 1)->outcome, 0);
    assert_has(task_at(again, 2)->reason, "big was false");
    static const int64_t order[] = {1, 2, FIELD_NULL, 3, 4};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(task_at(again, i)->order, order[i]);
    job_def_unref(def);
}

static void decisions_are_decided_where_operands_are_known(void **state)
{
    struct world *world = *state;
    struct job_def *def =
        world_parse(world, world_dag_json(world, "?d; yes: d=true; no: d=false", ""));
    struct simulation request = request_of(world, def, "", "d=1");
    struct simulation_result result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]),
                        "SUCCESS d=SUCCESS yes=SUCCESS no=EXCLUDED");
    request.parameters = world_params(world, "d=many");
    assert_string_equal(picture(world, &good(world, &request).attempts[0]),
                        "FAILED d=FAILED yes=UPSTREAM_FAILED no=UPSTREAM_FAILED");
    request.parameters = world_params(world, NULL); /* not known: it is said, not guessed */
    result = good(world, &request);
    assert_int_equal(task_at(&result.attempts[0], 0)->status, STATE_INTERNAL_ERROR);
    assert_has(task_at(&result.attempts[0], 0)->reason, "{{job.parameters.d}}");
    request.assumptions = assumptions(world, "d=true");
    assert_string_equal(picture(world, &good(world, &request).attempts[0]),
                        "SUCCESS d=SUCCESS yes=SUCCESS no=EXCLUDED");
    request.assumptions = assumptions(world, "d=FAILED");
    result = good(world, &request);
    assert_int_equal(task_at(&result.attempts[0], 0)->status, STATE_FAILED);
    assert_string_equal(task_at(&result.attempts[0], 0)->reason, "Assumed: FAILED");
    job_def_unref(def);
}

/* One planner: what a repair's parameters decide is foreseen here as planRepair foresees it. */
static void plans_foresee_by_the_parameters_of_their_repair(void **state)
{
    struct world *world = *state;
    struct job_def *def =
        world_parse(world, world_dag_json(world, "?d; yes: d=true; no: d=false", ""));
    struct simulation request = request_of(world, def, "yes=FAILED", "d=1");
    struct simulated_repair repair = {
        .request = world_repair_request(world, NULL, "d yes", NULL, "d=2")};
    request.repairs = (struct field_list){&repair, 1};
    struct simulation_result result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[1]),
                        "SUCCESS d=SUCCESS yes=EXCLUDED no=SUCCESS");
    const struct plan_task *tasks = result.attempts[1].plan.tasks;
    assert_true(tasks[0].will_start);
    assert_false(tasks[1].will_start);
    assert_has(tasks[1].reason, "d will be false");
    assert_true(tasks[2].will_start);
    job_def_unref(def);
}

static const char *unknown_of(const struct simulated_task *task)
{
    assert_int_equal(task->unknown_values.count, 1);
    return *(const char *const *)task->unknown_values.items;
}

/* Nothing is published in a simulation: what is not assumed is unknown, and no error. */
static void published_values_are_assumed_or_unknown(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(
        world,
        "{'name':'j','path':'/','tasks':["
        "{'taskKey':'load','type':'PYTHON_TASK','filePath':'l.py'},"
        "{'taskKey':'use','type':'PYTHON_TASK','filePath':'u.py','dependsOn':[{'taskKey':'load'}],"
        "'commandLineArguments':'{{tasks.load.values.rows}} {{tasks.load.values.`odd key`}}'},"
        "{'taskKey':'many','type':'IF_ELSE_TASK','dependsOn':[{'taskKey':'load'}],'condition':'A',"
        "'expressions':[{'key':'A','value':'{{tasks.load.values.rows}} > 10'}]},"
        "{'taskKey':'bulk','type':'PYTHON_TASK','filePath':'b.py','dependsOn':[{'taskKey':'many',"
        "'outcome':'true'}]},{'taskKey':'gate','type':'DUMMY_TASK'}]}");
    struct simulation request = request_of(world, def, "", NULL);
    struct simulation_result result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]),
                        "SUCCESS load=SUCCESS use=SUCCESS many=SUCCESS bulk=EXCLUDED gate=SUCCESS");
    assert_int_equal(task_at(&result.attempts[0], 0)->unknown_values.count, 0);
    assert_int_equal(task_at(&result.attempts[0], 1)->unknown_values.count, 2);
    assert_string_equal(unknown_of(task_at(&result.attempts[0], 2)), "{{tasks.load.values.rows}}");
    assert_has(task_at(&result.attempts[0], 2)->reason, "taken as false");

    struct assumption load = {"load", ASSUMED_SUCCESS, 0, FIELD_NULL, .values = {0}};
    struct param rows = {"rows", "11"};
    load.values = (struct field_list){&rows, 1};
    request.assumptions = (struct field_list){&load, 1};
    struct simulated_repair repair = {
        .request = world_repair_request(world, NULL, "many bulk", NULL, NULL)};
    request.repairs = (struct field_list){&repair, 1};
    result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]),
                        "SUCCESS load=SUCCESS use=SUCCESS many=SUCCESS bulk=SUCCESS gate=SUCCESS");
    assert_string_equal(unknown_of(task_at(&result.attempts[0], 1)),
                        "{{tasks.load.values.`odd key`}}");
    assert_int_equal(task_at(&result.attempts[0], 2)->unknown_values.count, 0);
    /* The repair keeps load, and so what it published. */
    assert_int_equal(task_at(&result.attempts[1], 2)->outcome, 1);

    /* That a task never published is no guess. */
    request.repairs = (struct field_list){NULL, 0};
    load.values = (struct field_list){NULL, 0};
    struct param bad = {"a=b", ""};
    load.values = (struct field_list){&bad, 1};
    struct err err;
    struct simulation_result ignored;
    assert_int_equal(ask(world, &request, &ignored, &err), ERR_INVALID_PARAMETER);
    assert_has(err.message, "assumptions[0].values[0].name");
    load = (struct assumption){"many", ASSUMED_TRUE, 0, FIELD_NULL, .values = {&rows, 1}};
    assert_int_equal(ask(world, &request, &ignored, &err), ERR_INVALID_PARAMETER);
    assert_has(err.message, "assumptions[0].values: many publishes none");
    load = (struct assumption){"gate", ASSUMED_SUCCESS, 0, FIELD_NULL, .values = {&rows, 1}};
    assert_int_equal(ask(world, &request, &ignored, &err), ERR_INVALID_PARAMETER);
    assert_has(err.message, "assumptions[0].values: gate publishes none");
    job_def_unref(def);
}

/* The job of the child is looked at no further: it need not even be there. */
static void what_a_child_comes_to_is_assumed(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(
        world,
        "{'name':'j','path':'/','tasks':[{'taskKey':'child','type':'JOB_TASK','maxRetries':1,"
        "'jobKey':'01900000-0000-7000-8000-000000000001'},{'taskKey':'next','type':"
        "'PYTHON_TASK','filePath':'n.py','dependsOn':[{'taskKey':'child'}]}]}");
    struct simulation request = request_of(world, def, "", NULL);
    assert_string_equal(picture(world, &good(world, &request).attempts[0]),
                        "SUCCESS child=SUCCESS next=SUCCESS");
    request.assumptions = assumptions(world, "child=FAILED");
    assert_string_equal(picture(world, &good(world, &request).attempts[0]),
                        "FAILED child=FAILED next=UPSTREAM_FAILED");
    request.assumptions = assumptions(world, "child=FAILED*1");
    assert_string_equal(picture(world, &good(world, &request).attempts[0]),
                        "SUCCESS child=SUCCESS next=SUCCESS");
    job_def_unref(def);
}

static void retries_and_deadlines_take_virtual_time(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(
        world,
        world_dag_json(world,
                       "a {'maxRetries':3,'minRetryIntervalMillis':60000}; b {'timeoutSeconds':5}",
                       ""));
    struct simulation request = request_of(world, def, "a=FAILED*2 b=SUCCESS@6000", NULL);
    struct simulation_result result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]), "FAILED a=SUCCESS b=TIMED_OUT");
    assert_int_equal(task_at(&result.attempts[0], 0)->attempts, 3);
    assert_int_equal(task_at(&result.attempts[0], 0)->end_ms, 120000 + SIMULATED_DURATION_MS);
    assert_int_equal(task_at(&result.attempts[0], 1)->end_ms, 5000);
    job_def_unref(def);
    def = world_parse(world, world_dag_json(world, "a; b: a", "'timeoutSeconds':60"));
    request = request_of(world, def, "a=SUCCESS@61000", NULL);
    result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]), "TIMED_OUT a=CANCELED b=CANCELED");
    assert_int_equal(result.attempts[0].end_ms, 60000);
    job_def_unref(def);
}

static void slots(void **state)
{
    struct world *world = *state;
    struct job_def *def = world_parse(
        world, world_dag_json(world, "a", "'maxConcurrentRuns':0,'queue':{'isEnabled':true}"));
    struct simulation request = request_of(world, def, "", NULL);
    struct simulation_result result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]), "SKIPPED a=CANCELED"); /* after 48 h */
    job_def_unref(def);
    def = world_parse(world, world_dag_json(world, "a", "'maxConcurrentRuns':0"));
    request = request_of(world, def, "", NULL);
    result = good(world, &request);
    assert_string_equal(picture(world, &result.attempts[0]), "SKIPPED a=NEW");
    job_def_unref(def);
}

static void refuse(struct world *world, const struct simulation *request, enum err_code code,
                   const char *part)
{
    struct simulation_result result;
    struct err err;
    assert_int_equal(ask(world, request, &result, &err), code);
    assert_has(err.message, part);
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void refusals(void **state)
{
    struct world *world = *state;
    struct job_def *def =
        world_parse(world, world_dag_json(world, "a {'maxRetries':300}; ?d: a",
                                          "'parameters':[{'name':'x.y','value':''}]"));
    struct simulation request = request_of(world, def, "a=SUCCESS zebra=FAILED", NULL);
    refuse(world, &request, ERR_INVALID_PARAMETER, "assumptions[1].taskKey");
    request.assumptions = assumptions(world, "a=true");
    refuse(world, &request, ERR_INVALID_PARAMETER, "assumptions[0].outcome");
    request.assumptions = assumptions(world, "d=TIMED_OUT");
    refuse(world, &request, ERR_INVALID_PARAMETER, "true, false or FAILED");
    request.assumptions = assumptions(world, "d=true");
    request.parameters = world_params(world, "x_y=1");
    refuse(world, &request, ERR_INVALID_PARAMETER, "x_y");
    request.parameters = world_params(world, NULL);
    struct simulated_repair repair = {.request.mode = FIELD_UNSET};
    request.repairs = (struct field_list){&repair, 1};
    refuse(world, &request, ERR_INCORRECT_STATE, "repairs[0]: there is nothing to repair");
    repair.request = world_repair_request(world, NULL, "zebra", NULL, NULL);
    refuse(world, &request, ERR_INVALID_PARAMETER, "repairs[0]: taskKeys[0]");
    repair.request = world_repair_request(world, NULL, "a", NULL, NULL);
    repair.assumptions = assumptions(world, "a=false");
    refuse(world, &request, ERR_INVALID_PARAMETER, "repairs[0].assumptions[0].outcome");
    request.is_late = always;
    refuse(world, &request, ERR_LIMIT_EXCEEDED, "too long");
    job_def_unref(def);
    def = world_parse(world, "{'name':'j','tasks':[]}");
    request = request_of(world, def, "", NULL);
    refuse(world, &request, ERR_INVALID_PARAMETER, "no tasks");
    job_def_unref(def);
}

/* 170 tasks of 301 attempts each are more than a simulation may have. */
static void too_many_events(void **state)
{
    struct world *world = *state;
    enum { MANY = 170 };
    char *tasks = arena_alloc(&world->arena, MANY * 32);
    struct assumption *items = ARENA_ARRAY(&world->arena, MANY, struct assumption);
    size_t len = 0;
    for (int i = 0; i < MANY; i++) {
        len += (size_t)snprintf(tasks + len, 32, "%sa%d {'maxRetries':300}", i ? ";" : "", i);
        items[i] = (struct assumption){arena_printf(&world->arena, "a%d", i), ASSUMED_FAILED, 0,
                                       FIELD_NULL, .values = {0}};
    }
    struct job_def *def = world_parse(world, world_dag_json(world, tasks, ""));
    struct simulation request = {.def = def, .assumptions = {items, MANY}, .hub_region = ""};
    refuse(world, &request, ERR_LIMIT_EXCEEDED, "more than 50000 events");
    job_def_unref(def);
}

/* ---- against the law ---- */

static int assumed_of(const struct law_dag *dag, int i, struct law_end end)
{
    if (dag->tasks[i].is_if_else)
        return end.state == STATE_FAILED ? ASSUMED_FAILED
               : end.outcome             ? ASSUMED_TRUE
                                         : ASSUMED_FALSE;
    return end.state == STATE_FAILED      ? ASSUMED_FAILED
           : end.state == STATE_TIMED_OUT ? ASSUMED_TIMED_OUT
           : end.state == STATE_SUCCESS   ? ASSUMED_SUCCESS
                                          : ASSUMED_INTERNAL_ERROR;
}

static struct field_list assume_ends(const struct law_dag *dag, const struct law_end *ends,
                                     struct arena *arena)
{
    struct assumption *items = ARENA_ARRAY(arena, LAW_TASKS, struct assumption);
    for (int i = 0; i < dag->count; i++)
        items[i] = (struct assumption){.task_key = whole_name(dag, i),
                                       .outcome = assumed_of(dag, i, ends[i]),
                                       .duration_ms = FIELD_NULL};
    return (struct field_list){items, (size_t)dag->count};
}

static void roll_ends(struct dice *dice, const struct law_dag *dag, struct law_end *ret)
{
    dice_ends(dice, dag, false, ret);
    for (int i = 0; i < dag->count; i++)
        if (dag->tasks[i].is_if_else && ret[i].state == STATE_INTERNAL_ERROR)
            ret[i] = (struct law_end){STATE_FAILED, false}; /* what can be assumed of a decision */
}

static void expect_law(const struct simulated_attempt *attempt, const struct law_dag *dag,
                       const struct law_result *law)
{
    for (int i = 0; i < dag->count; i++)
        if (task_at(attempt, (size_t)i)->status != (int)law[i].state)
            broken("t%d is %s, must be %s", i,
                   state_name((enum state)task_at(attempt, (size_t)i)->status),
                   state_name(law[i].state));
    if (attempt->status != (int)law_run_result(dag, law))
        broken("the run is %s", state_name((enum state)attempt->status));
}

static void runs_and_repairs_are_what_rules_say(void **state)
{
    struct world *world = *state;
    enum { CASES = 1500 };
    struct dice dice = {.state = 31415};
    for (int c = 0; c < CASES; c++) {
        struct law_dag dag;
        struct finished run = {.dag = &dag};
        struct law_end again[LAW_TASKS];
        struct law_result kept[LAW_TASKS];
        struct law_result results[LAW_TASKS];
        enum law_verdict law[LAW_TASKS];
        dice_dag(&dice, 1 + (int)dice_below(&dice, 5), &dag);
        roll_ends(&dice, &dag, run.ends);
        roll_ends(&dice, &dag, again);
        whole_settle(&run);
        struct law_selection selection = {.named = dice_below(&dice, 1U << dag.count),
                                          .with_downstream = dice_below(&dice, 1U << dag.count)};
        broken_context("%s", whole_describe(&run, selection, &world->arena));
        struct job_def *def = world_parse(world, shape_json(&dag, &world->arena));
        struct simulation request = {.def = def,
                                     .assumptions = assume_ends(&dag, run.ends, &world->arena),
                                     .hub_region = ""};
        expect_law(&good(world, &request).attempts[0], &dag, run.results);
        struct simulated_repair repair = {
            .request = whole_request(&dag, selection, &world->arena),
            .assumptions = assume_ends(&dag, again, &world->arena),
        };
        request.repairs = (struct field_list){&repair, 1};
        if (law_plan(&dag, run.states, &selection, law)) {
            struct simulation_result result = good(world, &request);
            for (int i = 0; i < dag.count; i++)
                kept[i] = law[i] == LAW_KEEP ? run.results[i]
                                             : (struct law_result){STATE_NEW, -1, false};
            law_run(&dag, again, kept, results);
            whole_compare_plan(&run, &result.attempts[1].plan, law, 0);
            expect_law(&result.attempts[1], &dag, results);
        } else {
            refuse(world, &request, ERR_INCORRECT_STATE, "nothing to repair");
        }
        job_def_unref(def);
    }
    broken_context("%s", "");
}

#define SIMULATION_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIMULATION_TEST(a_run_and_its_repair),
        SIMULATION_TEST(decisions_are_decided_where_operands_are_known),
        SIMULATION_TEST(plans_foresee_by_the_parameters_of_their_repair),
        SIMULATION_TEST(published_values_are_assumed_or_unknown),
        SIMULATION_TEST(what_a_child_comes_to_is_assumed),
        SIMULATION_TEST(retries_and_deadlines_take_virtual_time),
        SIMULATION_TEST(slots),
        SIMULATION_TEST(refusals),
        SIMULATION_TEST(too_many_events),
        SIMULATION_TEST(runs_and_repairs_are_what_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
