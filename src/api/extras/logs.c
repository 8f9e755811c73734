/*
 * Output of attempts: in bounded pieces, of which a client asks for the next from
 * x-reprise-next-offset, or with `follow` as a stream that ends with the attempt (log_stream.c).
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "api/extras/extras.h"
#include "api/extras/logs.h"
#include "api/oracle/tables.h"
#include "api/respond.h"

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

/* Nothing at all where there is nothing to read: not yet, or not any more. Returns the bytes. */
static int64_t read_piece(int fd, int64_t offset, struct buf *out)
{
    int64_t total = 0;
    while (fd >= 0 && total < LOG_MAX_PIECE_BYTES) {
        enum { STEP = 64 << 10 };
        char *room = buf_reserve(out, STEP);
        if (!room)
            break;
        ssize_t got = pread(fd, room, STEP, (off_t)(offset + total));
        if (got < 0 && errno == EINTR)
            continue;
        buf_used(out, got > 0 ? (size_t)got : 0);
        if (got <= 0)
            break;
        total += got;
    }
    return total;
}

static void respond_piece(struct call *call, int fd, int64_t offset)
{
    char next[24];
    char id[REQUEST_ID_TEXT];
    int64_t end = offset + read_piece(fd, offset, &call->response->body);
    snprintf(next, sizeof next, "%lld", (long long)end);
    call->response->status = 200;
    http_add_header(call->request, call->response, "content-type", "text/plain; charset=utf-8");
    http_add_header(call->request, call->response, "x-content-type-options", "nosniff");
    http_add_header(call->request, call->response, "x-reprise-next-offset", next);
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
    if (query->follow == 1)
        return log_stream_begin(call, query, &row);
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
