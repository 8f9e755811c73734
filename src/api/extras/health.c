/* About the server itself: is it alive, can it work, what can it be asked? */
#include "api/extras/extras.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

struct health_view {
    const char *status;
};

static const struct field health_fields[] = {
    {.name = "status",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(health_view, status),
     .doc = "ok, or ready."},
};
const struct schema health_schema =
    SCHEMA("Health", health_view, health_fields, "How the server is.");

static enum err_code respond_health(struct call *call, const char *status)
{
    const struct health_view view = {status};
    respond_json(call, 200);
    fields_print(&health_schema, &view, &call->response->body);
    return ERR_OK;
}

enum err_code health_get(struct call *call)
{
    return respond_health(call, "ok");
}

enum err_code ready_get(struct call *call)
{
    if (call->request->shutting_down || !call->backend->is_ready(call->backend->context))
        return err_set(&call->err, ERR_UNAVAILABLE, "not ready: the store cannot be written to");
    return respond_health(call, "ready");
}

enum err_code openapi_get(struct call *call)
{
    respond_json(call, 200);
    buf_puts(&call->response->body, call->api->openapi);
    call->response->packed = &call->api->packed_openapi;
    return ERR_OK;
}
