/* The tables of campaigns: what is asked for, what is shown. */
#include "api/extras/campaigns.h"
#include "api/oracle/tables.h"

static const struct field details_fields[] = {
    {.name = "kind",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, kind),
     .fallback = CAMPAIGN_RERUN,
     NAMES(campaign_kind_names),
     .doc =
         "RERUN repairs the instances of the range in place; SUPPLEMENT makes a new one for each "
         "planned time."},
    {.name = "name",
     .kind = FIELD_STRING,
     AT(campaign_details, name),
     .min = 1,
     .max = CAMPAIGN_MAX_NAME,
     .doc = "Its name, which need not be unique; made of the job's and the time when absent."},
    {.name = "jobKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(campaign_details, job_key),
     .min = 1,
     .doc = "Key of the job."},
    {.name = "jobKeys",
     .kind = FIELD_STRINGS,
     AT(campaign_details, job_keys),
     .max = CAMPAIGN_MAX_JOBS - 1,
     .doc = "Keys of further jobs, in the order in which they run at one planned time."},
    {.name = "isDownstream",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, downstream),
     .doc = "Whether every job that depends on one of these takes part too."},
    {.name = "beginTime",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(campaign_details, begin_ms),
     .doc = "The first planned time that counts."},
    {.name = "endTime",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(campaign_details, end_ms),
     .doc = "The last planned time that counts."},
    {.name = "concurrent",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, concurrent),
     .min = 1,
     .max = CAMPAIGN_MAX_CONCURRENT,
     .fallback = 1,
     .doc = "How many runs it has going at once; caps of the jobs hold all the same."},
    {.name = "isCanary",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, canary),
     .doc = "Whether the first runs alone, and the others only once it has succeeded."},
    {.name = "where",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, where),
     .fallback = CAMPAIGN_FROM_ERROR,
     NAMES(campaign_where_names),
     .doc =
         "Where a rerun begins: FIRST runs every task, ERROR those that did not succeed (every task "
         "of a successful run), NODE taskKey and all downstream of it. By a "
         "definition with other tasks than the run had it begins with the first in any case."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     AT(campaign_details, task_key),
     .min = 1,
     .max = DEF_MAX_TASK_KEY,
     .doc = "The task that NODE begins with."},
    {.name = "version",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, version),
     .fallback = CAMPAIGN_ORIGINAL,
     NAMES(campaign_version_names),
     .doc = "Whose definition and job parameters: the run's, or the job's as of now."},
    {.name = "instances",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, set),
     .fallback = CAMPAIGN_ALL,
     NAMES(campaign_set_names),
     .doc =
         "Which of the range: ALL, those that are UNSUCCESSFUL, or MISSING ones, which are made."},
    {.name = "isIgnoreMonitor",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, ignore_monitor),
     .fallback = 1,
     .doc = "Whether runs do not wait again for a path that they watch."},
    {.name = "isStopOnFail",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, stop_on_fail),
     .doc = "Whether nothing new starts once one has failed."},
    {.name = "isReverse",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(campaign_details, reverse),
     .doc = "Whether the newest planned time comes first."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(campaign_details, parameters),
     .object = &param_schema,
     .doc =
         "Parameters of every run that is made, and of every repair; of all jobs alike. At most 256 KiB together."},
};
const struct schema campaign_details_schema =
    SCHEMA("CreateRerunCampaignDetails", campaign_details, details_fields,
           "Runs of a range of planned times, rerun or made anew as one thing.");

/* ---- what is shown ---- */

#define COUNT_ROW(field, member, text)                                          \
    {                                                                           \
        .name = (field), .kind = FIELD_INT64, AT(campaign_counts_view, member), \
        .doc = "How many " text "."                                             \
    }
static const struct field counts_fields[] = {
    COUNT_ROW("waiting", waiting, "wait for their turn"),
    COUNT_ROW("blocked", blocked, "wait for one that did not succeed"),
    COUNT_ROW("running", running, "have an active run"),
    COUNT_ROW("success", success, "have succeeded"),
    COUNT_ROW("failed", failed, "have not succeeded"),
    COUNT_ROW("skipped", skipped, "may not be rerun"),
    COUNT_ROW("canceled", canceled, "were cancelled with the campaign"),
};
static const struct schema counts_schema = SCHEMA("RerunCampaignCounts", campaign_counts_view,
                                                  counts_fields, "Cells of a campaign by status.");

static const struct field cell_fields[] = {
    {.name = "position",
     .kind = FIELD_INT64,
     AT(campaign_cell_view, position),
     .doc = "Its place in the order, from 0."},
    {.name = "jobKey",
     .kind = FIELD_STRING,
     AT(campaign_cell_view, job_key),
     .doc = "Key of the job."},
    {.name = "jobName",
     .kind = FIELD_STRING,
     AT(campaign_cell_view, job_name),
     .doc = "Name of the job when the campaign was made."},
    {.name = "plannedTime",
     .kind = FIELD_TIME,
     AT(campaign_cell_view, plan_ms),
     .doc = "The planned time that it stands for."},
    {.name = "status",
     .kind = FIELD_ENUM,
     AT(campaign_cell_view, state),
     NAMES(campaign_cell_state_names),
     .doc = "Where it is."},
    {.name = "reason", .kind = FIELD_STRING, AT(campaign_cell_view, message), .doc = "Why."},
    {.name = "jobRunKey",
     .kind = FIELD_STRING,
     AT(campaign_cell_view, run_key),
     .doc = "Key of its run, null until one is made."},
    {.name = "repairKey",
     .kind = FIELD_INT64,
     AT(campaign_cell_view, repair_key),
     .doc = "The attempt of the run that it stands for, null before it has started."},
    {.name = "needs",
     .kind = FIELD_RAW,
     AT(campaign_cell_view, needs),
     .doc = "Positions of the cells that must succeed before it starts."},
    {.name = "follows",
     .kind = FIELD_RAW,
     AT(campaign_cell_view, follows),
     .doc = "Positions of the cells that must have ended before it starts."},
    {.name = "timeStarted",
     .kind = FIELD_TIME,
     AT(campaign_cell_view, start_ms),
     .doc = "When it started last."},
    {.name = "timeFinished",
     .kind = FIELD_TIME,
     AT(campaign_cell_view, finished_ms),
     .doc = "When it ended."},
};
static const struct schema cell_schema =
    SCHEMA("RerunCampaignCell", campaign_cell_view, cell_fields,
           "One job at one planned time, as part of a campaign.");

#define ROW(field, kind_, member, text)                                            \
    {                                                                              \
        .name = (field), .kind = (kind_), AT(campaign_view, member), .doc = (text) \
    }
#define ENUM_ROW(field, member, names_, text)                                          \
    {                                                                                  \
        .name = (field), .kind = FIELD_ENUM, AT(campaign_view, member), NAMES(names_), \
        .doc = (text)                                                                  \
    }
#define CAMPAIGN_ROWS                                                                          \
    ROW("key", FIELD_STRING, key, "Key of the campaign."),                                     \
        ROW("name", FIELD_STRING, row.name, "Its name."),                                      \
        ENUM_ROW("kind", row.kind, campaign_kind_names, "What it does with the range."),       \
        ENUM_ROW("status", row.state, campaign_state_names,                                    \
                 "Where it is; FAILED may be resumed."),                                       \
        ROW("stateMessage", FIELD_STRING, row.message, "Why, in one sentence."),               \
        ROW("jobKey", FIELD_STRING, job_key, "Key of the job that it was asked of."),          \
        {.name = "jobs",                                                                       \
         .kind = FIELD_RAW,                                                                    \
         .raw_kind = FIELD_LIST,                                                               \
         AT(campaign_view, row.jobs),                                                          \
         .doc = "Every job of it, as {\"jobKey\",\"name\"}, that one first."},                 \
        ROW("beginTime", FIELD_TIME, row.begin_ms, "The first planned time that counts."),     \
        ROW("endTime", FIELD_TIME, row.end_ms, "The last planned time that counts."),          \
        ROW("concurrent", FIELD_INT32, row.concurrent, "How many runs it has going at once."), \
        ROW("isCanary", FIELD_BOOL, row.canary, "Whether the first runs alone."),              \
        ENUM_ROW("where", row.where, campaign_where_names, "Where a rerun begins."),           \
        ROW("taskKey", FIELD_STRING, row.task_key, "The task that NODE begins with."),         \
        ENUM_ROW("version", row.version, campaign_version_names, "Whose definition."),         \
        ENUM_ROW("instances", row.set, campaign_set_names, "Which of the range."),             \
        ROW("isIgnoreMonitor", FIELD_BOOL, row.ignore_monitor,                                 \
            "Whether runs do not wait again for a path that they watch."),                     \
        ROW("isStopOnFail", FIELD_BOOL, row.stop_on_fail,                                      \
            "Whether nothing new starts once one has failed."),                                \
        ROW("isReverse", FIELD_BOOL, row.reverse, "Whether the newest time comes first."),     \
        ROW("cellCount", FIELD_INT64, row.cell_count, "How many cells it has."),               \
        {.name = "cellCounts",                                                                 \
         .kind = FIELD_OBJECT,                                                                 \
         AT(campaign_view, counts),                                                            \
         .object = &counts_schema,                                                             \
         .doc = "Its cells by status."},                                                       \
        ROW("createdBy", FIELD_STRING, row.created_by, "Id of who asked for it."),             \
        ROW("createdByName", FIELD_STRING, row.created_by_name, "Name of who asked for it."),  \
        ROW("timeCreated", FIELD_TIME, row.created_ms, "When it was made."),                   \
        ROW("timeUpdated", FIELD_TIME, row.updated_ms, "When anything of it last moved."),     \
        ROW("timeStarted", FIELD_TIME, row.start_ms, "When its first cell started."),          \
        ROW("timeFinished", FIELD_TIME, row.finished_ms, "When it ended.")

static const struct field summary_fields[] = {CAMPAIGN_ROWS};
const struct schema campaign_summary_schema =
    SCHEMA("RerunCampaignSummary", campaign_view, summary_fields, "A campaign without its cells.");

#define PARAMETERS_ROW(type, member)                                                               \
    {                                                                                              \
        .name = "parameters", .kind = FIELD_RAW, .raw_kind = FIELD_LIST, AT(type, member),         \
        .object = &param_schema, .doc = "What every run that is made, and every repair, is given." \
    }

static const struct field campaign_fields[] = {
    CAMPAIGN_ROWS,
    PARAMETERS_ROW(campaign_view, row.parameters),
    {.name = "cells",
     .kind = FIELD_LIST,
     AT(campaign_view, cells),
     .object = &cell_schema,
     .doc = "Its cells in order; with opc-next-page there are more."},
};
const struct schema campaign_schema =
    SCHEMA("RerunCampaign", campaign_view, campaign_fields, "A campaign with its cells.");

/* ---- what would be ---- */

#define PLAN_COUNT_ROWS(type)                                                \
    {.name = "cellCount",                                                    \
     .kind = FIELD_INT64,                                                    \
     AT(type, cells),                                                        \
     .doc = "How many cells it would have."},                                \
        {.name = "newCount",                                                 \
         .kind = FIELD_INT64,                                                \
         AT(type, made),                                                     \
         .doc = "How many of them would make a run; the others rerun one."}, \
    {                                                                        \
        .name = "skippedCount", .kind = FIELD_INT64, AT(type, skipped),      \
        .doc = "How many of them may not be rerun."                          \
    }

static const struct field plan_job_fields[] = {
    {.name = "jobKey",
     .kind = FIELD_STRING,
     AT(campaign_plan_job_view, job_key),
     .doc = "Key of the job."},
    {.name = "name", .kind = FIELD_STRING, AT(campaign_plan_job_view, name), .doc = "Its name."},
    PLAN_COUNT_ROWS(campaign_plan_job_view),
    {.name = "firstPlannedTime",
     .kind = FIELD_TIME,
     AT(campaign_plan_job_view, first_ms),
     .doc = "The earliest of its planned times, null where it has no cell."},
    {.name = "lastPlannedTime",
     .kind = FIELD_TIME,
     AT(campaign_plan_job_view, last_ms),
     .doc = "The latest."},
};
static const struct schema plan_job_schema = SCHEMA("RerunCampaignPlanJob", campaign_plan_job_view,
                                                    plan_job_fields,
                                                    "What one job has to do in a campaign.");

static const struct field plan_fields[] = {
    PLAN_COUNT_ROWS(campaign_plan_view),
    {.name = "doubleCount",
     .kind = FIELD_INT64,
     AT(campaign_plan_view, doubles),
     .doc = "How many of newCount are for planned times that have a run already."},
    PARAMETERS_ROW(campaign_plan_view, parameters),
    {.name = "jobs",
     .kind = FIELD_LIST,
     AT(campaign_plan_view, jobs),
     .object = &plan_job_schema,
     .doc = "Every job of it, that of jobKey first."},
    {.name = "cells",
     .kind = FIELD_LIST,
     AT(campaign_plan_view, first_cells),
     .object = &cell_schema,
     .doc = "Its first 1,000 cells, in order."},
};
const struct schema campaign_plan_schema = SCHEMA("RerunCampaignPlan", campaign_plan_view,
                                                  plan_fields,
                                                  "What a campaign would consist of, as of now.");

/* ---- filters ---- */

static const struct field list_fields[] = {
    LIST_PAGE_ROWS(campaign_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),
    {.name = "name",
     .kind = FIELD_STRING,
     AT(campaign_list_query, name),
     .min = 1,
     .doc = "Only those of that name."},
    {.name = "kind",
     .kind = FIELD_ENUM,
     AT(campaign_list_query, kind),
     NAMES(campaign_kind_names),
     .doc = "Only those that do that."},
    {.name = "status",
     .kind = FIELD_STRINGS,
     AT(campaign_list_query, states),
     NAMES(campaign_state_names),
     .doc = "Only those in one of these."},
};
const struct schema campaign_list_query_schema =
    SCHEMA("ListRerunCampaigns", campaign_list_query, list_fields, "Which campaigns.");

static const struct field get_fields[] = {
    LIST_PAGE_ROWS(campaign_query, API_PAGE_MAX_LIMIT, API_PAGE_MAX_LIMIT),
};
const struct schema campaign_query_schema =
    SCHEMA("GetRerunCampaign", campaign_query, get_fields, "Which part of the cells.");
