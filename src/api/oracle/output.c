/* fetchOutput: what an attempt wrote to its standard output, with how it ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/oracle/oracle.h"
#include "api/oracle/requests.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/oracle/task_view.h"
#include "api/respond.h"
#include "base/utf8.h"

/* Of a longer output its end is shown; `logs` reads all of it. */
enum { OUTPUT_MAX_BYTES = 1 << 20, STREAM_STDOUT = 1, OUTPUT_KEY_MAX = 100 };

/* ---- tables ---- */

struct fetch_details {
    const char *output_key;
};

static const struct field details_fields[] = {
    {.name = "outputKey",
     .kind = FIELD_STRING,
     AT(fetch_details, output_key),
     .min = 1,
     .max = OUTPUT_KEY_MAX,
     .doc = "Key of an attempt's output; when absent that of the newest."},
};
const struct schema fetch_output_schema =
    SCHEMA("FetchOutputDetails", fetch_details, details_fields, "Which output.");

static const char *const data_types[] = {"TEXT_PLAIN"};
static const char *const charsets[] = {"UTF_8"};

struct data_view {
    int type;           /* index in data_types */
    const char *length; /* bytes, as text */
    int charset;        /* index in charsets */
    int8_t is_base64;
    const char *compression;
    const char *value;
};

static const struct field data_fields[] = {
    {.name = "type",
     .kind = FIELD_ENUM,
     AT(data_view, type),
     NAMES(data_types),
     .doc = "Kind of the value."},
    {.name = "length",
     .kind = FIELD_STRING,
     AT(data_view, length),
     .doc = "Bytes of the value, as text."},
    {.name = "charset",
     .kind = FIELD_ENUM,
     AT(data_view, charset),
     NAMES(charsets),
     .doc = "How the value is written."},
    {.name = "isBase64", .kind = FIELD_BOOL, AT(data_view, is_base64), .doc = "Never here."},
    {.name = "compression", .kind = FIELD_STRING, AT(data_view, compression), .doc = "None here."},
    {.name = "value", .kind = FIELD_STRING, AT(data_view, value), .doc = "The output."},
};
static const struct schema data_schema =
    SCHEMA("RunOutputData", data_view, data_fields, "What a task has put out.");

struct output_view {
    const char *key;
    int task_type; /* enum task_type */
    int8_t is_truncated;
    const char *error_trace;
    struct data_view *data;
    struct field_list parameters; /* of struct param */
    int64_t version;
};

static const struct field output_fields[] = {
    {.name = "key", .kind = FIELD_STRING, AT(output_view, key), .doc = "The outputKey."},
    {.name = "taskType",
     .kind = FIELD_ENUM,
     AT(output_view, task_type),
     .names = task_type_names,
     .name_count = TASK_TYPE_COUNT,
     .doc = "Type of the task."},
    {.name = "isTruncated",
     .kind = FIELD_BOOL,
     AT(output_view, is_truncated),
     .doc = "Whether only the end of the output is here."},
    {.name = "errorTrace",
     .kind = FIELD_STRING,
     AT(output_view, error_trace),
     .doc = "End of the attempt's standard error, if it did not succeed."},
    {.name = "data",
     .kind = FIELD_OBJECT,
     AT(output_view, data),
     .object = &data_schema,
     .doc = "What it wrote to its standard output."},
    {.name = "outputParameters",
     .kind = FIELD_LIST,
     AT(output_view, parameters),
     .object = &param_schema,
     .doc = "Values that the task has published."},
    {.name = "version",
     .kind = FIELD_INT32,
     AT(output_view, version),
     .doc = "Version of the run that the attempt belongs to."},
};
static const struct schema output_schema =
    SCHEMA("TaskRunOutput", output_view, output_fields, "The output of an attempt.");

/* ---- the attempt ---- */

/* The number in "TASKRUN.NUMBER" of this task run, -1 when it is another key. */
static int64_t number_of_key(const char *output_key, const struct uuid *task_run)
{
    char own[UUID_TEXT];
    uuid_format(task_run, own);
    size_t len = strlen(own);
    if (strncmp(output_key, own, len) != 0 || output_key[len] != '.')
        return -1;
    const char *digits = output_key + len + 1;
    size_t count = strspn(digits, "0123456789");
    bool is_number = count > 0 && count < 10 && !digits[count];
    return is_number && (digits[0] != '0' || count == 1) ? strtoll(digits, NULL, 10) : -1;
}

static enum err_code choose_attempt(struct call *call, const struct task_run_row *row,
                                    struct attempt_row **ret)
{
    const struct fetch_details *details = call->details;
    const char *key = details ? details->output_key : NULL;
    int64_t number = key ? number_of_key(key, &row->key) : row->attempt;
    if (!key && number == FIELD_NULL)
        return err_set(&call->err, ERR_INCORRECT_STATE,
                       "the task run is %s and has no output: none of its attempts has started",
                       state_name(row->state));
    size_t found = number < 0
                       ? 0
                       : call->backend->reads.attempts(call->reading.reader, call->workspace.id,
                                                       &row->key, number, 1, call->arena, ret);
    if (!found || (*ret)->number != number || (*ret)->start_ms == FIELD_NULL)
        return call_missing(call, "Output");
    return ERR_OK;
}

/* The end of the file, as much as may be shown, from the beginning of a character. */
static const char *read_end(int fd, struct arena *arena, size_t *ret_len, bool *ret_truncated)
{
    struct stat stat;
    *ret_len = 0;
    *ret_truncated = false;
    if (fd < 0 || fstat(fd, &stat))
        return "";
    off_t first = stat.st_size > OUTPUT_MAX_BYTES ? stat.st_size - OUTPUT_MAX_BYTES : 0;
    char *text = arena_alloc(arena, OUTPUT_MAX_BYTES + 1);
    size_t len = 0;
    while (len < OUTPUT_MAX_BYTES) {
        ssize_t got = pread(fd, text + len, OUTPUT_MAX_BYTES - len, first + (off_t)len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    size_t skip = 0;
    while (first && skip < len && skip < 4 && ((unsigned char)text[skip] & 0xc0) == 0x80)
        skip++;
    *ret_truncated = first > 0;
    *ret_len = len - skip;
    return text + skip;
}

/* A NUL would end the text: a blank stands for it. */
static const char *without_nul(const char *text, size_t len, struct arena *arena)
{
    char *copy = arena_memdup(arena, text, len);
    for (size_t i = 0; i < len; i++)
        if (!copy[i])
            copy[i] = ' ';
    return copy;
}

static void respond_output(struct call *call, const struct task_run_row *row,
                           const struct attempt_row *attempt, int task_type, int fd)
{
    size_t len;
    bool truncated;
    const char *text = read_end(fd, call->arena, &len, &truncated);
    struct data_view data = {
        .length = arena_printf(call->arena, "%zu", len),
        .is_base64 = 0,
        .value = without_nul(text, len, call->arena),
    };
    const struct output_view view = {
        .key = output_key(call->arena, row, attempt),
        .task_type = task_type,
        .is_truncated = truncated,
        .error_trace = attempt->error_trace,
        .data = &data,
        .version = row->repair_number + 1,
    };
    respond_json(call, 200);
    fields_print(&output_schema, &view, &call->response->body);
}

enum err_code output_fetch(struct call *call)
{
    const struct api_backend *backend = call->backend;
    struct task_run_row row;
    struct run_row run;
    struct attempt_row *attempt = NULL;
    struct uuid key;
    if (call_key(call, 0, "Task run", &key))
        return call->err.code;
    if (!backend->reads.get_task_run(call->reading.reader, call->workspace.id, &key, call->arena,
                                     &row) ||
        !backend->reads.get_run(call->reading.reader, call->workspace.id, &row.run, call->arena,
                                &run))
        return call_missing(call, "Task run");
    if (choose_attempt(call, &row, &attempt))
        return call->err.code;
    struct job_def *def = backend->definition(backend->context, call->reading.reader,
                                              call->workspace.id, &run.job, row.definition_version);
    int64_t position = def ? job_def_find(def, row.task_key) : -1;
    int type = position < 0 ? FIELD_UNSET : def->tasks[position].type;
    job_def_unref(def);
    if (call_reader_check(call))
        return call->err.code;
    call_read_end(call); /* files are read without holding a snapshot */
    int fd = backend->open_output(backend->context, &run, &row, attempt, STREAM_STDOUT);
    respond_output(call, &row, attempt, type, fd);
    if (fd >= 0)
        close(fd);
    return ERR_OK;
}
