/* Where parameters came from, as lines: what `explanation` tells of a run or a task. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* Under a heading each, indented by `indent` blanks; nothing of an empty list. */
void print_provenance(struct cli *cli, const json_t *explained, const char *heading, int indent);
