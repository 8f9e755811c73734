#include "wire/private.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "wire/encoding.h"

/* What an exchange keeps for the next request of its connection, at most. */
enum { KEEP_BYTES = WIRE_SMALL_BODY_BYTES };

static struct exchange *exchange_of(struct http_request *request)
{
    return CONTAINER_OF(request, struct exchange, request);
}

static struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void set_deadline(struct client *client, int64_t deadline_ms)
{
    atomic_store_explicit(&client->deadline_ms, deadline_ms, memory_order_relaxed);
}

/* ---- birth and death ---- */

static void finish(struct exchange *exchange)
{
    const struct wire_callbacks *callbacks = &exchange->wire->callbacks;
    if (exchange->handled && callbacks->done)
        callbacks->done(callbacks->context, &exchange->request);
    exchange->handled = false;
}

static void return_share(struct exchange *exchange)
{
    if (exchange->body_share)
        atomic_fetch_sub(&exchange->wire->body_bytes, exchange->body_share);
    exchange->body_share = 0;
}

void exchange_free(struct exchange *exchange)
{
    finish(exchange);
    return_share(exchange);
    arena_release(&exchange->request.arena);
    buf_release(&exchange->body);
    buf_release(&exchange->stream.out);
    free(exchange);
}

/* Makes an exchange as good as new, with the memory that it has. */
static void recycle(struct exchange *exchange)
{
    finish(exchange);
    return_share(exchange);
    struct arena arena = exchange->request.arena;
    if (arena.used > KEEP_BYTES)
        arena_release(&arena);
    else
        arena_clear(&arena);
    struct buf body = exchange->body;
    if (body.cap > KEEP_BYTES)
        buf_release(&body);
    else
        buf_clear(&body);
    buf_release(&exchange->stream.out);
    *exchange = (struct exchange){.wire = exchange->wire, .request.arena = arena, .body = body};
}

static struct exchange *take_exchange(struct wire *wire, struct client *client)
{
    struct exchange *exchange = client->spare;
    client->spare = NULL;
    if (!exchange) {
        exchange = xcalloc(1, sizeof *exchange);
        arena_init(&exchange->request.arena);
        buf_init(&exchange->body, wire->config.max_body_bytes);
    }
    return exchange;
}

/* A space counts: libmicrohttpd lets it through. */
static bool has_control(const char *target)
{
    for (; *target; target++)
        if ((unsigned char)*target <= ' ' || *target == 0x7f)
            return true;
    return false;
}

/* libmicrohttpd parses the query next, which nobody here asks it for: a record for each parameter in the connection's
 * memory, and when that is used up the connection is closed without an answer. So it finds the query empty. The
 * text lies in the connection's own buffer, and has no other reader. */
static void hide_query(const char *uri)
{
    char *query = strchr((char *)(uintptr_t)uri, '?');
    if (query)
        query[1] = '\0';
}

/* Without scheme and authority, which a client may send (RFC 9112 §3.2.2). */
static const char *origin_form(const char *target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(target, schemes[i], len) != 0)
            continue;
        target += len + strcspn(target + len, "/?");
        return *target == '/' ? target : "/";
    }
    return target;
}

/* libmicrohttpd calls this with the target before it decodes it in place. */
void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct wire *wire = cls;
    struct client *client = client_of(connection);
    struct exchange *exchange = take_exchange(wire, client);
    struct http_request *request = &exchange->request;
    size_t len = uri ? strlen(uri) : 0;

    exchange->wire = wire;
    exchange->client = client;
    exchange->connection = connection;
    exchange->target_too_long = len > WIRE_MAX_TARGET_BYTES;
    memcpy(exchange->peer, client->peer, sizeof client->peer);
    request->peer = exchange->peer;
    if (wire->callbacks.answered)
        exchange->began_us = wire_clock_us();
    request->wake = wire_wake;
    request->target =
        exchange->target_too_long ? "" : origin_form(arena_memdup(&request->arena, uri, len));
    exchange->target_malformed = has_control(request->target);
    if (uri)
        hide_query(uri);
    set_deadline(client, wire_deadline_ms(wire->config.request_timeout_s));
    return exchange;
}

static void leave_active(struct wire *wire)
{
    if (atomic_fetch_sub(&wire->active, 1) != 1 || !atomic_load(&wire->stopping))
        return;
    pthread_mutex_lock(&wire->lock);
    pthread_cond_broadcast(&wire->quiet);
    pthread_mutex_unlock(&wire->lock);
}

/* True when a wake is owed: the exchange is the waker's (or wire_stop's) from now on. */
static bool leave_to_waker(struct exchange *exchange)
{
    struct wire *wire = exchange->wire;
    pthread_mutex_lock(&wire->lock);
    bool owed = exchange->phase == ORPHAN;
    if (owed) {
        exchange->phase = LEFT;
        exchange->client = NULL;
        exchange->connection = NULL;
        list_append(&wire->left, &exchange->node);
    }
    pthread_mutex_unlock(&wire->lock);
    return owed;
}

void exchange_over(void *cls, struct MHD_Connection *connection, void **con_cls,
                   enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct wire *wire = cls;
    struct exchange *exchange = *con_cls;
    *con_cls = NULL;
    if (!exchange)
        return;
    struct client *client = exchange->client;
    if (exchange->stream.pull)
        stream_close(exchange);
    set_deadline(
        client, wire->config.idle_timeout_s && wire->config.request_timeout_s
                    ? wire_deadline_ms(wire->config.idle_timeout_s + wire->config.request_timeout_s)
                    : NO_DEADLINE);
    bool handled = exchange->handled;
    if (!exchange->was_orphan || !leave_to_waker(exchange)) {
        recycle(exchange);
        client->spare = exchange;
    }
    if (handled)
        leave_active(wire);
}

/* ---- answers ---- */

static void add_header(struct MHD_Response *answer, const char *name, const char *value)
{
    if (MHD_add_response_header(answer, name, value) != MHD_YES)
        log_event(LOG_ERROR, "answer header left out", LOG_TEXT("header", name));
}

void exchange_expect_sent(struct exchange *exchange, size_t len)
{
    const struct wire_config *config = &exchange->wire->config;
    set_deadline(exchange->client, config->request_timeout_s
                                       ? wire_deadline_ms(config->request_timeout_s) +
                                             (int64_t)(len / WIRE_MIN_SEND_RATE) * 1000
                                       : NO_DEADLINE);
}

/* Takes the response's body over. */
static enum MHD_Result send_answer(struct exchange *exchange, struct http_response *response)
{
    struct wire *wire = exchange->wire;
    /* libmicrohttpd would send the end of a body that is not sent: garbage in front of the next answer. */
    if (response->pull && strcmp(exchange->request.method, "HEAD") == 0)
        response->pull = NULL;
    encoding_apply(http_header(&exchange->request, "accept-encoding"), &exchange->request,
                   response);
    size_t len = response->body.len;
    exchange->answered = true;
    if (wire->callbacks.answered)
        wire->callbacks.answered(wire->callbacks.context, &exchange->request, response->status,
                                 wire_clock_us() - exchange->began_us);
    exchange_expect_sent(exchange, len);

    struct MHD_Response *answer;
    if (response->pull)
        answer = stream_open(exchange, response);
    else if (len)
        answer = MHD_create_response_from_buffer(len, buf_detach(&response->body, NULL),
                                                 MHD_RESPMEM_MUST_FREE);
    else
        answer = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    buf_release(&response->body);
    if (!answer)
        return MHD_NO;
    for (size_t i = 0; i < response->header_count; i++)
        add_header(answer, response->headers[i].name, response->headers[i].value);
    if (atomic_load_explicit(&wire->stopping, memory_order_relaxed))
        add_header(answer, "Connection", "close");
    enum MHD_Result queued =
        MHD_queue_response(exchange->connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    if (queued != MHD_YES)
        log_event(LOG_ERROR, "answer dropped", LOG_NUMBER("status", response->status));
    return queued;
}

static enum MHD_Result refuse(struct exchange *exchange, int status, enum err_code code,
                              const char *message)
{
    const struct wire_callbacks *callbacks = &exchange->wire->callbacks;
    struct http_response response = {0};
    buf_init(&response.body, WIRE_MAX_RESPONSE_BYTES);
    if (callbacks->refuse)
        callbacks->refuse(callbacks->context, code, message, exchange->request.target, &response);
    response.status = status;
    return send_answer(exchange, &response);
}

/* ---- head ---- */

/* The headers, and what decides how long the body is: two opinions on that are how requests are
 * smuggled. */
struct body_headers {
    struct arena *arena;
    struct http_header *headers;
    size_t count;
    unsigned content_lengths;
    unsigned transfer_encodings;
    bool malformed;      /* an encoding that is not chunked */
    bool malformed_name; /* of a header: somebody in between may read it otherwise */
    bool folded;         /* likewise */
    uint64_t content_length;
};

/* Blanks behind a value are none of it (RFC 9110 §5.5), and libmicrohttpd leaves them. */
static const char *without_blanks(struct arena *arena, const char *value, size_t len)
{
    size_t kept = len;
    while (kept && (value[kept - 1] == ' ' || value[kept - 1] == '\t'))
        kept--;
    return kept == len ? value : arena_memdup(arena, value, kept);
}

/* A token of RFC 9110. libmicrohttpd takes what stands before the colon, blanks and all. */
static bool is_header_name(const char *name, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && (!name[i] || !strchr(marks, name[i])))
            return false;
    return len > 0;
}

/* A header that goes on in another line. libmicrohttpd puts what stands there behind the name, not the value:
 * "Content-Length:\r\n 39" has no value and is no length. It moves the name for that, and a value that does
 * not lie behind its name is how it shows. */
static bool is_folded(const char *name, size_t name_len, const char *value)
{
    return value && (uintptr_t)value <= (uintptr_t)name + name_len;
}

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct body_headers *found = cls;
    found->headers[found->count++] =
        (struct http_header){name, value ? without_blanks(found->arena, value, value_len) : ""};
    found->malformed_name |= !is_header_name(name, name_len);
    found->folded |= is_folded(name, name_len, value);
    if (name_len == strlen("content-length") && strcasecmp(name, "content-length") == 0) {
        found->content_lengths++;
        found->content_length = value ? strtoull(value, NULL, 10)
                                      : 0; /* digits: libmicrohttpd saw to it */
    } else if (name_len == strlen("transfer-encoding") &&
               strcasecmp(name, "transfer-encoding") == 0) {
        found->transfer_encodings++;
        if (!value || strcasecmp(value, "chunked") != 0)
            found->malformed = true;
    }
    return MHD_YES;
}

static size_t head_bytes(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
        ->header_size;
}

static enum MHD_Result dispatch(struct exchange *exchange);

/* The body is not there and does not come: the handler says what comes before its size. */
static enum MHD_Result refuse_large(struct exchange *exchange)
{
    exchange->request.body_too_large = true;
    return dispatch(exchange);
}

/* The first call of a request: its head is there, its body is not. An answer queued here makes
 * libmicrohttpd close the connection after it, so it is for refusals only. */
static enum MHD_Result take_head(struct exchange *exchange, const char *method, const char *version)
{
    struct http_request *request = &exchange->request;
    int count = MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, NULL, NULL);
    struct body_headers found = {
        .arena = &request->arena,
        .headers = ARENA_ARRAY(&request->arena, (size_t)count, struct http_header)};
    MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, look_at_header, &found);
    request->headers = found.headers;
    request->header_count = found.count;
    exchange->client->linger = found.content_lengths || found.transfer_encodings;

    if (exchange->target_too_long)
        return refuse(exchange, 414, ERR_LIMIT_EXCEEDED, "the request target is too long");
    if (head_bytes(exchange->connection) > WIRE_MAX_HEADER_BYTES)
        return refuse(exchange, 431, ERR_HEADERS_TOO_LARGE, "the request headers are too large");
    if (exchange->target_malformed)
        return refuse(exchange, 400, ERR_CANNOT_PARSE,
                      "the request target has a space or a control character");
    if (found.folded)
        return refuse(exchange, 400, ERR_CANNOT_PARSE, "a header goes on in another line");
    if (found.malformed_name)
        return refuse(exchange, 400, ERR_CANNOT_PARSE,
                      "a header has a name with a blank or another character that no name has");
    bool is_chunked_too_early = found.transfer_encodings && strcmp(version, "HTTP/1.1") != 0;
    if (found.malformed || is_chunked_too_early ||
        found.content_lengths + found.transfer_encodings > 1)
        return refuse(exchange, 400, ERR_CANNOT_PARSE,
                      "the headers do not say clearly how long the body is");
    request->method = arena_strdup(&request->arena, method);
    if (found.content_length > exchange->wire->config.max_body_bytes)
        return refuse_large(exchange);
    exchange->client->linger = false;
    return MHD_YES;
}

/* Is there room for `more` bytes of the body? Nobody has said yet who they are, so what all
 * connections hold together is bounded. */
static bool take_share(struct exchange *exchange, size_t more)
{
    struct wire *wire = exchange->wire;
    size_t len = exchange->body.len + more;
    if (len <= WIRE_SMALL_BODY_BYTES)
        return true;
    size_t missing = len - WIRE_SMALL_BODY_BYTES - exchange->body_share;
    exchange->body_share += missing;
    return atomic_fetch_add(&wire->body_bytes, missing) + missing <= wire->config.max_bodies_bytes;
}

/* libmicrohttpd takes no answer while a body comes in, so the end of one that is refused is awaited
 * (the request's deadline bounds that) and nothing of it kept. */
static void drop_body(struct exchange *exchange, enum body_fate fate)
{
    exchange->body_fate = fate;
    buf_release(&exchange->body);
    buf_init(&exchange->body, exchange->wire->config.max_body_bytes);
    return_share(exchange);
}

static void take_body(struct exchange *exchange, const char *data, size_t len)
{
    if (exchange->body_fate != BODY_KEPT)
        return;
    if (len > exchange->body.max_bytes - exchange->body.len)
        drop_body(exchange, BODY_TOO_LARGE);
    else if (!take_share(exchange, len))
        drop_body(exchange, BODY_WITHOUT_ROOM);
    else
        buf_add(&exchange->body, data, len);
}

/* ---- handler, waiting, waking ---- */

enum after_wait { CALL_AGAIN, WAIT_SUSPENDED, GIVE_UP };

/* The handler answered HTTP_WAIT. */
static enum after_wait settle_wait(struct exchange *exchange)
{
    struct wire *wire = exchange->wire;
    enum after_wait next = GIVE_UP;
    pthread_mutex_lock(&wire->lock);
    assert(exchange->phase == RUNNING || exchange->phase == WOKEN || exchange->phase == ORPHAN);
    if (exchange->phase == WOKEN) {
        exchange->phase = RUNNING;
        next = CALL_AGAIN;
    } else if (exchange->phase == RUNNING && !atomic_load(&wire->stopping)) {
        exchange->phase = WAITING;
        list_append(&wire->waiting, &exchange->node);
        MHD_suspend_connection(exchange->connection);
        next = WAIT_SUSPENDED;
    } else {
        exchange->phase = ORPHAN;
        exchange->was_orphan = true;
        if (!exchange->request.shutting_down)
            next = CALL_AGAIN;
    }
    pthread_mutex_unlock(&wire->lock);
    return next;
}

static enum MHD_Result dispatch(struct exchange *exchange)
{
    struct wire *wire = exchange->wire;
    struct http_request *request = &exchange->request;
    if (!exchange->handled) {
        exchange->handled = true;
        atomic_fetch_add(&wire->active, 1);
        request->body = exchange->body.data ? exchange->body.data : "";
        request->body_len = exchange->body.len;
        set_deadline(exchange->client, NO_DEADLINE);
    }
    for (;;) {
        struct http_response response = {.status = 0};
        buf_init(&response.body, WIRE_MAX_RESPONSE_BYTES);
        request->shutting_down = atomic_load(&wire->stopping);
        enum http_verdict verdict =
            wire->callbacks.handle(wire->callbacks.context, request, &response);
        bool is_refused = verdict == HTTP_DONE && response.status >= 400;
        if (verdict == HTTP_DONE && !response.body.overflowed &&
            (is_refused || !request->body_too_large))
            return send_answer(exchange, &response);
        buf_release(&response.body);
        if (request->body_too_large)
            return refuse(exchange, 413, ERR_PAYLOAD_TOO_LARGE, "the request body is too large");
        if (verdict == HTTP_DONE)
            return refuse(exchange, 500, ERR_INTERNAL, "the answer is too large");
        switch (settle_wait(exchange)) {
        case CALL_AGAIN:
            continue;
        case WAIT_SUSPENDED:
            return MHD_YES; /* the exchange may be anybody's by now */
        case GIVE_UP:
            return refuse(exchange, 503, ERR_UNAVAILABLE, "the server is stopping");
        }
    }
}

enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload_data,
                                size_t *upload_data_size, void **con_cls)
{
    (void)cls;
    (void)connection;
    (void)url; /* decoded, and so of no use */
    struct exchange *exchange = *con_cls;
    if (!exchange->head_seen) {
        exchange->head_seen = true;
        return take_head(exchange, method, version);
    }
    if (*upload_data_size) {
        take_body(exchange, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    /* While it stops, libmicrohttpd accepts an answer without taking it, and asks again. */
    if (exchange->answered)
        return MHD_YES;
    switch (exchange->body_fate) {
    case BODY_TOO_LARGE:
        return refuse_large(exchange);
    case BODY_WITHOUT_ROOM:
        return refuse(exchange, 503, ERR_UNAVAILABLE, "too many large bodies at the same time");
    case BODY_KEPT:
        break;
    }
    return dispatch(exchange);
}

void wire_wake(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    struct wire *wire = exchange->wire;
    bool gone = false;
    pthread_mutex_lock(&wire->lock);
    switch (exchange->phase) {
    case RUNNING:
        exchange->phase = WOKEN;
        break;
    case WAITING:
        exchange->phase = RUNNING;
        list_remove(&exchange->node);
        /* Under the lock, so that wire_stop cannot free libmicrohttpd's half in the middle. */
        MHD_resume_connection(exchange->connection);
        break;
    case ORPHAN:
        exchange->phase = RUNNING;
        break;
    case LEFT:
        list_remove(&exchange->node);
        gone = true;
        break;
    case FLOWING:
    case NUDGED:
    case PAUSED:
    case ROUSED:
        stream_wake(exchange);
        break;
    case WOKEN:
        assert(!"wire_wake came twice for one HTTP_WAIT");
    }
    pthread_mutex_unlock(&wire->lock);
    if (gone)
        exchange_free(exchange);
}

void exchange_orphan_all(struct wire *wire)
{
    LIST_EACH_SAFE (&wire->waiting, node) {
        struct exchange *exchange = LIST_ITEM(node, struct exchange, node);
        list_remove(node);
        exchange->phase = ORPHAN;
        exchange->was_orphan = true;
        MHD_resume_connection(exchange->connection);
    }
    stream_stop_all(wire);
}
