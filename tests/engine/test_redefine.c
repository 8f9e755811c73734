/* RULES §8.7: a repair by another definition: the original one, the current one, any version. */
#include "engine/harness.h"
#include "engine/plan.h"

#define MANY "'maxConcurrentRuns':9"

static void update(struct world *world, const struct uuid *job, const char *tasks, const char *more)
{
    const char *json = world_dag_json(world, tasks, more);
    assert_answer(world_update_job(world, job, json, NULL), ERR_OK, "");
}

static void the_current_definition(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "load; clean: load; old: clean", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "load", 0);
    world_exit(world, &run, "clean", 1);
    update(world, &job, "load: {'maxRetries':1}; check: load; clean: load check; new: clean", MANY);
    struct uuid load = world_task(world, &run, "load")->row.key;
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    /* `load` stays as it was although it was edited, `old` has left, the new ones are planned. */
    world_expect(world, &run, "RUNNING load=SUCCESS check=RUNNING clean=BLOCKED new=BLOCKED");
    assert_true(uuid_equal(&world_task(world, &run, "load")->row.key, &load));
    assert_int_equal(world_task(world, &run, "load")->row.definition_version, 1);
    assert_int_equal(world_task(world, &run, "clean")->row.definition_version, 2);
    assert_int_equal(world_newest_repair(world, &run)->definition_version, 2);
    assert_string_equal(world_newest_repair(world, &run)->plan, "[\"check\",\"clean\",\"new\"]");
    assert_int_equal(world_run(world, &run)->definition_version, 1); /* the original's */
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS load=SUCCESS check=SUCCESS clean=SUCCESS new=SUCCESS");
    /* What was removed stays in the history. */
    assert_int_equal(world_task(world, &run, "old")->row.state, STATE_UPSTREAM_FAILED);
}

/* Absent: what the newest attempt used. */
static void the_newest_attempts_definition_goes_on(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    update(world, &job, "a; b: a", MANY);
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    world_exit(world, &run, "a", 1);
    update(world, &job, "a; c: a", MANY);
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_exit(world, &run, "a", 1);
    world_repair_on(world, &run, "1", NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 1);
    world_repair_on(world, &run, "2", NULL, NULL); /* neither the newest nor the run's */
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
}

/* A task that comes back is new: it runs, and its starts are counted on. */
static void a_task_that_comes_back(void **state)
{
    struct world *world = *state;
    const char *counting = "{'commandLineArguments':'{{task.execution_count}}'}";
    const char *both = arena_printf(&world->arena, "a; b %s", counting);
    struct uuid job = world_dag(world, both, MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "b", 0);
    struct uuid first = world_task(world, &run, "b")->row.key;
    update(world, &job, "a", MANY);
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
    world_repair_on(world, &run, "ORIGINAL", "a", NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING");
    assert_false(uuid_equal(&world_task(world, &run, "b")->row.key, &first));
    assert_string_equal(world->last_start.args[0], "2");
    world_all_succeed(world);
    world_repair_on(world, &run, "CURRENT", "a", NULL);
    world_all_succeed(world);
    world_repair_on(world, &run, "1", "a", NULL);
    assert_string_equal(world->last_start.args[0], "3");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
}

/* Nothing of it needs a commit in between: what is kept in memory is enough. */
static void several_repairs_in_one_batch(void **state)
{
    struct world *world = *state;
    const char *counting = "{'commandLineArguments':'{{task.execution_count}}'}";
    const char *both = arena_printf(&world->arena, "a; b: a; c %s", counting);
    struct uuid job = world_dag(world, both, MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "c", 0);
    world_begin(world);
    update(world, &job, "a; b: a", MANY);
    world_repair_on(world, &run, "CURRENT", "b", NULL); /* b cannot start: the run ends at once */
    world_repair_on(world, &run, "ORIGINAL", "b", NULL);
    world_commit(world);
    world_expect(world, &run, "RUNNING a=FAILED b=UPSTREAM_FAILED c=RUNNING");
    assert_string_equal(world->last_start.args[0], "2");
    assert_int_equal(world_run(world, &run)->version, 3);
    world_all_succeed(world);
}

static void what_goes_with_the_definition(void **state)
{
    struct world *world = *state;
    const char *args = "a {'commandLineArguments':'{{job.parameters.p}} {{job.parameters.q}} "
                       "{{job.parameters.r}}'}";
    struct uuid job = world_dag(world, args,
                                MANY ",'parameters':[{'name':'p','value':'old'},"
                                     "{'name':'q','value':'old'},{'name':'r','value':'old'}]");
    struct uuid run = world_submit(world, &job, "q=run r=run");
    world_exit(world, &run, "a", 1);
    update(world, &job, args,
           MANY ",'timeoutSeconds':60,'parameters':[{'name':'p','value':'new'},"
                "{'name':'q','value':'new'},{'name':'r','value':'new'},"
                "{'name':'s','value':'new'}]");
    /* The job's parameters as of now; what the run and the repair were given stays on top. */
    world_repair_on(world, &run, "CURRENT", NULL, "r=repair");
    assert_string_equal(world->last_start.args[0], "new");
    assert_string_equal(world->last_start.args[1], "run");
    assert_string_equal(world->last_start.args[2], "repair");
    assert_has(world_newest_repair(world, &run)->unified, "{\"name\":\"s\",\"value\":\"new\"}");
    /* So does its timeout. */
    world_advance(world, 60000);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "TIMED_OUT a=CANCELED");
    world_repair_on(world, &run, "ORIGINAL", NULL, NULL);
    assert_string_equal(world->last_start.args[0], "old");
    assert_string_equal(world->last_start.args[2], "repair");
    world_advance(world, 60000);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
}

static void refusals(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    assert_answer(world_try_repair_on(world, &run, "7", NULL, NULL, NULL), ERR_INCORRECT_STATE,
                  "RUNNING"); /* state first */
    world_exit(world, &run, "a", 1);
    assert_answer(world_try_repair_on(world, &run, "2", NULL, NULL, NULL), ERR_INVALID_PARAMETER,
                  "no version 2; its versions are 1 to 1");
    update(world, &job, "a; c: a", MANY ",'parameters':[{'name':'x.y','value':''}]");
    assert_answer(world_try_repair_on(world, &run, "CURRENT", "b", NULL, NULL),
                  ERR_INVALID_PARAMETER, "version 2 of the definition has no task b");
    assert_answer(world_try_repair_on(world, &run, "CURRENT", "+b", NULL, NULL),
                  ERR_INVALID_PARAMETER, "repairTasks[0]");
    assert_answer(world_try_repair_on(world, &run, "ORIGINAL", "c", NULL, NULL),
                  ERR_INVALID_PARAMETER, "no task c");
    /* Names that the repair gives are held against the definition that it uses. */
    assert_answer(world_try_repair_on(world, &run, "2", NULL, NULL, "x_y=1"), ERR_INVALID_PARAMETER,
                  "x_y");
    update(world, &job, "", MANY);
    assert_answer(world_try_repair_on(world, &run, "CURRENT", NULL, NULL, NULL),
                  ERR_INVALID_PARAMETER, "version 3 has no tasks");
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
    assert_answer(world_try_repair_on(world, &run, "CURRENT", NULL, NULL, NULL),
                  ERR_INCORRECT_STATE, "deleted");
    assert_int_equal(world_run(world, &run)->version, 1);
    /* Versions are still there, and nothing of what was refused is left. */
    world_repair_on(world, &run, "2", NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING c=BLOCKED");
    world_all_succeed(world);
}

/* The failed ancestor is found by the definition that counts now. */
static void a_culprit_of_another_place(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "x; a; b: a", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "x", 0);
    update(world, &job, "b: a; a; c: b", MANY);
    world_repair_on(world, &run, "CURRENT", "c", NULL);
    world_expect(world, &run, "FAILED b=UPSTREAM_FAILED a=FAILED c=UPSTREAM_FAILED");
    assert_has(world_task(world, &run, "c")->row.message, "upstream task a ended FAILED");
}

/* RULES §2: the nearest, however its dependencies are ordered; also of a run that was loaded. */
static void the_nearest_culprit_is_named(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b; x; d: c x; e: c; f: e d", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_exit(world, &run, "x", 1);
    assert_has(world_message(world, &run, "c"), "upstream task a ended FAILED");
    assert_has(world_message(world, &run, "d"), "upstream task x ended FAILED");
    assert_has(world_message(world, &run, "e"), "upstream task a ended FAILED");
    assert_has(world_message(world, &run, "f"), "upstream task x ended FAILED");
    world_repair(world, &run, "f", NULL, NULL);
    assert_has(world_message(world, &run, "f"), "upstream task x ended FAILED");
}

/* What fails and is ignored has decided nothing either. */
static void a_decision_that_failed_and_was_ignored(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "?d {'x-failPolicy':'IGNORE'}; a: d=true; b: d=false; c", MANY);
    struct uuid run = world_submit(world, &job, "d=abc");
    world_exit(world, &run, "c", 0);
    world_expect(world, &run, "SUCCESS d=FAILED a=EXCLUDED b=EXCLUDED c=SUCCESS");
    assert_has(world_message(world, &run, "a"), "d decided nothing, this branch needs true");
    assert_has(world_message(world, &run, "b"), "d decided nothing, this branch needs false");
}

/* A kept task that has become a decision has decided nothing. */
static void a_decision_that_was_none(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "d; a: d", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "d", 0);
    world_exit(world, &run, "a", 1);
    update(world, &job, "?d; a: d=true", MANY);
    world_repair_on(world, &run, "CURRENT", NULL, "d=1");
    world_expect(world, &run, "SUCCESS d=SUCCESS a=EXCLUDED");
    assert_has(world_task(world, &run, "a")->row.message,
               "d decided nothing, this branch needs true");
    world_repair_on(world, &run, NULL, "d+", NULL);
    world_expect(world, &run, "RUNNING d=SUCCESS a=RUNNING");
    world_all_succeed(world);
}

/* ---- what planRepair says ---- */

static const struct plan_task *preview(struct world *world, const struct uuid *run, int64_t version,
                                       const char *keys, const char *task)
{
    const struct booked_run *booked = book_run(&world->book, run);
    struct run_image image = book_image(booked, &world->arena);
    int64_t newest = image.repairs[image.repair_count - 1].definition_version;
    const struct job_def *def = world_def(world, booked->job, version);
    struct repair_request request = world_repair_request(world, "CURRENT", keys, NULL, NULL);
    struct repair_plan plan;
    struct err err;
    if (plan_preview(&image, world_def(world, booked->job, newest), def, &request, 0, &world->arena,
                     &plan, &err))
        broken("%s", err.message);
    return &plan.tasks[job_def_find(def, task)];
}

static void kept_tasks_that_were_edited_are_told(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c: b; d: c", MANY);
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 0);
    world_exit(world, &run, "d", 1);
    update(world, &job, "a {'commandLineArguments':'x','maxRetries':2}; b; c: b a; d: c; e", MANY);
    const struct plan_task *a = preview(world, &run, 2, NULL, "a");
    assert_int_equal(a->verdict, PLAN_KEEP);
    assert_has(a->reason, "its definition has changed: ");
    assert_has(a->reason, "maxRetries");
    assert_has(a->reason, "commandLineArguments");
    assert_int_equal(a->hazard_count, 1);
    assert_has(preview(world, &run, 2, NULL, "c")->reason, "changed: dependsOn");
    assert_int_equal(preview(world, &run, 2, NULL, "b")->hazard_count, 0);
    const struct plan_task *e = preview(world, &run, 2, NULL, "e");
    assert_int_equal(e->verdict, PLAN_RUN);
    assert_string_equal(e->reason, "It is new in version 2 of the definition");
    assert_has(preview(world, &run, 2, "+d", "c")->reason, "Selected as upstream of d; it is ");
    assert_has(preview(world, &run, 2, "a+", "d")->reason, "Selected as downstream of c; it is ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_current_definition),
        WORLD_TEST(the_newest_attempts_definition_goes_on),
        WORLD_TEST(a_task_that_comes_back),
        WORLD_TEST(several_repairs_in_one_batch),
        WORLD_TEST(what_goes_with_the_definition),
        WORLD_TEST(refusals),
        WORLD_TEST(a_culprit_of_another_place),
        WORLD_TEST(the_nearest_culprit_is_named),
        WORLD_TEST(a_decision_that_failed_and_was_ignored),
        WORLD_TEST(a_decision_that_was_none),
        WORLD_TEST(kept_tasks_that_were_edited_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
