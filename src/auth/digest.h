/*
 * SHA-256, HMAC-SHA256 and comparison in constant time, over OpenSSL's EVP. Pure functions; they
 * abort where OpenSSL cannot (it is out of memory, or holds no SHA-256).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SHA256_BYTES = 32 };

void sha256(const void *data, size_t len, uint8_t ret[static SHA256_BYTES]);
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret[static SHA256_BYTES]);
/* The time it takes tells nothing about where two secrets differ. */
bool digest_equal(const void *a, const void *b, size_t len);

/* Appends a part of what is to be hashed, its length before it, so that the borders of parts count
 * too: ("ab", "c") and ("a", "bc") hash differently. */
void digest_part(struct buf *message, const void *data, size_t len);
void digest_text(struct buf *message, const char *text);
