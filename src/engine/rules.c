#include "engine/rules.h"

#include <stddef.h>

enum dep_class {
    CLASS_SUCCESS,
    CLASS_FAILED,
    CLASS_CANCELED,
    CLASS_EXCLUDED,
    CLASS_UNKNOWN,
    CLASSES
};

static enum dep_class classify(enum state state)
{
    switch (state) {
    case STATE_SUCCESS:
        return CLASS_SUCCESS;
    case STATE_FAILED:
    case STATE_INTERNAL_ERROR:
    case STATE_TIMED_OUT:
    case STATE_UPSTREAM_FAILED:
        return CLASS_FAILED;
    case STATE_CANCELED:
    case STATE_UPSTREAM_CANCELED:
        return CLASS_CANCELED;
    case STATE_EXCLUDED:
        return CLASS_EXCLUDED;
    case STATE_NEW:
    case STATE_BLOCKED:
    case STATE_CANCELING:
    case STATE_PAUSED_MAINTENANCE:
    case STATE_PENDING:
    case STATE_QUEUED:
    case STATE_RUNNING:
    case STATE_SKIPPED:
    case STATE_COUNT:
    default:
        return CLASS_UNKNOWN;
    }
}

/* How many dependencies there are of each class, and the first of each; of those that failed, the first that
 * failed itself, if one did. */
struct tally {
    uint32_t count[CLASSES];
    uint32_t first[CLASSES];
    uint32_t unmet; /* first dependency whose outcome the edge does not want; UINT32_MAX */
};

static bool is_unmet(const struct rule_dep *dep)
{
    if (dep->wanted_outcome == FIELD_UNSET)
        return false;
    if (dep->state == STATE_EXCLUDED)
        return true;
    return dep->state == STATE_SUCCESS && dep->outcome != dep->wanted_outcome;
}

static struct tally tally(const struct rule_dep *deps, uint32_t count)
{
    struct tally t = {.unmet = UINT32_MAX};
    for (int c = 0; c < CLASSES; c++)
        t.first[c] = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        enum dep_class c = classify(deps[i].state);
        if (!t.count[c]++ || (c == CLASS_FAILED && deps[i].state != STATE_UPSTREAM_FAILED &&
                              deps[t.first[c]].state == STATE_UPSTREAM_FAILED))
            t.first[c] = i;
        if (t.unmet == UINT32_MAX && is_unmet(&deps[i]))
            t.unmet = i;
    }
    return t;
}

static struct rule_result upstream(const struct tally *t)
{
    if (t->count[CLASS_FAILED])
        return (struct rule_result){RULE_UPSTREAM_FAILED, t->first[CLASS_FAILED]};
    return (struct rule_result){RULE_UPSTREAM_CANCELED, t->first[CLASS_CANCELED]};
}

/* It waits for failures; this one did not fail. */
static struct rule_result not_failed(const struct tally *t)
{
    enum dep_class c = t->count[CLASS_SUCCESS] ? CLASS_SUCCESS : CLASS_EXCLUDED;
    return (struct rule_result){RULE_EXCLUDED, t->first[c]};
}

enum state rule_state_seen(const struct task_def *task, enum state state)
{
    bool is_ignored = task->fail_policy == POLICY_IGNORE && state_is_own_failure(state);
    return is_ignored ? STATE_SUCCESS : state;
}

struct rule_result rule_evaluate(enum run_if run_if, const struct rule_dep *deps, uint32_t count)
{
    static const struct rule_result run = {RULE_RUN, UINT32_MAX};
    if (count == 0)
        return run;
    struct tally t = tally(deps, count);
    if (t.unmet != UINT32_MAX)
        return (struct rule_result){RULE_EXCLUDED_OUTCOME, t.unmet};
    if (t.count[CLASS_EXCLUDED] == count)
        return (struct rule_result){RULE_EXCLUDED_ALL, 0};
    uint32_t bad = t.count[CLASS_FAILED] + t.count[CLASS_CANCELED];
    switch (run_if) {
    case RUN_IF_ALL_SUCCESS:
        return bad ? upstream(&t) : run;
    case RUN_IF_NONE_FAILED:
        return !t.count[CLASS_FAILED] && t.count[CLASS_SUCCESS] ? run : upstream(&t);
    case RUN_IF_AT_LEAST_ONE_SUCCESS:
        return t.count[CLASS_SUCCESS] ? run : upstream(&t);
    case RUN_IF_ALL_DONE:
        return run;
    case RUN_IF_ALL_FAILED:
        return bad == count ? run : not_failed(&t);
    case RUN_IF_AT_LEAST_ONE_FAILED:
        return bad ? run : not_failed(&t);
    case RUN_IF_COUNT:
    default:
        return run;
    }
}

enum state rule_state(enum rule_verdict verdict)
{
    switch (verdict) {
    case RULE_EXCLUDED_OUTCOME:
    case RULE_EXCLUDED_ALL:
    case RULE_EXCLUDED:
        return STATE_EXCLUDED;
    case RULE_UPSTREAM_FAILED:
        return STATE_UPSTREAM_FAILED;
    case RULE_UPSTREAM_CANCELED:
        return STATE_UPSTREAM_CANCELED;
    case RULE_RUN:
    default:
        return STATE_NEW;
    }
}

bool rule_cannot_run(enum run_if run_if, const struct rule_dep *deps, uint32_t count,
                     struct rule_result *ret)
{
    struct tally t = tally(deps, count);
    uint32_t unknown = t.count[CLASS_UNKNOWN];
    uint32_t bad = t.count[CLASS_FAILED] + t.count[CLASS_CANCELED];
    if (!unknown || t.unmet != UINT32_MAX) {
        struct rule_result result = rule_evaluate(run_if, deps, count);
        if (result.verdict == RULE_RUN)
            return false;
        *ret = result;
        return true;
    }
    switch (run_if) {
    case RUN_IF_ALL_SUCCESS:
        if (!bad)
            return false;
        *ret = upstream(&t);
        return true;
    case RUN_IF_NONE_FAILED:
        if (!t.count[CLASS_FAILED])
            return false;
        *ret = upstream(&t);
        return true;
    case RUN_IF_ALL_FAILED:
        if (!t.count[CLASS_SUCCESS] && !t.count[CLASS_EXCLUDED])
            return false;
        *ret = not_failed(&t);
        return true;
    case RUN_IF_AT_LEAST_ONE_SUCCESS:
    case RUN_IF_ALL_DONE:
    case RUN_IF_AT_LEAST_ONE_FAILED:
    case RUN_IF_COUNT:
    default:
        return false; /* an unknown one may still let it run */
    }
}

enum state rule_run_result(const struct job_def *def, const enum state *states)
{
    bool failed = false;
    bool internal = false;
    bool canceled = false;
    for (uint32_t i = 0; i < def->task_count; i++) {
        if (!job_def_is_leaf(def, i))
            continue;
        enum state s = rule_state_seen(&def->tasks[i], states[i]);
        failed |= s == STATE_FAILED || s == STATE_TIMED_OUT || s == STATE_UPSTREAM_FAILED;
        internal |= s == STATE_INTERNAL_ERROR;
        canceled |= s == STATE_CANCELED || s == STATE_UPSTREAM_CANCELED;
    }
    if (failed)
        return STATE_FAILED;
    if (internal)
        return STATE_INTERNAL_ERROR;
    return canceled ? STATE_CANCELED : STATE_SUCCESS;
}
