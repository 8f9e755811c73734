/*
 * An attempt as exec keeps it, from the order to the acknowledgement; and the names of its files.
 *
 *     UNSENT                        no supervisor can be started just now: tried again
 *      ^ |
 *      | v
 *     RUNNING --> REPORTED          outcome told, exec_ack awaited
 *      |  ^ `--> REMAINS --> gone   nobody stands over it: what is left is killed to the last, then LOST; or VOID,
 *      |  |                         or RUNNING again, where nothing was claimed and nothing was left
 *      v  |
 *     UNSURE                        the record cannot be read or written just now: asked again
 *
 * Entries without an outcome to acknowledge (void, lost, cannot start) are gone once reported.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "exec/exec.h"
#include "supervise/record.h"

struct supervisor;

enum attempt_phase {
    ATTEMPT_UNSENT,
    ATTEMPT_RUNNING,
    ATTEMPT_UNSURE,
    ATTEMPT_REMAINS,
    ATTEMPT_REPORTED,
};

/* What an attempt in REMAINS is when nothing of it was to be found; else it is lost. */
enum attempt_verdict { ATTEMPT_IS_LOST, ATTEMPT_IS_VOID, ATTEMPT_IS_UNSENT };

struct attempt {
    struct attempt_id id;
    struct attempt *next; /* of the same task run */
    enum attempt_phase phase;
    char token[TOKEN_TEXT];
    int64_t timeout_ms;
    int64_t grace_ms;
    bool stopping;
    bool is_warm;    /* the order asks for a warm start */
    bool has_helper; /* a helper of ours runs it, whose word counts (report.h) */
    bool is_plain;   /* the order has nothing of Spark: no files need be asked whether it has */

    /* RUNNING: who stands over it. REPORTED: who waits for the acknowledgement, or NULL. */
    struct supervisor *supervisor;
    bool dying;     /* RUNNING: that one has let go of the lock, so only its end is awaited */
    bool ours;      /* the order came from this exec, so nobody else can have it */
    unsigned sends; /* how often the order was sent */
    uint8_t *order; /* its frame, in case a supervisor dies before it claims; NULL when it cannot */
    size_t order_bytes;

    struct heap_item
        timer; /* RUNNING: when its supervisor counts as frozen; UNSENT, UNSURE: next try */
    int64_t backoff_ms; /* UNSENT, UNSURE */

    /* RUNNING, of Spark */
    struct list watched; /* place among those of which not all is known yet (news.h) */
    bool is_named;       /* its application is known */
    bool is_up;          /* its own cluster is: how long that took was told */
    size_t looked;       /* bytes at the beginning of its log that were read and do not name it */

    /* REMAINS */
    struct list remains; /* place in the search (remains.h) */
    uint64_t first_pass; /* the first walk that is all its own: one under way has passed some by */
    unsigned clean_passes; /* walks in a row that found nothing of it */
    bool found;            /* something, in this walk */
    bool was_found;        /* in any walk */
    bool is_spared;        /* may be another server's: what is found is not killed */
    enum attempt_verdict if_nothing;
    int supervisor_status;
    int64_t started_ms; /* wall clock: as the store has it, or of the claim; or FIELD_NULL */

    struct record outcome; /* REPORTED */
};

/* The table: from the task run to its attempts, mostly one. Owned entries. */
struct attempt_table {
    struct uuid_map map;
    size_t live; /* those not REPORTED */
};

void attempt_table_init(struct attempt_table *table);
/* Frees the entries too. */
void attempt_table_release(struct attempt_table *table);
struct attempt *attempt_find(const struct attempt_table *table, const struct attempt_id *id);
/* A new entry, RUNNING, not in the table yet. */
__attribute__((returns_nonnull)) struct attempt *attempt_add(struct attempt_table *table,
                                                             const struct attempt_id *id);
/* Takes the entry out and frees it. It is on no heap and on no list any more. */
void attempt_remove(struct attempt_table *table, struct attempt *attempt);
/* Changes the phase, and what depends on it. */
void attempt_move(struct attempt_table *table, struct attempt *attempt, enum attempt_phase phase);
/* Frees the kept order. */
void attempt_forget_order(struct attempt *attempt);

enum { ATTEMPT_FILE = 160 };
/* "<run>/<taskRun>.<n>.<epoch><suffix>", relative to DATA/runs; returns `name`. */
char *attempt_file(const struct attempt_id *id, const char *suffix, char name[static ATTEMPT_FILE]);

/* A timeout or grace period as far as orders know them: negative is none, the end of time is in ten
 * years. */
int64_t attempt_limit_ms(int64_t ms);
/* An event of the log, with which attempt it is of. */
void attempt_log(enum log_level level, const char *event, const struct attempt *attempt);
