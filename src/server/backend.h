/* The functions that the APIs need, over pump, store and caches. */
#pragma once

#include <stdatomic.h>

#include "api/backend.h"
#include "server/accounts.h"
#include "server/defs.h"
#include "server/pump.h"
#include "server/readers.h"
#include "server/workspaces.h"

struct backend {
    struct store *store;
    struct readers *readers;
    struct defs *defs;
    struct accounts *accounts;
    struct pump *pump;
    struct api_workspace workspace; /* `default` */
    struct workspaces *others;      /* NULL: there are none */
    const char *data_dir;
    _Atomic int64_t probed_ms; /* CLOCK_BOOTTIME: when the store was last asked to write */
    atomic_bool is_unwritable; /* what it answered */
};

/* `backend` must outlive what is returned. */
struct api_backend backend_functions(struct backend *backend);
