/* What callers send: structs and tables of the request bodies of runs. Jobs are in model/def.h. */
#pragma once

#include "base/fields.h"
#include "model/command.h"
#include "model/def.h"

enum { MAX_REPAIR_HISTORY = 10, MAX_DESCRIPTION_KEY = 255 };

/* CreateJobRunDetails. Of `key` and `repair_history` only types and limits count: they are the
 * server's (RULES §7). */
struct create_job_run {
    const char *job_key;
    const char *key;
    const char *original_attempt_run_id;
    struct field_list parameters; /* of struct param */
    struct queue *queue;
    struct field_list repair_history;
    struct schedule *schedule;
    struct uuid original; /* parsed from original_attempt_run_id */
};

/* RepairJobRunDetails; `definition` and `mark_success` are ours, `repair_tasks` is of the newer pages. */
struct repair_job_run {
    const char *definition;         /* JSON */
    struct field_list mark_success; /* of const char * */
    struct field_list parameters;   /* of struct param */
    int repair_mode;                /* enum repair_mode */
    struct field_list repair_tasks; /* of struct repair_task */
    struct field_list task_keys;    /* of const char * */
    /* parsed from `definition` */
    enum repair_definition chosen;
    int64_t version;
};

struct cancel_tasks {
    struct field_list task_keys; /* of const char * */
};

extern const struct schema create_job_run_schema;
extern const struct schema cancel_tasks_schema; /* ours */
extern const struct schema repair_task_schema;
extern const struct schema repair_job_run_schema;
extern const struct schema no_details_schema; /* of a call that takes an empty object */
