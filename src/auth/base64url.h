/* Base64 for URLs and headers (RFC 4648 §5), without padding. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that `len` bytes make, without the NUL behind them. */
#define BASE64URL_LEN(len) (((len)*4 + 2) / 3)

/* Writes BASE64URL_LEN(len) characters and a NUL; returns `text`. */
char *base64url_encode(const void *data, size_t len, char *text);
/* Writes at most `max` bytes. False when `text` is not what base64url_encode writes (padding, other
 * characters, bits set behind the end) or is longer. */
bool base64url_decode(const char *text, uint8_t *data, size_t max, size_t *ret_len);
