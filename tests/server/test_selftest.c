/* What `reprise selftest` tells of a world that did not hold; the rest of it: tests/e2e. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/selftest.h"

static char *told(const struct trace *trace, uint64_t seed)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    selftest_tell(out, "seed 7", "two runs hold a slot of 1", trace, seed, 250);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_seed_is_told_with_what_happened_last(void **state)
{
    (void)state;
    struct trace trace = {.count = 0};
    for (int i = 0; i < TRACE_LINES + 3; i++)
        trace_add(&trace, "event %d", i);
    char *text = told(&trace, 7);
    assert_ptr_equal(strstr(text, "FAILED: seed 7: two runs hold a slot of 1\n  event 3\n"), text);
    assert_null(strstr(text, "event 2\n"));
    assert_non_null(
        strstr(text, "  event 42\nTo repeat it: reprise selftest --seed 7 --steps 250\n"));
    free(text);
}

static void a_replay_has_no_seed(void **state)
{
    (void)state;
    char *text = told(NULL, 0);
    assert_string_equal(text, "FAILED: seed 7: two runs hold a slot of 1\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_is_told_with_what_happened_last),
        cmocka_unit_test(a_replay_has_no_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
