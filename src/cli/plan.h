/*
 * Repairs on the command line: what is selected, as the API takes it, and plans and differences, as
 * people read them.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "cli/context.h"

/* CLI_USAGE, said, when the options do not fit together. */
int plan_check_selection(const struct options *options);
/* Appends ,"MEMBER":[…]; nothing when there are none. */
void plan_add_keys(struct buf *body, const char *member, const struct word_list *keys);
/* Appends ,"taskKeys":… or ,"repairTasks":…, ,"markSuccess":… and ,"repairMode":… of the options that are set. */
void plan_add_selection(struct buf *body, const struct options *options);
/* The same, these tasks in place of those of the options. */
void plan_add_tasks(struct buf *body, const struct word_list *tasks, const struct options *options);
/* A JSON string, its ASCII letters in upper case. */
void plan_add_upper_case(struct buf *body, const char *text);

/* A whole plan of planRepair; kept tasks only when it is `whole`. */
void plan_print(struct cli *cli, const char *run, const json_t *plan, bool whole);
/* Where nothing of a plan will start, and something of it since a kept task stays as it is: "publish: Will not start: load stays
 * FAILED; select it too", in the arena. NULL: it may come to something. */
const char *plan_find_vain(struct cli *cli, const json_t *plan);
/* "TITLE: will run 5, re-evaluate 2, keep 7", then each task with its reason. */
void plan_print_tasks(struct cli *cli, const json_t *tasks, const char *title, bool whole);
/* Nothing of an empty list, or of one version. */
void plan_print_parameters(struct cli *cli, const json_t *parameters);
/* `unknown` stands for a commit that is null; `renew`, NULL: nothing, is put behind one that stays, of what may have moved on. */
void plan_print_commits(struct cli *cli, const json_t *commits, const char *unknown,
                        const char *renew);
void plan_print_definition(struct cli *cli, const json_t *definition);
/* The differences alone: tasks added, removed, rewired, changed, and fields of the job. */
void plan_print_changes(struct cli *cli, const json_t *definition);
