/*
 * EL within: values, the tree of an expression, and what its names stand for.
 *
 *   el.c            texts: where expressions stand in them
 *   el_parse.c      from an expression to a tree, with everything that can be known at save checked
 *   el_eval.c       from a tree to a value: operators and what kinds of values become of one another
 *   el_functions.c  Job, DateUtil and Env
 *   el_date.c       patterns and the calendar
 */
#pragma once

#include "base/arena.h"
#include "model/el.h"

enum el_kind { EL_NULL, EL_TRUTH, EL_LONG, EL_DOUBLE, EL_TEXT, EL_DATE };

struct el_value {
    enum el_kind kind;
    int64_t number; /* TRUTH: 0 or 1; LONG; DATE: ms */
    double real;
    const char *text;
};

enum el_op {
    EL_OP_VALUE,     /* of `value`; parameters are put into a text */
    EL_OP_PARAMETER, /* ${name}, named by `value` */
    EL_OP_CALL,
    EL_OP_CHOOSE,
    EL_OP_OR,
    EL_OP_AND,
    EL_OP_EQ,
    EL_OP_NE,
    EL_OP_LT,
    EL_OP_GT,
    EL_OP_LE,
    EL_OP_GE,
    EL_OP_ADD,
    EL_OP_SUB,
    EL_OP_MUL,
    EL_OP_DIV,
    EL_OP_MOD,
    EL_OP_NOT,
    EL_OP_NEGATE,
    EL_OP_EMPTY,
};

enum { EL_MAX_ARGS = 3 }; /* of a function, and operands of an operator */

struct el_function;

struct el_node {
    enum el_op op;
    uint32_t depth; /* of the tree below, itself included */
    const char *at; /* in the text, for messages */
    struct el_value value;
    const struct el_function *function;
    struct el_node *args[EL_MAX_ARGS];
};

/* What a function takes: a letter for each argument. */
#define EL_ARG_DATE    'd'
#define EL_ARG_NUMBER  'n'
#define EL_ARG_TEXT    's'
#define EL_ARG_PATTERN 'p' /* of a date */
#define EL_ARG_TASK    't' /* a taskKey */

struct el_function {
    const char *space;
    const char *name;
    const char *args; /* NULL: a property, without parentheses */
    /* `args` are of the kinds that it takes. What it says is wrong is of the whole call. */
    enum err_code (*call)(const struct el_scope *scope, const struct el_value *args,
                          struct arena *arena, struct el_value *ret, struct err *err);
};

/* NULL: none. */
const struct el_function *el_function_find(const char *space, const char *name);
/* The names of a space, "name, planTime, …"; of NULL the spaces; NULL when there is no such space. */
const char *el_function_names(const char *space, struct arena *arena);

/* The tree of the expression that begins at *cursor, which moves behind it: to the end of the text or
 * the } that closes it. `text` is the whole, for places. */
enum err_code el_parse(const char *text, const char **cursor, const struct el_check *check,
                       struct arena *arena, struct el_node **ret, struct err *err);

/* `text` is the whole that it was parsed from. */
enum err_code el_evaluate(const struct el_node *node, const char *text,
                          const struct el_scope *scope, struct arena *arena, struct el_value *ret,
                          struct err *err);
/* As it is put into a text. */
const char *el_to_text(const struct el_value *value, const struct el_scope *scope,
                       struct arena *arena);
enum err_code el_to_truth(const struct el_value *value, bool *ret, struct err *err);

/* Bytes of the ${name} that `text` begins with, 0 when it begins with none. */
size_t el_parameter_span(const char *text);
/* The value of the parameter of that span, or NULL. */
const char *el_parameter(const char *text, size_t span, const struct el_scope *scope,
                         struct arena *arena);

/* The number of a character for messages, from 1. */
size_t el_place(const char *text, const char *at);
