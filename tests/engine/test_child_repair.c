/* JOB_TASKs: repair of child runs (RULES §8.6); cycles of jobs and their depth (§6). */
#include "engine/harness.h"

#define WIDE "'maxConcurrentRuns':9"

/* ---- repair ---- */

static void a_failed_child_is_repaired_with_its_parent(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x; y: x", WIDE);
    struct uuid upper = world_dag_of(world, &lower,
                                     "a; !c: a {'jobKey':'%s','parameters':[{'name':'p','value':"
                                     "'{{job.parameters.q}}'}]}; d: c",
                                     WIDE ",'parameters':[{'name':'q','value':'1'}]");
    struct uuid run = world_submit(world, &upper, NULL);
    world_exit(world, &run, "a", 0);
    struct uuid child = world_child(world, &run, "c");
    struct uuid first_task_run = world_task(world, &run, "c")->row.key;
    struct uuid kept = world_task(world, &child, "x")->row.key;
    world_exit(world, &child, "x", 0);
    world_exit(world, &child, "y", 1);
    world_expect(world, &run, "FAILED a=SUCCESS c=FAILED d=UPSTREAM_FAILED");
    world_repair(world, &run, NULL, NULL, "q=2");
    world_expect(world, &run, "RUNNING a=SUCCESS c=RUNNING d=BLOCKED");
    assert_same(world_child(world, &run, "c"), child);
    world_expect(world, &child, "RUNNING x=SUCCESS y=RUNNING");
    assert_same(world_task(world, &child, "x")->row.key, kept);
    assert_int_equal(world_run(world, &child)->version, 2);
    assert_string_equal(world_newest_repair(world, &child)->parameters,
                        "[{\"name\":\"p\",\"value\":\"2\"}]");
    /* It belongs to the new task run now. */
    assert_same(world_run(world, &child)->parent_task_run, world_task(world, &run, "c")->row.key);
    assert_differ(world_run(world, &child)->parent_task_run, first_task_run);
    world_exit(world, &child, "y", 0);
    world_exit(world, &run, "d", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS c=SUCCESS d=SUCCESS");
}

static void repair_goes_down_all_levels(void **state)
{
    struct world *world = *state;
    struct uuid lowest = world_dag(world, "x; y", WIDE);
    struct uuid middle = world_dag_of(world, &lowest, "m; !c: {'jobKey':'%s'}", WIDE);
    struct uuid upper = world_dag_of(world, &middle, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    struct uuid grandchild = world_child(world, &child, "c");
    world_exit(world, &child, "m", 0);
    world_exit(world, &grandchild, "y", 0);
    world_exit(world, &grandchild, "x", 1);
    world_expect(world, &run, "FAILED c=FAILED");
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &child, "RUNNING m=SUCCESS c=RUNNING");
    world_expect(world, &grandchild, "RUNNING x=RUNNING y=SUCCESS");
    world_exit(world, &grandchild, "x", 0);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
}

/* RULES §8.7: the chosen definition names another job; the child of the old one is none of its. */
static void a_task_that_runs_another_job_now_starts_a_child_of_that(void **state)
{
    struct world *world = *state;
    struct uuid before = world_dag(world, "x", WIDE), now = world_dag(world, "y", WIDE);
    struct uuid upper = world_dag_of(world, &before, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &child, "x", 1);
    world_expect(world, &run, "FAILED c=FAILED");
    const char *json = world_dag_json_of(world, &now, "!c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_update_job(world, &upper, json, NULL), ERR_OK, "");
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    assert_differ(world_child(world, &run, "c"), child);
    world_expect(world, &child, "FAILED x=FAILED");
    struct uuid next = world_child(world, &run, "c");
    assert_same(world_run(world, &next)->job, now);
    world_exit(world, &next, "y", 1);
    world_repair_on(world, &run, "ORIGINAL", NULL, NULL); /* back again: neither is the other's */
    struct uuid back = world_child(world, &run, "c");
    assert_same(world_run(world, &back)->job, before);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
}

static void an_explicit_rerun_starts_a_new_child(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    world_exit(world, &pair.child, "x", 1);
    world_repair(world, &pair.run, "c", "RERUN", NULL);
    struct uuid second = world_child(world, &pair.run, "c");
    assert_differ(second, pair.child);
    world_expect(world, &pair.child, "FAILED x=FAILED");
    world_exit(world, &second, "x", 0);
    /* And so does a selected task that had succeeded. */
    world_repair(world, &pair.run, "c", NULL, NULL);
    struct uuid third = world_child(world, &pair.run, "c");
    assert_differ(third, second);
    world_exit(world, &third, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

static void a_deleted_child_is_replaced(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    world_exit(world, &pair.child, "x", 1);
    world_delete(world, &pair.child);
    world_repair(world, &pair.run, NULL, NULL, NULL);
    struct uuid second = world_child(world, &pair.run, "c");
    assert_differ(second, pair.child);
    world_exit(world, &second, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

static void a_child_that_somebody_repairs_is_adopted(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    world_exit(world, &pair.child, "x", 1);
    world_repair(world, &pair.child, NULL, NULL, NULL);
    world_expect(world, &pair.run, "FAILED c=FAILED"); /* its parent is not touched */
    world_repair(world, &pair.run, NULL, NULL, NULL);
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    world_expect(world, &pair.run, "RUNNING c=RUNNING");
    assert_has(world_message(world, &pair.run, "c"), "Waiting for the repair of job");
    assert_int_equal(world_run(world, &pair.child)->version, 2);
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

static void a_child_that_has_succeeded_since(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}; d: c");
    world_exit(world, &pair.child, "x", 1);
    world_repair(world, &pair.child, NULL, NULL, NULL);
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.child, "SUCCESS x=SUCCESS");
    world_expect(world, &pair.run, "FAILED c=FAILED d=UPSTREAM_FAILED");
    int64_t version = world_run(world, &pair.child)->version;
    int64_t last_event = world_run(world, &pair.child)->last_event;
    world_repair(world, &pair.run, NULL, NULL, NULL);
    world_expect(world, &pair.run, "RUNNING c=SUCCESS d=RUNNING");
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    assert_int_equal(world_run(world, &pair.child)->version, version);
    assert_int_equal(world_run(world, &pair.child)->last_event, last_event);
    world_exit(world, &pair.run, "d", 0);
}

static void a_repair_that_finds_no_slot_for_the_child(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", "");
    struct uuid upper = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &child, "x", 1);
    struct uuid busy = world_submit(world, &lower, NULL);
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run, "FAILED c=FAILED");
    assert_has(world_message(world, &run, "c"), "needs a run slot");
    assert_int_equal(world_run(world, &child)->version, 1);
    world_exit(world, &busy, "x", 0);
    /* And it is still its child. */
    world_repair(world, &run, NULL, NULL, NULL);
    assert_same(world_child(world, &run, "c"), child);
    world_exit(world, &child, "x", 0);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
}

/* It is the child that counts, as it is when the repair comes to it. */
static void a_child_that_was_spoilt_since_is_repaired(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
    world_repair(world, &pair.child, "x", NULL, NULL);
    world_exit(world, &pair.child, "x", 1);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
    world_repair(world, &pair.run, "c", NULL, NULL);
    world_crash(world);
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    world_expect(world, &pair.child, "RUNNING x=RUNNING");
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
    /* One that is SUCCESS still is of then; one that is being repaired is waited for. */
    world_repair(world, &pair.child, "x", NULL, NULL);
    world_repair(world, &pair.run, "c", NULL, NULL);
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
    world_repair(world, &pair.run, "c", NULL, NULL);
    struct uuid other = world_child(world, &pair.run, "c");
    assert_differ(other, pair.child);
    world_exit(world, &other, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

/* A repair of what had succeeded is cancelled before it comes to that: the next one starts a new child all the same. */
static void a_success_that_was_not_renewed_is_renewed_by_the_next(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid upper = world_dag_of(world, &lower, "a; !c: a {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    world_exit(world, &run, "a", 0);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &child, "x", 0);
    world_repair(world, &run, "a c", NULL, NULL);
    world_cancel(world, &run);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED c=CANCELED");
    world_crash(world);
    world_repair(world, &run, NULL, NULL, NULL);
    world_exit(world, &run, "a", 0);
    struct uuid other = world_child(world, &run, "c");
    assert_differ(other, child);
    world_exit(world, &other, "x", 0);
    world_expect(world, &run, "SUCCESS a=SUCCESS c=SUCCESS");
}

static void a_task_that_never_started_keeps_its_child(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}; d: c");
    world_exit(world, &pair.child, "x", 1);
    /* Two repairs, the first cancelled before the child could be repaired: 0 slots of the parent. */
    struct uuid upper = pair.upper;
    const char *json = world_dag_json_of(world, &pair.lower, "!c: {'jobKey':'%s'}; d: c",
                                         "'maxConcurrentRuns':0,'queue':{'isEnabled':true}");
    assert_answer(world_update_job(world, &upper, json, NULL), ERR_OK, "");
    world_repair(world, &pair.run, NULL, NULL, NULL);
    world_expect(world, &pair.run, "QUEUED c=BLOCKED d=BLOCKED");
    world_cancel(world, &pair.run);
    world_expect(world, &pair.run, "CANCELED c=CANCELED d=CANCELED");
    world_expect(world, &pair.child, "FAILED x=FAILED");
    json = world_dag_json_of(world, &pair.lower, "!c: {'jobKey':'%s'}; d: c", WIDE);
    assert_answer(world_update_job(world, &upper, json, NULL), ERR_OK, "");
    world_crash(world);
    world_repair(world, &pair.run, NULL, NULL, NULL);
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    world_expect(world, &pair.child, "RUNNING x=RUNNING");
    world_exit(world, &pair.child, "x", 0);
    world_exit(world, &pair.run, "d", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS d=SUCCESS");
}

/* ---- cycles and depth ---- */

static void cycles_are_refused_when_saved(void **state)
{
    struct world *world = *state;
    struct uuid a = world_dag(world, "x", WIDE);
    struct uuid b = world_dag_of(world, &a, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid c = world_dag_of(world, &b, "y; !c: {'jobKey':'%s'}", WIDE);
    world_crash(world); /* nothing of them is in the engine */
    const char *own = world_dag_json_of(world, &a, "x; !c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_update_job(world, &a, own, NULL), ERR_INVALID_PARAMETER,
                  "tasks[1].jobKey names the job itself: a cycle");
    const char *ring = world_dag_json_of(world, &c, "!c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_update_job(world, &a, ring, NULL), ERR_INVALID_PARAMETER,
                  "tasks[0].jobKey names a job that runs this one again: a cycle");
    assert_int_equal(book_job(&world->book, &a)->row.version, 1);
    /* Twice the same job is no cycle, nor are two ways to it. */
    struct uuid run = world_submit(world, &c, NULL);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS y=SUCCESS c=SUCCESS");
    struct uuid ghost = {{9}};
    struct command command = {.kind = COMMAND_JOB_CREATE};
    command.def = world_parse(world, world_dag_json_of(world, &ghost, "!c: {'jobKey':'%s'}", ""));
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER,
                  "tasks[0].jobKey names no job of the workspace");
    job_def_unref(command.def);
    /* What is gone may stay named by who named it before, and by nobody else. */
    const char *as_it_was = world_dag_json_of(world, &b, "y; !c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_delete_job(world, &b, NULL), ERR_OK, "");
    assert_answer(world_update_job(world, &c, as_it_was, NULL), ERR_OK, "");
    assert_answer(world_update_job(world, &a, as_it_was, NULL), ERR_INVALID_PARAMETER,
                  "tasks[1].jobKey names no job of the workspace");
}

static void jobs_nest_ten_deep(void **state)
{
    struct world *world = *state;
    struct uuid jobs[DEF_MAX_NESTING];
    jobs[0] = world_dag(world, "x", WIDE);
    for (int i = 1; i < DEF_MAX_NESTING; i++)
        jobs[i] = world_dag_of(world, &jobs[i - 1], "!c: {'jobKey':'%s'}", WIDE);
    struct command command = {.kind = COMMAND_JOB_CREATE};
    command.def = world_parse(
        world, world_dag_json_of(world, &jobs[DEF_MAX_NESTING - 1], "!c: {'jobKey':'%s'}", WIDE));
    assert_answer(world_command(world, &command), ERR_INVALID_PARAMETER, "at most 10 deep");
    job_def_unref(command.def);
    world_crash(world);
    struct uuid run = world_submit(world, &jobs[DEF_MAX_NESTING - 1], NULL);
    assert_int_equal(world->book.run_count, DEF_MAX_NESTING);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
    /* A job below that grows deeper is refused nowhere when it is saved, but when it runs. */
    struct uuid deeper = world_dag(world, "z", WIDE);
    const char *json = world_dag_json_of(world, &deeper, "!c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_update_job(world, &jobs[0], json, NULL), ERR_OK, "");
    run = world_submit(world, &jobs[DEF_MAX_NESTING - 1], NULL);
    world_expect(world, &run, "INTERNAL_ERROR c=INTERNAL_ERROR");
    assert_has(world_message(world, &run, "c"), "Could not be run");
    assert_int_equal(world->running_count, 0);
}

static char *job_of_jobs(struct world *world, const struct uuid *below, size_t count)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    BUF_LIT(&text, "{'name':'j','path':'/jobs','tasks':[");
    for (size_t i = 0; i < count; i++) {
        char key[UUID_TEXT];
        buf_printf(&text, "%s{'taskKey':'t%zu','type':'JOB_TASK','jobKey':'%s'}", i ? "," : "", i,
                   uuid_format(&below[i], key));
    }
    BUF_LIT(&text, "]}");
    char *json = arena_memdup(&world->arena, text.data, text.len);
    buf_release(&text);
    return json;
}

/* Those at the bottom stand on nine levels below the last one: more than 1,000 times, and they are 120. */
static void a_job_that_stands_on_many_levels_counts_once(void **state)
{
    enum { BOTTOM = 112, LEVELS = DEF_MAX_NESTING - 2 };
    struct world *world = *state;
    struct uuid jobs[BOTTOM + LEVELS];
    for (size_t i = 0; i < BOTTOM + LEVELS; i++)
        jobs[i] = i < BOTTOM ? world_dag(world, "x", WIDE)
                             : world_job(world, job_of_jobs(world, jobs, i));
    world_job(world, job_of_jobs(world, jobs, BOTTOM + LEVELS));
}

/* The definitions never form a cycle at once, the runs of old ones could. */
static void a_cycle_that_only_runs_have(void **state)
{
    struct world *world = *state;
    struct uuid b = world_dag(world, "x", WIDE);
    struct uuid a = world_dag_of(world, &b, "first; !c: first {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &a, NULL);
    assert_answer(world_update_job(world, &a, world_dag_json(world, "plain", WIDE), NULL), ERR_OK,
                  "");
    const char *json = world_dag_json_of(world, &a, "!c: {'jobKey':'%s'}", WIDE);
    assert_answer(world_update_job(world, &b, json, NULL), ERR_OK, "");
    world_exit(world, &run, "first", 0);
    struct uuid child = world_child(world, &run, "c");
    world_expect(world, &child, "INTERNAL_ERROR c=INTERNAL_ERROR");
    assert_has(world_message(world, &child, "c"), "a cycle of jobs");
    world_expect(world, &run, "INTERNAL_ERROR first=SUCCESS c=INTERNAL_ERROR");
}

/* RULES §8.7: the job as it is now, all that it runs included; else each run has what it had. */
static void a_child_is_repaired_on_its_jobs_definition_of_now(void **state)
{
    struct world *world = *state;
    struct uuid lowest = world_dag(world, "x", WIDE);
    struct uuid middle = world_dag_of(world, &lowest, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid upper = world_dag_of(world, &middle, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    struct uuid grandchild = world_child(world, &child, "c");
    world_exit(world, &grandchild, "x", 1);
    world_update_job(world, &lowest, world_dag_json(world, "x; y: x", WIDE), NULL);
    world_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &grandchild, "RUNNING x=RUNNING");
    world_exit(world, &grandchild, "x", 1);
    world_expect(world, &run, "FAILED c=FAILED");
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    assert_same(world_child(world, &child, "c"), grandchild);
    world_expect(world, &grandchild, "RUNNING x=RUNNING y=BLOCKED");
    assert_int_equal(world_newest_repair(world, &child)->definition, DEFINITION_CURRENT);
    assert_int_equal(world_newest_repair(world, &grandchild)->definition_version, 2);
    world_exit(world, &grandchild, "x", 1);
    /* Whose job is gone goes on with what it has. */
    assert_answer(world_delete_job(world, &lowest, NULL), ERR_OK, "");
    world_repair_on(world, &run, "CURRENT", NULL, NULL);
    world_expect(world, &grandchild, "RUNNING x=RUNNING y=BLOCKED");
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
}

/* Somebody takes the key of a run for that of a job: the run is there all the same. */
static void a_missing_job_is_no_missing_run(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    world_exit(world, &pair.child, "x", 1);
    world_expect(world, &pair.run, "FAILED c=FAILED");
    char key[UUID_TEXT];
    struct command save = {
        .kind = COMMAND_JOB_CREATE,
        .principal = {"t", "t"},
        .def = world_parse(world, arena_printf(&world->arena,
                                               "{'name':'n','tasks':[{'taskKey':'c','type':"
                                               "'JOB_TASK','jobKey':'%s'}]}",
                                               uuid_format(&pair.child, key))),
    };
    world_begin(world);
    assert_answer(world_command(world, &save), ERR_INVALID_PARAMETER, "names no job");
    job_def_unref(save.def);
    world_repair(world, &pair.run, NULL, NULL, NULL);
    world_commit(world);
    assert_same(world_child(world, &pair.run, "c"), pair.child);
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

/* A child repaired on its own knows what stands above it, though that has ended. */
static void ancestors_that_have_ended_are_looked_up(void **state)
{
    struct world *world = *state;
    struct uuid lowest = world_dag(world, "x", WIDE);
    struct uuid middle = world_dag_of(world, &lowest, "m; !c: m {'jobKey':'%s'}", WIDE);
    struct uuid upper = world_dag_of(world, &middle, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_exit(world, &child, "m", 1);
    world_expect(world, &run, "FAILED c=FAILED");
    size_t wanted = world->wanted;
    world_repair(world, &child, NULL, NULL, NULL);
    world_exit(world, &child, "m", 0);
    assert_true(world->wanted > wanted);
    struct uuid grandchild = world_child(world, &child, "c");
    assert_same(world_run(world, &grandchild)->root_run, run);
    world_exit(world, &grandchild, "x", 0);
    world_expect(world, &child, "SUCCESS m=SUCCESS c=SUCCESS");
    world_expect(world, &run, "FAILED c=FAILED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_failed_child_is_repaired_with_its_parent),
        WORLD_TEST(repair_goes_down_all_levels),
        WORLD_TEST(a_task_that_runs_another_job_now_starts_a_child_of_that),
        WORLD_TEST(an_explicit_rerun_starts_a_new_child),
        WORLD_TEST(a_deleted_child_is_replaced),
        WORLD_TEST(a_child_that_somebody_repairs_is_adopted),
        WORLD_TEST(a_child_that_has_succeeded_since),
        WORLD_TEST(a_repair_that_finds_no_slot_for_the_child),
        WORLD_TEST(a_task_that_never_started_keeps_its_child),
        WORLD_TEST(a_child_that_was_spoilt_since_is_repaired),
        WORLD_TEST(a_success_that_was_not_renewed_is_renewed_by_the_next),
        WORLD_TEST(cycles_are_refused_when_saved),
        WORLD_TEST(jobs_nest_ten_deep),
        cmocka_unit_test_setup_teardown(a_job_that_stands_on_many_levels_counts_once, world_setup,
                                        world_teardown),
        WORLD_TEST(a_cycle_that_only_runs_have),
        WORLD_TEST(a_missing_job_is_no_missing_run),
        WORLD_TEST(a_child_is_repaired_on_its_jobs_definition_of_now),
        WORLD_TEST(ancestors_that_have_ended_are_looked_up),
    };
    return cmocka_run_group_tests_name("children, repaired", tests, NULL, NULL);
}
