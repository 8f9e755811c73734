/*
 * What is told of an attempt: from a record, or from the lack of one, to an exec_report.
 *
 * A helper of ours that runs a task (reprise_notebook.py) knows more than an exit status: it leaves
 * a file STEM.say: a word, a sentence, then the error trace. The word `cannot-start` makes the end
 * ours to answer for (INTERNAL_ERROR), `failed` the task's; the others are of no account here.
 *
 * The helper that makes a cluster for an attempt (cli/node_cluster.c) leaves STEM.say too, when the
 * cluster failed, and STEM.cluster, "setup_ms=N" and, in the end, "cleanup_ms=N".
 *
 * Of any other attempt nobody asks: such a file is the task's, and says nothing about who is to blame.
 *
 * The text belongs to the struct report, which must outlive the report. The tail of stderr is read
 * only for what did not exit with 0; the values that it published, however it ended.
 */
#pragma once

#include "base/buf.h"
#include "exec/attempt.h"
#include "exec/spark_log.h"

enum {
    ERROR_TRACE_MAX_BYTES = 16 << 10,
    REPORT_LOG_BYTES = 256 << 10, /* of a log of Spark, in which it names the application */
};

struct report {
    struct exec_report told;
    char message[ERR_MESSAGE_MAX];
    struct buf trace;
    struct buf published;
    char unpublished[96];
    char external_id[SPARK_ID_TEXT];
    size_t looked; /* bytes of the log that need no second look */
};

/* These fill `ret`; report_release() after the callback. */
void report_outcome(struct report *ret, int runs_fd, const struct attempt *attempt);
void report_lost(struct report *ret, int runs_fd, const struct attempt *attempt,
                 const char *message);
void report_void(struct report *ret, const struct attempt *attempt);
/* `cause` is CAUSE_CANNOT_START, or CAUSE_STOPPED before it started. */
void report_not_started(struct report *ret, const struct attempt_id *id, int cause,
                        const char *message);
/* What there is to be told of a Spark attempt that goes on, but for what its entry says is known
 * already: false when there is nothing. */
bool report_news(struct report *ret, int runs_fd, const struct attempt *attempt);
void report_release(struct report *report);

/* Appends the end of a file, at most ERROR_TRACE_MAX_BYTES of valid UTF-8, beginning with a line if
 * it had to be cut and a line begins there. Nothing when there is no such file. */
void report_tail(int runs_fd, const char *name, struct buf *out);
