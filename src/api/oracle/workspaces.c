/* Workspaces: made, shown, changed, deleted. `default` is there from the first start and stays; its
 * resource row is written with its first change. */
#include <string.h>

#include "api/oracle/oracle.h"
#include "api/oracle/resource.h"
#include "api/oracle/run_source.h"
#include "api/respond.h"

enum { TYPE_DEFAULT, TYPE_USER };

static bool is_default(struct call *call, const struct api_workspace *workspace)
{
    struct api_workspace first;
    return call->backend->workspace_at(call->backend->context, 0, &first) &&
           first.id == workspace->id;
}

/* As it is stored, or as it was made at the first start. */
static void load_row(struct call *call, const struct api_workspace *workspace,
                     struct resource_row *ret)
{
    if (call->backend->reads.get_resource(call->reading.reader, workspace->id, &workspace->key,
                                          call->arena, ret))
        return;
    *ret = (struct resource_row){
        .workspace = workspace->id,
        .key = workspace->key,
        .kind = RESOURCE_WORKSPACE,
        .name = "default",
        .state = "ACTIVE",
        .created_ms = uuid_time_ms(&workspace->key),
        .updated_ms = uuid_time_ms(&workspace->key),
        .deleted_ms = FIELD_NULL,
    };
}

static void print(struct call *call, const struct resource_row *row, size_t index, bool in_list)
{
    const struct api_workspace workspace = {row->workspace, row->key, NULL};
    struct workspace_view view = {
        .key = key_text(&row->key, call->arena),
        .type = workspace_type_names[is_default(call, &workspace) ? TYPE_DEFAULT : TYPE_USER],
        .row = *row,
    };
    resource_details(&workspace_details_schema, row, call->arena, &view.details);
    view.details.display_name = row->name;
    if (in_list)
        respond_item(call, index, &workspace_schema, &view);
    else
        fields_print(&workspace_schema, &view, &call->response->body);
}

/* The workspace of the path, when the caller may do this to it. */
static enum err_code find(struct call *call, struct api_workspace *ret, struct resource_row *row)
{
    struct uuid key;
    int role = -1;
    bool found = uuid_parse(call->keys[0], &key) &&
                 call->backend->workspace(call->backend->context, &key, ret);
    if (found && call_role(call, &call->account, ret, &role))
        return call->err.code;
    if (role < call->route->role)
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                       "Workspace not found or not allowed");
    load_row(call, ret, row);
    return call_reader_check(call);
}

enum err_code workspace_list(struct call *call)
{
    const struct resource_list_query *query = call->filter;
    struct api_workspace workspace = {0};
    struct resource_row *page;
    struct resource_row *rows = ARENA_ARRAY(call->arena, RESOURCES_MAX + 1, struct resource_row);
    size_t count = 0;
    for (size_t i = 0; count <= RESOURCES_MAX &&
                       call->backend->workspace_at(call->backend->context, i, &workspace);
         i++) {
        int type = i == 0 ? TYPE_DEFAULT : TYPE_USER;
        int role = -1;
        if (call_role(call, &call->account, &workspace, &role))
            return call->err.code;
        if (role < ROLE_VIEWER || (query->type >= 0 && query->type != type))
            continue;
        load_row(call, &workspace, &rows[count]);
        count += rows[count].deleted_ms == FIELD_NULL && resource_matches(query, &rows[count]);
    }
    size_t printed = resource_page(call, rows, count, &page);
    respond_items_begin(call);
    for (size_t i = 0; i < printed; i++)
        print(call, &page[i], i, true);
    respond_items_end(call);
    return ERR_OK;
}

enum err_code workspace_get(struct call *call)
{
    struct api_workspace workspace = {0};
    struct resource_row row = {0};
    if (find(call, &workspace, &row))
        return call->err.code;
    resource_respond(call, 200, &row);
    print(call, &row, 0, false);
    return ERR_OK;
}

static size_t count_workspaces(struct call *call)
{
    struct api_workspace ignored;
    size_t count = 0;
    while (count < RESOURCES_MAX &&
           call->backend->workspace_at(call->backend->context, count, &ignored))
        count++;
    return count;
}

/* Whoever may administer `default` may make workspaces, and administers what they made. */
enum err_code workspace_create(struct call *call)
{
    const struct api_backend *backend = call->backend;
    const struct workspace_details *details = call->details;
    struct api_workspace first, made;
    int role_of_caller = -1;
    if (backend->workspace_at(backend->context, 0, &first) &&
        call_role(call, &call->account, &first, &role_of_caller))
        return call->err.code;
    if (role_of_caller < ROLE_ADMIN)
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                       "createWorkspace is not allowed to this user");
    bool is_answered;
    if (resource_replay(call, &is_answered) || is_answered)
        return call->err.code;
    if (count_workspaces(call) >= RESOURCES_MAX)
        return err_set(&call->err, ERR_LIMIT_EXCEEDED,
                       "there are %d workspaces, which is the limit", RESOURCES_MAX);
    const char *json = resource_json(call);
    if (!json)
        return call->err.code;
    if (backend->platform.workspace_make(backend->context, &made, &call->err))
        return call->err.code;
    struct resource_row row = {
        .workspace = made.id,
        .key = made.key,
        .kind = RESOURCE_WORKSPACE,
        .name = details->display_name,
        .state = "ACTIVE",
        .details = json,
    };
    const struct role_row role = {made.id, call->account.id, ROLE_ADMIN};
    resource_sign_new(call, &row);
    resource_respond(call, 201, &row);
    print(call, &row, 0, false);
    if (resource_write(call, &row, ROW_INSERT, "WORKSPACE", "CREATE", &role))
        return call->err.code;
    backend->platform.workspace_show(backend->context, &made);
    return ERR_OK;
}

enum err_code workspace_update(struct call *call)
{
    const struct workspace_details *details = call->details;
    struct api_workspace workspace = {0};
    struct resource_row row = {0};
    if (find(call, &workspace, &row) || resource_check_etag(call, &row) ||
        !(row.details = resource_json(call)))
        return call->err.code;
    enum row_action action = row.version ? ROW_UPDATE : ROW_INSERT;
    row.name = details->display_name;
    resource_sign(call, &row);
    if (resource_write(call, &row, action, "WORKSPACE", "UPDATE", NULL))
        return call->err.code;
    resource_respond(call, 200, &row);
    print(call, &row, 0, false);
    return ERR_OK;
}

static enum err_code has_active_runs(struct call *call, const struct api_workspace *workspace)
{
    struct uuid *runs;
    size_t count =
        call->backend->reads.live_runs(call->reading.reader, workspace->id, call->arena, &runs);
    if (count)
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "the workspace has %zu active runs: cancel them or wait", count);
    return call_reader_check(call);
}

static enum err_code find_to_delete(struct call *call, struct api_workspace *ret,
                                    struct resource_row *row)
{
    if (find(call, ret, row) || resource_check_etag(call, row))
        return call->err.code;
    if (is_default(call, ret))
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "the workspace default is always there: it cannot be deleted");
    return has_active_runs(call, ret);
}

/* All is looked at again: what others changed and what was committed meanwhile counts. */
static enum err_code delete_hidden(struct call *call)
{
    struct api_workspace workspace = {0};
    struct resource_row row = {0};
    if (call_read_begin(call) || find_to_delete(call, &workspace, &row))
        return call->err.code;
    row.state = "DELETED";
    resource_sign(call, &row);
    row.deleted_ms = row.updated_ms;
    return resource_write(call, &row, ROW_UPDATE, "WORKSPACE", "DELETE", NULL);
}

enum err_code workspace_delete(struct call *call)
{
    const struct api_platform *platform = &call->backend->platform;
    void *context = call->backend->context;
    struct api_workspace workspace = {0};
    struct resource_row row = {0};
    /* Asked before it is hidden as well: a refusal is nothing that others notice. */
    if (find_to_delete(call, &workspace, &row))
        return call->err.code;
    call_let_change(call); /* others do not wait for what was asked of it before */
    bool is_hidden = platform->workspace_hide(context, &workspace);
    enum err_code code = call_change_begin(call);
    if (!is_hidden) /* or somebody else has hidden it */
        return err_set(&call->err, ERR_UNAVAILABLE, "the workspace is busy; try again");
    if (code || delete_hidden(call)) {
        platform->workspace_show(context, &workspace);
        return call->err.code;
    }
    platform->workspace_drop(context, &workspace);
    respond_nothing(call);
    return ERR_OK;
}
