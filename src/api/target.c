#include "api/target.h"

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

char *target_decode(const char *text, size_t len, bool plus, struct arena *arena)
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

enum err_code target_parse(const char *text, struct arena *arena, struct target *ret,
                           struct err *err)
{
    struct target target = {.query = ""};
    size_t path_len = strcspn(text, "?");
    target.path = arena_memdup(arena, text, path_len);
    if (text[path_len] == '?')
        target.query = text + path_len + 1;
    bool is_plain = text[0] == '/';
    size_t at = 1;
    while (at <= path_len && is_plain) {
        size_t len = strcspn(target.path + at, "/");
        const char *segment = target_decode(target.path + at, len, false, arena);
        if (!segment)
            return err_set(err, ERR_INVALID_PARAMETER,
                           "the path is not well percent-encoded in segment %zu", target.count + 1);
        is_plain = len > 0 && target.count < TARGET_MAX_SEGMENTS;
        if (is_plain) {
            target.starts[target.count] = at;
            target.segments[target.count++] = segment;
        }
        at += len + 1;
    }
    if (!is_plain)
        target.count = 0;
    *ret = target;
    return ERR_OK;
}
