#include "api/stream.h"

#include <string.h>

#include "api/respond.h"

static const struct api_backend *backend_of(const struct stream *stream)
{
    return &stream->api->backend;
}

static int64_t now_of(const struct stream *stream)
{
    return backend_of(stream)->now_ms(backend_of(stream)->context);
}

/* The clock is the wall's: when it was set back, everything is due. */
static bool has_passed(const struct stream *stream, int64_t since_ms, int64_t ms)
{
    int64_t passed = now_of(stream) - since_ms;
    return passed < 0 || passed >= ms;
}

/* ---- places ---- */

unsigned stream_count(struct api *api)
{
    pthread_mutex_lock(&api->streams_lock);
    unsigned count = api->stream_count;
    pthread_mutex_unlock(&api->streams_lock);
    return count;
}

/* Under the lock. */
static unsigned count_of(const struct api *api, const char *user_id)
{
    unsigned count = 0;
    LIST_EACH (&api->streams, node)
        count += strcmp(LIST_ITEM(node, struct stream, place)->account.id, user_id) == 0;
    return count;
}

/* One user alone does not take all of them. */
static bool has_place(const struct api *api, unsigned most, const char *user_id)
{
    unsigned left = most > api->stream_count ? most - api->stream_count : 0;
    return left > most / 4 || (left > 0 && count_of(api, user_id) < most / 2);
}

static enum err_code take_place(struct call *call, struct stream *stream)
{
    struct api *api = call->api;
    unsigned most = api->config.max_streams ? api->config.max_streams : STREAM_MAX;
    pthread_mutex_lock(&api->streams_lock);
    bool has = has_place(api, most, stream->account.id);
    if (has) {
        list_append(&api->streams, &stream->place);
        api->stream_count++;
    }
    pthread_mutex_unlock(&api->streams_lock);
    if (has)
        return ERR_OK;
    return err_set(&call->err, ERR_TOO_MANY_REQUESTS,
                   "too many streams are open: this server has at most %u", most);
}

static void leave_place(struct stream *stream)
{
    struct api *api = stream->api;
    pthread_mutex_lock(&api->streams_lock);
    list_remove(&stream->place);
    api->stream_count--;
    pthread_mutex_unlock(&api->streams_lock);
}

static void stream_done(struct http_request *request)
{
    struct stream *stream = request->state;
    if (stream->is_watching)
        backend_of(stream)->unwatch(backend_of(stream)->context, &stream->workspace,
                                    &stream->watch);
    if (stream->release)
        stream->release(stream);
    leave_place(stream);
    request->state = NULL;
}

enum err_code stream_begin(struct call *call, struct stream *stream, const struct uuid *run,
                           const char *content_type, http_pull *pull)
{
    char id[REQUEST_ID_TEXT];
    if (call->request->shutting_down)
        return err_set(&call->err, ERR_UNAVAILABLE, "the server is stopping");
    stream->api = call->api;
    stream->account = call->account;
    enum err_code code = take_place(call, stream);
    if (code)
        return code;
    stream->state.done = stream_done;
    stream->request = call->request;
    stream->workspace = call->workspace;
    stream->role = call->route->role;
    stream->watch = (struct api_watch){.request = call->request, .run = *run};
    stream->opened_ms = stream->looked_ms = stream->sent_ms = now_of(stream);
    call->request->state = stream;
    call->response->status = 200;
    call->response->pull = pull;
    http_add_header(call->request, call->response, "content-type", content_type);
    http_add_header(call->request, call->response, "cache-control", "no-store");
    http_add_header(call->request, call->response, "x-content-type-options", "nosniff");
    http_add_header(call->request, call->response, "x-accel-buffering", "no");
    http_add_header(call->request, call->response, "opc-request-id",
                    request_id(call->api, call->request, id));
    return ERR_OK;
}

/* ---- pulls ---- */

int64_t stream_pause_ms(const struct stream *stream)
{
    int64_t configured = stream->api->config.heartbeat_ms;
    return configured ? configured : STREAM_HEARTBEAT_MS;
}

/* The caller was let in: what cannot be read now speaks for it until the next heartbeat. */
static bool is_let_in(const struct stream *stream)
{
    const struct api_backend *backend = backend_of(stream);
    int role = -1;
    enum err_code code = backend->still(backend->context, &stream->account);
    if (!code)
        code = backend->role(backend->context, &stream->account, &stream->workspace, &role);
    return code == ERR_UNAVAILABLE || (!code && role >= stream->role);
}

static bool may_still_read(struct stream *stream)
{
    const struct api_backend *backend = backend_of(stream);
    struct api_workspace there; /* or deleted meanwhile */
    if (!has_passed(stream, stream->looked_ms, stream_pause_ms(stream)))
        return true;
    stream->looked_ms = now_of(stream);
    return !has_passed(stream, stream->opened_ms, STREAM_LIFE_MS) &&
           backend->workspace(backend->context, &stream->workspace.key, &there) &&
           is_let_in(stream);
}

struct stream *stream_pulled(struct http_request *request)
{
    struct stream *stream = request->state;
    if (!stream->is_watching) {
        stream->is_watching = true;
        backend_of(stream)->watch(backend_of(stream)->context, &stream->workspace, &stream->watch);
    }
    return may_still_read(stream) ? stream : NULL;
}

bool stream_is_silent(const struct stream *stream)
{
    return has_passed(stream, stream->sent_ms, stream_pause_ms(stream));
}

void stream_sends(struct stream *stream)
{
    stream->sent_ms = now_of(stream);
}
