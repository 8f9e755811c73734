/* model/params: names, layers, JSON (RULES §5). */
#include "unit/unit.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/params.h"

static void names_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "A-b_c.9", ".", "-", "_", "0"};
    static const char *const bad[] = {"", " ", "a b", "a$", "\xc3\xa4", "a\n", "{{job.id}}", "a/b"};
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(param_name_check(good[i], &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(param_name_check(bad[i], &err));
        assert_refused(&err, ERR_INVALID_PARAMETER, "must be one or more letters");
    }
}

static void a_layer_is_checked(void **state)
{
    (void)state;
    char *value = xcalloc(1, DEF_MAX_VALUE_BYTES + 2);
    memset(value, 'v', DEF_MAX_VALUE_BYTES);
    struct param params[] = {{"a", NULL}, {"b.c", "x"}, {"A", value}};
    struct err err = {0};
    assert_int_equal(params_check(params, 3, "parameters", &err), ERR_OK);
    assert_string_equal(params[0].value, "");
    value[DEF_MAX_VALUE_BYTES] = 'v';
    assert_int_equal(params_check(params, 3, "parameters", &err), ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER,
                   "parameters[2].value must be at most 65536 bytes long, not 65537");
    free(value);

    struct param twice[] = {{"a", ""}, {"a", ""}};
    params_check(twice, 2, "tasks[4].parameters", &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "tasks[4].parameters[1].name \"a\" is given twice");
    struct param meeting[] = {{"a.b", ""}, {"c", ""}, {"a_b", ""}};
    params_check(meeting, 3, "parameters", &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "parameters[2].name");
    assert_refused(&err, ERR_INVALID_PARAMETER, "\"a.b\" and \"a_b\"");
    struct param bad[] = {{"a b", ""}};
    params_check(bad, 1, "parameters", &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "parameters[0].name must be");
    struct param none[] = {{NULL, ""}};
    params_check(none, 1, "parameters", &err);
    assert_refused(&err, ERR_MISSING_PARAMETER, "parameters[0].name is required");
}

static void the_number_is_limited(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct param *params = ARENA_ARRAY(&arena, DEF_MAX_PARAMETERS + 1, struct param);
    for (int i = 0; i <= DEF_MAX_PARAMETERS; i++)
        params[i].name = arena_printf(&arena, "p%d", i);
    struct err err = {0};
    assert_int_equal(params_check(params, DEF_MAX_PARAMETERS, "parameters", &err), ERR_OK);
    assert_int_equal(params_check(params, DEF_MAX_PARAMETERS + 1, "parameters", &err),
                     ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "parameters must have at most 1000 items");
    assert_int_equal(params_check(NULL, 0, "parameters", &err), ERR_OK);
    arena_release(&arena);
}

static void names_meet_across_layers(void **state)
{
    (void)state;
    struct param_variables taken;
    param_variables_init(&taken);
    assert_null(param_variables_add(&taken, "a.b"));
    assert_string_equal(param_variables_add(&taken, "a-b"), "a.b");
    const struct param same[] = {{"a.b", ""}, {"c", ""}, {"A.b", ""}};
    const struct param other[] = {{"c", ""}, {"a_b", ""}};
    struct err err = {0};
    struct param_list list = {same, 3};
    assert_int_equal(param_variables_check(&taken, list, "parameters", &err), ERR_OK);
    list = (struct param_list){other, 2};
    assert_int_equal(param_variables_check(&taken, list, "parameters", &err),
                     ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "parameters[1].name");
    assert_refused(&err, ERR_INVALID_PARAMETER, "\"a.b\" and \"a_b\"");
    param_variables_release(&taken);
}

static void layers_are_merged(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    const struct param job[] = {{"a", "job"}, {"b", "job"}, {"c", "job"}};
    const struct param task[] = {{"d", "task"}, {"b", "task"}};
    const struct param run[] = {{"c", "run"}, {"b", ""}, {"e", "run"}};
    const struct param repair[] = {{"e", "repair"}};
    const struct param_list layers[] = {{job, 3}, {task, 2}, {run, 3}, {NULL, 0}, {repair, 1}};
    struct param_list merged = params_merge(layers, ARRAY_LEN(layers), &arena);
    assert_string_equal(params_json(merged, &arena),
                        "[{\"name\":\"a\",\"value\":\"job\"},{\"name\":\"b\",\"value\":\"\"},"
                        "{\"name\":\"c\",\"value\":\"run\"},{\"name\":\"d\",\"value\":\"task\"},"
                        "{\"name\":\"e\",\"value\":\"repair\"}]");
    assert_string_equal(params_find(merged.items, merged.count, "c")->value, "run");
    assert_null(params_find(merged.items, merged.count, "x"));
    assert_int_equal(params_merge(NULL, 0, &arena).count, 0);
    arena_release(&arena);
}

static void lists_are_printed_and_loaded(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(params_load(NULL, &arena).count, 0);
    assert_int_equal(params_load("[]", &arena).count, 0);
    assert_int_equal(params_load("null", &arena).count, 0);
    assert_string_equal(params_json((struct param_list){0}, &arena), "[]");
    const struct param params[] = {{"a", "q\"\\\n\xe2\x82\xac"}, {"b", ""}};
    const char *json = params_json((struct param_list){params, 2}, &arena);
    struct param_list loaded = params_load(json, &arena);
    assert_int_equal(loaded.count, 2);
    assert_string_equal(loaded.items[0].value, params[0].value);
    assert_string_equal(loaded.items[1].name, "b");
    assert_string_equal(params_json(loaded, &arena), json);
    const struct field_list list = {(void *)(uintptr_t)params, 2};
    assert_ptr_equal(params_of(&list).items, params);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),     cmocka_unit_test(a_layer_is_checked),
        cmocka_unit_test(the_number_is_limited), cmocka_unit_test(names_meet_across_layers),
        cmocka_unit_test(layers_are_merged),     cmocka_unit_test(lists_are_printed_and_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
