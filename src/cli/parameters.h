/* Parameters that are given by --param and that nothing names: mostly a slip, though a program may read one all the same. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* Says which parameters a job, or its tasks, do not name, and who was given them: "run", "campaign". Silent when that
 * cannot be known. */
void parameters_warn_start(struct cli *cli, const char *job_key, const char *whom);
/* The same of a repair: what the run knows counts, and with another definition than its own what its job does. */
void parameters_warn_repair(struct cli *cli, const char *run_key);
/* A list of pairs, each on a line of its own, the first behind "Parameters"; nothing of an empty one. */
void parameters_print(struct cli *cli, const json_t *parameters);
/* Does a job (or a run), or one of its tasks, name the parameter? Else *ret_hint is how a complaint about it ends: "; did you mean
 * region?", or "" where no name is near. */
bool parameters_knows(struct cli *cli, const json_t *owner, const char *name,
                      const char **ret_hint);
