/*
 * HTTP bytes: libmicrohttpd behind a small contract.
 *
 * The wire knows connections, limits and bytes; what a request means is the handler's business.
 * It hands over the raw, still encoded target (signatures and %2F need it), the headers and the
 * whole body, and takes a status, headers and a body back.
 *
 * Threads: a handler runs on one of the wire's epoll threads. A handler that must wait (for a
 * commit) returns HTTP_WAIT; after wire_wake, from any thread, the same handler is called again
 * with the same request, on a wire thread. Nothing blocks a wire thread meanwhile. One more thread,
 * the door (door.c), accepts connections and closes those that passed their deadline or whose client
 * has closed. A client may close what it sends behind whole requests and still hear their answers
 * (but for one that waits).
 *
 * A streaming answer (response->pull, stream.c) is pulled on the wire threads whenever its client
 * has taken what there was. While it pauses it costs its connection's memory and nothing else; the
 * door wakes it when its pause is over, and notices when its client closes (its sending half will
 * do). What one pull may leave at once is bounded by WIRE_MAX_PULL_BYTES.
 *
 * Limits (CONTRACT §4, named in wire_config and below):
 *   target → 414, head → 431, body → 413 (by Content-Length before a byte of it is read; a chunked
 *   body is read to its end, unkept, and then refused); an ambiguous body length → 400; large bodies
 *   that are more than max_bodies_bytes together, before anyone knows whose they are → 503, read to
 *   their end likewise. These refusals carry a body made by wire_refusal.
 *   Open connections → closed at once, and the log says so now and then.
 *   Time → the connection is closed without an answer: idle_timeout_s without a byte, or a request
 *   that is not whole request_timeout_s after its request line. A request line has to be whole
 *   idle_timeout_s + request_timeout_s after the answer before it (or the connect). An answer, and
 *   each piece of a streaming one, has to be taken at WIRE_MIN_SEND_RATE after the first
 *   request_timeout_s. A handler has no limit, nor has a pause between two pieces.
 * What libmicrohttpd refuses before a request exists (no HTTP at all, an unknown version, a broken
 * header line or chunk, a head past WIRE_POOL_BYTES) it answers itself with a 400, 413, 414, 431 or
 * 505 and a short HTML or empty body, and closes the connection. It ends a header's value at a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/http.h"

enum {
    WIRE_MAX_THREADS = 64,
    WIRE_MAX_CONNECTIONS = 1 << 20,
    WIRE_MAX_TARGET_BYTES = 16 << 10,
    WIRE_MAX_HEADER_BYTES = 32 << 10,    /* request line and headers of one request */
    WIRE_MAX_RESPONSE_BYTES = 256 << 20, /* the maximum that a response's body is born with */
    WIRE_MIN_SEND_RATE = 4 << 10,        /* bytes/s that a client has to take an answer at */
    WIRE_MAX_PULL_BYTES = 4 << 20,       /* the maximum that `out` of a pull is born with */
    WIRE_STREAM_UNSENT_BYTES = 64 << 10, /* of a stream, what the kernel holds before it is sent */
    WIRE_SMALL_BODY_BYTES = 64 << 10,    /* always taken; what is longer shares max_bodies_bytes */
    WIRE_MAX_BODIES_BYTES = 256 << 20,
    /* libmicrohttpd's memory for one connection: head, its index and the answer's headers. It is
     * cleared after every request, so more of it costs time (docs/design/wire.md). */
    WIRE_POOL_BYTES = 48 << 10,
};

struct wire_config {
    const char *host; /* numeric address or name, e.g. "127.0.0.1" */
    uint16_t port;    /* 0: any free one */
    unsigned threads; /* epoll threads, 1–64 */
    size_t max_body_bytes;
    size_t max_bodies_bytes;    /* of all requests together; 0: WIRE_MAX_BODIES_BYTES */
    unsigned max_connections;   /* more are closed at once */
    unsigned idle_timeout_s;    /* a connection without progress; 0: none */
    unsigned request_timeout_s; /* from request line to whole body; 0: none */
    const char *tls_cert_pem;   /* both NULL: plain HTTP; contents, not paths */
    const char *tls_key_pem;
};

/* Fills `response` (empty at every call, its body with WIRE_MAX_RESPONSE_BYTES to grow to) and
 * returns HTTP_DONE, or returns HTTP_WAIT. A body that overflowed its maximum gives a 500. */
typedef enum http_verdict wire_handler(void *context, struct http_request *request,
                                       struct http_response *response);
/* Called once for every request that the handler saw, after the answer was sent or the client went
 * away, and not before a wire_wake that is still owed; frees request->state. Runs on a wire thread,
 * or, when the wire was quiesced, inside wire_wake or wire_stop. */
typedef void wire_done(void *context, struct http_request *request);
/* Makes headers and body of an answer that the wire gives by itself (400, 413, 414, 431, 500, 503):
 * so that the error form stays the dialect's business. The status is the wire's; header strings are
 * literals. 414 comes as ERR_LIMIT_EXCEEDED. `target` is "" when it was too long. */
typedef void wire_refusal(void *context, enum err_code code, const char *message,
                          const char *target, struct http_response *response);

/* An answer is on its way, to a request of any kind: with what status, and how many µs after its request
 * line (of a streaming one: when it begins). For counting; on a wire thread. */
typedef void wire_answered(void *context, const struct http_request *request, int status,
                           int64_t after_us);

struct wire_callbacks {
    wire_handler *handle;
    wire_done *done;      /* may be NULL */
    wire_refusal *refuse; /* NULL: refusals have no body */
    void *context;
    wire_answered *answered; /* may be NULL */
};

struct wire;

/* Binds, listens and starts the threads. NULL with `err` naming the address when that fails. */
struct wire *wire_start(const struct wire_config *config, const struct wire_callbacks *callbacks,
                        struct err *err);
/* With TLS: connections that come from now on get this certificate, those that are open keep theirs.
 * On failure everything stays as it is. One thread at a time. */
enum err_code wire_renew_tls(struct wire *wire, const char *cert_pem, const char *key_pem,
                             struct err *err);
/* How many are open now. Any thread. */
unsigned wire_connections(const struct wire *wire);
/* The port that was bound. */
uint16_t wire_port(const struct wire *wire);
/* Stops accepting; requests that wait are called once more with shutting_down set, and so is every
 * request that still comes on an open connection (which its answer then closes). */
void wire_quiesce(struct wire *wire);
/* wire_quiesce, gives running answers WIRE_STOP_GRACE_MS to be sent, then closes connections, joins
 * the threads and frees everything. Not from a handler. From the time it returns nobody may call
 * wire_wake any more: stop what wakes before the wire. */
void wire_stop(struct wire *wire);

enum { WIRE_STOP_GRACE_MS = 2000 };

/* request->wake. Lets a request that answered HTTP_WAIT go on: any thread; exactly once per
 * HTTP_WAIT; may come before the handler has returned; a client that goes away meanwhile is noticed
 * only after it. Of a streaming answer: any thread, any number of times, from its first pull until
 * wire_done returns; it costs a lock, and no system call but for the first of many. */
void wire_wake(struct http_request *request);
