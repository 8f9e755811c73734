/* The DataArts dialect: what its changes are made of, and what becomes of one that was outrun (RULES §10). */
#include "api/fake.h"

#include <stdlib.h>
#include <string.h>

#define V1           "/v1/" FAKE_PROJECT "/"
#define V2           "/v2/" FAKE_PROJECT "/factory/"
#define WORKSPACE_ID "0190000000007000800000000000000a"
#define WORKSPACE    "workspace: " WORKSPACE_ID
#define JOB          V1 "jobs/etl"
#define CHANGED_JOB  "{\"name\":\"etl\",\"nodes\":[{\"name\":\"a\",\"type\":\"Dummy\"}]}"

static struct api_pending *pending_of(const struct fake *fake)
{
    if (!fake->pending)
        abort();
    return fake->pending;
}

/* Sends a change and leaves it with the pump. */
static struct ask *send_change(struct fake *fake, const char *method, const char *target,
                               const char *body)
{
    fake->answers_at_once = false;
    struct ask *asked = ask(fake, method, target, WORKSPACE, body);
    if (asked->verdict != HTTP_WAIT)
        fail_msg("%s %s: %s", method, target, asked->response.body.data);
    assert_non_null(fake->pending);
    return asked;
}

/* The engine answers, and the request goes on. */
static void answer_change(struct fake *fake, struct ask *asked, enum err_code code)
{
    struct api_pending *pending = pending_of(fake);
    fake->pending = NULL;
    pending->result = fake->result;
    pending->result.code = code;
    pending->done(pending);
    ask_again(asked);
}

static void define(struct fake *fake, const char *text)
{
    struct err err;
    struct job_def *def;
    json_t *value = json_loads(text, 0, NULL);
    assert_int_equal(job_def_parse(value, true, &def, &err), ERR_OK);
    json_decref(value);
    job_def_unref(fake->def);
    fake->def = def;
}

#define SIMPLE "{\"name\":\"etl\",\"tasks\":[{\"taskKey\":\"a\",\"type\":\"DUMMY_TASK\"}]}"

static const char *error_code(const struct ask *asked)
{
    return text_at(asked->json, "error_code");
}

static const struct change {
    const char *method, *target, *body;
} changes[] = {
    {"PUT", JOB, CHANGED_JOB},
    {"POST", JOB "/stop", NULL},
};

/* A PUT beside a stop must not start what was stopped, and nobody is told of an if-match that they did not send. */
static void a_change_that_was_outrun_is_made_anew(void **state)
{
    struct fake *fake = *state;
    define(fake, SIMPLE);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        fake->job.version = fake->def->version = 1;
        struct ask *asked =
            send_change(fake, changes[i].method, changes[i].target, changes[i].body);
        assert_string_equal(pending_of(fake)->command.if_match, "1");
        fake->job.version = fake->def->version = 2;
        answer_change(fake, asked, ERR_NO_ETAG_MATCH);
        assert_int_equal(asked->verdict, HTTP_WAIT);
        assert_string_equal(pending_of(fake)->command.if_match, "2");
        assert_string_equal(pending_of(fake)->command.principal.id, FAKE_USER);
        answer_change(fake, asked, ERR_OK);
        assert_int_equal(asked->verdict, HTTP_DONE);
        assert_int_equal(asked->response.status, 204);
        assert_int_equal(asked->wakes, 2);
        ask_free(asked);
    }
}

static void a_change_that_is_always_outrun_is_refused(void **state)
{
    struct fake *fake = *state;
    define(fake, SIMPLE);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct ask *asked =
            send_change(fake, changes[i].method, changes[i].target, changes[i].body);
        while (asked->verdict == HTTP_WAIT)
            answer_change(fake, asked, ERR_NO_ETAG_MATCH);
        assert_int_equal(asked->wakes, 20);
        assert_int_equal(asked->response.status, 400);
        assert_string_equal(error_code(asked), "DLF.3051");
        assert_non_null(strstr(text_at(asked->json, "error_msg"), "changed by others"));
        ask_free(asked);
    }
}

static void what_goes_wrong_on_the_second_try_is_told(void **state)
{
    struct fake *fake = *state;
    define(fake, SIMPLE);
    struct ask *asked = send_change(fake, "PUT", JOB, CHANGED_JOB);
    fake->reader_fails = true;
    answer_change(fake, asked, ERR_NO_ETAG_MATCH);
    assert_int_equal(asked->response.status, 503);
    ask_free(asked);
    fake->reader_fails = false;
    asked = send_change(fake, "POST", JOB "/stop", NULL);
    asked->request.shutting_down = true;
    answer_change(fake, asked, ERR_NO_ETAG_MATCH);
    assert_int_equal(asked->response.status, 503);
    ask_free(asked);
}

/* A job that cannot be looked up is not one that is not there. */
static void a_name_that_cannot_be_looked_up_is_nobodys_fault(void **state)
{
    static const struct {
        int at;
        const char *path, *body;
    } cases[] = {
        {1, JOB "/run-immediate", "{}"},
        {1, V1 "jobs",
         "{\"name\":\"n\",\"nodes\":[{\"name\":\"a\",\"type\":\"SubJob\",\"properties\":["
         "{\"name\":\"jobName\",\"value\":\"etl\"}]}]}"},
        {1, V1 "jobs",
         "{\"name\":\"n\",\"nodes\":[{\"name\":\"a\",\"type\":\"Dummy\"}],\"schedule\":{\"type\":\"CRON\","
         "\"cron\":{\"expression\":\"0 0 0 * * ?\",\"dependJobs\":{\"jobs\":[\"etl\"]}}}}"},
        {2, V2 "jobs/etl/instances/retry",
         "{\"retry_location\":\"errorNode\",\"retry_task_version\":\"original_version\",\"begin_time\":1,"
         "\"end_time\":2,\"jobs\":[{\"job_name\":\"etl\",\"workspace_id\":\"" WORKSPACE_ID "\"}]}"},
        {1, V2 "supplement-data",
         "{\"name\":\"n\",\"job_name\":\"etl\",\"start_date\":\"2026-07-28T00:00:00 +00\","
         "\"end_date\":\"2026-07-29T00:00:00 +00\",\"parallel\":1}"},
        {2, V2 "supplement-data",
         "{\"name\":\"n\",\"job_name\":\"etl\",\"start_date\":\"2026-07-28T00:00:00 +00\","
         "\"end_date\":\"2026-07-29T00:00:00 +00\",\"parallel\":1,\"depend_jobs\":[{\"job_name\":\"etl\"}]}"},
    };
    struct fake *fake = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake->fails_at_list = cases[i].at;
        struct ask *asked = ask(fake, "POST", cases[i].path, WORKSPACE, cases[i].body);
        if (asked->response.status != 503)
            fail_msg("%zu: %d %s", i, asked->response.status, asked->response.body.data);
        ask_free(asked);
        fake->reader_fails = false;
    }
}

/* What was kept names another job: were it told from its definition instead, a start would lose it. */
static void a_start_that_cannot_look_up_a_name_does_nothing(void **state)
{
    static const char kept[] =
        "{\"name\":\"etl\",\"tasks\":[{\"taskKey\":\"a\",\"type\":\"JOB_TASK\",\"jobKey\":\"" FAKE_JOB
        "\"}],"
        "\"schedule\":{\"quartzCronExpression\":\"0 0 0 * * ?\",\"timezoneId\":\"UTC\"},"
        "\"x-dataarts\":{\"job\":{\"name\":\"etl\",\"nodes\":[{\"name\":\"a\",\"type\":\"SubJob\","
        "\"properties\":[{\"name\":\"jobName\",\"value\":\"etl\"}]}]}}}";
    struct fake *fake = *state;
    define(fake, kept);
    fake->fails_at_list = 2;
    struct ask *asked = ask(fake, "POST", JOB "/start", WORKSPACE, NULL);
    assert_int_equal(asked->response.status, 503);
    ask_free(asked);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_that_was_outrun_is_made_anew),
        TEST(a_change_that_is_always_outrun_is_refused),
        TEST(a_name_that_cannot_be_looked_up_is_nobodys_fault),
        TEST(a_start_that_cannot_look_up_a_name_does_nothing),
        TEST(what_goes_wrong_on_the_second_try_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
