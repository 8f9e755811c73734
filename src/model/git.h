/*
 * Git as a source of files (RULES §6 "Paths", §8.7): which texts may name a repository and a branch,
 * and which commits a run has come to.
 *
 * A branch is resolved once per run: the first task that needs it asks, and what it finds is recorded
 * with the repair row, in the same commit that starts the task. Everything later, retries and repairs
 * included, takes the recorded commit. A repair with `definition` CURRENT begins a new base: what
 * was recorded before stays in the list, for a later repair by ORIGINAL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/command.h"
#include "model/def.h"

enum {
    GIT_URL_MAX_BYTES = 2048,
    GIT_BRANCH_MAX_BYTES = 255,
    GIT_COMMIT_TEXT = 65,   /* SHA-1 or SHA-256 in hex, with NUL */
    GIT_COMMITS_MAX = 1000, /* recorded in one run */
};

/* https://, http://, ssh:// or file://, without a password in it, without blanks and control
 * characters. "must …" in `err`, as of the others. */
bool git_url_check(const char *text, struct err *err);
/* What git takes as the name of a branch, or a whole ref ("refs/tags/v1"). "" is the repository's
 * default branch. */
bool git_branch_check(const char *text, struct err *err);
/* 40 or 64 lower case hex digits. */
bool git_is_commit(const char *text);

/* Where a task's files come from: its own gitConfig or the job's; NULL unless the source is
 * GIT_PROVIDER. */
const struct git_config *git_config_of(const struct job_details *job, const struct task_def *task);

struct git_commit {
    const char *repository_url;
    const char *branch; /* "": the default branch */
    const char *commit;
    int64_t base; /* number of the repair whose "now" it is of; 0: the original */
};

struct git_commits {
    int64_t base;            /* the one that counts */
    struct field_list items; /* of struct git_commit */
    size_t cap;
};

/* The base that counts in repair `number`, behind an attempt in which `base` did (RULES §8.7). */
int64_t git_base_of(int64_t base, enum repair_definition definition, int64_t number);
/* NULL: not resolved yet. */
const char *git_commits_find(const struct git_commits *commits, const char *url,
                             const char *branch);
/* Copies into the arena, which is the same one every time. At most GIT_COMMITS_MAX. */
void git_commits_add(struct git_commits *commits, const struct git_commit *commit,
                     struct arena *arena);
/* The JSON that is stored. */
void git_commits_print(const struct git_commits *commits, struct buf *out);
/* From what is stored; NULL is none. */
struct git_commits git_commits_load(const char *json, struct arena *arena);
