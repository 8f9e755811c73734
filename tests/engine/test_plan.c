/* RULES §8.3: what planRepair shows: verdicts, whether a task will start, reasons, hazards. */
#include "engine/harness.h"
#include "engine/plan.h"

/* The plan as it would be shown, from what is stored. */
static enum err_code preview(struct world *world, const struct uuid *run, const char *keys,
                             const char *parameters, struct repair_plan *ret, struct err *err)
{
    const struct booked_run *booked = book_run(&world->book, run);
    struct run_image image = book_image(booked, &world->arena);
    const struct job_def *def = world_def(world, booked->job, 1);
    struct repair_request request = world_repair_request(world, NULL, keys, NULL, parameters);
    return plan_preview(&image, def, def, &request, 0, &world->arena, ret, err);
}

static struct repair_plan plan_of(struct world *world, const struct uuid *run, const char *keys,
                                  const char *parameters)
{
    struct repair_plan plan = {0};
    struct err err;
    if (preview(world, run, keys, parameters, &plan, &err))
        broken("%s", err.message);
    return plan;
}

static const struct plan_task *planned(const struct repair_plan *plan, const char *key)
{
    for (uint32_t i = 0; i < plan->task_count; i++)
        if (strcmp(plan->tasks[i].task_key, key) == 0)
            return &plan->tasks[i];
    fail_msg("%s is not in the plan", key);
    return NULL;
}

static void a_task_that_cannot_start_says_why(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; merge: load; end: merge", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    struct repair_plan plan = plan_of(world, &run, "merge", NULL);
    assert_int_equal(planned(&plan, "load")->verdict, PLAN_KEEP);
    assert_int_equal(planned(&plan, "merge")->verdict, PLAN_RUN);
    assert_int_equal(planned(&plan, "end")->verdict, PLAN_REEVALUATE);
    assert_false(planned(&plan, "merge")->will_start);
    assert_has(planned(&plan, "merge")->reason, "load stays FAILED; select it too");
    assert_false(planned(&plan, "end")->will_start);
    assert_has(planned(&plan, "end")->reason, "merge");
    plan = plan_of(world, &run, NULL, NULL);
    assert_true(planned(&plan, "load")->will_start);
    assert_true(planned(&plan, "end")->will_start);
}

/* The dependency that stands in the way is named, not just the first. */
static void the_right_dependency_is_named(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "bad; good; tell: bad good @ALL_FAILED; warn: good @AT_LEAST_ONE_FAILED", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "bad", 1);
    world_exit(world, &run, "good", 0);
    world_expect(world, &run, "SUCCESS bad=FAILED good=SUCCESS tell=EXCLUDED warn=EXCLUDED");
    struct repair_plan plan = plan_of(world, &run, "tell", NULL);
    assert_false(planned(&plan, "tell")->will_start);
    assert_has(planned(&plan, "tell")->reason, "good stays SUCCESS");
    plan = plan_of(world, &run, "warn", NULL);
    assert_has(planned(&plan, "warn")->reason, "good stays SUCCESS");
}

/* decide, and behind it one task for each outcome, and one behind the branch "true". */
static const char branches[] =
    "{'name':'j','path':'/','maxConcurrentRuns':9,'parameters':[{'name':'size','value':'1'}],'tasks':["
    "{'taskKey':'load','type':'PYTHON_TASK','filePath':'l.py'},"
    "{'taskKey':'decide','type':'IF_ELSE_TASK','dependsOn':[{'taskKey':'load'}],'condition':'A',"
    "'expressions':[{'key':'A','value':'{{job.parameters.size}} > {{tasks.load.values.limit}}'}]},"
    "{'taskKey':'big','type':'PYTHON_TASK','filePath':'b.py',"
    "'dependsOn':[{'taskKey':'decide','outcome':'true'}]},"
    "{'taskKey':'bigger','type':'PYTHON_TASK','filePath':'b.py','dependsOn':[{'taskKey':'big'}]},"
    "{'taskKey':'small','type':'PYTHON_TASK','filePath':'s.py',"
    "'dependsOn':[{'taskKey':'decide','outcome':'false'}]}]}";

static void a_branch_that_a_kept_decision_closes(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(world, branches);
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "load", 0, "limit=5\n");
    world_exit(world, &run, "small", 1);
    struct repair_plan plan = plan_of(world, &run, "big", NULL);
    assert_false(planned(&plan, "big")->will_start);
    assert_string_equal(
        planned(&plan, "big")->reason,
        "Will not start: decide stays false, this branch needs true; select it too");
    assert_false(planned(&plan, "bigger")->will_start);
    assert_has(planned(&plan, "bigger")->reason, "big will not start either");
}

static bool both_may_start(struct world *world, const char *value)
{
    const char *text =
        arena_printf(&world->arena,
                     "{'name':'j','path':'/','maxConcurrentRuns':0,'queue':{'isEnabled':true},"
                     "'parameters':[{'name':'at','value':'{{job.start_time.timestamp_ms}}'},"
                     "{'name':'n','value':'5'}],'tasks':["
                     "{'taskKey':'d','type':'IF_ELSE_TASK','condition':'A',"
                     "'expressions':[{'key':'A','value':'%s > 3'}]},"
                     "{'taskKey':'yes','type':'PYTHON_TASK','filePath':'y.py',"
                     "'dependsOn':[{'taskKey':'d','outcome':'true'}]},"
                     "{'taskKey':'no','type':'PYTHON_TASK','filePath':'n.py',"
                     "'dependsOn':[{'taskKey':'d','outcome':'false'}]}]}",
                     value);
    struct uuid job = world_job(world, text);
    struct uuid run = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    struct repair_plan plan = plan_of(world, &run, NULL, NULL);
    return planned(&plan, "yes")->will_start && planned(&plan, "no")->will_start;
}

/* A run that was cancelled in the queue starts when its turn comes, whatever the time is now. */
static void nothing_is_foreseen_by_a_start_that_is_to_come(void **state)
{
    struct world *world = *state;
    assert_true(both_may_start(world, "{{job.start_time.timestamp_ms}}"));
    assert_true(both_may_start(world, "{{job.parameters.at}}"));
}

/* EXCLUDED or UPSTREAM_FAILED, by a decision that is to come: what is below does not start either way. */
static void what_will_not_start_is_known_before_its_state_is(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(
        world,
        "{'name':'j','path':'/','tasks':["
        "{'taskKey':'s','type':'PYTHON_TASK','filePath':'s.py'},"
        "{'taskKey':'k','type':'PYTHON_TASK','filePath':'k.py'},"
        "{'taskKey':'d','type':'IF_ELSE_TASK','condition':'A','dependsOn':[{'taskKey':'s'}],"
        "'expressions':[{'key':'A','value':'{{tasks.s.values.n}} == 1'}]},"
        "{'taskKey':'t1','type':'PYTHON_TASK','filePath':'t.py',"
        "'dependsOn':[{'taskKey':'d','outcome':'true'},{'taskKey':'k'}]},"
        "{'taskKey':'t2','type':'PYTHON_TASK','filePath':'t.py','dependsOn':[{'taskKey':'t1'}]},"
        "{'taskKey':'t3','type':'PYTHON_TASK','filePath':'t.py','runIf':'AT_LEAST_ONE_SUCCESS',"
        "'dependsOn':[{'taskKey':'t2'}]},"
        "{'taskKey':'tell','type':'PYTHON_TASK','filePath':'t.py','runIf':'AT_LEAST_ONE_FAILED',"
        "'dependsOn':[{'taskKey':'t2'}]}]}");
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "s", 0, "n=1\n");
    world_exit(world, &run, "k", 1);
    world_exit(world, &run, "tell", 0);
    struct repair_plan plan = plan_of(world, &run, "s d t1 t2 t3 tell", NULL);
    assert_true(planned(&plan, "d")->will_start);
    assert_false(planned(&plan, "t1")->will_start);
    assert_false(planned(&plan, "t2")->will_start);
    assert_has(planned(&plan, "t2")->reason, "t1 will not start either");
    assert_false(planned(&plan, "t3")->will_start);
    assert_has(planned(&plan, "t3")->reason, "t2 will not start either");
    assert_true(planned(&plan, "tell")->will_start); /* only if it is UPSTREAM_FAILED */
}

static void a_dummy_that_starts_succeeds(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_job(world, "{'name':'j','path':'/','tasks':[{'taskKey':'d','type':'DUMMY_TASK'},"
                         "{'taskKey':'tell','type':'PYTHON_TASK','filePath':'t.py',"
                         "'runIf':'AT_LEAST_ONE_FAILED','dependsOn':[{'taskKey':'d'}]}]}");
    struct uuid run = world_submit(world, &job, NULL);
    struct repair_plan plan = plan_of(world, &run, "d", NULL);
    assert_true(planned(&plan, "d")->will_start);
    assert_false(planned(&plan, "tell")->will_start);
}

/* What decides is known: a kept task published it, the repair gives it. */
static void a_decision_that_will_be_made_is_foreseen(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(world, branches);
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "load", 0, "limit=5\n");
    world_exit(world, &run, "small", 1);
    struct repair_plan plan = plan_of(world, &run, "decide", "size=6");
    assert_true(planned(&plan, "decide")->will_start);
    assert_true(planned(&plan, "big")->will_start);
    assert_true(planned(&plan, "bigger")->will_start);
    assert_false(planned(&plan, "small")->will_start);
    assert_string_equal(planned(&plan, "small")->reason,
                        "Will not start: decide will be true, this branch needs false");
    plan = plan_of(world, &run, "decide", "size=5");
    assert_true(planned(&plan, "small")->will_start);
    assert_false(planned(&plan, "bigger")->will_start);
    plan = plan_of(world, &run, "decide", "size=many");
    assert_false(planned(&plan, "small")->will_start);
    assert_string_equal(planned(&plan, "small")->reason, "Will not start: decide will end FAILED");
    /* The engine says the same, and does it. */
    world_repair(world, &run, "decide", NULL, "size=6");
    world_expect(world, &run,
                 "RUNNING load=SUCCESS decide=SUCCESS big=RUNNING bigger=BLOCKED "
                 "small=EXCLUDED");
    /* What load will publish is not known. */
    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    plan = plan_of(world, &run, NULL, "size=6");
    assert_true(planned(&plan, "small")->will_start);
    assert_true(planned(&plan, "big")->will_start);
}

static void conditions_of_dependencies_are_foreseen(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(
        world,
        "{'name':'j','path':'/','tasks':[{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.py'},"
        "{'taskKey':'z','type':'PYTHON_TASK','filePath':'a.py'},"
        "{'taskKey':'b','type':'PYTHON_TASK','filePath':'b.py','dependsOn':[{'taskKey':'a',"
        "'x-condition':'{{tasks.a.values.rows}} > {{job.parameters.min}}'},{'taskKey':'z'}]},"
        "{'taskKey':'c','type':'PYTHON_TASK','filePath':'c.py','dependsOn':[{'taskKey':'b'}]}]}");
    struct uuid run = world_submit(world, &job, "min=1");
    world_publish(world, &run, "a", 0, "rows=3\n");
    world_exit(world, &run, "z", 1);
    struct repair_plan plan = plan_of(world, &run, "z", "min=4");
    assert_false(planned(&plan, "b")->will_start);
    assert_string_equal(planned(&plan, "b")->reason,
                        "Will not start: the condition of its dependency on a is false");
    assert_false(planned(&plan, "c")->will_start);
    plan = plan_of(world, &run, "z", "min=some");
    assert_false(planned(&plan, "b")->will_start);
    assert_has(planned(&plan, "b")->reason, "some");
    plan = plan_of(world, &run, "z", "min=2");
    assert_true(planned(&plan, "b")->will_start);
    assert_true(planned(&plan, "c")->will_start);
    /* Without z it cannot start, whatever its condition: EXCLUDED and UPSTREAM_FAILED are both open. */
    plan = plan_of(world, &run, "b", "min=2");
    assert_has(planned(&plan, "b")->reason, "z stays FAILED");
}

static void hazards_are_named(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; ?d: load; save: d=true; note: save; bad: note", "");
    struct uuid run = world_submit(world, &job, "d=1");
    world_exit(world, &run, "load", 0);
    world_exit(world, &run, "save", 0);
    world_exit(world, &run, "note", 0);
    world_exit(world, &run, "bad", 1);
    struct repair_plan plan = plan_of(world, &run, "d", NULL);
    assert_int_equal(planned(&plan, "load")->hazard_count, 0);
    assert_int_equal(planned(&plan, "save")->verdict, PLAN_KEEP);
    assert_int_equal(planned(&plan, "save")->hazard_count, 1);
    assert_has(planned(&plan, "save")->hazards[0], "d ");
    assert_int_equal(planned(&plan, "note")->hazard_count, 1);
    assert_int_equal(planned(&plan, "bad")->verdict, PLAN_REEVALUATE);
    assert_int_equal(planned(&plan, "bad")->hazard_count, 0);
    /* The branch that was not taken is evaluated again, but nothing of it runs. */
    job = world_dag(world, "a; ?d: a; yes: d=true a; no: d=false a; end: yes no @NONE_FAILED", "");
    struct uuid other = world_submit(world, &job, "d=1");
    world_exit(world, &other, "a", 0);
    world_exit(world, &other, "yes", 0);
    world_exit(world, &other, "end", 0);
    plan = plan_of(world, &other, "a", NULL);
    assert_false(planned(&plan, "no")->will_start);
    assert_int_equal(planned(&plan, "end")->hazard_count, 2);
    assert_has(planned(&plan, "end")->hazards[1], "no is evaluated again; should it start");
    plan = plan_of(world, &run, NULL, NULL);
    assert_int_equal(plan.run_count, 1);
    assert_int_equal(plan.keep_count, 4);
}

static void parameters_that_change(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "a", "'parameters':[{'name':'p','value':'job'},{'name':'q','value':'job'}]");
    struct uuid run = world_submit(world, &job, "q=run r=run");
    world_exit(world, &run, "a", 1);
    struct repair_plan plan = plan_of(world, &run, NULL, "p=new q=run r=new s=new");
    assert_int_equal(plan.parameters.count, 3); /* q stays as it is */
    static const char *const expected[][3] = {
        {"p", "job", "new"}, {"r", "run", "new"}, {"s", NULL, "new"}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(plan.parameters.items[i].name, expected[i][0]);
        assert_string_equal(plan.parameters.items[i].new_value, expected[i][2]);
        if (expected[i][1])
            assert_string_equal(plan.parameters.items[i].old_value, expected[i][1]);
        else
            assert_null(plan.parameters.items[i].old_value);
    }
}

/* Given as before, and yet not the same: what their references stand for has changed. */
static void parameters_that_change_by_what_they_refer_to(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world, "a",
        "'parameters':[{'name':'x','value':'<{{job.parameters.o}}>'},{'name':'o','value':'old'},"
        "{'name':'n','value':'{{job.repair_count}}'},{'name':'same','value':'{{job.name}}'},"
        "{'name':'w','value':'{{workspace.id}}'}]");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    struct repair_plan plan = plan_of(world, &run, NULL, "o=new");
    static const char *const expected[][3] = {
        {"o", "old", "new"}, {"x", "<old>", "<new>"}, {"n", "0", "1"}};
    assert_int_equal(plan.parameters.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(plan.parameters.items[i].name, expected[i][0]);
        assert_string_equal(plan.parameters.items[i].old_value, expected[i][1]);
        assert_string_equal(plan.parameters.items[i].new_value, expected[i][2]);
    }
}

static void what_cannot_be_planned(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct repair_plan plan = {0};
    struct err err;
    assert_int_equal(preview(world, &run, NULL, NULL, &plan, &err), ERR_INCORRECT_STATE);
    world_exit(world, &run, "a", 0);
    assert_int_equal(preview(world, &run, NULL, NULL, &plan, &err), ERR_INCORRECT_STATE);
    assert_int_equal(preview(world, &run, "zebra", NULL, &plan, &err), ERR_INVALID_PARAMETER);
    assert_has(err.message, "zebra");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_task_that_cannot_start_says_why),
        WORLD_TEST(the_right_dependency_is_named),
        WORLD_TEST(a_branch_that_a_kept_decision_closes),
        WORLD_TEST(nothing_is_foreseen_by_a_start_that_is_to_come),
        WORLD_TEST(a_decision_that_will_be_made_is_foreseen),
        WORLD_TEST(what_will_not_start_is_known_before_its_state_is),
        WORLD_TEST(a_dummy_that_starts_succeeds),
        WORLD_TEST(conditions_of_dependencies_are_foreseen),
        WORLD_TEST(hazards_are_named),
        WORLD_TEST(parameters_that_change),
        WORLD_TEST(parameters_that_change_by_what_they_refer_to),
        WORLD_TEST(what_cannot_be_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
