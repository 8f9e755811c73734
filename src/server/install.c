#include "server/install.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/log.h"
#include "server/bootstrap.h"
#include "server/clock.h"
#include "server/files.h"

enum { UNIQUE_BYTES = 30, PATH_BYTES = 4096 };

static bool random_hex(char *text, size_t bytes)
{
    uint8_t raw[64];
    if (bytes > sizeof raw || getrandom(raw, bytes, 0) != (ssize_t)bytes)
        return false;
    hex_text(raw, bytes, text);
    return true;
}

/* The value of the installation by name; made and kept when it is not there. */
static const char *ensure_meta(struct install *install, const char *name, const char *prefix,
                               size_t bytes, struct err *err)
{
    char unique[129];
    char *stored;
    bool read = store_meta_get(install->store, name, &install->arena, &stored);
    if (stored)
        return stored;
    const char *value;
    if (read && random_hex(unique, bytes)) {
        value = arena_printf(&install->arena, "%s%s", prefix, unique);
        if (store_meta_set(install->store, name, value) == STORE_OK)
            return value;
    }
    err_set(err, ERR_INTERNAL, "the installation's %s cannot be %s", name, read ? "made" : "read");
    return NULL;
}

static bool page_key_from_hex(const char *hex, uint8_t ret[static PAGE_KEY_BYTES])
{
    if (strlen(hex) != 2 * PAGE_KEY_BYTES)
        return false;
    for (size_t i = 0; i < PAGE_KEY_BYTES; i++) {
        int byte = hex_byte(hex + 2 * i);
        if (byte < 0)
            return false;
        ret[i] = (uint8_t)byte;
    }
    return true;
}

static enum err_code ensure_platform(struct install *install, const struct config *config,
                                     struct err *err)
{
    const char *prefix =
        arena_printf(&install->arena, "ocid1.datalake.oc1.%s.", config_text(config, CONFIG_region));
    install->platform_id = ensure_meta(install, "aiDataPlatformId", prefix, UNIQUE_BYTES, err);
    if (!install->platform_id)
        return err->code;
    install->tenancy = ensure_meta(install, "tenancy", "ocid1.tenancy.oc1..", UNIQUE_BYTES, err);
    if (!install->tenancy)
        return err->code;
    const char *hex = ensure_meta(install, "pageKey", "", PAGE_KEY_BYTES, err);
    if (!hex)
        return err->code;
    if (!page_key_from_hex(hex, install->page_key))
        return err_set(err, ERR_INTERNAL, "the installation's pageKey is unreadable");
    return ERR_OK;
}

/* A data folder is one database's: folders of runs that the database does not know are removed. */
static enum err_code bind_folder(struct install *install, struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/platform.id", install->data_dir);
    if (!file_exists(path))
        return file_write(path, arena_printf(&install->arena, "%s\n", install->platform_id), 0600,
                          err);
    char *text = file_load(path, err);
    if (!text)
        return err->code;
    text[strcspn(text, "\n")] = '\0';
    bool is_ours = strcmp(text, install->platform_id) == 0;
    free(text);
    if (is_ours)
        return ERR_OK;
    return err_set(
        err, ERR_INCORRECT_STATE,
        "%s is of another database than %s: give the one that it was used with (--store), or "
        "another --data; without the file %s it is this database's, and outputs of runs that the "
        "database does not know are removed",
        install->data_dir, install->db_path, path);
}

static enum err_code ensure_workspace(struct install *install, struct err *err)
{
    struct workspace_row *rows;
    size_t count;
    if (!store_workspaces(install->store, &install->arena, &rows, &count))
        return err_set(err, ERR_INTERNAL, "the workspaces cannot be read");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, "default") == 0) {
            install->workspace = rows[i];
            return ERR_OK;
        }
    }
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return err_set(err, ERR_INTERNAL, "no randomness to be had");
    struct uuid_source source;
    int64_t now_ms = clock_wall_ms();
    uuid_source_init(&source, 0, seed);
    install->workspace = (struct workspace_row){
        .key = uuid_next(&source, now_ms),
        .name = "default",
        .project_id = uuid_next(&source, now_ms),
        .created_ms = now_ms,
    };
    if (store_workspace_create(install->store, &install->workspace) != STORE_OK)
        return err_set(err, ERR_INTERNAL, "the workspace default cannot be made");
    return ERR_OK;
}

const char *install_database(const char *url, struct err *err)
{
    static const char sqlite[] = "sqlite:";
    if (strncmp(url, sqlite, sizeof sqlite - 1) == 0)
        return url + sizeof sqlite - 1;
    err_set(err, ERR_INVALID_PARAMETER, "serve.store must be sqlite:FILE, not \"%s\"", url);
    return NULL;
}

static enum err_code open_store(struct install *install, const char *url, struct err *err)
{
    const char *path = install_database(url, err);
    if (!path)
        return err->code;
    install->db_path = arena_strdup(&install->arena, path);
    install->store = store_open_sqlite(install->db_path, err);
    return install->store ? ERR_OK : err->code;
}

/* Root may work on anybody's folder, whose owner then cannot work on what it leaves there. */
static void look_at_owner(const char *folder)
{
    struct stat status;
    if (geteuid() == 0 && stat(folder, &status) == 0 && status.st_uid != 0)
        log_event(
            LOG_WARN,
            "root serves a data folder of another user, who may not be able to serve it any more",
            LOG_TEXT("folder", folder), LOG_NUMBER("uid", (int64_t)status.st_uid));
}

enum err_code install_open(struct install *install, const struct config *config, struct err *err)
{
    *install = (struct install){.lock_fd = -1};
    arena_init(&install->arena);
    install->data_dir = arena_strdup(&install->arena, config_text(config, CONFIG_data));
    install->workspace_dir = arena_strdup(&install->arena, config_text(config, CONFIG_workspace));
    if (folder_make(install->data_dir, err) || folder_make(install->workspace_dir, err))
        return err->code;
    look_at_owner(install->data_dir);
    install->lock_fd = folder_lock(install->data_dir, err);
    if (install->lock_fd < 0 || open_store(install, config_text(config, CONFIG_store), err))
        return err->code;
    install_unpublish(install); /* of a server that was killed */
    if (ensure_platform(install, config, err) || bind_folder(install, err) ||
        ensure_workspace(install, err) ||
        vault_open(&install->vault, install->store, install->data_dir,
                   config_bool(config, CONFIG_auth_forget_secrets), err))
        return err->code;
    install->project_id =
        uuid_format_hex(&install->workspace.project_id, arena_alloc(&install->arena, UUID_TEXT));
    char token_file[PATH_BYTES];
    snprintf(token_file, sizeof token_file, "%s/admin.token", install->data_dir);
    return bootstrap_admin(install->store, install->workspace.id,
                           config_text(config, CONFIG_region), token_file, clock_wall_ms(), err);
}

void install_close(struct install *install)
{
    if (install->store)
        store_close(install->store);
    if (install->lock_fd >= 0)
        close(install->lock_fd);
    arena_release(&install->arena);
    vault_close(&install->vault);
    *install = (struct install){.lock_fd = -1};
}

static void endpoint_path(const struct install *install, char path[static PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/endpoint.json", install->data_dir);
}

enum err_code install_publish(const struct install *install, const char *url, struct err *err)
{
    char path[PATH_BYTES];
    char key[UUID_TEXT];
    struct buf text;
    buf_init(&text, PATH_BYTES);
    BUF_LIT(&text, "{\"url\":");
    buf_json_string(&text, url);
    BUF_LIT(&text, ",\"aiDataPlatformId\":");
    buf_json_string(&text, install->platform_id);
    buf_printf(&text, ",\"workspaceKey\":\"%s\",\"projectId\":\"%s\",\"pid\":%lld}\n",
               uuid_format(&install->workspace.key, key), install->project_id, (long long)getpid());
    endpoint_path(install, path);
    enum err_code code = file_write(path, text.data, 0600, err);
    buf_release(&text);
    return code;
}

void install_unpublish(const struct install *install)
{
    char path[PATH_BYTES];
    endpoint_path(install, path);
    unlink(path);
}
