/* Tokens: made, listed, revoked. */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"
#include "base/hex.h"

enum { KEY_BYTES = 16, KEY_TEXT = 2 * KEY_BYTES + 1 };

/* A token is named by the beginning of its hash, which tells nothing of the token. */
static const char *key_of(const uint8_t hash[static SHA256_BYTES], struct arena *arena)
{
    char *text = arena_alloc(arena, KEY_TEXT);
    hex_text(hash, KEY_BYTES, text);
    return text;
}

static struct token_view view_of(struct call *call, const struct token_row *row,
                                 const struct user_row *user)
{
    return (struct token_view){
        .key = key_of(row->hash, call->arena),
        .name = row->name,
        .user_key = user->id,
        .user_name = user->name,
        .kind = row->kind,
        .created_ms = row->created_ms,
        .expires_ms = row->expires_ms,
        .revoked_ms = row->revoked_ms,
    };
}

static const void *token_item(struct call *call, size_t index, const void *item,
                              const struct user_row *user, size_t *ret_len)
{
    const struct token_row *row = item;
    const struct token_view view = view_of(call, row, user);
    respond_item(call, index, &token_schema, &view);
    *ret_len = SHA256_BYTES;
    return row->hash;
}

enum err_code token_list(struct call *call)
{
    static const struct account_listing listing = {ROW_TOKEN, sizeof(struct token_row), true,
                                                   token_item};
    return account_list(call, &listing);
}

enum err_code token_create(struct call *call)
{
    const struct create_token *details = call->details;
    struct user_row user;
    struct token_row token;
    struct row_batch rows;
    if (details->expires_ms != FIELD_NULL &&
        details->expires_ms <= call->backend->now_ms(call->backend->context))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "timeExpires must be in the future");
    if (account_subject(call, details->user, &user) ||
        account_has_room(call, ROW_TOKEN, &user, ACCOUNT_MAX_TOKENS, "tokens"))
        return call->err.code;
    row_batch_init(&rows);
    const char *text = account_new_token(call, user.id, TOKEN_BEARER, details->name,
                                         details->expires_ms, &rows, &token);
    struct token_view view = view_of(call, &token, &user);
    view.token = text;
    enum err_code code =
        account_write(call, &rows, view.key,
                      arena_printf(call->arena, "Token \"%s\" of %s.", token.name, user.name));
    row_batch_release(&rows);
    if (code)
        return code;
    respond_json(call, 201);
    fields_print(&created_token_schema, &view, &call->response->body);
    return ERR_OK;
}

/* The user's token of that key; false when there is none. */
static bool find_of(struct call *call, const char *user_id, const char *key, struct token_row *ret)
{
    enum { AT_ONCE = 1000 };
    struct account_query query = {.kind = ROW_TOKEN, .user_id = user_id, .limit = AT_ONCE};
    size_t count;
    do {
        void *rows;
        count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &rows);
        const struct token_row *tokens = rows;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(key_of(tokens[i].hash, call->arena), key) != 0)
                continue;
            *ret = tokens[i];
            return true;
        }
        if (count)
            query.after_hash = tokens[count - 1].hash;
    } while (count == AT_ONCE);
    return false;
}

/* Whose token it is, the key does not say: one's own first, then everybody's. */
static bool find(struct call *call, const char *key, struct token_row *ret)
{
    enum { AT_ONCE = 1000 };
    struct account_query query = {.kind = ROW_USER, .limit = AT_ONCE};
    if (find_of(call, call->account.id, key, ret))
        return true;
    size_t count = account_is_admin(call) ? AT_ONCE : 0;
    while (count == AT_ONCE) {
        void *rows;
        count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &rows);
        const struct user_row *users = rows;
        for (size_t i = 0; i < count; i++)
            if (find_of(call, users[i].id, key, ret))
                return true;
        if (count)
            query.after = users[count - 1].name;
    }
    return false;
}

enum err_code token_revoke(struct call *call)
{
    struct token_row token;
    struct row_batch rows;
    if (!find(call, call->keys[0], &token))
        return call_missing(call, "Token");
    if (token.revoked_ms == FIELD_NULL)
        token.revoked_ms = call->backend->now_ms(call->backend->context);
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_TOKEN, ROW_UPDATE, &token);
    enum err_code code =
        account_write(call, &rows, call->keys[0],
                      arena_printf(call->arena, "Token \"%s\" of %s is not accepted any more.",
                                   token.name, account_owner(call, token.user_id)));
    row_batch_release(&rows);
    if (!code)
        respond_nothing(call);
    return code;
}
