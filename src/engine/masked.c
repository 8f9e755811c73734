#include "engine/masked.h"

#include <string.h>

#include "engine/rules.h"

enum {
    WORLDS = 2, /* what is not on the way of the task: all decisions true, all false */
    NAMED_MAX = 3,
};

struct search {
    const struct job_def *def;
    int8_t *outcomes;      /* of IF_ELSE tasks, in the world that is looked at */
    enum state *states;    /* how that world ends */
    enum state *others;    /* how it ends where nothing fails */
    enum state *both;      /* scratch: where one that stands in fails, too */
    struct rule_dep *deps; /* scratch */
    uint8_t *is_above;     /* scratch: upstream of a task */
    uint32_t *named;       /* those whose end the run should have, too */
    uint32_t named_count;
    uint32_t masked_by; /* the task whose rule hides the first of them */
    uint32_t steps;
    bool is_cut; /* not all was looked at: it took too many of them */
};

/* ---- one world ---- */

/* A condition of an edge is taken to hold. */
static struct rule_result rule_of(struct search *search, const enum state *states, uint32_t task)
{
    const struct graph_node *node = &search->def->nodes[task];
    for (uint32_t i = 0; i < node->dep_count; i++) {
        uint32_t dep = node->deps[i].task;
        search->deps[i] = (struct rule_dep){
            .state = rule_state_seen(&search->def->tasks[dep], states[dep]),
            .outcome = search->outcomes[dep],
            .wanted_outcome = node->deps[i].outcome,
        };
    }
    return rule_evaluate(search->def->tasks[task].run_if, search->deps, node->dep_count);
}

/* How the run ends where `first` and `second` fail if they run, UINT32_MAX: none, and all else that runs succeeds. */
static enum state play(struct search *search, uint32_t first, uint32_t second, enum state *states)
{
    const struct job_def *def = search->def;
    for (uint32_t i = 0; i < def->task_count; i++) {
        uint32_t task = def->order[i];
        search->steps += 1 + def->nodes[task].dep_count;
        enum state ruled = rule_state(rule_of(search, states, task).verdict);
        bool fails = task == first || task == second;
        states[task] = ruled != STATE_NEW ? ruled : fails ? STATE_FAILED : STATE_SUCCESS;
    }
    return rule_run_result(def, states);
}

/* Decisions as the task needs them to run, the nearest first; `otherwise` of those that do not matter to it. */
static void decide(struct search *search, uint32_t task, int8_t otherwise)
{
    const struct job_def *def = search->def;
    memset(search->outcomes, FIELD_UNSET, def->task_count);
    memset(search->is_above, 0, def->task_count);
    search->is_above[task] = 1;
    for (uint32_t i = def->task_count; i-- > 0;) {
        uint32_t at = def->order[i];
        const struct graph_node *node = &def->nodes[at];
        search->steps += 1 + node->dep_count;
        for (uint32_t e = 0; search->is_above[at] && e < node->dep_count; e++) {
            const struct graph_edge *edge = &node->deps[e];
            search->is_above[edge->task] = 1;
            if (search->outcomes[edge->task] == FIELD_UNSET)
                search->outcomes[edge->task] = edge->outcome;
        }
    }
    for (uint32_t i = 0; i < def->task_count; i++)
        if (def->tasks[i].type != TASK_IF_ELSE)
            search->outcomes[i] = FIELD_UNSET;
        else if (search->outcomes[i] == FIELD_UNSET)
            search->outcomes[i] = otherwise;
}

/* ---- one task ---- */

static bool waits_for_failures(const struct job_def *def, uint32_t task)
{
    int run_if = def->tasks[task].run_if;
    return run_if == RUN_IF_ALL_FAILED || run_if == RUN_IF_AT_LEAST_ONE_FAILED;
}

/* Does something run in the place of the task: does a leaf that ends every run fail once that fails as well? In
 * search->others there is the run in which nothing fails. */
static bool has_stand_in(struct search *search, uint32_t task)
{
    const struct job_def *def = search->def;
    enum state *both = search->both;
    for (uint32_t i = 0; i < def->task_count; i++) {
        if (!waits_for_failures(def, i) || search->states[i] != STATE_SUCCESS ||
            job_def_is_leaf(def, i) || search->steps > MASKED_MAX_STEPS)
            continue;
        (void)play(search, task, i, both);
        for (uint32_t leaf = 0; leaf < def->task_count; leaf++)
            if (job_def_is_leaf(def, leaf) && search->others[leaf] == STATE_SUCCESS &&
                both[leaf] == STATE_UPSTREAM_FAILED)
                return true;
    }
    return false;
}

static bool may_be_masked(const struct job_def *def, uint32_t task)
{
    int policy = def->tasks[task].fail_policy;
    return !job_def_is_leaf(def, task) && def->tasks[task].type != TASK_DUMMY &&
           (policy == FIELD_UNSET || policy == POLICY_FAIL_CHILD);
}

/* In every world in which it runs, of which there is one; search->states is then one of those. */
static bool is_masked(struct search *search, uint32_t task)
{
    bool is_found = false;
    if (!may_be_masked(search->def, task))
        return false;
    for (int otherwise = 0; otherwise < WORLDS; otherwise++) {
        decide(search, task, (int8_t)otherwise);
        (void)play(search, UINT32_MAX, UINT32_MAX, search->others);
        if (search->others[task] != STATE_SUCCESS)
            continue;
        is_found = true;
        if (play(search, task, UINT32_MAX, search->states) != STATE_SUCCESS ||
            has_stand_in(search, task))
            return false;
    }
    return is_found;
}

/* ---- which are named ---- */

static bool has_ended_badly(enum state state)
{
    return state == STATE_FAILED || state == STATE_UPSTREAM_FAILED;
}

/* The first task, as they run, that a failure above does not keep from its end. */
static uint32_t find_mask(const struct search *search)
{
    const struct job_def *def = search->def;
    for (uint32_t i = 0; i < def->task_count; i++) {
        uint32_t task = def->order[i];
        const struct graph_node *node = &def->nodes[task];
        if (has_ended_badly(search->states[task]))
            continue;
        for (uint32_t e = 0; e < node->dep_count; e++)
            if (has_ended_badly(search->states[node->deps[e].task]))
                return task;
    }
    return UINT32_MAX;
}

/* With an end behind those that are named already, its failure shows. */
static bool is_told_by_others(const struct search *search)
{
    for (uint32_t i = 0; i < search->named_count; i++)
        if (has_ended_badly(search->states[search->named[i]]))
            return true;
    return false;
}

static void look_through(struct search *search)
{
    const struct job_def *def = search->def;
    for (uint32_t i = def->task_count; i-- > 0;) {
        uint32_t task = def->order[i];
        bool is_found = is_masked(search, task);
        search->is_cut = search->steps > MASKED_MAX_STEPS;
        if (search->is_cut)
            return;
        if (!is_found || is_told_by_others(search))
            continue;
        uint32_t masked_by = find_mask(search);
        search->masked_by = search->named_count ? search->masked_by : masked_by;
        search->named[search->named_count++] = task;
    }
}

static const char *names_of(const struct search *search, struct arena *arena)
{
    const char *text = "";
    uint32_t shown = search->named_count > NAMED_MAX ? NAMED_MAX : search->named_count;
    for (uint32_t i = 0; i < shown; i++) {
        bool is_last = i + 1 == search->named_count;
        text =
            arena_printf(arena, "%s%s%.100s", text,
                         i == 0    ? ""
                         : is_last ? " or "
                                   : ", ",
                         search->def->tasks[search->named[search->named_count - 1 - i]].task_key);
    }
    return shown == search->named_count
               ? text
               : arena_printf(arena, "%s or one of %u others", text, search->named_count - shown);
}

static bool has_rules(const struct job_def *def)
{
    for (uint32_t i = 0; i < def->task_count; i++)
        if (def->tasks[i].run_if != RUN_IF_ALL_SUCCESS &&
            def->tasks[i].run_if != RUN_IF_NONE_FAILED)
            return true;
    return false;
}

const char *masked_failures(const struct job_def *def, struct arena *arena)
{
    if (!has_rules(def))
        return NULL;
    size_t count = def->task_count;
    struct search search = {
        .def = def,
        .outcomes = ARENA_ARRAY(arena, count, int8_t),
        .states = ARENA_ARRAY(arena, count, enum state),
        .others = ARENA_ARRAY(arena, count, enum state),
        .both = ARENA_ARRAY(arena, count, enum state),
        .deps = ARENA_ARRAY(arena, count, struct rule_dep),
        .is_above = ARENA_ARRAY(arena, count, uint8_t),
        .named = ARENA_ARRAY(arena, count, uint32_t),
        .masked_by = UINT32_MAX,
    };
    look_through(&search);
    if (search.named_count == 0)
        return NULL;
    return arena_printf(
        arena,
        "tasks[%u].runIf is %s: when %s fails, the run still ends SUCCESS; if it should "
        "fail then, give it another end behind %s, such as a DUMMY_TASK%s",
        search.masked_by, run_if_names[def->tasks[search.masked_by].run_if],
        names_of(&search, arena), search.named_count == 1 ? "that task" : "those",
        search.is_cut ? "; tasks further up were not looked at" : "");
}
