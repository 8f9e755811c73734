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

/* memory.c */
/* NULL when there is none. */
struct workspace_row *memory_workspace(struct memory_store *store, int64_t id);

/* memory_read.c */
extern const struct reader_ops memory_reader_ops;
struct memory_reader *memory_reader_lock(struct store_reader *base);
void memory_reader_unlock(struct memory_reader *reader);
/* What is not stored with events that were copied. */
void memory_fill_task_keys(const struct memory_rows *rows, struct event_row *events, size_t count,
                           struct arena *arena);
/* Rows of the workspace that `key` names: [*ret_first, end). */
size_t memory_workspace_rows(const struct memory_rows *rows, enum row_kind kind, const void *key,
                             size_t *ret_first);

/* memory_events.c */
reader_workspace_events memory_workspace_events;
reader_newest_event memory_read_newest_event;
/* Under the store's lock. */
int64_t memory_newest_event(struct memory_store *store, int64_t workspace);

/* memory_accounts.c */
/* NULL when there is none. */
const void *memory_account(const struct memory_rows *rows, enum row_kind kind,
                           const struct row_id *id);
reader_accounts memory_accounts;

/* memory_resources.c */
reader_resources memory_resources;
reader_job_permissions memory_job_permissions;
reader_recent_jobs memory_recent_jobs;

/* memory_numbered.c */
reader_find_number memory_find_number;
reader_list_instances memory_list_instances;
reader_list_numbered_jobs memory_list_numbered_jobs;

/* memory_campaigns.c */
reader_campaigns memory_campaigns;
reader_active_campaigns memory_active_campaigns;
reader_campaigns_of_run memory_campaigns_of_run;
reader_campaign_cells memory_campaign_cells;
reader_campaign_counts memory_campaign_counts;
reader_planned_runs memory_planned_runs;
reader_window_runs memory_window_runs;

/* memory_lists.c */
reader_list_runs memory_list_runs;
reader_recent_runs memory_recent_runs;
reader_list_jobs memory_list_jobs;
reader_list_operations memory_list_operations;
