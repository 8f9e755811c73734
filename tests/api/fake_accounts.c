/* The accounts of the fake backend: one user, ada, with one of everything. */
#include <stdio.h>
#include <string.h>

#include "api/fake.h"
#include "auth/password.h"

static struct fake *of(void *context)
{
    return context;
}

static struct fake *of_reader(struct store_reader *reader)
{
    return (struct fake *)(void *)reader;
}

static struct user_row ada(void)
{
    return (struct user_row){.id = FAKE_USER, .name = "ada", .disabled_ms = FIELD_NULL};
}

static bool get_user(struct store_reader *reader, const char *name, struct arena *arena,
                     struct user_row *ret)
{
    (void)arena;
    if (of_reader(reader)->reader_fails || strcmp(name, "ada") != 0)
        return false;
    *ret = ada();
    return true;
}

static bool get_user_by_id(struct store_reader *reader, const char *id, struct arena *arena,
                           struct user_row *ret)
{
    (void)arena;
    if (of_reader(reader)->reader_fails || strcmp(id, FAKE_USER) != 0)
        return false;
    *ret = ada();
    return true;
}

static bool get_api_key(struct store_reader *reader, const char *id, struct arena *arena,
                        struct api_key_row *ret)
{
    (void)reader;
    (void)arena;
    *ret = (struct api_key_row){.id = FAKE_KEY_ID, .user_id = FAKE_USER};
    return strcmp(id, FAKE_KEY_ID) == 0;
}

static bool get_access_key(struct store_reader *reader, const char *id, struct arena *arena,
                           struct access_key_row *ret)
{
    (void)reader;
    (void)arena;
    *ret = (struct access_key_row){.id = FAKE_ACCESS, .user_id = FAKE_USER};
    return strcmp(id, FAKE_ACCESS) == 0;
}

static bool get_secret(struct store_reader *reader, int64_t workspace, const char *name,
                       struct arena *arena, struct secret_row *ret)
{
    (void)reader;
    (void)arena;
    *ret = (struct secret_row){.workspace = workspace, .name = "git", .value = "v1:sealed"};
    return strcmp(name, "git") == 0;
}

static size_t accounts(struct store_reader *reader, const struct account_query *query,
                       struct arena *arena, void **ret)
{
    struct fake *fake = of_reader(reader);
    fake->reader_fails |= fake->tokens_fail && query->kind == ROW_TOKEN;
    if (query->kind != ROW_TOKEN || fake->reader_fails) {
        *ret = NULL;
        return 0;
    }
    struct token_row *token = ARENA_NEW(arena, struct token_row);
    *token = (struct token_row){
        .user_id = FAKE_USER, .name = "t", .expires_ms = FIELD_NULL, .revoked_ms = FIELD_NULL};
    memset(token->hash, 0xab, sizeof token->hash);
    *ret = token;
    return query->after_hash ? 0 : 1;
}

/* ---- functions ---- */

static enum err_code public_key(void *context, const char *key_id, struct api_account *ret,
                                struct rsa_verifier **ret_key)
{
    (void)key_id;
    (void)ret;
    (void)ret_key;
    return of(context)->accounts_fail ? ERR_UNAVAILABLE : ERR_NOT_AUTHENTICATED;
}

static enum err_code access_key(void *context, const char *access, struct api_account *ret,
                                struct buf *secret)
{
    if (of(context)->accounts_fail)
        return ERR_UNAVAILABLE;
    if (strcmp(access, FAKE_ACCESS) != 0)
        return ERR_NOT_AUTHENTICATED;
    *ret = fake_account();
    buf_puts(secret, FAKE_SECRET);
    return ERR_OK;
}

static enum err_code password(void *context, const char *name, const char *text,
                              const char *address, struct api_account *ret, int64_t *ret_wait_ms,
                              struct err *err)
{
    struct fake *fake = of(context);
    (void)address;
    if (fake->accounts_fail)
        return err_set(err, ERR_UNAVAILABLE, "the store cannot be read at the moment");
    if (fake->password_wait_ms) {
        *ret_wait_ms = fake->password_wait_ms;
        return err_set(err, ERR_TOO_MANY_REQUESTS, "too many wrong passwords");
    }
    if (strcmp(name, "ada") != 0 || strcmp(text, "right password") != 0)
        return err_set(err, ERR_NOT_AUTHENTICATED, "wrong");
    *ret = fake_account();
    return ERR_OK;
}

static int64_t refused(void *context, const struct api_refused *what)
{
    struct fake *fake = of(context);
    fake->refusals++;
    fake->refused = (struct api_refused){
        .scheme = arena_strdup(&fake->arena, what->scheme),
        .claimed = arena_strdup(&fake->arena, what->claimed),
        .why = arena_strdup(&fake->arena, what->why),
        .request_id = arena_strdup(&fake->arena, what->request_id),
        .address = arena_strdup(&fake->arena, what->address),
    };
    return fake->refused_wait_ms;
}

static int64_t admit(void *context, const struct api_account *account)
{
    assert_string_equal(account->name, "ada");
    return of(context)->admit_wait_ms;
}

static bool make_code(void *context, const struct api_account *account,
                      char text[static API_CODE_TEXT], int64_t *ret_expires_ms)
{
    (void)account;
    snprintf(text, API_CODE_TEXT, "one-time");
    *ret_expires_ms = of(context)->now_ms + 1000;
    return true;
}

static enum err_code use_code(void *context, const char *code, const char *only_user,
                              struct api_account *ret)
{
    (void)only_user;
    if (of(context)->accounts_fail)
        return ERR_UNAVAILABLE;
    *ret = fake_account();
    return strcmp(code, "one-time") == 0 ? ERR_OK : ERR_NOT_AUTHENTICATED;
}

static bool write_rows(void *context, const struct row_batch *rows)
{
    struct fake *fake = of(context);
    assert_int_equal(fake->open_readers, 0); /* nothing is written while a snapshot is held */
    assert_true(rows->count > 0 && rows->items[rows->count - 1].kind == ROW_AUDIT);
    fake->writes++;
    return !fake->write_fails;
}

static void random_bytes(void *context, void *bytes, size_t len)
{
    of(context)->is_salted_alone |= len == PASSWORD_SALT_BYTES && fake_is_changing(of(context));
    memset(bytes, 0x5a, len);
}

static struct uuid new_key(void *context)
{
    (void)context;
    return fake_key(FAKE_RUN);
}

static void seal_text(void *context, const char *place, const char *secret, struct buf *out)
{
    (void)context;
    (void)secret;
    buf_printf(out, "v1:%s", place);
}

struct api_account fake_account(void)
{
    return (struct api_account){.id = FAKE_USER, .name = "ada"};
}

void fake_add_accounts(struct api_backend *backend)
{
    backend->reads.get_user = get_user;
    backend->reads.get_user_by_id = get_user_by_id;
    backend->reads.get_api_key = get_api_key;
    backend->reads.get_access_key = get_access_key;
    backend->reads.get_secret = get_secret;
    backend->reads.accounts = accounts;
    backend->accounts = (struct api_accounts){
        .public_key = public_key,
        .access_key = access_key,
        .password = password,
        .refused = refused,
        .admit = admit,
        .make_code = make_code,
        .use_code = use_code,
        .write = write_rows,
        .random = random_bytes,
        .new_key = new_key,
        .seal = seal_text,
    };
}
