/*
 * What the engine is made of: jobs, runs, tasks, schedules, and the lists that they are on.
 *
 * A job knows its runs: those that hold a run slot and those that queue. A run knows its tasks, by
 * position in its definition. Whether something is on a list follows from its state and from
 * nothing else: move.c is the only place that changes a state, and the membership with it.
 */
#pragma once

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "calendar/cron.h"
#include "engine/engine.h"
#include "model/git.h"

/* A row that moves: written once per batch, by engine_collect. */
struct tracked {
    struct list link; /* in engine->dirty */
    enum row_kind kind;
    const void *row;
    bool is_stored; /* an INSERT has been given out */
};

enum deadline_kind {
    DEADLINE_RUN_TIMEOUT,
    DEADLINE_QUEUE,
    DEADLINE_RETRY,
    DEADLINE_TASK_TIMEOUT /* of a JOB task; others are timed by their supervisor */
};

struct deadline {
    struct heap_item item;
    enum deadline_kind kind;
};

/* Runs that wait for a run slot, by queued_ms, then key. */
struct run_queue {
    struct list runs;
    size_t count;
};

struct ejob {
    struct job_row row;
    struct tracked tracked;
    struct job_def *def; /* the newest definition */
    size_t def_bytes;    /* that it takes */
    struct list holders; /* runs that hold a run slot */
    size_t holder_count;
    struct run_queue repairs; /* go ahead of */
    struct run_queue queue;   /* runs that never ran */
    struct run_queue held;    /* in no line: they wait for runs of other jobs */
    struct list runs;         /* all that the engine has of it */
    struct list freed;        /* link in engine->freed: a slot may be free */
    struct list sweep;        /* link in engine->sweeps: runs of it are to be cancelled */
    size_t run_count;         /* runs in the engine */
    size_t active_count;      /* of them, not final */
    uint64_t used;            /* step in which it was last needed */
};

struct erun;

/* What a task run shows of its newest started attempt. */
struct attempt_times {
    int64_t start_ms, end_ms;
    int64_t setup_start_ms;
    int64_t setup_ms, execution_ms, cleanup_ms;
};

struct etask {
    struct erun *run;
    uint32_t position;
    uint32_t waiting; /* dependencies that are not settled */
    uint32_t culprit; /* UPSTREAM_FAILED: position + 1 of the nearest failed ancestor, 0: none */
    uint32_t culprit_distance; /* to it, in dependencies: 1 is its own */
    uint32_t retries_used;
    uint32_t lost_used;
    int64_t prior_executions; /* started attempts of this taskKey in earlier repairs */
    bool has_row;             /* false: never part of an attempt of the run (SKIPPED run) */
    bool in_setup;            /* PENDING, its files are being fetched: it has an execution slot */
    int64_t setup_start_ms;   /* since when, on the wall clock */
    bool number_is_free;      /* the attempt was found never started: its number is used again */
    struct task_run_row row;
    struct tracked tracked;
    struct attempt_row *attempt; /* newest, NULL before the first */
    struct attempt_times before; /* of the one before it: the newest may never have started */
    int64_t start_mono_ms;       /* when the newest attempt started, on the clock of deadlines */
    struct uuid inherited;       /* JOB: the child that a repair may go on with, for task_create */
    bool after_success;          /* likewise: row.after_success */
    bool is_marked;              /* likewise: row.is_marked */
    struct list ready; /* in run->ready: QUEUED; of a JOB in engine->launches, or launches_parked */
    struct list settled;   /* in engine->tasks_settled: just final, dependents not told yet */
    struct deadline timer; /* PENDING: the retry; RUNNING: its timeout, of a JOB */
};

struct erun {
    struct run_row row;
    struct tracked tracked;
    struct repair_row repair; /* newest attempt of the run */
    struct tracked repair_tracked;
    struct ejob *job;
    struct job_def *def;      /* of the newest attempt */
    struct etask *tasks;      /* def->task_count */
    struct list of_job;       /* in job->holders, in one of the job's queues, or in job->held */
    struct list in_job;       /* in job->runs */
    struct hold *hold;        /* hold.c: QUEUED and held; else NULL */
    struct list ready;        /* tasks in QUEUED, first in first out */
    struct list turn;         /* in engine->runs_ready while `ready` is not empty */
    struct list ending;       /* in engine->runs_ending: perhaps every task is final */
    struct list done;         /* in engine->done: final, to be let go after the commit */
    struct list ended;        /* in engine->runs_ended: a task waits to hear how it ended */
    struct list maintenance;  /* in engine->maintenance: to be paused, or to go on */
    struct deadline deadline; /* timeout, or the end of patience in the queue */
    int64_t traced_ms;        /* when the task ended whose trace the run shows */
    uint32_t open_count;      /* tasks that are not final */
    uint32_t live_count;      /* attempts in flight */
    bool is_deleted;          /* goes with this batch */
    bool is_outline; /* final, and its tasks are not there: enough to cancel or delete it */
    /* Tasks that an earlier definition had and this one has not: key → int64_t *, how many attempts
     * of it have started. Both in `arena`. */
    struct str_map gone;
    struct param_list given;    /* run and repair layers merged, as they were given */
    struct param_list unified;  /* job, run and repair layers resolved */
    struct git_commits commits; /* that its branches were resolved to */
    struct arena arena;         /* of the parameters, the commits, and of `gone` */
};

/* The schedule of a job. Those that fire are all here; those that rest only while their job is. */
struct ealarm {
    struct schedule_row row;
    struct tracked tracked;
    struct cron cron;  /* CRON */
    struct zone *zone; /* CRON, active; one reference */
    struct heap_item due;
    struct list parked; /* in engine->alarms_parked: its job is wanted */
};

/* A definition that was asked for; NULL: there is none of that number. */
struct wanted_version {
    struct uuid job;
    int64_t version;
    struct job_def *def; /* one reference */
};

/* A planned time that was asked for: had it an instance when the batch began? */
struct wanted_slot {
    struct uuid job;
    int64_t plan_ms;
    bool is_taken;
};

struct engine {
    struct engine_config config;
    struct workspace_row workspace;
    struct uuid_source ids;
    struct uuid_map jobs;
    size_t def_bytes;  /* of the definitions of all jobs */
    size_t jobs_limit; /* with more jobs, or more bytes, than that, those that nobody needs go */
    size_t def_bytes_limit;
    struct uuid_map runs;
    struct uuid_map tasks; /* by task run key; of runs in the engine */
    struct heap deadlines;
    struct uuid_map alarms; /* by job */
    struct heap alarms_due; /* alarms by the wall clock time of their next firing */
    int64_t alarms_now_ms;  /* the wall clock of the last step; at first INT64_MAX */
    bool clock_went_back;   /* and alarms were not looked at since */
    struct list alarms_parked;
    struct list runs_ready;  /* runs with tasks that wait for an execution slot, round-robin */
    size_t live_count;       /* attempts in flight = execution slots held */
    size_t ready_count;      /* tasks in QUEUED */
    int64_t slots_elsewhere; /* as of the event at hand */
    size_t live_loaded; /* of them, when the last run was loaded: there may have been more slots */
    bool is_draining;
    struct list tasks_settled; /* work of the step, see engine_settle */
    struct list runs_ending;
    struct list runs_ended;
    struct list freed;
    struct list launches;        /* JOB tasks that are ready */
    struct list launches_parked; /* JOB tasks for which rows are wanted; empty between batches */
    const struct command *parked_command; /* likewise; NULL: none */
    struct command_result *parked_result;
    struct uuid_map waiters;                    /* child run → the JOB task that waits for it */
    struct uuid_map missing_jobs, missing_runs; /* wanted in this batch, and not there */
    struct list maintenance;
    struct list sweeps;
    struct uuid_map campaigns; /* campaign.h: those that are not final, and those of a command */
    struct uuid_map cells; /* run → the first cell that stands for it, of campaigns not final */
    struct list campaigns_due;
    struct list campaigns_parked; /* rows are wanted; empty between batches */
    struct list campaigns_done;
    uint64_t links_reviewed;   /* of cells, so far: for tests */
    struct uuid_map holds;     /* upstream job → those who wait for runs of it */
    struct heap holds_due;     /* held runs to be looked at, by their number */
    struct list holds_parked;  /* rows are wanted; empty between batches */
    size_t holds_left;         /* so many more may ask for rows in this batch, as long as */
    size_t hold_rows_left;     /* not so many rows were read for them */
    struct wanted_slot *slots; /* planned times that were asked for in this batch */
    size_t slot_count, slot_cap;
    struct wanted_version *versions; /* older definitions that were wanted in this batch */
    size_t version_count, version_cap;
    struct list dirty;
    struct list done;
    const char **garbage; /* strings that rows in flight may still point to */
    size_t garbage_count, garbage_cap;
    struct job_def **retired; /* definitions that rows and orders in flight may still point into */
    size_t retired_count, retired_cap;
    uint64_t step;
    uint64_t batch; /* counts the commits */
};

#define RUN_OF_DEADLINE(d) CONTAINER_OF(d, struct erun, deadline)
#define TASK_OF_TIMER(d)   CONTAINER_OF(d, struct etask, timer)

static inline const struct task_def *task_def_of(const struct etask *task)
{
    return &task->run->def->tasks[task->position];
}

/* Do attempts of the task take an execution slot? */
static inline bool task_has_process(const struct etask *task)
{
    return task_type_has_process(task_def_of(task)->type);
}

static inline enum state task_state(const struct etask *task)
{
    return task->has_row ? task->row.state : STATE_NEW;
}
