/*
 * From an exec_order to the order of a supervisor: which file, which interpreter, which environment
 * (RULES §5 end, §6 "Paths"; docs/design/attempts.md).
 *
 * The file is looked up below the workspace's folder and must be a regular file there; links are
 * followed as long as they stay inside. Refusals are one plain sentence that names paths as the
 * user gave them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "exec/exec.h"
#include "exec/folders.h"
#include "supervise/order.h"

enum { PROCESS_OWN = 4, PROCESS_PASSED = 64, PROCESS_INHERITED = PROCESS_OWN + PROCESS_PASSED };

struct process {
    const char *data_dir; /* the owner's, like workspace_dir, self and python_wanted */
    const char *workspace_dir;
    const char *self;          /* our own binary; NULL: unknown */
    const char *python_wanted; /* NULL: ours to choose */
    const char *java_wanted;   /* NULL: ours to choose, as programs.c does */
    const char *spark_home_wanted;
    const char *supervise_path;             /* its folder has the other helpers */
    const char *warm_preload;               /* NULL: nothing besides */
    char *python;                           /* absolute path, NULL while there is none */
    char *inherited[PROCESS_INHERITED + 1]; /* "PATH=…" and so on, NULL-terminated */
    uint32_t umask;
    uint64_t descriptors; /* soft RLIMIT_NOFILE of tasks; 0: ours */
    /* The workspace's folder as last seen; opened again when another has taken its place. */
    int workspace_fd;
    struct stat workspace;
    char *workspace_path; /* without links */
};

/* Are the names that tasks get passed names of variables, not too many, and none of ours? */
bool process_check(const struct exec_config *config, struct err *err);
/* Reads PATH, HOME, LANG, TZ, what is passed besides, and the umask, once. Strings of the configuration are borrowed. */
void process_init(struct process *process, const struct exec_config *config);
void process_release(struct process *process);

/* Is it a regular file, or a link to one, that we may execute? errno when not. */
bool process_is_program(const char *path);
/* An absolute path of an executable file, the caller's to free; NULL when there is none. `path` is as
 * PATH is; relative folders in it do not count. */
char *process_find_program(const char *name, const char *path);

/* Builds the order in the arena and makes the files that it needs. False with the sentence in `err`:
 * it cannot start. */
bool process_order(struct process *process, struct folders *folders, const struct exec_order *from,
                   const char *token, struct arena *arena, struct order *ret, struct err *err);

/* ---- for kinds ---- */

/* Opens the workspace's folder, if that is to be done; process_workspace is its path then. */
bool process_open_workspace(struct process *process, struct err *err);
const char *process_workspace(const struct process *process);
/* The java that runs tasks, and the folder that a Spark distribution is in; NULL with the sentence
 * in `err`, which says how to get it. */
const char *process_java(const struct process *process, struct arena *arena, struct err *err);
const char *process_spark_home(const struct process *process, struct arena *arena, struct err *err);
/* The folder above the one that a program is in, links followed. */
const char *process_program_home(const char *program, struct arena *arena);
/* The interpreter of Python, NULL with the sentence in `err` when there is none. */
const char *process_python(struct process *process, struct err *err);
/* A helper of ours beside reprise-supervise; NULL with the sentence in `err` when it is missing. */
const char *process_helper(const struct process *process, const char *name, struct arena *arena,
                           struct err *err);
/* "Cannot start: " and the sentence; false. */
bool process_cannot(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
