#include "api/dataarts/spelling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 64 };

/* ---- names ---- */

/* "preNodeName" → "pre_node_name" */
static void snake_of(const char *name, char text[static NAME_BYTES])
{
    size_t len = 0;
    for (; *name && len + 2 < NAME_BYTES; name++) {
        if (*name >= 'A' && *name <= 'Z')
            text[len++] = '_';
        text[len++] = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
    }
    text[len] = '\0';
}

static void take_from(json_t *object, const char *name, const char *other)
{
    json_t *value = json_object_get(object, other);
    if (!value || json_object_get(object, name))
        return;
    json_object_set(object, name, value);
    json_object_del(object, other);
}

/* Names that neither spelling explains. */
static const struct {
    const char *name;
    const char *other;
} others[] = {
    {"preNodeName", "pre_node_names"},
    {"type", "paramType"},
    {"type", "param_type"},
    {"ignore_first_self_dep", "ignore_first_self_dependence"},
};

static void mend_name(json_t *object, const char *name)
{
    char snake[NAME_BYTES];
    snake_of(name, snake);
    if (strcmp(snake, name) != 0)
        take_from(object, name, snake);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].name, name) == 0)
            take_from(object, name, others[i].other);
}

/* ---- values: NULL where it is as it should be, or cannot be told ---- */

static json_t *as_bool(const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value) &&
        (json_integer_value(value) == 0 || json_integer_value(value) == 1))
        return json_boolean(json_integer_value(value));
    if (text && strcasecmp(text, "true") == 0)
        return json_true();
    return text && strcasecmp(text, "false") == 0 ? json_false() : NULL;
}

static json_t *as_integer(const json_t *value)
{
    const char *text = json_string_value(value);
    char *end;
    if (json_is_real(value)) {
        double number = json_real_value(value);
        bool is_whole = number > -1e15 && number < 1e15 && (double)(json_int_t)number == number;
        return is_whole ? json_integer((json_int_t)number) : NULL;
    }
    if (!text)
        return NULL;
    if (!*text)
        return json_null();
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool is_number = strspn(text, "-0123456789") == strlen(text) && end != text && !*end;
    return is_number && !errno ? json_integer(number) : NULL;
}

static json_t *as_string(json_t *value)
{
    if (json_is_boolean(value))
        return json_string(json_is_true(value) ? "true" : "false");
    if (!json_is_number(value))
        return NULL;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    json_t *string = json_string(text);
    free(text);
    return string;
}

static json_t *as_list(json_t *value)
{
    if (!json_is_object(value))
        return NULL;
    json_t *list = json_array();
    json_array_append(list, value);
    return list;
}

/* "" says nothing of an object, a list or a choice. */
static bool is_blank(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && !*text;
}

static json_t *mended(const struct field *field, json_t *value)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return is_blank(value) ? json_null() : as_bool(value);
    case FIELD_INT32:
    case FIELD_INT64:
        return as_integer(value);
    case FIELD_STRING:
        return as_string(value);
    case FIELD_LIST:
        return is_blank(value) ? json_null() : as_list(value);
    case FIELD_ENUM:
    case FIELD_OBJECT:
    case FIELD_STRINGS:
        return is_blank(value) ? json_null() : NULL;
    case FIELD_TIME:
    case FIELD_MAP:
    case FIELD_OBJECTS:
    case FIELD_RAW:
    default:
        return NULL;
    }
}

/* As deep as the tables are. */
void spelling_mend(const struct schema *schema, json_t *value)
{
    for (size_t i = 0; json_is_object(value) && i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        mend_name(value, field->name);
        json_t *item = json_object_get(value, field->name);
        json_t *better = item ? mended(field, item) : NULL;
        if (better)
            json_object_set_new(value, field->name, better);
        item = json_object_get(value, field->name);
        if (item && field->kind == FIELD_OBJECT)
            spelling_mend(field->object, item);
        size_t n;
        json_t *element;
        if (field->kind != FIELD_LIST)
            continue;
        json_array_foreach (item, n, element) {
            spelling_mend(field->object, element);
        }
    }
}
