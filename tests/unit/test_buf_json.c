/* JSON strings of buf, byte for byte: they are scanned eight bytes at a time, so each kind of byte is
 * put at each place of a word, alone and beside its neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"

/* What the contract says, one byte after the other. */
static void print_slowly(const char *text, size_t len, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "\"");
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)text[i];
        size_t width = c < 0x80 ? 1 : utf8_sequence(text + i, len - i);
        if (c == '"' || c == '\\')
            used += (size_t)snprintf(out + used, size - used, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            used += (size_t)snprintf(out + used, size - used, "\\%c",
                                     c == '\n'   ? 'n'
                                     : c == '\r' ? 'r'
                                                 : 't');
        else if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
        else if (width)
            used += (size_t)snprintf(out + used, size - used, "%.*s", (int)width, text + i);
        else
            used += (size_t)snprintf(out + used, size - used, "\xef\xbf\xbd");
        i += width ? width : 1;
    }
    snprintf(out + used, size - used, "\"");
}

static void expect_same(const char *text, size_t len)
{
    char expected[512];
    struct buf buf;
    buf_init(&buf, 4096);
    print_slowly(text, len, expected, sizeof expected);
    buf_json_string_len(&buf, text, len);
    assert_string_equal(buf.data, expected);
    assert_int_equal(buf.len, strlen(expected));
    buf_release(&buf);
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 20; len++)
        for (size_t place = 0; place < len; place++)
            for (int c = 1; c < 256; c++) {
                char text[24];
                memset(text, 'x', sizeof text);
                text[place] = (char)c;
                expect_same(text, len);
            }
}

static void every_pair_of_neighbours(void **state)
{
    (void)state;
    for (int a = 1; a < 256; a++)
        for (int b = 1; b < 256; b++) {
            char text[16];
            memset(text, '~', sizeof text);
            text[6] = (char)a;
            text[7] = (char)b;
            text[8] = (char)a;
            expect_same(text, sizeof text);
        }
}

static void past_the_maximum_nothing_is_added(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 10);
    buf_json_string(&buf, "12345678");
    assert_false(buf.overflowed);
    assert_string_equal(buf.data, "\"12345678\"");
    buf_json_string(&buf, "");
    assert_true(buf.overflowed);
    assert_int_equal(buf.len, 10);
    buf_release(&buf);
}

/* What terminals obey, and nothing else; the JSON means the same. */
static void shown_json_has_nothing_that_is_obeyed(void **state)
{
    static const char json[] = "{\n\t\"a\": \"\u00e4\xc2\x9b\u202e\U0001f600\U000e0041\\n\x7f\"}";
    struct buf buf;
    (void)state;
    buf_init(&buf, 1000);
    buf_json_shown(&buf, json, sizeof json - 1);
    assert_string_equal(buf.data,
                        "{\n\t\"a\": \"\u00e4\\u009b\\u202e\U0001f600\\udb40\\udc41\\n\\u007f\"}");
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(every_pair_of_neighbours),
        cmocka_unit_test(past_the_maximum_nothing_is_added),
        cmocka_unit_test(shown_json_has_nothing_that_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
