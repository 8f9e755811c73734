/*
 * Public RSA keys and their signatures (PKCS #1 v1.5 with SHA-256), over OpenSSL's EVP. Pure
 * functions.
 *
 * A key is kept as the DER of its SubjectPublicKeyInfo, and named by its fingerprint: the MD5 of
 * that, in pairs of hex digits with colons between, as OCI has it. The fingerprint only finds the
 * key; nothing rests on MD5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    RSA_MIN_BITS = 2048, /* of a key that is registered */
    RSA_MAX_BITS = 8192,
    RSA_MAX_DER = RSA_MAX_BITS / 8 + 64,
    RSA_MAX_SIGNATURE = RSA_MAX_BITS / 8,
    RSA_FINGERPRINT_TEXT = 48,
    RSA_MAX_PEM = 16 << 10,
};

struct rsa_key {
    uint8_t der[RSA_MAX_DER];
    size_t der_len;
    char fingerprint[RSA_FINGERPRINT_TEXT];
};

/* Reads a PEM "PUBLIC KEY". ERR_INVALID_PARAMETER with what was expected ("publicKey must be …"); a
 * private key is refused in words of its own. */
enum err_code rsa_key_from_pem(const char *pem, struct rsa_key *ret, struct err *err);

/* A public key that is ready to verify: decoding one takes ten times as long as verifying with it.
 * Immutable, reference counted, for any thread. */
struct rsa_verifier;

/* Of stored DER; NULL when it is no RSA key. No lower limit: what is stored was accepted once. */
struct rsa_verifier *rsa_verifier_new(const void *der, size_t len);
struct rsa_verifier *rsa_verifier_ref(struct rsa_verifier *verifier);
/* NULL is fine. */
void rsa_verifier_unref(struct rsa_verifier *verifier);
/* Is it this key's signature of the data? */
bool rsa_verify(struct rsa_verifier *verifier, const void *data, size_t len,
                const uint8_t *signature, size_t signature_len);
