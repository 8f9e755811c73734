/*
 * What the store tests share: a store of either implementation in a folder of its own, rows filled
 * column by column, and comparison of rows.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/fields.h"
#include "base/uuid.h"
#include "store/columns.h"
#include "store/store.h"

enum world_kind { WORLD_SQLITE, WORLD_MEMORY };

struct world {
    enum world_kind kind;
    char folder[64];
    char path[96];
    struct store *store;
    struct store_reader *reader;
    struct workspace_row workspace; /* taken over */
    struct uuid_source keys;
    int64_t now_ms;
    struct arena arena;
    struct row_batch batch;
    struct uuid job; /* one that exists, "nightly" */
    /* faults of the memory store */
    enum store_result next_result;
    bool next_applied;
};

/* cmocka set-up and tear-down; the initial state is the world's kind, as a pointer to it. */
int world_setup(void **state);
int world_teardown(void **state);
/* Runs every test against every implementation. */
int world_run(const char *group, const struct CMUnitTest *tests, size_t count);
/* Runs every test with a SQLite world. */
int world_run_sqlite(const char *group, const struct CMUnitTest *tests, size_t count);

/* Makes a folder for one test; world_remove_folder removes it with all files in it. */
void world_make_folder(char folder[static 64]);
void world_remove_folder(const char *folder);
/* The path of a file in the world's folder, in its arena. */
const char *world_file(struct world *world, const char *name);

/* The store closed and opened again, with a new reader. The memory store stays as it is. */
void world_reopen(struct world *world);

struct uuid world_key(struct world *world);
/* Adds a change to the world's batch, with a copy of the row in its arena. */
void world_add(struct world *world, enum row_kind kind, enum row_action action, const void *row);
/* Commits the batch and empties it. */
enum store_result world_commit(struct world *world);
void world_write(struct world *world, enum row_kind kind, enum row_action action, const void *row);

/* Fills every column with a value made of `seed`, or leaves all but the keys unset. Columns that
 * the database does not let be unset (names, task keys) are always set. */
void row_fill(const struct table *table, void *row, unsigned seed, bool set, struct arena *arena);
/* Are the first `count` columns with one of `flags` (0: all) the same? */
bool row_equal(const struct table *table, const void *a, const void *b, size_t count,
               unsigned flags);
void assert_row_equal(enum row_kind kind, const void *a, const void *b);

/* Simple rows of the world's job, ready to be written. */
struct run_row world_run_row(struct world *world, enum state state);
struct task_run_row world_task_run_row(struct world *world, const struct uuid *run,
                                       int64_t position);
struct event_row world_event_row(struct world *world, const struct uuid *run, enum state from,
                                 enum state to);
