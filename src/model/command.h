/*
 * Commands: what an API asks of the engine, and what it is told.
 *
 * Parsed and checked as far as can be without the state of anything; one entry per workspace
 * (DURABILITY §1). Strings belong to whoever made the command and live until it was answered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/campaign.h"
#include "model/def.h"
#include "model/params.h"
#include "model/rows.h"

enum command_kind {
    COMMAND_JOB_CREATE,
    COMMAND_JOB_UPDATE,
    COMMAND_JOB_DELETE,
    COMMAND_RUN_CREATE,
    COMMAND_RUN_CANCEL,
    COMMAND_RUN_REPAIR,
    COMMAND_RUN_DELETE,
    COMMAND_JOB_CANCEL_RUNS,
    COMMAND_RUNS_RERUN,      /* `reruns`: all of them are repaired, or none */
    COMMAND_CAMPAIGN_CREATE, /* `campaign`, planned; answers with the campaign's key */
    COMMAND_CAMPAIGN_PAUSE,  /* these three: `key` */
    COMMAND_CAMPAIGN_RESUME,
    COMMAND_CAMPAIGN_CANCEL,
};

struct principal {
    const char *id; /* OCID */
    const char *name;
};

/* RULES §7: an opc-retry-token with what it covers. */
struct retry_token {
    bool is_set;
    uint8_t scope[32];
    uint8_t request[32];
};

/* Who or what makes a run. */
struct run_origin {
    int launched;      /* enum launched */
    int trigger;       /* enum trigger */
    int instance_type; /* enum instance_type */
    int64_t plan_ms;   /* planned time; FIELD_NULL: now */
    int64_t submit_ms; /* 0: as the job's schedule says */
    bool in_campaign;  /* it may queue whatever its job says */
    bool may_be_held;  /* it waits for the jobs that its own depends on */
};

struct run_request {
    /* Whose doing it is when no caller asks for it; NULL: a caller does. */
    const struct run_origin *origin;
    struct param_list parameters;
    int8_t queue_enabled;      /* FIELD_UNSET: the job's */
    const char *queue_json;    /* as given, NULL: the job's */
    const char *schedule_json; /* as given, NULL: the job's */
    bool has_original_attempt;
    struct uuid original_attempt_run;
    bool original_is_known; /* it names a run of this job: looked up before the step */
};

/* A selected task, with everything that is transitively upstream or downstream of it where asked. */
struct repair_task {
    int8_t include_downstream; /* 1: yes */
    int8_t include_upstream;
    const char *task_key;
};

/* RULES §8.7: whose definition a repair uses. */
enum repair_definition {
    DEFINITION_NEWEST, /* that of the newest attempt of the run */
    DEFINITION_ORIGINAL,
    DEFINITION_CURRENT, /* the job's, as of now */
    DEFINITION_VERSION, /* a version of the job's, by number */
};

/* What a repair does with the task that waits for the path of a schedule (DEF_MONITOR_TASK; RULES §10,
 * ignore_obs_monitor). */
enum repair_monitor {
    MONITOR_AS_OTHERS,
    MONITOR_PASSED, /* it is not waited for again: kept where it was there, else taken for there */
    MONITOR_AGAIN,  /* it is waited for again, whatever else is selected */
};

struct repair_request {
    const char *const *task_keys; /* duplicates are fine */
    size_t task_key_count;
    const struct repair_task *repair_tasks;
    size_t repair_task_count;
    const char *const *mark_success; /* keys of tasks that become SUCCESS without running */
    size_t mark_success_count;
    struct param_list parameters;
    int mode; /* enum repair_mode or FIELD_UNSET */
    enum repair_definition definition;
    int64_t definition_version; /* DEFINITION_VERSION, from 1 */
    enum repair_monitor monitor;
    bool in_campaign; /* a campaign asks: it may queue, and not ahead (RULES §4) */
};

/* One of several runs that are repaired together. */
struct rerun {
    struct uuid run;
    int64_t version; /* of the run as it was looked at: where one moved on since, all are refused */
    struct repair_request repair;
    struct job_def *def; /* as command.def of RUN_REPAIR */
};

enum { RERUN_MAX_RUNS = 1000 };

struct command {
    enum command_kind kind;
    struct principal principal;
    struct uuid key;      /* of the job (JOB_…, RUN_CREATE), the run, or the campaign */
    const char *if_match; /* as sent, NULL: unconditional */
    struct retry_token token;
    /* One reference, the command's. JOB_CREATE, JOB_UPDATE: what was sent. RUN_REPAIR: an older
     * version that it asks for, filled when the run is loaded; NULL: there is none, or none is
     * needed beside those of the run and the job. */
    struct job_def *def;
    struct run_request run;
    struct repair_request repair;
    const char *const
        *task_keys; /* RUN_CANCEL: only these tasks of it, at least one; NULL: all of it */
    size_t task_key_count;
    struct rerun *reruns; /* of different runs */
    size_t rerun_count;   /* 1 … RERUN_MAX_RUNS */
    /* JOB_CREATE, JOB_UPDATE: refused when another job has the name. Whether a stored one has is
     * looked up before the step. */
    bool name_is_unique;
    bool name_is_taken;
    struct campaign_order campaign;
};

/* The answer. On ERR_OK `key` names the job, the run or the campaign. */
struct command_result {
    enum err_code code;
    char message[ERR_MESSAGE_MAX];
    struct uuid key;
    struct uuid operation; /* opc-work-request-id; nil: none */
    bool replayed;         /* answered from a retry token */
};

/* Etags: opaque to clients. A run's is version and newest event, a job's its version. */
enum { ETAG_TEXT = 48 };
char *etag_of_run(int64_t version, int64_t last_event, char text[static ETAG_TEXT]);
char *etag_of_job(int64_t version, char text[static ETAG_TEXT]);
/* Does an if-match header, with or without quotes, or `*`, name this etag? */
bool etag_matches(const char *if_match, const char *etag);
