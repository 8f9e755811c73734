/* model/values: KEY=VALUE lines of REPRISE_OUTPUT (RULES §5). */
#include "unit/unit.h"

#include "base/mem.h"
#include "model/values.h"

static void assert_read(const char *bytes, size_t len, const char *text, size_t invalid_line,
                        size_t garbled_line)
{
    struct buf out;
    struct values_faults found = {99, 99};
    buf_init(&out, VALUES_TEXT_MAX_BYTES);
    values_read(bytes, len, &out, &found);
    assert_string_equal(out.data ? out.data : "", text);
    assert_int_equal(found.invalid_line, invalid_line);
    assert_int_equal(found.garbled_line, garbled_line);
    assert_false(out.overflowed);
    buf_release(&out);
}

static void lines_become_values(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
        size_t invalid_line, garbled_line;
    } cases[] = {
        {"", "", 0, 0},
        {"\n\n", "", 0, 0},
        {"a=1\n", "a=1\n", 0, 0},
        {"a=1", "a=1\n", 0, 0},
        {"a=1\nb=2\na=3\n", "a=3\nb=2\n", 0, 0}, /* the last wins, in the first one's place */
        {"a=\n", "a=\n", 0, 0},
        {"a==b=c\n", "a==b=c\n", 0, 0},
        {" a = b \n", " a = b \n", 0, 0}, /* exactly as written */
        {"a=1\nhello\nb=2\n=x\n", "a=1\nb=2\n", 2, 0},
        {"=x", "", 1, 0},
        {"a=\xff\xc3\xa4\n", "a=\xef\xbf\xbd\xc3\xa4\n", 0, 1},
        {"\na=1\nb=\xc3\nc=\xff\nx", "a=1\nb=\xef\xbf\xbd\nc=\xef\xbf\xbd\n", 5, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_read(cases[i].bytes, strlen(cases[i].bytes), cases[i].text, cases[i].invalid_line,
                    cases[i].garbled_line);
    assert_read("a=\0b\n", 5,
                "a=\xef\xbf\xbd"
                "b\n",
                0, 1);
}

/* Every byte a bad one, and as many keys as there can be. */
static void the_largest_file(void **state)
{
    (void)state;
    static char bytes[VALUES_MAX_BYTES];
    struct buf out;
    struct values_faults faults;
    memset(bytes, 0xff, sizeof bytes);
    bytes[1] = '=';
    buf_init(&out, VALUES_TEXT_MAX_BYTES);
    values_read(bytes, sizeof bytes, &out, &faults);
    assert_false(out.overflowed);
    assert_int_equal(out.len, (sizeof bytes - 1) * 3 + 2);
    buf_clear(&out);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = "k=\n"[i % 3];
    values_read(bytes, sizeof bytes, &out, &faults);
    assert_string_equal(out.data, "k=\n");
    buf_release(&out);
}

static void keys_are_found_whole(void **state)
{
    (void)state;
    static const char text[] = "rows=12\nrow=1\nmore rows=\nx=a=b\n";
    static const char *const cases[][2] = {
        {"rows", "12"}, {"row", "1"},      {"more rows", ""}, {"x", "a=b"},
        {"ro", NULL},   {"rows=12", NULL}, {"12", NULL},      {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = 0;
        const char *value = values_find(text, cases[i][0], strlen(cases[i][0]), &len);
        assert_int_equal(value != NULL, cases[i][1] != NULL);
        if (value) {
            assert_int_equal(len, strlen(cases[i][1]));
            assert_memory_equal(value, cases[i][1], len);
        }
    }
    size_t len;
    assert_null(values_find(NULL, "a", 1, &len));
}

static void all_of_them_in_order(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    struct field_list list = values_pairs("b=1\na=x=y\n", &arena);
    const struct field_pair *pairs = list.items;
    assert_int_equal(list.count, 2);
    assert_string_equal(pairs[0].key, "b");
    assert_string_equal(pairs[0].value, "1");
    assert_string_equal(pairs[1].key, "a");
    assert_string_equal(pairs[1].value, "x=y");
    assert_int_equal(values_pairs(NULL, &arena).count, 0);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_values),
        cmocka_unit_test(the_largest_file),
        cmocka_unit_test(keys_are_found_whole),
        cmocka_unit_test(all_of_them_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
