/* Waiting, waking and stopping: every order of them, and no request freed too early, twice or not
 * at all (the sanitizers see to that). */
#include "client.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

static struct client_conn ask(const char *path)
{
    char text[100];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", path);
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, text);
    return conn;
}

static void hear(struct client_conn *conn, int status, const char *body)
{
    struct reply reply = client_hear(conn);
    assert_int_equal(reply.status, status);
    assert_string_equal(reply.body, body);
    reply_free(&reply);
}

/* ---- one request ---- */

static void test_woken_later(void **state)
{
    (void)state;
    struct client_conn conn = ask("/wait");
    struct http_request *waiter = server_take_waiter(&server);
    assert_int_equal(server_read(&server, &server.done), 0);
    wire_wake(waiter);
    hear(&conn, 200, "woken 1");
    server_await_done(&server, 1);
    client_close(&conn);
}

static void test_woken_inside_the_handler(void **state)
{
    (void)state;
    struct client_conn conn = ask("/early");
    hear(&conn, 200, "woken 1");
    client_close(&conn);
}

static void test_waits_again(void **state)
{
    (void)state;
    struct client_conn conn = ask("/wait3");
    for (int i = 0; i < 3; i++)
        wire_wake(server_take_waiter(&server));
    hear(&conn, 200, "woken 3");
    client_close(&conn);
}

/* What a pipelining client sends meanwhile is answered afterwards, in order. */
static void test_pipelined_behind_a_wait(void **state)
{
    (void)state;
    struct client_conn conn = ask("/wait");
    struct http_request *waiter = server_take_waiter(&server);
    client_say(&conn, "POST /next HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nnext");
    wire_wake(waiter);
    hear(&conn, 200, "woken 1");
    hear(&conn, 200, "next");
    client_close(&conn);
}

static void test_client_leaves_while_waiting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct client_conn conn = ask("/wait");
        struct http_request *waiter = server_take_waiter(&server);
        client_close(&conn);
        assert_int_equal(server_read(&server, &server.done), i);
        wire_wake(waiter);
        server_await_done(&server, i + 1);
    }
}

/* ---- many ---- */

enum { CLIENTS = 8, ROUNDS = 150 };

struct crowd {
    atomic_bool over;
    const char *path;
};

/* Wakes at once, so that many wakes come before the handler has returned. */
static void *wake_all(void *arg)
{
    struct crowd *crowd = arg;
    for (;;) {
        bool over = atomic_load(&crowd->over);
        struct http_request *waiter = server_try_take_waiter(&server);
        if (waiter)
            wire_wake(waiter);
        else if (over)
            return NULL;
        else
            sched_yield();
    }
}

static void *ask_in_rounds(void *arg)
{
    const struct crowd *crowd = arg;
    char text[100];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", crowd->path);
    struct client_conn conn = client_dial(server.port);
    uintptr_t heard = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct reply reply;
        if (conn.fd < 0 || !client_send(&conn, text, strlen(text)) ||
            !client_try_hear(&conn, false, &reply))
            break;
        heard += reply.status == 200;
        reply_free(&reply);
    }
    client_close(&conn);
    return (void *)heard;
}

static void test_a_crowd_is_woken(void **state)
{
    (void)state;
    struct crowd crowd = {.path = "/wait2"};
    pthread_t clients[CLIENTS], wakers[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&wakers[i], NULL, wake_all, &crowd), 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, ask_in_rounds, &crowd), 0);
    for (int i = 0; i < CLIENTS; i++) {
        void *heard;
        pthread_join(clients[i], &heard);
        assert_int_equal((uintptr_t)heard, ROUNDS);
    }
    atomic_store(&crowd.over, true);
    for (int i = 0; i < 2; i++)
        pthread_join(wakers[i], NULL);
    server_await_done(&server, CLIENTS * ROUNDS);
    assert_int_equal(server.calls, 3 * CLIENTS * ROUNDS);
}

/* ---- stopping ---- */

/* Called once more, answered, and yet not over before its wake has come. */
static void test_quiesce_while_waiting(void **state)
{
    (void)state;
    server_start(&server, NULL);
    struct client_conn conn = ask("/wait");
    struct http_request *waiter = server_take_waiter(&server);
    wire_quiesce(server.wire);
    struct reply reply = client_hear(&conn);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply.body, "stopping");
    char value[256];
    assert_string_equal(reply_header(&reply, "Connection", value), "close");
    reply_free(&reply);
    client_hear_end(&conn);
    client_close(&conn);
    assert_int_equal(server_read(&server, &server.calls), 2);
    assert_int_equal(server_read(&server, &server.done), 0);
    assert_string_equal(waiter->target, "/wait");
    assert_string_equal(waiter->body, "hi");
    assert_string_equal(waiter->peer, "127.0.0.1");
    wire_wake(waiter);
    server_await_done(&server, 1);
    server_stop(&server);
}

static void test_stop_without_a_wake(void **state)
{
    (void)state;
    server_start(&server, NULL);
    struct client_conn conns[10];
    for (int i = 0; i < 10; i++) {
        conns[i] = ask("/wait");
        server_take_waiter(&server);
    }
    server_stop(&server); /* checks that all were over */
    for (int i = 0; i < 10; i++) {
        hear(&conns[i], 503, "stopping");
        client_close(&conns[i]);
    }
}

/* A handler that still answers HTTP_WAIT when it may not. */
static void test_waiting_is_not_obeyed_while_stopping(void **state)
{
    (void)state;
    server_start(&server, NULL);
    struct client_conn conn = ask("/stubborn"), later = client_dial(server.port);
    client_say(&later, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); /* so that it is surely accepted */
    struct reply reply = client_hear(&later);
    reply_free(&reply);
    server_take_waiter(&server);
    wire_quiesce(server.wire);
    struct client_conn *conns[] = {&conn, &later};
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            client_say(&later, "GET /stubborn HTTP/1.1\r\nHost: h\r\n\r\n");
        reply = client_hear(conns[i]);
        assert_int_equal(reply.status, 503);
        assert_non_null(strstr(reply.body, "ServiceUnavailable"));
        reply_free(&reply);
        client_close(conns[i]);
    }
    server_stop(&server);
}

static void test_quiesced_port_is_closed(void **state)
{
    (void)state;
    server_start(&server, NULL);
    struct client_conn open = client_dial(server.port);
    client_say(&open, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    hear(&open, 200, "");
    wire_quiesce(server.wire);
    wire_quiesce(server.wire);
    struct client_conn refused = client_dial(server.port);
    assert_int_equal(refused.fd, -1);
    client_say(&open, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    hear(&open, 200, "");
    client_hear_end(&open);
    client_close(&open);
    server_stop(&server);
}

static void *stop_wire(void *arg)
{
    wire_stop(server.wire);
    return arg;
}

/* An answer on its way is sent before the connections are closed. */
static void test_stop_lets_answers_out(void **state)
{
    (void)state;
    server_start(&server, NULL);
    struct client_conn conn = client_dial(server.port);
    client_say(&conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\nGET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    wire_wake(server_take_waiter(&server));
    hear(&conn, 200, "woken 1");
    char first;
    assert_int_equal(recv(conn.fd, &first, 1, MSG_PEEK), 1); /* /big is on its way */
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_wire, NULL), 0);
    struct reply reply = client_hear(&conn);
    assert_int_equal(reply.body_len, BIG_BYTES);
    reply_free(&reply);
    client_close(&conn);
    pthread_join(stopper, NULL);
    server_release(&server);
}

/* Clients, wakers and the stop all at once, at a different moment each time. */
static void test_stop_in_a_crowd(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 30; round++) {
        server_start(&server, NULL);
        struct crowd crowd = {.path = round % 3 ? "/wait" : "/"};
        pthread_t clients[CLIENTS], waker;
        assert_int_equal(pthread_create(&waker, NULL, wake_all, &crowd), 0);
        for (int i = 0; i < CLIENTS; i++)
            assert_int_equal(pthread_create(&clients[i], NULL, ask_in_rounds, &crowd), 0);
        while (server_read(&server, &server.calls) < round * 8)
            sched_yield();
        wire_quiesce(server.wire);
        atomic_store(&crowd.over, true);
        pthread_join(waker, NULL);
        server_stop(&server);
        for (int i = 0; i < CLIENTS; i++)
            pthread_join(clients[i], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_woken_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_woken_inside_the_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waits_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined_behind_a_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_leaves_while_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_crowd_is_woken, setup, teardown),
        cmocka_unit_test(test_quiesce_while_waiting),
        cmocka_unit_test(test_stop_without_a_wake),
        cmocka_unit_test(test_waiting_is_not_obeyed_while_stopping),
        cmocka_unit_test(test_quiesced_port_is_closed),
        cmocka_unit_test(test_stop_lets_answers_out),
        cmocka_unit_test(test_stop_in_a_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
