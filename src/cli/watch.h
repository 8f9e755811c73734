/* Waiting for the end of a run, with or without showing it. */
#pragma once

#include <jansson.h>

#include "cli/context.h"

enum watch_how {
    WATCH_SILENT, /* until the end, then the run once */
    WATCH_SHOWN,  /* a live tree on a terminal, elsewhere a line for each change */
};

/* Returns CLI_DONE when the run ended with SUCCESS, CLI_RUN_FAILED when it ended otherwise; another
 * code when it cannot be told. Prints the last body with `-o json`, the key with `-o name`. */
__attribute__((warn_unused_result)) int watch_run(struct cli *cli, const char *key,
                                                  enum watch_how how);

/* GET of a run. As call_send. */
struct http_answer;
__attribute__((warn_unused_result)) int watch_get_run(struct cli *cli, const char *key,
                                                      bool patient, struct http_answer *ret);
/* Now, for durations of what goes on. */
int64_t watch_now_ms(void);
/* The tree of a run as it is now, what it waits for on the clock of its schedule. For tree_release. */
struct tree;
void watch_tree(struct cli *cli, const json_t *run, struct tree *ret);
