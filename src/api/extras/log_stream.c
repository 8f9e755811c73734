/*
 * Output that is followed: the bytes of one stream of one attempt as they are written, until the
 * attempt has ended and all is sent. Nothing is held here: each pull reads the file where the one
 * before stopped. It is woken when the file grows, and by the events of the run, which say when the
 * attempt has started and ended.
 *
 * Without a number it is the newest attempt that has started, and x-reprise-attempt says which; when
 * none has, or not the one that was named, the stream waits for it, and ends empty if the task run
 * becomes final without it.
 *
 * What a stream has follows byte on byte. Where it comes to a part that was cut out of the file, it is
 * cut off: who comes again is told by x-reprise-offset where it goes on.
 *
 * Only what is whole ends properly: bytes have no room for an event that says so.
 */
#include <unistd.h>

#include "api/extras/logs.h"
#include "api/stream.h"
#include "base/sparse.h"

enum { EVENT_BATCHES_AT_ONCE = 64, FIRST_TRY_MS = 10, LAST_TRY_MS = 1000, UNWATCHED_MS = 1000 };

struct log_stream {
    struct stream base; /* first */
    struct uuid task_run;
    int64_t attempt; /* FIELD_NULL: the newest, once one has started */
    int64_t epoch;   /* of the attempt whose file is open: an attempt that never started keeps its
                      * number under the next */
    int output;      /* as open_output counts */
    int64_t offset;  /* of the next byte */
    int fd;          /* -1: not open */
    int64_t try_ms;  /* the file is not there yet: when to look again */
    struct api_output_watch watch;
    bool is_watching_output;
    bool has_looked; /* at the attempt, at least once */
    bool has_ended;  /* the attempt, or what was waited for */
};

static void close_output(struct log_stream *stream)
{
    const struct api_backend *backend = &stream->base.api->backend;
    if (stream->is_watching_output)
        backend->unwatch_output(backend->context, &stream->watch);
    if (stream->fd >= 0)
        close(stream->fd);
    stream->is_watching_output = false;
    stream->fd = -1;
}

static void release(struct stream *base)
{
    close_output((struct log_stream *)base);
}

/* Did something happen to the task run since it was last looked at? */
static bool has_moved(struct log_stream *stream)
{
    const struct api_backend *backend = &stream->base.api->backend;
    struct stream *base = &stream->base;
    bool moved = !stream->has_looked;
    for (int i = 0; i < EVENT_BATCHES_AT_ONCE && !moved; i++) {
        struct api_events events;
        if (!backend->events_take(backend->context, &base->workspace, base->position, &events))
            return true; /* it cannot be told from memory */
        for (size_t k = 0; k < events.count; k++)
            moved |= events.rows[k].number > base->position &&
                     uuid_equal(&events.rows[k].task_run, &stream->task_run);
        bool more = events.count > 0;
        if (more)
            base->position = events.rows[events.count - 1].number;
        backend->events_drop(backend->context, &events);
        if (!more)
            break;
    }
    return moved;
}

/* Opens the attempt's file, unless it is open, and has it watched. */
static void open_output(struct log_stream *stream, const struct run_row *run,
                        const struct task_run_row *row, const struct attempt_row *attempt)
{
    const struct api_backend *backend = &stream->base.api->backend;
    if (stream->fd >= 0 && stream->epoch == attempt->epoch)
        return;
    close_output(stream);
    stream->epoch = attempt->epoch;
    stream->fd = backend->open_output(backend->context, run, row, attempt, stream->output);
    if (stream->fd < 0)
        return;
    stream->watch = (struct api_output_watch){.request = stream->base.request};
    stream->is_watching_output =
        backend->watch_output(backend->context, stream->fd, &stream->watch);
}

static bool look_at_snapshot(struct log_stream *stream, struct store_reader *reader,
                             struct arena *arena)
{
    const struct api_backend *backend = &stream->base.api->backend;
    const struct api_reads *reads = &backend->reads;
    int64_t workspace = stream->base.workspace.id;
    struct task_run_row row;
    struct run_row run;
    bool found = reads->get_task_run(reader, workspace, &stream->task_run, arena, &row) &&
                 reads->get_run(reader, workspace, &row.run, arena, &run);
    struct attempt_row *attempt = NULL;
    int64_t newest = reads->newest_event(reader, workspace);
    if (found && stream->attempt == FIELD_NULL)
        stream->attempt = row.attempt;
    size_t count = 0;
    if (found && stream->attempt != FIELD_NULL)
        count = reads->attempts(reader, workspace, &stream->task_run, stream->attempt, 1, arena,
                                &attempt);
    if (reads->failed(reader))
        return false;
    bool is_there = count && attempt->number == stream->attempt && attempt->start_ms != FIELD_NULL;
    stream->has_ended = !found ||
                        (is_there ? attempt->cause != CAUSE_NONE : state_is_final(row.state));
    if (is_there)
        open_output(stream, &run, &row, attempt);
    stream->try_ms = is_there && stream->fd < 0 && !stream->has_ended
                         ? stream->try_ms ? stream->try_ms * 2 : FIRST_TRY_MS
                         : 0;
    if (stream->try_ms > LAST_TRY_MS)
        stream->try_ms = LAST_TRY_MS;
    if (newest > stream->base.position)
        stream->base.position = newest;
    stream->has_looked = stream->try_ms == 0; /* else look again, whatever happens */
    return true;
}

/* Where the attempt stands. False when the store cannot be read. */
static bool look(struct log_stream *stream)
{
    const struct api_backend *backend = &stream->base.api->backend;
    struct store_reader *reader = backend->read_begin(backend->context);
    struct arena arena;
    if (!reader)
        return false;
    arena_init(&arena);
    bool done = look_at_snapshot(stream, reader, &arena);
    backend->read_end(backend->context, reader);
    arena_release(&arena);
    return done;
}

/* False: the bytes at the offset were cut out of the file. */
static bool read_output(struct log_stream *stream, struct buf *out)
{
    bool is_cut = false;
    char *room = stream->fd >= 0 ? buf_reserve(out, HTTP_PULL_BYTES) : NULL;
    ssize_t got = room ? sparse_read(stream->fd, room, HTTP_PULL_BYTES, stream->offset, &is_cut)
                       : 0;
    if (got > 0) {
        buf_used(out, (size_t)got);
        stream->offset += got;
    }
    return !is_cut;
}

static enum http_more pull(struct http_request *request, struct buf *out, int64_t *ret_pause_ms)
{
    struct log_stream *stream = (struct log_stream *)stream_pulled(request);
    if (!stream)
        return HTTP_CUT;
    *ret_pause_ms = stream_pause_ms(&stream->base);
    if (!stream->has_ended && has_moved(stream) && !look(stream)) {
        *ret_pause_ms = STREAM_STORE_RETRY_MS;
        return request->shutting_down ? HTTP_CUT : HTTP_PAUSE;
    }
    /* After the look: what was written before the end is read after it. */
    if (!read_output(stream, out))
        return HTTP_CUT;
    if (out->len)
        return HTTP_MORE;
    if (stream->has_ended)
        return HTTP_END;
    if (request->shutting_down)
        return HTTP_CUT;
    if (stream->try_ms)
        *ret_pause_ms = stream->try_ms;
    else if (stream->fd >= 0 && !stream->is_watching_output && *ret_pause_ms > UNWATCHED_MS)
        *ret_pause_ms = UNWATCHED_MS;
    return HTTP_PAUSE;
}

/* Where it begins: at the offset asked for, unless that was cut out of the file. */
static void begin_at(struct call *call, struct log_stream *stream, const struct run_row *run,
                     const struct task_run_row *row)
{
    const struct api_backend *backend = call->backend;
    struct attempt_row *attempt = NULL;
    if (stream->attempt == FIELD_NULL ||
        !backend->reads.attempts(call->reading.reader, call->workspace.id, &row->key,
                                 stream->attempt, 1, call->arena, &attempt) ||
        attempt->number != stream->attempt)
        return;
    int fd = backend->open_output(backend->context, run, row, attempt, stream->output);
    if (fd < 0)
        return;
    stream->offset = sparse_data_from(fd, stream->offset);
    log_add_place(call, fd, stream->offset);
    close(fd);
}

enum err_code log_stream_begin(struct call *call, const struct log_query *query,
                               const struct run_row *run, const struct task_run_row *row)
{
    struct log_stream *stream = ARENA_NEW(call->arena, struct log_stream);
    int64_t attempt = query->attempt == FIELD_NULL ? row->attempt : query->attempt;
    *stream = (struct log_stream){
        .base = {.release = release},
        .task_run = row->key,
        .attempt = attempt,
        .output = LOG_STDOUT + query->stream,
        .offset = query->offset,
        .fd = -1,
    };
    begin_at(call, stream, run, row);
    enum err_code code = call_reader_check(call);
    if (!code)
        code = stream_begin(call, &stream->base, &row->run, "text/plain; charset=utf-8", pull);
    if (!code && attempt != FIELD_NULL)
        log_add_offset(call, "x-reprise-attempt", attempt);
    return code;
}
