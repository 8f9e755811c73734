/* Trigger rules at work: when a task becomes ready, and what its end means to others. */
#include "engine/internal.h"

static void collect_deps(const struct etask *task, struct rule_dep *deps)
{
    const struct graph_node *node = &task->run->def->nodes[task->position];
    for (uint32_t i = 0; i < node->dep_count; i++) {
        const struct etask *dep = &task->run->tasks[node->deps[i].task];
        deps[i] = (struct rule_dep){
            .state = rule_state_seen(task_def_of(dep), task_state(dep)),
            .outcome = dep->row.outcome,
            .wanted_outcome = node->deps[i].outcome,
        };
    }
}

/* The nearest ancestor that failed itself, of several as near the first by dependsOn; a failure that is ignored is none.
 * Each task hands its own on, so that a long chain of UPSTREAM_FAILED costs O(1) each. */
static void find_culprit(struct etask *task)
{
    const struct erun *run = task->run;
    const struct graph_node *node = &run->def->nodes[task->position];
    task->culprit = 0;
    for (uint32_t i = 0; i < node->dep_count; i++) {
        const struct etask *dep = &run->tasks[node->deps[i].task];
        enum state state = rule_state_seen(task_def_of(dep), task_state(dep));
        if (!state_is_own_failure(state) && state != STATE_UPSTREAM_FAILED)
            continue;
        /* Kept by a repair whose definition has it behind other tasks, it stands for itself. */
        bool is_told = state == STATE_UPSTREAM_FAILED && dep->culprit;
        uint32_t distance = is_told ? dep->culprit_distance + 1 : 1;
        if (task->culprit && task->culprit_distance <= distance)
            continue;
        task->culprit = is_told ? dep->culprit : dep->position + 1;
        task->culprit_distance = distance;
    }
}

void run_find_culprits(struct erun *run)
{
    for (uint32_t n = 0; n < run->def->task_count; n++) {
        struct etask *task = &run->tasks[run->def->order[n]];
        if (task_state(task) == STATE_UPSTREAM_FAILED)
            find_culprit(task);
    }
}

/* ---- evaluation ---- */

/* An edge with a condition is one that needs the outcome true. False: it cannot be said. */
static bool evaluate_edges(struct step *step, const struct etask *task, struct rule_dep *deps,
                           struct err *err)
{
    const struct graph_node *node = &task->run->def->nodes[task->position];
    for (uint32_t i = 0; i < node->dep_count; i++) {
        bool holds = false;
        if (!node->deps[i].condition)
            continue;
        bool is_open =
            deps[i].state == STATE_SUCCESS &&
            (deps[i].wanted_outcome == FIELD_UNSET || deps[i].wanted_outcome == deps[i].outcome);
        if (is_open && edge_evaluate(step, task, &node->deps[i], &holds, err))
            return false;
        if (deps[i].wanted_outcome == FIELD_UNSET || is_open) {
            deps[i].wanted_outcome = 1;
            deps[i].outcome = holds;
        }
    }
    return true;
}

/* The grounds are worth keeping where there was something to decide. */
static const char *grounds(struct step *step, const struct etask *task, const struct rule_dep *deps,
                           struct rule_result result)
{
    if (task->run->def->nodes[task->position].dep_count == 0)
        return NULL;
    return decision_rule(&step->fx->arena, task, deps, result);
}

/* Its dependencies have ended, however they did. */
static void pass_marked(struct step *step, struct etask *task)
{
    const struct repair_row *repair = &task->run->repair;
    const char *message = arena_printf(&step->fx->arena,
                                       "Marked as successful by %s in repair %lld; nothing ran",
                                       repair->created_by_name, (long long)repair->number);
    task_pass(step, task, "Marked as successful", message, NULL);
}

static bool is_passed_monitor(const struct etask *task)
{
    const struct erun *run = task->run;
    return run->repair.monitor == MONITOR_PASSED &&
           job_def_find_monitor(run->def) == task->position;
}

void task_evaluate(struct step *step, struct etask *task)
{
    const struct task_def *def = task_def_of(task);
    uint32_t dep_count = task->run->def->nodes[task->position].dep_count;
    struct rule_dep *deps = ARENA_ARRAY(&step->fx->arena, dep_count, struct rule_dep);
    struct err err;
    if (task->row.is_marked == 1) {
        pass_marked(step, task);
        return;
    }
    collect_deps(task, deps);
    if (!evaluate_edges(step, task, deps, &err)) {
        attempt_refuse(
            step, task,
            arena_printf(&step->fx->arena, "The condition of a dependency: %s", err.message));
        return;
    }
    struct rule_result result = rule_evaluate((enum run_if)def->run_if, deps, dep_count);
    const char *decision = grounds(step, task, deps, result);
    if (result.verdict == RULE_RUN) {
        if (def->type == TASK_IF_ELSE)
            if_else_decide(step, task, decision);
        else if (def->type == TASK_DUMMY)
            task_pass(step, task, "Passing", "Succeeded", decision);
        else if (is_passed_monitor(task))
            task_pass(step, task, "The repair does not wait for the watched path", "Succeeded",
                      decision);
        else if (def->type == TASK_JOB)
            task_move(step, task, STATE_QUEUED, "Ready, about to run its job", decision);
        else
            task_move(step, task, STATE_QUEUED, "Ready, waiting for an execution slot", decision);
        return;
    }
    if (result.verdict == RULE_UPSTREAM_FAILED)
        find_culprit(task);
    task_move(step, task, rule_state(result.verdict), text_rule(&step->fx->arena, task, result),
              decision);
}

bool task_is_settled(const struct etask *task)
{
    return task->waiting == 0 && state_is_final(task_state(task));
}

/* Nothing is decided any more while the server drains. */
static bool is_due(const struct step *step, const struct etask *task)
{
    const struct erun *run = task->run;
    return !step->engine->is_draining && !run->row.is_suspended && task->has_row &&
           task->row.state == STATE_BLOCKED && task->waiting == 0 &&
           (run->row.state == STATE_PENDING || run->row.state == STATE_RUNNING);
}

void task_propagate(struct step *step, struct etask *task)
{
    struct erun *run = task->run;
    const struct graph_node *node = &run->def->nodes[task->position];
    policy_apply(step, task);
    if (!task_is_settled(task))
        return;
    for (uint32_t i = 0; i < node->dependent_count; i++) {
        struct etask *dependent = &run->tasks[node->dependents[i].task];
        if (dependent->waiting > 0)
            dependent->waiting--;
        if (is_due(step, dependent))
            task_evaluate(step, dependent);
        else if (task_is_settled(dependent) && !list_is_linked(&dependent->settled))
            list_append(&step->engine->tasks_settled, &dependent->settled);
    }
}

void run_evaluate(struct step *step, struct erun *run)
{
    for (uint32_t i = 0; i < run->def->task_count; i++)
        if (is_due(step, &run->tasks[i]))
            task_evaluate(step, &run->tasks[i]);
}

/* Only what is open is waited for: tasks that a repair keeps are final and count as they are. */
void run_count_waiting(struct erun *run)
{
    for (uint32_t n = 0; n < run->def->task_count; n++) {
        uint32_t i = run->def->order[n];
        struct etask *task = &run->tasks[i];
        const struct graph_node *node = &run->def->nodes[i];
        task->waiting = 0;
        for (uint32_t d = 0; d < node->dep_count; d++)
            task->waiting += !task_is_settled(&run->tasks[node->deps[d].task]);
    }
}

const struct etask *run_first_trace(const struct erun *run)
{
    const struct etask *first = NULL;
    for (uint32_t i = 0; i < run->def->task_count; i++) {
        const struct etask *task = &run->tasks[i];
        if (!state_is_own_failure(task_state(task)) || !task->row.error_trace)
            continue;
        if (!first || task->row.end_ms < first->row.end_ms)
            first = task;
    }
    return first;
}

void task_create(struct step *step, struct etask *task, int64_t repair_number, const char *reason,
                 const char *decision)
{
    struct engine *engine = step->engine;
    struct erun *run = task->run;
    const struct task_def *def = task_def_of(task);
    task->row = (struct task_run_row){
        .workspace = engine->workspace.id,
        .key = step_new_key(step),
        .run = run->row.key,
        .repair_number = repair_number,
        .position = task->position,
        .task_key = def->task_key, /* lives as long as the definition */
        .definition_version = run->def->version,
        .created_ms = step->now_ms,
        .state = STATE_NEW,
        .outcome = FIELD_UNSET,
        .attempt = FIELD_NULL,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .setup_start_ms = FIELD_NULL,
        .setup_ms = FIELD_NULL,
        .execution_ms = FIELD_NULL,
        .cleanup_ms = FIELD_NULL,
        .retry_at_ms = FIELD_NULL,
        .child_run = task->inherited,
        .after_success = task->after_success,
        .is_marked = task->is_marked,
    };
    task->has_row = true;
    task->tracked = (struct tracked){.kind = ROW_TASK_RUN, .row = &task->row};
    uuid_map_put(&engine->tasks, &task->row.key, task);
    task_move(step, task, STATE_BLOCKED, reason, decision);
}
