/*
 * Campaigns in the simulation: over runs that are there and runs that are to be made, linked at random,
 * beside users who repair, cancel and delete the same runs. The book watches that no cell starts
 * before what it needs, and that it runs as long as its run is active.
 */
#include "base/mem.h"
#include "sim/law.h"
#include "sim/stage.h"

enum { CELLS_MOST = 8 };

static const char *some_positions(struct stage *stage, size_t below)
{
    struct arena *arena = &stage->world->arena;
    const char *text = "";
    for (size_t i = 0; i < below; i++)
        if (one_in(stage, 4))
            text = arena_printf(arena, "%s%s%zu", text, *text ? "," : "", i);
    return arena_printf(arena, "[%s]", text);
}

static struct planned_cell some_cell(struct stage *stage, size_t position)
{
    const struct book *book = &stage->world->book;
    struct planned_cell cell = {.plan_ms = (int64_t)position * MINUTE_MS};
    cell.job = stage->jobs[roll(stage, (uint32_t)stage->job_count)].key;
    if (book->run_count && !one_in(stage, 3)) {
        const struct booked_run *run = book->runs[roll(stage, (uint32_t)book->run_count)];
        cell.job = run->row.job;
        cell.run = run->row.key;
        if (!law_is_final(run->row.state))
            cell.skip = "Not rerun: it was active";
    }
    cell.needs = some_positions(stage, position);
    cell.follows = some_positions(stage, position);
    return cell;
}

static void ask_for_one(struct stage *stage, struct command *ret)
{
    static const struct param given[] = {{"of.campaign", "{{job.name}}"}, {"plain", "1"}};
    struct arena *arena = &stage->world->arena;
    size_t count = 1 + roll(stage, CELLS_MOST);
    struct planned_cell *cells = ARENA_ARRAY(arena, count, struct planned_cell);
    struct uuid *jobs = ARENA_ARRAY(arena, 1, struct uuid);
    const char **names = ARENA_ARRAY(arena, 1, const char *);
    jobs[0] = stage->jobs[0].key;
    names[0] = "nightly";
    struct campaign_plan plan = {
        .jobs = jobs, .job_names = names, .job_count = 1, .cells = cells, .cell_count = count};
    for (size_t i = 0; i < count; i++) {
        cells[i] = some_cell(stage, i);
        plan.skip_count += cells[i].skip != NULL;
    }
    if (plan.skip_count == count) { /* of which no plan is made; its run is active by now */
        cells[0].skip = NULL;
        plan.skip_count--;
    }
    *ret = (struct command){.kind = COMMAND_CAMPAIGN_CREATE, .key = jobs[0]};
    ret->campaign.plan = plan;
    ret->campaign.request = (struct campaign_request){
        .job = jobs[0],
        .concurrent = 1 + roll(stage, 4),
        .canary = one_in(stage, 4),
        .stop_on_fail = one_in(stage, 4),
        .where = (int)roll(stage, 2),
        .version = (int)roll(stage, CAMPAIGN_VERSION_COUNT),
        .parameters = {given, roll(stage, ARRAY_LEN(given) + 1)},
    };
}

void user_campaigns(struct stage *stage, struct command *ret)
{
    static const enum command_kind kinds[] = {COMMAND_CAMPAIGN_PAUSE, COMMAND_CAMPAIGN_RESUME,
                                              COMMAND_CAMPAIGN_RESUME, COMMAND_CAMPAIGN_CANCEL};
    bool is_full = stage->campaign_count == STAGE_CAMPAIGNS;
    if (stage->job_count && !is_full && (stage->campaign_count == 0 || one_in(stage, 3))) {
        ask_for_one(stage, ret);
        return;
    }
    *ret = (struct command){.kind = kinds[roll(stage, ARRAY_LEN(kinds))]};
    if (stage->campaign_count)
        ret->key = stage->campaigns[roll(stage, (uint32_t)stage->campaign_count)];
}

void campaigns_have_ended(struct stage *stage)
{
    for (size_t i = 0; i < stage->campaign_count; i++) {
        const struct booked_campaign *campaign =
            book_campaign(&stage->world->book, &stage->campaigns[i]);
        int state = campaign->row.state;
        if (state == CAMPAIGN_PENDING || state == CAMPAIGN_RUNNING)
            broken("a campaign is %s and nothing of it runs", campaign_state_names[state]);
    }
}
