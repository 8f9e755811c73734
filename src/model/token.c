#include "model/token.h"

#include <inttypes.h>
#include <stdio.h>

char *token_format(const struct uuid *run, const struct uuid *task_run, int64_t repair,
                   int64_t attempt, int64_t epoch, char text[static TOKEN_TEXT])
{
    char run_text[UUID_TEXT];
    char task_run_text[UUID_TEXT];
    snprintf(text, TOKEN_TEXT, "%s.%s.%" PRId64 ".%" PRId64 ".%" PRId64, uuid_format(run, run_text),
             uuid_format(task_run, task_run_text), repair, attempt, epoch);
    return text;
}
