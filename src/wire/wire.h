/*
 * HTTP bytes: libmicrohttpd behind a small contract.
 *
 * The wire knows connections, limits and bytes; what a request means is the handler's business.
 * It hands over the raw, still encoded target (signatures and %2F need it), the headers and the
 * whole body, and takes a status, headers and a body back.
 *
 * Threads: a handler runs on one of the wire's epoll threads. A handler that must wait (for a
 * commit) returns WIRE_WAIT; after wire_wake, from any thread, the same handler is called again
 * with the same request, on a wire thread. Nothing blocks a wire thread meanwhile.
 *
 * Limits (CONTRACT §4, named in wire_config): body size → 413, header size → 431, open
 * connections, idle time and total time of a request (a slow client gets 408 or is dropped).
 * Answers are made here for what never becomes a request: malformed HTTP, over-long bodies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    WIRE_MAX_TARGET_BYTES = 16 << 10, /* longer → 414 */
    WIRE_MAX_HEADER_BYTES = 32 << 10, /* all request headers of one request → 431 */
    WIRE_MAX_RESPONSE_HEADERS = 16,
};

struct wire_config {
    const char *host; /* numeric address or name, e.g. "127.0.0.1" */
    uint16_t port;    /* 0: any free one */
    unsigned threads; /* epoll threads, 1–64 */
    size_t max_body_bytes;
    unsigned max_connections;    /* more are closed at once */
    unsigned idle_timeout_s;     /* a connection without progress */
    unsigned request_timeout_s;  /* from first byte to whole body */
    const char *tls_cert_pem;    /* both NULL: plain HTTP; contents, not paths */
    const char *tls_key_pem;
};

struct wire_header {
    const char *name;
    const char *value;
};

/* One request. Everything it points to lives until its answer has been sent. */
struct wire_request {
    const char *method; /* as sent, e.g. "POST" */
    const char *target; /* raw path and query, as sent */
    const char *body;   /* NUL-terminated behind body_len */
    size_t body_len;
    const char *peer;    /* numeric address of the client, for logs and rate limits */
    int64_t received_ms; /* wall clock when the request line arrived */
    struct arena arena;  /* the handler's, released after the answer */
    void *state;         /* the handler's own, NULL at the first call */
    bool shutting_down;  /* the wire is stopping: answer now, WIRE_WAIT is not obeyed */
};

struct wire_response {
    int status;
    struct wire_header headers[WIRE_MAX_RESPONSE_HEADERS]; /* strings live in the request's arena */
    size_t header_count;
    struct buf body; /* taken over by the wire. For HEAD only its length is used */
};

enum wire_verdict { WIRE_DONE, WIRE_WAIT };

/* Fills `response` (empty at every call) and returns WIRE_DONE, or returns WIRE_WAIT. */
typedef enum wire_verdict wire_handler(void *context, struct wire_request *request,
                                       struct wire_response *response);
/* Called once after the answer was sent or the client went away; frees request->state. */
typedef void wire_done(void *context, struct wire_request *request);
/* Makes the body of an answer that the wire gives by itself (413, 431, 408, 400, 503): so that the
 * error form stays the dialect's business. */
typedef void wire_refusal(void *context, enum err_code code, const char *message,
                          const char *target, struct wire_response *response);

struct wire_callbacks {
    wire_handler *handle;
    wire_done *done;
    wire_refusal *refuse;
    void *context;
};

struct wire;

/* Binds, listens and starts the threads. NULL with `err` naming the address when that fails. */
struct wire *wire_start(const struct wire_config *config, const struct wire_callbacks *callbacks,
                        struct err *err);
/* The port that was bound. */
uint16_t wire_port(const struct wire *wire);
/* Stops accepting; requests that wait are called once more with shutting_down set. */
void wire_quiesce(struct wire *wire);
/* wire_quiesce, then closes connections, joins the threads and frees everything. */
void wire_stop(struct wire *wire);

/* Lets a request that answered WIRE_WAIT go on. Any thread; exactly once per WIRE_WAIT. May come
 * before the handler has returned. */
void wire_wake(struct wire_request *request);

/* First header of that name, any case; NULL when absent. */
const char *wire_header(const struct wire_request *request, const char *name);
/* How many headers of that name were sent: a duplicate may be refused. */
unsigned wire_header_count(const struct wire_request *request, const char *name);
/* Adds a header to the answer; `value` is copied into the request's arena. */
void wire_add_header(struct wire_request *request, struct wire_response *response,
                     const char *name, const char *value);
