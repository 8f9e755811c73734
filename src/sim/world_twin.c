/*
 * The twin: after a commit a second engine is made from the disk, as a crash would make one, and
 * takes the next event too. Answer and effects must be those of the first, row for row.
 *
 * Not compared: what a crash may change by right. Which of several deadlines of one ms comes first
 * is in no row, nor in which order runs got their slots, nor whose turn it is for an execution slot:
 * so no TIMER, no DRAIN, no cancelling of all runs of a job, and twins are for worlds without a limit of
 * execution slots. Nor do deadlines survive a wall clock that jumps; and of keys only those of a later
 * ms than the newest are the same.
 */
#include "sim/fingerprint.h"
#include "sim/world_internal.h"

enum { DEADLINE_SLACK_MS = 1000 }; /* of an entry into the queue behind others in the same ms */

void twin_init(struct twin *twin)
{
    *twin = (struct twin){.engine = NULL};
    effects_init(&twin->effects);
}

void twin_release(struct twin *twin)
{
    engine_free(twin->engine);
    effects_release(&twin->effects);
}

static void let_go(struct twin *twin)
{
    engine_free(twin->engine);
    twin->engine = NULL;
    effects_clear(&twin->effects);
}

/* What is overdue is due now. */
static int64_t next_wake(const struct world *world, const struct engine *engine)
{
    int64_t next = engine_next_deadline(engine);
    return next < world->mono_ms ? world->mono_ms : next;
}

/* A continuous job that waits for the end of a run may stand among the alarms or not: when it is due, nothing
 * is done. */
static bool has_continuous(const struct world *world)
{
    const struct schedule_row *row;
    for (size_t cursor = 0; (row = uuid_map_next(&world->book.schedules, &cursor));)
        if (row->kind == SCHEDULE_CONTINUOUS && row->active == 1)
            return true;
    return false;
}

static bool has_held(const struct world *world)
{
    for (size_t i = 0; i < world->book.run_count; i++)
        if (world->book.runs[i]->row.is_held)
            return true;
    return false;
}

/* A recovered engine looks at all that is held: nothing may come of that. */
static void look_at_held(struct world *world, struct twin *twin)
{
    const struct engine_event look = {
        .kind = ENGINE_LOADED, .now_ms = world->now_ms, .mono_ms = world->mono_ms};
    if (!has_held(world))
        return;
    world_take_event(world, twin->engine, &look, &twin->effects);
    engine_collect(twin->engine, &twin->effects);
    if (twin->effects.rows.count || twin->effects.start_count)
        broken("a recovered engine finds another state of what is held");
    engine_committed(twin->engine);
    effects_clear(&twin->effects);
}

void twin_begin(struct world *world)
{
    struct twin *twin = world->twin;
    let_go(twin);
    if (world->is_draining || world->asked_count > 0)
        return; /* a server that comes back drains no more, and asks for files anew */
    twin->engine = world_load_engine(world, engine_workspace(world->engine));
    if (engine_attempt_count(twin->engine) != engine_attempt_count(world->engine))
        broken("a recovered engine has %zu attempts, not %zu", engine_attempt_count(twin->engine),
               engine_attempt_count(world->engine));
    look_at_held(world, twin);
    int64_t own = next_wake(world, twin->engine);
    int64_t first = next_wake(world, world->engine);
    bool none = own == INT64_MAX || first == INT64_MAX;
    if (none ? own != first : own > first + DEADLINE_SLACK_MS || first > own + DEADLINE_SLACK_MS)
        broken("a recovered engine wakes up at %lld, not at %lld", (long long)own,
               (long long)first);
    if (!has_continuous(world) &&
        engine_next_alarm(twin->engine) != engine_next_alarm(world->engine))
        broken("a recovered engine fires at %lld, not at %lld",
               (long long)engine_next_alarm(twin->engine),
               (long long)engine_next_alarm(world->engine));
}

static bool is_comparable(const struct world *world, const struct engine_event *event)
{
    bool sweeps = event->kind == ENGINE_COMMAND && event->command->kind == COMMAND_JOB_CANCEL_RUNS;
    return event->kind != ENGINE_TIMER && event->kind != ENGINE_DRAIN && !sweeps &&
           event->now_ms > engine_workspace(world->engine)->last_ms + 1;
}

void twin_step(struct world *world, const struct engine_event *event)
{
    struct twin *twin = world->twin;
    if (!twin->engine)
        return;
    if (!is_comparable(world, event)) {
        let_go(twin);
        return;
    }
    /* Jobs that only one of them has to ask for would change the order within the step. */
    for (size_t i = 0; i < world->book.job_count; i++)
        if (engine_has_job(world->engine, &world->book.jobs[i]->row.key))
            world_load_job(world, twin->engine, &world->book.jobs[i]->row.key);
    struct engine_event again = *event;
    twin->event = (int)event->kind;
    twin->command = event->command ? (int)event->command->kind : -1;
    struct command_result result;
    if (event->kind == ENGINE_COMMAND) {
        world_load_for(world, twin->engine, event->command);
        again.result = &result;
    }
    world_take_event(world, twin->engine, &again, &twin->effects);
}

static void compare(struct twin *twin, const struct effects *first)
{
    struct effects *own = &twin->effects;
    if (own->rows.count != first->rows.count || own->start_count != first->start_count ||
        own->stop_count != first->stop_count || own->purge_count != first->purge_count)
        broken("a recovered engine does otherwise: %zu rows, %zu starts, %zu stops, not %zu, %zu, "
               "%zu",
               own->rows.count, own->start_count, own->stop_count, first->rows.count,
               first->start_count, first->stop_count);
    for (size_t i = 0; i < own->rows.count; i++) {
        const struct row_change *a = &own->rows.items[i];
        const struct row_change *b = &first->rows.items[i];
        if (a->kind != b->kind || a->action != b->action)
            broken("a recovered engine does otherwise: row %zu is of kind %d, not %d", i,
                   (int)a->kind, (int)b->kind);
        const char *column = fingerprint_difference(a->kind, a->row, b->row, &own->arena);
        if (column)
            broken(
                "a recovered engine does otherwise (event %d, command %d): row %zu of kind %d, %s",
                twin->event, twin->command, i, (int)a->kind, column);
    }
}

void twin_compare(struct world *world)
{
    struct twin *twin = world->twin;
    if (!twin->engine)
        return;
    engine_collect(twin->engine, &twin->effects);
    compare(twin, &world->effects);
    world->twins++;
    let_go(twin);
}
