#include "model/values.h"

#include <string.h>

#include "base/map.h"
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Valid UTF-8 without NUL, as long as it fits. Returns the line of the first byte that is none, from 1; 0: all is. */
static size_t add_clean(struct buf *out, const char *bytes, size_t len)
{
    size_t line = 1;
    size_t bad_line = 0;
    while (len > 0) {
        size_t size = utf8_sequence(bytes, len);
        if (size == 0 || bytes[0] == '\0') {
            BUF_LIT(out, REPLACEMENT);
            size = 1;
            if (!bad_line)
                bad_line = line;
        } else {
            buf_add(out, bytes, size);
        }
        line += bytes[0] == '\n';
        bytes += size;
        len -= size;
    }
    return bad_line;
}

/* The line at *cursor without its end; false behind the last one. */
static bool next_line(const char **cursor, const char *end, const char **ret, size_t *ret_len)
{
    if (*cursor >= end)
        return false;
    const char *newline = memchr(*cursor, '\n', (size_t)(end - *cursor));
    const char *stop = newline ? newline : end;
    *ret = *cursor;
    *ret_len = (size_t)(stop - *cursor);
    *cursor = newline ? newline + 1 : end;
    return true;
}

void values_read(const char *bytes, size_t len, struct buf *out, struct values_faults *ret)
{
    struct buf clean;
    struct arena arena;
    struct str_map places; /* key → its pair */
    buf_init(&clean, VALUES_TEXT_MAX_BYTES);
    arena_init(&arena);
    str_map_init(&places);
    *ret = (struct values_faults){.garbled_line = add_clean(&clean, bytes, len)};
    struct field_pair *pairs = ARENA_ARRAY(&arena, clean.len / 2 + 1, struct field_pair);
    size_t count = 0;
    size_t number = 0;
    const char *cursor = clean.data;
    const char *line;
    size_t line_len;
    while (clean.len && next_line(&cursor, clean.data + clean.len, &line, &line_len)) {
        const char *equals = memchr(line, '=', line_len);
        number++;
        if (line_len == 0)
            continue;
        if (!equals || equals == line) {
            if (!ret->invalid_line)
                ret->invalid_line = number;
            continue;
        }
        const char *key = arena_memdup(&arena, line, (size_t)(equals - line));
        const char *value =
            arena_memdup(&arena, equals + 1, line_len - (size_t)(equals + 1 - line));
        struct field_pair *place = str_map_add(&places, key, &pairs[count]);
        if (place)
            place->value = value;
        else
            pairs[count++] = (struct field_pair){key, value};
    }
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, pairs[i].key);
        buf_putc(out, '=');
        buf_puts(out, pairs[i].value);
        buf_putc(out, '\n');
    }
    str_map_release(&places);
    arena_release(&arena);
    buf_release(&clean);
}

const char *values_find(const char *text, const char *key, size_t key_len, size_t *ret_len)
{
    const char *end = text ? text + strlen(text) : NULL;
    const char *line;
    size_t len;
    while (text && next_line(&text, end, &line, &len)) {
        if (len <= key_len || line[key_len] != '=' || memcmp(line, key, key_len) != 0)
            continue;
        *ret_len = len - key_len - 1;
        return line + key_len + 1;
    }
    return NULL;
}

struct field_list values_pairs(const char *text, struct arena *arena)
{
    const char *end = text ? text + strlen(text) : NULL;
    const char *line;
    size_t len;
    size_t lines = 0;
    for (const char *p = text; p && next_line(&p, end, &line, &len);)
        lines++;
    struct field_pair *pairs = ARENA_ARRAY(arena, lines, struct field_pair);
    for (size_t i = 0; i < lines && next_line(&text, end, &line, &len); i++) {
        const char *equals = memchr(line, '=', len);
        pairs[i] = (struct field_pair){
            .key = arena_memdup(arena, line, (size_t)(equals - line)),
            .value = arena_memdup(arena, equals + 1, len - (size_t)(equals + 1 - line)),
        };
    }
    return (struct field_list){pairs, lines};
}
