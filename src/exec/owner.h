/*
 * The object behind exec.h, for the parts of exec that share it. One thread owns it.
 */
#pragma once

#include "base/arena.h"
#include "base/heap.h"
#include "exec/attempt.h"
#include "exec/exec.h"
#include "exec/folders.h"
#include "exec/isolate.h"
#include "exec/process.h"
#include "exec/purge.h"
#include "exec/remains.h"
#include "exec/report.h"
#include "exec/supervisor.h"

struct exec {
    struct exec_config config; /* its strings are copies in `strings` */
    struct arena strings;
    struct arena scratch; /* of one exec_start */
    int epoll_fd;
    struct folders folders;
    struct process process;
    struct isolation isolation;
    struct attempt_table table;
    struct heap timers; /* of attempts */
    struct pool pool;
    bool is_short; /* the last time that one was wanted no supervisor could be started */
    struct remains remains;
    struct purge *purge;
    struct list watched; /* attempts of Spark of which more may become known, by attempt.watched */
    int64_t news_ms;     /* CLOCK_BOOTTIME: when they are next looked at */
    int64_t trim_ms;     /* CLOCK_BOOTTIME: when outputs are next held to their limit */
};

/* Gives the order to a supervisor. Where none can be started just now it waits for one (UNSENT); where there can
 * be none it is reported as not started, and gone. */
void exec_send_order(struct exec *exec, struct attempt *attempt);
/* Moves it to UNSENT or UNSURE until its timer comes, each time later, up to a second. */
void exec_try_later(struct exec *exec, struct attempt *attempt, enum attempt_phase phase);
/* Sets, or brings forward, the time at which its supervisor counts as frozen. */
void exec_expect_end(struct exec *exec, struct attempt *attempt, int64_t at_ms);

/* The ends of an attempt's life here: each tells the owner, once. All but the first forget the
 * attempt before. */
void exec_tell_outcome(struct exec *exec, struct attempt *attempt, const struct record *outcome);
void exec_tell_void(struct exec *exec, struct attempt *attempt);
void exec_tell_lost(struct exec *exec, struct attempt *attempt, const char *message);
void exec_tell_not_started(struct exec *exec, struct attempt *attempt, int cause,
                           const char *message);
void exec_tell_stopped_early(struct exec *exec, struct attempt *attempt);
