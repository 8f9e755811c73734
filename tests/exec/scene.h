/*
 * One attempt of a script that leaves a witness, and a server that can be killed over it.
 *
 * The script appends a line to the witness file, says its pid, and exits with the number it hears.
 */
#pragma once

#include <sys/types.h>

#include "exec/world.h"

struct scene {
    struct world *world;
    struct attempt_id id;
    int says;
    int hears;
    struct exec_order order;
    const char *args[3];
    char witness[WORLD_PATH * 2];
    char says_path[WORLD_PATH * 2];
    char hears_path[WORLD_PATH * 2];
};

void scene_open(struct scene *scene, struct world *world);
void scene_close(struct scene *scene);
/* How often the script has begun. */
size_t begun(const struct scene *scene);

/* A server in a process of its own: starts the attempt and serves until it is killed. */
pid_t server_start(const struct scene *scene);
void server_kill(pid_t server);
/* Opens the scene: the attempt runs, its server is dead. Returns the task's pid. */
pid_t orphan(struct scene *scene, struct world *world);
/* Sets up a helper that says its pid and waits for a word before it becomes the real one. The path
 * in the config is to be freed. */
void slow_helper(struct scene *scene, int *says, int *hears);

void assert_exited(const struct told *told, int code);
/* Acknowledges: nothing more is told, the record is swept. Closes the scene. */
void finish(struct scene *scene);
/* Starts the same number again under the next epoch, and lets it exit with 0. */
void start_again(struct scene *scene);
