/*
 * Campaigns: many runs of a range of planned times, rerun or made anew as one thing that can be
 * watched, paused and cancelled (RULES §10 mode B; DESIGN §5).
 *
 *     request ─> plan: cells (job × planned time) in the order of planned time, then of the jobs'
 *                dependencies ─> COMMAND_CAMPAIGN_CREATE ─> the engine starts `concurrent` at a time
 *
 *     campaign  PENDING ─> RUNNING <─> PAUSED        cell  WAITING <─> BLOCKED
 *                    SUCCESS, FAILED (to be resumed),        └─> RUNNING ─> SUCCESS, FAILED
 *                    CANCELED                                SKIPPED, CANCELED; FAILED ─> RUNNING
 *
 * A request is planned on a snapshot, by a pure function (api_backend.plan_campaign); what it finds
 * goes with the command, whose strings and lists live until it was answered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/uuid.h"
#include "model/params.h"

/* Limits, in one place. */
enum {
    CAMPAIGN_MAX_JOBS = 100, /* the one of the path included */
    CAMPAIGN_MAX_CELLS = 10000,
    CAMPAIGN_MAX_LINKS = 200000,  /* between cells */
    CAMPAIGN_MAX_BETWEEN = 10000, /* jobs above its own, which perhaps stand between them */
    CAMPAIGN_MAX_PASSES = 150000, /* looks at a schedule of those, for one cell each */
    CAMPAIGN_MAX_CONCURRENT = 128,
    CAMPAIGN_MAX_NAME = 255, /* code points */
    CAMPAIGN_MAX_PARAMETERS_BYTES = 256
                                    << 10, /* names and values together: every cell is given all */
};

/* A decision of a run that a campaign asked for, or for a repair of it: this, the campaign's key, `"}`. */
#define CAMPAIGN_DECISION "{\"kind\":\"CAMPAIGN\",\"campaignKey\":\""

/* All enumerations here are stored: append only. */
enum campaign_kind {
    CAMPAIGN_RERUN,      /* existing instances, repaired in place; missing ones where asked for */
    CAMPAIGN_SUPPLEMENT, /* one new instance (type 5) per planned time of the range */
    CAMPAIGN_KIND_COUNT
};
enum campaign_state {
    CAMPAIGN_PENDING, /* nothing has started */
    CAMPAIGN_RUNNING,
    CAMPAIGN_PAUSED, /* what runs goes on, nothing new starts */
    CAMPAIGN_SUCCESS,
    CAMPAIGN_FAILED, /* may be resumed */
    CAMPAIGN_CANCELED,
    CAMPAIGN_STATE_COUNT
};
enum campaign_cell_state {
    CELL_WAITING,
    CELL_BLOCKED, /* a cell that it depends on has failed */
    CELL_RUNNING, /* its run is active: queued, running, … */
    CELL_SUCCESS,
    CELL_FAILED,
    CELL_SKIPPED, /* may not be rerun; holds nobody up */
    CELL_CANCELED,
    CAMPAIGN_CELL_STATE_COUNT
};
/* Where in an instance to begin. */
enum campaign_where {
    CAMPAIGN_FROM_FIRST, /* every task */
    CAMPAIGN_FROM_ERROR, /* the default selection of a repair; of a successful one every task */
    CAMPAIGN_FROM_NODE,  /* task_key and everything downstream of it */
    /* By a definition with other tasks than the run had each runs every task. */
    CAMPAIGN_WHERE_COUNT
};
/* Whose definition. */
enum campaign_version { CAMPAIGN_ORIGINAL, CAMPAIGN_CURRENT, CAMPAIGN_VERSION_COUNT };
/* Which instances of the range. */
enum campaign_set {
    CAMPAIGN_ALL,
    CAMPAIGN_UNSUCCESSFUL, /* those that did not succeed */
    CAMPAIGN_MISSING,      /* planned times without an instance: a new one of type 5 for each */
    CAMPAIGN_SET_COUNT
};

extern const char *const campaign_kind_names[CAMPAIGN_KIND_COUNT];   /* "RERUN", … */
extern const char *const campaign_state_names[CAMPAIGN_STATE_COUNT]; /* "PENDING", … */
extern const char *const campaign_cell_state_names[CAMPAIGN_CELL_STATE_COUNT];
extern const char *const campaign_where_names[CAMPAIGN_WHERE_COUNT]; /* "FIRST", "ERROR", "NODE" */
extern const char *const campaign_version_names[CAMPAIGN_VERSION_COUNT]; /* "ORIGINAL", "CURRENT" */
extern const char *const campaign_set_names[CAMPAIGN_SET_COUNT];         /* "ALL", … */

bool campaign_is_final(enum campaign_state state);

struct campaign_request {
    int kind;                /* enum campaign_kind */
    const char *name;        /* NULL: made of the job's name and the time */
    struct uuid job;         /* of the path */
    const struct uuid *jobs; /* further ones; duplicates are fine */
    size_t job_count;
    bool downstream;  /* also every job that depends on one of these, transitively */
    int64_t begin_ms; /* planned times from … to, both inclusive */
    int64_t end_ms;
    int64_t concurrent;           /* 1 … CAMPAIGN_MAX_CONCURRENT */
    bool canary;                  /* the first cell alone; the rest once it has succeeded */
    struct param_list parameters; /* of every run that is made, and of every repair */
    /* RERUN */
    int where;            /* enum campaign_where */
    const char *task_key; /* CAMPAIGN_FROM_NODE */
    int version;          /* enum campaign_version */
    int set;              /* enum campaign_set */
    bool ignore_monitor;  /* ignore_obs_monitor */
    /* SUPPLEMENT */
    bool stop_on_fail; /* nothing new starts once a cell has failed */
    bool reverse;      /* newest planned time first */
};

/* A cell as it is planned. Its position in the plan is its place in the order. */
struct planned_cell {
    struct uuid job;
    int64_t plan_ms;
    struct uuid run;     /* the instance; nil: a new one is to be made */
    bool is_double;      /* a new one of a planned time that has an instance */
    const char *skip;    /* why it may not be rerun, or NULL */
    const char *needs;   /* JSON list of positions: starts when these have succeeded; or "[]" */
    const char *follows; /* likewise: when these have ended, however */
};

struct campaign_plan {
    const struct uuid *jobs; /* every job, in the order in which they were named */
    const char *const *job_names;
    size_t job_count;
    const struct planned_cell *cells;
    size_t cell_count;
    size_t skip_count; /* of them, not to be rerun: fewer than all */
};

/* What COMMAND_CAMPAIGN_CREATE carries. */
struct campaign_order {
    struct campaign_request request;
    struct campaign_plan plan; /* nothing, where it was refused */
    /* Why it cannot be planned; said behind the retry token, whose first answer stands. ERR_OK: it is planned. */
    enum err_code refused;
    const char *refusal;
};

/* Texts of rows, read back; what is not as it was written is left out. In the arena. */
struct campaign_jobs {
    struct uuid *keys;
    const char **names; /* that the jobs had when the campaign was made */
    size_t count;
};
struct campaign_jobs campaign_jobs_load(const char *json, struct arena *arena);
/* NULL when there is none of that key. */
const char *campaign_job_name(const struct campaign_jobs *jobs, const struct uuid *key);
/* Only positions below `limit`. */
const uint32_t *campaign_positions_load(const char *json, uint32_t limit, struct arena *arena,
                                        uint32_t *ret_count);
