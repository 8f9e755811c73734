/*
 * Keeping the output of an attempt within a limit, also while it is being written.
 *
 * Tasks write straight to files, so nobody stands between who could count. Of a file that has grown
 * past the limit the beginning (a quarter) and the end (the rest) stay, and what lies between is cut
 * out by punching a hole: offsets stay what they were, the task does not notice, the disk gets its
 * blocks back. The last line before the cut is ours and tells it:
 *
 *     --- reprise: cut here, bytes 16777216 to 73400319 are gone (logs.max-bytes) ---
 *
 * Between two looks, and while no server runs, a file may be larger than its limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "exec/exec.h"

struct trim {
    int runs_fd;
    int64_t max_bytes;
    /* Tasks can put nothing into the folders of runs: an output is the file that was made for it. */
    bool is_ours;
    bool has_told; /* that one is left alone */
};

/* Cuts stdout and stderr of one attempt if they are larger than the limit by more than an eighth. One that has other
 * names may be anything that a task has put there, and is left alone unless `is_ours`; that is logged once.
 * For a thread that may wait for the disk. */
void trim_attempt(struct trim *trim, const struct attempt_id *id);
