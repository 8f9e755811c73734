#include "auth/password.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/digest.h"

enum {
    HASH_BYTES = 32,
    COST_LOG2 = 14,
    BLOCK = 8,
    PARALLEL = 1,
    MOST_COST_LOG2 = 20,
    MOST_FACTOR = 32,
};
#define MOST_MEMORY (UINT64_C(1) << 30)

static bool derive(const char *password, const uint8_t *salt, unsigned cost_log2, unsigned block,
                   unsigned parallel, uint8_t ret[static HASH_BYTES])
{
    bool ok = EVP_PBE_scrypt(password, strlen(password), salt, PASSWORD_SALT_BYTES,
                             UINT64_C(1) << cost_log2, block, parallel, MOST_MEMORY, ret,
                             HASH_BYTES) == 1;
    ERR_clear_error();
    return ok;
}

char *password_hash(const char *password, const uint8_t salt[static PASSWORD_SALT_BYTES],
                    char text[static PASSWORD_TEXT])
{
    uint8_t hash[HASH_BYTES];
    char salt_text[BASE64URL_LEN(PASSWORD_SALT_BYTES) + 1];
    char hash_text[BASE64URL_LEN(HASH_BYTES) + 1];
    if (!derive(password, salt, COST_LOG2, BLOCK, PARALLEL, hash))
        abort();
    base64url_encode(salt, PASSWORD_SALT_BYTES, salt_text);
    base64url_encode(hash, sizeof hash, hash_text);
    snprintf(text, PASSWORD_TEXT, "scrypt$%d$%d$%d$%s$%s", COST_LOG2, BLOCK, PARALLEL, salt_text,
             hash_text);
    OPENSSL_cleanse(hash, sizeof hash);
    return text;
}

/* Copies up to the next $ or the end. */
static bool take_part(const char **p, char *part, size_t size)
{
    size_t len = strcspn(*p, "$");
    if (len >= size)
        return false;
    memcpy(part, *p, len);
    part[len] = '\0';
    *p += len + ((*p)[len] == '$');
    return true;
}

static bool take_number(const char **p, unsigned most, unsigned *ret)
{
    char part[4];
    char *end;
    if (!take_part(p, part, sizeof part) || part[0] < '1' || part[0] > '9')
        return false;
    unsigned long number = strtoul(part, &end, 10);
    *ret = (unsigned)number;
    return !*end && number <= most;
}

static bool take_bytes(const char **p, uint8_t *bytes, size_t len)
{
    char part[BASE64URL_LEN(HASH_BYTES) + 1];
    size_t got;
    return take_part(p, part, sizeof part) && base64url_decode(part, bytes, len, &got) &&
           got == len;
}

bool password_verify(const char *password, const char *text)
{
    static const char name[] = "scrypt$";
    unsigned cost_log2, block, parallel;
    uint8_t salt[PASSWORD_SALT_BYTES], expected[HASH_BYTES], hash[HASH_BYTES];
    if (strncmp(text, name, strlen(name)) != 0)
        return false;
    const char *p = text + strlen(name);
    if (!take_number(&p, MOST_COST_LOG2, &cost_log2) || !take_number(&p, MOST_FACTOR, &block) ||
        !take_number(&p, MOST_FACTOR, &parallel) || !take_bytes(&p, salt, sizeof salt) ||
        !take_bytes(&p, expected, sizeof expected) || *p)
        return false;
    bool ok = derive(password, salt, cost_log2, block, parallel, hash) &&
              digest_equal(hash, expected, sizeof hash);
    OPENSSL_cleanse(hash, sizeof hash);
    return ok;
}
