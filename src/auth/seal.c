#include "auth/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64url.h"
#include "base/mem.h"

static const char version[] = "v1:";

/* One direction of AES-256-GCM over `len` bytes; the tag is written or checked. */
static bool run(bool encrypt, const uint8_t *key, const uint8_t *nonce, const char *place,
                const uint8_t *from, size_t len, uint8_t *to, uint8_t *tag)
{
    int done = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok =
        context && EVP_CipherInit_ex2(context, EVP_aes_256_gcm(), key, nonce, encrypt, NULL) == 1 &&
        EVP_CipherUpdate(context, NULL, &done, (const unsigned char *)place, (int)strlen(place)) ==
            1 &&
        EVP_CipherUpdate(context, to, &done, from, (int)len) == 1 &&
        (encrypt ||
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1) &&
        EVP_CipherFinal_ex(context, to + len, &done) == 1 &&
        (!encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, tag) == 1);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

void seal(const uint8_t key[static SEAL_KEY_BYTES], const uint8_t nonce[static SEAL_NONCE_BYTES],
          const char *place, const char *secret, struct buf *out)
{
    size_t len = strlen(secret);
    size_t total = SEAL_NONCE_BYTES + len + SEAL_TAG_BYTES;
    uint8_t *bytes = xmalloc(total);
    char *text = xmalloc(BASE64URL_LEN(total) + 1);
    memcpy(bytes, nonce, SEAL_NONCE_BYTES);
    if (!run(true, key, nonce, place, (const uint8_t *)secret, len, bytes + SEAL_NONCE_BYTES,
             bytes + SEAL_NONCE_BYTES + len))
        abort();
    buf_puts(out, version);
    buf_puts(out, base64url_encode(bytes, total, text));
    free(bytes);
    free(text);
}

bool unseal(const uint8_t key[static SEAL_KEY_BYTES], const char *place, const char *sealed,
            struct buf *out)
{
    size_t total = 0;
    size_t most = strlen(sealed);
    if (strncmp(sealed, version, strlen(version)) != 0)
        return false;
    uint8_t *bytes = xmalloc(most);
    uint8_t *secret = xmalloc(most);
    bool ok = base64url_decode(sealed + strlen(version), bytes, most, &total) &&
              total >= SEAL_NONCE_BYTES + SEAL_TAG_BYTES;
    size_t len = ok ? total - SEAL_NONCE_BYTES - SEAL_TAG_BYTES : 0;
    ok = ok && run(false, key, bytes, place, bytes + SEAL_NONCE_BYTES, len, secret,
                   bytes + SEAL_NONCE_BYTES + len);
    if (ok)
        buf_add(out, secret, len);
    OPENSSL_cleanse(secret, most);
    free(bytes);
    free(secret);
    return ok;
}
