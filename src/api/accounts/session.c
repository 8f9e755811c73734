/*
 * Signing in to the page: a one-time code or a token becomes a session, which is a token of its own
 * kind in an HttpOnly cookie. Writes with it carry the csrfToken; signing out revokes it.
 */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/respond.h"
#include "auth/bearer.h"

static void set_cookie(struct call *call, const char *value, int64_t max_age_s)
{
    char name[COOKIE_NAME_TEXT];
    http_add_header(call->request, call->response, "set-cookie",
                    arena_printf(call->arena,
                                 "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                                 cookie_name(call->api, name), value, (long long)max_age_s,
                                 call->api->config.is_secure ? "; Secure" : ""));
    http_add_header(call->request, call->response, "cache-control", "no-store");
}

/* `token_hash` NULL: the caller has no session, and needs no csrfToken. */
static enum err_code respond_session(struct call *call, int status, const uint8_t *token_hash,
                                     int64_t expires_ms)
{
    struct user_row row;
    char text[CSRF_TEXT];
    int role = -1;
    if (!call->backend->reads.get_user_by_id(call->reading.reader, call->account.id, call->arena,
                                             &row))
        return call_missing(call, "User");
    struct user_view user = user_view_of(call, &row);
    if (call_role(call, &call->account, &call->workspace, &role))
        return call->err.code;
    const struct session_view view = {
        .user = &user,
        .role = role < ROLE_VIEWER ? FIELD_UNSET : role,
        .csrf_token = token_hash ? csrf_token(call->api, token_hash, text) : NULL,
        .expires_ms = expires_ms,
    };
    respond_json(call, status);
    fields_print(&session_schema, &view, &call->response->body);
    return ERR_OK;
}

enum err_code session_get(struct call *call)
{
    bool is_session = call->account.token_kind == TOKEN_SESSION;
    return respond_session(call, 200, is_session ? call->account.token_hash : NULL, FIELD_NULL);
}

enum err_code session_parse(struct call *call)
{
    const struct create_session *details = call->details;
    if (!details->code == !details->token)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "exactly one of code and token is needed");
    return ERR_OK;
}

/* A code comes in an address, which anybody may have made: whoever is signed in as somebody else has to want it. */
static enum err_code use_code(struct call *call, const struct create_session *details)
{
    const struct api_backend *backend = call->backend;
    struct api_account present;
    bool is_bound = details->is_replacing != 1 && who_session(call, &present);
    enum err_code code = backend->accounts.use_code(backend->context, details->code,
                                                    is_bound ? present.id : NULL, &call->account);
    if (code == ERR_INCORRECT_STATE)
        err_set(&call->err, code, "user %s is signed in, and the code is of another one",
                present.name);
    return code;
}

/* By code, or by a token that is no session's: into call->account. */
static enum err_code look_up(struct call *call, const struct create_session *details)
{
    const struct api_backend *backend = call->backend;
    if (details->code)
        return use_code(call, details);
    enum err_code code =
        bearer_is_token(details->token)
            ? backend->authenticate(backend->context, details->token, &call->account)
            : ERR_NOT_AUTHENTICATED;
    return !code && call->account.token_kind == TOKEN_SESSION ? ERR_NOT_AUTHENTICATED : code;
}

static enum err_code who_signs_in(struct call *call, const struct create_session *details)
{
    enum err_code code = look_up(call, details);
    if (!code || code == ERR_INCORRECT_STATE)
        return code;
    if (code == ERR_UNAVAILABLE)
        return call_unreadable(call);
    err_set(&call->err, ERR_NOT_AUTHENTICATED,
            details->code ? "the code is unknown, was used, or is too old: `reprise sign-in` makes "
                            "another"
                          : "the token is unknown, expired or revoked");
    return who_refused(call, details->code ? "code" : "token", NULL);
}

enum err_code session_create(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct token_row token;
    struct row_batch rows;
    if (who_signs_in(call, call->details))
        return call->err.code;
    if (!backend->workspace_at(backend->context, 0, &call->workspace))
        return err_set(&call->err, ERR_UNAVAILABLE, "the workspaces cannot be read");
    int64_t now_ms = backend->now_ms(backend->context);
    row_batch_init(&rows);
    const char *text = account_new_token(call, call->account.id, TOKEN_SESSION, "session",
                                         now_ms + call->api->config.session_ms, &rows, &token);
    /* A code that a session made begins another beside it, not below. */
    memcpy(token.parent,
           call->account.token_kind == TOKEN_SESSION ? call->account.parent_hash
                                                     : call->account.token_hash,
           sizeof token.parent);
    if (call->account.parent_key[0]) {
        token.parent_key = call->account.parent_key;
        token.parent_key_is_public = call->account.parent_key_is_public;
    }
    /* answered from the snapshot before the write: the user is in it */
    enum err_code code = respond_session(call, 201, token.hash, token.expires_ms);
    if (!code)
        code = account_write(call, &rows, call->account.name, "Signed in to the page.");
    row_batch_release(&rows);
    if (!code)
        set_cookie(call, text, call->api->config.session_ms / 1000);
    return code;
}

enum err_code session_end(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct row_batch rows;
    if (call->account.token_kind != TOKEN_SESSION)
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "there is no session to end: the call came without its cookie");
    const struct token_row token = {
        .user_id = call->account.id,
        .name = "session",
        .expires_ms = FIELD_NULL,
        .revoked_ms = backend->now_ms(backend->context),
    };
    struct token_row ended = token;
    memcpy(ended.hash, call->account.token_hash, sizeof ended.hash);
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_TOKEN, ROW_DELETE, &ended);
    enum err_code code = account_write(call, &rows, call->account.name, "Signed out of the page.");
    row_batch_release(&rows);
    if (code)
        return code;
    respond_nothing(call);
    set_cookie(call, "", 0);
    return ERR_OK;
}

enum err_code session_make_code(struct call *call)
{
    char text[API_CODE_TEXT];
    struct code_view view = {0};
    struct row_batch rows;
    if (!call->backend->accounts.make_code(call->backend->context, &call->account, text,
                                           &view.expires_ms))
        return err_set(&call->err, ERR_UNAVAILABLE, "no more codes at the moment");
    view.code = text;
    view.path = arena_printf(call->arena, "/#code=%s", text);
    row_batch_init(&rows);
    enum err_code code =
        account_write(call, &rows, call->account.name, "A one-time code was made.");
    row_batch_release(&rows);
    if (code)
        return code;
    respond_json(call, 201);
    fields_print(&code_schema, &view, &call->response->body);
    return ERR_OK;
}
