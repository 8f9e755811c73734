/* Clusters as resources: what is asked of them is kept, and their state follows start, stop and
 * restart. One with x-sparkMaster is what Spark tasks that name it run on (server/orders.h). The
 * built-in cluster `local` is in every
 * workspace, and never changes; its key is derived from the workspace's. */
#include <string.h>

#include "api/oracle/oracle.h"
#include "api/oracle/resource.h"
#include "api/oracle/run_source.h"
#include "api/respond.h"

static const char local_details[] =
    "{\"displayName\":\"local\",\"type\":\"LOCAL\",\"driverConfig\":{},"
    "\"description\":\"Processes of the server's own host.\"}";

static struct resource_row local_row(const struct call *call)
{
    int64_t made_ms = uuid_time_ms(&call->workspace.key);
    return (struct resource_row){
        .workspace = call->workspace.id,
        .key = cluster_local_key(&call->workspace.key),
        .kind = RESOURCE_CLUSTER,
        .name = "local",
        .state = "ACTIVE",
        .details = local_details,
        .version = 1,
        .created_ms = made_ms,
        .updated_ms = made_ms,
        .deleted_ms = FIELD_NULL,
    };
}

static void fill(struct call *call, const struct resource_row *row, struct cluster_view *view)
{
    *view = (struct cluster_view){.key = key_text(&row->key, call->arena), .row = *row};
    resource_details(&cluster_details_schema, row, call->arena, &view->details);
    view->details.display_name = row->name;
}

static void respond_cluster(struct call *call, int status, const struct resource_row *row)
{
    struct cluster_view view;
    fill(call, row, &view);
    resource_respond(call, status, row);
    fields_print(&cluster_schema, &view, &call->response->body);
}

static enum err_code find(struct call *call, struct resource_row *ret)
{
    struct uuid key;
    struct resource_row local = local_row(call);
    enum err_code code = call_key(call, 0, "Cluster", &key);
    if (code)
        return code;
    if (uuid_equal(&key, &local.key)) {
        *ret = local;
        return ERR_OK;
    }
    if (!call->backend->reads.get_resource(call->reading.reader, call->workspace.id, &key,
                                           call->arena, ret) ||
        ret->kind != RESOURCE_CLUSTER || ret->deleted_ms != FIELD_NULL)
        return call_missing(call, "Cluster");
    return ERR_OK;
}

/* One that may be changed, in the version that the caller knows. */
static enum err_code find_to_change(struct call *call, struct resource_row *ret)
{
    enum err_code code = find(call, ret);
    if (!code)
        code = resource_check_etag(call, ret);
    if (code)
        return code;
    struct resource_row local = local_row(call);
    if (uuid_equal(&ret->key, &local.key))
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "the built-in cluster local is always ACTIVE and cannot be changed");
    return ERR_OK;
}

enum err_code cluster_list(struct call *call)
{
    const struct resource_list_query *query = call->filter;
    struct resource_row *stored, *page;
    size_t count = call->backend->reads.resources(call->reading.reader, call->workspace.id,
                                                  RESOURCE_CLUSTER, call->arena, &stored);
    struct resource_row *rows = ARENA_ARRAY(call->arena, count + 1, struct resource_row);
    rows[0] = local_row(call);
    if (count)
        memcpy(rows + 1, stored, count * sizeof *rows);
    size_t kept = 0;
    for (size_t i = 0; i <= count; i++)
        if (resource_matches(query, &rows[i]))
            rows[kept++] = rows[i];
    size_t printed = resource_page(call, rows, kept, &page);
    respond_items_begin(call);
    for (size_t i = 0; i < printed; i++) {
        struct cluster_view view;
        fill(call, &page[i], &view);
        respond_item(call, i, &cluster_schema, &view);
    }
    respond_items_end(call);
    return ERR_OK;
}

enum err_code cluster_get(struct call *call)
{
    struct resource_row row = {0};
    if (find(call, &row))
        return call->err.code;
    respond_cluster(call, 200, &row);
    return ERR_OK;
}

/* A job names its cluster by name: no two may share one. A client that tries again where the state is wrong, as those of
 * OCI do, would create in vain. */
static enum err_code check_name(struct call *call, const struct uuid *own)
{
    const struct cluster_details *details = call->details;
    struct resource_row *rows;
    size_t count = call->backend->reads.resources(call->reading.reader, call->workspace.id,
                                                  RESOURCE_CLUSTER, call->arena, &rows);
    bool taken = strcmp(details->display_name, "local") == 0;
    for (size_t i = 0; i < count && !taken; i++)
        taken = strcmp(rows[i].name, details->display_name) == 0 &&
                (!own || !uuid_equal(own, &rows[i].key));
    if (taken)
        return err_set(&call->err, own ? ERR_INCORRECT_STATE : ERR_ALREADY_EXISTS,
                       "displayName \"%.100s\" is taken", details->display_name);
    if (!own && count >= RESOURCES_MAX)
        return err_set(&call->err, ERR_LIMIT_EXCEEDED, "there are %d clusters, which is the limit",
                       RESOURCES_MAX);
    return call_reader_check(call);
}

enum err_code cluster_create(struct call *call)
{
    const struct cluster_details *details = call->details;
    struct resource_row row = {
        .workspace = call->workspace.id,
        .key = resource_new_key(call),
        .kind = RESOURCE_CLUSTER,
        .name = details->display_name,
        .state = "ACTIVE",
    };
    bool is_answered;
    if (resource_replay(call, &is_answered) || is_answered)
        return call->err.code;
    if (check_name(call, NULL) || !(row.details = resource_json(call)))
        return call->err.code;
    resource_sign_new(call, &row);
    respond_cluster(call, 201, &row);
    return resource_write(call, &row, ROW_INSERT, "CLUSTER", "CREATE", NULL);
}

enum err_code cluster_update(struct call *call)
{
    const struct cluster_details *details = call->details;
    struct resource_row row = {0};
    if (find_to_change(call, &row) || check_name(call, &row.key) ||
        !(row.details = resource_json(call)))
        return call->err.code;
    row.name = details->display_name;
    resource_sign(call, &row);
    if (resource_write(call, &row, ROW_UPDATE, "CLUSTER", "UPDATE", NULL))
        return call->err.code;
    respond_cluster(call, 200, &row);
    return ERR_OK;
}

enum err_code cluster_delete(struct call *call)
{
    struct resource_row row = {0};
    if (find_to_change(call, &row))
        return call->err.code;
    row.state = "DELETED";
    resource_sign(call, &row);
    row.deleted_ms = row.updated_ms;
    if (resource_write(call, &row, ROW_UPDATE, "CLUSTER", "DELETE", NULL))
        return call->err.code;
    respond_nothing(call);
    return ERR_OK;
}

static enum err_code move(struct call *call, const char *from, const char *to, const char *verb)
{
    struct resource_row row = {0};
    enum err_code code = find_to_change(call, &row);
    if (code)
        return code;
    if (strcmp(row.state, from) != 0)
        return err_set(&call->err, ERR_INCORRECT_STATE, "the cluster is %s: it must be %s",
                       row.state, from);
    row.state = to;
    resource_sign(call, &row);
    if (resource_write(call, &row, ROW_UPDATE, "CLUSTER", verb, NULL))
        return call->err.code;
    respond_cluster(call, 202, &row);
    return ERR_OK;
}

enum err_code cluster_start(struct call *call)
{
    return move(call, "STOPPED", "ACTIVE", "START");
}

enum err_code cluster_stop(struct call *call)
{
    return move(call, "ACTIVE", "STOPPED", "STOP");
}

enum err_code cluster_restart(struct call *call)
{
    return move(call, "ACTIVE", "ACTIVE", "RESTART");
}
