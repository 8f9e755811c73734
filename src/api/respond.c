#include "api/respond.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

/* ---- the dialect ---- */

bool target_is_dataarts(const char *target)
{
    return target && (strncmp(target, "/v1/", 4) == 0 || strncmp(target, "/v2/", 4) == 0);
}

/* Where its tokens come from is of that dialect, too, but for the form of its answers. */
const char *request_id_header(const char *target)
{
    bool is_iam = target && strncmp(target, "/v3/", 4) == 0;
    return is_iam || target_is_dataarts(target) ? "x-request-id" : "opc-request-id";
}

/* ---- opc-request-id ---- */

static bool is_valid_id(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(text);
    return len > 0 && len <= REQUEST_ID_MAX && strspn(text, allowed) == len;
}

const char *request_id(struct api *api, const struct http_request *request,
                       char text[static REQUEST_ID_TEXT])
{
    const char *header = request_id_header(request ? request->target : "");
    const char *given = request ? http_header(request, header) : NULL;
    if (given && http_header_count(request, header) == 1 && is_valid_id(given)) {
        snprintf(text, REQUEST_ID_TEXT, "%s", given);
        return text;
    }
    uint64_t number = atomic_fetch_add(&api->id_counter, 1);
    int64_t now_ms = api->backend.now_ms(api->backend.context);
    snprintf(text, REQUEST_ID_TEXT, "%012llX%016llX",
             (unsigned long long)now_ms & 0xffffffffffffULL,
             (unsigned long long)mix64(api->id_seed + number));
    return text;
}

/* ---- errors ---- */

void error_print(struct buf *out, enum err_code code, const char *message)
{
    BUF_LIT(out, "{\"code\":");
    buf_json_string(out, err_code_text(code));
    BUF_LIT(out, ",\"message\":");
    buf_json_string(out, message);
    BUF_LIT(out, "}");
}

/* Clients look for how the gateway begins its refusals. */
static const char *gateway_says(enum err_code code, const char *message)
{
    static const char not_authenticated[] = "Incorrect IAM authentication information: ";
    if (code == ERR_NOT_FOUND || code == ERR_METHOD_NOT_ALLOWED)
        return "The API does not exist or has not been published in the environment: ";
    bool begins_so = strncmp(message, not_authenticated, sizeof not_authenticated - 1) == 0;
    return code == ERR_NOT_AUTHENTICATED && !begins_so ? not_authenticated : "";
}

/* As Huawei's services have it; what the gateway refuses carries the request's id too. */
static void dataarts_error_print(struct buf *out, enum err_code code, const char *message,
                                 const char *id)
{
    BUF_LIT(out, "{\"error_code\":");
    buf_json_string(out, err_dataarts_code(code));
    BUF_LIT(out, ",\"error_msg\":");
    char text[ERR_MESSAGE_MAX * 2];
    snprintf(text, sizeof text, "%s%s", gateway_says(code, message), message);
    buf_json_string(out, text);
    if (strncmp(err_dataarts_code(code), "APIGW.", strlen("APIGW.")) == 0) {
        BUF_LIT(out, ",\"request_id\":");
        buf_json_string(out, id);
    }
    BUF_LIT(out, "}");
}

void refusal_print(struct buf *out, const char *target, enum err_code code, const char *message,
                   const char *id)
{
    if (target_is_dataarts(target))
        dataarts_error_print(out, code, message, id);
    else
        error_print(out, code, message);
}

static int refusal_status(const char *target, enum err_code code)
{
    return target_is_dataarts(target) ? err_dataarts_status(code) : err_http_status(code);
}

/* {"error":{…}}, as Huawei's IAM has it. */
static void iam_error_print(struct buf *out, enum err_code code, const char *message)
{
    buf_printf(out, "{\"error\":{\"code\":%d,\"message\":", err_http_status(code));
    buf_json_string(out, message);
    BUF_LIT(out, ",\"title\":");
    buf_json_string(out, err_code_text(code));
    BUF_LIT(out, "}}");
}

static void add_refusal_headers(struct http_request *request, struct http_response *response,
                                const char *id, int64_t retry_after_ms)
{
    char seconds[32];
    http_add_header(request, response, "content-type", "application/json");
    http_add_header(request, response, request_id_header(request->target), id);
    if (response->status == 401)
        http_add_header(request, response, "www-authenticate", "Bearer realm=\"reprise\"");
    if (response->status == 429 || response->status == 503) {
        int64_t after_s = retry_after_ms > 0 ? (retry_after_ms + 999) / 1000 : API_RETRY_AFTER_S;
        snprintf(seconds, sizeof seconds, "%lld", (long long)after_s);
        http_add_header(request, response, "retry-after", seconds);
    }
}

static void begin_refusal(struct http_response *response, const char *target, enum err_code code)
{
    response->status = refusal_status(target, code);
    response->header_count = 0;
    response->pull = NULL;
    buf_clear(&response->body);
}

void respond_refusal(struct api *api, struct http_request *request, struct http_response *response,
                     enum err_code code, const char *message)
{
    char id[REQUEST_ID_TEXT];
    begin_refusal(response, request->target, code);
    request_id(api, request, id);
    refusal_print(&response->body, request->target, code, message, id);
    add_refusal_headers(request, response, id, 0);
}

void respond_error(struct call *call)
{
    const char *target = call->request->target;
    begin_refusal(call->response, target, call->err.code);
    if (call->route && (call->route->flags & ROUTE_IAM))
        iam_error_print(&call->response->body, call->err.code, call->err.message);
    else
        refusal_print(&call->response->body, target, call->err.code, call->err.message,
                      call_request_id(call));
    add_refusal_headers(call->request, call->response, call_request_id(call), call->retry_after_ms);
    if (call->allow)
        http_add_header(call->request, call->response, "allow", call->allow);
}

/* ---- success ---- */

const char *call_request_id(struct call *call)
{
    if (!call->request_id[0])
        request_id(call->api, call->request, call->request_id);
    return call->request_id;
}

void respond_json(struct call *call, int status)
{
    call->response->status = status;
    http_add_header(call->request, call->response, "content-type", "application/json");
    http_add_header(call->request, call->response, request_id_header(call->request->target),
                    call_request_id(call));
}

void respond_nothing(struct call *call)
{
    call->response->status = call->route->status ? call->route->status : 204;
    http_add_header(call->request, call->response, request_id_header(call->request->target),
                    call_request_id(call));
}

void respond_etag(struct call *call, const char *etag)
{
    http_add_header(call->request, call->response, "etag", etag);
}

void respond_items_begin(struct call *call)
{
    respond_json(call, 200);
    BUF_LIT(&call->response->body, "{\"items\":[");
}

void respond_item(struct call *call, size_t index, const struct schema *schema, const void *object)
{
    if (index)
        buf_putc(&call->response->body, ',');
    fields_print(schema, object, &call->response->body);
}

void respond_items_end(struct call *call)
{
    BUF_LIT(&call->response->body, "]}");
}
