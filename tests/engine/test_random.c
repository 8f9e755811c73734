/*
 * Random worlds: several jobs with caps and queues, random definitions, users who submit, cancel,
 * repair, change and delete, attempts that succeed, fail, time out, get lost or never start, a clock
 * that jumps, commits that fail, servers that crash. A safety phase, then the faults stop and all that
 * is open must finish within a bound.
 *
 * After every step and every batch the harness and its book check what is true in every world. A
 * failure prints its seed: REPRISE_TEST_SEED=n repeats that world, REPRISE_TEST_LONG lets it run on.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/enumerate.h"
#include "engine/fast.h"
#include "engine/harness.h"

enum {
    WORLDS = 2500,
    LONG_WORLDS = 30000,
    STEPS = 250,
    JOBS_MAX = 4,
    RUNS_MAX = 40,
    CALM_STEPS = 5000,
    MINUTE_MS = 60000
};

struct user_job {
    struct uuid key;
    struct law_dag dag;
    bool is_deleted;
};

struct seen;

struct stage {
    struct world *world;
    struct dice dice;
    struct user_job jobs[JOBS_MAX];
    size_t job_count;
    struct uuid runs[RUNS_MAX];
    size_t run_count;
    bool is_calm; /* no more faults, no more wishes */
    struct seen *seen;
};

/* Over all worlds: to show that they see much. */
struct seen {
    size_t steps, crashes, starts, accepted, refused;
    size_t children, repaired; /* child runs, those of them that were repaired */
    size_t suspended;          /* at the end of a world */
    size_t moved[STATE_COUNT]; /* events of runs, by state */
};

static uint32_t roll(struct stage *stage, uint32_t below)
{
    return dice_below(&stage->dice, below);
}

static bool one_in(struct stage *stage, uint32_t n)
{
    return roll(stage, n) == 0;
}

/* ---- definitions ---- */

static struct user_job *some_job(struct stage *stage);

/* Some tasks run other jobs instead; which may be refused: a cycle, a job that is gone. */
static const char *with_children(struct stage *stage, const char *text)
{
    static const char file[] = "\"type\":\"PYTHON_TASK\",\"filePath\":\"t.py\"";
    struct arena *arena = &stage->world->arena;
    char key[UUID_TEXT];
    const char *place;
    for (size_t from = 0; (place = strstr(text + from, file));) {
        const struct user_job *job = some_job(stage);
        const char *type = file;
        if (job && one_in(stage, 4))
            type = arena_printf(
                arena,
                "\"type\":\"JOB_TASK\",\"jobKey\":\"%s\",\"timeoutSeconds\":%u,\"maxRetries\":%u",
                uuid_format(&job->key, key), one_in(stage, 4) ? 90 : 0, roll(stage, 2));
        from = (size_t)(place - text) + strlen(type);
        text =
            arena_printf(arena, "%.*s%s%s", (int)(place - text), text, type, place + strlen(file));
    }
    return text;
}

/* And some failures mean more than others. */
static const char *with_policies(struct stage *stage, const char *text)
{
    static const char key[] = "{\"taskKey\":\"t";
    struct arena *arena = &stage->world->arena;
    const char *place;
    for (size_t from = 0; (place = strstr(text + from, key));) {
        const char *more = key;
        if (one_in(stage, 4) && strncmp(place + strlen(key) + 1, "\",\"runIf", 8) == 0)
            more = arena_printf(arena, "{\"x-failPolicy\":\"%s\",%s",
                                fail_policy_names[roll(stage, POLICY_COUNT)], key + 1);
        from = (size_t)(place - text) + strlen(more);
        text =
            arena_printf(arena, "%.*s%s%s", (int)(place - text), text, more, place + strlen(key));
    }
    return text;
}

/* The definition of fast_json with job and task settings thrown in. */
static const char *random_json(struct stage *stage, const struct law_dag *dag)
{
    struct arena *arena = &stage->world->arena;
    const char *json = fast_json(dag, arena);
    static const char cap[] = "\"maxConcurrentRuns\":10";
    const char *settings = arena_printf(
        arena, "\"maxConcurrentRuns\":%u,\"queue\":{\"isEnabled\":%s},\"timeoutSeconds\":%u",
        roll(stage, 4), one_in(stage, 3) ? "false" : "true", one_in(stage, 4) ? 600 : 0);
    const char *place = strstr(json, cap);
    const char *text =
        arena_printf(arena, "%.*s%s%s", (int)(place - json), json, settings, place + strlen(cap));
    static const char file[] = "\"filePath\":\"t.py\"";
    if (stage->job_count && one_in(stage, 2))
        text = with_children(stage, text);
    if (one_in(stage, 3))
        text = with_policies(stage, text);
    for (size_t from = 0; (place = strstr(text + from, file));) {
        const char *more = arena_printf(
            arena, "%s,\"maxRetries\":%u,\"minRetryIntervalMillis\":%u,\"isRetryOnTimeout\":%s",
            file, roll(stage, 3), one_in(stage, 3) ? roll(stage, 2) * MINUTE_MS : 0,
            one_in(stage, 2) ? "true" : "false");
        from = (size_t)(place - text) + strlen(more);
        text =
            arena_printf(arena, "%.*s%s%s", (int)(place - text), text, more, place + strlen(file));
    }
    return text;
}

/* ---- users ---- */

static struct user_job *some_job(struct stage *stage)
{
    return stage->job_count ? &stage->jobs[roll(stage, (uint32_t)stage->job_count)] : NULL;
}

/* One that was asked for, or any that there is: a child, too. */
static const struct uuid *some_run(struct stage *stage)
{
    const struct book *book = &stage->world->book;
    if (book->run_count && one_in(stage, 3))
        return &book->runs[roll(stage, (uint32_t)book->run_count)]->row.key;
    return stage->run_count ? &stage->runs[roll(stage, (uint32_t)stage->run_count)] : NULL;
}

static void count(struct stage *stage, struct command_result result)
{
    static const enum err_code expected[] = {ERR_OK, ERR_INCORRECT_STATE,
                                             ERR_NOT_AUTHORIZED_OR_NOT_FOUND};
    if (result.code == ERR_INVALID_PARAMETER && strstr(result.message, ".jobKey names "))
        return;
    stage->seen->accepted += result.code == ERR_OK;
    stage->seen->refused += result.code != ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        if (result.code == expected[i])
            return;
    broken("a user is told %s: %s", err_code_text(result.code), result.message);
}

static void make_job(struct stage *stage)
{
    if (stage->job_count == JOBS_MAX)
        return;
    struct user_job *job = &stage->jobs[stage->job_count];
    *job = (struct user_job){.is_deleted = false};
    dice_dag(&stage->dice, 1 + (int)roll(stage, 5), &job->dag);
    struct command command = {.kind = COMMAND_JOB_CREATE};
    command.def = world_parse(stage->world, random_json(stage, &job->dag));
    struct command_result result = world_command(stage->world, &command);
    job_def_unref(command.def);
    count(stage, result);
    job->key = result.key;
    stage->job_count += book_job(&stage->world->book, &job->key) != NULL;
}

static void change_job(struct stage *stage)
{
    struct user_job *job = some_job(stage);
    if (!job)
        return;
    struct law_dag dag;
    dice_dag(&stage->dice, 1 + (int)roll(stage, 5), &dag);
    const char *json = random_json(stage, &dag);
    int64_t version = book_job(&stage->world->book, &job->key)->row.version;
    struct command_result result = world_update_job(stage->world, &job->key, json, NULL);
    count(stage, result);
    if (book_job(&stage->world->book, &job->key)->row.version > version)
        job->dag = dag;
}

static struct param_list random_params(struct stage *stage, const struct law_dag *dag)
{
    struct law_end ends[LAW_TASKS];
    dice_ends(&stage->dice, dag, false, ends);
    return fast_params(dag, ends, &stage->world->arena);
}

static void submit(struct stage *stage)
{
    struct user_job *job = some_job(stage);
    if (!job || stage->run_count == RUNS_MAX)
        return;
    struct run_request request = {.queue_enabled = FIELD_UNSET};
    request.parameters = random_params(stage, &job->dag);
    if (one_in(stage, 4))
        request.queue_enabled = one_in(stage, 2);
    struct command_result result = world_try_submit(stage->world, &job->key, &request);
    count(stage, result);
    if (result.code == ERR_OK && book_run(&stage->world->book, &result.key))
        stage->runs[stage->run_count++] = result.key;
}

static void repair(struct stage *stage)
{
    static const char *const keys[] = {"t0", "t1", "t2", "t3", "t4"};
    const struct uuid *run = some_run(stage);
    const struct booked_run *booked = run ? book_run(&stage->world->book, run) : NULL;
    if (!booked)
        return;
    const char *named[5];
    struct command command = {.kind = COMMAND_RUN_REPAIR, .key = *run};
    command.repair.task_keys = named;
    for (size_t i = 0; i < 5 && one_in(stage, 2); i++)
        if (booked_task_of(booked, keys[i]))
            named[command.repair.task_key_count++] = keys[i];
    command.repair.mode = (int)roll(stage, 3) - 1;
    struct user_job *job = some_job(stage);
    command.repair.parameters = random_params(stage, &job->dag);
    int64_t version = booked->row.version;
    bool final = state_is_final(booked->row.state);
    struct command_result result = world_command(stage->world, &command);
    count(stage, result);
    if (result.code == ERR_OK && !final)
        broken("a run that was not final is repaired");
    if (result.code != ERR_OK && book_run(&stage->world->book, run)->row.version != version)
        broken("a refused repair left its mark");
}

static void cancel_or_delete(struct stage *stage)
{
    const struct uuid *run = some_run(stage);
    if (!run)
        return;
    enum command_kind kind = one_in(stage, 3) ? COMMAND_RUN_DELETE : COMMAND_RUN_CANCEL;
    count(stage, world_on_run(stage->world, kind, run, NULL));
}

static void cancel_runs(struct stage *stage)
{
    struct user_job *job = some_job(stage);
    struct command command = {.kind = COMMAND_JOB_CANCEL_RUNS};
    if (!job)
        return;
    command.key = job->key;
    count(stage, world_command(stage->world, &command));
}

static void delete_job(struct stage *stage)
{
    struct user_job *job = some_job(stage);
    if (!job || job->is_deleted)
        return;
    count(stage, world_delete_job(stage->world, &job->key, NULL));
    job->is_deleted = book_job(&stage->world->book, &job->key)->row.deleted_ms != FIELD_NULL;
}

/* ---- attempts ---- */

/* An outcome is accepted once, if its commit is; else it is reported again, as recovery does. */
static void end_one(struct stage *stage)
{
    struct world *world = stage->world;
    if (world->running_count == 0)
        return;
    struct running *one = &world->running[roll(stage, (uint32_t)world->running_count)];
    struct running was = *one;
    uint32_t kind = roll(stage, stage->is_calm ? 2 : 8);
    struct attempt_outcome outcome = {.ended_ms = world->now_ms, .error_trace = "trace"};
    outcome.cause = kind == 2   ? (int)CAUSE_TIMED_OUT
                    : kind == 3 ? (int)CAUSE_EXEC_FAILED
                    : kind == 4 ? (int)CAUSE_SIGNALED
                                : (int)CAUSE_EXITED;
    outcome.exit_code = kind == 1;
    *one = world->running[--world->running_count];
    enum commit_fate fate = world->fate;
    if (fate == COMMIT_FAILED) /* it is not out there, and the rows will say that it is */
        world->running[world->running_count++] = was;
    world_report(world, kind == 5 ? ENGINE_LOST : ENGINE_OUTCOME, was.ref, &outcome);
    if (fate != COMMIT_FAILED && one_in(stage, 5)) {
        int64_t last = world->book.last_event;
        world_report(world, ENGINE_OUTCOME, was.ref, &outcome);
        if (world->book.last_event != last)
            broken("an outcome was accepted twice");
    }
}

/* ---- the world ---- */

static void fault(struct stage *stage)
{
    struct world *world = stage->world;
    switch (roll(stage, 7)) {
    case 0:
        world->fate = COMMIT_FAILED;
        break;
    case 1:
        world->fate = COMMIT_UNANSWERED;
        break;
    case 2:
        world_crash(world);
        break;
    case 3:
        if (world->running_count)
            world->running[roll(stage, (uint32_t)world->running_count)].never_started = true;
        world_crash(world);
        break;
    case 4:
        world_reboot(world);
        break;
    case 5: /* a server that is asked to end, and takes its time */
        world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
        for (uint32_t i = roll(stage, 6); i > 0; i--)
            end_one(stage);
        world_crash(world);
        break;
    default:
        world_set_clock(world, world->now_ms + ((int64_t)roll(stage, 20) - 10) * MINUTE_MS);
    }
}

static void pass_time(struct stage *stage)
{
    static const int64_t spans[] = {1, 1000, MINUTE_MS, 20LL * MINUTE_MS, 50LL * 60 * MINUTE_MS};
    world_advance(stage->world, spans[roll(stage, one_in(stage, 5) ? 5 : 3)]);
}

static void wish(struct stage *stage)
{
    uint32_t what = roll(stage, 20);
    if (what < 2)
        make_job(stage);
    else if (what < 3)
        change_job(stage);
    else if (what < 10)
        submit(stage);
    else if (what < 15)
        repair(stage);
    else if (what < 19)
        cancel_or_delete(stage);
    else if (one_in(stage, 2))
        cancel_runs(stage);
    else
        delete_job(stage);
}

static size_t open_runs(const struct world *world)
{
    size_t open = 0;
    for (size_t i = 0; i < world->book.run_count; i++)
        open += !state_is_final(world->book.runs[i]->row.state);
    return open;
}

/* A suspended run waits for somebody to cancel it. */
static bool cancel_suspended(struct stage *stage)
{
    const struct book *book = &stage->world->book;
    for (size_t i = 0; i < book->run_count; i++) {
        const struct run_row *row = &book->runs[i]->row;
        if (!row->is_suspended || row->state == STATE_CANCELING)
            continue;
        stage->seen->suspended++;
        const struct uuid key = row->key;
        count(stage, world_on_run(stage->world, COMMAND_RUN_CANCEL, &key, NULL));
        return true;
    }
    return false;
}

/* What waits for a cap of 0 waits for its 48 hours; everything else goes by itself. */
static void calm_down(struct stage *stage)
{
    struct world *world = stage->world;
    stage->is_calm = true;
    world->fate = COMMIT_OK;
    int steps = 0;
    for (; open_runs(world) > 0 && steps < CALM_STEPS; steps++) {
        if (world->running_count)
            end_one(stage);
        else if (!cancel_suspended(stage))
            world_advance(world, 60LL * MINUTE_MS);
    }
    if (open_runs(world) > 0)
        broken("%zu runs are still open after %d calm steps", open_runs(world), steps);
    if (world->running_count)
        broken("attempts outlive their runs");
    if (engine_attempt_count(world->engine) != 0)
        broken("the engine holds attempts of nobody");
}

static void look_back(const struct stage *stage)
{
    const struct world *world = stage->world;
    stage->seen->steps += world->steps;
    stage->seen->crashes += world->crashes;
    stage->seen->starts += world->start_count;
    for (size_t r = 0; r < world->book.run_count; r++) {
        const struct booked_run *run = world->book.runs[r];
        stage->seen->children += !uuid_is_nil(&run->row.parent_run);
        stage->seen->repaired += !uuid_is_nil(&run->row.parent_run) && run->row.repair_number > 0;
        for (size_t e = 0; e < run->event_count; e++)
            if (run->events[e].type == EVENT_RUN_STATE)
                stage->seen->moved[run->events[e].to]++;
    }
}

static void one_world(uint64_t seed, struct seen *seen)
{
    struct stage stage = {.dice = {.state = mix64(seed)}, .seen = seen};
    broken_context("REPRISE_TEST_SEED=%llu", (unsigned long long)seed);
    stage.world = world_new(seed % 10 == 0);
    world_limit(stage.world, roll(&stage, 5)); /* 0: no limit */
    make_job(&stage);
    for (int i = 0; i < STEPS; i++) {
        uint32_t what = roll(&stage, 16);
        if (what == 0)
            fault(&stage);
        else if (what < 3)
            pass_time(&stage);
        else if (what < 9)
            wish(&stage);
        else
            end_one(&stage);
    }
    calm_down(&stage);
    look_back(&stage);
    world_free(stage.world);
}

static void random_worlds(void **state)
{
    (void)state;
    struct seen seen = {0};
    const char *seed = getenv("REPRISE_TEST_SEED");
    const char *how_long = getenv("REPRISE_TEST_LONG");
    if (seed) {
        one_world(strtoull(seed, NULL, 10), &seen);
        return;
    }
    uint64_t worlds = how_long && *how_long ? LONG_WORLDS : WORLDS;
    for (uint64_t i = 1; i <= worlds; i++)
        one_world(i, &seen);
    print_message("%llu worlds, %zu steps, %zu crashes, %zu attempts, %zu commands accepted, "
                  "%zu refused, %zu children, %zu of them repaired, %zu suspended at the end\n",
                  (unsigned long long)worlds, seen.steps, seen.crashes, seen.starts, seen.accepted,
                  seen.refused, seen.children, seen.repaired, seen.suspended);
    for (int s = 0; s < STATE_COUNT; s++)
        if (seen.moved[s])
            print_message("  runs that became %s: %zu\n", state_names[s], seen.moved[s]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
