/*
 * Output of attempts: in bounded pieces, of which a client asks for the next from
 * x-reprise-next-offset, or with `follow`, or for whoever accepts text/event-stream, as a stream that
 * ends with the attempt (log_stream.c).
 * x-reprise-offset says which byte the answer really begins with: where the middle of a long output
 * was cut out (x-reprise-cut: FROM-TO, base/sparse.h), none of it is told.
 */
#include <stdio.h>
#include <unistd.h>

#include "api/extras/events.h"
#include "api/extras/extras.h"
#include "api/extras/logs.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/sparse.h"

enum { LOG_MAX_PIECE_BYTES = 4 << 20 };

static const char *const stream_names[] = {"stdout", "stderr"};

static const struct field query_fields[] = {
    {.name = "attempt",
     .kind = FIELD_INT32,
     AT(log_query, attempt),
     .max = INT32_MAX,
     .doc = "Number of the attempt; the newest started one when absent."},
    {.name = "stream",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(log_query, stream),
     NAMES(stream_names),
     .doc = "Which of its two streams."},
    {.name = "offset",
     .kind = FIELD_INT64,
     .flags = FIELD_DEFAULT,
     AT(log_query, offset),
     .max = INT64_MAX,
     .doc = "Byte to begin with."},
    {.name = "follow",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(log_query, follow),
     .doc =
         "Whether to send on what the attempt writes, until it has ended. An attempt that has not "
         "started is waited for, until its task run is final."},
};
const struct schema log_query_schema =
    SCHEMA("GetLogs", log_query, query_fields, "Which part of which output.");

/* Nothing at all where there is nothing to read: not yet, or not any more. Ends at a cut: what a
 * piece has follows byte on byte. Returns the bytes. */
static int64_t read_piece(int fd, int64_t offset, struct buf *out)
{
    int64_t total = 0;
    bool is_cut = false;
    while (fd >= 0 && total < LOG_MAX_PIECE_BYTES && !is_cut) {
        enum { STEP = 64 << 10 };
        char *room = buf_reserve(out, STEP);
        ssize_t got = room ? sparse_read(fd, room, STEP, offset + total, &is_cut) : -1;
        if (room)
            buf_used(out, got > 0 ? (size_t)got : 0);
        if (got <= 0)
            break;
        total += got;
    }
    return total;
}

void log_add_offset(struct call *call, const char *name, int64_t offset)
{
    http_add_header(call->request, call->response, name,
                    arena_printf(call->arena, "%lld", (long long)offset));
}

void log_add_place(struct call *call, int fd, int64_t offset)
{
    int64_t from, to;
    log_add_offset(call, "x-reprise-offset", offset);
    if (fd >= 0 && sparse_cut(fd, &from, &to))
        http_add_header(call->request, call->response, "x-reprise-cut",
                        arena_printf(call->arena, "%lld-%lld", (long long)from, (long long)to - 1));
}

static void respond_piece(struct call *call, int fd, int64_t asked)
{
    char id[REQUEST_ID_TEXT];
    int64_t offset = fd >= 0 ? sparse_data_from(fd, asked) : asked;
    int64_t end = offset + read_piece(fd, offset, &call->response->body);
    call->response->status = 200;
    http_add_header(call->request, call->response, "content-type", "text/plain; charset=utf-8");
    http_add_header(call->request, call->response, "x-content-type-options", "nosniff");
    log_add_place(call, fd, offset);
    log_add_offset(call, "x-reprise-next-offset", end);
    http_add_header(call->request, call->response, "opc-request-id",
                    request_id(call->api, call->request, id));
}

enum err_code logs_get(struct call *call)
{
    const struct api_backend *backend = call->backend;
    const struct log_query *query = call->filter;
    struct store_reader *reader = call->reading.reader;
    struct task_run_row row;
    struct run_row run;
    struct uuid key;
    if (call_key(call, 0, "Task run", &key))
        return call->err.code;
    if (!backend->reads.get_task_run(reader, call->workspace.id, &key, call->arena, &row) ||
        !backend->reads.get_run(reader, call->workspace.id, &row.run, call->arena, &run))
        return call_missing(call, "Task run");
    if (query->follow == 1 || wants_event_stream(call))
        return log_stream_begin(call, query, &run, &row);
    int64_t number = query->attempt == FIELD_NULL ? row.attempt : query->attempt;
    struct attempt_row *attempt = NULL;
    size_t found = 0;
    if (number != FIELD_NULL)
        found = backend->reads.attempts(reader, call->workspace.id, &key, number, 1, call->arena,
                                        &attempt);
    bool is_there = found && attempt->number == number && attempt->start_ms != FIELD_NULL;
    if (query->attempt != FIELD_NULL && !is_there)
        return call_missing(call, "Attempt");
    enum err_code code = call_reader_check(call);
    if (code)
        return code;
    call_read_end(call); /* files are read without holding a snapshot */
    int fd = is_there ? backend->open_output(backend->context, &run, &row, attempt,
                                             LOG_STDOUT + query->stream)
                      : -1;
    respond_piece(call, fd, query->offset);
    if (fd >= 0)
        close(fd);
    return ERR_OK;
}
