/* Workspaces and clusters: names, kinds, limits and documentation. */
#include <string.h>

#include "api/oracle/resource.h"
#include "api/oracle/tables.h"
#include "model/def.h"

const char *const workspace_type_names[2] = {"DEFAULT", "USER"};

static const char *const workspace_states[] = {"CREATING", "UPDATING", "ACTIVE",
                                               "DELETING", "DELETED",  "FAILED"};
static const char *const cluster_states[] = {
    "ACCEPTED", "CREATING", "ACTIVE",   "DELETING",   "DELETED",  "FAILED",
    "STOPPING", "STOPPED",  "UPDATING", "RESTARTING", "STARTING",
};

/* Clusters: a letter, then letters, digits, '_' and '/'. */
static bool cluster_name_check(const char *text, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/";
    bool good = *text && strchr(letters, *text) && strspn(text, allowed) == strlen(text);
    if (!good)
        err_set(err, ERR_INVALID_PARAMETER,
                "must begin with a letter and hold only letters, digits, '_' and '/'");
    return good;
}

static bool spark_master_check(const char *text, struct err *err)
{
    static const char *const masters[] = {"local", "spark://", "yarn", "k8s://"};
    for (size_t i = 0; i < ARRAY_LEN(masters); i++)
        if (strncmp(text, masters[i], strlen(masters[i])) == 0)
            return true;
    err_set(err, ERR_INVALID_PARAMETER,
            "must be a master of Spark: local[N], spark://HOST:PORT, yarn or k8s://URL");
    return false;
}

/* ---- filters ---- */

#define RESOURCE_LIST_ROWS(state_names)                                                   \
    LIST_PAGE_ROWS(resource_list_query, API_PAGE_MAX_LIMIT, API_PAGE_LIMIT),              \
        {.name = "sortBy",                                                                \
         .kind = FIELD_ENUM,                                                              \
         .flags = FIELD_DEFAULT,                                                          \
         AT(resource_list_query, list.sort_by),                                           \
         .fallback = SORT_TIME_CREATED,                                                   \
         .names = sort_by_names,                                                          \
         .name_count = SORT_DISPLAY_NAME + 1,                                             \
         .doc = "What the items are sorted by."},                                         \
        {.name = "sortOrder",                                                             \
         .kind = FIELD_ENUM,                                                              \
         AT(resource_list_query, list.sort_order),                                        \
         .names = sort_order_names,                                                       \
         .name_count = SORT_ORDER_COUNT,                                                  \
         .doc = "ASC or DESC; when absent, DESC by time and ASC otherwise."},             \
        {.name = "displayName",                                                           \
         .kind = FIELD_STRING,                                                            \
         AT(resource_list_query, display_name),                                           \
         .min = 1,                                                                        \
         .max = DEF_MAX_NAME,                                                             \
         .doc = "Exact name."},                                                           \
        {.name = "displayNameContains",                                                   \
         .kind = FIELD_STRING,                                                            \
         AT(resource_list_query, display_name_contains),                                  \
         .min = 1,                                                                        \
         .max = DEF_MAX_NAME,                                                             \
         .doc = "Part of the name, in the same case."},                                   \
    {                                                                                     \
        .name = "lifecycleState", .kind = FIELD_STRINGS, AT(resource_list_query, states), \
        NAMES(state_names), .doc = "States that are wanted."                              \
    }

static const struct field workspace_list_fields[] = {
    RESOURCE_LIST_ROWS(workspace_states),
    {.name = "type",
     .kind = FIELD_ENUM,
     AT(resource_list_query, type),
     NAMES(workspace_type_names),
     .doc = "DEFAULT: the one of the first start; USER: those that were made."},
};
const struct schema workspace_list_query_schema = SCHEMA("ListWorkspaces", resource_list_query,
                                                         workspace_list_fields,
                                                         "Which workspaces, in which order.");

static const struct field cluster_list_fields[] = {RESOURCE_LIST_ROWS(cluster_states)};
const struct schema cluster_list_query_schema = SCHEMA(
    "ListClusters", resource_list_query, cluster_list_fields, "Which clusters, in which order.");

/* ---- what they are made from, and what is shown ---- */

/* clang-format keeps each row on lines of its own. */

static const struct field workspace_details_fields[] = {
    {.name = "displayName",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(workspace_details, display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Name that people know it by."},
    {.name = "description",
     .kind = FIELD_STRING,
     AT(workspace_details, description),
     .max = DEF_MAX_DESCRIPTION,
     .doc = "What it is for."},
    {.name = "defaultCatalogKey",
     .kind = FIELD_STRING,
     AT(workspace_details, default_catalog_key),
     .max = DEF_MAX_NAME,
     .doc = "Kept and shown: there are no catalogs here."},
    {.name = "networkConfigurationDetails",
     .kind = FIELD_RAW,
     AT(workspace_details, network_configuration_details),
     .raw_kind = FIELD_OBJECT,
     .doc = "Kept and shown: the network is the host's."},
};
const struct schema workspace_details_schema = SCHEMA(
    "CreateWorkspaceDetails", workspace_details, workspace_details_fields, "What a workspace is.");

static const struct field workspace_fields[] = {
    {.name = "displayName",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, details.display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Name that people know it by."},
    {.name = "description",
     .kind = FIELD_STRING,
     AT(workspace_view, details.description),
     .max = DEF_MAX_DESCRIPTION,
     .doc = "What it is for."},
    {.name = "defaultCatalogKey",
     .kind = FIELD_STRING,
     AT(workspace_view, details.default_catalog_key),
     .max = DEF_MAX_NAME,
     .doc = "Kept and shown: there are no catalogs here."},
    {.name = "networkConfigurationDetails",
     .kind = FIELD_RAW,
     AT(workspace_view, details.network_configuration_details),
     .raw_kind = FIELD_OBJECT,
     .doc = "Kept and shown: the network is the host's."},
    {.name = "type",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, type),
     .doc = "DEFAULT or USER."},
    {.name = "key",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, key),
     .doc = "Key of the workspace."},
    {.name = "lifecycleState",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, row.state),
     .doc = "How it stands."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, row.created_ms),
     .doc = "When it was made."},
    {.name = "timeUpdated",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(workspace_view, row.updated_ms),
     .doc = "When it was last changed."},
    {.name = "createdBy",
     .kind = FIELD_STRING,
     AT(workspace_view, row.created_by),
     .doc = "Id of the user that made it; null: the server."},
    {.name = "createdByName",
     .kind = FIELD_STRING,
     AT(workspace_view, row.created_by_name),
     .doc = "Name of the user that made it."},
    {.name = "updatedBy",
     .kind = FIELD_STRING,
     AT(workspace_view, row.updated_by),
     .doc = "Id of the user that changed it last."},
    {.name = "updatedByName",
     .kind = FIELD_STRING,
     AT(workspace_view, row.updated_by_name),
     .doc = "Name of the user that changed it last."},
};
const struct schema workspace_schema = SCHEMA("Workspace", workspace_view, workspace_fields,
                                              "A place for jobs, runs and their files.");

static const struct field cluster_details_fields[] = {
    {.name = "displayName",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_details, display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = cluster_name_check,
     .pattern = "^[A-Za-z][A-Za-z0-9_/]*$",
     .doc = "Name that people know it by."},
    {.name = "description",
     .kind = FIELD_STRING,
     AT(cluster_details, description),
     .max = DEF_MAX_DESCRIPTION,
     .doc = "What it is for."},
    {.name = "type",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_details, type),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Kind of the cluster, such as USER; the built-in one is LOCAL."},
    {.name = "driverConfig",
     .kind = FIELD_RAW,
     .flags = FIELD_REQUIRED,
     AT(cluster_details, driver_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Shape of the driver."},
    {.name = "workerConfig",
     .kind = FIELD_RAW,
     AT(cluster_details, worker_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Shape and number of the workers."},
    {.name = "clusterRuntimeConfig",
     .kind = FIELD_RAW,
     AT(cluster_details, cluster_runtime_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Settings of what runs on it."},
    {.name = "autoTerminationMinutes",
     .kind = FIELD_INT32,
     AT(cluster_details, auto_termination_minutes),
     .max = INT32_MAX,
     .doc = "Minutes without work after which it may stop; null: never."},
    {.name = "x-sparkMaster",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(cluster_details, spark_master),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = spark_master_check,
     .doc = "Master that Spark tasks are submitted to: local[N], spark://HOST:PORT, yarn or "
            "k8s://URL; without it tasks run as processes of the server's host."},
    {.name = "x-warmPython",
     .kind = FIELD_BOOL,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(cluster_details, is_warm),
     .doc = "Whether interpreters that are running already may run its Python tasks; a task's own "
            "x-warmPython is stronger."},
};
const struct schema cluster_details_schema =
    SCHEMA("CreateClusterDetails", cluster_details, cluster_details_fields, "What a cluster is.");

static const struct field cluster_fields[] = {
    {.name = "displayName",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, details.display_name),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = cluster_name_check,
     .pattern = "^[A-Za-z][A-Za-z0-9_/]*$",
     .doc = "Name that people know it by."},
    {.name = "description",
     .kind = FIELD_STRING,
     AT(cluster_view, details.description),
     .max = DEF_MAX_DESCRIPTION,
     .doc = "What it is for."},
    {.name = "type",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, details.type),
     .min = 1,
     .max = DEF_MAX_NAME,
     .doc = "Kind of the cluster, such as USER; the built-in one is LOCAL."},
    {.name = "driverConfig",
     .kind = FIELD_RAW,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, details.driver_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Shape of the driver."},
    {.name = "workerConfig",
     .kind = FIELD_RAW,
     AT(cluster_view, details.worker_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Shape and number of the workers."},
    {.name = "clusterRuntimeConfig",
     .kind = FIELD_RAW,
     AT(cluster_view, details.cluster_runtime_config),
     .raw_kind = FIELD_OBJECT,
     .doc = "Settings of what runs on it."},
    {.name = "autoTerminationMinutes",
     .kind = FIELD_INT32,
     AT(cluster_view, details.auto_termination_minutes),
     .max = INT32_MAX,
     .doc = "Minutes without work after which it may stop; null: never."},
    {.name = "x-sparkMaster",
     .kind = FIELD_STRING,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(cluster_view, details.spark_master),
     .min = 1,
     .max = DEF_MAX_NAME,
     .check = spark_master_check,
     .doc = "Master that Spark tasks are submitted to: local[N], spark://HOST:PORT, yarn or "
            "k8s://URL; without it tasks run as processes of the server's host."},
    {.name = "x-warmPython",
     .kind = FIELD_BOOL,
     .flags = FIELD_EXTENSION | FIELD_SPARSE,
     AT(cluster_view, details.is_warm),
     .doc = "Whether interpreters that are running already may run its Python tasks; a task's own "
            "x-warmPython is stronger."},
    {.name = "key",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, key),
     .doc = "Key of the cluster."},
    {.name = "lifecycleState",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, row.state),
     .doc = "How it stands."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, row.created_ms),
     .doc = "When it was made."},
    {.name = "timeUpdated",
     .kind = FIELD_TIME,
     .flags = FIELD_REQUIRED,
     AT(cluster_view, row.updated_ms),
     .doc = "When it was last changed."},
    {.name = "createdBy",
     .kind = FIELD_STRING,
     AT(cluster_view, row.created_by),
     .doc = "Id of the user that made it; null: the server."},
    {.name = "createdByName",
     .kind = FIELD_STRING,
     AT(cluster_view, row.created_by_name),
     .doc = "Name of the user that made it."},
    {.name = "updatedBy",
     .kind = FIELD_STRING,
     AT(cluster_view, row.updated_by),
     .doc = "Id of the user that changed it last."},
    {.name = "updatedByName",
     .kind = FIELD_STRING,
     AT(cluster_view, row.updated_by_name),
     .doc = "Name of the user that changed it last."},
};
const struct schema cluster_schema =
    SCHEMA("Cluster", cluster_view, cluster_fields, "What tasks run on.");
