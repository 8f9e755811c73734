/* Campaigns (RULES §10): order, window, blocking, repair of one cell, pause, resume, cancel, caps. */
#include "engine/harness_campaigns.h"

#include "base/timefmt.h"

static void a_window_goes_over_the_range_in_order(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 5, 1, "");
    struct campaign_request request = world_over_all(world, &job, 2);
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RRWWW");
    for (size_t i = 1; i < 5; i++)
        assert_true(world_cell(world, &key, i)->plan_ms > world_cell(world, &key, i - 1)->plan_ms);
    world_finish(world, &key, 1, true);
    world_expect_cells(world, &key, "RUNNING RSRWW");
    world_finish(world, &key, 0, true);
    world_finish(world, &key, 2, true);
    world_expect_cells(world, &key, "RUNNING SSSRR");
    struct uuid run = world_cell(world, &key, 4)->run;
    assert_int_equal(world_newest_repair(world, &run)->number, 1);
    assert_int_equal(world_cell(world, &key, 4)->repair_number, 1);
    world_finish(world, &key, 3, true);
    world_finish(world, &key, 4, true);
    world_expect_cells(world, &key, "SUCCESS SSSSS");
    assert_has(book_campaign(&world->book, &key)->row.message, "5 succeeded");
}

static const char *depends_on(struct world *world, const struct uuid *job, const char *more)
{
    char text[UUID_TEXT];
    return arena_printf(&world->arena, ",'dependencies':[{'jobKey':'%s'%s}]",
                        uuid_format(job, text), more);
}

static void a_failed_cell_blocks_what_depends_on_it_until_it_is_repaired(void **state)
{
    struct world *world = *state;
    struct uuid up = world_history(world, 2, 1, "");
    int64_t begin_ms = world->book.runs[0]->row.plan_ms;
    struct uuid down = world_dag(world, "a; b: a", "'maxConcurrentRuns':9");
    world_rest(world, &down,
               arena_printf(&world->arena,
                            "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC',"
                            "'pauseStatus':'PAUSED'},'maxConcurrentRuns':9%s",
                            depends_on(world, &up, "")));
    /* Its instances are made first. */
    struct campaign_request make = world_over_all(world, &down, 9);
    make.kind = CAMPAIGN_SUPPLEMENT;
    make.begin_ms = begin_ms;
    make.end_ms = begin_ms + MINUTE_MS;
    struct uuid made = world_start_campaign(world, &make);
    world_expect_cells(world, &made, "RUNNING RR");
    assert_int_equal(world_run(world, &world_cell(world, &made, 0)->run)->instance_type,
                     INSTANCE_SUPPLEMENT);
    assert_int_equal(world_run(world, &world_cell(world, &made, 0)->run)->plan_ms, begin_ms);
    world_all_succeed(world);

    struct campaign_request request = world_over_all(world, &down, 9);
    request.jobs = &up;
    request.job_count = 1;
    struct uuid key = world_start_campaign(world, &request);
    /* up, down at the first time; up, down at the second. */
    assert_same(world_cell(world, &key, 0)->job, up);
    assert_string_equal(world_cell(world, &key, 1)->needs, "[0]");
    assert_string_equal(world_cell(world, &key, 3)->needs, "[2]");
    world_expect_cells(world, &key, "RUNNING RWRW");
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "RUNNING FBRW");
    assert_has(world_cell(world, &key, 1)->message, "did not succeed");
    struct uuid failed = world_cell(world, &key, 0)->run;
    world_repair(world, &failed, NULL, NULL, NULL); /* by anyone */
    world_expect_cells(world, &key, "RUNNING RWRW");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSSS");
    assert_int_equal(world_cell(world, &key, 0)->repair_number, 2);
}

static struct uuid every_other_minute(struct world *world, const struct uuid *up)
{
    return world_dag(world, "a; b: a",
                     arena_printf(&world->arena,
                                  "'schedule':{'quartzCronExpression':'0 0/2 * * * ?',"
                                  "'timezoneId':'UTC','pauseStatus':'PAUSED'},"
                                  "'maxConcurrentRuns':9%s",
                                  depends_on(world, up, "")));
}

static const char *did_not_succeed(struct world *world, const struct campaign_cell_row *cell)
{
    char planned[TIMEFMT_TEXT];
    timefmt_rfc3339(cell->plan_ms, planned);
    return arena_printf(&world->arena, "Blocked: j of %s did not succeed", planned);
}

static void a_blocked_cell_names_one_that_still_is_in_its_way(void **state)
{
    struct world *world = *state;
    struct uuid up = world_history(world, 1, 1, "");
    int64_t minute = world->book.runs[0]->row.plan_ms / MINUTE_MS | 1;
    struct uuid down[2];
    down[0] = every_other_minute(world, &up);
    down[1] = every_other_minute(world, &down[0]);
    struct campaign_request request = world_over_all(world, &up, 9);
    request.kind = CAMPAIGN_SUPPLEMENT;
    request.jobs = down;
    request.job_count = 2;
    request.begin_ms = minute * MINUTE_MS;
    request.end_ms = request.begin_ms + MINUTE_MS;
    struct uuid key = world_start_campaign(world, &request);
    assert_string_equal(world_cell(world, &key, 2)->needs, "[0,1]");
    world_expect_cells(world, &key, "RUNNING RRWW");
    world_finish(world, &key, 0, false);
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "FAILED FFBB");
    assert_string_equal(world_cell(world, &key, 2)->message,
                        did_not_succeed(world, world_cell(world, &key, 0)));
    struct uuid first = world_cell(world, &key, 0)->run;
    world_repair(world, &first, NULL, NULL, NULL);
    world_expect_cells(world, &key, "RUNNING RFBB");
    assert_string_equal(world_cell(world, &key, 2)->message,
                        did_not_succeed(world, world_cell(world, &key, 1)));
    assert_has(world_cell(world, &key, 3)->message, "is blocked");
    world_finish(world, &key, 0, false);
    assert_string_equal(world_cell(world, &key, 2)->message,
                        did_not_succeed(world, world_cell(world, &key, 0)));
}

static void with_a_blocked_cell_it_ends_failed_and_may_be_resumed(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = world_over_all(world, &job, 3);
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RWW");
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "RUNNING SRW");
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "FAILED SFB");
    assert_has(book_campaign(&world->book, &key)->row.message, "1 failed, 1 not started");
    struct uuid first = world_cell(world, &key, 0)->run;
    int64_t version = world_run(world, &first)->version;
    assert_answer(world_act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_INCORRECT_STATE, "FAILED");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING SRW");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &first)->version, version); /* not touched again */
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_INCORRECT_STATE, "SUCCESS");
}

static void one_that_has_failed_goes_on_when_its_cell_is_repaired(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "FAILED FBB");
    struct uuid run = world_cell(world, &key, 0)->run;
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect_cells(world, &key, "RUNNING RWW");
    assert_has(book_campaign(&world->book, &key)->row.message, "Goes on");
    int64_t version = world_run(world, &run)->version;
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "FAILED FBB");
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &run)->version, version + 1);
}

static void what_was_repaired_under_pause_is_not_run_again(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    world_finish(world, &key, 0, true);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "PAUSED SFB");
    struct uuid run = world_cell(world, &key, 1)->run;
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect_cells(world, &key, "PAUSED SRW");
    int64_t version = world_run(world, &run)->version;
    world_all_succeed(world);
    world_expect_cells(world, &key, "PAUSED SSW");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &run)->version, version);
}

static void paused_it_starts_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "PAUSED SWW");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING SRW");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
}

static void cancelled_it_takes_its_runs_along_and_no_others(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 4, 1, "");
    struct campaign_request request = world_over_all(world, &job, 2);
    struct uuid key = world_start_campaign(world, &request);
    world_finish(world, &key, 0, false);
    struct uuid by_hand = world_cell(world, &key, 0)->run;
    world_repair(world, &by_hand, NULL, NULL, NULL);
    world_expect_cells(world, &key,
                       "RUNNING RRRW"); /* its own two, and one that somebody repairs */
    assert_answer(world_act(world, COMMAND_CAMPAIGN_CANCEL, &key), ERR_OK, "");
    world_expect_cells(world, &key, "CANCELED CCCC");
    world_expect(world, &by_hand, "RUNNING a=RUNNING b=BLOCKED");
    struct uuid own = world_cell(world, &key, 1)->run;
    world_expect(world, &own, "CANCELING a=CANCELING b=CANCELED");
    assert_has(world_run(world, &own)->message, "with campaign");
    world_ends(world, &own, "a", CAUSE_STOPPED);
    world_all_succeed(world);
    world_expect_cells(world, &key, "CANCELED CCCC");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_CANCEL, &key), ERR_OK, "");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_INCORRECT_STATE, "CANCELED");
    struct uuid nobody = world_submit(world, &job, NULL);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_CANCEL, &nobody),
                  ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "Rerun campaign");
    world_all_succeed(world);
}

static void a_canary_goes_alone(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, "");
    struct campaign_request request = world_over_all(world, &job, 3);
    request.canary = true;
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RWW");
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "FAILED FWW");
    assert_has(book_campaign(&world->book, &key)->row.message, "2 not started: the canary failed;");
    assert_string_equal(world_cell(world, &key, 1)->message, "Not started: the canary failed");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING RWW");
    assert_string_equal(world_cell(world, &key, 1)->message, "Waits for its turn");
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "RUNNING SRR");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
}

/* One that is left out proves nothing: the next one is the canary then. */
static void behind_a_canary_that_is_gone_the_next_goes_alone(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 4, 1, "");
    struct campaign_request request = world_over_all(world, &job, 3);
    request.canary = true;
    struct uuid key = world_start_campaign(world, &request);
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "FAILED FWWW");
    struct uuid first = world_cell(world, &key, 0)->run;
    world_delete(world, &first);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING -RWW");
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "FAILED -FWW");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_finish(world, &key, 1, true);
    world_expect_cells(world, &key, "RUNNING -SRR");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS -SSS");
}

/* RULES §4: caps of the job hold; cells queue like new runs, not ahead, and whatever the job says. */
static void cells_queue_like_new_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, "");
    world_rest(world, &job, "'maxConcurrentRuns':1,'queue':{'isEnabled':true}");
    world_advance(world, 10);
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    world_advance(world, 10);
    struct campaign_request request = world_over_all(world, &job, 2);
    request.end_ms = world->book.runs[2]->row.plan_ms;
    struct uuid key = world_start_campaign(world, &request);
    world_advance(world, 10);
    struct uuid third = world_submit(world, &job, NULL);
    world_expect_cells(world, &key, "RUNNING RRW");
    struct uuid cell0 = world_cell(world, &key, 0)->run;
    assert_has(world_run(world, &cell0)->message, "2nd in line");
    world_expect(world, &first, "RUNNING a=RUNNING b=BLOCKED");
    world_exit(world, &first, "a", 1);
    world_exit(world, &second, "a", 1);
    world_expect(world, &cell0, "RUNNING a=RUNNING b=BLOCKED");
    world_finish(world, &key, 0, true);
    world_finish(world, &key, 1, true);
    /* It came before the third cell did. */
    world_expect(world, &third, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
}

static void cells_wait_where_the_job_has_no_queue(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, "");
    world_rest(world, &job, "'maxConcurrentRuns':1");
    struct campaign_request request = world_over_all(world, &job, 3);
    struct uuid key = world_start_campaign(world, &request);
    world_expect_cells(world, &key, "RUNNING RRR");
    assert_int_equal(world->running_count, 1);
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SSS");
}

static void a_run_that_was_deleted_meanwhile_is_skipped(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    struct uuid second = world_cell(world, &key, 1)->run;
    world_delete(world, &second);
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "SUCCESS S-");
    assert_has(world_cell(world, &key, 1)->message, "deleted");
}

/* It is no rerun of the campaign's: that may be by another definition. */
static void what_somebody_else_has_started_is_waited_for_and_rerun(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 3, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.version = CAMPAIGN_CURRENT;
    request.where = CAMPAIGN_FROM_FIRST;
    world_rest(world, &job, "'maxConcurrentRuns':9");
    struct uuid key = world_start_campaign(world, &request);
    struct uuid second = world_cell(world, &key, 1)->run;
    world_repair(world, &second, NULL, NULL, NULL);
    int64_t version = world_run(world, &second)->version;
    int64_t by_hand = world_newest_repair(world, &second)->definition_version;
    assert_has(world_cell(world, &key, 1)->message, "somebody else");
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "RUNNING SWR"); /* the next one that may */
    world_finish(world, &key, 2, true);
    world_expect_cells(world, &key, "RUNNING SWS"); /* nothing runs, and it has not ended */
    world_exit(world, &second, "a", 0);
    world_exit(world, &second, "b", 0);
    world_expect_cells(world, &key, "RUNNING SRS");
    assert_int_equal(world_run(world, &second)->version, version + 1);
    assert_int_not_equal(world_newest_repair(world, &second)->definition_version, by_hand);
    world_finish(world, &key, 1, true);
    world_expect_cells(world, &key, "SUCCESS SSS");
}

static void of_two_campaigns_each_reruns_what_it_was_asked_for(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid run = world->book.runs[0]->row.key;
    struct uuid first = world_start_campaign(world, &request);
    world_exit(world, &run, "a", 1);
    world_expect_cells(world, &first, "FAILED F");
    struct uuid second = world_start_campaign(world, &request);
    /* What had failed goes on with any repair. */
    world_expect_cells(world, &first, "RUNNING R");
    world_expect_cells(world, &second, "RUNNING R");
    world_all_succeed(world);
    world_expect_cells(world, &first, "SUCCESS S");
    world_expect_cells(world, &second, "SUCCESS S");
    assert_int_equal(world_run(world, &run)->repair_number, 2);
}

/* What another campaign has asked for is its own, also where it stands for a cell of both. */
static void cancelled_it_leaves_what_another_campaign_does(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid run = world->book.runs[0]->row.key;
    struct uuid first = world_start_campaign(world, &request);
    world_finish(world, &first, 0, false);
    struct uuid second = world_start_campaign(world, &request);
    world_expect_cells(world, &first, "RUNNING R");
    assert_int_equal(world_cell(world, &first, 0)->repair_number, 2);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_CANCEL, &first), ERR_OK, "");
    world_expect_cells(world, &first, "CANCELED C");
    world_expect_cells(world, &second, "RUNNING R");
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_CANCEL, &second), ERR_OK, "");
    world_expect(world, &run, "CANCELING a=CANCELING b=CANCELED");
    world_ends(world, &run, "a", CAUSE_STOPPED);
}

static void taken_cells_do_not_keep_a_campaign_that_is_stopped(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    request.stop_on_fail = true;
    struct uuid key = world_start_campaign(world, &request);
    struct uuid second = world_cell(world, &key, 1)->run;
    world_repair(world, &second, NULL, NULL, NULL);
    world_finish(world, &key, 0, false);
    world_expect_cells(world, &key, "FAILED FW");
    assert_has(book_campaign(&world->book, &key)->row.message, "stops at the first failure");
    assert_has(world_cell(world, &key, 1)->message, "stops at the first failure");
    world_exit(world, &second, "a", 0);
    world_exit(world, &second, "b", 0);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING RW");
    assert_has(world_cell(world, &key, 1)->message, "its turn");
    world_all_succeed(world);
    world_expect_cells(world, &key, "SUCCESS SS");
    assert_int_equal(world_run(world, &second)->repair_number, 2);
}

static void while_the_server_drains_nothing_starts(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    bool always = world->crash_always;
    world->crash_always = false; /* which would end the drain */
    struct uuid run = world_cell(world, &key, 0)->run;
    world_exit(world, &run, "a", 0);
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){.attempt = 0}, NULL);
    world_exit(world, &run, "b", 1);
    world_expect_cells(world, &key, "RUNNING FW");
    world_crash(world);
    world->crash_always = always;
    world_expect_cells(world, &key, "RUNNING FR");
    world_all_succeed(world);
    world_expect_cells(world, &key, "FAILED FS");
}

static void what_is_depended_on_exists_and_forms_no_cycle(void **state)
{
    struct world *world = *state;
    struct uuid a = world_dag(world, "t", "");
    char nobody[UUID_TEXT];
    struct uuid b = world_dag(world, "t", depends_on(world, &a, "") + 1);
    struct uuid c = world_dag(world, "t", depends_on(world, &b, ",'period':'PRE_PERIOD'") + 1);
    assert_answer(world_update_job(world, &a,
                                   world_dag_json(world, "t", depends_on(world, &c, "") + 1), NULL),
                  ERR_INVALID_PARAMETER,
                  "dependencies[0].jobKey names a job that depends on this one");
    assert_answer(world_update_job(world, &a,
                                   world_dag_json(world, "t", depends_on(world, &a, "") + 1), NULL),
                  ERR_INVALID_PARAMETER, "dependsOnPreviousRun");
    struct uuid run = world_submit(world, &a, NULL);
    const char *missing =
        arena_printf(&world->arena, "'dependencies':[{'jobKey':'%s'}]", uuid_format(&run, nobody));
    assert_answer(world_update_job(world, &a, world_dag_json(world, "t", missing), NULL),
                  ERR_INVALID_PARAMETER, "names no job of the workspace");
    world_all_succeed(world);
}

/* Resumed, what failed waits for its turn; who repairs it meanwhile has done the work. */
static void what_has_since_succeeded_is_not_run_again(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 1, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct uuid key = world_start_campaign(world, &request);
    world_finish(world, &key, 0, false);
    world_finish(world, &key, 1, false);
    world_expect_cells(world, &key, "FAILED FF");
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_expect_cells(world, &key, "RUNNING RW");
    struct uuid second = world_cell(world, &key, 1)->run;
    world_repair(world, &second, NULL, NULL, NULL);
    world_exit(world, &second, "a", 0);
    world_exit(world, &second, "b", 0);
    int64_t version = world_run(world, &second)->version;
    world_expect_cells(world, &key, "RUNNING RW");
    world_finish(world, &key, 0, true);
    world_expect_cells(world, &key, "SUCCESS SS");
    assert_has(world_cell(world, &key, 1)->message, "since succeeded");
    assert_int_equal(world_run(world, &second)->version, version);
}

/* Two at the end need all the others: each is looked at once for all that start again, and once for the one that runs. */
static void what_failed_starts_again_together(void **state)
{
    enum { COUNT = 40, BEHIND = 2 };
    struct world *world = *state;
    struct uuid job = world_history(world, 1, 0, "");
    struct planned_cell cells[COUNT + BEHIND];
    struct buf needs;
    const char *name = "job";
    buf_init(&needs, 1000);
    for (int i = 0; i < COUNT; i++)
        buf_printf(&needs, "%s%d", i ? "," : "[", i);
    buf_putc(&needs, ']');
    for (int i = 0; i < COUNT + BEHIND; i++)
        cells[i] = (struct planned_cell){.job = job,
                                         .plan_ms = world->now_ms + (i + 1) * MINUTE_MS,
                                         .needs = i < COUNT ? "[]" : needs.data,
                                         .follows = "[]"};
    struct command command = {.kind = COMMAND_CAMPAIGN_CREATE, .key = job};
    command.campaign = (struct campaign_order){
        .request = world_over_all(world, &job, 1),
        .plan = {.jobs = &job,
                 .job_names = &name,
                 .job_count = 1,
                 .cells = cells,
                 .cell_count = COUNT + BEHIND},
    };
    command.campaign.request.kind = CAMPAIGN_SUPPLEMENT;
    struct uuid key = world_command(world, &command).key;
    for (size_t i = 0; i < COUNT; i++)
        world_finish(world, &key, i, false);
    assert_has(world_cells(world, &key), "FAILED FFF");
    assert_has(world_cells(world, &key), "FBB");
    uint64_t before = engine_links_reviewed(world->engine);
    assert_answer(world_act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    assert_has(world_cells(world, &key), "RUNNING RWW");
    assert_has(world_cells(world, &key), "WWW");
    assert_in_range(engine_links_reviewed(world->engine) - before, 1, 2 * BEHIND * COUNT);
    buf_release(&needs);
}

static void what_is_no_position_is_left_out(void **state)
{
    struct world *world = *state;
    uint32_t count = 0;
    const uint32_t *items =
        campaign_positions_load("[2,\"1\",2.5,null,3,-1,1]", 3, &world->arena, &count);
    assert_int_equal(count, 2);
    assert_int_equal(items[0], 2);
    assert_int_equal(items[1], 1);
}

/* Two that are asked for in one batch know nothing of each other before the step. */
static void one_that_is_to_be_alone_is(void **state)
{
    struct world *world = *state;
    struct uuid job = world_history(world, 2, 0, "");
    struct campaign_request request = world_over_all(world, &job, 1);
    struct command command = {.kind = COMMAND_CAMPAIGN_CREATE, .key = job, .name_is_unique = true};
    struct planned_cell cell = {.job = job, .plan_ms = MINUTE_MS, .needs = "[]", .follows = "[]"};
    const char *name = "job";
    request.kind = CAMPAIGN_SUPPLEMENT;
    request.name = "first";
    command.campaign = (struct campaign_order){
        .request = request,
        .plan = {
            .jobs = &job, .job_names = &name, .job_count = 1, .cells = &cell, .cell_count = 1}};
    struct command_result first = world_command(world, &command);
    assert_answer(first, ERR_OK, "");
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER, "first is going on");
    command.campaign.request.name = "second";
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER, "first is going on");
    command.name_is_unique = false;
    assert_answer(world_command(world, &command), ERR_OK, "");
    assert_int_equal(world_act(world, COMMAND_CAMPAIGN_CANCEL, &first.key).code, ERR_OK);
    command.name_is_unique = true;
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER, "second is going on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_window_goes_over_the_range_in_order),
        WORLD_TEST(a_failed_cell_blocks_what_depends_on_it_until_it_is_repaired),
        WORLD_TEST(a_blocked_cell_names_one_that_still_is_in_its_way),
        WORLD_TEST(with_a_blocked_cell_it_ends_failed_and_may_be_resumed),
        WORLD_TEST(one_that_has_failed_goes_on_when_its_cell_is_repaired),
        WORLD_TEST(what_was_repaired_under_pause_is_not_run_again),
        WORLD_TEST(paused_it_starts_nothing),
        WORLD_TEST(cancelled_it_takes_its_runs_along_and_no_others),
        WORLD_TEST(a_canary_goes_alone),
        WORLD_TEST(behind_a_canary_that_is_gone_the_next_goes_alone),
        WORLD_TEST(cells_queue_like_new_runs),
        WORLD_TEST(cells_wait_where_the_job_has_no_queue),
        WORLD_TEST(a_run_that_was_deleted_meanwhile_is_skipped),
        WORLD_TEST(what_somebody_else_has_started_is_waited_for_and_rerun),
        WORLD_TEST(of_two_campaigns_each_reruns_what_it_was_asked_for),
        WORLD_TEST(cancelled_it_leaves_what_another_campaign_does),
        WORLD_TEST(taken_cells_do_not_keep_a_campaign_that_is_stopped),
        WORLD_TEST(while_the_server_drains_nothing_starts),
        WORLD_TEST(what_is_depended_on_exists_and_forms_no_cycle),
        WORLD_TEST(what_has_since_succeeded_is_not_run_again),
        cmocka_unit_test_setup_teardown(what_failed_starts_again_together, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_position_is_left_out, world_setup,
                                        world_teardown),
        WORLD_TEST(one_that_is_to_be_alone_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
