/* The field tables of the task types that are ours: what nodes of DataArts jobs do (RULES §10). */
#include <string.h>

#include "model/def_rows.h"

const char *const http_method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET",
    [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",
    [METHOD_DELETE] = "DELETE",
};

const char *const path_action_names[PATH_ACTION_COUNT] = {
    [PATH_CREATE] = "CREATE_PATH",
    [PATH_DELETE] = "DELETE_PATH",
    [PATH_WAIT] = "WAIT_PATH",
};

/* A token of RFC 9110: nothing that could end the header's name. */
static bool header_name_check(const char *text, struct err *err)
{
    for (const char *p = text; *p; p++) {
        bool alphanumeric = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                            (*p >= '0' && *p <= '9');
        if (alphanumeric || strchr("!#$%&'*+-.^_`|~", *p))
            continue;
        err_set(err, ERR_INVALID_PARAMETER,
                "must be the name of a header: letters, digits and "
                "!#$%%&'*+-.^_`|~");
        return false;
    }
    return true;
}

static bool header_value_check(const char *text, struct err *err)
{
    size_t len = strcspn(text, "\r\n");
    if (!text[len])
        return true;
    err_set(err, ERR_INVALID_PARAMETER, "must be one line");
    return false;
}

static const struct field shell_fields[] = {
    {.name = "script",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION,
     AT(task_def, script),
     .min = 1,
     TEXT_LIMIT,
     .doc = "The script itself. It or filePath, not both."},
    {.name = "filePath",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION,
     AT(task_def, file_path),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Path of the script."},
    ROW_SOURCE,
    ROW_GIT_CONFIG,
    ROW_ARGUMENTS(FIELD_EXTENSION),
    ROW_PARAMETERS(FIELD_EXTENSION),
    ROW_SECRETS,
    ROW_TIMEOUT,
};
const struct schema shell_task_schema =
    SCHEMA("ShellTask", task_def, shell_fields,
           "Runs a script with /bin/sh, or with what its #! line names.");

static const struct field header_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(task_header, name),
     .min = 1,
     .max = DEF_MAX_HEADER_NAME,
     .check = header_name_check,
     .pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
     .doc = "Name of the header."},
    {.name = "value",
     .kind = FIELD_STRING,
     AT(task_header, value),
     TEXT_LIMIT,
     .check = header_value_check,
     .pattern = "^[^\\r\\n]*$",
     .doc = "Value of the header, one line; empty when absent."},
    {.name = "secret",
     .kind = FIELD_STRING,
     .flags = FIELD_SPARSE,
     AT(task_header, secret),
     .min = 1,
     .max = SECRET_NAME_MAX_BYTES,
     .check = secret_name_check,
     .doc =
         "Name of a secret of the workspace, which is put behind the value when it is sent: with "
         "the value 'Bearer ', say."},
};
static const struct schema header_schema =
    SCHEMA("HttpHeader", task_header, header_fields, "A header of a request.");

static const struct field http_fields[] = {
    {.name = "url",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED | FIELD_EXTENSION,
     AT(task_def, url),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Where the request goes: http:// or https://."},
    {.name = "method",
     .kind = FIELD_ENUM,
     .flags = FIELD_DEFAULT | FIELD_EXTENSION,
     AT(task_def, method),
     .fallback = METHOD_GET,
     NAMES(http_method_names),
     .doc = "Method of the request."},
    {.name = "headers",
     .kind = FIELD_LIST,
     .flags = FIELD_EXTENSION,
     AT(task_def, headers),
     .max = DEF_MAX_HEADERS,
     .object = &header_schema,
     .doc = "Headers of the request."},
    {.name = "body",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION,
     AT(task_def, body),
     TEXT_LIMIT,
     .doc = "Body of the request."},
    ROW_TIMEOUT,
};
const struct schema http_task_schema =
    SCHEMA("HttpTask", task_def, http_fields,
           "Sends an HTTP request; an answer other than 2xx is a failure.");

static const struct field path_fields[] = {
    {.name = "action",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED | FIELD_EXTENSION,
     AT(task_def, action),
     NAMES(path_action_names),
     .doc = "Makes a folder (and those above it), removes a file or a folder with all in it, or "
            "waits until there is something at the path. What is done already is a success."},
    {.name = "path",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED | FIELD_EXTENSION,
     AT(task_def, path),
     .min = 1,
     TEXT_LIMIT,
     .doc = "Path of a file or a folder within the workspace."},
    {.name = "pollIntervalSeconds",
     .kind = FIELD_INT32,
     .flags = FIELD_DEFAULT | FIELD_EXTENSION,
     AT(task_def, poll_interval_s),
     .min = 1,
     .max = DEF_MAX_POLL_INTERVAL_S,
     .fallback = 10,
     .doc = "WAIT_PATH: how often it looks, besides being told by the file system."},
    ROW_TIMEOUT,
};
const struct schema path_task_schema =
    SCHEMA("PathTask", task_def, path_fields, "Makes, removes or waits for a path.");

const struct schema dummy_task_schema = {.name = "DummyTask",
                                         .size = sizeof(struct task_def),
                                         .doc = "Does nothing, and succeeds."};
