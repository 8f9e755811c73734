/*
 * What the server takes as it stands, and hardly was meant so: expressions of another language in the texts of a job, and parameters
 * that the job which a JOB_TASK runs does not have.
 */
#pragma once

#include <jansson.h>

#include "cli/context.h"

/* "tasks[2].script has {{ ds }}, which …": texts that begin with their place, in a new array, the caller's. The jobs that are run
 * are asked for; one that cannot be had raises no doubt. */
json_t *doubts_of(struct cli *cli, const json_t *job);
