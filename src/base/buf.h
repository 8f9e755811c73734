/*
 * Growable byte buffer with a maximum given at birth.
 *
 * Past the maximum, additions are dropped and `overflowed` stays set, so a writer appends freely
 * and checks once at the end. Always NUL-terminated behind `len`. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max_bytes;
    bool overflowed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_release(struct buf *buf);
/* Empties the buffer, keeps its memory. */
void buf_clear(struct buf *buf);
/* Hands the bytes (NUL-terminated, free()) to the caller and leaves the buffer empty. */
__attribute__((returns_nonnull)) char *buf_detach(struct buf *buf, size_t *ret_len);

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_int(struct buf *buf, int64_t value);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);
/* Room for `len` bytes to be written in place, then committed with buf_used; NULL past the
 * maximum. */
char *buf_reserve(struct buf *buf, size_t len);
void buf_used(struct buf *buf, size_t len);

/* The text as a JSON string with quotes. Bytes that are not valid UTF-8 become U+FFFD, so what is
 * printed is always valid JSON. NULL prints null. */
void buf_json_string(struct buf *buf, const char *text);
void buf_json_string_len(struct buf *buf, const char *text, size_t len);
/* Valid JSON, in which what terminals obey (utf8_is_obeyed) is escaped as JSON does it; that is in its strings alone, but for line ends
 * and tabs between them, which stay. */
void buf_json_shown(struct buf *buf, const char *json, size_t len);

/* Literals, without a strlen at run time. */
#define BUF_LIT(buf, literal) buf_add((buf), "" literal, sizeof(literal) - 1)
