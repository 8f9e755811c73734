/* What there is behind this server: platform and workspaces. The page, which knows nothing but the
 * address that it came from, begins with it. */
#include "api/extras/extras.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

enum { PLACE_MAX_WORKSPACES = 1000 };

struct place_workspace {
    const char *key;
    const char *name;
};

struct place_view {
    const char *platform_id;
    const char *version;
    const char *user;
    struct field_list workspaces; /* of struct place_workspace */
};

static const struct field workspace_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     AT(place_workspace, key),
     .doc = "workspaceKey, as paths have it."},
    {.name = "displayName",
     .kind = FIELD_STRING,
     AT(place_workspace, name),
     .doc = "Name of the workspace."},
};
static const struct schema workspace_schema = SCHEMA(
    "PlaceWorkspace", place_workspace, workspace_fields, "A workspace that the caller may see.");

static const struct field place_fields[] = {
    {.name = "aiDataPlatformId",
     .kind = FIELD_STRING,
     AT(place_view, platform_id),
     .doc = "The platform, as paths have it."},
    {.name = "version", .kind = FIELD_STRING, AT(place_view, version), .doc = "Of the server."},
    {.name = "user", .kind = FIELD_STRING, AT(place_view, user), .doc = "Name of who asks."},
    {.name = "workspaces",
     .kind = FIELD_LIST,
     AT(place_view, workspaces),
     .object = &workspace_schema,
     .doc = "The workspaces that the caller may see."},
};
static const struct schema place_schema =
    SCHEMA("Place", place_view, place_fields, "Where the things of this server are.");

/* Of its resource; `default` has none before its first change. */
static const char *display_name(struct call *call, const struct api_workspace *workspace)
{
    struct resource_row row;
    bool found = call->backend->reads.get_resource(call->reading.reader, workspace->id,
                                                   &workspace->key, call->arena, &row);
    return found ? row.name : "default";
}

enum err_code place_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct place_workspace *views =
        ARENA_ARRAY(call->arena, PLACE_MAX_WORKSPACES, struct place_workspace);
    struct api_workspace workspace;
    size_t count = 0;
    int role = -1;
    if (call_read_begin(call))
        return call->err.code;
    for (size_t i = 0; count < PLACE_MAX_WORKSPACES && backend->workspace_at &&
                       backend->workspace_at(backend->context, i, &workspace);
         i++) {
        if (call_role(call, &call->account, &workspace, &role))
            return call->err.code;
        if (role >= ROLE_VIEWER)
            views[count++] = (struct place_workspace){key_text(&workspace.key, call->arena),
                                                      display_name(call, &workspace)};
    }
    const struct place_view view = {
        .platform_id = call->api->config.platform_id,
        .version = REPRISE_VERSION,
        .user = call->account.name,
        .workspaces = {views, count},
    };
    respond_json(call, 200);
    fields_print(&place_schema, &view, &call->response->body);
    return ERR_OK;
}
