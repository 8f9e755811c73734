#include "engine/simulate.h"

#include <string.h>

#include "base/heap.h"
#include "base/mem.h"
#include "engine/engine.h"

enum {
    QUEUE_MAX_MS = 48 * 3600 * 1000,
    GRACE_MS = 10000,
};

/* An attempt that runs; one at most of each task. */
struct simulated_end {
    struct heap_item item;
    struct attempt_ref ref;
    struct attempt_outcome outcome;
};

struct simulator {
    const struct simulation *request;
    struct arena *arena;
    struct engine *engine;
    struct effects effects;
    struct job_def *def; /* of the attempt of the run at hand; the simulator's reference */
    struct uuid run;
    struct simulated_attempt attempt;
    struct simulated_task *tasks;          /* by position, as of now */
    struct simulated_end *ends;            /* by position */
    const struct assumption **assumptions; /* by position, of the attempt at hand */
    int64_t *ended;                        /* by position: attempts that have ended, likewise */
    struct simulated_values values;
    struct heap heap;          /* of ends */
    struct attempt_ref *asked; /* whose files from git are asked for; one of each task */
    size_t asked_count;
    int64_t clock_ms; /* virtual */
    int64_t started;  /* tasks, in the attempt at hand */
    int64_t events;   /* in all */
};

/* ---- what the engine says ---- */

static const struct simulated_task blank_task = {
    .status = FIELD_UNSET,
    .order = FIELD_NULL,
    .start_ms = FIELD_NULL,
    .end_ms = FIELD_NULL,
    .outcome = FIELD_UNSET,
};

/* Of a repair that has begun: the engine's own, as planRepair would show it. What it plans is as if it had not been. */
static void note_plan(struct simulator *sim, const struct repair_plan *plan)
{
    struct plan_task *tasks = ARENA_ARRAY(sim->arena, plan->task_count, struct plan_task);
    for (uint32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *from = &plan->tasks[i];
        const char *task_key = sim->tasks[i].task_key; /* which outlives the repair's definition */
        const char **hazards = ARENA_ARRAY(sim->arena, from->hazard_count, const char *);
        for (size_t k = 0; k < from->hazard_count; k++)
            hazards[k] = arena_strdup(sim->arena, from->hazards[k]);
        tasks[i] = *from;
        tasks[i].task_key = task_key;
        tasks[i].reason = arena_strdup(sim->arena, from->reason);
        tasks[i].hazards = hazards;
        if (from->verdict == PLAN_KEEP)
            continue;
        sim->tasks[i] = blank_task;
        sim->tasks[i].task_key = task_key;
    }
    sim->attempt.plan = *plan;
    sim->attempt.plan.tasks = tasks;
}

static void note_move(struct simulator *sim, const struct event_row *event)
{
    if (event->type != EVENT_TASK_STATE || !event->task_key)
        return;
    struct simulated_task *task = &sim->tasks[job_def_find(sim->def, event->task_key)];
    if (event->to == STATE_RUNNING && task->start_ms == FIELD_NULL) {
        task->order = ++sim->started;
        task->start_ms = sim->clock_ms;
    }
    if (state_is_final(event->to) && task->start_ms != FIELD_NULL)
        task->end_ms = sim->clock_ms;
}

static void note_task(struct simulator *sim, const struct task_run_row *row)
{
    int64_t position = job_def_find(sim->def, row->task_key);
    struct simulated_task *task = &sim->tasks[position];
    const struct assumption *assumption = sim->assumptions[position];
    task->status = (int)row->state;
    task->attempts = row->attempts;
    task->outcome = row->outcome;
    bool is_decided = sim->def->tasks[position].type == TASK_IF_ELSE &&
                      (row->state == STATE_SUCCESS || row->state == STATE_FAILED);
    if (is_decided && assumption && assumption->outcome != ASSUMED_SUCCESS)
        task->reason = arena_printf(sim->arena, "Assumed: %s", assumed_names[assumption->outcome]);
    else if (is_decided && sim->values.undecided[position])
        task->reason = "Not known, since a value that it needs is not; taken as false";
    else
        task->reason = arena_strdup(sim->arena, row->message);
}

/* In the order in which the rows stand: objects as they are, then events. */
static void note_rows(struct simulator *sim)
{
    const struct row_batch *rows = &sim->effects.rows;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].kind == ROW_TASK_RUN)
            note_task(sim, rows->items[i].row);
        if (rows->items[i].kind == ROW_EVENT)
            note_move(sim, rows->items[i].row);
        if (rows->items[i].kind != ROW_RUN)
            continue;
        const struct run_row *run = rows->items[i].row;
        sim->attempt.status = (int)run->state;
        sim->attempt.reason = arena_strdup(sim->arena, run->message);
    }
}

/* ---- what becomes of attempts ---- */

static struct attempt_outcome outcome_of(int assumed)
{
    static const enum attempt_cause causes[ASSUMED_COUNT] = {
        [ASSUMED_SUCCESS] = CAUSE_EXITED,
        [ASSUMED_FAILED] = CAUSE_EXITED,
        [ASSUMED_TIMED_OUT] = CAUSE_TIMED_OUT,
        [ASSUMED_INTERNAL_ERROR] = CAUSE_CANNOT_START,
    };
    static const char *const messages[ASSUMED_COUNT] = {
        [ASSUMED_FAILED] = "Assumed: FAILED",
        [ASSUMED_TIMED_OUT] = "Assumed: TIMED_OUT",
        [ASSUMED_INTERNAL_ERROR] = "Assumed: INTERNAL_ERROR",
    };
    struct attempt_outcome outcome = outcome_unmeasured(causes[assumed], messages[assumed]);
    outcome.exit_code = assumed == ASSUMED_FAILED;
    return outcome;
}

static void begin_attempt(struct simulator *sim, const struct start_effect *start)
{
    int64_t position = job_def_find(sim->def, start->task->task_key);
    const struct assumption *assumption = sim->assumptions[position];
    bool ends_so = assumption && (!assumption->times || sim->ended[position] < assumption->times);
    int assumed = ends_so ? assumption->outcome : (int)ASSUMED_SUCCESS;
    int64_t takes_ms = assumption && assumption->duration_ms != FIELD_NULL ? assumption->duration_ms
                                                                           : SIMULATED_DURATION_MS;
    bool was_assumed = assumed == ASSUMED_TIMED_OUT;
    if (start->timeout_ms && (takes_ms > start->timeout_ms || assumed == ASSUMED_TIMED_OUT)) {
        takes_ms = start->timeout_ms;
        assumed = ASSUMED_TIMED_OUT;
    }
    struct simulated_end *end = &sim->ends[position];
    end->ref = (struct attempt_ref){start->task_run, start->attempt, start->epoch};
    end->outcome = outcome_of(assumed);
    if (assumed == ASSUMED_TIMED_OUT && !was_assumed)
        end->outcome.message = NULL; /* it would have taken too long */
    end->outcome.published = simulated_values_of(&sim->values, (uint32_t)position);
    heap_set(&sim->heap, &end->item, sim->clock_ms + takes_ms);
}

/* It obeys at once. */
static void stop_attempt(struct simulator *sim, const struct stop_effect *stop)
{
    for (uint32_t i = 0; i < sim->def->task_count; i++) {
        struct simulated_end *end = &sim->ends[i];
        if (!end->item.place || !uuid_equal(&end->ref.task_run, &stop->task_run))
            continue;
        end->outcome = outcome_unmeasured(CAUSE_STOPPED, NULL);
        heap_set(&sim->heap, &end->item, sim->clock_ms);
    }
}

/* The engine lets go of finished runs when it is told that its rows are safe. It is not told: a
 * repair may follow. */
static void step(struct simulator *sim, struct engine_event *event)
{
    struct effects *fx = &sim->effects;
    sim->events++;
    event->now_ms = sim->request->now_ms + sim->clock_ms;
    event->mono_ms = sim->clock_ms;
    event->seed = (uint64_t)sim->events;
    engine_step(sim->engine, event, fx);
    engine_collect(sim->engine, fx);
    if (fx->plan)
        note_plan(sim, fx->plan);
    note_rows(sim);
    for (size_t i = 0; i < fx->start_count; i++)
        begin_attempt(sim, &fx->starts[i]);
    for (size_t i = 0; i < fx->prepare_count; i++) {
        const struct prepare_effect *asked = &fx->prepares[i];
        sim->asked[sim->asked_count++] =
            (struct attempt_ref){asked->task_run, asked->attempt, asked->epoch};
    }
    for (size_t i = 0; i < fx->stop_count; i++)
        stop_attempt(sim, &fx->stops[i]);
    effects_clear(fx);
}

/* Files are there at once; which commit they are of plays no part. */
static void prepare_one(struct simulator *sim)
{
    struct engine_event event = {
        .kind = ENGINE_PREPARED,
        .attempt = sim->asked[--sim->asked_count],
        .prepared = {.commit = "0000000000000000000000000000000000000000", .root = ""},
    };
    step(sim, &event);
}

static enum err_code command(struct simulator *sim, struct command *command, struct uuid *ret_key,
                             struct err *err)
{
    struct command_result result = {.code = ERR_OK};
    struct engine_event event = {.kind = ENGINE_COMMAND, .command = command, .result = &result};
    command->principal = (struct principal){"simulation", "simulation"};
    step(sim, &event);
    if (result.code)
        return err_set(err, result.code, "%s", result.message);
    *ret_key = result.key;
    return ERR_OK;
}

static enum err_code check_effort(const struct simulator *sim, struct err *err)
{
    const struct simulation *request = sim->request;
    if (sim->events > SIMULATION_MAX_EVENTS)
        return err_set(err, ERR_LIMIT_EXCEEDED,
                       "the simulation has more than %d events; assume fewer failures or a smaller "
                       "definition",
                       SIMULATION_MAX_EVENTS);
    if (request->is_late && request->is_late(request->context))
        return err_set(err, ERR_LIMIT_EXCEEDED, "the simulation takes too long");
    return ERR_OK;
}

/* Until nothing happens any more. */
static enum err_code run_on(struct simulator *sim, struct err *err)
{
    enum err_code code = ERR_OK;
    while (!(code = check_effort(sim, err))) {
        if (sim->asked_count > 0) {
            prepare_one(sim);
            continue;
        }
        struct heap_item *first = heap_first(&sim->heap);
        int64_t end_ms = first ? first->deadline_ms : INT64_MAX;
        int64_t deadline_ms = engine_next_deadline(sim->engine);
        int64_t next_ms = end_ms < deadline_ms ? end_ms : deadline_ms;
        if (next_ms == INT64_MAX)
            break;
        if (next_ms > sim->clock_ms)
            sim->clock_ms = next_ms;
        struct engine_event event = {.kind = ENGINE_TIMER};
        if (end_ms <= deadline_ms) { /* what ends as its time is up has ended */
            heap_remove(&sim->heap, first);
            struct simulated_end *end = CONTAINER_OF(first, struct simulated_end, item);
            sim->ended[end - sim->ends]++;
            event = (struct engine_event){
                .kind = ENGINE_OUTCOME, .attempt = end->ref, .outcome = end->outcome};
        }
        step(sim, &event);
    }
    return code;
}

/* ---- attempts of the run ---- */

static enum err_code assume(struct simulator *sim, const struct field_list *assumptions,
                            int64_t repair, struct job_def **ret, struct err *err)
{
    uint32_t count = sim->request->def->task_count;
    struct job_def *def;
    const char *where =
        repair ? arena_printf(sim->arena, "repairs[%lld].assumptions", (long long)repair - 1)
               : "assumptions";
    enum err_code code =
        simulate_assume(sim->request->def, assumptions, where, repair + 1, &sim->values, &def, err);
    if (code)
        return code;
    memset(sim->assumptions, 0, count * sizeof(void *));
    memset(sim->ended, 0, count * sizeof *sim->ended);
    const struct assumption *items = assumptions->items;
    for (size_t i = 0; i < assumptions->count; i++)
        sim->assumptions[job_def_find(def, items[i].task_key)] = &items[i];
    *ret = def;
    return ERR_OK;
}

static void keep_attempt(struct simulator *sim, struct simulation_result *result)
{
    uint32_t count = sim->def->task_count;
    struct simulated_task *tasks = ARENA_ARRAY(sim->arena, count, struct simulated_task);
    if (count)
        memcpy(tasks, sim->tasks, count * sizeof *tasks);
    for (uint32_t i = 0; i < count; i++)
        tasks[i].unknown_values = simulated_values_unknown(&sim->values, i);
    sim->attempt.end_ms = sim->clock_ms;
    sim->attempt.tasks = (struct field_list){tasks, count};
    result->attempts[result->count++] = sim->attempt;
}

static enum err_code run_original(struct simulator *sim, struct err *err)
{
    struct uuid job;
    enum err_code code = assume(sim, &sim->request->assumptions, 0, &sim->def, err);
    if (code)
        return code;
    struct command create = {.kind = COMMAND_JOB_CREATE, .def = sim->def};
    code = command(sim, &create, &job, err);
    if (code)
        return code;
    struct command start = {.kind = COMMAND_RUN_CREATE, .key = job};
    start.run =
        (struct run_request){.parameters = sim->request->parameters, .queue_enabled = FIELD_UNSET};
    code = command(sim, &start, &sim->run, err);
    return code ? code : run_on(sim, err);
}

static void begin_attempt_of_run(struct simulator *sim, int64_t number)
{
    sim->started = 0;
    sim->attempt = (struct simulated_attempt){
        .number = number, .status = sim->attempt.status, .start_ms = sim->clock_ms};
    for (uint32_t i = 0; i < sim->request->def->task_count; i++)
        sim->tasks[i].order = FIELD_NULL;
}

/* Assumptions hold for one attempt of the run: it gets a definition of its own. */
static enum err_code run_repair(struct simulator *sim, const struct simulated_repair *repair,
                                int64_t number, struct err *err)
{
    struct job_def *def;
    struct uuid ignored;
    begin_attempt_of_run(sim, number);
    enum err_code code = assume(sim, &repair->assumptions, number, &def, err);
    if (code)
        return code;
    job_def_unref(sim->def);
    sim->def = def;
    struct command again = {.kind = COMMAND_RUN_REPAIR, .key = sim->run, .def = def};
    again.repair = repair->request;
    again.repair.definition = DEFINITION_VERSION;
    again.repair.definition_version = def->version;
    code = command(sim, &again, &ignored, err);
    if (code) {
        const struct err detail = *err;
        return err_set(err, code, "repairs[%lld]: %.400s", (long long)number - 1, detail.message);
    }
    return run_on(sim, err);
}

/* ---- all of it ---- */

static enum err_code check_size(const struct simulation *request, struct err *err)
{
    size_t bytes = strlen(request->def->json);
    for (size_t i = 0; i < request->parameters.count; i++)
        bytes += strlen(request->parameters.items[i].value);
    if (bytes <= SIMULATION_MAX_BYTES)
        return ERR_OK;
    return err_set(err, ERR_LIMIT_EXCEEDED,
                   "definition and parameters are more than %d MiB: too large to be simulated",
                   SIMULATION_MAX_BYTES >> 20);
}

static enum err_code run_all(struct simulator *sim, struct simulation_result *result,
                             struct err *err)
{
    const struct simulated_repair *repairs = sim->request->repairs.items;
    enum err_code code = run_original(sim, err);
    for (size_t i = 0; !code; i++) {
        keep_attempt(sim, result);
        if (i == sim->request->repairs.count)
            break;
        code = run_repair(sim, &repairs[i], (int64_t)i + 1, err);
    }
    return code;
}

/* Which there are is known to the server alone. */
static const char *any_variable(void *context, const char *name)
{
    (void)context;
    (void)name;
    return "";
}

enum err_code simulate(const struct simulation *request, struct arena *arena,
                       struct simulation_result *ret, struct err *err)
{
    if (check_size(request, err))
        return err->code;
    uint32_t count = request->def->task_count;
    const struct engine_config config = {
        .workspace = {.id = 1, .key = request->workspace, .epoch = 1, .last_ms = request->now_ms},
        .hub_region = request->hub_region,
        .host = "simulation",
        .max_running = SIMULATION_SLOTS,
        .grace_ms = GRACE_MS,
        .queue_max_ms = QUEUE_MAX_MS,
        .variable = any_variable,
    };
    struct simulator sim = {
        .request = request,
        .arena = arena,
        .engine = engine_new(&config),
        .tasks = ARENA_ARRAY(arena, count, struct simulated_task),
        .ends = ARENA_ARRAY(arena, count, struct simulated_end),
        .assumptions = ARENA_ARRAY(arena, count, const struct assumption *),
        .ended = ARENA_ARRAY(arena, count, int64_t),
        .asked = ARENA_ARRAY(arena, count, struct attempt_ref),
        .attempt = {.status = FIELD_UNSET},
    };
    struct simulation_result result = {
        .attempts = ARENA_ARRAY(arena, request->repairs.count + 1, struct simulated_attempt)};
    simulated_values_init(&sim.values, request->def, arena);
    heap_init(&sim.heap);
    effects_init(&sim.effects);
    for (uint32_t i = 0; i < count; i++) {
        sim.tasks[i] = blank_task;
        sim.tasks[i].task_key = request->def->tasks[i].task_key;
    }
    enum err_code code = run_all(&sim, &result, err);
    engine_free(sim.engine);
    effects_release(&sim.effects);
    heap_release(&sim.heap);
    simulated_values_release(&sim.values);
    job_def_unref(sim.def);
    if (!code)
        *ret = result;
    return code;
}
