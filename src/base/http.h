/*
 * A request and its answer, between the wire (bytes) and whoever says what they mean.
 *
 * The wire owns both. Everything a request points to lives until its answer has been sent.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum { HTTP_MAX_RESPONSE_HEADERS = 16 };

struct http_header {
    const char *name;
    const char *value; /* of a request: without the blanks around it, as signatures have it */
};

struct http_request {
    const char *method;                /* as sent, e.g. "POST" */
    const char *target;                /* raw path and query, as sent: signatures and %2F need it */
    const struct http_header *headers; /* in the order in which they were sent */
    size_t header_count;
    const char *body; /* NUL-terminated behind body_len */
    size_t body_len;
    const char *peer;   /* numeric address of the client, for logs and rate limits */
    struct arena arena; /* the handler's, released after the answer */
    void *state;        /* the handler's own, NULL at the first call */
    /* The body is not here: answer at once, with a refusal. An answer that is none becomes 413. */
    bool body_too_large;
    bool shutting_down; /* the wire is stopping: answer now, HTTP_WAIT is not obeyed */
    unsigned kind;      /* the handler's: what it is, for who counts the answers; 0: nobody said */
    /* Lets a request that answered HTTP_WAIT go on: any thread; exactly once per HTTP_WAIT; it may
     * come before the handler has returned. Of a streaming answer: there may be more to pull; any
     * thread, any number of times, from the first pull until the request is done. */
    void (*wake)(struct http_request *request);
};

/*
 * A streaming answer: its body is pulled bit by bit, whenever the client has taken what there was.
 * Pulls of one request come one after the other, from the threads that call handlers, and must not
 * block. `out` is empty; HTTP_PULL_BYTES are about right, a little more does no harm.
 */
enum http_more {
    HTTP_MORE,  /* pull again as soon as this is taken */
    HTTP_PAUSE, /* pull again after a wake, or when *ret_pause_ms have passed (0: never) */
    HTTP_END,   /* that was all. A pause after shutting_down is taken for the end too */
    HTTP_CUT,   /* that was not all, and the client shall see it: the connection is closed */
};
typedef enum http_more http_pull(struct http_request *request, struct buf *out,
                                 int64_t *ret_pause_ms);

enum { HTTP_PULL_BYTES = 16 << 10 };

/*
 * The packed form of a body that is the same in every answer: kept by whoever answers, longer than any request, and
 * filled by the wire when the first client takes it.
 */
struct http_packed {
    pthread_mutex_t lock;
    struct buf bytes; /* empty: not made yet */
};
void http_packed_init(struct http_packed *packed);
void http_packed_release(struct http_packed *packed);

struct http_response {
    int status;
    struct http_header headers[HTTP_MAX_RESPONSE_HEADERS]; /* strings live in the arena */
    size_t header_count;
    struct buf body;            /* taken over by the wire. For HEAD only its length is used */
    http_pull *pull;            /* NULL: `body` is all of it; else `body` is empty */
    struct http_packed *packed; /* of `body`; NULL: another answer has another body */
};

/* HTTP_WAIT: call again, with the same request, after wake. */
enum http_verdict { HTTP_DONE, HTTP_WAIT };

/* First header of that name, any case; NULL when absent. */
const char *http_header(const struct http_request *request, const char *name);
/* How many headers of that name were sent: a duplicate may be refused. */
unsigned http_header_count(const struct http_request *request, const char *name);
/* Adds a header to the answer; `value` is copied into the request's arena. `name` is a literal. */
void http_add_header(struct http_request *request, struct http_response *response, const char *name,
                     const char *value);
