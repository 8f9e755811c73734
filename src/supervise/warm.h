/*
 * Warm Python: the supervisor's fork server, an interpreter that has imported what programs use and
 * has forked a task that stands ready for the next order (docs/design/warm.md,
 * src/exec/reprise_warm.py).
 *
 *     supervisor --- fork server --- middle --- task       with the order the middle one ends, and the
 *                         `.......................'        task becomes the subreaper's own child
 *
 * So the task's end, and what it has used, are read by wait4 as of any other, and what the fork
 * server uses is in no attempt's account. It is the supervisor's only child while nothing runs, and
 * dies with it. It serves one configuration: interpreter, helper, modules and the environment without
 * REPRISE_*. An order of another configuration gets another.
 *
 * A start is answered through a pipe that only the task has: the message means that the task is about
 * to run the program; its end without one means that it never will, so a cold start then is not a
 * second one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/order.h"
#include "supervise/record.h"
#include "supervise/task.h"

/* Without work for so long it goes: memory is worth more. (A test is not as patient.) */
#ifndef WARM_IDLE_MS
#define WARM_IDLE_MS 600000
#endif

/* After one that failed at its start, or fell silent, there is none for so long; after the next failure
 * for twice as long, up to WARM_IDLE_MS. */
#ifndef WARM_RETRY_MS
#define WARM_RETRY_MS 5000
#endif

struct warm {
    pid_t pid;  /* 0: there is none */
    int fd;     /* our end of its socket */
    bool is_up; /* it has said so */
    uint64_t configuration;
    uint64_t
        pause_ms; /* after the last failure of this configuration, 0: a task was started since */
    uint64_t not_before_ns; /* CLOCK_BOOTTIME: when that pause is over */
};

/* Starts the task of an order that asks for it, the two files open. Returns its pid; 0 with the
 * failure when it ran into one; else 0: it is to be started cold, and the reason is in *ret_launch.
 * A fork server that is not there is started beside that, for the orders to come. */
pid_t warm_task(struct warm *warm, const struct task_context *context, const struct order *order,
                const int output[2], enum record_launch *ret_launch,
                struct task_failure *ret_failure);

/* The child `pid` was waited for: was it the fork server? Then who stands ready is killed, and it is forgotten. */
bool warm_ended(struct warm *warm, pid_t pid);
/* Kills it and who stands ready, and waits for them. Nothing when there is none. */
void warm_stop(struct warm *warm);
/* Has this process any child but the fork server? True also when that cannot be told, which is only while there is a
 * fork server. */
bool warm_has_others(const struct warm *warm);
