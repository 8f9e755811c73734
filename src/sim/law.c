#include "sim/law.h"

#include <string.h>

#include "base/mem.h"

/* ---- §1 ---- */

struct move {
    const char *from;
    const char *to; /* words */
};

#define ANY_FINAL_BUT_SKIPPED "SUCCESS FAILED CANCELED TIMED_OUT INTERNAL_ERROR"

static const struct move run_moves[] = {
    {"NEW", "QUEUED PENDING SKIPPED"},
    {"QUEUED", "PENDING SKIPPED CANCELED"},
    {"PENDING", "RUNNING CANCELING PAUSED_MAINTENANCE " ANY_FINAL_BUT_SKIPPED},
    {"RUNNING", "CANCELING PAUSED_MAINTENANCE " ANY_FINAL_BUT_SKIPPED},
    {"PAUSED_MAINTENANCE", "PENDING RUNNING CANCELING " ANY_FINAL_BUT_SKIPPED},
    {"CANCELING", "CANCELED TIMED_OUT"},
};

static const struct move task_moves[] = {
    {"NEW", "BLOCKED"},
    {"BLOCKED",
     "QUEUED RUNNING UPSTREAM_FAILED UPSTREAM_CANCELED EXCLUDED CANCELED INTERNAL_ERROR"},
    {"QUEUED", "PENDING CANCELED"},
    {"PENDING", "QUEUED RUNNING CANCELING CANCELED INTERNAL_ERROR"},
    {"RUNNING", "CANCELING PENDING SUCCESS FAILED TIMED_OUT INTERNAL_ERROR CANCELED"},
    {"CANCELING", "CANCELED TIMED_OUT PENDING"},
};

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p++) {
        bool begins = p == words || p[-1] == ' ';
        bool ends = p[len] == '\0' || p[len] == ' ';
        if (begins && ends)
            return true;
    }
    return false;
}

static bool listed(const struct move *moves, size_t count, enum state from, enum state to)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(moves[i].from, state_name(from)) == 0)
            return has_word(moves[i].to, state_name(to));
    return false;
}

bool law_is_final(enum state state)
{
    return has_word("SUCCESS FAILED CANCELED TIMED_OUT INTERNAL_ERROR SKIPPED UPSTREAM_FAILED "
                    "UPSTREAM_CANCELED EXCLUDED",
                    state_name(state));
}

bool law_holds_slot(enum state state)
{
    return has_word("PENDING RUNNING CANCELING PAUSED_MAINTENANCE", state_name(state));
}

bool law_run_may_move(enum state from, enum state to, bool by_repair)
{
    if (law_is_final(from))
        return by_repair && has_word("QUEUED PENDING", state_name(to));
    return listed(run_moves, ARRAY_LEN(run_moves), from, to);
}

bool law_task_may_move(enum state from, enum state to)
{
    return listed(task_moves, ARRAY_LEN(task_moves), from, to);
}

/* ---- §2 ---- */

/* S, F, C or X. */
static char class_of(enum state state)
{
    const char *name = state_name(state);
    if (has_word("SUCCESS", name))
        return 'S';
    if (has_word("FAILED INTERNAL_ERROR TIMED_OUT UPSTREAM_FAILED", name))
        return 'F';
    if (has_word("CANCELED UPSTREAM_CANCELED", name))
        return 'C';
    return has_word("EXCLUDED", name) ? 'X' : '?';
}

static int number_of(char class, const struct law_dep *deps, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += class_of(deps[i].state) == class;
    return n;
}

enum state law_trigger(enum run_if run_if, const struct law_dep *deps, int count)
{
    if (count == 0)
        return STATE_NEW;
    int s = number_of('S', deps, count);
    int f = number_of('F', deps, count);
    int c = number_of('C', deps, count);
    int x = number_of('X', deps, count);
    /* (a) */
    for (int i = 0; i < count; i++) {
        char class = class_of(deps[i].state);
        if (deps[i].wanted >= 0 &&
            (class == 'X' || (class == 'S' && deps[i].outcome != deps[i].wanted)))
            return STATE_EXCLUDED;
    }
    /* (b) */
    if (x == count)
        return STATE_EXCLUDED;
    const char *name = run_if_names[run_if];
    enum state upstream = f > 0 ? STATE_UPSTREAM_FAILED : STATE_UPSTREAM_CANCELED;
    if (strcmp(name, "ALL_SUCCESS") == 0)
        return f == 0 && c == 0 ? STATE_NEW : upstream;
    if (strcmp(name, "NONE_FAILED") == 0)
        return f == 0 && s >= 1 ? STATE_NEW : upstream;
    if (strcmp(name, "AT_LEAST_ONE_SUCCESS") == 0)
        return s >= 1 ? STATE_NEW : upstream;
    if (strcmp(name, "ALL_FAILED") == 0)
        return f + c == count ? STATE_NEW : STATE_EXCLUDED;
    if (strcmp(name, "AT_LEAST_ONE_FAILED") == 0)
        return f + c >= 1 ? STATE_NEW : STATE_EXCLUDED;
    return STATE_NEW; /* ALL_DONE */
}

/* What becomes of task `i`: asks its dependencies first, again and again, and remembers nothing. */
static struct law_result become(const struct law_dag *dag, const struct law_end *ends,
                                const struct law_result *kept, int i)
{
    if (kept && kept[i].state != STATE_NEW)
        return kept[i];
    const struct law_task *task = &dag->tasks[i];
    struct law_dep deps[LAW_TASKS];
    int count = 0;
    for (int d = 0; d < dag->count; d++) {
        if (!task->needs[d].is_there)
            continue;
        struct law_result other = become(dag, ends, kept, d);
        if (other.state == STATE_NEW)
            return (struct law_result){STATE_NEW, -1, false};
        deps[count++] = (struct law_dep){other.state, other.outcome, task->needs[d].wanted};
    }
    enum state verdict = law_trigger(task->run_if, deps, count);
    if (verdict != STATE_NEW)
        return (struct law_result){verdict, -1, false};
    bool decides = task->is_if_else && ends[i].state == STATE_SUCCESS;
    return (struct law_result){ends[i].state, (int8_t)(decides ? ends[i].outcome : -1), true};
}

void law_run(const struct law_dag *dag, const struct law_end *ends, const struct law_result *kept,
             struct law_result *ret)
{
    for (int i = 0; i < dag->count; i++)
        ret[i] = become(dag, ends, kept, i);
}

static bool is_leaf(const struct law_dag *dag, int i)
{
    for (int other = 0; other < dag->count; other++)
        if (dag->tasks[other].needs[i].is_there)
            return false;
    return true;
}

static bool any_leaf(const struct law_dag *dag, const struct law_result *results, const char *words)
{
    for (int i = 0; i < dag->count; i++)
        if (is_leaf(dag, i) && has_word(words, state_name(results[i].state)))
            return true;
    return false;
}

enum state law_run_result(const struct law_dag *dag, const struct law_result *results)
{
    if (any_leaf(dag, results, "FAILED TIMED_OUT UPSTREAM_FAILED"))
        return STATE_FAILED;
    if (any_leaf(dag, results, "INTERNAL_ERROR"))
        return STATE_INTERNAL_ERROR;
    if (any_leaf(dag, results, "CANCELED UPSTREAM_CANCELED"))
        return STATE_CANCELED;
    return STATE_SUCCESS;
}

void law_cancel(const struct law_dag *dag, struct law_result *results)
{
    for (int i = 0; i < dag->count; i++)
        if (results[i].state == STATE_NEW)
            results[i].state = STATE_CANCELED;
}

/* ---- §8 ---- */

static bool did_not_succeed(enum state state)
{
    return has_word("FAILED TIMED_OUT INTERNAL_ERROR CANCELED UPSTREAM_FAILED UPSTREAM_CANCELED",
                    state_name(state));
}

/* Is there a path from a selected task down to `i`? */
static bool below_selection(const struct law_dag *dag, const bool *selected, int i)
{
    for (int d = 0; d < dag->count; d++)
        if (dag->tasks[i].needs[d].is_there && (selected[d] || below_selection(dag, selected, d)))
            return true;
    return false;
}

/* Is there a path from task `above` down to task `below`? */
static bool leads_to(const struct law_dag *dag, int above, int below)
{
    for (int d = 0; d < dag->count; d++)
        if (dag->tasks[below].needs[d].is_there && (d == above || leads_to(dag, above, d)))
            return true;
    return false;
}

static bool is_asked_for(const struct law_dag *dag, const struct law_selection *selection, int i)
{
    if (selection->named >> i & 1U)
        return true;
    for (int other = 0; other < dag->count; other++) {
        if (!(selection->named >> other & 1U))
            continue;
        if ((selection->with_upstream >> other & 1U) && leads_to(dag, i, other))
            return true;
        if ((selection->with_downstream >> other & 1U) && leads_to(dag, other, i))
            return true;
    }
    return false;
}

bool law_plan(const struct law_dag *dag, const enum state *states,
              const struct law_selection *selection, enum law_verdict *ret)
{
    enum law_mode mode = selection->mode;
    bool selected[LAW_TASKS] = {false};
    bool any = false;
    for (int i = 0; i < dag->count; i++) {
        if (selection->named)
            selected[i] = is_asked_for(dag, selection, i) &&
                          !(mode == LAW_RESUME && states[i] == STATE_SUCCESS);
        else
            selected[i] = mode == LAW_RERUN || did_not_succeed(states[i]);
        selected[i] = selected[i] || states[i] == STATE_NEW;
        any = any || selected[i];
    }
    for (int i = 0; i < dag->count; i++) {
        if (selected[i])
            ret[i] = LAW_RUN;
        else if (states[i] != STATE_SUCCESS && below_selection(dag, selected, i))
            ret[i] = LAW_REEVALUATE;
        else
            ret[i] = LAW_KEEP;
    }
    return any;
}
