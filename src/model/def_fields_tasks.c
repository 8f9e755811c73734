/* The field tables of tasks: what all have, then one for each type; those of types that are ours are in def_fields_nodes.c. */
#include <string.h>

#include "model/def_rows.h"
#include "model/words.h"

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

const char *const task_source_names[SOURCE_COUNT] = {"WORKSPACE", "GIT_PROVIDER"};

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

/* Of the text as it is written: with references it is looked at when they were put in. */
static bool main_class_check(const char *text, struct err *err)
{
    return strstr(text, "{{") || strstr(text, "#{") || strstr(text, "${") ||
           class_name_check(text, err);
}

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

/* ---- what all have, then a table for each type ---- */

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
     .check = main_class_check,
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
    .count = ARRAY_LEN(task_fields),
    .doc = "A node of the job's graph.",
    .variants = task_variants,
    .variant_count = TASK_TYPE_COUNT,
    .variant_offset = offsetof(struct task_def, type),
};
