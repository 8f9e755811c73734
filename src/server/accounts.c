#include "server/accounts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/base64.h"
#include "auth/bearer.h"
#include "auth/password.h"
#include "base/map.h"
#include "base/mem.h"

enum {
    CACHED_TOKENS = 4096,
    CACHED_ROLES = 4096,
    CACHED_KEYS = 1024,
    KEY_TEXT = 1024,
    ROLE_TEXT = 24 + USER_ID_TEXT, /* "<workspace> <user>" */
};

struct cached_token {
    struct uuid key; /* first half of the hash */
    uint8_t hash[SHA256_BYTES];
    int64_t expires_ms;
    struct api_account account;
};

struct cached_role {
    int role;
};

/* A public key or an access key. */
struct cached_key {
    struct api_account account;
    struct rsa_verifier *public_key; /* of a public key */
    const char *sealed;              /* of an access key: its secret */
};

struct accounts {
    struct store *store;
    const struct vault *vault;
    pthread_mutex_t lock;
    pthread_mutex_t hashing; /* one password at a time: each takes 16 MiB and 30 ms */
    struct uuid_map tokens;  /* struct cached_token */
    struct str_map roles;    /* "<workspace> <user>" → struct cached_role */
    struct str_map keys;     /* "<kind> <id>" → struct cached_key */
    struct rsa_verifier *verifiers[CACHED_KEYS]; /* of the public keys among them */
    size_t verifier_count;
    struct arena arena; /* of all; never freed one by one: all begin anew when full */
    struct store_reader *reader;
};

struct accounts *accounts_new(struct store *store, const struct vault *vault)
{
    struct accounts *accounts = xcalloc(1, sizeof *accounts);
    accounts->store = store;
    accounts->vault = vault;
    accounts->reader = store_reader_open(store);
    pthread_mutex_init(&accounts->lock, NULL);
    pthread_mutex_init(&accounts->hashing, NULL);
    uuid_map_init(&accounts->tokens);
    str_map_init(&accounts->roles);
    str_map_init(&accounts->keys);
    arena_init(&accounts->arena);
    return accounts;
}

void accounts_free(struct accounts *accounts)
{
    if (!accounts)
        return;
    if (accounts->reader)
        store_reader_close(accounts->reader);
    while (accounts->verifier_count)
        rsa_verifier_unref(accounts->verifiers[--accounts->verifier_count]);
    uuid_map_release(&accounts->tokens);
    str_map_release(&accounts->roles);
    str_map_release(&accounts->keys);
    arena_release(&accounts->arena);
    pthread_mutex_destroy(&accounts->hashing);
    pthread_mutex_destroy(&accounts->lock);
    free(accounts);
}

static bool is_valid(int64_t expires_ms, int64_t now_ms)
{
    return expires_ms == FIELD_NULL || now_ms < expires_ms;
}

/* A full cache begins anew, and so do all of them when accounts have changed. */
static void forget_all(struct accounts *accounts)
{
    while (accounts->verifier_count)
        rsa_verifier_unref(accounts->verifiers[--accounts->verifier_count]);
    uuid_map_release(&accounts->tokens);
    str_map_release(&accounts->roles);
    str_map_release(&accounts->keys);
    uuid_map_init(&accounts->tokens);
    str_map_init(&accounts->roles);
    str_map_init(&accounts->keys);
    arena_clear(&accounts->arena);
}

static bool is_none(const uint8_t hash[static SHA256_BYTES])
{
    static const uint8_t none[SHA256_BYTES];
    return memcmp(hash, none, sizeof none) == 0;
}

static struct api_account account_of(const struct user_row *user)
{
    struct api_account account = {.token_kind = TOKEN_BEARER};
    snprintf(account.id, sizeof account.id, "%s", user->id);
    snprintf(account.name, sizeof account.name, "%s", user->name);
    return account;
}

static bool key_is_there(struct store_reader *reader, const struct token_row *token,
                         struct arena *arena)
{
    struct api_key_row key;
    struct access_key_row access;
    if (!token->parent_key)
        return true;
    return token->parent_key_is_public == 1
               ? store_get_api_key(reader, token->parent_key, arena, &key)
               : store_get_access_key(reader, token->parent_key, arena, &access);
}

/* When the token ends at the latest, with what it hangs on; false: it has. One link: who begins a session
 * by a token has no session. */
static bool end_with_parent(struct store_reader *reader, const struct token_row *token,
                            struct arena *arena, int64_t *ret_ms)
{
    struct token_row parent;
    *ret_ms = token->expires_ms;
    if (token->revoked_ms != FIELD_NULL || !key_is_there(reader, token, arena))
        return false;
    if (is_none(token->parent))
        return true;
    if (!store_get_token(reader, token->parent, arena, &parent) || parent.revoked_ms != FIELD_NULL)
        return false;
    if (parent.expires_ms != FIELD_NULL && (*ret_ms == FIELD_NULL || parent.expires_ms < *ret_ms))
        *ret_ms = parent.expires_ms;
    return true;
}

static const struct cached_token *remember_token(struct accounts *accounts,
                                                 const struct token_row *token, int64_t end_ms,
                                                 const struct user_row *user)
{
    if (accounts->tokens.count >= CACHED_TOKENS)
        forget_all(accounts);
    struct cached_token *cached = ARENA_NEW(&accounts->arena, struct cached_token);
    memcpy(cached->hash, token->hash, SHA256_BYTES);
    memcpy(cached->key.bytes, token->hash, sizeof cached->key.bytes);
    cached->expires_ms = end_ms;
    cached->account = account_of(user);
    cached->account.token_kind = token->kind;
    memcpy(cached->account.token_hash, token->hash, SHA256_BYTES);
    memcpy(cached->account.parent_hash, token->parent, SHA256_BYTES);
    snprintf(cached->account.parent_key, sizeof cached->account.parent_key, "%s",
             token->parent_key ? token->parent_key : "");
    cached->account.parent_key_is_public = token->parent_key_is_public == 1;
    uuid_map_put(&accounts->tokens, &cached->key, cached);
    return cached;
}

/* Ends the snapshot that something was looked for in: `missing` when it is known not to be there. */
static enum err_code end_read(struct accounts *accounts, bool found, enum err_code missing)
{
    bool failed = store_reader_failed(accounts->reader);
    store_read_end(accounts->reader);
    if (found)
        return ERR_OK;
    return failed ? ERR_UNAVAILABLE : missing;
}

/* Under the lock. */
static enum err_code load_token(struct accounts *accounts, const uint8_t *hash,
                                const struct cached_token **ret)
{
    struct arena scratch;
    struct token_row token;
    struct user_row user;
    int64_t end_ms;
    arena_init(&scratch);
    store_read_begin(accounts->reader);
    bool found = store_get_token(accounts->reader, hash, &scratch, &token) &&
                 end_with_parent(accounts->reader, &token, &scratch, &end_ms) &&
                 store_get_user_by_id(accounts->reader, token.user_id, &scratch, &user) &&
                 user.disabled_ms == FIELD_NULL;
    if (found)
        *ret = remember_token(accounts, &token, end_ms, &user);
    enum err_code code = end_read(accounts, found, ERR_NOT_AUTHENTICATED);
    arena_release(&scratch);
    return code;
}

static enum err_code find_token(struct accounts *accounts, const uint8_t *hash, int64_t now_ms,
                                struct api_account *ret)
{
    struct uuid key;
    memcpy(key.bytes, hash, sizeof key.bytes);
    pthread_mutex_lock(&accounts->lock);
    const struct cached_token *cached = uuid_map_get(&accounts->tokens, &key);
    enum err_code code = cached ? ERR_OK : load_token(accounts, hash, &cached);
    if (!code &&
        !(digest_equal(cached->hash, hash, SHA256_BYTES) && is_valid(cached->expires_ms, now_ms)))
        code = ERR_NOT_AUTHENTICATED;
    if (!code)
        *ret = cached->account;
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

enum err_code accounts_authenticate(struct accounts *accounts, const char *token, int64_t now_ms,
                                    struct api_account *ret)
{
    uint8_t hash[SHA256_BYTES];
    bearer_hash(token, hash);
    return find_token(accounts, hash, now_ms, ret);
}

/* ---- keys ---- */

/* Whose key that is, and its text; false: no such key. Under the lock, inside a snapshot. */
static bool read_key(struct accounts *accounts, enum row_kind kind, const char *id,
                     struct arena *arena, struct user_row *ret_user, const char **ret_text)
{
    struct api_key_row key;
    struct access_key_row access;
    const char *user_id;
    if (kind == ROW_API_KEY) {
        if (!store_get_api_key(accounts->reader, id, arena, &key))
            return false;
        user_id = key.user_id;
        *ret_text = key.public_key;
    } else {
        if (!store_get_access_key(accounts->reader, id, arena, &access))
            return false;
        user_id = access.user_id;
        *ret_text = access.secret;
    }
    return store_get_user_by_id(accounts->reader, user_id, arena, ret_user) &&
           ret_user->disabled_ms == FIELD_NULL;
}

/* NULL when the row holds no key. Forgotten with the rest. */
static struct rsa_verifier *make_verifier(struct accounts *accounts, const char *text)
{
    uint8_t der[RSA_MAX_DER];
    size_t len;
    struct rsa_verifier *key =
        base64_decode(text, der, sizeof der, &len) ? rsa_verifier_new(der, len) : NULL;
    if (key)
        accounts->verifiers[accounts->verifier_count++] = key;
    return key;
}

static const struct cached_key *remember_key(struct accounts *accounts, enum row_kind kind,
                                             const char *name, const char *text,
                                             const struct user_row *user)
{
    if (accounts->keys.count >= CACHED_KEYS)
        forget_all(accounts);
    struct cached_key *cached = ARENA_NEW(&accounts->arena, struct cached_key);
    cached->account = account_of(user);
    if (kind == ROW_API_KEY)
        cached->public_key = make_verifier(accounts, text);
    else
        cached->sealed = arena_strdup(&accounts->arena, text);
    str_map_add(&accounts->keys, arena_strdup(&accounts->arena, name), cached);
    return cached;
}

/* Under the lock. */
static enum err_code find_key(struct accounts *accounts, enum row_kind kind, const char *id,
                              const struct cached_key **ret)
{
    char name[KEY_TEXT];
    struct arena scratch;
    struct user_row user;
    const char *text;
    snprintf(name, sizeof name, "%d %s", (int)kind, id);
    const struct cached_key *cached = str_map_get(&accounts->keys, name);
    if (cached) {
        *ret = cached;
        return ERR_OK;
    }
    arena_init(&scratch);
    store_read_begin(accounts->reader);
    bool found = read_key(accounts, kind, id, &scratch, &user, &text);
    if (found)
        *ret = remember_key(accounts, kind, name, text, &user);
    enum err_code code = end_read(accounts, found, ERR_NOT_AUTHENTICATED);
    arena_release(&scratch);
    return code;
}

enum err_code accounts_public_key(struct accounts *accounts, const char *key_id,
                                  struct api_account *ret, struct rsa_verifier **ret_key)
{
    const struct cached_key *key;
    pthread_mutex_lock(&accounts->lock);
    enum err_code code = find_key(accounts, ROW_API_KEY, key_id, &key);
    if (!code && !key->public_key)
        code = ERR_NOT_AUTHENTICATED;
    if (!code) {
        *ret = key->account;
        *ret_key = rsa_verifier_ref(key->public_key);
    }
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

enum err_code accounts_access_key(struct accounts *accounts, const char *access,
                                  struct api_account *ret, struct buf *secret)
{
    char place[KEY_TEXT];
    const struct cached_key *key;
    snprintf(place, sizeof place, "access-key/%s", access);
    pthread_mutex_lock(&accounts->lock);
    enum err_code code = find_key(accounts, ROW_ACCESS_KEY, access, &key);
    if (!code && !vault_unseal(accounts->vault, place, key->sealed, secret))
        code = ERR_NOT_AUTHENTICATED;
    if (!code)
        *ret = key->account;
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

/* ---- what still holds, and roles ---- */

static enum err_code has_key(struct accounts *accounts, const char *id, bool is_public)
{
    const struct cached_key *key;
    pthread_mutex_lock(&accounts->lock);
    enum err_code code = find_key(accounts, is_public ? ROW_API_KEY : ROW_ACCESS_KEY, id, &key);
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

/* Is its password still the one that was shown, if one was? */
static bool has_password(const struct user_row *user, const uint8_t shown[static SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    if (is_none(shown))
        return true;
    if (!user->password)
        return false;
    sha256(user->password, strlen(user->password), hash);
    return memcmp(hash, shown, sizeof hash) == 0;
}

enum err_code accounts_still(struct accounts *accounts, const struct api_account *account,
                             int64_t now_ms)
{
    struct api_account found;
    struct user_row user;
    struct arena scratch;
    if (!is_none(account->token_hash))
        return find_token(accounts, account->token_hash, now_ms, &found);
    if (account->key_id)
        return has_key(accounts, account->key_id, account->key_is_public);
    if (account->parent_key[0])
        return has_key(accounts, account->parent_key, account->parent_key_is_public);
    arena_init(&scratch);
    pthread_mutex_lock(&accounts->lock);
    store_read_begin(accounts->reader);
    bool is_good = store_get_user_by_id(accounts->reader, account->id, &scratch, &user) &&
                   user.disabled_ms == FIELD_NULL && has_password(&user, account->password_hash);
    enum err_code code = end_read(accounts, is_good, ERR_NOT_AUTHENTICATED);
    pthread_mutex_unlock(&accounts->lock);
    arena_release(&scratch);
    return code;
}

/* Under the lock. `name`: what it is remembered by. */
static enum err_code load_role(struct accounts *accounts, const char *name, const char *user_id,
                               int64_t workspace, int *ret_role)
{
    int role;
    store_read_begin(accounts->reader);
    bool found = store_get_role(accounts->reader, workspace, user_id, &role);
    enum err_code code = end_read(accounts, found, ERR_NOT_FOUND);
    if (code)
        return code;
    if (accounts->roles.count >= CACHED_ROLES)
        forget_all(accounts);
    struct cached_role *row = ARENA_NEW(&accounts->arena, struct cached_role);
    *row = (struct cached_role){role};
    str_map_add(&accounts->roles, arena_strdup(&accounts->arena, name), row);
    *ret_role = role;
    return ERR_OK;
}

enum err_code accounts_role(struct accounts *accounts, const char *user_id, int64_t workspace,
                            int *ret_role)
{
    char name[ROLE_TEXT];
    enum err_code code = ERR_OK;
    snprintf(name, sizeof name, "%lld %s", (long long)workspace, user_id);
    pthread_mutex_lock(&accounts->lock);
    const struct cached_role *cached = str_map_get(&accounts->roles, name);
    if (cached)
        *ret_role = cached->role;
    else
        code = load_role(accounts, name, user_id, workspace, ret_role);
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

/* ---- passwords ---- */

static enum err_code read_user(struct accounts *accounts, const char *name, struct arena *arena,
                               struct user_row *ret)
{
    pthread_mutex_lock(&accounts->lock);
    store_read_begin(accounts->reader);
    bool found = store_get_user(accounts->reader, name, arena, ret) &&
                 ret->disabled_ms == FIELD_NULL;
    enum err_code code = end_read(accounts, found, ERR_NOT_FOUND);
    pthread_mutex_unlock(&accounts->lock);
    return code;
}

/* `stored` NULL: of nobody, and a name that is not there takes as long as a wrong password. */
static enum err_code check_password(const char *stored, const char *password, struct err *err)
{
    static const char nobody[] = "scrypt$14$8$1$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    bool is_right = password_verify(password, stored ? stored : nobody);
    if (stored && is_right)
        return ERR_OK;
    return err_set(err, ERR_NOT_AUTHENTICATED, "the user name or the password is wrong");
}

enum err_code accounts_password(struct accounts *accounts, const char *name, const char *password,
                                struct api_account *ret, struct err *err)
{
    struct arena arena;
    struct user_row user;
    if (pthread_mutex_trylock(&accounts->hashing) != 0)
        return err_set(err, ERR_UNAVAILABLE, "another password is being checked: try again");
    arena_init(&arena);
    enum err_code code = read_user(accounts, name, &arena, &user);
    if (code == ERR_UNAVAILABLE)
        err_set(err, code, "the store cannot be read at the moment");
    else
        code = check_password(code ? NULL : user.password, password, err);
    if (!code) {
        *ret = account_of(&user);
        sha256(user.password, strlen(user.password), ret->password_hash);
    }
    arena_release(&arena);
    pthread_mutex_unlock(&accounts->hashing);
    return code;
}

enum err_code accounts_find(struct accounts *accounts, const char *name, struct api_account *ret)
{
    struct arena arena;
    struct user_row user;
    arena_init(&arena);
    enum err_code code = read_user(accounts, name, &arena, &user);
    if (!code)
        *ret = account_of(&user);
    arena_release(&arena);
    return code;
}

/* ---- changes ---- */

bool accounts_write(struct accounts *accounts, const struct row_batch *rows)
{
    bool written = store_write_accounts(accounts->store, rows) == STORE_OK;
    /* Rows are read and remembered under the lock: those from before the write are forgotten here. */
    pthread_mutex_lock(&accounts->lock);
    forget_all(accounts);
    pthread_mutex_unlock(&accounts->lock);
    return written;
}
