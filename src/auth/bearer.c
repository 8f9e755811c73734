#include "auth/bearer.h"

#include <string.h>
#include <strings.h>

#define PREFIX "rpr_"

char *bearer_format(const uint8_t secret[static BEARER_SECRET_BYTES], char text[static BEARER_TEXT])
{
    memcpy(text, PREFIX, strlen(PREFIX));
    base64url_encode(secret, BEARER_SECRET_BYTES, text + strlen(PREFIX));
    return text;
}

void bearer_hash(const char *token, uint8_t ret[static SHA256_BYTES])
{
    sha256(token, strlen(token), ret);
}

bool bearer_is_token(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
    size_t len = strspn(text, allowed);
    size_t padding = strspn(text + len, "=");
    return len > 0 && text[len + padding] == '\0' && len + padding <= BEARER_MAX_TEXT;
}

const char *bearer_of_authorization(const char *value)
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(value, scheme, strlen(scheme)) != 0)
        return NULL;
    const char *token = value + strlen(scheme);
    token += strspn(token, " ");
    return bearer_is_token(token) ? token : NULL;
}
