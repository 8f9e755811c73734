/* What runs and task runs look like: every field of the pages, with the meaning of RULES §12. */
#include "api/fake.h"

#include <sys/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define RUN_PATH "jobRuns/" FAKE_RUN

static void expect_fields(json_t *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!json_object_get(object, names[i]))
            fail_msg("%s is not there", names[i]);
}

static const char *task_run_path(int64_t repair, int64_t position, const char *rest)
{
    static char path[128];
    char key[UUID_TEXT];
    struct uuid uuid = fake_task_run_key(repair, position);
    snprintf(path, sizeof path, "taskRuns/%s%s", uuid_format(&uuid, key), rest);
    return path;
}

/* ---- runs ---- */

static void every_field_of_a_run_is_there(void **state)
{
    static const char *const names[] = {
        "cleanupDuration",
        "clusterInstance",
        "clusterSpec",
        "createdBy",
        "createdByName",
        "endTime",
        "executionDuration",
        "gitConfig",
        "jobKey",
        "jobName",
        "key",
        "launched",
        "lifecycleStates",
        "maxConcurrentRuns",
        "name",
        "originalAttemptRunId",
        "parameters",
        "parentJobRunKey",
        "parentTaskRunKey",
        "queue",
        "repairedTasks",
        "repairHistory",
        "rootJobRunKey",
        "runDuration",
        "schedule",
        "setupDuration",
        "startTime",
        "state",
        "systemParameters",
        "taskRunSummaryMap",
        "tasks",
        "taskToTaskRunMap",
        "timeCreated",
        "timeoutSeconds",
        "timeUpdated",
        "unifiedJobAndJobRunParameters",
        "version",
    };
    static const char *const history[] = {
        "endTime",       "executionDuration", "key",   "lifecycleStates",  "parameters",
        "repairedTasks", "startTime",         "state", "taskToTaskRunMap", "type",
    };
    static const char *const states[] = {
        "errorTrace", "isUserCanceledOrTimedOut", "stateMessage", "status", "startTime", "endTime"};
    json_t *run = ask_json(*state, RUN_PATH);
    expect_fields(run, names, ARRAY_LEN(names));
    expect_fields(at(run, "repairHistory[0]"), history, ARRAY_LEN(history));
    expect_fields(at(run, "lifecycleStates[0]"), states, ARRAY_LEN(states));
    expect_fields(at(run, "state"), states, 4);
    json_decref(run);
}

static void a_new_run(void **state)
{
    json_t *run = ask_json(*state, RUN_PATH);
    static const char *const nulls[] = {
        "startTime",
        "endTime",
        "setupDuration",
        "executionDuration",
        "cleanupDuration",
        "runDuration",
        "parentJobRunKey",
        "parentTaskRunKey",
        "clusterInstance",
        "clusterSpec",
        "gitConfig",
        "queue",
        "schedule",
        "lifecycleStates[0].endTime",
        "repairHistory[0].startTime",
    };
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        if (!json_is_null(at(run, nulls[i])))
            fail_msg("%s is not null", nulls[i]);
    assert_string_equal(text_at(run, "originalAttemptRunId"), FAKE_RUN);
    assert_string_equal(text_at(run, "rootJobRunKey"), FAKE_RUN);
    assert_string_equal(text_at(run, "launched"), "MANUAL");
    assert_string_equal(text_at(run, "timeCreated"), "1970-01-01T00:00:01.000Z");
    assert_string_equal(text_at(run, "repairHistory[0].type"), "ORIGINAL");
    assert_int_equal(int_at(run, "repairHistory[0].key"), 0);
    assert_int_equal(int_at(run, "timeoutSeconds"), 0);
    assert_int_equal(json_array_size(at(run, "repairedTasks")), 0);
    assert_int_equal(json_array_size(at(run, "tasks")), 4);
    assert_int_equal(json_object_size(at(run, "taskToTaskRunMap")), 4);
    assert_int_equal(json_object_size(at(run, "taskRunSummaryMap")), 4);
    assert_string_equal(text_at(run, "unifiedJobAndJobRunParameters[0].name"), "p");
    /* "job.run_id" is one name, not a path. */
    json_t *system = at(run, "systemParameters");
    assert_string_equal(json_string_value(json_object_get(system, "job.run_id")), FAKE_RUN);
    assert_null(json_object_get(system, "job.start_time.year"));
    json_decref(run);
}

/* Three traces of 2 MiB are more than a run's summaries show together. */
static void long_traces_share_a_bound(void **state)
{
    struct fake *fake = *state;
    enum { LONG = 2 << 20, ALL = 4 << 20 };
    char *trace = xmalloc(LONG + 1);
    for (size_t i = 0; i + 1 < LONG; i += 2)
        memcpy(trace + i, "\xc3\xa9", 2);
    memcpy(trace + LONG - 4, "end", 4);
    for (int i = 0; i < 3; i++)
        fake->task_runs[i].error_trace = trace;
    json_t *run = ask_json(fake, RUN_PATH);
    const char *key;
    json_t *summary;
    size_t whole = 0;
    json_object_foreach (at(run, "taskRunSummaryMap"), key, summary) {
        const char *shown = json_string_value(at(summary, "state.errorTrace"));
        if (!shown)
            continue;
        whole += strlen(shown);
        assert_true(strncmp(shown, "…\xc3\xa9", 5) == 0);
        assert_string_equal(shown + strlen(shown) - 3, "end");
    }
    assert_true(whole > ALL - 100 && whole < ALL + 100);
    json_decref(run);
    for (int i = 0; i < 3; i++)
        fake->task_runs[i].error_trace = NULL;
    free(trace);
}

static void lifecycle_states_join_up(void **state)
{
    struct fake *fake = *state;
    fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_PENDING, STATE_RUNNING, 1010, "go");
    fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_RUNNING, STATE_CANCELING, 1020, "stop");
    fake_add_event(fake, NULL, EVENT_REPAIR, STATE_CANCELING, STATE_CANCELING, 1021, "no move");
    fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_CANCELING, STATE_CANCELED, 1030, "over");
    json_t *run = ask_json(fake, RUN_PATH);
    json_t *states = at(run, "lifecycleStates");
    assert_int_equal(json_array_size(states), 4);
    for (size_t i = 0; i + 1 < json_array_size(states); i++)
        assert_int_equal(int_at(json_array_get(states, i), "endTime"),
                         int_at(json_array_get(states, i + 1), "startTime"));
    assert_int_equal(int_at(run, "lifecycleStates[3].endTime"), 1030);
    assert_int_equal(int_at(run, "lifecycleStates[3].startTime"), 1030);
    assert_true(json_is_false(at(run, "lifecycleStates[1].isUserCanceledOrTimedOut")));
    assert_true(json_is_true(at(run, "lifecycleStates[2].isUserCanceledOrTimedOut")));
    assert_string_equal(text_at(run, "timeUpdated"), "1970-01-01T00:00:01.030Z");
    json_decref(run);
}

/* Twelve repairs: the original and the newest nine are embedded, the rest is in the list. */
static void history_is_cut_in_the_run_and_whole_in_its_list(void **state)
{
    struct fake *fake = *state;
    for (int i = 1; i <= 12; i++) {
        fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_PENDING, STATE_FAILED, 1000 + i * 10,
                       "f");
        fake_add_repair(fake, i == 12 ? "[\"b\",\"c\"]" : "[\"c\"]");
        fake->repairs[i - 1].start_ms = 1000 + i * 10 - 5;
        fake->repairs[i - 1].end_ms = 1000 + i * 10;
        fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_FAILED, STATE_PENDING, 1001 + i * 10,
                       "r");
    }
    fake_add_task_runs(fake, 12, STATE_BLOCKED);
    json_t *run = ask_json(fake, RUN_PATH);
    assert_int_equal(json_array_size(at(run, "repairHistory")), 10);
    assert_int_equal(int_at(run, "repairHistory[0].key"), 0);
    assert_int_equal(int_at(run, "repairHistory[1].key"), 4);
    assert_int_equal(int_at(run, "repairHistory[9].key"), 12);
    assert_int_equal(int_at(run, "runDuration"), 12 * 5);
    assert_string_equal(text_at(run, "repairedTasks[0]"), "b");
    assert_int_equal(int_at(run, "version"), 13);
    /* A slice shows its attempt of the run alone, and a final state ends it. */
    assert_int_equal(json_array_size(at(run, "repairHistory[0].lifecycleStates")), 2);
    assert_int_equal(int_at(run, "repairHistory[0].lifecycleStates[1].endTime"), 1010);
    assert_int_equal(int_at(run, "lifecycleStates[1].endTime"), 1011);
    assert_string_not_equal(text_at(run, "repairHistory[0].taskToTaskRunMap.a"),
                            text_at(run, "taskToTaskRunMap.a"));
    json_decref(run);

    struct ask *page =
        ask(fake, "GET", FAKE_BASE "/" RUN_PATH "/repairHistory?limit=7", NULL, NULL);
    assert_int_equal(json_array_size(at(page->json, "items")), 7);
    char target[512];
    snprintf(target, sizeof target, FAKE_BASE "/" RUN_PATH "/repairHistory?limit=7&page=%s",
             ask_header(page, "opc-next-page"));
    ask_free(page);
    page = ask(fake, "GET", target, NULL, NULL);
    assert_int_equal(json_array_size(at(page->json, "items")), 6);
    assert_int_equal(int_at(page->json, "items[5].key"), 12);
    assert_null(ask_header(page, "opc-next-page"));
    ask_free(page);
}

static void the_place_in_line_is_the_present_one(void **state)
{
    struct fake *fake = *state;
    fake->run.state = fake->repairs[0].state = STATE_QUEUED;
    fake->run.message = "Queued, 5th in line: 1 of 1 run slots is held by run x";
    fake->queue_position = 1;
    json_t *run = ask_json(fake, RUN_PATH);
    char key[UUID_TEXT], now[128]; /* the store gives this run, whatever it is asked for */
    snprintf(now, sizeof now, "Queued, 2nd in line: 1 of 1 run slots is held by run %s",
             uuid_format(&fake->run.key, key));
    assert_string_equal(text_at(run, "state.stateMessage"), now);
    json_decref(run);
    fake->run.message = "Something else";
    run = ask_json(fake, "jobRuns");
    assert_string_equal(text_at(run, "items[0].state.stateMessage"), "Something else");
    json_decref(run);
}

/* ---- task runs ---- */

static void a_blocked_task_says_what_it_waits_for_now(void **state)
{
    struct fake *fake = *state;
    fake->task_runs[1].last_event = 1;
    json_t *task = ask_json(fake, task_run_path(0, 1, ""));
    assert_string_equal(text_at(task, "state.stateMessage"), "Waiting for a");
    json_decref(task);
    fake->task_runs[0].state = STATE_SUCCESS;
    task = ask_json(fake, task_run_path(0, 1, ""));
    assert_string_equal(text_at(task, "state.stateMessage"), "Waiting for the run to start");
    json_decref(task);
}

static void every_field_of_a_task_run_is_there(void **state)
{
    static const char *const names[] = {
        "cleanupDuration",
        "clusterSpec",
        "clusterValidationStartTime",
        "endTime",
        "executionDuration",
        "externalId",
        "jobKey",
        "jobRunKey",
        "key",
        "lifecycleStates",
        "name",
        "outputKey",
        "parameters",
        "parentJobRunKey",
        "retries",
        "retryAttempt",
        "rootJobRunKey",
        "setupDuration",
        "startTime",
        "state",
        "systemParameters",
        "task",
        "taskKey",
        "version",
    };
    static const char *const retries[] = {
        "cleanupDuration", "clusterValidationStartTime",
        "endTime",         "executionDuration",
        "externalId",      "outputKey",
        "retryNumber",     "setupDuration",
        "startTime",       "state",
    };
    struct fake *fake = *state;
    fake->task_runs[1].state = STATE_RUNNING;
    fake_add_attempt(fake, &fake->task_runs[1], 0);
    json_t *task = ask_json(fake, task_run_path(0, 1, ""));
    expect_fields(task, names, ARRAY_LEN(names));
    expect_fields(at(task, "retries[0]"), retries, ARRAY_LEN(retries));
    assert_string_equal(text_at(task, "name"), "b");
    assert_string_equal(text_at(task, "clusterSpec.existingClusterKey"), "local");
    assert_null_at(task, "clusterSpec.newCluster");
    assert_string_equal(text_at(task, "task.type"), "PYTHON_TASK");
    assert_string_equal(text_at(task, "task.runIf"), "ALL_SUCCESS");
    json_decref(task);
}

static void retries_are_the_newest_ten_that_started(void **state)
{
    struct fake *fake = *state;
    struct task_run_row *row = &fake->task_runs[1];
    char key[UUID_TEXT];
    char expected[256];
    row->state = STATE_PENDING;
    for (int i = 0; i < 13; i++)
        fake_add_attempt(fake, row, i);
    /* Found never started: it keeps its row and is not shown. */
    fake_add_attempt(fake, row, 13)->start_ms = FIELD_NULL;
    row->attempt = 12;
    row->attempts = 13;
    uuid_format(&row->key, key);
    json_t *task = ask_json(fake, task_run_path(0, 1, ""));
    assert_int_equal(json_array_size(at(task, "retries")), 10);
    assert_int_equal(int_at(task, "retries[0].retryNumber"), 3);
    assert_int_equal(int_at(task, "retries[9].retryNumber"), 12);
    assert_int_equal(int_at(task, "retryAttempt"), 12);
    snprintf(expected, sizeof expected, "%s.12", key);
    assert_string_equal(text_at(task, "outputKey"), expected);
    snprintf(expected, sizeof expected, "%s.%s.0.12.3", FAKE_RUN, key);
    assert_string_equal(text_at(task, "externalId"), expected);
    assert_string_equal(text_at(task, "retries[9].state.errorTrace"), "boom");
    json_t *system = at(task, "systemParameters");
    assert_string_equal(json_string_value(json_object_get(system, "task.execution_count")), "13");
    json_decref(task);
    json_t *all = ask_json(fake, task_run_path(0, 1, "/retries"));
    assert_int_equal(json_array_size(at(all, "items")), 13);
    json_decref(all);
}

static void a_task_that_never_started(void **state)
{
    struct fake *fake = *state;
    fake->task_runs[2].state = STATE_UPSTREAM_FAILED;
    json_t *task = ask_json(fake, task_run_path(0, 2, ""));
    static const char *const nulls[] = {"externalId",  "outputKey",     "retryAttempt",
                                        "startTime",   "setupDuration", "executionDuration",
                                        "clusterSpec", "endTime"};
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        if (!json_is_null(at(task, nulls[i])))
            fail_msg("%s is not null", nulls[i]);
    assert_int_equal(json_array_size(at(task, "retries")), 0);
    assert_int_equal(json_array_size(at(task, "parameters")), 0);
    assert_int_equal(json_object_size(at(task, "systemParameters")), 0);
    assert_true(json_is_false(at(task, "state.isUserCanceledOrTimedOut")));
    json_decref(task);
}

static void an_if_else_task_has_no_attempt(void **state)
{
    struct fake *fake = *state;
    struct task_run_row *row = &fake->task_runs[3];
    row->state = STATE_SUCCESS;
    row->start_ms = row->end_ms = 1500;
    row->execution_ms = 0;
    json_t *task = ask_json(fake, task_run_path(0, 3, ""));
    assert_int_equal(int_at(task, "retryAttempt"), 0);
    assert_int_equal(int_at(task, "startTime"), 1500);
    assert_int_equal(int_at(task, "endTime"), 1500);
    assert_null_at(task, "outputKey");
    assert_null_at(task, "externalId");
    assert_null_at(task, "clusterValidationStartTime");
    assert_int_equal(json_array_size(at(task, "retries")), 0);
    json_decref(task);
}

static void starts_are_counted_over_repairs(void **state)
{
    struct fake *fake = *state;
    fake->task_runs[1].attempts = 2;
    fake_add_repair(fake, "[\"b\"]");
    fake_add_task_runs(fake, 1, STATE_RUNNING);
    fake_add_attempt(fake, &fake->task_runs[5], 0);
    json_t *task = ask_json(fake, task_run_path(1, 1, ""));
    json_t *system = at(task, "systemParameters");
    assert_string_equal(json_string_value(json_object_get(system, "task.execution_count")), "3");
    assert_string_equal(json_string_value(json_object_get(system, "job.repair_count")), "1");
    assert_int_equal(int_at(task, "version"), 2);
    json_decref(task);
}

/* ---- ours ---- */

static void plans_are_shown(void **state)
{
    struct fake *fake = *state;
    static const char target[] = FAKE_BASE "/" RUN_PATH "/actions/planRepair";
    expect_error(fake, "POST", RUN_PATH "/actions/planRepair", NULL, "{}", 409, "IncorrectState",
                 "PENDING");
    fake->run.state = STATE_FAILED;
    struct ask *asked =
        ask(fake, "POST", target, NULL, "{\"parameters\":[{\"name\":\"p\",\"value\":\"2\"}]}");
    assert_string_equal(asked->response.body.data,
                        "{\"tasks\":[{\"taskKey\":\"b\",\"verdict\":\"KEEP\",\"reason\":\"kept\","
                        "\"willStart\":false,\"hazards\":[\"it read what b wrote\"]}],"
                        "\"parameters\":[{\"name\":\"p\",\"old\":null,\"new\":\"2\"}],"
                        "\"definition\":{\"version\":1,\"fromVersion\":1,\"toVersion\":1,"
                        "\"added\":[],\"removed\":[],\"rewired\":[],\"changed\":[],"
                        "\"fields\":[],\"parameters\":[]},\"gitCommits\":[],\"etag\":\"1-1\"}");
    ask_free(asked);
}

static void explanations_give_recorded_decisions(void **state)
{
    struct fake *fake = *state;
    struct uuid b = fake->task_runs[1].key;
    fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_NEW, STATE_QUEUED, 1000, "q")->decision =
        "{\"kind\":\"RUN_SLOT\"}";
    fake_add_event(fake, &b, EVENT_TASK_STATE, STATE_BLOCKED, STATE_QUEUED, 1010, "r")->decision =
        "{\"kind\":\"TRIGGER_RULE\"}";
    fake_add_event(fake, &b, EVENT_TASK_STATE, STATE_QUEUED, STATE_RUNNING, 1020, "s")->decision =
        "{}";
    json_t *why = ask_json(fake, RUN_PATH "/explanation");
    assert_string_equal(text_at(why, "run.decisions[0].kind"), "RUN_SLOT");
    assert_string_equal(text_at(why, "tasks[1].taskKey"), "b");
    assert_string_equal(text_at(why, "tasks[1].reason"), "Waiting for a");
    assert_int_equal(json_array_size(at(why, "tasks[1].decisions")), 2);
    assert_string_equal(text_at(why, "tasks[1].decisions[0].kind"), "TRIGGER_RULE");
    assert_string_equal(text_at(why, "tasks[1].decisions[0].time"), "1970-01-01T00:00:01.010Z");
    assert_string_equal(text_at(why, "tasks[1].decisions[1].time"), "1970-01-01T00:00:01.020Z");
    assert_int_equal(json_array_size(at(why, "tasks[2].decisions")), 0);
    json_decref(why);
}

static void events_go_on_behind_an_id(void **state)
{
    struct fake *fake = *state;
    for (int i = 0; i < 5; i++)
        fake_add_event(fake, NULL, EVENT_RUN_STATE, STATE_PENDING, STATE_RUNNING, 1000 + i, "e");
    json_t *events = ask_json(fake, RUN_PATH "/events?after=2&limit=3");
    assert_int_equal(json_array_size(at(events, "items")), 3);
    assert_int_equal(int_at(events, "items[0].id"), 3);
    assert_string_equal(text_at(events, "items[0].type"), "RUN_STATE");
    assert_null_at(events, "items[0].taskKey");
    json_decref(events);
    expect_error(fake, "GET", RUN_PATH "/events?after=-1", NULL, NULL, 400, "InvalidParameter",
                 "after");
}

static void expect_log(struct fake *fake, const char *rest, const char *text, const char *next)
{
    char target[512];
    snprintf(target, sizeof target, FAKE_BASE "/%s", task_run_path(0, 1, rest));
    struct ask *asked = ask(fake, "GET", target, NULL, NULL);
    assert_int_equal(asked->response.status, 200);
    assert_string_equal(asked->response.body.data ? asked->response.body.data : "", text);
    assert_string_equal(ask_header(asked, "x-reprise-next-offset"), next);
    assert_string_equal(ask_header(asked, "content-type"), "text/plain; charset=utf-8");
    ask_free(asked);
}

static void logs_are_read_in_pieces(void **state)
{
    struct fake *fake = *state;
    expect_log(fake, "/logs", "", "0"); /* nothing has started */
    fake->task_runs[1].state = STATE_RUNNING;
    fake_add_attempt(fake, &fake->task_runs[1], 0);
    expect_log(fake, "/logs?offset=7", "", "7"); /* no file yet */
    fake->output_fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(write(fake->output_fd, "hello", 5), 5);
    expect_log(fake, "/logs", "hello", "5");
    expect_log(fake, "/logs?offset=2&attempt=0&stream=stderr", "llo", "5");
    expect_log(fake, "/logs?offset=9", "", "9");
    expect_error(fake, "GET", task_run_path(0, 1, "/logs?attempt=1"), NULL, NULL, 404,
                 "NotAuthorizedOrNotFound", "Attempt");
    expect_error(fake, "GET", task_run_path(0, 1, "/logs?stream=stdin"), NULL, NULL, 400,
                 "InvalidParameter", "stream");
    close(fake->output_fd);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_of_a_run_is_there),
        TEST(a_new_run),
        TEST(long_traces_share_a_bound),
        TEST(lifecycle_states_join_up),
        TEST(history_is_cut_in_the_run_and_whole_in_its_list),
        TEST(the_place_in_line_is_the_present_one),
        TEST(a_blocked_task_says_what_it_waits_for_now),
        TEST(every_field_of_a_task_run_is_there),
        TEST(retries_are_the_newest_ten_that_started),
        TEST(a_task_that_never_started),
        TEST(an_if_else_task_has_no_attempt),
        TEST(starts_are_counted_over_repairs),
        TEST(plans_are_shown),
        TEST(explanations_give_recorded_decisions),
        TEST(events_go_on_behind_an_id),
        TEST(logs_are_read_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
