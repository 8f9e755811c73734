/* A campaign on the screen: one line of signs for each job, one sign for each planned time. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* `campaign` as the API prints it, with all its cells. */
void grid_print(struct cli *cli, const json_t *campaign);
/* `plan` as planRerunCampaign prints it: what each job would have to do, and what would be left out. */
void grid_print_plan(struct cli *cli, const json_t *plan);
