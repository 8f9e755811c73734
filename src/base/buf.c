#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { SMALLEST = 256 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max_bytes = max_bytes};
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t len)
{
    if (buf->overflowed || len > buf->max_bytes - buf->len) {
        buf->overflowed = true;
        return NULL;
    }
    size_t need = buf->len + len + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap ? buf->cap : SMALLEST;
        while (cap < need)
            cap *= 2;
        buf->data = xrealloc(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_used(struct buf *buf, size_t len)
{
    buf->len += len;
    buf->data[buf->len] = '\0';
}

char *buf_detach(struct buf *buf, size_t *ret_len)
{
    char *data = buf->data ? buf->data : xcalloc(1, 1);
    if (ret_len)
        *ret_len = buf->len;
    buf_init(buf, buf->max_bytes);
    return data;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    char *room = buf_reserve(buf, len);
    if (!room)
        return;
    if (len)
        memcpy(room, data, len);
    buf_used(buf, len);
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_int(struct buf *buf, int64_t value)
{
    char digits[24];
    char *end = digits + sizeof digits;
    char *p = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--p = '-';
    buf_add(buf, p, (size_t)(end - p));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = len < 0 ? NULL : buf_reserve(buf, (size_t)len);
    if (room) {
        vsnprintf(room, (size_t)len + 1, format, again);
        buf_used(buf, (size_t)len);
    }
    va_end(again);
}

/* What a byte needs inside a JSON string: 0 nothing, 1 an escape, 2 a look at the UTF-8. */
static unsigned char json_class(unsigned char c)
{
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
        return 1;
    return c < 0x80 ? 0 : 2;
}

static void json_escape(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        BUF_LIT(buf, "\\\"");
        break;
    case '\\':
        BUF_LIT(buf, "\\\\");
        break;
    case '\n':
        BUF_LIT(buf, "\\n");
        break;
    case '\r':
        BUF_LIT(buf, "\\r");
        break;
    case '\t':
        BUF_LIT(buf, "\\t");
        break;
    default:
        buf_printf(buf, "\\u%04x", c);
    }
}

void buf_json_string_len(struct buf *buf, const char *text, size_t len)
{
    const char *end = text + len;
    buf_putc(buf, '"');
    while (text < end) {
        const char *plain = text;
        while (text < end && json_class((unsigned char)*text) == 0)
            text++;
        buf_add(buf, plain, (size_t)(text - plain));
        if (text == end)
            break;
        if (json_class((unsigned char)*text) == 1) {
            json_escape(buf, (unsigned char)*text++);
            continue;
        }
        size_t width = utf8_sequence(text, (size_t)(end - text));
        if (width)
            buf_add(buf, text, width);
        else
            BUF_LIT(buf, "\xef\xbf\xbd");
        text += width ? width : 1;
    }
    buf_putc(buf, '"');
}

void buf_json_string(struct buf *buf, const char *text)
{
    if (text)
        buf_json_string_len(buf, text, strlen(text));
    else
        BUF_LIT(buf, "null");
}
