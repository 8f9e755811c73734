/*
 * The files of commits, shared by the attempts that run from them (RULES §6 "Paths";
 * docs/design/git.md). One cache serves all workspaces of a server; what one workspace fetched is not
 * another's.
 *
 * A few threads do the work, one repository at a time each; requests for a repository that is worked on
 * wait, and those that ask the same are answered together. What a run was given stays as long as it
 * holds it; of the rest, the least used goes when there are more than `max_commits`, or all together
 * have more than `max_bytes`. Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"

struct git_cache;

struct git_cache_config {
    const char *data_dir; /* DATA, absolute */
    bool allow_file;      /* file:// too */
    int64_t timeout_ms;   /* of each run of git */
    size_t max_commits;   /* whose files are kept */
    int64_t max_bytes;    /* that these have on the disk, 0: any */
    bool is_for_others;   /* tasks are another user's: what leads to files can be passed through */
    /* Appends the secret of that name; ERR_NOT_AUTHORIZED_OR_NOT_FOUND when there is none, ERR_UNAVAILABLE when it
     * cannot be read. On a thread of the cache. */
    enum err_code (*secret)(void *context, int64_t workspace, const char *name, struct buf *out);
    void *context;
};

struct git_request {
    int64_t workspace;
    struct uuid run; /* holds what it is given, until git_cache_release */
    const char *repository_url;
    const char *branch;     /* "": the default branch */
    const char *credential; /* name of a secret, or NULL */
    int provider;           /* enum git_provider or FIELD_UNSET */
    const char *commit;     /* NULL: what the branch is now */
    /* of the caller's */
    struct uuid task_run;
    int64_t attempt;
    int64_t epoch;
};

struct git_answer {
    const char *commit;  /* NULL: it failed */
    const char *root;    /* folder with the files */
    const char *message; /* why it failed, one plain sentence without a secret */
};

/* On a thread of the cache, under its lock: no call of the cache from here. */
typedef void git_done(void *owner, const struct git_request *request,
                      const struct git_answer *answer);

/* Finds again what is there. NULL with `err` when it cannot be read. */
struct git_cache *git_cache_open(const struct git_cache_config *config, struct err *err);
/* Stops the runs of git that are under way; nobody is answered. */
void git_cache_close(struct git_cache *cache);

/* Copies the request; `done` is called once, unless its owner is forgotten before. */
void git_cache_ask(struct git_cache *cache, const struct git_request *request, git_done *done,
                   void *owner);
/* No `done` of this owner is called any more when this returns. */
void git_cache_forget(struct git_cache *cache, const void *owner);

/* After a restart: the run still needs it. Nothing when it is not there (any more). */
void git_cache_hold(struct git_cache *cache, int64_t workspace, const struct uuid *run,
                    const char *url, const char *commit);
/* The run needs nothing any more. Cheap when it held nothing. */
void git_cache_release(struct git_cache *cache, const struct uuid *run);
