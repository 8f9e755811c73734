/*
 * Streaming answers: what those of events and of logs have in common. Included by src/api only.
 *
 * A stream lives in its request's arena and is request->state. It takes one of a bounded number of
 * places (429 when there is none; the last quarter is for users who have less than half), begins to watch the workspace's events with its first pull, asks
 * now and then whether its caller still may read, and ends after STREAM_LIFE_MS: whoever wants more
 * comes again, with a credential that is looked at anew.
 */
#pragma once

#include "api/call.h"

enum {
    STREAM_MAX = 2048, /* open at the same time, unless configured otherwise */
    STREAM_HEARTBEAT_MS = 15 * 1000,
    STREAM_LIFE_MS = 60 * 60 * 1000,
    STREAM_STORE_RETRY_MS = 1000, /* the store could not be read */
};

struct stream {
    struct request_state state; /* first */
    struct list place;          /* in api->streams */
    struct api *api;
    struct http_request *request;
    struct api_workspace workspace;
    struct api_account account;
    int role; /* enum role: the least that may */
    struct api_watch watch;
    bool is_watching;
    int64_t position; /* every event up to this number has been looked at */
    int64_t opened_ms;
    int64_t looked_ms;                      /* when it was last asked whether the caller may */
    int64_t sent_ms;                        /* when something was last sent */
    void (*release)(struct stream *stream); /* of what embeds it; may be NULL */
};

/* Answers 200 with a stream of `content_type`; `stream` is zeroed and in the call's arena, but for
 * position and release. `run`: whose events wake it, nil for all. An error, if there is no place. */
enum err_code stream_begin(struct call *call, struct stream *stream, const struct uuid *run,
                           const char *content_type, http_pull *pull);

/* For pulls: the stream of a request, watching. NULL when it is to end. */
struct stream *stream_pulled(struct http_request *request);
/* How long to pause, at most. */
int64_t stream_pause_ms(const struct stream *stream);
/* How many are open. */
unsigned stream_count(struct api *api);
/* Is it time to show that the connection lives? */
bool stream_is_silent(const struct stream *stream);
/* Something is sent by this pull. */
void stream_sends(struct stream *stream);
