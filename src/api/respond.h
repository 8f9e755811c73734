/*
 * Answers: the one place that makes status, headers and error bodies.
 *
 * Every answer carries opc-request-id (the caller's if it is valid, else ours). Errors are
 * {"code","message"} (CONTRACT §4).
 */
#pragma once

#include "api/call.h"

/* Replaces what is in the response by the error in call->err. */
void respond_error(struct call *call);
/* The same where there is no call. */
void respond_refusal(struct api *api, struct http_request *request, struct http_response *response,
                     enum err_code code, const char *message);
/* Status and content type; the body is printed by the caller. */
void respond_json(struct call *call, int status);
/* 204. */
void respond_none(struct call *call);
void respond_etag(struct call *call, const char *etag);
/* "{"items":[" … "]}" around what is printed between, with a comma before all but the first. */
void respond_items_begin(struct call *call);
void respond_item(struct call *call, size_t index, const struct schema *schema, const void *object);
void respond_items_end(struct call *call);
/* Prints {"code":…,"message":…}. */
void error_print(struct buf *out, enum err_code code, const char *message);

/* The id of this request in `text`: the caller's, if it sent one valid one, else a new one. */
enum { REQUEST_ID_TEXT = REQUEST_ID_MAX + 1 };
const char *request_id(struct api *api, const struct http_request *request,
                       char text[static REQUEST_ID_TEXT]);
