/*
 * Kinds of attempts: what is executed for each, one small file per kind.
 *
 * A kind makes the command of an order, and may add to its environment. It looks files and programs
 * up through the process (process.h), which opens nothing outside the workspace. All of it is in
 * the arena. Refusals are one plain sentence: what it is that cannot start.
 *
 * To add one: a value of enum exec_kind, a function here, a row in kind.c.
 */
#pragma once

#include "exec/process.h"

enum { LAUNCH_ENV_MAX = 8 };

struct launch {
    struct process *process;
    const struct exec_order *from;
    const char *stem; /* "DATA/runs/<run>/<taskRun>.<n>.<epoch>": files of the attempt begin so */
    const char *cwd;  /* current folder of the task */
    struct arena *arena;
    /* filled by the kind */
    char **argv; /* NULL-terminated */
    char *env[LAUNCH_ENV_MAX];
    size_t env_count;
};

/* False with the sentence in `err`: it cannot start. */
typedef bool kind_prepare(struct launch *launch, struct err *err);

kind_prepare kind_python;
kind_prepare kind_notebook;

/* Of the order's kind. */
bool kind_launch(struct launch *launch, struct err *err);

/* ---- for kinds ---- */

/* Adds "NAME=value" to the environment. */
void launch_env(struct launch *launch, const char *name, const char *value);
/* `head`, then the order's arguments. */
void launch_command(struct launch *launch, const char *const *head, size_t count);
