#include <assert.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/private.h"

/* Pauses end on whole seconds (short ones when they are over): the door gets up once for many. */
enum { PAUSE_GRID_MS = 1000, BLOCK_BYTES = 1024 };

/* ---- pausing and waking ---- */

static void resume(struct exchange *exchange)
{
    list_remove(&exchange->node);
    exchange->phase = FLOWING;
    /* Under the lock, so that wire_stop cannot free libmicrohttpd's half in the middle. */
    MHD_resume_connection(exchange->connection);
}

static int64_t pause_end(int64_t pause_ms)
{
    if (pause_ms <= 0)
        return NO_DEADLINE;
    int64_t end = wire_clock_ms() + pause_ms;
    return pause_ms < PAUSE_GRID_MS ? end : (end / PAUSE_GRID_MS + 1) * PAUSE_GRID_MS;
}

enum after_pull { PULL_AGAIN, PULL_SUSPENDED, OVER };

static enum after_pull settle_pull(struct exchange *exchange, int64_t pause_ms)
{
    struct wire *wire = exchange->wire;
    struct stream *stream = &exchange->stream;
    enum after_pull next = PULL_AGAIN;
    pthread_mutex_lock(&wire->lock);
    if (exchange->client->is_gone) {
        next = OVER;
    } else if (exchange->phase == NUDGED) {
        exchange->phase = FLOWING;
    } else if (!atomic_load(&wire->stopping)) {
        exchange->phase = PAUSED;
        atomic_store_explicit(&exchange->client->deadline_ms, NO_DEADLINE, memory_order_relaxed);
        stream->until_ms = pause_end(pause_ms);
        if (stream->until_ms < wire->door.pause_ms)
            wire->door.pause_ms = stream->until_ms;
        if (stream->until_ms < wire->door.sleep_ms)
            door_ring(wire);
        list_append(&wire->paused, &exchange->node);
        MHD_suspend_connection(exchange->connection);
        next = PULL_SUSPENDED;
    } else if (exchange->request.shutting_down) {
        next = OVER; /* it was told */
    }
    pthread_mutex_unlock(&wire->lock);
    return next;
}

void stream_wake(struct exchange *exchange)
{
    struct wire *wire = exchange->wire;
    if (exchange->phase == FLOWING)
        exchange->phase = NUDGED;
    if (exchange->phase != PAUSED)
        return;
    if (list_is_empty(&wire->roused))
        door_ring(wire);
    exchange->phase = ROUSED;
    list_remove(&exchange->node);
    list_append(&wire->roused, &exchange->node);
}

/* ---- the door's part ---- */

void stream_leave(struct exchange *exchange)
{
    if (exchange->phase == PAUSED || exchange->phase == ROUSED)
        resume(exchange);
}

static bool tend_roused(struct wire *wire)
{
    int count = 0;
    LIST_EACH_SAFE (&wire->roused, node) {
        if (count++ == DOOR_ROUND)
            return true;
        resume(LIST_ITEM(node, struct exchange, node));
    }
    return false;
}

static void tend_paused(struct wire *wire, int64_t now)
{
    if (now < wire->door.pause_ms)
        return;
    wire->door.pause_ms = NO_DEADLINE;
    LIST_EACH_SAFE (&wire->paused, node) {
        struct exchange *exchange = LIST_ITEM(node, struct exchange, node);
        if (exchange->stream.until_ms <= now) {
            exchange->phase = ROUSED;
            list_remove(node);
            list_append(&wire->roused, node);
        } else if (exchange->stream.until_ms < wire->door.pause_ms) {
            wire->door.pause_ms = exchange->stream.until_ms;
        }
    }
}

bool stream_tend(struct wire *wire, int64_t now)
{
    tend_paused(wire, now);
    return tend_roused(wire);
}

void stream_stop_all(struct wire *wire)
{
    LIST_EACH_SAFE (&wire->paused, paused)
        resume(LIST_ITEM(paused, struct exchange, node));
    LIST_EACH_SAFE (&wire->roused, roused)
        resume(LIST_ITEM(roused, struct exchange, node));
}

/* ---- the answer ---- */

/* Pulls until there is something to send. False: the source has nothing yet, and the connection is
 * suspended until it is woken. */
static bool fill(struct exchange *exchange)
{
    struct stream *stream = &exchange->stream;
    stream->sent = 0;
    buf_clear(&stream->out);
    while (!stream->out.len && !stream->is_last) {
        int64_t pause_ms = 0;
        exchange->request.shutting_down = atomic_load(&exchange->wire->stopping);
        enum http_more more = stream->pull(&exchange->request, &stream->out, &pause_ms);
        stream->is_cut = more == HTTP_CUT;
        stream->is_last = more == HTTP_END || more == HTTP_CUT;
        if (more != HTTP_PAUSE || stream->out.len)
            continue;
        buf_release(&stream->out);
        buf_init(&stream->out, WIRE_MAX_PULL_BYTES);
        switch (settle_pull(exchange, pause_ms)) {
        case PULL_AGAIN:
            continue;
        case PULL_SUSPENDED:
            return false; /* the exchange may be anybody's by now */
        case OVER:
            stream->is_last = true;
        }
    }
    return true;
}

static ssize_t read_stream(void *cls, uint64_t position, char *room, size_t max)
{
    (void)position;
    struct exchange *exchange = cls;
    struct stream *stream = &exchange->stream;
    if (stream->sent == stream->out.len && !fill(exchange))
        return 0;
    if (stream->out.overflowed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t left = stream->out.len - stream->sent;
    if (!left)
        return stream->is_cut ? MHD_CONTENT_READER_END_WITH_ERROR
                              : MHD_CONTENT_READER_END_OF_STREAM;
    if (left > max)
        left = max;
    memcpy(room, stream->out.data + stream->sent, left);
    stream->sent += left;
    exchange_expect_sent(exchange, left);
    return (ssize_t)left;
}

struct MHD_Response *stream_open(struct exchange *exchange, const struct http_response *response)
{
    struct wire *wire = exchange->wire;
    /* What a slow reader has not taken stays where it came from, not in the kernel. */
    int unsent = WIRE_STREAM_UNSENT_BYTES;
    setsockopt(exchange->client->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    exchange->stream = (struct stream){.pull = response->pull, .until_ms = NO_DEADLINE};
    buf_init(&exchange->stream.out, WIRE_MAX_PULL_BYTES);
    pthread_mutex_lock(&wire->lock);
    assert(exchange->phase == RUNNING);
    exchange->phase = FLOWING;
    exchange->client->flowing = exchange;
    pthread_mutex_unlock(&wire->lock);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, exchange,
                                             NULL);
}

void stream_close(struct exchange *exchange)
{
    struct wire *wire = exchange->wire;
    pthread_mutex_lock(&wire->lock);
    assert(exchange->phase == FLOWING || exchange->phase == NUDGED);
    exchange->client->flowing = NULL;
    pthread_mutex_unlock(&wire->lock);
}
