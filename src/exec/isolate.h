/*
 * What keeps tasks from the server and from one another: file mode mask, user, memory, processor,
 * a cgroup (v2) for each attempt. All of it is configuration, off unless it is asked for.
 *
 * The cgroup of an attempt is a folder BASE/<taskRun>.<n>.<epoch>. It is made before the order is
 * sent, the child joins it before it execs, whatever is in it when the task has ended is killed at
 * one stroke (cgroup.kill), and it is removed with the attempt's record. Where the host delegates no
 * memory controller, the memory of each process (not of all together) is limited instead.
 *
 * With another user, the folder of the run stays the server's: only work/, and the files and the folder
 * of the attempt that its processes read or write, are the user's. Those above can be passed through, not
 * listed: DATA by everyone, its runs/, git/ and workspaces/ by the user's group alone. A workspace's folder that
 * the server has made in DATA is opened to that group to be read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "exec/exec.h"
#include "supervise/order.h"

struct isolation {
    bool has_umask;
    uint32_t umask;
    uint32_t uid; /* ORDER_KEEP_USER: ours */
    uint32_t gid;
    char *home;               /* "HOME=…" of that user */
    int64_t memory_max_bytes; /* 0: none */
    int64_t cpu_max_percent;  /* of one processor; 0: none */
    bool limits_memory;       /* by cgroup */
    bool limits_cpu;
    bool shares_base; /* the server is in `base` itself: no controllers, so no limits by cgroup */
    const char *base; /* folder of the cgroups, the owner's string; NULL: none */
};

/* Checks the configuration against the host; strings are made in `arena`. False with `err`, which
 * names the setting. */
bool isolation_open(struct isolation *isolation, const struct exec_config *config,
                    struct arena *arena, struct err *err);
/* Adds to an order whose other files are there. False with `err`: it cannot start. */
bool isolation_prepare(const struct isolation *isolation, int runs_fd, const struct attempt_id *id,
                       struct arena *arena, struct order *order, struct err *err);

/* What an ended attempt has written to its output is the server's from now on: a later task of that user does not
 * rewrite it. Any thread. */
void isolation_take_back(const struct isolation *isolation, int runs_fd,
                         const struct attempt_id *id);

/* Kills all that is in an attempt's cgroup; and removes it, killing first. `base` NULL: nothing.
 * Any thread. */
void isolation_kill(const char *base, const struct attempt_id *id);
void isolation_remove(const char *base, const struct attempt_id *id);
