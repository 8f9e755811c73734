/*
 * Rows about accounts: who may do what, with which credential, and who did. Part of model/rows.h, which says what holds
 * for all rows.
 */
#pragma once

#include <stdint.h>

#include "base/uuid.h"

struct user_row {
    const char *id; /* OCID, createdBy */
    const char *name;
    int64_t created_ms;
    int64_t disabled_ms;  /* FIELD_NULL: active */
    const char *password; /* hashed (auth/password.h), NULL: none */
};

enum role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };

struct role_row {
    int64_t workspace;
    const char *user_id;
    int role; /* enum role */
};

enum token_kind {
    TOKEN_BEARER,  /* made by a user, for a program */
    TOKEN_SESSION, /* of the page: a cookie's value */
    TOKEN_IAM,     /* of POST /v3/auth/tokens */
};

struct token_row {
    uint8_t hash[32]; /* SHA-256; the token itself is never stored */
    const char *user_id;
    const char *name;
    int64_t created_ms;
    int64_t expires_ms; /* FIELD_NULL: never */
    int64_t revoked_ms; /* FIELD_NULL: not */
    int kind;           /* enum token_kind */
    uint8_t parent[32]; /* the token that this session was begun with, and ends with; zeros: none */
    const char *parent_key; /* likewise the key that signed for its one-time code; NULL: none */
    int8_t parent_key_is_public; /* 1: its row is an api_key_row, else an access_key_row */
};

/* A registered public key, for OCI signatures. */
struct api_key_row {
    const char *id; /* keyId: tenancy/user/fingerprint */
    const char *user_id;
    const char *name;
    const char *public_key; /* base64 of DER */
    int64_t created_ms;
};

/* For SDK-HMAC-SHA256. */
struct access_key_row {
    const char *id; /* AK */
    const char *user_id;
    const char *name;
    const char *secret; /* SK, sealed (auth/seal.h) */
    int64_t created_ms;
};

/* A named secret of a workspace: credentials that jobs refer to by name. */
struct secret_row {
    int64_t workspace;
    const char *name;
    const char *value; /* sealed */
    int64_t created_ms;
    int64_t updated_ms;
    const char *updated_by;
    const char *updated_by_name;
};

/* What somebody may do to one job, on top of their role in its workspace. */
enum job_privilege {
    PRIVILEGE_READ,
    PRIVILEGE_USE,    /* run it, cancel, repair and delete its runs */
    PRIVILEGE_MANAGE, /* change and delete it */
    PRIVILEGE_ADMIN,  /* grant all that */
    PRIVILEGE_COUNT
};

enum grantee_type { GRANTEE_USER, GRANTEE_ROLE, GRANTEE_TYPE_COUNT };

struct job_permission_row {
    int64_t workspace;
    struct uuid job;
    int grantee_type;    /* enum grantee_type */
    const char *grantee; /* of a user the id, of a role its name */
    int privileges;      /* bits 1 << enum job_privilege; at least one */
    int64_t created_ms;
};

enum audit_outcome { AUDIT_DONE, AUDIT_REFUSED, AUDIT_OUTCOME_COUNT };

/* What a change was about. Stored by number: append only. */
enum audit_subject {
    AUDIT_ABOUT_NOTHING, /* a credential that was refused */
    AUDIT_ABOUT_USER,
    AUDIT_ABOUT_TOKEN,
    AUDIT_ABOUT_KEY,
    AUDIT_ABOUT_ACCESS_KEY,
    AUDIT_ABOUT_SECRET,
    AUDIT_ABOUT_SESSION,
    AUDIT_ABOUT_WORKSPACE,
    AUDIT_ABOUT_CLUSTER,
    AUDIT_ABOUT_JOB,
    AUDIT_ABOUT_RUN,
    AUDIT_ABOUT_CAMPAIGN,
    AUDIT_SUBJECT_COUNT
};

/* Who changed what, or was not let in: one row for each change, in its transaction. Append only. */
struct audit_row {
    struct uuid key; /* sorts by time */
    int64_t time_ms;
    int outcome;           /* enum audit_outcome */
    int subject;           /* enum audit_subject */
    struct uuid resource;  /* the job, run, campaign, cluster or workspace; nil: `target` says it */
    struct uuid workspace; /* key of the workspace that it is in; nil: the installation's */
    const char *action;    /* "job.create", …; of a refused credential its scheme */
    const char *target;    /* name of what was changed, or the credential that was shown */
    const char *user_id;   /* NULL: nobody known */
    const char *user_name; /* likewise */
    const char *request_id;
    const char *address; /* the client's */
    const char *detail;  /* one plain sentence */
};
