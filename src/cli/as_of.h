/* A run as it was after one of its repairs. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* With --repair N: puts into `run`, as the API shows it, the task runs and the state that its repair N came to (0: the
 * original); tasks that its definition no longer has are appended. Without: nothing. `key` is escaped. */
__attribute__((warn_unused_result)) int as_of_repair(struct cli *cli, const char *key, json_t *run);
