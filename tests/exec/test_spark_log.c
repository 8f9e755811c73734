/* Which application a Spark log names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "exec/spark_log.h"

static void applications_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *log;
        const char *id; /* NULL: none */
    } cases[] = {
        {"INFO Client: Submitted application application_1700000000000_0001\n",
         "application_1700000000000_0001"},
        {"Connected to Spark cluster with app ID app-20240101120000-0007",
         "app-20240101120000-0007"},
        {"Logging events to file:/runs/x/spark/local-1700000000000.inprogress\n",
         "local-1700000000000"},
        {"-> spark-0123456789abcdef0123456789abcdef, state: RUNNING",
         "spark-0123456789abcdef0123456789abcdef"},
        {"first app-20240101120000-0007 then app-20240101120000-0008", "app-20240101120000-0007"},
        {"local-17", NULL},
        {"my-app-20240101120000-0007", NULL},
        {"application_1700000000000", NULL},
        {"app-20240101120000-", NULL},
        {"spark-0123456789abcdef0123456789abcdef0", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char id[SPARK_ID_TEXT] = "";
        bool found = spark_application_id(cases[i].log, strlen(cases[i].log), id);
        assert_int_equal(found, cases[i].id != NULL);
        if (found)
            assert_string_equal(id, cases[i].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
