/* Objects as JSON, by their field tables. */
#include <string.h>

#include "base/fields_internal.h"
#include "base/timefmt.h"

static void print_int(int64_t value, struct buf *out)
{
    if (value == FIELD_NULL)
        BUF_LIT(out, "null");
    else
        buf_int(out, value);
}

static void print_time(int64_t ms, struct buf *out)
{
    if (ms == FIELD_NULL) {
        BUF_LIT(out, "null");
        return;
    }
    char text[TIMEFMT_TEXT];
    buf_putc(out, '"');
    buf_puts(out, timefmt_rfc3339(ms, text));
    buf_putc(out, '"');
}

static void print_list(const struct field *field, const struct field_list *list, struct buf *out)
{
    bool objects = field->kind == FIELD_LIST;
    const char *items = list->items;
    buf_putc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_putc(out, ',');
        if (objects)
            fields_print(field->object, items + i * field->object->size, out);
        else
            buf_json_string(out, ((const char *const *)list->items)[i]);
    }
    buf_putc(out, ']');
}

static void print_map(const struct field *field, const struct field_list *list, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_putc(out, ',');
        if (field->kind == FIELD_MAP) {
            const struct field_pair *pair = (const struct field_pair *)list->items + i;
            buf_json_string(out, pair->key);
            buf_putc(out, ':');
            buf_json_string(out, pair->value);
        } else {
            const struct field_entry *entry = (const struct field_entry *)list->items + i;
            buf_json_string(out, entry->key);
            buf_putc(out, ':');
            fields_print(field->object, entry->value, out);
        }
    }
    buf_putc(out, '}');
}

static void print_member(const struct field *field, const void *place, struct buf *out)
{
    switch (field->kind) {
    case FIELD_STRING:
        buf_json_string(out, *(const char *const *)place);
        break;
    case FIELD_BOOL: {
        int8_t value = *(const int8_t *)place;
        buf_puts(out, value == FIELD_UNSET ? "null" : value ? "true" : "false");
        break;
    }
    case FIELD_INT32:
    case FIELD_INT64:
        print_int(*(const int64_t *)place, out);
        break;
    case FIELD_ENUM: {
        int value = *(const int *)place;
        buf_json_string(out, value >= 0 && value < field->name_count ? field->names[value] : NULL);
        break;
    }
    case FIELD_TIME:
        print_time(*(const int64_t *)place, out);
        break;
    case FIELD_OBJECT: {
        const void *object = *(const void *const *)place;
        if (object)
            fields_print(field->object, object, out);
        else
            BUF_LIT(out, "null");
        break;
    }
    case FIELD_LIST:
    case FIELD_STRINGS:
        print_list(field, place, out);
        break;
    case FIELD_MAP:
    case FIELD_OBJECTS:
        print_map(field, place, out);
        break;
    case FIELD_RAW: {
        const char *text = *(const char *const *)place;
        buf_puts(out, text ? text : "null");
        break;
    }
    default:
        BUF_LIT(out, "null");
    }
}

/* ,"name": in one piece. */
static void print_name(const char *name, bool first, struct buf *out)
{
    size_t len = strlen(name);
    char *room = buf_reserve(out, len + 4);
    if (!room)
        return;
    char *p = room;
    if (!first)
        *p++ = ',';
    *p++ = '"';
    memcpy(p, name, len);
    p += len;
    *p++ = '"';
    *p++ = ':';
    buf_used(out, (size_t)(p - room));
}

static bool is_left_out(const struct field *field, const void *place)
{
    if (field->flags & FIELD_HIDDEN)
        return true;
    if (!(field->flags & FIELD_SPARSE))
        return false;
    switch (field->kind) {
    case FIELD_BOOL:
        return *(const int8_t *)place == FIELD_UNSET;
    case FIELD_ENUM:
        return *(const int *)place == FIELD_UNSET;
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_TIME:
        return *(const int64_t *)place == FIELD_NULL;
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_MAP:
    case FIELD_OBJECTS:
        return ((const struct field_list *)place)->items == NULL;
    case FIELD_STRING:
    case FIELD_OBJECT:
    case FIELD_RAW:
    default:
        return *(const void *const *)place == NULL;
    }
}

static void print_fields(const struct schema *schema, const void *object, struct buf *out,
                         bool *first)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if (is_left_out(field, field_member(object, field)))
            continue;
        print_name(field->name, *first, out);
        *first = false;
        print_member(field, field_member(object, field), out);
    }
}

void fields_print(const struct schema *schema, const void *object, struct buf *out)
{
    bool first = true;
    buf_putc(out, '{');
    print_fields(schema, object, out, &first);
    const struct schema *variant = schema_variant(schema, object);
    if (variant)
        print_fields(variant, object, out, &first);
    buf_putc(out, '}');
}
