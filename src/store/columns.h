/*
 * Columns: one table per row kind says which member of the struct is which column.
 *
 * INSERT, UPDATE, SELECT, binding and reading (sqlite) as well as copying (memory) are all driven
 * by it, so a new member of a row is one line here, one line in a migration, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/rows.h"

/* The member's C type stands behind each kind. */
enum column_kind {
    COLUMN_INT64, /* int64_t; FIELD_NULL is NULL */
    COLUMN_INT,   /* int or an enum: stored as it is, FIELD_UNSET too */
    COLUMN_INT8,  /* int8_t: likewise */
    COLUMN_TEXT,  /* const char *; NULL is NULL */
    COLUMN_BYTES, /* const char * with its length in an int64_t member; NULL has length 0 */
    COLUMN_UUID,  /* struct uuid; nil is NULL where the column is not part of the key */
    COLUMN_HASH,  /* uint8_t[32] */
};

enum { COLUMN_HASH_BYTES = 32 };

enum column_flag {
    COLUMN_KEY = 1 << 0,    /* names the row: what an UPDATE finds it by */
    COLUMN_MOVING = 1 << 1, /* written by an UPDATE */
};

struct column {
    const char *name; /* in the database */
    enum column_kind kind;
    unsigned flags;
    size_t offset;
    size_t length_offset; /* COLUMN_BYTES */
};

struct table {
    const char *name; /* in the database */
    size_t row_size;  /* of the struct, in bytes */
    const struct column *columns;
    size_t count;
    size_t listed;     /* the first so many are what lists read: large texts come last */
    bool is_deletable; /* by key, and nothing else goes with a row */
};

/* By row kind. */
extern const struct table store_tables[ROW_KIND_COUNT];
/* struct workspace_row is no row of a batch, but stored and read like one. */
extern const struct table store_workspace_table;

/* Members, as their kind has them. */
static inline void *column_member(const struct column *column, void *row)
{
    return (char *)row + column->offset;
}

static inline const void *column_get(const struct column *column, const void *row)
{
    return (const char *)row + column->offset;
}

/* Bytes of a text or bytes column, without a NUL; 0 for NULL. */
size_t column_length(const struct column *column, const void *row);
/* Copies a row's struct and all its strings into the arena. */
void table_copy_row(const struct table *table, const void *from, void *to, struct arena *arena);
