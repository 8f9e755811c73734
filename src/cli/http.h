/*
 * HTTP calls: one libcurl handle, kept alive, one call at a time.
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
};

struct http_answer {
    long status;
    struct buf body;
    /* Headers; "" when absent or too long. */
    char etag[128];
    char request_id[256];
    char next_page[4096];
    char next_offset[32];
    char retry_after[32];
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
