/* Several runs repaired together, all or none; names that must be unique; a path that is waited for
 * again (RULES §10). */
#include "engine/harness.h"

enum { RUNS = 2 };

static struct command_result rerun(struct world *world, struct rerun *reruns, size_t count)
{
    struct command command = {.kind = COMMAND_RUNS_RERUN, .reruns = reruns, .rerun_count = count};
    return world_command(world, &command);
}

static struct rerun rerun_of(struct world *world, const struct uuid *run, const char *keys)
{
    return (struct rerun){
        .run = *run,
        .version = world_run(world, run)->version,
        .repair = world_repair_request(world, NULL, keys, keys ? "RERUN" : NULL, NULL),
    };
}

static void fail_two(struct world *world, const struct uuid *job, struct uuid *runs)
{
    for (int i = 0; i < RUNS; i++) {
        runs[i] = world_submit(world, job, NULL);
        world_exit(world, &runs[i], "a", 0);
        world_exit(world, &runs[i], "b", 1);
    }
}

static void all_of_them_are_repaired(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'queue':{'isEnabled':true}"), runs[RUNS];
    fail_two(world, &job, runs);
    struct rerun reruns[] = {rerun_of(world, &runs[0], NULL), rerun_of(world, &runs[1], "a b")};
    assert_answer(rerun(world, reruns, RUNS), ERR_OK, "");
    world_expect(world, &runs[0], "RUNNING a=SUCCESS b=RUNNING"); /* one slot */
    world_expect(world, &runs[1], "QUEUED a=BLOCKED b=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &runs[0], "SUCCESS a=SUCCESS b=SUCCESS");
    world_expect(world, &runs[1], "SUCCESS a=SUCCESS b=SUCCESS");
    assert_int_equal(world_run(world, &runs[1])->version, 2);
}

static void one_that_is_refused_refuses_all(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "'queue':{'isEnabled':true}"), runs[RUNS];
    fail_two(world, &job, runs);
    struct rerun reruns[] = {rerun_of(world, &runs[0], NULL), rerun_of(world, &runs[1], "z")};
    assert_answer(rerun(world, reruns, RUNS), ERR_INVALID_PARAMETER, "instance 2: ");
    reruns[1] = rerun_of(world, &runs[1], NULL);
    reruns[1].version = 7;
    assert_answer(rerun(world, reruns, RUNS), ERR_NO_ETAG_MATCH, "instance 2 has changed");
    reruns[1].run.bytes[15] ^= 1;
    assert_answer(rerun(world, reruns, RUNS), ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
    for (int i = 0; i < RUNS; i++) {
        world_expect(world, &runs[i], "FAILED a=SUCCESS b=FAILED");
        assert_int_equal(world_run(world, &runs[i])->version, 1);
    }
    world_repair(world, &runs[0], NULL, NULL, NULL); /* nothing of the refused ones is left */
    world_all_succeed(world);
    world_expect(world, &runs[0], "SUCCESS a=SUCCESS b=SUCCESS");
}

static void without_a_queue_all_need_their_slots(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", ""), runs[RUNS];
    fail_two(world, &job, runs);
    struct rerun reruns[] = {rerun_of(world, &runs[0], NULL), rerun_of(world, &runs[1], NULL)};
    assert_answer(rerun(world, reruns, RUNS), ERR_INCORRECT_STATE, "run slots");
    world_expect(world, &runs[0], "FAILED a=SUCCESS b=FAILED");
    assert_answer(rerun(world, reruns, 1), ERR_OK, "");
    world_all_succeed(world);
    world_expect(world, &runs[0], "SUCCESS a=SUCCESS b=SUCCESS");
}

static struct command_result create_named(struct world *world, const char *name, bool is_taken)
{
    struct command command = {.kind = COMMAND_JOB_CREATE,
                              .def = world_parse(world, name),
                              .name_is_unique = true,
                              .name_is_taken = is_taken};
    struct command_result result = world_command(world, &command);
    job_def_unref(command.def);
    return result;
}

static void names_are_unique_where_that_is_asked_for(void **state)
{
    struct world *world = *state;
    static const char job[] = "{'name':'one','tasks':[{'taskKey':'a','type':'PYTHON_TASK',"
                              "'filePath':'f'}]}";
    world_begin(world); /* one batch: the store does not know the first yet */
    assert_answer(create_named(world, job, false), ERR_OK, "");
    assert_answer(create_named(world, job, false), ERR_NAME_TAKEN, "name");
    world_commit(world);
    assert_answer(create_named(world, job, true), ERR_NAME_TAKEN, "name");
}

static void a_watched_path_is_waited_for_as_asked(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "obs-monitor; a: obs-monitor", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_all_succeed(world);
    struct rerun again = rerun_of(world, &run, NULL);
    again.repair.mode = REPAIR_MODE_RERUN;
    again.repair.monitor = MONITOR_PASSED;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=RUNNING");
    world_exit(world, &run, "a", 1);
    again = rerun_of(world, &run, NULL);
    again.repair.monitor = MONITOR_AGAIN;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=RUNNING a=BLOCKED");
    world_all_succeed(world);
}

/* RULES §10: one that was not there in time is taken for there, whatever is rerun. */
static void a_watched_path_that_was_not_there_is_passed_over(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "obs-monitor; a: obs-monitor; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "obs-monitor", 1);
    world_expect(world, &run, "FAILED obs-monitor=FAILED a=UPSTREAM_FAILED b=UPSTREAM_FAILED");
    struct rerun again = rerun_of(world, &run, NULL);
    again.repair.monitor = MONITOR_PASSED;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=RUNNING b=BLOCKED");
    world_exit(world, &run, "a", 1);
    again = rerun_of(world, &run, NULL); /* any other repair finds it SUCCESS and keeps it */
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=RUNNING b=BLOCKED");
    world_all_succeed(world);

    run = world_submit(world, &job, NULL);
    world_exit(world, &run, "obs-monitor", 1);
    again = rerun_of(world, &run, "b"); /* a node below others: what it needs failed and stays so */
    again.repair.monitor = MONITOR_PASSED;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=RUNNING b=BLOCKED");
    world_all_succeed(world);
}

/* "Instances wait again for their watched path before the first node": whichever that is. */
static void a_watched_path_comes_before_all_that_is_rerun(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "obs-monitor; a: obs-monitor; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "obs-monitor", 0);
    world_exit(world, &run, "a", 0);
    world_exit(world, &run, "b", 1);
    struct rerun again = rerun_of(world, &run, NULL);
    again.repair.monitor = MONITOR_AGAIN;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "RUNNING obs-monitor=RUNNING a=SUCCESS b=BLOCKED");
    world_exit(world, &run, "obs-monitor", 0);
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=SUCCESS b=RUNNING");
    world_all_succeed(world);
}

/* Also when the repair has to wait for a slot, and the server dies meanwhile. */
static void a_queued_repair_remembers_that_it_does_not_wait(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "obs-monitor; a: obs-monitor",
                                "'maxConcurrentRuns':1,'queue':{'isEnabled':true}");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "obs-monitor", 1);
    struct uuid holder = world_submit(world, &job, NULL);
    struct rerun again = rerun_of(world, &run, NULL);
    again.repair.monitor = MONITOR_PASSED;
    assert_answer(rerun(world, &again, 1), ERR_OK, "");
    world_expect(world, &run, "QUEUED obs-monitor=BLOCKED a=BLOCKED");
    world_crash(world);
    world_exit(world, &holder, "obs-monitor", 1);
    world_expect(world, &run, "RUNNING obs-monitor=SUCCESS a=RUNNING");
    world_all_succeed(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(all_of_them_are_repaired),
        WORLD_TEST(one_that_is_refused_refuses_all),
        WORLD_TEST(without_a_queue_all_need_their_slots),
        WORLD_TEST(names_are_unique_where_that_is_asked_for),
        WORLD_TEST(a_watched_path_is_waited_for_as_asked),
        WORLD_TEST(a_watched_path_that_was_not_there_is_passed_over),
        WORLD_TEST(a_watched_path_comes_before_all_that_is_rerun),
        WORLD_TEST(a_queued_repair_remembers_that_it_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
