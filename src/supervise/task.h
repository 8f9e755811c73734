/*
 * Starts the task of an attempt: opens its output files, vforks, sets the child up and execs.
 *
 * The task inherits nothing of the supervisor but descriptors 0 to 2, its session and its user: it
 * is alone in a process group whose id is its pid, dies with the supervisor (PDEATHSIG), is the
 * first to go when memory runs out, and has default signal dispositions and an empty signal mask.
 */
#pragma once

#include <sys/types.h>

#include "supervise/order.h"
#include "supervise/record.h"

/* What every task of one supervisor needs; filled once. */
struct task_context {
    pid_t supervisor;
    int null_fd;            /* its standard input */
    int oom_fd;             /* /proc/self/oom_score_adj, -1: it is left alone */
    char oom_score_adj[24]; /* what a task gets, as text */
    char own_oom_score[24]; /* what the supervisor has itself */
};

struct task_failure {
    enum record_step step;
    int error; /* errno */
};

struct warm;

/* Returns the pid of the task, which has exec'd (or, forked warm, has begun), or 0 with the failure; then
 * nothing is left of it. *ret_launch: how it was started. The order's strings are not needed after the
 * return. */
pid_t task_start(const struct task_context *context, struct warm *warm, const struct order *order,
                 enum record_launch *ret_launch, struct task_failure *ret_failure);

/* What is forked inherits the score: a task's is set before, the supervisor's own again behind vfork. Two writes to a
 * file that is open, where a child would have to look itself up in /proc. */
void task_score_for_child(const struct task_context *context);
void task_score_for_self(const struct task_context *context);

/* Signals the task's process group, and the task itself should it have left that. The task must not
 * have been waited for yet, or its number could be somebody else's. */
void task_signal(pid_t task, int signal);
