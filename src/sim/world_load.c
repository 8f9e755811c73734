/* Loading from the disk, and recovery: the server dies and comes back. */
#include <stdlib.h>

#include "base/mem.h"
#include "sim/fingerprint.h"
#include "sim/law.h"
#include "sim/world_internal.h"

void world_check_engine(const struct engine *engine)
{
    struct arena arena;
    arena_init(&arena);
    const char *problem = engine_validate(engine, &arena);
    if (problem)
        broken("engine_validate: %s", problem);
    arena_release(&arena);
}

/* ---- loading ---- */

struct job_def *world_def(struct world *world, const struct booked_job *job, int64_t version)
{
    for (size_t i = 0; i < world->def_count; i++)
        if (uuid_equal(&world->def_jobs[i], &job->row.key) && world->defs[i]->version == version)
            return world->defs[i];
    size_t cap = world->def_cap;
    GROW(world->defs, world->def_count, world->def_cap);
    GROW(world->def_jobs, world->def_count, cap);
    struct err err;
    struct job_def *def;
    if (job_def_load(job->versions[version - 1].definition, version, &def, &err))
        broken("a stored definition does not load: %s", err.message);
    world->def_jobs[world->def_count] = job->row.key;
    world->defs[world->def_count++] = def;
    return def;
}

struct job_def *world_def_of(struct world *world, const struct booked_run *run)
{
    return world_def(world, run->job, run->repairs[run->repair_count - 1].definition_version);
}

void world_load_job(struct world *world, struct engine *engine, const struct uuid *key)
{
    struct arena arena;
    struct job_row row;
    if (engine_has_job(engine, key))
        return;
    arena_init(&arena);
    struct store_reader *reader = world->disk->reader;
    struct schedule_row schedule;
    if (store_get_job(reader, world->book.workspace.id, key, &arena, &row)) {
        engine_add_job(engine, &row, world_def(world, book_job(&world->book, key), row.version));
        if (!engine_has_schedule(engine, key) &&
            store_get_schedule(reader, world->book.workspace.id, key, &arena, &schedule))
            engine_add_schedule(engine, &schedule, world->zone);
    }
    arena_release(&arena);
}

static void load_campaign(struct world *world, struct engine *engine, const struct uuid *key)
{
    struct arena arena;
    struct campaign_row row;
    struct campaign_cell_row *cells;
    int64_t workspace = world->book.workspace.id;
    if (engine_has_campaign(engine, key))
        return;
    arena_init(&arena);
    if (store_get_campaign(world->disk->reader, workspace, key, &arena, &row)) {
        size_t count = store_campaign_cells(world->disk->reader, workspace, key, 0,
                                            CAMPAIGN_MAX_CELLS, &arena, &cells);
        engine_add_campaign(engine, &row, cells, count);
    }
    arena_release(&arena);
}

/* `ended`: of a run that has ended, an outline will do. */
static void load_run(struct world *world, struct engine *engine, const struct uuid *key, bool ended)
{
    struct arena arena;
    struct run_image image;
    struct run_row row;
    int64_t workspace = world->book.workspace.id;
    int64_t version, last_event, updated_ms;
    struct store_reader *reader = world->disk->reader;
    if (engine_has_run(engine, key))
        return;
    arena_init(&arena);
    ended = ended && store_get_run(reader, workspace, key, &arena, &row) && law_is_final(row.state);
    if ((ended ? store_get_run_outline(reader, workspace, key, &arena, &image)
               : store_get_run_image(reader, workspace, key, &arena, &image)) &&
        store_get_run_etag(reader, workspace, key, &version, &last_event, &updated_ms)) {
        world_load_job(world, engine, &image.run.job);
        version = image.repairs[image.repair_count - 1].definition_version;
        struct job_def *def = world_def(world, book_job(&world->book, &image.run.job), version);
        engine_add_run(engine, &image, def, last_event, world->now_ms, world->mono_ms);
        struct uuid *failed;
        size_t count = state_is_final(image.run.state)
                           ? store_campaigns_of_run(reader, workspace, key, &arena, &failed)
                           : 0;
        for (size_t i = 0; i < count; i++)
            load_campaign(world, engine, &failed[i]);
    }
    arena_release(&arena);
}

void world_load_run(struct world *world, struct engine *engine, const struct uuid *key)
{
    load_run(world, engine, key, false);
}

void world_load_for(struct world *world, struct engine *engine, const struct command *command)
{
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
    case COMMAND_CAMPAIGN_CREATE:
        break;
    case COMMAND_CAMPAIGN_PAUSE:
    case COMMAND_CAMPAIGN_RESUME:
    case COMMAND_CAMPAIGN_CANCEL:
        load_campaign(world, engine, &command->key);
        break;
    case COMMAND_JOB_UPDATE:
    case COMMAND_JOB_DELETE:
    case COMMAND_JOB_CANCEL_RUNS:
    case COMMAND_RUN_CREATE:
        world_load_job(world, engine, &command->key);
        break;
    case COMMAND_RUNS_RERUN:
        for (size_t i = 0; i < command->rerun_count; i++)
            world_load_run(world, engine, &command->reruns[i].run);
        break;
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_DELETE:
        load_run(world, engine, &command->key, true);
        break;
    case COMMAND_RUN_REPAIR:
    default:
        world_load_run(world, engine, &command->key);
    }
}

static void bring_version(struct world *world, struct engine *engine, const struct want *want)
{
    const struct booked_job *job = book_job(&world->book, &want->key);
    bool found = job && want->version >= 1 && want->version <= (int64_t)job->version_count;
    engine_add_version(engine, &want->key, want->version,
                       found ? world_def(world, job, want->version) : NULL);
    world->wanted++;
}

static void bring_window(struct world *world, struct engine *engine, const struct want *want)
{
    struct arena arena;
    struct window_run *runs;
    arena_init(&arena);
    size_t count = store_window_runs(world->disk->reader, world->book.workspace.id, &want->key,
                                     want->from_ms, want->to_ms, ENGINE_WINDOW_MAX, &arena, &runs);
    if (world->more_runs)
        count = world->more_runs(world->context, want, &arena, &runs, count);
    engine_add_window(engine, want, runs, count);
    world->wanted++;
    arena_release(&arena);
}

/* Brings what the step wanted, as the pump does. */
static void bring(struct world *world, struct engine *engine, const struct effects *effects)
{
    for (size_t i = 0; i < effects->want_count; i++) {
        const struct want want = effects->wants[i];
        if (engine_drops_want(engine, &want))
            continue;
        if (want.kind == WANT_VERSION) {
            bring_version(world, engine, &want);
            continue;
        }
        if (want.kind == WANT_WINDOW) {
            bring_window(world, engine, &want);
            continue;
        }
        if (want.kind == WANT_JOB ? engine_has_job(engine, &want.key)
                                  : engine_has_run(engine, &want.key))
            continue; /* wanted twice in one round */
        if (want.kind == WANT_JOB)
            world_load_job(world, engine, &want.key);
        else
            world_load_run(world, engine, &want.key);
        if (want.kind == WANT_JOB ? !engine_has_job(engine, &want.key)
                                  : !engine_has_run(engine, &want.key))
            engine_add_missing(engine, &want);
        world->wanted++;
    }
}

void world_take_event(struct world *world, struct engine *engine, const struct engine_event *event,
                      struct effects *effects)
{
    struct engine_event loaded = *event;
    loaded.kind = ENGINE_LOADED;
    engine_step(engine, event, effects);
    while (effects->want_count > 0) {
        bring(world, engine, effects);
        engine_step(engine, &loaded, effects);
    }
    world_check_engine(engine);
}

bool world_load_version(struct world *world, struct command *command)
{
    struct uuid key;
    int64_t version;
    if (!engine_lacks_version(world->engine, command, &key, &version))
        return false;
    const struct booked_job *job = book_job(&world->book, &key);
    struct err err;
    if (version < 1 || version > (int64_t)job->version_count)
        return false;
    if (job_def_load(job->versions[version - 1].definition, version, &command->def, &err))
        broken("a stored definition does not load: %s", err.message);
    return true;
}

struct engine *world_load_engine(struct world *world, const struct workspace_row *workspace)
{
    struct arena arena;
    struct uuid *live;
    struct engine_config config = world->config;
    config.workspace = *workspace;
    struct engine *engine = engine_new(&config);
    arena_init(&arena);
    struct schedule_row *schedules;
    size_t scheduled =
        store_active_schedules(world->disk->reader, workspace->id, &arena, &schedules);
    for (size_t i = 0; i < scheduled; i++)
        engine_add_schedule(engine, &schedules[i], world->zone);
    size_t count = store_live_runs(world->disk->reader, workspace->id, &arena, &live);
    for (size_t i = 0; i < count; i++)
        world_load_run(world, engine, &live[i]);
    size_t campaigns = store_active_campaigns(world->disk->reader, workspace->id, &arena, &live);
    for (size_t i = 0; i < campaigns; i++)
        load_campaign(world, engine, &live[i]);
    arena_release(&arena);
    if (engine_run_count(engine) != world_open_runs(world))
        broken("%zu runs were loaded, %zu are open", engine_run_count(engine),
               world_open_runs(world));
    world_check_engine(engine);
    return engine;
}

/* ---- recovery ---- */

struct adoption {
    struct world *world;
    size_t count;
};

/* What the rows call started is out there, or its order was never sent. */
static void adopt(void *context, const struct live_attempt *live)
{
    struct adoption *adoption = context;
    struct world *world = adoption->world;
    const struct attempt_ref ref = {live->task_run, live->attempt, live->epoch};
    struct running *one = world_find_running(world, &ref);
    adoption->count++;
    if (!one) {
        GROW(world->running, world->running_count, world->running_cap);
        one = &world->running[world->running_count++];
        *one = (struct running){.run = live->run, .ref = ref, .never_started = true};
    }
    if (one->stop_asked && !live->stopping)
        broken("a stop was forgotten");
    one->stop_asked = live->stopping;
}

static void reload(struct world *world)
{
    struct workspace_row row;
    engine_free(world->engine);
    effects_clear(&world->effects);
    world->answer_count = world->asked_count = 0;
    world->batching = world->is_draining = false;
    world->crashes++;
    int64_t epoch = world->book.workspace.epoch;
    if (store_take_over(world->disk->store, world->book.workspace.id, 0, &row) != STORE_OK)
        broken("the workspace cannot be taken over");
    if (row.epoch != epoch + 1 || row.last_event < world->book.last_event ||
        row.last_ms < world->book.workspace.last_ms)
        broken("the workspace's counters went back");
    world->book.workspace = row;
    world->engine = world_load_engine(world, &row);
    struct adoption adoption = {world, 0};
    engine_live_attempts(world->engine, adopt, &adoption);
    if (adoption.count != world->running_count)
        broken("%zu attempts are out there, the rows know %zu", world->running_count,
               adoption.count);
}

/* What was never started is told VOID, what died without an outcome LOST. */
static void tell_ends(struct world *world)
{
    for (size_t i = world->running_count; i-- > 0;) {
        struct running *one = &world->running[i];
        if (!one->never_started && (!one->is_dead || one->has_ended))
            continue;
        struct engine_event found = {.kind = one->never_started ? ENGINE_VOID : ENGINE_LOST,
                                     .attempt = one->ref};
        found.outcome.message = "Lost: its supervisor is gone";
        world_take(world, one);
        world_step(world, &found);
    }
}

/* Recovery: the ends that can be told, then the TIMER that follows a load. */
static void recover(struct world *world)
{
    struct engine_event timer = {.kind = ENGINE_TIMER};
    bool always = world->crash_always;
    world->crash_always = false;
    world_begin(world);
    tell_ends(world);
    world_step(world, &timer);
    world_commit(world);
    world->crash_always = always;
}

void world_crash(struct world *world)
{
    trace_add(&world->trace, "%lld the server dies and comes back", (long long)world->now_ms);
    reload(world);
    recover(world);
}

void world_reboot(struct world *world)
{
    world->mono_ms = 10;
    world_crash(world);
}

void world_limit(struct world *world, int64_t max_running)
{
    world->config.max_running = max_running;
    world->book.max_running = max_running;
    world_crash(world);
}

/* ---- comparing ---- */

void world_compare_disk(struct world *world)
{
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < world->book.run_count; i++) {
        struct run_image image;
        const struct booked_run *run = world->book.runs[i];
        struct run_image booked = book_image(run, &arena);
        uint64_t digests[2] = {0};
        if (!store_get_run_image(world->disk->reader, world->book.workspace.id, &run->row.key,
                                 &arena, &image))
            broken("run %lld is not on the disk", (long long)run->row.number);
        fingerprint_image(&digests[0], &image);
        fingerprint_image(&digests[1], &booked);
        if (digests[0] != digests[1])
            broken("run %lld: the disk and the book differ", (long long)run->row.number);
        arena_clear(&arena);
    }
    arena_release(&arena);
}
