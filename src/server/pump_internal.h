/* Shared by pump.c (batches) and its parts, pump_….c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"
#include "server/inbox.h"
#include "server/metrics.h"
#include "server/pump.h"

/* A command that succeeded in this batch under a retry token: its answer is kept. */
struct kept {
    struct api_pending *pending;
    bool replaces; /* an expired row is there */
};

/* Where the pump is in removing old runs, and behind them old campaigns. */
struct retain {
    struct retention_limits limits; /* of the round */
    bool is_going;
    bool has_runs;              /* that were not looked at in this round */
    struct store_cursor cursor; /* behind what was looked at */
    struct uuid campaign;       /* likewise */
    size_t runs;                /* that go at a time */
    int64_t next_ms;            /* CLOCK_BOOTTIME */
    int64_t deleted;
    int64_t deleted_campaigns;
};

/* An attempt that has ended with this batch. */
struct ack {
    struct attempt_id id;
    enum exec_report_kind kind;
    int cause;
};

struct prepared;

struct pump {
    struct pump_config config;
    struct api_workspace workspace;
    struct api *api;
    struct exec *exec;
    struct {
        int64_t live, ready, idle;
    } shares;              /* of the gauges, which all pumps share, what is this one's */
    struct engine *engine; /* NULL: to be loaded anew */
    struct store_reader *reader;
    struct effects effects;
    int epoll_fd;
    int bell_fd; /* eventfd: commands wait */

    pthread_mutex_t lock;      /* guards these */
    struct api_pending *first; /* commands that wait, oldest first */
    struct api_pending **last;
    struct prepared *prepared; /* answers of the git cache, newest first */
    bool is_closed;

    struct api_pending *backlog; /* taken from the queue, not stepped yet; pump's thread only */
    struct inbox inbox;
    struct arena answers; /* of one batch: kept answers, and who asked for what */
    struct uuid_source audit_keys;

    /* the batch */
    struct api_pending **stepped; /* to be answered after the commit */
    size_t stepped_count, stepped_cap;
    struct kept *kept;
    size_t kept_count, kept_cap;
    struct ack *acks;
    size_t ack_count, ack_cap;
    struct slot_place place;
    int64_t slots_elsewhere; /* as of its beginning, like the next */
    bool is_disk_full;       /* for what would start */

    bool is_reading; /* the reader's snapshot is open */
    bool is_lost;    /* the engine waits for rows that cannot be read: this batch fails */
    uint64_t seed;
    int64_t retry_load_ms; /* CLOCK_BOOTTIME: next try to load after a failure */
    int64_t backoff_ms;
    int64_t prune_ms; /* CLOCK_BOOTTIME: when retry tokens are next looked through for old ones */
    struct retain retain;
    bool has_folders; /* without a run: when it last took some away, there may have been more */
    bool is_draining;
    bool is_fenced;
    atomic_bool is_ready;
};

/* ---- pump_metrics.c ---- */
/* What a batch's commit wrote, or that it failed. */
void pump_count_commit(struct pump *pump, const struct row_batch *rows, enum store_result result,
                       int64_t took_us);
/* Brings the gauges up to date after a batch; takes this pump's share out of them at its end. */
void pump_publish_gauges(struct pump *pump);
void pump_withdraw_gauges(struct pump *pump);

/* ---- pump.c ---- */
/* A command that did not come to the engine, or came to nothing. */
void pump_answer(struct api_pending *pending, enum err_code code, const char *message);
void pump_answer_unavailable(struct api_pending *pending);
/* A commit of the workspace's failed or its answer was lost: everything is loaded anew. */
void pump_lose(struct pump *pump, enum store_result result);
/* Another seed each time, for ids. */
uint64_t pump_seed(struct pump *pump);
/* Of that kind, as of now. */
struct engine_event pump_event(struct pump *pump, enum engine_event_kind kind);
/* There is something to do; any thread. */
void pump_ring(const struct pump *pump);

/* ---- pump_reports.c ---- */
/* Steps it; the end of an attempt is acknowledged after the commit. */
void pump_step_report(struct pump *pump, const struct exec_report *report);

/* ---- pump_tokens.c ---- */
enum token_verdict {
    TOKEN_NEW,
    TOKEN_EXPIRED,
    TOKEN_ANSWERED,
    TOKEN_LATER /* in the next batch */
};

/* What is known of a command's retry token; ANSWERED: it has had its answer. */
enum token_verdict pump_check_token(struct pump *pump, struct api_pending *pending);
/* store_commit.extend: prints the answers that are kept, and adds their rows. */
void pump_keep_answers(void *context, struct store_reader *reader, struct row_batch *more);
/* Lets go of old ones, if it is time. */
void pump_prune_tokens(struct pump *pump);

/* ---- pump_audit.c ---- */
/* Adds the audit's rows of what succeeded in this batch. */
void pump_add_audit(struct pump *pump);

/* ---- pump_made.c ---- */
/* Gives the commands of a batch that have made runs their rows, which are about to be committed, for the answers. */
void pump_hand_made(struct pump *pump);

/* ---- pump_git.c ---- */
/* Asks for what the batch's starts need first. */
void pump_git_ask(struct pump *pump);
/* Steps the answers that have come. Those of a batch that fails are not needed again: what is loaded
 * asks anew. */
void pump_git_step(struct pump *pump);
/* Runs that ended with this batch need their files no more. */
void pump_git_release(struct pump *pump);
/* After loading: live runs need theirs still. */
void pump_git_hold(struct pump *pump);
/* No answer comes any more. */
void pump_git_close(struct pump *pump);

/* ---- pump_sweep.c ---- */
/* Removes what the server before, if it was killed, has left of attempts that ended in its last moments. After loading,
 * once in the life of an exec. */
void pump_sweep(struct pump *pump);

/* ---- pump_load.c ---- */
/* Makes the engine from the store: a new epoch, live runs, attempts in flight. */
bool pump_load(struct pump *pump);
/* Loads what a command needs and the engine does not have. False: the store cannot be read. */
bool pump_load_for(struct pump *pump, struct command *command);
/* Steps the engine and brings what it wants. False: the store cannot be read, and the engine is not
 * to be used any more: the batch is lost. */
bool pump_step(struct pump *pump, const struct engine_event *event);
/* A snapshot for this batch, from now on until pump_read_end, or until a step wants rows: they are read in
 * newer ones. */
void pump_read_begin(struct pump *pump);
void pump_read_end(struct pump *pump);

/* ---- pump_retain.c ---- */
/* Lets some of what is too old go, between two batches; and when to call it again; 0: at once. */
void pump_retain(struct pump *pump);
int64_t pump_retain_ms(const struct pump *pump);
