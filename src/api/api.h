/*
 * The APIs: two dialects of one resource model, and what we add, over the wire's requests.
 *
 * api_handle is the wire's handler: it finds the route on the raw target, authenticates, parses and
 * checks in the order of RULES §7, reads on its own thread or hands a command to the pump, and
 * prints the answer straight into the response's buffer from the field tables.
 */
#pragma once

#include "api/backend.h"
#include "base/http.h"

struct api_config {
    const char *platform_id; /* OCID, aiDataPlatformId */
    const char *project_id;  /* 32 hex digits: the platform in the DataArts dialect */
    const char *hub_region;
    const char *tenancy;     /* OCID: first part of every keyId */
    bool is_secure;          /* TLS: cookies are for it alone */
    int64_t session_ms;      /* how long a sign-in lasts */
    const uint8_t *page_key; /* 32 bytes: signs page tokens */
    size_t max_body_bytes;
    unsigned max_streams;    /* open at the same time; 0: the preset of api/stream.h */
    int64_t heartbeat_ms;    /* between signs of life of a silent stream; 0: likewise */
    bool metrics_are_public; /* /metrics needs no credential */
};

struct api;

struct api *api_new(const struct api_config *config, const struct api_backend *backend);
void api_free(struct api *api);

/* The wire's callbacks; `context` is the struct api. api_done frees request->state. api_refuse
 * makes body and headers of what the wire refuses by itself (413, 431, 503, …); its header strings
 * live until the next api_refuse on the same thread. api_answered counts answers. */
enum http_verdict api_handle(void *context, struct http_request *request,
                             struct http_response *response);
void api_done(void *context, struct http_request *request);
/* request->kind of what api_handle saw is API_KIND_ROUTES + the place of its route in the table. */
enum { API_KIND_NONE, API_KIND_PAGE, API_KIND_ROUTES };
void api_answered(void *context, const struct http_request *request, int status, int64_t after_us);
void api_refuse(void *context, enum err_code code, const char *message, const char *target,
                struct http_response *response);

/* Prints the answer to a command that succeeded, as of what `reader` sees, or, without one, from what
 * pending->made has: the pump does so for answers that are kept under a retry token, in their transaction, the API itself for all
 * others. */
struct api_answer {
    int64_t status;       /* 0: it could not be read; nothing to be kept */
    const char *etag;     /* NULL: none */
    const char *location; /* likewise */
    struct buf body;      /* to be released by the caller */
};
void api_answer_command(struct api *api, struct store_reader *reader,
                        const struct api_workspace *workspace, const struct api_pending *pending,
                        struct arena *arena, struct api_answer *ret);
