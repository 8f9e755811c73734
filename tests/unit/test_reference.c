/* model/reference: {{…}} in texts (RULES §5). */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/fields.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "model/reference.h"

#define JOB_KEY       "01900000-0000-7000-8000-000000000001"
#define RUN_KEY       "01900000-0000-7000-8000-000000000002"
#define WORKSPACE_KEY "01900000-0000-7000-8000-000000000003"
#define TASK_RUN_KEY  "01900000-0000-7000-8000-000000000004"
#define UPSTREAM_KEY  "01900000-0000-7000-8000-000000000005"

static struct uuid key(const char *text)
{
    struct uuid uuid;
    assert_true(uuid_parse(text, &uuid));
    return uuid;
}

static bool find_task(const void *context, const char *task_key, struct reference_task *ret)
{
    (void)context;
    static const char *const known[] = {"up", "my task", "a.b", "{odd}}", "it's"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(task_key, known[i]) == 0) {
            *ret = (struct reference_task){STATE_FAILED, "EXIT_3", key(UPSTREAM_KEY), 2,
                                           "rows=12\nodd key=x y\n"};
            return true;
        }
    }
    return false;
}

static const struct param parameters[] = {{"day", "2026-01-31"},
                                          {"a.b.c", "dotted"},
                                          {"empty", ""},
                                          {"nested", "{{job.id}}"}};

static struct reference_scope scope_of(bool task)
{
    struct reference_scope scope = {
        .job = key(JOB_KEY),
        .job_name = "nightly",
        .run = key(RUN_KEY),
        .repair_count = 3,
        .trigger = TRIGGER_PERIODIC,
        .parameters = parameters,
        .parameter_count = ARRAY_LEN(parameters),
        .workspace = key(WORKSPACE_KEY),
        .hub_region = "local",
    };
    assert_true(timefmt_parse("2026-01-31T04:05:06.789Z", &scope.start_ms));
    assert_true(timefmt_parse("2025-12-31T23:00:00Z", &scope.plan_ms));
    if (task) {
        scope.task_name = "load";
        scope.task_run = key(TASK_RUN_KEY);
        scope.execution_count = 4;
        scope.find_task = find_task;
    }
    return scope;
}

static void assert_resolved(const char *text, const struct reference_scope *scope,
                            const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    struct err err;
    if (reference_resolve(text, scope, &out, &err))
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void every_reference_resolves(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"{{job.id}}", JOB_KEY},
        {"{{job.name}}", "nightly"},
        {"{{job.run_id}}", RUN_KEY},
        {"{{job.repair_count}}", "3"},
        {"{{job.start_time.iso_date}}", "2026-01-31"},
        {"{{job.start_time.iso_datetime}}", "2026-01-31T04:05:06Z"},
        {"{{job.start_time.timestamp_ms}}", "1769832306789"},
        {"{{job.start_time.year}}", "2026"},
        {"{{job.start_time.month}}", "1"},
        {"{{job.start_time.day}}", "31"},
        {"{{job.start_time.hour}}", "4"},
        {"{{job.start_time.minute}}", "5"},
        {"{{job.start_time.second}}", "6"},
        {"{{job.start_time.iso_weekday}}", "6"},
        {"{{job.start_time.is_weekday}}", "false"},
        {"{{job.planned_time.iso_date}}", "2025-12-31"},
        {"{{job.planned_time.iso_datetime}}", "2025-12-31T23:00:00Z"},
        {"{{job.planned_time.timestamp_ms}}", "1767222000000"},
        {"{{job.planned_time.iso_weekday}}", "3"},
        {"{{job.planned_time.is_weekday}}", "true"},
        {"{{job.trigger.type}}", "periodic"},
        {"{{job.parameters.day}}", "2026-01-31"},
        {"{{job.parameters.a.b.c}}", "dotted"},
        {"{{job.parameters.`a.b.c`}}", "dotted"},
        {"{{job.parameters.empty}}", ""},
        {"{{task.name}}", "load"},
        {"{{task.run_id}}", TASK_RUN_KEY},
        {"{{task.execution_count}}", "4"},
        {"{{tasks.up.result_state}}", "failed"},
        {"{{tasks.up.error_code}}", "EXIT_3"},
        {"{{tasks.up.run_id}}", UPSTREAM_KEY},
        {"{{tasks.up.execution_count}}", "2"},
        {"{{tasks.up.values.rows}}", "12"},
        {"{{tasks.up.values.odd key}}", "x y"},
        {"{{tasks.`up`.values.`odd key`}}", "x y"},
        {"{{tasks.`up`.execution_count}}", "2"},
        {"{{tasks.`my task`.execution_count}}", "2"},
        {"{{tasks.my task.execution_count}}", "2"},
        {"{{tasks.`a.b`.execution_count}}", "2"},
        {"{{tasks.`{odd}}`.execution_count}}", "2"},
        {"{{tasks.`it's`.execution_count}}", "2"},
        {"{{workspace.id}}", WORKSPACE_KEY},
        {"{{hub.region}}", "local"},
        {"{{ job.name }}", "nightly"},
        {"{{\t\njob.name\r }}", "nightly"},
        {"a{{job.name}}b{{job.repair_count}}{{task.name}}", "anightlyb3load"},
        {"{\"n\":{{job.repair_count}}}", "{\"n\":3}"},
    };
    struct reference_scope scope = scope_of(true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_resolved(cases[i][0], &scope, cases[i][1]);
}

static void the_rest_stays_as_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{{", NULL},
        {"}}", NULL},
        {"{{}}", NULL},
        {"{{ }}", NULL},
        {"{{job}}", NULL},
        {"{{ task }}", NULL},
        {"{{.id}}", NULL},
        {"{{jobs.id}}", NULL},
        {"{{JOB.id}}", NULL},
        {"{{job .id}}", NULL},
        {"{{ds}}", NULL},
        {"{{env.HOME}}", NULL},
        {"{{secrets.a.b}}", NULL},
        {"{{`job`.id}}", NULL},
        {"{{job.id", NULL},
        {"{{job.id}", NULL},
        {"{{job.id} }", NULL},
        {"{job.id}", NULL},
        {"{ {job.id}}", NULL},
        {"{{tasks.up}}", NULL},
        {"{{tasks.`up.run_id}}", NULL},
        {"{{tasks.`up`x.run_id}}", NULL},
        {"{{tasks.``.run_id}}", NULL},
        {"{{tasks..run_id}}", NULL},
        {"{{job.{x}}}", NULL},
        /* of nested braces the innermost pair counts */
        {"{{{job.name}}}", "{nightly}"},
        {"{{{{job.name}}}}", "{{nightly}}"},
        {"{{ {{job.name}} }}", "{{ nightly }}"},
        {"{{job.{{job.name}}}}", "{{job.nightly}}"},
        {"{{job.name", NULL},
        {"{{job.name {{job.name}}", "{{job.name nightly"},
    };
    struct reference_scope scope = scope_of(true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_resolved(cases[i][0], &scope, cases[i][1] ? cases[i][1] : cases[i][0]);
}

static void nothing_is_expanded_twice(void **state)
{
    (void)state;
    struct reference_scope scope = scope_of(true);
    assert_resolved("{{job.parameters.nested}}", &scope, "{{job.id}}");
    scope.job_name = "{{job";
    assert_resolved("{{job.name}}.id}}", &scope, "{{job.id}}");
    assert_resolved("{{{job.name}}.id}}", &scope, "{{{job.id}}");
}

static void what_cannot_be_resolved_is_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a {{job.naem}} b", "{{job.naem}} is unknown"},
        {"{{job.}}", "{{job.}} is unknown"},
        {"{{ job.id.x }}", "{{ job.id.x }} is unknown"},
        {"{{job.id + 1}}", "is unknown"},
        {"{{job.start_time}}", "is unknown"},
        {"{{job.start_time.}}", "is unknown"},
        {"{{job.start_time.week}}", "is unknown"},
        {"{{job.trigger}}", "is unknown"},
        {"{{job.trigger.file_arrival.location}}", "is unknown"},
        {"{{job.parameters}}", "is unknown"},
        {"{{job.parameters.}}", "is unknown"},
        {"{{job.parameters.a b}}", "is unknown"},
        {"{{job.parameters.missing}}", "the run has no parameter of that name"},
        {"{{job.parameters.DAY}}", "the run has no parameter of that name"},
        {"{{task.id}}", "is unknown"},
        {"{{tasks.up.name}}", "is unknown"},
        {"{{tasks.a.b.run_id}}", "is unknown"},
        {"{{tasks.down.run_id}}", "names no upstream task"},
        {"{{tasks.up.values.k}}", "the task published no value of that key"},
        {"{{tasks.up.values.}}", "is unknown"},
        {"{{workspace.name}}", "is unknown"},
        {"{{hub.id}}", "is unknown"},
    };
    struct reference_scope scope = scope_of(true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 4096);
        struct err err = {0};
        reference_resolve(cases[i][0], &scope, &out, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i][1]);
        buf_release(&out);
    }
}

static void job_level_sees_no_tasks(void **state)
{
    (void)state;
    struct reference_scope scope = scope_of(false);
    assert_resolved("{{job.parameters.nested}} {{hub.region}}", &scope, "{{job.id}} local");
    static const char *const cases[] = {"{{task.name}}", "{{tasks.up.run_id}}", "{{task.foo}}"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        struct err err = {0};
        reference_resolve(cases[i], &scope, &out, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, "is known only to the values of a task");
        err = (struct err){0};
        const struct reference_check check = {0};
        reference_check(cases[i], &check, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, "is known only to the values of a task");
        buf_release(&out);
    }
    scope.start_ms = FIELD_NULL;
    struct buf out;
    buf_init(&out, 100);
    struct err err = {0};
    reference_resolve("{{job.start_time.year}}", &scope, &out, &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "is not known before the run has started");
    buf_release(&out);
}

static void results_have_a_limit(void **state)
{
    (void)state;
    struct reference_scope scope = scope_of(true);
    struct buf out;
    struct err err = {0};
    buf_init(&out, 9);
    assert_int_equal(reference_resolve("a{{job.name}}b", &scope, &out, &err), ERR_OK);
    buf_clear(&out);
    assert_int_equal(reference_resolve("a{{job.name}}bc", &scope, &out, &err), ERR_LIMIT_EXCEEDED);
    assert_refused(&err, ERR_LIMIT_EXCEEDED, "longer than 9 bytes");
    buf_release(&out);
}

static bool is_upstream(const void *context, const char *task_key)
{
    (void)context;
    return strcmp(task_key, "up") == 0 || strcmp(task_key, "branch") == 0;
}

static bool is_process(const void *context, const char *task_key)
{
    (void)context;
    return strcmp(task_key, "branch") != 0;
}

static void the_check_at_save(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{{job.id}} {{job.parameters.any}} {{tasks.up.run_id}} {{task.name}} {{x.y}}", NULL},
        {"{{tasks.up.values.k}}", NULL}, /* who cannot run these refuses them */
        {"{{job.naem}}", "{{job.naem}} is unknown"},
        {"{{job.parameters.a b}}", "is unknown"},
        {"{{tasks.up.foo}}", "is unknown"},
        {"{{tasks.down.run_id}}", "does not name a task upstream of \"load\""},
        {"{{tasks.`up `.run_id}}", "does not name a task upstream of \"load\""},
        {"{{tasks.branch.run_id}} {{tasks.branch.result_state}}", NULL},
        {"{{tasks.branch.values.k}}", "names a task that publishes no values"},
    };
    const struct reference_check check = {"load", is_upstream, NULL, is_process};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        enum err_code code = reference_check(cases[i][0], &check, &err);
        if (cases[i][1])
            assert_refused(&err, ERR_INVALID_PARAMETER, cases[i][1]);
        else
            assert_int_equal(code, ERR_OK);
    }
}

static void long_references_are_shown_cut(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_puts(&text, "{{tasks.`a");
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "\xf0\x9f\x8e\xb5");
    buf_puts(&text, "`.run_id}}");
    struct err err = {0};
    const struct reference_check check = {"load", is_upstream, NULL, NULL};
    reference_check(text.data, &check, &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "… does not name a task upstream of \"load\"");
    assert_true(utf8_valid(err.message, strlen(err.message)));
    buf_release(&text);
}

static void spans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t span;
    } cases[] = {
        {"", 0},        {"{", 0},       {"{{", 0},       {"{{}}", 4},        {"{{a}}b", 5},
        {"{{a}b}}", 0}, {"{{a{b}}", 0}, {"{{`}}`}}", 8}, {"{{`}}", 0},       {"{{``}}", 6},
        {"{{{}}", 0},   {"a{{b}}", 0},  {"{{a}}}}", 5},  {"{{`a``{`}}", 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(reference_span(cases[i].text), cases[i].span);
}

/* Texts made to be scanned again and again take time linear in their length. */
static void hostile_texts_end(void **state)
{
    (void)state;
    static const char *const pieces[] = {"{{", "{{`", "{{job.", "{{`a", "{", "`{{", "{{a}"};
    struct reference_scope scope = scope_of(true);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct buf text, out;
        buf_init(&text, 4 << 20);
        buf_init(&out, 4 << 20);
        while (text.len < 2 << 20)
            buf_puts(&text, pieces[i]);
        struct err err;
        assert_int_equal(reference_resolve(text.data, &scope, &out, &err), ERR_OK);
        assert_string_equal(out.data, text.data);
        buf_release(&text);
        buf_release(&out);
    }
}

static void results_of_tasks(void **state)
{
    (void)state;
    static const struct {
        enum state of;
        const char *name;
    } cases[] = {
        {STATE_SUCCESS, "success"},
        {STATE_FAILED, "failed"},
        {STATE_TIMED_OUT, "timedout"},
        {STATE_CANCELED, "canceled"},
        {STATE_EXCLUDED, "excluded"},
        {STATE_UPSTREAM_FAILED, "upstream_failed"},
        {STATE_UPSTREAM_CANCELED, "upstream_canceled"},
        {STATE_INTERNAL_ERROR, "internal_error"},
        {STATE_RUNNING, ""},
        {STATE_NEW, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(reference_result_state(cases[i].of), cases[i].name);
}

static const char *system_value(const struct field_list *pairs, const char *name)
{
    const struct field_pair *items = pairs->items;
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(items[i].key, name) == 0)
            return items[i].value;
    return NULL;
}

/* Each is what a reference of that name yields. */
static void system_parameters(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct reference_scope scope = scope_of(true);
    struct field_list pairs = reference_system_parameters(&scope, &arena);
    const struct field_pair *items = pairs.items;
    assert_int_equal(pairs.count, 10 + 11);
    for (size_t i = 0; i < pairs.count; i++)
        assert_resolved(arena_printf(&arena, "{{%s}}", items[i].key), &scope, items[i].value);
    assert_string_equal(system_value(&pairs, "job.run_id"), RUN_KEY);
    assert_string_equal(system_value(&pairs, "task.name"), "load");

    scope = scope_of(false);
    scope.start_ms = FIELD_NULL;
    pairs = reference_system_parameters(&scope, &arena);
    assert_int_equal(pairs.count, 7);
    assert_string_equal(system_value(&pairs, "job.id"), JOB_KEY);
    assert_null(system_value(&pairs, "task.name"));
    assert_null(system_value(&pairs, "job.start_time.year"));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reference_resolves),
        cmocka_unit_test(the_rest_stays_as_text),
        cmocka_unit_test(nothing_is_expanded_twice),
        cmocka_unit_test(what_cannot_be_resolved_is_named),
        cmocka_unit_test(job_level_sees_no_tasks),
        cmocka_unit_test(results_have_a_limit),
        cmocka_unit_test(the_check_at_save),
        cmocka_unit_test(long_references_are_shown_cut),
        cmocka_unit_test(spans),
        cmocka_unit_test(hostile_texts_end),
        cmocka_unit_test(results_of_tasks),
        cmocka_unit_test(system_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
