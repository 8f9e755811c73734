/*
 * The plan of a campaign: which cells (job × planned time) it has, in which order, and which of them
 * wait for which (RULES §10). A pure function of the jobs and their instances as of a snapshot.
 *
 * Order: by planned time (newest first where `reverse` asks for it), at one time a job behind those
 * that it depends on, else as the jobs were named. What waits is told by links beside the order: with
 * P(t) the planned time of the cell's job before t, a dependency on job U is one on U's cells in
 * (P(t), t], with PRE_PERIOD on those in (P(P(t)), P(t)]; dependsOnPreviousRun on the job's own in
 * [P(t), t). P comes from the job's schedule; a job without one has the times of its own cells.
 *
 * A job that is not rerun itself may stand between two that are: what it depends on at the planned times that a cell waits for, the
 * cell waits for too. Its instances are not asked for, and one without a schedule has no planned times: it tells the order at one
 * time, and no more. That it depends on its own previous run is not followed: everything before would be waited for.
 */
#pragma once

#include "calendar/cron.h"
#include "model/campaign.h"
#include "model/def.h"
#include "model/rows.h"

/* A job with what is known of it. */
struct campaign_job {
    struct job_row row;
    const struct job_def *def; /* the newest */
    /* Its cron schedule, whether it fires or rests; zone NULL: it has none. */
    struct cron cron;
    struct zone *zone;
    /* Planned times behind this one are not decided yet: the schedule will fire them itself. */
    int64_t decided_ms;
    const struct run_row *runs; /* in the range, by planned time, then key */
    size_t run_count;
};

/* Reads the schedule of job->def into `cron`; with a zone that the caller holds as long as the job.
 * Harmless when the job has none. */
void campaign_job_schedule(struct campaign_job *job, struct zone *zone);

/* The planned time before `before_ms`; false: there is none within ten years. */
bool campaign_previous(const struct campaign_job *job, int64_t before_ms, int64_t *ret_ms);

/* `jobs` as named, the path's first, each once; from `job_count` up to `known_count` those that perhaps stand between them,
 * of which only row.key, def and schedule are asked for. */
enum err_code campaign_plan_make(const struct campaign_request *request,
                                 const struct campaign_job *jobs, size_t job_count,
                                 size_t known_count, struct arena *arena, struct campaign_plan *ret,
                                 struct err *err);
