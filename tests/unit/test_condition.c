/* model/condition: comparisons and conditions of IF_ELSE (RULES §6). */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/condition.h"

/* ---- comparisons: parsing ---- */

static void comparisons_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum comparison_op op;
        const char *left;
        const char *right;
    } cases[] = {
        {"1==1", OP_EQ, "1", "1"},
        {" a != b ", OP_NE, "a", "b"},
        {"a>=b", OP_GE, "a", "b"},
        {"a<=b", OP_LE, "a", "b"},
        {"a>b", OP_GT, "a", "b"},
        {"a<b", OP_LT, "a", "b"},
        {"a > = b", OP_GT, "a", "= b"},
        {"a=b==c", OP_EQ, "a=b", "c"},
        {"a===b", OP_EQ, "a", "=b"},
        {"a != b == c", OP_NE, "a", "b == c"},
        {"'' == \"\"", OP_EQ, "", ""},
        {"' a ' == 'b'", OP_EQ, " a ", "b"},
        {"'a == b' != \"c > d\"", OP_NE, "a == b", "c > d"},
        {"\"it's\" == 'say \"x\"'", OP_EQ, "it's", "say \"x\""},
        {"'a' 'b' == c", OP_EQ, "'a' 'b'", "c"},
        {"''x'' == c", OP_EQ, "''x''", "c"},
        {"x'a'y == c", OP_EQ, "x'a'y", "c"},
        {"{{tasks.`a==b`.result_state}} == success", OP_EQ, "{{tasks.`a==b`.result_state}}",
         "success"},
        {"'{{tasks.`it's`.run_id}}' == ''", OP_EQ, "{{tasks.`it's`.run_id}}", ""},
        {"{{ x > y }} < 3", OP_LT, "{{ x > y }}", "3"},
        {"{{ x > y < 3", OP_GT, "{{ x", "y < 3"},
        {"{a==b}==c", OP_EQ, "{a", "b}==c"},
        {"\xc3\xa4 == \xc3\xb6", OP_EQ, "\xc3\xa4", "\xc3\xb6"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct comparison comparison;
        struct err err;
        if (comparison_parse(cases[i].text, &arena, &comparison, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_int_equal(comparison.op, cases[i].op);
        assert_string_equal(comparison.left, cases[i].left);
        assert_string_equal(comparison.right, cases[i].right);
        arena_release(&arena);
    }
}

static void comparisons_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "must be a comparison"},
        {"a", "must be a comparison"},
        {"a = b", "must be a comparison"},
        {"a ! b", "must be a comparison"},
        {"'a == b'", "must be a comparison"},
        {"{{ a == b }}", "must be a comparison"},
        {" == b", "on the left"},
        {"a == ", "on the right"},
        {"==", "on the left"},
        {"it's == a", "balanced quotes"},
        {"a == it's", "balanced quotes"},
        {"\"a == b", "balanced quotes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct comparison comparison;
        struct err err = {0};
        comparison_parse(cases[i][0], &arena, &comparison, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i][1]);
        arena_release(&arena);
    }
}

/* ---- comparisons: values ---- */

static bool holds(enum comparison_op op, const char *left, const char *right)
{
    struct err err;
    bool result = false;
    if (comparison_eval(op, left, right, &result, &err))
        fail_msg("%s", err.message);
    return result;
}

static void assert_order(const char *left, const char *right, int order)
{
    assert_int_equal(holds(OP_LT, left, right), order < 0);
    assert_int_equal(holds(OP_LE, left, right), order <= 0);
    assert_int_equal(holds(OP_GT, left, right), order > 0);
    assert_int_equal(holds(OP_GE, left, right), order >= 0);
}

static void texts_are_compared_as_texts(void **state)
{
    (void)state;
    assert_true(holds(OP_EQ, "a", "a"));
    assert_false(holds(OP_EQ, "12.0", "12"));
    assert_true(holds(OP_NE, "12.0", "12"));
    assert_false(holds(OP_EQ, "a", "A"));
    assert_true(holds(OP_EQ, "", ""));
    assert_false(holds(OP_EQ, "a", "a "));
}

static void numbers_are_compared_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *left;
        const char *right;
        int order;
    } cases[] = {
        {"12.0", "12", 0},
        {"10.0", "12", -1},
        {"9", "10", -1},
        {"-9", "-10", 1},
        {"-1", "1", -1},
        {"0", "-0.000", 0},
        {"+0", "0e99", 0},
        {"0", "0.0001", -1},
        {"0", "-0.0001", 1},
        {"007", "7.000", 0},
        {"0.1", "0.10", 0},
        {"0.1", "0.09", 1},
        {"1.05", "1.5", -1},
        {"100", "1e2", 0},
        {"1E2", "1e+2", 0},
        {"1e-2", "0.01", 0},
        {"123.456e3", "123456", 0},
        {"0.00001e5", "1", 0},
        {"1e999999999", "2e999999998", 1},
        {"-1e999999999", "1e-999999999", -1},
        {"1e000000000000001", "10", 0},
        {"9007199254740993", "9007199254740992", 1},
        {"0.1000000000000000000000000000000000000001", "0.1", 1},
        {"99999999999999999999999999999999999999", "100000000000000000000000000000000000000", -1},
        {"1.000", "1.0001", -1},
        {"120", "12", 1},
        {"10.01", "10.1", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_order(cases[i].left, cases[i].right, cases[i].order);
        assert_order(cases[i].right, cases[i].left, -cases[i].order);
    }
}

static void what_is_no_number_is_named(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",         " 1",
        "1 ",       "a",
        "1a",       ".5",
        "5.",       "1.2.3",
        "1,000",    "0x10",
        "1e",       "1e+",
        "1e1.5",    "--1",
        "+-1",      "inf",
        "nan",      "1e1000000000",
        "\xd9\xa1", "1e-1000000000",
        "1_000",    "1e99999999999999999999999",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        bool result;
        char part[64];
        snprintf(part, sizeof part, "operand \"%s\" is not a decimal number", cases[i]);
        assert_int_equal(comparison_eval(OP_LT, cases[i], "1", &result, &err),
                         ERR_INVALID_PARAMETER);
        assert_refused(&err, ERR_INVALID_PARAMETER, part);
        assert_int_equal(comparison_eval(OP_GE, "1", cases[i], &result, &err),
                         ERR_INVALID_PARAMETER);
        assert_refused(&err, ERR_INVALID_PARAMETER, part);
    }
}

/* A small number, written in one of its many forms. */
static void write_number(struct draw *draw, int64_t thousandths, struct buf *out)
{
    int64_t magnitude = thousandths < 0 ? -thousandths : thousandths;
    buf_puts(out, thousandths < 0 ? "-" : draw_one_in(draw, 2) ? "+" : "");
    for (uint32_t zeros = draw_below(draw, 3); zeros; zeros--)
        buf_putc(out, '0');
    if (draw_one_in(draw, 2)) {
        buf_printf(out, "%lld.%03lld", (long long)magnitude / 1000, (long long)magnitude % 1000);
        for (uint32_t zeros = draw_below(draw, 3); zeros; zeros--)
            buf_putc(out, '0');
    } else if (draw_one_in(draw, 2)) {
        buf_printf(out, "%llde-3", (long long)magnitude);
    } else {
        buf_printf(out, "0.%09llde+6", (long long)magnitude);
    }
}

static void numbers_in_all_their_forms(void **state)
{
    (void)state;
    struct draw draw = {.state = 41};
    for (int round = 0; round < 4000; round++) {
        int64_t range = draw_one_in(&draw, 2) ? 5 : 2000000;
        int64_t a = (int64_t)draw_below(&draw, (uint32_t)(2 * range)) - range;
        int64_t b = (int64_t)draw_below(&draw, (uint32_t)(2 * range)) - range;
        struct buf left, right;
        buf_init(&left, 100);
        buf_init(&right, 100);
        write_number(&draw, a, &left);
        write_number(&draw, b, &right);
        assert_order(left.data, right.data, (a > b) - (a < b));
        buf_release(&left);
        buf_release(&right);
    }
}

/* ---- conditions ---- */

static const struct if_expression abc[] = {{"A", "1==1"}, {"B", "1==1"}, {"c3", "1==1"}};

static void conditions_join(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *truth; /* for ABC = 000, 001, … 111 */
    } cases[] = {
        {"A", "00001111"},
        {" c3 ", "01010101"},
        {"NOT A", "11110000"},
        {"NOT NOT A", "00001111"},
        {"A AND B", "00000011"},
        {"A OR B", "00111111"},
        {"A OR B AND c3", "00011111"},
        {"(A OR B) AND c3", "00010101"},
        {"A AND B OR c3", "01010111"},
        {"NOT A AND B", "00110000"},
        {"NOT (A AND B)", "11111100"},
        {"NOT A OR B", "11110011"},
        {"A AND NOT B", "00001100"},
        {"A AND B AND c3", "00000001"},
        {"A OR B OR c3", "01111111"},
        {"A AND A AND A", "00001111"},
        {"((A))", "00001111"},
        {"NOT(A)AND(B)", "00110000"},
        {"A\tAND\nB", "00000011"},
        {"A AND (B OR (c3 AND (A OR NOT B)))", "00000111"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct condition *condition;
        struct err err;
        if (condition_parse(cases[i].text, abc, 3, &arena, &condition, &err))
            fail_msg("%s: %s", cases[i].text, err.message);
        for (int row = 0; row < 8; row++) {
            const bool values[] = {row & 4, row & 2, row & 1};
            if (condition_eval(condition, values) != (cases[i].truth[row] == '1'))
                fail_msg("%s, row %d", cases[i].text, row);
        }
        arena_release(&arena);
    }
}

static void conditions_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "condition must have the key of an expression, NOT or ( at its end"},
        {" ", "at its end"},
        {"D", "where \"D\" stands"},
        {"a", "where \"a\" stands"},
        {"A B", "AND or OR where \"B\" stands"},
        {"A and B", "where \"and\" stands"},
        {"A AND", "at its end"},
        {"AND A", "where \"AND\" stands"},
        {"NOT", "at its end"},
        {"A NOT B", "where \"NOT\" stands"},
        {"(A", "AND, OR or ) at its end"},
        {"A)", "where \")\" stands"},
        {"()", "where \")\" stands"},
        {"(A B)", "AND, OR or ) where \"B\" stands"},
        {"A && B", "where \"&\" stands"},
        {"A AND \xc3\xa4", "where \"\xc3\xa4\" stands"},
        {"{{job.id}}", "where \"{\" stands"},
        {"ANDA", "where \"ANDA\" stands"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct condition *condition;
        struct err err = {0};
        condition_parse(cases[i][0], abc, 3, &arena, &condition, &err);
        assert_refused(&err, ERR_INVALID_PARAMETER, cases[i][1]);
        arena_release(&arena);
    }
}

static void keys_of_expressions(void **state)
{
    (void)state;
    char longest[DEF_MAX_EXPRESSION_KEY + 2];
    memset(longest, 'k', sizeof longest);
    longest[DEF_MAX_EXPRESSION_KEY + 1] = '\0';
    const struct {
        struct if_expression items[2];
        const char *message; /* NULL: accepted */
    } cases[] = {
        {{{"A", ""}, {"a", ""}}, NULL},
        {{{"A", ""}, {longest + 1, ""}}, NULL},
        {{{"A", ""}, {longest, ""}}, "expressions[1].key must be 1 to 100 letters and digits"},
        {{{"A", ""}, {"1", ""}}, NULL},
        {{{"A", ""}, {"and", ""}}, NULL},
        {{{"A", ""}, {"A", ""}}, "expressions[1].key \"A\" is given twice"},
        {{{"A", ""}, {"", ""}}, "expressions[1].key must be"},
        {{{"A", ""}, {"a_b", ""}}, "expressions[1].key must be"},
        {{{"A", ""}, {"\xc3\xa4", ""}}, "expressions[1].key must be"},
        {{{"A", ""}, {"AND", ""}}, "must not be AND, OR or NOT"},
        {{{"A", ""}, {"OR", ""}}, "must not be AND, OR or NOT"},
        {{{"A", ""}, {"NOT", ""}}, "must not be AND, OR or NOT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena);
        struct condition *condition;
        struct err err = {0};
        enum err_code code = condition_parse("A", cases[i].items, 2, &arena, &condition, &err);
        if (cases[i].message)
            assert_refused(&err, ERR_INVALID_PARAMETER, cases[i].message);
        else
            assert_int_equal(code, ERR_OK);
        arena_release(&arena);
    }
}

static enum err_code parse_nested(int depth, const char *open, const char *inner, const char *close,
                                  struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int i = 0; i < depth; i++)
        buf_puts(&text, open);
    buf_puts(&text, inner);
    for (int i = 0; i < depth; i++)
        buf_puts(&text, close);
    struct condition *condition;
    enum err_code code = condition_parse(text.data, abc, 3, &arena, &condition, err);
    if (!code) {
        const bool values[] = {true, true, true};
        condition_eval(condition, values);
    }
    buf_release(&text);
    arena_release(&arena);
    return code;
}

static void conditions_nest_to_a_limit(void **state)
{
    (void)state;
    /* The last one makes as many operands wait as there can be. */
    static const char *const shapes[][3] = {
        {"(", "A", ")"}, {"NOT ", "A", ""}, {"A OR B AND (", "A OR B AND c3", ")"}};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct err err;
        const char *const *shape = shapes[i];
        assert_int_equal(parse_nested(64, shape[0], shape[1], shape[2], &err), ERR_OK);
        assert_int_equal(parse_nested(65, shape[0], shape[1], shape[2], &err),
                         ERR_INVALID_PARAMETER);
        assert_refused(&err, ERR_INVALID_PARAMETER, "at most 64 levels");
    }
    /* Breadth has no limit of its own. */
    struct err err;
    assert_int_equal(parse_nested(3000, "NOT A OR (B) AND ", "A", "", &err), ERR_OK);
}

/* Random conditions, written from a tree and evaluated both ways. */
static bool write_tree(struct draw *draw, int depth, const bool *values, struct buf *out)
{
    uint32_t shape = depth ? draw_below(draw, 4) : 0;
    if (shape == 0) {
        uint32_t key = draw_below(draw, 3);
        buf_puts(out, abc[key].key);
        return values[key];
    }
    if (shape == 1) {
        buf_puts(out, "NOT (");
        bool inner = write_tree(draw, depth - 1, values, out);
        buf_puts(out, ")");
        return !inner;
    }
    buf_puts(out, "(");
    bool left = write_tree(draw, depth - 1, values, out);
    buf_puts(out, shape == 2 ? ") AND (" : ") OR (");
    bool right = write_tree(draw, depth - 1, values, out);
    buf_puts(out, ")");
    return shape == 2 ? left && right : left || right;
}

static void random_conditions(void **state)
{
    (void)state;
    struct draw draw = {.state = 43};
    for (int round = 0; round < 1000; round++) {
        const bool values[] = {draw_one_in(&draw, 2), draw_one_in(&draw, 2), draw_one_in(&draw, 2)};
        struct buf text;
        buf_init(&text, 1 << 16);
        bool expected = write_tree(&draw, 7, values, &text);
        struct arena arena;
        arena_init(&arena);
        struct condition *condition;
        struct err err;
        assert_int_equal(condition_parse(text.data, abc, 3, &arena, &condition, &err), ERR_OK);
        assert_int_equal(condition_eval(condition, values), expected);
        arena_release(&arena);
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_are_split),
        cmocka_unit_test(comparisons_are_refused),
        cmocka_unit_test(texts_are_compared_as_texts),
        cmocka_unit_test(numbers_are_compared_exactly),
        cmocka_unit_test(what_is_no_number_is_named),
        cmocka_unit_test(numbers_in_all_their_forms),
        cmocka_unit_test(conditions_join),
        cmocka_unit_test(conditions_are_refused),
        cmocka_unit_test(keys_of_expressions),
        cmocka_unit_test(conditions_nest_to_a_limit),
        cmocka_unit_test(random_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
