/* Structs of the objects that are about accounts, as their field tables (fields.c) have them. */
#pragma once

#include "api/page.h"
#include "base/fields.h"

#define ACCOUNT_SHOWN_MS (INT64_C(30) * 24 * 3600 * 1000) /* how long ended tokens are listed */

enum {
    ACCOUNT_NAME_MAX = 128,
    ACCOUNT_LABEL_MAX = 255,
    ACCOUNT_SECRET_MAX = 64 << 10,
    ACCOUNT_PUBLIC_KEY_MAX = 16 << 10,
    ACCOUNT_MAX_TOKENS = 1000, /* of a kind that is made by hand, per user */
    ACCOUNT_MAX_SESSIONS = 64, /* live ones per user; the one that ends first makes room */
    ACCOUNT_PAGE_LIMIT = 100,
    ACCOUNT_PAGE_MAX = 1000,
};

struct account_list_query {
    const char *page;
    int64_t limit;
    const char *user;
    const char *workspace; /* key; NULL: the installation's first */
    /* worked out by account_list_parse */
    uint8_t after[PAGE_MAX_PAYLOAD];
    size_t after_len; /* 0: the first page */
};

struct audit_list_query {
    struct account_list_query list; /* first; user: whose changes, NULL: anybody's */
    const char *action;             /* "job.create", or only how it begins: "job" */
    const char *resource;
    const char *workspace; /* its key; NULL: any, and none */
    int outcome;           /* or FIELD_UNSET */
    int64_t from_ms, to_ms;
    /* worked out by audit_list_parse */
    struct uuid resource_key;
    struct uuid workspace_key;
};

struct role_view {
    const char *workspace_key;
    int role;
};

struct user_view {
    const char *key;
    const char *name;
    int8_t is_disabled;
    int8_t has_password;
    struct field_list roles; /* of struct role_view */
    int64_t created_ms;
};

struct token_view {
    const char *key;
    const char *name;
    const char *user_key;
    const char *user_name;
    int kind;
    int64_t created_ms;
    int64_t expires_ms;
    int64_t revoked_ms;
    const char *token; /* shown once */
};

struct key_view {
    const char *key;
    const char *name;
    const char *user_key;
    const char *user_name;
    const char *fingerprint;
    const char *secret_key; /* of access keys, shown once */
    int64_t created_ms;
};

struct secret_view {
    const char *key;
    const char *name;
    const char *workspace_key;
    int64_t created_ms;
    int64_t updated_ms;
    const char *updated_by;
    const char *updated_by_name;
};

struct audit_view {
    const char *key;
    int64_t time_ms;
    int outcome;
    const char *action;
    int subject;
    const char *resource_key;
    const char *workspace_key;
    const char *target;
    const char *user_key;
    const char *user_name;
    const char *request_id;
    const char *address;
    const char *detail;
};

struct session_view {
    struct user_view *user;
    int role;
    const char *csrf_token;
    int64_t expires_ms;
};

struct code_view {
    const char *code;
    const char *path;
    int64_t expires_ms;
};

/* ---- requests ---- */

struct create_user {
    const char *name;
    int role;
    const char *workspace_key;
    const char *password;
};

enum { NEW_ROLE_NONE = ROLE_ADMIN + 1 }; /* the user is to have none there any more */

struct update_user {
    int role; /* enum role, or NEW_ROLE_NONE */
    const char *workspace_key;
    int8_t is_disabled;
    const char *password;
};

struct create_token {
    const char *name;
    const char *user;
    int64_t expires_ms;
};

struct create_key {
    const char *name;
    const char *user;
    const char *public_key;
};

struct create_access_key {
    const char *name;
    const char *user;
};

struct create_secret {
    const char *name;
    const char *value;
};

struct replace_secret {
    const char *value;
};

struct create_session {
    const char *code;
    const char *token;
    int8_t is_replacing;
};

extern const struct schema user_schema;
extern const struct schema token_schema;
extern const struct schema created_token_schema;
extern const struct schema key_schema;
extern const struct schema access_key_schema;
extern const struct schema created_access_key_schema;
extern const struct schema secret_schema;
extern const struct schema audit_schema;
extern const struct schema session_schema;
extern const struct schema code_schema;

/* The user with its roles, in the arena. */
struct user_view user_view_of(struct call *call, const struct user_row *row);
