#include "auth/base64.h"

#include <stdlib.h>
#include <string.h>

#include "auth/base64url.h"
#include "base/mem.h"

char *base64_encode(const void *data, size_t len, char *text)
{
    base64url_encode(data, len, text);
    size_t end = strlen(text);
    for (size_t i = 0; i < end; i++) {
        if (text[i] == '-')
            text[i] = '+';
        else if (text[i] == '_')
            text[i] = '/';
    }
    while (end % 4)
        text[end++] = '=';
    text[end] = '\0';
    return text;
}

bool base64_decode(const char *text, uint8_t *data, size_t max, size_t *ret_len)
{
    size_t len = strcspn(text, "=");
    size_t padding = strlen(text + len);
    if (strspn(text + len, "=") != padding || padding > 2 || (len + padding) % 4 ||
        strpbrk(text, "-_") || len + padding > BASE64_LEN(max))
        return false;
    char *url = xstrdup(text);
    url[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (url[i] == '+')
            url[i] = '-';
        else if (url[i] == '/')
            url[i] = '_';
    }
    bool ok = base64url_decode(url, data, max, ret_len);
    free(url);
    return ok;
}
