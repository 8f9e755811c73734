/* Public keys for OCI signatures, and access keys for SDK-HMAC-SHA256. */
#include <openssl/crypto.h>
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"
#include "auth/base64.h"

enum { ACCESS_TEXT = 20, SECRET_TEXT = 40, MAX_KEYS = 100 };

/* ---- public keys ---- */

static struct key_view view_of_key(const struct api_key_row *row, const struct user_row *user)
{
    const char *slash = strrchr(row->id, '/');
    return (struct key_view){
        .key = row->id,
        .name = row->name,
        .user_key = user->id,
        .user_name = user->name,
        .fingerprint = slash ? slash + 1 : row->id,
        .created_ms = row->created_ms,
    };
}

static const void *key_item(struct call *call, size_t index, const void *item,
                            const struct user_row *user, size_t *ret_len)
{
    const struct api_key_row *row = item;
    const struct key_view view = view_of_key(row, user);
    respond_item(call, index, &key_schema, &view);
    return account_place(row->id, ret_len);
}

enum err_code key_list(struct call *call)
{
    static const struct account_listing listing = {ROW_API_KEY, sizeof(struct api_key_row), true,
                                                   key_item};
    return account_list(call, &listing);
}

static enum err_code make_key(struct call *call, const struct create_key *details,
                              const struct user_row *user, struct api_key_row *ret)
{
    struct rsa_key key = {.der_len = 0};
    struct api_key_row there;
    enum err_code code = rsa_key_from_pem(details->public_key, &key, &call->err);
    if (code)
        return code;
    char *text = arena_alloc(call->arena, BASE64_LEN(key.der_len) + 1);
    *ret = (struct api_key_row){
        .id = arena_printf(call->arena, "%s/%s/%s", call->api->config.tenancy, user->id,
                           key.fingerprint),
        .user_id = user->id,
        .name = details->name,
        .public_key = base64_encode(key.der, key.der_len, text),
        .created_ms = call->backend->now_ms(call->backend->context),
    };
    if (call->backend->reads.get_api_key(call->reading.reader, ret->id, call->arena, &there))
        return err_set(&call->err, ERR_INCORRECT_STATE, "%s has the key %s already", user->name,
                       key.fingerprint);
    return ERR_OK;
}

enum err_code key_add(struct call *call)
{
    const struct create_key *details = call->details;
    struct user_row user = {0};
    struct api_key_row key;
    struct row_batch rows;
    enum err_code code = account_subject(call, details->user, &user);
    if (!code)
        code = account_has_room(call, ROW_API_KEY, &user, MAX_KEYS, "keys");
    if (!code)
        code = make_key(call, details, &user, &key);
    if (code)
        return code;
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_API_KEY, ROW_INSERT, &key);
    code = account_write(call, &rows, key.id, arena_printf(call->arena, "A key of %s.", user.name));
    row_batch_release(&rows);
    if (code)
        return code;
    const struct key_view view = view_of_key(&key, &user);
    respond_json(call, 201);
    fields_print(&key_schema, &view, &call->response->body);
    return ERR_OK;
}

static enum err_code remove_row(struct call *call, enum row_kind kind, const void *row,
                                const char *user_id)
{
    struct row_batch rows;
    row_batch_init(&rows);
    row_batch_add(&rows, kind, ROW_DELETE, row);
    account_end_sessions_of_key(call, user_id, call->keys[0], kind == ROW_API_KEY, &rows);
    enum err_code code =
        account_write(call, &rows, call->keys[0],
                      arena_printf(call->arena, "%s of %s is not accepted any more.",
                                   kind == ROW_API_KEY ? "A key" : "An access key",
                                   account_owner(call, user_id)));
    row_batch_release(&rows);
    if (!code)
        respond_nothing(call);
    return code;
}

static bool may_touch(const struct call *call, const char *user_id)
{
    return account_is_admin(call) || strcmp(user_id, call->account.id) == 0;
}

enum err_code key_remove(struct call *call)
{
    struct api_key_row row;
    if (!call->backend->reads.get_api_key(call->reading.reader, call->keys[0], call->arena, &row) ||
        !may_touch(call, row.user_id))
        return call_missing(call, "Key");
    return remove_row(call, ROW_API_KEY, &row, row.user_id);
}

/* ---- access keys ---- */

static struct key_view view_of_access_key(const struct access_key_row *row,
                                          const struct user_row *user)
{
    return (struct key_view){
        .key = row->id,
        .name = row->name,
        .user_key = user->id,
        .user_name = user->name,
        .created_ms = row->created_ms,
    };
}

static const void *access_key_item(struct call *call, size_t index, const void *item,
                                   const struct user_row *user, size_t *ret_len)
{
    const struct access_key_row *row = item;
    const struct key_view view = view_of_access_key(row, user);
    respond_item(call, index, &access_key_schema, &view);
    return account_place(row->id, ret_len);
}

enum err_code access_key_list(struct call *call)
{
    static const struct account_listing listing = {ROW_ACCESS_KEY, sizeof(struct access_key_row),
                                                   true, access_key_item};
    return account_list(call, &listing);
}

/* 20 of 32 characters: 100 bits, which nobody has to guess, since the secret is apart. */
static const char *new_access(struct call *call)
{
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t bytes[ACCESS_TEXT];
    char *text = arena_alloc(call->arena, ACCESS_TEXT + 1);
    call->backend->accounts.random(call->backend->context, bytes, sizeof bytes);
    for (size_t i = 0; i < ACCESS_TEXT; i++)
        text[i] = alphabet[bytes[i] % 32];
    return text;
}

/* Letters and digits only: what is pasted into shells and files. 40 of 62: 238 bits. */
static const char *new_secret(struct call *call)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { CHOICES = sizeof alphabet - 1, EVEN = 256 / CHOICES * CHOICES };
    uint8_t bytes[4 * SECRET_TEXT];
    char *text = arena_alloc(call->arena, SECRET_TEXT + 1);
    size_t len = 0;
    while (len < SECRET_TEXT) {
        call->backend->accounts.random(call->backend->context, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && len < SECRET_TEXT; i++)
            if (bytes[i] < EVEN) /* those above would favour the first letters */
                text[len++] = alphabet[bytes[i] % CHOICES];
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return text;
}

enum err_code access_key_create(struct call *call)
{
    const struct create_access_key *details = call->details;
    struct user_row user;
    struct row_batch rows;
    struct buf sealed;
    enum { SEALED_MAX = 1024 };
    const struct create_access_key none = {0};
    if (!details)
        details = &none;
    if (account_subject(call, details->user, &user) ||
        account_has_room(call, ROW_ACCESS_KEY, &user, MAX_KEYS, "access keys"))
        return call->err.code;
    const char *access = new_access(call);
    const char *secret = new_secret(call);
    buf_init(&sealed, SEALED_MAX);
    call->backend->accounts.seal(call->backend->context,
                                 arena_printf(call->arena, "access-key/%s", access), secret,
                                 &sealed);
    const struct access_key_row key = {
        .id = access,
        .user_id = user.id,
        .name = details->name,
        .secret = sealed.data,
        .created_ms = call->backend->now_ms(call->backend->context),
    };
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_ACCESS_KEY, ROW_INSERT, &key);
    enum err_code code = account_write(
        call, &rows, access, arena_printf(call->arena, "An access key of %s.", user.name));
    row_batch_release(&rows);
    buf_release(&sealed);
    if (code)
        return code;
    struct key_view view = view_of_access_key(&key, &user);
    view.secret_key = secret;
    respond_json(call, 201);
    fields_print(&created_access_key_schema, &view, &call->response->body);
    return ERR_OK;
}

enum err_code access_key_remove(struct call *call)
{
    struct access_key_row row;
    if (!call->backend->reads.get_access_key(call->reading.reader, call->keys[0], call->arena,
                                             &row) ||
        !may_touch(call, row.user_id))
        return call_missing(call, "Access key");
    return remove_row(call, ROW_ACCESS_KEY, &row, row.user_id);
}
