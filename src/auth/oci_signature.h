/*
 * OCI's HTTP signatures, version 1 (draft-cavage-http-signatures-08, rsa-sha256; CONTRACT §3,
 * reference oracle-api §5). Pure functions: the key and the time come from the caller.
 *
 *     Authorization: Signature version="1",keyId="tenancy/user/fingerprint",algorithm="rsa-sha256",
 *                    headers="date (request-target) host",signature="…"
 *
 * The signed text is made of the listed headers, in that order, names in lower case whatever their
 * case in the list; (request-target) is the raw target as it came. (request-target), host and one of
 * date and x-date have to be signed; with a body, and by POST, PUT and PATCH always, also
 * content-length, content-type and x-content-sha256, which has to be the body's. There is no replay
 * cache: a date is a second long and equal polls carry equal signatures; retry tokens and if-match
 * cover repeated writes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/rsa.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/http.h"

enum {
    OCI_MAX_HEADERS = 32,
    OCI_MAX_KEY_ID = 512,
    OCI_MAX_AUTHORIZATION = 8 << 10,
    OCI_SKEW_MS = 5 * 60 * 1000,
};

struct oci_signature {
    const char *key_id;
    const char *headers[OCI_MAX_HEADERS]; /* in lower case */
    size_t header_count;
    uint8_t signature[RSA_MAX_SIGNATURE];
    size_t signature_len;
};

/* Is the value of an Authorization header of this scheme? */
bool oci_is_signature(const char *authorization);
/* Takes the header's value apart; strings in the arena. ERR_NOT_AUTHENTICATED saying what is wrong. */
enum err_code oci_signature_parse(const char *authorization, struct arena *arena,
                                  struct oci_signature *ret, struct err *err);
/* Holds the request against it. ERR_NOT_AUTHENTICATED saying what is wrong. */
enum err_code oci_signature_verify(const struct oci_signature *signature,
                                   const struct http_request *request, struct rsa_verifier *key,
                                   int64_t now_ms, struct err *err);
