#include "model/condition.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"
#include "model/reference.h"

/* ---- comparisons: parsing ---- */

static const char digits[] = "0123456789";
static const char blanks[] = " \t\r\n";

/* Behind what stands at `p`: a reference or one byte. */
static const char *skip_piece(const char *p)
{
    size_t span = reference_span(p);
    return p + (span ? span : 1);
}

/* Behind the quote that closes the one at `p`; NULL when none does. */
static const char *skip_quoted(const char *p)
{
    char quote = *p++;
    while (*p && *p != quote)
        p = skip_piece(p);
    return *p ? p + 1 : NULL;
}

/* Length of the operator at `p`, 0 when there is none; the longer ones come first. */
static size_t operator_at(const char *p, enum comparison_op *ret)
{
    static const struct {
        const char *text;
        enum comparison_op op;
    } operators[] = {{"==", OP_EQ}, {"!=", OP_NE}, {">=", OP_GE},
                     {"<=", OP_LE}, {">", OP_GT},  {"<", OP_LT}};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t len = strlen(operators[i].text);
        if (strncmp(p, operators[i].text, len) == 0) {
            *ret = operators[i].op;
            return len;
        }
    }
    return 0;
}

/* Trims blanks and takes off the quotes that enclose the whole. NULL when nothing stands there. */
static const char *operand(const char *text, size_t len, struct arena *arena)
{
    while (len && strchr(blanks, *text)) {
        text++;
        len--;
    }
    while (len && strchr(blanks, text[len - 1]))
        len--;
    if (!len)
        return NULL;
    if ((*text == '\'' || *text == '"') && skip_quoted(text) == text + len) {
        text++;
        len -= 2;
    }
    return arena_memdup(arena, text, len);
}

enum err_code comparison_parse(const char *text, struct arena *arena, struct comparison *ret,
                               struct err *err)
{
    enum comparison_op op = OP_EQ;
    const char *p = text;
    size_t op_len = 0;
    /* The right side is looked through as well: its quotes must be closed. */
    const char *split = NULL;
    while (*p) {
        size_t found = split ? 0 : operator_at(p, &op);
        if (found) {
            split = p;
            op_len = found;
            p += found;
        } else if (*p == '\'' || *p == '"') {
            p = skip_quoted(p);
            if (!p)
                return err_set(err, ERR_INVALID_PARAMETER, "must have balanced quotes");
        } else {
            p = skip_piece(p);
        }
    }
    if (!split)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "must be a comparison: left, one of == != >= <= > <, right");
    const char *left = operand(text, (size_t)(split - text), arena);
    const char *right = operand(split + op_len, strlen(split + op_len), arena);
    if (!left || !right)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "must have something on the %s of its operator ('' is the empty text)",
                       left ? "right" : "left");
    *ret = (struct comparison){op, left, right};
    return ERR_OK;
}

/* ---- comparisons: decimal numbers ---- */

/* 0.DIGITS × 10^point, where DIGITS has no zero at either end. */
struct decimal {
    bool negative;
    const char *digits; /* may hold the '.'; see next_digit */
    const char *end;
    int64_t point; /* meaningless for zero: no digits */
};

/* The next digit of what is left, '0' for ever once all are taken. */
static char next_digit(const char **p, const char *end)
{
    if (*p < end && **p == '.')
        (*p)++;
    return *p < end ? *(*p)++ : '0';
}

static bool parse_exponent(const char *p, int64_t *ret)
{
    *ret = 0;
    if (!*p)
        return true;
    if (*p != 'e' && *p != 'E')
        return false;
    p++;
    int sign = *p == '-' ? -1 : 1;
    if (*p == '-' || *p == '+')
        p++;
    size_t len = strspn(p, digits);
    if (!len || p[len])
        return false;
    int64_t value = 0;
    for (; *p; p++) {
        value = value * 10 + (*p - '0');
        if (value > COMPARISON_MAX_EXPONENT)
            return false;
    }
    *ret = sign * value;
    return true;
}

static bool decimal_parse(const char *text, struct decimal *ret)
{
    const char *p = text;
    struct decimal number = {.negative = *p == '-'};
    if (*p == '-' || *p == '+')
        p++;
    size_t whole = strspn(p, digits);
    size_t fraction = p[whole] == '.' ? strspn(p + whole + 1, digits) : 0;
    if (!whole || (p[whole] == '.' && !fraction))
        return false;
    number.digits = p;
    number.end = p + whole + (fraction ? fraction + 1 : 0);
    int64_t exponent;
    if (!parse_exponent(number.end, &exponent))
        return false;
    /* Zeros at the front move the point, zeros at the back say nothing. */
    number.point = (int64_t)whole + exponent;
    for (; number.digits < number.end && strchr("0.", *number.digits); number.digits++)
        if (*number.digits == '0')
            number.point--;
    while (number.end > number.digits && strchr("0.", number.end[-1]))
        number.end--;
    *ret = number;
    return true;
}

/* <0, 0 or >0, of what stands without the signs. */
static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
    bool a_zero = a->digits == a->end;
    bool b_zero = b->digits == b->end;
    if (a_zero || b_zero)
        return (int)b_zero - (int)a_zero;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    const char *p = a->digits;
    const char *q = b->digits;
    while (p < a->end || q < b->end) {
        int difference = next_digit(&p, a->end) - next_digit(&q, b->end);
        if (difference)
            return difference;
    }
    return 0;
}

static int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    bool zeros = a->digits == a->end && b->digits == b->end;
    if (zeros || a->negative == b->negative) {
        int order = compare_magnitude(a, b);
        return a->negative ? -order : order;
    }
    return a->negative ? -1 : 1;
}

static enum err_code parse_operand(const char *text, struct decimal *ret, struct err *err)
{
    enum { SHOWN_BYTES = 100 };
    if (decimal_parse(text, ret))
        return ERR_OK;
    size_t len = strlen(text);
    size_t shown = utf8_cut(text, len, SHOWN_BYTES);
    return err_set(err, ERR_INVALID_PARAMETER, "operand \"%.*s%s\" is not a decimal number",
                   (int)shown, text, shown < len ? "…" : "");
}

enum err_code comparison_eval(enum comparison_op op, const char *left, const char *right, bool *ret,
                              struct err *err)
{
    if (op == OP_EQ || op == OP_NE) {
        *ret = (strcmp(left, right) == 0) == (op == OP_EQ);
        return ERR_OK;
    }
    struct decimal a = {0};
    struct decimal b = {0};
    enum err_code code = parse_operand(left, &a, err);
    if (!code)
        code = parse_operand(right, &b, err);
    if (code)
        return code;
    int order = decimal_compare(&a, &b);
    *ret = op == OP_GE   ? order >= 0
           : op == OP_LE ? order <= 0
           : op == OP_GT ? order > 0
                         : order < 0;
    return ERR_OK;
}

/* ---- conditions ---- */

/* A condition is kept in postfix order. A code is an index into the expressions or one of these. */
enum { CODE_AND = -1, CODE_OR = -2, CODE_NOT = -3 };

struct condition {
    size_t count;
    int16_t *codes;
};

/* Operands that wait at once while it is evaluated: on each level of parentheses the left sides of
 * an OR and of an AND, and the newest. */
enum { STACK_MAX = 2 * (DEF_MAX_CONDITION_DEPTH + 1) + 1 };

struct condition_parser {
    const char *at;
    size_t len;                   /* of the token at `at`, 0 at the end */
    int depth;                    /* open parentheses and NOTs */
    const struct str_map *by_key; /* key → index + 1 */
    struct condition *condition;
    struct err *err;
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void next_token(struct condition_parser *parser)
{
    const char *p = parser->at + parser->len;
    p += strspn(p, blanks);
    size_t len = 0;
    while (is_alphanumeric(p[len]))
        len++;
    parser->at = p;
    if (!len && *p) {
        size_t width = utf8_sequence(p, strnlen(p, 4)); /* shown whole in messages */
        len = width ? width : 1;
    }
    parser->len = len;
}

static bool token_is(const struct condition_parser *parser, const char *text)
{
    return parser->len == strlen(text) && memcmp(parser->at, text, parser->len) == 0;
}

static bool is_word(const char *text)
{
    return strcmp(text, "AND") == 0 || strcmp(text, "OR") == 0 || strcmp(text, "NOT") == 0;
}

static void emit(struct condition_parser *parser, int code)
{
    parser->condition->codes[parser->condition->count++] = (int16_t)code;
}

static bool refuse_token(struct condition_parser *parser, const char *expected)
{
    enum { SHOWN_BYTES = 100 };
    if (!parser->len)
        err_set(parser->err, ERR_INVALID_PARAMETER, "condition must have %s at its end", expected);
    else
        err_set(parser->err, ERR_INVALID_PARAMETER, "condition must have %s where \"%.*s\" stands",
                expected, (int)(parser->len < SHOWN_BYTES ? parser->len : SHOWN_BYTES), parser->at);
    return false;
}

static bool enter(struct condition_parser *parser)
{
    next_token(parser);
    if (++parser->depth <= DEF_MAX_CONDITION_DEPTH)
        return true;
    err_set(parser->err, ERR_INVALID_PARAMETER, "condition must nest at most %d levels deep",
            DEF_MAX_CONDITION_DEPTH);
    return false;
}

static bool parse_key(struct condition_parser *parser)
{
    char key[DEF_MAX_EXPRESSION_KEY + 1];
    uintptr_t place = 0;
    if (parser->len && parser->len <= DEF_MAX_EXPRESSION_KEY) {
        memcpy(key, parser->at, parser->len);
        key[parser->len] = '\0';
        place = (uintptr_t)str_map_get(parser->by_key, key);
    }
    if (!place)
        return refuse_token(parser, "the key of an expression, NOT or (");
    emit(parser, (int)place - 1);
    next_token(parser);
    return true;
}

static bool parse_or(struct condition_parser *parser);

/* Recursion ends at DEF_MAX_CONDITION_DEPTH. */
static bool parse_not(struct condition_parser *parser)
{
    if (token_is(parser, "NOT")) {
        if (!enter(parser) || !parse_not(parser))
            return false;
        emit(parser, CODE_NOT);
    } else if (token_is(parser, "(")) {
        if (!enter(parser) || !parse_or(parser))
            return false;
        if (!token_is(parser, ")"))
            return refuse_token(parser, "AND, OR or )");
        next_token(parser);
    } else {
        return parse_key(parser);
    }
    parser->depth--;
    return true;
}

static bool parse_and(struct condition_parser *parser)
{
    if (!parse_not(parser))
        return false;
    while (token_is(parser, "AND")) {
        next_token(parser);
        if (!parse_not(parser))
            return false;
        emit(parser, CODE_AND);
    }
    return true;
}

static bool parse_or(struct condition_parser *parser)
{
    if (!parse_and(parser))
        return false;
    while (token_is(parser, "OR")) {
        next_token(parser);
        if (!parse_and(parser))
            return false;
        emit(parser, CODE_OR);
    }
    return true;
}

static enum err_code take_keys(const struct if_expression *expressions, size_t count,
                               struct str_map *by_key, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = expressions[i].key;
        size_t len = 0;
        while (is_alphanumeric(key[len]))
            len++;
        if (!len || key[len] || len > DEF_MAX_EXPRESSION_KEY)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "expressions[%zu].key must be 1 to %d letters and digits", i,
                           DEF_MAX_EXPRESSION_KEY);
        if (is_word(key))
            return err_set(err, ERR_INVALID_PARAMETER,
                           "expressions[%zu].key must not be AND, OR or NOT", i);
        if (str_map_add(by_key, key, (void *)(uintptr_t)(i + 1)))
            return err_set(err, ERR_INVALID_PARAMETER, "expressions[%zu].key \"%s\" is given twice",
                           i, key);
    }
    return ERR_OK;
}

enum err_code condition_parse(const char *text, const struct if_expression *expressions,
                              size_t count, struct arena *arena, struct condition **ret,
                              struct err *err)
{
    assert(count <= INT16_MAX);
    struct str_map by_key;
    str_map_init(&by_key);
    enum err_code code = take_keys(expressions, count, &by_key, err);
    struct condition *condition = ARENA_NEW(arena, struct condition);
    condition->codes = ARENA_ARRAY(arena, strlen(text), int16_t);
    struct condition_parser parser = {
        .at = text, .by_key = &by_key, .condition = condition, .err = err};
    if (!code) {
        next_token(&parser);
        if (!parse_or(&parser) || (parser.len && !refuse_token(&parser, "AND or OR")))
            code = err->code;
    }
    str_map_release(&by_key);
    if (!code)
        *ret = condition;
    return code;
}

bool condition_eval(const struct condition *condition, const bool *values)
{
    bool stack[STACK_MAX] = {false};
    size_t height = 0;
    for (size_t i = 0; i < condition->count; i++) {
        int code = condition->codes[i];
        if (code >= 0) {
            assert(height < STACK_MAX);
            stack[height++] = values[code];
        } else if (code == CODE_NOT) {
            assert(height >= 1);
            stack[height - 1] = !stack[height - 1];
        } else {
            assert(height >= 2);
            height--;
            bool right = stack[height];
            bool left = stack[height - 1];
            stack[height - 1] = code == CODE_AND ? left && right : left || right;
        }
    }
    assert(height == 1);
    return stack[0];
}
