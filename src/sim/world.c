#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/fingerprint.h"
#include "sim/verdict.h"
#include "sim/world_internal.h"

enum { START_S = 1767225600, HOUR_MS = 3600000 }; /* 2026-01-01T00:00:00Z in s */

static const char *const host = "host-a";

/* ---- life ---- */

/* What a variable said is not stored: in a replay it is there, and empty. */
static const char *any_variable(void *context, const char *name)
{
    (void)context;
    (void)name;
    return "";
}

struct world *world_new_on(struct disk *disk, const char *name, bool crash_always)
{
    struct world *world = xcalloc(1, sizeof *world);
    struct workspace_row row = {.name = name};
    uint64_t digest = 0;
    fingerprint_text(&digest, name);
    memcpy(row.key.bytes, &digest, sizeof digest);
    world->owns_disk = !disk;
    world->disk = disk ? disk : disk_new();
    if (store_workspace_create(world->disk->store, &row) != STORE_OK ||
        store_take_over(world->disk->store, row.id, 0, &row) != STORE_OK)
        broken("the workspace %s cannot be made", name);
    arena_init(&world->arena);
    arena_init(&world->answer_arena);
    book_init(&world->book);
    effects_init(&world->effects);
    world->zone = zone_fixed(0);
    world->now_ms = (int64_t)START_S * 1000;
    world->mono_ms = 5000;
    world->seed = 1;
    world->effects_left = SIZE_MAX;
    world->crash_always = crash_always;
    world->book.workspace = row;
    world->config = (struct engine_config){
        .workspace = row,
        .hub_region = "earth-1",
        .host = host,
        .max_running = 0,
        .grace_ms = 10000,
        .queue_max_ms = 48LL * HOUR_MS,
        .variable = any_variable,
    };
    world->engine = engine_new(&world->config);
    return world;
}

struct world *world_new(bool crash_always)
{
    return world_new_on(NULL, "default", crash_always);
}

void world_add_twin(struct world *world)
{
    world->twin = xcalloc(1, sizeof *world->twin);
    twin_init(world->twin);
}

void world_free(struct world *world)
{
    engine_free(world->engine);
    effects_release(&world->effects);
    if (world->twin)
        twin_release(world->twin);
    free(world->twin);
    for (size_t i = 0; i < world->def_count; i++)
        job_def_unref(world->defs[i]);
    free(world->defs);
    zone_unref(world->zone);
    free(world->def_jobs);
    free(world->running);
    free(world->taken);
    free(world->asked);
    free(world->starts);
    free(world->purged);
    free(world->answers);
    book_release(&world->book);
    arena_release(&world->arena);
    arena_release(&world->answer_arena);
    if (world->owns_disk)
        disk_free(world->disk);
    free(world);
}

struct running *world_find_running(struct world *world, const struct attempt_ref *ref)
{
    for (size_t i = 0; i < world->running_count; i++) {
        struct running *one = &world->running[i];
        if (uuid_equal(&one->ref.task_run, &ref->task_run) && one->ref.attempt == ref->attempt &&
            one->ref.epoch == ref->epoch)
            return one;
    }
    return NULL;
}

size_t world_open_runs(const struct world *world)
{
    size_t open = 0;
    for (size_t i = 0; i < world->book.run_count; i++)
        open += !state_is_final(world->book.runs[i]->row.state);
    return open;
}

/* ---- acting ---- */

/* What runs from a commit runs from the one that its run is held to, durably. */
static void check_source(const struct job_def *def, const struct booked_task *task,
                         const struct start_effect *start)
{
    const struct booked_run *run = task->run;
    const struct git_config *git = git_config_of(&def->details, start->task);
    struct arena arena;
    if (!git != !start->root)
        broken("%s has files from elsewhere", task->row.task_key);
    if (!git)
        return;
    arena_init(&arena);
    const struct git_commits commits =
        git_commits_load(run->repairs[run->repair_count - 1].commits, &arena);
    const struct git_commit *items = commits.items.items;
    bool found = false;
    for (size_t i = 0; i < commits.items.count; i++)
        found |= items[i].base == commits.base && strcmp(items[i].commit, start->commit) == 0;
    if (!found || strcmp(task->row.git_commit, start->commit) != 0)
        broken("%s is started from commit %s, by which its run does not go", task->row.task_key,
               start->commit);
    arena_release(&arena);
}

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
    verdict_start(task->run, world_def_of(world, task->run), task->row.task_key);
    check_source(world_def_of(world, task->run), task, start);
    GROW(world->running, world->running_count, world->running_cap);
    world->running[world->running_count++] = (struct running){
        .run = start->run, .ref = ref, .ends_ms = INT64_MAX, .timeout_ms = start->timeout_ms};
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

static void keep_asked(struct world *world, const struct prepare_effect *prepare)
{
    GROW(world->asked, world->asked_count, world->asked_cap);
    struct asked *asked = &world->asked[world->asked_count++];
    *asked = (struct asked){
        .run = prepare->run,
        .ref = {prepare->task_run, prepare->attempt, prepare->epoch},
    };
    if (prepare->commit)
        memcpy(asked->commit, prepare->commit, strlen(prepare->commit) + 1);
}

static bool is_reported(const struct world *world, const struct attempt_ref *ref)
{
    for (size_t i = 0; i < world->taken_count; i++)
        if (uuid_equal(&world->taken[i].ref.task_run, &ref->task_run) &&
            world->taken[i].ref.attempt == ref->attempt)
            return true;
    return false;
}

static void send_stop(struct world *world, const struct stop_effect *stop)
{
    const struct attempt_ref ref = {stop->task_run, stop->attempt, stop->epoch};
    struct running *one = world_find_running(world, &ref);
    if (!one && is_reported(world, &ref))
        return; /* its end came later in the same batch */
    if (!one)
        broken("a stop of an attempt that is not out there");
    if (one->stop_asked)
        broken("an attempt is stopped twice");
    one->stop_asked = true;
}

/* Does the server live long enough for one more effect? */
static bool goes_on(struct world *world)
{
    if (world->effects_left == SIZE_MAX)
        return true;
    return world->effects_left > 0 && world->effects_left--;
}

/* False: the server died on the way. */
static bool act(struct world *world)
{
    const struct effects *fx = &world->effects;
    for (size_t i = 0; i < fx->start_count; i++) {
        if (!goes_on(world))
            return false;
        send_order(world, &fx->starts[i]);
        keep_start(world, &fx->starts[i]);
    }
    for (size_t i = 0; i < fx->prepare_count; i++) {
        if (!goes_on(world))
            return false;
        keep_asked(world, &fx->prepares[i]);
    }
    for (size_t i = 0; i < fx->stop_count; i++) {
        if (!goes_on(world))
            return false;
        send_stop(world, &fx->stops[i]);
    }
    for (size_t i = 0; i < fx->purge_count; i++) {
        if (!goes_on(world))
            return false;
        GROW(world->purged, world->purged_count, world->purged_cap);
        world->purged[world->purged_count++] = fx->purges[i];
    }
    return world->effects_left == SIZE_MAX;
}

/* ---- committing ---- */

/* Inside the transaction: what was answered under retry tokens. */
static void keep_answers(void *context, struct store_reader *reader, struct row_batch *more)
{
    struct world *world = context;
    (void)reader;
    for (size_t i = 0; i < world->answer_count; i++) {
        const struct world_answer *answer = &world->answers[i];
        struct retry_token_row *row = ARENA_NEW(&world->answer_arena, struct retry_token_row);
        *row = (struct retry_token_row){
            .workspace = world->book.workspace.id,
            .created_ms = world->now_ms,
            .status = 200,
            .operation = answer->operation,
            .etag = "",
            .location = "",
            .body = (const char *)answer->key.bytes,
            .body_len = sizeof answer->key.bytes,
        };
        if (answer->is_about_run)
            row->run = answer->key;
        memcpy(row->scope, answer->token.scope, sizeof row->scope);
        memcpy(row->request, answer->token.request, sizeof row->request);
        row_batch_add(more, ROW_RETRY_TOKEN, ROW_INSERT, row);
    }
}

static void trace_batch(struct world *world)
{
    const struct row_batch *rows = &world->effects.rows;
    for (size_t i = 0; i < rows->count; i++) {
        const struct event_row *event = rows->items[i].row;
        if (rows->items[i].kind != ROW_EVENT)
            continue;
        const struct booked_run *run = book_run(&world->book, &event->run);
        trace_add(&world->trace, "%lld run %lld %s: %s -> %s: %s", (long long)event->time_ms,
                  (long long)(run ? run->row.number : 0), event->task_key ? event->task_key : "",
                  state_name(event->from), state_name(event->to),
                  event->reason ? event->reason : "");
    }
}

/* Runs that have ended in this batch. */
static void check_ends(struct world *world)
{
    const struct row_batch *rows = &world->effects.rows;
    for (size_t i = 0; i < rows->count; i++) {
        const struct event_row *event = rows->items[i].row;
        if (rows->items[i].kind != ROW_EVENT || event->type != EVENT_RUN_STATE)
            continue;
        const struct booked_run *run = book_run(&world->book, &event->run);
        if (run && state_is_final(run->row.state))
            verdict_end(run, world_def_of(world, run));
    }
}

/* The engine holds what is open, and no more. */
static void check_holdings(struct world *world)
{
    size_t open = world_open_runs(world);
    if (engine_run_count(world->engine) != open)
        broken("the engine holds %zu runs, %zu are open", engine_run_count(world->engine), open);
    if ((int64_t)engine_attempt_count(world->engine) != book_live(&world->book))
        broken("the engine counts %zu attempts, the rows %lld", engine_attempt_count(world->engine),
               (long long)book_live(&world->book));
}

struct running world_take(struct world *world, struct running *one)
{
    struct running was = *one;
    *one = world->running[--world->running_count];
    GROW(world->taken, world->taken_count, world->taken_cap);
    world->taken[world->taken_count++] = was;
    return was;
}

/* They are not out there, and the rows will say that they are. */
static void give_back(struct world *world)
{
    for (size_t i = 0; i < world->taken_count; i++) {
        GROW(world->running, world->running_count, world->running_cap);
        world->running[world->running_count++] = world->taken[i];
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
    fingerprint_effects(&world->digest, &world->effects);
    if (world->twin)
        twin_compare(world);
    struct store_commit commit = {
        .workspace = engine_workspace(world->engine),
        .rows = &world->effects.rows,
        .extend = world->answer_count ? keep_answers : NULL,
        .context = world,
    };
    disk_commit(world->disk, fate, &commit);
    if (fate != COMMIT_FAILED)
        book_apply(&world->book, &world->effects.rows, engine_workspace(world->engine));
    trace_batch(world);
    if (fate != COMMIT_FAILED)
        check_ends(world);
    world->answer_count = 0;
    arena_clear(&world->answer_arena);
    if (fate == COMMIT_FAILED)
        give_back(world);
    if (fate != COMMIT_OK) {
        trace_add(&world->trace, "%lld the commit %s", (long long)world->now_ms,
                  fate == COMMIT_FAILED ? "failed" : "was not answered");
        world->taken_count = 0;
        world_crash(world);
        world->last_commit_ok = false; /* the recovery's own was */
        return;
    }
    bool lives = act(world);
    engine_committed(world->engine);
    world_check_engine(world->engine);
    check_holdings(world);
    if (!world->is_draining && engine_next_deadline(world->engine) > 0)
        book_check_waiting(&world->book);
    world->effects_left = SIZE_MAX;
    world->taken_count = 0;
    effects_clear(&world->effects);
    if (world->crash_always || !lives)
        world_crash(world);
    if (world->twin)
        twin_begin(world);
}

/* ---- stepping ---- */

void world_step(struct world *world, struct engine_event *event)
{
    event->now_ms = world->now_ms;
    event->mono_ms = world->mono_ms;
    event->seed = mix64(world->seed++);
    event->slots_elsewhere = world->slots_elsewhere;
    if (world->twin)
        twin_step(world, event);
    world->is_draining |= event->kind == ENGINE_DRAIN;
    world_take_event(world, world->engine, event, &world->effects);
    world->steps++;
    if (!world->batching)
        world_commit(world);
}

/* On CLOCK_BOOTTIME; planned times are on the other clock. */
static int64_t next_due(const struct world *world)
{
    int64_t next = engine_next_deadline(world->engine);
    int64_t planned = engine_next_alarm(world->engine);
    if (engine_minds_clock(world->engine, world->now_ms))
        return world->mono_ms;
    if (planned == INT64_MAX)
        return next;
    planned += world->mono_ms - world->now_ms;
    return planned < next ? planned : next;
}

void world_advance(struct world *world, int64_t ms)
{
    int64_t target = world->mono_ms + ms;
    for (int rounds = 0;; rounds++) {
        int64_t next = next_due(world);
        if (next > target)
            break;
        if (rounds > 100000)
            broken("a deadline does not go away");
        if (next > world->mono_ms) {
            world->now_ms += next - world->mono_ms;
            world->mono_ms = next;
        }
        struct engine_event timer = {.kind = ENGINE_TIMER};
        world_step(world, &timer);
    }
    world->now_ms += target - world->mono_ms;
    world->mono_ms = target;
}

void world_sleep(struct world *world, int64_t ms)
{
    world->now_ms += ms;
    world->mono_ms += ms;
}

void world_set_clock(struct world *world, int64_t now_ms)
{
    world->now_ms = now_ms;
}

/* ---- commands and reports ---- */

/* True when the token has been answered before: *ret is what it was. */
static bool replay(struct world *world, const struct command *command, struct command_result *ret)
{
    struct arena arena;
    struct retry_token_row row;
    if (!command->token.is_set || !engine_can_address(world->engine, command))
        return false;
    arena_init(&arena);
    bool is_known = store_get_retry_token(world->disk->reader, world->book.workspace.id,
                                          command->token.scope, &arena, &row);
    if (is_known) {
        bool is_same = memcmp(row.request, command->token.request, sizeof row.request) == 0;
        *ret = (struct command_result){.operation = row.operation, .replayed = true};
        memcpy(ret->key.bytes, row.body, sizeof ret->key.bytes);
        if (row.run_deleted || !is_same)
            ret->code = ERR_INVALIDATED_RETRY_TOKEN;
    }
    arena_release(&arena);
    return is_known;
}

static void remember(struct world *world, const struct command *command,
                     const struct command_result *result)
{
    if (!command->token.is_set || result->code)
        return;
    GROW(world->answers, world->answer_count, world->answer_cap);
    world->answers[world->answer_count++] = (struct world_answer){
        .token = command->token,
        .key = result->key,
        .operation = result->operation,
        .is_about_run = command->kind != COMMAND_JOB_CREATE && command->kind != COMMAND_JOB_UPDATE,
    };
}

struct command_result world_command(struct world *world, struct command *command)
{
    struct command_result result = {.code = ERR_INTERNAL};
    struct engine_event event = {
        .kind = ENGINE_COMMAND, .command = command, .result = &result, .zone = world->zone};
    if (!command->principal.id)
        command->principal = (struct principal){"ocid1.user.ann", "ann"};
    world_load_for(world, world->engine, command);
    bool has_version = command->kind == COMMAND_RUN_REPAIR && world_load_version(world, command);
    if (!replay(world, command, &result)) {
        bool was_batching = world->batching;
        world_begin(world);
        world_step(world, &event);
        remember(world, command, &result);
        if (!was_batching)
            world_commit(world);
    }
    if (has_version) {
        job_def_unref(command->def);
        command->def = NULL;
    }
    fingerprint_bytes(&world->digest, &result.code, sizeof result.code);
    fingerprint_bytes(&world->digest, &result.key, sizeof result.key);
    fingerprint_text(&world->digest, result.message);
    return result;
}

static void tell_prepared(struct world *world, size_t index, const struct attempt_prepared *told)
{
    struct engine_event event = {
        .kind = ENGINE_PREPARED,
        .attempt = world->asked[index].ref,
        .prepared = *told,
    };
    world->asked[index] = world->asked[--world->asked_count];
    world_step(world, &event);
}

void world_prepare(struct world *world, size_t index, const char *commit)
{
    const struct attempt_prepared told = {.commit = commit, .root = "/files"};
    if (commit)
        tell_prepared(world, index, &told);
    else
        world_cannot_prepare(world, index, "Cannot start: it cannot be fetched");
}

void world_cannot_prepare(struct world *world, size_t index, const char *message)
{
    const struct attempt_prepared told = {.message = message};
    tell_prepared(world, index, &told);
}

void world_report(struct world *world, enum engine_event_kind kind, struct attempt_ref ref,
                  const struct attempt_outcome *outcome)
{
    struct engine_event event = {.kind = kind, .attempt = ref};
    if (outcome && kind == ENGINE_NEWS)
        event.news = (struct attempt_news){outcome->external_id, outcome->setup_ms};
    else if (outcome)
        event.outcome = *outcome;
    world_step(world, &event);
}
