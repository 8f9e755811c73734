/* Campaigns in the simulated world: planned from the disk, as the server plans them. */
#include <string.h>

#include "base/mem.h"
#include "engine/campaign_plan.h"
#include "sim/world.h"

/* What is known of a job, as of the disk. Schedules are in the world's zone. */
static void find_job(struct world *world, const struct campaign_request *request,
                     const struct uuid *key, struct campaign_job *ret)
{
    struct store_reader *reader = world->disk->reader;
    int64_t workspace = world->book.workspace.id;
    struct schedule_row schedule;
    struct run_row *runs;
    const struct booked_job *job = book_job(&world->book, key);
    *ret = (struct campaign_job){.row = job->row, .decided_ms = world->now_ms};
    ret->def = world_def(world, job, job->row.version);
    campaign_job_schedule(ret, world->zone);
    if (store_get_schedule(reader, workspace, key, &world->arena, &schedule) &&
        schedule.active == 1 && schedule.kind == SCHEDULE_CRON)
        ret->decided_ms = schedule.cursor_ms;
    ret->run_count = store_planned_runs(reader, workspace, key, request->begin_ms, request->end_ms,
                                        CAMPAIGN_MAX_CELLS + 1, &world->arena, &runs);
    ret->runs = runs;
}

struct command_result world_campaign(struct world *world, const struct campaign_request *request)
{
    struct campaign_job *jobs =
        ARENA_ARRAY(&world->arena, request->job_count + 1, struct campaign_job);
    struct command command = {
        .kind = COMMAND_CAMPAIGN_CREATE, .key = request->job, .campaign = {.request = *request}};
    struct err err;
    find_job(world, request, &request->job, &jobs[0]);
    for (size_t i = 0; i < request->job_count; i++)
        find_job(world, request, &request->jobs[i], &jobs[i + 1]);
    if (campaign_plan_make(request, jobs, request->job_count + 1, &world->arena,
                           &command.campaign.plan, &err)) {
        struct command_result refused = {.code = err.code};
        memcpy(refused.message, err.message, sizeof refused.message);
        return refused;
    }
    return world_command(world, &command);
}
