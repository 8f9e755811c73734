#include "engine/harness.h"

#include <stdlib.h>

#include "base/mem.h"

enum { START_MS = 1767225600, HOUR_MS = 3600000 }; /* 2026-01-01T00:00:00Z in s */

static const char *const host = "host-a";

/* ---- life ---- */

static void check_engine(struct world *world)
{
    struct arena arena;
    arena_init(&arena);
    const char *problem = engine_validate(world->engine, &arena);
    if (problem)
        broken("engine_validate: %s", problem);
    arena_release(&arena);
}

struct world *world_new(bool crash_always)
{
    struct world *world = xcalloc(1, sizeof *world);
    arena_init(&world->arena);
    book_init(&world->book);
    effects_init(&world->effects);
    world->now_ms = (int64_t)START_MS * 1000;
    world->mono_ms = 5000;
    world->seed = 1;
    world->crash_always = crash_always;
    world->book.workspace = (struct workspace_row){.id = 1, .name = "default", .epoch = 1};
    memset(world->book.workspace.key.bytes, 7, sizeof world->book.workspace.key.bytes);
    world->config = (struct engine_config){
        .workspace = world->book.workspace,
        .hub_region = "earth-1",
        .host = host,
        .max_running = 0,
        .grace_ms = 10000,
        .queue_max_ms = 48LL * HOUR_MS,
    };
    world->engine = engine_new(&world->config);
    return world;
}

void world_free(struct world *world)
{
    engine_free(world->engine);
    effects_release(&world->effects);
    for (size_t i = 0; i < world->def_count; i++)
        job_def_unref(world->defs[i]);
    free(world->defs);
    free(world->def_jobs);
    free(world->running);
    free(world->starts);
    free(world->purged);
    book_release(&world->book);
    arena_release(&world->arena);
    free(world);
}

int world_setup(void **state)
{
    const char *how = *state;
    broken_context("%s", "");
    *state = world_new(how && strcmp(how, "crash") == 0);
    return 0;
}

int world_teardown(void **state)
{
    world_free(*state);
    return 0;
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

static void load_job(struct world *world, const struct uuid *key)
{
    struct booked_job *job = book_job(&world->book, key);
    if (job && !engine_has_job(world->engine, key))
        engine_add_job(world->engine, &job->row, world_def(world, job, job->row.version));
}

static void load_run(struct world *world, const struct uuid *key)
{
    struct booked_run *run = book_run(&world->book, key);
    if (!run || engine_has_run(world->engine, key))
        return;
    load_job(world, &run->job->row.key);
    struct arena arena;
    arena_init(&arena);
    struct run_image image = book_image(run, &arena);
    int64_t version = image.repairs[image.repair_count - 1].definition_version;
    engine_add_run(world->engine, &image, world_def(world, run->job, version), run->last_event,
                   world->now_ms, world->mono_ms);
    arena_release(&arena);
}

static struct running *find_running(struct world *world, const struct attempt_ref *ref)
{
    for (size_t i = 0; i < world->running_count; i++) {
        struct running *one = &world->running[i];
        if (uuid_equal(&one->ref.task_run, &ref->task_run) && one->ref.attempt == ref->attempt &&
            one->ref.epoch == ref->epoch)
            return one;
    }
    return NULL;
}

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
    struct running *one = find_running(world, &ref);
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

static void step(struct world *world, struct engine_event *event);

static void reload(struct world *world)
{
    engine_free(world->engine);
    effects_clear(&world->effects);
    world->batching = false;
    world->crashes++;
    world->book.workspace.epoch++;
    world->config.workspace = world->book.workspace;
    world->engine = engine_new(&world->config);
    for (size_t i = 0; i < world->book.run_count; i++) {
        const struct booked_run *run = world->book.runs[i];
        if (!state_is_final(run->row.state))
            load_run(world, &run->row.key);
    }
    check_engine(world);
    struct adoption adoption = {world, 0};
    engine_live_attempts(world->engine, adopt, &adoption);
    if (adoption.count != world->running_count)
        broken("%zu attempts are out there, the rows know %zu", world->running_count,
               adoption.count);
}

/* Recovery: VOID what was never started, then the TIMER that follows a load. */
static void recover(struct world *world)
{
    struct engine_event timer = {.kind = ENGINE_TIMER};
    bool always = world->crash_always;
    world->crash_always = false;
    world_begin(world);
    for (size_t i = world->running_count; i-- > 0;) {
        if (!world->running[i].never_started)
            continue;
        struct engine_event found = {.kind = ENGINE_VOID, .attempt = world->running[i].ref};
        world->running[i] = world->running[--world->running_count];
        step(world, &found);
    }
    step(world, &timer);
    world_commit(world);
    world->crash_always = always;
}

void world_crash(struct world *world)
{
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

/* ---- stepping ---- */

static void send_order(struct world *world, const struct start_effect *start)
{
    const struct attempt_ref ref = {start->task_run, start->attempt, start->epoch};
    const struct booked_task *task = book_task(&world->book, &start->task_run);
    if (!task)
        broken("an attempt is started whose task run is in no row");
    const struct attempt_row *row = booked_attempt(task, start->attempt);
    if (!row || row->epoch != start->epoch || row->state != STATE_RUNNING)
        broken("attempt %lld of %s is started but not in the rows", (long long)start->attempt,
               task->row.task_key);
    if (start->epoch != world->book.workspace.epoch)
        broken("an attempt is started under epoch %lld", (long long)start->epoch);
    for (size_t i = 0; i < world->running_count; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &start->task_run))
            broken("%s is started while an attempt of it lives", task->row.task_key);
    for (size_t i = 0; i < world->start_count; i++)
        if (uuid_equal(&world->starts[i].ref.task_run, &ref.task_run) &&
            world->starts[i].ref.attempt == ref.attempt && world->starts[i].ref.epoch == ref.epoch)
            broken("attempt %lld of %s is started twice", (long long)ref.attempt,
                   task->row.task_key);
    GROW(world->running, world->running_count, world->running_cap);
    world->running[world->running_count++] = (struct running){.run = start->run, .ref = ref};
    GROW(world->starts, world->start_count, world->start_cap);
    struct world_start *sent = &world->starts[world->start_count++];
    *sent = (struct world_start){.run = start->run, .ref = ref};
    memcpy(sent->task_key, task->row.task_key, strlen(task->row.task_key) + 1);
}

static void keep_start(struct world *world, const struct start_effect *start)
{
    struct arena *arena = &world->arena;
    const char **args = ARENA_ARRAY(arena, start->arg_count, const char *);
    struct param *params = ARENA_ARRAY(arena, start->params.count, struct param);
    for (size_t i = 0; i < start->arg_count; i++)
        args[i] = arena_strdup(arena, start->args[i]);
    for (size_t i = 0; i < start->params.count; i++)
        params[i] = (struct param){arena_strdup(arena, start->params.items[i].name),
                                   arena_strdup(arena, start->params.items[i].value)};
    world->last_start = *start;
    world->last_start.file = arena_strdup(arena, start->file);
    world->last_start.args = args;
    world->last_start.params = (struct param_list){params, start->params.count};
    world->last_start.task = NULL;
}

static void act(struct world *world)
{
    const struct effects *fx = &world->effects;
    for (size_t i = 0; i < fx->start_count; i++)
        send_order(world, &fx->starts[i]);
    if (fx->start_count)
        keep_start(world, &fx->starts[fx->start_count - 1]);
    for (size_t i = 0; i < fx->stop_count; i++) {
        const struct stop_effect *stop = &fx->stops[i];
        const struct attempt_ref ref = {stop->task_run, stop->attempt, stop->epoch};
        struct running *one = find_running(world, &ref);
        if (!one)
            broken("a stop of an attempt that is not out there");
        if (one->stop_asked)
            broken("an attempt is stopped twice");
        one->stop_asked = true;
    }
    for (size_t i = 0; i < fx->purge_count; i++) {
        GROW(world->purged, world->purged_count, world->purged_cap);
        world->purged[world->purged_count++] = fx->purges[i];
    }
}

void world_begin(struct world *world)
{
    world->batching = true;
}

void world_commit(struct world *world)
{
    enum commit_fate fate = world->fate;
    world->fate = COMMIT_OK;
    world->batching = false;
    world->last_commit_ok = fate == COMMIT_OK;
    engine_collect(world->engine, &world->effects);
    if (fate != COMMIT_FAILED)
        book_apply(&world->book, &world->effects.rows, engine_workspace(world->engine));
    if (fate != COMMIT_OK) {
        world_crash(world);
        return;
    }
    engine_committed(world->engine);
    check_engine(world);
    act(world);
    effects_clear(&world->effects);
    if (world->crash_always)
        world_crash(world);
}

/* Brings what the step wanted, from the book, as the pump does from the store. */
static void bring(struct world *world)
{
    for (size_t i = 0; i < world->effects.want_count; i++) {
        const struct want want = world->effects.wants[i];
        if (want.kind == WANT_JOB ? engine_has_job(world->engine, &want.key)
                                  : engine_has_run(world->engine, &want.key))
            continue; /* wanted twice in one round */
        if (want.kind == WANT_JOB)
            load_job(world, &want.key);
        else
            load_run(world, &want.key);
        if (want.kind == WANT_JOB ? !engine_has_job(world->engine, &want.key)
                                  : !engine_has_run(world->engine, &want.key))
            engine_add_missing(world->engine, &want.key);
        world->wanted++;
    }
}

/* One event; commits unless a batch is open. */
static void step(struct world *world, struct engine_event *event)
{
    event->now_ms = world->now_ms;
    event->mono_ms = world->mono_ms;
    event->seed = mix64(world->seed++);
    engine_step(world->engine, event, &world->effects);
    while (world->effects.want_count > 0) {
        struct engine_event loaded = *event;
        loaded.kind = ENGINE_LOADED;
        loaded.seed = mix64(world->seed++);
        bring(world);
        engine_step(world->engine, &loaded, &world->effects);
    }
    world->steps++;
    check_engine(world);
    if (!world->batching)
        world_commit(world);
}

void world_advance(struct world *world, int64_t ms)
{
    int64_t target = world->mono_ms + ms;
    for (int rounds = 0;; rounds++) {
        int64_t next = engine_next_deadline(world->engine);
        if (next > target)
            break;
        if (rounds > 100000)
            broken("a deadline does not go away");
        if (next > world->mono_ms) {
            world->now_ms += next - world->mono_ms;
            world->mono_ms = next;
        }
        struct engine_event timer = {.kind = ENGINE_TIMER};
        step(world, &timer);
    }
    world->now_ms += target - world->mono_ms;
    world->mono_ms = target;
}

void world_set_clock(struct world *world, int64_t now_ms)
{
    world->now_ms = now_ms;
}

/* ---- commands ---- */

/* A repair's older definition goes with it, parsed for it alone: nothing may point into it once the
 * run has ended. */
static void load_version(struct world *world, struct command *command)
{
    struct uuid key;
    int64_t version;
    if (!engine_lacks_version(world->engine, command, &key, &version))
        return;
    const struct booked_job *job = book_job(&world->book, &key);
    struct err err;
    if (version < 1 || version > (int64_t)job->version_count)
        return;
    if (job_def_load(job->versions[version - 1].definition, version, &command->def, &err))
        broken("a stored definition does not load: %s", err.message);
}

struct command_result world_command(struct world *world, struct command *command)
{
    struct command_result result = {.code = ERR_INTERNAL};
    struct engine_event event = {.kind = ENGINE_COMMAND, .command = command, .result = &result};
    if (!command->principal.id)
        command->principal = (struct principal){"ocid1.user.ann", "ann"};
    switch (command->kind) {
    case COMMAND_JOB_CREATE:
        break;
    case COMMAND_JOB_UPDATE:
    case COMMAND_JOB_DELETE:
    case COMMAND_JOB_CANCEL_RUNS:
    case COMMAND_RUN_CREATE:
        load_job(world, &command->key);
        break;
    case COMMAND_RUN_CANCEL:
    case COMMAND_RUN_REPAIR:
    case COMMAND_RUN_DELETE:
    default:
        load_run(world, &command->key);
        load_version(world, command);
    }
    struct job_def *asked_for = command->kind == COMMAND_RUN_REPAIR ? command->def : NULL;
    step(world, &event);
    if (asked_for) {
        job_def_unref(asked_for);
        command->def = NULL;
    }
    return result;
}

/* ---- attempts ---- */

struct running *world_running(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    for (size_t i = 0; i < world->running_count; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &booked->row.key))
            return &world->running[i];
    broken("no attempt of %s is out there; %s", task, world_picture(world, run));
}

bool world_is_running(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    for (size_t i = 0; i < world->running_count; i++)
        if (uuid_equal(&world->running[i].ref.task_run, &booked->row.key))
            return true;
    return false;
}

void world_report(struct world *world, enum engine_event_kind kind, struct attempt_ref ref,
                  const struct attempt_outcome *outcome)
{
    struct engine_event event = {.kind = kind, .attempt = ref};
    if (outcome)
        event.outcome = *outcome;
    step(world, &event);
}

/* It ends out there first, then it is reported. */
static struct attempt_ref gone(struct world *world, struct running *one)
{
    struct attempt_ref ref = one->ref;
    *one = world->running[--world->running_count];
    return ref;
}

static struct attempt_outcome outcome_of(const struct world *world, int cause, int64_t code)
{
    return (struct attempt_outcome){
        .cause = cause,
        .exit_code = cause == CAUSE_EXITED ? code : FIELD_NULL,
        .signal = cause == CAUSE_SIGNALED ? 9 : FIELD_NULL,
        .ended_ms = world->now_ms,
        .error_trace = cause == CAUSE_EXITED && code == 0 ? NULL : "Traceback: it went wrong",
    };
}

void world_exit(struct world *world, const struct uuid *run, const char *task, int64_t code)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, code);
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_ends(struct world *world, const struct uuid *run, const char *task, int cause)
{
    struct attempt_outcome outcome = outcome_of(world, cause, 1);
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_publish(struct world *world, const struct uuid *run, const char *task, int64_t code,
                   const char *values)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, code);
    outcome.published = values;
    struct attempt_ref ref = gone(world, world_running(world, run, task));
    world_report(world, ENGINE_OUTCOME, ref, &outcome);
}

void world_lost(struct world *world, const struct uuid *run, const char *task)
{
    world_report(world, ENGINE_LOST, gone(world, world_running(world, run, task)), NULL);
}

void world_all_succeed(struct world *world)
{
    struct attempt_outcome outcome = outcome_of(world, CAUSE_EXITED, 0);
    while (world->running_count > 0) {
        struct attempt_ref ref = gone(world, &world->running[0]);
        world_report(world, ENGINE_OUTCOME, ref, &outcome);
    }
}
