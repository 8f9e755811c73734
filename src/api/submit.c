/*
 * Commands on their way through the pump (DURABILITY §1).
 *
 * A request that carries a command waits: its state holds the api_pending until the pump has
 * committed and says `done`, which wakes it. Everything is in the request's arena, which the wire
 * keeps until the wake, even when the client has gone.
 */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/dataarts/refusal.h"
#include "api/extras/extras.h"
#include "api/oracle/oracle.h"
#include "api/respond.h"

struct waiting {
    struct request_state state; /* first */
    struct api_pending pending;
    struct http_request *request;
    const struct route *route;
    const char *request_id; /* in the audit as in the answer */
    struct api_workspace workspace;
    bool updates_recent;
    _Atomic bool is_done; /* the wire may ask again before the wake, when it stops */
    struct call *outrun;  /* as it was, where it is made anew when the job has changed meanwhile */
};

/* A request whose route takes no if-match was made of what was read, and is made of what is there now when
 * somebody else was faster: so often. */
enum { MOST_TRIES = 20 };

static void submit_done(struct http_request *request)
{
    struct waiting *waiting = request->state;
    struct api_pending *pending = &waiting->pending;
    job_def_unref(pending->command.def);
    for (size_t i = 0; i < pending->command.rerun_count; i++)
        job_def_unref(pending->command.reruns[i].def);
    free(pending->replay_etag);
    free(pending->replay_location);
    free(pending->replay_body);
    request->state = NULL;
}

static void on_done(struct api_pending *pending)
{
    struct waiting *waiting = pending->owner;
    struct http_request *request = waiting->request;
    atomic_store_explicit(&waiting->is_done, true, memory_order_release);
    request->wake(request); /* `waiting` may be gone from here on */
}

/* The key of a thing is the same in capitals. */
static void digest_key(struct buf *scope, const char *text)
{
    struct uuid key;
    char plain[UUID_TEXT];
    digest_text(scope, uuid_parse(text, &key) ? uuid_format(&key, plain) : text);
}

/* RULES §7: what a retry token stands for, and what it was sent with. */
void call_retry_token(struct call *call, struct retry_token *token)
{
    enum { SCOPE_MAX_BYTES = 64 << 10 };
    const char *text = http_header(call->request, "opc-retry-token");
    if (!(call->route->flags & ROUTE_RETRY_TOKEN) || !text)
        return;
    char workspace[UUID_TEXT];
    struct buf scope;
    buf_init(&scope, SCOPE_MAX_BYTES);
    digest_text(&scope, call->account.id);
    digest_text(&scope, uuid_format(&call->workspace.key, workspace));
    digest_text(&scope, call->route->operation);
    for (size_t i = 0; i < ROUTE_MAX_KEYS; i++)
        digest_key(&scope, call->keys[i] ? call->keys[i] : "");
    digest_text(&scope, text);
    sha256(scope.data, scope.len, token->scope);
    buf_release(&scope);
    sha256(call->request->body, call->request->body_len, token->request);
    token->is_set = true;
}

/* The path of the route's collection as it was called, "/api/20260430/…/jobRuns". */
static char *location_base(const struct call *call)
{
    size_t segments = call->workspace_key ? 6 : 4; /* … workspaces, key, collection */
    segments += strcmp(call->target.segments[0], "api") == 0;
    size_t end = call->target.count > segments ? call->target.starts[segments] - 1
                                               : strlen(call->target.path);
    return arena_memdup(call->arena, call->target.path, end);
}

static bool is_about_job(enum command_kind kind)
{
    return kind == COMMAND_JOB_CREATE || kind == COMMAND_JOB_UPDATE || kind == COMMAND_JOB_DELETE;
}

static void audit_command(struct call *call, struct waiting *waiting)
{
    const struct command *command = &waiting->pending.command;
    struct audit_row *row = &waiting->pending.audit;
    if (is_about_job(command->kind) && command->def && !call->note.target)
        call->note.target = arena_strdup(call->arena, command->def->details.name); /* outlives it */
    call_audit(call, row);
    waiting->request_id = row->request_id;
}

enum err_code submit_command(struct call *call)
{
    struct waiting *waiting = ARENA_NEW(call->arena, struct waiting);
    struct api_pending *pending = &waiting->pending;
    const char *id = arena_strdup(call->arena, call->account.id);
    const char *name = arena_strdup(call->arena, call->account.name);
    pending->command.principal = (struct principal){id, name};
    if (call->route->flags & ROUTE_IF_MATCH)
        pending->command.if_match =
            arena_strdup(call->arena, http_header(call->request, "if-match"));
    call_retry_token(call, &pending->command.token);
    enum err_code code = call->route->command(call, &pending->command);
    if (code)
        return code;
    audit_command(call, waiting);
    waiting->state.done = submit_done;
    pending->done = on_done;
    pending->owner = waiting;
    pending->location_base = location_base(call);
    waiting->request = call->request;
    waiting->route = call->route;
    waiting->workspace = call->workspace;
    const char *recent = http_header(call->request, "should-update-recent");
    if (pending->command.if_match && !(call->route->flags & ROUTE_IF_MATCH)) {
        waiting->outrun = ARENA_NEW(call->arena, struct call);
        *waiting->outrun = *call;
    }
    waiting->updates_recent = (call->route->flags & ROUTE_RECENT) && recent &&
                              strcmp(recent, "true") == 0;
    if (!waiting->updates_recent && !scope_is_dataarts(call->route->scope))
        pending->arena = call->arena; /* others read the store for their answers anyway */
    call->request->state = waiting;
    call->backend->submit(call->backend->context, &waiting->workspace, pending);
    return ERR_OK;
}

/* ---- the answer ---- */

static void print_success(struct http_request *request, struct http_response *response,
                          const struct api_answer *answer, const struct uuid *operation)
{
    char key[UUID_TEXT];
    response->status = (int)answer->status;
    if (answer->etag)
        http_add_header(request, response, "etag", answer->etag);
    if (answer->location) {
        http_add_header(request, response, "location", answer->location);
        http_add_header(request, response, "content-location", answer->location);
    }
    if (!uuid_is_nil(operation))
        http_add_header(request, response, "opc-work-request-id", uuid_format(operation, key));
    if (response->body.len > 0)
        http_add_header(request, response, "content-type", "application/json");
}

static void answer_replay(struct http_request *request, struct http_response *response,
                          const struct api_pending *pending)
{
    const struct api_answer answer = {
        .status = pending->replay_status,
        .etag = pending->replay_etag,
        .location = pending->replay_location,
    };
    buf_add(&response->body, pending->replay_body, pending->replay_body_len);
    print_success(request, response, &answer, &pending->replay_operation);
}

static bool is_about_campaign(enum command_kind kind)
{
    return kind == COMMAND_CAMPAIGN_CREATE || kind == COMMAND_CAMPAIGN_PAUSE ||
           kind == COMMAND_CAMPAIGN_RESUME || kind == COMMAND_CAMPAIGN_CANCEL;
}

/* Sends an answer that was printed. False: none was. */
static bool use_answer(struct http_request *request, struct http_response *response,
                       const struct waiting *waiting, struct api_answer *answer)
{
    if (!answer->status) {
        buf_release(&answer->body);
        return false;
    }
    buf_release(&response->body);
    response->body = answer->body;
    print_success(request, response, answer, &waiting->pending.result.operation);
    return true;
}

/* From what the commit has left in memory. False: it is to be read after all. */
static bool answer_made(struct api *api, struct http_request *request,
                        struct http_response *response, const struct waiting *waiting)
{
    struct api_answer answer;
    if (!waiting->pending.made)
        return false;
    api_answer_command(api, NULL, &waiting->workspace, &waiting->pending, &request->arena, &answer);
    return use_answer(request, response, waiting, &answer);
}

/* On a snapshot of its own: the run may have moved on since the commit. False: nothing there. */
static bool answer_fresh(struct api *api, struct http_request *request,
                         struct http_response *response, const struct waiting *waiting)
{
    const struct api_backend *backend = &api->backend;
    struct api_answer answer;
    struct store_reader *reader = backend->read_begin(backend->context);
    api_answer_command(api, reader, &waiting->workspace, &waiting->pending, &request->arena,
                       &answer);
    if (answer.status && waiting->updates_recent)
        recent_job_touch(api, reader, &waiting->workspace, waiting->pending.command.principal.id,
                         &waiting->pending.result.key, !is_about_job(waiting->pending.command.kind),
                         &request->arena);
    backend->read_end(backend->context, reader);
    return use_answer(request, response, waiting, &answer);
}

/* In the DataArts dialect, which says little: 204, or 200 and a number. */
static bool answer_briefly(struct api *api, struct http_request *request,
                           struct http_response *response, const struct waiting *waiting)
{
    const struct api_backend *backend = &api->backend;
    const struct route *route = waiting->route;
    response->status = route->status ? route->status : 200;
    if (!route->answered)
        return true;
    struct reading reading = {
        .api = api, .workspace = &waiting->workspace, .arena = &request->arena};
    reading.reader = backend->read_begin(backend->context);
    bool good = route->answered(&reading, &waiting->pending, request, response) &&
                !backend->reads.failed(reading.reader);
    backend->read_end(backend->context, reading.reader);
    if (good && response->body.len > 0)
        http_add_header(request, response, "content-type", "application/json");
    return good;
}

static bool answer_done(struct api *api, struct http_request *request,
                        struct http_response *response, const struct waiting *waiting)
{
    if (scope_is_dataarts(waiting->route->scope))
        return answer_briefly(api, request, response, waiting);
    return answer_made(api, request, response, waiting) ||
           answer_fresh(api, request, response, waiting);
}

/* Reads anew, and sends what becomes of that. */
static enum http_verdict submit_again(struct http_request *request, struct http_response *response)
{
    const struct waiting *waiting = request->state;
    struct call *call = waiting->outrun;
    call->response = response;
    call->reading.workspace = &call->workspace;
    enum err_code code = ERR_OK;
    if (request->shutting_down)
        code = err_set(&call->err, ERR_UNAVAILABLE, "the server is stopping");
    else if (++call->tries == MOST_TRIES)
        code = err_set(&call->err, ERR_INCORRECT_STATE,
                       "The job is being changed by others at the same time: nothing was done, try "
                       "again.");
    if (!code) {
        submit_done(request);
        code = submit_command(call);
    }
    if (!code)
        return HTTP_WAIT;
    respond_error(call);
    return HTTP_DONE;
}

/* The engine speaks of definitions; the DataArts dialect has other names for their parts. */
static void respond_refused(struct api *api, struct http_request *request,
                            struct http_response *response, const struct waiting *waiting)
{
    const struct api_pending *pending = &waiting->pending;
    struct err why;
    err_set(&why, pending->result.code, "%s", pending->result.message);
    if (scope_is_dataarts(waiting->route->scope) && is_about_job(pending->command.kind))
        dataarts_rename_answer(pending->command.def, &request->arena, &why);
    respond_refusal(api, request, response, why.code, why.message);
}

enum http_verdict submit_answer(struct api *api, struct http_request *request,
                                struct http_response *response)
{
    struct waiting *waiting = request->state;
    const struct api_pending *pending = &waiting->pending;
    if (!atomic_load_explicit(&waiting->is_done, memory_order_acquire)) {
        respond_refusal(api, request, response, ERR_UNAVAILABLE, "the server is stopping");
        return HTTP_DONE;
    }
    if (pending->result.code == ERR_NO_ETAG_MATCH && waiting->outrun)
        return submit_again(request, response);
    if (pending->result.code) {
        respond_refused(api, request, response, waiting);
        return HTTP_DONE;
    }
    if (pending->result.replayed && pending->replay_status) {
        answer_replay(request, response, pending);
    } else if (!answer_done(api, request, response, waiting)) {
        respond_refusal(api, request, response, ERR_UNAVAILABLE,
                        "it is done, but the store cannot be read at the moment");
        return HTTP_DONE;
    }
    http_add_header(request, response, request_id_header(request->target), waiting->request_id);
    return HTTP_DONE;
}

/* ---- what a command that succeeded is answered ---- */

static int64_t status_of(enum command_kind kind)
{
    switch (kind) {
    case COMMAND_JOB_CREATE:
    case COMMAND_RUN_CREATE:
    case COMMAND_RUN_REPAIR:
    case COMMAND_CAMPAIGN_CREATE:
        return 201;
    case COMMAND_JOB_UPDATE:
    case COMMAND_JOB_CANCEL_RUNS:
        return 202;
    case COMMAND_JOB_DELETE:
    case COMMAND_RUN_DELETE:
        return 204;
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUNS_RERUN:
    case COMMAND_CAMPAIGN_PAUSE:
    case COMMAND_CAMPAIGN_RESUME:
    case COMMAND_CAMPAIGN_CANCEL:
    default:
        return 200;
    }
}

/* What the command was about, as it is now. */
static bool print_subject(const struct reading *reading, enum command_kind kind,
                          const struct uuid *key, struct buf *out, char etag[static ETAG_TEXT])
{
    if (is_about_campaign(kind))
        return campaign_print(reading, key, out, etag);
    return is_about_job(kind) ? job_print(reading, key, out, etag)
                              : job_run_print(reading, key, out, etag);
}

void api_answer_command(struct api *api, struct store_reader *reader,
                        const struct api_workspace *workspace, const struct api_pending *pending,
                        struct arena *arena, struct api_answer *ret)
{
    const struct reading reading = {.api = api,
                                    .reader = reader,
                                    .workspace = workspace,
                                    .arena = arena,
                                    .stored_messages = true,
                                    .made = reader ? NULL : pending->made};
    enum command_kind kind = pending->command.kind;
    const struct uuid *key = &pending->result.key;
    char etag[ETAG_TEXT];
    char text[UUID_TEXT];
    *ret = (struct api_answer){.status = status_of(kind)};
    buf_init(&ret->body, API_MAX_RESPONSE_BYTES);
    if (ret->status == 204 || kind == COMMAND_JOB_CANCEL_RUNS)
        return; /* no body */
    bool found = print_subject(&reading, kind, key, &ret->body, etag);
    if (!found || (reader && api->backend.reads.failed(reader)) || ret->body.overflowed) {
        ret->status = 0;
        return;
    }
    ret->etag = arena_strdup(arena, etag);
    if (kind == COMMAND_CAMPAIGN_CREATE || (kind != COMMAND_RUN_CANCEL && !is_about_campaign(kind)))
        ret->location =
            arena_printf(arena, "%s/%s", pending->location_base, uuid_format(key, text));
}
