/*
 * A job as the DataArts dialect has it, in the spelling of v1 (reference dataarts-api §2).
 *
 * What v1 and v2 clients send is brought into this spelling first (spelling.h), so that there is one
 * table. Such a job becomes an ordinary definition (translate.h) and is kept with it under
 * `x-dataarts`, so that a GET gives back what the engine does not need.
 */
#pragma once

#include "base/fields.h"

enum {
    DATAARTS_MAX_NAME = 128,
    DATAARTS_MAX_NODES = 200,
    DATAARTS_MAX_PARAMS = 1000,
    DATAARTS_MAX_DOWNSTREAM = 1000,
    DATAARTS_MAX_APPROVERS = 100,
};

enum dataarts_param_type { PARAM_VARIABLE, PARAM_CONSTANTS, PARAM_TYPE_COUNT };
enum dataarts_schedule_type {
    SCHEDULE_EXECUTE_ONCE,
    SCHEDULE_OF_CRON,
    SCHEDULE_EVENT,
    SCHEDULE_TYPE_COUNT
};
enum dataarts_process { PROCESS_BATCH, PROCESS_REAL_TIME, PROCESS_COUNT };

extern const char *const dataarts_schedule_types[SCHEDULE_TYPE_COUNT];
extern const char *const dataarts_processes[PROCESS_COUNT]; /* "BATCH", "REAL_TIME" */

struct dataarts_param {
    const char *name;
    const char *value;
    int type; /* enum dataarts_param_type */
};

struct dataarts_property {
    const char *name;
    const char *value;
};

struct dataarts_condition {
    const char *pre_node_name;
    const char *expression;
};

struct dataarts_node {
    const char *name;
    const char *type;
    const char *location;             /* JSON, as it was sent */
    struct field_list pre_node_names; /* of const char * */
    struct field_list conditions;     /* of struct dataarts_condition */
    struct field_list properties;     /* of struct dataarts_property */
    int64_t polling_interval;
    int64_t max_execution_min;
    const char *retries_on_timeout; /* JSON: a truth value, or the word for one */
    int64_t retry_times;
    int64_t retry_interval_s;
    int fail_policy; /* enum fail_policy */
    const char *event_trigger;
    const char *cron_trigger;
};

struct dataarts_cron {
    const char *start_time;
    const char *end_time;
    const char *expression;
    const char *time_zone;
    const char *period;
    const char *interval_type;
    int8_t depends_on_previous;
    const char *depend_jobs; /* JSON */
    int64_t concurrent;
    const char *monitor_path; /* JSON: a path to wait for, or false */
    int64_t scan_interval_min;
    int64_t scan_duration_min;
};

struct dataarts_schedule {
    int type; /* enum dataarts_schedule_type */
    struct dataarts_cron *cron;
    const char *event; /* JSON */
};

struct dataarts_basic {
    const char *owner;
    int64_t priority;
    const char *execute_user;
    int64_t instance_timeout_min;
    const char *custom_fields; /* JSON */
    const char *agency;
    int64_t is_ignore_waiting;
    struct field_list tags; /* of const char * */
};

struct dataarts_job {
    int64_t id;
    const char *name;
    struct field_list nodes; /* of struct dataarts_node */
    struct dataarts_schedule *schedule;
    struct field_list params; /* of struct dataarts_param */
    const char *directory;
    int process_type;
    const char *log_path;
    struct dataarts_basic *basic;
    int8_t is_single_node;
    const char *single_node_type;
    const char *create_user;
    const char *last_update_user;
    const char *owner;    /* v2 only */
    const char *priority; /* v2 only */
    const char *target_status;
    struct field_list approvers; /* of struct dataarts_approver */
    const char *empty_running;
    int64_t clean_overdue_days;
    const char *clean_waiting;
    const char *description;
    int64_t created_ms; /* createTime: of answers */
    const char *version;
    struct field_list
        downstream; /* of struct dataarts_downstream: of answers that were asked for it */
};

struct dataarts_approver {
    const char *name;
};

/* A job that depends on the one that is shown. */
struct dataarts_downstream {
    const char *workspace; /* its name */
    const char *name;
    int64_t id;
};

/* What a start of its scheduling has said. */
struct dataarts_start {
    struct field_list params; /* of struct dataarts_param: instead of the job's of these names */
    int64_t start_date;       /* yyyyMMdd, or FIELD_NULL */
    int64_t at_ms;            /* EXECUTE_ONCE: when it runs */
    int64_t previous_from_ms; /* its instances wait for none planned before; FIELD_NULL: for any */
};

/* `x-dataarts` of a definition. */
struct dataarts_kept {
    struct dataarts_job *job;
    struct dataarts_start *start; /* NULL: it is not scheduled */
};

extern const struct schema dataarts_param_schema;
extern const struct schema dataarts_node_schema;
extern const struct schema dataarts_cron_schema;
extern const struct schema dataarts_basic_schema;
extern const struct schema dataarts_job_schema;
extern const struct schema dataarts_kept_schema;
