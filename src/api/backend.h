/*
 * What the APIs need of the server, as one struct of functions that the server fills.
 *
 * Reads and previews run on the calling thread, on a snapshot; writes are commands that go to the
 * pump and come back when they are durable. The API knows neither store nor engine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/command.h"
#include "model/image.h"
#include "model/plan.h"
#include "model/query.h"
#include "model/rows.h"

struct store_reader; /* opaque: a snapshot, for the functions of api_reads */

/* As in store/store.h; see there for meaning and ownership. */
struct api_reads {
    bool (*failed)(const struct store_reader *reader);
    bool (*get_job)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                    struct arena *arena, struct job_row *ret);
    bool (*get_job_version)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                            int64_t version, struct arena *arena, struct job_version_row *ret);
    bool (*get_run)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                    struct arena *arena, struct run_row *ret);
    bool (*get_run_etag)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         int64_t *ret_version, int64_t *ret_last_event, int64_t *ret_updated_ms);
    bool (*get_run_image)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                          struct arena *arena, struct run_image *ret);
    int64_t (*queue_position)(struct store_reader *reader, const struct run_row *run);
    bool (*get_task_run)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct task_run_row *ret);
    size_t (*attempts)(struct store_reader *reader, int64_t workspace, const struct uuid *task_run,
                       int64_t from_number, size_t max, struct arena *arena,
                       struct attempt_row **ret);
    size_t (*run_events)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         int64_t after, size_t max, struct arena *arena, struct event_row **ret);
    size_t (*entity_events)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                            const struct uuid *task_run, struct arena *arena,
                            struct event_row **ret);
    bool (*get_operation)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                          struct arena *arena, struct operation_row *ret);
    void (*list_runs)(struct store_reader *reader, int64_t workspace,
                      const struct run_filter *filter, const struct list_order *order,
                      const struct store_cursor *cursor, struct arena *arena, struct run_list *ret);
    void (*recent_runs)(struct store_reader *reader, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *cursor, struct arena *arena,
                        struct run_list *ret);
    void (*list_jobs)(struct store_reader *reader, int64_t workspace,
                      const struct job_filter *filter, const struct list_order *order,
                      const struct store_cursor *cursor, struct arena *arena, struct job_list *ret);
    void (*list_operations)(struct store_reader *reader, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret);
    size_t (*live_runs)(struct store_reader *reader, int64_t workspace, struct arena *arena,
                        struct uuid **ret);
    bool (*get_resource)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct resource_row *ret);
    size_t (*resources)(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret);
    size_t (*recent_jobs)(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret);
};

/* Who calls, once a credential was accepted. */
struct api_account {
    char id[128]; /* OCID */
    char name[256];
};

struct api_workspace {
    int64_t id;
    struct uuid key;
    const char *name; /* lives as long as the server */
};

/* A command on its way through the pump. Owned by the API; at rest until `done` is called. */
struct api_pending {
    struct command command;
    struct command_result result;
    /* Called exactly once, on the pump's thread, after the commit or its failure. */
    void (*done)(struct api_pending *pending);
    void *owner;         /* the API's */
    char *location_base; /* path of the collection as called, for location: "/20260430/…/jobRuns" */
    /* Set with result.replayed: the stored answer, malloc'd, freed by the API. */
    int64_t replay_status;
    char *replay_etag;
    char *replay_location;
    struct uuid replay_operation;
    char *replay_body;
    size_t replay_body_len;
    struct api_pending *next; /* the pump's queue */
};

/* What belongs to no workspace's sequence. Any thread; what is written is durable on return. */
struct api_platform {
    /* One transaction of resources, operations, roles, recent jobs; false: nothing was written. */
    bool (*write)(void *context, const struct row_batch *rows);
    /* The row of a new workspace, which nobody sees; then, with its resource written, its start. */
    bool (*workspace_make)(void *context, struct api_workspace *ret);
    enum err_code (*workspace_start)(void *context, const struct api_workspace *workspace,
                                     struct err *err);
    /* Nobody finds it any more, and all that was asked of it is committed; false: not now. Then it
     * is shown again, or dropped for good. */
    bool (*workspace_hide)(void *context, const struct api_workspace *workspace);
    void (*workspace_show)(void *context, const struct api_workspace *workspace);
    void (*workspace_drop)(void *context, const struct api_workspace *workspace);
};

struct api_backend {
    void *context;

    int64_t (*now_ms)(void *context);
    /* A snapshot for the calling thread; between begin and end nothing else may read with it. */
    struct store_reader *(*read_begin)(void *context);
    void (*read_end)(void *context, struct store_reader *reader);
    struct api_reads reads;

    /* A parsed, immutable definition, from a cache; one reference for the caller, NULL when there
     * is no such version. */
    struct job_def *(*definition)(void *context, struct store_reader *reader, int64_t workspace,
                                  const struct uuid *job, int64_t version);

    /* Hands a command to the pump; any thread. */
    void (*submit)(void *context, const struct api_workspace *workspace,
                   struct api_pending *pending);

    /* The engine's own planner, on a snapshot. `def`: of the run's newest attempt. */
    enum err_code (*plan_repair)(void *context, const struct run_image *image, struct job_def *def,
                                 const struct repair_request *request, struct arena *arena,
                                 struct repair_plan *ret, struct err *err);

    /* The account behind a bearer token (in clear); false when there is none, or it is expired or
     * revoked. Constant time in the token's content. */
    bool (*authenticate)(void *context, const char *token, struct api_account *ret);
    /* The account's role in a workspace; false: none. */
    bool (*role)(void *context, const struct api_account *account,
                 const struct api_workspace *workspace, int *ret_role);
    /* By key; false when there is none. */
    bool (*workspace)(void *context, const struct uuid *key, struct api_workspace *ret);
    /* By place, from 0, in an order that does not change; false behind the last one. NULL: no
     * workspace is enumerated, and no asyncOperation found. */
    bool (*workspace_at)(void *context, size_t index, struct api_workspace *ret);

    /* Output of an attempt: a descriptor that the caller closes, -1 when there is none. */
    int (*open_output)(void *context, const struct run_row *run,
                       const struct task_run_row *task_run, const struct attempt_row *attempt,
                       int stream);
    /* Can the store be written to, and is recovery over? */
    bool (*is_ready)(void *context);

    struct api_platform platform;
};
