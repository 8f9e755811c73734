/* Loading: what a command needs, and everything at recovery (DURABILITY §1, §3). */
#include "base/log.h"
#include "base/map.h"
#include "base/timefmt.h"
#include "server/clock.h"
#include "server/epochs.h"
#include "server/pump_internal.h"

enum { SCHEDULE_AHEAD_MS = 60 * 1000 };

/* All rows are read before the engine is given any: half a job is none. Schedules that fire are all there
 * from the start; one that rests comes with its job. */
static bool load_job(struct pump *pump, const struct uuid *key, struct arena *arena)
{
    struct job_row row;
    struct schedule_row schedule;
    int64_t workspace = pump->workspace.id;
    if (engine_has_job(pump->engine, key) ||
        !store_get_job(pump->reader, workspace, key, arena, &row))
        return !store_reader_failed(pump->reader);
    bool rests = !engine_has_schedule(pump->engine, key) &&
                 store_get_schedule(pump->reader, workspace, key, arena, &schedule);
    if (store_reader_failed(pump->reader))
        return false;
    struct job_def *def = defs_get(pump->config.defs, pump->reader, workspace, key, row.version);
    if (!def)
        return false;
    engine_add_job(pump->engine, &row, def);
    job_def_unref(def);
    if (rests)
        engine_add_schedule(pump->engine, &schedule, NULL);
    return true;
}

static bool add_image(struct pump *pump, const struct run_image *image, struct arena *arena)
{
    int64_t workspace = pump->workspace.id;
    const struct repair_row *newest = &image->repairs[image->repair_count - 1];
    if (!load_job(pump, &image->run.job, arena) || !engine_has_job(pump->engine, &image->run.job))
        return false;
    int64_t version, last_event, updated_ms;
    if (!store_get_run_etag(pump->reader, workspace, &image->run.key, &version, &last_event,
                            &updated_ms))
        return false;
    struct job_def *def = defs_get(pump->config.defs, pump->reader, workspace, &image->run.job,
                                   newest->definition_version);
    if (!def)
        return false;
    engine_add_run(pump->engine, image, def, last_event, clock_wall_ms(), clock_boot_ms());
    job_def_unref(def);
    return true;
}

/* With all its cells. */
static bool load_campaign(struct pump *pump, const struct uuid *key, struct arena *arena)
{
    struct campaign_row row;
    struct campaign_cell_row *cells;
    int64_t workspace = pump->workspace.id;
    if (engine_has_campaign(pump->engine, key) ||
        !store_get_campaign(pump->reader, workspace, key, arena, &row))
        return !store_reader_failed(pump->reader);
    size_t count =
        store_campaign_cells(pump->reader, workspace, key, 0, CAMPAIGN_MAX_CELLS, arena, &cells);
    if (store_reader_failed(pump->reader))
        return false;
    engine_add_campaign(pump->engine, &row, cells, count);
    return true;
}

/* A campaign that has failed goes on when the run of a cell that failed is repaired. */
static bool load_failed_campaigns(struct pump *pump, const struct uuid *run, struct arena *arena)
{
    struct uuid *keys;
    size_t count = store_campaigns_of_run(pump->reader, pump->workspace.id, run, arena, &keys);
    bool ok = !store_reader_failed(pump->reader);
    for (size_t i = 0; i < count && ok; i++)
        ok = load_campaign(pump, &keys[i], arena);
    return ok;
}

static bool load_run(struct pump *pump, const struct uuid *key, struct arena *arena)
{
    struct run_image image;
    if (engine_has_run(pump->engine, key) ||
        !store_get_run_image(pump->reader, pump->workspace.id, key, arena, &image))
        return !store_reader_failed(pump->reader);
    return add_image(pump, &image, arena) &&
           (!state_is_final(image.run.state) || load_failed_campaigns(pump, key, arena));
}

/* Of a run that has ended, its row is enough to answer a cancel, and to delete it. */
static bool load_outline(struct pump *pump, const struct uuid *key, struct arena *arena)
{
    struct run_row row;
    struct run_image image;
    int64_t workspace = pump->workspace.id;
    if (engine_has_run(pump->engine, key) ||
        !store_get_run(pump->reader, workspace, key, arena, &row))
        return !store_reader_failed(pump->reader);
    if (!state_is_final(row.state))
        return load_run(pump, key, arena);
    return store_get_run_outline(pump->reader, workspace, key, arena, &image) &&
           add_image(pump, &image, arena);
}

/* A repair by an older definition: it goes with the command, which gives it back. */
static bool load_version(struct pump *pump, struct command *command)
{
    struct uuid job;
    int64_t version;
    if (command->def || !engine_lacks_version(pump->engine, command, &job, &version))
        return true;
    command->def = defs_get(pump->config.defs, pump->reader, pump->workspace.id, &job, version);
    return command->def || !store_reader_failed(pump->reader);
}

static bool load_reruns(struct pump *pump, struct command *command, struct arena *arena)
{
    bool ok = true;
    for (size_t i = 0; i < command->rerun_count && ok; i++) {
        struct rerun *rerun = &command->reruns[i];
        struct command alone = {.kind = COMMAND_RUN_REPAIR,
                                .key = rerun->run,
                                .def = rerun->def,
                                .repair = rerun->repair};
        ok = load_run(pump, &rerun->run, arena) && load_version(pump, &alone);
        rerun->def = alone.def;
    }
    return ok;
}

/* Has another job than `key` (nil: any) the name that the command's definition has? */
static bool look_for_name(struct pump *pump, struct command *command, struct arena *arena)
{
    const struct job_filter filter = {.display_name = command->def->details.name};
    const struct list_order order = {SORT_TIME_CREATED, true, 2};
    struct job_list list;
    if (!command->name_is_unique)
        return true;
    store_list_jobs(pump->reader, pump->workspace.id, &filter, &order, NULL, arena, &list);
    command->name_is_taken = false;
    for (size_t i = 0; i < list.count; i++)
        command->name_is_taken |= command->kind == COMMAND_JOB_CREATE ||
                                  !uuid_equal(&list.items[i].key, &command->key);
    return !store_reader_failed(pump->reader);
}

bool pump_load_for(struct pump *pump, struct command *command)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena);
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
        ok = look_for_name(pump, command, &arena);
        break;
    case COMMAND_CAMPAIGN_CREATE:
        break;
    case COMMAND_CAMPAIGN_PAUSE:
    case COMMAND_CAMPAIGN_RESUME:
    case COMMAND_CAMPAIGN_CANCEL:
        ok = load_campaign(pump, &command->key, &arena);
        break;
    case COMMAND_JOB_UPDATE:
        ok = look_for_name(pump, command, &arena) && load_job(pump, &command->key, &arena);
        break;
    case COMMAND_RUNS_RERUN:
        ok = load_reruns(pump, command, &arena);
        break;
    case COMMAND_JOB_DELETE:
    case COMMAND_JOB_CANCEL_RUNS:
    case COMMAND_RUN_CREATE:
        ok = load_job(pump, &command->key, &arena);
        break;
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_DELETE:
        ok = load_outline(pump, &command->key, &arena);
        break;
    case COMMAND_RUN_REPAIR:
    default:
        ok = load_run(pump, &command->key, &arena) && load_version(pump, command);
        break;
    }
    arena_release(&arena);
    return ok;
}

/* ---- what a step wants ---- */

void pump_read_begin(struct pump *pump)
{
    if (!pump->is_reading)
        store_read_begin(pump->reader);
    pump->is_reading = true;
}

void pump_read_end(struct pump *pump)
{
    if (pump->is_reading)
        store_read_end(pump->reader);
    pump->is_reading = false;
}

static bool bring_version(struct pump *pump, const struct want *want)
{
    struct job_def *def =
        defs_get(pump->config.defs, pump->reader, pump->workspace.id, &want->key, want->version);
    if (!def && store_reader_failed(pump->reader))
        return false;
    engine_add_version(pump->engine, &want->key, want->version, def);
    job_def_unref(def);
    return true;
}

static bool bring_window(struct pump *pump, const struct want *want, struct arena *arena)
{
    struct window_run *runs;
    size_t count = store_window_runs(pump->reader, pump->workspace.id, &want->key, want->from_ms,
                                     want->to_ms, ENGINE_WINDOW_MAX, arena, &runs);
    if (store_reader_failed(pump->reader))
        return false;
    engine_add_window(pump->engine, want, runs, count);
    return true;
}

static bool bring_one(struct pump *pump, const struct want *want, struct arena *arena)
{
    if (want->kind == WANT_VERSION)
        return bring_version(pump, want);
    if (want->kind == WANT_WINDOW)
        return bring_window(pump, want, arena);
    bool ok = want->kind == WANT_JOB ? load_job(pump, &want->key, arena)
                                     : load_run(pump, &want->key, arena);
    bool found = want->kind == WANT_JOB ? engine_has_job(pump->engine, &want->key)
                                        : engine_has_run(pump->engine, &want->key);
    if (ok && !found)
        engine_add_missing(pump->engine, want);
    return ok;
}

/* Each in a snapshot of its own, since a reader has 2 s for one: nobody else writes here. */
static bool bring(struct pump *pump, const struct want *want)
{
    struct arena arena;
    if (engine_drops_want(pump->engine, want))
        return true;
    arena_init(&arena);
    pump_read_end(pump);
    pump_read_begin(pump);
    bool ok = bring_one(pump, want, &arena);
    arena_release(&arena);
    return ok;
}

bool pump_step(struct pump *pump, const struct engine_event *event)
{
    struct effects *fx = &pump->effects;
    engine_step(pump->engine, event, fx);
    while (fx->want_count > 0) {
        bool ok = true;
        for (size_t i = 0; i < fx->want_count && ok; i++)
            ok = bring(pump, &fx->wants[i]);
        if (!ok) {
            log_event(LOG_ERROR, "rows that a step needs cannot be read",
                      LOG_TEXT("workspace", pump->workspace.name));
            pump->is_lost = true;
            return false;
        }
        struct engine_event loaded = *event;
        loaded.kind = ENGINE_LOADED;
        loaded.seed = pump_seed(pump);
        engine_step(pump->engine, &loaded, fx);
    }
    return true;
}

/* ---- recovery ---- */

/* Each run in a snapshot of its own, since a reader has 2 s for one: nobody else writes here now. */
static bool load_live_runs(struct pump *pump)
{
    struct arena arena;
    struct uuid *keys;
    arena_init(&arena);
    store_read_begin(pump->reader);
    size_t count = store_live_runs(pump->reader, pump->workspace.id, &arena, &keys);
    bool ok = !store_reader_failed(pump->reader);
    store_read_end(pump->reader);
    for (size_t i = 0; i < count && ok; i++) {
        struct arena one;
        arena_init(&one);
        store_read_begin(pump->reader);
        ok = load_run(pump, &keys[i], &one);
        store_read_end(pump->reader);
        arena_release(&one);
    }
    arena_release(&arena);
    return ok;
}

/* After the runs, which their cells stand for. */
static bool load_campaigns(struct pump *pump)
{
    struct arena arena;
    struct uuid *keys;
    arena_init(&arena);
    store_read_begin(pump->reader);
    size_t count = store_active_campaigns(pump->reader, pump->workspace.id, &arena, &keys);
    bool ok = !store_reader_failed(pump->reader);
    for (size_t i = 0; i < count && ok; i++)
        ok = load_campaign(pump, &keys[i], &arena);
    store_read_end(pump->reader);
    arena_release(&arena);
    return ok;
}

/* Nothing fires twice: where the clock was once ahead, it is silent until then. */
static void tell_ahead(const struct schedule_row *row)
{
    char job[UUID_TEXT], until[TIMEFMT_TEXT];
    if (row->kind != SCHEDULE_CRON || row->cursor_ms < clock_wall_ms() + SCHEDULE_AHEAD_MS)
        return;
    log_event(LOG_WARN,
              "a schedule fires again only when the clock has come to what it has decided",
              LOG_TEXT("job", uuid_format(&row->job, job)),
              LOG_TEXT("until", timefmt_rfc3339(row->cursor_ms, until)));
}

/* One whose time zone this host does not know (any more) stays silent, and says so here. False: it could not be looked
 * at right now. */
static bool add_schedule(struct pump *pump, const struct schedule_row *row)
{
    char job[UUID_TEXT];
    struct zone *zone = NULL;
    struct err err;
    bool is_cron = row->kind == SCHEDULE_CRON;
    enum err_code code = is_cron ? zones_get(pump->config.zones, row->timezone_id, &zone, &err)
                                 : ERR_OK;
    if (code == ERR_UNAVAILABLE) {
        log_event(LOG_ERROR, "a schedule cannot be loaded",
                  LOG_TEXT("job", uuid_format(&row->job, job)), LOG_TEXT("why", err.message));
        return false;
    }
    if (code)
        log_event(LOG_ERROR, "a schedule does not fire",
                  LOG_TEXT("job", uuid_format(&row->job, job)), LOG_TEXT("why", err.message));
    tell_ahead(row);
    engine_add_schedule(pump->engine, row, zone);
    zone_unref(zone);
    return true;
}

static bool load_schedules(struct pump *pump)
{
    struct arena arena;
    struct schedule_row *rows;
    arena_init(&arena);
    store_read_begin(pump->reader);
    size_t count = store_active_schedules(pump->reader, pump->workspace.id, &arena, &rows);
    bool ok = !store_reader_failed(pump->reader);
    store_read_end(pump->reader);
    for (size_t i = 0; i < count && ok; i++)
        ok = add_schedule(pump, &rows[i]);
    arena_release(&arena);
    return ok;
}

/* Reports that came before the reload and wait to be stepped again: exec need not tell them once
 * more, else every failed commit would add to them. */
struct recovery {
    struct pump *pump;
    struct uuid_map told; /* task run → place in the inbox + 1 */
};

static bool is_told(const struct recovery *recovery, const struct live_attempt *live)
{
    size_t place = (uintptr_t)uuid_map_get(&recovery->told, &live->task_run);
    if (!place)
        return false;
    const struct attempt_id *id = &recovery->pump->inbox.items[place - 1].id;
    return id->attempt == live->attempt && id->epoch == live->epoch;
}

static void recover_attempt(void *context, const struct live_attempt *live)
{
    const struct recovery *recovery = context;
    const struct attempt_id id = {live->run, live->task_run, live->repair, live->attempt,
                                  live->epoch};
    if (is_told(recovery, live))
        return;
    struct exec *exec = recovery->pump->exec;
    exec_recover(exec, &id, live->timeout_ms, live->grace_ms, live->start_ms, live->has_helper);
    if (live->stopping)
        exec_stop(exec, &id);
}

static void recover_attempts(struct pump *pump)
{
    struct recovery recovery = {.pump = pump};
    uuid_map_init(&recovery.told);
    const struct inbox *inbox = &pump->inbox;
    for (size_t i = inbox->next; i < inbox->count; i++)
        if (inbox->items[i].kind != EXEC_NEWS) /* it goes on, and a stop may have been lost */
            uuid_map_put(&recovery.told, &inbox->items[i].id.task_run, (void *)(uintptr_t)(i + 1));
    engine_live_attempts(pump->engine, recover_attempt, &recovery);
    uuid_map_release(&recovery.told);
}

static bool begin_epoch(struct pump *pump)
{
    const char *data_dir = pump->config.exec.data_dir;
    struct workspace_row row;
    int64_t seen;
    if (!epoch_seen(data_dir, pump->workspace.id, &seen) ||
        store_take_over(pump->config.store, pump->workspace.id, seen, &row) != STORE_OK ||
        !epoch_keep(data_dir, pump->workspace.id, row.epoch))
        return false;
    const struct engine_config config = {
        .workspace = row,
        .hub_region = pump->config.hub_region,
        .host = pump->config.host,
        .max_running = pump->config.slots->max,
        .grace_ms = pump->config.grace_ms,
        .queue_max_ms = pump->config.queue_max_ms,
        .zone = pump->config.surroundings ? surroundings_zone : NULL,
        .variable = pump->config.surroundings ? surroundings_variable : NULL,
        .context = pump->config.surroundings,
    };
    pump->engine = engine_new(&config);
    return true;
}

bool pump_load(struct pump *pump)
{
    if (!begin_epoch(pump))
        return false;
    if (!load_schedules(pump) || !load_live_runs(pump) || !load_campaigns(pump)) {
        engine_free(pump->engine);
        pump->engine = NULL;
        return false;
    }
    if (pump->config.feed)
        feed_reset(pump->config.feed, engine_workspace(pump->engine)->last_event);
    recover_attempts(pump);
    pump_git_hold(pump);
    struct engine_event event = pump_event(pump, pump->is_draining ? ENGINE_DRAIN : ENGINE_TIMER);
    /* Others have not said yet what they hold: the next batch starts. */
    event.slots_elsewhere = pump->config.slots->max;
    bool ok = pump_step(pump, &event);
    pump_read_end(pump);
    if (!ok) {
        pump->is_lost = false;
        effects_clear(&pump->effects);
        engine_free(pump->engine);
        pump->engine = NULL;
        return false;
    }
    log_event(LOG_INFO, "workspace recovered", LOG_TEXT("workspace", pump->workspace.name),
              LOG_NUMBER("epoch", engine_workspace(pump->engine)->epoch),
              LOG_NUMBER("runs", (int64_t)engine_run_count(pump->engine)),
              LOG_NUMBER("attempts", (int64_t)engine_attempt_count(pump->engine)));
    return true;
}
