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

#include "auth/rsa.h"
#include "auth/user_id.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/http.h"
#include "base/list.h"
#include "model/command.h"
#include "model/image.h"
#include "model/plan.h"
#include "model/query.h"
#include "model/rows.h"
#include "model/simulation.h"

struct zones;
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
    size_t (*task_states)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                          struct arena *arena, struct task_state **ret);
    bool (*prior_starts)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         const char *task_key, int64_t before_repair, int64_t *ret);
    size_t (*attempts)(struct store_reader *reader, int64_t workspace, const struct uuid *task_run,
                       int64_t from_number, size_t max, struct arena *arena,
                       struct attempt_row **ret);
    size_t (*run_events)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                         int64_t after, size_t max, struct arena *arena, struct event_row **ret);
    size_t (*entity_events)(struct store_reader *reader, int64_t workspace, const struct uuid *run,
                            const struct uuid *task_run, struct arena *arena,
                            struct event_row **ret);
    size_t (*workspace_events)(struct store_reader *reader, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto);
    int64_t (*newest_event)(struct store_reader *reader, int64_t workspace);
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
    size_t (*skipped)(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                      size_t max, struct arena *arena, struct skipped_row **ret);
    void (*list_operations)(struct store_reader *reader, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *cursor, struct arena *arena,
                            struct operation_list *ret);
    bool (*get_user)(struct store_reader *reader, const char *name, struct arena *arena,
                     struct user_row *ret);
    bool (*get_user_by_id)(struct store_reader *reader, const char *id, struct arena *arena,
                           struct user_row *ret);
    bool (*get_api_key)(struct store_reader *reader, const char *id, struct arena *arena,
                        struct api_key_row *ret);
    bool (*get_access_key)(struct store_reader *reader, const char *id, struct arena *arena,
                           struct access_key_row *ret);
    bool (*get_retry_token)(struct store_reader *reader, int64_t workspace,
                            const uint8_t scope[static 32], struct arena *arena,
                            struct retry_token_row *ret);
    bool (*get_secret)(struct store_reader *reader, int64_t workspace, const char *name,
                       struct arena *arena, struct secret_row *ret);
    size_t (*accounts)(struct store_reader *reader, const struct account_query *query,
                       struct arena *arena, void **ret);
    size_t (*live_runs)(struct store_reader *reader, int64_t workspace, struct arena *arena,
                        struct uuid **ret);
    bool (*get_resource)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct resource_row *ret);
    size_t (*resources)(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret);
    size_t (*job_permissions)(struct store_reader *reader, int64_t workspace,
                              const struct uuid *job, struct arena *arena,
                              struct job_permission_row **ret);
    size_t (*recent_jobs)(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret);
    bool (*get_schedule)(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                         struct arena *arena, struct schedule_row *ret);
    bool (*find_job)(struct store_reader *reader, int64_t workspace, int64_t number,
                     struct arena *arena, struct job_row *ret);
    bool (*find_run)(struct store_reader *reader, int64_t workspace, int64_t number,
                     struct arena *arena, struct run_row *ret);
    void (*list_instances)(struct store_reader *reader, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret);
    void (*list_numbered_jobs)(struct store_reader *reader, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret);
    bool (*get_campaign)(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct campaign_row *ret);
    size_t (*campaigns)(struct store_reader *reader, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret);
    size_t (*campaign_cells)(struct store_reader *reader, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret);
    bool (*campaign_counts)(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret);
    size_t (*planned_runs)(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                           int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                           struct run_row **ret);
};

enum { API_KEY_ID_TEXT = 513 }; /* tenancy/user/fingerprint, or an access key */

/* Who calls, once a credential was accepted. */
struct api_account {
    char id[USER_ID_TEXT];
    char name[256];
    int token_kind;          /* enum token_kind; TOKEN_BEARER for signatures too */
    uint8_t token_hash[32];  /* of the token that was shown; zeros for signatures */
    uint8_t parent_hash[32]; /* of the token that this session was begun with, zeros: none */
    /* The key that signed for the one-time code that it was begun with; "": none. */
    char parent_key[API_KEY_ID_TEXT];
    bool parent_key_is_public;
    uint8_t password_hash[32]; /* of the stored form of the password that was shown, zeros: none */
    const char *key_id;        /* of the key that signed, as long as the request; NULL for tokens */
    bool key_is_public;        /* it is a registered public key, else an access key */
};

/* A credential that was not accepted. */
struct api_refused {
    const char *scheme;  /* "Bearer", "Signature", "SDK-HMAC-SHA256", "password", … */
    const char *claimed; /* keyId, access key or user name that was shown; NULL: none */
    const char *why;     /* one plain sentence */
    const char *request_id;
    const char *address; /* the client's */
};

enum { API_CODE_TEXT = 32 };

/* What the API needs for accounts. Any thread; all that is written is durable on return. */
struct api_accounts {
    /* By keyId, by access key: whose it is, and what signatures are held against. ERR_NOT_AUTHENTICATED
     * when there is none, or its user is disabled; ERR_UNAVAILABLE when that cannot be read now. */
    enum err_code (*public_key)(void *context, const char *key_id, struct api_account *ret,
                                struct rsa_verifier **ret_key); /* a reference for the caller */
    enum err_code (*access_key)(void *context, const char *access, struct api_account *ret,
                                struct buf *secret);
    /* ERR_NOT_AUTHENTICATED; ERR_TOO_MANY_REQUESTS, ERR_UNAVAILABLE when it is not even looked at now. */
    enum err_code (*password)(void *context, const char *name, const char *password,
                              const char *address, struct api_account *ret, int64_t *ret_wait_ms,
                              struct err *err);
    /* Counts and records what was refused. 0, or for how many ms failures of this address have
     * been too many. */
    int64_t (*refused)(void *context, const struct api_refused *refused);
    /* One more request of this account: 0, or how many ms it is too early. */
    int64_t (*admit)(void *context, const struct api_account *account);
    /* One-time codes: good once, for a short time, for whoever they were made for, as long as `still`
     * says so. ERR_NOT_AUTHENTICATED; ERR_UNAVAILABLE: that cannot be told now, and ERR_INCORRECT_STATE: it is none of
     * `only_user` (an id, NULL: anybody): the code stays good. */
    bool (*make_code)(void *context, const struct api_account *account,
                      char text[static API_CODE_TEXT], int64_t *ret_expires_ms);
    enum err_code (*use_code)(void *context, const char *code, const char *only_user,
                              struct api_account *ret);

    /* One transaction of rows about accounts; false when nothing was written. */
    bool (*write)(void *context, const struct row_batch *rows);
    void (*random)(void *context, void *bytes, size_t len);
    struct uuid (*new_key)(void *context);
    /* Appends the sealed form of a secret that belongs to `place`. */
    void (*seal)(void *context, const char *place, const char *secret, struct buf *out);
};

struct api_workspace {
    int64_t id;
    struct uuid key;
    const char *name; /* for the log, as long as the server lives; NULL: see its resource */
};

/* All that there is of a run when it has just been made, and the events of its own, ascending. */
struct api_made {
    struct run_image image;
    struct event_row *events;
    size_t event_count;
};

/* A command on its way through the pump. Owned by the API; at rest until `done` is called. */
struct api_pending {
    struct command command;
    struct command_result result;
    /* What is written in the command's transaction if it succeeds: once, whoever repeats it. Without key
     * and time; a nil `resource` is what the command answers with. `action` NULL: nothing. */
    struct audit_row audit;
    /* Called exactly once, on the pump's thread, after the commit or its failure. */
    void (*done)(struct api_pending *pending);
    void *owner;         /* the API's */
    char *location_base; /* path of the collection as called, for location: "/20260430/…/jobRuns" */
    /* The request's, which nobody else uses until `done`; NULL: its answer has no use for `made`. */
    struct arena *arena;
    /* In there: what a command that makes a run has committed, so that it need not be read again. NULL: it is
     * to be read. */
    struct api_made *made;
    /* Set with result.replayed: the stored answer, malloc'd, freed by the API. */
    int64_t replay_status;
    char *replay_etag;
    char *replay_location;
    struct uuid replay_operation;
    char *replay_body;
    size_t replay_body_len;
    struct api_pending *next; /* the pump's queue */
};

/* ---- what streams wait for. Owned by the API, in the request's arena ---- */

/* Woken by every commit with events of the run. */
struct api_watch {
    struct http_request *request;
    struct uuid run;  /* nil: of any run */
    struct list node; /* the server's */
};

/* Woken when a file of output grows. */
struct api_output_watch {
    struct http_request *request;
    struct list node; /* the server's, as all that follows */
    int descriptor;
};

/* Events of one commit, ascending; with task_key, job and job_name. */
struct api_events {
    const struct event_row *rows;
    size_t count;
    void *held; /* the server's */
};

/* What belongs to no workspace's sequence. Any thread; what is written is durable on return. */
struct api_platform {
    /* One transaction of resources, operations, roles, recent jobs; false: nothing was written. */
    bool (*write)(void *context, const struct row_batch *rows);
    /* A new workspace, which runs and is seen by nobody until it is shown, with its resource written. One at a
     * time: one that was not shown is what the next call gives. ERR_UNAVAILABLE: it cannot be made now. */
    enum err_code (*workspace_make)(void *context, struct api_workspace *ret, struct err *err);
    /* Nobody finds it any more, and all that was asked of it is committed; false: not now. Then it
     * is shown again, or dropped for good. */
    bool (*workspace_hide)(void *context, const struct api_workspace *workspace);
    void (*workspace_show)(void *context, const struct api_workspace *workspace);
    void (*workspace_drop)(void *context, const struct api_workspace *workspace);
};

struct api_backend {
    void *context;

    struct zones *zones; /* of the host; thread safe (calendar/zones.h) */
    const char *zone_id; /* the server's own; NULL: UTC */

    int64_t (*now_ms)(void *context);
    /* A snapshot for the calling thread; between begin and end nothing else may read with it. Never NULL:
     * one that cannot be begun has failed (reads.failed). */
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

    /* The engine's own planner, on a snapshot. `newest`: definition of the run's newest attempt;
     * another one that the request asks for is read with `reader`. What *ret points to lives as
     * long as `arena` and *ret_def, one reference for the caller: also when the plan is refused
     * (NULL then, or to be released). */
    enum err_code (*plan_repair)(void *context, struct store_reader *reader,
                                 const struct run_image *image, struct job_def *newest,
                                 const struct repair_request *request, struct arena *arena,
                                 struct repair_plan *ret, struct job_def **ret_def,
                                 struct err *err);

    /* Which cells a campaign would have, in which order (engine/campaign_plan.h), on a snapshot. What
     * *ret points to lives as long as `arena`. ERR_NOT_AUTHORIZED_OR_NOT_FOUND: no such job;
     * ERR_INCORRECT_STATE: nothing is left to be rerun ("Job X have no instances to rerun");
     * ERR_INVALID_PARAMETER: too many cells, or a job without a schedule where one is needed. */
    enum err_code (*plan_campaign)(void *context, struct store_reader *reader,
                                   const struct api_workspace *workspace,
                                   const struct campaign_request *request, struct arena *arena,
                                   struct campaign_plan *ret, struct err *err);

    /* The engine in a loop, with virtual time; bounded in time by the server. As in
     * engine/simulate.h. */
    enum err_code (*simulate)(void *context, const struct simulation *request, struct arena *arena,
                              struct simulation_result *ret, struct err *err);

    /* Of which tasks a failure would not show in the result of the run, in one sentence (engine/masked.h); NULL:
     * of none. */
    const char *(*masked_failures)(const struct job_def *def, struct arena *arena);

    /* The account behind a token (in clear) of any kind; ERR_NOT_AUTHENTICATED when there is none, or it
     * is expired or revoked, ERR_UNAVAILABLE when that cannot be read now. Constant time in the token's
     * content. */
    enum err_code (*authenticate)(void *context, const char *token, struct api_account *ret);
    /* Is what that account came with good still? For what stays open long after it was let in, and for what
     * changes something behind others. Answers as `authenticate`. */
    enum err_code (*still)(void *context, const struct api_account *account);
    /* The account's role in a workspace; ERR_NOT_FOUND: none, ERR_UNAVAILABLE: it cannot be read now. */
    enum err_code (*role)(void *context, const struct api_account *account,
                          const struct api_workspace *workspace, int *ret_role);
    /* By key; false when there is none. */
    bool (*workspace)(void *context, const struct uuid *key, struct api_workspace *ret);
    /* By place, from 0, in the order of their ids; false behind the last one. NULL: no
     * workspace is enumerated, and no asyncOperation found. */
    bool (*workspace_at)(void *context, size_t index, struct api_workspace *ret);

    /* What an attempt has written: 1 stdout, 2 stderr, 3 the executed notebook, 4 that as HTML, 5
     * what a helper says of it (a word, a sentence, a trace). A descriptor that the caller closes,
     * -1 when there is none. */
    int (*open_output)(void *context, const struct run_row *run,
                       const struct task_run_row *task_run, const struct attempt_row *attempt,
                       int stream);

    /*
     * Streams. Between watch and unwatch, which come in pairs, requests may be woken (not called
     * back) at any time; watching begins with the first pull of a streaming answer at the earliest.
     *
     * A snapshot that was begun after `watch` and what events_take has behind that snapshot's newest
     * event are all there is: no event falls between them.
     */
    void (*watch)(void *context, const struct api_workspace *workspace, struct api_watch *watch);
    void (*unwatch)(void *context, const struct api_workspace *workspace, struct api_watch *watch);
    /* The commit that has the event after number `after`, and perhaps some before; count 0 when
     * there is nothing newer. False when that is too long ago to be in memory: the store has it.
     * What was taken is held until it is dropped. */
    bool (*events_take)(void *context, const struct api_workspace *workspace, int64_t after,
                        struct api_events *ret);
    void (*events_drop)(void *context, struct api_events *events);
    /* False when the host does not let it be watched; nothing to unwatch then. */
    bool (*watch_output)(void *context, int fd, struct api_output_watch *watch);
    void (*unwatch_output)(void *context, struct api_output_watch *watch);

    /* Appends what the server counts, as Prometheus text (base/metric.h). NULL: nothing. */
    void (*metrics)(void *context, struct buf *out);
    /* Can the store be written to, and is recovery over? */
    bool (*is_ready)(void *context);
    /* Is there room on the disk for tasks to start? Asked of the file system: for answers about what waits. */
    bool (*has_room)(void *context);

    struct api_accounts accounts;
    struct api_platform platform;
};
