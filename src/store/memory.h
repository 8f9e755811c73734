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
/* memory_resources.c */
size_t memory_resources(struct store_reader *reader, int64_t workspace, int kind,
                        struct arena *arena, struct resource_row **ret);
size_t memory_recent_jobs(struct store_reader *reader, int64_t workspace, const char *user_id,
                          struct arena *arena, struct recent_job_row **ret);
/* NULL when there is none. */
struct workspace_row *memory_workspace(struct memory_store *store, int64_t id);
