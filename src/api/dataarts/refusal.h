/*
 * Refusals of a definition in the words of this dialect (RULES §10: a bad parameter is named).
 *
 * A job becomes a definition, and what is wrong with that is told by the definition's names: "tasks[1].dependsOn[0].taskKey".
 * A client has sent nodes[1].preNodeName[0]. Messages begin with where it is wrong; tables say what that is called here.
 */
#pragma once

#include "api/dataarts/translate.h"

/* Changes the message, and the code where the schedule is to blame. `is_monitored`: the first task is none of the job's nodes. */
void dataarts_rename_refusal(const struct dataarts_kept *kept, bool is_monitored,
                             struct arena *arena, struct err *err);
/* The same of a command that was to save `def`; NULL: it was about something else, and nothing changes. */
void dataarts_rename_answer(const struct job_def *def, struct arena *arena, struct err *err);
