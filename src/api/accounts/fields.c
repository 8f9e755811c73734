/* Field tables of what is about accounts: requests, answers, filters. */
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/oracle/tables.h"
#include "auth/password.h"
#include "base/mem.h"

static const char *const role_names[] = {"VIEWER", "OPERATOR", "ADMIN"};
static const char *const new_role_names[] = {"VIEWER", "OPERATOR", "ADMIN",
                                             "NONE"}; /* NEW_ROLE_NONE */
static const char *const kind_names[] = {"TOKEN", "SESSION", "IAM"};
static const char *const outcome_names[] = {"DONE", "REFUSED"};
/* Of enum audit_subject, without the first: of nothing it is null. */
static const char *const subject_names[] = {"USER",   "TOKEN",   "KEY",           "ACCESS_KEY",
                                            "SECRET", "SESSION", "WORKSPACE",     "CLUSTER",
                                            "JOB",    "JOB_RUN", "RERUN_CAMPAIGN"};
_Static_assert(sizeof subject_names / sizeof *subject_names == AUDIT_SUBJECT_COUNT - 1,
               "a name for each");

/* What is shown once comes last. */
#define ALL_BUT_THE_LAST(schema_name, type, rows, text)                       \
    {                                                                         \
        .name = (schema_name), .size = sizeof(struct type), .fields = (rows), \
        .count = ARRAY_LEN(rows) - 1, .doc = (text)                           \
    }

/* Also what may stand in a path or a shell without quotes; a key is told from a name by its form. */
static bool check_name(const char *text, struct err *err)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
    if (strchr(first, *text) && strspn(text, more) == strlen(text) &&
        strncmp(text, "ocid1.", strlen("ocid1.")) != 0)
        return true;
    err_set(err, ERR_INVALID_PARAMETER,
            "must begin with a letter or digit, have only letters, digits, '.', '_', '@' and '-', "
            "and not begin with ocid1.");
    return false;
}

#define PAGE_ROWS                                                                      \
    {.name = "page",                                                                   \
     .kind = FIELD_STRING,                                                             \
     .flags = FIELD_HIDDEN,                                                            \
     AT(account_list_query, page),                                                     \
     .min = 1,                                                                         \
     .doc = "Value of opc-next-page of the page before; the first page when absent."}, \
    {                                                                                  \
        .name = "limit", .kind = FIELD_INT32, .flags = FIELD_HIDDEN | FIELD_DEFAULT,   \
        AT(account_list_query, limit), .min = 1, .max = ACCOUNT_PAGE_MAX,              \
        .fallback = ACCOUNT_PAGE_LIMIT, .doc = "Most items of a page."                 \
    }

static const struct field account_list_query_fields[] = {
    PAGE_ROWS,
    {.name = "user",
     .kind = FIELD_STRING,
     AT(account_list_query, user),
     .min = 1,
     .max = 256,
     .doc = "Name or key of the user; the caller when absent."},
};
const struct schema account_list_query_schema =
    SCHEMA("ListOfUser", account_list_query, account_list_query_fields, "Whose, and which part.");

static const struct field user_list_query_fields[] = {
    PAGE_ROWS,
};
const struct schema user_list_query_schema =
    SCHEMA("ListAccounts", account_list_query, user_list_query_fields, "Which part.");

static const struct field audit_list_query_fields[] = {
    PAGE_ROWS,
    {.name = "user",
     .kind = FIELD_STRING,
     AT(account_list_query, user),
     .min = 1,
     .max = 256,
     .doc = "Only changes of this user, by name or key."},
    {.name = "action",
     .kind = FIELD_STRING,
     AT(audit_list_query, action),
     .min = 1,
     .max = 64,
     .doc = "Only these changes: `job.create`, or all of a kind, `job`."},
    {.name = "resourceKey",
     .kind = FIELD_STRING,
     AT(audit_list_query, resource),
     .min = 1,
     .max = 64,
     .doc = "Only changes of this job, run, campaign, cluster or workspace."},
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(audit_list_query, workspace),
     .min = 1,
     .max = 64,
     .doc = "Only changes in this workspace."},
    {.name = "outcome",
     .kind = FIELD_ENUM,
     AT(audit_list_query, outcome),
     NAMES(outcome_names),
     .doc = "Only what was done, or only what was refused."},
    {.name = "timeGreaterThanOrEqualTo",
     .kind = FIELD_TIME,
     AT(audit_list_query, from_ms),
     .doc = "Only what happened then or later."},
    {.name = "timeLessThanOrEqualTo",
     .kind = FIELD_TIME,
     AT(audit_list_query, to_ms),
     .doc = "Only what happened then or before."},
};
const struct schema audit_list_query_schema = SCHEMA(
    "ListAudit", audit_list_query, audit_list_query_fields, "Which changes, and which part.");

#define WORKSPACE_ROW                                                                             \
    {                                                                                             \
        .name = "workspace", .kind = FIELD_STRING, AT(account_list_query, workspace), .min = 1,   \
        .doc = "Key of the workspace; absent: `default`. The caller's role there is what counts." \
    }

static const struct field secret_list_query_fields[] = {
    PAGE_ROWS,
    WORKSPACE_ROW,
};
const struct schema secret_list_query_schema = SCHEMA("ListSecrets", account_list_query,
                                                      secret_list_query_fields,
                                                      "Of which workspace, and which part.");

static const struct field secret_query_fields[] = {WORKSPACE_ROW};
const struct schema secret_query_schema =
    SCHEMA("SecretQuery", account_list_query, secret_query_fields, "Of which workspace.");

static const struct field role_view_fields[] = {
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(role_view, workspace_key),
     .doc = "Key of the workspace."},
    {.name = "role",
     .kind = FIELD_ENUM,
     AT(role_view, role),
     NAMES(role_names),
     .doc = "VIEWER reads, OPERATOR runs, cancels and repairs too, ADMIN does everything."},
};
static const struct schema role_view_schema =
    SCHEMA("UserRole", role_view, role_view_fields, "What a user may do in a workspace.");

static const struct field user_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     AT(user_view, key),
     .doc = "OCID: createdBy of what the user makes."},
    {.name = "name",
     .kind = FIELD_STRING,
     AT(user_view, name),
     .doc = "Name: createdByName of what the user makes."},
    {.name = "isDisabled",
     .kind = FIELD_BOOL,
     AT(user_view, is_disabled),
     .doc = "Whether none of the user's credentials is accepted."},
    {.name = "hasPassword",
     .kind = FIELD_BOOL,
     AT(user_view, has_password),
     .doc = "Whether the user has a password, for POST /v3/auth/tokens."},
    {.name = "roles",
     .kind = FIELD_LIST,
     AT(user_view, roles),
     .object = &role_view_schema,
     .doc = "What the user may do, by workspace."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(user_view, created_ms),
     .doc = "When it was made."},
};
const struct schema user_schema = SCHEMA("User", user_view, user_fields, "A user.");

static const struct field token_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     AT(token_view, key),
     .doc = "Names the token; it cannot be used as one."},
    {.name = "name", .kind = FIELD_STRING, AT(token_view, name), .doc = "What it is for."},
    {.name = "userKey", .kind = FIELD_STRING, AT(token_view, user_key), .doc = "Whose it is."},
    {.name = "userName", .kind = FIELD_STRING, AT(token_view, user_name), .doc = "Whose it is."},
    {.name = "kind",
     .kind = FIELD_ENUM,
     AT(token_view, kind),
     NAMES(kind_names),
     .doc = "TOKEN was made by hand, SESSION by a sign-in, IAM by POST /v3/auth/tokens."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(token_view, created_ms),
     .doc = "When it was made."},
    {.name = "timeExpires",
     .kind = FIELD_TIME,
     AT(token_view, expires_ms),
     .doc = "Until when it is good; null: until it is revoked."},
    {.name = "timeRevoked",
     .kind = FIELD_TIME,
     AT(token_view, revoked_ms),
     .doc = "When it was revoked; null: it was not."},
    {.name = "token",
     .kind = FIELD_STRING,
     AT(token_view, token),
     .doc = "The token itself, shown this once."},
};
const struct schema token_schema =
    ALL_BUT_THE_LAST("Token", token_view, token_fields, "A token, without its text.");

const struct schema created_token_schema =
    SCHEMA("CreatedToken", token_view, token_fields, "A new token.");

static const struct field key_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     AT(key_view, key),
     .doc = "keyId of signatures: tenancy/user/fingerprint."},
    {.name = "name", .kind = FIELD_STRING, AT(key_view, name), .doc = "What it is for."},
    {.name = "userKey", .kind = FIELD_STRING, AT(key_view, user_key), .doc = "Whose it is."},
    {.name = "userName", .kind = FIELD_STRING, AT(key_view, user_name), .doc = "Whose it is."},
    {.name = "fingerprint",
     .kind = FIELD_STRING,
     AT(key_view, fingerprint),
     .doc = "Of the public key."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(key_view, created_ms),
     .doc = "When it was registered."},
};
const struct schema key_schema = SCHEMA("Key", key_view, key_fields, "A registered public key.");

static const struct field access_key_fields[] = {
    {.name = "key", .kind = FIELD_STRING, AT(key_view, key), .doc = "The access key (AK)."},
    {.name = "name", .kind = FIELD_STRING, AT(key_view, name), .doc = "What it is for."},
    {.name = "userKey", .kind = FIELD_STRING, AT(key_view, user_key), .doc = "Whose it is."},
    {.name = "userName", .kind = FIELD_STRING, AT(key_view, user_name), .doc = "Whose it is."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(key_view, created_ms),
     .doc = "When it was made."},
    {.name = "secretKey",
     .kind = FIELD_STRING,
     AT(key_view, secret_key),
     .doc = "The secret key (SK), shown this once."},
};
const struct schema access_key_schema = ALL_BUT_THE_LAST("AccessKey", key_view, access_key_fields,
                                                         "An access key, without its secret.");

const struct schema created_access_key_schema =
    SCHEMA("CreatedAccessKey", key_view, access_key_fields, "A new access key.");

static const struct field secret_fields[] = {
    {.name = "key", .kind = FIELD_STRING, AT(secret_view, key), .doc = "Its name."},
    {.name = "name", .kind = FIELD_STRING, AT(secret_view, name), .doc = "Its name."},
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(secret_view, workspace_key),
     .doc = "The workspace whose jobs may refer to it."},
    {.name = "timeCreated",
     .kind = FIELD_TIME,
     AT(secret_view, created_ms),
     .doc = "When it was made."},
    {.name = "timeUpdated",
     .kind = FIELD_TIME,
     AT(secret_view, updated_ms),
     .doc = "When its value was last replaced."},
    {.name = "updatedBy",
     .kind = FIELD_STRING,
     AT(secret_view, updated_by),
     .doc = "Key of the user that did so."},
    {.name = "updatedByName",
     .kind = FIELD_STRING,
     AT(secret_view, updated_by_name),
     .doc = "Name of the user that did so."},
};
const struct schema secret_schema = SCHEMA("Secret", secret_view, secret_fields,
                                           "A secret, without its value, which never comes back.");

static const struct field audit_fields[] = {
    {.name = "key", .kind = FIELD_STRING, AT(audit_view, key), .doc = "Names the entry."},
    {.name = "time", .kind = FIELD_TIME, AT(audit_view, time_ms), .doc = "When it happened."},
    {.name = "outcome",
     .kind = FIELD_ENUM,
     AT(audit_view, outcome),
     NAMES(outcome_names),
     .doc = "DONE, or REFUSED: a credential that was not accepted."},
    {.name = "action",
     .kind = FIELD_STRING,
     AT(audit_view, action),
     .doc = "What was done, `job.create` say, or the kind of credential."},
    {.name = "resourceType",
     .kind = FIELD_ENUM,
     AT(audit_view, subject),
     NAMES(subject_names),
     .doc = "What it was done to; null of a credential."},
    {.name = "resourceKey",
     .kind = FIELD_STRING,
     AT(audit_view, resource_key),
     .doc = "Key of the job, run, campaign, cluster or workspace; null of accounts."},
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(audit_view, workspace_key),
     .doc = "Key of the workspace that it is in; null of accounts."},
    {.name = "target",
     .kind = FIELD_STRING,
     AT(audit_view, target),
     .doc = "Its name (of a run its job's), or what the credential claimed to be."},
    {.name = "userKey",
     .kind = FIELD_STRING,
     AT(audit_view, user_key),
     .doc = "Who did it; null: nobody known."},
    {.name = "userName", .kind = FIELD_STRING, AT(audit_view, user_name), .doc = "Who did it."},
    {.name = "requestId",
     .kind = FIELD_STRING,
     AT(audit_view, request_id),
     .doc = "opc-request-id of the request."},
    {.name = "address",
     .kind = FIELD_STRING,
     AT(audit_view, address),
     .doc = "The client's address."},
    {.name = "detail", .kind = FIELD_STRING, AT(audit_view, detail), .doc = "One plain sentence."},
};
const struct schema audit_schema = SCHEMA("AuditEntry", audit_view, audit_fields,
                                          "Somebody changed something, or was not let in.");

static const struct field session_fields[] = {
    {.name = "user",
     .kind = FIELD_OBJECT,
     AT(session_view, user),
     .object = &user_schema,
     .doc = "The user."},
    {.name = "role",
     .kind = FIELD_ENUM,
     AT(session_view, role),
     NAMES(role_names),
     .doc = "The role in the workspace `default`; null: none."},
    {.name = "csrfToken",
     .kind = FIELD_STRING,
     AT(session_view, csrf_token),
     .doc = "What writes with the cookie carry in x-reprise-csrf; null without a cookie."},
    {.name = "timeExpires",
     .kind = FIELD_TIME,
     AT(session_view, expires_ms),
     .doc = "When the session ends; null where the credential says nothing of it."},
};
const struct schema session_schema =
    SCHEMA("Session", session_view, session_fields, "Who is signed in.");

static const struct field code_fields[] = {
    {.name = "code",
     .kind = FIELD_STRING,
     AT(code_view, code),
     .doc = "The code: good once, for a sign-in as this user."},
    {.name = "path",
     .kind = FIELD_STRING,
     AT(code_view, path),
     .doc = "Path and fragment of the page that signs in with it."},
    {.name = "timeExpires",
     .kind = FIELD_TIME,
     AT(code_view, expires_ms),
     .doc = "Until when it is good."},
};
const struct schema code_schema = SCHEMA("SignInCode", code_view, code_fields, "A one-time code.");

static const struct field create_user_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_user, name),
     .min = 1,
     .max = ACCOUNT_NAME_MAX,
     .check = check_name,
     .doc = "Unique name."},
    {.name = "role",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     AT(create_user, role),
     NAMES(role_names),
     .doc = "What the user may do in the workspace."},
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(create_user, workspace_key),
     .doc = "The workspace that `role` is about; absent: `default`."},
    {.name = "password",
     .kind = FIELD_STRING,
     AT(create_user, password),
     .min = PASSWORD_MIN,
     .max = PASSWORD_MAX,
     .doc = "For POST /v3/auth/tokens; none when absent."},
};
const struct schema create_user_schema =
    SCHEMA("CreateUser", create_user, create_user_fields, "A new user.");

static const struct field update_user_fields[] = {
    {.name = "role",
     .kind = FIELD_ENUM,
     AT(update_user, role),
     NAMES(new_role_names),
     .doc = "What the user may do in the workspace."},
    {.name = "workspaceKey",
     .kind = FIELD_STRING,
     AT(update_user, workspace_key),
     .doc = "The workspace that `role` is about; absent: `default`."},
    {.name = "isDisabled",
     .kind = FIELD_BOOL,
     AT(update_user, is_disabled),
     .doc = "Whether none of the user's credentials is accepted."},
    {.name = "password",
     .kind = FIELD_STRING,
     AT(update_user, password),
     .min = PASSWORD_MIN,
     .max = PASSWORD_MAX,
     .doc = "The new password."},
};
const struct schema update_user_schema =
    SCHEMA("UpdateUser", update_user, update_user_fields, "What is absent stays as it is.");

static const struct field create_token_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_token, name),
     .min = 1,
     .max = ACCOUNT_LABEL_MAX,
     .doc = "What it is for."},
    {.name = "user",
     .kind = FIELD_STRING,
     AT(create_token, user),
     .min = 1,
     .max = 256,
     .doc = "Name or key of the user; the caller when absent."},
    {.name = "timeExpires",
     .kind = FIELD_TIME,
     AT(create_token, expires_ms),
     .doc = "Until when it is good; until it is revoked when absent."},
};
const struct schema create_token_schema =
    SCHEMA("CreateToken", create_token, create_token_fields, "A new token.");

static const struct field create_key_fields[] = {
    {.name = "publicKey",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_key, public_key),
     .min = 1,
     .max = ACCOUNT_PUBLIC_KEY_MAX,
     .doc = "RSA public key in PEM, 2048 to 8192 bits."},
    {.name = "name",
     .kind = FIELD_STRING,
     AT(create_key, name),
     .min = 1,
     .max = ACCOUNT_LABEL_MAX,
     .doc = "What it is for."},
    {.name = "user",
     .kind = FIELD_STRING,
     AT(create_key, user),
     .min = 1,
     .max = 256,
     .doc = "Name or key of the user; the caller when absent."},
};
const struct schema create_key_schema =
    SCHEMA("CreateKey", create_key, create_key_fields, "A public key to be registered.");

static const struct field create_access_key_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     AT(create_access_key, name),
     .min = 1,
     .max = ACCOUNT_LABEL_MAX,
     .doc = "What it is for."},
    {.name = "user",
     .kind = FIELD_STRING,
     AT(create_access_key, user),
     .min = 1,
     .max = 256,
     .doc = "Name or key of the user; the caller when absent."},
};
const struct schema create_access_key_schema =
    SCHEMA("CreateAccessKey", create_access_key, create_access_key_fields, "A new access key.");

static const struct field create_secret_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_secret, name),
     .min = 1,
     .max = ACCOUNT_NAME_MAX,
     .check = check_name,
     .doc = "Unique name."},
    {.name = "value",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(create_secret, value),
     .min = 1,
     .max = ACCOUNT_SECRET_MAX,
     .doc = "Its value; it never comes back."},
};
const struct schema create_secret_schema =
    SCHEMA("CreateSecret", create_secret, create_secret_fields, "A new secret.");

static const struct field replace_secret_fields[] = {
    {.name = "value",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(replace_secret, value),
     .min = 1,
     .max = ACCOUNT_SECRET_MAX,
     .doc = "Its value; it never comes back."},
};
const struct schema replace_secret_schema =
    SCHEMA("ReplaceSecret", replace_secret, replace_secret_fields, "A new value of a secret.");

static const struct field create_session_fields[] = {
    {.name = "code",
     .kind = FIELD_STRING,
     AT(create_session, code),
     .min = 1,
     .max = 128,
     .doc = "One-time code, as `serve` and `reprise sign-in` print it."},
    {.name = "token",
     .kind = FIELD_STRING,
     AT(create_session, token),
     .min = 1,
     .max = 512,
     .doc = "A token."},
    {.name = "isReplacing",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(create_session, is_replacing),
     .doc = "Whether a code of one user takes the place of the session of another, whose cookie "
            "comes with it; else that is 409."},
};
const struct schema create_session_schema = SCHEMA("CreateSession", create_session,
                                                   create_session_fields,
                                                   "A sign-in: exactly one of code and token.");
