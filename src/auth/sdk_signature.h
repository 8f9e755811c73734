/*
 * Huawei Cloud's SDK-HMAC-SHA256 (CONTRACT §3, reference dataarts-api §5). Pure functions: the
 * secret and the time come from the caller.
 *
 *     Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=<64 hex>
 *
 * The canonical request: method, path (each segment decoded once and encoded again, a slash at the
 * end), query (sorted), exactly the headers that SignedHeaders lists, and the body's hash. Nothing
 * about the body may be left out: X-Sdk-Content-Sha256 has to be the body's, and UNSIGNED-PAYLOAD is
 * taken only where there is none. X-Sdk-Date has to be signed and near.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/http.h"

enum {
    SDK_MAX_HEADERS = 64,
    SDK_MAX_ACCESS = 128,
    SDK_MAX_AUTHORIZATION = 8 << 10,
    SDK_MAX_QUERY = 4096, /* parameters */
    SDK_SIGNATURE_HEX = 64,
    SDK_SKEW_MS = 15 * 60 * 1000,
};

struct sdk_signature {
    const char *access;                   /* AK */
    const char *headers[SDK_MAX_HEADERS]; /* in lower case */
    size_t header_count;
    const char *signed_headers; /* the list as it was sent */
    char signature[SDK_SIGNATURE_HEX + 1];
};

/* Is the value of an Authorization header of this family (SDK-HMAC-…)? */
bool sdk_is_signature(const char *authorization);
/* Takes the header's value apart; strings in the arena. ERR_NOT_AUTHENTICATED saying what is wrong. */
enum err_code sdk_signature_parse(const char *authorization, struct arena *arena,
                                  struct sdk_signature *ret, struct err *err);
/* Holds the request against it. ERR_NOT_AUTHENTICATED saying what is wrong. */
enum err_code sdk_signature_verify(const struct sdk_signature *signature,
                                   const struct http_request *request, const char *secret,
                                   int64_t now_ms, struct arena *arena, struct err *err);
/* The canonical request with this hash of the body into `out`; false when the target is not well
 * percent-encoded or its query too long. For tests too: it is what published vectors show. */
bool sdk_canonical_request(const struct sdk_signature *signature,
                           const struct http_request *request, const char *body_hash,
                           struct arena *arena, struct buf *out);
