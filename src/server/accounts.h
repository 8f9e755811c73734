/*
 * Accounts: who stands behind a token or a key, and with which role. Reads the store once per
 * credential and remembers, until something is changed; thread safe. Tokens are looked up by their
 * SHA-256 only.
 *
 * All look-ups: ERR_OK, what there is not (as each says), or ERR_UNAVAILABLE: the store cannot be read at
 * the moment, so nothing is known.
 */
#pragma once

#include <stdbool.h>

#include "api/backend.h"
#include "server/vault.h"
#include "store/store.h"

struct accounts;

/* `vault` must outlive it. */
struct accounts *accounts_new(struct store *store, const struct vault *vault);
void accounts_free(struct accounts *accounts);

/* ERR_NOT_AUTHENTICATED: there is no such token, or it is revoked, expired, or its user is disabled. */
enum err_code accounts_authenticate(struct accounts *accounts, const char *token, int64_t now_ms,
                                    struct api_account *ret);
/* Does what that account came with still open anything: its token is good, and its user, where it
 * signed or showed a password, is not disabled and has that key or password? ERR_NOT_AUTHENTICATED: it does not. */
enum err_code accounts_still(struct accounts *accounts, const struct api_account *account,
                             int64_t now_ms);
/* By keyId, by access key; ERR_NOT_AUTHENTICATED: there is none, or its user is disabled. *ret_key is a
 * reference for the caller. */
enum err_code accounts_public_key(struct accounts *accounts, const char *key_id,
                                  struct api_account *ret, struct rsa_verifier **ret_key);
enum err_code accounts_access_key(struct accounts *accounts, const char *access,
                                  struct api_account *ret, struct buf *secret);
/* ERR_NOT_AUTHENTICATED; ERR_UNAVAILABLE also while another password is checked: that takes long. */
enum err_code accounts_password(struct accounts *accounts, const char *name, const char *password,
                                struct api_account *ret, struct err *err);
/* By name; ERR_NOT_FOUND: there is none, or it is disabled. */
enum err_code accounts_find(struct accounts *accounts, const char *name, struct api_account *ret);
/* ERR_NOT_FOUND: the user has none there. */
enum err_code accounts_role(struct accounts *accounts, const char *user_id, int64_t workspace,
                            int *ret_role);
/* One transaction; false when nothing was written. */
bool accounts_write(struct accounts *accounts, const struct row_batch *rows);
