/* Secrets by name: kept sealed, never shown again. And the audit. */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"

static struct secret_view view_of(struct call *call, const struct secret_row *row)
{
    return (struct secret_view){
        .key = row->name,
        .name = row->name,
        .workspace_key = uuid_format(&call->workspace.key, arena_alloc(call->arena, UUID_TEXT)),
        .created_ms = row->created_ms,
        .updated_ms = row->updated_ms,
        .updated_by = row->updated_by,
        .updated_by_name = row->updated_by_name,
    };
}

enum err_code secret_list(struct call *call)
{
    struct account_query query = {.kind = ROW_SECRET, .workspace = call->workspace.id};
    void *rows;
    bool more;
    size_t count = account_page(call, &query, &rows, &more);
    const struct secret_row *secrets = rows;
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++) {
        const struct secret_view view = view_of(call, &secrets[i]);
        respond_item(call, i, &secret_schema, &view);
    }
    respond_items_end(call);
    if (more)
        respond_next_page(
            call, page_token(call, secrets[count - 1].name, strlen(secrets[count - 1].name)));
    return ERR_OK;
}

/* Writes the row with the sealed value, and answers with it. */
static enum err_code keep(struct call *call, struct secret_row *row, const char *value,
                          enum row_action action)
{
    enum { SEALED_MAX = 8 * ACCOUNT_SECRET_MAX }; /* a character has up to 4 bytes */
    struct row_batch rows;
    struct buf sealed;
    buf_init(&sealed, SEALED_MAX);
    call->backend->accounts.seal(
        call->backend->context,
        arena_printf(call->arena, "secret/%lld/%s", (long long)row->workspace, row->name), value,
        &sealed);
    row->value = sealed.data;
    row->updated_ms = call->backend->now_ms(call->backend->context);
    row->updated_by = call->account.id;
    row->updated_by_name = call->account.name;
    if (action == ROW_INSERT)
        row->created_ms = row->updated_ms;
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_SECRET, action, row);
    enum err_code code =
        account_write(call, &rows, call->route->operation, row->name, "The value was set.");
    row_batch_release(&rows);
    buf_release(&sealed);
    if (code)
        return code;
    const struct secret_view view = view_of(call, row);
    respond_json(call, action == ROW_INSERT ? 201 : 200);
    fields_print(&secret_schema, &view, &call->response->body);
    return ERR_OK;
}

static bool find(struct call *call, const char *name, struct secret_row *ret)
{
    return call->backend->reads.get_secret(call->reading.reader, call->workspace.id, name,
                                           call->arena, ret);
}

enum err_code secret_create(struct call *call)
{
    const struct create_secret *details = call->details;
    struct secret_row row;
    if (find(call, details->name, &row))
        return err_set(&call->err, ERR_INCORRECT_STATE, "there is a secret %s already",
                       details->name);
    if (call_reader_check(call))
        return call->err.code;
    row = (struct secret_row){.workspace = call->workspace.id, .name = details->name};
    return keep(call, &row, details->value, ROW_INSERT);
}

enum err_code secret_replace(struct call *call)
{
    const struct replace_secret *details = call->details;
    struct secret_row row;
    if (!find(call, call->keys[0], &row))
        return call_missing(call, "Secret");
    return keep(call, &row, details->value, ROW_UPDATE);
}

enum err_code secret_remove(struct call *call)
{
    struct secret_row row;
    struct row_batch rows;
    if (!find(call, call->keys[0], &row))
        return call_missing(call, "Secret");
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_SECRET, ROW_DELETE, &row);
    enum err_code code =
        account_write(call, &rows, call->route->operation, row.name, "The secret is gone.");
    row_batch_release(&rows);
    if (!code)
        respond_nothing(call);
    return code;
}

/* ---- audit ---- */

enum err_code audit_list(struct call *call)
{
    struct account_query query = {.kind = ROW_AUDIT};
    void *found;
    bool more;
    size_t count = account_page(call, &query, &found, &more);
    const struct audit_row *rows = found;
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++) {
        const struct audit_view view = {
            .key = uuid_format(&rows[i].key, arena_alloc(call->arena, UUID_TEXT)),
            .time_ms = rows[i].time_ms,
            .outcome = rows[i].outcome,
            .action = rows[i].action,
            .target = rows[i].target,
            .user_key = rows[i].user_id,
            .user_name = rows[i].user_name,
            .request_id = rows[i].request_id,
            .address = rows[i].address,
            .detail = rows[i].detail,
        };
        respond_item(call, i, &audit_schema, &view);
    }
    respond_items_end(call);
    if (more)
        respond_next_page(call, page_token(call, &rows[count - 1].key, sizeof rows->key));
    return ERR_OK;
}
