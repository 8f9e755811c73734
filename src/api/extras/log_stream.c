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
 * Only what is whole ends properly: bytes have no room for an event that says so. Whoever accepts
 * text/event-stream gets events instead:
 *
 *     retry: 2000
 *
 *     id: 1042                      the byte to go on with; 0:1042 where the call names no attempt
 *     event: output
 *     data: {"attempt":0,"offset":1000,"text":"…"}
 *
 *     event: cut                    with an id: bytes that were cut out of the file
 *     data: {"attempt":0,"from":5000,"to":7999}
 *
 *     event: end                    without an id: do not come again
 *     data: {"reason":"ended","attempt":0,"status":"SUCCESS"}
 *
 * A text ends between characters; bytes that are none become U+FFFD, and only the offsets tell how many
 * there were.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/extras/events.h"
#include "api/extras/logs.h"
#include "api/respond.h"
#include "api/stream.h"
#include "base/backoff.h"
#include "base/sparse.h"

enum {
    EVENT_BATCHES_AT_ONCE = 64,
    FIRST_RETRY_MS = 10,
    LONGEST_RETRY_MS = 1000,
    UNWATCHED_MS = 1000
};

struct log_stream {
    struct stream base; /* first */
    struct uuid task_run;
    int64_t attempt;  /* FIELD_NULL: the newest, once one has started */
    int64_t epoch;    /* of the attempt whose file is open: an attempt that never started keeps its
                      * number under the next */
    int output;       /* as open_output counts */
    int64_t offset;   /* of the next byte */
    int fd;           /* -1: not open */
    int64_t retry_ms; /* the file is not there yet: look again after so long */
    struct api_output_watch watch;
    bool is_watching_output;
    bool has_looked;        /* at the attempt, at least once */
    bool has_ended;         /* the attempt, or what was waited for */
    bool has_begun;         /* "retry:" is sent */
    bool names_attempt;     /* the caller does */
    const char *end_reason; /* once it has ended */
    int end_state;          /* enum state of the attempt, or of the task run; FIELD_UNSET */
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

/* Did something happen to the task run since it was last looked at? Yes also when that cannot be told: the wake-up for it
 * has come, and there will be no other. */
static bool has_moved(struct log_stream *stream)
{
    const struct api_backend *backend = &stream->base.api->backend;
    struct stream *base = &stream->base;
    bool moved = !stream->has_looked;
    for (int i = 0; !moved; i++) {
        struct api_events events;
        if (i == EVENT_BATCHES_AT_ONCE)
            return true; /* others have done much: a look is cheaper */
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
    stream->end_reason = !found ? "deleted" : is_there ? "ended" : "never started";
    stream->end_state = !found ? FIELD_UNSET : (int)(is_there ? attempt->state : row.state);
    if (is_there)
        open_output(stream, &run, &row, attempt);
    stream->retry_ms = is_there && stream->fd < 0 && !stream->has_ended
                           ? backoff_next_ms(stream->retry_ms, FIRST_RETRY_MS, LONGEST_RETRY_MS)
                           : 0;
    if (newest > stream->base.position)
        stream->base.position = newest;
    stream->has_looked = stream->retry_ms == 0; /* else look again, whatever happens */
    return true;
}

/* Where the attempt stands. False when the store cannot be read. */
static bool look(struct log_stream *stream)
{
    const struct api_backend *backend = &stream->base.api->backend;
    struct store_reader *reader = backend->read_begin(backend->context);
    struct arena arena;
    arena_init(&arena);
    bool done = look_at_snapshot(stream, reader, &arena);
    if (!done)
        stream->has_looked = false; /* what moved it is behind us */
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

/* All that is there has been told: until the output grows or its attempt ends, and at the latest when it
 * has to be looked at again. */
static enum http_more rest(const struct log_stream *stream, int64_t *ret_pause_ms)
{
    if (stream->retry_ms)
        *ret_pause_ms = stream->retry_ms;
    else if (stream->fd >= 0 && !stream->is_watching_output && *ret_pause_ms > UNWATCHED_MS)
        *ret_pause_ms = UNWATCHED_MS;
    return HTTP_PAUSE;
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
    return request->shutting_down ? HTTP_CUT : rest(stream, ret_pause_ms);
}

/* ---- as events ---- */

/* How many of the bytes are whole characters, or will never be one: the rest may become one. */
static size_t whole_length(const char *bytes, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)bytes[len - back];
        size_t needed = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        if ((c & 0xc0) != 0x80)
            return needed > back ? len - back : len;
    }
    return len;
}

static void begin_event(const struct log_stream *stream, const char *kind, struct buf *out)
{
    BUF_LIT(out, "id: ");
    if (!stream->names_attempt)
        buf_printf(out, "%" PRId64 ":", stream->attempt);
    buf_printf(out, "%" PRId64 "\nevent: %s\ndata: {\"attempt\":%" PRId64, stream->offset, kind,
               stream->attempt);
}

/* What there is from the offset on, in one event. False when there is nothing. */
static bool send_output(struct log_stream *stream, struct buf *out)
{
    char bytes[HTTP_PULL_BYTES];
    bool is_cut = false;
    int64_t from = stream->offset;
    ssize_t got = stream->fd < 0 ? 0 : sparse_read(stream->fd, bytes, sizeof bytes, from, &is_cut);
    size_t len = got > 0 ? (size_t)got : 0;
    size_t whole = whole_length(bytes, len);
    if (whole == 0 && stream->has_ended)
        whole = len;
    if (whole > 0) {
        stream->offset += (int64_t)whole;
        begin_event(stream, "output", out);
        buf_printf(out, ",\"offset\":%" PRId64 ",\"text\":", from);
        buf_json_string_len(out, bytes, whole);
        BUF_LIT(out, "}\n\n");
        return true;
    }
    int64_t to = is_cut ? sparse_data_from(stream->fd, from) : from;
    if (to <= from)
        return false;
    stream->offset = to;
    begin_event(stream, "cut", out);
    buf_printf(out, ",\"from\":%" PRId64 ",\"to\":%" PRId64 "}\n\n", from, to - 1);
    return true;
}

static void send_end(const struct log_stream *stream, struct buf *out)
{
    BUF_LIT(out, "event: end\ndata: {\"reason\":");
    buf_json_string(out, stream->end_reason);
    BUF_LIT(out, ",\"attempt\":");
    if (stream->attempt == FIELD_NULL)
        BUF_LIT(out, "null");
    else
        buf_int(out, stream->attempt);
    BUF_LIT(out, ",\"status\":");
    buf_json_string(
        out, stream->end_state == FIELD_UNSET ? NULL : state_name((enum state)stream->end_state));
    BUF_LIT(out, "}\n\n");
}

static enum http_more pull_more_events(struct log_stream *stream, struct buf *out,
                                       int64_t *ret_pause_ms)
{
    bool is_stopping = stream->base.request->shutting_down;
    *ret_pause_ms = stream_pause_ms(&stream->base);
    if (!stream->has_begun)
        BUF_LIT(out, "retry: 2000\n\n");
    stream->has_begun = true;
    if (!stream->has_ended && has_moved(stream) && !look(stream)) {
        *ret_pause_ms = STREAM_STORE_RETRY_MS;
        return is_stopping ? HTTP_END : HTTP_PAUSE;
    }
    if (send_output(stream, out))
        return HTTP_MORE;
    if (stream->has_ended) {
        send_end(stream, out);
        return HTTP_END;
    }
    if (!out->len && stream_is_silent(&stream->base))
        BUF_LIT(out, ": still here\n\n");
    return is_stopping ? HTTP_END : rest(stream, ret_pause_ms);
}

static enum http_more pull_events(struct http_request *request, struct buf *out,
                                  int64_t *ret_pause_ms)
{
    struct log_stream *stream = (struct log_stream *)stream_pulled(request);
    if (!stream)
        return HTTP_END;
    enum http_more more = pull_more_events(stream, out, ret_pause_ms);
    if (out->len)
        stream_sends(&stream->base);
    return more;
}

/* A number without a sign, up to `end`; false when it is none. */
static bool read_number(const char *text, char end, int64_t *ret, const char **ret_behind)
{
    char *behind;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret = strtoll(text, &behind, 10);
    *ret_behind = behind + 1;
    return errno == 0 && *behind == end;
}

/* Where a client goes on that was here before: "BYTE" or "ATTEMPT:BYTE". */
static enum err_code find_place(struct call *call, struct log_stream *stream, bool *ret_again)
{
    static const char name[] = "last-event-id";
    const char *text = http_header(call->request, name);
    int64_t attempt = stream->attempt;
    if (!text || !*text)
        return ERR_OK;
    bool is_one = http_header_count(call->request, name) == 1;
    if (is_one && strchr(text, ':') && !read_number(text, ':', &attempt, &text))
        is_one = false;
    if (!is_one || !read_number(text, '\0', &stream->offset, &text))
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "Last-Event-ID must be the id of an event of this stream, BYTE or "
                       "ATTEMPT:BYTE, given once");
    if (stream->names_attempt && attempt != stream->attempt)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "Last-Event-ID is of attempt %" PRId64 ", but attempt is %" PRId64, attempt,
                       stream->attempt);
    stream->attempt = attempt;
    *ret_again = true;
    return ERR_OK;
}

/* Has the client everything of an attempt that has ended? */
static bool has_all(struct call *call, const struct log_stream *stream, const struct run_row *run,
                    const struct task_run_row *row)
{
    const struct api_backend *backend = call->backend;
    struct attempt_row *attempt = NULL;
    struct stat status;
    if (stream->attempt == FIELD_NULL ||
        !backend->reads.attempts(call->reading.reader, call->workspace.id, &row->key,
                                 stream->attempt, 1, call->arena, &attempt) ||
        attempt->number != stream->attempt || attempt->cause == CAUSE_NONE)
        return false;
    int fd = backend->open_output(backend->context, run, row, attempt, stream->output);
    bool all = fd < 0 || (fstat(fd, &status) == 0 && status.st_size <= stream->offset);
    if (fd >= 0)
        close(fd);
    return all;
}

static enum err_code begin_events(struct call *call, struct log_stream *stream,
                                  const struct run_row *run, const struct task_run_row *row)
{
    bool again = false;
    enum err_code code = find_place(call, stream, &again);
    if (code)
        return code;
    bool all = again && has_all(call, stream, run, row);
    code = call_reader_check(call);
    if (code)
        return code;
    if (all) {
        respond_nothing(call);
        return ERR_OK;
    }
    return stream_begin(call, &stream->base, &row->run, "text/event-stream; charset=utf-8",
                        pull_events);
}

static int open_asked(struct call *call, const struct log_stream *stream, const struct run_row *run,
                      const struct task_run_row *row)
{
    const struct api_backend *backend = call->backend;
    struct attempt_row *attempt = NULL;
    if (stream->attempt == FIELD_NULL ||
        !backend->reads.attempts(call->reading.reader, call->workspace.id, &row->key,
                                 stream->attempt, 1, call->arena, &attempt) ||
        attempt->number != stream->attempt)
        return -1;
    return backend->open_output(backend->context, run, row, attempt, stream->output);
}

/* Where it begins: at the offset asked for, unless that was cut out of the file. */
static void begin_at(struct call *call, struct log_stream *stream, const struct run_row *run,
                     const struct task_run_row *row)
{
    int fd = open_asked(call, stream, run, row);
    if (fd >= 0)
        stream->offset = sparse_data_from(fd, stream->offset);
    log_add_place(call, fd, stream->offset);
    if (fd >= 0)
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
        .names_attempt = query->attempt != FIELD_NULL,
        .end_state = FIELD_UNSET,
    };
    if (wants_event_stream(call))
        return begin_events(call, stream, run, row);
    begin_at(call, stream, run, row);
    enum err_code code = call_reader_check(call);
    if (!code)
        code = stream_begin(call, &stream->base, &row->run, "text/plain; charset=utf-8", pull);
    if (!code && attempt != FIELD_NULL)
        log_add_offset(call, "x-reprise-attempt", attempt);
    return code;
}
