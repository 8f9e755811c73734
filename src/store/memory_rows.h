/*
 * The memory store's rows: per kind one array of copies, sorted by the key columns of its table,
 * and a log of what a transaction has changed, so that it can be taken back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "store/columns.h"

struct memory_table {
    void **rows; /* each a struct of the kind with its strings behind it, in one block */
    size_t count;
    size_t cap;
};

struct memory_change {
    enum row_kind kind;
    void *before; /* NULL: was not there */
    void *after;  /* NULL: is gone */
};

struct memory_rows {
    struct memory_table tables[ROW_KIND_COUNT];
    struct uuid_map task_runs; /* by key alone */
    struct memory_change *changes;
    size_t change_count;
    size_t change_cap;
};

void memory_rows_init(struct memory_rows *rows);
void memory_rows_release(struct memory_rows *rows);

/* False when the change is impossible (the key exists or does not, a parent is missing); what was
 * done before stays in the log. */
bool memory_rows_apply(struct memory_rows *rows, const struct row_change *change);
/* Keeps, or takes back, everything since the last of these two calls. */
void memory_rows_keep(struct memory_rows *rows);
void memory_rows_take_back(struct memory_rows *rows);

/* The row whose key columns are those of `key` (a struct of its kind), or NULL. */
const void *memory_rows_find(const struct memory_rows *rows, enum row_kind kind, const void *key);
/* The first whose key columns are not less than those of `key`, only the first `columns` of them
 * compared; count when there is none. */
size_t memory_rows_from(const struct memory_rows *rows, enum row_kind kind, const void *key,
                        size_t columns);
/* Are the first `columns` key columns of the row at `place` those of `key`? False at the end. */
bool memory_rows_is_at(const struct memory_rows *rows, enum row_kind kind, size_t place,
                       const void *key, size_t columns);
/* Removes it, inside a transaction. */
void memory_rows_remove(struct memory_rows *rows, enum row_kind kind, size_t place);
