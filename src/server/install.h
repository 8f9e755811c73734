/*
 * The installation: what a data folder holds besides the database's rows (CONTRACT §2). The first
 * start makes a platform, a workspace `default`, its folder, and the user admin with a token.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "server/config.h"
#include "server/vault.h"
#include "store/store.h"

enum { PAGE_KEY_BYTES = 32 };

struct install {
    struct arena arena; /* of the strings below */
    const char *data_dir;
    const char *workspace_dir;
    const char *platform_id; /* OCID */
    const char *tenancy;     /* OCID: first part of every keyId */
    const char *project_id;  /* the platform in the DataArts dialect, 32 hex digits */
    struct vault vault;
    uint8_t page_key[PAGE_KEY_BYTES]; /* signs page tokens */
    struct workspace_row workspace;   /* `default` */
    struct store *store;
    const char *db_path; /* of the store's file */
    int lock_fd;
};

/* The file that serve.store names; NULL with `err` when it names none. */
const char *install_database(const char *url, struct err *err);

/* Makes folders, takes the lock, opens the database, and does what a first start has to. */
enum err_code install_open(struct install *install, const struct config *config, struct err *err);
void install_close(struct install *install);

/* DATA/endpoint.json, written last and by rename; removed at a clean stop. */
enum err_code install_publish(const struct install *install, const char *url, struct err *err);
void install_unpublish(const struct install *install);
