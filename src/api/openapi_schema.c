#include "api/openapi_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

static json_t *object_schema(json_t *components, const struct schema *schema, enum shape shape);

/* ---- one value ---- */

static void set_int(json_t *schema, const char *name, int64_t value)
{
    json_object_set_new(schema, name, json_integer(value));
}

void openapi_add_name(json_t *names, const char *name)
{
    size_t i;
    json_t *other;
    json_array_foreach (names, i, other)
        if (strcmp(json_string_value(other), name) == 0)
            return;
    json_array_append_new(names, json_string(name));
}

static json_t *names_of(const struct field *field)
{
    json_t *names = json_array();
    for (int i = 0; i < field->name_count; i++)
        openapi_add_name(names, field->names[i]);
    return names;
}

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *string_schema(const struct field *field)
{
    json_t *schema = typed("string");
    if (field->min)
        set_int(schema, "minLength", field->min);
    if (field->max)
        set_int(schema, "maxLength", field->max);
    if (field->pattern)
        json_object_set_new(schema, "pattern", json_string(field->pattern));
    return schema;
}

static json_t *int_schema(const struct field *field)
{
    json_t *schema = typed("integer");
    json_object_set_new(schema, "format",
                        json_string(field->kind == FIELD_INT32 ? "int32" : "int64"));
    if (field->min || field->max) {
        set_int(schema, "minimum", field->min);
        set_int(schema, "maximum", field->max);
    }
    return schema;
}

static json_t *list_schema(const struct field *field, json_t *items)
{
    json_t *schema = typed("array");
    json_object_set_new(schema, "items", items);
    if (field->min)
        set_int(schema, "minItems", field->min);
    if (field->max)
        set_int(schema, "maxItems", field->max);
    return schema;
}

static json_t *map_schema(json_t *values)
{
    json_t *schema = typed("object");
    json_object_set_new(schema, "additionalProperties", values);
    return schema;
}

/* Items of FIELD_STRINGS: a limit of the list is about its items' number. */
static json_t *string_items(const struct field *field)
{
    json_t *items = typed("string");
    if (field->names)
        json_object_set_new(items, "enum", names_of(field));
    return items;
}

static json_t *ref_or_object(json_t *components, const struct field *field, enum shape shape)
{
    return field->object ? openapi_ref(components, field->object, shape) : typed("object");
}

/* The kind of what a field's JSON is: FIELD_RAW says it beside. FIELD_RAW alone: any value. */
static enum field_kind kind_of(const struct field *field)
{
    return field->kind == FIELD_RAW && field->raw_kind ? field->raw_kind : field->kind;
}

static json_t *value_schema(json_t *components, const struct field *field, enum shape shape)
{
    switch (kind_of(field)) {
    case FIELD_STRING:
        return string_schema(field);
    case FIELD_BOOL:
        return typed("boolean");
    case FIELD_INT32:
    case FIELD_INT64:
        return int_schema(field);
    case FIELD_ENUM:
        return json_pack("{s:s, s:o}", "type", "string", "enum", names_of(field));
    case FIELD_TIME:
        return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case FIELD_OBJECT:
        return ref_or_object(components, field, shape);
    case FIELD_LIST:
        return list_schema(field, ref_or_object(components, field, shape));
    case FIELD_STRINGS:
        return list_schema(field, string_items(field));
    case FIELD_MAP:
        return map_schema(typed("string"));
    case FIELD_OBJECTS:
        return map_schema(ref_or_object(components, field, shape));
    case FIELD_RAW:
    default:
        return json_object();
    }
}

static bool is_list(const struct field *field)
{
    enum field_kind kind = kind_of(field);
    return kind == FIELD_LIST || kind == FIELD_STRINGS || kind == FIELD_MAP ||
           kind == FIELD_OBJECTS;
}

/* A request without it is refused. */
static bool is_needed(const struct field *field)
{
    return (field->flags & FIELD_REQUIRED) && !(field->flags & FIELD_DEFAULT);
}

/* Null is a value beside the schema's own. */
static json_t *or_null(json_t *schema)
{
    json_t *type = json_object_get(schema, "type");
    json_t *names = json_object_get(schema, "enum");
    if (!json_object_size(schema))
        return schema;
    if (!type)
        return json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
    json_object_set_new(schema, "type", json_pack("[O, s]", type, "null"));
    if (names)
        json_array_append_new(names, json_null());
    return schema;
}

static void set_default(json_t *schema, const struct field *field)
{
    json_t *value = NULL;
    if (!(field->flags & FIELD_DEFAULT))
        return;
    if (field->kind == FIELD_BOOL)
        value = json_boolean(field->fallback);
    else if (field->kind == FIELD_ENUM)
        value = json_string(field->names[field->fallback]);
    else
        value = json_integer(field->fallback);
    json_object_set_new(schema, "default", value);
}

static void describe(json_t *schema, const struct field *field)
{
    json_object_set_new(schema, "description", json_string(field->doc));
    if (field->flags & FIELD_EXTENSION)
        json_object_set_new(schema, "x-reprise-extension", json_true());
}

/* In answers what has a default has it filled in. */
static bool is_never_null(const struct field *field, enum shape shape)
{
    if (shape == SHAPE_ANSWER)
        return (field->flags & (FIELD_REQUIRED | FIELD_DEFAULT)) || is_list(field);
    return is_needed(field);
}

static json_t *property(json_t *components, const struct field *field, enum shape shape)
{
    json_t *schema = value_schema(components, field, shape);
    if (!is_never_null(field, shape))
        schema = or_null(schema);
    if (shape == SHAPE_REQUEST)
        set_default(schema, field);
    describe(schema, field);
    return schema;
}

json_t *openapi_parameter(json_t *components, const struct field *field)
{
    json_t *schema = value_schema(components, field, SHAPE_REQUEST);
    set_default(schema, field);
    return schema;
}

/* ---- objects ---- */

static void add_fields(json_t *components, const struct schema *schema, enum shape shape,
                       json_t *properties, json_t *required)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        bool is_there = shape == SHAPE_ANSWER;
        if (field->flags & (is_there ? FIELD_HIDDEN : FIELD_READ_ONLY))
            continue;
        json_object_set_new(properties, field->name, property(components, field, shape));
        if (is_there ? !(field->flags & FIELD_SPARSE) : is_needed(field))
            json_array_append_new(required, json_string(field->name));
    }
}

static json_t *record(const char *doc, json_t *properties, json_t *required)
{
    json_t *object = typed("object");
    json_object_set_new(object, "description", json_string(doc));
    json_object_set_new(object, "properties", properties);
    if (json_array_size(required))
        json_object_set(object, "required", required);
    json_decref(required);
    return object;
}

static const char *component_name(const struct schema *schema, enum shape shape,
                                  char name[static NAME_BYTES])
{
    static const char details[] = "Details";
    size_t len = strlen(schema->name);
    bool only_request = len > strlen(details) &&
                        strcmp(schema->name + len - strlen(details), details) == 0;
    snprintf(name, NAME_BYTES, "%s%s", schema->name,
             shape == SHAPE_REQUEST && !only_request ? "Input" : "");
    return name;
}

static json_t *ref_to(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/components/schemas/", name);
}

/* What all variants share, and what one has besides; the enum that tells them apart is a constant. */
static json_t *variant_schema(json_t *components, const struct schema *schema,
                              const struct schema *variant, const struct field *tag, int value,
                              enum shape shape)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    add_fields(components, schema, shape, properties, required);
    add_fields(components, variant, shape, properties, required);
    json_object_set_new(properties, tag->name,
                        json_pack("{s:s, s:s, s:s}", "type", "string", "const", tag->names[value],
                                  "description", tag->doc));
    return record(variant->doc, properties, required);
}

static const struct field *tag_of(const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].offset == schema->variant_offset)
            return &schema->fields[i];
    assert(!"a table with variants has no row for the enum that tells them apart");
    return NULL;
}

static json_t *union_schema(json_t *components, const struct schema *schema, enum shape shape)
{
    char name[NAME_BYTES];
    const struct field *tag = tag_of(schema);
    json_t *choices = json_array();
    json_t *mapping = json_object();
    for (int i = 0; i < schema->variant_count; i++) {
        const struct schema *variant = schema->variants[i];
        if (!variant)
            continue;
        component_name(variant, shape, name);
        json_object_set_new(components, name,
                            variant_schema(components, schema, variant, tag, i, shape));
        json_array_append_new(choices, ref_to(name));
        json_object_set_new(mapping, tag->names[i], json_sprintf("#/components/schemas/%s", name));
    }
    return json_pack("{s:s, s:o, s:{s:s, s:o}}", "description", schema->doc, "oneOf", choices,
                     "discriminator", "propertyName", tag->name, "mapping", mapping);
}

static json_t *object_schema(json_t *components, const struct schema *schema, enum shape shape)
{
    if (schema->variants)
        return union_schema(components, schema, shape);
    json_t *properties = json_object();
    json_t *required = json_array();
    add_fields(components, schema, shape, properties, required);
    return record(schema->doc, properties, required);
}

json_t *openapi_ref(json_t *components, const struct schema *schema, enum shape shape)
{
    char name[NAME_BYTES];
    component_name(schema, shape, name);
    if (!json_object_get(components, name)) {
        json_object_set_new(components, name, json_object()); /* its place, and an end to cycles */
        json_object_set_new(components, name, object_schema(components, schema, shape));
    }
    return ref_to(name);
}

json_t *openapi_collection(json_t *components, const struct schema *schema)
{
    static const char summary[] = "Summary";
    char name[NAME_BYTES];
    size_t len = strlen(schema->name);
    if (len > strlen(summary) && strcmp(schema->name + len - strlen(summary), summary) == 0)
        len -= strlen(summary);
    snprintf(name, sizeof name, "%.*sCollection", (int)len, schema->name);
    if (!json_object_get(components, name)) {
        json_t *items = openapi_ref(components, schema, SHAPE_ANSWER);
        json_object_set_new(components, name,
                            json_pack("{s:s, s:s, s:{s:{s:s, s:o}}, s:[s]}", "type", "object",
                                      "description", "A page of a list.", "properties", "items",
                                      "type", "array", "items", items, "required", "items"));
    }
    return ref_to(name);
}
