/*
 * Random worlds (sim/sim.h): what must be true in every world is, in these; every tenth seed twice,
 * with the same effects. REPRISE_TEST_SEED=n repeats one world, `make exhaustive` and `make soak` run on.
 */
#include <stdlib.h>
#include <time.h>

#include "engine/cmocka_all.h"
#include "sim/fail.h"
#include "sim/sim.h"

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 150 }; /* the worlds are the same, each several times as long */
#else
enum { SEEDS = 500 };
#endif
enum { LONG_SEEDS = 20000 };

static struct sim_report seen;

/* A trace says more than the rule that is broken. */
static void fail_test(void *context, const char *where, const char *what)
{
    (void)context;
    const char *line;
    for (size_t i = 0; seen.trace && (line = trace_line(seen.trace, i)); i++)
        print_error("  %s\n", line);
    fail_msg("%s: %s", where, what);
}

static uint64_t one_seed(uint64_t seed)
{
    broken_context("REPRISE_TEST_SEED=%llu", (unsigned long long)seed);
    sim_run(seed, SIM_STEPS, &seen);
    return seen.digest;
}

/* When a soak is over; 0: it is none. */
static time_t soak_end(const char *how_long)
{
    const char *seconds = getenv("REPRISE_SOAK_SECONDS");
    if (!how_long || strcmp(how_long, "soak") != 0)
        return 0;
    return time(NULL) + (seconds ? strtol(seconds, NULL, 10) : 60);
}

static void random_worlds(void **state)
{
    (void)state;
    const char *seed = getenv("REPRISE_TEST_SEED");
    const char *how_long = getenv("REPRISE_TEST_LONG");
    broken_handle(fail_test, NULL);
    if (seed) {
        one_seed(strtoull(seed, NULL, 10));
        return;
    }
    uint64_t seeds = how_long && *how_long ? LONG_SEEDS : SEEDS;
    time_t end = soak_end(how_long);
    for (uint64_t i = 1; end ? time(NULL) < end : i <= seeds; i++) {
        uint64_t digest = one_seed(i);
        if (i % 10 == 0 && one_seed(i) != digest)
            broken("the same seed, other effects");
    }
    print_message(
        "%zu workspaces, %zu steps, %zu crashes, %zu attempts, %zu commands accepted, "
        "%zu refused, %zu replayed, %zu stale reports, %zu batches by a twin, %zu "
        "children, %zu suspended, %zu fired by schedules, %zu of them held, %zu canceled for it\n",
        seen.workspaces, seen.steps, seen.crashes, seen.starts, seen.accepted, seen.refused,
        seen.replayed, seen.stale, seen.twins, seen.children, seen.suspended, seen.fired, seen.held,
        seen.canceled_by_upstream);
    for (int s = 0; s < STATE_COUNT; s++)
        if (seen.moved[s])
            print_message("  runs that became %s: %zu\n", state_names[s], seen.moved[s]);
    assert_true(seen.replayed > 0 && seen.twins > 0 && seen.stale > 0 && seen.crashes > 0 &&
                seen.fired > 0 && seen.held > 0 && seen.canceled_by_upstream > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
