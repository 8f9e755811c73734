/* Users and what they may do. */
#include <stdio.h>
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"
#include "auth/password.h"

enum { ROLES_SHOWN = 1000 };

static const char *workspace_key_of(struct call *call, int64_t id)
{
    const struct api_backend *backend = call->backend;
    struct api_workspace workspace;
    for (size_t i = 0; backend->workspace_at(backend->context, i, &workspace); i++)
        if (workspace.id == id)
            return uuid_format(&workspace.key, arena_alloc(call->arena, UUID_TEXT));
    return NULL;
}

struct user_view user_view_of(struct call *call, const struct user_row *row)
{
    const struct account_query query = {.kind = ROW_ROLE, .user_id = row->id, .limit = ROLES_SHOWN};
    void *rows;
    size_t count = call->backend->reads.accounts(call->reading.reader, &query, call->arena, &rows);
    struct role_view *roles = ARENA_ARRAY(call->arena, count, struct role_view);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        const struct role_row *role = (const struct role_row *)rows + i;
        const char *key = workspace_key_of(call, role->workspace);
        if (key) /* else the workspace is gone */
            roles[shown++] = (struct role_view){key, role->role};
    }
    return (struct user_view){
        .key = row->id,
        .name = row->name,
        .is_disabled = row->disabled_ms != FIELD_NULL,
        .has_password = row->password != NULL,
        .roles = {roles, shown},
        .created_ms = row->created_ms,
    };
}

static const void *user_item(struct call *call, size_t index, const void *item,
                             const struct user_row *user, size_t *ret_len)
{
    const struct user_row *row = item;
    const struct user_view view = user_view_of(call, row);
    (void)user;
    respond_item(call, index, &user_schema, &view);
    return account_place(row->name, ret_len);
}

enum err_code user_list(struct call *call)
{
    static const struct account_listing listing = {ROW_USER, sizeof(struct user_row), false,
                                                   user_item};
    return account_list(call, &listing);
}

static void respond_user(struct call *call, const struct user_row *row, int status)
{
    const struct user_view view = user_view_of(call, row);
    respond_json(call, status);
    fields_print(&user_schema, &view, &call->response->body);
}

enum err_code user_get(struct call *call)
{
    struct user_row row;
    if (account_subject(call, call->keys[0], &row))
        return call->err.code;
    respond_user(call, &row, 200);
    return ERR_OK;
}

/* From here on it is what is stored. That takes 30 ms, so it comes before the change, which all others wait for. */
static enum err_code hash_password(struct call *call, const char **password)
{
    uint8_t salt[PASSWORD_SALT_BYTES];
    if (!*password)
        return ERR_OK;
    call->backend->accounts.random(call->backend->context, salt, sizeof salt);
    *password = password_hash(*password, salt, arena_alloc(call->arena, PASSWORD_TEXT));
    return ERR_OK;
}

enum err_code user_hash_first_password(struct call *call)
{
    return hash_password(call, &((struct create_user *)call->details)->password);
}

enum err_code user_hash_password(struct call *call)
{
    return hash_password(call, &((struct update_user *)call->details)->password);
}

static const char *new_id(struct call *call)
{
    uint8_t unique[USER_ID_UNIQUE_BYTES];
    call->backend->accounts.random(call->backend->context, unique, sizeof unique);
    return user_id_format(call->api->config.hub_region, unique,
                          arena_alloc(call->arena, USER_ID_TEXT));
}

/* From a snapshot behind the write. */
static enum err_code respond_written(struct call *call, const struct user_row *row, int status)
{
    if (!call_read_begin(call))
        respond_user(call, row, status);
    if (call->reading.reader && !call_reader_check(call))
        return ERR_OK;
    return err_set(&call->err, ERR_UNAVAILABLE,
                   "it is done, but the store cannot be read at the moment");
}

/* The workspace that a role is about: the installation's first, unless another is named. */
static enum err_code role_workspace(struct call *call, const char *workspace_key,
                                    struct api_workspace *ret)
{
    struct uuid key;
    *ret = call->workspace;
    if (!workspace_key || (uuid_parse(workspace_key, &key) &&
                           call->backend->workspace(call->backend->context, &key, ret)))
        return ERR_OK;
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                   "Workspace not found or not allowed: workspaceKey is none");
}

static const char *workspace_told(struct call *call, const struct api_workspace *workspace)
{
    char *key = arena_alloc(call->arena, UUID_TEXT);
    return workspace->name ? workspace->name : uuid_format(&workspace->key, key);
}

enum err_code user_create(struct call *call)
{
    const struct create_user *details = call->details;
    struct api_workspace workspace;
    struct user_row user;
    if (role_workspace(call, details->workspace_key, &workspace))
        return call->err.code;
    if (call->backend->reads.get_user(call->reading.reader, details->name, call->arena, &user))
        return err_set(&call->err, ERR_INCORRECT_STATE, "there is a user %s already",
                       details->name);
    if (call_reader_check(call))
        return call->err.code;
    user = (struct user_row){
        .id = new_id(call),
        .name = details->name,
        .created_ms = call->backend->now_ms(call->backend->context),
        .disabled_ms = FIELD_NULL,
        .password = details->password,
    };
    const struct role_row role = {workspace.id, user.id, details->role};
    struct row_batch rows;
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_USER, ROW_INSERT, &user);
    row_batch_add(&rows, ROW_ROLE, ROW_INSERT, &role);
    call->note.workspace = workspace.key;
    enum err_code code =
        account_write(call, &rows, user.name,
                      arena_printf(call->arena, "The user was made, %s in the workspace %s.",
                                   grant_roles[details->role], workspace_told(call, &workspace)));
    row_batch_release(&rows);
    return code ? code : respond_written(call, &user, 201);
}

/* Nobody shuts themselves out: another ADMIN has to. */
static enum err_code check_own(struct call *call, const struct user_row *user, int had,
                               const struct update_user *details)
{
    bool is_own = strcmp(user->id, call->account.id) == 0;
    if (is_own && details->is_disabled == 1)
        return err_set(&call->err, ERR_INCORRECT_STATE, "nobody can disable themselves");
    bool is_lower = details->role == NEW_ROLE_NONE ? had >= ROLE_VIEWER : details->role < had;
    if (is_own && details->role != FIELD_UNSET && is_lower)
        return err_set(&call->err, ERR_INCORRECT_STATE, "nobody can lower their own role");
    return ERR_OK;
}

static const char *change_told(struct call *call, const struct update_user *details,
                               const struct api_workspace *workspace)
{
    const char *role = "";
    if (details->role != FIELD_UNSET)
        role = arena_printf(call->arena, " role %s in the workspace %s",
                            details->role == NEW_ROLE_NONE ? "NONE" : grant_roles[details->role],
                            workspace_told(call, workspace));
    return arena_printf(call->arena, "Changed:%s%s%s.", details->password ? " password" : "",
                        details->is_disabled == FIELD_UNSET ? ""
                        : details->is_disabled              ? " disabled"
                                                            : " enabled",
                        role);
}

static void change_role(struct row_batch *rows, const struct role_row *role, int had)
{
    if (role->role != NEW_ROLE_NONE)
        row_batch_add(rows, ROW_ROLE, had < ROLE_VIEWER ? ROW_INSERT : ROW_UPDATE, role);
    else if (had >= ROLE_VIEWER)
        row_batch_add(rows, ROW_ROLE, ROW_DELETE, role);
}

enum err_code user_update(struct call *call)
{
    const struct update_user *details = call->details;
    const struct api_backend *backend = call->backend;
    struct api_workspace workspace;
    struct user_row user;
    struct row_batch rows;
    int had = -1;
    if (details->workspace_key && details->role == FIELD_UNSET)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "role is missing: workspaceKey says where it counts");
    if (role_workspace(call, details->workspace_key, &workspace) ||
        account_subject(call, call->keys[0], &user))
        return call->err.code;
    struct api_account subject = {.id = ""};
    snprintf(subject.id, sizeof subject.id, "%s", user.id);
    if (call_role(call, &subject, &workspace, &had) || check_own(call, &user, had, details))
        return call->err.code;
    if (details->password)
        user.password = details->password;
    if (details->is_disabled == 1 && user.disabled_ms == FIELD_NULL)
        user.disabled_ms = backend->now_ms(backend->context);
    if (details->is_disabled == 0)
        user.disabled_ms = FIELD_NULL;
    const struct role_row role = {workspace.id, user.id, details->role};
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_USER, ROW_UPDATE, &user);
    if (details->password)
        account_end_sign_ins(call, user.id, &rows);
    if (details->role != FIELD_UNSET) {
        change_role(&rows, &role, had);
        call->note.workspace = workspace.key;
    }
    enum err_code code =
        account_write(call, &rows, user.name, change_told(call, details, &workspace));
    row_batch_release(&rows);
    return code ? code : respond_written(call, &user, 200);
}
