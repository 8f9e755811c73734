#include "api/respond.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

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
    const char *given = request ? http_header(request, "opc-request-id") : NULL;
    if (given && http_header_count(request, "opc-request-id") == 1 && is_valid_id(given)) {
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

void respond_refusal(struct api *api, struct http_request *request, struct http_response *response,
                     enum err_code code, const char *message)
{
    char id[REQUEST_ID_TEXT];
    char seconds[16];
    response->status = err_http_status(code);
    response->header_count = 0;
    buf_clear(&response->body);
    error_print(&response->body, code, message);
    http_add_header(request, response, "content-type", "application/json");
    http_add_header(request, response, "opc-request-id", request_id(api, request, id));
    if (response->status == 401)
        http_add_header(request, response, "www-authenticate", "Bearer realm=\"reprise\"");
    if (response->status == 429 || response->status == 503) {
        snprintf(seconds, sizeof seconds, "%d", API_RETRY_AFTER_S);
        http_add_header(request, response, "retry-after", seconds);
    }
}

void respond_error(struct call *call)
{
    respond_refusal(call->api, call->request, call->response, call->err.code, call->err.message);
    if (call->allow)
        http_add_header(call->request, call->response, "allow", call->allow);
}

/* ---- success ---- */

void respond_json(struct call *call, int status)
{
    char id[REQUEST_ID_TEXT];
    call->response->status = status;
    http_add_header(call->request, call->response, "content-type", "application/json");
    http_add_header(call->request, call->response, "opc-request-id",
                    request_id(call->api, call->request, id));
}

void respond_none(struct call *call)
{
    char id[REQUEST_ID_TEXT];
    call->response->status = 204;
    http_add_header(call->request, call->response, "opc-request-id",
                    request_id(call->api, call->request, id));
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
