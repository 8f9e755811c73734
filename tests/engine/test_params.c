/* RULES §5: layers of parameters, and references in what a task starts with. */
#include <stdio.h>

#include "engine/harness.h"

static const char *given(const struct world *world, const char *name)
{
    const struct param_list *params = &world->last_start.params;
    const struct param *param = params_find(params->items, params->count, name);
    return param ? param->value : "(none)";
}

static const char *arg(const struct world *world, size_t i)
{
    return i < world->last_start.arg_count ? world->last_start.args[i] : "(none)";
}

static void job_then_task_then_run_then_repairs(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a: {'parameters':[{'name':'b','value':'task'},{'name':'c','value':'task'},"
                  "{'name':'d','value':'task'},{'name':'only','value':'task'}]}",
                  "'parameters':[{'name':'a','value':'job'},{'name':'b','value':'job'},"
                  "{'name':'c','value':'job'},{'name':'d','value':'job'},{'name':'empty'}]");
    struct uuid run = world_submit(world, &job, "c=run d=run new=run");
    assert_string_equal(given(world, "a"), "job");
    assert_string_equal(given(world, "b"), "task");
    assert_string_equal(given(world, "c"), "run");
    assert_string_equal(given(world, "d"), "run");
    assert_string_equal(given(world, "only"), "task");
    assert_string_equal(given(world, "new"), "run"); /* undeclared names are allowed */
    assert_string_equal(given(world, "empty"), "");
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, NULL, NULL, "d=repair1 e=repair1");
    assert_string_equal(given(world, "b"), "task");
    assert_string_equal(given(world, "c"), "run"); /* inherited */
    assert_string_equal(given(world, "d"), "repair1");
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, NULL, NULL, "e=repair2 b=repair2");
    assert_string_equal(given(world, "b"), "repair2");
    assert_string_equal(given(world, "d"), "repair1");
    assert_string_equal(given(world, "e"), "repair2");
    world_exit(world, &run, "a", 0);
    /* What it started with is shown: the same list. */
    assert_has(world_task(world, &run, "a")->row.parameters,
               "{\"name\":\"e\",\"value\":\"repair2\"}");
}

/* What the engine decides starts as well: with parameters, or not at all. */
static void decided_tasks_have_parameters(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(
        world, "{'name':'j','path':'/','parameters':[{'name':'n','value':'job'}],'tasks':["
               "{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.py'},"
               "{'taskKey':'i','type':'IF_ELSE_TASK','dependsOn':[{'taskKey':'a'}],'condition':'e',"
               "'expressions':[{'key':'e','value':'1 == 1'}],"
               "'parameters':[{'name':'t','value':'{{tasks.a.values.k}}'}]},"
               "{'taskKey':'d','type':'DUMMY_TASK','dependsOn':[{'taskKey':'a'}]}]}");
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 0, "k=7\n");
    assert_string_equal(world_task(world, &run, "i")->row.parameters,
                        "[{\"name\":\"n\",\"value\":\"job\"},{\"name\":\"t\",\"value\":\"7\"}]");
    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 0); /* it has published nothing */
    assert_int_equal(world_task(world, &run, "i")->row.state, STATE_INTERNAL_ERROR);
    assert_has(world_task(world, &run, "i")->row.message, "{{tasks.a.values.k}}");
    assert_int_equal(world_task(world, &run, "d")->row.state, STATE_SUCCESS);
}

static void what_is_shown_as_unified(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a: {'parameters':[{'name':'t','value':'1'}]}",
                  "'parameters':[{'name':'n','value':'{{job.name}}'},{'name':'x','value':'1'}]");
    struct uuid run = world_submit(world, &job, "x=2");
    assert_string_equal(world_newest_repair(world, &run)->unified,
                        "[{\"name\":\"n\",\"value\":\"j\"},{\"name\":\"x\",\"value\":\"2\"}]");
    assert_string_equal(world_newest_repair(world, &run)->parameters,
                        "[{\"name\":\"x\",\"value\":\"2\"}]");
    world_exit(world, &run, "a", 0);
}

static void references_in_arguments(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a; b: a {'commandLineArguments':'{{job.name}} --x={{job.parameters.x.y}} "
                  "{{tasks.a.result_state}} {{tasks.a.execution_count}} {{task.name}} "
                  "{{job.trigger.type}} {{workspace.id}} {{hub.region}} {{odd} {{other.thing}}'}",
                  "");
    struct uuid run = world_submit(world, &job, "x.y=two words {{job.name}}");
    world_exit(world, &run, "a", 0);
    char workspace[UUID_TEXT];
    uuid_format(&world->config.workspace.key, workspace);
    assert_string_equal(arg(world, 0), "j");
    /* One value never becomes two arguments. A reference in a parameter was put in as the parameter
     * was resolved; nothing is expanded twice. */
    assert_string_equal(arg(world, 1), "--x=two words j");
    assert_string_equal(arg(world, 2), "success");
    assert_string_equal(arg(world, 3), "1");
    assert_string_equal(arg(world, 4), "b");
    assert_string_equal(arg(world, 5), "one_time");
    assert_string_equal(arg(world, 6), workspace);
    assert_string_equal(arg(world, 7), "earth-1");
    assert_string_equal(arg(world, 8), "{{odd}");
    assert_string_equal(arg(world, 9), "{{other.thing}}");
    world_exit(world, &run, "b", 0);
}

/* Split first: a reference is what stands in the text, not what the words have once quotes and backslashes are gone. */
static void braces_that_are_quoted_are_text(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a: {'commandLineArguments':'\\\\{{job.name}} x\\\"{\\\"{job.name}} "
                  "\\\"{{job.name}} y\\\" {\\\\{tasks.nope.values.x}} <{{job.name}}>{{job.name}}'}",
                  "");
    struct uuid run = world_submit(world, &job, NULL);
    assert_string_equal(arg(world, 0), "{{job.name}}");
    assert_string_equal(arg(world, 1), "x{{job.name}}");
    assert_string_equal(arg(world, 2), "j y");
    assert_string_equal(arg(world, 3), "{{tasks.nope.values.x}}");
    assert_string_equal(arg(world, 4), "<j>j");
    world_exit(world, &run, "a", 0);
}

static void ids_of_runs_and_task_runs(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a; b: a {'commandLineArguments':'{{job.id}} {{job.run_id}} {{task.run_id}} "
                  "{{tasks.a.run_id}} {{job.repair_count}}'}",
                  "");
    struct uuid run = world_submit(world, &job, NULL);
    char key[UUID_TEXT];
    for (int repair = 0; repair < 2; repair++) {
        if (repair == 0)
            world_exit(world, &run, "a", 0);
        else
            world_repair(world, &run, NULL, NULL, NULL);
        assert_string_equal(arg(world, 0), uuid_format(&job, key));
        assert_string_equal(arg(world, 1), uuid_format(&run, key));
        assert_string_equal(arg(world, 2),
                            uuid_format(&world_task(world, &run, "b")->row.key, key));
        assert_string_equal(arg(world, 3),
                            uuid_format(&world_task(world, &run, "a")->row.key, key));
        assert_string_equal(arg(world, 4), repair ? "1" : "0");
        world_exit(world, &run, "b", !repair);
    }
}

static void results_of_upstream_tasks(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "f; t; i; x: f @ALL_SUCCESS; "
                  "end: f t i x @ALL_DONE {'commandLineArguments':'{{tasks.f.result_state}} "
                  "{{tasks.t.result_state}} {{tasks.i.result_state}} {{tasks.x.result_state}} "
                  "[{{tasks.f.error_code}}] [{{tasks.x.execution_count}}]'}",
                  "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "f", 1);
    world_ends(world, &run, "t", CAUSE_TIMED_OUT);
    world_ends(world, &run, "i", CAUSE_EXEC_FAILED);
    assert_string_equal(arg(world, 0), "failed");
    assert_string_equal(arg(world, 1), "timedout");
    assert_string_equal(arg(world, 2), "internal_error");
    assert_string_equal(arg(world, 3), "upstream_failed");
    assert_true(strlen(arg(world, 4)) > 2);
    assert_string_equal(arg(world, 5), "[0]");
    world_exit(world, &run, "end", 0);
}

static void an_unknown_reference_ends_the_task_and_is_not_retried(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(
        world,
        "a: {'maxRetries':5,'commandLineArguments':'{{job.parameters.missing}}'}; b: a @ALL_DONE",
        "");
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=INTERNAL_ERROR b=RUNNING");
    assert_has(world_task(world, &run, "a")->row.message, "job.parameters.missing");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 0);
    assert_int_equal(world_task(world, &run, "a")->row.start_ms, FIELD_NULL);
    world_exit(world, &run, "b", 1);
    /* Given by a repair, it runs. */
    world_repair(world, &run, NULL, NULL, "missing=here");
    assert_string_equal(arg(world, 0), "here");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
}

static void unknown_names_that_can_be_known_are_refused(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct run_request request = {.queue_enabled = FIELD_UNSET};
    request.parameters = world_params(world, "x={{job.nonsense}}");
    assert_answer(world_try_submit(world, &job, &request), ERR_INVALID_PARAMETER, "job.nonsense");
    request.parameters = world_params(world, "a.b=1 a_b=2");
    assert_answer(world_try_submit(world, &job, &request), ERR_INVALID_PARAMETER, "a");
    /* A refused run leaves nothing behind, not even a number. */
    struct uuid run = world_submit(world, &job, "a.b=1");
    assert_int_equal(world_run(world, &run)->number, 1);
    world_exit(world, &run, "a", 1);
    assert_answer(world_try_repair(world, &run, NULL, NULL, "a_b=2"), ERR_INVALID_PARAMETER, "a_b");
    assert_answer(world_try_repair(world, &run, NULL, NULL, "x={{job.nonsense}}"),
                  ERR_INVALID_PARAMETER, "job.nonsense");
    world_repair(world, &run, NULL, NULL, "a.b=2");
    assert_string_equal(given(world, "a.b"), "2");
    world_exit(world, &run, "a", 0);
}

/* ---- start_time ---- */

static const char *ms_text(int64_t ms)
{
    static char text[32];
    snprintf(text, sizeof text, "%lld", (long long)ms);
    return text;
}

static void start_time_is_the_originals_under_repair(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a: {'commandLineArguments':'{{job.start_time.timestamp_ms}} "
                                "{{job.start_time.iso_date}} {{job.start_time.hour}}'}",
                                "");
    int64_t start = world->now_ms;
    struct uuid run = world_submit(world, &job, NULL);
    assert_string_equal(arg(world, 0), ms_text(start));
    assert_string_equal(arg(world, 1), "2026-01-01");
    world_advance(world, 90000000);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, NULL, NULL, NULL);
    assert_string_equal(arg(world, 0), ms_text(start));
    world_exit(world, &run, "a", 0);
}

/* A run that queued starts when its first task does, whatever that task is. */
static void start_time_of_a_run_that_queued(void **state)
{
    struct world *world = *state;
    static const char *const first[] = {"a", "?a"};
    for (int i = 0; i < 2; i++) {
        const char *tasks = arena_printf(
            &world->arena, "%s; b: a {'commandLineArguments':'{{job.parameters.when}}'}", first[i]);
        struct uuid job = world_dag(world, tasks,
                                    "'queue':{'isEnabled':true},'parameters':[{'name':'when',"
                                    "'value':'{{job.start_time.timestamp_ms}}'}]");
        struct uuid holder = world_submit(world, &job, "a=1");
        struct uuid run = world_submit(world, &job, "a=1");
        world_advance(world, 3600000);
        int64_t start = world->now_ms;
        world_all_succeed(world);
        world_expect(world, &holder, "SUCCESS a=SUCCESS b=SUCCESS");
        world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
        assert_int_equal(world_run(world, &run)->start_ms, start);
        assert_string_equal(arg(world, 0), ms_text(start));
        assert_has(world_newest_repair(world, &run)->unified, ms_text(start));
    }
}

static void every_attempt_counts_as_an_execution(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a: {'maxRetries':3,'commandLineArguments':'{{task.execution_count}}'}; "
                  "b: a {'commandLineArguments':'{{tasks.a.execution_count}}'}",
                  "");
    struct uuid run = world_submit(world, &job, NULL);
    assert_string_equal(arg(world, 0), "1");
    world_exit(world, &run, "a", 1);
    world_lost(world, &run, "a");
    assert_string_equal(arg(world, 0), "3");
    world_exit(world, &run, "a", 0);
    assert_string_equal(arg(world, 0), "3");
    world_exit(world, &run, "b", 1);
    world_repair(world, &run, "a b", NULL, NULL);
    assert_string_equal(arg(world, 0), "4");
    world_exit(world, &run, "a", 0);
    assert_string_equal(arg(world, 0), "4");
    world_exit(world, &run, "b", 1);
    world_repair(world, &run, "b", NULL, NULL); /* a is kept */
    assert_string_equal(arg(world, 0), "4");
    world_exit(world, &run, "b", 0);
}

/* ---- values ---- */

static void values_reach_the_tasks_behind(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(
        world,
        "{'name':'j','path':'/','tasks':[{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.py'},"
        "{'taskKey':'b','type':'IF_ELSE_TASK','dependsOn':[{'taskKey':'a'}],'condition':'k',"
        "'expressions':[{'key':'k','value':'{{tasks.a.values.rows}} > 10'}]},"
        "{'taskKey':'c','type':'PYTHON_TASK','filePath':'c.py',"
        "'dependsOn':[{'taskKey':'b','outcome':'true'}],"
        "'commandLineArguments':'{{tasks.a.values.`odd key`}}'}]}");
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 0, "rows=12\nodd key=two words\n");
    world_expect(world, &run, "RUNNING a=SUCCESS b=SUCCESS c=RUNNING");
    assert_string_equal(arg(world, 0), "two words");
    world_crash(world);
    world_exit(world, &run, "c", 1);
    /* A kept task's values are there for a repair; they are what it shows. */
    world_repair(world, &run, NULL, NULL, NULL);
    assert_string_equal(arg(world, 0), "two words");
    assert_string_equal(world_task(world, &run, "a")->row.published,
                        "rows=12\nodd key=two words\n");
    world_exit(world, &run, "c", 0);
}

static void values_are_those_of_the_newest_attempt(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world,
                                "a: {'maxRetries':1}; b: a @ALL_DONE "
                                "{'maxRetries':3,'commandLineArguments':'{{tasks.a.values.x}}'}",
                                "");
    struct uuid run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 1, "x=first\ny=1\n");
    world_publish(world, &run, "a", 1, "x=second\n");
    assert_string_equal(arg(world, 0), "second"); /* of a failed task, too */
    assert_string_equal(world_task(world, &run, "a")->row.published, "x=second\n");
    world_exit(world, &run, "b", 0);
    /* Nothing published: an error that names it, and that no retry would mend. */
    run = world_submit(world, &job, NULL);
    world_publish(world, &run, "a", 1, "x=first\n");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "INTERNAL_ERROR a=SUCCESS b=INTERNAL_ERROR");
    assert_has(world_task(world, &run, "b")->row.message, "{{tasks.a.values.x}}");
    assert_int_equal(world_task(world, &run, "b")->row.attempts, 0);
}

static void what_was_not_taken_is_told(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    struct running *one = world_running(world, &run, "a");
    struct attempt_ref ref = one->ref;
    *one = world->running[--world->running_count];
    const struct attempt_outcome outcome = {.cause = CAUSE_EXITED,
                                            .ended_ms = FIELD_NULL,
                                            .unpublished = "it has 70000 bytes, more than 65536"};
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
    assert_string_equal(world_task(world, &run, "a")->row.message,
                        "Succeeded; not all of REPRISE_OUTPUT was taken: it has 70000 bytes, more "
                        "than 65536");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(job_then_task_then_run_then_repairs),
        WORLD_TEST(decided_tasks_have_parameters),
        WORLD_TEST(what_is_shown_as_unified),
        WORLD_TEST(references_in_arguments),
        WORLD_TEST(braces_that_are_quoted_are_text),
        WORLD_TEST(ids_of_runs_and_task_runs),
        WORLD_TEST(results_of_upstream_tasks),
        WORLD_TEST(an_unknown_reference_ends_the_task_and_is_not_retried),
        WORLD_TEST(unknown_names_that_can_be_known_are_refused),
        WORLD_TEST(start_time_is_the_originals_under_repair),
        WORLD_TEST(start_time_of_a_run_that_queued),
        WORLD_TEST(every_attempt_counts_as_an_execution),
        WORLD_TEST(values_reach_the_tasks_behind),
        WORLD_TEST(values_are_those_of_the_newest_attempt),
        WORLD_TEST(what_was_not_taken_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
