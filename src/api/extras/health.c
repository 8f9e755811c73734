/* Is the process alive, and can it work? */
#include "api/extras/extras.h"
#include "api/respond.h"

enum err_code health_get(struct call *call)
{
    respond_json(call, 200);
    BUF_LIT(&call->response->body, "{\"status\":\"ok\"}");
    return ERR_OK;
}

enum err_code ready_get(struct call *call)
{
    if (call->request->shutting_down || !call->backend->is_ready(call->backend->context))
        return err_set(&call->err, ERR_UNAVAILABLE, "not ready: the store cannot be written to");
    respond_json(call, 200);
    BUF_LIT(&call->response->body, "{\"status\":\"ready\"}");
    return ERR_OK;
}
