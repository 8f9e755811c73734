/*
 * What becomes of the tasks of a run, held to law.c (RULES §2): a task starts only when all its
 * dependencies are final and its rule says so; what ended without starting ended as the rule says;
 * the result of the run is that of its leaves. Asked with every order that is sent and with every
 * run that ends. All of it ends in `broken`.
 */
#pragma once

#include "model/def.h"
#include "sim/book.h"

/* `def`: of the newest attempt of the task's run. */
void verdict_start(const struct booked_run *run, const struct job_def *def, const char *task_key);
/* The run has just ended, in whatever way. */
void verdict_end(const struct booked_run *run, const struct job_def *def);
