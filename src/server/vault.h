/*
 * The key that secrets are sealed with: DATA/secret.key, mode 0600, made at the first start and kept
 * apart from the database, so that a copy of the one says nothing without the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/seal.h"
#include "base/err.h"
#include "store/store.h"

struct vault {
    uint8_t key[SEAL_KEY_BYTES];
};

/* Reads the key, or makes it where there is none and the database has never had one. Refuses a file that others may
 * read, one of another database, and a lost one, unless `forget` says that what was sealed is given
 * up. */
enum err_code vault_open(struct vault *vault, struct store *store, const char *data_dir,
                         bool forget, struct err *err);
/* Wipes it. */
void vault_close(struct vault *vault);

/* Appends. */
void vault_seal(const struct vault *vault, const char *place, const char *secret, struct buf *out);
bool vault_unseal(const struct vault *vault, const char *place, const char *sealed,
                  struct buf *out);
