/*
 * Who may call what: every route of the table × every role. A route that has no row here fails, so
 * that nobody adds one without saying who may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/fake.h"

enum { NOBODY = -2, NO_ROLE = -1 };

/* Who may: 200 and more, or whatever the fake's rows make of it; who may not: 404. */
struct row {
    const char *operation;
    const char *path; /* below FAKE_BASE, or from the root with a slash in front */
    const char *body;
    int least;  /* NOBODY: without a credential too; NO_ROLE: any user, about themselves */
    int status; /* of those who may */
};

#define PLATFORM       "/20260430/aiDataPlatforms/" FAKE_PLATFORM
#define ACCOUNTS       "/reprise/v1"
#define WORKSPACE      PLATFORM "/workspaces/" FAKE_WORKSPACE
#define CLUSTER        "clusters/" FAKE_JOB
#define WORKSPACE_BODY "{\"displayName\":\"w\"}"
#define CLUSTER_BODY \
    "{\"displayName\":\"c\",\"type\":\"USER\",\"driverConfig\":{},\"workerConfig\":{},\"clusterRuntimeConfig\":{}}"
#define JOB        "jobs/" FAKE_JOB
#define RUN        "jobRuns/" FAKE_RUN
#define CAMPAIGN   "rerunCampaigns/01900000-0000-7000-8000-000000000200"
#define TASK_RUN   "taskRuns/01900000-0000-7000-8000-000000000100"
#define JOB_BODY   "{\"name\":\"j\",\"path\":\"p\"}"
#define OTHER_NAME "\"name\":\"x\""
#define IAM_BODY                                                                            \
    "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"name\":" \
    "\"ada\",\"password\":\"right password\"}}}}}"

#define DATAARTS_V1     "/v1/" FAKE_PROJECT "/jobs"
#define DATAARTS_V2     "/v2/" FAKE_PROJECT "/factory/"
#define DATAARTS_JOB    DATAARTS_V1 "/nightly"
#define DATAARTS_NAMED  DATAARTS_V2 "jobs/nightly/instances"
#define DATAARTS_HEADER "workspace: 0190000000007000800000000000000a"
#define DATAARTS_BODY   "{\"name\":\"j\",\"nodes\":[{\"name\":\"a\",\"type\":\"Dummy\"}]}"
#define RETRY_BODY                                                                   \
    "{\"retry_location\":\"errorNode\",\"retry_task_version\":\"original_version\"," \
    "\"task_retrys\":[{\"job_id\":0,\"plan_time\":1,\"submit_time\":1}]}"
#define SUPPLEMENT_BODY                                                                           \
    "{\"name\":\"s\",\"job_name\":\"x\",\"start_date\":\"2026-01-05T00:00:00 +00\",\"end_date\":" \
    "\"2026-01-06T00:00:00 +00\",\"parallel\":1}"

static const struct row rows[] = {
    {"getHealth", "/healthz", NULL, NOBODY, 200},
    {"getReadiness", "/readyz", NULL, NOBODY, 200},
    {"getOpenApi", "/openapi.json", NULL, NOBODY, 200},
    {"getMetrics", "/metrics", NULL, ROLE_VIEWER, 200},

    /* of any user: what its workspaces let it see */
    {"getPlace", "/reprise/v1", NULL, NO_ROLE, 200},
    {"listAsyncOperations", PLATFORM "/asyncOperations", NULL, NO_ROLE, 200},
    {"getAsyncOperation", PLATFORM "/asyncOperations/" FAKE_RUN, NULL, NO_ROLE, 404},

    {"listWorkspaces", PLATFORM "/workspaces", NULL, NO_ROLE, 200},
    /* the fake makes none */
    {"createWorkspace", PLATFORM "/workspaces", WORKSPACE_BODY, ROLE_ADMIN, 503},
    {"getWorkspace", WORKSPACE, NULL, ROLE_VIEWER, 200},
    {"updateWorkspace", WORKSPACE, WORKSPACE_BODY, ROLE_ADMIN, 200},
    {"deleteWorkspace", WORKSPACE, NULL, ROLE_ADMIN, 409},
    {"listClusters", "clusters", NULL, ROLE_VIEWER, 200},
    {"createCluster", "clusters", CLUSTER_BODY, ROLE_ADMIN, 201},
    {"getCluster", CLUSTER, NULL, ROLE_VIEWER, 404},
    {"updateCluster", CLUSTER, CLUSTER_BODY, ROLE_ADMIN, 404},
    {"deleteCluster", CLUSTER, NULL, ROLE_ADMIN, 404},
    {"startCluster", CLUSTER "/actions/start", "{}", ROLE_OPERATOR, 404},
    {"stopCluster", CLUSTER "/actions/stop", "{}", ROLE_OPERATOR, 404},
    {"restartCluster", CLUSTER "/actions/restart", "{}", ROLE_OPERATOR, 404},

    {"createJob", "jobs", JOB_BODY, ROLE_ADMIN, 201},
    {"listJobs", "jobs", NULL, ROLE_VIEWER, 200},
    {"getJob", JOB, NULL, ROLE_VIEWER, 200},
    {"listSkippedTimes", JOB "/skippedTimes", NULL, ROLE_VIEWER, 200},
    {"getJobGrid", JOB "/grid", NULL, ROLE_VIEWER, 200},
    {"updateJob", JOB, JOB_BODY, ROLE_ADMIN, 202},
    {"deleteJob", JOB, NULL, ROLE_ADMIN, 204},
    {"cancelJobRuns", JOB "/actions/cancelJobRuns", NULL, ROLE_OPERATOR, 202},
    {"listJobPermissions", JOB "/permissions", NULL, ROLE_VIEWER, 200},
    {"manageJobPermission", JOB "/actions/managePermission",
     "{\"assignJobPermissionDetails\":{\"assignees\":{\"type\":\"ROLE\",\"targets\":[\"VIEWER\"]},"
     "\"permissions\":[\"USE\"]}}",
     ROLE_ADMIN, 200},
    {"listNextScheduleTimes",
     "schedules/next?quartzCronExpression=0%200%200%20*%20*%20?&timezoneId=UTC", NULL, ROLE_VIEWER,
     200},
    {"validateJob", "jobs/actions/validate", JOB_BODY, ROLE_VIEWER, 200},
    {"simulateJob", "jobs/actions/simulate", "{\"definition\":" JOB_BODY "}", ROLE_OPERATOR, 503},
    {"listJobVersions", JOB "/versions", NULL, ROLE_VIEWER, 200},
    {"getJobVersion", JOB "/versions/1", NULL, ROLE_VIEWER, 200},
    {"listRerunCampaigns", "rerunCampaigns", NULL, ROLE_VIEWER, 200},
    {"createRerunCampaign", "rerunCampaigns",
     "{\"jobKey\":\"" FAKE_JOB "\",\"beginTime\":\"2026-01-01T00:00:00Z\",\"endTime\":"
     "\"2026-01-01T00:00:00Z\"}",
     ROLE_OPERATOR, 409},
    {"getRerunCampaign", CAMPAIGN, NULL, ROLE_VIEWER, 200},
    {"planRerunCampaign", "rerunCampaigns/actions/plan",
     "{\"jobKey\":\"" FAKE_JOB "\",\"beginTime\":\"2026-01-01T00:00:00Z\",\"endTime\":"
     "\"2026-01-01T00:00:00Z\"}",
     ROLE_VIEWER, 409},
    {"pauseRerunCampaign", CAMPAIGN "/actions/pause", "{}", ROLE_OPERATOR, 200},
    {"resumeRerunCampaign", CAMPAIGN "/actions/resume", "{}", ROLE_OPERATOR, 200},
    {"cancelRerunCampaign", CAMPAIGN "/actions/cancel", "{}", ROLE_OPERATOR, 200},
    {"createJobRun", "jobRuns", "{\"jobKey\":\"" FAKE_JOB "\"}", ROLE_OPERATOR, 201},
    {"listJobRuns", "jobRuns", NULL, ROLE_VIEWER, 200},
    {"getJobRun", RUN, NULL, ROLE_VIEWER, 200},
    {"deleteJobRun", RUN, NULL, ROLE_OPERATOR, 204},
    {"cancelJobRun", RUN "/actions/cancel", NULL, ROLE_OPERATOR, 200},
    {"cancelJobRunTasks", RUN "/actions/cancelTasks", "{\"taskKeys\":[\"a\"]}", ROLE_OPERATOR, 200},
    {"repairJobRun", RUN "/actions/repair", "{}", ROLE_OPERATOR, 201},
    {"planRepair", RUN "/actions/planRepair", "{}", ROLE_VIEWER, 409},
    {"listRepairHistory", RUN "/repairHistory", NULL, ROLE_VIEWER, 200},
    {"diffJobRun", RUN "/diff", NULL, ROLE_VIEWER, 200},
    {"explainJobRun", RUN "/explanation", NULL, ROLE_VIEWER, 200},
    {"listJobRunEvents", RUN "/events", NULL, ROLE_VIEWER, 200},
    {"listEvents", "events", NULL, ROLE_VIEWER, 200},
    {"listPlannedRuns", "plannedRuns?jobRunKey=" FAKE_RUN, NULL, ROLE_VIEWER, 200},
    {"listRecentJobs", "recentJobs", NULL, ROLE_VIEWER, 200},
    {"listRecentJobRuns", "recentJobRuns?jobKey=" FAKE_JOB, NULL, ROLE_VIEWER, 200},
    {"listTaskRuns", "taskRuns?jobRunKey=" FAKE_RUN, NULL, ROLE_VIEWER, 200},
    {"getTaskRun", TASK_RUN, NULL, ROLE_VIEWER, 404},
    {"listTaskRunRetries", TASK_RUN "/retries", NULL, ROLE_VIEWER, 404},
    {"fetchOutput", TASK_RUN "/actions/fetchOutput", "{}", ROLE_VIEWER, 404},
    {"exportTaskRunOutput", TASK_RUN "/outputs/none/actions/export", "{}", ROLE_VIEWER, 404},
    {"getTaskRunLogs", TASK_RUN "/logs", NULL, ROLE_VIEWER, 404},

    {"listUsers", ACCOUNTS "/users", NULL, ROLE_ADMIN, 200},
    {"createUser", ACCOUNTS "/users", "{" OTHER_NAME ",\"role\":\"VIEWER\"}", ROLE_ADMIN, 201},
    {"getUser", ACCOUNTS "/users/ada", NULL, NO_ROLE, 200},
    {"updateUser", ACCOUNTS "/users/ada", "{\"isDisabled\":false}", ROLE_ADMIN, 200},
    {"listTokens", ACCOUNTS "/tokens", NULL, NO_ROLE, 200},
    {"createToken", ACCOUNTS "/tokens", "{" OTHER_NAME "}", NO_ROLE, 201},
    {"revokeToken", ACCOUNTS "/tokens/abababababababababababababababab", NULL, NO_ROLE, 204},
    {"listKeys", ACCOUNTS "/keys", NULL, NO_ROLE, 200},
    {"addKey", ACCOUNTS "/keys", "{\"publicKey\":\"none\"}", NO_ROLE, 400},
    {"removeKey", ACCOUNTS "/keys/ocid1.tenancy.oc1..t%2Focid1.user.oc1..u%2Faa:bb", NULL, NO_ROLE,
     204},
    {"listAccessKeys", ACCOUNTS "/accessKeys", NULL, NO_ROLE, 200},
    {"createAccessKey", ACCOUNTS "/accessKeys", "{}", NO_ROLE, 201},
    {"removeAccessKey", ACCOUNTS "/accessKeys/" FAKE_ACCESS, NULL, NO_ROLE, 204},
    {"listSecrets", ACCOUNTS "/secrets", NULL, ROLE_ADMIN, 200},
    {"createSecret", ACCOUNTS "/secrets", "{" OTHER_NAME ",\"value\":\"v\"}", ROLE_ADMIN, 201},
    {"replaceSecret", ACCOUNTS "/secrets/git", "{\"value\":\"v\"}", ROLE_ADMIN, 200},
    {"removeSecret", ACCOUNTS "/secrets/git", NULL, ROLE_ADMIN, 204},
    {"listAudit", ACCOUNTS "/audit", NULL, ROLE_ADMIN, 200},
    {"getSession", ACCOUNTS "/session", NULL, NO_ROLE, 200},
    {"createSession", ACCOUNTS "/session", "{\"code\":\"one-time\"}", NOBODY, 201},
    {"endSession", ACCOUNTS "/session", NULL, NO_ROLE, 409},
    {"createSignInCode", ACCOUNTS "/session/codes", NULL, NO_ROLE, 201},
    /* 400 of those who may: what the fake has cannot be rerun, stopped or started */
    {"createDataArtsJob", DATAARTS_V1, DATAARTS_BODY, ROLE_ADMIN, 204},
    {"listDataArtsJobs", DATAARTS_V1, NULL, ROLE_VIEWER, 200},
    {"listDataArtsInstances", DATAARTS_V1 "/instances/detail", NULL, ROLE_VIEWER, 200},
    {"getDataArtsJob", DATAARTS_JOB, NULL, ROLE_VIEWER, 200},
    {"updateDataArtsJob", DATAARTS_JOB, DATAARTS_BODY, ROLE_ADMIN, 400}, /* of the other dialect */
    {"deleteDataArtsJob", DATAARTS_JOB, NULL, ROLE_ADMIN, 204},
    {"startDataArtsJob", DATAARTS_JOB "/start", "{}", ROLE_ADMIN, 400},
    {"stopDataArtsJob", DATAARTS_JOB "/stop", "{}", ROLE_ADMIN, 204},
    {"runDataArtsJob", DATAARTS_JOB "/run-immediate", "{}", ROLE_OPERATOR, 200},
    {"getDataArtsInstance", DATAARTS_JOB "/instances/99", NULL, ROLE_VIEWER, 400},
    {"stopDataArtsInstance", DATAARTS_JOB "/instances/99/stop", "{}", ROLE_OPERATOR, 400},
    {"restartDataArtsInstance", DATAARTS_JOB "/instances/99/restart", "{}", ROLE_OPERATOR, 400},
    {"createDataArtsJobV2", DATAARTS_V2 "jobs", DATAARTS_BODY, ROLE_ADMIN, 204},
    {"listDataArtsJobsV2", DATAARTS_V2 "jobs", NULL, ROLE_VIEWER, 200},
    {"listDataArtsInstancesV2", DATAARTS_NAMED "/detail", NULL, ROLE_VIEWER, 200},
    {"retryDataArtsInstances", DATAARTS_NAMED "/retry", RETRY_BODY, ROLE_OPERATOR, 400},
    {"getDataArtsInstanceV2", DATAARTS_NAMED "/99", NULL, ROLE_VIEWER, 400},
    {"createDataArtsSupplement", DATAARTS_V2 "supplement-data", SUPPLEMENT_BODY, ROLE_OPERATOR,
     400},
    {"listDataArtsSupplements", DATAARTS_V2 "supplement-data", NULL, ROLE_VIEWER, 200},
    {"stopDataArtsSupplement", DATAARTS_V2 "supplement-data/s/stop", "{}", ROLE_OPERATOR, 400},

    {"createIamToken", "/v3/auth/tokens", IAM_BODY, NOBODY, 201},
};

static const struct row *row_of(const char *operation)
{
    const struct row *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].operation, operation) != 0)
            continue;
        if (found)
            fail_msg("%s has two rows", operation);
        found = &rows[i];
    }
    if (!found)
        fail_msg("who may call %s? Add a row.", operation);
    return found;
}

static int status_of(struct fake *fake, const struct route *route, const struct row *row,
                     const char *headers, char *message, size_t size)
{
    char target[2048];
    snprintf(target, sizeof target, "%s%s%s", row->path[0] == '/' ? "" : FAKE_BASE,
             row->path[0] == '/' ? "" : "/", row->path);
    char lines[512];
    if (scope_is_dataarts(route->scope)) {
        snprintf(lines, sizeof lines, "%s%s" DATAARTS_HEADER, headers ? headers : "",
                 headers ? "\n" : "");
        headers = lines;
    }
    struct ask *asked = ask(fake, route->method, target, headers, row->body);
    if (asked->verdict == HTTP_WAIT)
        ask_again(asked);
    const char *said = scope_is_dataarts(route->scope) ? "error_msg" : "message";
    const char *text = asked->json ? json_string_value(json_object_get(asked->json, said)) : NULL;
    snprintf(message, size, "%s", text ? text : "");
    int status = asked->response.status;
    ask_free(asked);
    return status;
}

static void check(struct fake *fake, const struct route *route, const struct row *row, int role)
{
    char message[512];
    bool may = role >= row->least;
    fake->role = role;
    fake->result.key =
        fake_key(strstr(row->operation, "JobRun") || strcmp(row->operation, "runDataArtsJob") == 0
                     ? FAKE_RUN
                     : FAKE_JOB);
    int status = status_of(fake, route, row, NULL, message, sizeof message);
    bool was_refused = strstr(message, "is not allowed to this user") ||
                       strstr(message, "Workspace not found or not allowed") ||
                       strstr(message, "Workspace does not exists");
    int refusal = scope_is_dataarts(route->scope) ? 400 : 404;
    if (may ? status != row->status || was_refused : status != refusal || !was_refused)
        fail_msg("%s as role %d: %d %s", row->operation, role, status, message);
}

static void every_route_is_for_those_it_is_for(void **state)
{
    struct fake *fake = *state;
    char message[512];
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *route = route_at(i);
        const struct row *row = row_of(route->operation);
        if ((route->command || route->change) != (route->audit.action != NULL))
            fail_msg("%s: what changes something is written down, what does not is not",
                     row->operation);
        for (int role = NO_ROLE; role <= ROLE_ADMIN; role++)
            check(fake, route, row, role);
        const char *headers = row->body ? "-\ncontent-type: application/json" : "-";
        int status = status_of(fake, route, row, headers, message, sizeof message);
        if (status != (row->least == NOBODY ? row->status : 401))
            fail_msg("%s without a credential: %d %s", row->operation, status, message);
    }
    assert_int_equal(route_count(), ARRAY_LEN(rows));
}

/* A role that is too low and a permission of the job: what it opens, and what it does not. */
static void a_permission_opens_what_it_is_for(void **state)
{
    static const struct {
        const char *operation;
        int least; /* enum job_privilege; PRIVILEGE_COUNT: none */
    } given[] = {
        {"createJobRun", PRIVILEGE_USE},          {"cancelJobRun", PRIVILEGE_USE},
        {"cancelJobRunTasks", PRIVILEGE_USE},     {"repairJobRun", PRIVILEGE_USE},
        {"deleteJobRun", PRIVILEGE_USE},          {"cancelJobRuns", PRIVILEGE_USE},
        {"runDataArtsJob", PRIVILEGE_USE},        {"updateJob", PRIVILEGE_MANAGE},
        {"deleteJob", PRIVILEGE_MANAGE},          {"updateDataArtsJob", PRIVILEGE_MANAGE},
        {"deleteDataArtsJob", PRIVILEGE_MANAGE},  {"stopDataArtsJob", PRIVILEGE_MANAGE},
        {"manageJobPermission", PRIVILEGE_ADMIN}, {"createJob", PRIVILEGE_COUNT},
        {"createCluster", PRIVILEGE_COUNT},       {"createSecret", PRIVILEGE_COUNT},
        {"pauseRerunCampaign", PRIVILEGE_COUNT},
    };
    struct fake *fake = *state;
    for (size_t i = 0; i < route_count() * PRIVILEGE_COUNT; i++) {
        const struct route *route = route_at(i / PRIVILEGE_COUNT);
        int privilege = (int)(i % PRIVILEGE_COUNT);
        for (size_t k = 0; k < ARRAY_LEN(given); k++) {
            if (strcmp(route->operation, given[k].operation) != 0)
                continue;
            struct row row = *row_of(route->operation);
            row.least = privilege >= given[k].least ? ROLE_VIEWER : ROLE_ADMIN;
            fake->permission = (struct job_permission_row){
                .grantee_type = GRANTEE_USER, .grantee = FAKE_USER, .privileges = 1 << privilege};
            check(fake, route, &row, ROLE_VIEWER);
            row.least = ROLE_ADMIN;
            fake->permission.grantee = "ocid1.user.of.another";
            check(fake, route, &row, ROLE_VIEWER);
            fake->permission.grantee_type = GRANTEE_ROLE;
            fake->permission.grantee = "OPERATOR";
            check(fake, route, &row, ROLE_VIEWER);
            fake->permission.grantee = "VIEWER";
            row.least = privilege >= given[k].least ? ROLE_VIEWER : ROLE_ADMIN;
            check(fake, route, &row, ROLE_VIEWER);
            row.least = ROLE_VIEWER; /* who has no role in the workspace is not asked for one */
            check(fake, route, &row, NO_ROLE);
        }
    }
}

/* What a role is given, those above it have too. */
static void what_is_given_to_a_role_is_given_to_higher_ones(void **state)
{
    struct fake *fake = *state;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *route = route_at(i);
        struct row row = *row_of(route->operation);
        if (strcmp(row.operation, "updateJob") != 0 &&
            strcmp(row.operation, "updateDataArtsJob") != 0)
            continue;
        fake->permission = (struct job_permission_row){.grantee_type = GRANTEE_ROLE,
                                                       .privileges = 1 << PRIVILEGE_MANAGE};
        for (int role = ROLE_VIEWER; role <= ROLE_OPERATOR; role++)
            for (int given = ROLE_VIEWER; given <= ROLE_ADMIN; given++) {
                fake->permission.grantee = grant_roles[given];
                row.least = role >= given ? role : ROLE_ADMIN;
                check(fake, route, &row, role);
            }
    }
}

/* A store that cannot be read says nothing of what was given. */
static void a_permission_that_cannot_be_read_is_no_refusal(void **state)
{
    struct fake *fake = *state;
    char message[512];
    fake->role = ROLE_VIEWER;
    fake->reader_fails = true;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *route = route_at(i);
        const struct row *row = row_of(route->operation);
        if (route->grant.place == GRANT_NOWHERE)
            continue;
        int status = status_of(fake, route, row, NULL, message, sizeof message);
        if (status != 503)
            fail_msg("%s: %d %s", row->operation, status, message);
    }
}

/* Nor of the role: a resource that is there is not told to be gone. */
static void a_role_that_cannot_be_read_is_no_refusal(void **state)
{
    struct fake *fake = *state;
    char message[512];
    fake->roles_fail = true;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *route = route_at(i);
        const struct row *row = row_of(route->operation);
        if (row->least == NOBODY)
            continue;
        int status = status_of(fake, route, row, NULL, message, sizeof message);
        if (status != 503)
            fail_msg("%s: %d %s", row->operation, status, message);
    }
    assert_int_equal(fake->writes, 0);
}

/* Who is shut out while waiting for another's change does not make theirs any more: two ADMINs cannot disable each
 * other, nor a revoked token make itself another one. */
static void what_lets_a_change_in_must_be_so_when_it_is_made(void **state)
{
    struct fake *fake = *state;
    char message[512];
    int seen = 0;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *route = route_at(i);
        const struct row *row = row_of(route->operation);
        if (!route->change || row->least == NOBODY)
            continue;
        fake->is_revoked = true;
        fake->role = ROLE_ADMIN;
        int status = status_of(fake, route, row, NULL, message, sizeof message);
        if (status != 401)
            fail_msg("%s, revoked meanwhile: %d %s", row->operation, status, message);
        fake->is_revoked = false;
        if (row->least < ROLE_VIEWER || route->scope == SCOPE_PLATFORM)
            continue; /* those are asked for a role only where the change is made */
        fake->role = row->least;
        fake->role_falls = true;
        status = status_of(fake, route, row, NULL, message, sizeof message);
        if (status != 404)
            fail_msg("%s, role lost meanwhile: %d %s", row->operation, status, message);
        fake->role_falls = false;
        seen++;
    }
    assert_true(seen > 10);
    assert_int_equal(fake->writes, 0);
}

static void what_is_others_is_for_admins(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *method;
        const char *path;
        const char *body;
    } calls[] = {
        {"GET", ACCOUNTS "/users/eva", NULL},
        {"GET", ACCOUNTS "/tokens?user=eva", NULL},
        {"POST", ACCOUNTS "/tokens", "{\"name\":\"x\",\"user\":\"eva\"}"},
        {"GET", ACCOUNTS "/keys?user=eva", NULL},
        {"POST", ACCOUNTS "/accessKeys", "{\"user\":\"eva\"}"},
        {"DELETE", ACCOUNTS "/keys/another", NULL},
        {"DELETE", ACCOUNTS "/accessKeys/ANOTHER", NULL},
        {"DELETE", ACCOUNTS "/tokens/00", NULL},
    };
    fake->role = ROLE_OPERATOR;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        expect_error(fake, calls[i].method, calls[i].path, NULL, calls[i].body, 404,
                     "NotAuthorizedOrNotFound", "not found or not allowed");
    assert_int_equal(fake->writes, 0);
}

/* ---- credentials ---- */

static void cookies_read_and_write_with_their_token(void **state)
{
    struct fake *fake = *state;
    char cookie[COOKIE_NAME_TEXT], headers[512], csrf[CSRF_TEXT];
    uint8_t hash[SHA256_BYTES] = {0};
    csrf_token(fake->api, hash, csrf);
    snprintf(headers, sizeof headers, "-\ncookie: other=1; %s=" FAKE_COOKIE "; more=2",
             cookie_name(fake->api, cookie));
    struct ask *asked = ask(fake, "GET", ACCOUNTS "/session", headers, NULL);
    assert_int_equal(asked->response.status, 200);
    assert_string_equal(text_at(asked->json, "csrfToken"), csrf);
    ask_free(asked);
    expect_error(fake, "POST", ACCOUNTS "/session/codes", headers, NULL, 401, "NotAuthenticated",
                 "x-reprise-csrf");
    size_t len = strlen(headers);
    snprintf(headers + len, sizeof headers - len, "\nx-reprise-csrf: wrong");
    expect_error(fake, "POST", ACCOUNTS "/session/codes", headers, NULL, 401, "NotAuthenticated",
                 "x-reprise-csrf");
    snprintf(headers, sizeof headers, "-\ncookie: %s=" FAKE_COOKIE "\nx-reprise-csrf: %s", cookie,
             csrf);
    asked = ask(fake, "POST", ACCOUNTS "/session/codes", headers, NULL);
    assert_int_equal(asked->response.status, 201);
    ask_free(asked);
    /* the one is not taken for the other */
    expect_error(fake, "GET", ACCOUNTS "/session", "-\nauthorization: Bearer " FAKE_COOKIE, NULL,
                 401, "NotAuthenticated", "unknown");
    snprintf(headers, sizeof headers, "-\ncookie: %s=" FAKE_TOKEN, cookie);
    expect_error(fake, "GET", ACCOUNTS "/session", headers, NULL, 401, "NotAuthenticated",
                 "sign in again");
}

static void a_new_session_has_a_cookie_for_the_browser_alone(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = ask(fake, "POST", ACCOUNTS "/session", "-\ncontent-type: application/json",
                            "{\"token\":\"" FAKE_TOKEN "\"}");
    assert_int_equal(asked->response.status, 201);
    const char *cookie = ask_header(asked, "set-cookie");
    assert_non_null(strstr(cookie, "; HttpOnly; SameSite=Strict"));
    assert_non_null(strstr(cookie, "; Path=/; Max-Age=3600"));
    assert_string_equal(ask_header(asked, "cache-control"), "no-store");
    assert_null(strstr(asked->response.body.data, "rpr_"));
    ask_free(asked);
    expect_error(fake, "POST", ACCOUNTS "/session", "-\ncontent-type: application/json", "{}", 400,
                 "InvalidParameter", "exactly one of code and token");
    expect_error(fake, "POST", ACCOUNTS "/session", "-\ncontent-type: application/json",
                 "{\"code\":\"other\"}", 401, "NotAuthenticated", "the code is unknown");
    assert_string_equal(fake->refused.scheme, "code");
}

#define SDK_HEADERS(signature)                                                    \
    "-\nhost: service.endpoint.myhuaweicloud.com\nx-sdk-date: 20200608T023900Z\n" \
    "authorization: SDK-HMAC-SHA256 Access=" FAKE_ACCESS                          \
    ", SignedHeaders=host;x-sdk-date, Signature=" signature

static void refused_signatures_are_told_to_the_guard(void **state)
{
    struct fake *fake = *state;
    fake->now_ms = 1591583940000; /* 2020-06-08T02:39:00Z */
    /* the published signature is that of another path */
    expect_error(fake, "GET", ACCOUNTS "/session",
                 SDK_HEADERS("cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"),
                 NULL, 401, "NotAuthenticated", "verify aksk signature fail");
    assert_int_equal(fake->refusals, 1);
    assert_string_equal(fake->refused.scheme, "SDK-HMAC-SHA256");
    assert_string_equal(fake->refused.claimed, FAKE_ACCESS);
    assert_string_equal(fake->refused.address, "127.0.0.1");
    expect_error(fake, "GET", ACCOUNTS "/session",
                 "-\nauthorization: Signature version=\"1\",keyId=\"a/b/c\",algorithm="
                 "\"rsa-sha256\",headers=\"(request-target) host date\",signature=\"AAAA\"",
                 NULL, 401, "NotAuthenticated", "keyId is not known");
    assert_string_equal(fake->refused.scheme, "Signature");
    assert_string_equal(fake->refused.claimed, "a/b/c");
    /* no credential at all is nobody's failure */
    expect_error(fake, "GET", ACCOUNTS "/session", "-", NULL, 401, "NotAuthenticated", "required");
    assert_int_equal(fake->refusals, 2);
}

/* It is neither good nor bad: nobody's address or name is held off for it. */
static void a_credential_that_cannot_be_looked_up_is_not_refused(void **state)
{
    struct fake *fake = *state;
    char cookie[COOKIE_NAME_TEXT], by_cookie[128];
    snprintf(by_cookie, sizeof by_cookie, "-\ncookie: %s=" FAKE_COOKIE,
             cookie_name(fake->api, cookie));
    const char *const headers[] = {
        "-\nauthorization: Bearer " FAKE_TOKEN,
        "-\nauthorization: Bearer nobody",
        "-\nx-auth-token: " FAKE_TOKEN,
        by_cookie,
        SDK_HEADERS("09f9e4ec8d9b795e0e0148738f6416ff05ebc29bbb466da882851bd4e25be95c"),
        "-\nauthorization: Signature version=\"1\",keyId=\"a/b/c\",algorithm=\"rsa-sha256\","
        "headers=\"(request-target) host date\",signature=\"AAAA\"",
    };
    static const char *const signs_in[] = {"{\"code\":\"one-time\"}",
                                           "{\"token\":\"" FAKE_TOKEN "\"}"};
    fake->now_ms = 1591583940000;
    fake->accounts_fail = true;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct ask *asked = ask(fake, "GET", FAKE_BASE "/jobs", headers[i], NULL);
        assert_int_equal(asked->response.status, 503);
        assert_string_equal(text_at(asked->json, "code"), "ServiceUnavailable");
        assert_string_equal(ask_header(asked, "retry-after"), "1");
        ask_free(asked);
        asked = ask(fake, "GET", DATAARTS_V1, headers[i], NULL);
        assert_int_equal(asked->response.status, 503);
        assert_string_equal(text_at(asked->json, "error_code"), "APIGW.0601");
        assert_string_equal(ask_header(asked, "retry-after"), "1");
        ask_free(asked);
    }
    for (size_t i = 0; i < ARRAY_LEN(signs_in); i++)
        expect_error(fake, "POST", ACCOUNTS "/session", "-\ncontent-type: application/json",
                     signs_in[i], 503, "ServiceUnavailable", "cannot be read");
    struct ask *asked =
        ask(fake, "POST", "/v3/auth/tokens", "-\ncontent-type: application/json", IAM_BODY);
    assert_int_equal(asked->response.status, 503);
    assert_int_equal(int_at(asked->json, "error.code"), 503);
    ask_free(asked);
    assert_int_equal(fake->refusals, 0);
    assert_int_equal(fake->writes, 0);
}

static void a_good_signature_is_let_in(void **state)
{
    struct fake *fake = *state;
    fake->now_ms = 1591583940000;
    /* Of GET /reprise/v1/session/ with the secret of the fake, computed apart from this code. */
    struct ask *asked =
        ask(fake, "GET", ACCOUNTS "/session",
            SDK_HEADERS("09f9e4ec8d9b795e0e0148738f6416ff05ebc29bbb466da882851bd4e25be95c"), NULL);
    assert_int_equal(asked->response.status, 200);
    assert_string_equal(text_at(asked->json, "user.name"), "ada");
    ask_free(asked);
}

static void too_much_is_429_with_when(void **state)
{
    struct fake *fake = *state;
    fake->refused_wait_ms = 4100;
    struct ask *asked = ask(fake, "GET", "/nowhere", "-\nauthorization: Bearer nobody", NULL);
    assert_int_equal(asked->response.status, 429);
    assert_string_equal(text_at(asked->json, "code"), "TooManyRequests");
    assert_string_equal(ask_header(asked, "retry-after"), "5");
    assert_string_equal(ask_header(asked, "opc-request-id"), fake->refused.request_id);
    ask_free(asked);
    fake->admit_wait_ms = 20;
    asked = ask(fake, "GET", ACCOUNTS "/session", NULL, NULL);
    assert_int_equal(asked->response.status, 429);
    assert_string_equal(ask_header(asked, "retry-after"), "1");
    ask_free(asked);
    fake->password_wait_ms = 9000;
    asked = ask(fake, "POST", "/v3/auth/tokens", "-\ncontent-type: application/json", IAM_BODY);
    assert_int_equal(asked->response.status, 429);
    assert_string_equal(ask_header(asked, "retry-after"), "9");
    assert_int_equal(int_at(asked->json, "error.code"), 429);
    ask_free(asked);
}

static void bad_details_are_named(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *path;
        const char *body;
        const char *code;
        const char *part;
    } bad[] = {
        {"/users", "{\"role\":\"VIEWER\"}", "MissingParameter", "name is required"},
        {"/users", "{\"name\":\"x\"}", "MissingParameter", "role is required"},
        {"/users", "{\"name\":\"x\",\"role\":\"BOSS\"}", "InvalidParameter", "role must be one of"},
        {"/users", "{\"name\":\"a b\",\"role\":\"ADMIN\"}", "InvalidParameter", "name must begin"},
        {"/users", "{\"name\":\"ocid1.user\",\"role\":\"ADMIN\"}", "InvalidParameter", "ocid1."},
        {"/users", "{\"name\":\"x\",\"role\":\"ADMIN\",\"password\":\"short\"}", "InvalidParameter",
         "password must be 10 to 256"},
        {"/users", "{\"name\":\"ada\",\"role\":\"ADMIN\"}", "IncorrectState", "user ada already"},
        {"/tokens", "{\"name\":\"x\",\"timeExpires\":\"2001-01-01T00:00:00Z\"}", "InvalidParameter",
         "timeExpires must be in the future"},
        {"/keys", "{\"publicKey\":\"-----BEGIN PRIVATE KEY-----\"}", "InvalidParameter",
         "publicKey must be a public key"},
        {"/secrets", "{\"name\":\"git\",\"value\":\"v\"}", "IncorrectState", "secret git already"},
        {"/secrets", "{\"name\":\"x\"}", "MissingParameter", "value is required"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char path[128];
        snprintf(path, sizeof path, ACCOUNTS "%s", bad[i].path);
        int status = strcmp(bad[i].code, "IncorrectState") == 0 ? 409 : 400;
        expect_error(fake, "POST", path, NULL, bad[i].body, status, bad[i].code, bad[i].part);
    }
    expect_error(fake, "PUT", ACCOUNTS "/users/ada", NULL, "{\"isDisabled\":true}", 409,
                 "IncorrectState", "nobody can disable themselves");
    expect_error(fake, "PUT", ACCOUNTS "/users/ada", NULL, "{\"role\":\"VIEWER\"}", 409,
                 "IncorrectState", "nobody can lower their own role");
    assert_int_equal(fake->writes, 0);
}

int main(void)
{
#define FAKED(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        FAKED(every_route_is_for_those_it_is_for),
        FAKED(a_permission_opens_what_it_is_for),
        FAKED(what_is_given_to_a_role_is_given_to_higher_ones),
        FAKED(a_permission_that_cannot_be_read_is_no_refusal),
        FAKED(a_role_that_cannot_be_read_is_no_refusal),
        FAKED(what_lets_a_change_in_must_be_so_when_it_is_made),
        FAKED(what_is_others_is_for_admins),
        FAKED(cookies_read_and_write_with_their_token),
        FAKED(a_new_session_has_a_cookie_for_the_browser_alone),
        FAKED(refused_signatures_are_told_to_the_guard),
        FAKED(a_credential_that_cannot_be_looked_up_is_not_refused),
        FAKED(a_good_signature_is_let_in),
        FAKED(too_much_is_429_with_when),
        FAKED(bad_details_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
