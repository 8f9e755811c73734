/*
 * The server's end of its supervisors: starting them, their sockets, idle ones kept for the next
 * order (DURABILITY §2).
 *
 * A supervisor has a pidfd and, unless it was adopted or has closed its end, a socket. Without one it
 * can still be asked to stop (SIGTERM, through the pidfd) and watched until it is gone; what its
 * attempt came to is then in the record. Both are watched through the pool's epoll, whose events
 * carry a struct watch. Nothing here blocks: what a socket does not take is kept, and goes on when
 * it is writable.
 *
 * An acknowledgement waits for pool_flush, so that the next order takes it along: one send and one
 * wake-up for both.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/list.h"
#include "supervise/order.h"

struct attempt;
struct supervisor;

enum watch_kind { WATCH_SOCKET, WATCH_PROCESS };
struct watch {
    enum watch_kind kind;
    struct supervisor *supervisor;
};

struct supervisor {
    struct list place; /* in all, or in gone */
    struct list idle;
    struct list unsent;
    struct attempt *attempt; /* NULL while idle */
    pid_t pid;
    int pidfd;
    int socket;   /* -1: none */
    bool child;   /* ours to wait for, not adopted */
    bool gone;    /* has ended; freed at the end of the dispatch */
    bool is_warm; /* was asked for a warm start: it has a fork server, or will have one */
    struct watch socket_watch;
    struct watch process_watch;
    struct buf out;
    size_t sent; /* of out */
    bool full;   /* the socket took no more: waiting until it is writable */
    size_t received;
    uint8_t in[2 * FRAME_SMALL_MAX_BYTES];
};

struct pool {
    int epoll_fd;
    const char *path; /* of reprise-supervise; the owner's */
    size_t max_idle;
    size_t idle_count;
    struct list all;
    struct list idle;   /* last used first: its memory is warm */
    struct list unsent; /* with something to send that may wait */
    struct list gone;
};

/* `path` must outlive the pool. */
void pool_init(struct pool *pool, int epoll_fd, const char *path, size_t max_idle);
/* Sends what waits and lets go of every supervisor: idle ones end, the others go on without us. */
void pool_release(struct pool *pool);
/* Starts `count` idle supervisors. 0, or a negative errno value. */
int pool_prespawn(struct pool *pool, size_t count);
/* An idle supervisor or a fresh one; NULL with errno. Prefers an idle one whose history fits
 * `is_warm`, so that a fork server is not spent on cold tasks. */
struct supervisor *pool_take(struct pool *pool, bool is_warm);
/* One that some other server started. Takes the pidfd over. */
struct supervisor *pool_adopt(struct pool *pool, pid_t pid, int pidfd);
/* It has done its work: kept if it is `reusable` and there is room, else it ends. */
void pool_put_back(struct pool *pool, struct supervisor *supervisor, bool reusable);
/* Sends what waits. */
void pool_flush(struct pool *pool);
bool pool_has_unsent(const struct pool *pool);
/* Frees those that have ended. Not while events of them are still to be handled. */
void pool_free_gone(struct pool *pool);

/* Queues bytes for the socket. */
void supervisor_post(struct pool *pool, struct supervisor *supervisor, const void *bytes,
                     size_t size);
/* Sends what is queued as far as the socket takes it; also to be called when it is writable. */
void supervisor_flush(struct pool *pool, struct supervisor *supervisor);

/* Reads what is there, without waiting. False: the socket has ended, and is closed now. */
bool supervisor_receive(struct pool *pool, struct supervisor *supervisor);
/* The next whole frame: 1, 0, or -EPROTO. Drop it when done with its payload. */
int supervisor_next(struct supervisor *supervisor, struct frame *ret);
void supervisor_drop(struct supervisor *supervisor, const struct frame *frame);
/* Closes our end of the socket: a running task goes on, its outcome goes into the record. */
void supervisor_hang_up(struct pool *pool, struct supervisor *supervisor);

/* SIGTERM (a stop, for one without a socket) or SIGKILL (frozen). */
void supervisor_signal(const struct supervisor *supervisor, int signal);
/* The process has ended: waits for it and closes everything. Returns its wait status as
 * siginfo_t's si_status if it is our child and exited by itself, else 0. */
int supervisor_ended(struct pool *pool, struct supervisor *supervisor);
