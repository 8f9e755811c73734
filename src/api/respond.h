/*
 * Answers: the one place that makes status, headers and error bodies.
 *
 * Every answer carries opc-request-id (the caller's if it is valid, else ours). Errors are
 * {"code","message"} (CONTRACT §4); in the DataArts dialect, which is told by the path, X-Request-Id
 * and {"error_code","error_msg"} with the codes of that dialect (RULES §10).
 */
#pragma once

#include "api/call.h"

/* Replaces what is in the response by the error in call->err. */
void respond_error(struct call *call);
/* The same where there is no call. */
void respond_refusal(struct api *api, struct http_request *request, struct http_response *response,
                     enum err_code code, const char *message);
/* Is the path one of the DataArts dialect, /v1/… or /v2/…? */
bool target_is_dataarts(const char *target);
/* What carries the request's id in answers to this target. */
const char *request_id_header(const char *target);
/* The body of an error, in the dialect of the target; `id` is the request's. */
void refusal_print(struct buf *out, const char *target, enum err_code code, const char *message,
                   const char *id);
/* Status and content type; the body is printed by the caller. */
void respond_json(struct call *call, int status);
/* 204, or what the route says. */
void respond_nothing(struct call *call);
void respond_etag(struct call *call, const char *etag);
/* "{"items":[" … "]}" around what is printed between, with a comma before all but the first. */
void respond_items_begin(struct call *call);
void respond_item(struct call *call, size_t index, const struct schema *schema, const void *object);
void respond_items_end(struct call *call);
/* Prints {"code":…,"message":…}. */
void error_print(struct buf *out, enum err_code code, const char *message);

/* The id of this request in `text`: the caller's, if it sent one valid one, else a new one. */
const char *request_id(struct api *api, const struct http_request *request,
                       char text[static REQUEST_ID_TEXT]);
