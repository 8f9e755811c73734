/* Objects of the engine: how they are made, loaded from rows, and let go. */
#include <assert.h>
#include <stdlib.h>

#include "engine/internal.h"
#include "model/cluster.h"

/* The engine owns the strings of its rows: duplicated here, replaced by set_text. */
static void own(const char **slot)
{
    *slot = *slot ? xstrdup(*slot) : NULL;
}

/* ---- jobs ---- */

#define JOB_STRINGS(row)                                                                     \
    {                                                                                        \
        &(row)->name, &(row)->path, &(row)->description, &(row)->run_as, &(row)->created_by, \
            &(row)->created_by_name, &(row)->updated_by, &(row)->updated_by_name,            \
            &(row)->cancel_by                                                                \
    }

void job_set_def(struct engine *engine, struct ejob *job, struct job_def *def)
{
    engine->def_bytes += def->arena.used - job->def_bytes;
    job->def_bytes = def->arena.used;
    job_def_ref(def);
    job_def_unref(job->def);
    job->def = def;
}

struct ejob *job_new(struct engine *engine, const struct job_row *row, struct job_def *def)
{
    struct ejob *job = xcalloc(1, sizeof *job);
    job->row = *row;
    const char **strings[] = JOB_STRINGS(&job->row);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        own(strings[i]);
    job->tracked = (struct tracked){.kind = ROW_JOB, .row = &job->row};
    job_set_def(engine, job, def);
    job->used = engine->step;
    list_init(&job->holders);
    list_init(&job->repairs.runs);
    list_init(&job->queue.runs);
    list_init(&job->held.runs);
    list_init(&job->runs);
    uuid_map_put(&engine->jobs, &job->row.key, job);
    return job;
}

void engine_add_job(struct engine *engine, const struct job_row *row, struct job_def *def)
{
    struct ejob *job = job_new(engine, row, def);
    job->tracked.is_stored = true;
    if (row->cancel_number != FIELD_NULL)
        list_append(&engine->sweeps, &job->sweep);
}

void job_free(struct engine *engine, struct ejob *job)
{
    assert(job->run_count == 0);
    const char **strings[] = JOB_STRINGS(&job->row);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        set_text(engine, strings[i], NULL);
    alarm_release_idle(engine, &job->row.key);
    list_remove(&job->tracked.link);
    list_remove(&job->freed);
    list_remove(&job->sweep);
    uuid_map_remove(&engine->jobs, &job->row.key);
    engine->def_bytes -= job->def_bytes;
    job_def_unref(job->def);
    free(job);
}

/* ---- runs ---- */

#define RUN_STRINGS(row)                                                                   \
    {                                                                                      \
        &(row)->job_name, &(row)->created_by, &(row)->created_by_name, &(row)->parameters, \
            &(row)->queue, &(row)->schedule, &(row)->message, &(row)->error_trace          \
    }

#define REPAIR_STRINGS(row)                                                                \
    {                                                                                      \
        &(row)->parameters, &(row)->unified, &(row)->plan, &(row)->created_by,             \
            &(row)->created_by_name, &(row)->message, &(row)->error_trace, &(row)->commits \
    }

#define TASK_STRINGS(row)                                                             \
    {                                                                                 \
        &(row)->message, &(row)->error_trace, &(row)->error_code, &(row)->parameters, \
            &(row)->published, &(row)->git_commit, &(row)->canceled_by                \
    }

void run_own_strings(struct erun *run)
{
    const char **strings[] = RUN_STRINGS(&run->row);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        own(strings[i]);
}

void repair_own_strings(struct erun *run)
{
    const char **strings[] = REPAIR_STRINGS(&run->repair);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        own(strings[i]);
}

void repair_drop_strings(struct engine *engine, struct erun *run)
{
    const char **strings[] = REPAIR_STRINGS(&run->repair);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        set_text(engine, strings[i], NULL);
}

static void task_begin(struct erun *run, struct etask *task, uint32_t position)
{
    task->run = run;
    task->position = position;
    task->row.outcome = FIELD_UNSET;
}

struct erun *run_new(struct engine *engine, struct ejob *job, struct job_def *def)
{
    struct erun *run = xcalloc(1, sizeof *run);
    run->job = job;
    run->def = job_def_ref(def);
    run->tasks = xcalloc(def->task_count, sizeof *run->tasks);
    run->tracked = (struct tracked){.kind = ROW_RUN, .row = &run->row};
    run->repair_tracked = (struct tracked){.kind = ROW_REPAIR, .row = &run->repair};
    list_init(&run->ready);
    arena_init(&run->arena);
    str_map_init(&run->gone);
    for (uint32_t i = 0; i < def->task_count; i++)
        task_begin(run, &run->tasks[i], i);
    list_append(&job->runs, &run->in_job);
    job->run_count++;
    job->used = engine->step;
    return run;
}

void task_forget(struct engine *engine, struct etask *task)
{
    if (!task->has_row)
        return;
    uuid_map_remove(&engine->tasks, &task->row.key);
    const char **strings[] = TASK_STRINGS(&task->row);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        set_text(engine, strings[i], NULL);
    if (task->attempt) {
        set_text(engine, &task->attempt->message, NULL);
        set_text(engine, &task->attempt->error_trace, NULL);
        set_text(engine, &task->attempt->external_id, NULL);
        free(task->attempt);
        task->attempt = NULL;
    }
    heap_remove(&engine->deadlines, &task->timer.item);
    list_remove(&task->tracked.link);
    list_remove(&task->ready);
    list_remove(&task->settled);
    task->has_row = false;
}

/* Started attempts of a task that the run's definition has no more. */
static int64_t *gone_executions(struct erun *run, const char *task_key)
{
    int64_t *count = str_map_get(&run->gone, task_key);
    if (!count) {
        count = ARENA_NEW(&run->arena, int64_t);
        str_map_add(&run->gone, arena_strdup(&run->arena, task_key), count);
    }
    return count;
}

/* The task run of `from` goes over to `to`, its place in another definition. */
static void task_carry_over(struct engine *engine, const struct etask *from, struct etask *to)
{
    uint32_t position = to->position;
    *to = *from;
    to->position = position;
    if (!to->has_row)
        return;
    to->row.task_key = to->run->def->tasks[position].task_key;
    to->tracked.row = &to->row;
    uuid_map_put(&engine->tasks, &to->row.key, to);
}

void run_redefine(struct engine *engine, struct erun *run, struct job_def *def)
{
    struct job_def *old_def = run->def;
    struct etask *old = run->tasks;
    if (old_def == def)
        return;
    run->def = job_def_ref(def);
    run->tasks = xcalloc(def->task_count, sizeof *run->tasks);
    for (uint32_t i = 0; i < def->task_count; i++) {
        const char *key = def->tasks[i].task_key;
        int64_t position = job_def_find(old_def, key);
        task_begin(run, &run->tasks[i], i);
        if (position >= 0) {
            task_carry_over(engine, &old[position], &run->tasks[i]);
        } else {
            int64_t *executions = gone_executions(run, key);
            run->tasks[i].prior_executions = *executions;
            *executions = 0;
        }
    }
    for (uint32_t i = 0; i < old_def->task_count; i++) {
        const char *key = old_def->tasks[i].task_key;
        if (job_def_find(def, key) >= 0)
            continue;
        int64_t started = old[i].has_row ? old[i].row.attempts : 0;
        *gone_executions(run, key) += old[i].prior_executions + started;
        task_forget(engine, &old[i]);
    }
    free(old);
    GROW(engine->retired, engine->retired_count, engine->retired_cap);
    engine->retired[engine->retired_count++] = old_def;
}

void run_free(struct engine *engine, struct erun *run)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        task_forget(engine, &run->tasks[i]);
    const char **strings[] = RUN_STRINGS(&run->row);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        set_text(engine, strings[i], NULL);
    repair_drop_strings(engine, run);
    heap_remove(&engine->deadlines, &run->deadline.item);
    list_remove(&run->tracked.link);
    list_remove(&run->repair_tracked.link);
    if (run->hold)
        hold_end(engine, run);
    list_remove(&run->of_job);
    list_remove(&run->in_job);
    list_remove(&run->turn);
    list_remove(&run->ending);
    list_remove(&run->done);
    list_remove(&run->ended);
    list_remove(&run->maintenance);
    uuid_map_remove(&engine->runs, &run->row.key);
    run->job->run_count--;
    str_map_release(&run->gone);
    arena_release(&run->arena);
    job_def_unref(run->def);
    free(run->tasks);
    free(run);
}

/* ---- loading ---- */

/* A wall clock that went back while the server was down makes no wait longer than it ever was. */
static int64_t at_most(int64_t left_ms, int64_t whole_ms)
{
    return left_ms < whole_ms ? left_ms : whole_ms;
}

/* How long ago that was, on the clock of deadlines; none of it if the wall clock went back. */
static int64_t ms_since(int64_t past_ms, int64_t now_ms)
{
    return past_ms == FIELD_NULL || past_ms > now_ms ? 0 : now_ms - past_ms;
}

static const struct attempt_times no_times = {
    .start_ms = FIELD_NULL,
    .end_ms = FIELD_NULL,
    .setup_start_ms = FIELD_NULL,
    .setup_ms = FIELD_NULL,
    .execution_ms = FIELD_NULL,
    .cleanup_ms = FIELD_NULL,
};

static void load_attempts(struct engine *engine, struct erun *run, const struct run_image *image)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        run->tasks[i].before = no_times;
    for (size_t i = 0; i < image->attempt_count; i++) {
        const struct attempt_row *row = &image->attempts[i];
        struct etask *task = uuid_map_get(&engine->tasks, &row->task_run);
        if (!task || task->run != run)
            continue;
        task->retries_used += row->budget == BUDGET_RETRIES;
        task->lost_used += row->budget == BUDGET_LOST;
        if (task->attempt)
            task->before = times_of_attempt(task->attempt);
        else
            task->attempt = xcalloc(1, sizeof *task->attempt);
        set_text(engine, &task->attempt->message, NULL);
        set_text(engine, &task->attempt->error_trace, NULL);
        set_text(engine, &task->attempt->external_id, NULL);
        *task->attempt = *row;
        own(&task->attempt->message);
        own(&task->attempt->error_trace);
        own(&task->attempt->external_id);
        if (row->host)
            task->attempt->host = engine->config.host;
        task->number_is_free = row->start_ms == FIELD_NULL;
    }
}

static void load_tasks(struct engine *engine, struct erun *run, const struct run_image *image,
                       struct arena *arena)
{
    uint32_t count = run->def->task_count;
    const struct task_run_row **map = ARENA_ARRAY(arena, count, const struct task_run_row *);
    run_image_map(image, run->def, image->run.repair_number, map);
    for (uint32_t i = 0; i < count; i++) {
        struct etask *task = &run->tasks[i];
        if (!map[i])
            continue;
        task->has_row = true;
        task->row = *map[i];
        task->row.task_key = run->def->tasks[i].task_key;
        const char **strings[] = TASK_STRINGS(&task->row);
        for (size_t s = 0; s < ARRAY_LEN(strings); s++)
            own(strings[s]);
        task->tracked =
            (struct tracked){.kind = ROW_TASK_RUN, .row = &task->row, .is_stored = true};
        uuid_map_put(&engine->tasks, &task->row.key, task);
    }
    for (size_t i = 0; i < image->task_run_count; i++) {
        const struct task_run_row *row = &image->task_runs[i];
        int64_t position = job_def_find(run->def, row->task_key);
        if (position < 0)
            *gone_executions(run, row->task_key) += row->attempts;
        else if (row != map[position])
            run->tasks[position].prior_executions += row->attempts;
    }
    load_attempts(engine, run, image);
}

static void load_task_timeout(struct engine *engine, struct etask *task, int64_t now_ms,
                              int64_t mono_ms)
{
    int64_t timeout_s = task_def_of(task)->timeout_s;
    if (timeout_s <= 0) /* FIELD_NULL too */
        return;
    assert(task->attempt);
    int64_t left_ms = timeout_s * 1000 - ms_since(task->attempt->start_ms, now_ms);
    task->timer.kind = DEADLINE_TASK_TIMEOUT;
    heap_set(&engine->deadlines, &task->timer.item, mono_ms + (left_ms > 0 ? left_ms : 0));
}

/* Deadlines that were set before the server went down go on. */
static void load_deadlines(struct engine *engine, struct erun *run, int64_t now_ms, int64_t mono_ms)
{
    enum state state = run->row.state;
    if (state == STATE_QUEUED) {
        run->deadline.kind = DEADLINE_QUEUE;
        heap_set(&engine->deadlines, &run->deadline.item,
                 mono_ms + at_most(run->row.queued_ms + engine->config.queue_max_ms - now_ms,
                                   engine->config.queue_max_ms));
    } else if (state_holds_slot(state) && state != STATE_CANCELING) {
        run_set_timeout(engine, run, now_ms, mono_ms);
    }
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        struct etask *task = &run->tasks[i];
        if (task->attempt)
            task->start_mono_ms = mono_ms - ms_since(task->attempt->start_ms, now_ms);
        if (task_state(task) == STATE_RUNNING && task_def_of(task)->type == TASK_JOB)
            load_task_timeout(engine, task, now_ms, mono_ms);
        if (task_state(task) != STATE_PENDING)
            continue;
        int64_t at_ms = task->row.retry_at_ms == FIELD_NULL ? now_ms : task->row.retry_at_ms;
        int64_t left_ms = at_most(at_ms - now_ms, task_def_of(task)->min_retry_interval_ms);
        task->timer.kind = DEADLINE_RETRY;
        heap_set(&engine->deadlines, &task->timer.item, mono_ms + left_ms);
    }
}

static void load_params(struct engine *engine, struct erun *run, const struct run_image *image,
                        int64_t now_ms)
{
    struct param_list *layers =
        ARENA_ARRAY(&run->arena, image->repair_count + 1, struct param_list);
    size_t count = 0;
    layers[count++] = params_load(image->run.parameters, &run->arena);
    for (size_t i = 0; i < image->repair_count; i++)
        if (image->repairs[i].number > 0)
            layers[count++] = params_load(image->repairs[i].parameters, &run->arena);
    run->given = params_merge(layers, count, &run->arena);
    struct err err;
    /* What an expression yields may depend on when: that is not asked again. */
    bool is_el = run->def->details.expression_language == LANGUAGE_EL;
    if (is_el || run_unify(engine, run, now_ms, &err))
        run->unified = params_load(run->repair.unified, &run->arena);
}

void engine_add_run(struct engine *engine, const struct run_image *image, struct job_def *def,
                    int64_t last_event, int64_t now_ms, int64_t mono_ms)
{
    struct ejob *job = engine_job(engine, &image->run.job);
    assert(job && image->repair_count > 0 && !engine_has_run(engine, &image->run.key));
    struct erun *outline = engine_run(engine, &image->run.key);
    if (outline)
        run_free(engine, outline);
    struct erun *run = run_new(engine, job, def);
    run->is_outline = image->is_outline;
    run->row = image->run;
    run->row.last_event = last_event;
    run_own_strings(run);
    run->tracked.is_stored = true;
    run->repair = image->repairs[image->repair_count - 1];
    repair_own_strings(run);
    run->repair_tracked.is_stored = true;
    run->commits = git_commits_load(run->repair.commits, &run->arena);
    uuid_map_put(&engine->runs, &run->row.key, run);

    struct arena arena;
    arena_init(&arena);
    load_tasks(engine, run, image, &arena);
    arena_release(&arena);
    load_params(engine, run, image, now_ms);
    run_find_culprits(run);
    run_enlist(engine, run);
    maintenance_note(engine, run);
    for (uint32_t i = 0; i < def->task_count; i++) {
        struct etask *task = &run->tasks[i];
        if (task->has_row)
            task_enlist(engine, task);
        if (task_state(task) == STATE_RUNNING || task_state(task) == STATE_CANCELING)
            if (task_def_of(task)->type == TASK_JOB)
                uuid_map_put(&engine->waiters, &task->attempt->child_run, task);
    }
    engine->live_loaded = engine->live_count;
    run_count_waiting(run);
    const struct etask *traced = run_first_trace(run);
    run->traced_ms = traced ? traced->row.end_ms : 0;
    load_deadlines(engine, run, now_ms, mono_ms);
}

void engine_live_attempts(const struct engine *engine,
                          void (*each)(void *context, const struct live_attempt *attempt),
                          void *context)
{
    size_t cursor = 0;
    for (const struct etask *task; (task = uuid_map_next(&engine->tasks, &cursor));) {
        enum state state = task_state(task);
        if (!task->attempt || !task_has_process(task) ||
            (state != STATE_RUNNING && state != STATE_CANCELING))
            continue;
        int64_t timeout_s = task_def_of(task)->timeout_s;
        const struct live_attempt live = {
            .run = task->run->row.key,
            .task_run = task->row.key,
            .repair = task->row.repair_number,
            .attempt = task->attempt->number,
            .epoch = task->attempt->epoch,
            .start_ms = task->attempt->start_ms,
            .timeout_ms = timeout_s == FIELD_NULL ? 0 : timeout_s * 1000,
            .grace_ms = engine->config.grace_ms,
            .stopping = state == STATE_CANCELING,
            .has_helper = task_has_helper(&task->run->def->details, task_def_of(task)),
        };
        each(context, &live);
    }
}
