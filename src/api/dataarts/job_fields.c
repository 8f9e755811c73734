/* The tables of a DataArts job (see job.h). */
#include "api/dataarts/job.h"

#include "api/oracle/tables.h"
#include "model/def.h"

static const char *const param_types[PARAM_TYPE_COUNT] = {"variable", "constants"};
const char *const dataarts_schedule_types[SCHEDULE_TYPE_COUNT] = {"EXECUTE_ONCE", "CRON", "EVENT"};
const char *const dataarts_processes[PROCESS_COUNT] = {"BATCH", "REAL_TIME"};

/* What is not set is not printed, as Huawei has it. */
#define ROW(json_name, field_kind, type, member, ...)                            \
    {                                                                            \
        .name = (json_name), .kind = (field_kind), AT(type, member), __VA_ARGS__ \
    }
#define SPARSE .flags = FIELD_SPARSE
#define NEEDED .flags = FIELD_REQUIRED

static const struct field param_fields[] = {
    ROW("name", FIELD_STRING, dataarts_param, name, NEEDED, .min = 1, .max = 64,
        .doc = "Name of the parameter."),
    ROW("value", FIELD_STRING, dataarts_param, value, .flags = 0, .max = 1024,
        .doc = "Its value; EL is put in when a node starts."),
    ROW("type", FIELD_ENUM, dataarts_param, type, SPARSE, NAMES(param_types),
        .doc = "Whether it may be changed when the job is run."),
};
const struct schema dataarts_param_schema =
    SCHEMA("DataArtsParam", dataarts_param, param_fields, "A parameter of a job.");

static const struct field property_fields[] = {
    ROW("name", FIELD_STRING, dataarts_property, name, NEEDED, .min = 1, .max = 128,
        .doc = "Name of the property."),
    ROW("value", FIELD_STRING, dataarts_property, value, SPARSE, .max = DEF_MAX_TEXT,
        .doc = "Its value."),
};
static const struct schema property_schema =
    SCHEMA("DataArtsProperty", dataarts_property, property_fields, "What a node is to do.");

static const struct field condition_fields[] = {
    ROW("preNodeName", FIELD_STRING, dataarts_condition, pre_node_name, NEEDED, .min = 1,
        .max = DATAARTS_MAX_NAME, .doc = "The node before."),
    ROW("expression", FIELD_STRING, dataarts_condition, expression, NEEDED, .min = 1,
        .max = DEF_MAX_TEXT, .doc = "EL: the node runs when it is true."),
};
static const struct schema condition_schema =
    SCHEMA("DataArtsCondition", dataarts_condition, condition_fields, "When a node runs.");

enum { MAX_EXECUTION_MIN = DEF_MAX_TASK_TIMEOUT_S / 60, MAX_INSTANCE_MIN = DEF_MAX_TIMEOUT_S / 60 };

static const struct field node_fields[] = {
    ROW("name", FIELD_STRING, dataarts_node, name, NEEDED, .min = 1, .max = DEF_MAX_TASK_KEY,
        .doc = "Name of the node, unique in its job."),
    ROW("type", FIELD_STRING, dataarts_node, type, NEEDED, .min = 1, .max = DATAARTS_MAX_NAME,
        .doc = "Shell, Python, Dummy, RESTAPI, SubJob, OBSManager, MRSSpark or DLISpark."),
    ROW("location", FIELD_RAW, dataarts_node, location, SPARSE,
        .doc = "Where the node is drawn: {x, y} as numbers or strings."),
    ROW("preNodeName", FIELD_STRINGS, dataarts_node, pre_node_names, SPARSE,
        .max = DATAARTS_MAX_NODES, .doc = "The nodes before."),
    ROW("conditions", FIELD_LIST, dataarts_node, conditions, SPARSE, .max = DATAARTS_MAX_NODES,
        .object = &condition_schema, .doc = "Conditions of the nodes before."),
    ROW("properties", FIELD_LIST, dataarts_node, properties, SPARSE, .max = 200,
        .object = &property_schema, .doc = "What it does, by type."),
    ROW("pollingInterval", FIELD_INT32, dataarts_node, polling_interval, SPARSE, .min = 1,
        .max = 3600, .doc = "Seconds between two looks at it; kept."),
    ROW("maxExecutionTime", FIELD_INT32, dataarts_node, max_execution_min, SPARSE, .min = 1,
        .max = MAX_EXECUTION_MIN, .doc = "Minutes that an attempt may take; absent: any."),
    ROW("execTimeOutRetry", FIELD_RAW, dataarts_node, retries_on_timeout, SPARSE,
        .doc =
            "Whether what timed out is tried again: true or false, or the word; kept as it was sent."),
    ROW("retryTimes", FIELD_INT32, dataarts_node, retry_times, SPARSE, .min = 0, .max = 100,
        .doc = "How often what failed is tried again; absent: 0."),
    ROW("retryInterval", FIELD_INT32, dataarts_node, retry_interval_s, SPARSE, .min = 0,
        .max = DEF_MAX_RETRY_INTERVAL_MS / 1000, .doc = "Seconds between tries; absent: 120."),
    ROW("failPolicy", FIELD_ENUM, dataarts_node, fail_policy, SPARSE, .names = fail_policy_names,
        .name_count = POLICY_COUNT, .doc = "What its failure means to the instance; absent: FAIL."),
    ROW("eventTrigger", FIELD_RAW, dataarts_node, event_trigger, SPARSE,
        .doc = "Of real-time jobs: refused."),
    ROW("cronTrigger", FIELD_RAW, dataarts_node, cron_trigger, SPARSE,
        .doc = "Of real-time jobs: refused."),
};
const struct schema dataarts_node_schema =
    SCHEMA("DataArtsNode", dataarts_node, node_fields, "A step of a job.");

static const struct field cron_fields[] = {
    ROW("startTime", FIELD_STRING, dataarts_cron, start_time, SPARSE, .max = 64,
        .doc = "Nothing is run before: 2018-10-22T23:59:59+08."),
    ROW("endTime", FIELD_STRING, dataarts_cron, end_time, SPARSE, .max = 64,
        .doc = "Nothing is run after."),
    ROW("expression", FIELD_STRING, dataarts_cron, expression, NEEDED, .min = 1, .max = 1024,
        .doc = "Second, minute, hour, day, month, day of the week from 1 (Sunday) to 7."),
    ROW("expressionTimeZone", FIELD_STRING, dataarts_cron, time_zone, SPARSE, .max = 128,
        .doc = "Java time zone id in which the expression is read; absent: UTC."),
    ROW("period", FIELD_STRING, dataarts_cron, period, SPARSE, .max = 64,
        .doc = "\"1 days\"; kept, not held against the expression."),
    ROW("intervalType", FIELD_STRING, dataarts_cron, interval_type, SPARSE, .max = 64,
        .doc = "minutes, hours, days, …; kept."),
    ROW("dependPrePeriod", FIELD_BOOL, dataarts_cron, depends_on_previous, SPARSE,
        .doc = "Whether an instance waits for the one before."),
    ROW("dependJobs", FIELD_RAW, dataarts_cron, depend_jobs, SPARSE,
        .doc = "Jobs whose instances are waited for."),
    ROW("concurrent", FIELD_INT32, dataarts_cron, concurrent, SPARSE, .min = 1, .max = 128,
        .doc =
            "Instances that may run at once; absent: 1, or, in an answer, a number out of this range."),
    ROW("monitorObsPath", FIELD_RAW, dataarts_cron, monitor_path, SPARSE,
        .doc = "Path in the workspace that an instance waits for before its first node."),
    ROW("scanInterval", FIELD_INT32, dataarts_cron, scan_interval_min, SPARSE, .min = 1, .max = 60,
        .doc = "Minutes between two looks at it; absent: 1."),
    ROW("scanDuration", FIELD_INT32, dataarts_cron, scan_duration_min, SPARSE, .min = 1,
        .max = 1440, .doc = "Minutes after which it is given up; absent: 1440."),
};
const struct schema dataarts_cron_schema =
    SCHEMA("DataArtsCron", dataarts_cron, cron_fields, "When instances are planned.");

static const struct field schedule_fields[] = {
    ROW("type", FIELD_ENUM, dataarts_schedule, type, NEEDED, NAMES(dataarts_schedule_types),
        .doc = "EXECUTE_ONCE or CRON; EVENT is refused."),
    ROW("cron", FIELD_OBJECT, dataarts_schedule, cron, SPARSE, .object = &dataarts_cron_schema,
        .doc = "Of type CRON."),
    ROW("event", FIELD_RAW, dataarts_schedule, event, SPARSE, .doc = "Of type EVENT."),
};
static const struct schema schedule_schema_of_dataarts =
    SCHEMA("DataArtsSchedule", dataarts_schedule, schedule_fields, "What starts instances.");

static const struct field basic_fields[] = {
    ROW("owner", FIELD_STRING, dataarts_basic, owner, SPARSE, .max = 128, .doc = "Who owns it."),
    ROW("priority", FIELD_INT32, dataarts_basic, priority, SPARSE, .min = 0, .max = 2,
        .doc = "0 high, 1, 2 low; kept."),
    ROW("executeUser", FIELD_STRING, dataarts_basic, execute_user, SPARSE, .max = 256,
        .doc = "Kept."),
    ROW("instanceTimeout", FIELD_INT32, dataarts_basic, instance_timeout_min, SPARSE, .min = 0,
        .max = MAX_INSTANCE_MIN, .doc = "Minutes that an instance may take; 0, or absent: any."),
    ROW("customFields", FIELD_RAW, dataarts_basic, custom_fields, SPARSE, .doc = "Kept."),
    ROW("agency", FIELD_STRING, dataarts_basic, agency, SPARSE, .max = 256, .doc = "Kept."),
    ROW("isIgnoreWaiting", FIELD_INT32, dataarts_basic, is_ignore_waiting, SPARSE, .min = 0,
        .max = 1, .doc = "Kept."),
    ROW("tags", FIELD_STRINGS, dataarts_basic, tags, SPARSE, .max = 100,
        .doc = "Words to find the job by."),
};
const struct schema dataarts_basic_schema =
    SCHEMA("DataArtsBasicConfig", dataarts_basic, basic_fields, "What else is said of a job.");

static const struct field approver_fields[] = {
    ROW("approverName", FIELD_STRING, dataarts_approver, name, SPARSE, .max = 128,
        .doc = "Who is to look at it."),
};
static const struct schema approver_schema =
    SCHEMA("DataArtsApprover", dataarts_approver, approver_fields, "Somebody of a review.");

static const struct field downstream_fields[] = {
    ROW("workSpace", FIELD_STRING, dataarts_downstream, workspace, SPARSE, .max = 256,
        .doc = "Name of its workspace."),
    ROW("jobName", FIELD_STRING, dataarts_downstream, name, SPARSE, .max = 256, .doc = "Its name."),
    ROW("jobId", FIELD_INT64, dataarts_downstream, id, SPARSE, .doc = "Its number."),
};
static const struct schema downstream_schema =
    SCHEMA("DataArtsDownstreamJob", dataarts_downstream, downstream_fields,
           "A job that depends on the one that is shown.");

static const struct field job_fields[] = {
    ROW("id", FIELD_INT64, dataarts_job, id, SPARSE, .doc = "Number of the job."),
    ROW("name", FIELD_STRING, dataarts_job, name, SPARSE,
        .doc = "Name: a letter, then letters, digits, '-', '_' and '.'; unique."),
    ROW("nodes", FIELD_LIST, dataarts_job, nodes, SPARSE, .max = DATAARTS_MAX_NODES,
        .object = &dataarts_node_schema, .doc = "The steps."),
    ROW("schedule", FIELD_OBJECT, dataarts_job, schedule, SPARSE,
        .object = &schedule_schema_of_dataarts, .doc = "What starts instances."),
    ROW("params", FIELD_LIST, dataarts_job, params, SPARSE, .max = DATAARTS_MAX_PARAMS,
        .object = &dataarts_param_schema, .doc = "Parameters of every instance."),
    ROW("directory", FIELD_STRING, dataarts_job, directory, SPARSE, .max = 1024,
        .doc = "Folder that shows the job; absent: /."),
    ROW("processType", FIELD_ENUM, dataarts_job, process_type, SPARSE, NAMES(dataarts_processes),
        .doc = "BATCH; REAL_TIME is refused."),
    ROW("logPath", FIELD_STRING, dataarts_job, log_path, SPARSE, .max = 1024, .doc = "Kept."),
    ROW("basicConfig", FIELD_OBJECT, dataarts_job, basic, SPARSE, .object = &dataarts_basic_schema,
        .doc = "What else is said of the job."),
    ROW("singleNodeJobFlag", FIELD_BOOL, dataarts_job, is_single_node, SPARSE, .doc = "Kept."),
    ROW("singleNodeJobType", FIELD_STRING, dataarts_job, single_node_type, SPARSE, .max = 64,
        .doc = "Kept."),
    ROW("createUser", FIELD_STRING, dataarts_job, create_user, SPARSE, .max = 256, .doc = "Kept."),
    ROW("lastUpdateUser", FIELD_STRING, dataarts_job, last_update_user, SPARSE, .max = 256,
        .doc = "Kept."),
    ROW("owner", FIELD_STRING, dataarts_job, owner, SPARSE, .max = 128, .doc = "Of v2; kept."),
    ROW("priority", FIELD_STRING, dataarts_job, priority, SPARSE, .max = 16, .doc = "Of v2; kept."),
    ROW("targetStatus", FIELD_STRING, dataarts_job, target_status, SPARSE, .max = 64,
        .doc = "Kept."),
    ROW("approvers", FIELD_LIST, dataarts_job, approvers, SPARSE, .max = DATAARTS_MAX_APPROVERS,
        .object = &approver_schema, .doc = "Kept."),
    ROW("emptyRunningJob", FIELD_STRING, dataarts_job, empty_running, SPARSE, .max = 16,
        .doc = "Kept; \"1\" is refused."),
    ROW("cleanOverdueDays", FIELD_INT32, dataarts_job, clean_overdue_days, SPARSE, .doc = "Kept."),
    ROW("cleanWaitingJob", FIELD_STRING, dataarts_job, clean_waiting, SPARSE, .max = 64,
        .doc = "Kept."),
    ROW("description", FIELD_STRING, dataarts_job, description, SPARSE, .max = DEF_MAX_DESCRIPTION,
        .doc = "What the job is for."),
    ROW("createTime", FIELD_INT64, dataarts_job, created_ms, SPARSE,
        .doc = "When it was made, ms."),
    ROW("version", FIELD_STRING, dataarts_job, version, SPARSE, .max = 32,
        .doc = "Version of its definition."),
    ROW("downstreamJobs", FIELD_LIST, dataarts_job, downstream, SPARSE,
        .max = DATAARTS_MAX_DOWNSTREAM, .object = &downstream_schema,
        .doc =
            "Jobs that depend on it, one level: of an answer to a GET that asks for them; else not looked at."),
};
const struct schema dataarts_job_schema =
    SCHEMA("DataArtsJob", dataarts_job, job_fields, "A job of the DataArts dialect.");

static const struct field start_fields[] = {
    ROW("jobParams", FIELD_LIST, dataarts_start, params, SPARSE, .max = DATAARTS_MAX_PARAMS,
        .object = &dataarts_param_schema, .doc = "Given when it was started."),
    ROW("startDate", FIELD_INT64, dataarts_start, start_date, SPARSE, .doc = "yyyyMMdd."),
    ROW("atMs", FIELD_INT64, dataarts_start, at_ms, SPARSE, .doc = "Of a job that runs once."),
    ROW("previousFromMs", FIELD_INT64, dataarts_start, previous_from_ms, SPARSE,
        .doc = "Its instances wait for none that was planned before."),
};
static const struct schema start_schema =
    SCHEMA("DataArtsStarted", dataarts_start, start_fields, "How it was started.");

static const struct field kept_fields[] = {
    ROW("job", FIELD_OBJECT, dataarts_kept, job, NEEDED, .object = &dataarts_job_schema,
        .doc = "As it was sent."),
    ROW("start", FIELD_OBJECT, dataarts_kept, start, SPARSE, .object = &start_schema,
        .doc = "How it was started."),
};
const struct schema dataarts_kept_schema =
    SCHEMA("DataArtsKept", dataarts_kept, kept_fields, "What x-dataarts holds.");
