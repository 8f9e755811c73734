/*
 * Accounts: who stands behind a bearer token, and with which role. Reads the store once per token
 * and remembers; thread safe. Tokens are looked up by their SHA-256 only.
 */
#pragma once

#include <stdbool.h>

#include "api/backend.h"
#include "store/store.h"

struct accounts;

struct accounts *accounts_new(struct store *store);
void accounts_free(struct accounts *accounts);

/* False when there is no such token, or it is revoked, expired, or its user is disabled. */
bool accounts_authenticate(struct accounts *accounts, const char *token, int64_t now_ms,
                           struct api_account *ret);
bool accounts_role(struct accounts *accounts, const char *user_id, int64_t workspace,
                   int *ret_role);

/* First start: makes the user `admin` with the role ADMIN and writes its token into `token_file`
 * (mode 0600, one line). Later: makes a new token when that file is gone. */
enum err_code accounts_bootstrap(struct store *store, int64_t workspace, const char *region,
                                 const char *token_file, int64_t now_ms, struct err *err);
