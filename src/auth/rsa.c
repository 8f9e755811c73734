#include "auth/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* The handle is OpenSSL's own, which counts its references. */
static EVP_PKEY *pkey_of(struct rsa_verifier *verifier)
{
    return (EVP_PKEY *)(void *)verifier;
}

static bool fill(EVP_PKEY *key, struct rsa_key *ret)
{
    unsigned char *at = ret->der;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    int len = i2d_PUBKEY(key, NULL);
    if (len <= 0 || (size_t)len > sizeof ret->der || i2d_PUBKEY(key, &at) != len)
        return false;
    ret->der_len = (size_t)len;
    if (!EVP_Digest(ret->der, ret->der_len, digest, &digest_len, EVP_md5(), NULL))
        return false;
    for (unsigned i = 0; i < digest_len; i++)
        snprintf(ret->fingerprint + (size_t)3 * i, 4, "%02x%s", digest[i],
                 i + 1 < digest_len ? ":" : "");
    return true;
}

enum err_code rsa_key_from_pem(const char *pem, struct rsa_key *ret, struct err *err)
{
    size_t len = strlen(pem);
    if (strstr(pem, "PRIVATE KEY-----"))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "publicKey must be a public key: this is a private one, which should never "
                       "leave its owner; it was not kept");
    BIO *bio = len <= RSA_MAX_PEM ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    bool is_rsa = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    int bits = is_rsa ? EVP_PKEY_get_bits(key) : 0;
    bool ok = bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS && fill(key, ret);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (ok)
        return ERR_OK;
    if (is_rsa)
        return err_set(err, ERR_INVALID_PARAMETER, "publicKey must have %d to %d bits, not %d",
                       RSA_MIN_BITS, RSA_MAX_BITS, bits);
    return err_set(err, ERR_INVALID_PARAMETER,
                   "publicKey must be an RSA public key in PEM (-----BEGIN PUBLIC KEY-----)");
}

struct rsa_verifier *rsa_verifier_new(const void *der, size_t len)
{
    const unsigned char *at = der;
    const unsigned char *end = at + len;
    EVP_PKEY *key = len <= RSA_MAX_DER ? d2i_PUBKEY(NULL, &at, (long)len) : NULL;
    bool ok = key && at == end && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
              EVP_PKEY_get_bits(key) <= RSA_MAX_BITS;
    ERR_clear_error();
    if (ok)
        return (struct rsa_verifier *)(void *)key;
    EVP_PKEY_free(key);
    return NULL;
}

struct rsa_verifier *rsa_verifier_ref(struct rsa_verifier *verifier)
{
    EVP_PKEY_up_ref(pkey_of(verifier));
    return verifier;
}

void rsa_verifier_unref(struct rsa_verifier *verifier)
{
    EVP_PKEY_free(pkey_of(verifier));
}

bool rsa_verify(struct rsa_verifier *verifier, const void *data, size_t len,
                const uint8_t *signature, size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context &&
              EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, pkey_of(verifier)) == 1 &&
              EVP_DigestVerify(context, signature, signature_len, data, len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok;
}
