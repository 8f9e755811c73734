/* Which instances a campaign takes, makes and passes over, and from where it reruns them (RULES §10). */
#include "base/mem.h"
#include "engine/harness_campaigns.h"

static void the_range_is_inclusive_and_may_be_empty(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 4, 1, "");
    struct campaign_request request = world_over_all(world, &job, 9);
    int64_t first = world->book.runs[0]->row.plan_ms;
    request.begin_ms = first + MINUTE_MS;
    request.end_ms = first + 2 * MINUTE_MS;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RR");
    request.begin_ms = request.end_ms = first - 1;
    assert_answer(world_campaign(world, &request), ERR_INCORRECT_STATE,
                  "have no instances to rerun");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SS");
}

static void what_may_not_be_rerun_is_recorded(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct uuid by_hand = world_submit(world, &job, NULL);
    world_all_succeed(world);
    struct uuid busy = world->book.runs[1]->row.key;
    world_repair(world, &busy, NULL, NULL, NULL);
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING R--");
    assert_has(world_cell(world, &key, 1)->message, "RUNNING when the campaign was made");
    assert_same(world_cell(world, &key, 2)->run, by_hand);
    assert_has(world_cell(world, &key, 2)->message, "by hand");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS S--");
}

static void unsuccessful_ones_only_and_successful_ones_from_the_first_task(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 1, "");
    struct uuid other = world_history(world, 1, 0, "");
    struct campaign_request request = world_over_all(world, &job, 9);
    struct uuid both[] = {other};
    request.jobs = both;
    request.job_count = 1;
    request.set = CAMPAIGN_UNSUCCESSFUL;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING R");
    world_all_succeed(world);
    request.set = CAMPAIGN_ALL;
    key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RR");
    struct uuid run = world_cell(world, &key, 1)->run;
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SS");
}

static void missing_ones_are_made_and_none_twice(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 4, 0, "");
    struct uuid gone = world->book.runs[1]->row.key;
    int64_t plan_ms = world->book.runs[1]->row.plan_ms;
    int64_t begin_ms = world->book.runs[0]->row.plan_ms;
    world_delete(world, &gone);
    struct campaign_request request = world_over_all(world, &job, 9);
    request.set = CAMPAIGN_MISSING;
    request.begin_ms = begin_ms;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING R");
    assert_int_equal(world_cell(world, &key, 0)->plan_ms, plan_ms);
    world_all_succeed(world);
    const struct run_row *run = world_run(world, &world_cell(world, &key, 0)->run);
    assert_int_equal(run->plan_ms, plan_ms);
    assert_int_equal(run->instance_type, INSTANCE_SUPPLEMENT);
    assert_int_equal(run->launched, LAUNCHED_SCHEDULED);
    world_expect_cells(world, &key, "SUCCESS S");
    assert_answer(world_campaign(world, &request), ERR_INCORRECT_STATE, "no instances");
}

static void two_campaigns_make_a_missing_one_once(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 4, 0, "");
    struct uuid gone[] = {world->book.runs[1]->row.key, world->book.runs[2]->row.key};
    int64_t plan_ms = world->book.runs[2]->row.plan_ms;
    struct campaign_request request = world_over_all(world, &job, 1);
    request.set = CAMPAIGN_MISSING;
    request.begin_ms = world->book.runs[0]->row.plan_ms;
    for (size_t i = 0; i < 2; i++)
        world_delete(world, &gone[i]);
    struct uuid first = world_start_campaign(world, &request);
    world_expect_cells(world, &first, "RUNNING RW");
    struct uuid second = world_start_campaign(world, &request);
    world_expect_cells(world, &second, "RUNNING R");
    assert_int_equal(world_cell(world, &second, 0)->plan_ms, plan_ms);
    world_all_succeed(world);
    world_expect_cells(world, &first, "SUCCESS S-");
    world_expect_cells(world, &second, "SUCCESS S");
    assert_has(world_cell(world, &first, 1)->message, "has an instance by now");
}

static void a_supplement_makes_a_new_instance_for_each_time(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 0, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.kind = CAMPAIGN_SUPPLEMENT;
    request.begin_ms = world->book.runs[0]->row.plan_ms;
    request.end_ms = request.begin_ms + 2 * MINUTE_MS;
    request.reverse = true;
    request.stop_on_fail = true;
    request.name = "P_nightly";
    int64_t asked_ms = world->now_ms;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RWW");
    assert_int_equal(world_cell(world, &key, 0)->plan_ms, request.end_ms);
    assert_int_equal(world_run(world, &world_cell(world, &key, 0)->run)->submit_ms, asked_ms);
    world_finish(world, &key, 0, true);
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "FAILED SFW");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
    assert_string_equal(book_campaign(&world->book, &key)->row.name, "P_nightly");
}

static void the_version_is_the_runs_or_the_jobs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 1, "");
    const char *other = world_dag_json(world, "a; b: a; c: a", "'maxConcurrentRuns':9");
    assert_int_equal(world_update_job(world, &job, other, NULL).code, ERR_OK);
    assert_int_equal(world_update_job(world, &job, other, NULL).code, ERR_OK);
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    struct uuid run = world_cell(world, &key, 0)->run;
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    request.version = CAMPAIGN_CURRENT;
    key = world_start_campaign(world, &request);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 1);
    world_expect_cells(world, &key, "FAILED F");
    /* The original again, which neither the run nor the job holds: it is asked for. */
    request.version = CAMPAIGN_ORIGINAL;
    key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING R");
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS S");
}

static void one_node_and_what_follows_it(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 0, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.where = CAMPAIGN_FROM_NODE;
    request.task_key = "b";
    struct uuid key = world_start_campaign(world, &request);
    struct uuid run = world_cell(world, &key, 0)->run;
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_all_succeed(world);
    request.task_key = "nobody";
    key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "FAILED F");
    assert_string_equal(world_cell(world, &key, 0)->message,
                        "Could not be started: its definition has no task nobody");
}

/* RULES §10: what a definition with other tasks has done before is not what the task would build on. */
static void of_a_definition_with_other_tasks_everything_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 0, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.where = CAMPAIGN_FROM_NODE;
    request.task_key = "b";
    request.version = CAMPAIGN_CURRENT;
    const char *other = world_dag_json(world, "a; b: a; c", "'maxConcurrentRuns':9");
    assert_int_equal(world_update_job(world, &job, other, NULL).code, ERR_OK);
    struct uuid key = world_start_campaign(world, &request);
    struct uuid run = world_cell(world, &key, 0)->run;
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=RUNNING");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS S");
    request.task_key = "d";
    key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "FAILED F");
    assert_has(world_cell(world, &key, 0)->message, "no task d");
}

static const char *given_by(struct world *world, const struct uuid *key, size_t cell)
{
    return world_newest_repair(world, &world_cell(world, key, cell)->run)->parameters;
}

static void every_run_and_repair_is_given_the_parameters(void **state)
{
    static const struct param given[] = {{"day", "sunday"}, {"x.y", ""}};
    static const char json[] =
        "[{\"name\":\"day\",\"value\":\"sunday\"},{\"name\":\"x.y\",\"value\":\"\"}]";
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.parameters = (struct param_list){given, ARRAY_LEN(given)};
    struct uuid key = world_start_campaign(world, &request);
    assert_string_equal(book_campaign(&world->book, &key)->row.parameters, json);
    assert_string_equal(given_by(world, &key, 0), json);
    world_finish(world, &key, 0, false);
    assert_string_equal(given_by(world, &key, 1), json);
    world_finish(world, &key, 1, true);
    world_expect_cells(world, &key, "FAILED FS");
    struct uuid failed = world_cell(world, &key, 0)->run;
    world_repair(world, &failed, NULL, NULL, NULL); /* somebody's, which inherits them */
    assert_string_equal(given_by(world, &key, 0), "[]");
    assert_has(world_newest_repair(world, &failed)->unified, "sunday");
    world_finish(world, &key, 0, false);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    assert_string_equal(given_by(world, &key, 0), json);
    world_all_succeed(world);
    request.kind = CAMPAIGN_SUPPLEMENT;
    request.begin_ms = request.end_ms = world_run(world, &failed)->plan_ms;
    struct uuid made = world_start_campaign(world, &request);
    assert_string_equal(world_run(world, &world_cell(world, &made, 0)->run)->parameters, json);
    request.parameters = (struct param_list){NULL, 0};
    made = world_start_campaign(world, &request);
    assert_null(book_campaign(&world->book, &made)->row.parameters);
    world_all_succeed(world);
}

static void a_parameter_that_a_run_refuses_lets_its_cell_fail(void **state)
{
    static const struct param given[] = {{"a_b", "1"}};
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 1, ",'parameters':[{'name':'a.b','value':'2'}]");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.parameters = (struct param_list){given, ARRAY_LEN(given)};
    request.version = CAMPAIGN_CURRENT;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "FAILED F");
    assert_has(world_cell(world, &key, 0)->message, "Could not be started: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_run_and_repair_is_given_the_parameters),
        WORLD_TEST(a_parameter_that_a_run_refuses_lets_its_cell_fail),
        WORLD_TEST(the_range_is_inclusive_and_may_be_empty),
        WORLD_TEST(what_may_not_be_rerun_is_recorded),
        WORLD_TEST(unsuccessful_ones_only_and_successful_ones_from_the_first_task),
        WORLD_TEST(missing_ones_are_made_and_none_twice),
        WORLD_TEST(two_campaigns_make_a_missing_one_once),
        WORLD_TEST(a_supplement_makes_a_new_instance_for_each_time),
        WORLD_TEST(the_version_is_the_runs_or_the_jobs),
        WORLD_TEST(one_node_and_what_follows_it),
        WORLD_TEST(of_a_definition_with_other_tasks_everything_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
