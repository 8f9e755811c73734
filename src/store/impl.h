/*
 * What an implementation of the store provides: one function per function of store.h, with the
 * same contract. store.c only passes calls on.
 */
#pragma once

#include "store/store.h"

/* What housekeeping removes. */
enum prune {
    PRUNE_RETRY_TOKENS,
    PRUNE_OPERATIONS,
    PRUNE_SKIPPED,
    PRUNE_REFUSED,
    PRUNE_RUN_AUDIT,
    PRUNE_COUNT
};

struct store_ops {
    void (*close)(struct store *store);
    bool (*meta_get)(struct store *store, const char *name, struct arena *arena, char **ret);
    enum store_result (*meta_set)(struct store *store, const char *name, const char *value);
    enum store_result (*workspace_create)(struct store *store, struct workspace_row *row);
    bool (*workspaces)(struct store *store, struct arena *arena, struct workspace_row **ret,
                       size_t *ret_count);
    enum store_result (*take_over)(struct store *store, int64_t workspace, int64_t seen,
                                   struct workspace_row *ret);
    enum store_result (*commit)(struct store *store, struct store_commit *commit);
    enum store_result (*write_accounts)(struct store *store, const struct row_batch *rows);
    /* `workspace`: of PRUNE_OPERATIONS, and 0 of the others. `before_ms` is above 0. */
    size_t (*prune)(struct store *store, enum prune what, int64_t workspace, int64_t before_ms,
                    size_t max);
    enum err_code (*backup)(struct store *store, const char *path, struct err *err);
    bool (*is_writable)(struct store *store);
    struct store_reader *(*reader_open)(struct store *store);
};

/* What identifies one row for get: the members that its kind needs. */
struct row_id {
    int64_t workspace;
    const struct uuid *key;
    int64_t version;     /* ROW_JOB_VERSION; 0: the newest */
    const uint8_t *hash; /* ROW_RETRY_TOKEN, ROW_TOKEN */
    const char *text;    /* ROW_USER: name or id, ROW_ROLE: user, ROW_SECRET: name, keys: id */
    bool by_name;        /* ROW_USER */
};

/* ---- the reads: one type each, by which the headers of the implementations declare theirs ---- */

/* One row of a kind that is found by its id: all but skipped times, repairs, attempts and events. */
typedef bool reader_get(struct store_reader *reader, enum row_kind kind, const struct row_id *id,
                        struct arena *arena, void *ret);

/* jobs */
typedef size_t reader_active_schedules(struct store_reader *reader, int64_t workspace,
                                       struct arena *arena, struct schedule_row **ret);
typedef size_t reader_skipped(struct store_reader *reader, int64_t workspace,
                              const struct uuid *job, size_t max, struct arena *arena,
                              struct skipped_row **ret);

/* runs */
typedef bool reader_get_run_etag(struct store_reader *reader, int64_t workspace,
                                 const struct uuid *key, int64_t *ret_version,
                                 int64_t *ret_last_event, int64_t *ret_updated_ms);
typedef bool reader_get_run_image(struct store_reader *reader, int64_t workspace,
                                  const struct uuid *key, bool is_outline, struct arena *arena,
                                  struct run_image *ret);
typedef bool reader_run_census(struct store_reader *reader, int64_t workspace,
                               struct run_census *ret);
typedef size_t reader_live_runs(struct store_reader *reader, int64_t workspace, struct arena *arena,
                                struct uuid **ret);
typedef int64_t reader_queue_position(struct store_reader *reader, const struct run_row *run);
typedef size_t reader_task_states(struct store_reader *reader, int64_t workspace,
                                  const struct uuid *run, struct arena *arena,
                                  struct task_state **ret);
typedef bool reader_prior_starts(struct store_reader *reader, int64_t workspace,
                                 const struct uuid *run, const char *task_key,
                                 int64_t before_repair, int64_t *ret);
typedef size_t reader_attempts(struct store_reader *reader, int64_t workspace,
                               const struct uuid *task_run, int64_t from_number, size_t max,
                               struct arena *arena, struct attempt_row **ret);

/* events */
typedef size_t reader_run_events(struct store_reader *reader, int64_t workspace,
                                 const struct uuid *run, int64_t after, size_t max,
                                 struct arena *arena, struct event_row **ret);
typedef size_t reader_workspace_events(struct store_reader *reader, int64_t workspace,
                                       const struct event_filter *filter, int64_t after, size_t max,
                                       struct arena *arena, struct event_row **ret,
                                       int64_t *ret_upto);
typedef int64_t reader_newest_event(struct store_reader *reader, int64_t workspace);
typedef size_t reader_entity_events(struct store_reader *reader, int64_t workspace,
                                    const struct uuid *run, const struct uuid *task_run,
                                    struct arena *arena, struct event_row **ret);

/* accounts and resources */
typedef size_t reader_accounts(struct store_reader *reader, const struct account_query *query,
                               struct arena *arena, void **ret);
typedef size_t reader_resources(struct store_reader *reader, int64_t workspace, int kind,
                                struct arena *arena, struct resource_row **ret);
typedef size_t reader_job_permissions(struct store_reader *reader, int64_t workspace,
                                      const struct uuid *job, struct arena *arena,
                                      struct job_permission_row **ret);
typedef size_t reader_recent_jobs(struct store_reader *reader, int64_t workspace,
                                  const char *user_id, struct arena *arena,
                                  struct recent_job_row **ret);

/* numbers and planned times */
typedef bool reader_find_number(struct store_reader *reader, enum row_kind kind, int64_t workspace,
                                int64_t number, struct arena *arena, void *ret);
typedef void reader_list_instances(struct store_reader *reader, int64_t workspace,
                                   const struct instance_filter *filter, struct arena *arena,
                                   struct instance_list *ret);
typedef void reader_list_numbered_jobs(struct store_reader *reader, int64_t workspace,
                                       const struct numbered_job_filter *filter,
                                       struct arena *arena, struct numbered_job_list *ret);
typedef size_t reader_planned_runs(struct store_reader *reader, int64_t workspace,
                                   const struct uuid *job, int64_t from_ms, int64_t to_ms,
                                   size_t max, struct arena *arena, struct run_row **ret);
typedef size_t reader_window_runs(struct store_reader *reader, int64_t workspace,
                                  const struct uuid *job, int64_t from_ms, int64_t to_ms,
                                  size_t max, struct arena *arena, struct window_run **ret);

/* campaigns */
typedef size_t reader_campaigns(struct store_reader *reader, int64_t workspace,
                                const struct campaign_filter *filter, struct arena *arena,
                                struct campaign_row **ret);
typedef size_t reader_active_campaigns(struct store_reader *reader, int64_t workspace,
                                       struct arena *arena, struct uuid **ret);
typedef size_t reader_campaigns_of_run(struct store_reader *reader, int64_t workspace,
                                       const struct uuid *run, struct arena *arena,
                                       struct uuid **ret);
typedef size_t reader_campaign_cells(struct store_reader *reader, int64_t workspace,
                                     const struct uuid *campaign, int64_t from_position, size_t max,
                                     struct arena *arena, struct campaign_cell_row **ret);
typedef bool reader_campaign_counts(struct store_reader *reader, int64_t workspace,
                                    const struct uuid *campaign, struct campaign_counts *ret);

/* lists */
typedef void reader_list_runs(struct store_reader *reader, int64_t workspace,
                              const struct run_filter *filter, const struct list_order *order,
                              const struct store_cursor *cursor, struct arena *arena,
                              struct run_list *ret);
typedef void reader_recent_runs(struct store_reader *reader, int64_t workspace,
                                const struct uuid *jobs, size_t job_count, size_t per_job,
                                const struct list_order *order, const struct store_cursor *cursor,
                                struct arena *arena, struct run_list *ret);
typedef void reader_list_jobs(struct store_reader *reader, int64_t workspace,
                              const struct job_filter *filter, const struct list_order *order,
                              const struct store_cursor *cursor, struct arena *arena,
                              struct job_list *ret);
typedef void reader_list_operations(struct store_reader *reader, int64_t workspace,
                                    const struct operation_filter *filter,
                                    const struct list_order *order,
                                    const struct store_cursor *cursor, struct arena *arena,
                                    struct operation_list *ret);

struct reader_ops {
    void (*close)(struct store_reader *reader);
    void (*begin)(struct store_reader *reader);
    void (*end)(struct store_reader *reader);
    uint64_t (*version)(struct store_reader *reader);
    bool (*failed)(const struct store_reader *reader);
    reader_get *get;
    reader_active_schedules *active_schedules;
    reader_skipped *skipped;
    reader_get_run_etag *get_run_etag;
    reader_get_run_image *get_run_image;
    reader_run_census *run_census;
    reader_live_runs *live_runs;
    reader_queue_position *queue_position;
    reader_task_states *task_states;
    reader_prior_starts *prior_starts;
    reader_attempts *attempts;
    reader_run_events *run_events;
    reader_workspace_events *workspace_events;
    reader_newest_event *newest_event;
    reader_entity_events *entity_events;
    reader_accounts *accounts;
    reader_resources *resources;
    reader_job_permissions *job_permissions;
    reader_recent_jobs *recent_jobs;
    reader_find_number *find_number;
    reader_list_instances *list_instances;
    reader_list_numbered_jobs *list_numbered_jobs;
    reader_planned_runs *planned_runs;
    reader_window_runs *window_runs;
    reader_campaigns *campaigns;
    reader_active_campaigns *active_campaigns;
    reader_campaigns_of_run *campaigns_of_run;
    reader_campaign_cells *campaign_cells;
    reader_campaign_counts *campaign_counts;
    reader_list_runs *list_runs;
    reader_recent_runs *recent_runs;
    reader_list_jobs *list_jobs;
    reader_list_operations *list_operations;
};

struct store {
    const struct store_ops *ops;
};

struct store_reader {
    const struct reader_ops *ops;
};
