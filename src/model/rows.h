/*
 * Rows: what the store keeps, as plain structs (DURABILITY §4).
 *
 * The engine writes them as effects, the store persists and reads them back, the APIs print from
 * them. Strings belong to whoever made the row (an arena) and outlive the commit. Times are wall
 * clock in ms, durations in ms; FIELD_NULL is "not yet". Enumerations are stored as numbers: their
 * order is part of the format, append only.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/fields.h"
#include "base/uuid.h"
#include "model/account_rows.h"
#include "model/state.h"

enum launched { LAUNCHED_SCHEDULED, LAUNCHED_MANUAL, LAUNCHED_COUNT };
enum trigger { TRIGGER_PERIODIC, TRIGGER_ONE_TIME, TRIGGER_RUN_JOB_TASK, TRIGGER_CONTINUOUS };
/* DataArts instance types (RULES §10). */
enum instance_type {
    INSTANCE_SCHEDULED = 0,
    INSTANCE_MANUAL = 2,
    INSTANCE_SUPPLEMENT = 5,
    INSTANCE_SUB_JOB = 6,
    INSTANCE_ONCE = 7
};

/* One per workspace, written with every commit: the counters that must never go back. */
struct workspace_row {
    int64_t id; /* small number that begins every primary key */
    struct uuid key;
    const char *name;
    struct uuid project_id;  /* printed without dashes in the DataArts dialect */
    int64_t epoch;           /* +1 at every recovery */
    int64_t batch;           /* +1 at every commit: fences out a second writer */
    int64_t last_job_number; /* 63-bit numbers of jobs and runs, below 2^53 */
    int64_t last_run_number;
    int64_t last_event; /* newest number of the event sequence */
    int64_t last_ms;    /* newest creation time given to a key */
    int64_t created_ms;
};

struct job_row {
    int64_t workspace;
    struct uuid key;
    int64_t number;
    const char *name;
    const char *path;
    const char *description;
    const char *run_as;
    int64_t version; /* of the newest definition; also the etag */
    int64_t created_ms;
    int64_t updated_ms;
    int64_t deleted_ms;   /* FIELD_NULL while it exists; kept for the sake of its runs */
    int64_t scheduled_ms; /* when the current schedule was started (submit_time), FIELD_NULL */
    /* While all its runs are being cancelled: up to which run, and repairs up to when; else
     * FIELD_NULL. By whom, else NULL. */
    int64_t cancel_number;
    int64_t cancel_ms;
    const char *cancel_by;
    const char *created_by;
    const char *created_by_name;
    const char *updated_by;
    const char *updated_by_name;
};

/* Immutable. */
struct job_version_row {
    int64_t workspace;
    struct uuid job;
    int64_t version;
    int64_t created_ms;
    const char *created_by;
    const char *definition; /* canonical JSON of job_details */
};

enum schedule_kind { SCHEDULE_CRON, SCHEDULE_CONTINUOUS };

/* When a job starts by itself (RULES §11). A row of its own beside the job, so that a server finds
 * what is to fire without reading a definition, and so that a firing moves nothing that lists of
 * jobs are ordered by. Made with the first schedule of a job; inactive while that rests. */
struct schedule_row {
    int64_t workspace;
    struct uuid job;
    /* moving */
    int active; /* 1: it fires */
    int kind;   /* enum schedule_kind */
    const char *expression;
    const char *timezone_id;
    int missed_policy;       /* enum missed_policy of def.h */
    int64_t window_start_ms; /* nothing fires before, or after; FIELD_NULL: no limit */
    int64_t window_end_ms;
    int64_t cursor_ms; /* planned times up to this one are decided: fired, or skipped */
    int64_t failures;  /* CONTINUOUS: runs in a row that did not succeed */
    /* Whatever schedules this job had before: planned times up to this one are decided. FIELD_NULL: none
     * was. */
    int64_t decided_ms;
};

/* Planned times that did not become runs, and why. Append only; goes with the job. */
struct skipped_row {
    int64_t workspace;
    struct uuid job;
    struct uuid key;
    int64_t created_ms;
    int64_t first_ms; /* planned times */
    int64_t last_ms;
    int64_t count; /* of them; SKIPPED_COUNT_MAX: so many, or more */
    const char *reason;
};

struct run_row {
    /* fixed at creation */
    int64_t workspace;
    struct uuid key;
    int64_t number;
    struct uuid job;
    const char *job_name;
    int64_t definition_version; /* of repair 0 */
    int launched;               /* enum launched */
    int trigger;                /* enum trigger */
    int instance_type;          /* enum instance_type */
    int64_t plan_ms;            /* plan_time */
    int64_t submit_ms;          /* submit_time */
    struct uuid original_attempt_run;
    struct uuid parent_run; /* nil at top level */
    struct uuid root_run;   /* own key at top level */
    const char *created_by;
    const char *created_by_name;
    const char *parameters; /* JSON list: what it was given */
    const char *queue;      /* JSON: as given or the job's, "null" */
    const char *schedule;   /* JSON: likewise */
    int8_t queue_enabled;   /* the run's own, else FIELD_UNSET: the job's counts */
    int64_t max_concurrent_runs;
    int64_t created_ms;
    /* moving */
    int64_t version; /* 1, +1 per accepted repair */
    enum state state;
    enum state ending; /* while CANCELING: how it will end, else STATE_NEW */
    const char *message;
    const char *error_trace;     /* of the earliest unsuccessful task, or NULL */
    struct uuid parent_task_run; /* the newest that waits or waited for it; nil at top level */
    int8_t is_suspended;         /* a failure keeps it from starting anything (x-failPolicy) */
    int8_t ignored_failure;      /* SUCCESS although a task failed, which was to be ignored */
    int8_t in_campaign;          /* its newest attempt was asked for by a campaign: it may always
                                    queue, and not ahead of runs that never ran */
    int8_t is_held;              /* QUEUED, and not in line: it waits for runs of the jobs that its
                                    job depends on */
    int64_t repair_number;       /* of the newest attempt of the run, 0: ORIGINAL */
    int64_t queued_ms;           /* newest entry into the queue */
    int64_t start_ms;            /* first RUNNING, the original's */
    int64_t attempt_start_ms;    /* first RUNNING of the newest attempt; FIELD_NULL before it */
    int64_t end_ms;              /* of the newest attempt, FIELD_NULL while active */
    int64_t execution_ms;        /* likewise, without set-up and clean-up of clusters */
    int64_t updated_ms;
    int64_t last_event; /* number of the newest event as of this write */
};

/* For which it was planned; a run that nothing planned, for when it was made. */
static inline int64_t run_planned_ms(const struct run_row *run)
{
    return run->plan_ms == FIELD_NULL ? run->created_ms : run->plan_ms;
}

/* A schedule fired it, or a campaign made it for a time of one; of any other run its creation is its planned time. */
static inline bool run_is_planned(const struct run_row *run)
{
    return run->launched == LAUNCHED_SCHEDULED && run->trigger == TRIGGER_PERIODIC;
}

/* What is asked of the runs of a window of planned times: no row of its own. */
struct window_run {
    struct uuid key;
    int64_t plan_ms;
    int launched;      /* enum launched */
    int instance_type; /* enum instance_type */
    enum state state;
};

enum repair_mode { REPAIR_MODE_RESUME, REPAIR_MODE_RERUN, REPAIR_MODE_COUNT };

/* An attempt of a run: 0 is the original, there from creation (RULES §8.5). */
struct repair_row {
    int64_t workspace;
    struct uuid run;
    int64_t number;
    struct uuid operation; /* the asyncOperation that accepted it */
    int64_t definition_version;
    int definition;         /* enum repair_definition: what it was asked to take */
    int mode;               /* enum repair_mode or FIELD_UNSET */
    int monitor;            /* enum repair_monitor */
    const char *parameters; /* JSON list: what this attempt was given */
    const char *plan;       /* JSON list of task keys in definition order; [] for the original */
    const char *created_by;
    const char *created_by_name;
    int64_t requested_ms;
    /* moving */
    enum state state;
    const char *unified; /* JSON list: job and run layers resolved, as of this attempt */
    const char *commits; /* JSON: what its branches were resolved to (model/git.h), or NULL */
    const char *message;
    const char *error_trace;
    int64_t slot_ms;  /* when it got its run slot: the timeout counts from here */
    int64_t start_ms; /* first RUNNING of this attempt */
    int64_t end_ms;
    int64_t setup_ms; /* durations, measured at the end */
    int64_t execution_ms;
    int64_t cleanup_ms;
};

struct task_run_row {
    int64_t workspace;
    struct uuid key;
    struct uuid run;
    int64_t repair_number; /* the attempt of the run that made it */
    int64_t position;      /* in the definition of definition_version */
    const char *task_key;
    int64_t definition_version;
    int64_t created_ms;
    /* 1: of a JOB_TASK that had succeeded before the repair, so a child that is SUCCESS is no news; else 0 or FIELD_UNSET. */
    int8_t after_success;
    /* 1: the repair that made it was told to take it for successful; else 0 or FIELD_UNSET. */
    int8_t is_marked;
    /* moving until final */
    enum state state;
    const char *message;
    const char *error_trace;
    const char *error_code;  /* short, '' on success: {{tasks.T.error_code}} */
    const char *parameters;  /* JSON list: what it started with, NULL before */
    struct uuid child_run;   /* JOB_TASK: its newest child, or the one to go on with; else nil */
    const char *published;   /* what its newest ended attempt published (model/values.h), or NULL */
    const char *git_commit;  /* that its newest attempt was started from, or NULL */
    const char *canceled_by; /* name of the user who canceled it alone, or NULL */
    int8_t outcome;          /* IF_ELSE: 0 or 1; else FIELD_UNSET */
    int64_t attempt;         /* number of the newest started attempt, FIELD_NULL before */
    int64_t attempts;        /* how many have started */
    int64_t start_ms;        /* these mirror the newest started attempt */
    int64_t end_ms;
    int64_t setup_start_ms; /* clusterValidationStartTime */
    int64_t setup_ms;
    int64_t execution_ms;
    int64_t cleanup_ms;
    int64_t retry_at_ms; /* end of the current retry wait, else FIELD_NULL */
    int64_t last_event;
};

/* How an attempt came to run: from a warm interpreter, or why not where that was wished for; as
 * enum record_launch (supervise/record.h). */
enum attempt_launch {
    LAUNCH_COLD,
    LAUNCH_WARM,
    LAUNCH_NOT_UP,
    LAUNCH_NO_SERVER,
    LAUNCH_ENVIRONMENT,
    LAUNCH_USER,
    LAUNCH_VENV,
    LAUNCH_NOT_PLAIN,
    LAUNCH_SPARK,
    LAUNCH_COUNT
};

/* How an attempt ended, as the supervisor or recovery saw it. TIMED_OUT stands already while the
 * child run of a JOB_TASK is being cancelled for it. */
enum attempt_cause {
    CAUSE_NONE, /* not ended */
    CAUSE_EXITED,
    CAUSE_SIGNALED,
    CAUSE_TIMED_OUT,
    CAUSE_STOPPED,
    CAUSE_EXEC_FAILED,
    CAUSE_CANNOT_START, /* refused before an order was sent: missing file, bad reference */
    CAUSE_LOST,
    CAUSE_CHILD /* of a JOB_TASK: its child run ended */
};

/* Which budget a failed attempt was charged to (RULES §3). */
enum budget { BUDGET_NONE, BUDGET_RETRIES, BUDGET_LOST };

struct attempt_row {
    int64_t workspace;
    struct uuid run;
    struct uuid task_run;
    int64_t number;
    int64_t epoch;         /* under which it was last started */
    const char *host;      /* NULL: nowhere, of a JOB_TASK */
    struct uuid child_run; /* of a JOB_TASK, nil when none could be made */
    int64_t created_ms;
    /* moving */
    enum state state; /* RUNNING, then how it ended */
    const char *message;
    const char *error_trace;
    int cause;  /* enum attempt_cause */
    int budget; /* enum budget */
    int64_t exit_code;
    int64_t signal;
    int64_t setup_start_ms;
    int64_t start_ms;
    int64_t end_ms;
    int64_t setup_ms;
    int64_t execution_ms;
    int64_t cleanup_ms;
    int64_t launch;  /* enum attempt_launch; FIELD_NULL: not told */
    int64_t user_us; /* cost: CPU time in µs, peak memory in KiB, block I/O */
    int64_t system_us;
    int64_t max_rss_kib;
    int64_t in_blocks;
    int64_t out_blocks;
    const char *external_id; /* of the Spark application that it was, or NULL */
};

enum event_type {
    EVENT_RUN_STATE,
    EVENT_TASK_STATE,
    EVENT_ATTEMPT,  /* an attempt started, ended, was lost or found never started */
    EVENT_REPAIR,   /* a repair was accepted; per task: its verdict */
    EVENT_NOTE,     /* something else worth knowing, in words */
    EVENT_SCHEDULE, /* what fired the run, and how late */
    EVENT_TYPE_COUNT
};
extern const char *const event_type_names[EVENT_TYPE_COUNT];

/* Append only. lifecycleStates, history and `why` are read from here. */
struct event_row {
    int64_t workspace;
    struct uuid run;
    int64_t number; /* one monotone sequence per workspace */
    int64_t time_ms;
    int64_t repair_number;
    struct uuid task_run; /* nil: about the run */
    const char *task_key; /* NULL: about the run; filled by the store when read */
    struct uuid job;      /* not stored: the run's; filled where events of several runs are read */
    const char *job_name; /* likewise */
    int64_t attempt;      /* FIELD_NULL: about no attempt */
    int64_t previous;     /* number of the task run's event before, which its row names until then;
                           * FIELD_NULL: its first, or about the run */
    int type;             /* enum event_type */
    enum state from;      /* STATE_NEW at the first; an event that moves nothing has from = to */
    enum state to;
    const char *reason;   /* one plain sentence */
    const char *decision; /* JSON object: the structured grounds, or NULL */
};

enum operation_status { OPERATION_SUCCEEDED, OPERATION_FAILED, OPERATION_STATUS_COUNT };

/* What opc-work-request-id points to. */
struct operation_row {
    int64_t workspace;
    struct uuid key;
    const char *resource_type; /* "JOB", "JOB_RUN", … */
    const char *action_type;   /* "CREATE", "REPAIR", … */
    struct uuid resource;
    const char *display_name;
    const char *created_by;
    const char *created_by_name;
    int64_t started_ms;
    int64_t finished_ms;
    int status; /* enum operation_status */
};

/* A request that was answered 2xx under a retry token, with its answer (RULES §7). */
struct retry_token_row {
    int64_t workspace;
    uint8_t scope[32];   /* SHA-256 of principal, workspace, operation, path and token */
    uint8_t request[32]; /* SHA-256 of the body's bytes */
    int64_t created_ms;
    /* That it made or was about, or the job that it made; nil: neither. One that is deleted invalidates
     * the token. */
    struct uuid run;
    int64_t run_deleted;
    int64_t status;
    const char *etag;
    const char *location;
    struct uuid operation;
    const char *body;
    int64_t body_len;
};

enum resource_kind { RESOURCE_WORKSPACE, RESOURCE_CLUSTER };

/* Key of the cluster that every workspace has: the server's own host. Derived from the workspace's. */
struct uuid cluster_local_key(const struct uuid *workspace);

/* What the platform knows besides jobs and runs. Of a workspace, `workspace` is its own id. */
struct resource_row {
    int64_t workspace;
    struct uuid key;
    int kind; /* enum resource_kind */
    /* moving */
    const char *name;    /* displayName */
    const char *state;   /* lifecycleState */
    const char *details; /* JSON: what it was made from, defaults filled in */
    int64_t version;     /* 1, and one more for every change: the etag */
    int64_t created_ms;  /* fixed, as is who made it */
    int64_t updated_ms;
    int64_t deleted_ms; /* FIELD_NULL while it exists */
    const char *created_by;
    const char *created_by_name;
    const char *updated_by;
    const char *updated_by_name;
};

/* When a user last asked for a job with should-update-recent. */
struct recent_job_row {
    int64_t workspace;
    const char *user_id;
    struct uuid job;
    int64_t used_ms;
};

/* A campaign (model/campaign.h). */
struct campaign_row {
    int64_t workspace;
    struct uuid key; /* sorts by time */
    int kind;        /* enum campaign_kind */
    const char *name;
    struct uuid job;
    const char *jobs; /* JSON list of {jobKey, name}, `job` first; names as of then */
    int64_t begin_ms;
    int64_t end_ms;
    int64_t concurrent;
    int8_t canary;
    int where; /* enum campaign_where */
    const char *task_key;
    int version; /* enum campaign_version */
    int set;     /* enum campaign_set */
    int8_t ignore_monitor;
    int8_t stop_on_fail;
    int8_t reverse;
    const char *parameters; /* JSON list, of every run and repair; NULL: none. Not in lists */
    int64_t cell_count;
    const char *created_by;
    const char *created_by_name;
    int64_t created_ms; /* submit_time of the instances of a SUPPLEMENT */
    /* moving */
    int state; /* enum campaign_state */
    const char *message;
    int64_t revision; /* one more for every change of it or its cells: the etag */
    int64_t updated_ms;
    int64_t start_ms;    /* the first cell started, FIELD_NULL before */
    int64_t finished_ms; /* FIELD_NULL while it is not final */
};

/* One job × planned time of a campaign. Made with it, in order, from position 0. */
struct campaign_cell_row {
    int64_t workspace;
    struct uuid campaign;
    int64_t position;
    struct uuid job;
    int64_t plan_ms;
    int8_t is_new;       /* makes an instance, instead of rerunning one */
    const char *needs;   /* JSON list of positions: starts when these have succeeded */
    const char *follows; /* when these have ended, however */
    /* moving */
    struct uuid run; /* nil: not made yet */
    int state;       /* enum campaign_cell_state */
    const char *message;
    int64_t repair_number; /* the attempt of the run that it stands for, FIELD_NULL before */
    int64_t asked_number;  /* the newest one that the campaign itself asked for, or FIELD_NULL */
    int64_t start_ms;
    int64_t finished_ms;
};

/* ---- changes ---- */

#define ROW_KINDS(X)                        \
    X(ROW_JOB, job_row)                     \
    X(ROW_JOB_VERSION, job_version_row)     \
    X(ROW_SCHEDULE, schedule_row)           \
    X(ROW_SKIPPED, skipped_row)             \
    X(ROW_RUN, run_row)                     \
    X(ROW_REPAIR, repair_row)               \
    X(ROW_TASK_RUN, task_run_row)           \
    X(ROW_ATTEMPT, attempt_row)             \
    X(ROW_EVENT, event_row)                 \
    X(ROW_OPERATION, operation_row)         \
    X(ROW_RETRY_TOKEN, retry_token_row)     \
    X(ROW_USER, user_row)                   \
    X(ROW_ROLE, role_row)                   \
    X(ROW_TOKEN, token_row)                 \
    X(ROW_API_KEY, api_key_row)             \
    X(ROW_ACCESS_KEY, access_key_row)       \
    X(ROW_SECRET, secret_row)               \
    X(ROW_AUDIT, audit_row)                 \
    X(ROW_RESOURCE, resource_row)           \
    X(ROW_RECENT_JOB, recent_job_row)       \
    X(ROW_CAMPAIGN, campaign_row)           \
    X(ROW_CAMPAIGN_CELL, campaign_cell_row) \
    X(ROW_JOB_PERMISSION, job_permission_row)

enum row_kind {
#define ROW_KIND_ENUM(kind, type) kind,
    ROW_KINDS(ROW_KIND_ENUM)
#undef ROW_KIND_ENUM
        ROW_KIND_COUNT
};

/* INSERT fails the commit when the key exists; UPDATE writes the moving fields of a row that
 * exists. DELETE of a run takes its repairs, task runs, attempts and events with it and marks its
 * retry tokens. Roles, permissions, tokens, keys and secrets are deleted by their keys; other kinds are not
 * deleted this way. */
enum row_action { ROW_INSERT, ROW_UPDATE, ROW_DELETE };

struct row_change {
    enum row_kind kind;
    enum row_action action;
    const void *row; /* the struct of its kind */
};

struct row_batch {
    struct row_change *items; /* in the order in which they are to be applied */
    size_t count;
    size_t cap;
};

void row_batch_init(struct row_batch *batch);
void row_batch_release(struct row_batch *batch);
void row_batch_clear(struct row_batch *batch);
/* `row` must outlive the batch. */
void row_batch_add(struct row_batch *batch, enum row_kind kind, enum row_action action,
                   const void *row);
/* A copy of the row struct (its strings are shared) in the arena: for rows that go on moving. */
void row_batch_add_copy(struct row_batch *batch, struct arena *arena, enum row_kind kind,
                        enum row_action action, const void *row);
