/*
 * What may go: old runs, folders of runs that nobody knows, and what else only grows (DURABILITY §4).
 *
 * A thread looks every now and then, begins with the start of the server, and does what needs no
 * workspace's own order of events by itself: it prunes the audit, operations and skipped
 * planned times, and measures the folders of runs. Runs are deleted by the pump of their workspace,
 * in small batches between its own (pump_retain.c), by what this says; so are folders without a run.
 *
 * Runs go only where an age or a size is configured: final ones, whole, oldest first. Rows are pruned,
 * and folders without a run removed once after the start, in any case.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "store/store.h"

struct retention;

struct retention_config {
    struct store *store;
    const char *data_dir;
    int64_t max_age_ms;    /* since their end; 0: any */
    int64_t max_bytes;     /* of the folders of runs; 0: any */
    int64_t audit_ms;      /* how long refusals are kept in the audit */
    int64_t audit_runs_ms; /* how long changes of runs are; 0: for good */
    int64_t records_ms;    /* how long operations and skipped times are */
    int64_t every_ms;
};

/* What a pump may delete: final runs that ended at or before the one, or were created at or before
 * the other; INT64_MIN: none. */
struct retention_limits {
    uint64_t round; /* another one: look through all runs again */
    int64_t ended_ms;
    int64_t created_ms;
};

/* The store and the strings are the caller's, longer than this. */
struct retention *retention_new(const struct retention_config *config);
/* Begins; the first look is at once. */
void retention_start(struct retention *retention);
/* The pumps ask no more. */
void retention_free(struct retention *retention);

/* Readable when the limits have changed or folders wait; read it empty. */
int retention_fd(const struct retention *retention);
void retention_heard(struct retention *retention);
void retention_get_limits(struct retention *retention, struct retention_limits *ret);
/* A folder of a run that the store does not know; false: no more. */
bool retention_take_folder(struct retention *retention, struct uuid *ret);
