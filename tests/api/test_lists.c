/* Lists: filters, order, and pages that cannot be forged or taken elsewhere. */
#include "api/fake.h"

#include <stdio.h>
#include <string.h>

/* The token of the next page of a list, to be freed. */
static char *next_page(struct fake *fake, const char *path)
{
    char target[1024];
    snprintf(target, sizeof target, FAKE_BASE "/%s", path);
    struct ask *asked = ask(fake, "GET", target, NULL, NULL);
    assert_int_equal(asked->response.status, 200);
    char *page = xstrdup(ask_header(asked, "opc-next-page"));
    ask_free(asked);
    return page;
}

static void go_to(struct fake *fake, const char *path, const char *page, int status)
{
    char target[2048];
    snprintf(target, sizeof target, FAKE_BASE "/%s%spage=%s", path, strchr(path, '?') ? "&" : "?",
             page);
    struct ask *asked = ask(fake, "GET", target, NULL, NULL);
    if (asked->response.status != status)
        fail_msg("%s: %d", target, asked->response.status);
    if (status == 400)
        assert_non_null(strstr(text_at(asked->json, "message"), "page"));
    ask_free(asked);
}

static void orders_have_their_defaults(void **state)
{
    struct fake *fake = *state;
    static const struct {
        const char *query;
        enum store_sort sort;
        bool ascending;
    } rows[] = {
        {"jobRuns", SORT_TIME_CREATED, false},
        {"jobRuns?sortOrder=ASC", SORT_TIME_CREATED, true},
        {"jobRuns?sortBy=displayName", SORT_DISPLAY_NAME, true},
        {"jobRuns?sortBy=status", SORT_STATUS, true},
        {"jobRuns?sortBy=status&sortOrder=DESC", SORT_STATUS, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_decref(ask_json(fake, rows[i].query));
        assert_int_equal(fake->order.sort, rows[i].sort);
        assert_int_equal(fake->order.ascending, rows[i].ascending);
        assert_int_equal(fake->order.limit, 100);
        assert_false(fake->cursor.is_set);
    }
}

static void filters_of_runs(void **state)
{
    struct fake *fake = *state;
    struct uuid job = fake_key(FAKE_JOB);
    json_decref(ask_json(fake, "jobRuns?jobKey=" FAKE_JOB "&jobKey=x&status=FAILED&status=RUNNING"
                               "&displayName=a+b%20c&timeCreatedGreaterThanOrEqualTo="
                               "1970-01-01T00:00:01Z&timeCreatedLessThanOrEqualTo="
                               "1970-01-01T02:00:02+02:00&limit=7"));
    const struct run_filter *filter = &fake->run_filter;
    assert_int_equal(filter->job_count, 2);
    assert_true(uuid_equal(&filter->jobs[0], &job));
    assert_true(uuid_is_nil(&filter->jobs[1])); /* still filters: it names nothing */
    assert_int_equal(filter->states, 1U << STATE_FAILED | 1U << STATE_RUNNING);
    assert_string_equal(filter->display_name, "a b c");
    assert_int_equal(filter->created_from_ms, 1000);
    assert_int_equal(filter->created_to_ms, 2000);
    assert_int_equal(fake->order.limit, 7);
    json_decref(ask_json(fake, "jobRuns"));
    assert_int_equal(fake->run_filter.job_count, 0);
    assert_int_equal(fake->run_filter.created_from_ms, FIELD_NULL);
}

static void statuses_take_every_state(void **state)
{
    struct fake *fake = *state;
    for (int i = 0; i < STATE_COUNT; i++) {
        char path[256];
        snprintf(path, sizeof path, "jobRuns?status=%s", state_names[i]);
        json_decref(ask_json(fake, path));
        assert_int_equal(fake->run_filter.states, 1U << i);
        snprintf(path, sizeof path, "taskRuns?jobRunKey=%s&status=%s", FAKE_RUN, state_names[i]);
        json_decref(ask_json(fake, path));
    }
}

static void filters_of_jobs(void **state)
{
    struct fake *fake = *state;
    json_t *jobs = ask_json(fake, "jobs?displayNameContains=e&path=%2Fa&createdBy=ada&updatedBy=b");
    assert_string_equal(fake->job_filter.display_name_contains, "e");
    assert_string_equal(fake->job_filter.path, "/a");
    assert_string_equal(fake->job_filter.created_by, "ada");
    assert_string_equal(text_at(jobs, "items[0].key"), FAKE_JOB);
    json_decref(jobs);
}

static void recent_runs_need_jobs(void **state)
{
    struct fake *fake = *state;
    char path[8192] = "recentJobRuns?recordCount=3&jobKey=" FAKE_JOB "&jobKey=" FAKE_JOB;
    json_decref(ask_json(fake, path));
    assert_int_equal(fake->job_count, 1);
    assert_int_equal(fake->per_job, 3);
    assert_int_equal(fake->order.limit, 10);
    expect_error(fake, "GET", "recentJobRuns?jobKey=x&limit=26", NULL, NULL, 400,
                 "InvalidParameter", "limit");
    expect_error(fake, "GET", "recentJobRuns?jobKey=x&recordCount=11", NULL, NULL, 400,
                 "InvalidParameter", "recordCount");
    expect_error(fake, "GET", "recentJobRuns?jobKey=x&recordCount=0", NULL, NULL, 400,
                 "InvalidParameter", "recordCount");
    expect_error(fake, "GET", "recentJobRuns", NULL, NULL, 400, "MissingParameter", "jobKey");
    size_t len = (size_t)snprintf(path, sizeof path, "recentJobRuns?jobKey=x");
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(path + len, sizeof path - len,
                                "&jobKey=01900000-0000-7000-8000-0000000001%02d", i % 100);
    path[len] = '\0';
    expect_error(fake, "GET", path, NULL, NULL, 400, "InvalidParameter", "100");
}

/* ---- pages ---- */

static void a_page_goes_on_where_the_one_before_ended(void **state)
{
    struct fake *fake = *state;
    fake->more = true;
    char *page = next_page(fake, "jobRuns?sortBy=displayName&limit=5");
    go_to(fake, "jobRuns?sortBy=displayName&limit=9", page,
          200); /* a page may be of another size */
    assert_true(fake->cursor.is_set);
    assert_string_equal(fake->cursor.name, "etl");
    assert_int_equal(fake->cursor.status, STATE_RUNNING);
    assert_true(uuid_equal(&fake->cursor.key, &fake->run.key));
    assert_true(uuid_equal(&fake->cursor.as_of, &fake->job.key));
    assert_int_equal(fake->cursor.as_of_event, 77);
    assert_int_equal(fake->order.limit, 9);
    free(page);
}

static void a_page_belongs_to_its_list_alone(void **state)
{
    struct fake *fake = *state;
    fake->more = true;
    char *page = next_page(fake, "jobRuns?status=FAILED");
    go_to(fake, "jobRuns?status=FAILED", page, 200);
    go_to(fake, "jobRuns?status=RUNNING", page, 400);
    go_to(fake, "jobRuns", page, 400);
    go_to(fake, "jobRuns?status=FAILED&sortBy=status", page, 400);
    go_to(fake, "jobRuns?status=FAILED&sortOrder=ASC", page, 400);
    go_to(fake, "jobs", page, 400);
    go_to(fake, "recentJobRuns?jobKey=x", page, 400);
    go_to(fake, "taskRuns?jobRunKey=" FAKE_RUN, page, 400);
    free(page);
}

static void a_forged_page_is_refused(void **state)
{
    struct fake *fake = *state;
    static const char *const bad[] = {"x", "AAAA", "%20", "=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    fake->more = true;
    char *page = next_page(fake, "jobRuns");
    for (size_t i = 0; i < strlen(page); i++) {
        char kept = page[i];
        page[i] = kept == 'A' ? 'B' : 'A';
        go_to(fake, "jobRuns", page, 400);
        page[i] = kept;
    }
    go_to(fake, "jobRuns", page, 200);
    page[strlen(page) - 1] = '\0';
    go_to(fake, "jobRuns", page, 400);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        go_to(fake, "jobRuns", bad[i], 400);
    free(page);
}

/* ---- task runs of a run ---- */

static void expect_tasks(struct fake *fake, const char *query, const char *keys)
{
    char path[512];
    char found[64] = "";
    snprintf(path, sizeof path, "taskRuns?jobRunKey=" FAKE_RUN "%s", query);
    json_t *list = ask_json(fake, path);
    size_t i;
    json_t *item;
    json_array_foreach (at(list, "items"), i, item)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s",
                 text_at(item, "taskKey"));
    if (strcmp(found, keys) != 0)
        fail_msg("%s: wanted %s, found %s", query, keys, found);
    json_decref(list);
}

static void task_runs_are_filtered_and_sorted(void **state)
{
    struct fake *fake = *state;
    fake->task_runs[0].state = STATE_SUCCESS;
    fake->task_runs[2].created_ms = 5000;
    expect_tasks(fake, "", "cabd");
    expect_tasks(fake, "&sortOrder=ASC", "abdc");
    expect_tasks(fake, "&sortBy=displayName", "abcd");
    expect_tasks(fake, "&sortBy=displayName&sortOrder=DESC", "dcba");
    expect_tasks(fake, "&sortBy=status", "cbda");
    expect_tasks(fake, "&status=SUCCESS", "a");
    expect_tasks(fake, "&displayName=b", "b");
    expect_tasks(fake, "&displayName=e", "");
    expect_tasks(fake, "&rootJobRunKey=" FAKE_RUN, "cabd");
    expect_tasks(fake, "&rootJobRunKey=" FAKE_JOB, "");
    expect_tasks(fake, "&parentJobRunKey=" FAKE_RUN, "");
    expect_error(fake, "GET", "taskRuns?jobRunKey=x", NULL, NULL, 404, "NotAuthorizedOrNotFound",
                 "Job run");
    expect_error(fake, "GET", "taskRuns?jobRunKey=" FAKE_RUN "&repairKey=1", NULL, NULL, 400,
                 "InvalidParameter", "repairKey");
}

static void task_runs_of_an_earlier_attempt(void **state)
{
    struct fake *fake = *state;
    fake->task_runs[1].state = STATE_FAILED;
    fake_add_repair(fake, "[\"b\"]");
    fake_add_task_runs(fake, 1, STATE_RUNNING);
    expect_tasks(fake, "&status=FAILED", "");
    expect_tasks(fake, "&status=FAILED&repairKey=0", "b");
    expect_tasks(fake, "&status=RUNNING&repairKey=1&sortBy=displayName", "abcd");
}

/* Between two pages a task moves and the run is repaired: the second page does not see it. */
static void pages_of_task_runs_are_as_of_the_first(void **state)
{
    struct fake *fake = *state;
    char *page = next_page(fake, "taskRuns?jobRunKey=" FAKE_RUN "&sortBy=status&limit=2");
    char query[512];
    struct event_row *event = fake_add_event(fake, &fake->task_runs[0].key, EVENT_TASK_STATE,
                                             STATE_NEW, STATE_BLOCKED, 1000, "made");
    event->number = 1;
    fake_add_event(fake, &fake->task_runs[0].key, EVENT_TASK_STATE, STATE_BLOCKED, STATE_SUCCESS,
                   2000, "moved");
    fake->task_runs[0].state = STATE_SUCCESS;
    fake->task_runs[0].last_event = 3;
    fake_add_repair(fake, "[\"a\"]");
    fake_add_task_runs(fake, 1, STATE_RUNNING);
    snprintf(query, sizeof query, "&sortBy=status&limit=2&page=%s", page);
    expect_tasks(fake, query, "cd");
    free(page);
}

static void operations_are_listed(void **state)
{
    struct fake *fake = *state;
    static const char base[] = "/20260430/aiDataPlatforms/" FAKE_PLATFORM "/asyncOperations";
    struct ask *asked = ask(fake, "GET", base, NULL, NULL);
    assert_int_equal(asked->response.status, 200);
    assert_string_equal(text_at(asked->json, "items[0].status"), "SUCCEEDED");
    ask_free(asked);
    char target[256];
    snprintf(target, sizeof target, "%s/01900000-0000-7000-8000-0000000000ff", base);
    asked = ask(fake, "GET", target, NULL, NULL);
    assert_string_equal(text_at(asked->json, "resourceKey"), FAKE_RUN);
    ask_free(asked);
    snprintf(target, sizeof target, "%s/x", base);
    expect_error(fake, "GET", target, NULL, NULL, 404, "NotAuthorizedOrNotFound", "Operation");
    fake->role = -1;
    expect_error(fake, "GET", "/20260430/aiDataPlatforms/x/asyncOperations", NULL, NULL, 404,
                 "NotAuthorizedOrNotFound", "Platform");
}

/* 02:00 to 02:59 comes twice in Berlin, and the second one counts: who is asked within the first is not to begin there. */
static void the_next_times_are_those_of_the_schedule(void **state)
{
    static const struct {
        int64_t cursor_ms, now_ms;
        const char *wanted;
    } cases[] = {
        {1761435900000 /* 2025-10-25T23:45:00Z */, 1761438600000, "2025-10-26T01:00:00.000Z"},
        {1761435900000, 1761436800000, "2025-10-26T01:00:00.000Z"},
        {1761440400000, 1761440400000, "2025-10-26T01:15:00.000Z"},
        {1761000000000, 1761438600000, "2025-10-26T01:00:00.000Z"}, /* far behind: about to fire */
        {1761440400000, 1761438600000, "2025-10-26T01:15:00.000Z"}, /* the clock was ahead */
    };
    static struct schedule schedule = {
        .pause_status = PAUSE_UNPAUSED,
        .quartz_cron_expression = "0 */15 * * * ?",
        .timezone_id = "Europe/Berlin",
        .missed_run_policy = FIELD_UNSET,
        .start_ms = FIELD_NULL,
        .end_ms = FIELD_NULL,
        .is_once = FIELD_UNSET,
    };
    struct fake *fake = *state;
    fake->def->details.schedule = &schedule;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake->now_ms = cases[i].now_ms;
        fake->schedule = (struct schedule_row){
            .active = 1, .kind = SCHEDULE_CRON, .cursor_ms = cases[i].cursor_ms};
        json_t *job = ask_json(fake, "jobs/" FAKE_JOB), *list = ask_json(fake, "jobs");
        assert_string_equal(text_at(job, "nextRunTimes[0]"), cases[i].wanted);
        assert_string_equal(text_at(list, "items[0].nextRunTime"), cases[i].wanted);
        json_decref(job);
        json_decref(list);
        struct ask *asked = ask(fake, "GET", "/v2/" FAKE_PROJECT "/factory/jobs",
                                "workspace: 0190000000007000800000000000000a", NULL);
        assert_string_equal(text_at(asked->json, "jobs[0].next_plan_time"), cases[i].wanted);
        ask_free(asked);
    }
    fake->def->details.schedule = NULL;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(orders_have_their_defaults),
        TEST(filters_of_runs),
        TEST(statuses_take_every_state),
        TEST(filters_of_jobs),
        TEST(recent_runs_need_jobs),
        TEST(a_page_goes_on_where_the_one_before_ended),
        TEST(a_page_belongs_to_its_list_alone),
        TEST(a_forged_page_is_refused),
        TEST(task_runs_are_filtered_and_sorted),
        TEST(task_runs_of_an_earlier_attempt),
        TEST(pages_of_task_runs_are_as_of_the_first),
        TEST(operations_are_listed),
        TEST(the_next_times_are_those_of_the_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
