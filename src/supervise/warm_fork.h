/*
 * The fork of warm Python: what the fork server (src/exec/reprise_warm.py) cannot do in Python. Built as
 * reprise-warm-fork.so, a library of its own beside reprise-supervise, which knows libc only.
 */
#pragma once

#include <sys/types.h>

/* Forks the calling process, of one thread, with a middle process in between that is not a copy of it:
 *
 *     caller ---vfork---> middle ---fork---> task
 *                           `---exec---> SUPERVISE --middle FD
 *
 * Copying an interpreter costs 1.5 ms and as much again where it is written to, so it happens once. The
 * middle one ends when FD, which it inherits, has told the end of its pipe or a byte (middle_run):
 * thereby the task becomes the child of the supervisor above. It is killed when the caller dies.
 * Returns 0 in the task, in the caller the middle one's pid, -1 with errno. When SUPERVISE cannot be
 * executed, the middle one ends with 127; the task lives all the same, and is in the caller's group. */
pid_t warm_fork(const char *supervise, int fd);

/* How many libraries have been loaded so far, since the process was executed. */
unsigned long long warm_loads(void);
