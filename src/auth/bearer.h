/*
 * Bearer tokens: their form, what is stored of them, and how a request carries one (CONTRACT §3).
 *
 * A token is "rpr_" and 32 random bytes in base64url. Only its SHA-256 is stored: 256 random bits
 * need no salt and no slow hash. Pure functions; the random bytes come from the caller.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/base64url.h"
#include "auth/digest.h"

enum {
    BEARER_SECRET_BYTES = 32,
    BEARER_TEXT = sizeof "rpr_" + BASE64URL_LEN(BEARER_SECRET_BYTES), /* bytes, NUL included */
    BEARER_MAX_TEXT = 512, /* characters of any token that is looked at */
};

/* Writes the token made of 32 random bytes; returns `text`. */
char *bearer_format(const uint8_t secret[static BEARER_SECRET_BYTES],
                    char text[static BEARER_TEXT]);
/* What is stored and looked up. */
void bearer_hash(const char *token, uint8_t ret[static SHA256_BYTES]);
/* Characters and length that a token may have (RFC 6750's b64token). */
bool bearer_is_token(const char *text);
/* The token of an Authorization header's value "Bearer TOKEN" (scheme in any case), a pointer into
 * it; NULL when the scheme is another or the token malformed. */
const char *bearer_of_authorization(const char *value);
