/* fetchOutput and export: what an attempt wrote to stdout, its end when it is long; of a notebook,
 * the notebook as it was executed. What a task of another type cannot give, IPYNB, is refused by name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/oracle/oracle.h"
#include "api/oracle/output.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/oracle/task_view.h"
#include "api/respond.h"
#include "auth/base64.h"
#include "base/sparse.h"
#include "base/utf8.h"
#include "model/def.h"
#include "model/values.h"

enum { OUTPUT_MAX_BYTES = 1 << 20, OUTPUT_KEY_MAX = 100 };
/* A notebook is whole or nothing: its helper keeps what cells put out below 16 MiB, pages inline it. */
enum { DOCUMENT_MAX_BYTES = 64 << 20 };
enum { STREAM_STDOUT = 1, STREAM_NOTEBOOK = 3, STREAM_PAGE = 4 }; /* as open_output counts */
enum { FORMAT_HTML, FORMAT_IPYNB, FORMAT_TEXT };

struct fetch_output {
    const char *output_key;
};

struct export_output {
    int format;
};

struct output_data_view {
    const char *type;
    const char *length; /* bytes, as text: the page has it so */
    const char *charset;
    int8_t is_base64;
    const char *compression;
    const char *value;
};

struct output_view {
    const char *key;
    const char *task_type;
    int8_t is_truncated;
    const char *error_trace;
    struct field_list data;              /* of struct output_data_view: one */
    struct field_list output_parameters; /* of struct field_pair */
    int64_t version;
};

struct export_view {
    const char *format;
    int8_t is_truncated;
    const char *contents;
};

static const char *const format_names[] = {"HTML", "IPYNB", "TEXT"};

static const struct field fetch_fields[] = {
    {.name = "outputKey",
     .kind = FIELD_STRING,
     AT(fetch_output, output_key),
     .min = 1,
     .max = OUTPUT_KEY_MAX,
     .doc = "outputKey of an attempt; the newest one's when absent."},
};
const struct schema fetch_output_schema =
    SCHEMA("FetchOutputDetails", fetch_output, fetch_fields, "Whose output.");

static const struct field export_fields[] = {
    {.name = "format",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(export_output, format),
     .fallback = FORMAT_HTML,
     NAMES(format_names),
     .doc = "HTML is the executed notebook, of other tasks what they wrote to stdout, as a page; "
            "IPYNB is of notebooks; TEXT, ours, is what was written."},
};
const struct schema export_output_schema =
    SCHEMA("ExportTaskRunOutputDetails", export_output, export_fields, "In which form.");

static const struct field data_fields[] = {
    {.name = "type",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(output_data_view, type),
     .doc = "What it is: NOTEBOOK, else TEXT_PLAIN."},
    {.name = "length",
     .kind = FIELD_STRING,
     AT(output_data_view, length),
     .doc = "Bytes of the value before it was encoded."},
    {.name = "charset",
     .kind = FIELD_STRING,
     AT(output_data_view, charset),
     .doc = "UTF_8; null for bytes that are no text."},
    {.name = "isBase64",
     .kind = FIELD_BOOL,
     .flags = FIELD_REQUIRED,
     AT(output_data_view, is_base64),
     .doc = "Whether the value is base64, as bytes that are no text are."},
    {.name = "compression",
     .kind = FIELD_STRING,
     AT(output_data_view, compression),
     .doc = "How it is compressed: not at all."},
    {.name = "value",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(output_data_view, value),
     .doc = "The output itself."},
};
static const struct schema data_schema =
    SCHEMA("RunOutputData", output_data_view, data_fields, "What a task wrote.");

/* Not `Parameter`: a task may publish keys that no parameter could have. */
static const struct field published_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(field_pair, key),
     .doc = "What {{tasks.T.values.NAME}} reads it by."},
    {.name = "value",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(field_pair, value),
     .doc = "The value."},
};
static const struct schema published_schema =
    SCHEMA("OutputParameter", field_pair, published_fields, "A value that a task has published.");

static const struct field output_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(output_view, key),
     .doc = "The outputKey."},
    {.name = "taskType",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(output_view, task_type),
     .doc = "Type of the task that wrote it."},
    {.name = "isTruncated",
     .kind = FIELD_BOOL,
     .flags = FIELD_REQUIRED,
     AT(output_view, is_truncated),
     .doc = "Whether it was longer: then this is the end of it, at most 1 MiB."},
    {.name = "errorTrace",
     .kind = FIELD_STRING,
     AT(output_view, error_trace),
     .doc = "Tail of what it wrote to stderr, when it failed; of a notebook, the failed cell's "
            "traceback."},
    {.name = "data",
     .kind = FIELD_LIST,
     .flags = FIELD_REQUIRED,
     AT(output_view, data),
     .object = &data_schema,
     .doc = "One item: what it wrote to stdout; of a notebook, the notebook with its outputs."},
    {.name = "outputParameters",
     .kind = FIELD_LIST,
     AT(output_view, output_parameters),
     .object = &published_schema,
     .doc = "Values that it published."},
    {.name = "version",
     .kind = FIELD_INT32,
     AT(output_view, version),
     .doc = "Version of the run that made the task run."},
};
const struct schema task_run_output_schema =
    SCHEMA("TaskRunOutput", output_view, output_fields, "Output of an attempt.");

static const struct field contents_fields[] = {
    {.name = "format",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(export_view, format),
     .doc = "The form it is in."},
    {.name = "isTruncated",
     .kind = FIELD_BOOL,
     .flags = FIELD_REQUIRED,
     AT(export_view, is_truncated),
     .doc = "Whether it was longer: then this is the end of it, at most 1 MiB."},
    {.name = "contents",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(export_view, contents),
     .doc = "The output itself."},
};
const struct schema exported_output_schema =
    SCHEMA("ExportedTaskRunOutputContents", export_view, contents_fields, "Output as a document.");

/* ---- which attempt ---- */

struct output {
    struct run_row run;
    struct task_run_row task_run;
    struct attempt_row *attempt;
    const char *key;
    int type;          /* enum task_type */
    bool is_truncated; /* what follows is filled by read_output or read_document */
    struct output_data_view data;
};

static enum err_code refuse_key(struct call *call)
{
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                   "Output not found or not allowed: outputKey is none of this task run");
}

/* The number in "TASKRUN.NUMBER" of this task run, -1 when it is another key. */
static int64_t number_of_key(const char *key, const struct uuid *task_run)
{
    char own[UUID_TEXT];
    size_t len = strlen(uuid_format(task_run, own));
    if (strncmp(key, own, len) != 0 || key[len] != '.')
        return -1;
    const char *digits = key + len + 1;
    size_t count = strspn(digits, "0123456789");
    bool is_number = count > 0 && count < 10 && !digits[count];
    return is_number && (digits[0] != '0' || count == 1) ? strtoll(digits, NULL, 10) : -1;
}

static enum err_code load_type(struct call *call, struct output *output)
{
    const struct api_backend *backend = call->backend;
    struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &output->run.job,
                                              output->task_run.definition_version);
    if (!def)
        return call_missing(call, "The definition of the task");
    output->type = def->tasks[output->task_run.position].type;
    job_def_unref(def);
    if (task_type_is_decided(output->type))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "a task of type %s has no output",
                       task_type_names[output->type]);
    return ERR_OK;
}

static enum err_code find(struct call *call, const char *asked_key, struct output *output)
{
    const struct api_reads *reads = &call->backend->reads;
    struct store_reader *reader = call->reading.reader;
    struct uuid key;
    if (call_key(call, 0, "Task run", &key))
        return call->err.code;
    if (!reads->get_task_run(reader, call->workspace.id, &key, call->arena, &output->task_run) ||
        !reads->get_run(reader, call->workspace.id, &output->task_run.run, call->arena,
                        &output->run))
        return call_missing(call, "Task run");
    if (load_type(call, output))
        return call->err.code;
    const struct task_run_row *row = &output->task_run;
    int64_t number = asked_key ? number_of_key(asked_key, &key) : row->attempt;
    if (asked_key && number < 0)
        return refuse_key(call);
    size_t found = number == FIELD_NULL ? 0
                                        : reads->attempts(reader, call->workspace.id, &key, number,
                                                          1, call->arena, &output->attempt);
    if (call_reader_check(call))
        return call->err.code;
    if (!found || output->attempt->number != number || output->attempt->start_ms == FIELD_NULL)
        return asked_key ? refuse_key(call)
                         : err_set(&call->err, ERR_INCORRECT_STATE,
                                   "the task run is %s and has no output: it has not started",
                                   state_name(row->state));
    output->key = output_key(call->arena, row, output->attempt);
    return ERR_OK;
}

/* ---- its end ---- */

/* The last bytes of the file, at most OUTPUT_MAX_BYTES; nothing where there is no file. True when
 * there is more before them. */
static bool read_tail(int fd, struct buf *out)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return false;
    off_t from = status.st_size > OUTPUT_MAX_BYTES ? status.st_size - OUTPUT_MAX_BYTES : 0;
    int64_t cut_from, cut_to;
    if (sparse_cut(fd, &cut_from, &cut_to) && cut_to > from)
        from = cut_to;
    while (out->len < OUTPUT_MAX_BYTES) {
        size_t room = OUTPUT_MAX_BYTES - out->len;
        char *to = buf_reserve(out, room);
        ssize_t got = to ? pread(fd, to, room, from + (off_t)out->len) : -1;
        if (got < 0 && to && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        buf_used(out, (size_t)got);
    }
    return from > 0;
}

/* A cut may have torn a character: what is left of it at the start goes. */
static size_t torn_start(const struct buf *text)
{
    size_t torn = 0;
    while (torn < 3 && torn < text->len && ((unsigned char)text->data[torn] & 0xc0) == 0x80)
        torn++;
    return torn;
}

static const char *base64(struct call *call, const struct buf *bytes)
{
    char *text = arena_alloc(call->arena, BASE64_LEN(bytes->len) + 1);
    return base64_encode(bytes->data, bytes->len, text);
}

/* The end of what the attempt wrote to stdout, from its first whole character on, in `text`. A JOB_TASK writes nothing:
 * its child's tasks do. */
static const char *read_stdout(struct call *call, struct output *output, struct buf *text,
                               size_t *ret_len)
{
    const struct api_backend *backend = call->backend;
    if (output->type == TASK_JOB) {
        buf_printf(text, "The output is that of job run %s.\n",
                   external_id(call->arena, &output->task_run, output->attempt));
        *ret_len = text->len;
        return text->data;
    }
    call_read_end(call); /* files are read without holding a snapshot */
    int fd = backend->open_output(backend->context, &output->run, &output->task_run,
                                  output->attempt, STREAM_STDOUT);
    output->is_truncated = read_tail(fd, text);
    if (fd >= 0)
        close(fd);
    size_t skip = output->is_truncated ? torn_start(text) : 0;
    *ret_len = text->len - skip;
    return text->data ? text->data + skip : "";
}

static void read_output(struct call *call, struct output *output)
{
    struct buf text;
    size_t len;
    buf_init(&text, 2 * OUTPUT_MAX_BYTES);
    const char *start = read_stdout(call, output, &text, &len);
    bool is_text = !memchr(start, '\0', len) && utf8_valid(start, len);
    output->data = (struct output_data_view){
        .type = "TEXT_PLAIN",
        .length = arena_printf(call->arena, "%zu", is_text ? len : text.len),
        .charset = is_text ? "UTF_8" : NULL,
        .is_base64 = !is_text,
        .value = is_text ? arena_memdup(call->arena, start, len) : base64(call, &text),
    };
    buf_release(&text);
}

/* As text of a page. Bytes that are no characters, and those of terminals, become U+FFFD. */
static void add_escaped(struct buf *page, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t size = utf8_sequence(text + at, len - at);
        char c = text[at];
        if (c == '<')
            BUF_LIT(page, "&lt;");
        else if (c == '&')
            BUF_LIT(page, "&amp;");
        else if (!size || (size == 1 && (unsigned char)c < ' ' && !strchr("\t\n\r", c)) || !c)
            BUF_LIT(page, "\xef\xbf\xbd");
        else
            buf_add(page, text + at, size);
        at += size ? size : 1;
    }
}

/* What a task that is no notebook wrote, as a page: the default form has something for each type. */
static void read_page(struct call *call, struct output *output)
{
    struct buf text, page;
    size_t len;
    buf_init(&text, 2 * OUTPUT_MAX_BYTES);
    buf_init(&page, 6 * OUTPUT_MAX_BYTES);
    const char *start = read_stdout(call, output, &text, &len);
    BUF_LIT(&page, "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>");
    add_escaped(&page, output->task_run.task_key, strlen(output->task_run.task_key));
    /* A parser drops the first line feed in a pre. */
    BUF_LIT(&page, "</title></head>\n<body><pre>\n");
    add_escaped(&page, start, len);
    BUF_LIT(&page, "</pre></body>\n</html>\n");
    output->data = (struct output_data_view){
        .type = "TEXT_HTML",
        .length = arena_printf(call->arena, "%zu", page.len),
        .charset = "UTF_8",
        .value = arena_memdup(call->arena, page.data, page.len),
    };
    buf_release(&page);
    buf_release(&text);
}

/* ---- notebooks ---- */

static bool read_whole(int fd, off_t size, char *to)
{
    for (off_t at = 0; at < size;) {
        ssize_t got = pread(fd, to + at, (size_t)(size - at), at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
    }
    return true;
}

/* The executed notebook, or the page made of it. False when there is none (yet), or it is larger
 * than can be answered. */
static bool read_document(struct call *call, struct output *output, int stream)
{
    const struct api_backend *backend = call->backend;
    struct stat status;
    call_read_end(call);
    int fd = backend->open_output(backend->context, &output->run, &output->task_run,
                                  output->attempt, stream);
    if (fd < 0)
        return false;
    char *text = NULL;
    if (fstat(fd, &status) == 0 && status.st_size <= DOCUMENT_MAX_BYTES) {
        text = arena_alloc(call->arena, (size_t)status.st_size + 1);
        text[status.st_size] = '\0';
        if (!read_whole(fd, status.st_size, text) || memchr(text, '\0', (size_t)status.st_size) ||
            !utf8_valid(text, (size_t)status.st_size))
            text = NULL;
    }
    close(fd);
    if (!text)
        return false;
    output->data = (struct output_data_view){
        .type = stream == STREAM_PAGE ? "TEXT_HTML" : "NOTEBOOK",
        .length = arena_printf(call->arena, "%lld", (long long)status.st_size),
        .charset = "UTF_8",
        .value = text,
    };
    return true;
}

/* ---- the calls ---- */

enum err_code output_fetch(struct call *call)
{
    const struct fetch_output *details = call->details;
    struct output output = {0};
    if (find(call, details ? details->output_key : NULL, &output))
        return call->err.code;
    if (output.type != TASK_NOTEBOOK || !read_document(call, &output, STREAM_NOTEBOOK))
        read_output(call, &output);
    const struct output_view view = {
        .key = output.key,
        .task_type = task_type_names[output.type],
        .is_truncated = output.is_truncated,
        .error_trace = output.attempt->error_trace,
        .data = {&output.data, 1},
        .output_parameters = values_pairs(output.task_run.published, call->arena),
        .version = output.task_run.repair_number + 1,
    };
    respond_json(call, 200);
    fields_print(&task_run_output_schema, &view, &call->response->body);
    return ERR_OK;
}

/* What was asked for, in output->data. */
static enum err_code read_format(struct call *call, struct output *output, int format)
{
    if (format == FORMAT_TEXT) {
        read_output(call, output);
        return ERR_OK;
    }
    if (output->type != TASK_NOTEBOOK && format == FORMAT_HTML) {
        read_page(call, output);
        return ERR_OK;
    }
    if (output->type != TASK_NOTEBOOK)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "format must be HTML or TEXT: a task of type %s gives no %s",
                       task_type_names[output->type], format_names[format]);
    if (read_document(call, output, format == FORMAT_HTML ? STREAM_PAGE : STREAM_NOTEBOOK))
        return ERR_OK;
    if (output->attempt->state == STATE_RUNNING)
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "the attempt is RUNNING: its %s is made when it ends", format_names[format]);
    return err_set(&call->err, ERR_INCORRECT_STATE,
                   "the attempt left no %s: it was stopped or could not start, or the server's "
                   "Python has no nbconvert",
                   format_names[format]);
}

enum err_code output_export(struct call *call)
{
    const struct export_output *details = call->details;
    int format = details ? details->format : FORMAT_HTML;
    struct output output = {0};
    if (find(call, call->keys[1], &output) || read_format(call, &output, format))
        return call->err.code;
    const struct export_view view = {
        .format = format_names[format],
        .is_truncated = output.is_truncated,
        .contents = output.data.value,
    };
    respond_json(call, 200);
    respond_etag(call, arena_printf(call->arena, "%s-%s", output.key, output.data.length));
    fields_print(&exported_output_schema, &view, &call->response->body);
    return ERR_OK;
}
