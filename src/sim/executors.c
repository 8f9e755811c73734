/* Executors: how long attempts take, how they end, and when the server hears of it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/stage.h"

enum { HOUR_MS = 60 * MINUTE_MS, REPORTS_MAX = 8 };

/* ---- an attempt's fate, decided when it is first looked at ---- */

static const struct attempt_outcome ways[] = {
    {.cause = CAUSE_EXITED, .exit_code = 0},
    {.cause = CAUSE_EXITED, .exit_code = 1, .error_trace = "Traceback: it went wrong"},
    {.cause = CAUSE_SIGNALED, .signal = 9, .error_trace = "Killed"},
    {.cause = CAUSE_EXEC_FAILED, .message = "No such file", .error_trace = "No such file"},
    {.cause = CAUSE_CANNOT_START, .message = "Leads outside of the workspace"},
};

static void draw_fate(struct stage *stage, struct running *one)
{
    static const int64_t spans[] = {0, 3, 900, 40 * 1000, 7 * MINUTE_MS, 3 * HOUR_MS};
    struct world *world = stage->world;
    int64_t span = spans[roll(stage, ARRAY_LEN(spans))];
    uint32_t what = roll(stage, 12);
    one->outcome = ways[what < 7 ? 0 : what - 7 < ARRAY_LEN(ways) ? what - 7 : 1];
    if (one->timeout_ms > 0 && span > one->timeout_ms) {
        span = one->timeout_ms;
        one->outcome = (struct attempt_outcome){.cause = CAUSE_TIMED_OUT, .error_trace = "slow"};
    }
    one->ends_ms = world->mono_ms + span + (span ? roll(stage, 100) : 0);
    one->report_ms = INT64_MAX;
}

/* It obeys, soon: within the grace, or it is killed after it. */
static void obey_stop(struct stage *stage, struct running *one)
{
    int64_t soon = stage->world->mono_ms + roll(stage, 10000);
    if (one->outcome.cause == CAUSE_STOPPED || one->ends_ms < soon)
        return;
    one->ends_ms = soon;
    one->outcome = (struct attempt_outcome){.cause = CAUSE_STOPPED, .error_trace = "stopped"};
}

static void end_now(struct stage *stage, struct running *one)
{
    struct world *world = stage->world;
    one->has_ended = !one->is_dead;
    one->outcome.ended_ms = world->now_ms;
    int64_t delay = one_in(stage, 6) && !stage->is_calm ? 2 * HOUR_MS : roll(stage, 3);
    one->report_ms = world->mono_ms + delay; /* a lost report is found when someone looks */
}

/* More becomes known of it while it goes on, or of one that is over. */
static void tell_news(struct stage *stage, const struct running *one)
{
    static const struct attempt_outcome named = {.external_id = "app-20260101120000-0001"};
    struct attempt_ref ref = one->ref;
    if (one_in(stage, 8))
        ref.attempt++;
    world_report(stage->world, ENGINE_NEWS, ref, &named);
}

static void live_on(struct stage *stage)
{
    struct world *world = stage->world;
    for (size_t i = 0; i < world->running_count; i++) {
        struct running *one = &world->running[i];
        bool is_over = one->has_ended || one->is_dead;
        if (!is_over && one->ends_ms == INT64_MAX)
            draw_fate(stage, one);
        if (!is_over && one->stop_asked)
            obey_stop(stage, one);
        if (!is_over && one->ends_ms <= world->mono_ms)
            end_now(stage, one);
        if (one_in(stage, 40))
            tell_news(stage, one);
        if (stage->is_calm && is_over && one->report_ms > world->mono_ms + MINUTE_MS)
            one->report_ms = world->mono_ms;
    }
}

/* ---- reports ---- */

static void remember_past(struct stage *stage, const struct attempt_ref *ref)
{
    stage->past[stage->past_count++ % STAGE_PAST] = *ref;
}

static struct running *next_report(const struct stage *stage)
{
    struct world *world = stage->world;
    for (size_t i = 0; i < world->running_count; i++)
        if ((world->running[i].has_ended || world->running[i].is_dead) &&
            world->running[i].report_ms <= world->mono_ms)
            return &world->running[i];
    return NULL;
}

/* An accepted outcome may be told once more: nothing changes. */
static void tell_again(struct stage *stage, const struct running *was)
{
    struct world *world = stage->world;
    struct standing before = standing_of(world);
    world_report(world, one_in(stage, 3) ? ENGINE_LOST : ENGINE_OUTCOME, was->ref, &was->outcome);
    if (has_changed(world, before))
        broken("an outcome was accepted twice");
    stage->report->stale++;
}

static void report_due(struct stage *stage)
{
    struct world *world = stage->world;
    struct running told[REPORTS_MAX];
    size_t count = 0;
    world_begin(world);
    for (struct running *one; count < REPORTS_MAX && (one = next_report(stage)); count++) {
        told[count] = world_take(world, one);
        world_report(world, told[count].is_dead ? ENGINE_LOST : ENGINE_OUTCOME, told[count].ref,
                     &told[count].outcome);
    }
    bool accepted = count > 0 && world->fate != COMMIT_FAILED;
    world_commit(world);
    for (size_t i = 0; i < count && accepted; i++) {
        remember_past(stage, &told[i].ref);
        if (one_in(stage, 8))
            tell_again(stage, &told[i]);
    }
}

void executors_report_stale(struct stage *stage)
{
    static const enum engine_event_kind kinds[] = {ENGINE_OUTCOME, ENGINE_LOST, ENGINE_VOID};
    struct world *world = stage->world;
    if (!stage->past_count)
        return;
    size_t known = stage->past_count < STAGE_PAST ? stage->past_count : STAGE_PAST;
    struct attempt_ref ref = stage->past[roll(stage, (uint32_t)known)];
    ref.epoch += one_in(stage, 4);
    const struct attempt_outcome outcome = {.cause = CAUSE_EXITED, .ended_ms = world->now_ms};
    struct standing before = standing_of(world);
    world_report(world, kinds[roll(stage, ARRAY_LEN(kinds))], ref, &outcome);
    if (has_changed(world, before))
        broken("a stale report changed something");
    stage->report->stale++;
}

/* ---- time ---- */

static int64_t next_happening(const struct world *world)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < world->running_count; i++) {
        const struct running *one = &world->running[i];
        int64_t at = one->has_ended || one->is_dead ? one->report_ms : one->ends_ms;
        next = at < next ? at : next;
    }
    return next;
}

/* Files are fetched, some late, some never; the branch moves meanwhile. */
static void fetch(struct stage *stage)
{
    char now[GIT_COMMIT_TEXT];
    struct world *world = stage->world;
    stage->branch += one_in(stage, 3);
    snprintf(now, sizeof now, "%040x", stage->branch);
    for (size_t i = world->asked_count; i-- > 0;) {
        if (i >= world->asked_count || (!stage->is_calm && one_in(stage, 2)))
            continue; /* a crash has come between, or it takes longer */
        char known[GIT_COMMIT_TEXT];
        memcpy(known, world->asked[i].commit, sizeof known);
        const char *commit = known[0] ? known : now;
        world_prepare(world, i, one_in(stage, 8) ? NULL : commit);
    }
}

void executors_pass(struct stage *stage, int64_t most_ms)
{
    struct world *world = stage->world;
    fetch(stage);
    live_on(stage);
    int64_t next = next_happening(world);
    int64_t left_ms = next > world->mono_ms ? next - world->mono_ms : 0;
    world_advance(world, next == INT64_MAX || left_ms > most_ms ? most_ms : left_ms);
    live_on(stage);
    if (next_report(stage))
        report_due(stage);
}

/* ---- faults ---- */

static struct running *some_running(struct stage *stage)
{
    struct world *world = stage->world;
    return world->running_count ? &world->running[roll(stage, (uint32_t)world->running_count)]
                                : NULL;
}

static void die(struct stage *stage, struct running *one)
{
    if (one->has_ended || one->is_dead)
        return;
    one->is_dead = true;
    one->outcome = (struct attempt_outcome){.message = "Lost: its supervisor is gone"};
    end_now(stage, one);
}

void executors_kill_supervisor(struct stage *stage)
{
    struct running *one = some_running(stage);
    if (one)
        die(stage, one);
}

void executors_lose_power(struct stage *stage)
{
    struct world *world = stage->world;
    for (size_t i = 0; i < world->running_count; i++) {
        struct running *one = &world->running[i];
        die(stage, one);
        one->report_ms = 0; /* of another boot */
    }
}
