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

/* Jobs that these depend on, and so on, behind them. */
static size_t find_upstream(struct world *world, const struct campaign_request *request,
                            struct campaign_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field_list *list = &jobs[i].def->details.dependencies;
        for (size_t n = 0; n < list->count; n++) {
            struct uuid key;
            size_t known = 0;
            if (!uuid_parse(((const struct job_dependency *)list->items)[n].job_key, &key))
                continue;
            while (known < count && !uuid_equal(&jobs[known].row.key, &key))
                known++;
            if (known == count && book_job(&world->book, &key))
                find_job(world, request, &key, &jobs[count++]);
        }
    }
    return count;
}

struct command_result world_campaign(struct world *world, const struct campaign_request *request)
{
    size_t own_count = request->job_count + 1;
    struct campaign_job *jobs =
        ARENA_ARRAY(&world->arena, own_count + world->book.job_count, struct campaign_job);
    struct command command = {
        .kind = COMMAND_CAMPAIGN_CREATE, .key = request->job, .campaign = {.request = *request}};
    struct err err;
    find_job(world, request, &request->job, &jobs[0]);
    for (size_t i = 0; i < request->job_count; i++)
        find_job(world, request, &request->jobs[i], &jobs[i + 1]);
    size_t known_count = find_upstream(world, request, jobs, own_count);
    if (campaign_plan_make(request, jobs, own_count, known_count, &world->arena,
                           &command.campaign.plan, &err)) {
        struct command_result refused = {.code = err.code};
        memcpy(refused.message, err.message, sizeof refused.message);
        return refused;
    }
    return world_command(world, &command);
}
