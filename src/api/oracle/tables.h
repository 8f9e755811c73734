/* How the rows of a field table are written down. Included by files of tables only. */
#pragma once

#include <stddef.h>

#include "base/fields.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define NAMES(array)     .names = (array), .name_count = (int)FIELDS_COUNT(array)
#define SCHEMA(schema_name, type, rows, text)                                 \
    {                                                                         \
        .name = (schema_name), .size = sizeof(struct type), .fields = (rows), \
        .count = FIELDS_COUNT(rows), .doc = (text)                            \
    }
