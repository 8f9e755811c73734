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

enum { PROCESS_INHERITED = 4 };

struct process {
    const char *data_dir; /* the owner's, like workspace_dir and python_wanted */
    const char *workspace_dir;
    const char *python_wanted;              /* NULL: ours to choose */
    char *python;                           /* absolute path, NULL while there is none */
    char *inherited[PROCESS_INHERITED + 1]; /* "PATH=…" and so on, NULL-terminated */
    uint32_t umask;
    const char *root;     /* of the order at hand, NULL: the workspace's folder */
    uint64_t descriptors; /* soft RLIMIT_NOFILE of tasks; 0: ours */
    /* The workspace's folder as last seen; opened again when another has taken its place. */
    int workspace_fd;
    struct stat workspace;
    char *workspace_path; /* without links */
};

/* Reads PATH, HOME, LANG, TZ and the umask, once. Strings of the configuration are borrowed. */
void process_init(struct process *process, const struct exec_config *config);
void process_release(struct process *process);

/* An absolute path of an executable file, the caller's to free; NULL when there is none. `path` is as
 * PATH is; relative folders in it do not count. */
char *process_find_program(const char *name, const char *path);

/* Builds the order in the arena and makes the files that it needs. False with the sentence in `err`:
 * it cannot start. */
bool process_order(struct process *process, struct folders *folders, const struct exec_order *from,
                   const char *token, struct arena *arena, struct order *ret, struct err *err);
