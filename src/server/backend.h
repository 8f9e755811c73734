/* The functions that the APIs need, over pump, store and caches. */
#pragma once

#include <stdatomic.h>

#include "api/backend.h"
#include "server/accounts.h"
#include "server/defs.h"
#include "server/feed.h"
#include "server/guard.h"
#include "server/metrics.h"
#include "server/pump.h"
#include "server/readers.h"
#include "server/tail.h"
#include "server/workspaces.h"
#include "wire/wire.h"

struct backend {
    struct store *store;
    struct readers *readers;
    struct defs *defs;
    struct zones *zones;
    const char *zone_id; /* the server's own */
    struct accounts *accounts;
    struct guard *guard;
    const struct vault *vault;
    struct pump *pump;
    struct feed *feed; /* of the workspace `default` */
    struct tail *tail;
    struct api_workspace workspace; /* `default` */
    struct workspaces *others;      /* NULL: there are none */
    const char *data_dir;
    const char *db_path;               /* NULL: no file */
    struct metrics *metrics;           /* NULL: nothing is counted */
    _Atomic(const struct wire *) wire; /* NULL until it has started */
    _Atomic int64_t probed_ms;         /* CLOCK_BOOTTIME: when the store was last asked to write */
    atomic_bool is_unwritable;         /* what it answered */
};

/* `backend` must outlive what is returned. */
struct api_backend backend_functions(struct backend *backend);
