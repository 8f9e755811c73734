/* What the wire refuses: too large, too slow, too many, ambiguous, malformed, not startable. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "base/mem.h"

enum { MAX_BODY = 64 << 10 };

static struct server server;

static int setup(void **state)
{
    (void)state;
    server_start(&server, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_stop(&server);
    return 0;
}

static void assert_refused(struct reply *reply, int status, enum err_code code)
{
    assert_int_equal(reply->status, status);
    assert_non_null(strstr(reply->body, err_code_text(code)));
    char value[256];
    assert_string_equal(reply_header(reply, "X-Refused", value), "yes");
    reply_free(reply);
}

static void assert_alive(void)
{
    struct reply reply = client_ask(server.port, "GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
}

/* `count` bytes of `c`, NUL-terminated; free(). */
static char *many(char c, size_t count)
{
    char *text = xmalloc(count + 1);
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

/* ---- bodies ---- */

static void test_body_of_the_largest_size(void **state)
{
    (void)state;
    char *body = many('x', MAX_BODY);
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", MAX_BODY, body);
    buf_printf(&text,
               "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               "8000\r\n%.*s\r\n8000\r\n%.*s\r\n0\r\n\r\n",
               MAX_BODY / 2, body, MAX_BODY / 2, body);
    struct client_conn conn = client_dial(server.port);
    assert_true(client_send(&conn, text.data, text.len));
    for (int i = 0; i < 2; i++) {
        struct reply reply = client_hear(&conn);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body, body);
        reply_free(&reply);
    }
    client_close(&conn);
    buf_release(&text);
    free(body);
}

/* Refused before a byte of the body is sent, with no 100 Continue. */
static void test_announced_body_is_refused_at_once(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551614\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, heads[i]);
        struct reply reply = client_hear(&conn);
        assert_refused(&reply, 413, ERR_PAYLOAD_TOO_LARGE);
        client_hear_end(&conn);
        client_close(&conn);
    }
    assert_int_equal(server.calls, ARRAY_LEN(heads)); /* what it says is no refusal, and not sent */
}

/* A client that sends all of it before it listens gets the refusal, not a reset. */
static void test_refusal_survives_the_body(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    char *body = many('x', SIZE);
    for (int i = 0; i < 5; i++) {
        struct client_conn conn = client_dial(server.port);
        char head[100];
        snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                 SIZE);
        client_say(&conn, head);
        assert_true(client_send(&conn, body, SIZE));
        struct reply reply = client_hear(&conn);
        assert_refused(&reply, 413, ERR_PAYLOAD_TOO_LARGE);
        client_close(&conn);
    }
    free(body);
}

static void test_chunked_body_past_the_limit(void **state)
{
    (void)state;
    char *body = many('x', 0x10000);
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 40; i++) {
        client_say(&conn, "10000\r\n");
        assert_true(client_send(&conn, body, 0x10000));
        client_say(&conn, "\r\n");
    }
    client_say(&conn, "0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_hear(&conn);
    assert_refused(&reply, 413, ERR_PAYLOAD_TOO_LARGE);
    reply = client_hear(&conn); /* the body was read to its end: the connection is good */
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    reply_free(&reply);
    client_close(&conn);
    free(body);
}

static struct reply post(struct client_conn *conn, const char *target, const char *body, size_t len)
{
    char head[128];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
             target, len);
    client_say(conn, head);
    assert_true(client_send(conn, body, len));
    return client_hear(conn);
}

/* Small ones are always taken. */
static void test_large_bodies_share_a_limit(void **state)
{
    (void)state;
    enum { LARGE = 4 * WIRE_SMALL_BODY_BYTES };
    struct wire_config config = server_config();
    config.max_body_bytes = LARGE;
    config.max_bodies_bytes = LARGE + WIRE_SMALL_BODY_BYTES;
    server_start(&server, &config);
    char *body = many('x', LARGE);
    struct client_conn first = client_dial(server.port), second = client_dial(server.port);
    client_say(&first,
               "POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n40000\r\n");
    assert_true(client_send(&first, body, LARGE));
    client_say(&first, "\r\n0\r\n\r\n");
    struct http_request *waiter = server_take_waiter(&server);
    struct reply reply = post(&second, "/", body, LARGE);
    assert_refused(&reply, 503, ERR_UNAVAILABLE);
    reply = post(&second, "/", body, WIRE_SMALL_BODY_BYTES);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    wire_wake(waiter);
    reply = client_hear(&first);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    server_await_done(&server, 2);
    reply = post(&second, "/", body, LARGE);
    assert_int_equal(reply.body_len, LARGE);
    reply_free(&reply);
    client_close(&first);
    client_close(&second);
    free(body);
    server_stop(&server);
}

static void test_ambiguous_bodies(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3\r\ncontent-length: 4",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity",
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        char text[200];
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", heads[i]);
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, text);
        struct reply reply = client_hear(&conn);
        assert_refused(&reply, 400, ERR_CANNOT_PARSE);
        client_hear_end(&conn);
        client_close(&conn);
    }
    assert_int_equal(server.calls, 0);
}

/* ---- heads ---- */

static struct reply ask_target(size_t bytes)
{
    char *target = many('a', bytes);
    target[0] = '/';
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_printf(&text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
    struct reply reply = client_ask(server.port, text.data);
    buf_release(&text);
    free(target);
    return reply;
}

static void test_target_limit(void **state)
{
    (void)state;
    struct reply reply = ask_target(WIRE_MAX_TARGET_BYTES);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    reply = ask_target(WIRE_MAX_TARGET_BYTES + 1);
    assert_refused(&reply, 414, ERR_LIMIT_EXCEEDED);
}

/* A head of exactly `bytes` bytes, in headers of `each` bytes. */
static struct reply ask_head(size_t bytes, size_t each)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    BUF_LIT(&text, "GET / HTTP/1.1\r\n");
    size_t number = 0;
    while (text.len + 2 < bytes) {
        size_t left = bytes - 2 - text.len;
        size_t width = left < 2 * each ? left : each;
        char *value = many('v', width - strlen("X-0000: \r\n"));
        buf_printf(&text, "X-%04zu: %s\r\n", number++, value);
        free(value);
    }
    BUF_LIT(&text, "\r\n");
    assert_int_equal(text.len, bytes);
    struct reply reply = client_ask(server.port, text.data);
    buf_release(&text);
    return reply;
}

static void test_head_limit(void **state)
{
    (void)state;
    static const size_t widths[] = {500, 1000, 8000};
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        struct reply reply = ask_head(WIRE_MAX_HEADER_BYTES, widths[i]);
        assert_int_equal(reply.status, 200);
        reply_free(&reply);
        reply = ask_head(WIRE_MAX_HEADER_BYTES + 1, widths[i]);
        assert_refused(&reply, 431, ERR_HEADERS_TOO_LARGE);
    }
}

/* Past libmicrohttpd's memory it is libmicrohttpd that answers (or just closes). */
static void test_endless_heads(void **state)
{
    (void)state;
    static const char *const starts[] = {"GET /", "GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\n",
                                         "GET /?", "POST /"};
    static const char *const repeated[] = {"aaaaaaaa", "aaaaaaaa", "a:b\r\n", "a&", "/?&=&"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, starts[i]);
        for (int n = 0; n < 100000; n++)
            if (!client_send(&conn, repeated[i], strlen(repeated[i])))
                break;
        struct reply reply;
        if (client_try_hear(&conn, false, &reply)) {
            assert_true(reply.status == 414 || reply.status == 431);
            reply_free(&reply);
        }
        client_close(&conn);
    }
    assert_alive();
    assert_int_equal(server.calls, 1);
}

static void test_malformed_targets(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /a b HTTP/1.1", "GET /a\tb HTTP/1.1",
                                        "GET /a\x7f HTTP/1.1", "GET /a\x01 HTTP/1.1"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char text[100];
        snprintf(text, sizeof text, "%s\r\nHost: h\r\n\r\n", lines[i]);
        struct reply reply = client_ask(server.port, text);
        assert_refused(&reply, 400, ERR_CANNOT_PARSE);
    }
}

/* Whatever comes: an answer of 4xx or 5xx or none, the connection closed, the server well. */
static void test_garbage(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } garbage[] = {
#define BYTES(literal) {"" literal, sizeof(literal) - 1}
        BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello \r\n\r\n"),
        BYTES("GET\r\n\r\n"),
        BYTES("GET /\r\n\r\n"),
        BYTES(" / HTTP/1.1\r\n\r\n"),
        BYTES("GET / HTTP/2.0\r\n\r\n"),
        BYTES("GET / HTTP/0.9\r\n\r\n"),
        BYTES("GET / http/1.1\r\n\r\n"),
        BYTES("GET / HTTP/1.1 x\r\n\r\n"),
        BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nX\0: a\r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nContent-Length: 1 1\r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
        BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"),
        BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
#undef BYTES
    };
    for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
        struct client_conn conn = client_dial(server.port);
        assert_true(client_send(&conn, garbage[i].text, garbage[i].len));
        shutdown(conn.fd, SHUT_WR);
        struct reply reply;
        if (client_try_hear(&conn, false, &reply)) {
            if (reply.status < 400)
                fail_msg("garbage %zu was answered with %d", i, reply.status);
            reply_free(&reply);
        }
        client_drop_to_end(&conn);
        client_close(&conn);
    }
    assert_int_equal(server.calls, 0);
    assert_alive();
}

/* ---- time ---- */

static void start_hasty(void)
{
    struct wire_config config = server_config();
    config.idle_timeout_s = config.request_timeout_s = 1;
    server_start(&server, &config);
}

static void test_idle_connection_is_closed(void **state)
{
    (void)state;
    start_hasty();
    struct client_conn silent = client_dial(server.port), served = client_dial(server.port);
    client_say(&served, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_hear(&served);
    reply_free(&reply);
    client_hear_end(&silent);
    client_hear_end(&served);
    client_close(&silent);
    client_close(&served);
    server_stop(&server);
}

/* A byte now and then keeps a connection from being idle, not from being too slow. */
static void test_trickling_clients_are_dropped(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "", "GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n"};
    start_hasty();
    char *endless = many('a', 10 * CLIENT_PATIENCE_S);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, starts[i]);
        assert_false(client_trickle(&conn, endless, 100));
        client_hear_end(&conn);
        client_close(&conn);
    }
    free(endless);
    assert_int_equal(server.calls, 0);
    server_stop(&server);
}

/* Neither limit counts while the handler waits. */
static void test_waiting_has_no_time_limit(void **state)
{
    (void)state;
    start_hasty();
    struct client_conn conn = client_dial(server.port), idle = client_dial(server.port);
    client_say(&conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    struct http_request *waiter = server_take_waiter(&server);
    client_hear_end(&idle); /* by now a second has passed */
    struct client_conn slow = client_dial(server.port);
    client_say(&slow, "GET / HTTP/1.1\r\n");
    client_hear_end(&slow);
    wire_wake(waiter);
    struct reply reply = client_hear(&conn);
    assert_string_equal(reply.body, "woken 1");
    reply_free(&reply);
    client_close(&conn);
    client_close(&idle);
    client_close(&slow);
    server_stop(&server);
}

/* ---- number ---- */

/* What stderr gets until count_caught: a file, and where it was before. */
struct caught {
    FILE *file;
    int before;
};

static struct caught catch_stderr(void)
{
    struct caught caught = {.file = tmpfile(), .before = dup(STDERR_FILENO)};
    assert_non_null(caught.file);
    assert_true(dup2(fileno(caught.file), STDERR_FILENO) >= 0);
    return caught;
}

/* How many lines of it have `text`. */
static unsigned count_caught(struct caught *caught, const char *text)
{
    assert_true(dup2(caught->before, STDERR_FILENO) >= 0);
    close(caught->before);
    rewind(caught->file);
    unsigned count = 0;
    char line[500];
    while (fgets(line, sizeof line, caught->file))
        count += strstr(line, text) != NULL;
    fclose(caught->file);
    return count;
}

static void test_connections_past_the_limit(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.max_connections = 4;
    server_start(&server, &config);
    struct client_conn conns[4];
    for (int i = 0; i < 4; i++) {
        conns[i] = client_dial(server.port);
        client_say(&conns[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        struct reply reply = client_hear(&conns[i]);
        assert_int_equal(reply.status, 200);
        reply_free(&reply);
    }
    struct caught caught = catch_stderr();
    for (int i = 0; i < 20; i++) {
        struct client_conn fifth = client_dial(server.port);
        client_hear_end(&fifth);
        client_close(&fifth);
    }
    client_close(&conns[0]);
    /* The place is free once the server has seen the end of the first. */
    bool heard = false;
    while (!heard) {
        struct client_conn again = client_dial(server.port);
        struct reply reply;
        heard = client_send(&again, "GET / HTTP/1.1\r\n\r\n", 18) &&
                client_try_hear(&again, false, &reply);
        if (heard)
            reply_free(&reply);
        client_close(&again);
    }
    for (int i = 1; i < 4; i++)
        client_close(&conns[i]);
    server_stop(&server);
    assert_int_equal(count_caught(&caught, "connections are at their limit"), 1);
}

/* ---- starting ---- */

static void assert_cannot_start(const struct wire_config *config, const char *message)
{
    struct wire_callbacks callbacks = {0};
    struct err err = {0};
    assert_null(wire_start(config, &callbacks, &err));
    assert_int_not_equal(err.code, ERR_OK);
    if (message)
        assert_string_equal(err.message, message);
}

static void test_cannot_start(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.port = server.port;
    char message[100];
    snprintf(message, sizeof message, "cannot listen on 127.0.0.1:%u: address already in use",
             server.port);
    assert_cannot_start(&config, message);

    config = server_config();
    config.host = "192.0.2.1"; /* for documentation: nobody has it */
    assert_cannot_start(&config, "cannot listen on 192.0.2.1:0: cannot assign requested address");
    config.host = "not a host";
    assert_cannot_start(&config, NULL);

    config = server_config();
    config.threads = 0;
    assert_cannot_start(&config, "threads must be 1 to 64");

    config = server_config();
    config.tls_cert_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_cannot_start(&config, "a TLS certificate and its key are needed, or neither");
    config.tls_key_pem = "not a key";
    assert_cannot_start(&config, NULL);
}

static void test_one_thread(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.threads = 1;
    server_start(&server, &config);
    assert_alive();
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_body_of_the_largest_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_announced_body_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal_survives_the_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chunked_body_past_the_limit, setup, teardown),
        cmocka_unit_test(test_large_bodies_share_a_limit),
        cmocka_unit_test_setup_teardown(test_ambiguous_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed_targets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test(test_idle_connection_is_closed),
        cmocka_unit_test(test_trickling_clients_are_dropped),
        cmocka_unit_test(test_waiting_has_no_time_limit),
        cmocka_unit_test(test_connections_past_the_limit),
        cmocka_unit_test_setup_teardown(test_cannot_start, setup, teardown),
        cmocka_unit_test(test_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
