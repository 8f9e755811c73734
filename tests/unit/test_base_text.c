/* base: buf, utf8, hex, percent, json, err, timefmt. */
#include "unit/unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/timefmt.h"
#include "base/utf8.h"

/* ---- buf ---- */

static void buf_grows_and_ends_with_nul(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 1000; i++)
        BUF_LIT(&buf, "abc");
    buf_putc(&buf, '!');
    assert_int_equal(buf.len, 3001);
    assert_int_equal(strlen(buf.data), 3001);
    size_t len = 0;
    char *text = buf_detach(&buf, &len);
    assert_int_equal(len, 3001);
    assert_null(buf.data);
    free(text);
    text = buf_detach(&buf, NULL);
    assert_string_equal(text, "");
    free(text);
}

static void buf_stops_at_its_maximum(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    buf_puts(&buf, "0123456789");
    assert_false(buf.overflowed);
    buf_add(&buf, "", 0);
    assert_false(buf.overflowed);
    buf_putc(&buf, 'x');
    assert_true(buf.overflowed);
    assert_string_equal(buf.data, "0123456789");
    buf_clear(&buf);
    assert_false(buf.overflowed);
    buf_printf(&buf, "%d", 1234567890);
    assert_string_equal(buf.data, "1234567890");
    buf_printf(&buf, "%s", "x");
    assert_true(buf.overflowed);
    assert_null(buf_reserve(&buf, 0));
    buf_release(&buf);
    assert_int_equal(buf.max_bytes, 10);
}

static void buf_prints_integers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {42, "42"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf, 64);
        buf_int(&buf, cases[i].value);
        assert_string_equal(buf.data, cases[i].text);
        buf_release(&buf);
    }
}

static void buf_json_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"q\"b\\n\nr\rt\t", "\"q\\\"b\\\\n\\nr\\rt\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\xb5", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\xb5\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"a\xc3", "\"a\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf, 256);
        buf_json_string(&buf, cases[i].text);
        assert_string_equal(buf.data, cases[i].json);
        buf_release(&buf);
    }
    struct buf buf;
    buf_init(&buf, 64);
    buf_json_string_len(&buf, "a\0b", 3);
    assert_string_equal(buf.data, "\"a\\u0000b\"");
    buf_release(&buf);
}

/* What is printed is read back as it was, for every valid text. */
static void buf_json_round_trip(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",        "\"",           "\\",
                                         "\n",       "\x7f",         "\xc3\xa9",
                                         "\x1b",     "\xe2\x82\xac", "\xf0\x9f\x8e\xb5",
                                         "\xc2\x80", "{{job.id}}",   "/"};
    struct draw draw = {.state = 11};
    for (int round = 0; round < 500; round++) {
        struct buf text, json;
        buf_init(&text, 1 << 12);
        buf_init(&json, 1 << 14);
        for (uint32_t n = draw_below(&draw, 40); n; n--)
            buf_puts(&text, pieces[draw_below(&draw, ARRAY_LEN(pieces))]);
        buf_puts(&text, "");
        buf_json_string(&json, text.data);
        struct err err;
        json_t *value = json_parse(json.data, json.len, &err);
        assert_non_null(value);
        assert_string_equal(json_string_value(value), text.data);
        json_decref(value);
        buf_release(&text);
        buf_release(&json);
    }
}

/* ---- utf8 ---- */

static void utf8_knows_valid_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xc3", 0},
        {"\xc3(", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0},
        {"\xed\xbf\xbf", 0},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xe2\x82", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_sequence(cases[i].text, strlen(cases[i].text)), cases[i].width);
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0b", 3));
    assert_false(utf8_valid("ab\xc3", 3));
    assert_int_equal(utf8_length("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5"), 4);
}

static void utf8_cuts_between_sequences(void **state)
{
    (void)state;
    const char *text = "a\xe2\x82\xac"
                       "b"; /* 1 + 3 + 1 bytes */
    static const size_t expected[] = {0, 1, 1, 1, 4, 5, 5};
    for (size_t max = 0; max < ARRAY_LEN(expected); max++)
        assert_int_equal(utf8_cut(text, 5, max), expected[max]);
}

/* ---- hex, percent ---- */

static void hex_reads_two_digits(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "1", "g0", "0g", " 1", "+1", "0x", "-1", "0:", "@0"};
    assert_int_equal(hex_byte("00"), 0);
    assert_int_equal(hex_byte("9f and more"), 0x9f);
    assert_int_equal(hex_byte("Af"), 0xaf);
    assert_int_equal(hex_byte("fF"), 0xff);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(hex_byte(wrong[i]), -1);
}

static void hex_writes_bytes(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x9f, 0xaf, 0xff};
    char text[2 * sizeof bytes + 1];
    hex_text(bytes, sizeof bytes, text);
    assert_string_equal(text, "009fafff");
}

static void percent_decodes_what_is_whole(void **state)
{
    (void)state;
    static const char *const wrong[] = {"%", "%4", "a%", "%4g", "%g1", "%00", "%%41"};
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(percent_decode("%41b%2Fc+d", 10, false, &arena), "Ab/c+d");
    assert_string_equal(percent_decode("a+b%2b", 6, true, &arena), "a b+");
    assert_null(percent_decode("%41", 2, false, &arena)); /* its end is the length's */
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_null(percent_decode(wrong[i], strlen(wrong[i]), true, &arena));
    arena_release(&arena);
}

/* ---- json ---- */

static void json_takes_one_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *refusal; /* NULL: accepted */
    } cases[] = {
        {"{}", NULL},
        {" [1, 2.5, \"a\", true, null] ", NULL},
        {"1", NULL},
        {"\"\\u00e9\"", NULL},
        {"", "not valid JSON"},
        {"{", "not valid JSON"},
        {"{} {}", "not valid JSON"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"\"a\\u0000b\"", NULL}, /* refused where its field is known */
        {"{\"a\\u0000b\":1}", "not valid JSON"},
        {"\"\xff\"", "not valid JSON"},
        {"{'a':1}", "not valid JSON"},
        {"99999999999999999999", "out of range"},
        {"[1,]", "not valid JSON"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        json_t *value = json_parse(cases[i].text, strlen(cases[i].text), &err);
        if (cases[i].refusal) {
            assert_null(value);
            assert_refused(&err, ERR_CANNOT_PARSE, cases[i].refusal);
        } else {
            assert_non_null(value);
        }
        json_decref(value);
    }
}

static json_t *parse_nested(int depth, struct err *err)
{
    char text[2 * (JSON_MAX_DEPTH + 2) + 1];
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    return json_parse(text, 2 * (size_t)depth, err);
}

static void json_counts_values(void **state)
{
    (void)state;
    enum { ITEM = 3 };
    /* each of these counts twice: as an object, and by the comma behind it */
    const size_t fits = JSON_MAX_VALUES / 2 - 1;
    const size_t len = 1 + ITEM * (fits + 4);
    char *text = xmalloc(len + 1);
    for (size_t i = 0; i < fits + 4; i++)
        memcpy(text + 1 + ITEM * i, "{},", ITEM);
    text[0] = '[';
    assert_true(json_is_small(text, 1 + ITEM * fits));
    assert_false(json_is_small(text, len));
    assert_true(json_is_small("{\"a\":\",,,[[[\"}", 15));
    free(text);
}

static void json_limits_depth(void **state)
{
    (void)state;
    struct err err;
    json_t *value = parse_nested(JSON_MAX_DEPTH, &err);
    assert_non_null(value);
    json_decref(value);
    assert_null(parse_nested(JSON_MAX_DEPTH + 1, &err));
    assert_refused(&err, ERR_CANNOT_PARSE, "nested deeper than 64");
    /* Brackets in strings do not count, escaped quotes do not end one. */
    const char *text =
        "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"";
    value = json_parse(text, strlen(text), &err);
    assert_non_null(value);
    json_decref(value);
    assert_null(json_parse("\"abc\\", 5, &err));
}

static void json_names_kinds(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "an object"}, {"[]", "an array"},    {"\"\"", "a string"},   {"1", "an integer"},
        {"1.0", "a number"}, {"true", "a boolean"}, {"false", "a boolean"}, {"null", "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        json_t *value = json_parse(cases[i][0], strlen(cases[i][0]), &err);
        assert_string_equal(json_kind(value), cases[i][1]);
        json_decref(value);
    }
}

/* ---- err ---- */

static void err_codes_and_messages(void **state)
{
    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_int_equal(err_http_status(ERR_INVALID_PARAMETER), 400);
    assert_int_equal(err_http_status(ERR_INCORRECT_STATE), 409);
    assert_string_equal(err_code_text(ERR_NOT_AUTHORIZED_OR_NOT_FOUND), "NotAuthorizedOrNotFound");
    for (int code = 0; code < ERR_COUNT; code++)
        assert_non_null(err_code_text((enum err_code)code));
    struct err err;
    assert_int_equal(err_set(&err, ERR_INTERNAL, "%d %s", 1, "a"), ERR_INTERNAL);
    assert_string_equal(err.message, "1 a");
    /* A message may be made of the one before it. */
    err_set(&err, err.code, "tasks[0] %s", err.message);
    assert_string_equal(err.message, "tasks[0] 1 a");
}

static void err_messages_are_cut_between_characters(void **state)
{
    (void)state;
    char text[ERR_MESSAGE_MAX * 2];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        size_t len = shift;
        for (; len + 4 < sizeof text; len += 4)
            memcpy(text + len, "\xf0\x9f\x8e\xb5", 4);
        text[len] = '\0';
        struct err err;
        err_set(&err, ERR_INTERNAL, "%s", text);
        size_t kept = strlen(err.message);
        assert_true(kept < ERR_MESSAGE_MAX && kept >= ERR_MESSAGE_MAX - 4);
        assert_true(utf8_valid(err.message, kept));
    }
}

/* ---- timefmt ---- */

static void time_is_printed_and_read(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
        int weekday;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", 4},
        {-1, "1969-12-31T23:59:59.999Z", 3},
        {951782400000, "2000-02-29T00:00:00.000Z", 2},
        {4107542399999, "2100-02-28T23:59:59.999Z", 7},
        {1769860800000, "2026-01-31T12:00:00.000Z", 6},
        {-62135596800000, "0001-01-01T00:00:00.000Z", 1},
        {253402300799999, "9999-12-31T23:59:59.999Z", 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TIMEFMT_TEXT];
        int64_t ms = 1;
        assert_string_equal(timefmt_rfc3339(cases[i].ms, text), cases[i].text);
        assert_true(timefmt_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
        struct civil at = civil_from_ms(cases[i].ms);
        assert_int_equal(at.iso_weekday, cases[i].weekday);
        assert_int_equal(civil_to_ms(&at), cases[i].ms);
    }
}

static void time_offsets_and_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31t19:30:00-04:30", 0},
        {"1970-01-01T00:00:00z", 0},
        {"1970-01-01T00:00:00.1Z", 100},
        {"1970-01-01T00:00:00.123456789Z", 123},
        {"1970-01-01T00:00:60Z", 60000},
        {"1970-01-01T00:00:00-00:00", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = -7;
        assert_true(timefmt_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void time_refuses_the_rest(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-1-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.1234567890Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00Zx",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = 77;
        if (timefmt_parse(cases[i], &ms))
            fail_msg("accepted: %s", cases[i]);
        assert_int_equal(ms, 77);
    }
}

/* Every day of 400 years follows the one before it. */
static void time_calendar_is_complete(void **state)
{
    (void)state;
    struct civil before = civil_from_ms(-1);
    for (int64_t day = 0; day < 146097; day++) {
        struct civil at = civil_from_ms(day * 86400000 + 1);
        bool next_day = at.day == before.day + 1 && at.month == before.month;
        bool next_month = at.day == 1 && before.day >= 28 && at.month == before.month % 12 + 1;
        assert_true(next_day || next_month);
        assert_int_equal(at.iso_weekday, before.iso_weekday % 7 + 1);
        assert_int_equal(civil_to_ms(&at), day * 86400000 + 1);
        before = at;
    }
    assert_int_equal(before.year, 2369);
}

static void dates_of_headers_have_one_form(void **state)
{
    static const char *const bad_http[] = {"",
                                           "Thu, 5 Jan 2014 21:31:40 GMT",
                                           "Thu, 05 Jan 2014 21:31:40 UTC",
                                           "Thu, 05 Jan 2014 21:31:40 GMT ",
                                           "Thu, 30 Feb 2014 21:31:40 GMT",
                                           "Thu, 05 Jon 2014 21:31:40 GMT",
                                           "Thu, 05 Jan 2014 24:31:40 GMT",
                                           "Thursday, 05-Jan-14 21:31:40 GMT",
                                           "2014-01-05T21:31:40Z"};
    static const char *const bad_basic[] = {"",
                                            "20140105T213140",
                                            "20140105 213140Z",
                                            "20141305T213140Z",
                                            "2014-01-05T21:31:40Z",
                                            "20140105T213140Z "};
    int64_t ms = 0;
    (void)state;
    assert_true(timefmt_parse_http("Sun, 05 Jan 2014 21:31:40 GMT", &ms));
    assert_int_equal(ms, 1388957500000);
    assert_true(timefmt_parse_basic("20140105T213140Z", &ms));
    assert_int_equal(ms, 1388957500000);
    for (size_t i = 0; i < ARRAY_LEN(bad_http); i++)
        assert_false(timefmt_parse_http(bad_http[i], &ms));
    for (size_t i = 0; i < ARRAY_LEN(bad_basic); i++)
        assert_false(timefmt_parse_basic(bad_basic[i], &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_grows_and_ends_with_nul),
        cmocka_unit_test(buf_stops_at_its_maximum),
        cmocka_unit_test(buf_prints_integers),
        cmocka_unit_test(buf_json_strings),
        cmocka_unit_test(buf_json_round_trip),
        cmocka_unit_test(utf8_knows_valid_sequences),
        cmocka_unit_test(utf8_cuts_between_sequences),
        cmocka_unit_test(hex_reads_two_digits),
        cmocka_unit_test(hex_writes_bytes),
        cmocka_unit_test(percent_decodes_what_is_whole),
        cmocka_unit_test(json_takes_one_text),
        cmocka_unit_test(json_counts_values),
        cmocka_unit_test(json_limits_depth),
        cmocka_unit_test(json_names_kinds),
        cmocka_unit_test(err_codes_and_messages),
        cmocka_unit_test(err_messages_are_cut_between_characters),
        cmocka_unit_test(time_is_printed_and_read),
        cmocka_unit_test(time_offsets_and_fractions),
        cmocka_unit_test(time_refuses_the_rest),
        cmocka_unit_test(time_calendar_is_complete),
        cmocka_unit_test(dates_of_headers_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
