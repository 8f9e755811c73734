#include "api/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "base/timefmt.h"
#include "base/utf8.h"

enum { QUERY_MAX_PAIRS = 4096 };

struct pair {
    const char *name;
    const char *value;
};

struct pairs {
    struct pair *items;
    size_t count;
};

static enum err_code split(const char *raw, struct arena *arena, struct pairs *ret, struct err *err)
{
    size_t count = 1;
    for (const char *p = raw; *p; p++)
        count += *p == '&';
    if (count > QUERY_MAX_PAIRS)
        return err_set(err, ERR_INVALID_PARAMETER, "the query has more than %d parameters",
                       QUERY_MAX_PAIRS);
    struct pairs pairs = {ARENA_ARRAY(arena, count, struct pair), 0};
    while (*raw) {
        size_t len = strcspn(raw, "&");
        size_t name_len = strcspn(raw, "=&");
        size_t value_at = name_len < len ? name_len + 1 : len;
        struct pair pair = {percent_decode(raw, name_len, true, arena),
                            percent_decode(raw + value_at, len - value_at, true, arena)};
        if (!pair.name || !pair.value)
            return err_set(err, ERR_INVALID_PARAMETER, "%s is not well percent-encoded",
                           pair.name ? pair.name : "the name of a query parameter");
        if (len)
            pairs.items[pairs.count++] = pair;
        raw += len + (raw[len] == '&');
    }
    *ret = pairs;
    return ERR_OK;
}

/* ---- values ---- */

static enum err_code parse_number(const struct field *field, const char *text, int64_t *ret,
                                  struct err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool digits = (*text >= '0' && *text <= '9') || (*text == '-' && text[1] != '\0');
    if (!digits || *end)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be an integer", field->name);
    int64_t max = field->max || field->min ? field->max : INT64_MAX;
    if (errno || number < field->min || number > max)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be from %lld to %lld", field->name,
                       (long long)field->min, (long long)max);
    *ret = number;
    return ERR_OK;
}

static enum err_code refuse_choice(const struct field *field, struct err *err)
{
    struct buf names;
    buf_init(&names, ERR_MESSAGE_MAX);
    for (int i = 0; i < field->name_count; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", field->names[i]);
    err_set(err, ERR_INVALID_PARAMETER, "%s must be one of %s", field->name,
            names.data ? names.data : "");
    buf_release(&names);
    return err->code;
}

static enum err_code parse_choice(const struct field *field, const char *text, int *ret,
                                  struct err *err)
{
    for (int i = 0; i < field->name_count; i++) {
        if (strcmp(field->names[i], text) != 0)
            continue;
        *ret = i;
        return ERR_OK;
    }
    return refuse_choice(field, err);
}

static enum err_code check_text(const struct field *field, const char *text, struct err *err)
{
    if (!utf8_valid(text, strlen(text)))
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be valid UTF-8", field->name);
    if (field->kind != FIELD_STRING || (!field->min && !field->max))
        return ERR_OK;
    int64_t length = (int64_t)utf8_length(text);
    if (length < field->min)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be at least %lld characters long",
                       field->name, (long long)field->min);
    if (field->max && length > field->max)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be at most %lld characters long",
                       field->name, (long long)field->max);
    return ERR_OK;
}

/* An offset's + that was not encoded has become a blank. */
enum err_code query_parse_time(const char *name, const char *text, bool takes_ms,
                               struct arena *arena, int64_t *ret, struct err *err)
{
    enum { DATE_AND_TIME = 19 };
    char *copy = arena_strdup(arena, text);
    char *blank = strlen(copy) > DATE_AND_TIME ? strchr(copy + DATE_AND_TIME, ' ') : NULL;
    if (blank)
        *blank = '+';
    if (takes_ms ? timefmt_parse_instant(copy, ret) : timefmt_parse(copy, ret))
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER,
                   "%s must be %san RFC 3339 date-time such as 2026-01-31T12:00:00Z", name,
                   takes_ms ? "epoch ms or " : "");
}

static enum err_code parse_bool(const struct field *field, const char *text, int8_t *ret,
                                struct err *err)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be true or false", field->name);
    *ret = is_true;
    return ERR_OK;
}

static enum err_code parse_one(const struct field *field, const char *text, struct arena *arena,
                               void *place, struct err *err)
{
    enum err_code code = check_text(field, text, err);
    if (code)
        return code;
    switch (field->kind) {
    case FIELD_STRING:
        *(const char **)place = text;
        return ERR_OK;
    case FIELD_INT32:
    case FIELD_INT64:
        return parse_number(field, text, place, err);
    case FIELD_ENUM:
        return parse_choice(field, text, place, err);
    case FIELD_TIME:
        return query_parse_time(field->name, text, false, arena, place, err);
    case FIELD_BOOL:
        return parse_bool(field, text, place, err);
    case FIELD_STRINGS:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_MAP:
    case FIELD_OBJECTS:
    case FIELD_RAW:
    default:
        abort(); /* no kind of a query parameter */
    }
}

/* ---- parameters ---- */

static enum err_code parse_multi(const struct field *field, const struct pairs *pairs, size_t found,
                                 struct arena *arena, struct field_list *ret, struct err *err)
{
    if (field->max && found > (size_t)field->max)
        return err_set(err, ERR_INVALID_PARAMETER, "%s may be given at most %lld times",
                       field->name, (long long)field->max);
    const char **values = ARENA_ARRAY(arena, found, const char *);
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, field->name) != 0)
            continue;
        const char *text = pairs->items[i].value;
        int ignored;
        enum err_code code = check_text(field, text, err);
        if (!code && field->names)
            code = parse_choice(field, text, &ignored, err);
        if (code)
            return code;
        values[count++] = text;
    }
    *ret = (struct field_list){values, count};
    return ERR_OK;
}

static enum err_code parse_field(const struct field *field, const struct pairs *pairs,
                                 struct arena *arena, void *place, struct err *err)
{
    size_t found = 0;
    const char *text = NULL;
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, field->name) != 0)
            continue;
        text = pairs->items[i].value;
        found++;
    }
    if (!found && (field->flags & FIELD_REQUIRED))
        return err_set(err, ERR_MISSING_PARAMETER, "%s is required", field->name);
    if (!found)
        return ERR_OK;
    if (field->kind == FIELD_STRINGS)
        return parse_multi(field, pairs, found, arena, place, err);
    if (found > 1)
        return err_set(err, ERR_INVALID_PARAMETER, "%s must be given once", field->name);
    return parse_one(field, text, arena, place, err);
}

enum err_code query_parse(const struct schema *schema, const char *raw_query, struct arena *arena,
                          void **ret, struct err *err)
{
    struct pairs pairs = {0};
    enum err_code code = split(raw_query, arena, &pairs, err);
    if (code)
        return code;
    char *object = arena_alloc(arena, schema->size);
    fields_init(schema, object);
    for (size_t i = 0; i < schema->count && !code; i++)
        code =
            parse_field(&schema->fields[i], &pairs, arena, object + schema->fields[i].offset, err);
    if (!code)
        *ret = object;
    return code;
}
