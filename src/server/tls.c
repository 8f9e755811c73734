#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "server/files.h"

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *found = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return found;
}

/* Nobody is asked for a password. */
static int no_password(char *text, int size, int writes, void *context)
{
    (void)text, (void)size, (void)writes, (void)context;
    return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *found = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return found;
}

static enum err_code check(const char *cert_path, const char *key_path, const char *cert_pem,
                           const char *key_pem, struct err *err)
{
    X509 *cert = read_certificate(cert_pem);
    EVP_PKEY *key = read_key(key_pem);
    enum err_code code = ERR_OK;
    if (!cert)
        code =
            err_set(err, ERR_INVALID_PARAMETER, "%s holds no certificate in PEM form", cert_path);
    else if (!key)
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "%s holds no private key in PEM form, or one with a password", key_path);
    else if (X509_check_private_key(cert, key) != 1)
        code = err_set(err, ERR_INVALID_PARAMETER,
                       "the key in %s is not that of the certificate in %s", key_path, cert_path);
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return code;
}

enum err_code tls_load(const char *cert_path, const char *key_path, char **ret_cert, char **ret_key,
                       struct err *err)
{
    *ret_cert = file_load(cert_path, err);
    *ret_key = *ret_cert ? file_load(key_path, err) : NULL;
    if (!*ret_key)
        return err->code;
    return check(cert_path, key_path, *ret_cert, *ret_key, err);
}
