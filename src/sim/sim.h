/*
 * The simulation: random jobs, impatient users, executors and faults around the engine, from a seed.
 *
 * One to three workspaces share a disk. Users save and change jobs with caps, queues, retries, timeouts and
 * schedules, submit, cancel, repair with random selections, delete, and repeat requests under retry
 * tokens when the answer was lost. Attempts take random times and end in every way; their reports
 * come late, twice, or long after they mattered. The server crashes between any two effects, commits
 * fail or lose their answer, supervisors are killed, orders are never claimed, the host reboots or is
 * suspended, the wall clock jumps. Then the faults stop and all that is open must end within a bound.
 *
 * The seed and the number of steps decide everything. What is checked: sim/world.h. A broken rule
 * ends in `broken` (sim/fail.h); report->trace then tells what happened last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/state.h"
#include "sim/trace.h"

enum { SIM_STEPS = 250 }; /* enough for most of what can happen to happen */

struct sim_report {
    uint64_t digest; /* of all effects and answers */
    size_t workspaces, steps, crashes, starts, accepted, refused, replayed, stale, twins;
    size_t children, suspended; /* child runs; runs that had to be cancelled in the end */
    size_t fired;               /* runs that a schedule or `continuous` made */
    size_t held,
        canceled_by_upstream;  /* of them: waited for other jobs; and were canceled for them */
    size_t moved[STATE_COUNT]; /* events of runs, by state */
    const struct trace *trace; /* of the workspace that acts; valid until sim_run returns */
};

/* Adds to *report; its digest is replaced. */
void sim_run(uint64_t seed, uint32_t steps, struct sim_report *report);
