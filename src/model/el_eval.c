#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/el_date.h"
#include "model/el_internal.h"

struct evaluation {
    const char *text;
    const struct el_scope *scope;
    struct arena *arena;
    struct err *err;
};

/* ---- kinds ---- */

static const char *kind_name(const struct el_value *value)
{
    static const char *const names[] = {"null",     "a truth", "a number",
                                        "a number", "a text",  "a date"};
    return names[value->kind];
}

/* As java.lang.Double.toString: the fewest digits that tell it from its neighbours. */
static const char *double_text(double value, struct arena *arena)
{
    enum { DIGITS_MAX = 17, ROOM = 40 };
    char text[ROOM];
    if (isnan(value) || isinf(value))
        return isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    if (value == 0)
        return signbit(value) ? "-0.0" : "0.0";
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && digits++ < DIGITS_MAX);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -3 && exponent < 7) {
        int decimals = digits - 1 - exponent;
        snprintf(text, sizeof text, "%.*f", decimals > 0 ? decimals : 1, value);
        return arena_strdup(arena, text);
    }
    *strchr(text, 'e') = '\0';
    return arena_printf(arena, "%s%sE%d", text, strchr(text, '.') ? "" : ".0", exponent);
}

const char *el_to_text(const struct el_value *value, const struct el_scope *scope,
                       struct arena *arena)
{
    struct err ignored;
    struct buf out;
    switch (value->kind) {
    case EL_NULL:
        return "";
    case EL_TRUTH:
        return value->number ? "true" : "false";
    case EL_LONG:
        return arena_printf(arena, "%lld", (long long)value->number);
    case EL_DOUBLE:
        return double_text(value->real, arena);
    case EL_TEXT:
        return value->text;
    case EL_DATE:
        break;
    }
    buf_init(&out, EL_MAX_PATTERN);
    if (el_date_format(value->number, "yyyy-MM-dd HH:mm:ss", &scope->clock, &out, &ignored))
        buf_clear(&out);
    const char *text = arena_memdup(arena, out.data ? out.data : "", out.len);
    buf_release(&out);
    return text;
}

enum err_code el_to_truth(const struct el_value *value, bool *ret, struct err *err)
{
    if (value->kind == EL_NULL || value->kind == EL_TRUTH) {
        *ret = value->number != 0;
        return ERR_OK;
    }
    bool is_true = value->kind == EL_TEXT && strcasecmp(value->text, "true") == 0;
    if (is_true ||
        (value->kind == EL_TEXT && (!*value->text || !strcasecmp(value->text, "false")))) {
        *ret = is_true;
        return ERR_OK;
    }
    if (value->kind == EL_TEXT)
        return err_set(err, ERR_INVALID_PARAMETER, "\"%.100s\" is neither true nor false",
                       value->text);
    return err_set(err, ERR_INVALID_PARAMETER, "%s is neither true nor false", kind_name(value));
}

static bool text_is_double(const char *text)
{
    return strpbrk(text, ".eE") != NULL;
}

/* A decimal number and nothing besides: strtod knows more than Java's expressions do. */
static bool is_decimal(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    return *p && strspn(p, "0123456789.eE+-") == strlen(p) && p[0] != 'e' && p[0] != 'E';
}

/* LONG or DOUBLE; null and the empty text are 0. */
static bool to_number(const struct evaluation *eval, const struct el_value *value,
                      struct el_value *ret)
{
    struct el_value number = {.kind = EL_LONG};
    if (value->kind == EL_LONG || value->kind == EL_DOUBLE) {
        *ret = *value;
        return true;
    }
    if (value->kind == EL_NULL || (value->kind == EL_TEXT && !*value->text)) {
        *ret = number;
        return true;
    }
    if (value->kind != EL_TEXT) {
        err_set(eval->err, ERR_INVALID_PARAMETER, "%s is no number", kind_name(value));
        return false;
    }
    char *end = NULL;
    errno = 0;
    if (is_decimal(value->text) && text_is_double(value->text)) {
        number.kind = EL_DOUBLE;
        number.real = strtod(value->text, &end);
    } else if (is_decimal(value->text)) {
        number.number = strtoll(value->text, &end, 10);
    }
    if (!end || *end || errno == ERANGE) {
        err_set(eval->err, ERR_INVALID_PARAMETER, "\"%.100s\" is no number", value->text);
        return false;
    }
    *ret = number;
    return true;
}

static double real_of(const struct el_value *number)
{
    return number->kind == EL_DOUBLE ? number->real : (double)number->number;
}

static struct el_value truth(bool value)
{
    return (struct el_value){.kind = EL_TRUTH, .number = value};
}

/* ---- arithmetic ---- */

static bool divide(const struct evaluation *eval, enum el_op op, const struct el_value *a,
                   const struct el_value *b, struct el_value *ret)
{
    if (real_of(b) == 0) {
        err_set(eval->err, ERR_INVALID_PARAMETER, "nothing can be divided by 0");
        return false;
    }
    if (op == EL_OP_DIV)
        *ret = (struct el_value){.kind = EL_DOUBLE, .real = real_of(a) / real_of(b)};
    else if (a->kind == EL_DOUBLE || b->kind == EL_DOUBLE)
        *ret = (struct el_value){.kind = EL_DOUBLE, .real = fmod(real_of(a), real_of(b))};
    else /* the least number % -1 overflows */
        *ret = (struct el_value){.kind = EL_LONG,
                                 .number = b->number == -1 ? 0 : a->number % b->number};
    return true;
}

static bool calculate(const struct evaluation *eval, enum el_op op, const struct el_value *left,
                      const struct el_value *right, struct el_value *ret)
{
    struct el_value a = {.kind = EL_LONG};
    struct el_value b = {.kind = EL_LONG};
    if (!to_number(eval, left, &a) || !to_number(eval, right, &b))
        return false;
    if (op == EL_OP_DIV || op == EL_OP_MOD)
        return divide(eval, op, &a, &b, ret);
    if (a.kind == EL_DOUBLE || b.kind == EL_DOUBLE) {
        double x = real_of(&a);
        double y = real_of(&b);
        *ret = (struct el_value){.kind = EL_DOUBLE,
                                 .real = op == EL_OP_ADD   ? x + y
                                         : op == EL_OP_SUB ? x - y
                                                           : x * y};
        return true;
    }
    int64_t result = 0;
    bool overflows = op == EL_OP_ADD   ? __builtin_add_overflow(a.number, b.number, &result)
                     : op == EL_OP_SUB ? __builtin_sub_overflow(a.number, b.number, &result)
                                       : __builtin_mul_overflow(a.number, b.number, &result);
    if (overflows) {
        err_set(eval->err, ERR_INVALID_PARAMETER, "the number does not fit into 64 bits");
        return false;
    }
    *ret = (struct el_value){.kind = EL_LONG, .number = result};
    return true;
}

static bool negate(const struct evaluation *eval, const struct el_value *value,
                   struct el_value *ret)
{
    static const struct el_value zero = {.kind = EL_LONG};
    struct el_value number = {.kind = EL_NULL};
    if (!to_number(eval, value, &number))
        return false;
    if (number.kind == EL_LONG)
        return calculate(eval, EL_OP_SUB, &zero, &number, ret);
    *ret = (struct el_value){.kind = EL_DOUBLE, .real = -number.real};
    return true;
}

/* ---- comparisons ---- */

static int order_of(bool less, bool equal)
{
    return less ? -1 : !equal;
}

static bool either(const struct el_value *a, const struct el_value *b, enum el_kind kind)
{
    return a->kind == kind || b->kind == kind;
}

/* Numbers when one is a number, dates when both are; else as texts. */
static bool compare(const struct evaluation *eval, const struct el_value *left,
                    const struct el_value *right, int *ret)
{
    if (either(left, right, EL_LONG) || either(left, right, EL_DOUBLE)) {
        struct el_value a = {.kind = EL_LONG};
        struct el_value b = {.kind = EL_LONG};
        if (!to_number(eval, left, &a) || !to_number(eval, right, &b))
            return false;
        bool real = either(&a, &b, EL_DOUBLE);
        *ret = real ? order_of(real_of(&a) < real_of(&b), real_of(&a) == real_of(&b))
                    : order_of(a.number < b.number, a.number == b.number);
        return true;
    }
    if (left->kind == EL_DATE && right->kind == EL_DATE) {
        *ret = order_of(left->number < right->number, left->number == right->number);
        return true;
    }
    *ret = strcmp(el_to_text(left, eval->scope, eval->arena),
                  el_to_text(right, eval->scope, eval->arena));
    return true;
}

static bool equals(const struct evaluation *eval, const struct el_value *left,
                   const struct el_value *right, bool *ret)
{
    bool a = false;
    bool b = false;
    int order = 0;
    if (either(left, right, EL_NULL)) {
        *ret = left->kind == right->kind;
        return true;
    }
    if (either(left, right, EL_TRUTH) && !either(left, right, EL_LONG) &&
        !either(left, right, EL_DOUBLE)) {
        if (el_to_truth(left, &a, eval->err) || el_to_truth(right, &b, eval->err))
            return false;
        *ret = a == b;
        return true;
    }
    if (!compare(eval, left, right, &order))
        return false;
    *ret = order == 0;
    return true;
}

static bool relate(const struct evaluation *eval, enum el_op op, const struct el_value *left,
                   const struct el_value *right, struct el_value *ret)
{
    int order = 0;
    bool equal = false;
    if (op == EL_OP_EQ || op == EL_OP_NE) {
        if (!equals(eval, left, right, &equal))
            return false;
        *ret = truth(equal == (op == EL_OP_EQ));
        return true;
    }
    if (either(left, right, EL_NULL)) {
        *ret = truth(left->kind == right->kind && (op == EL_OP_LE || op == EL_OP_GE));
        return true;
    }
    if (either(left, right, EL_TRUTH)) {
        err_set(eval->err, ERR_INVALID_PARAMETER, "a truth is neither less nor greater");
        return false;
    }
    if (!compare(eval, left, right, &order))
        return false;
    *ret = truth(op == EL_OP_LT   ? order < 0
                 : op == EL_OP_GT ? order > 0
                 : op == EL_OP_LE ? order <= 0
                                  : order >= 0);
    return true;
}

/* ---- the tree ---- */

static bool evaluate(const struct evaluation *eval, const struct el_node *node,
                     struct el_value *ret);

/* A message gets its place once, where it arose. */
static bool place(const struct evaluation *eval, const struct el_node *node, const char *what)
{
    const struct err detail = *eval->err;
    err_set(eval->err, detail.code, "%s at character %zu: %.350s", what,
            el_place(eval->text, node->at), detail.message);
    return false;
}

/* A text that is written out, with its parameters put in. */
static bool fill(const struct evaluation *eval, const struct el_node *node, struct el_value *ret)
{
    struct buf out;
    *ret = node->value;
    if (node->value.kind != EL_TEXT || !strstr(node->value.text, "${"))
        return true;
    buf_init(&out, EL_MAX_RESULT);
    for (const char *p = node->value.text; *p;) {
        size_t span = el_parameter_span(p);
        const char *value = span ? el_parameter(p, span, eval->scope, eval->arena) : NULL;
        if (value)
            buf_puts(&out, value);
        else
            buf_add(&out, p, span ? span : 1);
        p += span ? span : 1;
    }
    bool fits = !out.overflowed;
    if (fits)
        ret->text = arena_memdup(eval->arena, out.data, out.len);
    buf_release(&out);
    if (fits)
        return true;
    err_set(eval->err, ERR_INVALID_PARAMETER, "is longer than %d bytes", EL_MAX_RESULT);
    return place(eval, node, "The text");
}

static bool find_parameter(const struct evaluation *eval, const struct el_node *node,
                           struct el_value *ret)
{
    const char *name = node->value.text;
    const char *value = el_parameter(name, strlen(name), eval->scope, eval->arena);
    if (value) {
        *ret = (struct el_value){.kind = EL_TEXT, .text = value};
        return true;
    }
    err_set(eval->err, ERR_INVALID_PARAMETER, "there is no parameter of that name");
    return place(eval, node, name);
}

static bool convert(const struct evaluation *eval, char kind, struct el_value *value)
{
    struct el_value number = {.kind = EL_NULL};
    if (kind == EL_ARG_DATE) {
        if (value->kind == EL_DATE)
            return true;
        err_set(eval->err, ERR_INVALID_PARAMETER, "%s is no date (see DateUtil.parseDate)",
                kind_name(value));
        return false;
    }
    if (kind != EL_ARG_NUMBER) {
        *value =
            (struct el_value){.kind = EL_TEXT, .text = el_to_text(value, eval->scope, eval->arena)};
        return true;
    }
    if (!to_number(eval, value, &number))
        return false;
    if (number.kind == EL_LONG ||
        (number.real == floor(number.real) && fabs(number.real) < (double)INT32_MAX)) {
        int64_t whole = number.kind == EL_LONG ? number.number : (int64_t)number.real;
        *value = (struct el_value){.kind = EL_LONG, .number = whole};
        return true;
    }
    err_set(eval->err, ERR_INVALID_PARAMETER, "%s is no whole number",
            double_text(number.real, eval->arena));
    return false;
}

static bool call(const struct evaluation *eval, const struct el_node *node, struct el_value *ret)
{
    const struct el_function *function = node->function;
    struct el_value args[EL_MAX_ARGS] = {{.kind = EL_NULL}};
    const char *kinds = function->args ? function->args : "";
    const char *name = arena_printf(eval->arena, "%s.%s", function->space, function->name);
    for (size_t i = 0; kinds[i]; i++) {
        if (!evaluate(eval, node->args[i], &args[i]))
            return false;
        if (!convert(eval, kinds[i], &args[i]))
            return place(eval, node, name);
    }
    return function->call(eval->scope, args, eval->arena, ret, eval->err) == ERR_OK ||
           place(eval, node, name);
}

static bool is_empty(const struct el_value *value)
{
    return value->kind == EL_NULL || (value->kind == EL_TEXT && !*value->text);
}

/* The second side counts only where the first does not decide. */
static bool join(const struct evaluation *eval, const struct el_node *node,
                 const struct el_value *left, struct el_value *ret)
{
    struct el_value right = {.kind = EL_NULL};
    bool is_true = false;
    if (el_to_truth(left, &is_true, eval->err))
        return place(eval, node, "The operator");
    if (is_true == (node->op == EL_OP_OR)) {
        *ret = truth(is_true);
        return true;
    }
    if (!evaluate(eval, node->args[1], &right))
        return false;
    if (el_to_truth(&right, &is_true, eval->err))
        return place(eval, node, "The operator");
    *ret = truth(is_true);
    return true;
}

static bool choose(const struct evaluation *eval, const struct el_node *node,
                   const struct el_value *condition, struct el_value *ret)
{
    bool is_true = false;
    if (el_to_truth(condition, &is_true, eval->err))
        return place(eval, node, "The operator");
    return evaluate(eval, node->args[is_true ? 1 : 2], ret);
}

static bool operate(const struct evaluation *eval, const struct el_node *node,
                    const struct el_value *left, struct el_value *ret)
{
    struct el_value right = {.kind = EL_NULL};
    bool good;
    if (node->args[1] && !evaluate(eval, node->args[1], &right))
        return false;
    if (node->op == EL_OP_EMPTY) {
        *ret = truth(is_empty(left));
        return true;
    }
    if (node->op == EL_OP_NOT) {
        bool is_true = false;
        good = !el_to_truth(left, &is_true, eval->err);
        if (good)
            *ret = truth(!is_true);
    } else if (node->op == EL_OP_NEGATE) {
        good = negate(eval, left, ret);
    } else if (node->op >= EL_OP_ADD) {
        good = calculate(eval, node->op, left, &right, ret);
    } else {
        good = relate(eval, node->op, left, &right, ret);
    }
    return good || place(eval, node, "The operator");
}

/* Recursion ends at EL_MAX_DEPTH. */
static bool evaluate(const struct evaluation *eval, const struct el_node *node,
                     struct el_value *ret)
{
    struct el_value first = {.kind = EL_NULL};
    if (eval->arena->used > EL_MAX_WORK) {
        err_set(eval->err, ERR_INVALID_PARAMETER,
                "needs more than %d MiB for what it puts together", EL_MAX_WORK >> 20);
        return place(eval, node, "The expression");
    }
    if (node->op == EL_OP_VALUE)
        return fill(eval, node, ret);
    if (node->op == EL_OP_PARAMETER)
        return find_parameter(eval, node, ret);
    if (node->op == EL_OP_CALL)
        return call(eval, node, ret);
    if (!evaluate(eval, node->args[0], &first))
        return false;
    if (node->op == EL_OP_CHOOSE)
        return choose(eval, node, &first, ret);
    if (node->op == EL_OP_OR || node->op == EL_OP_AND)
        return join(eval, node, &first, ret);
    return operate(eval, node, &first, ret);
}

enum err_code el_evaluate(const struct el_node *node, const char *text,
                          const struct el_scope *scope, struct arena *arena, struct el_value *ret,
                          struct err *err)
{
    const struct evaluation eval = {text, scope, arena, err};
    struct el_value value = {.kind = EL_NULL};
    if (!evaluate(&eval, node, &value))
        return err->code;
    *ret = value;
    return ERR_OK;
}
