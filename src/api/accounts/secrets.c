/* Secrets by name: kept sealed, never shown again. */
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

static const void *secret_item(struct call *call, size_t index, const void *item,
                               const struct user_row *user, size_t *ret_len)
{
    const struct secret_row *row = item;
    const struct secret_view view = view_of(call, row);
    (void)user;
    respond_item(call, index, &secret_schema, &view);
    return account_place(row->name, ret_len);
}

enum err_code secret_parse(struct call *call)
{
    const struct account_list_query *query = call->filter;
    call->named_workspace = query->workspace;
    return ERR_OK;
}

enum err_code secret_list_parse(struct call *call)
{
    secret_parse(call);
    return account_list_parse(call);
}

enum err_code secret_list(struct call *call)
{
    static const struct account_listing listing = {ROW_SECRET, sizeof(struct secret_row), false,
                                                   secret_item};
    return account_list(call, &listing);
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
    enum err_code code = account_write(call, &rows, row->name, "The value was set.");
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
    enum err_code code = account_write(call, &rows, row.name, "The secret is gone.");
    row_batch_release(&rows);
    if (!code)
        respond_nothing(call);
    return code;
}
