/*
 * What the answers of the Oracle dialect look like: one struct and one field table for each object
 * of its pages (the seeds, and reference oracle-api §1), composed from rows and printed from the table.
 *
 * Every field of a page is there, with the meaning of RULES §12. Fields of ours are marked as
 * extensions. Strings point into rows, definitions and arenas; a view lives no longer than they do.
 */
#pragma once

#include "base/fields.h"
#include "model/def.h"
#include "model/rows.h"

struct state_view {
    const char *error_trace;
    int8_t is_user_canceled_or_timed_out;
    const char *state_message;
    int status; /* enum state */
};

/* A State with its times, in one flat object. */
struct lifecycle_view {
    struct state_view state;
    int64_t end_ms;
    int64_t start_ms;
};

struct cluster_instance_view {
    const char *cluster_key;
    const char *spark_context_key;
};

struct cluster_spec_view {
    const char *existing_cluster_key;
    struct cluster_libraries *libraries;
    struct new_cluster *new_cluster;
};

struct task_run_summary_view {
    int64_t setup_start_ms;
    int64_t end_ms;
    const char *external_id;
    const char *job_run_key;
    const char *key;
    const char *name;
    const char *parent_job_run_key;
    int64_t retry_attempt;
    const char *root_job_run_key;
    int64_t start_ms;
    struct state_view *state;
    const char *task_key;
};

struct usage_view {
    int64_t user_us;
    int64_t system_us;
    int64_t peak_memory_bytes;
    int64_t read_bytes;
    int64_t written_bytes;
};

struct retry_view {
    int64_t cleanup_ms;
    int64_t setup_start_ms;
    int64_t end_ms;
    int64_t execution_ms;
    const char *external_id;
    const char *output_key;
    int64_t retry_number;
    int64_t setup_ms;
    int64_t start_ms;
    struct state_view *state;
    struct usage_view *usage; /* NULL: not measured */
};

struct task_run_view {
    int64_t cleanup_ms;
    struct cluster_spec_view *cluster_spec;
    int64_t setup_start_ms;
    int64_t end_ms;
    int64_t execution_ms;
    const char *external_id;
    const char *job_key;
    const char *job_run_key;
    const char *key;
    struct field_list lifecycle_states; /* of struct lifecycle_view */
    const char *name;
    const char *output_key;
    const char *parameters; /* JSON */
    const char *parent_job_run_key;
    struct field_list retries; /* of struct retry_view */
    int64_t retry_attempt;
    const char *root_job_run_key;
    int64_t setup_ms;
    int64_t start_ms;
    struct state_view *state;
    struct field_list system_parameters; /* of struct field_pair */
    const struct task_def *task;
    const char *task_key;
    int64_t version;
    struct field_list values; /* of struct field_pair */
    int8_t is_marked;
};

enum repair_type { REPAIR_TYPE_ORIGINAL, REPAIR_TYPE_REPAIR, REPAIR_TYPE_COUNT };

struct repair_view {
    int64_t end_ms;
    int64_t execution_ms;
    int64_t key;
    struct field_list lifecycle_states; /* of struct lifecycle_view */
    const char *parameters;             /* JSON */
    const char *repaired_tasks;         /* JSON */
    int64_t start_ms;
    struct state_view *state;
    struct field_list task_to_task_run_map; /* of struct field_pair */
    int type;                               /* enum repair_type */
    const char *created_by_name;
    int64_t created_ms;
    int64_t definition_version;
};

struct job_run_view {
    int64_t cleanup_ms;
    struct cluster_instance_view *cluster_instance;
    struct cluster_spec_view *cluster_spec;
    const char *created_by;
    const char *created_by_name;
    int64_t end_ms;
    int64_t execution_ms;
    const char *git_config; /* JSON */
    const char *job_key;
    const char *job_name;
    const char *key;
    int launched;                       /* enum launched */
    struct field_list lifecycle_states; /* of struct lifecycle_view */
    int64_t max_concurrent_runs;
    const char *original_attempt_run_id;
    const char *parameters; /* JSON */
    const char *parent_job_run_key;
    const char *parent_task_run_key;
    const char *queue;                /* JSON */
    const char *repaired_tasks;       /* JSON */
    struct field_list repair_history; /* of struct repair_view */
    const char *root_job_run_key;
    int64_t run_duration_ms;
    const char *schedule; /* JSON */
    int64_t setup_ms;
    int64_t start_ms;
    struct state_view *state;
    struct field_list system_parameters;    /* of struct field_pair */
    struct field_list task_run_summary_map; /* of struct field_entry of task_run_summary_view */
    const char *tasks;                      /* JSON */
    struct field_list task_to_task_run_map; /* of struct field_pair */
    int64_t created_ms;
    int64_t timeout_s;
    int64_t updated_ms;
    const char *unified_parameters; /* JSON */
    int64_t version;
    int repair_mode; /* enum repair_mode of the newest repair */
    int64_t definition_version;
};

/* Names of enum launched, as the API writes them. */
extern const char *const launched_names[LAUNCHED_COUNT];

struct job_run_summary_view {
    const char *created_by;
    const char *created_by_name;
    int64_t end_ms;
    int64_t execution_ms;
    const char *job_key;
    const char *job_name;
    const char *key;
    int launched; /* enum launched */
    int64_t start_ms;
    int64_t attempt_start_ms;
    struct state_view *state;
    int64_t created_ms;
    int64_t updated_ms;
    const char *parent_job_run_key;
    int64_t plan_ms; /* FIELD_NULL: of no schedule */
};

struct job_view {
    const char *key;
    const char *created_by;
    const char *created_by_name;
    const char *updated_by;
    const char *updated_by_name;
    int64_t created_ms;
    int64_t updated_ms;
    int64_t version;
    struct job_details details; /* shares what it points to with the definition */
    const char *git_config;     /* JSON, as the four below */
    const char *parameters;
    const char *queue;
    const char *schedule;
    const char *tasks;
    const char *next_times; /* JSON list of date-times */
};

struct job_summary_view {
    struct field_list clusters; /* of const char * */
    const char *created_by;
    const char *created_by_name;
    struct field_list job_clusters; /* of struct job_cluster */
    const char *key;
    const char *name;
    const char *path;
    const char *run_as;
    struct schedule *schedule;
    struct continuous *continuous;
    int64_t next_ms;
    int64_t created_ms;
    int64_t updated_ms;
    const char *updated_by;
    const char *updated_by_name;
};

struct operation_view {
    const char *action_type;
    const char *created_by;
    const char *created_by_name;
    const char *error_code;
    const char *error_message;
    const char *key;
    const char *resource_display_name;
    const char *resource_key;
    const char *resource_name;
    const char *resource_type;
    int status; /* enum operation_status */
    const char *status_details;
    int64_t finished_ms;
    int64_t started_ms;
};

extern const struct schema state_schema;
extern const struct schema lifecycle_state_schema;
extern const struct schema cluster_instance_schema;
extern const struct schema cluster_spec_schema;
extern const struct schema usage_schema;
extern const struct schema task_run_summary_schema;
extern const struct schema task_run_retry_schema;
extern const struct schema task_run_schema;
extern const struct schema repair_history_schema;
extern const struct schema job_run_schema;
extern const struct schema job_run_summary_schema;
extern const struct schema job_schema;
extern const struct schema job_summary_schema;
extern const struct schema operation_schema;

extern const char *const repair_mode_names[REPAIR_MODE_COUNT];
extern const char *const operation_status_names[OPERATION_STATUS_COUNT];
