#include "model/el.h"

#include <string.h>

#include "model/el_internal.h"

size_t el_place(const char *text, const char *at)
{
    size_t place = 1;
    for (const char *p = text; p < at; p++)
        place += ((unsigned char)*p & 0xc0) != 0x80;
    return place;
}

/* ---- parameters ---- */

static bool is_parameter_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

size_t el_parameter_span(const char *text)
{
    if (text[0] != '$' || text[1] != '{')
        return 0;
    size_t len = 2;
    while (is_parameter_char(text[len]))
        len++;
    return len > 2 && text[len] == '}' ? len + 1 : 0;
}

const char *el_parameter(const char *text, size_t span, const struct el_scope *scope,
                         struct arena *arena)
{
    const char *name = arena_memdup(arena, text + 2, span - 3);
    struct str_map *by_name = scope->parameters_by_name;
    if (!by_name) {
        const struct param *param = params_find(scope->parameters, scope->parameter_count, name);
        return param ? param->value : NULL;
    }
    const struct param *all = scope->parameters;
    if (!by_name->count)
        for (size_t i = 0; i < scope->parameter_count; i++)
            str_map_add(by_name, all[i].name, (void *)(uintptr_t)&all[i]);
    const struct param *param = str_map_get(by_name, name);
    return param ? param->value : NULL;
}

bool el_names_parameter(const char *text, const struct el_scope *scope)
{
    struct arena arena;
    size_t span = el_parameter_span(text);
    arena_init(&arena);
    bool found = span && el_parameter(text, span, scope, &arena);
    arena_release(&arena);
    return found;
}

/* ---- texts ---- */

size_t el_span(const char *text)
{
    if (text[0] != '#' || text[1] != '{')
        return el_parameter_span(text);
    const char *p = text + 2;
    char quote = '\0';
    for (; *p && (quote || *p != '}'); p++) {
        size_t parameter = el_parameter_span(p);
        if (parameter)
            p += parameter - 1;
        else if (quote && *p == '\\' && p[1])
            p++;
        else if (quote ? *p == quote : *p == '\'' || *p == '"')
            quote = quote ? '\0' : *p;
    }
    return *p ? (size_t)(p + 1 - text) : 0;
}

/* The next place where something may be put in. */
static const char *next_mark(const char *p)
{
    while (*p && !((*p == '#' || *p == '$') && p[1] == '{'))
        p++;
    return p;
}

/* The expression at `*cursor`, which moves behind its }. */
static enum err_code parse_marked(const char *text, const char **cursor,
                                  const struct el_check *check, struct arena *arena,
                                  struct el_node **ret, struct err *err)
{
    const char *p = *cursor + 2;
    enum err_code code = el_parse(text, &p, check, arena, ret, err);
    if (code)
        return code;
    if (*p != '}')
        return err_set(err, ERR_INVALID_PARAMETER, "must close the #{ at character %zu with }",
                       el_place(text, *cursor));
    *cursor = p + 1;
    return ERR_OK;
}

/* To be called when an expression has been evaluated in that arena. */
static enum err_code count_work(const struct el_scope *scope, const struct arena *arena,
                                struct err *err)
{
    if (!scope->work)
        return ERR_OK;
    *scope->work += arena->used;
    if (*scope->work <= EL_MAX_WORK_ALL)
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER,
                   "needs, with the other expressions, more than %d MiB for what they put together",
                   EL_MAX_WORK_ALL >> 20);
}

static enum err_code put_expression(const char *text, const char **cursor,
                                    const struct el_scope *scope, struct arena *arena,
                                    struct buf *out, struct err *err)
{
    struct el_node *node = NULL;
    struct el_value value = {.kind = EL_NULL};
    enum err_code code = parse_marked(text, cursor, NULL, arena, &node, err);
    if (!code)
        code = el_evaluate(node, text, scope, arena, &value, err);
    if (!code)
        buf_puts(out, el_to_text(&value, scope, arena));
    return code ? code : count_work(scope, arena, err);
}

enum err_code el_resolve(const char *text, const struct el_scope *scope, struct buf *out,
                         struct err *err)
{
    struct arena arena; /* of one expression */
    enum err_code code = ERR_OK;
    arena_init(&arena);
    for (const char *p = text; *p && !code;) {
        const char *mark = next_mark(p);
        buf_add(out, p, (size_t)(mark - p));
        p = mark;
        if (*p == '#') {
            code = put_expression(text, &p, scope, &arena, out, err);
        } else if (*p) {
            size_t span = el_parameter_span(p);
            const char *value = span ? el_parameter(p, span, scope, &arena) : NULL;
            size_t len = span ? span : 2;
            buf_add(out, value ? value : p, value ? strlen(value) : len);
            p += len;
        }
        arena_clear(&arena);
    }
    arena_release(&arena);
    if (!code && out->overflowed)
        code = err_set(err, ERR_LIMIT_EXCEEDED,
                       "becomes longer than %zu bytes with its expressions put in", out->max_bytes);
    return code;
}

enum err_code el_check(const char *text, const struct el_check *check, struct err *err)
{
    struct arena arena;
    enum err_code code = ERR_OK;
    arena_init(&arena);
    for (const char *p = next_mark(text); *p && !code; p = next_mark(p)) {
        struct el_node *ignored = NULL;
        if (*p == '#')
            code = parse_marked(text, &p, check, &arena, &ignored, err);
        else
            p += 2;
        arena_clear(&arena);
    }
    arena_release(&arena);
    return code;
}

/* ---- conditions ---- */

static enum err_code parse_condition(const char *text, const struct el_check *check,
                                     struct arena *arena, struct el_node **ret, struct err *err)
{
    static const char blanks[] = " \t\r\n";
    const char *p = text + strspn(text, blanks);
    bool marked = p[0] == '#' && p[1] == '{';
    enum err_code code = marked ? parse_marked(text, &p, check, arena, ret, err)
                                : el_parse(text, &p, check, arena, ret, err);
    p += code ? 0 : strspn(p, blanks);
    if (!code && *p)
        return err_set(err, ERR_INVALID_PARAMETER,
                       "must be one expression; more follows at character %zu", el_place(text, p));
    return code;
}

enum err_code el_check_condition(const char *text, const struct el_check *check, struct err *err)
{
    struct arena arena;
    struct el_node *ignored = NULL;
    arena_init(&arena);
    enum err_code code = parse_condition(text, check, &arena, &ignored, err);
    arena_release(&arena);
    return code;
}

enum err_code el_decide(const char *text, const struct el_scope *scope, bool *ret, struct err *err)
{
    struct arena arena;
    struct el_node *node = NULL;
    struct el_value value = {.kind = EL_NULL};
    arena_init(&arena);
    enum err_code code = parse_condition(text, NULL, &arena, &node, err);
    if (!code)
        code = el_evaluate(node, text, scope, &arena, &value, err);
    if (!code)
        code = el_to_truth(&value, ret, err);
    if (!code)
        code = count_work(scope, &arena, err);
    arena_release(&arena);
    return code;
}
