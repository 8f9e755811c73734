/* GET /metrics (CONTRACT §3, §6): Prometheus text. What each number means: docs/guide/operations.md. */
#include "api/extras/extras.h"
#include "api/respond.h"
#include "api/stream.h"
#include "api/traffic.h"
#include "base/metric.h"

/* It tells of the whole installation: whoever may look at its first workspace may look at this. */
static enum err_code may_look(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct api_workspace first;
    int role = -1;
    if (call->api->config.metrics_are_public)
        return ERR_OK;
    if (!backend->workspace_at(backend->context, 0, &first))
        return err_set(&call->err, ERR_UNAVAILABLE, "the workspaces cannot be read");
    if (call_role(call, &call->account, &first, &role))
        return call->err.code;
    if (role < ROLE_VIEWER)
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                       "%s is not allowed to this user", call->route->operation);
    return ERR_OK;
}

enum err_code metrics_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct buf *out = &call->response->body;
    enum err_code code = may_look(call);
    if (code)
        return code;
    if (backend->metrics)
        backend->metrics(backend->context, out);
    metric_single(out, "reprise_streams", "gauge", "Streams (events, followed logs) that are open.",
                  (double)stream_count(call->api));
    traffic_print(call->api->traffic, out);
    call->response->status = 200;
    http_add_header(call->request, call->response, "content-type",
                    "text/plain; version=0.0.4; charset=utf-8");
    http_add_header(call->request, call->response, "cache-control", "no-store");
    http_add_header(call->request, call->response, "opc-request-id", call_request_id(call));
    return ERR_OK;
}
