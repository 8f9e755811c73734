/*
 * A run as it is shown: its tasks as a tree, each with sign, state, duration and reason.
 *
 * A DAG is no tree: a task stands below the upstream task that is deepest, and names the others.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "cli/context.h"

struct tree_task {
    const char *key; /* safe text, as all of these */
    const char *run_key;
    const char *status; /* "" when there is no task run */
    const char *message;
    int64_t attempts;       /* so many have started, or are to; 1 also when none has */
    const char *also_after; /* upstream tasks other than the parent, or "" */
    int64_t start_ms;       /* -1: not yet */
    int64_t end_ms;
    int64_t took_ms; /* -1: not started */
    uint32_t level;
    char *lead; /* "│ ├ " */
};

struct tree {
    struct arena arena;
    const char *key;
    const char *job;
    const char *status;
    const char *message;
    /* Of its newest attempt (original or repair), -1 while that is queued; it took `took_ms` so far. */
    int64_t attempt_start_ms;
    int64_t took_ms;     /* -1: not started */
    int64_t end_ms;      /* -1: it has not ended */
    int64_t all_took_ms; /* all attempts of a repaired run together; -1: it was not, or goes on */
    int64_t version;
    struct tree_task *tasks; /* in the order of display: a task behind its parent */
    uint32_t count;
};

/* From a JobRun body; `now_ms` counts for what has not ended. To be released. */
void tree_init(struct tree *tree, const json_t *run, const struct screen *screen, int64_t now_ms);
void tree_release(struct tree *tree);

/* Prints head and tasks. `max_lines`: 0 is no limit; else tasks that are done or wait are left out
 * first, and counted. Returns the lines printed. */
uint32_t tree_print(const struct tree *tree, const struct screen *screen, uint32_t max_lines);

enum { TREE_ATTEMPTS_TEXT = 40 };
/* "(2 attempts)", nothing where there is one; returns `text`. */
char *tree_attempts(const struct tree_task *task, char text[static TREE_ATTEMPTS_TEXT]);

/* How long the newest attempt of a run (JobRun or its summary) took, or has taken by now; -1 before it starts. */
int64_t tree_took_ms(const json_t *run, int64_t now_ms);
