#include "base/percent.h"

#include <string.h>

#include "base/hex.h"

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
            int byte = i + 2 < len ? hex_byte(text + i + 1) : -1;
            if (byte <= 0)
                return NULL;
            *out++ = (char)byte;
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
