/* Base64 as headers of signatures and outputs have it (RFC 4648 §4): with padding. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that `len` bytes make, without the NUL behind them. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes BASE64_LEN(len) characters and a NUL; returns `text`. */
char *base64_encode(const void *data, size_t len, char *text);
/* Writes at most `max` bytes. False when `text` is not what base64_encode writes, or is longer. */
bool base64_decode(const char *text, uint8_t *data, size_t max, size_t *ret_len);
