/*
 * A client of raw bytes, and a wire to talk to: what the tests of the wire share.
 *
 * Everything here fails the running test when it goes wrong; reads give up after CLIENT_PATIENCE_S,
 * which only a broken wire ever reaches.
 */
#pragma once

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cmocka wants these before itself */
#include <setjmp.h>

#include <cmocka.h>

#include "wire/wire.h"

enum { CLIENT_PATIENCE_S = 60 };

/* ---- client ---- */

struct client_conn {
    int fd;
    char *bytes; /* read and not yet consumed */
    size_t len, cap;
};

struct reply {
    int status;
    char *head; /* status line and headers */
    char *body;
    size_t body_len;
};

struct client_conn client_dial(uint16_t port);
void client_close(struct client_conn *conn);
/* False when the other side has closed. */
bool client_send(struct client_conn *conn, const void *data, size_t len);
void client_say(struct client_conn *conn, const char *text);
/* Reads one answer; false when the connection ended before one was whole. `head_only`: the answer
 * has no body whatever it says. */
bool client_try_hear(struct client_conn *conn, bool head_only, struct reply *ret);
struct reply client_hear(struct client_conn *conn);
/* The other side closes without another byte. */
void client_hear_end(struct client_conn *conn);
/* The other side closes, whatever it says before. */
void client_drop_to_end(struct client_conn *conn);
/* Writes `bytes` one at a time, `ms` apart, until they are out or the other side has closed. */
bool client_trickle(struct client_conn *conn, const char *bytes, int ms);
void reply_free(struct reply *reply);
/* Value of an answer's header in `value`, "" when absent. */
const char *reply_header(const struct reply *reply, const char *name, char value[static 256]);
/* Dials, says, hears, closes. */
struct reply client_ask(uint16_t port, const char *text);

/* ---- server ---- */

/*
 * Paths: /wait answers HTTP_WAIT until it was woken as often as its digit says ("/wait2"; none: 1);
 * /early is woken before its handler returns; /stubborn waits whatever comes; /big answers with
 * BIG_BYTES; /empty with 204; /odd with headers that cannot be sent; /over with too large a body;
 * everything else echoes its body, with X-Method, X-Target, X-Peer, X-Count and X-Thing.
 */
enum { BIG_BYTES = 8 << 20, WAITERS_MAX = 4096 };

struct server {
    struct wire *wire;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_request *waiters[WAITERS_MAX]; /* answered HTTP_WAIT, not yet taken to be woken */
    size_t waiter_count;
    unsigned calls, requests, done, refused, wakes;
    enum err_code last_refusal;
    unsigned answered, bad_times, last_kind; /* as `answered` was told */
    int last_status;
};

struct wire_config server_config(void);
/* NULL: server_config(). */
void server_start(struct server *server, const struct wire_config *config);
/* Stops the wire and checks that every request was over exactly once. */
void server_stop(struct server *server);
/* The same, of a wire that was stopped already. */
void server_release(struct server *server);
/* Awaits a request that waits, and takes it. */
struct http_request *server_take_waiter(struct server *server);
/* NULL when none waits just now. */
struct http_request *server_try_take_waiter(struct server *server);
void server_await_done(struct server *server, unsigned done);
/* Until so many are open: far sooner than any time limit of server_config() closes one. */
void server_await_connections(struct server *server, unsigned count);
unsigned server_read(struct server *server, const unsigned *counter);
