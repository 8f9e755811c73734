/*
 * Secrets at rest: AES-256-GCM with a key of the installation. Pure functions over OpenSSL's EVP;
 * the random nonce comes from the caller.
 *
 * A sealed text is "v1:" and base64url(nonce ‖ ciphertext ‖ tag). What it belongs to (`place`, say
 * "access-key/AK") is authenticated with it, so that one row's secret cannot be put into another's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SEAL_KEY_BYTES = 32, SEAL_NONCE_BYTES = 12, SEAL_TAG_BYTES = 16 };

/* Appends the sealed text. */
void seal(const uint8_t key[static SEAL_KEY_BYTES], const uint8_t nonce[static SEAL_NONCE_BYTES],
          const char *place, const char *secret, struct buf *out);
/* Appends the secret. False (with `out` as it was) when the text is malformed, of another version,
 * of another key or place, or was changed. */
bool unseal(const uint8_t key[static SEAL_KEY_BYTES], const char *place, const char *sealed,
            struct buf *out);
