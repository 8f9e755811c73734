/* The first start of an installation: its first user, and how to get in as that. */
#pragma once

#include "store/store.h"

/* First start: makes the user `admin` with the role ADMIN and writes its token into `token_file`
 * (mode 0600, one line). Later: makes a new token when that file is gone. */
enum err_code bootstrap_admin(struct store *store, int64_t workspace, const char *region,
                              const char *token_file, int64_t now_ms, struct err *err);
