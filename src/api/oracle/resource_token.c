/* Retry tokens where workspaces and clusters are made (RULES §7): these do not go through the pump, so their
 * answers are kept by the change itself, in its transaction. Changes come one after the other: a token
 * that comes twice at the same time finds its first answer. */
#include <string.h>

#include "api/oracle/resource.h"
#include "api/respond.h"

static const int64_t lifetime_ms = INT64_C(24) * 3600 * 1000;

/* The tokens of a workspace that is to be made stand with the installation's first. */
static int64_t place_of(struct call *call)
{
    return call->route->scope == SCOPE_WORKSPACE ? call->workspace.id : resource_first_place(call);
}

/* The last segment of its location is its key. */
static bool is_gone(struct call *call, const struct retry_token_row *row)
{
    struct uuid key;
    struct api_workspace workspace = call->workspace;
    struct resource_row resource;
    const char *segment = row->location ? strrchr(row->location, '/') : NULL;
    if (!segment || !uuid_parse(segment + 1, &key))
        return false;
    if (call->route->scope != SCOPE_WORKSPACE &&
        !call->backend->workspace(call->backend->context, &key, &workspace))
        return true;
    return !call->backend->reads.get_resource(call->reading.reader, workspace.id, &key, call->arena,
                                              &resource) ||
           resource.deleted_ms != FIELD_NULL;
}

static void replay(struct call *call, const struct retry_token_row *row)
{
    char text[UUID_TEXT];
    respond_json(call, (int)row->status);
    respond_etag(call, row->etag);
    http_add_header(call->request, call->response, "location", row->location);
    http_add_header(call->request, call->response, "content-location", row->location);
    http_add_header(call->request, call->response, "opc-work-request-id",
                    uuid_format(&row->operation, text));
    buf_add(&call->response->body, row->body, (size_t)row->body_len);
}

enum err_code resource_replay(struct call *call, bool *ret_done)
{
    struct retry_token token = {.is_set = false};
    struct retry_token_row row;
    *ret_done = false;
    call_retry_token(call, &token);
    if (!token.is_set)
        return ERR_OK;
    bool found = call->backend->reads.get_retry_token(call->reading.reader, place_of(call),
                                                      token.scope, call->arena, &row);
    if (!found)
        return call_reader_check(call);
    if (call->backend->now_ms(call->backend->context) - row.created_ms >= lifetime_ms)
        return ERR_OK;
    if (is_gone(call, &row))
        return err_set(&call->err, ERR_INVALIDATED_RETRY_TOKEN,
                       "opc-retry-token: what it made was deleted");
    if (memcmp(row.request, token.request, sizeof row.request) != 0)
        return err_set(&call->err, ERR_INVALIDATED_RETRY_TOKEN,
                       "opc-retry-token was used with another body");
    replay(call, &row);
    *ret_done = true;
    return ERR_OK;
}

static const char *answered(const struct call *call, const char *name)
{
    const struct http_response *response = call->response;
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return "";
}

void resource_keep_answer(struct call *call, const struct uuid *operation, struct row_batch *rows)
{
    struct retry_token token = {.is_set = false};
    struct retry_token_row old;
    call_retry_token(call, &token);
    if (!token.is_set)
        return;
    const struct buf *body = &call->response->body;
    struct retry_token_row *row = ARENA_NEW(call->arena, struct retry_token_row);
    *row = (struct retry_token_row){
        .workspace = place_of(call),
        .created_ms = call->backend->now_ms(call->backend->context),
        .status = call->response->status,
        .etag = answered(call, "etag"),
        .location = answered(call, "location"),
        .operation = *operation,
        .body = arena_memdup(call->arena, body->data, body->len),
        .body_len = (int64_t)body->len,
    };
    memcpy(row->scope, token.scope, sizeof row->scope);
    memcpy(row->request, token.request, sizeof row->request);
    bool replaces = call->backend->reads.get_retry_token(call->reading.reader, row->workspace,
                                                         token.scope, call->arena, &old);
    row_batch_add(rows, ROW_RETRY_TOKEN, replaces ? ROW_UPDATE : ROW_INSERT, row);
}
