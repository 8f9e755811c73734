/* Clients that close, wholly or only what they send: their places are free again long before any time limit,
 * and who sent whole requests gets every answer. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

enum { LEAVERS = 200 };

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

static struct client_conn half_closed(const char *text)
{
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, text);
    assert_int_equal(shutdown(conn.fd, SHUT_WR), 0);
    return conn;
}

/* What a client sends and its end may come as one event. */
static void test_who_leaves_in_the_middle_holds_no_place(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "G",
        "GET / HTTP/1.1\r\nHost",
        "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (int k = 0; k < LEAVERS; k++) {
            struct client_conn conn = client_dial(server.port);
            client_say(&conn, parts[i]);
            client_close(&conn);
        }
        server_await_connections(&server, 0);
    }
}

static void test_half_a_request_and_half_a_close(void **state)
{
    (void)state;
    static struct client_conn conns[LEAVERS];
    for (int i = 0; i < LEAVERS; i++)
        conns[i] = half_closed("GET / HTTP/1.1\r\nHost");
    server_await_connections(&server, 0);
    for (int i = 0; i < LEAVERS; i++) {
        client_hear_end(&conns[i]);
        client_close(&conns[i]);
    }
}

static void hear_ok(struct client_conn *conn, size_t len)
{
    struct reply reply = client_hear(conn);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, len);
    reply_free(&reply);
}

static void test_whole_requests_are_answered_behind_half_a_close(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct client_conn conn =
            half_closed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
                        "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        hear_ok(&conn, 5);
        hear_ok(&conn, 0);
        client_hear_end(&conn);
        client_close(&conn);
    }
    server_await_connections(&server, 0);
}

/* The first answer does not fit into the socket, so what is behind it is read late. */
static void test_a_long_answer_behind_half_a_close(void **state)
{
    (void)state;
    struct client_conn conn =
        half_closed("GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost");
    hear_ok(&conn, BIG_BYTES);
    client_hear_end(&conn);
    client_close(&conn);
    server_await_connections(&server, 0);
}

static void test_who_left_while_it_waited(void **state)
{
    (void)state;
    struct client_conn conn =
        half_closed("GET /wait HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n");
    struct http_request *waiter = server_take_waiter(&server);
    client_close(&conn);
    wire_wake(waiter);
    server_await_connections(&server, 0);
    server_await_done(&server, 1);
}

/* Who has come and says nothing yet, or is between two requests, is no such client. */
static void test_who_is_still_there_stays(void **state)
{
    (void)state;
    struct client_conn silent = client_dial(server.port), half = client_dial(server.port);
    client_say(&half, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
    struct client_conn gone = half_closed("GET / HT");
    client_hear_end(&gone);
    client_close(&gone);
    server_await_connections(&server, 2);
    client_say(&half, "lo");
    hear_ok(&half, 5);
    client_say(&half, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    hear_ok(&half, 0);
    client_say(&silent, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    hear_ok(&silent, 0);
    client_close(&silent);
    client_close(&half);
    server_await_connections(&server, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_leaves_in_the_middle_holds_no_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_half_a_request_and_half_a_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_requests_are_answered_behind_half_a_close, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_long_answer_behind_half_a_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_left_while_it_waited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_is_still_there_stays, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
