/*
 * The token of an attempt: "<run>.<taskRun>.<repair>.<attempt>.<epoch>".
 *
 * It fences every report of an attempt, is in the task's environment as REPRISE_ATTEMPT_TOKEN, and
 * is what the APIs show as the external id of an attempt that nothing else names.
 */
#pragma once

#include <stdint.h>

#include "base/uuid.h"

enum { TOKEN_TEXT = 160 };

/* Writes the token and returns `text`. */
char *token_format(const struct uuid *run, const struct uuid *task_run, int64_t repair,
                   int64_t attempt, int64_t epoch, char text[static TOKEN_TEXT]);
