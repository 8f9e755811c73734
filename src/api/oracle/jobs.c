/* Jobs: made, shown, changed, deleted. */
#include <string.h>

#include "api/oracle/oracle.h"
#include "api/oracle/run_source.h"
#include "api/respond.h"
#include "base/timefmt.h"

/* What a job shows of the times to come. */
enum { NEXT_TIMES = 5 };

/* ---- commands ---- */

enum err_code job_parse_body(struct call *call)
{
    enum err_code code = job_def_parse(call->json, call->strict, &call->def, &call->err);
    bool has_no_name = !json_is_string(json_object_get(call->json, "name"));
    if (code == ERR_MISSING_PARAMETER && has_no_name && strcmp(call->request->method, "PUT") == 0)
        code = err_set(&call->err, ERR_INVALID_PARAMETER,
                       "name must not be null"); /* Oracle's own words */
    return code ? code : schedule_check(call, call->def->details.schedule);
}

static void give_def(struct call *call, struct command *command)
{
    command->def = call->def;
    call->def = NULL;
}

enum err_code job_create(struct call *call, struct command *command)
{
    command->kind = COMMAND_JOB_CREATE;
    give_def(call, command);
    return ERR_OK;
}

/* Of who was given the job alone: the definition, and a name, which the other dialect finds jobs by. */
static enum err_code check_granted(struct call *call, struct command *command)
{
    const struct api_backend *backend = call->backend;
    struct job_row row = {0};
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = backend->reads.get_job(call->reading.reader, call->workspace.id,
                                                &command->key, call->arena, &row)
                             ? grant_check_change(call, &row, call->def)
                             : call_missing(call, "Job");
    call_read_end(call);
    command->name_is_unique = true;
    return code;
}

enum err_code job_update(struct call *call, struct command *command)
{
    command->kind = COMMAND_JOB_UPDATE;
    if (call_key(call, 0, "Job", &command->key) ||
        (!uuid_is_nil(&call->granted) && check_granted(call, command)))
        return call->err.code;
    give_def(call, command);
    return ERR_OK;
}

enum err_code job_delete(struct call *call, struct command *command)
{
    command->kind = COMMAND_JOB_DELETE;
    return call_key(call, 0, "Job", &command->key);
}

enum err_code job_cancel_runs(struct call *call, struct command *command)
{
    command->kind = COMMAND_JOB_CANCEL_RUNS;
    return call_key(call, 0, "Job", &command->key);
}

/* ---- one job ---- */

static const char *next_times(const struct reading *at, const struct job_row *row,
                              const struct job_details *details)
{
    int64_t times[NEXT_TIMES];
    char text[TIMEFMT_TEXT];
    struct buf out;
    size_t count = job_next_times(at, &row->key, details, NEXT_TIMES, times);
    buf_init(&out, NEXT_TIMES * (TIMEFMT_TEXT + 3) + 2);
    buf_putc(&out, '[');
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%s\"%s\"", i ? "," : "", timefmt_rfc3339(times[i], text));
    buf_putc(&out, ']');
    const char *json = arena_strdup(at->arena, out.data);
    buf_release(&out);
    return json;
}

static struct job_view job_view(const struct reading *at, const struct job_row *row,
                                const struct job_def *def)
{
    struct arena *arena = at->arena;
    return (struct job_view){
        .key = key_text(&row->key, arena),
        .created_by = row->created_by,
        .created_by_name = row->created_by_name,
        .updated_by = row->updated_by,
        .updated_by_name = row->updated_by_name,
        .created_ms = row->created_ms,
        .updated_ms = row->updated_ms,
        .version = row->version,
        .details = def->details,
        .git_config = def->git_config_json,
        .parameters = def->parameters_json,
        .queue = def->queue_json,
        .schedule = def->schedule_json,
        .tasks = def->tasks_json,
        .next_times = next_times(at, row, &def->details),
    };
}

static struct job_def *newest_def(const struct reading *at, const struct job_row *row)
{
    const struct api_backend *backend = &at->api->backend;
    return backend->definition(backend->context, at->reader, at->workspace->id, &row->key,
                               row->version);
}

bool job_print(const struct reading *at, const struct uuid *key, struct buf *out,
               char etag[static ETAG_TEXT])
{
    struct job_row row;
    if (!at->api->backend.reads.get_job(at->reader, at->workspace->id, key, at->arena, &row) ||
        row.deleted_ms != FIELD_NULL)
        return false;
    struct job_def *def = newest_def(at, &row);
    if (!def)
        return false;
    const struct job_view view = job_view(at, &row, def);
    fields_print(&job_schema, &view, out);
    job_def_unref(def);
    etag_of_job(row.version, etag);
    return true;
}

enum err_code job_get(struct call *call)
{
    struct uuid key;
    char etag[ETAG_TEXT];
    if (call_key(call, 0, "Job", &key))
        return call->err.code;
    if (!job_print(&call->reading, &key, &call->response->body, etag))
        return call_missing(call, "Job");
    respond_json(call, 200);
    respond_etag(call, etag);
    return ERR_OK;
}
