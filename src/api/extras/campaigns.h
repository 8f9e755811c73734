/* Campaigns over HTTP (CONTRACT §6): what their tables fill and print. */
#pragma once

#include "api/extras/extras.h"
#include "api/page.h"

struct campaign_details {
    int kind;
    const char *name;
    const char *job_key;
    struct field_list job_keys; /* of const char * */
    int8_t downstream;
    int64_t begin_ms;
    int64_t end_ms;
    int64_t concurrent;
    int8_t canary;
    int where;
    const char *task_key;
    int version;
    int set;
    int8_t ignore_monitor;
    int8_t stop_on_fail;
    int8_t reverse;
    struct field_list parameters; /* of struct param */
    /* worked out */
    struct campaign_request request;
};

struct campaign_counts_view {
    int64_t waiting, blocked, running, success, failed, skipped, canceled;
};

struct campaign_cell_view {
    int64_t position;
    const char *job_key;
    const char *job_name;
    int64_t plan_ms;
    int state;
    const char *message;
    const char *run_key;
    int64_t repair_key;
    const char *needs;   /* JSON */
    const char *follows; /* JSON */
    int64_t start_ms;
    int64_t finished_ms;
};

/* What a campaign would consist of, of one job. */
struct campaign_plan_job_view {
    const char *job_key;
    const char *name;
    int64_t cells, made, skipped;
    int64_t first_ms, last_ms; /* FIELD_NULL: it has no cell */
};

struct campaign_plan_view {
    int64_t cells, made, skipped;
    int64_t doubles;               /* of those made */
    const char *parameters;        /* JSON */
    struct field_list jobs;        /* of struct campaign_plan_job_view */
    struct field_list first_cells; /* of struct campaign_cell_view */
};

/* Strings are the plan's, or in the arena. */
struct campaign_plan_view campaign_plan_view(const struct campaign_plan *plan, struct arena *arena);

struct campaign_view {
    struct campaign_row row;
    const char *key;
    const char *job_key;
    struct campaign_counts_view *counts;
    struct field_list cells; /* of struct campaign_cell_view; not of summaries */
};

struct campaign_list_query {
    struct list_query list;
    const char *name;
    int kind;
    struct field_list states; /* of const char * */
    /* worked out */
    struct campaign_filter filter;
};

struct campaign_query {
    struct list_query list;
    int64_t next; /* worked out: position to begin with */
};
