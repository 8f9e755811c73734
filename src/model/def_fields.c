/* The field tables of a definition: names, kinds, limits and documentation (see model/def.h). */
#include "model/def.h"

#include <string.h>

#include "model/def_rows.h"
#include "model/git.h"

const char *const task_type_names[TASK_TYPE_COUNT] = {
    [TASK_NOTEBOOK] = "NOTEBOOK_TASK",
    [TASK_PYTHON] = "PYTHON_TASK",
    [TASK_SPARK_SUBMIT] = "SPARK_SUBMIT_TASK",
    [TASK_IF_ELSE] = "IF_ELSE_TASK",
    [TASK_JOB] = "JOB_TASK",
    [TASK_JAR] = "JAR_TASK",
    [TASK_SHELL] = "SHELL_TASK",
    [TASK_HTTP] = "HTTP_TASK",
    [TASK_PATH] = "PATH_TASK",
    [TASK_DUMMY] = "DUMMY_TASK",
};

const char *const expression_language_names[LANGUAGE_COUNT] = {[LANGUAGE_EL] = "EL"};

const char *const run_if_names[RUN_IF_COUNT] = {
    [RUN_IF_ALL_SUCCESS] = "ALL_SUCCESS", [RUN_IF_ALL_DONE] = "ALL_DONE",
    [RUN_IF_NONE_FAILED] = "NONE_FAILED", [RUN_IF_AT_LEAST_ONE_SUCCESS] = "AT_LEAST_ONE_SUCCESS",
    [RUN_IF_ALL_FAILED] = "ALL_FAILED",   [RUN_IF_AT_LEAST_ONE_FAILED] = "AT_LEAST_ONE_FAILED",
};

const char *const fail_policy_names[POLICY_COUNT] = {
    [POLICY_FAIL] = "FAIL",
    [POLICY_FAIL_CHILD] = "FAIL_CHILD",
    [POLICY_IGNORE] = "IGNORE",
    [POLICY_SUSPEND] = "SUSPEND",
};

const char *const missed_policy_names[MISSED_POLICY_COUNT] =
    {[MISSED_LATEST] = "LATEST", [MISSED_NONE] = "NONE", [MISSED_ALL] = "ALL"};

const char *const task_source_names[SOURCE_COUNT] = {"WORKSPACE", "GIT_PROVIDER"};
static const char *const pause_names[PAUSE_COUNT] = {"PAUSED", "UNPAUSED"};
static const char *const provider_names[GIT_PROVIDER_COUNT] = {"GITHUB", "BITBUCKET", "GITLAB",
                                                               "OCI_DEVOPS"};

/* ---- checks of strings ---- */

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

/* Control characters: U+0000–U+001F, U+007F, and U+0080–U+009F (C2 80 – C2 9F in UTF-8). */
static bool task_key_check(const char *text, struct err *err)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        if (*p >= 0x20 && *p != 0x7f && !c1)
            continue;
        err_set(err, ERR_INVALID_PARAMETER,
                "must not hold control characters (U+0000 to U+001F, U+007F to U+009F), found "
                "U+%04X",
                (unsigned)(c1 ? p[1] : p[0]));
        return false;
    }
    return true;
}

static bool library_check(const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len && len <= DEF_MAX_TEXT)
        return true;
    err_set(err, ERR_INVALID_PARAMETER, "must be 1 to %d bytes long, not %zu", DEF_MAX_TEXT, len);
    return false;
}

/* With references in them they are looked at when these are put in, at the start of a task. */
static bool repository_url_check(const char *text, struct err *err)
{
    return strstr(text, "{{") || git_url_check(text, err);
}

static bool branch_check(const char *text, struct err *err)
{
    return strstr(text, "{{") || git_branch_check(text, err);
}

/* ---- tables ---- */

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

static const struct field dependency_fields[] = {
    {.name = "outcome",
     .kind = FIELD_STRING,
     AT(dependency, outcome),
     TEXT_LIMIT,
     .doc = "Outcome that an IF_ELSE_TASK must have had: true or false."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(dependency, task_key),
     .min = 1,
     .max = DEF_MAX_TASK_KEY,
     .doc = "Key of the task that is waited for."},
    {.name = "x-condition",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(dependency, condition),
     .min = 1,
     TEXT_LIMIT,
     .doc = "A comparison, as of an IF_ELSE_TASK, or an EL expression where the task says EL; when "
            "it is false, the task is EXCLUDED."},
};
static const struct schema dependency_schema =
    SCHEMA("DependsOn", dependency, dependency_fields, "A task that must be final first.");

static const struct field expression_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(if_expression, key),
     .min = 1,
     .max = DEF_MAX_EXPRESSION_KEY,
     .doc = "Letters and digits by which the condition refers to this comparison."},
    {.name = "value",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(if_expression, value),
     .min = 1,
     TEXT_LIMIT,
     .doc = "A comparison: left, one of == != >= <= > <, right; references are allowed in both."},
};
static const struct schema expression_schema =
    SCHEMA("Expression", if_expression, expression_fields, "A comparison of an IF_ELSE_TASK.");

/* ---- tasks: what all have, then a table for each type ---- */

static const struct field task_fields[] = {
    {.name = "dependsOn",
     .kind = FIELD_LIST,
     AT(task_def, depends_on),
     .max = DEF_MAX_TASKS,
     .object = &dependency_schema,
     .doc = "Tasks that must be final before this one is decided."},
    {.name = "isRetryOnTimeout",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(task_def, is_retry_on_timeout),
     .doc = "Whether an attempt that timed out is retried."},
    {.name = "maxRetries",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(task_def, max_retries),
     .max = DEF_MAX_RETRIES,
     .doc = "How often an attempt that failed is retried."},
    {.name = "minRetryIntervalMillis",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT,
     AT(task_def, min_retry_interval_ms),
     .max = DEF_MAX_RETRY_INTERVAL_MS,
     .doc = "Least time in ms from the start of a failed attempt to the start of the next."},
    {.name = "runIf",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED | FIELD_DEFAULT,
     AT(task_def, run_if),
     .fallback = RUN_IF_ALL_SUCCESS,
     NAMES(run_if_names),
     .doc = "Rule that decides, from how the dependencies ended, whether the task runs."},
    {.name = "taskKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, task_key),
     .min = 1,
     .max = DEF_MAX_TASK_KEY,
     .check = task_key_check,
     .pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
     .doc = "Name of the task, unique within the job, without control characters."},
    {.name = "type",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     AT(task_def, type),
     NAMES(task_type_names),
     .doc = "Kind of the task, on which its further fields depend."},
    {.name = "x-failPolicy",
     .kind = FIELD_ENUM,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(task_def, fail_policy),
     NAMES(fail_policy_names),
     .doc =
         "What its failure means to the run: FAIL ends it, FAIL_CHILD follows the trigger rules, "
         "IGNORE counts as a success, SUSPEND starts nothing new."},
    {.name = "x-expressionLanguage",
     .kind = FIELD_ENUM,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(task_def, expression_language),
     NAMES(expression_language_names),
     .doc = "EL: the texts of the task, and the conditions of what it depends on, hold #{…} and "
            "${parameter} as in DataArts, and {{…}} is plain text; absent: {{…}} references."},
};

static const struct field notebook_fields[] = {
    {.name = "notebookPath",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, notebook_path),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Path of the notebook."},
    ROW_SOURCE,
    ROW_GIT_CONFIG,
    ROW_PARAMETERS(0),
    ROW_SECRETS,
    ROW_TIMEOUT,
    ROW_STREAMING,
    ROW_CLUSTER,
};
static const struct schema notebook_schema =
    SCHEMA("NotebookTask", task_def, notebook_fields, "Runs a notebook.");

static const struct field python_fields[] = {
    {.name = "filePath",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, file_path),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Path of the Python file."},
    ROW_SOURCE,
    ROW_GIT_CONFIG,
    ROW_ARGUMENTS(0),
    ROW_PARAMETERS(FIELD_EXTENSION),
    ROW_SECRETS,
    ROW_TIMEOUT,
    ROW_STREAMING,
    ROW_CLUSTER,
    {.name = "x-warmPython",
     .kind = FIELD_BOOL,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(task_def, is_warm),
     .doc =
         "Whether an interpreter that is running already may run it, which starts sooner; absent: "
         "as its cluster says, else not."},
};
static const struct schema python_schema =
    SCHEMA("PythonTask", task_def, python_fields, "Runs a Python file.");

static const struct field spark_submit_fields[] = {
    ROW_ARGUMENTS(FIELD_REQUIRED), ROW_PARAMETERS(0), ROW_SECRETS, ROW_TIMEOUT, ROW_CLUSTER,
};
static const struct schema spark_submit_schema =
    SCHEMA("SparkSubmitTask", task_def, spark_submit_fields, "Runs spark-submit.");

static const struct field if_else_fields[] = {
    {.name = "expressions",
     .kind = FIELD_LIST,
     .flags = FIELD_REQUIRED,
     AT(task_def, expressions),
     .min = 1,
     .max = DEF_MAX_EXPRESSIONS,
     .object = &expression_schema,
     .doc = "Comparisons that the condition joins."},
    {.name = "condition",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, condition),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Keys of expressions joined by AND, OR, NOT and parentheses; decides the outcome."},
    ROW_PARAMETERS(0),
};
static const struct schema if_else_schema =
    SCHEMA("IfElseTask", task_def, if_else_fields, "Decides which branch of the graph runs.");

static const struct field job_task_fields[] = {
    {.name = "jobKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, job_key),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Key of the job that is run."},
    ROW_PARAMETERS(0),
    ROW_TIMEOUT,
};
static const struct schema job_task_schema =
    SCHEMA("JobTask", task_def, job_task_fields, "Runs another job; its result is the task's.");

static const struct field jar_fields[] = {
    {.name = "mainClass",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_def, main_class),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Class whose main method is run."},
    {.name = "dependentLibraries",
     .kind = FIELD_STRINGS,
     AT(task_def, dependent_libraries),
     .max = DEF_MAX_LIBRARIES,
     .check = library_check,
     .doc = "Archives on the class path."},
    ROW_SOURCE,
    ROW_GIT_CONFIG,
    ROW_ARGUMENTS(0),
    ROW_PARAMETERS(0),
    ROW_SECRETS,
    ROW_TIMEOUT,
    ROW_STREAMING,
    ROW_CLUSTER,
};
static const struct schema jar_schema =
    SCHEMA("JarTask", task_def, jar_fields, "Runs a class of a Java archive.");

static const struct schema *const task_variants[TASK_TYPE_COUNT] = {
    [TASK_NOTEBOOK] = &notebook_schema,
    [TASK_PYTHON] = &python_schema,
    [TASK_SPARK_SUBMIT] = &spark_submit_schema,
    [TASK_IF_ELSE] = &if_else_schema,
    [TASK_JOB] = &job_task_schema,
    [TASK_JAR] = &jar_schema,
    [TASK_SHELL] = &shell_task_schema,
    [TASK_HTTP] = &http_task_schema,
    [TASK_PATH] = &path_task_schema,
    [TASK_DUMMY] = &dummy_task_schema,
};
const struct schema task_schema = {
    .name = "Task",
    .size = sizeof(struct task_def),
    .fields = task_fields,
    .count = FIELDS_COUNT(task_fields),
    .doc = "A node of the job's graph.",
    .variants = task_variants,
    .variant_count = TASK_TYPE_COUNT,
    .variant_offset = offsetof(struct task_def, type),
};

/* ---- the job ---- */

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
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(job_details, dataarts),
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
