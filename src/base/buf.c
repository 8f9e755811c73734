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

static void grow(struct buf *buf, size_t need)
{
    size_t cap = buf->cap ? buf->cap : SMALLEST;
    while (cap < need)
        cap *= 2;
    buf->data = xrealloc(buf->data, cap);
    buf->cap = cap;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    if (buf->overflowed || len > buf->max_bytes - buf->len) {
        buf->overflowed = true;
        return NULL;
    }
    if (len >= buf->cap - buf->len)
        grow(buf, buf->len + len + 1);
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
    if (!buf->overflowed)
        buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    char *room = buf_reserve(buf, 1);
    if (!room)
        return;
    *room = c;
    buf_used(buf, 1);
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

/* Does a byte stand for itself inside a JSON string? Controls, quotes and backslashes are escaped;
 * what is not ASCII has its UTF-8 looked at. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x7f;
}

/* How many bytes at `text` stand for themselves; eight at a time, by the usual tricks of finding a
 * byte in a word: the high bit of a byte of `odd` is set if it, or one below it, is not plain. */
static size_t plain_length(const char *text, size_t len)
{
    const uint64_t ones = 0x0101010101010101;
    const uint64_t highs = ones << 7;
    size_t i = 0;
    for (; len - i >= sizeof ones; i += sizeof ones) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        uint64_t quote = word ^ ones * '"';
        uint64_t backslash = word ^ ones * '\\';
        uint64_t odd = word | (word - ones * 0x20) | (word + ones) | (quote - ones) |
                       (backslash - ones);
        if (odd & highs)
            break;
    }
    while (i < len && is_plain((unsigned char)text[i]))
        i++;
    return i;
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

/* From the first byte on that does not stand for itself. */
static void json_string_rest(struct buf *buf, const char *text, const char *end)
{
    while (text < end) {
        size_t width = plain_length(text, (size_t)(end - text));
        if (width) {
            buf_add(buf, text, width);
        } else if ((unsigned char)*text < 0x80) {
            width = 1;
            json_escape(buf, (unsigned char)*text);
        } else {
            width = utf8_sequence(text, (size_t)(end - text));
            if (width)
                buf_add(buf, text, width);
            else
                BUF_LIT(buf, "\xef\xbf\xbd");
            width += width == 0;
        }
        text += width;
    }
}

void buf_json_string_len(struct buf *buf, const char *text, size_t len)
{
    size_t plain = plain_length(text, len);
    char *room = buf_reserve(buf, plain + 2);
    if (!room)
        return;
    room[0] = '"';
    memcpy(room + 1, text, plain);
    room[plain + 1] = '"';
    if (plain == len) {
        buf_used(buf, plain + 2);
        return;
    }
    buf_used(buf, plain + 1);
    json_string_rest(buf, text + plain, text + len);
    buf_putc(buf, '"');
}

void buf_json_string(struct buf *buf, const char *text)
{
    if (text)
        buf_json_string_len(buf, text, strlen(text));
    else
        BUF_LIT(buf, "null");
}

void buf_json_shown(struct buf *buf, const char *json, size_t len)
{
    for (size_t i = 0, width; i < len; i += width) {
        width = utf8_sequence(json + i, len - i);
        width = width ? width : 1;
        uint32_t point = utf8_point(json + i, width);
        if (point < 0x7f || !utf8_is_obeyed(point))
            buf_add(buf, json + i, width);
        else if (point < 0x10000)
            buf_printf(buf, "\\u%04x", point);
        else
            buf_printf(buf, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
                       0xdc00 + (point & 0x3ff));
    }
}
