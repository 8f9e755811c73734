/*
 * What the files of the wire share: the wire, its clients, its exchanges.
 *
 *   wire.c      start and stop, libmicrohttpd's options, clients coming and going
 *   exchange.c  one request: checks of its head, body, handler, waiting and waking, answer
 *   stream.c    answers whose body is pulled bit by bit: pausing, waking, clients that go away
 *   door.c      one thread: accepts, closes what passed its deadline, sees who closes, drains refused
 *               bodies
 *
 * `lock` guards the lists, the phases and the door's fields. libmicrohttpd's own locks may be taken
 * under it, never the other way round: no callback of libmicrohttpd runs under a lock of its own.
 */
#pragma once

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "wire/wire.h"

/* Clients whose refused bodies are drained at the same time; beyond it they are just closed. */
enum { DOOR_MAX_LINGERING = 64, DOOR_LINGER_MS = 3000, DOOR_TELL_MS = 60000 };
/* Looks at one client that has closed, until libmicrohttpd has read what it sent; and clients seen to at
 * once, under the lock. */
enum { DOOR_LEAVING_MS = 100, DOOR_ROUND = 64 };

#define NO_DEADLINE INT64_MAX

struct lingering {
    int fd;
    int64_t until_ms; /* monotonic */
};

struct door {
    pthread_t thread;
    bool started;
    int listen_fd; /* -1 once closed; closed by the door's thread only */
    int bell_fd;   /* eventfd: something changed, look again */
    int gone_fd;   /* epoll: every client, once, when it has closed; opened with the listener */
    bool leave;
    int64_t look_ms;     /* when deadlines of clients are looked at next; monotonic, as all here */
    int64_t pause_ms;    /* when the first pause of a stream is over */
    int64_t sleep_ms;    /* until when the door's thread sleeps */
    int64_t tell_ms;     /* when it is said again that nobody can come in */
    int64_t full_ms;     /* when it is said again that too many are in */
    struct list leaving; /* struct client, by leaving, the next to look at first */
    struct lingering lingering[DOOR_MAX_LINGERING];
    size_t lingering_count;
};

/* One libmicrohttpd daemon with its threads and, with TLS, its certificate. A new certificate is a new
 * one; the one before serves the connections that it has, and the door stops it behind the last. */
struct serving {
    struct wire *wire;
    struct MHD_Daemon *daemon;
    atomic_uint open; /* connections admitted and not yet closed */
    struct list node; /* of wire->retired */
};

enum { WIRE_MAX_RETIRED = 4 }; /* beyond it those whom the oldest serves are let go */

struct wire {
    struct wire_config config; /* without the strings, which are the caller's */
    struct wire_callbacks callbacks;
    _Atomic(struct serving *) serving; /* who gets new connections; read by the door's thread */
    struct list retired;               /* struct serving, by node, oldest first */
    size_t retired_count;
    uint16_t port;
    atomic_bool stopping;
    atomic_uint open;         /* connections admitted and not yet closed */
    atomic_uint active;       /* requests that the handler saw and that are not over */
    atomic_size_t body_bytes; /* of all bodies, what each has beyond WIRE_SMALL_BODY_BYTES */
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* `active` reached 0 while stopping */
    struct list clients;  /* struct client, by node */
    struct list waiting;  /* struct exchange, by node: phase WAITING */
    struct list paused;   /* struct exchange, by node: phase PAUSED */
    struct list roused;   /* struct exchange, by node: phase ROUSED */
    struct list left;     /* struct exchange, by node: phase LEFT */
    struct door door;
    char complaint[256]; /* libmicrohttpd's last message while starting */
    atomic_bool starting;
    pthread_t starter; /* the thread whose messages those are */
};

/* One open connection. Belongs to the wire thread that serves it, but for the deadline. */
struct client {
    struct list node;
    struct serving *serving;
    int fd;
    _Atomic int64_t deadline_ms; /* monotonic; the door shuts the socket down after it */
    bool linger;                 /* closed with bytes of a refused body still to come */
    struct exchange *spare;      /* for the next request; NULL while one is running */
    struct exchange *flowing;    /* its streaming answer; NULL: none. Under the lock */
    bool is_gone;                /* it has closed, at least what it sends. Under the lock */
    struct list leaving;         /* of door->leaving: gone, with bytes that nobody has read */
    int64_t look_ms;             /* when the door looks at it again, while it is there */
    char peer[INET6_ADDRSTRLEN];
};

/*
 * Phases of an exchange, changed under wire->lock (but for the first):
 *
 *     begin
 *       │             wire_wake               HTTP_WAIT: handler called again at once
 *       ▼
 *    RUNNING ─────────────────────▶ WOKEN ────────────────────────────────────▶ RUNNING
 *       │  ▲
 *       │  └──── wire_wake: connection resumed ──┐
 *       │ HTTP_WAIT: connection suspended        │
 *       ├──────────────────────────────────▶ WAITING
 *       │ HTTP_WAIT while stopping               │ wire_quiesce: connection resumed
 *       ▼                                        │
 *    ORPHAN ◀────────────────────────────────────┘
 *       │  └──── wire_wake ──▶ RUNNING
 *       │ answer sent or client gone
 *       ▼
 *     LEFT ───── wire_wake or wire_stop ──▶ freed
 *
 * An exchange in any other phase is over when libmicrohttpd says that its request is over. A
 * suspended connection is never over, so WAITING cannot be left by a client that goes away.
 * ORPHAN and LEFT owe a wake: somebody holds the request and will touch it once more.
 *
 * A streaming answer leaves RUNNING for good:
 *
 *    RUNNING ── HTTP_DONE with pull ──▶ FLOWING ◀──────── pulled again ──────── NUDGED
 *                                       ▲ │  └────────────── wake ────────────────▲
 *         the door: connection resumed  │ │ HTTP_PAUSE: connection suspended
 *                                       │ ▼
 *                     ROUSED ◀─ wake ─ PAUSED      pause over, client gone, stop: FLOWING
 *
 * So a wake touches lists only, and the door does what is dear (resuming) for many at a time.
 * PAUSED and ROUSED cannot be over, being suspended; nobody is owed anything.
 */
enum exchange_phase { RUNNING, WOKEN, WAITING, ORPHAN, LEFT, FLOWING, NUDGED, PAUSED, ROUSED };

enum body_fate { BODY_KEPT, BODY_TOO_LARGE, BODY_WITHOUT_ROOM };

/* A streaming answer, while there is one. */
struct stream {
    http_pull *pull;  /* NULL: none */
    struct buf out;   /* pulled; holds no memory while it pauses */
    size_t sent;      /* of it, handed to libmicrohttpd */
    bool is_cut;      /* after `out` the connection is closed, without a proper end */
    bool is_last;     /* nothing is pulled after `out` */
    int64_t until_ms; /* PAUSED: the end of its pause; NO_DEADLINE: none */
};

struct exchange {
    struct http_request request;
    struct list node;
    struct wire *wire;
    struct client *client;             /* NULL once the request is over */
    struct MHD_Connection *connection; /* likewise */
    struct buf body;
    size_t body_share; /* of wire->body_bytes */
    int64_t began_us;  /* monotonic: when its request line was there */
    struct stream stream;
    enum exchange_phase phase;
    bool was_orphan; /* the phase has to be looked at under the lock when the request is over */
    bool head_seen;
    bool target_too_long;
    bool target_malformed;
    enum body_fate body_fate; /* unless it is kept, what follows is read and dropped */
    bool handled;             /* the handler saw it: wire_done has to */
    bool answered;
    char peer[INET6_ADDRSTRLEN];
};

/* exchange.c: libmicrohttpd's callbacks; `cls` is the wire. */
void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload_data,
                                size_t *upload_data_size, void **con_cls);
void exchange_over(void *cls, struct MHD_Connection *connection, void **con_cls,
                   enum MHD_RequestTerminationCode code);
/* Calls wire_done if the handler saw the request, and frees it. Not under the lock. */
void exchange_free(struct exchange *exchange);
/* Resumes everything that waits. Under the lock, with `stopping` set. */
void exchange_orphan_all(struct wire *wire);
/* When what was just handed over must have been taken. */
void exchange_expect_sent(struct exchange *exchange, size_t len);

/* stream.c */
/* The answer of a response with `pull`; NULL when there is no memory. */
struct MHD_Response *stream_open(struct exchange *exchange, const struct http_response *response);
/* The request is over: nothing of it is touched by the door from here on. */
void stream_close(struct exchange *exchange);
/* A wake in one of the phases of a stream. Under the lock. */
void stream_wake(struct exchange *exchange);
/* The door's part: resumes what was roused or whose pause is over, at most DOOR_ROUND. True when there
 * is more. Under the lock. */
bool stream_tend(struct wire *wire, int64_t now);
/* The client has closed: a pause ends. Under the lock. */
void stream_leave(struct exchange *exchange);
/* Resumes every stream, to be pulled once more. Under the lock, with `stopping` set. */
void stream_stop_all(struct wire *wire);

/* wire.c: stops those retired that serve nobody any more. The door's thread only: nobody else admits
 * to one. Not under the lock. */
void wire_reap(struct wire *wire);

/* door.c */
/* Binds and listens; 0 and wire->port, or ERR_UNAVAILABLE. */
enum err_code door_open(struct wire *wire, struct err *err);
void door_start(struct wire *wire);
/* No more connections: refuses new ones from now on. Under the lock. */
void door_shut(struct wire *wire);
/* The door's thread looks around at once. */
void door_ring(struct wire *wire);
/* Joins the thread and closes what is open. */
void door_release(struct wire *wire);
/* The door sees from here on when the client closes, until door_forget. Both under the lock. */
void door_watch(struct wire *wire, struct client *client);
void door_forget(struct wire *wire, struct client *client);
/* Keeps the socket for a while and drops what comes, so that the refusal that was sent is not
 * overtaken by a reset. Under the lock; the caller closes its own `fd`. */
void door_linger(struct wire *wire, int fd);

/* Monotonic, in ms, a few ms coarse. */
int64_t wire_clock_ms(void);
/* Monotonic, in µs, for measuring. */
int64_t wire_clock_us(void);
/* Now + `seconds`, NO_DEADLINE for 0. */
int64_t wire_deadline_ms(unsigned seconds);
