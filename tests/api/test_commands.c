/* Commands: what goes to the pump, waiting for it, and what is answered (RULES §7, §8). */
#include "api/fake.h"

#include <stdlib.h>
#include <string.h>

#define CREATE      FAKE_BASE "/jobRuns"
#define CREATE_BODY "{\"jobKey\":\"" FAKE_JOB "\"}"
#define RUN         FAKE_BASE "/jobRuns/" FAKE_RUN

/* Sends a command and leaves it with the pump. */
static struct ask *send_command(struct fake *fake, const char *method, const char *target,
                                const char *headers, const char *body)
{
    fake->answers_at_once = false;
    struct ask *asked = ask(fake, method, target, headers, body);
    if (asked->verdict != HTTP_WAIT)
        fail_msg("%s %s: %s", method, target, asked->response.body.data);
    assert_non_null(fake->pending);
    return asked;
}

static void finish_command(struct fake *fake, struct ask *asked)
{
    struct api_pending *pending = fake->pending;
    fake->pending = NULL;
    pending->result = fake->result;
    pending->done(pending);
    assert_int_equal(asked->wakes, 1);
    ask_again(asked);
}

/* ---- create ---- */

static void a_run_is_created(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(fake, "POST", "/api" CREATE, NULL, CREATE_BODY);
    const struct command *command = &fake->pending->command;
    struct uuid job = fake_key(FAKE_JOB);
    assert_int_equal(command->kind, COMMAND_RUN_CREATE);
    assert_true(uuid_equal(&command->key, &job));
    assert_string_equal(command->principal.id, "ocid1.user.oc1..u");
    assert_null(command->if_match);
    assert_false(command->token.is_set);
    assert_int_equal(command->run.queue_enabled, FIELD_UNSET);
    assert_null(command->run.queue_json);
    assert_null(command->run.schedule_json);
    assert_false(command->run.has_original_attempt);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 201);
    assert_string_equal(ask_header(asked, "location"), "/api" RUN);
    assert_string_equal(ask_header(asked, "content-location"), "/api" RUN);
    assert_string_equal(ask_header(asked, "etag"), "1-1");
    assert_string_equal(ask_header(asked, "opc-work-request-id"),
                        "01900000-0000-7000-8000-0000000000ff");
    assert_string_equal(text_at(asked->json, "key"), FAKE_RUN);
    ask_free(asked);
}

static void details_of_a_run_are_passed_on(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(
        fake, "POST", CREATE, NULL,
        "{\"jobKey\":\"" FAKE_JOB "\",\"key\":\"x\",\"originalAttemptRunId\":\"" FAKE_RUN
        "\",\"parameters\":[{\"name\":\"p\",\"value\":\"v\"},{\"name\":\"q\"}],"
        "\"queue\":{\"isEnabled\":true},\"schedule\":{\"quartzCronExpression\":\"0 0 0 * * ?\","
        "\"timezoneId\":\"UTC\"},\"repairHistory\":[{\"key\":1,\"type\":\"REPAIR\"}]}");
    const struct run_request *run = &fake->pending->command.run;
    assert_int_equal(run->parameters.count, 2);
    assert_string_equal(run->parameters.items[0].value, "v");
    assert_string_equal(run->parameters.items[1].value, "");
    assert_int_equal(run->queue_enabled, 1);
    assert_string_equal(run->queue_json, "{\"isEnabled\":true}");
    assert_string_equal(run->schedule_json,
                        "{\"pauseStatus\":\"UNPAUSED\",\"quartzCronExpression\":\"0 0 0 * * ?\","
                        "\"timezoneId\":\"UTC\"}");
    assert_true(run->has_original_attempt);
    assert_true(run->original_is_known);
    finish_command(fake, asked);
    ask_free(asked);
}

static void an_original_of_another_job_is_not_known(void **state)
{
    struct fake *fake = *state;
    fake->run.job = fake_key(FAKE_WORKSPACE);
    struct ask *asked = send_command(fake, "POST", CREATE, NULL,
                                     "{\"jobKey\":\"" FAKE_JOB
                                     "\",\"originalAttemptRunId\":\"" FAKE_RUN "\"}");
    assert_true(fake->pending->command.run.has_original_attempt);
    assert_false(fake->pending->command.run.original_is_known);
    finish_command(fake, asked);
    ask_free(asked);
}

#define HISTORY_11 "{},{},{},{},{},{},{},{},{},{},{}"

static void wrong_details_of_a_run(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *body;
        const char *field;
    } rows[] = {
        {"{\"jobKey\":1}", "jobKey"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"repairHistory\":[" HISTORY_11 "]}", "repairHistory"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"repairHistory\":[{\"type\":\"X\"}]}",
         "repairHistory[0].type"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"originalAttemptRunId\":\"x\"}", "originalAttemptRunId"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"parameters\":[{\"name\":\"a b\"}]}", "parameters[0].name"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"parameters\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
         "twice"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"queue\":{\"isEnabled\":1}}", "queue.isEnabled"},
        {"{\"jobKey\":\"" FAKE_JOB "\",\"schedule\":{\"pauseStatus\":\"X\"}}",
         "schedule.pauseStatus"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_error(fake, "POST", "jobRuns", NULL, rows[i].body, 400, "InvalidParameter",
                     rows[i].field);
    expect_error(fake, "POST", "jobRuns", NULL, "{\"jobKey\":\"x\"}", 404,
                 "NotAuthorizedOrNotFound", "Job");
}

/* ---- the others ---- */

static void a_run_is_repaired(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(
        fake, "POST", RUN "/actions/repair", "if-match: \"1-1\"",
        "{\"taskKeys\":[\"a\",\"b\",\"a\"],\"repairMode\":\"RERUN\",\"definition\":\"ORIGINAL\","
        "\"repairTasks\":[],\"parameters\":[{\"name\":\"p\",\"value\":\"2\"}]}");
    const struct command *command = &fake->pending->command;
    assert_int_equal(command->kind, COMMAND_RUN_REPAIR);
    assert_string_equal(command->if_match, "\"1-1\"");
    assert_int_equal(command->repair.task_key_count, 3);
    assert_string_equal(command->repair.task_keys[1], "b");
    assert_int_equal(command->repair.mode, REPAIR_MODE_RERUN);
    assert_int_equal(command->repair.parameters.count, 1);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 201);
    assert_string_equal(ask_header(asked, "location"), RUN);
    ask_free(asked);
}

static void what_is_wrong_with_a_repair_is_told(void **state)
{
    struct fake *fake = *state;
    static const char path[] = "jobRuns/" FAKE_RUN "/actions/repair";
    static const char *const cases[][2] = {
        {"{\"repairTasks\":[{}]}", "repairTasks[0].taskKey"},
        {"{\"repairTasks\":[{\"taskKey\":\"a\",\"shouldIncludeUpstream\":1}]}",
         "repairTasks[0].shouldIncludeUpstream"},
        {"{\"repairTasks\":\"a\"}", "repairTasks"},
        {"{\"definition\":\"NEWEST\"}", "definition must be"},
        {"{\"definition\":\"2\"}", "definition must be"},
        {"{\"definition\":0}", "definition must be"},
        {"{\"definition\":-1}", "definition must be"},
        {"{\"definition\":1.5}", "definition must be"},
        {"{\"definition\":1e3}", "definition must be"},
        {"{\"definition\":12345678901234567}", "definition must be"},
        {"{\"definition\":[1]}", "definition must be"},
        {"{\"repairMode\":\"AGAIN\"}", "repairMode"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_error(fake, "POST", path, NULL, cases[i][0], 400,
                     strstr(cases[i][1], "taskKey") ? "MissingParameter" : "InvalidParameter",
                     cases[i][1]);
    expect_error(fake, "POST", path, NULL, "", 400, "CannotParseRequest", "empty");
}

static void a_repair_says_what_it_wants(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(
        fake, "POST", RUN "/actions/repair", NULL,
        "{\"taskKeys\":[\"c\"],\"repairTasks\":[{\"taskKey\":\"a\",\"shouldIncludeDownstream\":true},"
        "{\"taskKey\":\"b\",\"shouldIncludeUpstream\":true,\"shouldIncludeDownstream\":null}],"
        "\"definition\":3}");
    const struct repair_request *request = &fake->pending->command.repair;
    assert_int_equal(request->task_key_count, 1);
    assert_int_equal(request->repair_task_count, 2);
    assert_string_equal(request->repair_tasks[0].task_key, "a");
    assert_int_equal(request->repair_tasks[0].include_downstream, 1);
    assert_int_equal(request->repair_tasks[0].include_upstream, 0);
    assert_int_equal(request->repair_tasks[1].include_downstream, 0);
    assert_int_equal(request->repair_tasks[1].include_upstream, 1);
    assert_int_equal(request->definition, DEFINITION_VERSION);
    assert_int_equal(request->definition_version, 3);
    finish_command(fake, asked);
    ask_free(asked);
    static const struct {
        const char *body;
        enum repair_definition definition;
    } cases[] = {
        {"{}", DEFINITION_NEWEST},
        {"{\"definition\":null,\"repairTasks\":null}", DEFINITION_NEWEST},
        {"{\"definition\":\"ORIGINAL\"}", DEFINITION_ORIGINAL},
        {"{\"definition\":\"CURRENT\"}", DEFINITION_CURRENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        asked = send_command(fake, "POST", RUN "/actions/repair", NULL, cases[i].body);
        assert_int_equal(fake->pending->command.repair.definition, cases[i].definition);
        finish_command(fake, asked);
        ask_free(asked);
    }
}

static void cancel_takes_no_body_or_an_empty_one(void **state)
{
    struct fake *fake = *state;
    static const char *const bodies[] = {NULL, "", "{}", "{\"why\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct ask *asked = send_command(fake, "POST", RUN "/actions/cancel", NULL, bodies[i]);
        assert_int_equal(fake->pending->command.kind, COMMAND_RUN_CANCEL);
        finish_command(fake, asked);
        assert_int_equal(asked->response.status, 200);
        assert_null(ask_header(asked, "location"));
        ask_free(asked);
    }
    expect_error(fake, "POST", "jobRuns/" FAKE_RUN "/actions/cancel", NULL, "{", 400,
                 "CannotParseRequest", "");
}

static void deletes_answer_nothing(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(fake, "DELETE", RUN, "if-match: *", NULL);
    assert_int_equal(fake->pending->command.kind, COMMAND_RUN_DELETE);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 204);
    assert_int_equal(asked->response.body.len, 0);
    assert_null(ask_header(asked, "content-type"));
    ask_free(asked);
    expect_error(fake, "DELETE", "jobRuns/x", NULL, NULL, 404, "NotAuthorizedOrNotFound",
                 "Job run");
}

static void jobs_are_saved(void **state)
{
    struct fake *fake = *state;
    fake->result.key = fake_key(FAKE_JOB);
    struct ask *asked = send_command(fake, "POST", FAKE_BASE "/jobs", NULL, "{\"name\":\"j\"}");
    assert_int_equal(fake->pending->command.kind, COMMAND_JOB_CREATE);
    assert_string_equal(fake->pending->command.def->details.name, "j");
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 201);
    assert_string_equal(ask_header(asked, "location"), FAKE_BASE "/jobs/" FAKE_JOB);
    assert_string_equal(ask_header(asked, "etag"), "1");
    ask_free(asked);
    asked = send_command(fake, "PUT", FAKE_BASE "/jobs/" FAKE_JOB, NULL, "{\"name\":\"j\"}");
    assert_int_equal(fake->pending->command.kind, COMMAND_JOB_UPDATE);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 202);
    ask_free(asked);
    expect_error(fake, "PUT", "jobs/x", NULL, "{\"name\":\"j\"}", 404, "NotAuthorizedOrNotFound",
                 "Job");
    expect_error(fake, "POST", "jobs", NULL, "{\"name\":\"1\"}", 400, "InvalidParameter", "name");
}

/* ---- retry tokens ---- */

static struct retry_token token_of(struct fake *fake, const char *target, const char *headers,
                                   const char *body)
{
    struct ask *asked = send_command(fake, "POST", target, headers, body);
    struct retry_token token = fake->pending->command.token;
    finish_command(fake, asked);
    ask_free(asked);
    return token;
}

static void retry_tokens_are_bound_to_what_they_were_sent_for(void **state)
{
    struct fake *fake = *state;
    struct retry_token a = token_of(fake, CREATE, "opc-retry-token: t", CREATE_BODY);
    struct retry_token same = token_of(fake, "/api" CREATE, "opc-retry-token: t", CREATE_BODY);
    struct retry_token body = token_of(fake, CREATE, "opc-retry-token: t", CREATE_BODY " ");
    struct retry_token other = token_of(fake, CREATE, "opc-retry-token: u", CREATE_BODY);
    struct retry_token cancel = token_of(fake, RUN "/actions/cancel", "opc-retry-token: t", NULL);
    assert_true(a.is_set);
    assert_memory_equal(a.scope, same.scope, 32);
    assert_memory_equal(a.request, same.request, 32);
    assert_memory_equal(a.scope, body.scope, 32);
    assert_memory_not_equal(a.request, body.request, 32);
    assert_memory_not_equal(a.scope, other.scope, 32);
    assert_memory_not_equal(a.scope, cancel.scope, 32);
}

static void a_replay_is_sent_as_it_was_kept(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(fake, "POST", CREATE, "opc-retry-token: t", CREATE_BODY);
    struct api_pending *pending = fake->pending;
    fake->result.replayed = true;
    pending->replay_status = 201;
    pending->replay_etag = xstrdup("old");
    pending->replay_location = xstrdup("/kept");
    pending->replay_operation = fake_key(FAKE_JOB);
    pending->replay_body = xstrdup("{\"kept\":true}");
    pending->replay_body_len = strlen(pending->replay_body);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 201);
    assert_string_equal(asked->response.body.data, "{\"kept\":true}");
    assert_string_equal(ask_header(asked, "etag"), "old");
    assert_string_equal(ask_header(asked, "location"), "/kept");
    assert_string_equal(ask_header(asked, "content-location"), "/kept");
    assert_string_equal(ask_header(asked, "opc-work-request-id"), FAKE_JOB);
    ask_free(asked);
}

/* ---- waiting ---- */

static void refusals_of_the_engine_are_told(void **state)
{
    struct fake *fake = *state;
    fake->result = (struct command_result){.code = ERR_INCORRECT_STATE, .message = "not now"};
    expect_error(fake, "POST", "jobRuns", NULL, CREATE_BODY, 409, "IncorrectState", "not now");
    fake->result = (struct command_result){.code = ERR_UNAVAILABLE, .message = "later"};
    struct ask *asked = send_command(fake, "POST", CREATE, NULL, CREATE_BODY);
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 503);
    assert_non_null(ask_header(asked, "retry-after"));
    ask_free(asked);
}

static void a_stopping_server_takes_no_commands(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(fake, "POST", CREATE, NULL, CREATE_BODY);
    struct api_pending *pending = fake->pending;
    asked->request.shutting_down = true;
    ask_again(asked); /* before the wake */
    assert_int_equal(asked->response.status, 503);
    pending->result = fake->result;
    pending->done(pending); /* the pump is still right to say so */
    ask_free(asked);
}

static void done_with_but_not_readable_is_unavailable(void **state)
{
    struct fake *fake = *state;
    struct ask *asked = send_command(fake, "POST", CREATE, NULL, CREATE_BODY);
    fake->reader_fails = true;
    finish_command(fake, asked);
    assert_int_equal(asked->response.status, 503);
    ask_free(asked);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_created),
        TEST(details_of_a_run_are_passed_on),
        TEST(an_original_of_another_job_is_not_known),
        TEST(wrong_details_of_a_run),
        TEST(a_run_is_repaired),
        TEST(what_is_wrong_with_a_repair_is_told),
        TEST(a_repair_says_what_it_wants),
        TEST(cancel_takes_no_body_or_an_empty_one),
        TEST(deletes_answer_nothing),
        TEST(jobs_are_saved),
        TEST(retry_tokens_are_bound_to_what_they_were_sent_for),
        TEST(a_replay_is_sent_as_it_was_kept),
        TEST(refusals_of_the_engine_are_told),
        TEST(a_stopping_server_takes_no_commands),
        TEST(done_with_but_not_readable_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
