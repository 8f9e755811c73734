/* model/provenance: which layer gave a value, what that overrode, what references stood for. */
#include "unit/unit.h"

#include "base/mem.h"
#include "model/provenance.h"

#define LIST(...)                                                                             \
    {                                                                                         \
        (const struct param[]){__VA_ARGS__}, ARRAY_LEN(((const struct param[]){__VA_ARGS__})) \
    }

static const struct param_layer layers[] = {
    {PARAM_OF_JOB, FIELD_NULL, LIST({"a", "job"}, {"b", "job"}, {"n", "{{job.name}}"})},
    {PARAM_OF_TASK, FIELD_NULL, LIST({"b", "task"}, {"t", "{{task.name}} of {{job.name}} {{x}}"})},
    {PARAM_OF_RUN, FIELD_NULL, LIST({"b", "run"})},
    {PARAM_OF_REPAIR, 1, LIST({"b", "one"})},
    {PARAM_OF_REPAIR, 2, LIST({"c", ""})},
};

static const struct reference_scope references = {.job_name = "j", .task_name = "load"};
static const struct text_scope scope = {&references, NULL};

static const struct param_provenance *item(const struct provenance *provenance, const char *name)
{
    const struct param_provenance *found = str_map_get(&provenance->by_name, name);
    assert_non_null(found);
    return found;
}

static void origins(void **state)
{
    (void)state;
    struct arena arena;
    struct provenance provenance;
    arena_init(&arena);
    const struct param_list resolved = LIST({"a", "job"}, {"b", "one"}, {"c", ""}, {"n", "j"},
                                            {"t", "load of j {{x}}"}, {"?", ""});
    provenance_make(layers, ARRAY_LEN(layers), resolved, &scope, NULL, &arena, &provenance);
    assert_int_equal(provenance.count, 5); /* a name that no layer has is not told */
    const struct param_provenance *b = item(&provenance, "b");
    assert_string_equal(b->value, "one");
    assert_int_equal(b->source, PARAM_OF_REPAIR);
    assert_int_equal(b->repair, 1);
    const struct param_origin *overrides = b->overrides.items;
    assert_int_equal(b->overrides.count, 3);
    static const char *const expected[] = {"run", "task", "job"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(overrides[i].value, expected[i]);
    assert_int_equal(overrides[1].source, PARAM_OF_TASK);
    assert_int_equal(item(&provenance, "c")->repair, 2); /* an empty value is a value */
    const struct param_provenance *t = item(&provenance, "t");
    assert_string_equal(t->given, "{{task.name}} of {{job.name}} {{x}}");
    assert_int_equal(t->references.count, 2); /* {{x}} is text */
    const struct reference_use *uses = t->references.items;
    assert_string_equal(uses[0].reference, "{{task.name}}");
    assert_string_equal(uses[0].value, "load");
    assert_string_equal(uses[1].value, "j");
    assert_int_equal(uses[1].source, FIELD_UNSET);
    provenance_release(&provenance);
    arena_release(&arena);
}

static void references_of_a_text(void **state)
{
    (void)state;
    struct arena arena;
    struct provenance provenance;
    arena_init(&arena);
    const struct param_list resolved = LIST({"b", "one"});
    provenance_make(layers, ARRAY_LEN(layers), resolved, &scope, NULL, &arena, &provenance);
    struct reference_scope of_task = references;
    const struct text_scope in_text = {&of_task, NULL};
    of_task.parameters = resolved.items;
    of_task.parameter_count = 1;
    struct field_list list =
        provenance_of_text("filePath", "{{job.parameters.`b`}}{{job.parameters.zebra}} {{job.name}",
                           &in_text, &provenance, &arena);
    const struct reference_use *uses = list.items;
    assert_int_equal(list.count, 2);
    assert_string_equal(uses[0].field, "filePath");
    assert_string_equal(uses[0].value, "one");
    assert_int_equal(uses[0].source, PARAM_OF_REPAIR);
    assert_int_equal(uses[0].repair, 1);
    assert_null(uses[1].value); /* not known */
    assert_int_equal(provenance_of_text("x", NULL, &in_text, NULL, &arena).count, 0);
    provenance_release(&provenance);
    arena_release(&arena);
}

/* In EL the pieces are #{…} and the ${…} of parameters; references are text. */
static void expressions_of_a_text(void **state)
{
    (void)state;
    struct arena arena;
    struct provenance provenance;
    arena_init(&arena);
    const struct param_list resolved = LIST({"b", "one"});
    provenance_make(layers, ARRAY_LEN(layers), resolved, &scope, NULL, &arena, &provenance);
    const struct el_scope el = {
        .job_name = "j", .parameters = resolved.items, .parameter_count = resolved.count};
    const struct text_scope in_text = {&references, &el};
    struct field_list list =
        provenance_of_text("script", "${HOME} {{job.name}} #{Job.name} ${b}#{Env.get('x')}",
                           &in_text, &provenance, &arena);
    const struct reference_use *uses = list.items;
    assert_int_equal(list.count, 3);
    assert_string_equal(uses[0].reference, "#{Job.name}");
    assert_string_equal(uses[0].value, "j");
    assert_int_equal(uses[0].source, FIELD_UNSET);
    assert_string_equal(uses[1].reference, "${b}");
    assert_string_equal(uses[1].value, "one");
    assert_int_equal(uses[1].source, PARAM_OF_REPAIR);
    assert_null(uses[2].value); /* not known */
    provenance_release(&provenance);
    arena_release(&arena);
}

/* What is told beside the value is cut, between characters. */
static void long_values_are_cut(void **state)
{
    (void)state;
    enum { LONG = 9000 };
    struct arena arena;
    struct provenance provenance;
    char text[LONG + 1];
    arena_init(&arena);
    for (size_t i = 0; i < LONG; i += 2)
        memcpy(text + i, "é", 2);
    text[LONG] = '\0';
    const struct param_layer two[] = {{PARAM_OF_JOB, FIELD_NULL, LIST({"p", text})},
                                      {PARAM_OF_RUN, FIELD_NULL, LIST({"p", text})}};
    provenance_make(two, 2, two[1].params, &scope, NULL, &arena, &provenance);
    assert_string_equal(item(&provenance, "p")->value, text);
    const struct param_origin *origin = item(&provenance, "p")->overrides.items;
    assert_true(strlen(origin->value) < 4200);
    assert_string_equal(origin->value + strlen(origin->value) - 5, "é…");
    provenance_release(&provenance);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins),
        cmocka_unit_test(references_of_a_text),
        cmocka_unit_test(expressions_of_a_text),
        cmocka_unit_test(long_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
