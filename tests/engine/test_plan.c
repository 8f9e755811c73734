/* RULES §8.3: what planRepair shows: verdicts, whether a task will start, reasons, hazards. */
#include "engine/harness.h"

static void a_task_that_cannot_start_says_why(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; merge: load; end: merge", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    struct repair_plan plan = world_plan(world, &run, "merge", NULL);
    assert_int_equal(plan_task_of(&plan, "load")->verdict, PLAN_KEEP);
    assert_int_equal(plan_task_of(&plan, "merge")->verdict, PLAN_RUN);
    assert_int_equal(plan_task_of(&plan, "end")->verdict, PLAN_REEVALUATE);
    assert_false(plan_task_of(&plan, "merge")->will_start);
    assert_has(plan_task_of(&plan, "merge")->reason, "load stays FAILED; select it too");
    assert_false(plan_task_of(&plan, "end")->will_start);
    assert_has(plan_task_of(&plan, "end")->reason, "merge");
    plan = world_plan(world, &run, NULL, NULL);
    assert_true(plan_task_of(&plan, "load")->will_start);
    assert_true(plan_task_of(&plan, "end")->will_start);
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
    struct repair_plan plan = world_plan(world, &run, "tell", NULL);
    assert_false(plan_task_of(&plan, "tell")->will_start);
    assert_has(plan_task_of(&plan, "tell")->reason, "good stays SUCCESS");
    plan = world_plan(world, &run, "warn", NULL);
    assert_has(plan_task_of(&plan, "warn")->reason, "good stays SUCCESS");
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
    struct repair_plan plan = world_plan(world, &run, "big", NULL);
    assert_false(plan_task_of(&plan, "big")->will_start);
    assert_string_equal(
        plan_task_of(&plan, "big")->reason,
        "Will not start: decide stays false, this branch needs true; select it too");
    assert_false(plan_task_of(&plan, "bigger")->will_start);
    assert_has(plan_task_of(&plan, "bigger")->reason, "big will not start either");
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
    struct repair_plan plan = world_plan(world, &run, NULL, NULL);
    return plan_task_of(&plan, "yes")->will_start && plan_task_of(&plan, "no")->will_start;
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
    struct repair_plan plan = world_plan(world, &run, "s d t1 t2 t3 tell", NULL);
    assert_true(plan_task_of(&plan, "d")->will_start);
    assert_false(plan_task_of(&plan, "t1")->will_start);
    assert_false(plan_task_of(&plan, "t2")->will_start);
    assert_has(plan_task_of(&plan, "t2")->reason, "t1 will not start either");
    assert_false(plan_task_of(&plan, "t3")->will_start);
    assert_has(plan_task_of(&plan, "t3")->reason, "t2 will not start either");
    assert_true(plan_task_of(&plan, "tell")->will_start); /* only if it is UPSTREAM_FAILED */
}

static void a_dummy_that_starts_succeeds(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_job(world, "{'name':'j','path':'/','tasks':[{'taskKey':'d','type':'DUMMY_TASK'},"
                         "{'taskKey':'tell','type':'PYTHON_TASK','filePath':'t.py',"
                         "'runIf':'AT_LEAST_ONE_FAILED','dependsOn':[{'taskKey':'d'}]}]}");
    struct uuid run = world_submit(world, &job, NULL);
    struct repair_plan plan = world_plan(world, &run, "d", NULL);
    assert_true(plan_task_of(&plan, "d")->will_start);
    assert_false(plan_task_of(&plan, "tell")->will_start);
}

/* What decides is known: a kept task published it, the repair gives it. */
static void a_decision_that_will_be_made_is_foreseen(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(world, branches);
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "load", 0, "limit=5\n");
    world_exit(world, &run, "small", 1);
    struct repair_plan plan = world_plan(world, &run, "decide", "size=6");
    assert_true(plan_task_of(&plan, "decide")->will_start);
    assert_true(plan_task_of(&plan, "big")->will_start);
    assert_true(plan_task_of(&plan, "bigger")->will_start);
    assert_false(plan_task_of(&plan, "small")->will_start);
    assert_string_equal(plan_task_of(&plan, "small")->reason,
                        "Will not start: decide will be true, this branch needs false");
    plan = world_plan(world, &run, "decide", "size=5");
    assert_true(plan_task_of(&plan, "small")->will_start);
    assert_false(plan_task_of(&plan, "bigger")->will_start);
    plan = world_plan(world, &run, "decide", "size=many");
    assert_false(plan_task_of(&plan, "small")->will_start);
    assert_string_equal(plan_task_of(&plan, "small")->reason,
                        "Will not start: decide will end FAILED");
    /* The engine says the same, and does it. */
    world_repair(world, &run, "decide", NULL, "size=6");
    world_expect(world, &run,
                 "RUNNING load=SUCCESS decide=SUCCESS big=RUNNING bigger=BLOCKED "
                 "small=EXCLUDED");
    /* What load will publish is not known. */
    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 1);
    plan = world_plan(world, &run, NULL, "size=6");
    assert_true(plan_task_of(&plan, "small")->will_start);
    assert_true(plan_task_of(&plan, "big")->will_start);
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
    struct repair_plan plan = world_plan(world, &run, "z", "min=4");
    assert_false(plan_task_of(&plan, "b")->will_start);
    assert_string_equal(plan_task_of(&plan, "b")->reason,
                        "Will not start: the condition of its dependency on a is false");
    assert_false(plan_task_of(&plan, "c")->will_start);
    plan = world_plan(world, &run, "z", "min=some");
    assert_false(plan_task_of(&plan, "b")->will_start);
    assert_has(plan_task_of(&plan, "b")->reason, "some");
    plan = world_plan(world, &run, "z", "min=2");
    assert_true(plan_task_of(&plan, "b")->will_start);
    assert_true(plan_task_of(&plan, "c")->will_start);
    /* Without z it cannot start, whatever its condition: EXCLUDED and UPSTREAM_FAILED are both open. */
    plan = world_plan(world, &run, "b", "min=2");
    assert_has(plan_task_of(&plan, "b")->reason, "z stays FAILED");
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
    struct repair_plan plan = world_plan(world, &run, "d", NULL);
    assert_int_equal(plan_task_of(&plan, "load")->hazard_count, 0);
    assert_int_equal(plan_task_of(&plan, "save")->verdict, PLAN_KEEP);
    assert_int_equal(plan_task_of(&plan, "save")->hazard_count, 1);
    assert_has(plan_task_of(&plan, "save")->hazards[0], "d ");
    assert_int_equal(plan_task_of(&plan, "note")->hazard_count, 1);
    assert_int_equal(plan_task_of(&plan, "bad")->verdict, PLAN_REEVALUATE);
    assert_int_equal(plan_task_of(&plan, "bad")->hazard_count, 0);
    /* The branch that was not taken is evaluated again, but nothing of it runs. */
    job = world_dag(world, "a; ?d: a; yes: d=true a; no: d=false a; end: yes no @NONE_FAILED", "");
    struct uuid other = world_submit(world, &job, "d=1");
    world_exit(world, &other, "a", 0);
    world_exit(world, &other, "yes", 0);
    world_exit(world, &other, "end", 0);
    plan = world_plan(world, &other, "a", NULL);
    assert_false(plan_task_of(&plan, "no")->will_start);
    assert_int_equal(plan_task_of(&plan, "end")->hazard_count, 2);
    assert_has(plan_task_of(&plan, "end")->hazards[1], "no is evaluated again; should it start");
    plan = world_plan(world, &run, NULL, NULL);
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
    struct repair_plan plan = world_plan(world, &run, NULL, "p=new q=run r=new s=new");
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
    struct repair_plan plan = world_plan(world, &run, NULL, "o=new");
    static const char *const expected[][3] = {
        {"o", "old", "new"}, {"x", "<old>", "<new>"}, {"n", "0", "1"}};
    assert_int_equal(plan.parameters.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(plan.parameters.items[i].name, expected[i][0]);
        assert_string_equal(plan.parameters.items[i].old_value, expected[i][1]);
        assert_string_equal(plan.parameters.items[i].new_value, expected[i][2]);
    }
}

static enum err_code preview(struct world *world, const struct uuid *run, const char *keys,
                             struct err *err)
{
    struct repair_request request = world_repair_request(world, NULL, keys, NULL, NULL);
    struct repair_plan plan;
    return world_preview(world, run, &request, &world->arena, &plan, err);
}

static void what_cannot_be_planned(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct err err;
    assert_int_equal(preview(world, &run, NULL, &err), ERR_INCORRECT_STATE);
    world_exit(world, &run, "a", 0);
    assert_int_equal(preview(world, &run, NULL, &err), ERR_INCORRECT_STATE);
    assert_int_equal(preview(world, &run, "zebra", &err), ERR_INVALID_PARAMETER);
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
