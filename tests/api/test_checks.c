/* Routing, credentials and the order of checks (RULES §7, CONTRACT §3 and §4). */
#include "api/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARE        "-\n"
#define RUNS        "jobRuns"
#define CREATE_BODY "{\"jobKey\":\"" FAKE_JOB "\"}"

static int status_of(struct fake *fake, const char *method, const char *target, const char *headers)
{
    struct ask *asked = ask(fake, method, target, headers, NULL);
    int status = asked->response.status;
    ask_free(asked);
    return status;
}

/* ---- paths ---- */

static void both_bases_are_served(void **state)
{
    assert_int_equal(status_of(*state, "GET", FAKE_BASE "/jobs", NULL), 200);
    assert_int_equal(status_of(*state, "GET", "/api" FAKE_BASE "/jobs", NULL), 200);
    assert_int_equal(status_of(*state, "GET", "/api/api" FAKE_BASE "/jobs", NULL), 404);
    assert_int_equal(status_of(*state, "GET", "/api/healthz", NULL), 404);
}

static void unknown_paths_are_not_found(void **state)
{
    static const char *const paths[] = {
        "/",
        "/nothing",
        "/healthz/",
        "//healthz",
        "/20260430",
        "/20260430/aiDataPlatforms/" FAKE_PLATFORM,
        FAKE_BASE "/",
        FAKE_BASE "/jobs/",
        FAKE_BASE "//jobs",
        FAKE_BASE "/jobs/x/y",
        FAKE_BASE "/Jobs",
        FAKE_BASE "/jobRuns/x/actions",
        FAKE_BASE "/jobRuns/x/actions/run",
        "/20250101/aiDataPlatforms/" FAKE_PLATFORM "/workspaces/" FAKE_WORKSPACE "/jobs",
        "*",
        "http://host" FAKE_BASE "/jobs",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18",
    };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct ask *asked = ask(*state, "GET", paths[i], NULL, NULL);
        if (asked->response.status != 404 || strcmp(text_at(asked->json, "code"), "NotFound") != 0)
            fail_msg("%s: %d %s", paths[i], asked->response.status, asked->response.body.data);
        ask_free(asked);
    }
}

static void segments_are_decoded_one_by_one(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(status_of(fake, "GET", FAKE_BASE "/%6Aobs", NULL), 200);
    /* A slash inside a segment is no border: an odd key, and no path of another depth. */
    expect_error(fake, "GET", "jobs/a%2Fb", NULL, NULL, 404, "NotAuthorizedOrNotFound", "Job");
    expect_error(fake, "GET", "jobs/%zz", NULL, NULL, 400, "InvalidParameter", "percent");
    expect_error(fake, "GET", "jobs/%4", NULL, NULL, 400, "InvalidParameter", "percent");
    expect_error(fake, "GET", "jobs/%", NULL, NULL, 400, "InvalidParameter", "percent");
    expect_error(fake, "GET", "jobs/a%00b", NULL, NULL, 400, "InvalidParameter", "percent");
}

static void platform_and_workspace_must_be_ours(void **state)
{
    struct fake *fake = *state;
    expect_error(fake, "GET",
                 "/20260430/aiDataPlatforms/ocid1.other/workspaces/" FAKE_WORKSPACE "/jobs", NULL,
                 NULL, 404, "NotAuthorizedOrNotFound", "Platform");
    expect_error(fake, "GET",
                 "/20260430/aiDataPlatforms/" FAKE_PLATFORM "/workspaces/" FAKE_JOB "/jobs", NULL,
                 NULL, 404, "NotAuthorizedOrNotFound", "Workspace");
    expect_error(fake, "GET", "/20260430/aiDataPlatforms/" FAKE_PLATFORM "/workspaces/x/jobs", NULL,
                 NULL, 404, "NotAuthorizedOrNotFound", "Workspace");
}

static void other_methods_are_told_which(void **state)
{
    struct ask *asked = ask(*state, "OPTIONS", FAKE_BASE "/jobRuns", NULL, NULL);
    assert_int_equal(asked->response.status, 405);
    assert_string_equal(ask_header(asked, "allow"), "POST, GET, HEAD");
    ask_free(asked);
    expect_error(*state, "PATCH", "jobs/x", NULL, NULL, 405, "MethodNotAllowed", "PATCH");
}

static void head_works_where_get_does(void **state)
{
    assert_int_equal(status_of(*state, "HEAD", FAKE_BASE "/jobRuns/" FAKE_RUN, NULL), 200);
    assert_int_equal(status_of(*state, "HEAD", "/healthz", BARE), 200);
    assert_int_equal(status_of(*state, "HEAD", FAKE_BASE "/jobRuns/x/actions/cancel", NULL), 405);
}

/* ---- credentials ---- */

static void a_credential_is_required(void **state)
{
    struct fake *fake = *state;
    static const char *const bad[] = {
        BARE,
        BARE "authorization: Bearer wrong",
        BARE "authorization: Basic " FAKE_TOKEN,
        BARE "authorization: " FAKE_TOKEN,
        BARE "x-auth-token: wrong",
        BARE "x-auth-token: a b",
        BARE "authorization: Bearer " FAKE_TOKEN "\nauthorization: Bearer " FAKE_TOKEN,
        BARE "authorization: Bearer " FAKE_TOKEN "\nx-auth-token: " FAKE_TOKEN,
        BARE "x-auth-token: " FAKE_TOKEN "\nx-auth-token: " FAKE_TOKEN,
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_error(fake, "GET", "jobs", bad[i], NULL, 401, "NotAuthenticated", "credential");
    assert_int_equal(status_of(fake, "GET", FAKE_BASE "/jobs", BARE "X-Auth-Token: " FAKE_TOKEN),
                     200);
    assert_int_equal(
        status_of(fake, "GET", FAKE_BASE "/jobs", BARE "AUTHORIZATION: bearer " FAKE_TOKEN), 200);
}

static void roles_decide_and_hide(void **state)
{
    struct fake *fake = *state;
    fake->role = ROLE_VIEWER;
    assert_int_equal(status_of(fake, "GET", FAKE_BASE "/jobs", NULL), 200);
    expect_error(fake, "POST", RUNS, NULL, CREATE_BODY, 404, "NotAuthorizedOrNotFound", "");
    fake->role = ROLE_OPERATOR;
    expect_error(fake, "DELETE", "jobs/" FAKE_JOB, NULL, NULL, 404, "NotAuthorizedOrNotFound", "");
    fake->role = -1; /* none in this workspace */
    expect_error(fake, "GET", "jobs", NULL, NULL, 404, "NotAuthorizedOrNotFound", "Workspace");
}

/* ---- order ---- */

/* Each request breaks two rules: the earlier one is told. */
static void checks_come_in_their_order(void **state)
{
    struct fake *fake = *state;
    expect_error(fake, "GET", "nothing", BARE, NULL, 401, "NotAuthenticated", "");
    expect_error(fake, "GET", "jobs/%zz", BARE, NULL, 401, "NotAuthenticated", "");
    expect_error(fake, "PATCH", RUNS, "content-type: text/plain", "{", 405, "MethodNotAllowed", "");
    expect_error(fake, "POST", RUNS,
                 BARE "authorization: Bearer " FAKE_TOKEN "\ncontent-type: text/plain", "{", 415,
                 "UnsupportedMediaType", "application/json");
    fake->role = -1;
    expect_error(fake, "POST", RUNS, NULL, "{", 400, "CannotParseRequest", "JSON");
    expect_error(fake, "POST", RUNS, NULL, "{}", 400, "MissingParameter", "jobKey");
    expect_error(fake, "GET", "jobs?limit=0", NULL, NULL, 400, "InvalidParameter", "limit");
    expect_error(fake, "POST", RUNS, NULL, CREATE_BODY, 404, "NotAuthorizedOrNotFound", "");
}

static void media_types(void **state)
{
    struct fake *fake = *state;
    static const char auth[] = BARE "authorization: Bearer " FAKE_TOKEN;
    expect_error(fake, "POST", RUNS, auth, CREATE_BODY, 415, "UnsupportedMediaType", "");
    expect_error(fake, "POST", RUNS,
                 BARE "authorization: Bearer " FAKE_TOKEN "\ncontent-type: application/jsonx",
                 CREATE_BODY, 415, "UnsupportedMediaType", "");
    expect_error(fake, "POST", RUNS, auth, "", 400, "CannotParseRequest", "empty");
    char *large = xcalloc(1, 5001);
    memset(large, ' ', 5000);
    expect_error(fake, "POST", RUNS, NULL, large, 413, "PayloadTooLarge", "4096");
    free(large);
}

static void bodies_are_objects(void **state)
{
    expect_error(*state, "POST", RUNS, NULL, "[]", 400, "InvalidParameter", "an object");
    expect_error(*state, "POST", RUNS, NULL, "{\"a\":1,\"a\":2}", 400, "CannotParseRequest",
                 "duplicate");
    expect_error(*state, "POST", RUNS "?strict=true", NULL,
                 "{\"jobKey\":\"" FAKE_JOB "\",\"jobKeys\":1}", 400, "InvalidParameter", "jobKeys");
    expect_error(*state, "POST", RUNS "?strict=yes", NULL, CREATE_BODY, 400, "InvalidParameter",
                 "strict");
}

static void headers_are_checked(void **state)
{
    struct fake *fake = *state;
    char token[128] = "opc-retry-token: ";
    expect_error(fake, "POST", RUNS, "opc-retry-token: ", CREATE_BODY, 400, "InvalidParameter",
                 "opc-retry-token");
    memset(token + strlen(token), 't', 65);
    expect_error(fake, "POST", RUNS, token, CREATE_BODY, 400, "InvalidParameter",
                 "opc-retry-token");
    expect_error(fake, "POST", RUNS, "opc-retry-token: a\nopc-retry-token: a", CREATE_BODY, 400,
                 "InvalidParameter", "opc-retry-token");
    expect_error(fake, "GET", "jobRuns/" FAKE_RUN, "should-update-recent: TRUE", NULL, 400,
                 "InvalidParameter", "should-update-recent");
    assert_int_equal(
        status_of(fake, "GET", FAKE_BASE "/jobRuns/" FAKE_RUN, "should-update-recent: true"), 200);
    expect_error(fake, "DELETE", "jobRuns/" FAKE_RUN, "if-match: a\nif-match: b", NULL, 400,
                 "InvalidParameter", "if-match");
}

static void queries_are_checked(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(status_of(fake, "GET", FAKE_BASE "/jobs?nonsense=1&nonsense=2", NULL), 200);
    expect_error(fake, "GET", "jobs?limit=1&limit=1", NULL, NULL, 400, "InvalidParameter", "limit");
    expect_error(fake, "GET", "jobs?limit=1001", NULL, NULL, 400, "InvalidParameter", "limit");
    expect_error(fake, "GET", "jobs?limit=1x", NULL, NULL, 400, "InvalidParameter", "limit");
    expect_error(fake, "GET", "jobs?limit=", NULL, NULL, 400, "InvalidParameter", "limit");
    expect_error(fake, "GET", "jobs?limit=99999999999999999999", NULL, NULL, 400,
                 "InvalidParameter", "limit");
    expect_error(fake, "GET", "jobs?page=", NULL, NULL, 400, "InvalidParameter", "page");
    expect_error(fake, "GET", "jobs?displayName=%zz", NULL, NULL, 400, "InvalidParameter",
                 "displayName");
    expect_error(fake, "GET", "jobs?displayName=%ff", NULL, NULL, 400, "InvalidParameter",
                 "displayName");
    expect_error(fake, "GET", "jobs?sortBy=name", NULL, NULL, 400, "InvalidParameter", "sortBy");
    expect_error(fake, "GET", "jobRuns?status=DONE", NULL, NULL, 400, "InvalidParameter", "status");
    expect_error(fake, "GET", "jobRuns?timeCreatedLessThanOrEqualTo=now", NULL, NULL, 400,
                 "InvalidParameter", "timeCreatedLessThanOrEqualTo");
    expect_error(fake, "GET", "taskRuns", NULL, NULL, 400, "MissingParameter", "jobRunKey");
}

/* ---- request ids ---- */

static void expect_id(struct fake *fake, const char *headers, const char *expected)
{
    struct ask *asked = ask(fake, "GET", "/healthz", headers, NULL);
    const char *id = ask_header(asked, "opc-request-id");
    if (expected)
        assert_string_equal(id, expected);
    else
        assert_int_equal(strspn(id, "0123456789ABCDEF"), strlen(id));
    ask_free(asked);
}

static void request_ids_are_echoed_or_made(void **state)
{
    char headers[256] = BARE "opc-request-id: ";
    expect_id(*state, BARE "opc-request-id: a-B_9", "a-B_9");
    expect_id(*state, BARE, NULL);
    expect_id(*state, BARE "opc-request-id: a b", NULL);
    expect_id(*state, BARE "opc-request-id: a/b", NULL);
    expect_id(*state, BARE "opc-request-id: a\nopc-request-id: a", NULL);
    memset(headers + strlen(headers), 'x', 128);
    expect_id(*state, headers, strchr(headers, 'x'));
    headers[strlen(headers)] = 'x';
    expect_id(*state, headers, NULL);
}

static void refusals_of_the_wire_have_our_form(void **state)
{
    struct fake *fake = *state;
    struct http_response response = {.status = 413};
    buf_init(&response.body, 4096);
    api_refuse(fake->api, ERR_PAYLOAD_TOO_LARGE, "too \"large\"", "", &response);
    assert_string_equal(response.body.data,
                        "{\"code\":\"PayloadTooLarge\",\"message\":\"too \\\"large\\\"\"}");
    assert_int_equal(response.header_count, 2);
    buf_release(&response.body);
}

/* ---- health and failures ---- */

static void health_needs_no_credential(void **state)
{
    struct fake *fake = *state;
    assert_int_equal(status_of(fake, "GET", "/healthz", BARE), 200);
    assert_int_equal(status_of(fake, "GET", "/readyz", BARE), 200);
    fake->is_ready = false;
    assert_int_equal(status_of(fake, "GET", "/healthz", BARE), 200);
    struct ask *asked = ask(fake, "GET", "/readyz", BARE, NULL);
    assert_int_equal(asked->response.status, 503);
    assert_non_null(ask_header(asked, "retry-after"));
    ask_free(asked);
}

static void an_absence_is_believed_only_of_a_sound_reader(void **state)
{
    struct fake *fake = *state;
    static const char *const paths[] = {
        "jobs/" FAKE_JOB,
        "jobRuns/" FAKE_RUN,
        "jobRuns",
        "recentJobRuns?jobKey=" FAKE_JOB,
        "taskRuns?jobRunKey=" FAKE_RUN,
        "taskRuns/" FAKE_RUN,
        "jobRuns/" FAKE_RUN "/events",
        "jobRuns/" FAKE_RUN "/explanation",
        "taskRuns/" FAKE_RUN "/logs",
    };
    fake->reader_fails = true;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        expect_error(fake, "GET", paths[i], NULL, NULL, 503, "ServiceUnavailable", "store");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_bases_are_served),
        TEST(unknown_paths_are_not_found),
        TEST(segments_are_decoded_one_by_one),
        TEST(platform_and_workspace_must_be_ours),
        TEST(other_methods_are_told_which),
        TEST(head_works_where_get_does),
        TEST(a_credential_is_required),
        TEST(roles_decide_and_hide),
        TEST(checks_come_in_their_order),
        TEST(media_types),
        TEST(bodies_are_objects),
        TEST(headers_are_checked),
        TEST(queries_are_checked),
        TEST(request_ids_are_echoed_or_made),
        TEST(refusals_of_the_wire_have_our_form),
        TEST(health_needs_no_credential),
        TEST(an_absence_is_believed_only_of_a_sound_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
