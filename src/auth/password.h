/*
 * Passwords: hashed with scrypt (RFC 7914) through OpenSSL's EVP. Pure functions; the salt comes
 * from the caller.
 *
 * Text form: "scrypt$14$8$1$salt$hash": log2 of N, r, p, and both in base64url. Costs are read from
 * the text, so they can be raised without touching what is stored. One check takes about 30 ms and
 * 16 MiB: the caller bounds how many there are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    PASSWORD_SALT_BYTES = 16,
    PASSWORD_TEXT = 128, /* bytes of the text form, NUL included */
    PASSWORD_MIN = 10,   /* characters of a new one */
    PASSWORD_MAX = 256,
};

/* Writes the text form; returns `text`. */
char *password_hash(const char *password, const uint8_t salt[static PASSWORD_SALT_BYTES],
                    char text[static PASSWORD_TEXT]);
/* Is it the password of that text? */
bool password_verify(const char *password, const char *text);
