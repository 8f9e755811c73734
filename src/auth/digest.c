#include "auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD *fetched;

static void fetch(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL); /* as long as the process lives */
    if (!fetched)
        abort();
}

/* Looked up once: EVP_sha256() is looked up again by each use, which costs more than a short digest. */
static const EVP_MD *algorithm(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch);
    return fetched;
}

void sha256(const void *data, size_t len, uint8_t ret[static SHA256_BYTES])
{
    if (!EVP_Digest(data, len, ret, NULL, algorithm(), NULL))
        abort();
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t ret[static SHA256_BYTES])
{
    if (!HMAC(algorithm(), key, (int)key_len, data, len, ret, NULL))
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
