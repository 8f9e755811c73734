/* What Quartz 2.3.2 says. quartz-vectors.jsonl was given with the task; quartz-clock-changes.jsonl was made by
 * QuartzVectors.java: expressions of all kinds around changes of the clock. */
#include "calendar/support.h"

static const char *text_of(json_t *line, const char *name)
{
    return json_string_value(json_object_get(line, name));
}

static void check_validity(json_t *line)
{
    struct cron cron;
    struct cron_error error = {.column = -1};
    const char *expression = text_of(line, "expression");
    bool is_valid = json_is_true(json_object_get(line, "valid"));
    if (cron_parse(expression, &cron, &error) != is_valid)
        fail_msg("\"%s\" is %s", expression, is_valid ? error.message : "taken");
    if (is_valid)
        return;
    assert_in_range(error.column, 1, strlen(expression) + 1);
    assert_true(*error.message);
}

static void check_times(json_t *line)
{
    enum { ASKED = 8 };
    struct zone *zone = zone_of(text_of(line, "timezoneId"));
    struct cron cron = cron_of(text_of(line, "expression"));
    int64_t after_ms = json_integer_value(json_object_get(line, "after")), next_ms;
    json_t *wanted = json_object_get(line, "next");
    for (size_t i = 0; i < ASKED; i++) {
        bool found = cron_next(&cron, zone, after_ms, &next_ms);
        if (found != (i < json_array_size(wanted)) ||
            (found && next_ms != json_integer_value(json_array_get(wanted, i))))
            fail_msg("\"%s\" in %s: time %zu after %lld is %lld, not %lld",
                     text_of(line, "expression"), text_of(line, "timezoneId"), i,
                     (long long)after_ms, found ? (long long)next_ms : -1,
                     (long long)json_integer_value(json_array_get(wanted, i)));
        if (!found)
            break;
        after_ms = next_ms;
    }
    zone_unref(zone);
}

static void check(json_t *line, void *context)
{
    (void)context;
    if (json_object_get(line, "valid"))
        check_validity(line);
    else
        check_times(line);
}

static void test_golden_cases(void **state)
{
    (void)state;
    assert_int_equal(each_golden("calendar/quartz-vectors.jsonl", check, NULL), 441);
}

static void test_clock_changes(void **state)
{
    (void)state;
    assert_int_equal(each_golden("calendar/quartz-clock-changes.jsonl", check, NULL), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_cases),
        cmocka_unit_test(test_clock_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
