/* The way of a request through the API. The order of checks (RULES §7) is the order in here. */
#include "api/api.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/call.h"
#include "api/openapi.h"
#include "api/oracle/oracle.h"
#include "api/respond.h"
#include "api/traffic.h"
#include "base/json.h"
#include "base/mem.h"

struct api *api_new(const struct api_config *config, const struct api_backend *backend)
{
    uint8_t digest[SHA256_BYTES];
    struct api *api = xcalloc(1, sizeof *api);
    api->config = *config;
    api->backend = *backend;
    /* Derived one way: ids that anyone sees must not tell of the key. */
    hmac_sha256(config->page_key, SHA256_BYTES, "opc-request-id", strlen("opc-request-id"), digest);
    memcpy(&api->id_seed, digest, sizeof api->id_seed);
    api->id_seed ^= mix64((uint64_t)backend->now_ms(backend->context));
    api->runs = printed_new(API_PRINTED_RUNS_BYTES);
    api->traffic = traffic_new();
    pthread_mutex_init(&api->changing, NULL);
    pthread_mutex_init(&api->streams_lock, NULL);
    list_init(&api->streams);
    json_t *document = openapi_document();
    api->openapi = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    http_packed_init(&api->packed_openapi);
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    printed_free(api->runs);
    traffic_free(api->traffic);
    free(api->openapi);
    http_packed_release(&api->packed_openapi);
    pthread_mutex_destroy(&api->changing);
    pthread_mutex_destroy(&api->streams_lock);
    free(api);
}

/* ---- helpers of handlers ---- */

static enum err_code unreadable(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "the store cannot be read at the moment");
}

enum err_code call_unreadable(struct call *call)
{
    return unreadable(&call->err);
}

enum err_code reading_check(const struct reading *at, struct err *err)
{
    return at->api->backend.reads.failed(at->reader) ? unreadable(err) : ERR_OK;
}

enum err_code call_reader_check(struct call *call)
{
    return reading_check(&call->reading, &call->err);
}

enum err_code call_role(struct call *call, const struct api_account *account,
                        const struct api_workspace *workspace, int *ret)
{
    int role = -1;
    enum err_code code = call->backend->role(call->backend->context, account, workspace, &role);
    if (code == ERR_UNAVAILABLE)
        return call_unreadable(call);
    *ret = role;
    return ERR_OK;
}

enum err_code call_missing(struct call *call, const char *what)
{
    enum err_code code = call_reader_check(call);
    if (code)
        return code;
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "%s not found or not allowed",
                   what);
}

enum err_code call_key(struct call *call, int index, const char *what, struct uuid *ret)
{
    if (uuid_parse(call->keys[index], ret))
        return ERR_OK;
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "%s not found or not allowed",
                   what);
}

enum err_code call_read_begin(struct call *call)
{
    call->reading.reader = call->backend->read_begin(call->backend->context);
    enum err_code code = call_reader_check(call);
    if (code)
        call_read_end(call);
    return code;
}

void call_read_end(struct call *call)
{
    if (call->reading.reader)
        call->backend->read_end(call->backend->context, call->reading.reader);
    call->reading.reader = NULL;
}

void call_let_change(struct call *call)
{
    call_read_end(call);
    pthread_mutex_unlock(&call->api->changing);
}

/* ---- what the caller may ---- */

/* In the DataArts dialect who is shut out is told so by code (RULES §10); in Oracle's, resources of others look
 * like resources that do not exist. */
static enum err_code no_workspace(struct call *call)
{
    if (scope_is_dataarts(call->route->scope))
        return err_set(&call->err, ERR_WORKSPACE_UNKNOWN, "Workspace does not exists.");
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                   "Workspace not found or not allowed");
}

static enum err_code not_allowed(struct call *call)
{
    const char *operation = call->route->operation;
    if (scope_is_dataarts(call->route->scope))
        return err_set(&call->err, ERR_ROLE_TOO_LOW,
                       "Invalid account permissions: %s is not allowed to this user.", operation);
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "%s is not allowed to this user",
                   operation);
}

/* By its role in call->workspace, or by what it was given on the job that the call is about. About accounts
 * anybody may call where it is about themselves: the handler asks. */
static enum err_code check_role(struct call *call)
{
    const struct route *route = call->route;
    int role = -1;
    if (call_role(call, &call->account, &call->workspace, &role))
        return call->err.code;
    if (role < ROLE_VIEWER && (route->scope != SCOPE_ACCOUNTS || call->named_workspace))
        return no_workspace(call);
    bool suffices = role >= route->role || (route->flags & ROUTE_OWN);
    enum err_code code = suffices ? ERR_OK : grant_check(call, role);
    if (code)
        return code == ERR_ROLE_TOO_LOW ? not_allowed(call) : code;
    call->role = role;
    call->reading.workspace = &call->workspace;
    return ERR_OK;
}

static bool parse_hex_key(const char *text, struct uuid *ret)
{
    enum { KEY_DIGITS = 32 };
    return strlen(text) == KEY_DIGITS && uuid_parse_hex(text, ret);
}

/* The workspace that the call names, in its path, in a header, or as whose secrets they are; the first where it
 * names none: accounts are the installation's, whose roles are those in its first workspace. */
static bool find_workspace(struct call *call)
{
    const struct api_backend *backend = call->backend;
    bool is_dataarts = scope_is_dataarts(call->route->scope);
    const char *named = is_dataarts ? http_header(call->request, "workspace")
                        : call->route->scope == SCOPE_ACCOUNTS ? call->named_workspace
                                                               : call->workspace_key;
    struct uuid key;
    if (!named)
        return backend->workspace_at(backend->context, 0, &call->workspace);
    return (is_dataarts ? parse_hex_key(named, &key) : uuid_parse(named, &key)) &&
           backend->workspace(backend->context, &key, &call->workspace);
}

static enum err_code authorize(struct call *call)
{
    enum route_scope scope = call->route->scope;
    if (scope == SCOPE_ROOT || (call->route->flags & ROUTE_PUBLIC))
        return ERR_OK;
    bool has_platform = scope == SCOPE_PLATFORM || scope == SCOPE_WORKSPACE;
    if (has_platform && strcmp(call->platform, call->api->config.platform_id) != 0)
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                       "AI Data Platform not found or not allowed");
    if (scope == SCOPE_PLATFORM)
        return ERR_OK;
    return find_workspace(call) ? check_role(call) : no_workspace(call);
}

/* ---- what it says ---- */

static bool takes_body(const struct call *call)
{
    return call->route->flags & (ROUTE_BODY | ROUTE_BODY_OPTIONAL);
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    if (strncasecmp(type, json, strlen(json)) != 0)
        return false;
    const char *rest = type + strlen(json);
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* What the gateway before Huawei's services asks for. */
static enum err_code check_dataarts_headers(struct call *call)
{
    const struct http_request *request = call->request;
    unsigned workspaces = http_header_count(request, "workspace");
    if (!scope_is_dataarts(call->route->scope))
        return ERR_OK;
    if (workspaces > 1 || (!workspaces && call->route->scope == SCOPE_DATAARTS_V2))
        return err_set(&call->err, ERR_HEADER_MISSING,
                       "Invalid header parameter: workspace, required");
    if (takes_body(call) && request->body_len && !http_header(request, "content-type"))
        return err_set(&call->err, ERR_HEADER_MISSING,
                       "Invalid header parameter: Content-Type, required");
    return ERR_OK;
}

static enum err_code check_media(struct call *call)
{
    const struct http_request *request = call->request;
    size_t max_bytes = call->api->config.max_body_bytes;
    if (max_bytes && request->body_len > max_bytes)
        return err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the body is longer than %zu bytes",
                       max_bytes);
    /* Nothing is unpacked: what is small as sent stays as small. */
    const char *encoding = http_header(request, "content-encoding");
    if (encoding && request->body_len && strcasecmp(encoding, "identity") != 0)
        return err_set(&call->err, ERR_UNSUPPORTED_MEDIA_TYPE,
                       "content-encoding %.40s is not taken: send the body as it is", encoding);
    if (!takes_body(call) || !request->body_len)
        return ERR_OK;
    const char *type = http_header(request, "content-type");
    if (!type || http_header_count(request, "content-type") != 1 || !is_json(type))
        return err_set(&call->err, ERR_UNSUPPORTED_MEDIA_TYPE,
                       "content-type must be application/json");
    return ERR_OK;
}

/* At most once, and `*ret` NULL when absent. */
static enum err_code single_header(struct call *call, const char *name, const char **ret)
{
    if (http_header_count(call->request, name) > 1)
        return err_set(&call->err, ERR_INVALID_PARAMETER, "%s must be given once", name);
    *ret = http_header(call->request, name);
    return ERR_OK;
}

static enum err_code check_headers(struct call *call)
{
    enum { TOKEN_MAX = 64 };
    unsigned flags = call->route->flags;
    const char *value = NULL;
    enum err_code code = ERR_OK;
    if (flags & ROUTE_RETRY_TOKEN)
        code = single_header(call, "opc-retry-token", &value);
    if (!code && value && (!*value || strlen(value) > TOKEN_MAX))
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "opc-retry-token must be 1 to %d characters long", TOKEN_MAX);
    value = NULL;
    if (!code && (flags & ROUTE_RECENT))
        code = single_header(call, "should-update-recent", &value);
    if (!code && value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "should-update-recent must be true or false");
    if (!code && (flags & ROUTE_IF_MATCH))
        code = single_header(call, "if-match", &value);
    return code;
}

struct body_query {
    int8_t strict;
};
static const struct field body_query_fields[] = {
    {.name = "strict",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT | FIELD_EXTENSION,
     .offset = offsetof(struct body_query, strict),
     .doc = "Whether unknown fields of the body are refused instead of ignored."},
};
const struct schema body_query_schema = {
    .name = "BodyQuery",
    .size = sizeof(struct body_query),
    .fields = body_query_fields,
    .count = ARRAY_LEN(body_query_fields),
    .doc = "Query parameters of every call that takes a body.",
};

static enum err_code parse_query(struct call *call)
{
    void *body_query = NULL;
    enum err_code code = ERR_OK;
    if (call->route->query)
        code = query_parse(call->route->query, call->target.query, call->arena, &call->filter,
                           &call->err);
    if (!code && takes_body(call))
        code = query_parse(&body_query_schema, call->target.query, call->arena, &body_query,
                           &call->err);
    if (!code && body_query)
        call->strict = ((const struct body_query *)body_query)->strict == 1;
    return code;
}

static enum err_code parse_json_body(struct call *call)
{
    const struct schema *schema = call->route->body;
    const struct fields_options options = {.strict = call->strict};
    if (!json_is_object(call->json))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "the body must be an object, not %s",
                       json_kind(call->json));
    if (call->route->parse_body)
        return call->route->parse_body(call);
    call->details = arena_alloc(call->arena, schema->size);
    return fields_parse(schema, call->json, call->details, call->arena, &options, &call->err);
}

static enum err_code parse_body(struct call *call)
{
    const struct http_request *request = call->request;
    if (!takes_body(call))
        return ERR_OK;
    if (!request->body_len) {
        if (call->route->flags & ROUTE_BODY_OPTIONAL)
            return ERR_OK;
        return err_set(&call->err, ERR_CANNOT_PARSE,
                       "the body is empty: a JSON object is required");
    }
    if ((call->route->flags & ROUTE_PUBLIC) && request->body_len > PUBLIC_MAX_BODY_BYTES)
        return err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the request body is too large");
    if (!json_is_small(request->body, request->body_len))
        return err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the body has more than %d values",
                       JSON_MAX_VALUES);
    call->json = json_parse(request->body, request->body_len, &call->err);
    if (!call->json)
        return call->err.code;
    enum err_code code = parse_json_body(call);
    json_decref(call->json);
    call->json = NULL;
    return code;
}

static enum err_code parse_request(struct call *call)
{
    enum err_code code = parse_query(call);
    if (!code)
        code = check_headers(call);
    if (!code)
        code = parse_body(call);
    if (!code && call->route->parse)
        code = call->route->parse(call);
    return code;
}

/* ---- what it is answered ---- */

static enum err_code no_route(struct call *call)
{
    if (!call->allow)
        return err_set(&call->err, ERR_NOT_FOUND, "there is no such path");
    return err_set(&call->err, ERR_METHOD_NOT_ALLOWED, "%.32s is not a method of this path: use %s",
                   call->request->method, call->allow);
}

static bool is_public(const struct call *call)
{
    unsigned flags = call->route ? call->route->flags : 0;
    return (flags & ROUTE_PUBLIC) ||
           ((flags & ROUTE_METRICS) && call->api->config.metrics_are_public);
}

static enum err_code find_route(struct call *call)
{
    struct err malformed;
    enum err_code code =
        target_parse(call->request->target, call->arena, &call->target, &malformed);
    if (!code)
        route_find(call);
    if (call->route)
        call->request->kind = API_KIND_ROUTES + (unsigned)call->route_place;
    if (!is_public(call)) {
        enum err_code refused = who_calls(call);
        if (refused)
            return refused;
    }
    if (call->project && strcmp(call->project, call->api->config.project_id) != 0)
        return err_set(
            &call->err, ERR_NOT_AUTHENTICATED,
            "Incorrect IAM authentication information: the project_id is not this one's");
    if (code)
        return err_set(&call->err, code, "%s", malformed.message);
    return call->route ? ERR_OK : no_route(call);
}

static bool asks_for_recent(const struct call *call)
{
    const char *value = http_header(call->request, "should-update-recent");
    return (call->route->flags & ROUTE_RECENT) && value && strcmp(value, "true") == 0;
}

/* Of a GET of a job or a run. */
static void touch_recent(struct call *call)
{
    struct uuid key;
    bool is_run = strncmp(call->route->path, "jobRuns", strlen("jobRuns")) == 0;
    if (call->reading.reader && uuid_parse(call->keys[0], &key))
        recent_job_touch(call->api, call->reading.reader, &call->workspace, call->account.id, &key,
                         is_run, call->arena);
}

static enum err_code read_answer(struct call *call, enum err_code (*answer)(struct call *call))
{
    assert(answer); /* a route has a command, a change or something to read */
    if ((call->route->scope != SCOPE_ROOT || call->route->change) && call_read_begin(call))
        return call->err.code;
    enum err_code code = answer(call);
    if (!code && asks_for_recent(call))
        touch_recent(call);
    /* What was printed from a reader that failed in between is not to be believed. */
    if (call->reading.reader && !code)
        code = call_reader_check(call);
    call_read_end(call);
    if (!code && call->response->body.overflowed)
        code = err_set(&call->err, ERR_INTERNAL, "the answer is longer than %zu bytes",
                       call->response->body.max_bytes);
    return code;
}

/* Who waited for others may have lost by their changes what let the call in. */
static enum err_code authorize_again(struct call *call)
{
    if (!call->account.id[0])
        return ERR_OK; /* it signs in */
    enum err_code code = call->backend->still(call->backend->context, &call->account);
    if (code == ERR_UNAVAILABLE)
        return call_unreadable(call);
    if (code)
        return err_set(&call->err, code, "the credential has been taken back");
    return authorize(call);
}

enum err_code call_change_begin(struct call *call)
{
    pthread_mutex_lock(&call->api->changing);
    return authorize_again(call);
}

/* The snapshot begins behind whatever changed before. */
static enum err_code change(struct call *call)
{
    enum err_code code = call_change_begin(call);
    if (!code)
        code = read_answer(call, call->route->change);
    pthread_mutex_unlock(&call->api->changing);
    return code;
}

static enum err_code handle(struct call *call)
{
    enum err_code code = find_route(call);
    if (!code && call->request->body_too_large)
        code = err_set(&call->err, ERR_PAYLOAD_TOO_LARGE, "the request body is too large");
    if (!code)
        code = check_dataarts_headers(call);
    if (!code)
        code = check_media(call);
    if (!code)
        code = parse_request(call);
    if (!code)
        code = authorize(call);
    if (!code && call->request->shutting_down && !call->route->read)
        code = err_set(&call->err, ERR_UNAVAILABLE, "the server is stopping");
    if (!code && call->route->before)
        code = call->route->before(call);
    if (code)
        return code;
    if (call->route->command)
        return submit_command(call);
    return call->route->change ? change(call) : read_answer(call, call->route->read);
}

enum http_verdict api_handle(void *context, struct http_request *request,
                             struct http_response *response)
{
    struct api *api = context;
    if (request->state)
        return submit_answer(api, request, response);
    struct call call = {
        .api = api,
        .backend = &api->backend,
        .request = request,
        .response = response,
        .arena = &request->arena,
        .reading = {.api = api, .arena = &request->arena},
        .role = -1,
    };
    enum err_code code = handle(&call);
    job_def_unref(call.def);
    if (code) {
        respond_error(&call);
        return HTTP_DONE;
    }
    return call.route->command ? HTTP_WAIT : HTTP_DONE;
}

void api_done(void *context, struct http_request *request)
{
    (void)context;
    const struct request_state *state = request->state;
    if (state)
        state->done(request);
}

void api_answered(void *context, const struct http_request *request, int status, int64_t after_us)
{
    struct api *api = context;
    traffic_count(api->traffic, request->kind, status, after_us);
}

void api_refuse(void *context, enum err_code code, const char *message, const char *target,
                struct http_response *response)
{
    /* The wire copies headers before it answers anything else on this thread. */
    static _Thread_local char id[REQUEST_ID_TEXT];
    struct api *api = context;
    refusal_print(&response->body, target, code, message, request_id(api, NULL, id));
    response->headers[response->header_count++] =
        (struct http_header){"content-type", "application/json"};
    response->headers[response->header_count++] =
        (struct http_header){request_id_header(target), id};
    if (code == ERR_UNAVAILABLE || code == ERR_TOO_MANY_REQUESTS)
        response->headers[response->header_count++] = (struct http_header){"retry-after", "1"};
}
