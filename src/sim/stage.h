/* A workspace of the simulation with its users and executors. Shared by src/sim only. */
#pragma once

#include "sim/dice.h"
#include "sim/sim.h"
#include "sim/world.h"

enum { STAGE_JOBS = 4, STAGE_RUNS = 40, STAGE_PAST = 16, STAGE_CAMPAIGNS = 6, MINUTE_MS = 60000 };

struct user_job {
    struct uuid key;
    struct law_dag dag;
};

struct stage {
    struct world *world;
    struct dice dice;
    struct user_job jobs[STAGE_JOBS];
    size_t job_count;
    struct uuid runs[STAGE_RUNS];
    size_t run_count;
    struct attempt_ref past[STAGE_PAST]; /* attempts whose end was accepted */
    size_t past_count;
    struct uuid campaigns[STAGE_CAMPAIGNS];
    size_t campaign_count;
    uint32_t branch; /* how often the branch of all repositories has moved */
    uint64_t token;  /* of the newest retry token */
    bool is_calm;    /* no more faults, no more wishes */
    struct sim_report *report;
};

static inline uint32_t roll(struct stage *stage, uint32_t below)
{
    return dice_below(&stage->dice, below);
}

static inline bool one_in(struct stage *stage, uint32_t n)
{
    return roll(stage, n) == 0;
}

/* Where the events stand, to see later whether something has changed. A crash in between may move
 * things by itself: its TIMER. */
struct standing {
    int64_t last_event;
    size_t crashes;
};

static inline struct standing standing_of(const struct world *world)
{
    return (struct standing){world->book.last_event, world->crashes};
}

static inline bool has_changed(const struct world *world, struct standing before)
{
    return world->crashes == before.crashes && world->book.last_event != before.last_event;
}

/* ---- users.c ---- */

void user_makes_job(struct stage *stage);
/* One of them wants something. */
void user_wishes(struct stage *stage);

/* No job starts by itself any more. */
void user_stops_schedules(struct stage *stage);
/* A suspended run waits for somebody to cancel it. False: there is none. */
bool user_cancels_suspended(struct stage *stage);

/* ---- campaigns.c ---- */

/* Somebody asks for a campaign over what there is, or pauses, resumes or cancels one. */
void user_campaigns(struct stage *stage, struct command *ret);
/* In the calm, every campaign that is not paused comes to its end. */
void campaigns_have_ended(struct stage *stage);

/* ---- executors.c ---- */

/* Time passes until the next attempt ends or a report arrives, `most_ms` at most; then what is due is
 * reported. */
void executors_pass(struct stage *stage, int64_t most_ms);
/* A report about an attempt that has ended long ago: it changes nothing. */
void executors_report_stale(struct stage *stage);
void executors_kill_supervisor(struct stage *stage);
/* Power loss: what had not ended is dead. */
void executors_lose_power(struct stage *stage);
