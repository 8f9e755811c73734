/*
 * POST /v3/auth/tokens: Huawei IAM's password method, for our users that have a password
 * (reference dataarts-api §5). The token is in X-Subject-Token, good for 24 hours, and shown as
 * X-Auth-Token from then on.
 */
#include <stdio.h>
#include <string.h>

#include "api/accounts/accounts.h"
#include "api/accounts/views.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "base/timefmt.h"

enum { TOKEN_LIFE_MS = 24 * 3600 * 1000 };

/* ---- the request ---- */

struct iam_domain {
    const char *name;
};

struct iam_user {
    const char *name;
    const char *password;
    struct iam_domain *domain;
};

struct iam_password {
    struct iam_user *user;
};

struct iam_identity {
    struct field_list methods; /* of const char * */
    struct iam_password *password;
};

struct iam_project {
    const char *id;
    const char *name;
};

struct iam_scope {
    struct iam_project *project;
};

struct iam_auth {
    struct iam_identity *identity;
    struct iam_scope *scope;
};

struct iam_request {
    struct iam_auth *auth;
};

static const struct field domain_fields[] = {
    {.name = "name", .kind = FIELD_STRING, AT(iam_domain, name), .doc = "Any: there is one only."},
};
static const struct schema domain_schema =
    SCHEMA("IamDomain", iam_domain, domain_fields, "The account that the user belongs to.");

static const struct field user_fields[] = {
    {.name = "name",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(iam_user, name),
     .min = 1,
     .max = ACCOUNT_NAME_MAX,
     .doc = "Name of one of our users."},
    {.name = "password",
     .kind = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     AT(iam_user, password),
     .min = 1,
     .max = 256,
     .doc = "The user's password."},
    {.name = "domain",
     .kind = FIELD_OBJECT,
     AT(iam_user, domain),
     .object = &domain_schema,
     .doc = "The account that the user belongs to."},
};
static const struct schema user_schema_of_iam =
    SCHEMA("IamUser", iam_user, user_fields, "Who it is.");

static const struct field password_fields[] = {
    {.name = "user",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     AT(iam_password, user),
     .object = &user_schema_of_iam,
     .doc = "Who it is."},
};
static const struct schema password_schema =
    SCHEMA("IamPassword", iam_password, password_fields, "The password method.");

static const struct field identity_fields[] = {
    {.name = "methods",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(iam_identity, methods),
     .min = 1,
     .max = 1,
     .doc = "[\"password\"]: the only method."},
    {.name = "password",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     AT(iam_identity, password),
     .object = &password_schema,
     .doc = "The password method."},
};
static const struct schema identity_schema =
    SCHEMA("IamIdentity", iam_identity, identity_fields, "How it is shown who it is.");

static const struct field project_fields[] = {
    {.name = "id", .kind = FIELD_STRING, AT(iam_project, id), .doc = "Id of the project."},
    {.name = "name", .kind = FIELD_STRING, AT(iam_project, name), .doc = "Name of the project."},
};
static const struct schema project_schema =
    SCHEMA("IamProject", iam_project, project_fields, "The project.");

static const struct field scope_fields[] = {
    {.name = "project",
     .kind = FIELD_OBJECT,
     AT(iam_scope, project),
     .object = &project_schema,
     .doc = "The project."},
};
static const struct schema scope_schema =
    SCHEMA("IamScope", iam_scope, scope_fields, "What the token is for.");

static const struct field auth_fields[] = {
    {.name = "identity",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     AT(iam_auth, identity),
     .object = &identity_schema,
     .doc = "How it is shown who it is."},
    {.name = "scope",
     .kind = FIELD_OBJECT,
     AT(iam_auth, scope),
     .object = &scope_schema,
     .doc = "What the token is for; it is good for whatever the user may do."},
};
static const struct schema auth_schema =
    SCHEMA("IamAuth", iam_auth, auth_fields, "Identity and scope.");

static const struct field request_fields[] = {
    {.name = "auth",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     AT(iam_request, auth),
     .object = &auth_schema,
     .doc = "Identity and scope."},
};
const struct schema iam_request_schema =
    SCHEMA("IamTokenRequest", iam_request, request_fields, "A token for a password.");

enum err_code iam_parse(struct call *call)
{
    const struct iam_request *request = call->details;
    const struct field_list *methods = &request->auth->identity->methods;
    const char *const *names = methods->items;
    if (strcmp(names[0], "password") != 0)
        return err_set(&call->err, ERR_INVALID_PARAMETER,
                       "auth.identity.methods must be [\"password\"]");
    return ERR_OK;
}

/* ---- the answer ---- */

/* "2026-01-31T23:59:59.000000Z" */
static void add_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIMEFMT_TEXT];
    timefmt_rfc3339(ms, text);
    text[strlen(text) - 1] = '\0';
    buf_printf(out, ",\"%s\":\"%s000Z\"", name, text);
}

static void print_token(struct call *call, const struct iam_request *request,
                        const struct token_row *token)
{
    const struct iam_scope *scope = request->auth->scope;
    struct buf *out = &call->response->body;
    BUF_LIT(out, "{\"token\":{\"methods\":[\"password\"]");
    add_time(out, "issued_at", token->created_ms);
    add_time(out, "expires_at", token->expires_ms);
    BUF_LIT(out, ",\"user\":{\"id\":");
    buf_json_string(out, call->account.id);
    BUF_LIT(out, ",\"name\":");
    buf_json_string(out, call->account.name);
    BUF_LIT(out, ",\"domain\":{\"id\":");
    buf_json_string(out, call->api->config.tenancy);
    BUF_LIT(out, ",\"name\":\"reprise\"}}");
    if (scope && scope->project) {
        BUF_LIT(out, ",\"project\":{\"id\":");
        buf_json_string(out, scope->project->id);
        BUF_LIT(out, ",\"name\":");
        buf_json_string(out, scope->project->name);
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, ",\"catalog\":[],\"roles\":[]}}");
}

enum err_code iam_check_password(struct call *call)
{
    const struct iam_request *request = call->details;
    const struct iam_user *user = request->auth->identity->password->user;
    const struct api_backend *backend = call->backend;
    enum err_code code = backend->accounts.password(backend->context, user->name, user->password,
                                                    call->request->peer, &call->account,
                                                    &call->retry_after_ms, &call->err);
    if (code == ERR_NOT_AUTHENTICATED)
        return who_refused(call, "password", user->name);
    return code;
}

enum err_code iam_create_token(struct call *call)
{
    const struct iam_request *request = call->details;
    const struct api_backend *backend = call->backend;
    struct token_row token;
    struct row_batch rows;
    row_batch_init(&rows);
    const char *text = account_new_token(call, call->account.id, TOKEN_IAM, "POST /v3/auth/tokens",
                                         backend->now_ms(backend->context) + TOKEN_LIFE_MS, &rows,
                                         &token);
    enum err_code code = account_write(call, &rows, call->account.name, "A token for a password.");
    row_batch_release(&rows);
    if (code)
        return code;
    respond_json(call, 201);
    http_add_header(call->request, call->response, "x-subject-token", text);
    http_add_header(call->request, call->response, "cache-control", "no-store");
    print_token(call, request, &token);
    return ERR_OK;
}
