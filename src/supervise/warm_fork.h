/*
 * The fork of warm Python: what the fork server (src/exec/reprise_warm.py) cannot do in Python. Built as
 * reprise-warm-fork.so, a library of its own beside reprise-supervise, which knows libc only.
 */
#pragma once

#include <sys/types.h>

/* How the middle process ends, and so what its parent learns. */
enum middle_exit {
    MIDDLE_SILENT = 0,         /* the task is gone, and had no order */
    MIDDLE_TOLD = 3,           /* the task has an order */
    MIDDLE_NOT_FORKED = 126,   /* no memory for a task, or the caller is gone */
    MIDDLE_NOT_EXECUTED = 127, /* no SUPERVISE; the task is there, without anybody to tell */
};

/* What an interpreter has done around a fork: before it, then in the caller, and in the task. */
typedef void warm_fork_hook(void);

/* Forks the calling process, of one thread, with a middle process in between that is not a copy of it:
 *
 *     caller ---vfork---> middle ---fork---> task
 *                           `---exec---> SUPERVISE --middle FD
 *
 * Copying an interpreter costs 1.5 ms and as much again where it is written to, so it happens once. The
 * middle one ends when FD, which it inherits, has told the end of its pipe or a byte (middle_run):
 * thereby the task becomes the child of the supervisor above. It is killed when the caller dies.
 * Returns 0 in the task, in the caller the middle one's pid, -1 with errno; *ret_middle is that pid in
 * both. Fork handlers of C libraries run in the middle one where they should in the caller, with its
 * memory. */
pid_t warm_fork(const char *supervise, int fd, warm_fork_hook *const hooks[static 3],
                pid_t *ret_middle);

/* How many libraries have been loaded so far, since the process was executed. */
unsigned long long warm_loads(void);
