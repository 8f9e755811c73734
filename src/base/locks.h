/*
 * Files that this process has POSIX locks on, and how anything else is opened beside them.
 *
 * Closing any descriptor of such a file lets go of the locks of the whole process, whichever path it was opened by. So
 * nothing is opened by a path that somebody else can change before it is known to be another file: it is looked at
 * through O_PATH, which no close of takes a lock away, and then opened through that very descriptor, whatever has
 * become of the path meanwhile.
 *
 * The list is the process's, as the locks are. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* From now on the file at that path is one of those, or is no more. No file there: nothing is done. */
void locks_add(const char *path);
void locks_remove(const char *path);

/* Is it one of them? */
bool locks_has(const struct stat *file);

/* Opens what a descriptor of O_PATH was opened for, which stays open. A descriptor, or -1 with errno: EBUSY, it is one
 * of them; EISDIR, ELOOP or ENXIO, it is no regular file. `flags` may have O_TRUNC, not O_CREAT. */
int locks_reopen(int path_fd, int flags);

/* Like openat of a regular file, with the same errors besides. A link is followed unless `flags` has O_NOFOLLOW. */
int locks_open(int folder, const char *name, int flags, mode_t mode);
