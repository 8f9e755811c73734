#include "exec/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/locks.h"
#include "base/utf8.h"
#include "model/values.h"

/* What a record says of the start is stored as it is. */
_Static_assert((int)RECORD_LAUNCH_COUNT == (int)LAUNCH_COUNT &&
                   (int)RECORD_LAUNCH_SPARK == (int)LAUNCH_SPARK,
               "one list in two places");

#define REPLACEMENT "\xef\xbf\xbd"

/* Makes text of bytes. What is not UTF-8, and NUL, which would end a text, becomes U+FFFD. */
static void add_text(struct buf *out, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t size = utf8_sequence(bytes, len);

        if (size == 0 || bytes[0] == '\0') {
            BUF_LIT(out, REPLACEMENT);
            size = 1;
        } else
            buf_add(out, bytes, size);
        bytes += size;
        len -= size;
    }
}

/* Where a text that is too long goes on: at a line's start if there is one, else at a character's.
 * The last byte is no line's start: behind it there is nothing. */
static size_t cut_at(const char *text, size_t len, size_t least)
{
    const char *line = least + 1 < len ? memchr(text + least - 1, '\n', len - least) : NULL;

    if (line)
        return (size_t)(line - text) + 1;
    while (least < len && ((unsigned char)text[least] & 0xc0) == 0x80)
        least++;
    return least;
}

/* What a task may have put there: a regular file that is none of ours, or nothing. */
static int open_beside(int runs_fd, const char *name)
{
    return locks_open(runs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
}

void report_tail(int runs_fd, const char *name, struct buf *out)
{
    char bytes[ERROR_TRACE_MAX_BYTES + 1]; /* one more, to see whether a line begins just behind */
    struct stat status;
    struct buf text;

    int fd = open_beside(runs_fd, name);
    if (fd < 0)
        return;
    off_t size = fstat(fd, &status) == 0 ? status.st_size : 0;
    off_t from = size > (off_t)sizeof bytes ? size - (off_t)sizeof bytes : 0;
    ssize_t got = size > 0 ? pread(fd, bytes, sizeof bytes, from) : 0;
    close(fd);
    if (got <= 0)
        return;
    size_t skip = got > ERROR_TRACE_MAX_BYTES ? cut_at(bytes, (size_t)got, 1) : 0;

    buf_init(&text, 3 * sizeof bytes);
    add_text(&text, bytes + skip, (size_t)got - skip);
    size_t over = text.len > ERROR_TRACE_MAX_BYTES
                      ? cut_at(text.data, text.len, text.len - ERROR_TRACE_MAX_BYTES)
                      : 0;
    buf_add(out, text.data + over, text.len - over);
    buf_release(&text);
}

static const char *signal_name(int number, char text[static 16])
{
    const char *name = sigabbrev_np(number);

    if (name)
        snprintf(text, 16, "SIG%s", name);
    else
        snprintf(text, 16, "no name");
    return text;
}

static void exec_failed_message(const struct record *record, char *text, size_t size)
{
    const char *what = "it could not be prepared";

    switch (record->step) {
    case RECORD_STEP_STDOUT:
    case RECORD_STEP_STDERR:
        what = "its output file could not be opened";
        break;
    case RECORD_STEP_SPAWN:
        what = "no process could be made";
        break;
    case RECORD_STEP_RLIMIT:
        what = "its limits could not be set";
        break;
    case RECORD_STEP_CWD:
        what = "the run's folder could not be entered";
        break;
    case RECORD_STEP_EXEC:
        what = record->error == E2BIG ? "its arguments and parameters are too large for the system"
                                      : "its interpreter could not be executed";
        break;
    case RECORD_STEP_CGROUP:
        what = "its control group could not be joined";
        break;
    case RECORD_STEP_USER:
        what = "it could not become its user";
        break;
    case RECORD_STEP_NONE:
    case RECORD_STEP_SETUP:
        break;
    }
    snprintf(text, size, "Cannot start: %s: %s", what, strerrordesc_np(record->error));
}

static void timed_out_message(int64_t timeout_ms, char *text, size_t size)
{
    if (timeout_ms % 1000 == 0)
        snprintf(text, size, "Timed out after %" PRId64 " s", timeout_ms / 1000);
    else
        snprintf(text, size, "Timed out after %" PRId64 " ms", timeout_ms);
}

static int outcome_message(const struct attempt *attempt, char *text, size_t size)
{
    const struct record *record = &attempt->outcome;
    char name[16];

    switch (record->cause) {
    case RECORD_EXITED:
        snprintf(text, size, "Exited with code %d%s", record->exit_code,
                 record->flags & RECORD_STRAYS_KILLED ? "; what it left running was killed" : "");
        return CAUSE_EXITED;
    case RECORD_SIGNALED:
        snprintf(text, size, "Killed by signal %d (%s)", record->signal,
                 signal_name(record->signal, name));
        return CAUSE_SIGNALED;
    case RECORD_TIMED_OUT:
        timed_out_message(attempt->timeout_ms, text, size);
        return CAUSE_TIMED_OUT;
    case RECORD_STOPPED:
        snprintf(text, size, "Stopped");
        return CAUSE_STOPPED;
    case RECORD_EXEC_FAILED:
    case RECORD_CAUSE_NONE:
        break;
    }
    exec_failed_message(record, text, size);
    return CAUSE_EXEC_FAILED;
}

static void init(struct report *report, enum exec_report_kind kind, const struct attempt_id *id)
{
    report->told = (struct exec_report){
        .kind = kind,
        .id = *id,
        .cause = CAUSE_NONE,
        .exit_code = FIELD_NULL,
        .signal = FIELD_NULL,
        .started_ms = FIELD_NULL,
        .ended_ms = FIELD_NULL,
        .duration_ms = FIELD_NULL,
        .launch = FIELD_NULL,
        .user_us = FIELD_NULL,
        .system_us = FIELD_NULL,
        .max_rss_kib = FIELD_NULL,
        .in_blocks = FIELD_NULL,
        .out_blocks = FIELD_NULL,
        .message = report->message,
    };
    report->message[0] = report->unpublished[0] = '\0';
    report->looked = 0;
    buf_init(&report->trace, ERROR_TRACE_MAX_BYTES);
    buf_init(&report->published, VALUES_TEXT_MAX_BYTES);
}

static void add_trace(struct report *report, int runs_fd)
{
    char name[ATTEMPT_FILE];

    report_tail(runs_fd, attempt_file(&report->told.id, ".err", name), &report->trace);
    if (report->trace.len > 0)
        report->told.error_trace = report->trace.data;
}

/* All of a file that is not too large, in `out`. */
static bool read_published(int fd, off_t size, struct buf *out)
{
    char *place = buf_reserve(out, (size_t)size);
    ssize_t got = place ? pread(fd, place, (size_t)size, 0) : -1;

    if (got > 0)
        buf_used(out, (size_t)got);
    return got == size;
}

/* The first line with something wrong. */
static void tell_faults(struct report *report, const struct values_faults *faults)
{
    bool is_value = !faults->invalid_line ||
                    (faults->garbled_line && faults->garbled_line < faults->invalid_line);

    if (!is_value)
        snprintf(report->unpublished, sizeof report->unpublished, "line %zu is not KEY=VALUE",
                 faults->invalid_line);
    else if (faults->garbled_line)
        snprintf(report->unpublished, sizeof report->unpublished,
                 "line %zu has NUL or bytes that are no UTF-8, which became U+FFFD",
                 faults->garbled_line);
}

/* Nothing is left that could still write to it. */
static void add_published(struct report *report, int runs_fd)
{
    char name[ATTEMPT_FILE];
    struct stat status;
    struct buf bytes;
    struct values_faults faults = {0};

    int fd = open_beside(runs_fd, attempt_file(&report->told.id, ".val", name));
    if (fd < 0 && errno == ENOENT)
        return;
    buf_init(&bytes, VALUES_MAX_BYTES);
    if (fd < 0)
        snprintf(report->unpublished, sizeof report->unpublished, "it is not a file");
    else if (fstat(fd, &status) < 0)
        snprintf(report->unpublished, sizeof report->unpublished, "it could not be read");
    else if (status.st_size > VALUES_MAX_BYTES)
        snprintf(report->unpublished, sizeof report->unpublished, "it has %lld bytes, more than %d",
                 (long long)status.st_size, VALUES_MAX_BYTES);
    else if (!read_published(fd, status.st_size, &bytes))
        snprintf(report->unpublished, sizeof report->unpublished, "it could not be read");
    else
        values_read(bytes.data, bytes.len, &report->published, &faults);
    tell_faults(report, &faults);
    if (fd >= 0)
        close(fd);
    buf_release(&bytes);
    if (report->published.len > 0)
        report->told.published = report->published.data;
    if (report->unpublished[0])
        report->told.unpublished = report->unpublished;
}

/* What a helper has to say of an attempt that exited by itself without success. */
static void add_said(struct report *report, int runs_fd)
{
    static const char cannot_start[] = "cannot-start\n";
    static const char failed[] = "failed\n";
    char name[ATTEMPT_FILE];
    struct buf text;

    buf_init(&text, ERROR_TRACE_MAX_BYTES);
    report_tail(runs_fd, attempt_file(&report->told.id, ".say", name), &text);
    const char *from = text.len > 0 ? text.data : "";
    bool ours = strncmp(from, cannot_start, strlen(cannot_start)) == 0;
    if (ours || strncmp(from, failed, strlen(failed)) == 0) {
        const char *sentence = strchr(from, '\n') + 1;
        size_t len = strcspn(sentence, "\n");
        const char *trace = sentence[len] ? sentence + len + 1 : "";
        snprintf(report->message, sizeof report->message, "%.*s", (int)len, sentence);
        if (ours) {
            report->told.cause = CAUSE_CANNOT_START;
            report->told.exit_code = FIELD_NULL;
        }
        if (*trace) {
            buf_clear(&report->trace);
            buf_add(&report->trace, trace, strlen(trace));
            report->told.error_trace = report->trace.data;
        }
    }
    buf_release(&text);
}

/* Of Spark: the application, which is named early in its log. What has been `looked` through is not looked at
 * again; while more is still written, only whole lines count. */
static void add_application(struct report *report, int runs_fd, size_t looked, bool is_live)
{
    char name[ATTEMPT_FILE];
    struct buf text;

    report->looked = looked;
    if (faccessat(runs_fd, attempt_file(&report->told.id, ".spark", name), F_OK, 0) < 0)
        return;
    int fd = open_beside(runs_fd, attempt_file(&report->told.id, ".err", name));
    if (fd < 0)
        return;
    buf_init(&text, REPORT_LOG_BYTES + 1);
    char *place = buf_reserve(&text, REPORT_LOG_BYTES - looked);
    ssize_t got = place ? pread(fd, place, REPORT_LOG_BYTES - looked, (off_t)looked) : -1;
    close(fd);
    const char *end = got > 0 ? memrchr(place, '\n', (size_t)got) : NULL;
    if (is_live && looked + (size_t)(got > 0 ? got : 0) < REPORT_LOG_BYTES)
        got = end ? end - place + 1 : 0;
    if (got > 0) {
        report->looked += (size_t)got;
        if (spark_application_id(place, (size_t)got, report->external_id))
            report->told.external_id = report->external_id;
    }
    buf_release(&text);
}

static int64_t number_behind(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    long long value = at ? strtoll(at + strlen(name), NULL, 10) : 0;
    return value > 0 ? value : 0;
}

/* How long the attempt's own cluster took to come up, and to go, as far as it has. */
static void add_cluster(struct report *report, int runs_fd)
{
    char name[ATTEMPT_FILE];
    char text[128];

    int fd = open_beside(runs_fd, attempt_file(&report->told.id, ".cluster", name));
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    report->told.setup_ms = number_behind(text, "setup_ms=");
    report->told.cleanup_ms = number_behind(text, "cleanup_ms=");
}

bool report_news(struct report *ret, int runs_fd, const struct attempt *attempt)
{
    init(ret, EXEC_NEWS, &attempt->id);
    ret->looked = attempt->looked;
    if (!attempt->is_named && attempt->looked < REPORT_LOG_BYTES)
        add_application(ret, runs_fd, attempt->looked, true);
    if (!attempt->is_up)
        add_cluster(ret, runs_fd);
    return ret->told.external_id || ret->told.setup_ms > 0;
}

void report_outcome(struct report *ret, int runs_fd, const struct attempt *attempt)
{
    const struct record *record = &attempt->outcome;
    struct exec_report *told = &ret->told;

    init(ret, EXEC_OUTCOME, &attempt->id);
    told->cause = outcome_message(attempt, ret->message, sizeof ret->message);
    told->ended_ms = record->ended.wall_ms;
    if (told->cause == CAUSE_EXITED)
        told->exit_code = record->exit_code;
    if (told->cause == CAUSE_SIGNALED)
        told->signal = record->signal;
    if (record->started.boot_ns > 0) {
        uint64_t ns = record->ended.boot_ns - record->started.boot_ns;
        told->started_ms = record->started.wall_ms;
        told->duration_ms = (int64_t)(ns / 1000000);
        told->launch = (int64_t)record->launch;
        told->user_us = (int64_t)record->user_us;
        told->system_us = (int64_t)record->system_us;
        told->max_rss_kib = (int64_t)record->max_rss_kib;
        told->in_blocks = (int64_t)record->in_blocks;
        told->out_blocks = (int64_t)record->out_blocks;
        if (told->cause != CAUSE_EXITED || record->exit_code != 0)
            add_trace(ret, runs_fd);
        if (attempt->has_helper && told->cause == CAUSE_EXITED && record->exit_code != 0)
            add_said(ret, runs_fd);
        add_published(ret, runs_fd);
    }
    if (record->started.boot_ns > 0 && !attempt->is_plain) {
        add_application(ret, runs_fd, 0, false);
        add_cluster(ret, runs_fd);
    }
}

void report_lost(struct report *ret, int runs_fd, const struct attempt *attempt,
                 const char *message)
{
    init(ret, EXEC_LOST, &attempt->id);
    ret->told.started_ms = attempt->started_ms;
    snprintf(ret->message, sizeof ret->message, "%s", message);
    add_trace(ret, runs_fd);
    add_published(ret, runs_fd);
}

void report_void(struct report *ret, const struct attempt *attempt)
{
    init(ret, EXEC_VOID, &attempt->id);
    snprintf(ret->message, sizeof ret->message, "Never started");
}

void report_not_started(struct report *ret, const struct attempt_id *id, int cause,
                        const char *message)
{
    init(ret, EXEC_OUTCOME, id);
    ret->told.cause = cause;
    ret->told.ended_ms = record_now().wall_ms;
    snprintf(ret->message, sizeof ret->message, "%s", message);
}

void report_release(struct report *report)
{
    buf_release(&report->trace);
    buf_release(&report->published);
}
