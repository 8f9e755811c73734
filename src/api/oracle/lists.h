/* Filters of the lists: what their query tables fill, and helpers to read it. */
#pragma once

#include "api/page.h"

struct job_list_query {
    struct list_query list;
    const char *display_name;
    const char *display_name_contains;
    const char *path;
    const char *created_by;
    const char *updated_by;
    struct field_list job_keys; /* of const char * */
    struct job_filter filter;   /* worked out */
};

struct run_list_query {
    struct list_query list;
    const char *display_name;
    struct field_list job_keys; /* of const char * */
    struct field_list statuses; /* of const char *, names of states */
    int64_t created_from_ms;
    int64_t created_to_ms;
    struct run_filter filter; /* worked out */
};

struct recent_query {
    struct list_query list;
    struct field_list job_keys; /* of const char * */
    int64_t record_count;
    struct uuid *jobs; /* worked out, each once */
    size_t job_count;
};

struct task_run_list_query {
    struct list_query list;
    const char *job_run_key;
    int64_t repair_key; /* FIELD_NULL: the newest map */
    const char *display_name;
    struct field_list statuses; /* of const char *, names of states */
    const char *parent_job_run_key;
    const char *root_job_run_key;
    unsigned states;  /* worked out: as in struct run_filter */
    int64_t place[3]; /* of the page: see task_runs.c */
};

struct operation_list_query {
    struct list_query list;
    const char *resource_type;
    const char *resource_name;
    const char *match_resource_name;
    int8_t only_own;
    int status;        /* enum operation_status */
    int64_t workspace; /* id of the one to go on in */
};

/* A list in one order that goes on at a number. */
struct plain_list_query {
    struct list_query list;
    int64_t next; /* worked out: number to begin with */
};

/* A history grows at its end: a page knows how long it was on the first one. */
struct history_list_query {
    struct list_query list;
    int64_t place[2]; /* worked out: number to begin with, and how many there are */
};

extern const struct schema job_list_query_schema;
extern const struct schema run_list_query_schema;
extern const struct schema recent_query_schema;
extern const struct schema task_run_list_query_schema;
extern const struct schema operation_list_query_schema;
extern const struct schema recent_job_query_schema;   /* struct plain_list_query */
extern const struct schema retry_list_query_schema;   /* struct plain_list_query */
extern const struct schema history_list_query_schema; /* struct history_list_query */

/* `parse` of routes whose filter is a struct plain_list_query. */
enum err_code plain_list_parse(struct call *call);
/* Keys in the arena. One that has not the form of a key is an unknown key: it names nothing, but it
 * still filters. */
struct uuid *keys_of(const struct field_list *texts, struct arena *arena, size_t *ret_count);
/* Bits 1 << state; 0 for none. */
unsigned states_of(const struct field_list *names);
/* Adds a job to a list; its definition comes from the cache. */
enum err_code respond_job_summary(struct call *call, size_t index, const struct job_row *row);
/* Answers with a page of runs. */
void respond_runs(struct call *call, const struct run_list *list);
