/*
 * Recorded grounds of a move, in words: what `run why` prints under a task or a run.
 *
 * Decisions are open objects; each kind that is known has a form of its own. Of one that is not, from a newer server, everything is
 * printed as it is named.
 */
#pragma once

#include <jansson.h>

#include "cli/clocks.h"

/* Planned times are on the clocks of their jobs; `own` is that of the run that it is about. */
void decision_print(struct clocks *clocks, const char *own, const json_t *decision);
/* "TRIGGER_RULE" → "trigger rule". */
const char *decision_words(struct cli *cli, const char *name);
