/*
 * IF_ELSE: comparisons and the condition that joins them (RULES §6).
 *
 * Parsed and checked at save; operands are substituted afterwards, so what a reference yields is
 * never parsed. Pure functions; what they make is in the caller's arena. Messages say what the text
 * must be ("must …"), so that a caller puts the name of the field before them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/def.h"

enum comparison_op { OP_EQ, OP_NE, OP_GE, OP_LE, OP_GT, OP_LT };

/* `left OP right`, split at the first OP outside quotes and {{…}}; blanks trimmed, one pair of
 * quotes removed that encloses a whole operand. An operand without quotes is not empty; quotes,
 * ' or ", are closed. Operands may still hold references. */
struct comparison {
    enum comparison_op op;
    const char *left;
    const char *right;
};

enum err_code comparison_parse(const char *text, struct arena *arena, struct comparison *ret,
                               struct err *err);

/* == and != compare strings byte by byte, the others decimal numbers of any length exactly:
 * [+-] digits [. digits] [e [+-] digits], the exponent within ±COMPARISON_MAX_EXPONENT, no blanks.
 * An operand that is no such number → ERR_INVALID_PARAMETER naming it. */
enum { COMPARISON_MAX_EXPONENT = 999999999 };
enum err_code comparison_eval(enum comparison_op op, const char *left, const char *right, bool *ret,
                              struct err *err);

/* Keys joined by AND, OR, NOT and parentheses; NOT binds tightest, then AND. */
struct condition;

/* Keys must be alphanumeric (ASCII), unique, not AND/OR/NOT; the condition may name no other, and
 * need not name all. Parentheses and NOTs nest at most DEF_MAX_CONDITION_DEPTH deep. A message
 * about a key begins with "expressions[i].key", one about the condition with "condition". */
enum err_code condition_parse(const char *text, const struct if_expression *expressions,
                              size_t count, struct arena *arena, struct condition **ret,
                              struct err *err);
/* `values[i]` is the result of expressions[i]. */
bool condition_eval(const struct condition *condition, const bool *values);
