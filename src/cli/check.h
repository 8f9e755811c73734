/*
 * What the server says of a job file before it is saved: `job validate`, and what goes before or behind saving one.
 *
 * Problems and warnings go to stderr, each with the key of its task, which the server knows by its place alone.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "cli/context.h"
#include "cli/http.h"

/* Asks what saving `body` would say; the answer and its tree are the caller's. As call_get. */
__attribute__((warn_unused_result)) int check_ask(struct cli *cli, const char *body,
                                                  struct http_answer *ret, json_t **ret_tree);
/* What is wrong, and what would be ignored. CLI_DONE when it could be saved, else CLI_REFUSED: with --strict also when something is
 * missing that it wants (a secret). `file` is named in front of each line, unless it is NULL. */
__attribute__((warn_unused_result)) int check_tell(struct cli *cli, const json_t *answer,
                                                   const char *body, const char *file,
                                                   bool has_stand_ins);
/* Tells of `body`, which was sent to be saved, which fields were ignored. Says nothing when that cannot be known. */
void check_warn(struct cli *cli, const char *body);

/* How keys begin that stand for jobs which are not there yet (`has_stand_ins`): that they are not is no mistake. */
#define CHECK_STAND_IN "00000000-0000-4000-8000-"
