/* RULES §2, §3: whole runs, from the first task to the result. */
#include "engine/harness.h"

static void a_chain_runs_in_order(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a; c: b", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    assert_has(world_task(world, &run, "b")->row.message, "Waiting for a");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING c=BLOCKED");
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS c=SUCCESS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_chain_runs_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
