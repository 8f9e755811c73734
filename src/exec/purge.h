/*
 * Removing what is no longer needed, on a thread of its own: folders of runs that were deleted,
 * records and published values of attempts whose outcome is committed, and what outputs have too
 * much. Not with a lower urgency: it has to keep up with tasks that write on all processors.
 *
 * A folder goes to DATA/trash by one rename, so it is out of sight at once, and whatever a crash
 * leaves in the trash is removed at the next start. The walk holds two descriptors however deep the
 * tree is: a folder that it meets inside another is moved up into the trash first. It never follows
 * a link: entries are unlinked, not opened, unless they are folders. It stops whenever attempts wait,
 * and begins anew after them: a limit on outputs holds however much is being deleted.
 */
#pragma once

#include "exec/exec.h"
#include "exec/isolate.h"

struct purge;

/* Starts the thread. Keeps own descriptors of the folders. `isolation` is
 * the owner's: cgroups of attempts go with their records, and outputs of another user's tasks become ours. NULL with
 * `err`. */
struct purge *purge_open(int data_fd, int runs_fd, int64_t log_max_bytes,
                         const struct isolation *isolation, struct err *err);
/* Removes the records that wait, leaves the rest of the trash to the next start. */
void purge_close(struct purge *purge);
void purge_run(struct purge *purge, const struct uuid *run);
/* What an attempt that is acknowledged leaves: its record (`has_record` false: its supervisor keeps that),
 * the values that it published, its cgroup, output above the limit. With the next bundle: waking a
 * thread for each costs more than the removal. */
void purge_attempt(struct purge *purge, const struct attempt_id *id, bool has_record,
                   int64_t now_ms);
/* Has the output of an attempt that runs held to its limit (exec/trim.h): collects, hands over unless
 * the thread is still at those before. What has ended is looked at with its record. */
void purge_trim(struct purge *purge, const struct attempt_id *id);
void purge_trim_all(struct purge *purge);
/* Hands a bundle over once it is full or old. */
void purge_step(struct purge *purge, int64_t now_ms);
/* When to call purge_step; INT64_MAX: nothing waits. */
int64_t purge_deadline_ms(const struct purge *purge);
/* Waits until the trash is empty or will not get emptier, and no record waits: for tests. */
void purge_wait(struct purge *purge);
