/* How the rows of a field table are written down. Included by files of tables only. */
#pragma once

#include <stddef.h>

#include "base/fields.h"
#include "base/mem.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define NAMES(array)     .names = (array), .name_count = (int)ARRAY_LEN(array)
#define SCHEMA(schema_name, type, rows, text)                                 \
    {                                                                         \
        .name = (schema_name), .size = sizeof(struct type), .fields = (rows), \
        .count = ARRAY_LEN(rows), .doc = (text)                               \
    }
