/*
 * What the cache of git files has on disk, as a table: repositories and the files of their commits.
 * Only exec/git_cache.c uses it, under its lock (but for the functions that say otherwise).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "exec/git_fetch.h"

enum { CHECKOUT_UNMEASURED = -1 };

/* The files of one commit. */
struct checkout {
    struct checkout *next;
    char commit[GIT_COMMIT_TEXT];
    uint64_t used; /* later is more */
    int64_t bytes; /* on the disk; CHECKOUT_UNMEASURED */
    struct uuid *holders;
    size_t holder_count, holder_cap;
};

struct repo {
    int64_t number; /* its folder's name */
    int64_t workspace;
    char *url;
    bool is_busy;
    struct checkout *checkouts;
};

struct shelf {
    char *root; /* DATA/git */
    bool is_for_others;
    struct repo **repos;
    size_t repo_count, repo_cap;
    size_t checkout_count;
    int64_t bytes; /* of those that are measured */
    int64_t last_number;
    uint64_t clock;   /* of `used` */
    uint64_t removed; /* number of the last one on its way out */
};

/* Finds again what is there, and puts away what is not whole. `is_for_others`: tasks are another user's, so
 * folders can be passed through, though not listed. False when it cannot be read. */
bool shelf_open(struct shelf *shelf, const char *data_dir, bool is_for_others);
void shelf_release(struct shelf *shelf);

struct checkout *checkout_find(const struct repo *repo, const char *commit);
struct checkout *checkout_add(struct shelf *shelf, struct repo *repo, const char *commit);
/* The run needs it, until it is released. */
void checkout_hold(struct shelf *shelf, struct checkout *checkout, const struct uuid *run);
void checkout_release(struct checkout *checkout, const struct uuid *run);

struct repo *repo_find(const struct shelf *shelf, int64_t workspace, const char *url);
/* `number` 0: a new one. */
struct repo *repo_add(struct shelf *shelf, int64_t number, int64_t workspace, const char *url);
/* Its folder goes too. */
void repo_drop(struct shelf *shelf, struct repo *repo);
/* Frees it and puts its files away. */
void checkout_drop(struct shelf *shelf, struct repo *repo, struct checkout *checkout);
/* The least used that no run holds, of a repository that nobody works on; NULL when there is none. */
struct checkout *shelf_victim(const struct shelf *shelf, struct repo **ret_repo);

/* One that is not measured yet, or NULL; and what that came to, should it still be there. */
struct checkout *shelf_unmeasured(const struct shelf *shelf, struct repo **ret_repo);
void shelf_measured(struct shelf *shelf, int64_t repo, const char *commit, int64_t bytes);

/* Without the lock: these look at names alone. */
void repo_folder(const struct shelf *shelf, const struct repo *repo, char path[static PATH_MAX]);
void checkout_folder(const struct shelf *shelf, const struct repo *repo, const char *commit,
                     char path[static PATH_MAX]);
/* Makes the folders of a repository. */
bool shelf_make_folders(const struct shelf *shelf, const struct repo *repo);
/* Removes what was put away: that takes its time. */
void shelf_sweep(const struct shelf *shelf);
