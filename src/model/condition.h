/*
 * IF_ELSE: comparisons and the condition that joins them (RULES §6).
 *
 * Parsed and checked at save; operands are substituted afterwards, so what a reference yields is
 * never parsed. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/def.h"

enum comparison_op { OP_EQ, OP_NE, OP_GE, OP_LE, OP_GT, OP_LT };

/* `left OP right`, split at the first OP outside quotes and braces; blanks trimmed, one pair of
 * quotes removed. Operands may still hold references. */
struct comparison {
    enum comparison_op op;
    const char *left;
    const char *right;
};

enum err_code comparison_parse(const char *text, struct arena *arena, struct comparison *ret,
                               struct err *err);
/* == and != compare strings, the others decimal numbers of any length exactly; an operand that is
 * not one → ERR_INVALID_PARAMETER naming it. */
enum err_code comparison_eval(enum comparison_op op, const char *left, const char *right,
                              bool *ret, struct err *err);

/* Keys joined by AND, OR, NOT and parentheses; NOT binds tightest, then AND. */
struct condition;

/* Keys must be alphanumeric, unique, not AND/OR/NOT; the condition may name no other. Depth
 * ≤ DEF_MAX_CONDITION_DEPTH. */
enum err_code condition_parse(const char *text, const struct if_expression *expressions,
                              size_t count, struct arena *arena, struct condition **ret,
                              struct err *err);
/* `values[i]` is the result of expressions[i]. */
bool condition_eval(const struct condition *condition, const bool *values);
