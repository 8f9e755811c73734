#include "sim/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/law.h"

static bool is_own_failure(enum state state)
{
    return state == STATE_FAILED || state == STATE_TIMED_OUT || state == STATE_INTERNAL_ERROR;
}

/* As rules see a task: a failure that is to be ignored is a success (RULES §10). */
static enum state state_seen(const struct job_def *def, uint32_t task, enum state state)
{
    bool is_ignored = def->tasks[task].fail_policy == POLICY_IGNORE && is_own_failure(state);
    return is_ignored ? STATE_SUCCESS : state;
}

/* A comparison decides too, and what it compares is not known here. */
static bool has_condition(const struct job_def *def, uint32_t task)
{
    const struct graph_node *node = &def->nodes[task];
    for (uint32_t i = 0; i < node->dep_count; i++)
        if (node->deps[i].condition)
            return true;
    return false;
}

/* All that it comes behind is final by then, be it behind tasks that a repair has kept. */
static void check_above(const struct booked_run *run, const struct job_def *def, uint32_t task)
{
    uint8_t *above = xcalloc(def->task_count, sizeof *above);
    above[task] = 1;
    job_def_close_upstream(def, above);
    above[task] = 0;
    for (size_t i = 0; i < run->task_count; i++) {
        const struct task_run_row *row = &run->tasks[i]->row;
        int64_t other = law_is_final(row->state) ? -1 : job_def_find(def, row->task_key);
        if (other >= 0 && above[other])
            broken("%s is decided before %s is final", def->tasks[task].task_key, row->task_key);
    }
    free(above);
}

/* The verdict of the rule on what the rows say: STATE_NEW: it runs. */
static enum state rule_says(const struct booked_run *run, const struct job_def *def, uint32_t task)
{
    const struct graph_node *node = &def->nodes[task];
    struct law_dep *deps = xcalloc(node->dep_count + 1, sizeof *deps);
    for (uint32_t i = 0; i < node->dep_count; i++) {
        const char *key = def->tasks[node->deps[i].task].task_key;
        const struct booked_task *dep = booked_task_of(run, key);
        if (!dep || !law_is_final(dep->row.state))
            broken("%s is decided before %s is final", def->tasks[task].task_key, key);
        deps[i] = (struct law_dep){state_seen(def, node->deps[i].task, dep->row.state),
                                   dep->row.outcome, node->deps[i].outcome};
    }
    enum state verdict =
        law_trigger((enum run_if)def->tasks[task].run_if, deps, (int)node->dep_count);
    free(deps);
    return verdict;
}

void verdict_start(const struct booked_run *run, const struct job_def *def, const char *task_key)
{
    int64_t position = job_def_find(def, task_key);
    if (position < 0)
        broken("%s is started and is not in the definition", task_key);
    check_above(run, def, (uint32_t)position);
    enum state verdict = rule_says(run, def, (uint32_t)position);
    if (verdict != STATE_NEW && !has_condition(def, (uint32_t)position))
        broken("%s is started, but its rule makes it %s", task_key, state_name(verdict));
}

/* Was the run stopped, by a user, its timeout or the end of patience in the queue? Then tasks are
 * CANCELED that no rule made so. Newest attempt of the run only. */
static bool was_stopped(const struct booked_run *run)
{
    for (size_t i = run->event_count; i-- > 0;) {
        const struct event_row *event = &run->events[i];
        if (event->repair_number != run->row.repair_number)
            break;
        bool gave_up = event->from == STATE_QUEUED && law_is_final(event->to);
        if (event->type == EVENT_RUN_STATE && (event->to == STATE_CANCELING || gave_up))
            return true;
    }
    return false;
}

/* The task run, if the newest attempt of the run made it; what is kept was decided by what was true
 * then. */
static const struct booked_task *planned_task(const struct booked_run *run,
                                              const struct job_def *def, uint32_t task)
{
    const struct booked_task *booked = booked_task_of(run, def->tasks[task].task_key);
    return booked && booked->row.repair_number == run->row.repair_number ? booked : NULL;
}

/* Did the failure of one task end the run? */
static bool was_ended(const struct booked_run *run, const struct job_def *def)
{
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct booked_task *task = planned_task(run, def, i);
        if (task && def->tasks[i].fail_policy == POLICY_FAIL && is_own_failure(task->row.state))
            return true;
    }
    return false;
}

/* Whatever its rule says, it is SUCCESS, and nothing of it has started. */
static void check_marked(const struct booked_task *booked)
{
    if (booked->row.state != STATE_SUCCESS || booked->attempt_count > 0)
        broken("%s is marked as successful and is %s, with %zu attempts", booked->row.task_key,
               state_name(booked->row.state), booked->attempt_count);
}

/* Somebody has canceled it alone, so no rule decides what it is. */
static void check_canceled(const struct booked_task *booked)
{
    if (booked->row.state != STATE_CANCELED)
        broken("%s was canceled and is %s", booked->row.task_key, state_name(booked->row.state));
}

static void check_task(const struct booked_run *run, const struct job_def *def, uint32_t task)
{
    const struct booked_task *booked = planned_task(run, def, task);
    if (booked && booked->row.canceled_by) {
        check_canceled(booked);
        return;
    }
    if (booked && booked->row.is_marked == 1) {
        check_marked(booked);
        return;
    }
    if (!booked || has_condition(def, task))
        return;
    enum state state = booked->row.state;
    bool has_started = booked->attempt_count > 0 || booked->row.outcome != FIELD_UNSET;
    bool is_ruled = state == STATE_UPSTREAM_FAILED || state == STATE_UPSTREAM_CANCELED ||
                    state == STATE_EXCLUDED;
    if (is_ruled && has_started)
        broken("%s has started and is %s", booked->row.task_key, state_name(state));
    enum state verdict = rule_says(run, def, task);
    if (is_ruled != (verdict != STATE_NEW) || (is_ruled && verdict != state))
        broken("%s is %s, its rule says %s", booked->row.task_key, state_name(state),
               verdict == STATE_NEW ? "that it runs" : state_name(verdict));
}

/* Two at a time: the result of some leaves counts among the others as a leaf of that state does. */
static enum state result_of_leaves(const struct booked_run *run, const struct job_def *def)
{
    static const struct law_dag two = {.count = 2};
    enum state result = STATE_SUCCESS;
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct booked_task *leaf = booked_task_of(run, def->tasks[i].task_key);
        if (def->nodes[i].dependent_count > 0 || !leaf)
            continue;
        const struct law_result results[] = {{result, -1, false},
                                             {state_seen(def, i, leaf->row.state), -1, false}};
        result = law_run_result(&two, results);
    }
    return result;
}

void verdict_end(const struct booked_run *run, const struct job_def *def)
{
    if (was_stopped(run) || run->task_count == 0)
        return;
    bool is_ended = was_ended(run, def);
    for (uint32_t i = 0; i < def->task_count; i++) {
        const struct booked_task *task = planned_task(run, def, i);
        if (!is_ended || !task || task->row.state != STATE_CANCELED)
            check_task(run, def, i);
    }
    enum state result = is_ended ? STATE_FAILED : result_of_leaves(run, def);
    if (result != run->row.state)
        broken("the run is %s, its leaves make it %s", state_name(run->row.state),
               state_name(result));
}
