/* What can be said of a repair before it runs (RULES §8.3): which planned tasks will not start. The rules are
 * asked with what is known; what hangs on a task that will run is not known. */
#include <string.h>

#include "base/buf.h"
#include "engine/plan.h"
#include "engine/rules.h"
#include "engine/text_limits.h"
#include "model/condition.h"

/* What becomes of a task. Kept ones stay as they are; of planned ones those are known that cannot start,
 * and decisions whose operands are; else the state is STATE_NEW. */
struct fate {
    enum state state;
    int8_t outcome;
    bool
        or_excluded; /* one that will not start: what it waits for decides whether it is that, or EXCLUDED */
};

struct foresight {
    const struct plan_input *input;
    const struct job_def *def;
    const struct reference_scope *scope; /* NULL: no operand is known */
    struct arena *arena;
    struct repair_plan *plan;
    struct fate *fates; /* by position */
    size_t *
        compared_room; /* how many bytes of operands are still looked at: beyond them none is known */
};

static bool is_planned(const struct foresight *foresight, uint32_t i)
{
    return foresight->plan->tasks[i].verdict != PLAN_KEEP;
}

/* ---- comparisons ---- */

enum guess { GUESS_FALSE, GUESS_TRUE, GUESS_BAD, GUESS_UNKNOWN };

static bool is_start_time(struct span name)
{
    static const char prefix[] = "start_time.";
    return name.len > strlen(prefix) && memcmp(name.text, prefix, strlen(prefix)) == 0;
}

/* Does it stand for the same now as when the task runs? */
static bool is_settled(const struct foresight *foresight, const struct reference *reference)
{
    char key[TASK_KEY_TEXT];
    switch (reference->space) {
    case REFERENCE_JOB: /* a run that has not started starts when its turn comes */
        return foresight->scope->start_ms != FIELD_NULL || !is_start_time(reference->name);
    case REFERENCE_TASK:
        return span_is(reference->name, "name");
    case REFERENCE_TASKS:
        if (!reference_task_key(reference, key) || span_is(reference->name, "execution_count"))
            return false;
        int64_t position = job_def_find(foresight->def, key);
        return position >= 0 && !is_planned(foresight, (uint32_t)position);
    case REFERENCE_WORKSPACE:
    case REFERENCE_HUB:
    default:
        return false;
    }
}

/* Appends the text with its references put in. ERR_INVALID_PARAMETER when it is not known what one stands for,
 * ERR_LIMIT_EXCEEDED when all are known and it is longer than `out` may be. */
static enum err_code put_known(const struct foresight *foresight, uint32_t task, const char *text,
                               struct buf *out)
{
    struct reference_scope scope = *foresight->scope;
    struct reference reference;
    struct err ignored;
    const char *cursor = text;
    while (reference_next(&cursor, &reference))
        if (!is_settled(foresight, &reference))
            return ERR_INVALID_PARAMETER;
    scope.task_name = foresight->def->tasks[task].task_key;
    return reference_resolve(text, &scope, out, &ignored);
}

/* What it comes to is not asked, so nothing is copied. */
static bool is_known(const struct foresight *foresight, uint32_t task, const char *text)
{
    struct buf nothing;
    buf_init(&nothing, 0);
    enum err_code code = put_known(foresight, task, text, &nothing);
    buf_release(&nothing);
    return code == ERR_OK || code == ERR_LIMIT_EXCEEDED;
}

/* NULL: it is not known. */
static const char *operand(const struct foresight *foresight, uint32_t task, const char *text,
                           struct arena *arena)
{
    size_t room = *foresight->compared_room;
    const char *known = NULL;
    struct buf out;
    buf_init(&out, room < COMPARED_MAX_BYTES ? room : COMPARED_MAX_BYTES);
    if (put_known(foresight, task, text, &out) == ERR_OK)
        known = arena_strdup(arena, out.data ? out.data : "");
    *foresight->compared_room -= out.len;
    buf_release(&out);
    return known;
}

static enum guess compare_in(const struct foresight *foresight, uint32_t task, const char *text,
                             struct arena *scratch, struct err *err)
{
    struct comparison parsed;
    bool holds;
    if (!foresight->scope || comparison_parse(text, scratch, &parsed, err))
        return GUESS_UNKNOWN;
    const char *left = operand(foresight, task, parsed.left, scratch);
    const char *right = left ? operand(foresight, task, parsed.right, scratch) : NULL;
    if (!right)
        return GUESS_UNKNOWN;
    if (comparison_eval(parsed.op, left, right, &holds, err))
        return GUESS_BAD;
    return holds ? GUESS_TRUE : GUESS_FALSE;
}

static enum guess compare(const struct foresight *foresight, uint32_t task, const char *text,
                          struct err *err)
{
    struct arena scratch;
    arena_init(&scratch);
    enum guess guess = compare_in(foresight, task, text, &scratch, err);
    arena_release(&scratch);
    return guess;
}

/* Of an IF_ELSE that will be decided. */
static struct fate decide(const struct foresight *foresight, uint32_t task)
{
    static const struct fate unknown = {STATE_NEW, FIELD_UNSET, false};
    const struct task_def *def = &foresight->def->tasks[task];
    const struct if_expression *expressions = def->expressions.items;
    size_t count = def->expressions.count;
    bool *values = ARENA_ARRAY(foresight->arena, count, bool);
    struct condition *condition;
    struct err err;
    for (size_t i = 0; i < count; i++) {
        enum guess guess = compare(foresight, task, expressions[i].value, &err);
        if (guess == GUESS_UNKNOWN)
            return unknown;
        if (guess == GUESS_BAD)
            return (struct fate){rule_state_seen(def, STATE_FAILED), FIELD_UNSET, false};
        values[i] = guess == GUESS_TRUE;
    }
    if (condition_parse(def->condition, expressions, count, foresight->arena, &condition, &err))
        return unknown;
    return (struct fate){STATE_SUCCESS, condition_eval(condition, values), false};
}

/* ---- dependencies ---- */

struct outlook {
    struct rule_dep *deps;
    uint32_t count;
    uint32_t bad_edge;    /* whose condition cannot be evaluated; UINT32_MAX: none */
    bool is_settled;      /* all of it is known */
    bool may_be_excluded; /* by what is not: rule (a) comes first */
    struct err err;       /* of the bad edge */
};

/* As evaluate_edges of the engine, where the dependency is known. */
static void look_at_condition(const struct foresight *foresight, uint32_t task,
                              const struct graph_edge *edge, uint32_t place,
                              struct outlook *outlook)
{
    struct rule_dep *dep = &outlook->deps[place];
    bool is_open = dep->state == STATE_SUCCESS &&
                   (dep->wanted_outcome == FIELD_UNSET || dep->wanted_outcome == dep->outcome);
    enum guess guess = GUESS_FALSE;
    struct err err = {0};
    if (is_open) /* expressions may ask for the time */
        guess = foresight->def->tasks[task].expression_language == LANGUAGE_EL
                    ? GUESS_UNKNOWN
                    : compare(foresight, task, edge->condition, &err);
    if (guess == GUESS_UNKNOWN) {
        outlook->is_settled = false;
        outlook->may_be_excluded = true;
    } else if (guess == GUESS_BAD) {
        outlook->bad_edge = place;
        outlook->err = err;
    } else if (is_open || dep->wanted_outcome == FIELD_UNSET) {
        dep->wanted_outcome = 1;
        dep->outcome = guess == GUESS_TRUE;
    }
}

/* `excluded`: those that may be are. Whether a task can start goes up or down with how many of them are, so what holds if none of
 * them is and if all are holds. */
static void look_at_deps(const struct foresight *foresight, uint32_t task, bool excluded,
                         struct outlook *ret)
{
    const struct graph_node *node = &foresight->def->nodes[task];
    *ret = (struct outlook){
        .deps = ARENA_ARRAY(foresight->arena, node->dep_count, struct rule_dep),
        .count = node->dep_count,
        .bad_edge = UINT32_MAX,
        .is_settled = true,
    };
    for (uint32_t d = 0; d < node->dep_count; d++) {
        const struct graph_edge *edge = &node->deps[d];
        const struct fate *fate = &foresight->fates[edge->task];
        ret->deps[d] =
            (struct rule_dep){fate->or_excluded && excluded ? STATE_EXCLUDED : fate->state,
                              fate->outcome, edge->outcome};
        ret->is_settled &= !fate->or_excluded;
        if (fate->state == STATE_NEW) {
            ret->is_settled = false;
            ret->may_be_excluded |= edge->outcome != FIELD_UNSET || edge->condition;
        } else if (edge->condition) {
            look_at_condition(foresight, task, edge, d, ret);
        }
    }
}

/* ---- what is said of a task ---- */

static const char *outcome_text(int8_t outcome)
{
    return outcome == 1 ? "true" : "false";
}

/* An outcome or a condition that was not met. */
static const char *excluded_text(const struct foresight *foresight, const struct graph_edge *edge)
{
    const struct fate *fate = &foresight->fates[edge->task];
    const char *key = foresight->def->tasks[edge->task].task_key;
    bool kept = !is_planned(foresight, edge->task);
    if (!kept && !foresight->plan->tasks[edge->task].will_start)
        return arena_printf(foresight->arena, "Will not start: %s will not start either", key);
    if (fate->state == STATE_EXCLUDED)
        return arena_printf(foresight->arena, "Will not start: %s stays EXCLUDED; select it too",
                            key);
    if (edge->outcome != FIELD_UNSET && edge->outcome != fate->outcome &&
        fate->outcome != FIELD_UNSET)
        return arena_printf(foresight->arena,
                            kept
                                ? "Will not start: %s stays %s, this branch needs %s; select it too"
                                : "Will not start: %s will be %s, this branch needs %s",
                            key, outcome_text(fate->outcome), outcome_text(edge->outcome));
    if (edge->condition)
        return arena_printf(foresight->arena,
                            "Will not start: the condition of its dependency on %s is false", key);
    return arena_printf(foresight->arena, "Will not start: %s stays %s; select it too", key,
                        state_name(fate->state));
}

/* The kept dependency for which a task is UPSTREAM_FAILED: the first that failed itself, else the first that waited in vain as
 * well. The task: there is none. */
static uint32_t kept_failure_before(const struct foresight *foresight, uint32_t i)
{
    const struct graph_node *node = &foresight->def->nodes[i];
    uint32_t found = i;
    for (uint32_t d = 0; d < node->dep_count; d++) {
        uint32_t dep = node->deps[d].task;
        enum state state = foresight->fates[dep].state;
        if (is_planned(foresight, dep))
            continue;
        if (state_is_own_failure(state))
            return dep;
        if (found == i && state == STATE_UPSTREAM_FAILED)
            found = dep;
    }
    return found;
}

/* Of a kept task the one to select: where it waited in vain for another, that one, if it is kept as well. */
static uint32_t kept_culprit(const struct foresight *foresight, uint32_t i)
{
    uint32_t before = i;
    do {
        i = before;
        if (foresight->fates[i].state == STATE_UPSTREAM_FAILED)
            before = kept_failure_before(foresight, i);
    } while (before != i);
    return i;
}

static const char *refused_text(const struct foresight *foresight, const struct graph_edge *edge,
                                enum rule_verdict verdict)
{
    const char *key = foresight->def->tasks[edge->task].task_key;
    const struct plan_task *dep = &foresight->plan->tasks[edge->task];
    const char *state = state_name(foresight->fates[edge->task].state);
    if (verdict == RULE_EXCLUDED_OUTCOME)
        return excluded_text(foresight, edge);
    if (dep->verdict == PLAN_KEEP) {
        uint32_t culprit = kept_culprit(foresight, edge->task);
        return arena_printf(foresight->arena, "Will not start: %s stays %s; select it too",
                            foresight->def->tasks[culprit].task_key,
                            state_name(foresight->fates[culprit].state));
    }
    return dep->will_start
               ? arena_printf(foresight->arena, "Will not start: %s will end %s", key, state)
               : arena_printf(foresight->arena, "Will not start: %s will not start either", key);
}

/* One that cannot be resolved would end it. */
static bool has_known_parameters(const struct foresight *foresight, uint32_t i)
{
    const struct field_list *list = &foresight->def->tasks[i].parameters;
    const struct param *params = list->items;
    if (list->count && !foresight->scope)
        return false;
    for (size_t k = 0; k < list->count; k++)
        if (params[k].value && !is_known(foresight, i, params[k].value))
            return false;
    return true;
}

/* Can it be said that it will not start? Then *ret_fate is what becomes of it, and `outlook` and *ret_why are of the view that the
 * reason is told from. */
static bool is_refused(const struct foresight *foresight, uint32_t i, struct outlook *outlook,
                       struct rule_result *ret_why, struct fate *ret_fate)
{
    enum run_if run_if = (enum run_if)foresight->def->tasks[i].run_if;
    struct outlook other;
    struct rule_result if_excluded;
    look_at_deps(foresight, i, true, &other);
    look_at_deps(foresight, i, false, outlook);
    if (!outlook->count || !rule_cannot_run(run_if, outlook->deps, outlook->count, ret_why) ||
        !rule_cannot_run(run_if, other.deps, other.count, &if_excluded))
        return false;
    enum state state = rule_state(ret_why->verdict), other_state = rule_state(if_excluded.verdict);
    *ret_fate = (struct fate){
        .state = state == STATE_EXCLUDED ? other_state : state,
        .outcome = FIELD_UNSET,
        .or_excluded = outlook->may_be_excluded || state != other_state,
    };
    ret_fate->or_excluded &= ret_fate->state != STATE_EXCLUDED;
    return true;
}

static struct fate foresee_task(const struct foresight *foresight, uint32_t i)
{
    static const struct fate unknown = {STATE_NEW, FIELD_UNSET, false};
    const struct task_def *def = &foresight->def->tasks[i];
    const struct graph_edge *edges = foresight->def->nodes[i].deps;
    struct plan_task *task = &foresight->plan->tasks[i];
    struct outlook outlook;
    struct rule_result why;
    struct fate fate;
    if (task->verdict == PLAN_MARK) {
        task->will_start = true;
        return (struct fate){STATE_SUCCESS, FIELD_UNSET, false};
    }
    bool refused = is_refused(foresight, i, &outlook, &why, &fate);
    task->will_start = false;
    if (outlook.bad_edge != UINT32_MAX) {
        const char *key = foresight->def->tasks[edges[outlook.bad_edge].task].task_key;
        task->reason = arena_printf(foresight->arena,
                                    "Will not start: the condition of its dependency on %s: %s",
                                    key, outlook.err.message);
        return (struct fate){rule_state_seen(def, STATE_INTERNAL_ERROR), FIELD_UNSET, false};
    }
    if (refused) {
        uint32_t because = why.because == UINT32_MAX ? 0 : why.because;
        task->reason = refused_text(foresight, &edges[because], why.verdict);
        return fate;
    }
    task->will_start = true;
    if (plan_passes(foresight->input, i))
        return (struct fate){STATE_SUCCESS, FIELD_UNSET, false};
    if (!outlook.is_settled || !has_known_parameters(foresight, i))
        return unknown;
    if (def->type == TASK_DUMMY) /* nothing of it can fail */
        return (struct fate){STATE_SUCCESS, FIELD_UNSET, false};
    return def->type == TASK_IF_ELSE ? decide(foresight, i) : unknown;
}

void plan_foresee(const struct plan_input *input, const struct reference_scope *scope,
                  struct arena *arena, struct repair_plan *plan)
{
    const struct job_def *def = input->def;
    size_t compared_room = RESOLVED_ALL_MAX_BYTES;
    const struct foresight foresight = {
        .input = input,
        .def = def,
        .scope = def->details.expression_language == LANGUAGE_EL ? NULL : scope,
        .arena = arena,
        .plan = plan,
        .fates = ARENA_ARRAY(arena, def->task_count, struct fate),
        .compared_room = &compared_room,
    };
    for (uint32_t n = 0; n < def->task_count; n++) {
        uint32_t i = def->order[n];
        if (is_planned(&foresight, i))
            foresight.fates[i] = foresee_task(&foresight, i);
        else
            foresight.fates[i] = (struct fate){rule_state_seen(&def->tasks[i], input->states[i]),
                                               input->outcomes[i], false};
    }
}
