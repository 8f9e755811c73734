/* model/def_problems: everything that is wrong with a definition, not the first thing alone. */
#include "unit/def_bodies.h"

#include "base/json.h"
#include "base/mem.h"

static struct def_problems problems_of(const char *body, bool strict, struct arena *arena)
{
    struct err err;
    const char *text = arena_printf(arena, "{\"name\":\"j\",%s}", body);
    json_t *json = json_parse(text, strlen(text), &err);
    assert_non_null(json);
    struct job_def *def;
    struct def_problems problems = job_def_problems(json, strict, arena, &def);
    assert_int_equal(def != NULL, problems.count == 0);
    job_def_unref(def);
    json_decref(json);
    return problems;
}

static void assert_problems(const char *body, const char *const *expected, size_t count)
{
    struct arena arena;
    arena_init(&arena);
    struct def_problems problems = problems_of(body, true, &arena);
    if (problems.count != count)
        for (size_t i = 0; i < problems.count; i++)
            print_error("%s\n", problems.items[i].message);
    assert_int_equal(problems.count, count);
    for (size_t i = 0; i < count; i++)
        if (!strstr(problems.items[i].message, expected[i]))
            fail_msg("\"%s\" lacks \"%s\"", problems.items[i].message, expected[i]);
    /* What saving says is among them. */
    struct job_def *def = NULL;
    struct err err;
    bool found = false;
    assert_int_equal(parse_as(body, true, &def, &err) != ERR_OK, count > 0);
    for (size_t i = 0; i < count; i++)
        found = found || strcmp(problems.items[i].message, err.message) == 0;
    assert_true(found || count == 0);
    job_def_unref(def);
    arena_release(&arena);
}

static void nothing_is_wrong(void **state)
{
    (void)state;
    assert_problems(TASKS(TASK("a", "") "," TASK("b", ON("a"))), NULL, 0);
    assert_problems("\"tasks\":[]", NULL, 0);
}

static void fields_of_the_job_and_of_each_task(void **state)
{
    (void)state;
    static const char *const expected[] = {"maxConcurrentRuns",
                                           "tasks[0].maxRetries",
                                           "tasks[1].filePath is required",
                                           "tasks[2].colour",
                                           "tasks[3]",
                                           "tasks[4].type"};
    assert_problems(
        "\"maxConcurrentRuns\":-1," TASKS(TASK(
            "a",
            ",\"maxRetries\":301") ","
                                   "{\"taskKey\":\"b\",\"type\":\"PYTHON_TASK\"}"
                                   "," TASK(
                                       "c",
                                       ",\"colour\":1") ",7,"
                                                        "{\"taskKey\":\"d\",\"type\":\"NO_TASK\"}"),
        expected, ARRAY_LEN(expected));
}

static void dependencies(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "tasks[0].dependsOn[0].taskKey \"x\" names no task",
        "tasks[2].dependsOn[0].taskKey \"c\" names the task itself"};
    assert_problems(TASKS(TASK("a", ON("x")) "," TASK("b", ON("a")) "," TASK("c", ON("c"))),
                    expected, 2);
    static const char *const cycle[] = {"is a cycle of 2 tasks"};
    assert_problems(TASKS(TASK("a", ON("b")) "," TASK("b", ON("a"))), cycle, 1);
    static const char *const twice[] = {"is the key of tasks[0] already"};
    assert_problems(TASKS(TASK("a", "") "," TASK("a", "")), twice, 1);
}

static void texts(void **state)
{
    (void)state;
    static const char *const expected[] = {"parameters[0].name", "tasks[0].commandLineArguments",
                                           "tasks[2].commandLineArguments"};
    assert_problems("\"parameters\":[{\"name\":\"a b\"}]," TASKS(
                        TASK("a", ",\"commandLineArguments\":\"'\"") "," TASK("b", "") "," TASK(
                            "c", ",\"commandLineArguments\":\"{{job.nothing}}\"")),
                    expected, 3);
    assert_problems(TASKS(TASK("a", ",\"commandLineArguments\":\"'\"") "," TASK("b", "") "," TASK(
                        "c", ",\"commandLineArguments\":\"{{job.nothing}}\"")),
                    expected + 1, 2);
    static const char *const upstream[] = {"does not name a task upstream"};
    assert_problems(
        TASKS(TASK("a", "") "," TASK("b", ",\"commandLineArguments\":\"{{tasks.a.run_id}}\"")),
        upstream, 1);
}

/* What only follows from a part that cannot be read is not told. */
static void what_follows_from_another_mistake(void **state)
{
    (void)state;
    static const char *const file[] = {"tasks[0].filePath must be a string"};
    assert_problems("\"tasks\":[{\"taskKey\":\"a\",\"type\":\"SHELL_TASK\",\"filePath\":5}]", file,
                    1);
    static const char *const url[] = {"gitConfig.repositoryUrl must be a string"};
    assert_problems("\"gitConfig\":{\"repositoryUrl\":5},\"tasks\":[{\"taskKey\":\"a\",\"type\":"
                    "\"PYTHON_TASK\",\"filePath\":\"x.py\",\"source\":\"GIT_PROVIDER\"}]",
                    url, 1);
}

/* What a first try at a file may hold, told in one go; what depends on a part that is wrong is left out. */
static void one_round_is_enough(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "parameters[0].name",
        "timeoutSeconds must be from 0",
        "tasks[0].type must be one of",
        "tasks[2].runIf must be one of",
        "tasks[3].maxRetries must be an integer",
        "tasks[3].timeoutSeconds must be from 0",
        "tasks[5].dependsOn[1].outcome must be a string",
        "tasks[5].filePath is required",
        "tasks[6].taskKey is required",
        "tasks[2].taskKey \"b\" is the key of tasks[1] already",
        "tasks[1].dependsOn[0].taskKey \"nobody\" names no task",
        "tasks[1].dependsOn[2].taskKey \"b\" names the task itself",
        "tasks[7].dependsOn: x -> y -> x is a cycle",
        "tasks[3].filePath",
        "tasks[4] must have either script or filePath",
        "tasks[4].commandLineArguments must have balanced quotes",
    };
    assert_problems(
        "\"timeoutSeconds\":-1,\"parameters\":[{\"name\":\"a b\"}],\"tasks\":["
        "{\"taskKey\":\"a\",\"type\":\"PYTHN_TASK\",\"colour\":1},"
        "{\"taskKey\":\"b\",\"type\":\"DUMMY_TASK\",\"dependsOn\":[{\"taskKey\":\"nobody\"},"
        "{\"taskKey\":\"a\",\"outcome\":\"true\"},{\"taskKey\":\"b\"}]},"
        "{\"taskKey\":\"b\",\"type\":\"DUMMY_TASK\",\"runIf\":\"ALWAYS\"},"
        "{\"taskKey\":\"c\",\"type\":\"PYTHON_TASK\",\"filePath\":\"../x.py\",\"maxRetries\":\"3\","
        "\"timeoutSeconds\":-5},"
        "{\"taskKey\":\"d\",\"type\":\"SHELL_TASK\",\"commandLineArguments\":\"'\"},"
        "{\"taskKey\":\"e\",\"type\":\"PYTHON_TASK\",\"dependsOn\":[{\"taskKey\":\"d\"},"
        "{\"taskKey\":\"c\",\"outcome\":true}]},"
        "{\"type\":\"DUMMY_TASK\"},"
        "{\"taskKey\":\"x\",\"type\":\"DUMMY_TASK\",\"dependsOn\":[{\"taskKey\":\"y\"}]},"
        "{\"taskKey\":\"y\",\"type\":\"DUMMY_TASK\",\"dependsOn\":[{\"taskKey\":\"x\"}]}]",
        expected, ARRAY_LEN(expected));
}

/* Fields that are ignored are no problem, and told: with the name that may have been meant. */
static void unknown_fields(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "schedule.cron_expression is not a field of Schedule; did you mean quartzCronExpression?",
        "max_concurrent_runs is not a field of CreateJobDetails; did you mean maxConcurrentRuns?",
        "tasks[0].retries is not a field of Task; did you mean maxRetries?",
        "tasks[0].email_notifications is not a field of Task",
        "tasks[0].depends_on is not a field of Task; did you mean dependsOn?",
    };
    static const char body[] =
        "\"max_concurrent_runs\":2,\"schedule\":{\"quartzCronExpression\":\"0 0 3 * * ?\",\"timezoneId\":"
        "\"UTC\",\"cron_expression\":\"\"}," TASKS(
            TASK("a", ",\"retries\":1,\"email_notifications\":{},\"depends_on\":[]"));
    struct arena arena;
    arena_init(&arena);
    struct def_problems problems = problems_of(body, false, &arena);
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.unknown_count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(problems.unknown[i].message, expected[i]);
    problems = problems_of(body, true, &arena);
    assert_int_equal(problems.count, ARRAY_LEN(expected));
    assert_int_equal(problems.unknown_count, 0);
    arena_release(&arena);
}

static void there_is_an_end_to_it(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct arena arena;
    struct buf body;
    arena_init(&arena);
    buf_init(&body, 1 << 20);
    BUF_LIT(&body, "\"tasks\":[");
    for (int i = 0; i < MANY; i++)
        buf_printf(&body, "%s{\"taskKey\":\"t%d\",\"type\":\"PYTHON_TASK\"}", i ? "," : "", i);
    buf_putc(&body, ']');
    assert_int_equal(problems_of(body.data, false, &arena).count, DEF_MAX_PROBLEMS);
    buf_release(&body);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong),
        cmocka_unit_test(fields_of_the_job_and_of_each_task),
        cmocka_unit_test(dependencies),
        cmocka_unit_test(texts),
        cmocka_unit_test(what_follows_from_another_mistake),
        cmocka_unit_test(one_round_is_enough),
        cmocka_unit_test(unknown_fields),
        cmocka_unit_test(there_is_an_end_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
