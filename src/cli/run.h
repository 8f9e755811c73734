/* What the verbs on runs share. */
#pragma once

#include <jansson.h>

#include "cli/context.h"
#include "cli/http.h"

/* Prints that a run was `what` ("Started") and follows it as --watch and --wait ask. Returns the
 * exit code. */
__attribute__((warn_unused_result)) int run_follow(struct cli *cli,
                                                   const struct http_answer *answer,
                                                   const char *what);
/* An errorTrace, its lines kept, under a blank line; nothing without one. */
void run_print_trace(const char *trace);
/* "✗ FAILED", in its colour, as a cell; NULL is "-". */
void run_add_state(struct cli *cli, struct table *table, const char *status);
/* A table of runs, JobRunSummary each; with `-o name` their keys. */
void run_print_table(struct cli *cli, const json_t *const *runs, size_t count);
