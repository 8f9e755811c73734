/*
 * One repository and the folders of its commits: asking what a branch is now, fetching one commit,
 * and laying its files out. Everything blocks and runs on a thread of the cache (exec/git_cache.h),
 * which sees to it that no two work on one repository.
 *
 *     DATA/git/<n>/origin       whose it is: workspace and address
 *     DATA/git/<n>/repo.git/    a bare repository with the commits that were fetched, each without history
 *     DATA/git/<n>/<commit>/    the files of one commit, read-only; put there by a rename when all are there
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/git_run.h"
#include "model/git.h"

struct git_repo {
    const char *program; /* git */
    const char *folder;  /* DATA/git/<n> */
    const char *url;
    const char *branch; /* "": the default branch */
    int provider;       /* enum git_provider or FIELD_UNSET */
    const char *secret; /* NULL: none */
    bool allow_file;
    bool is_bound;
    int64_t timeout_ms; /* of each run of git */
    const atomic_bool *stop;
};

/* What the branch is now. False with `reason`. */
bool git_resolve(const struct git_repo *repo, char ret_commit[static GIT_COMMIT_TEXT],
                 char reason[static GIT_REASON_BYTES]);
/* Fetches the commit, unless it was, and lays out its files. */
bool git_check_out(const struct git_repo *repo, const char *commit,
                   char reason[static GIT_REASON_BYTES]);
/* Removes a tree, read-only folders in it included. False when something of it stays. */
bool git_remove_tree(const char *path);
