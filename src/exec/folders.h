/*
 * DATA on disk: its folders, and whether it can carry the records.
 *
 *     DATA/runs/<run>/work     made before the first attempt of a run, and anew where a task has removed it; mode 0700
 *     DATA/trash/              runs on their way out (exec/purge.h)
 *     DATA/no-params.json      REPRISE_PARAMS_FILE of attempts without parameters
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/uuid.h"

struct folders {
    int data_fd;
    int runs_fd;
    int no_params_fd;      /* of the file as it was written */
    struct stat no_params; /* likewise */
};

/* Opens and makes what is missing. False with `err`; then nothing stays open. */
bool folders_open(struct folders *folders, const char *data_dir, struct err *err);
void folders_close(struct folders *folders);
/* Makes the folders of a run, as far as they are not there (any more), and gives work/ the mode back that its tasks
 * need. 0, or a negative errno value. */
int folders_add_run(const struct folders *folders, const struct uuid *run);
/* Makes no-params.json anew if it is not what was written: tasks of the server's user can do anything to it. 0, or a
 * negative errno value. */
int folders_keep_no_params(struct folders *folders);
/* Is there room for the files of some more attempts, and some left for what runs and for the database, should that be
 * on the same disk? True also when that cannot be told. */
bool folders_have_room(const struct folders *folders);

/* POSIX locks are only as good as their file system: over a network they may be lost, or outlive
 * their holder. `magic` is statfs's f_type. */
bool folders_carry_locks(int64_t magic);
