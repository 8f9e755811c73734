/*
 * The feed: events of a workspace on their way from the pump to the streams that show them.
 *
 * The pump publishes what each commit made; the newest events stay in a ring that streams read
 * from, and the watchers of their runs are woken. What a stream wants from before the ring it reads
 * from the store, which has everything. So a slow reader holds nothing here, and a watcher that
 * missed a wake (there is none) or the ring would still have no gap: numbers are without holes, and
 * the ring knows from which number on it has all.
 *
 * While nobody watches nothing is copied: publishing is a lock and two stores.
 */
#pragma once

#include "api/backend.h"

/* The ring: whichever comes first. A stream that is further behind reads the store. */
enum { FEED_MAX_BATCHES = 1024, FEED_MAX_EVENTS = 16384, FEED_MAX_BYTES = 8 << 20 };

struct feed;

struct feed *feed_new(void);
void feed_free(struct feed *feed);

/* ---- the pump's thread ---- */

/* `rows` are committed; `newest` is the number of the workspace's newest event. */
void feed_publish(struct feed *feed, const struct row_batch *rows, int64_t newest);
/* What was committed lately is not known (its answer was lost): everybody looks into the store. */
void feed_reset(struct feed *feed, int64_t newest);

/* ---- any thread; as in api/backend.h ---- */

void feed_watch(struct feed *feed, struct api_watch *watch);
void feed_unwatch(struct feed *feed, struct api_watch *watch);
bool feed_take(struct feed *feed, int64_t after, struct api_events *ret);
void feed_drop(struct api_events *events);
