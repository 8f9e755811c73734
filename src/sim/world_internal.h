/* Shared by src/sim/world*.c only. */
#pragma once

#include "sim/world.h"

/* ---- world_load.c ---- */

/* Adds to an engine what the disk has and it has not; unknown keys add nothing. */
void world_load_job(struct world *world, struct engine *engine, const struct uuid *key);
void world_load_run(struct world *world, struct engine *engine, const struct uuid *key);
/* Loads what a command needs. */
void world_load_for(struct world *world, struct engine *engine, const struct command *command);
/* A repair's older definition goes with it, parsed for it alone: nothing may point into it once the
 * run has ended. True: the command holds a reference now. */
bool world_load_version(struct world *world, struct command *command);
/* An engine with all runs on the disk that are not final. */
struct engine *world_load_engine(struct world *world, const struct workspace_row *workspace);
void world_check_engine(const struct engine *engine);
/* One event, with all that it wants. The seed stays: a twin may want more, and makes the same keys. */
void world_take_event(struct world *world, struct engine *engine, const struct engine_event *event,
                      struct effects *effects);

/* ---- world.c ---- */

/* One event; commits unless a batch is open. */
void world_step(struct world *world, struct engine_event *event);

/* ---- world_twin.c: a second engine, made from the disk, must do what the first does ---- */

struct twin {
    struct engine *engine; /* NULL: nothing to compare in this batch */
    struct effects effects;
    int event, command; /* kinds: what both have taken last */
};

void twin_init(struct twin *twin);
void twin_release(struct twin *twin);
/* After a commit: a fresh twin. */
void twin_begin(struct world *world);
/* Before the first engine takes the event: does its twin take it too, and can they be compared? */
void twin_step(struct world *world, const struct engine_event *event);
/* Before the commit, after engine_collect. */
void twin_compare(struct world *world);
