#include "engine/whole.h"

#include "engine/enumerate.h"

static const char *const task_names[LAW_TASKS] = {"t0", "t1", "t2", "t3", "t4", "t5"};

const char *whole_name(const struct law_dag *dag, int i)
{
    return task_names[dag->first + i];
}

const char *whole_describe(const struct finished *run, struct law_selection selection,
                           struct arena *arena)
{
    static const char *const modes[] = {"no mode", "RESUME", "RERUN"};
    return arena_printf(arena, "%s, named %#x (up %#x, down %#x), %s",
                        shape_describe(run->dag, run->ends, arena), selection.named,
                        selection.with_upstream, selection.with_downstream, modes[selection.mode]);
}

struct repair_request whole_request(const struct law_dag *dag, struct law_selection selection,
                                    struct arena *arena)
{
    const char **keys = ARENA_ARRAY(arena, LAW_TASKS, const char *);
    struct repair_task *tasks = ARENA_ARRAY(arena, LAW_TASKS, struct repair_task);
    size_t key_count = 0;
    size_t task_count = 0;
    for (int i = 0; i < dag->count; i++) {
        bool up = selection.with_upstream >> i & 1U;
        bool down = selection.with_downstream >> i & 1U;
        if (!(selection.named >> i & 1U))
            continue;
        if (up || down)
            tasks[task_count++] = (struct repair_task){down, up, whole_name(dag, i)};
        else
            keys[key_count++] = whole_name(dag, i);
    }
    return (struct repair_request){
        .task_keys = keys,
        .task_key_count = key_count,
        .repair_tasks = tasks,
        .repair_task_count = task_count,
        .mode = selection.mode == LAW_NO_MODE  ? FIELD_UNSET
                : selection.mode == LAW_RESUME ? (int)REPAIR_MODE_RESUME
                                               : (int)REPAIR_MODE_RERUN,
    };
}

/* ---- the plan ---- */

static bool above(const struct law_dag *dag, const enum law_verdict *verdicts, int i)
{
    for (int d = 0; d < dag->count; d++)
        if (dag->tasks[i].needs[d].is_there && (verdicts[d] != LAW_KEEP || above(dag, verdicts, d)))
            return true;
    return false;
}

/* Verdicts, counts, hazards: kept results below something planned, or edited. */
void whole_compare_plan(const struct finished *run, const struct repair_plan *plan,
                        const enum law_verdict *law, unsigned edited)
{
    static const enum plan_verdict verdicts[] = {PLAN_KEEP, PLAN_REEVALUATE, PLAN_RUN};
    uint32_t counts[3] = {0};
    for (int i = 0; i < run->dag->count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        counts[law[i]]++;
        if (task->verdict != verdicts[law[i]])
            broken("t%d: %s, must be %s", i, plan_verdict_names[task->verdict],
                   plan_verdict_names[verdicts[law[i]]]);
        bool stale = law[i] == LAW_KEEP && ((edited >> i & 1U) || above(run->dag, law, i));
        if (stale != (task->hazard_count > 0))
            broken("t%d: %zu hazards", i, task->hazard_count);
        if (!task->reason || !task->reason[0])
            broken("t%d: %s without a reason", i, plan_verdict_names[task->verdict]);
    }
    if (plan->keep_count != counts[LAW_KEEP] || plan->run_count != counts[LAW_RUN] ||
        plan->reevaluate_count != counts[LAW_REEVALUATE])
        broken("the plan's counts are wrong");
}

/* A planned task that "will not start" does not, however those end that nothing is known of. */
void whole_compare_foretelling(const struct finished *run, const struct repair_plan *plan,
                               const enum law_verdict *law, const struct law_end *decided)
{
    struct law_result kept[LAW_TASKS];
    bool foretold = false;
    for (int i = 0; i < run->dag->count; i++) {
        kept[i] = law[i] == LAW_KEEP ? run->results[i] : (struct law_result){STATE_NEW, -1, false};
        foretold = foretold || (law[i] != LAW_KEEP && !plan->tasks[i].will_start);
    }
    if (!foretold)
        return;
    struct ends_walk walk;
    struct law_end ends[LAW_TASKS];
    struct law_result results[LAW_TASKS];
    for (ends_walk_begin(&walk, run->dag, false); ends_walk_next(&walk, ends, results);) {
        for (int i = 0; i < run->dag->count && decided; i++)
            if (run->dag->tasks[i].is_if_else)
                ends[i] = decided[i];
        law_run(run->dag, ends, kept, results);
        for (int i = 0; i < run->dag->count; i++)
            if (law[i] != LAW_KEEP && !plan->tasks[i].will_start && results[i].started)
                broken("t%d: \"%s\", but it may start", i, plan->tasks[i].reason);
    }
}

/* ---- the repair ---- */

void whole_finish(struct world *world, const struct finished *run, const struct uuid *key)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < run->dag->count; i++) {
            if (run->ends[i].state == STATE_NEW ||
                !world_is_running(world, key, whole_name(run->dag, i)))
                continue;
            int cause = shape_cause(run->ends[i]);
            if (cause == CAUSE_EXITED)
                world_exit(world, key, whole_name(run->dag, i), run->ends[i].state == STATE_FAILED);
            else
                world_ends(world, key, whole_name(run->dag, i), cause);
            again = true;
        }
    }
    if (!run->was_cancelled)
        return;
    world_cancel(world, key);
    for (int i = 0; i < run->dag->count; i++)
        if (world_is_running(world, key, whole_name(run->dag, i)))
            world_ends(world, key, whole_name(run->dag, i), CAUSE_STOPPED);
}

void whole_expect(struct world *world, const struct uuid *key, const struct law_dag *dag,
                  const struct law_result *law, enum state run_state)
{
    for (int i = 0; i < dag->count; i++) {
        enum state state = world_task(world, key, whole_name(dag, i))->row.state;
        if (state != law[i].state)
            broken("t%d is %s, must be %s", i, state_name(state), state_name(law[i].state));
    }
    if (world_run(world, key)->state != run_state)
        broken("the run is %s, must be %s", state_name(world_run(world, key)->state),
               state_name(run_state));
}

void whole_repair(struct world *world, const struct finished *run, struct law_selection selection,
                  enum repair_definition definition, const struct uuid *key,
                  const enum law_verdict *law, struct law_result *ret)
{
    struct law_end ends[LAW_TASKS];
    struct law_result kept[LAW_TASKS];
    struct uuid before[LAW_TASKS] = {0};
    const struct booked_run *booked = book_run(&world->book, key);
    for (int i = 0; i < run->dag->count; i++) {
        const struct booked_task *task = booked_task_of(booked, whole_name(run->dag, i));
        ends[i] = (struct law_end){STATE_SUCCESS, true};
        kept[i] = law[i] == LAW_KEEP ? run->results[i] : (struct law_result){STATE_NEW, -1, false};
        if (task)
            before[i] = task->row.key;
    }
    struct command command = {.kind = COMMAND_RUN_REPAIR, .key = *key};
    command.repair = whole_request(run->dag, selection, &world->arena);
    command.repair.parameters = shape_params(run->dag, ends, &world->arena);
    command.repair.definition = definition;
    assert_answer(world_command(world, &command), ERR_OK, "");
    world_all_succeed(world);
    law_run(run->dag, ends, kept, ret);
    whole_expect(world, key, run->dag, ret, law_run_result(run->dag, ret));
    for (int i = 0; i < run->dag->count; i++) {
        struct uuid now = world_task(world, key, whole_name(run->dag, i))->row.key;
        if (uuid_equal(&now, &before[i]) != (law[i] == LAW_KEEP))
            broken("t%d: a kept task run is replaced, or a planned one is not",
                   run->dag->first + i);
    }
}

/* What RULES make of the ends, cancelled if something runs on. */
void whole_settle(struct finished *run)
{
    law_run(run->dag, run->ends, NULL, run->results);
    run->was_cancelled = false;
    for (int i = 0; i < run->dag->count; i++)
        run->was_cancelled = run->was_cancelled || run->results[i].state == STATE_NEW;
    law_cancel(run->dag, run->results);
    for (int i = 0; i < run->dag->count; i++)
        run->states[i] = run->results[i].state;
}
