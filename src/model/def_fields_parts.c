/* The field tables of what a job and its tasks are made of: parameters, schedules, git, clusters (see model/def.h). */
#include <string.h>

#include "model/def_rows.h"
#include "model/git.h"

const char *const missed_policy_names[MISSED_POLICY_COUNT] =
    {[MISSED_LATEST] = "LATEST", [MISSED_NONE] = "NONE", [MISSED_ALL] = "ALL"};

static const char *const pause_names[PAUSE_COUNT] = {"PAUSED", "UNPAUSED"};
static const char *const provider_names[GIT_PROVIDER_COUNT] = {"GITHUB", "BITBUCKET", "GITLAB",
                                                               "OCI_DEVOPS"};

/* With references in them they are looked at when these are put in, at the start of a task. */
static bool repository_url_check(const char *text, struct err *err)
{
    return strstr(text, "{{") || git_url_check(text, err);
}

static bool branch_check(const char *text, struct err *err)
{
    return strstr(text, "{{") || git_branch_check(text, err);
}

static const struct field param_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(param, name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = param_name_check,
     .pattern = "^[A-Za-z0-9_.-]+$",
     .doc = "Name of the parameter: letters, digits, '_', '-' and '.'."},
    {.name = "value",
     .kind = FIELD_STRING,
     AT(param, value),
     .max = DEF_MAX_VALUE_BYTES,
     .doc = "Value of the parameter, at most 64 KiB; empty when absent."},
};
const struct schema param_schema =
    SCHEMA("Parameter", param, param_fields, "A named text that runs and tasks are given.");

static const struct field queue_fields[] = {
    {.name = "isEnabled",
     .kind = FIELD_BOOL,
     .flags = FIELD_REQUIRED | FIELD_DEFAULT,
     AT(queue, is_enabled),
     .doc = "Whether a run that finds no free run slot waits for one instead of being skipped."},
};
const struct schema queue_schema =
    SCHEMA("Queue", queue, queue_fields, "What happens to runs beyond maxConcurrentRuns.");

static const struct field schedule_fields[] = {
    {.name = "pauseStatus",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(schedule, pause_status),
     .fallback = PAUSE_UNPAUSED,
     NAMES(pause_names),
     .doc = "Whether the schedule rests."},
    {.name = "quartzCronExpression",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(schedule, quartz_cron_expression),
     .min = 1,
     TEXT_LIMIT,
     .doc = "When the job runs, as a Quartz cron expression of six or seven fields."},
    {.name = "timezoneId",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(schedule, timezone_id),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Java time zone id in which the expression is read, such as US/Pacific."},
    {.name = "missedRunPolicy",
     .kind = FIELD_ENUM,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(schedule, missed_run_policy),
     NAMES(missed_policy_names),
     .doc = "What becomes of times that passed more than a minute ago while nothing could fire: "
            "one run for the newest (LATEST, the default), no run, or a run for each of the last "
            "7 days."},
    {.name = "startTime",
     .kind = FIELD_TIME,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(schedule, start_ms),
     .doc = "Nothing is fired before."},
    {.name = "endTime",
     .kind = FIELD_TIME,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(schedule, end_ms),
     .doc = "Nothing is fired after."},
    {.name = "isOnce",
     .kind = FIELD_BOOL,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(schedule, is_once),
     .doc =
         "Whether the runs that it fires are instances of type 7 (once) in the DataArts dialect."},
};
const struct schema schedule_schema =
    SCHEMA("Schedule", schedule, schedule_fields, "When runs of the job start by themselves.");

static const struct field continuous_fields[] = {
    {.name = "pauseStatus",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(continuous, pause_status),
     .fallback = PAUSE_UNPAUSED,
     NAMES(pause_names),
     .doc = "Whether the continuous execution rests."},
};
const struct schema continuous_schema =
    SCHEMA("Continuous", continuous, continuous_fields, "Keeps one run of the job going always.");

static const struct field git_config_fields[] = {
    {.name = "branch",
     .kind = FIELD_STRING,
     AT(git_config, branch),
     TEXT_LIMIT,
     .check = branch_check,
     .doc = "Branch that is checked out, or a whole ref (refs/tags/v1); absent: the repository's "
            "default branch."},
    {.name = "credential",
     .kind = FIELD_STRING,
     AT(git_config, credential),
     TEXT_LIMIT,
     .check = secret_name_check,
     .doc = "Name of the secret (secrets of /reprise/v1) that opens the repository: a token, "
            "USER:PASSWORD, or a private key for ssh."},
    {.name = "provider",
     .kind = FIELD_ENUM,
     AT(git_config, provider),
     NAMES(provider_names),
     .doc = "Who hosts the repository."},
    {.name = "repositoryUrl",
     .kind = FIELD_STRING,
     AT(git_config, repository_url),
     TEXT_LIMIT,
     .check = repository_url_check,
     .doc = "Address of the repository: https://, http:// or ssh://, without a password."},
    {.name = "commit",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION | FIELD_SPARSE | FIELD_READ_ONLY,
     AT(git_config, commit),
     .doc = "Commit that the branch was when the run first needed it: what its tasks, retries and "
            "repairs run."},
};
const struct schema git_config_schema =
    SCHEMA("GitConfig", git_config, git_config_fields,
           "Where the files of tasks come from whose source is GIT_PROVIDER.");

static const struct field auto_scale_fields[] = {
    {.name = "maxWorkers",
     .kind = FIELD_INT32,
     AT(auto_scale, max_workers),
     .doc = "Most workers that the cluster grows to."},
    {.name = "minWorkers",
     .kind = FIELD_INT32,
     AT(auto_scale, min_workers),
     .doc = "Fewest workers that the cluster shrinks to."},
};
static const struct schema auto_scale_schema = SCHEMA("AutoScale", auto_scale, auto_scale_fields,
                                                      "Bounds of a cluster that follows its load.");

static const struct field new_cluster_fields[] = {
    {.name = "autoScale",
     .kind = FIELD_OBJECT,
     AT(new_cluster, auto_scale),
     .object = &auto_scale_schema,
     .doc = "Bounds between which the cluster scales by itself."},
    {.name = "clusterName",
     .kind = FIELD_STRING,
     AT(new_cluster, cluster_name),
     .min = 1,
     .max = DEF_MAX_CLUSTER_NAME,
     .doc = "Unique name of the job cluster."},
    {.name = "numWorkers",
     .kind = FIELD_INT32,
     AT(new_cluster, num_workers),
     .doc = "Number of worker nodes, 1 to 64; 1 where nothing is said."},
    {.name = "sparkConf",
     .kind = FIELD_STRING,
     AT(new_cluster, spark_conf),
     TEXT_LIMIT,
     .doc = "Spark settings, as lines KEY=VALUE or a JSON object."},
    {.name = "sparkVersion",
     .kind = FIELD_STRING,
     AT(new_cluster, spark_version),
     TEXT_LIMIT,
     .doc = "Version of Spark that the cluster must run, such as 3.5: that of the server's."},
};
const struct schema new_cluster_schema = SCHEMA("NewClusterConfiguration", new_cluster,
                                                new_cluster_fields, "A cluster made for the job.");

static const struct field cluster_libraries_fields[] = {
    {.name = "jar",
     .kind = FIELD_STRING,
     AT(cluster_libraries, jar),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Path of a Java archive in the workspace, to be installed on the cluster."},
};
const struct schema cluster_libraries_schema = SCHEMA(
    "Libraries", cluster_libraries, cluster_libraries_fields, "What is installed on a cluster.");

static const struct field job_cluster_fields[] = {
    {.name = "clusterKey",
     .kind = FIELD_STRING,
     AT(job_cluster, cluster_key),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Key of an existing cluster, or of one of the job's jobClusters."},
    {.name = "clusterName",
     .kind = FIELD_STRING,
     AT(job_cluster, cluster_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Name of an existing cluster, or of one of the job's jobClusters; the built-in one is "
            "local."},
    {.name = "newCluster",
     .kind = FIELD_OBJECT,
     AT(job_cluster, new_cluster),
     .object = &new_cluster_schema,
     .doc = "Configuration of a cluster made for the purpose."},
    {.name = "libraries",
     .kind = FIELD_OBJECT,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_cluster, libraries),
     .object = &cluster_libraries_schema,
     .doc = "Libraries to be installed on the new cluster."},
};
const struct schema job_cluster_schema =
    SCHEMA("JobCluster", job_cluster, job_cluster_fields, "A cluster that tasks run on.");

const char *const dependency_period_names[PERIOD_COUNT] =
    {[PERIOD_SAME] = "SAME_PERIOD", [PERIOD_PRE] = "PRE_PERIOD"};
const char *const dependency_policy_names[DEPENDENCY_COUNT] =
    {[DEPENDENCY_FAIL] = "FAIL", [DEPENDENCY_IGNORE] = "IGNORE", [DEPENDENCY_SUSPEND] = "SUSPEND"};

static const struct field job_dependency_fields[] = {
    {.name = "jobKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(job_dependency, job_key),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Key of the job that is depended on."},
    {.name = "period",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(job_dependency, period),
     .fallback = PERIOD_SAME,
     NAMES(dependency_period_names),
     .doc =
         "Which of its runs: those planned since the previous planned time of this job, or those "
         "of one period earlier."},
    {.name = "failPolicy",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT,
     AT(job_dependency, fail_policy),
     .fallback = DEPENDENCY_FAIL,
     NAMES(dependency_policy_names),
     .doc =
         "When one of them does not succeed: FAIL cancels the run, IGNORE lets it go on, SUSPEND "
         "lets it wait."},
};
const struct schema job_dependency_schema =
    SCHEMA("JobDependency", job_dependency, job_dependency_fields,
           "A job whose runs come before those of this one.");
