/*
 * What the files of a definition's field tables (def_fields_….c) share: short forms, rows that tasks of several
 * types have, and the tables of the types in def_fields_nodes.c.
 */
#pragma once

#include <stddef.h>

#include "base/mem.h"
#include "model/def.h"
#include "model/secret.h"

extern const char *const task_source_names[SOURCE_COUNT];

extern const struct schema shell_task_schema;
extern const struct schema http_task_schema;
extern const struct schema path_task_schema;
extern const struct schema dummy_task_schema;

#define AT(type, member) .offset = offsetof(struct type, member)
#define TEXT_LIMIT       .max = DEF_MAX_TEXT
#define NAMES(array)     .names = (array), .name_count = (int)ARRAY_LEN(array)
#define SCHEMA(schema_name, type, rows, text)                                 \
    {                                                                         \
        .name = (schema_name), .size = sizeof(struct type), .fields = (rows), \
        .count = ARRAY_LEN(rows), .doc = (text)                               \
    }

/* Rows that several types share. */
#define ROW_SOURCE                                                                          \
    {                                                                                       \
        .name = "source", .kind = FIELD_ENUM, .flags = FIELD_DEFAULT, AT(task_def, source), \
        .fallback = SOURCE_WORKSPACE, NAMES(task_source_names),                             \
        .doc = "Where the file comes from."                                                 \
    }
#define ROW_GIT_CONFIG                                                              \
    {                                                                               \
        .name = "gitConfig", .kind = FIELD_OBJECT, AT(task_def, git_config),        \
        .object = &git_config_schema, .doc = "Repository of a GIT_PROVIDER source." \
    }
#define ROW_ARGUMENTS(further_flags)                                                    \
    {                                                                                   \
        .name = "commandLineArguments", .kind = FIELD_STRING, .flags = (further_flags), \
        AT(task_def, command_line_arguments), TEXT_LIMIT,                               \
        .doc = "Arguments in one text, split into words as a POSIX shell splits (no "   \
               "expansion); references are put in inside each word."                    \
    }
#define ROW_PARAMETERS(further_flags)                                                    \
    {                                                                                    \
        .name = "parameters", .kind = FIELD_LIST, .flags = (further_flags),              \
        AT(task_def, parameters), .max = DEF_MAX_PARAMETERS, .object = &param_schema,    \
        .doc = "Parameters of the task: stronger than the job's, weaker than the run's." \
    }
#define ROW_SECRETS                                                                               \
    {                                                                                             \
        .name = "x-secrets", .kind = FIELD_STRINGS, .flags = FIELD_EXTENSION | FIELD_SPARSE,      \
        AT(task_def, secrets), .max = DEF_MAX_SECRETS, .check = secret_name_check,                \
        .doc = "Names of secrets of the workspace; each is in the environment of an attempt, as " \
               "REPRISE_SECRET_<NAME>, with the value that it has when the attempt starts."       \
    }
#define ROW_TIMEOUT                                                             \
    {                                                                           \
        .name = "timeoutSeconds", .kind = FIELD_INT32, AT(task_def, timeout_s), \
        .max = DEF_MAX_TASK_TIMEOUT_S,                                          \
        .doc = "Longest time an attempt may take; 0 or absent: any."            \
    }
#define ROW_STREAMING                                                          \
    {                                                                          \
        .name = "isStreaming", .kind = FIELD_BOOL, AT(task_def, is_streaming), \
        .doc = "Whether the task is a stream that runs until it is stopped."   \
    }
#define ROW_CLUSTER                                                                      \
    {                                                                                    \
        .name = "cluster", .kind = FIELD_OBJECT, AT(task_def, cluster),                  \
        .object = &job_cluster_schema,                                                   \
        .doc = "Cluster that the task runs on; without one, the built-in cluster local." \
    }
