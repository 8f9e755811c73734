/* simulate: what a run of a definition would do, worked out by the engine; nothing is run or saved. */
#include <stdio.h>

#include "api/extras/extras.h"
#include "api/oracle/requests.h"
#include "api/oracle/tables.h"
#include "api/oracle/views.h"
#include "api/respond.h"
#include "base/json.h"
#include "model/params.h"

/* ---- what is asked ---- */

struct simulate_details {
    const char *job_key;
    const char *definition;        /* JSON; parsed into call->def */
    struct field_list parameters;  /* of struct param */
    struct field_list assumptions; /* of struct assumption */
    struct field_list repairs;     /* of struct asked_repair */
};

struct asked_repair {
    struct field_list assumptions;
    struct field_list mark_success;
    struct field_list parameters;
    int mode; /* enum repair_mode */
    struct field_list repair_tasks;
    struct field_list task_keys;
};

enum { MAX_TIMES = 1000, MAX_DURATION_MS = 7 * 24 * 3600 * 1000 };

static const struct field assumed_value_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(param, name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Its key: one line without =."},
    {.name = "value",
     .kind = FIELD_STRING,
     AT(param, value),
     .max = DEF_MAX_VALUE_BYTES,
     .doc = "One line; empty when absent."},
};
static const struct schema assumed_value_schema = SCHEMA(
    "AssumedValue", param, assumed_value_fields, "A value that a task is assumed to publish.");

static const struct field assumption_fields[] = {
    {.name = "durationMillis",
     .kind = FIELD_INT64,
     AT(assumption, duration_ms),
     .max = MAX_DURATION_MS,
     .doc = "How long each attempt takes; a second when absent."},
    {.name = "outcome",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(assumption, outcome),
     .fallback = ASSUMED_SUCCESS,
     NAMES(assumed_names),
     .doc =
         "How its attempts end; of an IF_ELSE_TASK true, false or FAILED, whatever its operands."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(assumption, task_key),
     .doc = "Key of the task."},
    {.name = "times",
     .kind = FIELD_INT64,
     .flags = FIELD_DEFAULT,
     AT(assumption, times),
     .max = MAX_TIMES,
     .doc = "So many attempts end so, and the next one succeeds; 0: all of them end so."},
    {.name = "values",
     .kind = FIELD_LIST,
     AT(assumption, values),
     .max = SIMULATION_MAX_VALUES,
     .object = &assumed_value_schema,
     .doc = "What each of its attempts publishes, for {{tasks.T.values.KEY}}. It holds for later "
            "repairs, too, until others are given; what nobody gives is unknown."},
};
static const struct schema assumption_schema =
    SCHEMA("Assumption", assumption, assumption_fields, "How a task is assumed to end.");

#define ASSUMPTIONS_ROW(type)                                                                   \
    {                                                                                           \
        .name = "assumptions", .kind = FIELD_LIST, AT(type, assumptions), .max = DEF_MAX_TASKS, \
        .object = &assumption_schema,                                                           \
        .doc = "How tasks end; those that are not named succeed, and decisions are decided."    \
    }

static const struct field repair_fields[] = {
    ASSUMPTIONS_ROW(asked_repair),
    {.name = "markSuccess",
     .kind = FIELD_STRINGS,
     AT(asked_repair, mark_success),
     .max = DEF_MAX_TASKS,
     .doc = "As of a repair."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(asked_repair, parameters),
     .object = &param_schema,
     .doc = "As of a repair."},
    {.name = "repairMode",
     .kind = FIELD_ENUM,
     AT(asked_repair, mode),
     .names = repair_mode_names,
     .name_count = REPAIR_MODE_COUNT,
     .doc = "As of a repair."},
    {.name = "repairTasks",
     .kind = FIELD_LIST,
     AT(asked_repair, repair_tasks),
     .max = DEF_MAX_TASKS,
     .object = &repair_task_schema,
     .doc = "As of a repair."},
    {.name = "taskKeys",
     .kind = FIELD_STRINGS,
     AT(asked_repair, task_keys),
     .max = DEF_MAX_TASKS,
     .doc = "As of a repair."},
};
static const struct schema asked_repair_schema = SCHEMA(
    "SimulatedRepairDetails", asked_repair, repair_fields,
    "A repair of the run once it has ended. Assumptions hold for one attempt of the run alone.");

static const struct field simulate_fields[] = {
    ASSUMPTIONS_ROW(simulate_details),
    {.name = "definition",
     .kind = FIELD_RAW,
     AT(simulate_details, definition),
     .doc = "A definition as createJob takes it; or else jobKey."},
    {.name = "jobKey",
     .kind = FIELD_STRING,
     AT(simulate_details, job_key),
     .doc = "Key of a job whose current definition is simulated; or else definition."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(simulate_details, parameters),
     .object = &param_schema,
     .doc = "Parameters of the run."},
    {.name = "repairs",
     .kind = FIELD_LIST,
     AT(simulate_details, repairs),
     .max = SIMULATION_MAX_REPAIRS,
     .object = &asked_repair_schema,
     .doc = "Repairs, one after the other, each once the run has ended."},
};
const struct schema simulate_schema =
    SCHEMA("SimulateJobDetails", simulate_details, simulate_fields, "What is simulated, and how.");

static enum err_code check_params(const struct simulate_details *details, struct err *err)
{
    const struct asked_repair *repairs = details->repairs.items;
    enum err_code code =
        params_check(details->parameters.items, details->parameters.count, "parameters", err);
    for (size_t i = 0; i < details->repairs.count && !code; i++) {
        char where[48];
        snprintf(where, sizeof where, "repairs[%zu].parameters", i);
        code = params_check(repairs[i].parameters.items, repairs[i].parameters.count, where, err);
    }
    return code;
}

enum err_code simulate_parse_body(struct call *call)
{
    struct simulate_details *details = ARENA_NEW(call->arena, struct simulate_details);
    const struct fields_options options = {.strict = call->strict};
    enum err_code code =
        fields_parse(&simulate_schema, call->json, details, call->arena, &options, &call->err);
    if (!code)
        code = check_params(details, &call->err);
    if (code)
        return code;
    if (!details->definition == !details->job_key)
        return err_set(&call->err, details->job_key ? ERR_INVALID_PARAMETER : ERR_MISSING_PARAMETER,
                       "exactly one of definition and jobKey is required");
    call->details = details;
    if (!details->definition)
        return ERR_OK;
    json_t *definition = json_object_get(call->json, "definition");
    if (!json_is_object(definition))
        return err_set(&call->err, ERR_INVALID_PARAMETER, "definition must be an object, not %s",
                       json_kind(definition));
    struct err detail;
    if (!job_def_parse(definition, call->strict, &call->def, &detail))
        return ERR_OK;
    return err_set(&call->err, detail.code, "definition: %.480s", detail.message);
}

/* ---- what comes out ---- */

struct attempt_view {
    int64_t key;
    int status;
    const char *reason;
    int64_t start_ms;
    int64_t end_ms;
    struct field_list tasks; /* of struct simulated_task */
    struct field_list plan;  /* see plan_task_views */
};

struct simulation_view {
    struct field_list attempts; /* of struct attempt_view */
};

static const struct field task_fields[] = {
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(simulated_task, task_key),
     .doc = "Key of the task."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(simulated_task, status),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "How it ends; null for a task of a run that is SKIPPED."},
    {.name = "reason",
     .kind = FIELD_STRING,
     AT(simulated_task, reason),
     .doc = "Why, in one plain sentence."},
    {.name = "order",
     .kind = FIELD_INT32,
     AT(simulated_task, order),
     .doc = "From 1: how early it starts among those of this attempt; null if it does not."},
    {.name = "startOffsetMillis",
     .kind = FIELD_INT64,
     AT(simulated_task, start_ms),
     .doc = "When it first starts, from the run's creation."},
    {.name = "endOffsetMillis",
     .kind = FIELD_INT64,
     AT(simulated_task, end_ms),
     .doc = "When it has ended, likewise."},
    {.name = "attempts",
     .kind = FIELD_INT32,
     AT(simulated_task, attempts),
     .doc = "How many of its attempts start."},
    {.name = "outcome",
     .kind = FIELD_BOOL,
     AT(simulated_task, outcome),
     .doc = "What an IF_ELSE_TASK decides."},
    {.name = "unknownValues",
     .kind = FIELD_STRINGS,
     AT(simulated_task, unknown_values),
     .doc =
         "Its references to values that nobody assumed; what it does may hang on them. A decision "
         "that does is taken as false."},
};
static const struct schema simulated_task_schema =
    SCHEMA("SimulatedTask", simulated_task, task_fields, "What becomes of a task.");

static const struct field attempt_fields[] = {
    {.name = "key",
     .kind = FIELD_INT32,
     AT(attempt_view, key),
     .doc = "0: the original; then the number of the repair."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(attempt_view, status),
     .names = state_names,
     .name_count = STATE_COUNT,
     .doc = "How the run ends."},
    {.name = "reason",
     .kind = FIELD_STRING,
     AT(attempt_view, reason),
     .doc = "Why, in one plain sentence."},
    {.name = "startOffsetMillis",
     .kind = FIELD_INT64,
     AT(attempt_view, start_ms),
     .doc = "When it begins, from the run's creation."},
    {.name = "endOffsetMillis",
     .kind = FIELD_INT64,
     AT(attempt_view, end_ms),
     .doc = "When it has ended, likewise."},
    {.name = "plan",
     .kind = FIELD_LIST,
     AT(attempt_view, plan),
     .object = &plan_task_schema,
     .doc = "The plan of a repair, as planRepair shows it; empty for the original."},
    {.name = "tasks",
     .kind = FIELD_LIST,
     AT(attempt_view, tasks),
     .object = &simulated_task_schema,
     .doc = "Every task as it is at the end of this attempt, in the order of the definition."},
};
static const struct schema attempt_schema = SCHEMA("SimulatedAttempt", attempt_view, attempt_fields,
                                                   "The original run, or a repair of it.");

static const struct field simulation_fields[] = {
    {.name = "attempts",
     .kind = FIELD_LIST,
     AT(simulation_view, attempts),
     .object = &attempt_schema,
     .doc = "The original run, then each repair."},
};
const struct schema simulation_schema = SCHEMA("JobSimulation", simulation_view, simulation_fields,
                                               "What a run would do under assumptions.");

static struct field_list attempt_views(const struct simulation_result *result, struct arena *arena)
{
    struct attempt_view *views = ARENA_ARRAY(arena, result->count, struct attempt_view);
    for (size_t i = 0; i < result->count; i++) {
        const struct simulated_attempt *attempt = &result->attempts[i];
        views[i] = (struct attempt_view){
            .key = attempt->number,
            .status = attempt->status,
            .reason = attempt->reason,
            .start_ms = attempt->start_ms,
            .end_ms = attempt->end_ms,
            .tasks = attempt->tasks,
            .plan = plan_task_views(&attempt->plan, arena),
        };
    }
    return (struct field_list){views, result->count};
}

/* ---- the call ---- */

/* The job's current definition becomes the call's. */
static enum err_code load_def(struct call *call, const char *job_key)
{
    const struct api_backend *backend = call->backend;
    struct job_row row;
    struct uuid key;
    if (!uuid_parse(job_key, &key) ||
        !backend->reads.get_job(call->reading.reader, call->workspace.id, &key, call->arena,
                                &row) ||
        row.deleted_ms != FIELD_NULL)
        return call_missing(call, "Job");
    call->def = backend->definition(backend->context, call->reading.reader, call->workspace.id,
                                    &key, row.version);
    return call->def ? ERR_OK : call_missing(call, "Job");
}

static struct field_list repairs_of(const struct simulate_details *details, struct arena *arena)
{
    const struct asked_repair *asked = details->repairs.items;
    size_t count = details->repairs.count;
    struct simulated_repair *repairs = ARENA_ARRAY(arena, count, struct simulated_repair);
    for (size_t i = 0; i < count; i++)
        repairs[i] = (struct simulated_repair){
            .request =
                {
                    .task_keys = asked[i].task_keys.items,
                    .task_key_count = asked[i].task_keys.count,
                    .repair_tasks = asked[i].repair_tasks.items,
                    .repair_task_count = asked[i].repair_tasks.count,
                    .mark_success = asked[i].mark_success.items,
                    .mark_success_count = asked[i].mark_success.count,
                    .parameters = params_of(&asked[i].parameters),
                    .mode = asked[i].mode,
                },
            .assumptions = asked[i].assumptions,
        };
    return (struct field_list){repairs, count};
}

enum err_code simulate_get(struct call *call)
{
    const struct simulate_details *details = call->details;
    const struct api_backend *backend = call->backend;
    if (!call->def && load_def(call, details->job_key))
        return call->err.code;
    call_read_end(call); /* nothing is read from here on, and it may take a while */
    const struct simulation request = {
        .def = call->def,
        .parameters = params_of(&details->parameters),
        .assumptions = details->assumptions,
        .repairs = repairs_of(details, call->arena),
        .workspace = call->workspace.key,
        .hub_region = call->api->config.hub_region,
        .now_ms = backend->now_ms(backend->context),
    };
    struct simulation_result result;
    enum err_code code =
        backend->simulate(backend->context, &request, call->arena, &result, &call->err);
    if (code)
        return code;
    const struct simulation_view view = {attempt_views(&result, call->arena)};
    respond_json(call, 200);
    fields_print(&simulation_schema, &view, &call->response->body);
    return ERR_OK;
}
