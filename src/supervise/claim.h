/*
 * Claiming an attempt: its record opened, locked and marked as ours (DURABILITY §2).
 *
 * A record that was acknowledged is needed no more, so a supervisor does not leave it behind: it writes the next
 * attempt's claim into it and moves it to that attempt's name, if that is free. A third of what it costs to make one file and to
 * remove another, and the claim is there in the moment in which the name is. Nobody looks at the old name
 * any more: its attempt is final.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "supervise/order.h"
#include "supervise/record.h"

struct claim {
    int fd; /* of the record, -1: there is none; the lock is ours as long as it is open */
    char path[PATH_MAX]; /* of it */
};

/* Claims the record at `path` with the CLAIM that `record` holds: 0, or -1 with the refusal and no record. From here
 * on the descriptor must be the only one of this file in this process. */
int claim_take(struct claim *claim, const char *path, const struct record *record,
               struct refusal *ret);

/* The attempt is acknowledged. `spare`: its record may become the next attempt's, and is removed when none comes; else
 * the server removes it. */
void claim_release(struct claim *claim, bool spare);

/* What is in the record, and its name, outlast a loss of power: 0 or an error. */
int claim_sync(const struct claim *claim);

/* Removes what was spared for an attempt that does not come. */
void claim_end(struct claim *claim);
