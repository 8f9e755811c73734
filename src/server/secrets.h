/*
 * Secrets of a workspace, unsealed for what names them: git (exec/git_cache.h), and attempts of tasks
 * (model/secret.h). Any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "server/readers.h"
#include "server/vault.h"

struct secrets {
    struct readers *readers;
    const struct vault *vault;
};

/* Appends the value of the workspace's own secret of that name. ERR_NOT_AUTHORIZED_OR_NOT_FOUND: there is none;
 * ERR_UNAVAILABLE: it cannot be read, or is not sealed with our key. */
enum err_code secrets_find(const struct secrets *secrets, int64_t workspace, const char *name,
                           struct buf *out);
