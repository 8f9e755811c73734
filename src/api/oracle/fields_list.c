/* Query parameters of the lists: names, kinds, limits and documentation. */
#include "api/oracle/lists.h"
#include "api/oracle/tables.h"
#include "api/oracle/views.h"
#include "model/state.h"

enum {
    RECENT_MAX_LIMIT = 25,
    RECENT_LIMIT = 10,
    RECENT_MAX_RECORDS = 10,
    RECENT_RECORDS = 5,
    HISTORY_MAX_LIMIT = 100,
    HISTORY_LIMIT = 50,
};

static const struct field job_list_fields[] = {
    LIST_PAGE_ROWS(job_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    LIST_SORT_ROWS(job_list_query),
    {.name = "displayName",
     .kind = FIELD_STRING,
     AT(job_list_query, display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Exact name of the job."},
    {.name = "displayNameContains",
     .kind = FIELD_STRING,
     AT(job_list_query, display_name_contains),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Part of the name, in the same case."},
    {.name = "path",
     .kind = FIELD_STRING,
     AT(job_list_query, path),
     .doc = "Exact folder of the job."},
    {.name = "createdBy",
     .kind = FIELD_STRING,
     AT(job_list_query, created_by),
     .doc = "Id or name of the user that made the job."},
    {.name = "updatedBy",
     .kind = FIELD_STRING,
     AT(job_list_query, updated_by),
     .doc = "Id or name of the user that changed it last."},
    {.name = "jobKey",
     .kind = FIELD_STRINGS,
     AT(job_list_query, job_keys),
     .doc = "Keys of the jobs that are wanted."},
};
const struct schema job_list_query_schema =
    SCHEMA("ListJobs", job_list_query, job_list_fields, "Which jobs, in which order.");

static const struct field recent_job_fields[] = {
    LIST_PAGE_ROWS(plain_list_query, API_PAGE_LIMIT, RECENT_LIMIT)};
const struct schema recent_job_query_schema =
    SCHEMA("ListRecentJobs", plain_list_query, recent_job_fields, "How many jobs.");

static const struct field run_list_fields[] = {
    LIST_PAGE_ROWS(run_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    LIST_SORT_ROWS(run_list_query),
    {.name = "displayName",
     .kind = FIELD_STRING,
     AT(run_list_query, display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Exact name of the run's job."},
    {.name = "jobKey",
     .kind = FIELD_STRINGS,
     AT(run_list_query, job_keys),
     .doc = "Keys of the jobs whose runs are wanted."},
    {.name = "status",
     .kind = FIELD_STRINGS,
     AT(run_list_query, statuses),
     NAMES(state_names),
     .doc = "States that are wanted."},
    {.name = "timeCreatedGreaterThanOrEqualTo",
     .kind = FIELD_TIME,
     AT(run_list_query, created_from_ms),
     .doc = "Runs made then or later."},
    {.name = "timeCreatedLessThanOrEqualTo",
     .kind = FIELD_TIME,
     AT(run_list_query, created_to_ms),
     .doc = "Runs made then or earlier."},
};
const struct schema run_list_query_schema =
    SCHEMA("ListJobRuns", run_list_query, run_list_fields, "Which runs, in which order.");

static const struct field recent_fields[] = {
    LIST_PAGE_ROWS(recent_query, RECENT_MAX_LIMIT, RECENT_LIMIT),
    LIST_SORT_ROWS(recent_query),
    {.name = "jobKey",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(recent_query, job_keys),
     .doc = "Keys of 1 to 100 jobs whose newest runs are wanted."},
    {.name = "recordCount",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(recent_query, record_count),
     .min = 1,
     .max = RECENT_MAX_RECORDS,
     .fallback = RECENT_RECORDS,
     .doc = "How many runs of each job."},
};
const struct schema recent_query_schema =
    SCHEMA("ListRecentJobRuns", recent_query, recent_fields, "Whose newest runs, and how many.");

static const struct field task_run_list_fields[] = {
    LIST_PAGE_ROWS(task_run_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    LIST_SORT_ROWS(task_run_list_query),
    {.name = "jobRunKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_run_list_query, job_run_key),
     .doc = "Key of the run whose task runs are wanted."},
    {.name = "repairKey",
     .kind = FIELD_INT32,
     .flags = FIELD_EXTENSION,
     AT(task_run_list_query, repair_key),
     .max = INT32_MAX,
     .doc = "Number of the repair as of which they are wanted; the newest when absent."},
    {.name = "displayName",
     .kind = FIELD_STRING,
     AT(task_run_list_query, display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Exact taskKey."},
    {.name = "status",
     .kind = FIELD_STRINGS,
     AT(task_run_list_query, statuses),
     NAMES(state_names),
     .doc = "States that are wanted."},
    {.name = "parentJobRunKey",
     .kind = FIELD_STRING,
     AT(task_run_list_query, parent_job_run_key),
     .doc = "Key of the run's parent run."},
    {.name = "rootJobRunKey",
     .kind = FIELD_STRING,
     AT(task_run_list_query, root_job_run_key),
     .doc = "Key of the run's top level run."},
};
const struct schema task_run_list_query_schema =
    SCHEMA("ListTaskRuns", task_run_list_query, task_run_list_fields,
           "Which task runs of a run, in which order.");

static const char *const time_started_names[] = {"timeStarted"};

static const struct field operation_list_fields[] = {
    LIST_PAGE_ROWS(operation_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    {.name = "sortBy",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(operation_list_query, list.sort_by),
     NAMES(time_started_names),
     .doc = "What the items are sorted by."},
    {.name = "sortOrder",
     .kind = FIELD_ENUM,
     AT(operation_list_query, list.sort_order),
     .names = sort_order_names,
     .name_count = SORT_ORDER_COUNT,
     .doc = "ASC or DESC, which is the default."},
    {.name = "resourceType",
     .kind = FIELD_STRING,
     AT(operation_list_query, resource_type),
     .doc = "Kind of what they are about: JOB, JOB_RUN, RERUN_CAMPAIGN."},
    {.name = "resourceName",
     .kind = FIELD_STRING,
     AT(operation_list_query, resource_name),
     .doc = "Exact name of what they are about."},
    {.name = "matchResourceName",
     .kind = FIELD_STRING,
     AT(operation_list_query, match_resource_name),
     .doc = "A part of the name of what they are about."},
    {.name = "shouldFilterByCallingPrincipal",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(operation_list_query, only_own),
     .doc = "Whether only those are listed that the caller asked for."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(operation_list_query, status),
     NAMES(operation_status_names),
     .doc = "How they stand."},
};
const struct schema operation_list_query_schema =
    SCHEMA("ListAsyncOperations", operation_list_query, operation_list_fields,
           "Which operations, in which order.");

static const struct field retry_list_fields[] = {
    LIST_PAGE_ROWS(plain_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
};
const struct schema retry_list_query_schema = SCHEMA("ListTaskRunRetries", plain_list_query,
                                                     retry_list_fields,
                                                     "Which part of the attempts; they ascend.");

static const struct field history_list_fields[] = {
    LIST_PAGE_ROWS(history_list_query, HISTORY_MAX_LIMIT, HISTORY_LIMIT),
};
const struct schema history_list_query_schema = SCHEMA("ListRepairHistory", history_list_query,
                                                       history_list_fields,
                                                       "Which part of the history; it ascends.");
