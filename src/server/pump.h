/*
 * The pump: intent, commit, act, report (DESIGN §2, DURABILITY §1). One per workspace.
 *
 *        commands ──┐                                   ┌─> answers
 *        reports  ──┼─> batch ─> engine_step… ─> commit ┼─> start and stop attempts
 *        deadlines ─┘                 (one transaction) └─> acknowledge outcomes
 *
 * It owns the workspace's engine and executor and runs on one thread. Nothing is done before its
 * rows are durable. A commit that fails, or whose answer is lost, leaves the pump without an
 * engine: the batch is answered 503, the engine is made anew from the store (the same path as at
 * start), and the work goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "base/err.h"
#include "calendar/zones.h"
#include "exec/exec.h"
#include "exec/git_cache.h"
#include "server/defs.h"
#include "server/feed.h"
#include "server/retention.h"
#include "server/slots.h"
#include "server/surroundings.h"
#include "store/store.h"

struct metrics;

struct pump_config {
    struct store *store;
    struct defs *defs;
    struct feed *feed;           /* told of committed events; NULL: nobody is */
    struct retention *retention; /* what is too old; NULL: nothing ever is */
    struct zones *zones;
    struct surroundings *surroundings; /* what expressions see; NULL: nothing */
    struct git_cache *git;             /* NULL: nothing can be fetched */
    const struct secrets *secrets;     /* that tasks name; NULL: there are none */
    struct workspace_row workspace;
    struct exec_config exec; /* on_report and context are the pump's */
    const char *hub_region;
    const char *host;
    struct slots *slots; /* of all pumps */
    int64_t grace_ms;
    int64_t queue_max_ms;
    struct metrics *metrics; /* counts what is done; NULL: nobody does */
};

struct pump;

/* Recovers the workspace: NULL with `err` when that is impossible. */
struct pump *pump_new(const struct pump_config *config, struct err *err);
void pump_free(struct pump *pump);
/* Prints the answers that are kept under retry tokens. To be set before the first command. */
void pump_set_api(struct pump *pump, struct api *api);

/* Hands in a command; any thread. Its `done` is called once, on the pump's thread or, when the pump
 * is closed, on the caller's. */
void pump_submit(struct pump *pump, struct api_pending *pending);

/* Readable when there may be something to do; wait no longer than pump_timeout_ms. */
int pump_fd(const struct pump *pump);
/* How long may the pump's thread sleep, in ms; -1: until pump_fd is readable. */
int pump_timeout_ms(struct pump *pump);
/* One batch of what waits; while more does, pump_timeout_ms is 0. */
void pump_run(struct pump *pump);

/* Nothing new is started from now on; running attempts go on under their supervisors. */
void pump_drain(struct pump *pump);
/* Answers what waits and refuses all further commands with 503. */
void pump_close(struct pump *pump);

/* Is recovery over and the last commit good? Any thread. */
bool pump_is_ready(const struct pump *pump);
/* Is there room on the disk for what would start, right now? Any thread. */
bool pump_has_room(const struct pump *pump);
/* Another server has taken the workspace over: this one must stop. */
bool pump_is_fenced(const struct pump *pump);
