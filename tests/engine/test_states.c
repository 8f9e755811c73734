/* RULES §1: the table of allowed moves, all pairs, against one typed from the page. */
#include "base/mem.h"
#include "engine/cmocka_all.h"
#include "sim/law.h"
#include "model/state.h"

static void every_move_of_a_run(void **state)
{
    (void)state;
    for (int from = STATE_NEW; from < STATE_COUNT; from++)
        for (int to = 0; to < STATE_COUNT; to++) {
            bool law = law_run_may_move((enum state)from, (enum state)to, true);
            if (state_run_may_move((enum state)from, (enum state)to) != law)
                fail_msg("run %s → %s: must be %d", state_name((enum state)from), state_names[to],
                         law);
        }
}

static void every_move_of_a_task(void **state)
{
    (void)state;
    for (int from = STATE_NEW; from < STATE_COUNT; from++)
        for (int to = 0; to < STATE_COUNT; to++) {
            bool law = law_task_may_move((enum state)from, (enum state)to);
            if (state_task_may_move((enum state)from, (enum state)to) != law)
                fail_msg("task %s → %s: must be %d", state_name((enum state)from), state_names[to],
                         law);
        }
}

static void what_states_mean(void **state)
{
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++) {
        assert_int_equal(state_is_final((enum state)s), law_is_final((enum state)s));
        assert_int_equal(state_holds_slot((enum state)s), law_holds_slot((enum state)s));
        assert_int_equal(state_from_name(state_names[s]), s);
    }
    assert_false(state_is_final(STATE_NEW));
    assert_false(state_holds_slot(STATE_NEW));
    /* §8.2: what a repair selects by itself. */
    static const enum state unsuccessful[] = {STATE_FAILED,          STATE_TIMED_OUT,
                                              STATE_INTERNAL_ERROR,  STATE_CANCELED,
                                              STATE_UPSTREAM_FAILED, STATE_UPSTREAM_CANCELED};
    int count = 0;
    for (int s = 0; s < STATE_COUNT; s++)
        count += state_is_unsuccessful((enum state)s);
    assert_int_equal(count, ARRAY_LEN(unsuccessful));
    for (size_t i = 0; i < ARRAY_LEN(unsuccessful); i++)
        assert_true(state_is_unsuccessful(unsuccessful[i]));
    /* §12: isUserCanceledOrTimedOut. */
    assert_true(state_is_canceled_or_timed_out(STATE_CANCELING));
    assert_true(state_is_canceled_or_timed_out(STATE_CANCELED));
    assert_true(state_is_canceled_or_timed_out(STATE_TIMED_OUT));
    assert_false(state_is_canceled_or_timed_out(STATE_UPSTREAM_CANCELED));
}

static void states_sort_by_name(void **state)
{
    (void)state;
    for (int s = 1; s < STATE_COUNT; s++)
        assert_true(strcmp(state_names[s - 1], state_names[s]) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_of_a_run),
        cmocka_unit_test(every_move_of_a_task),
        cmocka_unit_test(what_states_mean),
        cmocka_unit_test(states_sort_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
