/*
 * The verbs: the table that the command line is read with, and the functions behind it, which
 * return the exit code.
 */
#pragma once

#include "cli/context.h"

size_t cli_verb_count(void);
/* In the order in which help lists them. */
const struct verb *cli_verb(size_t at);
/* `first` may stand alone or be a group; *ret_words says how many words the verb is. NULL: there is none. */
const struct verb *cli_find_verb(const char *first, const char *second, int *ret_words);

/* The second part of the table. */
extern const struct verb cli_house_verbs[];
extern const size_t cli_house_verb_count;

int verb_job_create(struct cli *cli);
int verb_job_apply(struct cli *cli);
int verb_job_list(struct cli *cli);
int verb_job_get(struct cli *cli);
int verb_job_export(struct cli *cli);
int verb_job_update(struct cli *cli);
int verb_job_delete(struct cli *cli);
int verb_job_cancel_runs(struct cli *cli);
int verb_job_permissions(struct cli *cli);
int verb_job_grant(struct cli *cli);
int verb_job_revoke(struct cli *cli);
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

int verb_rerun(struct cli *cli);
int verb_rerun_list(struct cli *cli);
int verb_rerun_get(struct cli *cli);
int verb_rerun_pause(struct cli *cli);
int verb_rerun_resume(struct cli *cli);
int verb_rerun_cancel(struct cli *cli);

int verb_schedule_next(struct cli *cli);
int verb_schedule_pause(struct cli *cli);
int verb_schedule_resume(struct cli *cli);

int verb_cluster_create(struct cli *cli);
int verb_cluster_list(struct cli *cli);
int verb_cluster_get(struct cli *cli);
int verb_cluster_update(struct cli *cli);
int verb_cluster_delete(struct cli *cli);
int verb_cluster_start(struct cli *cli);
int verb_cluster_stop(struct cli *cli);
int verb_cluster_restart(struct cli *cli);

int verb_user_add(struct cli *cli);
int verb_user_list(struct cli *cli);
int verb_user_role(struct cli *cli);
int verb_user_disable(struct cli *cli);
int verb_user_enable(struct cli *cli);
int verb_user_password(struct cli *cli);
int verb_token_create(struct cli *cli);
int verb_token_list(struct cli *cli);
int verb_token_revoke(struct cli *cli);
int verb_key_add(struct cli *cli);
int verb_key_list(struct cli *cli);
int verb_key_revoke(struct cli *cli);
int verb_access_key_create(struct cli *cli);
int verb_access_key_list(struct cli *cli);
int verb_access_key_revoke(struct cli *cli);
int verb_secret_set(struct cli *cli);
int verb_secret_list(struct cli *cli);
int verb_secret_delete(struct cli *cli);
int verb_audit(struct cli *cli);
int verb_sign_in(struct cli *cli);

int verb_completion(struct cli *cli);
int verb_version(struct cli *cli);
