/* Streaming answers: pulled, paused, woken, left by their clients, and ended by a stop. */
#include "client.h"

#include <assert.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

/*
 * The source counts: a stream sends every number up to `limit`, a line each, and pauses there, or
 * ends when `is_closed`. Paths: /count; /tick says "tick" after each pause of 20 ms; /flood never
 * pauses and never ends; /cut says 7 and is cut off.
 */
struct source {
    struct wire *wire;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct list open; /* struct tap, by node: pulled at least once, not done */
    long limit;
    bool is_closed;
    unsigned open_count, done, told_to_stop;
    size_t pulled_bytes;
};

struct tap {
    struct list node;
    struct http_request *request;
    struct source *source;
    long next;
};

static struct source source;

static enum http_more pull(struct http_request *request, struct buf *out, int64_t *ret_pause_ms)
{
    struct tap *tap = request->state;
    enum http_more more = HTTP_PAUSE;
    assert(out->len == 0);
    pthread_mutex_lock(&source.lock);
    if (!list_is_linked(&tap->node)) {
        list_append(&source.open, &tap->node);
        source.open_count++;
        pthread_cond_broadcast(&source.changed);
    }
    source.told_to_stop += request->shutting_down;
    if (strcmp(request->target, "/flood") == 0) {
        memset(buf_reserve(out, HTTP_PULL_BYTES), 'f', HTTP_PULL_BYTES);
        buf_used(out, HTTP_PULL_BYTES);
        more = HTTP_MORE;
    } else if (strcmp(request->target, "/cut") == 0) {
        buf_puts(out, tap->next++ ? "" : "7\n");
        more = out->len ? HTTP_MORE : HTTP_CUT;
    } else if (strcmp(request->target, "/tick") == 0) {
        if (tap->next++)
            buf_puts(out, "tick\n");
        *ret_pause_ms = 20;
    } else {
        while (tap->next < source.limit && out->len < HTTP_PULL_BYTES)
            buf_printf(out, "%ld\n", tap->next++);
        if (tap->next < source.limit)
            more = HTTP_MORE;
        else if (source.is_closed)
            more = HTTP_END;
    }
    source.pulled_bytes += out->len;
    pthread_mutex_unlock(&source.lock);
    return more;
}

static enum http_verdict handle(void *context, struct http_request *request,
                                struct http_response *response)
{
    (void)context;
    struct tap *tap = ARENA_NEW(&request->arena, struct tap);
    tap->request = request;
    request->state = tap;
    response->status = 200;
    if (strcmp(request->target, "/plain") == 0)
        buf_puts(&response->body, "plain");
    else
        response->pull = pull;
    return HTTP_DONE;
}

static void on_done(void *context, struct http_request *request)
{
    (void)context;
    struct tap *tap = request->state;
    pthread_mutex_lock(&source.lock);
    if (list_is_linked(&tap->node))
        source.open_count--;
    list_remove(&tap->node);
    source.done++;
    pthread_cond_broadcast(&source.changed);
    pthread_mutex_unlock(&source.lock);
}

static void start(unsigned request_timeout_s)
{
    struct wire_config config = server_config();
    struct err err = {0};
    if (request_timeout_s)
        config.request_timeout_s = request_timeout_s;
    source = (struct source){0};
    list_init(&source.open);
    pthread_mutex_init(&source.lock, NULL);
    pthread_cond_init(&source.changed, NULL);
    const struct wire_callbacks callbacks = {handle, on_done, NULL, NULL, NULL};
    source.wire = wire_start(&config, &callbacks, &err);
    assert_non_null(source.wire);
    source.port = wire_port(source.wire);
}

static int setup(void **state)
{
    (void)state;
    start(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wire_stop(source.wire);
    assert_int_equal(source.open_count, 0);
    pthread_cond_destroy(&source.changed);
    pthread_mutex_destroy(&source.lock);
    return 0;
}

/* Under the source's lock. */
static void wake_all(void)
{
    LIST_EACH (&source.open, node)
        wire_wake(LIST_ITEM(node, struct tap, node)->request);
}

static void raise_limit(long by, bool close)
{
    pthread_mutex_lock(&source.lock);
    source.limit += by;
    source.is_closed = close;
    wake_all();
    pthread_mutex_unlock(&source.lock);
}

/* Until `*counter` is `value`. */
static void await(const unsigned *counter, unsigned value)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLIENT_PATIENCE_S;
    pthread_mutex_lock(&source.lock);
    while (*counter != value)
        assert_int_equal(pthread_cond_timedwait(&source.changed, &source.lock, &until), 0);
    pthread_mutex_unlock(&source.lock);
}

static struct client_conn ask(const char *method, const char *path)
{
    char text[100];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, path);
    struct client_conn conn = client_dial(source.port);
    client_say(&conn, text);
    return conn;
}

/* ---- the client's side of chunks ---- */

struct chunks {
    FILE *in;
    size_t left; /* of the chunk that is being read */
    bool is_over;
};

static struct chunks chunks_of(const struct client_conn *conn)
{
    char line[512];
    struct chunks chunks = {.in = fdopen(dup(conn->fd), "r")};
    bool chunked = false;
    assert_non_null(chunks.in);
    do {
        assert_non_null(fgets(line, sizeof line, chunks.in));
        chunked |= strcmp(line, "Transfer-Encoding: chunked\r\n") == 0;
    } while (strcmp(line, "\r\n") != 0);
    assert_true(chunked);
    return chunks;
}

/* One byte of the body; -1 at its end, which must be a proper one. */
static int next_byte(struct chunks *chunks)
{
    char line[64];
    if (chunks->is_over)
        return -1;
    if (!chunks->left) {
        if (!fgets(line, sizeof line, chunks->in))
            return -2; /* cut off */
        chunks->left = strtoul(line, NULL, 16);
        if (!chunks->left) {
            assert_non_null(fgets(line, sizeof line, chunks->in));
            chunks->is_over = true;
            return -1;
        }
    }
    int byte = fgetc(chunks->in);
    if (byte == EOF)
        return -2;
    if (--chunks->left == 0) {
        fgetc(chunks->in);
        fgetc(chunks->in);
    }
    return byte;
}

static long next_number(struct chunks *chunks)
{
    char text[32];
    size_t len = 0;
    int byte;
    while ((byte = next_byte(chunks)) >= 0 && byte != '\n' && len < sizeof text - 1)
        text[len++] = (char)byte;
    text[len] = '\0';
    return byte < 0 ? byte : strtol(text, NULL, 10);
}

/* ---- one stream ---- */

static void test_what_comes_later_is_sent_then(void **state)
{
    (void)state;
    struct client_conn conn = ask("GET", "/count");
    struct chunks chunks = chunks_of(&conn);
    await(&source.open_count, 1);
    for (long n = 0; n < 2000; n++) {
        raise_limit(1, false);
        assert_int_equal(next_number(&chunks), n);
    }
    raise_limit(50000, true); /* more than a pull holds */
    for (long n = 2000; n < 52000; n++)
        assert_int_equal(next_number(&chunks), n);
    assert_int_equal(next_number(&chunks), -1);
    await(&source.done, 1);
    client_say(&conn, "GET /plain HTTP/1.1\r\nHost: h\r\n\r\n"); /* the connection goes on */
    char line[64];
    assert_non_null(fgets(line, sizeof line, chunks.in));
    assert_string_equal(line, "HTTP/1.1 200 OK\r\n");
    fclose(chunks.in);
    client_close(&conn);
}

static void test_a_pause_ends_by_itself(void **state)
{
    (void)state;
    struct client_conn conn = ask("GET", "/tick");
    struct chunks chunks = chunks_of(&conn);
    for (int i = 0; i < 20; i++)
        assert_int_equal(next_byte(&chunks), "tick\n"[i % 5]);
    fclose(chunks.in);
    client_close(&conn);
    await(&source.done, 1);
}

static void test_what_is_not_whole_has_no_end(void **state)
{
    (void)state;
    struct client_conn conn = ask("GET", "/cut");
    struct chunks chunks = chunks_of(&conn);
    assert_int_equal(next_number(&chunks), 7);
    assert_int_equal(next_number(&chunks), -2);
    await(&source.done, 1);
    fclose(chunks.in);
    client_close(&conn);
}

static void test_head_and_http_1_0(void **state)
{
    (void)state;
    struct client_conn conn = ask("HEAD", "/count");
    struct reply reply;
    assert_true(client_try_hear(&conn, true, &reply));
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    client_say(&conn, "HEAD /count HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_try_hear(&conn, true, &reply)); /* nothing of a body lies in between */
    assert_int_equal(reply.status, 200);
    reply_free(&reply);
    client_close(&conn);
    raise_limit(3, true);
    conn = client_dial(source.port);
    client_say(&conn, "GET /count HTTP/1.0\r\n\r\n");
    assert_true(client_try_hear(&conn, true, &reply));
    reply_free(&reply);
    char body[16] = "";
    size_t len = conn.len < sizeof body ? conn.len : sizeof body - 1;
    if (len)
        memcpy(body, conn.bytes, len);
    ssize_t got;
    while ((got = recv(conn.fd, body + len, sizeof body - 1 - len, 0)) > 0)
        len += (size_t)got;
    assert_string_equal(body, "0\n1\n2\n");
    client_close(&conn);
    await(&source.done, 3);
}

/* ---- clients that go, and clients that do not take ---- */

static void test_a_client_that_leaves_is_noticed_at_once(void **state)
{
    (void)state;
    enum { LEAVERS = 300 };
    static struct client_conn conns[LEAVERS];
    for (unsigned i = 0; i < LEAVERS; i++)
        conns[i] = ask("GET", "/count");
    await(&source.open_count, LEAVERS);
    for (unsigned i = 0; i < LEAVERS; i++)
        client_close(&conns[i]); /* no wake, no data, no pause to run out */
    await(&source.done, LEAVERS);
}

static void test_a_client_that_takes_nothing_holds_little_and_is_cut_off(void **state)
{
    (void)state;
    start(1); /* second per piece, and what WIRE_MIN_SEND_RATE adds */
    struct client_conn conn = client_dial(source.port);
    client_say(&conn, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
    await(&source.open_count, 1);
    await(&source.done, 1);
    assert_in_range(source.pulled_bytes, HTTP_PULL_BYTES, 16 << 20);
    client_close(&conn);
    teardown(NULL);
}

/* ---- many ---- */

enum { CROWD = 40, CROWD_NUMBERS = 4000 };

static void *hear_all(void *arg)
{
    (void)arg;
    struct client_conn conn = ask("GET", "/count");
    struct chunks chunks = chunks_of(&conn);
    uintptr_t heard = 0;
    while (next_number(&chunks) == (long)heard)
        heard++;
    bool whole = chunks.is_over;
    fclose(chunks.in);
    client_close(&conn);
    return (void *)(whole ? heard : 0);
}

static void *leave_early(void *arg)
{
    (void)arg;
    for (int i = 0; i < 60; i++) {
        struct client_conn conn = ask("GET", "/count");
        if (i % 2) {
            struct chunks chunks = chunks_of(&conn);
            (void)next_number(&chunks);
            fclose(chunks.in);
        }
        client_close(&conn);
    }
    return NULL;
}

/* Wakes rain on streams that start, pause, flow and vanish; each number comes to each once. */
static void test_a_crowd_hears_everything_once(void **state)
{
    (void)state;
    pthread_t crowd[CROWD], leavers[2];
    raise_limit(1, false);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&crowd[i], NULL, hear_all, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&leavers[i], NULL, leave_early, NULL), 0);
    for (int i = 0; i < CROWD_NUMBERS; i++) {
        raise_limit(1, false);
        if (i % 16 == 0)
            sched_yield();
    }
    for (int i = 0; i < 2; i++)
        pthread_join(leavers[i], NULL);
    raise_limit(0, true);
    for (int i = 0; i < CROWD; i++) {
        void *heard;
        pthread_join(crowd[i], &heard);
        assert_int_equal((uintptr_t)heard, CROWD_NUMBERS + 1);
    }
    await(&source.done, CROWD + 120);
}

/* ---- stopping ---- */

static void test_a_stop_ends_them_properly(void **state)
{
    (void)state;
    enum { STREAMS = 20 };
    struct client_conn conns[STREAMS];
    start(0);
    raise_limit(5, false);
    for (int i = 0; i < STREAMS; i++)
        conns[i] = ask("GET", "/count");
    await(&source.open_count, STREAMS);
    wire_quiesce(source.wire);
    for (int i = 0; i < STREAMS; i++) {
        struct chunks chunks = chunks_of(&conns[i]);
        for (long n = 0; n < 5; n++)
            assert_int_equal(next_number(&chunks), n);
        assert_int_equal(next_number(&chunks), -1);
        fclose(chunks.in);
        client_close(&conns[i]);
    }
    await(&source.done, STREAMS);
    assert_true(source.told_to_stop >= STREAMS);
    teardown(NULL);
}

static void test_a_stop_does_not_wait_for_who_takes_nothing(void **state)
{
    (void)state;
    struct timespec before, after;
    start(0);
    struct client_conn conn = client_dial(source.port);
    client_say(&conn, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
    await(&source.open_count, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    teardown(NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <= WIRE_STOP_GRACE_MS / 1000 + 2);
    client_close(&conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_comes_later_is_sent_then, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_pause_ends_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_whole_has_no_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_and_http_1_0, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_leaves_is_noticed_at_once, setup,
                                        teardown),
        cmocka_unit_test(test_a_client_that_takes_nothing_holds_little_and_is_cut_off),
        cmocka_unit_test_setup_teardown(test_a_crowd_hears_everything_once, setup, teardown),
        cmocka_unit_test(test_a_stop_ends_them_properly),
        cmocka_unit_test(test_a_stop_does_not_wait_for_who_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
