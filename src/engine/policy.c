/*
 * What the failure of a task means to its run, where a definition says so (x-failPolicy; RULES §10):
 *
 *     FAIL_CHILD   what depends on it follows the trigger rules (RULES §2); also where nothing is said
 *     FAIL         the rest of the run is cancelled, and the run has FAILED
 *     IGNORE       it counts as a success, and the run says that something was ignored
 *     SUSPEND      what runs goes on, nothing new starts; the run stays RUNNING until it is cancelled
 *
 * Only a failure in the newest attempt of the run does anything: what a repair keeps is as it is.
 */
#include "engine/internal.h"

static bool is_of_this_attempt(const struct etask *task)
{
    return task->row.repair_number == task->run->row.repair_number;
}

static bool has_failed(const struct etask *task, enum fail_policy policy)
{
    return task->has_row && task_def_of(task)->fail_policy == (int)policy &&
           state_is_own_failure(task->row.state) && is_of_this_attempt(task);
}

static void end_run(struct step *step, struct erun *run, const struct etask *task)
{
    const char *reason = arena_printf(&step->fx->arena,
                                      "Canceled: task %s ended %s, which ends the run",
                                      task->row.task_key, state_name(task->row.state));
    note_event(step, run, NULL, EVENT_NOTE, reason, NULL);
    for (uint32_t i = 0; i < run->def->task_count; i++)
        task_stop(step, &run->tasks[i], reason);
}

const char *policy_suspended(struct arena *arena, const struct erun *run)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        if (has_failed(&run->tasks[i], POLICY_SUSPEND))
            return arena_printf(arena,
                                "Suspended: task %s ended %s, nothing new starts; cancel the run, "
                                "then repair it",
                                run->tasks[i].row.task_key, state_name(run->tasks[i].row.state));
    return "Suspended: nothing new starts";
}

static void suspend(struct step *step, struct erun *run)
{
    const char *reason = policy_suspended(&step->fx->arena, run);
    run->row.is_suspended = 1;
    set_text(step->engine, &run->row.message, reason);
    set_text(step->engine, &run->repair.message, reason);
    track(step->engine, &run->repair_tracked);
    note_event(step, run, NULL, EVENT_NOTE, reason, NULL);
    /* What is ready waits in the run itself, and gets no turn. */
    list_remove(&run->turn);
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        struct etask *task = &run->tasks[i];
        if (task_state(task) != STATE_QUEUED)
            continue;
        list_remove(&task->ready);
        list_append(&run->ready, &task->ready);
    }
}

void policy_apply(struct step *step, struct etask *task)
{
    struct erun *run = task->run;
    bool goes_on = run->row.state != STATE_CANCELING && !state_is_final(run->row.state);
    if (!goes_on || run->open_count == 0)
        return;
    if (has_failed(task, POLICY_FAIL))
        end_run(step, run, task);
    else if (has_failed(task, POLICY_SUSPEND) && !run->row.is_suspended)
        suspend(step, run);
}

enum state policy_result(const struct erun *run, enum state by_leaves)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        if (has_failed(&run->tasks[i], POLICY_FAIL))
            return STATE_FAILED;
    return by_leaves;
}

bool policy_ignored_any(const struct erun *run)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        if (task_def_of(&run->tasks[i])->fail_policy == POLICY_IGNORE &&
            state_is_own_failure(task_state(&run->tasks[i])))
            return true;
    return false;
}
