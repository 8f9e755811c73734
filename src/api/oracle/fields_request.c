/* Request bodies of runs: names, kinds, limits and documentation. */
#include "api/oracle/requests.h"

#include "api/oracle/tables.h"
#include "api/oracle/views.h"

static const char *const repair_types[] = {"ORIGINAL", "REPAIR"};

/* A RepairHistory that a caller sends: read for its types, then ignored. */
struct given_history {
    int64_t end_ms;
    int64_t execution_ms;
    int64_t key;
    struct field_list lifecycle_states;
    struct field_list parameters;
    struct field_list repaired_tasks;
    int64_t start_ms;
    struct state_view *state;
    struct field_list task_to_task_run_map;
    int type;
};

static const struct field given_history_fields[] = {
    {.name = "endTime",
     .kind = FIELD_INT64,
     AT(given_history, end_ms),
     .doc = "Ignored: the server's."},
    {.name = "executionDuration",
     .kind = FIELD_INT64,
     AT(given_history, execution_ms),
     .doc = "Ignored: the server's."},
    {.name = "key", .kind = FIELD_INT32, AT(given_history, key), .doc = "Ignored: the server's."},
    {.name = "lifecycleStates",
     .kind = FIELD_LIST,
     AT(given_history, lifecycle_states),
     .object = &lifecycle_state_schema,
     .doc = "Ignored: the server's."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(given_history, parameters),
     .object = &param_schema,
     .doc = "Ignored: the server's."},
    {.name = "repairedTasks",
     .kind = FIELD_STRINGS,
     AT(given_history, repaired_tasks),
     .doc = "Ignored: the server's."},
    {.name = "startTime",
     .kind = FIELD_INT64,
     AT(given_history, start_ms),
     .doc = "Ignored: the server's."},
    {.name = "state",
     .kind = FIELD_OBJECT,
     AT(given_history, state),
     .object = &state_schema,
     .doc = "Ignored: the server's."},
    {.name = "taskToTaskRunMap",
     .kind = FIELD_MAP,
     AT(given_history, task_to_task_run_map),
     .doc = "Ignored: the server's."},
    {.name = "type",
     .kind = FIELD_ENUM,
     AT(given_history, type),
     NAMES(repair_types),
     .doc = "Ignored: the server's."},
};
static const struct schema given_history_schema =
    SCHEMA("RepairHistory", given_history, given_history_fields,
           "A history that is checked and ignored: the server keeps its own.");

static const struct field create_fields[] = {
    {.name = "jobKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_job_run, job_key),
     .doc = "Key of the job to run."},
    {.name = "key",
     .kind = FIELD_STRING,
     AT(create_job_run, key),
     .max = MAX_DESCRIPTION_KEY,
     .doc = "Ignored: the server gives keys."},
    {.name = "originalAttemptRunId",
     .kind = FIELD_STRING,
     AT(create_job_run, original_attempt_run_id),
     .doc = "Key of a run of the same job that this one stands in for."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(create_job_run, parameters),
     .object = &param_schema,
     .doc = "Parameters of the run; they win over those of job and tasks."},
    {.name = "queue",
     .kind = FIELD_OBJECT,
     AT(create_job_run, queue),
     .object = &queue_schema,
     .doc = "Whether this run waits for a run slot; the job's setting when absent."},
    {.name = "repairHistory",
     .kind = FIELD_LIST,
     AT(create_job_run, repair_history),
     .max = MAX_REPAIR_HISTORY,
     .object = &given_history_schema,
     .doc = "Ignored: the server keeps the history."},
    {.name = "schedule",
     .kind = FIELD_OBJECT,
     AT(create_job_run, schedule),
     .object = &schedule_schema,
     .doc = "Shown with the run; it fires nothing. The job's when absent."},
};
const struct schema create_job_run_schema =
    SCHEMA("CreateJobRunDetails", create_job_run, create_fields, "What a new run is made from.");

static const struct field repair_task_fields[] = {
    {.name = "shouldIncludeDownstream",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(repair_task, include_downstream),
     .doc = "Selects everything transitively downstream of it as well."},
    {.name = "shouldIncludeUpstream",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(repair_task, include_upstream),
     .doc = "Selects everything transitively upstream of it as well."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(repair_task, task_key),
     .doc = "Key of the selected task."},
};
const struct schema repair_task_schema =
    SCHEMA("RepairTask", repair_task, repair_task_fields,
           "A selected task, and whether what is around it is selected with it.");

static const struct field repair_fields[] = {
    {.name = "definition",
     .kind = FIELD_RAW,
     .flags = FIELD_EXTENSION,
     AT(repair_job_run, definition),
     .doc = "Which definition is used: ORIGINAL, CURRENT or the number of a version of the job's; "
            "when absent that of the newest attempt."},
    {.name = "markSuccess",
     .kind = FIELD_STRINGS,
     .flags = FIELD_EXTENSION,
     AT(repair_job_run, mark_success),
     .max = DEF_MAX_TASKS,
     .doc =
         "Tasks that become SUCCESS without running, once what they depend on has ended, however that ended; "
         "they are not selected tasks. Of an IF_ELSE_TASK, or of one that succeeded, it is refused."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(repair_job_run, parameters),
     .object = &param_schema,
     .doc = "Parameters that change with this repair; all others are inherited."},
    {.name = "repairMode",
     .kind = FIELD_ENUM,
     AT(repair_job_run, repair_mode),
     .names = repair_mode_names,
     .name_count = REPAIR_MODE_COUNT,
     .doc = "RESUME leaves out selected tasks that succeeded, RERUN runs them again."},
    {.name = "repairTasks",
     .kind = FIELD_LIST,
     AT(repair_job_run, repair_tasks),
     .max = DEF_MAX_TASKS,
     .object = &repair_task_schema,
     .doc = "Selected tasks, with everything upstream or downstream of them where asked; they add "
            "to taskKeys."},
    {.name = "taskKeys",
     .kind = FIELD_STRINGS,
     AT(repair_job_run, task_keys),
     .max = DEF_MAX_TASKS,
     .doc = "Selected tasks; when there are none, every task that did not succeed."},
};
const struct schema repair_job_run_schema = SCHEMA(
    "RepairJobRunDetails", repair_job_run, repair_fields, "What is repaired, and with what.");

static const struct field cancel_fields[] = {
    {.name = "taskKeys",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(cancel_tasks, task_keys),
     .min = 1,
     .max = DEF_MAX_TASKS,
     .doc = "Tasks that are stopped, or never started."},
};
const struct schema cancel_tasks_schema =
    SCHEMA("CancelTasksDetails", cancel_tasks, cancel_fields, "Which tasks of a run are canceled.");

const struct schema no_details_schema = {.name = "NoDetails", .doc = "Nothing."};
