/* model/def_diff and params_diff: what differs between two definitions, and between two lists. */
#include "unit/def_bodies.h"

#include "base/mem.h"
#include "model/def_diff.h"

struct pair {
    struct job_def *from;
    struct job_def *to;
    struct arena arena;
    const struct def_diff *diff;
};

static struct pair pair_of(const char *from, const char *to)
{
    struct pair pair = {.from = parse_good(from), .to = parse_good(to)};
    arena_init(&pair.arena);
    pair.from->version = 3;
    pair.to->version = 5;
    pair.diff = def_diff_make(pair.from, pair.to, &pair.arena);
    return pair;
}

static void pair_release(struct pair *pair)
{
    job_def_unref(pair->from);
    job_def_unref(pair->to);
    arena_release(&pair->arena);
}

static void nothing_differs(void **state)
{
    (void)state;
    const char *body = TASKS(TASK("a", "") "," TASK("b", "") "," TASK("c", ON("a")));
    /* The order of tasks and of dependencies means nothing; a default that is written is no edit. */
    struct pair pair = pair_of(
        TASKS(TASK("a", "") "," TASK("b", "") "," TASK(
            "c", ",\"dependsOn\":[{\"taskKey\":\"a\"},{\"taskKey\":\"b\"}]")),
        TASKS(TASK("b", ",\"maxRetries\":0") "," TASK(
            "c", ",\"dependsOn\":[{\"taskKey\":\"b\"},{\"taskKey\":\"a\"}]") "," TASK("a", "")));
    assert_int_equal(pair.diff->task_count, 0);
    assert_int_equal(pair.diff->field_count, 0);
    assert_int_equal(pair.diff->from_version, 3);
    assert_int_equal(pair.diff->to_version, 5);
    pair_release(&pair);
    struct job_def *def = parse_good(body);
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(def_diff_make(def, def, &arena)->task_count, 0);
    job_def_unref(def);
    arena_release(&arena);
}

static void tasks_that_differ(void **state)
{
    (void)state;
    struct pair pair = pair_of(
        TASKS(TASK("gone", "") "," IF_ELSE("d", "") "," TASK("a", ON("gone")) "," TASK(
            "b", ",\"dependsOn\":[{\"taskKey\":\"d\",\"outcome\":\"true\"}]")),
        TASKS(
            IF_ELSE("d", "") "," TASK("new", "") "," TASK("a", ON("new") ",\"runIf\":\"ALL_DONE\"") "," TASK(
                "b", ",\"dependsOn\":[{\"taskKey\":\"d\",\"outcome\":\"false\"}]")));
    const struct def_diff *diff = pair.diff;
    assert_int_equal(diff->task_count, 4);
    assert_string_equal(diff->tasks[0].task_key, "new");
    assert_int_equal(diff->tasks[0].change, DEF_ADDED);
    const struct def_task_diff *a = diff->by_position[2];
    assert_ptr_equal(a, &diff->tasks[1]);
    assert_int_equal(a->change, DEF_KEPT);
    assert_int_equal(a->field_count, 1);
    assert_string_equal(a->fields[0], "runIf");
    assert_int_equal(a->gained_count, 1);
    assert_string_equal(a->gained[0], "new");
    assert_string_equal(a->lost[0], "gone");
    const struct def_task_diff *b = diff->by_position[3];
    assert_int_equal(b->field_count, 0);
    assert_true(def_task_is_rewired(b));
    assert_string_equal(b->gained[0], "d (false)");
    assert_string_equal(b->lost[0], "d (true)");
    assert_string_equal(diff->tasks[3].task_key, "gone");
    assert_int_equal(diff->tasks[3].change, DEF_REMOVED);
    assert_null(diff->by_position[0]);
    pair_release(&pair);
}

/* Another type has other fields: those of either count. */
static void a_task_of_another_type(void **state)
{
    (void)state;
    struct pair pair = pair_of(TASKS(TASK("a", "")), TASKS(IF_ELSE("a", "")));
    const struct def_task_diff *a = pair.diff->by_position[0];
    size_t found = 0;
    static const char *const names[] = {"type", "filePath", "condition", "expressions"};
    for (size_t i = 0; i < a->field_count; i++)
        for (size_t n = 0; n < ARRAY_LEN(names); n++)
            found += strcmp(a->fields[i], names[n]) == 0;
    assert_int_equal(found, ARRAY_LEN(names));
    pair_release(&pair);
}

static void the_job_itself(void **state)
{
    (void)state;
    struct pair pair = pair_of(
        "\"parameters\":[{\"name\":\"p\",\"value\":\"1\"},{\"name\":\"q\"}],\"timeoutSeconds\":60",
        "\"parameters\":[{\"name\":\"r\",\"value\":\"3\"},{\"name\":\"p\",\"value\":\"2\"}],"
        "\"queue\":{\"isEnabled\":true}");
    const struct def_diff *diff = pair.diff;
    assert_int_equal(diff->field_count, 2);
    assert_int_equal(diff->parameters.count, 3);
    const struct param_change *changes = diff->parameters.items;
    assert_string_equal(changes[0].name, "r");
    assert_null(changes[0].old_value);
    assert_string_equal(changes[1].old_value, "1");
    assert_string_equal(changes[1].new_value, "2");
    assert_string_equal(changes[2].name, "q");
    assert_string_equal(changes[2].old_value, "");
    assert_null(changes[2].new_value);
    pair_release(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_differs),
        cmocka_unit_test(tasks_that_differ),
        cmocka_unit_test(a_task_of_another_type),
        cmocka_unit_test(the_job_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
