/* Operations: what opc-work-request-id points to. They are the platform's, and stand in the
 * workspace that they happened in, the deletion of a workspace in the first one: lists go through the
 * workspaces that the caller may see. */
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/oracle.h"
#include "api/oracle/resource.h"
#include "api/oracle/run_source.h"
#include "api/respond.h"

/* The workspace at `index` or behind it that the caller may see. False behind the last one, and when it
 * cannot be told: then call->err says so. */
static bool next_workspace(struct call *call, size_t *index, struct api_workspace *ret)
{
    const struct api_backend *backend = call->backend;
    int role = -1;
    while (backend->workspace_at && backend->workspace_at(backend->context, *index, ret)) {
        if (call_role(call, &call->account, ret, &role))
            return false;
        if (role >= call->route->role)
            return true;
        ++*index;
    }
    return false;
}

static struct operation_view operation_view(const struct operation_row *row, struct arena *arena)
{
    return (struct operation_view){
        .action_type = row->action_type,
        .created_by = row->created_by,
        .created_by_name = row->created_by_name,
        .key = key_text(&row->key, arena),
        .resource_display_name = row->display_name,
        .resource_key = key_text(&row->resource, arena),
        .resource_name = row->display_name,
        .resource_type = row->resource_type,
        .status = row->status,
        .finished_ms = row->finished_ms,
        .started_ms = row->started_ms,
    };
}

/* Whoever has deleted a workspace may ask for that, also where the first workspace is not theirs to see. */
static bool find_own_deletion(struct call *call, const struct uuid *key, struct operation_row *ret)
{
    return call->backend->reads.get_operation(call->reading.reader, resource_first_place(call), key,
                                              call->arena, ret) &&
           strcmp(ret->resource_type, "WORKSPACE") == 0 &&
           strcmp(ret->action_type, "DELETE") == 0 &&
           strcmp(ret->created_by, call->account.id) == 0;
}

static bool find(struct call *call, const struct uuid *key, struct operation_row *ret)
{
    struct api_workspace workspace;
    for (size_t i = 0; next_workspace(call, &i, &workspace); i++)
        if (call->backend->reads.get_operation(call->reading.reader, workspace.id, key, call->arena,
                                               ret))
            return true;
    return !call->err.code && find_own_deletion(call, key, ret);
}

enum err_code operation_get(struct call *call)
{
    struct operation_row row;
    struct uuid key;
    if (call_key(call, 0, "Operation", &key))
        return call->err.code;
    if (!find(call, &key, &row))
        return call->err.code ? call->err.code : call_missing(call, "Operation");
    const struct operation_view view = operation_view(&row, call->arena);
    respond_json(call, 200);
    fields_print(&operation_schema, &view, &call->response->body);
    return ERR_OK;
}

/* Puts where a list goes on into a cursor: `as_of_event`, which no list by time needs, carries the id of the workspace, a
 * nil key means its beginning. */
enum err_code operation_list_parse(struct call *call)
{
    struct operation_list_query *query = call->filter;
    enum err_code code = list_query_open(call, &query->list);
    if (!query->list.cursor.is_set)
        return code;
    query->workspace = query->list.cursor.as_of_event;
    query->list.cursor.is_set = !uuid_is_nil(&query->list.cursor.key);
    return code;
}

static size_t respond_operations(struct call *call, const struct operation_list *list,
                                 size_t printed)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct operation_view view = operation_view(&list->items[i], call->arena);
        respond_item(call, printed++, &operation_schema, &view);
    }
    return printed;
}

enum err_code operation_list(struct call *call)
{
    const struct operation_list_query *query = call->filter;
    const struct operation_filter filter = {
        .resource_type = query->resource_type,
        .display_name = query->resource_name,
        .name_contains = query->match_resource_name,
        .created_by = query->only_own == 1 ? call->account.id : NULL,
        .status = query->status,
    };
    struct list_order order = query->list.order;
    struct store_cursor next = {0};
    struct api_workspace workspace;
    size_t printed = 0;
    respond_items_begin(call);
    for (size_t i = 0; !next.is_set && next_workspace(call, &i, &workspace); i++) {
        struct operation_list list = {0};
        struct store_cursor cursor = {0};
        if (workspace.id < query->workspace)
            continue;
        if (workspace.id == query->workspace) /* else it is gone: the next begins */
            cursor = query->list.cursor;
        order.limit = query->list.order.limit - printed;
        if (order.limit)
            call->backend->reads.list_operations(call->reading.reader, workspace.id, &filter,
                                                 &order, &cursor, call->arena, &list);
        printed = respond_operations(call, &list, printed);
        if (list.more || !order.limit) {
            next = list.next;
            next.is_set = true;
            next.as_of_event = workspace.id;
        }
    }
    respond_items_end(call);
    if (next.is_set)
        respond_next_cursor(call, &next);
    return call->err.code;
}
