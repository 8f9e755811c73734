/* Jobs: made, shown, changed, deleted, run by hand. */
#include "api/dataarts/dataarts.h"

#include <string.h>

#include "api/dataarts/spelling.h"
#include "api/dataarts/translate.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "model/params.h"

/* ---- tables ---- */

struct job_get_query {
    int64_t version;
    int8_t dependencies;
    int8_t submitted;
};
static const struct field job_get_query_fields[] = {
    {.name = "version",
     .kind = FIELD_INT64,
     AT(job_get_query, version),
     .min = 1,
     .max = INT64_MAX,
     .doc = "That version; absent: the newest."},
    {.name = "dependencies",
     .kind = FIELD_BOOL,
     AT(job_get_query, dependencies),
     .doc = "true: with downstreamJobs, the jobs that depend on it, one level."},
    {.name = "getJobSubmitVersion",
     .kind = FIELD_BOOL,
     AT(job_get_query, submitted),
     .doc =
         "Without `version`: the newest submitted version, or the newest saved. Saving submits, so both "
         "are the newest."},
};
const struct schema dataarts_job_get_query_schema =
    SCHEMA("DataArtsJobQuery", job_get_query, job_get_query_fields, "Which version of a job.");

struct delete_request {
    const char *approvers;
};
static const struct field delete_fields[] = {
    {.name = "approvers",
     .kind = FIELD_RAW,
     AT(delete_request, approvers),
     .doc = "Not looked at."},
};
const struct schema dataarts_delete_schema =
    SCHEMA("DataArtsDelete", delete_request, delete_fields, "What may be said of a deletion.");

struct run_request_body {
    struct field_list params; /* of struct dataarts_param */
};
static const struct field run_fields[] = {
    {.name = "jobParams",
     .kind = FIELD_LIST,
     AT(run_request_body, params),
     .max = DATAARTS_MAX_PARAMS,
     .object = &dataarts_param_schema,
     .doc = "Parameters of this instance."},
};
const struct schema dataarts_run_schema =
    SCHEMA("DataArtsRun", run_request_body, run_fields, "How a job is run at once.");

struct run_answer {
    int64_t instance_id;
};
static const struct field run_answer_fields[] = {
    {.name = "instanceId",
     .kind = FIELD_INT64,
     AT(run_answer, instance_id),
     .doc = "Number of the instance."},
};
const struct schema dataarts_run_answer_schema =
    SCHEMA("DataArtsRunAnswer", run_answer, run_answer_fields, "The instance that was made.");

/* ---- what all do ---- */

enum err_code dataarts_parse_body(struct call *call)
{
    const struct schema *schema = call->route->body;
    const struct fields_options options = {.strict = call->strict};
    spelling_mend(schema, call->json);
    call->details = arena_alloc(call->arena, schema->size);
    return fields_parse(schema, call->json, call->details, call->arena, &options, &call->err);
}

enum err_code dataarts_job_of_path(struct call *call, struct job_row *ret)
{
    /* A name may have gone from the job that the caller may touch to another since that was asked. */
    enum err_code code = dataarts_find_job(&call->reading, call->keys[0], ret, &call->err);
    if (code == ERR_UNAVAILABLE)
        return code;
    if (!code && (uuid_is_nil(&call->granted) || uuid_equal(&call->granted, &ret->key)))
        return ERR_OK;
    return err_set(&call->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "The job does not exist.");
}

enum err_code dataarts_check_workspace(struct call *call, const char *given, const char *field,
                                       size_t i)
{
    struct uuid key;
    struct api_workspace other;
    int role = -1;
    if (uuid_parse_hex(given, &key) && uuid_equal(&key, &call->workspace.key))
        return ERR_OK;
    if (uuid_parse_hex(given, &key) &&
        call->backend->workspace(call->backend->context, &key, &other) &&
        call_role(call, &call->account, &other, &role))
        return call->err.code;
    if (role < ROLE_VIEWER)
        return err_set(&call->err, ERR_WORKSPACE_UNKNOWN,
                       "Workspace does not exists: %s[%zu].workspace_id", field, i);
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "The request parameter is invalid: %s[%zu].workspace_id must be the request's "
                   "workspace: jobs of another one cannot take part",
                   field, i);
}

enum err_code dataarts_check_change(struct call *call, const struct job_row *row,
                                    struct command *command)
{
    enum err_code code = grant_check_change(call, row, command->def);
    if (!code)
        code = call_reader_check(call); /* what the definition was made of */
    if (code) {
        job_def_unref(command->def);
        command->def = NULL;
    }
    return code;
}

static struct job_def *definition(struct call *call, const struct job_row *row, int64_t version)
{
    return call->backend->definition(call->backend->context, call->reading.reader,
                                     call->workspace.id, &row->key, version);
}

/* ---- what depends on it ---- */

static bool depends_on(const struct job_def *def, const struct uuid *job)
{
    const struct job_dependency *items = def->details.dependencies.items;
    for (size_t i = 0; i < def->details.dependencies.count; i++) {
        struct uuid key;
        if (uuid_parse(items[i].job_key, &key) && uuid_equal(&key, job))
            return true;
    }
    return false;
}

/* Only definitions say so: every job of the workspace is gone through, newest first. */
static enum err_code find_downstream(struct call *call, const struct job_row *row,
                                     struct field_list *ret)
{
    enum { AT_ONCE = 1000 };
    struct dataarts_downstream *found =
        ARENA_ARRAY(call->arena, DATAARTS_MAX_DOWNSTREAM, struct dataarts_downstream);
    struct numbered_job_filter filter = {.is_active = FIELD_UNSET, .limit = AT_ONCE};
    struct numbered_job_list chunk;
    char key[UUID_TEXT];
    const char *workspace = call->workspace.name
                                ? call->workspace.name
                                : arena_strdup(call->arena, uuid_format(&call->workspace.key, key));
    *ret = (struct field_list){found, 0};
    do {
        call->backend->reads.list_numbered_jobs(call->reading.reader, call->workspace.id, &filter,
                                                call->arena, &chunk);
        for (size_t i = 0; i < chunk.count && ret->count < DATAARTS_MAX_DOWNSTREAM; i++) {
            const struct job_row *other = &chunk.items[i];
            struct job_def *def = definition(call, other, other->version);
            if (def && depends_on(def, &row->key))
                found[ret->count++] =
                    (struct dataarts_downstream){workspace, other->name, other->number};
            job_def_unref(def);
        }
        filter.offset += AT_ONCE;
    } while (chunk.count == AT_ONCE);
    return call_reader_check(call);
}

/* ---- making ---- */

enum err_code dataarts_job_create(struct call *call, struct command *command)
{
    struct dataarts_job *job = call->details;
    const struct dataarts_kept kept = {.job = job};
    job->downstream = (struct field_list){0};
    command->kind = COMMAND_JOB_CREATE;
    command->name_is_unique = true;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = dataarts_to_def(&call->reading, &kept, false, &command->def, &call->err);
    call_read_end(call);
    return code;
}

/* Clients send back what they were shown; one that names another job has mixed them up. 0 says nothing. */
static enum err_code check_number(struct call *call, const struct job_row *row)
{
    const struct dataarts_job *job = call->details;
    if (job->id == FIELD_NULL || job->id == 0 || job->id == row->number)
        return ERR_OK;
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "id must be that of the job [%.128s], %lld, not %lld", row->name,
                   (long long)row->number, (long long)job->id);
}

/* Whether it is scheduled, and how it was started, is not the definition's to say: it is as it was read, and a
 * start or stop meanwhile must not be lost. */
static enum err_code update(struct call *call, struct command *command)
{
    struct job_row row;
    char etag[ETAG_TEXT];
    struct dataarts_job *job = call->details;
    job->downstream = (struct field_list){0}; /* of an answer that is sent back */
    if (dataarts_job_of_path(call, &row))
        return call->err.code;
    struct job_def *def = definition(call, &row, row.version);
    if (!def)
        return call_missing(call, "Job");
    bool exact;
    const struct dataarts_kept was = dataarts_tell(&call->reading, &row, def, &exact);
    const struct schedule *schedule = def->details.schedule;
    bool is_active = schedule && schedule->pause_status != PAUSE_PAUSED;
    const struct dataarts_kept kept = {.job = job, .start = was.start};
    if (!job->name)
        job->name = row.name;
    if (check_number(call, &row)) {
        job_def_unref(def);
        return call->err.code;
    }
    command->key = row.key;
    command->if_match = arena_strdup(call->arena, etag_of_job(row.version, etag));
    enum err_code code =
        dataarts_to_def(&call->reading, &kept, is_active, &command->def, &call->err);
    if (!code)
        code = dataarts_check_change(call, &row, command);
    if (!code && !exact &&
        (code = dataarts_check_told(&call->reading, &was, job->name, def, &call->err))) {
        job_def_unref(command->def);
        command->def = NULL;
    }
    job_def_unref(def);
    return code;
}

enum err_code dataarts_job_update(struct call *call, struct command *command)
{
    command->kind = COMMAND_JOB_UPDATE;
    command->name_is_unique = true;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = update(call, command);
    call_read_end(call);
    return code;
}

enum err_code dataarts_job_delete(struct call *call, struct command *command)
{
    struct job_row row;
    command->kind = COMMAND_JOB_DELETE;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = dataarts_job_of_path(call, &row);
    command->key = row.key;
    call_read_end(call);
    return code;
}

enum err_code dataarts_job_get(struct call *call)
{
    const struct job_get_query *query = call->filter;
    struct job_row row;
    if (dataarts_job_of_path(call, &row))
        return call->err.code;
    int64_t version = query->version == FIELD_NULL ? row.version : query->version;
    struct job_def *def = version <= row.version ? definition(call, &row, version) : NULL;
    if (!def) {
        if (call_reader_check(call))
            return call->err.code;
        return err_set(&call->err, ERR_INVALID_PARAMETER, "version %lld does not exist",
                       (long long)version);
    }
    const struct dataarts_kept kept = dataarts_from_def(&call->reading, &row, def);
    enum err_code code =
        query->dependencies == 1 ? find_downstream(call, &row, &kept.job->downstream) : ERR_OK;
    if (!code) {
        respond_json(call, 200);
        fields_print(&dataarts_job_schema, kept.job, &call->response->body);
    }
    job_def_unref(def);
    return code;
}

/* ---- run-immediate ---- */

enum err_code dataarts_params_given(struct call *call, const struct field_list *given,
                                    struct param_list *ret)
{
    const struct dataarts_param *items = given->items;
    struct param *params = ARENA_ARRAY(call->arena, given->count, struct param);
    for (size_t i = 0; i < given->count; i++)
        params[i] = (struct param){items[i].name, items[i].value ? items[i].value : ""};
    enum err_code code = params_check(params, given->count, "jobParams", &call->err);
    if (!code)
        *ret = (struct param_list){params, given->count};
    return code;
}

enum err_code dataarts_job_run(struct call *call, struct command *command)
{
    struct job_row row;
    const struct run_request_body *body = call->details;
    command->kind = COMMAND_RUN_CREATE;
    command->run.queue_enabled = FIELD_UNSET;
    if (body && dataarts_params_given(call, &body->params, &command->run.parameters))
        return call->err.code;
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = dataarts_job_of_path(call, &row);
    command->key = row.key;
    call_read_end(call);
    return code;
}

bool dataarts_job_run_answered(const struct reading *at, const struct api_pending *pending,
                               struct http_request *request, struct http_response *response)
{
    struct run_row run = {0};
    (void)request;
    if (!at->api->backend.reads.get_run(at->reader, at->workspace->id, &pending->result.key,
                                        at->arena, &run))
        return false;
    const struct run_answer answer = {run.number};
    fields_print(&dataarts_run_answer_schema, &answer, &response->body);
    return true;
}
