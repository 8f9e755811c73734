#include "engine/harness_campaigns.h"

#include "base/buf.h"

/* Whole minutes from here on. */
static void to_the_minute(struct world *world)
{
    world_advance(world, MINUTE_MS - world->now_ms % MINUTE_MS);
}

/* Minutes pass, and each run that they fire ends with that code, newest first when several jobs. */
static void minutes_pass(struct world *world, int minutes, int64_t code)
{
    struct attempt_outcome outcome = {
        .cause = CAUSE_EXITED, .exit_code = code, .ended_ms = FIELD_NULL};
    for (int i = 0; i < minutes; i++) {
        world_advance(world, MINUTE_MS);
        while (world->running_count > 0) {
            struct attempt_ref ref = world->running[0].ref;
            world->running[0] = world->running[--world->running_count];
            world_report(world, ENGINE_OUTCOME, ref, &outcome);
        }
    }
}

void world_rest(struct world *world, const struct uuid *job, const char *more)
{
    const char *json = world_dag_json(world, "a; b: a", more);
    assert_int_equal(world_update_job(world, job, json, NULL).code, ERR_OK);
}

struct uuid world_history(struct world *world, int minutes, int64_t code, const char *more)
{
    to_the_minute(world);
    struct uuid job =
        world_dag(world, "a; b: a",
                  "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC'},"
                  "'maxConcurrentRuns':9");
    minutes_pass(world, minutes, code);
    world_rest(world, &job,
               arena_printf(&world->arena,
                            "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC',"
                            "'pauseStatus':'PAUSED'},'maxConcurrentRuns':9%s",
                            more));
    return job;
}

struct campaign_request world_over_all(const struct world *world, const struct uuid *job,
                                       int64_t concurrent)
{
    return (struct campaign_request){
        .job = *job,
        .begin_ms = 0,
        .end_ms = world->now_ms,
        .concurrent = concurrent,
        .where = CAMPAIGN_FROM_ERROR,
    };
}

struct uuid world_start_campaign(struct world *world, const struct campaign_request *request)
{
    struct command_result result = world_campaign(world, request);
    assert_answer(result, ERR_OK, "");
    return result.key;
}

struct command_result world_act(struct world *world, enum command_kind kind,
                                const struct uuid *campaign)
{
    struct command command = {.kind = kind, .key = *campaign};
    return world_command(world, &command);
}

const char *world_cells(struct world *world, const struct uuid *campaign)
{
    static const char letters[CAMPAIGN_CELL_STATE_COUNT] = {
        [CELL_WAITING] = 'W', [CELL_BLOCKED] = 'B', [CELL_RUNNING] = 'R', [CELL_SUCCESS] = 'S',
        [CELL_FAILED] = 'F',  [CELL_SKIPPED] = '-', [CELL_CANCELED] = 'C'};
    const struct booked_campaign *booked = book_campaign(&world->book, campaign);
    struct buf text;
    buf_init(&text, 100000);
    buf_printf(&text, "%s ", campaign_state_names[booked->row.state]);
    for (size_t i = 0; i < booked->cell_count; i++)
        buf_putc(&text, letters[booked->cells[i].state]);
    const char *copy = arena_memdup(&world->arena, text.data, text.len);
    buf_release(&text);
    return copy;
}

const struct campaign_cell_row *world_cell(struct world *world, const struct uuid *campaign,
                                           size_t at)
{
    return &book_campaign(&world->book, campaign)->cells[at];
}

void world_finish(struct world *world, const struct uuid *campaign, size_t at, bool well)
{
    struct uuid run = world_cell(world, campaign, at)->run;
    world_exit(world, &run, "a", well ? 0 : 1);
    if (well)
        world_exit(world, &run, "b", 0);
}
