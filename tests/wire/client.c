#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- client ---- */

struct client_conn client_dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct client_conn conn = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(conn.fd >= 0);
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
    setsockopt(conn.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(conn.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(conn.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(conn.fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(conn.fd);
        conn.fd = -1;
    }
    return conn;
}

void client_close(struct client_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn->bytes);
    *conn = (struct client_conn){.fd = -1};
}

bool client_send(struct client_conn *conn, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        ssize_t sent = send(conn->fd, p, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        len -= (size_t)sent;
    }
    return true;
}

void client_say(struct client_conn *conn, const char *text)
{
    assert_true(client_send(conn, text, strlen(text)));
}

/* Reads more; 0 at the end (or a reset, which is an end too). */
static size_t read_more(struct client_conn *conn)
{
    if (conn->cap - conn->len < 65536) {
        conn->cap = conn->cap ? conn->cap * 2 : 131072;
        conn->bytes = xrealloc(conn->bytes, conn->cap);
    }
    ssize_t got = recv(conn->fd, conn->bytes + conn->len, conn->cap - conn->len - 1, 0);
    if (got < 0) {
        assert_int_not_equal(errno, EAGAIN); /* patience is out */
        return 0;
    }
    conn->len += (size_t)got;
    conn->bytes[conn->len] = '\0';
    return (size_t)got;
}

static char *take(struct client_conn *conn, size_t len)
{
    char *taken = xmalloc(len + 1);
    memcpy(taken, conn->bytes, len);
    taken[len] = '\0';
    conn->len -= len;
    memmove(conn->bytes, conn->bytes + len, conn->len + 1);
    return taken;
}

bool client_try_hear(struct client_conn *conn, bool head_only, struct reply *ret)
{
    char *end = NULL;
    while (!conn->len || !(end = strstr(conn->bytes, "\r\n\r\n")))
        if (!read_more(conn))
            return false;
    struct reply reply = {.head = take(conn, (size_t)(end + 4 - conn->bytes))};
    reply.status = (int)strtol(reply.head + strlen("HTTP/1.1 "), NULL, 10);
    char value[256];
    size_t want = 0;
    if (!head_only && reply.status != 204 && reply.status >= 200)
        want = (size_t)strtoll(reply_header(&reply, "Content-Length", value), NULL, 10);
    while (conn->len < want)
        if (!read_more(conn)) {
            free(reply.head);
            return false;
        }
    reply.body = want ? take(conn, want) : xstrdup("");
    reply.body_len = want;
    *ret = reply;
    return true;
}

struct reply client_hear(struct client_conn *conn)
{
    struct reply reply;
    assert_true(client_try_hear(conn, false, &reply));
    return reply;
}

void client_hear_end(struct client_conn *conn)
{
    assert_int_equal(conn->len, 0);
    assert_int_equal(read_more(conn), 0);
}

void client_drop_to_end(struct client_conn *conn)
{
    while (read_more(conn))
        conn->len = 0;
}

bool client_trickle(struct client_conn *conn, const char *bytes, int ms)
{
    for (; *bytes; bytes++) {
        if (!client_send(conn, bytes, 1))
            return false;
        struct pollfd end = {.fd = conn->fd, .events = POLLIN | POLLRDHUP};
        if (poll(&end, 1, ms) > 0)
            return false;
    }
    return true;
}

void reply_free(struct reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (struct reply){0};
}

const char *reply_header(const struct reply *reply, const char *name, char value[static 256])
{
    value[0] = '\0';
    size_t len = strlen(name);
    for (const char *line = strstr(reply->head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            const char *start = line + 2 + len + 1;
            start += strspn(start, " ");
            size_t width = strcspn(start, "\r");
            assert_true(width < 256);
            memcpy(value, start, width);
            value[width] = '\0';
            break;
        }
    return value;
}

struct reply client_ask(uint16_t port, const char *text)
{
    struct client_conn conn = client_dial(port);
    assert_true(conn.fd >= 0);
    client_say(&conn, text);
    struct reply reply = client_hear(&conn);
    client_close(&conn);
    return reply;
}

/* ---- server ---- */

struct visit {
    unsigned waits;
};

static void echo(struct http_request *request, struct http_response *response)
{
    char count[16];
    snprintf(count, sizeof count, "%u", http_header_count(request, "x-thing"));
    const char *thing = http_header(request, "x-THING");
    http_add_header(request, response, "X-Method", request->method);
    if (strlen(request->target) < 200)
        http_add_header(request, response, "X-Target", request->target);
    http_add_header(request, response, "X-Peer", request->peer);
    http_add_header(request, response, "X-Count", count);
    if (thing)
        http_add_header(request, response, "X-Thing", thing);
    http_add_header(request, response, "Content-Type", "text/plain");
    buf_add(&response->body, request->body, request->body_len);
}

static void publish(struct server *server, struct http_request *request)
{
    pthread_mutex_lock(&server->lock);
    assert(server->waiter_count < WAITERS_MAX); /* cmocka's own is for the test's thread only */
    server->waiters[server->waiter_count++] = request;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static enum http_verdict wait_or_answer(struct server *server, struct http_request *request,
                                        struct http_response *response)
{
    struct visit *visit = request->state;
    const char *path = request->target;
    bool stubborn = strcmp(path, "/stubborn") == 0;
    unsigned wanted = path[5] >= '1' && path[5] <= '9' ? (unsigned)(path[5] - '0') : 1;
    if (request->shutting_down && !stubborn) {
        response->status = 503;
        buf_puts(&response->body, "stopping");
        return HTTP_DONE;
    }
    if (visit->waits < wanted || stubborn) {
        visit->waits++;
        if (strcmp(path, "/early") == 0)
            wire_wake(request);
        else
            publish(server, request);
        buf_puts(&response->body, "thrown away");
        return HTTP_WAIT;
    }
    buf_printf(&response->body, "woken %u", visit->waits);
    return HTTP_DONE;
}

static enum http_verdict handle(void *context, struct http_request *request,
                                struct http_response *response)
{
    struct server *server = context;
    bool first = !request->state;
    if (first)
        request->state = xcalloc(1, sizeof(struct visit));
    pthread_mutex_lock(&server->lock);
    server->calls++;
    server->requests += first;
    pthread_mutex_unlock(&server->lock);

    response->status = 200;
    if (strncmp(request->target, "/wait", 5) == 0 || strcmp(request->target, "/early") == 0 ||
        strcmp(request->target, "/stubborn") == 0)
        return wait_or_answer(server, request, response);
    if (strcmp(request->target, "/big") == 0) {
        memset(buf_reserve(&response->body, BIG_BYTES), 'b', BIG_BYTES);
        buf_used(&response->body, BIG_BYTES);
    } else if (strcmp(request->target, "/empty") == 0) {
        response->status = 204;
    } else if (strcmp(request->target, "/odd") == 0) {
        http_add_header(request, response, "X-Odd", "a\r\nX-Forged: b");
        http_add_header(request, response, "X-Good", "c");
    } else if (strcmp(request->target, "/over") == 0) {
        buf_init(&response->body, 4);
        buf_puts(&response->body, "12345");
    } else {
        echo(request, response);
    }
    return HTTP_DONE;
}

static void on_done(void *context, struct http_request *request)
{
    struct server *server = context;
    assert(request->state);
    free(request->state);
    pthread_mutex_lock(&server->lock);
    server->done++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void on_refuse(void *context, enum err_code code, const char *message, const char *target,
                      struct http_response *response)
{
    struct server *server = context;
    (void)target;
    response->headers[response->header_count++] = (struct http_header){"X-Refused", "yes"};
    buf_printf(&response->body, "{\"code\":\"%s\",\"message\":", err_code_text(code));
    buf_json_string(&response->body, message);
    buf_puts(&response->body, "}");
    pthread_mutex_lock(&server->lock);
    server->refused++;
    server->last_refusal = code;
    pthread_mutex_unlock(&server->lock);
}

struct wire_config server_config(void)
{
    return (struct wire_config){.host = "127.0.0.1",
                                .threads = 2,
                                .max_body_bytes = 64 << 10,
                                .max_connections = 1200,
                                .idle_timeout_s = CLIENT_PATIENCE_S,
                                .request_timeout_s = CLIENT_PATIENCE_S};
}

static void on_answered(void *context, const struct http_request *request, int status,
                        int64_t after_us)
{
    struct server *server = context;
    pthread_mutex_lock(&server->lock);
    server->answered++;
    server->last_status = status;
    server->last_kind = request->kind;
    if (after_us < 0 || after_us > CLIENT_PATIENCE_S * INT64_C(1000000))
        server->bad_times++;
    pthread_mutex_unlock(&server->lock);
}

void server_start(struct server *server, const struct wire_config *config)
{
    struct wire_config usual = server_config();
    *server = (struct server){0};
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    struct wire_callbacks callbacks = {handle, on_done, on_refuse, server, on_answered};
    struct err err = {0};
    server->wire = wire_start(config ? config : &usual, &callbacks, &err);
    if (!server->wire)
        fail_msg("%s", err.message);
    server->port = wire_port(server->wire);
    assert_int_not_equal(server->port, 0);
}

void server_stop(struct server *server)
{
    wire_stop(server->wire);
    server_release(server);
}

void server_release(struct server *server)
{
    assert_int_equal(server->done, server->requests);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}

static void await_change(struct server *server)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLIENT_PATIENCE_S;
    assert_int_equal(pthread_cond_timedwait(&server->changed, &server->lock, &until), 0);
}

struct http_request *server_take_waiter(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->waiter_count)
        await_change(server);
    struct http_request *taken = server->waiters[--server->waiter_count];
    pthread_mutex_unlock(&server->lock);
    return taken;
}

struct http_request *server_try_take_waiter(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    struct http_request *taken = server->waiter_count ? server->waiters[--server->waiter_count]
                                                      : NULL;
    pthread_mutex_unlock(&server->lock);
    return taken;
}

void server_await_done(struct server *server, unsigned done)
{
    pthread_mutex_lock(&server->lock);
    while (server->done < done)
        await_change(server);
    assert_int_equal(server->done, done);
    pthread_mutex_unlock(&server->lock);
}

void server_await_connections(struct server *server, unsigned count)
{
    struct timespec now, a_moment = {.tv_nsec = 1000000};
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t until = now.tv_sec + CLIENT_PATIENCE_S / 3;
         wire_connections(server->wire) != count;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until)
            fail_msg("%u connections are still open", wire_connections(server->wire));
        nanosleep(&a_moment, NULL);
    }
}

unsigned server_read(struct server *server, const unsigned *counter)
{
    pthread_mutex_lock(&server->lock);
    unsigned value = *counter;
    pthread_mutex_unlock(&server->lock);
    return value;
}
