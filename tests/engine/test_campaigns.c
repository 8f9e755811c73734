/* Campaigns (RULES §10): order, window, blocking, repair of one cell, pause, resume, cancel, caps. */
#include <stdio.h>

#include "base/buf.h"
#include "engine/harness.h"

enum { MINUTE_MS = 60 * 1000 };

#define MINUTELY                                                            \
    "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC'}," \
    "'maxConcurrentRuns':9"
#define QUEUE "'queue':{'isEnabled':true}"

/* Whole minutes from here on. */
static void to_the_minute(struct world *world)
{
    world_advance(world, MINUTE_MS - world->now_ms % MINUTE_MS);
}

/* Minutes pass, and each run that they fire ends with that code, newest first when several jobs. */
static void minutes_pass(struct world *world, int minutes, int64_t code)
{
    struct attempt_outcome outcome = {
        .cause = CAUSE_EXITED, .exit_code = code, .ended_ms = FIELD_NULL};
    for (int i = 0; i < minutes; i++) {
        world_advance(world, MINUTE_MS);
        while (world->running_count > 0) {
            struct attempt_ref ref = world->running[0].ref;
            world->running[0] = world->running[--world->running_count];
            world_report(world, ENGINE_OUTCOME, ref, &outcome);
        }
    }
}

static void rest(struct world *world, const struct uuid *job, const char *more)
{
    const char *json = world_dag_json(world, "a; b: a", more);
    assert_int_equal(world_update_job(world, job, json, NULL).code, ERR_OK);
}

/* A job with so many instances, one a minute, whose schedule rests by now; `more` of it since then. */
static struct uuid history(struct world *world, int minutes, int64_t code, const char *more)
{
    to_the_minute(world);
    struct uuid job = world_dag(world, "a; b: a", MINUTELY);
    minutes_pass(world, minutes, code);
    rest(world, &job,
         arena_printf(&world->arena,
                      "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC',"
                      "'pauseStatus':'PAUSED'},'maxConcurrentRuns':9%s",
                      more));
    return job;
}

static struct campaign_request over_all(const struct world *world, const struct uuid *job,
                                        int64_t concurrent)
{
    return (struct campaign_request){
        .job = *job,
        .begin_ms = 0,
        .end_ms = world->now_ms,
        .concurrent = concurrent,
        .where = CAMPAIGN_FROM_ERROR,
    };
}

static struct uuid campaign(struct world *world, const struct campaign_request *request)
{
    struct command_result result = world_campaign(world, request);
    assert_answer(result, ERR_OK, "");
    return result.key;
}

static struct command_result act(struct world *world, enum command_kind kind,
                                 const struct uuid *key)
{
    struct command command = {.kind = kind, .key = *key};
    return world_command(world, &command);
}

/* "RUNNING SRW-": one letter a cell, W waits, B blocked, R runs, S succeeded, F failed, - skipped,
 * C cancelled. */
static const char *picture(struct world *world, const struct uuid *key)
{
    static const char letters[CAMPAIGN_CELL_STATE_COUNT] = {
        [CELL_WAITING] = 'W', [CELL_BLOCKED] = 'B', [CELL_RUNNING] = 'R', [CELL_SUCCESS] = 'S',
        [CELL_FAILED] = 'F',  [CELL_SKIPPED] = '-', [CELL_CANCELED] = 'C'};
    const struct booked_campaign *booked = book_campaign(&world->book, key);
    struct buf text;
    buf_init(&text, 100000);
    buf_printf(&text, "%s ", campaign_state_names[booked->row.state]);
    for (size_t i = 0; i < booked->cell_count; i++)
        buf_putc(&text, letters[booked->cells[i].state]);
    const char *copy = arena_memdup(&world->arena, text.data, text.len);
    buf_release(&text);
    return copy;
}
#define expect(world, key, text) assert_string_equal(picture((world), (key)), (text))

static const struct campaign_cell_row *cell(struct world *world, const struct uuid *key, size_t at)
{
    return &book_campaign(&world->book, key)->cells[at];
}

/* Ends both tasks of the cell's run well, or the first one badly. */
static void finish(struct world *world, const struct uuid *key, size_t at, bool well)
{
    struct uuid run = cell(world, key, at)->run;
    world_exit(world, &run, "a", well ? 0 : 1);
    if (well)
        world_exit(world, &run, "b", 0);
}

static void a_window_goes_over_the_range_in_order(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 5, 1, "");
    struct campaign_request request = over_all(world, &job, 2);
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RRWWW");
    for (size_t i = 1; i < 5; i++)
        assert_true(cell(world, &key, i)->plan_ms > cell(world, &key, i - 1)->plan_ms);
    finish(world, &key, 1, true);
    expect(world, &key, "RUNNING RSRWW");
    finish(world, &key, 0, true);
    finish(world, &key, 2, true);
    expect(world, &key, "RUNNING SSSRR");
    struct uuid run = cell(world, &key, 4)->run;
    assert_int_equal(world_newest_repair(world, &run)->number, 1);
    assert_int_equal(cell(world, &key, 4)->repair_number, 1);
    finish(world, &key, 3, true);
    finish(world, &key, 4, true);
    expect(world, &key, "SUCCESS SSSSS");
    assert_has(book_campaign(&world->book, &key)->row.message, "5 succeeded");
}

static void the_range_is_inclusive_and_may_be_empty(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 4, 1, "");
    struct campaign_request request = over_all(world, &job, 9);
    int64_t first = world->book.runs[0]->row.plan_ms;
    request.begin_ms = first + MINUTE_MS;
    request.end_ms = first + 2 * MINUTE_MS;
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RR");
    request.begin_ms = request.end_ms = first - 1;
    assert_answer(world_campaign(world, &request), ERR_INCORRECT_STATE,
                  "have no instances to rerun");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SS");
}

static void what_may_not_be_rerun_is_recorded(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 2, 1, "");
    struct uuid by_hand = world_submit(world, &job, NULL);
    world_all_succeed(world);
    struct uuid busy = world->book.runs[1]->row.key;
    world_repair(world, &busy, NULL, NULL, NULL);
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING R--");
    assert_has(cell(world, &key, 1)->message, "RUNNING when the campaign was made");
    assert_same(cell(world, &key, 2)->run, by_hand);
    assert_has(cell(world, &key, 2)->message, "by hand");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS S--");
}

static void unsuccessful_ones_only_and_successful_ones_from_the_first_task(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 1, 1, "");
    struct uuid other = history(world, 1, 0, "");
    struct campaign_request request = over_all(world, &job, 9);
    struct uuid both[] = {other};
    request.jobs = both;
    request.job_count = 1;
    request.set = CAMPAIGN_UNSUCCESSFUL;
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING R");
    world_all_succeed(world);
    request.set = CAMPAIGN_ALL;
    key = campaign(world, &request);
    expect(world, &key, "RUNNING RR");
    struct uuid run = cell(world, &key, 1)->run;
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SS");
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
    struct uuid up = history(world, 2, 1, "");
    int64_t begin_ms = world->book.runs[0]->row.plan_ms;
    struct uuid down = world_dag(world, "a; b: a", "'maxConcurrentRuns':9");
    rest(world, &down,
         arena_printf(&world->arena,
                      "'schedule':{'quartzCronExpression':'0 * * * * ?','timezoneId':'UTC',"
                      "'pauseStatus':'PAUSED'},'maxConcurrentRuns':9%s",
                      depends_on(world, &up, "")));
    /* Its instances are made first. */
    struct campaign_request make = over_all(world, &down, 9);
    make.kind = CAMPAIGN_SUPPLEMENT;
    make.begin_ms = begin_ms;
    make.end_ms = begin_ms + MINUTE_MS;
    struct uuid made = campaign(world, &make);
    expect(world, &made, "RUNNING RR");
    assert_int_equal(world_run(world, &cell(world, &made, 0)->run)->instance_type,
                     INSTANCE_SUPPLEMENT);
    assert_int_equal(world_run(world, &cell(world, &made, 0)->run)->plan_ms, begin_ms);
    world_all_succeed(world);

    struct campaign_request request = over_all(world, &down, 9);
    request.jobs = &up;
    request.job_count = 1;
    struct uuid key = campaign(world, &request);
    /* up, down at the first time; up, down at the second. */
    assert_same(cell(world, &key, 0)->job, up);
    assert_string_equal(cell(world, &key, 1)->needs, "[0]");
    assert_string_equal(cell(world, &key, 3)->needs, "[2]");
    expect(world, &key, "RUNNING RWRW");
    finish(world, &key, 0, false);
    expect(world, &key, "RUNNING FBRW");
    assert_has(cell(world, &key, 1)->message, "did not succeed");
    struct uuid failed = cell(world, &key, 0)->run;
    world_repair(world, &failed, NULL, NULL, NULL); /* by anyone */
    expect(world, &key, "RUNNING RWRW");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSSS");
    assert_int_equal(cell(world, &key, 0)->repair_number, 2);
}

static void with_a_blocked_cell_it_ends_failed_and_may_be_resumed(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = over_all(world, &job, 3);
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RWW");
    finish(world, &key, 0, true);
    expect(world, &key, "RUNNING SRW");
    finish(world, &key, 1, false);
    expect(world, &key, "FAILED SFB");
    assert_has(book_campaign(&world->book, &key)->row.message, "1 failed, 1 not started");
    struct uuid first = cell(world, &key, 0)->run;
    int64_t version = world_run(world, &first)->version;
    assert_answer(act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_INCORRECT_STATE, "FAILED");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    expect(world, &key, "RUNNING SRW");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &first)->version, version); /* not touched again */
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_INCORRECT_STATE, "SUCCESS");
}

static void one_that_has_failed_goes_on_when_its_cell_is_repaired(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    finish(world, &key, 0, false);
    expect(world, &key, "FAILED FBB");
    struct uuid run = cell(world, &key, 0)->run;
    world_repair(world, &run, NULL, NULL, NULL);
    expect(world, &key, "RUNNING RWW");
    assert_has(book_campaign(&world->book, &key)->row.message, "Goes on");
    int64_t version = world_run(world, &run)->version;
    finish(world, &key, 0, false);
    expect(world, &key, "FAILED FBB");
    world_repair(world, &run, NULL, NULL, NULL);
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &run)->version, version + 1);
}

static void what_was_repaired_under_pause_is_not_run_again(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, ",'dependsOnPreviousRun':true");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    finish(world, &key, 0, true);
    assert_answer(act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    finish(world, &key, 1, false);
    expect(world, &key, "PAUSED SFB");
    struct uuid run = cell(world, &key, 1)->run;
    world_repair(world, &run, NULL, NULL, NULL);
    expect(world, &key, "PAUSED SRW");
    int64_t version = world_run(world, &run)->version;
    world_all_succeed(world);
    expect(world, &key, "PAUSED SSW");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
    assert_int_equal(world_run(world, &run)->version, version);
}

static void paused_it_starts_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, "");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    assert_answer(act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    finish(world, &key, 0, true);
    expect(world, &key, "PAUSED SWW");
    assert_answer(act(world, COMMAND_CAMPAIGN_PAUSE, &key), ERR_OK, "");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    expect(world, &key, "RUNNING SRW");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
}

static void cancelled_it_takes_its_runs_along_and_no_others(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 4, 1, "");
    struct campaign_request request = over_all(world, &job, 2);
    struct uuid key = campaign(world, &request);
    finish(world, &key, 0, false);
    struct uuid by_hand = cell(world, &key, 0)->run;
    world_repair(world, &by_hand, NULL, NULL, NULL);
    expect(world, &key, "RUNNING RRRW"); /* its own two, and one that somebody repairs */
    assert_answer(act(world, COMMAND_CAMPAIGN_CANCEL, &key), ERR_OK, "");
    expect(world, &key, "CANCELED CCCC");
    world_expect(world, &by_hand, "RUNNING a=RUNNING b=BLOCKED");
    struct uuid own = cell(world, &key, 1)->run;
    world_expect(world, &own, "CANCELING a=CANCELING b=CANCELED");
    assert_has(world_run(world, &own)->message, "with campaign");
    world_ends(world, &own, "a", CAUSE_STOPPED);
    world_all_succeed(world);
    expect(world, &key, "CANCELED CCCC");
    assert_answer(act(world, COMMAND_CAMPAIGN_CANCEL, &key), ERR_OK, "");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_INCORRECT_STATE, "CANCELED");
    struct uuid nobody = world_submit(world, &job, NULL);
    assert_answer(act(world, COMMAND_CAMPAIGN_CANCEL, &nobody), ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                  "Rerun campaign");
    world_all_succeed(world);
}

static void a_canary_goes_alone(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, "");
    struct campaign_request request = over_all(world, &job, 3);
    request.canary = true;
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RWW");
    finish(world, &key, 0, false);
    expect(world, &key, "FAILED FWW");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    expect(world, &key, "RUNNING RWW");
    finish(world, &key, 0, true);
    expect(world, &key, "RUNNING SRR");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
}

/* RULES §4: caps of the job hold; cells queue like new runs, not ahead, and whatever the job says. */
static void cells_queue_like_new_runs(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, "");
    rest(world, &job, "'maxConcurrentRuns':1," QUEUE);
    world_advance(world, 10);
    struct uuid first = world_submit(world, &job, NULL);
    struct uuid second = world_submit(world, &job, NULL);
    world_advance(world, 10);
    struct campaign_request request = over_all(world, &job, 2);
    request.end_ms = world->book.runs[2]->row.plan_ms;
    struct uuid key = campaign(world, &request);
    world_advance(world, 10);
    struct uuid third = world_submit(world, &job, NULL);
    expect(world, &key, "RUNNING RRW");
    struct uuid cell0 = cell(world, &key, 0)->run;
    assert_has(world_run(world, &cell0)->message, "2nd in line");
    world_expect(world, &first, "RUNNING a=RUNNING b=BLOCKED");
    world_exit(world, &first, "a", 1);
    world_exit(world, &second, "a", 1);
    world_expect(world, &cell0, "RUNNING a=RUNNING b=BLOCKED");
    finish(world, &key, 0, true);
    finish(world, &key, 1, true);
    /* It came before the third cell did. */
    world_expect(world, &third, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
}

static void cells_wait_where_the_job_has_no_queue(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 1, "");
    rest(world, &job, "'maxConcurrentRuns':1");
    struct campaign_request request = over_all(world, &job, 3);
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RRR");
    assert_int_equal(world->running_count, 1);
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
}

static void missing_ones_are_made_and_none_twice(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 4, 0, "");
    struct uuid gone = world->book.runs[1]->row.key;
    int64_t plan_ms = world->book.runs[1]->row.plan_ms;
    int64_t begin_ms = world->book.runs[0]->row.plan_ms;
    world_delete(world, &gone);
    struct campaign_request request = over_all(world, &job, 9);
    request.set = CAMPAIGN_MISSING;
    request.begin_ms = begin_ms;
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING R");
    assert_int_equal(cell(world, &key, 0)->plan_ms, plan_ms);
    world_all_succeed(world);
    const struct run_row *run = world_run(world, &cell(world, &key, 0)->run);
    assert_int_equal(run->plan_ms, plan_ms);
    assert_int_equal(run->instance_type, INSTANCE_SUPPLEMENT);
    assert_int_equal(run->launched, LAUNCHED_SCHEDULED);
    expect(world, &key, "SUCCESS S");
    assert_answer(world_campaign(world, &request), ERR_INCORRECT_STATE, "no instances");
}

static void two_campaigns_make_a_missing_one_once(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 4, 0, "");
    struct uuid gone[] = {world->book.runs[1]->row.key, world->book.runs[2]->row.key};
    int64_t plan_ms = world->book.runs[2]->row.plan_ms;
    struct campaign_request request = over_all(world, &job, 1);
    request.set = CAMPAIGN_MISSING;
    request.begin_ms = world->book.runs[0]->row.plan_ms;
    for (size_t i = 0; i < 2; i++)
        world_delete(world, &gone[i]);
    struct uuid first = campaign(world, &request);
    expect(world, &first, "RUNNING RW");
    struct uuid second = campaign(world, &request);
    expect(world, &second, "RUNNING R");
    assert_int_equal(cell(world, &second, 0)->plan_ms, plan_ms);
    world_all_succeed(world);
    expect(world, &first, "SUCCESS S-");
    expect(world, &second, "SUCCESS S");
    assert_has(cell(world, &first, 1)->message, "has an instance by now");
}

static void a_supplement_makes_a_new_instance_for_each_time(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 3, 0, "");
    struct campaign_request request = over_all(world, &job, 1);
    request.kind = CAMPAIGN_SUPPLEMENT;
    request.begin_ms = world->book.runs[0]->row.plan_ms;
    request.end_ms = request.begin_ms + 2 * MINUTE_MS;
    request.reverse = true;
    request.stop_on_fail = true;
    request.name = "P_nightly";
    int64_t asked_ms = world->now_ms;
    struct uuid key = campaign(world, &request);
    expect(world, &key, "RUNNING RWW");
    assert_int_equal(cell(world, &key, 0)->plan_ms, request.end_ms);
    assert_int_equal(world_run(world, &cell(world, &key, 0)->run)->submit_ms, asked_ms);
    finish(world, &key, 0, true);
    finish(world, &key, 1, false);
    expect(world, &key, "FAILED SFW");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS SSS");
    assert_string_equal(book_campaign(&world->book, &key)->row.name, "P_nightly");
}

static void the_version_is_the_runs_or_the_jobs(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 1, 1, "");
    const char *other = world_dag_json(world, "a; b: a; c: a", "'maxConcurrentRuns':9");
    assert_int_equal(world_update_job(world, &job, other, NULL).code, ERR_OK);
    assert_int_equal(world_update_job(world, &job, other, NULL).code, ERR_OK);
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    struct uuid run = cell(world, &key, 0)->run;
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    request.version = CAMPAIGN_CURRENT;
    key = campaign(world, &request);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED c=BLOCKED");
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 0);
    world_exit(world, &run, "c", 1);
    expect(world, &key, "FAILED F");
    /* The original again, which neither the run nor the job holds: it is asked for. */
    request.version = CAMPAIGN_ORIGINAL;
    key = campaign(world, &request);
    expect(world, &key, "RUNNING R");
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    world_all_succeed(world);
    expect(world, &key, "SUCCESS S");
}

static void one_node_and_what_follows_it(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 1, 0, "");
    struct campaign_request request = over_all(world, &job, 1);
    request.where = CAMPAIGN_FROM_NODE;
    request.task_key = "b";
    struct uuid key = campaign(world, &request);
    struct uuid run = cell(world, &key, 0)->run;
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
    world_all_succeed(world);
    request.task_key = "nobody";
    key = campaign(world, &request);
    expect(world, &key, "FAILED F");
    assert_has(cell(world, &key, 0)->message, "nobody");
}

static void a_run_that_was_deleted_meanwhile_is_skipped(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 2, 1, "");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    struct uuid second = cell(world, &key, 1)->run;
    world_delete(world, &second);
    finish(world, &key, 0, true);
    expect(world, &key, "SUCCESS S-");
    assert_has(cell(world, &key, 1)->message, "deleted");
}

static void a_run_under_repair_is_taken_as_it_ends(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 2, 1, "");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    struct uuid second = cell(world, &key, 1)->run;
    world_repair(world, &second, NULL, NULL, NULL);
    int64_t version = world_run(world, &second)->version;
    finish(world, &key, 0, true);
    expect(world, &key, "RUNNING SR");
    finish(world, &key, 1, true);
    expect(world, &key, "SUCCESS SS");
    assert_int_equal(world_run(world, &second)->version, version);
}

static void while_the_server_drains_nothing_starts(void **state)
{
    struct world *world = *state;
    struct uuid job = history(world, 2, 1, "");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    bool always = world->crash_always;
    world->crash_always = false; /* which would end the drain */
    struct uuid run = cell(world, &key, 0)->run;
    world_exit(world, &run, "a", 0);
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){.attempt = 0}, NULL);
    world_exit(world, &run, "b", 1);
    expect(world, &key, "RUNNING FW");
    world_crash(world);
    world->crash_always = always;
    expect(world, &key, "RUNNING FR");
    world_all_succeed(world);
    expect(world, &key, "FAILED FS");
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
    struct uuid job = history(world, 2, 1, "");
    struct campaign_request request = over_all(world, &job, 1);
    struct uuid key = campaign(world, &request);
    finish(world, &key, 0, false);
    finish(world, &key, 1, false);
    expect(world, &key, "FAILED FF");
    assert_answer(act(world, COMMAND_CAMPAIGN_RESUME, &key), ERR_OK, "");
    expect(world, &key, "RUNNING RW");
    struct uuid second = cell(world, &key, 1)->run;
    world_repair(world, &second, NULL, NULL, NULL);
    world_exit(world, &second, "a", 0);
    world_exit(world, &second, "b", 0);
    int64_t version = world_run(world, &second)->version;
    expect(world, &key, "RUNNING RW");
    finish(world, &key, 0, true);
    expect(world, &key, "SUCCESS SS");
    assert_has(cell(world, &key, 1)->message, "since succeeded");
    assert_int_equal(world_run(world, &second)->version, version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_window_goes_over_the_range_in_order),
        WORLD_TEST(the_range_is_inclusive_and_may_be_empty),
        WORLD_TEST(what_may_not_be_rerun_is_recorded),
        WORLD_TEST(unsuccessful_ones_only_and_successful_ones_from_the_first_task),
        WORLD_TEST(a_failed_cell_blocks_what_depends_on_it_until_it_is_repaired),
        WORLD_TEST(with_a_blocked_cell_it_ends_failed_and_may_be_resumed),
        WORLD_TEST(one_that_has_failed_goes_on_when_its_cell_is_repaired),
        WORLD_TEST(what_was_repaired_under_pause_is_not_run_again),
        WORLD_TEST(paused_it_starts_nothing),
        WORLD_TEST(cancelled_it_takes_its_runs_along_and_no_others),
        WORLD_TEST(a_canary_goes_alone),
        WORLD_TEST(cells_queue_like_new_runs),
        WORLD_TEST(cells_wait_where_the_job_has_no_queue),
        WORLD_TEST(missing_ones_are_made_and_none_twice),
        WORLD_TEST(two_campaigns_make_a_missing_one_once),
        WORLD_TEST(a_supplement_makes_a_new_instance_for_each_time),
        WORLD_TEST(the_version_is_the_runs_or_the_jobs),
        WORLD_TEST(one_node_and_what_follows_it),
        WORLD_TEST(a_run_that_was_deleted_meanwhile_is_skipped),
        WORLD_TEST(a_run_under_repair_is_taken_as_it_ends),
        WORLD_TEST(while_the_server_drains_nothing_starts),
        WORLD_TEST(what_is_depended_on_exists_and_forms_no_cycle),
        WORLD_TEST(what_has_since_succeeded_is_not_run_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
