/*
 * The verbs: the table that the command line is read with, and the functions behind it, which
 * return the exit code.
 */
#pragma once

#include "cli/context.h"

extern const struct verb cli_verbs[];
extern const size_t cli_verb_count;

int verb_job_create(struct cli *cli);
int verb_job_list(struct cli *cli);
int verb_job_get(struct cli *cli);
int verb_job_update(struct cli *cli);
int verb_job_delete(struct cli *cli);
int verb_job_validate(struct cli *cli);
int verb_job_simulate(struct cli *cli);

int verb_run_start(struct cli *cli);
int verb_run_get(struct cli *cli);
int verb_run_list(struct cli *cli);
int verb_run_recent(struct cli *cli);
int verb_run_watch(struct cli *cli);
int verb_run_repair(struct cli *cli);
int verb_run_history(struct cli *cli);
int verb_run_diff(struct cli *cli);
int verb_run_cancel(struct cli *cli);
int verb_run_delete(struct cli *cli);
int verb_run_logs(struct cli *cli);
int verb_run_why(struct cli *cli);

int verb_task_get(struct cli *cli);
int verb_task_output(struct cli *cli);

int verb_version(struct cli *cli);
