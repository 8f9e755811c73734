/*
 * The disk of a simulated server: a store in memory whose commits fail when they are told to.
 *
 * Several worlds (workspaces) may share one. What it keeps is what recovery reads; the book beside
 * it only watches.
 */
#pragma once

#include "store/store.h"

/* What a commit does. */
enum commit_fate {
    COMMIT_OK,
    COMMIT_FAILED,    /* nothing was written: reload */
    COMMIT_UNANSWERED /* all was written, nobody knows: reload */
};

struct disk {
    struct store *store;
    struct store_reader *reader;
    enum commit_fate fate; /* of the commit at hand */
};

struct disk *disk_new(void);
void disk_free(struct disk *disk); /* NULL is fine */
/* As store_commit, with this fate; broken() when the result is not what the fate makes of it. */
void disk_commit(struct disk *disk, enum commit_fate fate, struct store_commit *commit);
