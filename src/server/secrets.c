#include "server/secrets.h"

enum err_code secrets_find(const struct secrets *secrets, int64_t workspace, const char *name,
                           struct buf *out)
{
    struct arena arena;
    struct secret_row row;
    arena_init(&arena);
    struct store_reader *reader = readers_take(secrets->readers);
    bool found = store_get_secret(reader, workspace, name, &arena, &row);
    bool failed = store_reader_failed(reader);
    readers_give(secrets->readers, reader);
    enum err_code code = failed   ? ERR_UNAVAILABLE
                         : !found ? ERR_NOT_AUTHORIZED_OR_NOT_FOUND
                                  : ERR_OK;
    const char *place = arena_printf(&arena, "secret/%lld/%s", (long long)workspace, name);
    if (!code && !vault_unseal(secrets->vault, place, row.value, out))
        code = ERR_UNAVAILABLE;
    arena_release(&arena);
    return code;
}
