/*
 * Server-sent events (HTML, "event source"): the items of the lists, live.
 *
 *     retry: 2000
 *
 *     id: 41
 *     event: TASK_STATE
 *     data: {"id":41,…}
 *
 * A stream goes on behind `position`, which Last-Event-ID, `after` or `onlyNew` set. What is newer
 * comes from the events in memory, what is older from the store, and every number is looked at
 * once, so there is neither a gap nor a repetition. The stream of a run ends when the run is final
 * and everything was sent, with an event that has no id:
 *
 *     event: end
 *     data: {"reason":"final","status":"SUCCESS"}
 *
 * A repair that has begun by then goes on in the same stream. To a client that comes back behind
 * the last event of a final run, as an EventSource does by itself, the answer is 204: do not come
 * again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/extras/events.h"
#include "api/respond.h"
#include "api/stream.h"

/* A read of the store costs a block of events (store/sqlite_events.c), so more of it is sent. */
enum {
    ROWS_AT_ONCE = 250,
    STORED_BYTES = 64 << 10,
    STORE_READS_AT_ONCE = 4,
    YIELD_MS = 1,
};

#define EVENT_STREAM "text/event-stream"

struct event_stream {
    struct stream base; /* first */
    struct event_filter filter;
    struct uuid run, job;
    bool of_run;
    bool has_begun;     /* "retry:" is sent */
    bool has_read;      /* the store was read: `state` is true */
    bool is_gone;       /* the run was deleted */
    enum state state;   /* of_run: the run's, as of `position` */
    int store_reads;    /* of this pull */
    struct arena arena; /* of this pull */
};

/* ---- what is asked for ---- */

/* Is the media range of length `len` text/event-stream, with a quality that is not 0? */
static bool is_wanted_range(const char *range, size_t len)
{
    size_t name = strcspn(range, ";, \t");
    if (name > len || name != strlen(EVENT_STREAM) || strncasecmp(range, EVENT_STREAM, name) != 0)
        return false;
    for (size_t i = name; i + 2 < len; i++)
        if ((range[i] == 'q' || range[i] == 'Q') && range[i + 1] == '=')
            return strtod(range + i + 2, NULL) > 0;
    return true;
}

bool wants_event_stream(const struct call *call)
{
    for (size_t i = 0; i < call->request->header_count; i++) {
        const struct http_header *header = &call->request->headers[i];
        const char *range = header->value;
        if (strcasecmp(header->name, "accept") != 0)
            continue;
        while (*range) {
            range += strspn(range, " \t,");
            size_t len = strcspn(range, ",");
            if (is_wanted_range(range, len))
                return true;
            range += len;
        }
    }
    return false;
}

/* Behind which event to begin; *ret_again: the client was here before. */
static enum err_code find_position(struct call *call, const struct event_query *query,
                                   int64_t newest, int64_t *ret, bool *ret_again)
{
    static const char name[] = "last-event-id";
    const char *text = http_header(call->request, name);
    bool given = text && *text;
    if (http_header_count(call->request, name) > 1)
        return err_set(&call->err, ERR_INVALID_PARAMETER, "Last-Event-ID must be given once");
    int64_t position = query->only_new == 1 ? newest : query->after;
    if (given) {
        char *end;
        errno = 0;
        position = strtoll(text, &end, 10);
        if (errno || *end || text[strspn(text, "0123456789")])
            return err_set(&call->err, ERR_INVALID_PARAMETER,
                           "Last-Event-ID must be the id of an event, a number");
    }
    if (position > newest)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "%s is %" PRId64 ", but the newest event so far is %" PRId64,
                       given ? "Last-Event-ID" : "after", position, newest);
    *ret = position;
    *ret_again = given;
    return ERR_OK;
}

/* ---- what is sent ---- */

static void send_event(struct event_stream *stream, const struct event_row *row, struct buf *out)
{
    buf_printf(out, "id: %" PRId64 "\nevent: %s\ndata: ", row->number, event_type_names[row->type]);
    event_print(row, !stream->of_run, &stream->arena, out);
    BUF_LIT(out, "\n\n");
}

static bool matches(const struct event_stream *stream, const struct event_row *row)
{
    return row->number > stream->base.position &&
           (!stream->filter.run || uuid_equal(stream->filter.run, &row->run)) &&
           (!stream->filter.job || uuid_equal(stream->filter.job, &row->job));
}

static void take_rows(struct event_stream *stream, const struct event_row *rows, size_t count,
                      size_t most_bytes, struct buf *out)
{
    for (size_t i = 0; i < count && out->len < most_bytes; i++) {
        if (matches(stream, &rows[i])) {
            send_event(stream, &rows[i], out);
            if (rows[i].type == EVENT_RUN_STATE)
                stream->state = rows[i].to;
        }
        if (rows[i].number > stream->base.position)
            stream->base.position = rows[i].number;
    }
}

enum outcome { NOTHING_MORE, MORE, ENOUGH, UNREADABLE };

/* From the store: one page behind `position`. */
static enum outcome read_stored(struct event_stream *stream, struct buf *out)
{
    const struct api_backend *backend = &stream->base.api->backend;
    int64_t workspace = stream->base.workspace.id, upto = stream->base.position;
    struct store_reader *reader = backend->read_begin(backend->context);
    struct event_row *rows;
    struct run_row run = {.state = STATE_NEW};
    stream->store_reads++;
    bool found = !stream->of_run ||
                 backend->reads.get_run(reader, workspace, &stream->run, &stream->arena, &run);
    size_t count = backend->reads.workspace_events(reader, workspace, &stream->filter, upto,
                                                   ROWS_AT_ONCE, &stream->arena, &rows, &upto);
    bool failed = backend->reads.failed(reader);
    backend->read_end(backend->context, reader);
    if (failed)
        return UNREADABLE;
    take_rows(stream, rows, count, STORED_BYTES, out);
    if (count && stream->base.position < rows[count - 1].number)
        return MORE; /* `out` is full */
    if (upto > stream->base.position)
        stream->base.position = upto;
    if (stream->of_run && found && count < ROWS_AT_ONCE)
        stream->state = run.state; /* of the same snapshot, in which that was all */
    stream->is_gone = !found;
    stream->has_read = true;
    return MORE;
}

/* One step behind `position`, from memory if it has that. */
static enum outcome step(struct event_stream *stream, struct buf *out)
{
    const struct api_backend *backend = &stream->base.api->backend;
    struct api_events events;
    if (!stream->has_read || !backend->events_take(backend->context, &stream->base.workspace,
                                                   stream->base.position, &events))
        return stream->store_reads < STORE_READS_AT_ONCE ? read_stored(stream, out) : ENOUGH;
    take_rows(stream, events.rows, events.count, HTTP_PULL_BYTES, out);
    bool more = events.count > 0;
    backend->events_drop(backend->context, &events);
    return more ? MORE : NOTHING_MORE;
}

/* All events up to here are sent: the stream rests until the feed tells of more. */
static enum http_more rest(struct event_stream *stream, struct buf *out, int64_t *ret_pause_ms)
{
    if (stream->of_run && (stream->is_gone || state_is_final(stream->state))) {
        BUF_LIT(out, "event: end\ndata: {\"reason\":");
        buf_json_string(out, stream->is_gone ? "deleted" : "final");
        BUF_LIT(out, ",\"status\":");
        buf_json_string(out, stream->is_gone ? NULL : state_name(stream->state));
        BUF_LIT(out, "}\n\n");
        return HTTP_END;
    }
    if (!out->len && stream_is_silent(&stream->base))
        BUF_LIT(out, ": still here\n\n");
    *ret_pause_ms = stream_pause_ms(&stream->base);
    return HTTP_PAUSE;
}

static enum http_more pull_more(struct event_stream *stream, struct buf *out, int64_t *ret_pause_ms)
{
    if (!stream->has_begun)
        BUF_LIT(out, "retry: 2000\n\n");
    stream->has_begun = true;
    stream->store_reads = 0;
    while (out->len < HTTP_PULL_BYTES) {
        switch (step(stream, out)) {
        case MORE:
            continue;
        case NOTHING_MORE:
            return rest(stream, out, ret_pause_ms);
        case ENOUGH: /* others want the thread too */
            *ret_pause_ms = YIELD_MS;
            return HTTP_PAUSE;
        case UNREADABLE:
            *ret_pause_ms = STREAM_STORE_RETRY_MS;
            return HTTP_PAUSE;
        }
    }
    return HTTP_MORE;
}

static enum http_more pull(struct http_request *request, struct buf *out, int64_t *ret_pause_ms)
{
    struct event_stream *stream = (struct event_stream *)stream_pulled(request);
    if (!stream)
        return HTTP_END;
    arena_init(&stream->arena);
    enum http_more more = pull_more(stream, out, ret_pause_ms);
    arena_release(&stream->arena);
    if (out->len)
        stream_sends(&stream->base);
    return more;
}

/* ---- the answer ---- */

/* Has the client everything of a run that is final? */
static bool has_all(struct call *call, const struct uuid *key, int64_t position)
{
    const struct api_reads *reads = &call->backend->reads;
    struct store_reader *reader = call->reading.reader;
    int64_t version, last_event, updated_ms;
    struct run_row run;
    return reads->get_run(reader, call->workspace.id, key, call->arena, &run) &&
           state_is_final(run.state) &&
           reads->get_run_etag(reader, call->workspace.id, key, &version, &last_event,
                               &updated_ms) &&
           last_event <= position;
}

enum err_code event_stream_begin(struct call *call, const struct event_query *query, bool of_run)
{
    char id[REQUEST_ID_TEXT];
    int64_t newest = call->backend->reads.newest_event(call->reading.reader, call->workspace.id);
    int64_t position = 0;
    bool again = false;
    enum err_code code = call_reader_check(call);
    if (!code)
        code = find_position(call, query, newest, &position, &again);
    if (code)
        return code;
    if (of_run && again && has_all(call, &query->run, position)) {
        call->response->status = 204;
        http_add_header(call->request, call->response, "opc-request-id",
                        request_id(call->api, call->request, id));
        return ERR_OK;
    }
    struct event_stream *stream = ARENA_NEW(call->arena, struct event_stream);
    stream->base.position = position;
    stream->of_run = of_run;
    stream->run = query->run;
    stream->job = query->job;
    if (of_run || query->filter.run)
        stream->filter.run = &stream->run;
    if (query->filter.job)
        stream->filter.job = &stream->job;
    stream->state = STATE_NEW;
    static const struct uuid every;
    return stream_begin(call, &stream->base, stream->filter.run ? &stream->run : &every,
                        EVENT_STREAM "; charset=utf-8", pull);
}
