/*
 * What runs keep on the disk: which folders there are below DATA/runs, and how large they are. For a
 * thread that may wait for the disk; no exec is needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct run_usage {
    struct uuid run;
    /* On the disk, a file with several names once; what lies deeper than 64 folders is not counted. */
    int64_t bytes;
};

struct usage {
    struct run_usage *items; /* by run, so oldest first */
    size_t count;
    size_t cap;
    int64_t bytes; /* of all */
};

/* What a folder and all in it take on the disk; 0 when it cannot be read. */
int64_t usage_of_folder(const char *path);

void usage_init(struct usage *usage);
void usage_release(struct usage *usage);
/* Lists the folders that are named like a run, and with `measures` looks through each. Stops early,
 * with what it has so far, when `stop` says so (asked once a folder). False when there is no
 * reading DATA/runs. */
__attribute__((warn_unused_result)) bool usage_read(struct usage *usage, const char *data_dir,
                                                    bool measures, bool (*stop)(void *context),
                                                    void *context);
