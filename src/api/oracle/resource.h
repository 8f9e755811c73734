/*
 * Workspaces and clusters: resources beside jobs and runs, each one row with the JSON of its details.
 *
 * They are changed on the calling thread, one change at a time (api.c), each in a transaction with
 * the asyncOperation that stands for it; their etag is their version. Few of them are made by hand,
 * so lists are sorted in memory; a page token carries the item that its page ended with and the newest
 * moment that counts.
 */
#pragma once

#include "api/page.h"

enum { RESOURCES_MAX = 1000 }; /* of a kind in one place */

struct resource_list_query {
    struct list_query list;
    const char *display_name;
    const char *display_name_contains;
    struct field_list states; /* of const char * */
    int type;                 /* as the kind has it, or FIELD_UNSET */
    struct page_place place;  /* worked out: behind what the page begins */
    int64_t as_of_ms;         /* worked out: newest creation that counts */
};

/* Rows of the filters of both: `states` and `types` are the names of what they may be. */
extern const struct schema workspace_list_query_schema;
extern const struct schema cluster_list_query_schema;

/* What both are made from; the fields that are not of a kind stay unset. */
struct workspace_details {
    const char *display_name;
    const char *description;
    const char *default_catalog_key;
    const char *network_configuration_details; /* JSON */
};

struct cluster_details {
    const char *display_name;
    const char *description;
    const char *type;
    const char *driver_config; /* JSON */
    const char *worker_config; /* JSON */
    const char *cluster_runtime_config;
    int64_t auto_termination_minutes;
    const char *spark_master; /* ours: NULL is this host */
    int8_t is_warm;           /* ours */
};

struct workspace_view {
    struct workspace_details details;
    const char *key;
    const char *type;
    struct resource_row row;
};

struct cluster_view {
    struct cluster_details details;
    const char *key;
    struct resource_row row;
};

extern const struct schema workspace_details_schema; /* CreateWorkspaceDetails */
extern const struct schema cluster_details_schema;   /* CreateClusterDetails */
extern const struct schema workspace_schema;
extern const struct schema cluster_schema;
extern const char *const workspace_type_names[2]; /* DEFAULT, USER */

/* ---- lists ---- */
enum err_code resource_list_parse(struct call *call);
/* Sorts, cuts the page out, and adds opc-next-page; the rows of the page in *ret. */
size_t resource_page(struct call *call, struct resource_row *rows, size_t count,
                     struct resource_row **ret);
/* Do name and state pass the filter? */
bool resource_matches(const struct resource_list_query *query, const struct resource_row *row);

/* Has the request's retry token been answered? Then *ret_done, and the answer is that. ERR_INVALIDATED_RETRY_TOKEN:
 * with another body, or what it made is gone. */
enum err_code resource_replay(struct call *call, bool *ret_done);
/* Adds the answer as it is printed by now, under the request's retry token if it has one. */
void resource_keep_answer(struct call *call, const struct uuid *operation, struct row_batch *rows);

/* ---- changes ---- */
/* ERR_NO_ETAG_MATCH when if-match names another version. */
enum err_code resource_check_etag(struct call *call, const struct resource_row *row);
/* A key that nobody has. */
struct uuid resource_new_key(struct call *call);
/* Who made it and when, on a new row; who changed it and when, and the next version, on any. */
void resource_sign_new(struct call *call, struct resource_row *row);
void resource_sign(struct call *call, struct resource_row *row);
/* Id of the first workspace, which is always there: where stands what has no workspace of its own. */
int64_t resource_first_place(struct call *call);
/* Fills `ret` with the operation that stands for a change, and adds opc-work-request-id. That of a workspace that goes
 * stands in the first one, so that it can be asked for. */
void resource_operation(struct call *call, const struct resource_row *row, const char *type,
                        const char *action, struct operation_row *ret);
/* Writes a row with its operation, its audit row, and more; 503 when that fails. */
enum err_code resource_write(struct call *call, struct resource_row *row, enum row_action action,
                             const char *type, const char *verb, const struct role_row *role);
/* Status, etag, and for 201 where it is. */
void resource_respond(struct call *call, int status, const struct resource_row *row);
/* Reads the stored details into the struct of their table. */
void resource_details(const struct schema *schema, const struct resource_row *row,
                      struct arena *arena, void *ret);
/* The details of the body as the text that is stored. */
const char *resource_json(struct call *call);
