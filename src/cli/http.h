/*
 * HTTP calls: one libcurl handle, kept alive, one call at a time; and feeds, answers that go on and
 * on and are heard piece by piece between calls.
 *
 * No signals, no redirects, http and https only; time limits on connecting and on silence. Knows
 * nothing of jobs; call.h says what an answer means.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { HTTP_MAX_ANSWER = 256 << 20 };

struct http_client;

struct http_call {
    const char *method;
    const char *url;
    const char *token;   /* "" or NULL: none */
    const char *ca_file; /* NULL: the system's */
    const char *body;    /* NULL: none */
    size_t body_len;
    const char *retry_token; /* NULL: none */
    const char *if_match;    /* NULL: none */
    const char *accept;      /* NULL: JSON, or text */
};

struct http_answer {
    long status;
    struct buf body;
    /* Headers; "" when absent or too long. */
    char etag[128];
    char request_id[256];
    char next_page[4096];
    char next_offset[32];
    char offset[32]; /* x-reprise-offset */
    char retry_after[32];
    char content_type[128];
    char attempt[32]; /* x-reprise-attempt */
};

/* NULL when libcurl cannot start. */
struct http_client *http_client_new(void);
void http_client_free(struct http_client *client);

/* True when an HTTP answer came whole; else `problem` says why not. The answer is to be released
 * in both cases. */
__attribute__((warn_unused_result)) bool http_send(struct http_client *client,
                                                   const struct http_call *call,
                                                   struct http_answer *ret, char *problem,
                                                   size_t problem_size);
void http_answer_release(struct http_answer *answer);

/* ---- feeds ---- */

struct http_feed {
    struct http_answer answer; /* status 0: nothing has come yet. `body`: not yet taken; the caller
                                * takes it by clearing it */
    bool is_over;              /* nothing more comes */
    bool is_whole;             /* it ended as an answer does, and was not cut off */
};

/* Asks, and waits for the head of the answer; a feed that is over when there is none. */
struct http_feed *http_feed_open(struct http_client *client, const struct http_call *call);
/* Lets something happen on the client's feeds, for up to `timeout_ms`: returns as soon as it has. */
void http_feeds_wait(struct http_client *client, int timeout_ms);
/* NULL does nothing. */
void http_feed_close(struct http_feed *feed);
