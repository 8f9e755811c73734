#include "server/vault.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "auth/base64url.h"
#include "base/arena.h"
#include "base/log.h"
#include "server/files.h"

enum { PATH_BYTES = 4096, CHECK_MAX = 256 };

/* A known text sealed with the key is kept in the database: it tells whether they belong together. */
static const char check_name[] = "secretKeyCheck";
static const char check_text[] = "reprise";

static enum err_code read_key(struct vault *vault, const char *path, struct err *err)
{
    struct stat found;
    size_t len = 0;
    if (stat(path, &found) != 0 || (found.st_mode & 077) != 0)
        return err_set(err, ERR_INCORRECT_STATE,
                       "others may read %s: chmod 600 it, and think about who has", path);
    char *text = file_load(path, err);
    if (!text)
        return err->code;
    text[strcspn(text, "\n")] = '\0';
    bool ok = base64url_decode(text, vault->key, sizeof vault->key, &len) &&
              len == sizeof vault->key;
    OPENSSL_cleanse(text, strlen(text));
    free(text);
    if (ok)
        return ERR_OK;
    return err_set(err, ERR_INCORRECT_STATE, "%s holds no key", path);
}

/* From now on the database knows whose key it is. */
static enum err_code keep_check(const struct vault *vault, struct store *store, struct err *err)
{
    struct buf check;
    buf_init(&check, CHECK_MAX);
    vault_seal(vault, check_name, check_text, &check);
    bool kept = store_meta_set(store, check_name, check.data) == STORE_OK;
    buf_release(&check);
    return kept ? ERR_OK
                : err_set(err, ERR_INTERNAL, "whose key it is cannot be written to the database");
}

static enum err_code make_key(struct vault *vault, struct store *store, const char *path,
                              struct err *err)
{
    char text[BASE64URL_LEN(SEAL_KEY_BYTES) + 2];
    if (getrandom(vault->key, sizeof vault->key, 0) != (ssize_t)sizeof vault->key)
        return err_set(err, ERR_INTERNAL, "no randomness to be had");
    base64url_encode(vault->key, sizeof vault->key, text);
    size_t len = strlen(text);
    text[len] = '\n';
    text[len + 1] = '\0';
    /* The file first: a crash in between leaves one that the database knows nothing of yet, and the next start keeps. */
    enum err_code code = file_write(path, text, 0600, err);
    OPENSSL_cleanse(text, sizeof text);
    return code ? code : keep_check(vault, store, err);
}

static bool belongs(const struct vault *vault, const char *check)
{
    struct buf text;
    buf_init(&text, CHECK_MAX);
    bool ok = vault_unseal(vault, check_name, check, &text) && text.len == strlen(check_text) &&
              memcmp(text.data, check_text, text.len) == 0;
    buf_release(&text);
    return ok;
}

enum err_code vault_open(struct vault *vault, struct store *store, const char *data_dir,
                         bool forget, struct err *err)
{
    char path[PATH_BYTES];
    struct arena arena;
    arena_init(&arena);
    snprintf(path, sizeof path, "%s/secret.key", data_dir);
    char *check;
    bool is_there = file_exists(path);
    enum err_code code = ERR_OK;
    if (!store_meta_get(store, check_name, &arena, &check))
        code = err_set(err, ERR_INTERNAL, "whose key %s is cannot be read from the database", path);
    else if (is_there)
        code = read_key(vault, path, err);
    bool fits = is_there && (!check || belongs(vault, check));
    bool is_lost = check && !fits;
    if (!code && is_lost && !forget)
        code = err_set(err, ERR_INCORRECT_STATE,
                       "%s %s: restore it from a backup, or give up access keys and secrets with "
                       "--auth.forget-secrets",
                       path, is_there ? "is not the key of this database" : "is missing");
    if (!code && is_lost)
        log_event(LOG_WARN, "sealed secrets are given up", LOG_TEXT("key", path));
    if (!code && !fits)
        code = make_key(vault, store, path, err);
    else if (!code && !check)
        code = keep_check(vault, store, err); /* a key that is there is never written over */
    arena_release(&arena);
    return code;
}

void vault_close(struct vault *vault)
{
    OPENSSL_cleanse(vault->key, sizeof vault->key);
}

void vault_seal(const struct vault *vault, const char *place, const char *secret, struct buf *out)
{
    uint8_t nonce[SEAL_NONCE_BYTES];
    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        abort(); /* a nonce must not come twice */
    seal(vault->key, nonce, place, secret, out);
}

bool vault_unseal(const struct vault *vault, const char *place, const char *sealed, struct buf *out)
{
    return unseal(vault->key, place, sealed, out);
}
