/* Objects from JSON, by their field tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"
#include "base/fields_internal.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "base/utf8.h"

enum { PATH_MAX_BYTES = 200, NEAREST_MOST = 100 };

/* Where in the document the parser stands, for messages; cut when it gets too long. */
struct path {
    char text[PATH_MAX_BYTES];
    size_t len;
};

struct parser {
    struct arena *arena;
    const struct fields_options *options;
    struct err *err; /* the first problem */
    bool has_failed;
    size_t unknown_count; /* fields so far that no table has */
    struct path path;
};

/* ---- path ---- */

/* Appends what fits, without tearing a character. Hot: every field of every object passes here. */
static void path_add(struct path *path, const char *text, size_t len)
{
    size_t fits = utf8_cut(text, len, sizeof path->text - 1 - path->len);
    memcpy(path->text + path->len, text, fits);
    path->len += fits;
    path->text[path->len] = '\0';
}

static size_t path_push(struct path *path, const char *name)
{
    size_t mark = path->len;
    if (mark)
        path_add(path, ".", 1);
    path_add(path, name, strlen(name));
    return mark;
}

static size_t path_push_index(struct path *path, size_t index)
{
    char text[24] = "";
    char *start = text + sizeof text - 1;
    *--start = ']';
    do {
        *--start = (char)('0' + index % 10);
        index /= 10;
    } while (index);
    *--start = '[';
    size_t mark = path->len;
    path_add(path, start, strlen(start));
    return mark;
}

static void path_pop(struct path *path, size_t mark)
{
    path->len = mark;
    path->text[mark] = '\0';
}

__attribute__((format(printf, 3, 4))) static enum err_code refuse(struct parser *parser,
                                                                  enum err_code code,
                                                                  const char *format, ...)
{
    char what[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    struct err err;
    const char *where = parser->path.len ? parser->path.text : "the body";
    err_set(&err, code, "%s %s", where, what);
    if (!parser->has_failed)
        *parser->err = err;
    parser->has_failed = true;
    if (parser->options->problem)
        parser->options->problem(parser->options->context, &err);
    return code;
}

/* Is what stands behind a problem looked at? */
static bool goes_on(const struct parser *parser, enum err_code code)
{
    return !code || parser->options->problem;
}

static enum err_code wrong_kind(struct parser *parser, const char *expected, const json_t *value)
{
    return refuse(parser, ERR_INVALID_PARAMETER, "must be %s, not %s", expected, json_kind(value));
}

/* ---- parsing, one function a kind ---- */

static enum err_code parse_object(struct parser *parser, const struct schema *schema, json_t *value,
                                  void *object);

static enum err_code check_length(struct parser *parser, const struct field *field,
                                  const char *text)
{
    if (!field->min && !field->max)
        return ERR_OK;
    int64_t length = (int64_t)utf8_length(text);
    if (!field->max && length < field->min)
        return refuse(parser, ERR_INVALID_PARAMETER,
                      "must be at least %lld characters long, not %lld", (long long)field->min,
                      (long long)length);
    if (length < field->min || (field->max && length > field->max))
        return refuse(parser, ERR_INVALID_PARAMETER,
                      "must be %lld to %lld characters long, not %lld", (long long)field->min,
                      (long long)field->max, (long long)length);
    return ERR_OK;
}

static bool is_text_with_nul(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value);
}

static enum err_code parse_string(struct parser *parser, const struct field *field, json_t *value,
                                  const char **ret)
{
    if (!json_is_string(value))
        return wrong_kind(parser, "a string", value);
    if (is_text_with_nul(value))
        return refuse(parser, ERR_INVALID_PARAMETER, "must not hold a NUL character");
    const char *text = json_string_value(value);
    enum err_code code = check_length(parser, field, text);
    if (code)
        return code;
    struct err detail;
    if (field->check && !field->check(text, &detail))
        return refuse(parser, detail.code, "%s", detail.message);
    *ret = arena_memdup(parser->arena, text, json_string_length(value));
    return ERR_OK;
}

static enum err_code parse_int(struct parser *parser, const struct field *field, json_t *value,
                               int64_t *ret)
{
    bool narrow = field->kind == FIELD_INT32;
    int64_t min = field->min;
    int64_t max = field->max;
    if (!min && !max) {
        min = narrow ? INT32_MIN : INT64_MIN + 1;
        max = narrow ? INT32_MAX : INT64_MAX;
    }
    if (!json_is_integer(value))
        return wrong_kind(parser, "an integer", value);
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return refuse(parser, ERR_INVALID_PARAMETER, "must be from %lld to %lld, not %lld",
                      (long long)min, (long long)max, (long long)number);
    *ret = number;
    return ERR_OK;
}

static enum err_code parse_enum(struct parser *parser, const struct field *field, json_t *value,
                                int *ret)
{
    if (!json_is_string(value))
        return wrong_kind(parser, "a string", value);
    for (int i = 0; i < field->name_count && !is_text_with_nul(value); i++) {
        if (strcmp(json_string_value(value), field->names[i]) == 0) {
            *ret = i;
            return ERR_OK;
        }
    }
    struct buf names;
    buf_init(&names, ERR_MESSAGE_MAX / 2);
    for (int i = 0; i < field->name_count; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", field->names[i]);
    enum err_code code =
        refuse(parser, ERR_INVALID_PARAMETER, "must be one of %s", names.data ? names.data : "");
    buf_release(&names);
    return code;
}

static enum err_code parse_time(struct parser *parser, json_t *value, int64_t *ret)
{
    if (!json_is_string(value) || is_text_with_nul(value) ||
        !timefmt_parse(json_string_value(value), ret))
        return refuse(parser, ERR_INVALID_PARAMETER,
                      "must be an RFC 3339 date-time such as 2026-01-31T12:00:00Z");
    return ERR_OK;
}

static enum err_code check_count(struct parser *parser, const struct field *field, size_t count)
{
    if (field->max && count > (size_t)field->max)
        return refuse(parser, ERR_INVALID_PARAMETER, "must have at most %lld items, not %zu",
                      (long long)field->max, count);
    if (count < (size_t)field->min)
        return refuse(parser, ERR_INVALID_PARAMETER, "must have at least %lld items, not %zu",
                      (long long)field->min, count);
    return ERR_OK;
}

static enum err_code parse_list(struct parser *parser, const struct field *field, json_t *value,
                                struct field_list *ret)
{
    if (!json_is_array(value))
        return wrong_kind(parser, "an array", value);
    size_t count = json_array_size(value);
    enum err_code code = check_count(parser, field, count);
    if (code)
        return code;
    bool objects = field->kind == FIELD_LIST;
    size_t stride = objects ? field->object->size : sizeof(const char *);
    /* Limits of a list are about its items; a string inside has none of its own. */
    const struct field item_field = {.kind = FIELD_STRING, .check = field->check};
    char *items = arena_array(parser->arena, count, stride);
    for (size_t i = 0; i < count && goes_on(parser, code); i++) {
        size_t mark = path_push_index(&parser->path, i);
        json_t *item = json_array_get(value, i);
        void *place = items + i * stride;
        enum err_code of_item = objects ? parse_object(parser, field->object, item, place)
                                        : parse_string(parser, &item_field, item, place);
        code = code ? code : of_item;
        path_pop(&parser->path, mark);
    }
    if (goes_on(parser, code))
        *ret = (struct field_list){items, count};
    return code;
}

static enum err_code parse_map(struct parser *parser, const struct field *field, json_t *value,
                               struct field_list *ret)
{
    if (!json_is_object(value))
        return wrong_kind(parser, "an object", value);
    size_t count = json_object_size(value);
    enum err_code code = check_count(parser, field, count);
    if (code)
        return code;
    struct field_pair *pairs = ARENA_ARRAY(parser->arena, count, struct field_pair);
    const struct field item_field = {.kind = FIELD_STRING, .check = field->check};
    const char *key;
    json_t *item;
    size_t i = 0;
    json_object_foreach (value, key, item) {
        size_t mark = path_push(&parser->path, key);
        pairs[i].key = arena_strdup(parser->arena, key);
        enum err_code of_item = parse_string(parser, &item_field, item, &pairs[i].value);
        code = code ? code : of_item;
        path_pop(&parser->path, mark);
        if (!goes_on(parser, code))
            return code;
        i++;
    }
    *ret = (struct field_list){pairs, count};
    return code;
}

/* In any text of the tree, keys too. */
static bool holds_nul(const json_t *value)
{
    const char *key;
    size_t i, len;
    json_t *item;
    if (json_is_string(value))
        return is_text_with_nul(value);
    if (json_is_array(value)) {
        json_array_foreach (value, i, item)
            if (holds_nul(item))
                return true;
    } else if (json_is_object(value)) {
        json_object_keylen_foreach ((json_t *)(uintptr_t)value, key, len, item)
            if (strlen(key) != len || holds_nul(item))
                return true;
    }
    return false;
}

/* It becomes a part of texts that are parsed again, which bound how deep they go, and of strings that end at a NUL. */
static enum err_code parse_raw(struct parser *parser, const struct field *field, json_t *value,
                               void *place)
{
    int levels = field->max ? (int)field->max : FIELDS_RAW_DEPTH;
    if (field->raw_kind == FIELD_OBJECT && !json_is_object(value))
        return wrong_kind(parser, "an object", value);
    if (holds_nul(value))
        return refuse(parser, ERR_INVALID_PARAMETER, "must not hold a NUL character");
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool fits = json_depth(text, strlen(text)) <= levels;
    *(const char **)place = fits ? arena_strdup(parser->arena, text) : NULL;
    free(text);
    return fits ? ERR_OK
                : refuse(parser, ERR_INVALID_PARAMETER, "must be nested at most %d levels deep",
                         levels);
}

static enum err_code parse_field(struct parser *parser, const struct field *field, json_t *value,
                                 void *place)
{
    switch (field->kind) {
    case FIELD_STRING:
        return parse_string(parser, field, value, place);
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong_kind(parser, "true or false", value);
        *(int8_t *)place = json_is_true(value);
        return ERR_OK;
    case FIELD_INT32:
    case FIELD_INT64:
        return parse_int(parser, field, value, place);
    case FIELD_ENUM:
        return parse_enum(parser, field, value, place);
    case FIELD_TIME:
        return parse_time(parser, value, place);
    case FIELD_OBJECT: {
        void *object = arena_alloc(parser->arena, field->object->size);
        enum err_code code = parse_object(parser, field->object, value, object);
        if (goes_on(parser, code) && json_is_object(value))
            *(void **)place = object;
        return code;
    }
    case FIELD_LIST:
    case FIELD_STRINGS:
        return parse_list(parser, field, value, place);
    case FIELD_MAP:
        return parse_map(parser, field, value, place);
    case FIELD_RAW:
        return parse_raw(parser, field, value, place);
    case FIELD_OBJECTS: /* answers only */
    default:
        return refuse(parser, ERR_INVALID_PARAMETER, "cannot be set");
    }
}

static enum err_code parse_fields(struct parser *parser, const struct schema *schema, json_t *value,
                                  void *object)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < schema->count && goes_on(parser, code); i++) {
        const struct field *field = &schema->fields[i];
        if (field->flags & FIELD_READ_ONLY)
            continue;
        json_t *item = json_object_get(value, field->name);
        size_t mark = path_push(&parser->path, field->name);
        enum err_code of_field = ERR_OK;
        if (item && !json_is_null(item))
            of_field = parse_field(parser, field, item, field_member(object, field));
        else if ((field->flags & FIELD_REQUIRED) && !(field->flags & FIELD_DEFAULT))
            of_field = refuse(parser, ERR_MISSING_PARAMETER, "is required");
        code = code ? code : of_field;
        path_pop(&parser->path, mark);
    }
    return code;
}

/* Of two tables the field whose name is nearest, with `distance` from it. */
static const struct field *nearest(const struct schema *schema, const char *name, size_t *distance)
{
    const struct field *found = NULL;
    for (size_t i = 0; schema && i < schema->count; i++) {
        size_t here = name_distance(name, schema->fields[i].name);
        if (here >= *distance || (schema->fields[i].flags & FIELD_READ_ONLY))
            continue;
        *distance = here;
        found = &schema->fields[i];
    }
    return found;
}

static bool knows(const struct schema *schema, const char *name)
{
    for (size_t i = 0; schema && i < schema->count; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return true;
    return false;
}

/* Refuses an unknown field, or tells of it, and which name was perhaps meant. */
static enum err_code meet_unknown(struct parser *parser, const struct schema *schema,
                                  const struct schema *variant, const char *key)
{
    size_t distance = NAME_IS_FAR;
    bool looks = parser->unknown_count++ < NEAREST_MOST; /* what was meant is worked out, a while */
    const struct field *common = looks ? nearest(schema, key, &distance) : NULL;
    const struct field *further = looks ? nearest(variant, key, &distance) : NULL;
    const char *instead = further ? further->name : common ? common->name : NULL;
    char what[128];
    snprintf(what, sizeof what, "is not a field of %s%s%s%s", schema->name,
             instead ? "; did you mean " : "", instead ? instead : "", instead ? "?" : "");
    if (parser->options->strict)
        return refuse(parser, ERR_INVALID_PARAMETER, "%s", what);
    struct err err;
    err_set(&err, ERR_INVALID_PARAMETER, "%s %s", parser->path.text, what);
    parser->options->unknown(parser->options->context, &err);
    return ERR_OK;
}

static enum err_code check_unknown(struct parser *parser, const struct schema *schema,
                                   const struct schema *variant, json_t *value)
{
    const char *key;
    json_t *item;
    enum err_code code = ERR_OK;
    json_object_foreach (value, key, item) {
        if (knows(schema, key) || knows(variant, key))
            continue;
        size_t mark = path_push(&parser->path, key);
        enum err_code of_field = meet_unknown(parser, schema, variant, key);
        code = code ? code : of_field;
        path_pop(&parser->path, mark);
        if (!goes_on(parser, code))
            return code;
    }
    return code;
}

/* Where all problems are told, an object whose kind is one of them may have any field. */
static bool looks_for_unknown(const struct parser *parser, const struct schema *schema,
                              const void *object)
{
    return (parser->options->strict || parser->options->unknown) &&
           (!parser->options->problem || !schema->variants ||
            schema_variant_number(schema, object) >= 0);
}

static enum err_code parse_object(struct parser *parser, const struct schema *schema, json_t *value,
                                  void *object)
{
    fields_init(schema, object);
    if (!json_is_object(value))
        return wrong_kind(parser, "an object", value);
    enum err_code code = parse_fields(parser, schema, value, object);
    if (!goes_on(parser, code))
        return code;
    const struct schema *variant = schema_variant(schema, object);
    if (variant) {
        enum err_code further = parse_fields(parser, variant, value, object);
        code = code ? code : further;
    }
    if (goes_on(parser, code) && looks_for_unknown(parser, schema, object)) {
        enum err_code unknown = check_unknown(parser, schema, variant, value);
        code = code ? code : unknown;
    }
    return code;
}

enum err_code fields_parse(const struct schema *schema, json_t *value, void *object,
                           struct arena *arena, const struct fields_options *options,
                           struct err *err)
{
    static const struct fields_options none = {0};
    struct parser parser = {.arena = arena, .options = options ? options : &none, .err = err};
    if (parser.options->where)
        path_push(&parser.path, parser.options->where);
    return parse_object(&parser, schema, value, object);
}

/* ---- initial values ---- */

static void init_member(const struct field *field, void *place)
{
    bool preset = field->flags & FIELD_DEFAULT;
    switch (field->kind) {
    case FIELD_BOOL:
        *(int8_t *)place = preset ? (int8_t)field->fallback : FIELD_UNSET;
        break;
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_TIME:
        *(int64_t *)place = preset ? field->fallback : FIELD_NULL;
        break;
    case FIELD_ENUM:
        *(int *)place = preset ? (int)field->fallback : FIELD_UNSET;
        break;
    case FIELD_STRING:
    case FIELD_RAW:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_OBJECTS:
    default:
        break; /* zero is unset */
    }
}

void fields_init(const struct schema *schema, void *object)
{
    memset(object, 0, schema->size);
    for (size_t i = 0; i < schema->count; i++)
        init_member(&schema->fields[i], field_member(object, &schema->fields[i]));
    for (int v = 0; v < schema->variant_count; v++) {
        const struct schema *variant = schema->variants[v];
        for (size_t i = 0; variant && i < variant->count; i++)
            init_member(&variant->fields[i], field_member(object, &variant->fields[i]));
    }
}
