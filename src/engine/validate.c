/* Invariants between steps: everything kept besides the states is recounted from them. */
#include "engine/internal.h"

struct recount {
    size_t live;
    size_t ready;
    size_t tasks;
    size_t waiters;
};

/* Who waits for a child is told by it, and the child goes on. */
static const char *check_waiter(const struct engine *engine, const struct etask *task,
                                struct arena *arena)
{
    const struct uuid *key = &task->attempt->child_run;
    const struct erun *child = engine_run(engine, key);
    if (uuid_map_get(&engine->waiters, key) != task)
        return arena_printf(arena, "task %s waits and its child does not know", task->row.task_key);
    if (!child || state_is_final(child->row.state))
        return arena_printf(arena, "task %s waits for a child that has ended", task->row.task_key);
    if (!uuid_equal(&child->row.parent_task_run, &task->row.key))
        return arena_printf(arena, "task %s waits for another's child", task->row.task_key);
    return NULL;
}

static const char *check_task(const struct engine *engine, const struct etask *task,
                              struct arena *arena, struct recount *count)
{
    const struct erun *run = task->run;
    enum state state = task->row.state;
    const char *key = task->row.task_key;
    count->tasks++;
    count->ready += state == STATE_QUEUED;
    if (uuid_map_get(&engine->tasks, &task->row.key) != task)
        return arena_printf(arena, "task %s is not on the map", key);
    bool live = state == STATE_RUNNING || state == STATE_CANCELING;
    bool runs_job = task_def_of(task)->type == TASK_JOB;
    bool in_setup = state == STATE_PENDING && task->in_setup;
    count->live += (live || in_setup) && task_has_process(task);
    if (task->in_setup && !in_setup)
        return arena_printf(arena, "task %s is set up in state %s", key, state_name(state));
    if (live && (!task->attempt || task->attempt->state != STATE_RUNNING))
        return arena_printf(arena, "task %s is live without an attempt", key);
    if (live && !state_holds_slot(run->row.state))
        return arena_printf(arena, "task %s is live in a run that is %s", key,
                            state_name(run->row.state));
    if (list_is_linked(&task->ready) != (state == STATE_QUEUED))
        return arena_printf(arena, "task %s: ready list and state %s differ", key,
                            state_name(state));
    bool timed = runs_job && state == STATE_RUNNING && task_def_of(task)->timeout_s > 0;
    if ((task->timer.item.place != 0) != ((state == STATE_PENDING && !in_setup) || timed))
        return arena_printf(arena, "task %s: timer and state %s differ", key, state_name(state));
    count->waiters += live && runs_job;
    uint32_t waiting = 0;
    const struct graph_node *node = &run->def->nodes[task->position];
    for (uint32_t d = 0; d < node->dep_count; d++)
        waiting += !task_is_settled(&run->tasks[node->deps[d].task]);
    if (waiting != task->waiting)
        return arena_printf(arena, "task %s waits for %u, not %u", key, waiting, task->waiting);
    if (state == STATE_BLOCKED && waiting == 0 && !engine->is_draining && !run->row.is_suspended &&
        (run->row.state == STATE_PENDING || run->row.state == STATE_RUNNING))
        return arena_printf(arena, "task %s was forgotten", key);
    return live && runs_job ? check_waiter(engine, task, arena) : NULL;
}

static const char *check_run(const struct engine *engine, const struct erun *run,
                             struct arena *arena, struct recount *count)
{
    char key[UUID_TEXT];
    uuid_format(&run->row.key, key);
    enum state state = run->row.state;
    uint32_t open = 0;
    size_t live_before = count->live;
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        const struct etask *task = &run->tasks[i];
        if (!task->has_row)
            continue;
        const char *problem = check_task(engine, task, arena, count);
        if (problem)
            return arena_printf(arena, "run %s: %s", key, problem);
        open += !state_is_final(task->row.state);
    }
    if (open != run->open_count)
        return arena_printf(arena, "run %s has %u open tasks, not %u", key, open, run->open_count);
    if (count->live - live_before != run->live_count)
        return arena_printf(arena, "run %s: live attempts are miscounted", key);
    if (state_is_final(state) != (open == 0))
        return arena_printf(arena, "run %s is %s with %u open tasks", key, state_name(state), open);
    bool has_turn = !list_is_empty(&run->ready) && !run->row.is_suspended;
    if (list_is_linked(&run->turn) != has_turn)
        return arena_printf(arena, "run %s: turn and ready list differ", key);
    bool pauses = engine->is_draining ? state == STATE_PENDING || state == STATE_RUNNING
                                      : state == STATE_PAUSED_MAINTENANCE;
    if (list_is_linked(&run->maintenance) != pauses)
        return arena_printf(arena, "run %s is %s: its maintenance is forgotten", key,
                            state_name(state));
    if (list_is_linked(&run->done) != state_is_final(state))
        return arena_printf(arena, "run %s: done list and state differ", key);
    return NULL;
}

static const char *check_job(const struct ejob *job, size_t holders, size_t queued, size_t active,
                             struct arena *arena)
{
    size_t queue_length = 0;
    LIST_EACH (&job->repairs.runs, node)
        queue_length++;
    if (job->repairs.count != queue_length)
        return arena_printf(arena, "job %s: queued repairs are miscounted", job->row.name);
    LIST_EACH (&job->queue.runs, node)
        queue_length++;
    size_t held = 0;
    LIST_EACH (&job->held.runs, node)
        held++;
    if (job->held.count != held)
        return arena_printf(arena, "job %s: held runs are miscounted", job->row.name);
    if (job->holder_count != holders || queue_length + held != queued ||
        job->repairs.count + job->queue.count != queue_length || job->active_count != active)
        return arena_printf(arena, "job %s: slots or queue are miscounted", job->row.name);
    if (list_is_linked(&job->sweep) != (job->row.cancel_number != FIELD_NULL))
        return arena_printf(arena, "job %s: sweep and row differ", job->row.name);
    if (queue_length && !list_is_linked(&job->sweep) &&
        (int64_t)holders < job->def->details.max_concurrent_runs)
        return arena_printf(arena, "job %s has a free slot and a queue", job->row.name);
    return NULL;
}

static const char *check_jobs(const struct engine *engine, struct arena *arena)
{
    size_t jobs = 0;
    for (const struct ejob *job; (job = uuid_map_next(&engine->jobs, &jobs));) {
        size_t holders = 0;
        size_t queued = 0;
        size_t active = 0;
        size_t runs = 0;
        for (const struct erun *run; (run = uuid_map_next(&engine->runs, &runs));) {
            if (run->job != job)
                continue;
            holders += state_holds_slot(run->row.state);
            queued += run->row.state == STATE_QUEUED;
            active += !state_is_final(run->row.state);
        }
        const char *problem = check_job(job, holders, queued, active, arena);
        if (problem)
            return problem;
    }
    return NULL;
}

const char *engine_validate(const struct engine *engine, struct arena *arena)
{
    struct recount count = {0};
    size_t cursor = 0;
    for (const struct erun *run; (run = uuid_map_next(&engine->runs, &cursor));) {
        const char *problem = check_run(engine, run, arena, &count);
        if (problem)
            return problem;
    }
    if (count.live != engine->live_count)
        return "execution slots are miscounted";
    if (count.ready != engine->ready_count)
        return "tasks that are ready are miscounted";
    if (count.tasks != engine->tasks.count)
        return "the map of task runs has strangers";
    if (engine->config.max_running && count.live > (size_t)engine->config.max_running &&
        count.live > engine->live_loaded)
        return "more attempts are live than there are execution slots";
    if (count.waiters != engine->waiters.count)
        return "somebody waits for a child who is no waiting task";
    if (!list_is_empty(&engine->launches_parked) || engine->parked_command)
        return "rows that were wanted did not come";
    if (!list_is_empty(&engine->tasks_settled) || !list_is_empty(&engine->runs_ending) ||
        !list_is_empty(&engine->freed) || !list_is_empty(&engine->runs_ended))
        return "the step did not reach its fixed point";
    if (!heap_validate(&engine->deadlines))
        return "the deadline heap is out of order";
    const char *problem = campaigns_validate(engine, arena);
    problem = problem ? problem : holds_validate(engine, arena);
    return problem ? problem : check_jobs(engine, arena);
}
