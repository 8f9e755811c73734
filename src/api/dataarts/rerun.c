/*
 * Rerun: of chosen instances (mode A), or of all of a range with those of other jobs (mode B).
 *
 * Mode A is one command that repairs all of the chosen runs, or none. What it does to each is decided
 * on a snapshot; a run that has moved on since refuses them all. Mode B is a campaign.
 */
#include <string.h>

#include "api/dataarts/dataarts.h"
#include "api/dataarts/instances.h"
#include "api/dataarts/translate.h"
#include "api/extras/campaigns.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "base/timefmt.h"

enum location { LOCATION_FIRST, LOCATION_ERROR, LOCATION_NODE, LOCATION_COUNT };
enum { VERSION_ORIGINAL, VERSION_CURRENT, VERSION_COUNT };

/* Of the instances with one key, a refusal names so many. */
enum { NUMBERS_TOLD = 10 };

/* The restart of v1 takes both spellings: this one and its own. */
static const char *const locations[] = {"firstNode",  "errorNode",  "specifiedNode",
                                        "first_node", "error_node", "specified_node"};
static const char *const versions[] = {"original_version", "current_version", "original_version",
                                       "latest_version"};

/* ---- tables ---- */

struct chosen_instance {
    int64_t job_id;
    int64_t plan_ms;
    int64_t submit_ms;
};
static const struct field chosen_fields[] = {
    {.name = "job_id",
     .kind = FIELD_INT64,
     .flags = FIELD_REQUIRED,
     AT(chosen_instance, job_id),
     .doc = "Number of the job."},
    {.name = "plan_time",
     .kind = FIELD_INT64,
     .flags = FIELD_REQUIRED,
     AT(chosen_instance, plan_ms),
     .doc = "Planned time of the instance, ms."},
    {.name = "submit_time",
     .kind = FIELD_INT64,
     .flags = FIELD_REQUIRED,
     AT(chosen_instance, submit_ms),
     .doc = "When its scheduling was started, ms."},
};
static const struct schema chosen_schema =
    SCHEMA("DataArtsChosenInstance", chosen_instance, chosen_fields, "An instance.");

struct other_job {
    const char *job_name;
    const char *workspace_id;
};
static const struct field other_fields[] = {
    {.name = "job_name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(other_job, job_name),
     .min = 1,
     .max = DATAARTS_MAX_NAME,
     .doc = "Name of the job."},
    {.name = "workspace_id",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(other_job, workspace_id),
     .max = 64,
     .doc = "The workspace of the request."},
};
static const struct schema other_schema =
    SCHEMA("DataArtsOtherJob", other_job, other_fields, "A job whose instances are rerun, too.");

struct retry_body {
    int location;
    const char *node_name;
    int version;
    int8_t ignore_monitor;
    struct field_list chosen; /* of struct chosen_instance */
    int64_t begin_ms;
    int64_t end_ms;
    struct field_list jobs; /* of struct other_job */
    int64_t concurrent;
};

#define ROW(json_name, field_kind, member, ...)                                        \
    {                                                                                  \
        .name = (json_name), .kind = (field_kind), AT(retry_body, member), __VA_ARGS__ \
    }
#define ROW_NODE                                                        \
    ROW("node_name", FIELD_STRING, node_name, .max = DATAARTS_MAX_NAME, \
        .doc = "Of specifiedNode: it and everything behind it.")

static const struct field retry_fields[] = {
    ROW("retry_location", FIELD_ENUM, location, .flags = FIELD_REQUIRED, .names = locations,
        .name_count = LOCATION_COUNT, .doc = "Where to begin."),
    ROW_NODE,
    ROW("retry_task_version", FIELD_ENUM, version, .flags = FIELD_REQUIRED, .names = versions,
        .name_count = VERSION_COUNT, .doc = "Whose definition and parameters."),
    ROW("ignore_obs_monitor", FIELD_BOOL, ignore_monitor, .flags = FIELD_DEFAULT, .fallback = 1,
        .doc = "Whether the watched path is not waited for again."),
    ROW("task_retrys", FIELD_LIST, chosen, .max = RERUN_MAX_RUNS, .object = &chosen_schema,
        .doc = "The instances to be rerun: all of them, or none."),
    ROW("begin_time", FIELD_INT64, begin_ms, .min = TIMEFMT_FIRST_MS, .max = TIMEFMT_LAST_MS,
        .doc = "Planned at that ms or later."),
    ROW("end_time", FIELD_INT64, end_ms, .min = TIMEFMT_FIRST_MS, .max = TIMEFMT_LAST_MS,
        .doc = "Planned at that ms or before."),
    ROW("jobs", FIELD_LIST, jobs, .max = CAMPAIGN_MAX_JOBS - 1, .object = &other_schema,
        .doc = "Further jobs, upstream or downstream."),
    ROW("concurrent", FIELD_INT32, concurrent, .flags = FIELD_DEFAULT, .min = 1,
        .max = CAMPAIGN_MAX_CONCURRENT, .fallback = 1, .doc = "How many at once."),
};
const struct schema dataarts_retry_schema =
    SCHEMA("DataArtsRetry", retry_body, retry_fields, "What is rerun, and from where.");

static const struct field restart_fields[] = {
    ROW("retry_location", FIELD_ENUM, location, .flags = FIELD_DEFAULT, .fallback = LOCATION_FIRST,
        NAMES(locations), .doc = "Where to begin."),
    ROW("job_param_version", FIELD_ENUM, version, .flags = FIELD_DEFAULT,
        .fallback = VERSION_ORIGINAL, NAMES(versions), .doc = "Whose definition and parameters."),
    ROW("ignore_obs_monitor", FIELD_BOOL, ignore_monitor, .flags = FIELD_DEFAULT, .fallback = 1,
        .doc = "Whether the watched path is not waited for again."),
    ROW_NODE,
};
const struct schema dataarts_restart_schema =
    SCHEMA("DataArtsRestart", retry_body, restart_fields, "From where an instance is rerun.");

/* ---- what can be said of it alone ---- */

static enum err_code invalid(struct call *call, const char *what)
{
    return err_set(&call->err, ERR_INVALID_PARAMETER, "The request parameter is invalid: %s", what);
}

static enum err_code check_location(struct call *call, const struct retry_body *body)
{
    bool has_node = body->node_name && *body->node_name;
    if (body->location % LOCATION_COUNT == LOCATION_NODE && !has_node)
        return invalid(call, "node_name is required with specifiedNode");
    return ERR_OK;
}

static bool is_range(const struct retry_body *body)
{
    return body->jobs.count || body->begin_ms != FIELD_NULL || body->end_ms != FIELD_NULL;
}

enum err_code dataarts_retry_parse(struct call *call)
{
    const struct retry_body *body = call->details;
    bool has_chosen = body->chosen.count > 0;
    if (check_location(call, body))
        return call->err.code;
    if (has_chosen == is_range(body))
        return invalid(call, has_chosen ? "either task_retrys, or begin_time, end_time and jobs: "
                                          "not both"
                                        : "task_retrys, or begin_time and end_time, are required");
    if (has_chosen)
        return ERR_OK;
    if (body->begin_ms == FIELD_NULL || body->end_ms == FIELD_NULL)
        return invalid(call, body->begin_ms == FIELD_NULL ? "begin_time is required"
                                                          : "end_time is required");
    if (body->begin_ms > body->end_ms)
        return invalid(call, "begin_time must not be after end_time");
    if (body->location % LOCATION_COUNT == LOCATION_NODE)
        return invalid(call, "retry_location specifiedNode is only for task_retrys");
    return ERR_OK;
}

enum err_code dataarts_restart_parse(struct call *call)
{
    return call->details ? check_location(call, call->details) : ERR_OK;
}

/* ---- one run ---- */

static enum err_code check_state(struct call *call, const struct run_row *run)
{
    enum instance_status status = instance_status(run);
    if (run->instance_type == INSTANCE_MANUAL)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "The request parameter is invalid: instance %lld was run by hand and cannot "
                       "be rerun",
                       (long long)run->number);
    if (status == STATUS_SUCCESS || status == STATUS_FAIL || status == STATUS_MANUAL_STOP)
        return ERR_OK;
    return err_set(&call->err, ERR_INVALID_PARAMETER,
                   "The request parameter is invalid: instance %lld is %s: only what is success, "
                   "fail or manual-stop can be rerun",
                   (long long)run->number, instance_status_name(run));
}

/* Other nodes than those that the instance had: it begins anew. */
static bool has_other_nodes(const struct job_def *a, const struct job_def *b)
{
    if (a->task_count != b->task_count)
        return true;
    for (uint32_t i = 0; i < a->task_count; i++)
        if (job_def_find(b, a->tasks[i].task_key) < 0)
            return true;
    return false;
}

static enum err_code choose_tasks(struct call *call, const struct retry_body *body,
                                  const struct run_source *source, const struct job_def *def,
                                  struct repair_request *ret)
{
    const struct run_row *run = &source->image.run;
    enum location location = (enum location)(body->location % LOCATION_COUNT);
    ret->monitor = body->ignore_monitor == 1 ? MONITOR_PASSED : MONITOR_AGAIN;
    int64_t task = location == LOCATION_NODE ? job_def_find(def, body->node_name) : -1;
    bool is_node = task >= 0 &&
                   task != job_def_find_monitor(def); /* which no list of nodes shows */
    if (location == LOCATION_NODE && !is_node)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "The request parameter is invalid: node_name %.128s is no node of instance "
                       "%lld",
                       body->node_name, (long long)run->number);
    if (run->state == STATE_SUCCESS || has_other_nodes(source->def, def))
        location = LOCATION_FIRST;
    if (location == LOCATION_NODE) {
        struct repair_task *node = ARENA_NEW(call->arena, struct repair_task);
        *node = (struct repair_task){1, 0, body->node_name};
        ret->repair_tasks = node;
        ret->repair_task_count = 1;
    }
    if (location != LOCATION_ERROR)
        ret->mode = REPAIR_MODE_RERUN;
    return ERR_OK;
}

/* What is to become of a run. It goes with the command once it was looked at. */
static enum err_code plan_run(struct call *call, const struct retry_body *body,
                              const struct run_row *run, const struct job_row *job,
                              struct rerun *ret)
{
    struct run_source source;
    bool current = body->version % VERSION_COUNT == VERSION_CURRENT;
    if (check_state(call, run))
        return call->err.code;
    if (!run_source_load(&call->reading, &run->key, NULL, &source))
        return call_missing(call, "Job instance");
    *ret = (struct rerun){
        .run = run->key,
        .version = source.image.run.version,
        .repair = {.mode = FIELD_UNSET,
                   .definition = current ? DEFINITION_CURRENT : DEFINITION_ORIGINAL},
    };
    struct job_def *def =
        call->backend->definition(call->backend->context, call->reading.reader, call->workspace.id,
                                  &run->job, current ? job->version : run->definition_version);
    enum err_code code = def ? choose_tasks(call, body, &source, def, &ret->repair)
                             : call_missing(call, "Job");
    job_def_unref(def);
    run_source_release(&source);
    return code;
}

/* ---- mode A ---- */

/* The task of its parent that a sub-job was for: "" where there is none. */
static const char *parent_task_of(struct call *call, const struct run_row *run)
{
    struct task_run_row task;
    if (uuid_is_nil(&run->parent_task_run) ||
        !call->backend->reads.get_task_run(call->reading.reader, call->workspace.id,
                                           &run->parent_task_run, call->arena, &task))
        return "";
    return task.task_key;
}

/* A node that is retried or rerun starts its job anew: of these only the newest stands for it. */
static bool is_superseded(const struct run_row *const *newer, const char *const *newer_tasks,
                          size_t count, const struct run_row *run, const char *task)
{
    for (size_t i = 0; i < count; i++)
        if (*task && uuid_equal(&newer[i]->parent_run, &run->parent_run) &&
            strcmp(newer_tasks[i], task) == 0)
            return true;
    return false;
}

/* Those of the list, newest first, that could be meant. What was skipped is not rerun, so it is meant only where there is
 * nothing else. */
static size_t find_candidates(struct call *call, int64_t submit_ms,
                              const struct instance_list *list, const struct run_row **ret)
{
    const char **tasks = ARENA_ARRAY(call->arena, list->count, const char *);
    const struct run_row *skipped = NULL;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct run_row *run = &list->items[i];
        if (run->submit_ms != submit_ms)
            continue;
        if (run->state == STATE_SKIPPED) {
            skipped = skipped ? skipped : run;
            continue;
        }
        const char *task = parent_task_of(call, run);
        if (is_superseded(ret, tasks, count, run, task))
            continue;
        tasks[count] = task;
        ret[count++] = run;
    }
    if (!count && skipped)
        ret[count++] = skipped;
    return count;
}

/* "12, 11, 7", as many as are told. */
static const char *numbers_of(struct call *call, const struct run_row *const *runs, size_t count)
{
    const char *text = "";
    for (size_t i = 0; i < count && i < NUMBERS_TOLD; i++)
        text =
            arena_printf(call->arena, "%s%s%lld", text, i ? ", " : "", (long long)runs[i]->number);
    return count > NUMBERS_TOLD ? arena_printf(call->arena, "%s, …", text) : text;
}

/* A key names one instance, but for sub-jobs: they stand for the planned time of what runs them, so two
 * nodes with one job make two with one key. Then whoever names the key means the one that did not succeed; where that is
 * none, or more than one, nobody can tell. */
static enum err_code pick_instance(struct call *call, const struct chosen_instance *chosen,
                                   const struct instance_list *list, struct run_row *ret)
{
    const struct run_row **runs = ARENA_ARRAY(call->arena, list->count, const struct run_row *);
    size_t count = find_candidates(call, chosen->submit_ms, list, runs);
    const struct run_row *only = count ? runs[0] : NULL;
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (runs[i]->state == STATE_SUCCESS)
            continue;
        only = runs[i];
        failed++;
    }
    if (!count)
        return err_set(&call->err, ERR_INSTANCE_UNKNOWN,
                       "Job instance does not exist: plan_time %lld, submit_time %lld",
                       (long long)chosen->plan_ms, (long long)chosen->submit_ms);
    if (count > 1 && failed != 1)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "The request parameter is invalid: task_retrys: plan_time %lld and "
                       "submit_time %lld are those of %zu instances: %s",
                       (long long)chosen->plan_ms, (long long)chosen->submit_ms, count,
                       numbers_of(call, runs, count));
    *ret = *only;
    return ERR_OK;
}

static enum err_code find_instance(struct call *call, const struct job_row *job,
                                   const struct chosen_instance *chosen, struct run_row *ret)
{
    enum { MOST = 1000 };
    const struct instance_filter filter = {
        .job = &job->key,
        .from_ms = chosen->plan_ms,
        .to_ms = chosen->plan_ms,
        .is_suspended = FIELD_UNSET,
        .ignored_failure = FIELD_UNSET,
        .type = FIELD_NULL,
        .limit = MOST,
    };
    struct instance_list list;
    if (chosen->job_id != job->number)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "The request parameter is invalid: task_retrys: job_id %lld is not that of "
                       "job %.128s, which is %lld",
                       (long long)chosen->job_id, job->name, (long long)job->number);
    call->backend->reads.list_instances(call->reading.reader, call->workspace.id, &filter,
                                        call->arena, &list);
    if (call_reader_check(call))
        return call->err.code;
    return pick_instance(call, chosen, &list, ret);
}

static bool is_repeated(const struct command *command, const struct uuid *run)
{
    for (size_t i = 0; i < command->rerun_count; i++)
        if (uuid_equal(&command->reruns[i].run, run))
            return true;
    return false;
}

static enum err_code choose_runs(struct call *call, const struct job_row *job,
                                 struct command *command)
{
    const struct retry_body *body = call->details;
    const struct chosen_instance *chosen = body->chosen.items;
    command->kind = COMMAND_RUNS_RERUN;
    command->reruns = ARENA_ARRAY(call->arena, body->chosen.count, struct rerun);
    for (size_t i = 0; i < body->chosen.count; i++) {
        struct run_row run = {0};
        if (find_instance(call, job, &chosen[i], &run))
            return call->err.code;
        if (is_repeated(command, &run.key))
            continue;
        if (plan_run(call, body, &run, job, &command->reruns[command->rerun_count]))
            return call->err.code;
        command->rerun_count++;
    }
    return ERR_OK;
}

/* ---- mode B ---- */

static enum err_code find_others(struct call *call, const struct retry_body *body,
                                 struct campaign_request *ret)
{
    const struct other_job *others = body->jobs.items;
    struct uuid *keys = ARENA_ARRAY(call->arena, body->jobs.count, struct uuid);
    for (size_t i = 0; i < body->jobs.count; i++) {
        struct job_row row;
        enum err_code code = dataarts_check_workspace(call, others[i].workspace_id, "jobs", i);
        if (code)
            return code;
        code = dataarts_find_job(&call->reading, others[i].job_name, &row, &call->err);
        if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
            code = err_set(&call->err, ERR_JOB_UNKNOWN, "Failed to find the job. jobs[%zu]: %.128s",
                           i, others[i].job_name);
        if (code)
            return code;
        keys[i] = row.key;
    }
    ret->jobs = keys;
    ret->job_count = body->jobs.count;
    return ERR_OK;
}

static enum err_code request_of_range(struct call *call, const struct job_row *job,
                                      struct campaign_request *ret)
{
    const struct retry_body *body = call->details;
    bool from_first = body->location % LOCATION_COUNT == LOCATION_FIRST;
    bool current = body->version % VERSION_COUNT == VERSION_CURRENT;
    *ret = (struct campaign_request){
        .kind = CAMPAIGN_RERUN,
        .job = job->key,
        .begin_ms = body->begin_ms,
        .end_ms = body->end_ms,
        .concurrent = body->concurrent,
        .where = from_first ? CAMPAIGN_FROM_FIRST : CAMPAIGN_FROM_ERROR,
        .version = current ? CAMPAIGN_CURRENT : CAMPAIGN_ORIGINAL,
        .set = CAMPAIGN_ALL,
        .ignore_monitor = body->ignore_monitor == 1,
    };
    return find_others(call, body, ret);
}

/* ---- the routes ---- */

enum err_code dataarts_retry(struct call *call, struct command *command)
{
    const struct retry_body *body = call->details;
    struct campaign_request request;
    struct job_row job;
    bool of_range = is_range(body);
    /* What a permission opens are instances of one job. */
    if (of_range && !uuid_is_nil(&call->granted))
        return err_set(&call->err, ERR_ROLE_TOO_LOW, "Invalid account permissions.");
    if (call_read_begin(call))
        return call->err.code;
    enum err_code code = dataarts_job_of_path(call, &job);
    if (code == ERR_NOT_AUTHORIZED_OR_NOT_FOUND)
        code = err_set(&call->err, ERR_JOB_UNKNOWN, "Failed to find the job.");
    if (!code)
        code = of_range ? request_of_range(call, &job, &request) : choose_runs(call, &job, command);
    call_read_end(call);
    if (code)
        return code;
    if (of_range) {
        call->note.act = (struct audit_act){AUDIT_ABOUT_CAMPAIGN, "campaign.create"};
        return campaign_order(call, &request, command);
    }
    call->note.resource = job.key;
    call->note.target = call->keys[0];
    call->note.detail = arena_printf(call->arena, "%zu runs are repaired.", command->rerun_count);
    return ERR_OK;
}

bool dataarts_retry_answered(const struct reading *at, const struct api_pending *pending,
                             struct http_request *request, struct http_response *response)
{
    char key[UUID_TEXT];
    (void)at;
    if (pending->command.kind == COMMAND_CAMPAIGN_CREATE)
        http_add_header(request, response, "x-reprise-campaign",
                        uuid_format(&pending->result.key, key));
    return true;
}

enum err_code dataarts_restart(struct call *call, struct command *command)
{
    const struct retry_body preset = {.location = LOCATION_FIRST, .ignore_monitor = 1};
    const struct retry_body *body = call->details ? call->details : &preset;
    struct run_row run = {0};
    struct job_row job;
    if (call_read_begin(call))
        return call->err.code;
    command->kind = COMMAND_RUNS_RERUN;
    command->reruns = ARENA_NEW(call->arena, struct rerun);
    enum err_code code = dataarts_instance_of_path(call, &run);
    if (!code)
        code = dataarts_job_of_path(call, &job);
    if (!code)
        code = plan_run(call, body, &run, &job, command->reruns);
    command->rerun_count = !code;
    call->note.resource = run.key;
    call_read_end(call);
    return code;
}
