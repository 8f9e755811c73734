/* Runs: made, shown, cancelled, deleted. */
#include "api/oracle/oracle.h"
#include "api/oracle/requests.h"
#include "api/respond.h"
#include "model/params.h"

static const char *print_object(const struct schema *schema, const void *object,
                                struct arena *arena)
{
    struct buf out;
    if (!object)
        return NULL;
    buf_init(&out, DEF_MAX_JSON);
    fields_print(schema, object, &out);
    const char *json = arena_memdup(arena, out.data, out.len);
    buf_release(&out);
    return json;
}

enum err_code job_run_parse_create(struct call *call)
{
    struct create_job_run *details = call->details;
    struct err *err = &call->err;
    if (details->original_attempt_run_id &&
        !uuid_parse(details->original_attempt_run_id, &details->original))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "originalAttemptRunId must be the key of a run, 36 characters long");
    enum err_code code =
        params_check(details->parameters.items, details->parameters.count, "parameters", err);
    return code ? code : schedule_check(call, details->schedule);
}

/* Does it name a run of this job? */
static enum err_code look_up_original(struct call *call, const struct uuid *original,
                                      const struct uuid *job, bool *ret)
{
    const struct api_backend *backend = call->backend;
    struct run_row row;
    if (call_read_begin(call))
        return call->err.code;
    bool found = backend->reads.get_run(call->reading.reader, call->workspace.id, original,
                                        call->arena, &row);
    enum err_code code = call_reader_check(call);
    call_read_end(call);
    *ret = found && uuid_equal(&row.job, job);
    return code;
}

enum err_code job_run_create(struct call *call, struct command *command)
{
    const struct create_job_run *details = call->details;
    command->kind = COMMAND_RUN_CREATE;
    if (!uuid_parse(details->job_key, &command->key))
        return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "Job not found or not allowed");
    command->run = (struct run_request){
        .parameters = params_of(&details->parameters),
        .queue_enabled = details->queue ? details->queue->is_enabled : FIELD_UNSET,
        .queue_json = print_object(&queue_schema, details->queue, call->arena),
        .schedule_json = print_object(&schedule_schema, details->schedule, call->arena),
        .has_original_attempt = details->original_attempt_run_id != NULL,
        .original_attempt_run = details->original,
    };
    if (!command->run.has_original_attempt)
        return ERR_OK;
    return look_up_original(call, &details->original, &command->key,
                            &command->run.original_is_known);
}

enum err_code job_run_cancel(struct call *call, struct command *command)
{
    command->kind = COMMAND_RUN_CANCEL;
    return call_key(call, 0, "Job run", &command->key);
}

enum err_code tasks_cancel(struct call *call, struct command *command)
{
    const struct cancel_tasks *details = call->details;
    command->kind = COMMAND_RUN_CANCEL;
    command->task_keys = details->task_keys.items;
    command->task_key_count = details->task_keys.count;
    call->note.detail = arena_printf(call->arena, "%zu tasks; the first is %.100s.",
                                     command->task_key_count, command->task_keys[0]);
    return call_key(call, 0, "Job run", &command->key);
}

enum err_code job_run_delete(struct call *call, struct command *command)
{
    command->kind = COMMAND_RUN_DELETE;
    return call_key(call, 0, "Job run", &command->key);
}

enum err_code job_run_get(struct call *call)
{
    struct uuid key;
    char etag[ETAG_TEXT];
    if (call_key(call, 0, "Job run", &key))
        return call->err.code;
    if (!job_run_print(&call->reading, &key, &call->response->body, etag))
        return call_missing(call, "Job run");
    respond_json(call, 200);
    respond_etag(call, etag);
    return ERR_OK;
}
