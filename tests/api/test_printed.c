/* The cache of printed answers: stamps, replacement, bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/printed.h"

enum { MAX_BYTES = 4096 };

static struct uuid key_of(uint8_t n)
{
    struct uuid key = {{0}};
    key.bytes[15] = n;
    return key;
}

static bool holds(struct printed *cache, uint8_t n, int64_t version, int64_t event,
                  const char *text)
{
    struct uuid key = key_of(n);
    struct buf out;
    buf_init(&out, MAX_BYTES);
    bool hit = printed_get(cache, &key, version, event, &out);
    if (hit)
        assert_string_equal(out.data, text);
    buf_release(&out);
    return hit;
}

static void put(struct printed *cache, uint8_t n, int64_t version, int64_t event, const char *text)
{
    struct uuid key = key_of(n);
    printed_put(cache, &key, version, event, text, strlen(text));
}

static void test_an_entry_is_found_under_its_own_stamps_only(void **state)
{
    (void)state;
    struct printed *cache = printed_new(MAX_BYTES);
    put(cache, 1, 1, 7, "one");
    assert_true(holds(cache, 1, 1, 7, "one"));
    assert_false(holds(cache, 1, 1, 8, ""));
    assert_false(holds(cache, 1, 2, 7, ""));
    assert_false(holds(cache, 2, 1, 7, ""));
    put(cache, 1, 2, 9, "two");
    assert_true(holds(cache, 1, 2, 9, "two"));
    assert_false(holds(cache, 1, 1, 7, ""));
    printed_free(cache);
}

static void test_the_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct printed *cache = printed_new(MAX_BYTES);
    char text[450]; /* nine of them are more than the cache may hold */
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (uint8_t n = 1; n <= 9; n++) {
        put(cache, n, 1, 1, text);
        assert_true(holds(cache, 1, 1, 1, text)); /* kept by being used */
    }
    assert_false(holds(cache, 2, 1, 1, ""));
    assert_true(holds(cache, 9, 1, 1, text));
    printed_free(cache);
}

static void test_a_large_text_is_not_kept(void **state)
{
    (void)state;
    struct printed *cache = printed_new(MAX_BYTES);
    char text[MAX_BYTES / 8 + 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put(cache, 1, 1, 1, text);
    assert_false(holds(cache, 1, 1, 1, ""));
    printed_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_is_found_under_its_own_stamps_only),
        cmocka_unit_test(test_the_least_recently_used_goes_first),
        cmocka_unit_test(test_a_large_text_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
