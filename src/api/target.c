#include "api/target.h"

#include <string.h>

#include "base/percent.h"

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
        const char *segment = percent_decode(target.path + at, len, false, arena);
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
