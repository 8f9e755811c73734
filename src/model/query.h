/*
 * Queries: filters, order and paging of lists, shared by the APIs and the store.
 *
 * Pages are keyed, not counted: a page begins behind the last row of the one before, so its cost
 * does not depend on how many rows are stored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/campaign.h"
#include "model/rows.h"

/* A place in line is counted no further: the cost of an answer must not grow with the queue. */
enum { QUEUE_POSITION_MAX = 1000 };

enum store_sort { SORT_TIME_CREATED, SORT_DISPLAY_NAME, SORT_STATUS };

/* The place behind which a page begins: the sort value and key of the last row of the one before.
 * `as_of` is the newest key when the first page was read: rows made later are on no page. */
struct store_cursor {
    bool is_set;
    const char *name;  /* SORT_DISPLAY_NAME */
    enum state status; /* SORT_STATUS */
    struct uuid key;
    struct uuid as_of;
    int64_t as_of_event; /* newest event number then: a sort by status is by the status as of it;
                            of jobs, the time of the first page */
};

struct run_filter {
    const struct uuid *jobs; /* none: every job */
    size_t job_count;
    const char *display_name; /* exact job name, or NULL */
    unsigned states;          /* bit 1 << state; 0: all */
    int64_t created_from_ms;  /* FIELD_NULL: no limit; both inclusive */
    int64_t created_to_ms;
};

struct list_order {
    enum store_sort sort;
    bool ascending; /* ties: timeCreated descending, then key */
    size_t limit;   /* rows per page */
};

struct run_list {
    struct run_row *items;
    size_t count;
    bool more;                /* another page follows */
    struct store_cursor next; /* set when `more` */
};

/* How a task run stands, and of which attempt of the run it is: what a grid is made of. */
struct task_state {
    const char *task_key;
    int64_t repair_number;
    enum state state;
    int64_t start_ms;
    int64_t end_ms;
};

struct job_filter {
    const struct uuid *jobs; /* none: every job */
    size_t job_count;
    const char *display_name;          /* exact, or NULL */
    const char *display_name_contains; /* or NULL; case-sensitive */
    const char *path;                  /* exact, or NULL */
    const char *created_by;            /* user id or name, or NULL */
    const char *updated_by;
};

struct job_list {
    struct job_row *items;
    size_t count;
    bool more;
    struct store_cursor next;
};

/* Instances of the DataArts dialect: runs by planned time, counted, with an offset. */
struct instance_filter {
    const struct uuid *job; /* NULL: every job */
    const char *name;       /* that the job has now, or NULL */
    bool name_is_part;      /* `name` need only be a part of it */
    int64_t from_ms;        /* planned times, both inclusive */
    int64_t to_ms;
    unsigned states;     /* bit 1 << state; 0: all */
    int is_suspended;    /* 0, 1, or FIELD_UNSET: all */
    int ignored_failure; /* likewise */
    int64_t type;        /* enum instance_type, or FIELD_NULL: all */
    size_t offset;
    size_t limit;
};

struct instance_list {
    struct run_row *items; /* newest planned time first; without parameters, queue and schedule */
    size_t count;
    int64_t total; /* that match, on this page and off it */
};

struct numbered_job_filter {
    const int64_t *numbers; /* none: every job */
    size_t number_count;
    const char *name_part; /* or NULL */
    int is_active;         /* has it a schedule that fires: 0, 1, or FIELD_UNSET: all */
    size_t offset;
    size_t limit;
};

struct numbered_job_list {
    struct job_row *items; /* newest first */
    size_t count;
    int64_t total;
};

struct event_filter {
    const struct uuid *run; /* NULL: every run */
    const struct uuid *job; /* NULL: every job */
};

struct operation_filter {
    const char *resource_type; /* or NULL */
    const char *display_name;  /* exact, or NULL */
    const char *name_contains; /* or NULL */
    const char *created_by;    /* id of a user, or NULL */
    int status;                /* enum operation_status or FIELD_UNSET */
};

struct operation_list {
    struct operation_row *items;
    size_t count;
    bool more;
    struct store_cursor next;
};

/* A page of rows about accounts, in the order of what they are named by. */
struct account_query {
    enum row_kind kind;        /* ROW_USER, _ROLE, _TOKEN, _API_KEY, _ACCESS_KEY, _SECRET, _AUDIT */
    const char *user_id;       /* whose roles, tokens, keys */
    int64_t workspace;         /* whose secrets */
    const char *after;         /* users, secrets: name; keys: id. NULL: from the first */
    const uint8_t *after_hash; /* tokens; NULL: from the first */
    const struct uuid *before; /* audit: they are newest first. NULL: from the newest */
    const struct uuid *since;  /* audit: none that is older. NULL: to the oldest */
    int subject;               /* audit: what `resource` is (enum audit_subject) */
    const struct uuid *resource; /* audit: of what. NULL: of all */
    size_t limit;
};

struct campaign_filter {
    const char *name;   /* exact, or NULL */
    int kind;           /* enum campaign_kind or FIELD_UNSET */
    unsigned states;    /* bit 1 << enum campaign_state; 0: all */
    struct uuid before; /* newest first, behind this one; nil: from the newest */
    size_t limit;
};

/* How many cells of a campaign are in each state. */
struct campaign_counts {
    int64_t cells[CAMPAIGN_CELL_STATE_COUNT];
};
