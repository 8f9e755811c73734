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

enum { LAUNCH_ENV_MAX = 12 };

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
    enum record_launch launch;
    const char *warm;  /* program of the fork server, when launch is WARM */
    const char *input; /* what its STEM.in holds in place of the order's; NULL: that */
    /* It needs DATA/runs/<run>/spark, and its log names the application (spark_log.h). */
    bool is_spark;
    bool is_notebook; /* it needs STEM.notebook/ */
};

/* False with the sentence in `err`: it cannot start. */
typedef bool kind_prepare(struct launch *launch, struct err *err);

kind_prepare kind_python;
kind_prepare kind_shell;
kind_prepare kind_http;
kind_prepare kind_path;
kind_prepare kind_notebook;
kind_prepare kind_java;
kind_prepare kind_spark_submit;
kind_prepare kind_spark_jar;
kind_prepare kind_spark_python;

/* Of the order's kind, on the cluster that is made for it. */
bool kind_launch(struct launch *launch, struct err *err);

/* ---- for kinds ---- */

/* Puts what makes the order's cluster before the command that its kind has made. */
bool kind_on_cluster(struct launch *launch, struct err *err);

/* Which Spark a distribution is, such as "3.5.3"; NULL: none that is known. */
const char *spark_version_of(const char *home, struct arena *arena);

/* Absolute path, without links, of a regular file below the order's root; NULL with the sentence in `err` when it may
 * not be used. */
const char *launch_file(const struct launch *launch, const char *file, struct err *err);
/* The same, and the file itself opened with O_PATH, the caller's to close: what is read of it is read through this
 * (base/locks.h), for its path may lead elsewhere by then. */
const char *launch_open_file(const struct launch *launch, const char *file, int *ret_fd,
                             struct err *err);

/* Where the order's input is found. */
const char *launch_input(const struct launch *launch);

/* Adds "NAME=value" to the environment. */
void launch_env(struct launch *launch, const char *name, const char *value);
/* `head`, then the order's arguments. */
void launch_command(struct launch *launch, const char *const *head, size_t count);
/* The same with `args`, as many as the order has, in place of them. */
void launch_command_with(struct launch *launch, const char *const *head, size_t count,
                         const char *const *args);
/* Absolute paths of its libraries from the `first` on, joined by a character that none of them has.
 * "" when there are none, NULL with the sentence in `err` when one may not be used. */
const char *launch_libraries(struct launch *launch, size_t first, char separator, struct err *err);
/* The environment of what runs on Spark. The folder of the distribution, NULL with the sentence in
 * `err` when there is none. */
const char *launch_spark(struct launch *launch, struct err *err);
