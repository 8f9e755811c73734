/* RULES §2: trigger rules and run results as functions of states, exhaustively. */
#include <stdlib.h>

#include "base/mem.h"
#include "sim/book.h"
#include "engine/cmocka_all.h"
#include "sim/law.h"
#include "engine/rules.h"

/* Every way in which a dependency can look: final states, outcomes, wishes. */
enum { LOOKS_MAX = 64, DEPS_MAX = 4 };

static int all_looks(struct law_dep looks[LOOKS_MAX], bool with_unknown)
{
    static const enum state states[] = {
        STATE_SUCCESS,           STATE_FAILED,   STATE_TIMED_OUT,
        STATE_INTERNAL_ERROR,    STATE_CANCELED, STATE_UPSTREAM_FAILED,
        STATE_UPSTREAM_CANCELED, STATE_EXCLUDED, STATE_NEW};
    int count = 0;
    for (size_t s = 0; s < ARRAY_LEN(states) - !with_unknown; s++)
        for (int outcome = -1; outcome < (states[s] == STATE_SUCCESS ? 2 : 0); outcome++)
            for (int wanted = -1; wanted < 2; wanted++)
                looks[count++] = (struct law_dep){states[s], (int8_t)outcome, (int8_t)wanted};
    return count;
}

static struct rule_dep as_rule(const struct law_dep *dep)
{
    return (struct rule_dep){dep->state, dep->outcome, dep->wanted};
}

static void compare(int run_if, const struct law_dep *deps, const struct rule_dep *rule_deps,
                    uint32_t count)
{
    enum state law = law_trigger((enum run_if)run_if, deps, (int)count);
    struct rule_result result = rule_evaluate((enum run_if)run_if, rule_deps, count);
    if (rule_state(result.verdict) != law || (result.verdict == RULE_RUN) != (law == STATE_NEW)) {
        for (uint32_t i = 0; i < count; i++)
            print_error("%s outcome %d wanted %d\n", state_name(deps[i].state), deps[i].outcome,
                        deps[i].wanted);
        fail_msg("%s: %s, not %s", run_if_names[run_if], state_name(rule_state(result.verdict)),
                 state_name(law));
    }
    if (result.because != UINT32_MAX && result.because >= count)
        fail_msg("because of dependency %u of %u", result.because, count);
}

static void every_rule_on_every_kind_of_dependencies(void **state)
{
    (void)state;
    struct law_dep looks[LOOKS_MAX];
    int kinds = all_looks(looks, false);
    size_t compared = 0;
    for (int run_if = 0; run_if < RUN_IF_COUNT; run_if++) {
        int total = 1;
        for (uint32_t count = 0; count <= DEPS_MAX; count++, total *= kinds)
            for (int code = 0; code < total; code++) {
                struct law_dep deps[DEPS_MAX];
                struct rule_dep rule_deps[DEPS_MAX];
                for (uint32_t i = 0, rest = (uint32_t)code; i < count; i++) {
                    deps[i] = looks[rest % (uint32_t)kinds];
                    rule_deps[i] = as_rule(&deps[i]);
                    rest /= (uint32_t)kinds;
                }
                compare(run_if, deps, rule_deps, count);
                compared++;
            }
    }
    print_message("compared %zu rules with up to %d dependencies\n", compared, DEPS_MAX);
}

/* The page's table, once more, as it stands there. */
static void the_table(void **state)
{
    (void)state;
    static const struct {
        enum run_if run_if;
        enum state deps[3];
        enum state verdict; /* STATE_NEW: runs */
    } rows[] = {
        {RUN_IF_ALL_SUCCESS, {STATE_SUCCESS, STATE_SUCCESS, STATE_EXCLUDED}, STATE_NEW},
        {RUN_IF_ALL_SUCCESS, {STATE_SUCCESS, STATE_CANCELED, STATE_FAILED}, STATE_UPSTREAM_FAILED},
        {RUN_IF_ALL_SUCCESS,
         {STATE_SUCCESS, STATE_CANCELED, STATE_EXCLUDED},
         STATE_UPSTREAM_CANCELED},
        {RUN_IF_ALL_SUCCESS, {STATE_EXCLUDED, STATE_EXCLUDED, STATE_EXCLUDED}, STATE_EXCLUDED},
        {RUN_IF_NONE_FAILED, {STATE_SUCCESS, STATE_CANCELED, STATE_EXCLUDED}, STATE_NEW},
        {RUN_IF_NONE_FAILED,
         {STATE_CANCELED, STATE_EXCLUDED, STATE_EXCLUDED},
         STATE_UPSTREAM_CANCELED},
        {RUN_IF_NONE_FAILED,
         {STATE_SUCCESS, STATE_TIMED_OUT, STATE_CANCELED},
         STATE_UPSTREAM_FAILED},
        {RUN_IF_AT_LEAST_ONE_SUCCESS, {STATE_SUCCESS, STATE_FAILED, STATE_CANCELED}, STATE_NEW},
        {RUN_IF_AT_LEAST_ONE_SUCCESS,
         {STATE_EXCLUDED, STATE_INTERNAL_ERROR, STATE_CANCELED},
         STATE_UPSTREAM_FAILED},
        {RUN_IF_AT_LEAST_ONE_SUCCESS,
         {STATE_EXCLUDED, STATE_UPSTREAM_CANCELED, STATE_CANCELED},
         STATE_UPSTREAM_CANCELED},
        {RUN_IF_ALL_DONE, {STATE_FAILED, STATE_CANCELED, STATE_EXCLUDED}, STATE_NEW},
        {RUN_IF_ALL_FAILED, {STATE_FAILED, STATE_CANCELED, STATE_UPSTREAM_FAILED}, STATE_NEW},
        {RUN_IF_ALL_FAILED, {STATE_FAILED, STATE_CANCELED, STATE_EXCLUDED}, STATE_EXCLUDED},
        {RUN_IF_ALL_FAILED, {STATE_FAILED, STATE_SUCCESS, STATE_FAILED}, STATE_EXCLUDED},
        {RUN_IF_AT_LEAST_ONE_FAILED,
         {STATE_SUCCESS, STATE_UPSTREAM_CANCELED, STATE_EXCLUDED},
         STATE_NEW},
        {RUN_IF_AT_LEAST_ONE_FAILED,
         {STATE_SUCCESS, STATE_SUCCESS, STATE_EXCLUDED},
         STATE_EXCLUDED},
    };
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        struct rule_dep deps[3];
        for (int i = 0; i < 3; i++)
            deps[i] = (struct rule_dep){rows[r].deps[i], -1, -1};
        struct rule_result result = rule_evaluate(rows[r].run_if, deps, 3);
        if (rule_state(result.verdict) != rows[r].verdict)
            fail_msg("row %zu: %s", r, state_name(rule_state(result.verdict)));
    }
}

/* Has some completion of the unknown dependencies the task run? And does each agree with `state`? */
struct completions {
    bool some_runs;
    bool all_are; /* what was foretold */
};

static void complete(int run_if, struct law_dep *deps, int count, int at, enum state foretold,
                     struct completions *ret)
{
    if (at == count) {
        enum state law = law_trigger((enum run_if)run_if, deps, count);
        ret->some_runs |= law == STATE_NEW;
        ret->all_are &= law == foretold;
        return;
    }
    if (deps[at].state != STATE_NEW) {
        complete(run_if, deps, count, at + 1, foretold, ret);
        return;
    }
    struct law_dep looks[LOOKS_MAX];
    int kinds = all_looks(looks, false);
    struct law_dep unknown = deps[at];
    for (int k = 0; k < kinds; k++) {
        /* Only an IF_ELSE has an outcome and may be asked for one. */
        bool decides = looks[k].state == STATE_SUCCESS && unknown.wanted >= 0;
        if (looks[k].wanted != unknown.wanted || decides != (looks[k].outcome >= 0))
            continue;
        deps[at] = looks[k];
        complete(run_if, deps, count, at + 1, foretold, ret);
    }
    deps[at] = unknown;
}

/* rule_cannot_run says so only if it is so, whatever the unknown ones become; and then it says so. */
static void what_is_foretold_comes_true(void **state)
{
    (void)state;
    enum { KNOWN_DEPS = 3 };
    struct law_dep looks[LOOKS_MAX];
    int kinds = all_looks(looks, true);
    size_t compared = 0;
    for (int run_if = 0; run_if < RUN_IF_COUNT; run_if++) {
        int total = kinds;
        for (uint32_t count = 1; count <= KNOWN_DEPS; count++, total *= kinds)
            for (int code = 0; code < total; code++) {
                struct law_dep deps[KNOWN_DEPS];
                struct rule_dep rule_deps[KNOWN_DEPS];
                for (uint32_t i = 0, rest = (uint32_t)code; i < count; i++) {
                    deps[i] = looks[rest % (uint32_t)kinds];
                    rule_deps[i] = as_rule(&deps[i]);
                    rest /= (uint32_t)kinds;
                }
                struct rule_result result;
                bool cannot = rule_cannot_run((enum run_if)run_if, rule_deps, count, &result);
                struct completions truth = {false, true};
                complete(run_if, deps, (int)count, 0, STATE_NEW, &truth);
                compared++;
                if (cannot && truth.some_runs)
                    fail_msg("%s code %d: foretold not to run, but it may", run_if_names[run_if],
                             code);
                if (!cannot && !truth.some_runs)
                    fail_msg("%s code %d: it can be known that it will not run",
                             run_if_names[run_if], code);
            }
    }
    print_message("compared %zu foretellings\n", compared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_on_every_kind_of_dependencies),
        cmocka_unit_test(the_table),
        cmocka_unit_test(what_is_foretold_comes_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
