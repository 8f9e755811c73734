#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/stage.h"

enum { STAGES_MAX = 3, CALM_STEPS = 5000, HOUR_MS = 60 * MINUTE_MS };

struct play {
    struct disk *disk;
    struct stage stages[STAGES_MAX];
    size_t count;
    struct dice dice; /* who acts next */
};

/* ---- faults ---- */

/* The server is one: it dies for all workspaces. */
static void crash_all(struct play *play, bool reboot)
{
    for (size_t i = 0; i < play->count; i++) {
        struct stage *stage = &play->stages[i];
        stage->report->trace = &stage->world->trace;
        if (reboot) {
            executors_lose_power(stage);
            world_reboot(stage->world);
        } else {
            world_crash(stage->world);
        }
    }
}

static void fault(struct play *play, struct stage *stage)
{
    struct world *world = stage->world;
    switch (roll(stage, 10)) {
    case 0:
        world->fate = COMMIT_FAILED;
        break;
    case 1:
        world->fate = COMMIT_UNANSWERED;
        break;
    case 2:
        world->effects_left = roll(stage, 4);
        break;
    case 3:
        crash_all(play, false);
        break;
    case 4:
        if (world->running_count)
            world->running[roll(stage, (uint32_t)world->running_count)].never_started = true;
        crash_all(play, false);
        break;
    case 5:
        crash_all(play, true);
        break;
    case 6:
        executors_kill_supervisor(stage);
        break;
    case 7: /* a server that is asked to end, and takes its time */
        world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
        for (uint32_t i = roll(stage, 6); i > 0; i--)
            executors_pass(stage, MINUTE_MS);
        crash_all(play, false);
        break;
    case 8:
        world_sleep(world, roll(stage, 3) * HOUR_MS + roll(stage, 1000));
        break;
    default:
        if (world->twin)
            world_sleep(world, 1);
        else
            world_set_clock(world, world->now_ms + ((int64_t)roll(stage, 20) - 10) * MINUTE_MS);
    }
}

/* ---- the safety phase ---- */

static void act(struct play *play, struct stage *stage)
{
    static const int64_t spans[] = {
        1, 1000, MINUTE_MS, 20LL * MINUTE_MS, 3LL * HOUR_MS, HOUR_MS * 50LL};
    uint32_t what = roll(stage, 16);
    stage->report->trace = &stage->world->trace;
    if (what == 0)
        fault(play, stage);
    else if (what < 7)
        user_wishes(stage);
    else if (what < 8)
        executors_report_stale(stage);
    else
        executors_pass(stage, spans[roll(stage, one_in(stage, 8) ? ARRAY_LEN(spans) : 4)]);
}

/* ---- the calm after it ---- */

/* What waits for a cap of 0 waits for its 48 hours; everything else goes by itself. */
static void calm_down(struct stage *stage)
{
    struct world *world = stage->world;
    int steps = 0;
    stage->report->trace = &world->trace;
    stage->is_calm = true;
    world->fate = COMMIT_OK;
    world->effects_left = SIZE_MAX;
    user_stops_schedules(stage);
    trace_add(&world->trace, "%lld the faults stop", (long long)world->now_ms);
    for (; world_open_runs(world) > 0 && steps < CALM_STEPS; steps++) {
        if (world->running_count || world->asked_count || !user_cancels_suspended(stage))
            executors_pass(stage, HOUR_MS);
    }
    if (world_open_runs(world) > 0)
        broken("%zu runs are still open after %d calm steps", world_open_runs(world), steps);
    campaigns_have_ended(stage);
    if (world->running_count || engine_attempt_count(world->engine))
        broken("attempts outlive their runs");
    if (engine_next_deadline(world->engine) != INT64_MAX)
        broken("a deadline outlives its run");
    world_compare_disk(world);
}

static void look_back(const struct stage *stage, struct sim_report *report)
{
    const struct world *world = stage->world;
    report->workspaces++;
    report->steps += world->steps;
    report->crashes += world->crashes;
    report->starts += world->start_count;
    report->twins += world->twins;
    report->digest = mix64(report->digest ^ world->digest);
    for (size_t r = 0; r < world->book.run_count; r++) {
        const struct booked_run *run = world->book.runs[r];
        report->children += !uuid_is_nil(&run->row.parent_run);
        report->fired += run->row.instance_type == INSTANCE_SCHEDULED &&
                         run->row.launched == LAUNCHED_SCHEDULED;
        report->held += book_was_held(run);
        report->canceled_by_upstream += book_was_held(run) && run->row.state == STATE_CANCELED &&
                                        strstr(run->row.message, "it depends on");
        for (size_t e = 0; e < run->event_count; e++)
            if (run->events[e].type == EVENT_RUN_STATE)
                report->moved[run->events[e].to]++;
    }
}

/* ---- one seed ---- */

static void begin(struct play *play, uint64_t seed, struct sim_report *report)
{
    static const char *const names[STAGES_MAX] = {"default", "second", "third"};
    *play = (struct play){.disk = disk_new(), .dice = {.state = mix64(seed)}};
    play->count = dice_below(&play->dice, 4) ? 1 : 2 + dice_below(&play->dice, 2);
    for (size_t i = 0; i < play->count && i < STAGES_MAX; i++) {
        struct stage *stage = &play->stages[i];
        *stage = (struct stage){.dice = {.state = mix64(mix64(seed) + i)}, .report = report};
        uint32_t kind = roll(stage, 10);
        stage->world = world_new_on(play->disk, names[i], kind == 0);
        stage->world->seed = mix64(stage->dice.state);
        report->trace = &stage->world->trace;
        if (kind == 1)
            world_add_twin(stage->world);
        else
            world_limit(stage->world, roll(stage, 5)); /* 0: no limit */
        user_makes_job(stage);
    }
}

void sim_run(uint64_t seed, uint32_t steps, struct sim_report *report)
{
    struct play *play = xcalloc(1, sizeof *play);
    report->digest = 0;
    begin(play, seed, report);
    for (uint32_t i = 0; i < steps * play->count; i++)
        act(play, &play->stages[dice_below(&play->dice, (uint32_t)play->count)]);
    for (size_t i = 0; i < play->count; i++)
        calm_down(&play->stages[i]);
    for (size_t i = 0; i < play->count; i++) {
        look_back(&play->stages[i], report);
        world_free(play->stages[i].world);
    }
    report->trace = NULL;
    disk_free(play->disk);
    free(play);
}
