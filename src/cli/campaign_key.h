/* Which campaign is meant: a key, a part of one, its name, @latest. */
#pragma once

#include "cli/context.h"

/* CLI_USAGE after a complaint, which names the campaigns where there are several. */
__attribute__((warn_unused_result)) int campaign_key(struct cli *cli, const char *word,
                                                     const char **ret_key);
