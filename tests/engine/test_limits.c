/* What a client may make grow: short references to long values, long queues, long chains. */
#include "base/buf.h"
#include "engine/harness.h"

enum {
    MANY = 70,
    REFERENCES = 63,
    LONG_BYTES = 64000
}; /* 63 × 64,000 B < 4 MiB, 70 of those > 256 MiB */

/* [{'name':'p0','value':'{{job.parameters.long}}{{…'}, …] */
static const char *greedy_params(struct world *world, const char *quote)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < MANY; i++) {
        buf_printf(&text, "%s{%sname%s:%sp%d%s,%svalue%s:%s", i ? "," : "", quote, quote, quote, i,
                   quote, quote, quote, quote);
        for (int r = 0; r < REFERENCES; r++)
            BUF_LIT(&text, "{{job.parameters.long}}");
        buf_printf(&text, "%s}", quote);
    }
    const char *list = arena_printf(&world->arena, "[%s]", text.data);
    buf_release(&text);
    return list;
}

static const char *long_value(struct world *world)
{
    char *value = arena_alloc(&world->arena, LONG_BYTES + 1);
    memset(value, 1, LONG_BYTES); /* each byte is six in JSON */
    return value;
}

static struct run_request request_with_long_value(struct world *world)
{
    struct param *param = ARENA_NEW(&world->arena, struct param);
    *param = (struct param){"long", long_value(world)};
    return (struct run_request){.queue_enabled = FIELD_UNSET, .parameters = {param, 1}};
}

static void a_task_whose_parameters_explode_is_refused_at_its_start(void **state)
{
    struct world *world = *state;
    const char *tasks = arena_printf(&world->arena,
                                     "a: {'maxRetries':5,'parameters':%s}; b: a @ALL_DONE",
                                     greedy_params(world, "'"));
    struct uuid job = world_dag(world, tasks, "");
    struct run_request request = request_with_long_value(world);
    struct command_result result = world_try_submit(world, &job, &request);
    assert_answer(result, ERR_OK, "");
    world_expect(world, &result.key, "RUNNING a=INTERNAL_ERROR b=RUNNING");
    assert_has(world_task(world, &result.key, "a")->row.message, "more than 32 MiB");
    world_exit(world, &result.key, "b", 0);
}

static void arguments_that_explode_are_refused_too(void **state)
{
    struct world *world = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    BUF_LIT(&text, "a: {'commandLineArguments':'");
    for (int i = 0; i < 600; i++)
        BUF_LIT(&text, "{{job.parameters.long}} ");
    BUF_LIT(&text, "'}; b: a @ALL_DONE");
    struct uuid job = world_dag(world, text.data, "");
    buf_release(&text);
    struct run_request request = request_with_long_value(world);
    struct command_result result = world_try_submit(world, &job, &request);
    world_expect(world, &result.key, "RUNNING a=INTERNAL_ERROR b=RUNNING");
    assert_has(world_task(world, &result.key, "a")->row.message, "commandLineArguments");
    world_exit(world, &result.key, "b", 0);
}

/* The same parameters, and the long one. */
static struct param_list greedy_list(struct world *world)
{
    struct param *params = ARENA_ARRAY(&world->arena, MANY + 1, struct param);
    struct buf value;
    buf_init(&value, 1 << 20);
    for (int r = 0; r < REFERENCES; r++)
        BUF_LIT(&value, "{{job.parameters.long}}");
    for (int i = 0; i < MANY; i++)
        params[i] = (struct param){arena_printf(&world->arena, "p%d", i),
                                   arena_strdup(&world->arena, value.data)};
    buf_release(&value);
    params[MANY] = (struct param){"long", long_value(world)};
    return (struct param_list){params, MANY + 1};
}

static void a_run_whose_parameters_explode_is_refused(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct run_request request = {.queue_enabled = FIELD_UNSET, .parameters = greedy_list(world)};
    assert_answer(world_try_submit(world, &job, &request), ERR_INVALID_PARAMETER,
                  "more than 32 MiB");
}

static void libraries_that_explode_are_refused_too(void **state)
{
    enum { LIBRARIES = 70 };
    struct world *world = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    BUF_LIT(&text, "{'name':'j','path':'/','tasks':[{'taskKey':'a','type':'JAR_TASK','mainClass':"
                   "'x.Y','dependentLibraries':[");
    for (int i = 0; i < LIBRARIES; i++) {
        buf_printf(&text, "%s'", i ? "," : "");
        for (int r = 0; r < REFERENCES; r++)
            BUF_LIT(&text, "{{job.parameters.long}}");
        BUF_LIT(&text, ".jar'");
    }
    BUF_LIT(&text, "]}]}");
    struct uuid job = world_job(world, text.data);
    buf_release(&text);
    struct run_request request = request_with_long_value(world);
    struct command_result result = world_try_submit(world, &job, &request);
    world_expect(world, &result.key, "INTERNAL_ERROR a=INTERNAL_ERROR");
    assert_has(world_task(world, &result.key, "a")->row.message,
               "dependentLibraries are more than 32 MiB");
}

/* A plan is refused as the repair is, before all of it is there. */
static void a_repair_whose_parameters_explode_has_no_plan(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    struct command command = {.kind = COMMAND_RUN_REPAIR, .key = run};
    command.repair = world_repair_request(world, NULL, NULL, NULL, NULL);
    command.repair.parameters = greedy_list(world);
    struct repair_plan plan;
    struct arena arena;
    struct err err;
    arena_init(&arena);
    assert_int_equal(world_preview(world, &run, &command.repair, &arena, &plan, &err),
                     ERR_INVALID_PARAMETER);
    assert_has(err.message, "the parameters are more than 32 MiB");
    assert_true(arena.used < 40 << 20);
    arena_release(&arena);
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER, err.message);
}

/* Whether the parameters of a task are known can be said without having them. */
static void a_plan_does_not_hold_what_tasks_would_get(void **state)
{
    struct world *world = *state;
    const char *tasks = arena_printf(&world->arena,
                                     "a; b: a @ALL_DONE {'parameters':%s}; c: b @ALL_DONE",
                                     greedy_params(world, "'"));
    struct uuid job = world_dag(world, tasks, "");
    struct run_request request = request_with_long_value(world);
    struct command_result result = world_try_submit(world, &job, &request);
    world_exit(world, &result.key, "a", 1);
    world_exit(world, &result.key, "c", 1);
    struct repair_request repair = world_repair_request(world, NULL, "b", NULL, NULL);
    struct repair_plan plan;
    struct arena arena;
    struct err err;
    arena_init(&arena);
    assert_int_equal(world_preview(world, &result.key, &repair, &arena, &plan, &err), ERR_OK);
    assert_true(plan_task_of(&plan, "b")->will_start);
    assert_true(arena.used < 4 << 20);
    arena_release(&arena);
}

static void the_longest_names_are_found(void **state)
{
    struct world *world = *state;
    char *name = arena_alloc(&world->arena, DEF_MAX_NAME + 1);
    memset(name, 'n', DEF_MAX_NAME);
    struct uuid job = world_dag(
        world,
        arena_printf(&world->arena,
                     "a: {'commandLineArguments':'{{job.parameters.%s}} {{job.parameters.z}}'}",
                     name),
        "");
    struct param params[] = {{"y", "0"}, {name, "1"}, {"z", "2"}, {"x", "{{job.parameters.z}}"}};
    struct run_request request = {.queue_enabled = FIELD_UNSET, .parameters = {params, 4}};
    struct command_result result = world_try_submit(world, &job, &request);
    assert_answer(result, ERR_OK, "");
    assert_int_equal(world->last_start.arg_count, 2);
    assert_string_equal(world->last_start.args[0], "1");
    assert_string_equal(world->last_start.args[1], "2");
    assert_string_equal(world->last_start.params.items[3].value, "2");
    world_exit(world, &result.key, "a", 0);
}

/* What a loss is said to be, and what the task had said before, is not thrown away. */
static void a_loss_says_what_exec_found(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    const struct attempt_outcome told = {.message = "Lost: the host was restarted while it ran",
                                         .error_trace = "half a line"};
    for (int i = 0; i < 4; i++) {
        struct attempt_ref ref = world_running(world, &run, "a")->ref;
        world->running_count = 0; /* it is no longer out there */
        world_report(world, ENGINE_LOST, ref, &told);
    }
    world_expect(world, &run, "INTERNAL_ERROR a=INTERNAL_ERROR");
    assert_has(world_task(world, &run, "a")->row.message, "host was restarted");
    assert_has(world_task(world, &run, "a")->row.message, "4 times");
    assert_string_equal(world_task(world, &run, "a")->row.error_trace, "half a line");
    assert_string_equal(world_run(world, &run)->error_trace, "half a line");
}

/* A thousand deadlines of one moment are not one commit. */
static void deadlines_of_one_moment_come_in_parts(void **state)
{
    enum { RUNS = 1000 };
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b; c; d; e; f; g; h; i; j",
                                "'maxConcurrentRuns':0,'queue':{'isEnabled':true}");
    struct uuid runs[RUNS];
    world_begin(world);
    for (size_t i = 0; i < RUNS; i++)
        runs[i] = world_submit(world, &job, NULL);
    world_commit(world);
    int64_t due_ms = engine_next_deadline(world->engine);
    world->now_ms += due_ms - world->mono_ms;
    world->mono_ms = due_ms;
    size_t steps = 0;
    for (; engine_next_deadline(world->engine) <= world->mono_ms; steps++)
        world_report(world, ENGINE_TIMER, (struct attempt_ref){0}, NULL);
    assert_int_equal(steps, 3); /* 11 events a run */
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(world_run(world, &runs[i])->state, STATE_SKIPPED);
}

/* Jobs that nobody needs are let go of and come back; those with runs stay. */
static void many_jobs_come_and_go(void **state)
{
    enum { JOBS = 2500 };
    struct world *world = *state;
    static struct uuid jobs[JOBS];
    struct uuid run = {{0}};
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = world_dag(world, "a", "");
        if (i == 0)
            run = world_submit(world, &jobs[0], NULL);
    }
    assert_true(engine_has_job(world->engine, &jobs[0]));
    assert_false(engine_has_job(world->engine, &jobs[1]));
    assert_true(engine_has_job(world->engine, &jobs[JOBS - 1]));
    struct uuid other = world_submit(world, &jobs[1], NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS");
    world_expect(world, &other, "SUCCESS a=SUCCESS");
}

/* Large definitions are not kept for as many jobs as small ones. Whose runs are here stays. */
static void large_definitions_that_nobody_needs_go(void **state)
{
    enum { JOBS = 40, VALUES = 16 }; /* of 1 MB each */
    struct world *world = *state;
    struct uuid jobs[JOBS];
    struct buf text;
    buf_init(&text, 2 << 20);
    for (int i = 0; i < VALUES; i++)
        buf_printf(&text, "%s{'name':'v%d','value':'%0*d'}", i ? "," : "", i, LONG_BYTES, 0);
    const char *more =
        arena_printf(&world->arena, "'maxConcurrentRuns':9,'parameters':[%s]", text.data);
    buf_release(&text);
    struct uuid run = {0};
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = world_dag(world, "a", more);
        if (i == 0)
            run = world_submit(world, &jobs[0], NULL);
    }
    size_t kept = 0;
    for (size_t i = 0; i < JOBS; i++)
        kept += engine_has_job(world->engine, &jobs[i]);
    assert_true(kept < JOBS - 2);
    assert_true(engine_has_job(world->engine, &jobs[0]));
    world_exit(world, &run, "a", 0);
    run = world_submit(world, &jobs[1], NULL); /* it is had again */
    world_exit(world, &run, "a", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_task_whose_parameters_explode_is_refused_at_its_start),
        WORLD_TEST(arguments_that_explode_are_refused_too),
        WORLD_TEST(a_run_whose_parameters_explode_is_refused),
        WORLD_TEST(libraries_that_explode_are_refused_too),
        WORLD_TEST(a_repair_whose_parameters_explode_has_no_plan),
        WORLD_TEST(a_plan_does_not_hold_what_tasks_would_get),
        WORLD_TEST(the_longest_names_are_found),
        WORLD_TEST(a_loss_says_what_exec_found),
        cmocka_unit_test_setup_teardown(deadlines_of_one_moment_come_in_parts, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(many_jobs_come_and_go, world_setup, world_teardown),
        WORLD_TEST(large_definitions_that_nobody_needs_go),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
