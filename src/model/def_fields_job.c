/* The field table of a job: names, kinds, limits and documentation (see model/def.h). */
#include <string.h>

#include "model/def_rows.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool job_name_check(const char *text, struct err *err)
{
    bool good = is_letter(text[0]);
    for (const char *p = text; good && *p; p++)
        good = is_letter(*p) || (*p >= '0' && *p <= '9') || strchr("_.-", *p);
    if (!good)
        err_set(err, ERR_INVALID_PARAMETER,
                "must begin with a letter and hold only letters, digits, '_', '.' and '-'");
    return good;
}

static const struct field job_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(job_details, name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = job_name_check,
     .pattern = "^[A-Za-z][A-Za-z0-9_.-]*$",
     .doc = "Name of the job, which need not be unique: a letter, then letters, digits, '_', '.' "
            "and '-'."},
    {.name = "description",
     .kind = FIELD_STRING,
     AT(job_details, description),
     .max = DEF_MAX_DESCRIPTION,
     .doc = "What the job is for."},
    {.name = "path",
     .kind = FIELD_STRING,
     AT(job_details, path),
     TEXT_LIMIT,
     .doc = "Folder of the workspace that holds the job."},
    {.name = "runAs",
     .kind = FIELD_STRING,
     AT(job_details, run_as),
     TEXT_LIMIT,
     .doc = "User in whose name scheduled runs are made."},
    {.name = "schedule",
     .kind = FIELD_OBJECT,
     AT(job_details, schedule),
     .object = &schedule_schema,
     .doc = "When the job runs by itself."},
    {.name = "continuous",
     .kind = FIELD_OBJECT,
     AT(job_details, continuous),
     .object = &continuous_schema,
     .doc = "Keeps one run of the job going always."},
    {.name = "maxConcurrentRuns",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(job_details, max_concurrent_runs),
     .max = DEF_MAX_CONCURRENT_RUNS,
     .fallback = 1,
     .doc = "How many runs of the job may be active at once."},
    {.name = "gitConfig",
     .kind = FIELD_OBJECT,
     AT(job_details, git_config),
     .object = &git_config_schema,
     .doc = "Repository of tasks that name none of their own."},
    {.name = "queue",
     .kind = FIELD_OBJECT,
     AT(job_details, queue),
     .object = &queue_schema,
     .doc = "What happens to runs beyond maxConcurrentRuns."},
    {.name = "jobClusters",
     .kind = FIELD_LIST,
     AT(job_details, job_clusters),
     .max = DEF_MAX_JOB_CLUSTERS,
     .object = &job_cluster_schema,
     .doc = "Clusters that tasks of the job may name."},
    {.name = "tasks",
     .kind = FIELD_LIST,
     AT(job_details, tasks),
     .max = DEF_MAX_TASKS,
     .object = &task_schema,
     .doc = "The graph of tasks."},
    {.name = "parameters",
     .kind = FIELD_LIST,
     AT(job_details, parameters),
     .max = DEF_MAX_PARAMETERS,
     .object = &param_schema,
     .doc = "Default parameters of every run of the job."},
    {.name = "timeoutSeconds",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(job_details, timeout_s),
     .max = DEF_MAX_TIMEOUT_S,
     .doc = "Longest time a run may take, from 60; 0: any."},
    {.name = "x-expressionLanguage",
     .kind = FIELD_ENUM,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, expression_language),
     NAMES(expression_language_names),
     .doc = "EL: the values of the job's parameters, and of those that a run is given, hold #{…} "
            "and ${parameter} as in DataArts; absent: {{…}} references."},
    {.name = "x-dataarts",
     .kind = FIELD_RAW,
     .max = DEF_MAX_KEPT_DEPTH,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, dataarts),
     .raw_kind = FIELD_OBJECT,
     .doc =
         "An object of the DataArts dialect: what that dialect gives back and nothing here needs."},
    {.name = "dependencies",
     .kind = FIELD_LIST,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, dependencies),
     .max = DEF_MAX_JOB_DEPENDENCIES,
     .object = &job_dependency_schema,
     .doc = "Jobs whose runs of the same period come before those of this one: of those that its "
            "schedule fires, and in a campaign."},
    {.name = "dependsOnPreviousRun",
     .kind = FIELD_BOOL,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, depends_on_previous_run),
     .doc =
         "Whether a run that its schedule fires, or of a campaign, waits until that of the period "
         "before has succeeded."},
    {.name = "previousRunsFrom",
     .kind = FIELD_TIME,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, previous_runs_from_ms),
     .doc = "With dependsOnPreviousRun: runs planned before that moment are not waited for."},
};
const struct schema job_details_schema =
    SCHEMA("CreateJobDetails", job_details, job_fields, "What a job is: its graph and settings.");
