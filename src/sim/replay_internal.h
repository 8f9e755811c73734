/* Shared by src/sim/replay*.c only. */
#pragma once

#include "base/map.h"
#include "calendar/zones.h"
#include "sim/replay.h"
#include "sim/world.h"

/* More than attempts can be live: a slot is given where the events say that one was. */
#define REPLAY_SLOTS INT64_C(1000000000)

struct past_job {
    struct uuid stored; /* key in the store */
    struct uuid key;    /* and in the replay */
    struct job_row row;
    int64_t version;         /* newest that was replayed */
    int64_t next_created_ms; /* of the one behind it; FIELD_NULL: not looked up yet */
    bool is_gone;            /* deleted in the replay, too */
};

struct past_run {
    struct run_image image;
    struct event_row *events;
    size_t event_count;
    bool is_made; /* then `key` is its key in the replay */
    bool is_lost; /* a difference was told: nothing more is expected of it */
    struct uuid key;
};

struct past_event {
    size_t run; /* place in `runs` */
    const struct event_row *event;
};

struct replay {
    struct store_reader *reader;
    int64_t workspace;
    replay_tell *tell;
    void *context;
    struct replay_result *result;
    struct world *world;
    struct zones *zones;
    struct past_run *runs;
    size_t run_count;
    struct past_event *events; /* of all runs, in the order in which they happened */
    size_t event_count, event_cap;
    struct past_job **past_jobs; /* in the arena */
    size_t job_count, job_cap;
    struct uuid_map jobs; /* by stored key */
    struct arena arena;
};

__attribute__((format(printf, 4, 5))) void replay_differs(struct replay *replay,
                                                          const struct past_run *run,
                                                          const char *task, const char *format,
                                                          ...);

/* ---- replay_jobs.c ---- */

/* Looks up the jobs of all runs: each is saved, and deleted, when its time comes. */
void replay_find_jobs(struct replay *replay);
/* NULL: the store has none of that key. */
struct past_job *replay_find_job(struct replay *replay, const struct uuid *stored);
/* Saves all its versions up to `needed`, and later ones that were saved before this moment. Asked before each event: a version,
 * which may be large, is not read each time to see that its time has not come. False: it cannot be had. */
bool replay_bring_job(struct replay *replay, struct past_job *job, int64_t needed, int64_t now_ms);
/* Other jobs were saved meanwhile too: a raised cap lets a queue move. */
bool replay_bring_jobs(struct replay *replay, int64_t now_ms);
/* Those that were deleted by now, behind everything that was saved by now: what was saved may name them. In the
 * millisecond of its deletion a job may have been run before. */
void replay_delete_jobs(struct replay *replay, int64_t now_ms);

/* ---- replay_feed.c: what came from outside ---- */

/* Gives the engine what led to this event, if that came from outside and has not been given yet. */
bool replay_event(struct replay *replay, struct past_run *run, const struct event_row *event);

/* For struct world: `context` is the replay. */
size_t replay_more_runs(void *context, const struct want *want, struct arena *arena,
                        struct window_run **runs, size_t count);

/* ---- replay_compare.c ---- */

void replay_compare(struct replay *replay, const struct past_run *run);
