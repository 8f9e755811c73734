/* The memory store, shared by src/store/memory*.c only. */
#pragma once

#include <pthread.h>

#include "store/impl.h"
#include "store/memory_rows.h"

struct memory_meta {
    char *name;
    char *value;
};

struct memory_store {
    struct store base;
    struct store_faults faults;
    pthread_mutex_t lock; /* over all that follows */
    struct memory_rows rows;
    struct workspace_row *workspaces; /* by id, from 1; their names are copies */
    size_t workspace_count;
    size_t workspace_cap;
    struct memory_meta *meta;
    size_t meta_count;
    size_t meta_cap;
    int64_t commits;  /* asked for, also those that failed */
    uint64_t version; /* changes made */
};

struct memory_reader {
    struct store_reader base;
    struct memory_store *store;
    bool inside; /* of a commit, which holds the lock already */
};

extern const struct reader_ops memory_reader_ops;
/* memory_accounts.c */
/* NULL when there is none. */
const void *memory_account(const struct memory_rows *rows, enum row_kind kind,
                           const struct row_id *id);
size_t memory_accounts(struct store_reader *base, const struct account_query *query,
                       struct arena *arena, void **ret);
size_t memory_prune_audit(struct store *base, enum audit_prune what, int64_t before_ms, size_t max);
/* memory_resources.c */
size_t memory_resources(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret);
size_t memory_job_permissions(struct store_reader *reader, int64_t workspace,
                              const struct uuid *job, struct arena *arena,
                              struct job_permission_row **ret);
size_t memory_recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret);
/* memory_campaigns.c: as in store.h */
size_t memory_campaigns(struct store_reader *reader, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret);
size_t memory_active_campaigns(struct store_reader *reader, int64_t workspace, struct arena *arena,
                               struct uuid **ret);
size_t memory_campaigns_of_run(struct store_reader *reader, int64_t workspace,
                               const struct uuid *run, struct arena *arena, struct uuid **ret);
size_t memory_campaign_cells(struct store_reader *reader, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret);
bool memory_campaign_counts(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret);
size_t memory_planned_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                           int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                           struct run_row **ret);
size_t memory_window_runs(struct store_reader *reader, int64_t workspace, const struct uuid *job,
                          int64_t from_ms, int64_t to_ms, size_t max, struct arena *arena,
                          struct window_run **ret);
/* NULL when there is none. */
struct workspace_row *memory_workspace(struct memory_store *store, int64_t id);

/* memory_read.c */
struct memory_reader *memory_reader_lock(struct store_reader *base);
void memory_reader_unlock(struct memory_reader *reader);
/* What is not stored with events that were copied. */
void memory_fill_task_keys(const struct memory_rows *rows, struct event_row *events, size_t count,
                           struct arena *arena);

/* Rows of the workspace that `key` names: [*ret_first, end). */
size_t memory_workspace_rows(const struct memory_rows *rows, enum row_kind kind, const void *key,
                             size_t *ret_first);

/* memory_lists.c: as in store.h */
void memory_list_runs(struct store_reader *base, int64_t workspace, const struct run_filter *filter,
                      const struct list_order *order, const struct store_cursor *given,
                      struct arena *arena, struct run_list *ret);
void memory_recent_runs(struct store_reader *base, int64_t workspace, const struct uuid *jobs,
                        size_t job_count, size_t per_job, const struct list_order *order,
                        const struct store_cursor *given, struct arena *arena,
                        struct run_list *ret);
bool memory_find_number(struct store_reader *base, enum row_kind kind, int64_t workspace,
                        int64_t number, struct arena *arena, void *ret);
void memory_list_instances(struct store_reader *base, int64_t workspace,
                           const struct instance_filter *filter, struct arena *arena,
                           struct instance_list *ret);
void memory_list_numbered_jobs(struct store_reader *base, int64_t workspace,
                               const struct numbered_job_filter *filter, struct arena *arena,
                               struct numbered_job_list *ret);
void memory_list_jobs(struct store_reader *base, int64_t workspace, const struct job_filter *filter,
                      const struct list_order *order, const struct store_cursor *given,
                      struct arena *arena, struct job_list *ret);
void memory_list_operations(struct store_reader *base, int64_t workspace,
                            const struct operation_filter *filter, const struct list_order *order,
                            const struct store_cursor *given, struct arena *arena,
                            struct operation_list *ret);

/* memory_events.c */
size_t memory_workspace_events(struct store_reader *base, int64_t workspace,
                               const struct event_filter *filter, int64_t after, size_t max,
                               struct arena *arena, struct event_row **ret, int64_t *ret_upto);
int64_t memory_read_newest_event(struct store_reader *base, int64_t workspace);
/* Under the store's lock. */
int64_t memory_newest_event(struct memory_store *store, int64_t workspace);
