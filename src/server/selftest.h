/*
 * `reprise selftest`: the engine that is in this binary, in simulated worlds (sim/sim.h), or on a
 * history that really happened (sim/replay.h). It needs no server and no data folder.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "sim/trace.h"

/* A world that did not hold, as it is told: where and what, what happened last (`trace` may be NULL),
 * and the command that repeats it (`seed` 0: there is none). */
void selftest_tell(FILE *out, const char *where, const char *what, const struct trace *trace,
                   uint64_t seed, uint32_t steps);

/* `argv[0]` is "selftest". Returns the exit code: 0 all is well, 1 something is not, 2 usage. When a
 * rule is broken the process exits with 1 from within. */
int selftest(int argc, char **argv);
