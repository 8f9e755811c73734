#include "server/bootstrap.h"

#include <string.h>
#include <sys/random.h>

#include "auth/bearer.h"
#include "auth/user_id.h"
#include "server/files.h"

static enum err_code random_bytes(void *bytes, size_t len, struct err *err)
{
    return getrandom(bytes, len, 0) == (ssize_t)len
               ? ERR_OK
               : err_set(err, ERR_INTERNAL, "no randomness to be had");
}

/* *ret_id NULL: there is no such user. */
static enum err_code find_admin(struct store *store, struct arena *arena, const char **ret_id,
                                struct err *err)
{
    struct user_row user;
    struct store_reader *reader = store_reader_open(store);
    store_read_begin(reader);
    bool exists = store_get_user(reader, "admin", arena, &user);
    bool failed = store_reader_failed(reader);
    store_read_end(reader);
    store_reader_close(reader);
    if (failed)
        return err_set(err, ERR_INTERNAL, "the accounts cannot be read");
    *ret_id = exists ? user.id : NULL;
    return ERR_OK;
}

static enum err_code make_token(struct token_row *row, const char *user_id, const char *token_file,
                                int64_t now_ms, struct err *err)
{
    uint8_t secret[BEARER_SECRET_BYTES];
    char text[BEARER_TEXT + 1]; /* and a line break */
    if (random_bytes(secret, sizeof secret, err))
        return err->code;
    bearer_format(secret, text);
    *row = (struct token_row){
        .user_id = user_id,
        .name = "first start",
        .created_ms = now_ms,
        .expires_ms = FIELD_NULL,
        .revoked_ms = FIELD_NULL,
        .kind = TOKEN_BEARER,
    };
    bearer_hash(text, row->hash);
    size_t len = strlen(text);
    text[len] = '\n';
    text[len + 1] = '\0';
    /* The file first: a crash in between makes a file whose token is not known, and the next start
     * makes another. */
    return file_write(token_file, text, 0600, err);
}

/* The user and its role, where it is not there yet, and a token, in one transaction. */
static enum err_code write_admin(struct store *store, const struct user_row *user,
                                 const struct role_row *role, const char *token_file,
                                 int64_t now_ms, struct err *err)
{
    struct row_batch rows;
    struct token_row token;
    if (make_token(&token, role->user_id, token_file, now_ms, err))
        return err->code;
    row_batch_init(&rows);
    if (user) {
        row_batch_add(&rows, ROW_USER, ROW_INSERT, user);
        row_batch_add(&rows, ROW_ROLE, ROW_INSERT, role);
    }
    row_batch_add(&rows, ROW_TOKEN, ROW_INSERT, &token);
    bool written = store_write_accounts(store, &rows) == STORE_OK;
    row_batch_release(&rows);
    return written ? ERR_OK : err_set(err, ERR_INTERNAL, "the user admin cannot be written");
}

static enum err_code ensure_admin(struct store *store, int64_t workspace, const char *region,
                                  const char *token_file, int64_t now_ms, struct arena *arena,
                                  struct err *err)
{
    uint8_t unique[USER_ID_UNIQUE_BYTES];
    char made[USER_ID_TEXT];
    const char *id = NULL;
    if (find_admin(store, arena, &id, err))
        return err->code;
    if (id && file_exists(token_file))
        return ERR_OK;
    if (!id && random_bytes(unique, sizeof unique, err))
        return err->code;
    const struct user_row user = {
        .id = id ? id : user_id_format(region, unique, made),
        .name = "admin",
        .created_ms = now_ms,
        .disabled_ms = FIELD_NULL,
    };
    const struct role_row role = {workspace, user.id, ROLE_ADMIN};
    return write_admin(store, id ? NULL : &user, &role, token_file, now_ms, err);
}

enum err_code bootstrap_admin(struct store *store, int64_t workspace, const char *region,
                              const char *token_file, int64_t now_ms, struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    enum err_code code = ensure_admin(store, workspace, region, token_file, now_ms, &arena, err);
    arena_release(&arena);
    return code;
}
