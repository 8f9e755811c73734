#include "auth/base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64url_encode(const void *data, size_t len, char *text)
{
    const uint8_t *bytes = data;
    uint32_t bits = 0;
    unsigned held = 0;
    char *p = text;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *p++ = digits[bits >> (held - 6) & 63];
    }
    if (held)
        *p++ = digits[bits << (6 - held) & 63];
    *p = '\0';
    return text;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, uint8_t *data, size_t max, size_t *ret_len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (; *text; text++) {
        int value = value_of(*text);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (len == max)
            return false;
        data[len++] = (uint8_t)(bits >> held);
    }
    /* Six bits left over are a character too many; fewer must be zero: one text per value. */
    if (held >= 6 || (bits & ((1U << held) - 1)))
        return false;
    *ret_len = len;
    return true;
}
