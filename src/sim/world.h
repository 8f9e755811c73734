/*
 * A world around the engine: virtual clocks, a disk, a book that watches every row, attempts that run
 * nowhere and end when somebody says so.
 *
 * After every step engine_validate is asked; after every commit the book checks all rows (book.h),
 * the verdicts of the rules (verdict.h), and that the engine holds what the rows say and no more. A
 * world may crash after every commit: the engine is thrown away and made anew from the disk, and
 * nobody may notice. With a twin (world_add_twin), a second engine is loaded from the disk after each commit and
 * takes the next event too: its effects must be those of the first.
 *
 * Whatever is wrong ends in `broken` (fail.h).
 */
#pragma once

#include "engine/engine.h"
#include "model/git.h"
#include "sim/book.h"
#include "sim/disk.h"
#include "sim/trace.h"

/* An attempt out there: ordered and not reported back. */
struct running {
    struct uuid run;
    struct attempt_ref ref;
    bool stop_asked;
    bool never_started;             /* its order was not sent: recovery finds it VOID */
    bool is_dead;                   /* its supervisor was killed: recovery finds it LOST */
    bool has_ended;                 /* `outcome` is in its record, whether reported or not */
    int64_t ends_ms;                /* on CLOCK_BOOTTIME: when it will end by itself; executors.c */
    int64_t report_ms;              /* when the report of its end arrives */
    int64_t timeout_ms;             /* 0: none; enforced out there */
    struct attempt_outcome outcome; /* texts are constants */
};

/* Files from git that are asked for: nothing remembers it over a crash. */
struct asked {
    struct uuid run;
    struct attempt_ref ref;
    char commit[GIT_COMMIT_TEXT]; /* "": what the branch is now */
};

struct world_start {
    struct uuid run;
    struct attempt_ref ref;
    char task_key[DEF_MAX_TASK_KEY + 1];
};

/* A command that succeeded in this batch under a retry token. */
struct world_answer {
    struct retry_token token;
    struct uuid key, operation;
    bool is_about_run;
};

struct world {
    struct engine *engine;
    struct engine_config config;
    struct effects effects;
    struct book book;
    struct arena arena; /* what tests and answers hold on to */
    struct disk *disk;
    bool owns_disk;
    struct zone *zone; /* of all schedules: UTC */
    int64_t now_ms, mono_ms;
    /* What every event tells: of the limit, those that are not for this workspace. */
    int64_t slots_elsewhere;
    uint64_t seed;
    bool crash_always;
    struct twin *twin; /* NULL: none */
    bool batching;
    bool is_draining;      /* since the server was last started */
    enum commit_fate fate; /* of the next commit, then OK again */
    bool last_commit_ok;   /* was the newest one answered? */
    size_t effects_left;   /* the server dies after so many effects have been acted on; SIZE_MAX */
    struct running *running;
    size_t running_count, running_cap;
    struct running *taken; /* reported in the batch at hand: back out there when its commit fails */
    size_t taken_count, taken_cap;
    struct asked *asked;
    size_t asked_count, asked_cap;
    struct world_start *starts; /* every order that was sent, in order */
    size_t start_count, start_cap;
    struct start_effect last_start; /* strings in the arena */
    struct uuid *purged;
    size_t purged_count, purged_cap;
    struct job_def **defs; /* as loaded from the book */
    struct uuid *def_jobs;
    size_t def_count, def_cap;
    struct world_answer *answers; /* of the batch at hand */
    size_t answer_count, answer_cap;
    struct arena answer_arena;
    /* What a window has besides what the disk has: whoever replays knows what is to come. NULL: nothing. */
    size_t (*more_runs)(void *context, const struct want *want, struct arena *arena,
                        struct window_run **runs, size_t count);
    void *context;
    size_t steps, crashes, twins;
    size_t wanted;   /* rows that steps asked for */
    uint64_t digest; /* of all effects that were collected, and all answers */
    struct trace trace;
};

/* ---- life ---- */

/* `disk` NULL: one of its own. `name` of the workspace. */
struct world *world_new_on(struct disk *disk, const char *name, bool crash_always);
struct world *world_new(bool crash_always);
/* For a world without a limit of execution slots whose clocks do not jump. */
void world_add_twin(struct world *world);
void world_free(struct world *world);

/* Settings of the server: takes effect by a restart. */
void world_limit(struct world *world, int64_t max_running);
/* The server dies and comes back: nothing that was not committed is left. */
void world_crash(struct world *world);
/* The same on another boot: CLOCK_BOOTTIME begins again. Attempts out there live on (a test says
 * otherwise by `is_dead`). */
void world_reboot(struct world *world);

/* ---- time ---- */

/* Lets time pass, with a TIMER event at each deadline and each planned time on the way. */
void world_advance(struct world *world, int64_t ms);
/* Time passes and nobody notices: the host was suspended. */
void world_sleep(struct world *world, int64_t ms);
/* Sets the wall clock, and only that. */
void world_set_clock(struct world *world, int64_t now_ms);

/* ---- several events in one batch ---- */

void world_begin(struct world *world);
void world_commit(struct world *world);

/* ---- commands and reports ---- */

/* Loads what it needs, as the pump does; retry tokens too. */
struct command_result world_command(struct world *world, struct command *command);
/* Plans a campaign as of the disk and asks for it; `jobs` of the request are all others. */
struct command_result world_campaign(struct world *world, const struct campaign_request *request);
/* Any report, also of attempts that are not there. NEWS take their parts of an outcome. */
void world_report(struct world *world, enum engine_event_kind kind, struct attempt_ref ref,
                  const struct attempt_outcome *outcome);
/* The answer to the `index`-th of what is asked for: a commit, or NULL when it cannot be had. */
void world_prepare(struct world *world, size_t index, const char *commit);
/* The same, with why it cannot be had. */
void world_cannot_prepare(struct world *world, size_t index, const char *message);
struct running *world_find_running(struct world *world, const struct attempt_ref *ref);
/* It is to be reported now: no longer out there, unless the commit at hand fails. */
struct running world_take(struct world *world, struct running *one);

/* ---- reading ---- */

/* A version of a job's definition, as stored; the world's. */
struct job_def *world_def(struct world *world, const struct booked_job *job, int64_t version);
/* Definition of the newest attempt of a run. */
struct job_def *world_def_of(struct world *world, const struct booked_run *run);
/* Runs that are not final. */
size_t world_open_runs(const struct world *world);
/* What the disk has is what the book has, of every run. */
void world_compare_disk(struct world *world);
