/* Sentences that are derived anew when they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/message.h"

static void test_ordinals(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *text;
    } cases[] = {
        {1, "1st"},   {2, "2nd"},   {3, "3rd"},   {4, "4th"},     {11, "11th"},   {12, "12th"},
        {13, "13th"}, {21, "21st"}, {22, "22nd"}, {101, "101st"}, {111, "111th"}, {1000, "1000th"},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(message_ordinal(cases[i].n, &arena), cases[i].text);
    arena_release(&arena);
}

enum { DEPS = 5 };

static void test_only_open_dependencies_are_named_and_three_at_most(void **state)
{
    (void)state;
    struct task_def tasks[DEPS + 1] = {{.task_key = "a"}, {.task_key = "b"}, {.task_key = "c"},
                                       {.task_key = "d"}, {.task_key = "e"}, {.task_key = "join"}};
    struct graph_edge edges[DEPS] = {
        {.task = 0}, {.task = 1}, {.task = 2}, {.task = 3}, {.task = 4}};
    struct graph_node nodes[DEPS + 1] = {[DEPS] = {.deps = edges, .dep_count = DEPS}};
    const struct job_def def = {.tasks = tasks, .task_count = DEPS + 1, .nodes = nodes};
    uint32_t open[DEPS + 1] = {0, 1, 2, 3, 4, DEPS};
    struct arena arena;
    arena_init(&arena);
    assert_string_equal(message_waiting(&def, DEPS, open, &arena),
                        "Waiting for a, b, c and 2 more");
    open[0] = open[2] = open[4] = MESSAGE_NOBODY;
    assert_string_equal(message_waiting(&def, DEPS, open, &arena), "Waiting for b, d");
    open[0] = open[3] = 1; /* they stand before it */
    assert_string_equal(message_waiting(&def, DEPS, open, &arena), "Waiting for b");
    open[0] = open[1] = open[3] = MESSAGE_NOBODY;
    assert_string_equal(message_waiting(&def, DEPS, open, &arena), "Waiting for the run to start");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinals),
        cmocka_unit_test(test_only_open_dependencies_are_named_and_three_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
