/* Output of attempts, in pieces (logs.c) and followed (log_stream.c). */
#pragma once

#include "api/call.h"

enum { LOG_STDOUT = 1 }; /* as open_output counts */

struct log_query {
    int64_t attempt; /* FIELD_NULL: the newest */
    int stream;      /* from LOG_STDOUT */
    int64_t offset;
    int8_t follow;
};

/* Answers with what the attempt has written and writes, until it has ended. */
enum err_code log_stream_begin(struct call *call, const struct log_query *query,
                               const struct run_row *run, const struct task_run_row *row);

/* Headers: where the answer begins and what was cut out of the file; an offset. */
void log_add_place(struct call *call, int fd, int64_t offset);
void log_add_offset(struct call *call, const char *name, int64_t offset);
