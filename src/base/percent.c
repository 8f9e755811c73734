#include "base/percent.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *percent_decode(const char *text, size_t len, bool plus, struct arena *arena)
{
    char *decoded = arena_memdup(arena, text, len);
    char *out = decoded;
    for (size_t i = 0; i < len; i++) {
        if (plus && text[i] == '+') {
            *out++ = ' ';
        } else if (text[i] != '%') {
            *out++ = text[i];
        } else {
            int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_value(text[i + 2]);
            if (low < 0 || (high == 0 && low == 0))
                return NULL;
            *out++ = (char)(high << 4 | low);
            i += 2;
        }
    }
    *out = '\0';
    return decoded;
}

void percent_encode(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr("-._~", c))
            buf_putc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
