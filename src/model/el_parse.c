#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"
#include "model/el_date.h"
#include "model/el_internal.h"

/* ---- tokens ---- */

enum lex_kind { LEX_END, LEX_NUMBER, LEX_TEXT, LEX_NAME, LEX_PARAMETER, LEX_SIGN };

struct token {
    enum lex_kind kind;
    const char *at;
    size_t len;
    struct el_value value; /* of a number or a text */
};

struct parser {
    const char *text; /* the whole */
    const char *next; /* behind the token */
    struct token token;
    uint32_t depth;
    const struct el_check *check;
    struct arena *arena;
    struct err *err;
};

static bool refuse(struct parser *parser, const char *at, const char *what)
{
    err_set(parser->err, ERR_INVALID_PARAMETER, "%s at character %zu", what,
            el_place(parser->text, at));
    return false;
}

static bool is_identifier_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

/* What the token is, for "… where X stands". */
static const char *shown(const struct parser *parser)
{
    enum { SHOWN_BYTES = 60 };
    const struct token *token = &parser->token;
    if (token->kind == LEX_END)
        return "the end";
    size_t len = utf8_cut(token->at, token->len, SHOWN_BYTES);
    return arena_printf(parser->arena, "%.*s%s", (int)len, token->at, len < token->len ? "…" : "");
}

static bool expected(struct parser *parser, const char *what)
{
    err_set(parser->err, ERR_INVALID_PARAMETER, "must have %s where %s stands at character %zu",
            what, shown(parser), el_place(parser->text, parser->token.at));
    return false;
}

/* Quotes, with a backslash before a quote or a backslash inside. */
static bool read_text(struct parser *parser, const char *p)
{
    char quote = *p;
    const char *end = p + 1;
    while (*end && *end != quote)
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end)
        return refuse(parser, p, "has a text that is not closed");
    char *text = arena_memdup(parser->arena, p + 1, (size_t)(end - p - 1));
    char *out = text;
    for (const char *in = text; *in; in++) {
        if (*in == '\\' && in[1] && strchr("\\'\"", in[1]))
            in++;
        *out++ = *in;
    }
    *out = '\0';
    parser->token = (struct token){.kind = LEX_TEXT,
                                   .at = p,
                                   .len = (size_t)(end + 1 - p),
                                   .value = {.kind = EL_TEXT, .text = text}};
    return true;
}

static bool read_number(struct parser *parser, const char *p)
{
    enum { DIGITS_MAX = 64 };
    const char *end = p + strspn(p, "0123456789");
    bool is_real = *end == '.' && is_digit(end[1]);
    if (is_real)
        end += 1 + strspn(end + 1, "0123456789");
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
        if (is_digit(*exponent)) {
            is_real = true;
            end = exponent + strspn(exponent, "0123456789");
        }
    }
    if (end - p > DIGITS_MAX)
        return refuse(parser, p, "has a number that is too long");
    const char *number = arena_memdup(parser->arena, p, (size_t)(end - p));
    struct el_value value = {.kind = is_real ? EL_DOUBLE : EL_LONG};
    errno = 0;
    if (is_real)
        value.real = strtod(number, NULL);
    else
        value.number = strtoll(number, NULL, 10);
    if (errno == ERANGE)
        return refuse(parser, p, "has a number that is too large");
    parser->token = (struct token){LEX_NUMBER, p, (size_t)(end - p), value};
    return true;
}

static bool advance(struct parser *parser)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "&&", "||"};
    const char *p = parser->next + strspn(parser->next, " \t\r\n");
    size_t len = el_parameter_span(p);
    bool good = true;
    if (!*p || *p == '}') {
        parser->token = (struct token){.kind = LEX_END, .at = p};
    } else if (len) {
        parser->token = (struct token){.kind = LEX_PARAMETER, .at = p, .len = len};
    } else if (*p == '\'' || *p == '"') {
        good = read_text(parser, p);
    } else if (is_digit(*p)) {
        good = read_number(parser, p);
    } else if (is_identifier_char(*p)) {
        while (is_identifier_char(p[len]))
            len++;
        parser->token = (struct token){.kind = LEX_NAME, .at = p, .len = len};
    } else {
        for (size_t i = 0; !len && i < sizeof signs / sizeof signs[0]; i++)
            len = strncmp(p, signs[i], 2) == 0 ? 2 : 0;
        if (!len)
            len = utf8_sequence(p, strnlen(p, 4));
        parser->token = (struct token){.kind = LEX_SIGN, .at = p, .len = len ? len : 1};
    }
    if (good)
        parser->next = parser->token.at + parser->token.len;
    return good;
}

static bool token_is(const struct parser *parser, const char *text)
{
    const struct token *token = &parser->token;
    return (token->kind == LEX_SIGN || token->kind == LEX_NAME) && token->len == strlen(text) &&
           memcmp(token->at, text, token->len) == 0;
}

/* Takes the sign, or says what was expected. */
static bool take_sign(struct parser *parser, const char *sign)
{
    return token_is(parser, sign) ? advance(parser) : expected(parser, sign);
}

/* ---- the tree ---- */

static struct el_node *new_node(struct parser *parser, enum el_op op, const char *at)
{
    struct el_node *node = ARENA_NEW(parser->arena, struct el_node);
    node->op = op;
    node->depth = 1;
    node->at = at;
    return node;
}

/* Nothing is evaluated that is deeper than this, however it is written. */
static bool add_arg(struct parser *parser, struct el_node *node, int index, struct el_node *arg)
{
    node->args[index] = arg;
    if (arg->depth + 1 > node->depth)
        node->depth = arg->depth + 1;
    if (node->depth <= EL_MAX_DEPTH)
        return true;
    err_set(parser->err, ERR_INVALID_PARAMETER, "nests more than %d deep at character %zu",
            EL_MAX_DEPTH, el_place(parser->text, node->at));
    return false;
}

static bool enter(struct parser *parser)
{
    if (++parser->depth <= EL_MAX_DEPTH)
        return true;
    err_set(parser->err, ERR_INVALID_PARAMETER, "nests more than %d deep at character %zu",
            EL_MAX_DEPTH, el_place(parser->text, parser->token.at));
    return false;
}

static bool parse_choice(struct parser *parser, struct el_node **ret);

/* ---- names and calls ---- */

static const char *token_text(const struct parser *parser)
{
    return arena_memdup(parser->arena, parser->token.at, parser->token.len);
}

/* The member of a space: .name or ["name"]. */
static bool take_member(struct parser *parser, const char *space, const char **ret)
{
    bool bracket = token_is(parser, "[");
    if (!bracket && !token_is(parser, ".")) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "must have a name behind %s at character %zu: %s", space,
                el_place(parser->text, parser->token.at), el_function_names(space, parser->arena));
        return false;
    }
    if (!advance(parser))
        return false;
    if (parser->token.kind != (bracket ? LEX_TEXT : LEX_NAME))
        return expected(parser, bracket ? "a name in quotes" : "a name");
    *ret = bracket ? parser->token.value.text : token_text(parser);
    return advance(parser) && (!bracket || take_sign(parser, "]"));
}

/* What can be known of an argument that is written out. */
static bool check_argument(struct parser *parser, const struct el_function *function, char kind,
                           const struct el_node *arg)
{
    const char *text = arg->value.text;
    struct err detail;
    if (arg->op != EL_OP_VALUE)
        return true;
    if (kind == EL_ARG_TASK && arg->value.kind == EL_TEXT && parser->check &&
        !parser->check->is_upstream(parser->check->context, text)) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "%s.%s at character %zu must name a task upstream, which \"%.100s\" is not",
                function->space, function->name, el_place(parser->text, arg->at), text);
        return false;
    }
    bool is_plain = arg->value.kind == EL_TEXT && !strstr(text, "${");
    if (kind == EL_ARG_PATTERN && is_plain && el_date_check(text, &detail)) {
        err_set(parser->err, ERR_INVALID_PARAMETER, "%s.%s at character %zu %.300s",
                function->space, function->name, el_place(parser->text, arg->at), detail.message);
        return false;
    }
    if (kind == EL_ARG_DATE) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "%s.%s must have a date at character %zu, such as Job.planTime", function->space,
                function->name, el_place(parser->text, arg->at));
        return false;
    }
    return true;
}

static bool wrong_count(struct parser *parser, const struct el_function *function, const char *at)
{
    size_t count = strlen(function->args);
    err_set(parser->err, ERR_INVALID_PARAMETER, "%s.%s at character %zu takes %zu argument%s",
            function->space, function->name, el_place(parser->text, at), count,
            count == 1 ? "" : "s");
    return false;
}

static bool parse_arguments(struct parser *parser, struct el_node *node)
{
    const struct el_function *function = node->function;
    size_t want = strlen(function->args);
    size_t count = 0;
    if (!take_sign(parser, "("))
        return false;
    while (!token_is(parser, ")")) {
        struct el_node *arg = NULL;
        if (count && !take_sign(parser, ","))
            return false;
        if (!parse_choice(parser, &arg))
            return false;
        if (count == want)
            return wrong_count(parser, function, node->at);
        if (!check_argument(parser, function, function->args[count], arg) ||
            !add_arg(parser, node, (int)count, arg))
            return false;
        count++;
    }
    return count == want ? advance(parser) : wrong_count(parser, function, node->at);
}

static bool parse_call(struct parser *parser, struct el_node **ret)
{
    const char *at = parser->token.at;
    const char *space = token_text(parser);
    const char *names = el_function_names(space, parser->arena);
    const char *name = NULL;
    if (!names) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "\"%.60s\" at character %zu is not known here: %s, or a text in quotes", space,
                el_place(parser->text, at), el_function_names(NULL, parser->arena));
        return false;
    }
    if (!advance(parser) || !take_member(parser, space, &name))
        return false;
    struct el_node *node = new_node(parser, EL_OP_CALL, at);
    node->function = el_function_find(space, name);
    if (!node->function) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "%s.%.60s at character %zu is not known here: %s has %s", space, name,
                el_place(parser->text, at), space, names);
        return false;
    }
    if (!strcmp(space, "Job") && node->function->args &&
        strchr(node->function->args, EL_ARG_TASK) && parser->check && !parser->check->is_upstream) {
        err_set(parser->err, ERR_INVALID_PARAMETER,
                "%s.%s at character %zu stands where there are no tasks", space, name,
                el_place(parser->text, at));
        return false;
    }
    *ret = node;
    return !node->function->args || parse_arguments(parser, node);
}

/* ---- expressions ---- */

static bool parse_word(struct parser *parser, struct el_node **ret)
{
    static const struct {
        const char *word;
        struct el_value value;
    } words[] = {{"true", {.kind = EL_TRUTH, .number = 1}},
                 {"false", {.kind = EL_TRUTH}},
                 {"null", {.kind = EL_NULL}}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!token_is(parser, words[i].word))
            continue;
        *ret = new_node(parser, EL_OP_VALUE, parser->token.at);
        (*ret)->value = words[i].value;
        return advance(parser);
    }
    return parse_call(parser, ret);
}

static bool parse_parentheses(struct parser *parser, struct el_node **ret)
{
    return advance(parser) && parse_choice(parser, ret) && take_sign(parser, ")");
}

static bool parse_primary(struct parser *parser, struct el_node **ret)
{
    const char *at = parser->token.at;
    switch (parser->token.kind) {
    case LEX_NUMBER:
    case LEX_TEXT:
        *ret = new_node(parser, EL_OP_VALUE, at);
        (*ret)->value = parser->token.value;
        return advance(parser);
    case LEX_PARAMETER:
        *ret = new_node(parser, EL_OP_PARAMETER, at);
        (*ret)->value = (struct el_value){.kind = EL_TEXT, .text = token_text(parser)};
        return advance(parser);
    case LEX_NAME:
        return parse_word(parser, ret);
    case LEX_SIGN:
        if (token_is(parser, "("))
            return parse_parentheses(parser, ret);
        break;
    case LEX_END:
        break;
    }
    return expected(parser, "a value");
}

static bool parse_unary(struct parser *parser, struct el_node **ret)
{
    bool is_not = token_is(parser, "!") || token_is(parser, "not");
    bool is_empty = token_is(parser, "empty");
    if (!is_not && !is_empty && !token_is(parser, "-")) {
        if (!parse_primary(parser, ret))
            return false;
        if (token_is(parser, ".") || token_is(parser, "["))
            return refuse(parser, parser->token.at, "has a value without members or elements");
        return true;
    }
    enum el_op op = is_not ? EL_OP_NOT : is_empty ? EL_OP_EMPTY : EL_OP_NEGATE;
    struct el_node *node = new_node(parser, op, parser->token.at);
    struct el_node *arg = NULL;
    if (!enter(parser) || !advance(parser) || !parse_unary(parser, &arg))
        return false;
    parser->depth--;
    *ret = node;
    return add_arg(parser, node, 0, arg);
}

/* Operators with two sides, the weakest first; each level joins from the left. */
enum { LEVELS = 6 };
static const struct {
    int level;
    enum el_op op;
    const char *sign;
    const char *word;
} operators[] = {
    {0, EL_OP_OR, "||", "or"},  {1, EL_OP_AND, "&&", "and"}, {2, EL_OP_EQ, "==", "eq"},
    {2, EL_OP_NE, "!=", "ne"},  {3, EL_OP_LT, "<", "lt"},    {3, EL_OP_GT, ">", "gt"},
    {3, EL_OP_LE, "<=", "le"},  {3, EL_OP_GE, ">=", "ge"},   {4, EL_OP_ADD, "+", "+"},
    {4, EL_OP_SUB, "-", "-"},   {5, EL_OP_MUL, "*", "*"},    {5, EL_OP_DIV, "/", "div"},
    {5, EL_OP_MOD, "%", "mod"},
};

/* The operator of that level that stands here; false: another thing does. */
static bool operator_here(const struct parser *parser, int level, enum el_op *ret)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (operators[i].level != level ||
            (!token_is(parser, operators[i].sign) && !token_is(parser, operators[i].word)))
            continue;
        *ret = operators[i].op;
        return true;
    }
    return false;
}

/* Recurses once for each level. */
static bool parse_level(struct parser *parser, int level, struct el_node **ret)
{
    enum el_op op = EL_OP_VALUE;
    if (level == LEVELS)
        return parse_unary(parser, ret);
    if (!parse_level(parser, level + 1, ret))
        return false;
    while (operator_here(parser, level, &op)) {
        struct el_node *node = new_node(parser, op, parser->token.at);
        struct el_node *right = NULL;
        if (!advance(parser) || !parse_level(parser, level + 1, &right) ||
            !add_arg(parser, node, 0, *ret) || !add_arg(parser, node, 1, right))
            return false;
        *ret = node;
    }
    return true;
}

static bool parse_choice(struct parser *parser, struct el_node **ret)
{
    struct el_node *parts[EL_MAX_ARGS] = {NULL};
    if (!enter(parser) || !parse_level(parser, 0, &parts[0]))
        return false;
    *ret = parts[0];
    if (token_is(parser, "?")) {
        struct el_node *node = new_node(parser, EL_OP_CHOOSE, parser->token.at);
        if (!advance(parser) || !parse_choice(parser, &parts[1]) || !take_sign(parser, ":") ||
            !parse_choice(parser, &parts[2]))
            return false;
        for (int i = 0; i < EL_MAX_ARGS; i++)
            if (!add_arg(parser, node, i, parts[i]))
                return false;
        *ret = node;
    }
    parser->depth--;
    return true;
}

enum err_code el_parse(const char *text, const char **cursor, const struct el_check *check,
                       struct arena *arena, struct el_node **ret, struct err *err)
{
    struct parser parser = {
        .text = text, .next = *cursor, .check = check, .arena = arena, .err = err};
    struct el_node *node = NULL;
    if (!advance(&parser) || !parse_choice(&parser, &node))
        return err->code;
    if (parser.token.kind != LEX_END) {
        expected(&parser, "an operator or the end");
        return err->code;
    }
    *cursor = parser.token.at;
    *ret = node;
    return ERR_OK;
}
