/*
 * Who changed what (CONTRACT §3): every accepted change leaves one row, in its own transaction.
 *
 * What a route does is a word in its row, one for both dialects. Changes of accounts and
 * resources write the row themselves; a command carries it to the pump, which knows the key of what was
 * made, and whether anything was.
 */
#include "api/call.h"

static struct uuid workspace_of(const struct call *call, const struct audit_row *row)
{
    if (!uuid_is_nil(&call->note.workspace))
        return call->note.workspace;
    if (row->subject == AUDIT_ABOUT_WORKSPACE)
        return row->resource;
    bool is_in_one = call->route->scope == SCOPE_WORKSPACE ||
                     scope_is_dataarts(call->route->scope) || row->subject == AUDIT_ABOUT_SECRET;
    return is_in_one ? call->workspace.key : (struct uuid){0};
}

void call_audit(struct call *call, struct audit_row *ret)
{
    const struct audit_note *note = &call->note;
    const struct audit_act *act = note->act.action ? &note->act : &call->route->audit;
    bool is_known = call->account.id[0] != '\0';
    *ret = (struct audit_row){
        .outcome = AUDIT_DONE,
        .subject = act->subject,
        .resource = note->resource,
        .action = act->action,
        .target = arena_strdup(call->arena, note->target),
        .user_id = is_known ? arena_strdup(call->arena, call->account.id) : NULL,
        .user_name = is_known ? arena_strdup(call->arena, call->account.name) : NULL,
        .request_id = arena_strdup(call->arena, call_request_id(call)),
        .address = arena_strdup(call->arena, call->request->peer),
        .detail = note->detail,
    };
    ret->workspace = workspace_of(call, ret);
}

void call_audit_now(struct call *call, struct audit_row *ret)
{
    const struct api_backend *backend = call->backend;
    call_audit(call, ret);
    ret->key = backend->accounts.new_key(backend->context);
    ret->time_ms = uuid_time_ms(&ret->key); /* which lists of a span of time go by */
}
