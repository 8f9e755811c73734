/*
 * A small world around exec.h for tests: a data folder and a workspace of its own, an exec that runs
 * shell scripts (the "interpreter" is /bin/sh), and what it has reported.
 *
 * Nothing sleeps: waiting is for a report, for a process, or for a word in a pipe with a name. A
 * script announces itself by `echo word > pipe` and waits by `read line < pipe`. Everything gives up
 * after WORLD_PATIENCE_MS and fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "exec/exec.h"
#include "supervise/record.h"

enum { WORLD_PATIENCE_MS = 60000, WORLD_PATH = 512 };

struct told {
    struct exec_report report; /* its texts are those below */
    char message[ERR_MESSAGE_MAX];
    char *error_trace;
    char *published;
    char unpublished[96];
};

struct world {
    char dir[WORLD_PATH];
    char data[WORLD_PATH];
    char workspace[WORLD_PATH];
    char helper[WORLD_PATH];
    struct exec_config config; /* change it before world_up */
    struct exec *exec;
    struct told *told;
    size_t told_count;
    size_t told_cap;
    size_t taken; /* by world_next */
    uint64_t ids;
    struct uuid run; /* of the ids that world_id makes; nobody else's, for tokens are looked for in
                      * all processes of the host */
};

/* cmocka's set-up and tear-down; *state is a struct world. */
int world_setup(void **state);
int world_teardown(void **state);

void world_up(struct world *world);
void world_down(struct world *world);
/* Down and up: what a restart of the server does to exec. */
void world_restart(struct world *world);

/* A file of the workspace; folders above it are made. */
void world_script(struct world *world, const char *name, const char *text);
/* A program of the system's, in a file of our own. */
void world_copy(const char *from, const char *to);
/* A named pipe in the world's folder. Returns a descriptor that never sees an end of file. */
int world_pipe(struct world *world, const char *name);
/* The path of something in the world's folder; lives until the 16th call after this one. */
const char *world_path(const struct world *world, const char *name);

struct attempt_id world_id(struct world *world);
/* An order for a script with up to 8 arguments, the last of them NULL. */
void world_start(struct world *world, const struct attempt_id *id, const char *file, ...);
void world_order(struct world *world, const struct exec_order *order);
void world_recover(struct world *world, const struct attempt_id *id);

/* Runs the exec until the next report, or until there is one for `id` (the newest counts). */
const struct told *world_next(struct world *world);
const struct told *world_await(struct world *world, const struct attempt_id *id);
/* How many reports there are for an attempt so far. */
size_t world_count(const struct world *world, const struct attempt_id *id);
/* Runs the exec until `done` says so. */
void world_run(struct world *world, bool (*done)(void *context), void *context);
/* Dispatches whatever is due, without waiting. */
void world_settle(struct world *world);

/* Waits for a line from a pipe of world_pipe, running the exec meanwhile if there is one. */
const char *world_hear(struct world *world, int pipe);
/* Lets one script go on that reads a line from the pipe. */
void world_say(int pipe, const char *word);
/* A number that a script says. */
long world_hear_number(struct world *world, int pipe);

/* Waits until a process (not a child of ours) has ended. */
void world_await_end(pid_t pid);
/* Waits until the state letter of /proc/PID/stat is `letter`. */
void world_await_state(pid_t pid, char letter);
bool world_alive(pid_t pid);

/* Files. */
char *world_read(const char *path, size_t *ret_size);
size_t world_lines(const char *path);
const char *world_run_folder(const struct world *world);
const char *world_file(const struct world *world, const struct attempt_id *id, const char *suffix);
struct record world_record(const struct world *world, const struct attempt_id *id);
/* Runs the exec until the record has this state. */
void world_await_record(struct world *world, const struct attempt_id *id, enum record_state state);
size_t world_open_descriptors(void);
