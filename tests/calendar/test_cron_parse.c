/* What is taken for an expression, what is refused, and where the error points. */
#include "calendar/support.h"

#include "base/mem.h"

static void test_errors_name_field_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        enum cron_field field;
        int column;
        const char *part;
    } cases[] = {
        {"60 0 0 * * ?", CRON_SECOND, 1, "from 0 to 59, not \"60\""},
        {"0 0,60 0 * * ?", CRON_MINUTE, 5, "from 0 to 59, not \"60\""},
        {"0 0 12-25 * * ?", CRON_HOUR, 8, "from 0 to 23, not \"25\""},
        {"0 0  25 * * ?", CRON_HOUR, 6, "not \"25\""},
        {"0 0 0 32 * ?", CRON_DAY_OF_MONTH, 7, "from 1 to 31, not \"32\""},
        {"0 0 0 5-0 * ?", CRON_DAY_OF_MONTH, 9, "from 1 to 31, not \"0\""},
        {"0 0 0 0W * ?", CRON_DAY_OF_MONTH, 7, "from 1 to 31, not \"0W\""},
        {"0 0 0 1 JAX ?", CRON_MONTH, 9, "a name from JAN to DEC, not \"JAX\""},
        {"0 0 0 ? * MON-FRX", CRON_DAY_OF_WEEK, 15, "a name from SUN to SAT, not \"FRX\""},
        {"0 0 0 ? * 0#1", CRON_DAY_OF_WEEK, 11, "from 1 to 7"},
        {"0 0 0 ? * 2#6", CRON_DAY_OF_WEEK, 13, "from 1 to 5 behind #, not \"6\""},
        {"0 0 0 ? * 2#1,3#2", CRON_DAY_OF_WEEK, 16, "# only once"},
        {"0 0 0 ? * MON#", CRON_DAY_OF_WEEK, 15, "not the end of the field"},
        {"0 0 0 ? * 6L,2", CRON_DAY_OF_WEEK, 12, "L in a list"},
        {"0 0 0 L,1 * ?", CRON_DAY_OF_MONTH, 7, "L in a list"},
        {"0 0 0 L-31 * ?", CRON_DAY_OF_MONTH, 9, "from 0 to 30 behind L-, not \"31\""},
        {"0 0 0 L- * ?", CRON_DAY_OF_MONTH, 9, "not the end of the field"},
        {"0 0 L * * ?", CRON_HOUR, 5, "cannot have L"},
        {"0 0 0 1#2 * ?", CRON_DAY_OF_MONTH, 8, "cannot have #"},
        {"0 ? 0 1 * ?", CRON_MINUTE, 3, "cannot be ?"},
        {"0 0 0 ?,5 * ?", CRON_DAY_OF_MONTH, 7, "? in a list"},
        {"0 */0x5 0 1 * ?", CRON_MINUTE, 6, "must end here or go on with a comma"},
        {"0 */60 * * * ?", CRON_MINUTE, 5, "from 1 to 59 behind the slash, not \"60\""},
        {"0 0 */24 * * ?", CRON_HOUR, 7, "from 1 to 23"},
        {"0 0 0 1 */13 ?", CRON_MONTH, 11, "from 1 to 12"},
        {"0 0/ * * * ?", CRON_MINUTE, 5, "not the end of the field"},
        {"0 0/99999999999999999999 * * * ?", CRON_MINUTE, 5, "from 1 to 59"},
        {"0 1,,2 * * * ?", CRON_MINUTE, 5, "not a comma"},
        {"0 1, * * * ?", CRON_MINUTE, 5, "not the end of the field"},
        {"0 0 0 1 * ? 2030-2026", CRON_YEAR, 18, "not end before it begins"},
        {"0 0 0 1 * ? 1899", CRON_YEAR, 13, "from 1900 to 2199"},
        {"0 0 0 1 * ? 2200", CRON_YEAR, 13, "from 1900 to 2199"},
        {"0 0 0 1 * 1", CRON_DAY_OF_WEEK, 11, "must be ?"},
        {"0 0 0 ? * ?", CRON_DAY_OF_WEEK, 11, "cannot be ?"},
        {"0 0 0 ?", CRON_FIELD_COUNT, 8, "six or seven fields"},
        {"", CRON_FIELD_COUNT, 1, "six or seven fields"},
        {"0 0 0 * * ? * *", CRON_FIELD_COUNT, 15, "seven fields at most"},
        {"0 0 \xc3\xa9 * * ?", CRON_HOUR, 5, "not \"??\""},
        {"0 0 \x1b[2J * * ?", CRON_HOUR, 5, "not \"?[2J\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cron cron;
        struct cron_error error;
        if (cron_parse(cases[i].expression, &cron, &error))
            fail_msg("\"%s\" is taken", cases[i].expression);
        if (error.field != cases[i].field || error.column != cases[i].column ||
            !strstr(error.message, cases[i].part))
            fail_msg("\"%s\": %s, column %d: %s", cases[i].expression, cron_field_name(error.field),
                     error.column, error.message);
    }
}

/* Quartz takes these and does something else than they say: it leaves the rest of the item unread, or takes 99 for a star. */
static void test_what_quartz_reads_past_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        int column;
    } cases[] = {
        {"0 0 0 ? * MON-FRI/2", 18}, {"0 0 0 ? * MON/2", 14},  {"0 0 0 1 JAN-JUN/2 ?", 16},
        {"0 0 0 1X * ?", 8},         {"0 0 0 1-5X * ?", 10},   {"0 *X 0 1 * ?", 4},
        {"0 0 0 1-15W * ?", 11},     {"0 0 0 15W-20 * ?", 10}, {"0 0 0 *W * ?", 8},
        {"0 0 0 ? * LW", 12},        {"0 0 0 ? * L-3", 12},    {"0 0 0 ? * 5-7L", 14},
        {"0 0 0 ? * 1-5#2", 14},     {"0 0 0 ? * MONDAY", 14}, {"99 0 0 1 * ?", 1},
        {"0 0 0 98 * 2", 7},         {"0 0 0 ?? * 2", 8},      {"*/-5 * * * * ?", 3},
        {"0 0 0 ? * MON-5", 15},     {"0 0 0 ? * 2-FRI", 13},  {"0 0 0 L-W * ?", 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cron cron;
        struct cron_error error;
        if (cron_parse(cases[i].expression, &cron, &error))
            fail_msg("\"%s\" is taken", cases[i].expression);
        if (error.column != cases[i].column)
            fail_msg("\"%s\": column %d: %s", cases[i].expression, error.column, error.message);
    }
}

/* Five fields, or @daily, are told what they are in Quartz; what cannot be said in it is told what is wrong. */
static void test_crontab_is_answered_with_quartz(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        const char *quartz; /* NULL: nothing is suggested */
    } cases[] = {
        {"0 3 * * *", "0 0 3 * * ?"},
        {"  */5  *  * * * ", "0 */5 * * * ?"},
        {"30 6 * * 1-5", "0 30 6 ? * MON-FRI"},
        {"30 6 * * 0,6", "0 30 6 ? * SUN,SAT"},
        {"30 6 * * 7", "0 30 6 ? * SUN"},
        {"30 6 * * mon", "0 30 6 ? * mon"},
        {"30 6 * * 1-5/2", "0 30 6 ? * 2-6/2"},
        {"30 6 * * */2", "0 30 6 ? * */2"},
        {"0 0 1 1 *", "0 0 0 1 1 ?"},
        {"15 14 1,15 JAN-MAR *", "0 15 14 1,15 JAN-MAR ?"},
        {"@daily", "0 0 0 * * ?"},
        {"@Hourly", "0 0 * * * ?"},
        {"@weekly", "0 0 0 ? * SUN"},
        {"@annually", "0 0 0 1 1 ?"},
        {"0 3 1 * 1", NULL}, /* the first, or Monday: whichever comes */
        {"0 3 * * 0-7", NULL},
        {"0 3 * * 8", NULL},
        {"60 3 * * *", NULL},
        {"0 3 * *", NULL},
        {"@reboot", NULL},
        {"@", NULL},
        {"1111111111111111111111111111111111111111 3 * * *", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cron cron, again;
        struct cron_error error, none;
        char wanted[128];
        if (cron_parse(cases[i].expression, &cron, &error))
            fail_msg("\"%s\" is taken", cases[i].expression);
        const char *quartz = cases[i].quartz;
        snprintf(wanted, sizeof wanted, "crontab means by it is \"%s\"", quartz ? quartz : "");
        bool suggests = strstr(error.message, quartz ? wanted : "crontab") != NULL;
        if (suggests != (quartz != NULL) || (quartz && error.field != CRON_FIELD_COUNT))
            fail_msg("\"%s\": column %d: %s", cases[i].expression, error.column, error.message);
        if (quartz)
            assert_true(cron_parse(quartz, &again, &none));
    }
}

static bool is_same(const struct cron *a, const struct cron *b)
{
    return a->seconds == b->seconds && a->minutes == b->minutes && a->hours == b->hours &&
           a->days_of_month == b->days_of_month && a->months == b->months &&
           a->days_of_week == b->days_of_week && memcmp(a->years, b->years, sizeof a->years) == 0 &&
           a->day_rule == b->day_rule && a->last_day_offset == b->last_day_offset &&
           a->nth == b->nth;
}

static void assert_same(const char *a, const char *b)
{
    struct cron first = cron_of(a), second = cron_of(b);
    if (!is_same(&first, &second))
        fail_msg("\"%s\" is not \"%s\"", a, b);
}

static void test_ways_to_say_the_same(void **state)
{
    (void)state;
    assert_same("0 0 12 ? * MON-FRI", "0 0 12 ? * 2-6");
    assert_same("0 0 12 ? * fri-mon", "0 0 12 ? * 6,7,1,2");
    assert_same("0 0 12 1 nov-Feb ?", "0 0 12 1 11,12,1,2 ?");
    assert_same("0 0 22-2 * * ?", "0 0 22,23,0,1,2 * * ?");
    assert_same("0 0 0 28-3 * ?", "0 0 0 28,29,30,31,1,2,3 * ?");
    assert_same("50-10/20 * * * * ?", "50,10 * * * * ?");
    assert_same("*/20 * * * * ?", "0,20,40 * * * * ?");
    assert_same("/20 * * * * ?", "*/20 * * * * ?");
    assert_same("5/20 * * * * ?", "5,25,45 * * * * ?");
    assert_same("05/20 * * * * ?", "5-59/20 * * * * ?");
    assert_same("5/0 * * * * ?", "5 * * * * ?");
    assert_same("*/0 * * * * ?", "* * * * * ?");
    assert_same("0 0 0 ? * 2-6/2", "0 0 0 ? * 2,4,6");
    assert_same("0 0 0 ? * L", "0 0 0 ? * SAT");
    assert_same("0 0 0 ? * FRIL", "0 0 0 ? * 6L");
    assert_same("0 0 0 ? * fri#3", "0 0 0 ? * 6#3");
    assert_same("0 0 0 L-0 * ?", "0 0 0 L * ?");
    assert_same("\t0  0 0 * * ?\n", "0 0 0 * * ?");
    assert_same("0 0 0 * * ? 1970-2199", "0 0 0 * * ? *");
    assert_same("0 0 0 * * ?", "0 0 0 * * ? *");
    assert_same("0 0 0 1 1 ? 2026/2", "0 0 0 1 1 ? 2026-2199/2");
}

static void test_length_is_bounded(void **state)
{
    (void)state;
    char text[CRON_MAX_TEXT + 2];
    struct cron cron;
    struct cron_error error;
    memset(text, ' ', sizeof text);
    memcpy(text, "0 0 0 * * ?", 11);
    text[CRON_MAX_TEXT] = '\0';
    assert_true(cron_parse(text, &cron, &error));
    text[CRON_MAX_TEXT] = ' ';
    text[CRON_MAX_TEXT + 1] = '\0';
    assert_false(cron_parse(text, &cron, &error));
    assert_int_equal(error.field, CRON_FIELD_COUNT);
}

static void test_a_refused_expression_leaves_the_result_alone(void **state)
{
    (void)state;
    struct cron cron = {.nth = 42}, before = cron;
    struct cron_error error;
    assert_false(cron_parse("0 0 0 ? * 2#3,x", &cron, &error));
    assert_true(is_same(&cron, &before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_name_field_and_column),
        cmocka_unit_test(test_what_quartz_reads_past_is_refused),
        cmocka_unit_test(test_crontab_is_answered_with_quartz),
        cmocka_unit_test(test_ways_to_say_the_same),
        cmocka_unit_test(test_length_is_bounded),
        cmocka_unit_test(test_a_refused_expression_leaves_the_result_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
