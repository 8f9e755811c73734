/*
 * The engine: what every run must do (RULES), as a pure state machine of one workspace.
 *
 * engine_step takes one event, carrying the time and an id seed, works it out to a fixed point and
 * leaves its effects: rows to be stored, attempts to be started and stopped, folders to be removed,
 * and the answer to a command. It reads no clock, draws no randomness and opens nothing, so the
 * tests can enumerate every small DAG and simulate years of crashes in seconds.
 *
 * Order of use, by the pump (DURABILITY §1) or a simulation:
 *
 *     engine_step, engine_step, …      one batch of events, into the same effects
 *       as long as a step leaves wants: engine_add_job, engine_add_run or engine_add_missing for
 *       each, then engine_step with ENGINE_LOADED
 *     engine_collect                   every object that moved becomes one row, once
 *     commit the rows                  outside
 *     ok:     act on starts, stops, purges and answers, then engine_committed
 *     failed: engine_free; begin again from the store, act on nothing
 *
 * Memory: the engine holds jobs and runs that are not final and those that were added for a
 * command; engine_committed lets go of what is no longer needed. Effects, their rows too, point into the
 * engine and the effects' arena and are valid until engine_committed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/uuid.h"
#include "calendar/zone.h"
#include "model/command.h"
#include "model/def.h"
#include "model/image.h"
#include "model/params.h"
#include "model/rows.h"

struct engine;

struct engine_config {
    struct workspace_row workspace; /* as taken over: epoch and counters */
    const char *hub_region;
    const char *host;     /* attempts are started here */
    int64_t max_running;  /* execution slots; 0: no limit */
    int64_t grace_ms;     /* between SIGTERM and SIGKILL */
    int64_t queue_max_ms; /* a run waits no longer in the queue (48 h) */
    /* What expressions see besides (model/el.h); the same for the same question as long as the
     * engine lives. The zone of a Java id, NULL: the server's own, one reference; NULL when there is
     * no such zone. The value of a variable, or NULL. NULL: everything is in UTC; there are none. */
    struct zone *(*zone)(void *context, const char *id);
    const char *(*variable)(void *context, const char *name);
    void *context;
};

/* ---- events ---- */

struct attempt_ref {
    struct uuid task_run;
    int64_t attempt;
    int64_t epoch; /* a report is matched to the epoch stored with its attempt */
};

struct attempt_outcome {
    int cause; /* enum attempt_cause, not NONE and not LOST */
    int64_t exit_code;
    int64_t signal;
    int64_t ended_ms; /* wall clock, FIELD_NULL: now */
    int64_t launch;   /* enum attempt_launch, FIELD_NULL */
    int64_t user_us, system_us, max_rss_kib, in_blocks, out_blocks;
    const char *message; /* one plain sentence, may be NULL */
    const char *error_trace;
    const char *published;   /* values (model/values.h), NULL: none */
    const char *unpublished; /* why something of REPRISE_OUTPUT was not taken, or NULL */
    const char *external_id; /* of the Spark application, or NULL */
    int64_t setup_ms;        /* that it took to make a cluster, and to take it down; 0: none */
    int64_t cleanup_ms;
};

/* Ends now, as far as anybody knows, with neither a launch nor a cost: there was no process, or nobody
 * who could tell. `message` is kept as it is. */
struct attempt_outcome outcome_unmeasured(enum attempt_cause cause, const char *message);

/* What becomes known of an attempt while it goes on. */
struct attempt_news {
    const char *external_id; /* of the Spark application, or NULL */
    int64_t setup_ms;        /* its cluster is up, after so long; 0: it has none, or not yet */
};

struct attempt_prepared {
    const char *commit;  /* NULL: it failed */
    const char *root;    /* absolute path of the folder with the files of the commit */
    const char *message; /* why it failed, one plain sentence */
};

/* As slots_elsewhere: nothing may start, whether the number of slots is limited or not. */
#define ENGINE_NO_SLOT INT64_MAX

enum engine_event_kind {
    ENGINE_COMMAND,  /* an API asks */
    ENGINE_OUTCOME,  /* an attempt ended */
    ENGINE_VOID,     /* an attempt provably never started */
    ENGINE_LOST,     /* nothing of an attempt lives, and it left no outcome */
    ENGINE_NEWS,     /* something is known of an attempt that goes on */
    ENGINE_PREPARED, /* what a prepare_effect asked for is there, or cannot be had */
    ENGINE_TIMER,    /* a deadline or planned time may have passed; also once after loading. Of very
                     * many only the first: engine_next_deadline and engine_next_alarm tell whether
                     * it is to be sent again */
    ENGINE_DRAIN,    /* start nothing new from now on */
    ENGINE_LOADED,   /* what effects.wants named was added, or said to be missing: go on */
};

struct engine_event {
    enum engine_event_kind kind;
    int64_t now_ms;                 /* wall clock: what is shown and stored */
    int64_t mono_ms;                /* CLOCK_BOOTTIME: what deadlines are measured on */
    uint64_t seed;                  /* of the ids that the step makes */
    int64_t slots_elsewhere;        /* of max_running, those that are not for this workspace now */
    const struct command *command;  /* ENGINE_COMMAND */
    struct zone *zone;              /* of the schedule that it saves; NULL: it saves none */
    struct command_result *result;  /* filled by the step; to be sent after the commit */
    struct attempt_ref attempt;     /* OUTCOME, VOID, LOST, NEWS, PREPARED */
    struct attempt_outcome outcome; /* OUTCOME; of LOST its texts and launch */
    struct attempt_news news;       /* NEWS */
    struct attempt_prepared prepared; /* PREPARED */
};

/* ---- effects ---- */

struct start_effect {
    struct uuid run;
    struct uuid task_run;
    int64_t repair;
    int64_t attempt;
    int64_t epoch;
    const struct task_def *task;
    const struct job_cluster *cluster; /* that it runs on (model/cluster.h), or NULL */
    const char *root;   /* folder that its files lie in, as it was prepared; NULL: workspace */
    const char *commit; /* of git, NULL: none */
    const char *file;   /* relative to the root; NULL: none */
    const char *main_class;
    const char *const *libraries; /* relative to the root */
    size_t library_count;
    const char *const *args; /* references put in */
    size_t arg_count;
    const char *input; /* a script, or a request as JSON; NULL: none */
    struct param_list params;
    int64_t timeout_ms; /* 0: none */
    int64_t grace_ms;
};

/* The files of an attempt are to be fetched from git before it starts: ENGINE_PREPARED says how that
 * went. Nothing is recorded of it, so nothing is to be found again after a crash: the engine asks
 * anew. */
struct prepare_effect {
    struct uuid run;
    struct uuid task_run;
    int64_t attempt;
    int64_t epoch;
    const char *repository_url; /* references put in */
    const char *branch;         /* "": the default branch */
    const char *credential;     /* name of a secret, or NULL */
    int provider;               /* enum git_provider or FIELD_UNSET */
    const char *commit;         /* that the run goes by; NULL: what the branch is now */
};

struct stop_effect {
    struct uuid run;
    struct uuid task_run;
    int64_t repair;
    int64_t attempt;
    int64_t epoch;
};

/* A row that the engine needs and does not hold. */
enum want_kind { WANT_JOB, WANT_RUN, WANT_VERSION, WANT_WINDOW };

/* Of more runs in one window the newest by planned time are looked at. */
enum { ENGINE_WINDOW_MAX = 10000 };

struct want {
    enum want_kind kind;
    struct uuid key; /* of the job, or the run */
    int64_t version; /* WANT_VERSION: of the job's definition */
    /* WANT_WINDOW: the job's runs with a planned time in [from, to]; for that run, nil for none */
    struct uuid run;
    int64_t from_ms, to_ms;
};

struct effects {
    struct arena arena;
    struct row_batch rows;
    struct row_batch events;  /* appended to rows by engine_collect */
    struct row_batch deletes; /* likewise, last */
    struct start_effect *starts;
    size_t start_count, start_cap;
    struct prepare_effect *prepares;
    size_t prepare_count, prepare_cap;
    struct stop_effect *stops;
    size_t stop_count, stop_cap;
    struct uuid *purges; /* runs whose folders go */
    size_t purge_count, purge_cap;
    struct want *wants; /* to be answered before the next event */
    size_t want_count, want_cap;
    const struct repair_plan *plan; /* of the batch's last repair, whoever asked; NULL: none */
};

void effects_init(struct effects *effects);
void effects_release(struct effects *effects);
void effects_clear(struct effects *effects);

/* ---- life ---- */

struct engine *engine_new(const struct engine_config *config);
void engine_free(struct engine *engine);

/* Has the engine this job, this run? If not, the pump loads it before the command. */
bool engine_has_job(const struct engine *engine, const struct uuid *key);
bool engine_has_run(const struct engine *engine, const struct uuid *key);
/* Is what the command names there, so that it would not be answered 404? */
bool engine_can_address(const struct engine *engine, const struct command *command);
/* Does a repair need a definition that the engine has not, version *ret_version of *ret_job? Then
 * the pump puts it into command->def, if there is one. Its run has been added. */
bool engine_lacks_version(const struct engine *engine, const struct command *command,
                          struct uuid *ret_job, int64_t *ret_version);
/* Adds a job with its newest definition (takes one reference of its own). Copies the row. */
void engine_add_job(struct engine *engine, const struct job_row *row, struct job_def *def);
/* Adds a run of a job that is there. `def` is the definition of the newest attempt of the run,
 * `last_event` the number of the run's newest event, `mono_ms`/`now_ms` the present: deadlines that
 * were set before go on. Copies what it needs. An outline (model/image.h) is for a final run that is to be
 * cancelled or deleted; it makes room when the whole run is added. */
void engine_add_run(struct engine *engine, const struct run_image *image, struct job_def *def,
                    int64_t last_event, int64_t now_ms, int64_t mono_ms);

/* The schedule of a job, active or not; before the first step all that are active. Copies the row,
 * takes a reference of its own of the zone. An active one whose zone is NULL does not fire. */
void engine_add_schedule(struct engine *engine, const struct schedule_row *row, struct zone *zone);
bool engine_has_schedule(const struct engine *engine, const struct uuid *job);

/* A campaign with all its cells, from position 0; after the runs. Those that are not final are there
 * before the first step. */
void engine_add_campaign(struct engine *engine, const struct campaign_row *row,
                         const struct campaign_cell_row *cells, size_t count);
bool engine_has_campaign(const struct engine *engine, const struct uuid *key);
/* Answers WANT_VERSION, with one reference of its own; `def` NULL: there is no such version. */
void engine_add_version(struct engine *engine, const struct uuid *job, int64_t version,
                        struct job_def *def);

/* Answers WANT_WINDOW with what store_window_runs finds, at most ENGINE_WINDOW_MAX; copied. */
void engine_add_window(struct engine *engine, const struct want *want,
                       const struct window_run *runs, size_t count);

/* Is the want a window that is not to be brought, since enough was read for this batch? It is asked for
 * again in the next. Told anew before each. */
bool engine_drops_want(const struct engine *engine, const struct want *want);

/* Answers WANT_JOB or WANT_RUN: there is no such job, or run. Good until the commit. */
void engine_add_missing(struct engine *engine, const struct want *want);

/* Attempts that the loaded rows call started, for exec_recover: calls `each` for every one. */
struct live_attempt {
    struct uuid run;
    struct uuid task_run;
    int64_t repair;
    int64_t attempt;
    int64_t epoch;
    int64_t start_ms;
    int64_t timeout_ms;
    int64_t grace_ms;
    bool stopping;   /* its run is being cancelled: ask again */
    bool has_helper; /* task_has_helper */
};
void engine_live_attempts(const struct engine *engine,
                          void (*each)(void *context, const struct live_attempt *attempt),
                          void *context);

/* What runs that are not final have resolved: calls `each` for every commit that counts. Their files
 * stay as long as the run is not final. */
void engine_live_commits(const struct engine *engine,
                         void (*each)(void *context, const struct uuid *run, const char *url,
                                      const char *commit),
                         void *context);

/* A final run is no more, and who waits for it looks again. To be told of those that the engine does not
 * hold and whose rows went between two batches. */
void engine_run_removed(struct engine *engine, const struct run_row *run);

void engine_step(struct engine *engine, const struct engine_event *event, struct effects *effects);
void engine_collect(struct engine *engine, struct effects *effects);
void engine_committed(struct engine *engine);

/* The workspace's counters, for the commit. */
struct workspace_row *engine_workspace(struct engine *engine);
/* The next deadline on CLOCK_BOOTTIME in ms, INT64_MAX when there is none. In the past: the last step
 * has left something to do, a TIMER is to be sent at once. */
int64_t engine_next_deadline(const struct engine *engine);
/* The next planned time of a schedule on the wall clock in ms, INT64_MAX when there is none. */
int64_t engine_next_alarm(const struct engine *engine);
/* Has the wall clock gone back since the last step, with something waiting for it? A TIMER is due then. */
bool engine_minds_clock(const struct engine *engine, int64_t now_ms);
/* How many runs and attempts it holds: for metrics and tests. */
size_t engine_run_count(const struct engine *engine);
size_t engine_attempt_count(const struct engine *engine);
/* How many links between cells of campaigns its steps have looked at: for tests. */
uint64_t engine_links_reviewed(const struct engine *engine);
/* Would a step start something if it had another slot? */
bool engine_wants_slot(const struct engine *engine);
/* Puts a task that waits for an execution slot before all others; false: it does not wait for one. For whoever knows
 * who was next, which is in no row. */
bool engine_let_pass(struct engine *engine, const struct uuid *task_run);
/* How many tasks wait for an execution slot. */
size_t engine_ready_count(const struct engine *engine);

/* Recounts everything that is kept besides the states (slots, waiting counts, lists, heap) and
 * checks the promises that hold between steps; NULL, or what is wrong. For tests. */
const char *engine_validate(const struct engine *engine, struct arena *arena);
