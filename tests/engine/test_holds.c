/* Runs that a schedule fires and that their dependencies hold (RULES §10, dependJobs). */
#include "base/timefmt.h"
#include "engine/harness.h"

enum { MINUTE_MS = 60 * 1000, HALF_HOUR_MS = 30 * MINUTE_MS, HOUR_MS = 60 * MINUTE_MS };

#define SCHEDULE(expression) \
    "'schedule':{'quartzCronExpression':'" expression "','timezoneId':'UTC'},"
#define MINUTELY    SCHEDULE("0 * * * * ?") "'maxConcurrentRuns':9"
#define HALF_HOURLY SCHEDULE("0 0/30 * * * ?") "'maxConcurrentRuns':9"
#define HOURLY      SCHEDULE("0 0 * * * ?")

/* Just before a full hour. */
static void to_the_hour(struct world *world)
{
    world_advance(world, HOUR_MS - world->now_ms % HOUR_MS - 1);
}

static const char *job_json(struct world *world, const char *name, const char *more)
{
    return arena_printf(&world->arena,
                        "{'name':'%s','path':'/jobs','tasks':[{'taskKey':'a','type':'PYTHON_TASK',"
                        "'filePath':'t.py'}],%s}",
                        name, more);
}

static struct uuid job(struct world *world, const char *name, const char *more)
{
    return world_job(world, job_json(world, name, more));
}

/* A job that waits for runs of `upstream`; `how`: further members of the dependency. */
static struct uuid dependent(struct world *world, const struct uuid *upstream, const char *how,
                             const char *more)
{
    char key[UUID_TEXT];
    return job(world, "report",
               arena_printf(&world->arena, "'dependencies':[{'jobKey':'%s'%s}],%s",
                            uuid_format(upstream, key), how, more));
}

/* The run of a job that was planned so long ago. */
static struct uuid run_of(struct world *world, const struct uuid *of, int64_t ago_ms)
{
    int64_t plan_ms = (world->now_ms - ago_ms) / MINUTE_MS * MINUTE_MS;
    for (size_t i = world->book.run_count; i-- > 0;) {
        const struct run_row *row = &world->book.runs[i]->row;
        if (uuid_equal(&row->job, of) && row->plan_ms == plan_ms)
            return row->key;
    }
    fail_msg("no run was planned for %lld", (long long)plan_ms);
    return (struct uuid){0};
}

static const char *says(struct world *world, const struct uuid *run)
{
    return world_run(world, run)->message;
}

/* An hour has begun: load has two runs of it, report one. */
struct hour {
    struct uuid load, report;
    struct uuid first, second; /* of load */
    struct uuid held;
};

static struct hour an_hour(struct world *world, const char *how, const char *more)
{
    struct hour hour;
    hour.load = job(world, "load", HALF_HOURLY);
    hour.report = dependent(world, &hour.load, how, arena_printf(&world->arena, HOURLY "%s", more));
    to_the_hour(world);
    world_advance(world, HALF_HOUR_MS); /* the hour before is none of its business */
    world_all_succeed(world);
    world_advance(world, HALF_HOUR_MS + 1);
    hour.first = run_of(world, &hour.load, HALF_HOUR_MS);
    hour.second = run_of(world, &hour.load, 0);
    hour.held = run_of(world, &hour.report, 0);
    return hour;
}

#define WIDE "'maxConcurrentRuns':9"

static void it_waits_for_all_runs_of_its_period(void **state)
{
    struct world *world = *state;
    char planned[TIMEFMT_TEXT];
    struct hour hour = an_hour(world, "", WIDE);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    const struct run_row *second = world_run(world, &hour.second);
    assert_has(says(world, &hour.held), "Waiting for job load of ");
    assert_has(says(world, &hour.held), timefmt_rfc3339(second->plan_ms, planned));
    assert_int_equal(world_run(world, &hour.held)->is_held, 1);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    assert_has(says(world, &hour.held),
               timefmt_rfc3339(world_run(world, &hour.first)->plan_ms, planned));
    world_exit(world, &hour.first, "a", 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
    assert_int_equal(world_run(world, &hour.held)->is_held, 0);
    assert_has(world_event(world, &hour.held, NULL, STATE_QUEUED)->decision, "JOB_DEPENDENCY");
}

static void what_is_done_holds_nobody(void **state)
{
    struct world *world = *state;
    struct uuid load = job(world, "load", SCHEDULE("0 0/30 * * * ?") "'maxConcurrentRuns':9");
    struct uuid report =
        dependent(world, &load, "", SCHEDULE("0 1 * * * ?") "'maxConcurrentRuns':9");
    to_the_hour(world);
    world_advance(world, 1);
    world_all_succeed(world);
    world_advance(world, MINUTE_MS);
    struct uuid run = run_of(world, &report, 0);
    world_expect(world, &run, "RUNNING a=RUNNING");
}

static void a_failure_cancels_whoever_depends_on_it(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'FAIL'", WIDE);
    world_exit(world, &hour.first, "a", 1); /* the other one still runs */
    world_expect(world, &hour.held, "CANCELED a=CANCELED");
    assert_has(says(world, &hour.held), "it depends on job load of ");
    assert_has(says(world, &hour.held), "ended FAILED");
}

static void a_cancel_goes_down_the_line(void **state)
{
    struct world *world = *state;
    char key[UUID_TEXT];
    struct hour hour = an_hour(world, "", WIDE);
    struct uuid mail =
        job(world, "mail",
            arena_printf(&world->arena, HOURLY WIDE ",'dependencies':[{'jobKey':'%s'}]",
                         uuid_format(&hour.report, key)));
    world_all_succeed(world);
    world_advance(world, HALF_HOUR_MS);
    world_all_succeed(world);
    world_advance(world, HALF_HOUR_MS);
    struct uuid last = run_of(world, &mail, 0);
    struct uuid upstream = run_of(world, &hour.load, 0);
    world_expect(world, &last, "QUEUED a=BLOCKED");
    world_exit(world, &upstream, "a", 1);
    world_expect(world, &last, "CANCELED a=CANCELED");
    assert_has(says(world, &last), "job report of ");
}

static void a_failure_that_is_ignored_is_an_end(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'IGNORE'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    world_cancel(world, &hour.second);
    world_ends(world, &hour.second, "a", CAUSE_STOPPED);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

static void a_failure_that_suspends_is_waited_for(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'SUSPEND'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    assert_has(says(world, &hour.held), "ended FAILED, to be repaired");
    world_advance(world, 5 * MINUTE_MS);
    world_repair(world, &hour.first, NULL, NULL, NULL);
    assert_has(says(world, &hour.held), "Waiting for job load of ");
    world_exit(world, &hour.first, "a", 1);
    assert_has(says(world, &hour.held), "ended FAILED, to be repaired");
    world_repair(world, &hour.first, NULL, NULL, NULL);
    world_exit(world, &hour.first, "a", 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

static void another_run_of_the_time_will_do(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'SUSPEND'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    world_exit(world, &hour.second, "a", 0);
    int64_t plan_ms = world_run(world, &hour.first)->plan_ms;
    const struct campaign_request request = {.kind = CAMPAIGN_SUPPLEMENT,
                                             .job = hour.load,
                                             .begin_ms = plan_ms,
                                             .end_ms = plan_ms,
                                             .concurrent = 1};
    assert_answer(world_campaign(world, &request), ERR_OK, "");
    struct uuid other = run_of(world, &hour.load, HALF_HOUR_MS);
    assert_differ(other, hour.first);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    world_exit(world, &other, "a", 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

static void a_failure_that_is_deleted_holds_nobody(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'SUSPEND'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    world_exit(world, &hour.second, "a", 0);
    world_delete(world, &hour.first);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

/* By retention, which passes the engine by. */
static void a_failure_that_is_too_old_holds_nobody(void **state)
{
    struct world *world = *state;
    struct row_batch rows;
    struct hour hour = an_hour(world, ",'failPolicy':'SUSPEND'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    const struct run_row old = *world_run(world, &hour.first);
    struct store_commit commit = {.workspace = engine_workspace(world->engine), .rows = &rows};
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_RUN, ROW_DELETE, &old);
    disk_commit(world->disk, COMMIT_OK, &commit);
    book_apply(&world->book, &rows, engine_workspace(world->engine));
    row_batch_release(&rows);
    engine_run_removed(world->engine, &old);
    world_advance(world, 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

/* It was launched as its parent was, for that one's planned time. */
static void a_child_is_no_run_of_the_time(void **state)
{
    struct world *world = *state;
    struct uuid load = job(world, "load", HOURLY WIDE);
    struct uuid report = dependent(world, &load, "", HOURLY WIDE);
    struct uuid parent = world_dag_of(world, &load, "!c: {'jobKey':'%s'}", HOURLY WIDE);
    to_the_hour(world);
    world_advance(world, 1);
    struct uuid run = run_of(world, &parent, 0);
    struct uuid child = world_child(world, &run, "c");
    struct uuid held = run_of(world, &report, 0);
    assert_int_equal(world_run(world, &child)->plan_ms, world_run(world, &held)->plan_ms);
    world_exit(world, &child, "a", 0);
    world_expect(world, &held, "QUEUED a=BLOCKED");
    world_all_succeed(world);
    assert_int_equal(world_run(world, &held)->state, STATE_SUCCESS);
}

static void the_period_before_is_another(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'period':'PRE_PERIOD'", WIDE);
    world_expect(world, &hour.held, "RUNNING a=RUNNING"); /* that hour's runs succeeded */
    world_exit(world, &hour.second, "a", 0);
    world_advance(world, HALF_HOUR_MS);
    world_advance(world, HALF_HOUR_MS);
    struct uuid next = run_of(world, &hour.report, 0);
    world_expect(world, &next, "QUEUED a=BLOCKED"); /* for hour.first */
    world_exit(world, &hour.first, "a", 0);
    world_expect(world, &next, "RUNNING a=RUNNING");
}

static void its_own_run_before_has_to_succeed(void **state)
{
    struct world *world = *state;
    to_the_hour(world);
    struct uuid nightly = job(world, "nightly", MINUTELY ",'dependsOnPreviousRun':true");
    world_advance(world, 1);
    world_advance(world, MINUTE_MS);
    struct uuid first = run_of(world, &nightly, MINUTE_MS);
    struct uuid second = run_of(world, &nightly, 0);
    world_expect(world, &first, "RUNNING a=RUNNING");
    world_expect(world, &second, "QUEUED a=BLOCKED");
    assert_has(says(world, &second), "Waiting for its own run of ");
    world_advance(world, MINUTE_MS);
    struct uuid third = run_of(world, &nightly, 0);
    world_exit(world, &first, "a", 1);
    assert_has(says(world, &second), "ended FAILED, to be repaired");
    world_expect(world, &third, "QUEUED a=BLOCKED");
    world_repair(world, &first, NULL, NULL, NULL);
    world_exit(world, &first, "a", 0);
    world_expect(world, &second, "RUNNING a=RUNNING");
    world_expect(world, &third, "QUEUED a=BLOCKED");
    world_exit(world, &second, "a", 0);
    world_expect(world, &third, "RUNNING a=RUNNING");
}

static void runs_before_a_moment_are_not_waited_for(void **state)
{
    struct world *world = *state;
    char since[TIMEFMT_TEXT];
    to_the_hour(world);
    struct uuid nightly = job(world, "nightly", MINUTELY ",'dependsOnPreviousRun':true");
    world_advance(world, 1);
    struct uuid failed = run_of(world, &nightly, 0);
    world_exit(world, &failed, "a", 1);
    const char *more = arena_printf(&world->arena,
                                    MINUTELY ",'dependsOnPreviousRun':true,'previousRunsFrom':'%s'",
                                    timefmt_rfc3339(world->now_ms + 1, since));
    assert_int_equal(world_update_job(world, &nightly, job_json(world, "nightly", more), NULL).code,
                     ERR_OK);
    world_advance(world, MINUTE_MS);
    struct uuid first = run_of(world, &nightly, 0);
    world_expect(world, &first, "RUNNING a=RUNNING");
    world_advance(world, MINUTE_MS);
    struct uuid second = run_of(world, &nightly, 0);
    world_expect(world, &second, "QUEUED a=BLOCKED");
}

static void what_is_started_by_hand_neither_waits_nor_is_waited_for(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, "", WIDE);
    struct uuid by_hand = world_submit(world, &hour.report, NULL);
    world_expect(world, &by_hand, "RUNNING a=RUNNING");
    world_submit(world, &hour.load, NULL); /* within the period, and never ends */
    world_exit(world, &hour.first, "a", 0);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

static void patience_ends_after_48_hours(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, ",'failPolicy':'SUSPEND'", WIDE);
    world_exit(world, &hour.first, "a", 1);
    assert_int_equal(
        world_update_job(world, &hour.report, job_json(world, "report", WIDE), NULL).code, ERR_OK);
    assert_int_equal(world_update_job(world, &hour.load, job_json(world, "load", WIDE), NULL).code,
                     ERR_OK);
    world_advance(world, INT64_C(48) * HOUR_MS - MINUTE_MS);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    world_advance(world, MINUTE_MS);
    world_expect(world, &hour.held, "SKIPPED a=CANCELED");
    assert_has(says(world, &hour.held), "Skipped after 48 h: Waiting for job load of ");
}

static void held_runs_can_be_cancelled(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, "", WIDE);
    world_cancel(world, &hour.held);
    world_expect(world, &hour.held, "CANCELED a=CANCELED");
    world_exit(world, &hour.first, "a", 0);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "CANCELED a=CANCELED");
    world_advance(world, HALF_HOUR_MS);
    world_advance(world, HALF_HOUR_MS);
    struct uuid next = run_of(world, &hour.report, 0);
    world_expect(world, &next, "QUEUED a=BLOCKED");
    assert_answer(world_delete_job(world, &hour.report, NULL), ERR_INCORRECT_STATE, "1 active run");
    struct command all = {.kind = COMMAND_JOB_CANCEL_RUNS, .key = hour.report};
    assert_answer(world_command(world, &all), ERR_OK, "");
    world_advance(world, 0);
    world_expect(world, &next, "CANCELED a=CANCELED");
}

static void a_held_run_takes_no_slot_and_then_waits_in_line(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, "", "'maxConcurrentRuns':1,'queue':{'isEnabled':true}");
    struct uuid by_hand = world_submit(world, &hour.report, NULL);
    world_expect(world, &by_hand, "RUNNING a=RUNNING");
    struct uuid behind = world_submit(world, &hour.report, NULL);
    assert_has(says(world, &behind), "Queued, 1st in line");
    world_exit(world, &hour.first, "a", 0);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    assert_int_equal(world_run(world, &hour.held)->is_held, 0);
    assert_has(says(world, &hour.held), "Queued, 1st in line"); /* it is QUEUED for longer */
    world_exit(world, &by_hand, "a", 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
    world_expect(world, &behind, "QUEUED a=BLOCKED");
}

static void without_slot_and_queue_it_is_skipped(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, "", "'maxConcurrentRuns':1");
    world_submit(world, &hour.report, NULL);
    world_exit(world, &hour.first, "a", 0);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "SKIPPED a=CANCELED");
    assert_has(says(world, &hour.held), "the queue is off");
}

static void a_schedule_that_rests_holds_nobody(void **state)
{
    struct world *world = *state;
    struct uuid load = job(world, "load",
                           "'schedule':{'quartzCronExpression':'0 0/30 * * * ?',"
                           "'timezoneId':'UTC','pauseStatus':'PAUSED'}");
    struct uuid report = dependent(world, &load, "", HOURLY WIDE);
    to_the_hour(world);
    world_advance(world, 1);
    struct uuid run = run_of(world, &report, 0);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 0);
    assert_answer(world_delete_job(world, &load, NULL), ERR_OK, "");
    world_advance(world, HOUR_MS);
    run = run_of(world, &report, 0);
    world_expect(world, &run, "RUNNING a=RUNNING");
}

/* What was missed while the server was down is made up for in any order. */
static void missed_times_are_waited_for(void **state)
{
    struct world *world = *state;
    struct uuid load = job(world, "load", HOURLY WIDE);
    struct uuid report = dependent(world, &load, "", HOURLY WIDE);
    to_the_hour(world);
    world_sleep(world, 3 * (int64_t)HOUR_MS + 10 * MINUTE_MS + 1);
    world_crash(world);
    world_advance(world, 0);
    struct uuid upstream = run_of(world, &load, 10 * MINUTE_MS);
    struct uuid run = run_of(world, &report, 10 * MINUTE_MS);
    world_expect(world, &run, "QUEUED a=BLOCKED");
    world_exit(world, &upstream, "a", 0);
    world_expect(world, &run, "RUNNING a=RUNNING");
}

static void nothing_goes_on_while_the_server_drains(void **state)
{
    struct world *world = *state;
    struct hour hour = an_hour(world, "", WIDE);
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
    if (!world->is_draining)
        return; /* the world that crashes after every commit drains for no longer than that */
    world_exit(world, &hour.first, "a", 0);
    world_exit(world, &hour.second, "a", 0);
    world_expect(world, &hour.held, "QUEUED a=BLOCKED");
    world_crash(world);
    world_advance(world, 0);
    world_expect(world, &hour.held, "RUNNING a=RUNNING");
}

static void many_are_looked_at_in_parts(void **state)
{
    enum { MANY = 450 };
    struct world *world = *state;
    struct uuid load = job(world, "load", HOURLY WIDE);
    struct uuid reports[MANY];
    for (int i = 0; i < MANY; i++)
        reports[i] = dependent(world, &load, "", HOURLY WIDE);
    to_the_hour(world);
    world_advance(world, 1);
    struct uuid upstream = run_of(world, &load, 0);
    size_t steps = world->steps, wanted = world->wanted;
    world_exit(world, &upstream, "a", 0);
    world_advance(world, 0);
    for (int i = 0; i < MANY; i++) {
        struct uuid run = run_of(world, &reports[i], 0);
        world_expect(world, &run, "RUNNING a=RUNNING");
    }
    assert_int_equal(world->steps - steps, 3); /* 200 each */
    assert_int_equal(world->wanted - wanted, MANY);
}

/* A window has as many runs as are looked at. */
static size_t fill_window(void *context, const struct want *want, struct arena *arena,
                          struct window_run **runs, size_t count)
{
    (void)context;
    struct window_run *all = ARENA_ARRAY(arena, ENGINE_WINDOW_MAX, struct window_run);
    memcpy(all, *runs, count * sizeof *all);
    for (size_t i = count; i < ENGINE_WINDOW_MAX; i++) {
        all[i] = (struct window_run){.plan_ms = want->to_ms - 1 - (int64_t)i,
                                     .launched = LAUNCHED_SCHEDULED,
                                     .instance_type = INSTANCE_SUPPLEMENT,
                                     .state = STATE_SUCCESS};
        memcpy(all[i].key.bytes, &i, sizeof i);
    }
    *runs = all;
    return ENGINE_WINDOW_MAX;
}

static void a_batch_reads_no_more_than_two_big_windows(void **state)
{
    enum { MANY = 7 };
    struct world *world = *state;
    struct uuid load = job(world, "load", HOURLY WIDE);
    struct uuid reports[MANY];
    for (int i = 0; i < MANY; i++)
        reports[i] = dependent(world, &load, "", HOURLY WIDE);
    world->more_runs = fill_window;
    to_the_hour(world);
    world_advance(world, 1);
    struct uuid upstream = run_of(world, &load, 0);
    size_t steps = world->steps, wanted = world->wanted;
    world_exit(world, &upstream, "a", 0);
    assert_int_equal(world->wanted - wanted, 2);
    world_advance(world, 0);
    assert_int_equal(world->steps - steps, 4);
    assert_int_equal(world->wanted - wanted, MANY);
    for (int i = 0; i < MANY; i++) {
        struct uuid run = run_of(world, &reports[i], 0);
        world_expect(world, &run, "RUNNING a=RUNNING");
    }
}

/* A job of so many tasks that wait for nothing, besides `upstream`. */
static struct uuid wide_dependent(struct world *world, const struct uuid *upstream, int tasks)
{
    char key[UUID_TEXT];
    const char *list = "";
    for (int i = 0; i < tasks; i++)
        list = arena_printf(&world->arena,
                            "%s%s{'taskKey':'t%d','type':'PYTHON_TASK','filePath':'t.py'}", list,
                            i ? "," : "", i);
    return world_job(world, arena_printf(&world->arena,
                                         "{'name':'wide','path':'/jobs','tasks':[%s],"
                                         "'dependencies':[{'jobKey':'%s'}]," HOURLY WIDE "}",
                                         list, uuid_format(upstream, key)));
}

/* So much fires between the two that a step has enough before it comes to the other. */
static void what_is_to_come_in_the_next_step_is_waited_for(void **state)
{
    enum { MANY = 85, TASKS = 60 };
    struct world *world = *state;
    struct uuid load = job(world, "load", WIDE);
    struct uuid idle = job(world, "idle", WIDE);
    struct uuid report = dependent(world, &load, "", HOURLY WIDE);
    for (int i = 0; i < MANY; i++)
        wide_dependent(world, &idle, TASKS);
    assert_int_equal(
        world_update_job(world, &load, job_json(world, "load", HOURLY WIDE), NULL).code, ERR_OK);
    to_the_hour(world);
    size_t steps = world->steps;
    world_advance(world, 1);
    assert_true(world->steps - steps > 1);
    struct uuid upstream = run_of(world, &load, 0);
    struct uuid held = run_of(world, &report, 0);
    world_expect(world, &held, "QUEUED a=BLOCKED");
    world_exit(world, &upstream, "a", 0);
    world_expect(world, &held, "RUNNING a=RUNNING");
}

/* Each that goes on makes so many rows that a step has enough of them before all have been looked at: the
 * others are looked at after the commit, when the upstream run is no longer the engine's. */
static void what_was_read_counts_for_one_batch(void **state)
{
    enum { MANY = 100, TASKS = 60 };
    struct world *world = *state;
    struct uuid load = job(world, "load", HOURLY WIDE);
    struct uuid reports[MANY];
    for (int i = 0; i < MANY; i++)
        reports[i] = wide_dependent(world, &load, TASKS);
    to_the_hour(world);
    world_advance(world, 1);
    struct uuid upstream = run_of(world, &load, 0);
    world_exit(world, &upstream, "a", 0);
    struct uuid last = run_of(world, &reports[MANY - 1], 0);
    assert_int_equal(world_run(world, &last)->state, STATE_QUEUED);
    world_advance(world, 0);
    for (int i = 0; i < MANY; i++) {
        struct uuid run = run_of(world, &reports[i], 0);
        assert_int_equal(world_run(world, &run)->state, STATE_RUNNING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(it_waits_for_all_runs_of_its_period),
        WORLD_TEST(what_is_done_holds_nobody),
        WORLD_TEST(a_failure_cancels_whoever_depends_on_it),
        WORLD_TEST(a_cancel_goes_down_the_line),
        WORLD_TEST(a_failure_that_is_ignored_is_an_end),
        WORLD_TEST(a_failure_that_suspends_is_waited_for),
        WORLD_TEST(another_run_of_the_time_will_do),
        WORLD_TEST(a_failure_that_is_deleted_holds_nobody),
        WORLD_TEST(a_failure_that_is_too_old_holds_nobody),
        WORLD_TEST(a_child_is_no_run_of_the_time),
        WORLD_TEST(the_period_before_is_another),
        WORLD_TEST(its_own_run_before_has_to_succeed),
        WORLD_TEST(runs_before_a_moment_are_not_waited_for),
        WORLD_TEST(what_is_started_by_hand_neither_waits_nor_is_waited_for),
        WORLD_TEST(patience_ends_after_48_hours),
        WORLD_TEST(held_runs_can_be_cancelled),
        WORLD_TEST(a_held_run_takes_no_slot_and_then_waits_in_line),
        WORLD_TEST(without_slot_and_queue_it_is_skipped),
        WORLD_TEST(a_schedule_that_rests_holds_nobody),
        WORLD_TEST(missed_times_are_waited_for),
        WORLD_TEST(nothing_goes_on_while_the_server_drains),
        cmocka_unit_test_setup_teardown(many_are_looked_at_in_parts, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_batch_reads_no_more_than_two_big_windows, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(what_is_to_come_in_the_next_step_is_waited_for, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(what_was_read_counts_for_one_batch, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
