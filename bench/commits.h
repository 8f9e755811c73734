/*
 * The durable part of the limits: SQLite as the product opens it (WAL, synchronous FULL, prepared
 * statements), with one small table and nothing around it.
 *
 * The log is brought into its steady state first: written once over its length and folded back, so
 * that commits overwrite blocks that exist, as they do in a server that has run for a minute.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct commits {
    sqlite3 *handle;
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
    int64_t next; /* key of the next row: keys ascend, as ours do */
};

/* A new database in the file `path`. Errors end the program. */
void commits_open(struct commits *commits, const char *path);
/* One durable transaction of `rows` rows of about 200 bytes, at least one. */
void commits_write(struct commits *commits, size_t rows);
/* Frees the statements but leaves the files as they are: nothing is deleted while we measure. */
void commits_release(struct commits *commits);
