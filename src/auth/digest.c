#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

void sha256(const void *data, size_t len, uint8_t ret[static SHA256_BYTES])
{
    if (!EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL))
        abort();
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret[static SHA256_BYTES])
{
    if (!HMAC(EVP_sha256(), key, (int)key_len, data, len, ret, NULL))
        abort();
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_part(struct buf *message, const void *data, size_t len)
{
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    buf_add(message, prefix, sizeof prefix);
    buf_add(message, data, len);
}

void digest_text(struct buf *message, const char *text)
{
    digest_part(message, text, strlen(text));
}
