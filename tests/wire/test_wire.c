/* Requests and answers: what goes in comes out, byte for byte. */
#include "client.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

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

static void assert_header(const struct reply *reply, const char *name, const char *expected)
{
    char value[256];
    assert_string_equal(reply_header(reply, name, value), expected);
}

static void test_target_is_raw(void **state)
{
    (void)state;
    struct reply reply =
        client_ask(server.port, "BREW /a%2Fb/%zz//../c?x=%20+&y=%3D?# HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "X-Method", "BREW");
    assert_header(&reply, "X-Target", "/a%2Fb/%zz//../c?x=%20+&y=%3D?#");
    assert_header(&reply, "X-Peer", "127.0.0.1");
    char date[256];
    assert_int_equal(strlen(reply_header(&reply, "Date", date)), 29);
    reply_free(&reply);
}

static void test_headers(void **state)
{
    (void)state;
    struct reply reply = client_ask(server.port, "GET / HTTP/1.1\r\nHost: h\r\nX-Thing: one\r\n"
                                                 "x-tHING: two\r\nX-Things: no\r\n\r\n");
    assert_header(&reply, "X-Count", "2");
    assert_header(&reply, "X-Thing", "one");
    reply_free(&reply);
    reply = client_ask(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_header(&reply, "X-Count", "0");
    assert_header(&reply, "X-Thing", "");
    reply_free(&reply);
}

static void test_body_on_any_method(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"};
    struct client_conn conn = client_dial(server.port);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        char text[200];
        snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
                 methods[i]);
        client_say(&conn, text);
        struct reply reply = client_hear(&conn);
        assert_string_equal(reply.body, "hello");
        assert_header(&reply, "X-Method", methods[i]);
        reply_free(&reply);
    }
    client_close(&conn);
}

static void test_chunked_body(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"
                      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    struct reply reply = client_hear(&conn);
    assert_string_equal(reply.body, "abcd");
    reply_free(&reply);
    reply = client_hear(&conn);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    reply_free(&reply);
    client_close(&conn);
}

/* A request keeps nothing of the one before it on the same connection. */
static void test_reused_connection_is_clean(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    for (int i = 0; i < 3; i++) {
        client_say(&conn, "POST /x HTTP/1.1\r\nHost: h\r\nX-Thing: t\r\nContent-Length: 3\r\n\r\n"
                          "abc");
        struct reply reply = client_hear(&conn);
        assert_string_equal(reply.body, "abc");
        reply_free(&reply);
        client_say(&conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        reply = client_hear(&conn);
        assert_int_equal(reply.body_len, 0);
        assert_header(&reply, "X-Target", "/");
        assert_header(&reply, "X-Thing", "");
        reply_free(&reply);
    }
    client_close(&conn);
    server_await_done(&server, 6);
}

static void test_head_has_length_and_no_body(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "HEAD /big HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply;
    assert_true(client_try_hear(&conn, true, &reply));
    char length[256];
    assert_int_equal(strtol(reply_header(&reply, "Content-Length", length), NULL, 10), BIG_BYTES);
    reply_free(&reply);
    client_say(&conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    reply = client_hear(&conn);
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    client_close(&conn);
}

static void test_big_and_empty_answers(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_hear(&conn);
    assert_int_equal(reply.body_len, BIG_BYTES);
    assert_int_equal(strspn(reply.body, "b"), BIG_BYTES);
    reply_free(&reply);
    reply = client_hear(&conn);
    assert_int_equal(reply.status, 204);
    assert_header(&reply, "Content-Length", "");
    reply_free(&reply);
    client_close(&conn);
}

static void test_continue(void **state)
{
    (void)state;
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                      "Content-Length: 5\r\n\r\n");
    struct reply reply = client_hear(&conn);
    assert_int_equal(reply.status, 100);
    reply_free(&reply);
    client_say(&conn, "hello");
    reply = client_hear(&conn);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "hello");
    reply_free(&reply);
    client_close(&conn);
}

static void test_pipelined(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct client_conn conn = client_dial(server.port);
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < COUNT; i++)
        buf_printf(&text, "POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n%04d", i, i);
    assert_true(client_send(&conn, text.data, text.len));
    for (int i = 0; i < COUNT; i++) {
        struct reply reply = client_hear(&conn);
        assert_int_equal(strtol(reply.body, NULL, 10), i);
        reply_free(&reply);
    }
    buf_release(&text);
    client_close(&conn);
}

static void test_when_connections_close(void **state)
{
    (void)state;
    static const char *const closing[] = {
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(closing); i++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, closing[i]);
        struct reply reply = client_hear(&conn);
        assert_int_equal(reply.status, 200);
        reply_free(&reply);
        client_hear_end(&conn);
        client_close(&conn);
    }
}

static void test_answers_that_cannot_be_sent(void **state)
{
    (void)state;
    struct reply reply = client_ask(server.port, "GET /odd HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "X-Odd", "");
    assert_header(&reply, "X-Forged", "");
    assert_header(&reply, "X-Good", "c");
    reply_free(&reply);
    reply = client_ask(server.port, "GET /over HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 500);
    assert_non_null(strstr(reply.body, "InternalServerError"));
    reply_free(&reply);
}

/* Every answer is told once before its client has it: the handler's, and the wire's own. */
static void test_answers_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } asked[] = {
        {"GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", 204},
        {"GET /over HTTP/1.1\r\nHost: h\r\n\r\n", 500},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n", 413},
    };
    for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
        struct reply reply = client_ask(server.port, asked[i].text);
        assert_int_equal(reply.status, asked[i].status);
        reply_free(&reply);
        pthread_mutex_lock(&server.lock);
        assert_int_equal(server.answered, i + 1);
        assert_int_equal(server.last_status, asked[i].status);
        assert_int_equal(server.last_kind, 0);
        assert_int_equal(server.bad_times, 0);
        pthread_mutex_unlock(&server.lock);
    }
}

static void test_client_leaves_in_the_middle(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "",
        "GE",
        "GET / HTTP/1.1\r\nHo",
        "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "GET /big HTTP/1.1\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct client_conn conn = client_dial(server.port);
        client_say(&conn, parts[i]);
        client_close(&conn);
    }
    struct reply reply = client_ask(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
}

static void test_a_thousand_connections(void **state)
{
    (void)state;
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    size_t count = 1000;
    if (files.rlim_cur < 2 * count + 50) {
        print_message("only %lu descriptors: fewer connections\n", (unsigned long)files.rlim_cur);
        count = (size_t)files.rlim_cur / 2 - 50;
    }
    struct client_conn *conns = xcalloc(count, sizeof *conns);
    for (size_t i = 0; i < count; i++) {
        conns[i] = client_dial(server.port);
        client_say(&conns[i], "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
    }
    for (size_t i = 0; i < count; i++) {
        client_say(&conns[i], "lo");
        struct reply reply = client_hear(&conns[i]);
        assert_string_equal(reply.body, "hello");
        reply_free(&reply);
    }
    for (size_t i = 0; i < count; i++)
        client_close(&conns[i]);
    free(conns);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct wire_config config = server_config();
    config.host = "::1";
    struct wire_callbacks callbacks = {0};
    struct err err = {0};
    struct wire *wire = wire_start(&config, &callbacks, &err);
    if (!wire) {
        print_message("skipped: %s\n", err.message);
        skip();
    }
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(wire_port(wire))};
    address.sin6_addr = in6addr_loopback;
    struct client_conn conn = {.fd = socket(AF_INET6, SOCK_STREAM, 0)};
    assert_int_equal(connect(conn.fd, (struct sockaddr *)&address, sizeof address), 0);
    /* Refused before any handler is needed, without a callback to word it. */
    client_say(&conn, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n");
    struct reply reply = client_hear(&conn);
    assert_int_equal(reply.status, 400);
    reply_free(&reply);
    client_close(&conn);
    wire_stop(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_target_is_raw, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_body_on_any_method, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chunked_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reused_connection_is_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_has_length_and_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_big_and_empty_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_continue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
        cmocka_unit_test_setup_teardown(test_when_connections_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_that_cannot_be_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_leaves_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_thousand_connections, setup, teardown),
        cmocka_unit_test(test_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
