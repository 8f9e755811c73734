/* What reading (fields.c) and printing (fields_print.c) by field tables share. */
#pragma once

#include "base/fields.h"

static inline void *field_member(const void *object, const struct field *field)
{
    return (char *)(uintptr_t)object + field->offset;
}

/* Of an object whose further fields depend on a field of its own: its value, FIELD_UNSET while it has none. */
static inline int schema_variant_number(const struct schema *schema, const void *object)
{
    return *(const int *)(const void *)((const char *)object + schema->variant_offset);
}

/* The table of its further fields, NULL where there are none. */
static inline const struct schema *schema_variant(const struct schema *schema, const void *object)
{
    if (!schema->variants)
        return NULL;
    int value = schema_variant_number(schema, object);
    return value >= 0 && value < schema->variant_count ? schema->variants[value] : NULL;
}
