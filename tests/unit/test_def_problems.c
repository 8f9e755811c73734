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
    struct def_problems problems = job_def_problems(json, strict, arena);
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
                    expected, 1); /* the job's own come first */
    assert_problems(TASKS(TASK("a", ",\"commandLineArguments\":\"'\"") "," TASK("b", "") "," TASK(
                        "c", ",\"commandLineArguments\":\"{{job.nothing}}\"")),
                    expected + 1, 2);
    static const char *const upstream[] = {"does not name a task upstream"};
    assert_problems(
        TASKS(TASK("a", "") "," TASK("b", ",\"commandLineArguments\":\"{{tasks.a.run_id}}\"")),
        upstream, 1);
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
        cmocka_unit_test(there_is_an_end_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
