/*
 * DATA on disk: its folders, and whether it can carry the records.
 *
 *     DATA/runs/<run>/work     made before the first attempt of a run, mode 0700
 *     DATA/trash/              runs on their way out (exec/purge.h)
 *     DATA/no-params.json      REPRISE_PARAMS_FILE of attempts without parameters
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

enum { FOLDERS_KNOWN = 256 };

struct folders {
    int data_fd;
    int runs_fd;
    /* Runs whose folders are there, by hash: spares two mkdir per attempt. */
    struct uuid known[FOLDERS_KNOWN];
};

/* Opens and makes what is missing. False with `err`; then nothing stays open. */
bool folders_open(struct folders *folders, const char *data_dir, struct err *err);
void folders_close(struct folders *folders);
/* Makes the folders of a run. 0, or a negative errno value. */
int folders_add_run(struct folders *folders, const struct uuid *run);
/* Is there room for the files of some more attempts, and some left for what runs and for the database, should that be
 * on the same disk? True also when that cannot be told. */
bool folders_have_room(const struct folders *folders);
/* They may be gone: look again next time. */
void folders_forget_run(struct folders *folders, const struct uuid *run);

/* POSIX locks are only as good as their file system: over a network they may be lost, or outlive
 * their holder. `magic` is statfs's f_type. */
bool folders_carry_locks(int64_t magic);
