/*
 * Turns a freshly started process into a supervisor: a session of its own, subreaper, all signals
 * blocked, nothing inherited that it does not need. It reads neither configuration nor environment.
 */
#pragma once

#include "supervise/record.h"
#include "supervise/task.h"

struct setup {
    int signal_fd; /* SIGCHLD, SIGTERM */
    int timer_fd;  /* CLOCK_BOOTTIME, absolute */
    struct task_context task;
    struct record claim; /* what every claim of this process has in common: pid, start, boot id */
};

/* True when descriptor 3 is a stream socket of the unix kind. */
bool setup_has_socket(void);

/* 0, or an error; then nothing useful can be done. Descriptors live until the process ends. */
int setup_process(struct setup *ret);
