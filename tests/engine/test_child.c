/* JOB_TASKs: child runs (RULES §3, §4, §6, §8.6). */
#include "base/buf.h"
#include "engine/harness.h"

#define WIDE "'maxConcurrentRuns':9"

/* ---- a child, and what it is ---- */

static void a_child_is_a_run_of_its_job(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x; y: x", WIDE);
    struct uuid upper = world_dag_of(world, &lower, "a; !c: a {'jobKey':'%s'}; d: c", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING c=BLOCKED d=BLOCKED");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS c=RUNNING d=BLOCKED");
    struct uuid child = world_child(world, &run, "c");
    const struct run_row *row = world_run(world, &child);
    assert_same(row->job, lower);
    assert_same(row->parent_run, run);
    assert_same(row->root_run, run);
    assert_same(row->parent_task_run, world_task(world, &run, "c")->row.key);
    assert_int_equal(row->launched, LAUNCHED_MANUAL);
    assert_int_equal(row->trigger, TRIGGER_RUN_JOB_TASK);
    assert_int_equal(row->instance_type, INSTANCE_SUB_JOB);
    assert_int_equal(row->plan_ms, world_run(world, &run)->plan_ms);
    assert_string_equal(row->created_by, "ocid1.user.ann");
    /* No process and no set-up, but an attempt with a number. */
    const struct attempt_row *first = world_attempt(world, &run, "c", 0);
    assert_null(first->host);
    assert_same(first->child_run, child);
    assert_int_equal(first->setup_start_ms, FIELD_NULL);
    assert_int_equal(world->running_count, 1);
    world_advance(world, 5000);
    world_exit(world, &child, "x", 0);
    world_exit(world, &child, "y", 0);
    world_expect(world, &child, "SUCCESS x=SUCCESS y=SUCCESS");
    world_expect(world, &run, "RUNNING a=SUCCESS c=SUCCESS d=RUNNING");
    assert_int_equal(world_attempt(world, &run, "c", 0)->cause, CAUSE_CHILD);
    assert_int_equal(world_task(world, &run, "c")->row.execution_ms, 5000);
    world_exit(world, &run, "d", 0);
}

static void the_childs_end_is_the_tasks(void **state)
{
    static const struct {
        int cause;
        int64_t code;
        const char *picture;
    } ends[] = {
        {CAUSE_EXITED, 0, "SUCCESS c=SUCCESS"},
        {CAUSE_EXITED, 3, "FAILED c=FAILED"},
        {CAUSE_EXEC_FAILED, 0, "INTERNAL_ERROR c=INTERNAL_ERROR"},
        {CAUSE_TIMED_OUT, 0, "FAILED c=FAILED"}, /* the child's leaf timed out: the child FAILED */
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
        if (ends[i].cause == CAUSE_EXITED)
            world_exit(world, &pair.child, "x", ends[i].code);
        else
            world_ends(world, &pair.child, "x", ends[i].cause);
        world_expect(world, &pair.run, ends[i].picture);
        char key[UUID_TEXT];
        assert_has(world_message(world, &pair.run, "c"), uuid_format(&pair.child, key));
        if (ends[i].code)
            assert_string_equal(world_run(world, &pair.run)->error_trace,
                                "Traceback: it went wrong");
    }
    /* Cancelled by somebody, directly. */
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s','maxRetries':2}; d: c");
    world_cancel(world, &pair.child);
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.run, "CANCELED c=CANCELED d=UPSTREAM_CANCELED");
    assert_int_equal(world_task(world, &pair.run, "c")->row.attempts, 1);
}

static void a_child_that_times_out(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE ",'timeoutSeconds':60");
    struct uuid upper = world_dag_of(world, &lower, "!c: {'jobKey':'%s','maxRetries':1}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_advance(world, 60000);
    world_ends(world, &child, "x", CAUSE_STOPPED);
    assert_int_equal(world_run(world, &child)->state, STATE_TIMED_OUT);
    world_expect(world, &run, "FAILED c=TIMED_OUT"); /* not retried: isRetryOnTimeout is false */
}

static void a_scheduled_parents_children_are_scheduled(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid middle = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid upper = world_dag_of(world, &middle, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    struct uuid grandchild = world_child(world, &child, "c");
    assert_same(world_run(world, &grandchild)->root_run, run);
    assert_same(world_run(world, &grandchild)->parent_run, child);
    world_exit(world, &grandchild, "x", 0);
    world_expect(world, &run, "SUCCESS c=SUCCESS");
}

/* ---- parameters ---- */

static void a_child_is_handed_the_tasks_own_parameters(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x",
                                  WIDE ",'parameters':[{'name':'day','value':'lower'},"
                                       "{'name':'own','value':'lower'}]");
    struct uuid upper =
        world_dag_of(world, &lower,
                     "a; !c: a {'jobKey':'%s','parameters':[{'name':'day','value':"
                     "'{{job.parameters.base}}-{{tasks.a.values.n}}'},"
                     "{'name':'mode','value':'full'}]}",
                     WIDE ",'parameters':[{'name':'base','value':'b'},{'name':'own','value':'u'}]");
    struct uuid run = world_submit(world, &upper, "mode=fast other=1");
    world_publish(world, &run, "a", 0, "n=7\n");
    struct uuid child = world_child(world, &run, "c");
    const char *handed =
        "[{\"name\":\"day\",\"value\":\"b-7\"},{\"name\":\"mode\",\"value\":\"fast\"}]";
    assert_string_equal(world_run(world, &child)->parameters, handed);
    assert_string_equal(world_task(world, &run, "c")->row.parameters, handed);
    assert_string_equal(
        world_newest_repair(world, &child)->unified,
        "[{\"name\":\"day\",\"value\":\"b-7\"},{\"name\":\"own\",\"value\":\"lower\"},"
        "{\"name\":\"mode\",\"value\":\"fast\"}]");
    world_exit(world, &child, "x", 0);
}

static void an_unreadable_parameter_starts_no_child(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid upper = world_dag_of(world, &lower,
                                     "!c: {'jobKey':'%s','maxRetries':2,'parameters':"
                                     "[{'name':'p','value':'{{job.parameters.missing}}'}]}",
                                     WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    world_expect(world, &run, "INTERNAL_ERROR c=INTERNAL_ERROR");
    assert_has(world_message(world, &run, "c"), "missing");
    assert_int_equal(world_task(world, &run, "c")->row.attempts, 0);
    assert_int_equal(world->book.run_count, 1);
}

/* ---- retries, timeout, cancel ---- */

static void a_retry_starts_a_new_child(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(
        world, "x", "!c: {'jobKey':'%s','maxRetries':1,'minRetryIntervalMillis':60000}; d: c");
    world_advance(world, 1000);
    world_exit(world, &pair.child, "x", 1);
    world_expect(world, &pair.run, "RUNNING c=PENDING d=BLOCKED");
    world_advance(world, 58999);
    world_expect(world, &pair.run, "RUNNING c=PENDING d=BLOCKED");
    world_advance(world, 1);
    world_expect(world, &pair.run, "RUNNING c=RUNNING d=BLOCKED");
    struct uuid second = world_child(world, &pair.run, "c");
    assert_differ(second, pair.child);
    assert_same(world_attempt(world, &pair.run, "c", 0)->child_run, pair.child);
    assert_same(world_attempt(world, &pair.run, "c", 1)->child_run, second);
    world_exit(world, &second, "x", 0);
    world_exit(world, &pair.run, "d", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS d=SUCCESS");
    world_expect(world, &pair.child, "FAILED x=FAILED");
}

static void a_tasks_timeout_cancels_the_child(void **state)
{
    struct world *world = *state;
    struct world_pair pair =
        world_pair(world, "x", "!c: {'jobKey':'%s','timeoutSeconds':30}; d: c");
    world_advance(world, 29999);
    world_expect(world, &pair.run, "RUNNING c=RUNNING d=BLOCKED");
    world_advance(world, 1);
    world_expect(world, &pair.run, "RUNNING c=CANCELING d=BLOCKED");
    world_expect(world, &pair.child, "CANCELING x=CANCELING");
    assert_true(world_running(world, &pair.child, "x")->stop_asked);
    world_crash(world); /* how it will end is in the rows */
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.child, "CANCELED x=CANCELED");
    world_expect(world, &pair.run, "FAILED c=TIMED_OUT d=UPSTREAM_FAILED");
    assert_has(world_message(world, &pair.run, "c"), "Timed out after 30 s");
}

static void a_timeout_that_is_retried(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x",
                                        "!c: {'jobKey':'%s','timeoutSeconds':30,'maxRetries':1,"
                                        "'isRetryOnTimeout':true}");
    world_advance(world, 30000);
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.run, "RUNNING c=RUNNING");
    assert_int_equal(world_attempt(world, &pair.run, "c", 0)->state, STATE_TIMED_OUT);
    struct uuid second = world_child(world, &pair.run, "c");
    world_exit(world, &second, "x", 0);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS");
}

static void a_timeout_that_was_cancelled_over(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s','timeoutSeconds':30}");
    world_advance(world, 30000);
    world_cancel(world, &pair.run);
    world_ends(world, &pair.child, "x", CAUSE_STOPPED);
    world_expect(world, &pair.run, "CANCELED c=CANCELED");
}

static void a_cancel_goes_down(void **state)
{
    struct world *world = *state;
    struct uuid lowest = world_dag(world, "x; y", WIDE);
    struct uuid middle = world_dag_of(world, &lowest, "!c: {'jobKey':'%s'}; m", WIDE);
    struct uuid upper = world_dag_of(world, &middle, "!c: {'jobKey':'%s'}; d: c", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    struct uuid grandchild = world_child(world, &child, "c");
    world_exit(world, &grandchild, "y", 0);
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELING c=CANCELING d=CANCELED");
    world_expect(world, &child, "CANCELING c=CANCELING m=CANCELING");
    world_expect(world, &grandchild, "CANCELING x=CANCELING y=SUCCESS");
    world_ends(world, &grandchild, "x", CAUSE_STOPPED);
    world_expect(world, &grandchild, "CANCELED x=CANCELED y=SUCCESS");
    world_expect(world, &run, "CANCELING c=CANCELING d=CANCELED"); /* the middle one goes on */
    world_ends(world, &child, "m", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED c=CANCELED d=CANCELED");
}

static void a_runs_timeout_cancels_children(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid upper =
        world_dag_of(world, &lower, "!c: {'jobKey':'%s'}", WIDE ",'timeoutSeconds':60");
    struct uuid run = world_submit(world, &upper, NULL);
    struct uuid child = world_child(world, &run, "c");
    world_advance(world, 60000);
    world_expect(world, &run, "CANCELING c=CANCELING");
    world_ends(world, &child, "x", CAUSE_STOPPED);
    world_expect(world, &run, "TIMED_OUT c=CANCELED");
    world_expect(world, &child, "CANCELED x=CANCELED");
}

/* ---- the child's job ---- */

static void the_childs_cap_and_queue(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", "'queue':{'isEnabled':true}");
    struct uuid upper = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}", WIDE);
    struct uuid first = world_submit(world, &upper, NULL);
    struct uuid second = world_submit(world, &upper, NULL);
    struct uuid holder = world_child(world, &first, "c");
    struct uuid waiting = world_child(world, &second, "c");
    world_expect(world, &waiting, "QUEUED x=BLOCKED");
    world_expect(world, &second, "RUNNING c=RUNNING");
    world_exit(world, &holder, "x", 0);
    world_expect(world, &waiting, "RUNNING x=RUNNING");
    world_exit(world, &waiting, "x", 0);
    world_expect(world, &second, "SUCCESS c=SUCCESS");
    /* A queued child is cancelled at once, and its parent with it. */
    first = world_submit(world, &upper, NULL);
    second = world_submit(world, &upper, NULL);
    world_cancel(world, &second);
    world_expect(world, &second, "CANCELED c=CANCELED");
    waiting = world_child(world, &second, "c");
    world_expect(world, &waiting, "CANCELED x=CANCELED");
    /* One that waits too long is SKIPPED, and that is a failure. */
    second = world_submit(world, &upper, NULL);
    world_advance(world, 48LL * 3600000);
    world_expect(world, &second, "FAILED c=FAILED");
    assert_has(world_message(world, &second, "c"), "Waited 48 h");
    world_all_succeed(world);
    world_expect(world, &first, "SUCCESS c=SUCCESS");
}

static void a_child_that_is_skipped(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", "");
    struct uuid upper =
        world_dag_of(world, &lower, "!c: {'jobKey':'%s','maxRetries':2}; d: c", WIDE);
    struct uuid busy = world_submit(world, &lower, NULL);
    struct uuid run = world_submit(world, &upper, NULL);
    world_expect(world, &run, "FAILED c=FAILED d=UPSTREAM_FAILED");
    assert_has(world_message(world, &run, "c"), "Skipped: 1 of 1 run slots is held by run");
    assert_int_equal(world_task(world, &run, "c")->row.attempts, 3);
    assert_int_equal(world_run(world, &world_attempt(world, &run, "c", 1)->child_run)->state,
                     STATE_SKIPPED);
    world_exit(world, &busy, "x", 0);
}

static void a_job_that_is_gone(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", "");
    struct uuid upper = world_dag_of(world, &lower, "a; !c: a {'jobKey':'%s','maxRetries':1}", "");
    struct uuid run = world_submit(world, &upper, NULL);
    assert_answer(world_delete_job(world, &lower, NULL), ERR_OK, "");
    world_crash(world);
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "INTERNAL_ERROR a=SUCCESS c=INTERNAL_ERROR");
    assert_has(world_message(world, &run, "c"), "there is no job");
    /* As for a missing file, there are attempts, and they use retries. */
    assert_int_equal(world_task(world, &run, "c")->row.attempts, 2);
    assert_true(uuid_is_nil(&world_task(world, &run, "c")->row.child_run));
}

static void a_job_without_tasks(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "", "");
    struct uuid upper = world_dag_of(world, &lower, "!c: {'jobKey':'%s'}", "");
    struct uuid run = world_submit(world, &upper, NULL);
    world_expect(world, &run, "INTERNAL_ERROR c=INTERNAL_ERROR");
    assert_has(world_message(world, &run, "c"), "job has no tasks");
}

static void the_childs_definition_is_the_current_one(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "old", WIDE);
    struct uuid upper = world_dag_of(world, &lower, "a; !c: a {'jobKey':'%s'}", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    const char *json = world_dag_json(world, "new", WIDE);
    assert_answer(world_update_job(world, &lower, json, NULL), ERR_OK, "");
    world_exit(world, &run, "a", 0);
    struct uuid child = world_child(world, &run, "c");
    world_expect(world, &child, "RUNNING new=RUNNING");
    world_exit(world, &child, "new", 0);
}

/* ---- slots and rows ---- */

static void a_job_task_takes_no_execution_slot(void **state)
{
    struct world *world = *state;
    world_limit(world, 1);
    struct world_pair pair = world_pair(world, "x; y", "!c: {'jobKey':'%s'}; d");
    /* One slot: d had it first or the child's x, but never nobody. */
    assert_int_equal(world->running_count, 1);
    world_all_succeed(world);
    world_expect(world, &pair.run, "SUCCESS c=SUCCESS d=SUCCESS");
}

static void deleting_a_parent_leaves_its_children(void **state)
{
    struct world *world = *state;
    struct world_pair pair = world_pair(world, "x", "!c: {'jobKey':'%s'}");
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &pair.child, NULL), ERR_INCORRECT_STATE,
                  "RUNNING");
    world_exit(world, &pair.child, "x", 1);
    world_delete(world, &pair.run);
    world_expect(world, &pair.child, "FAILED x=FAILED");
    /* Repaired on its own, with nothing known above it. */
    world_repair(world, &pair.child, NULL, NULL, NULL);
    world_exit(world, &pair.child, "x", 0);
    world_expect(world, &pair.child, "SUCCESS x=SUCCESS");
}

/* Five hundred children of ten tasks are not one commit. */
static void many_children_come_in_parts(void **state)
{
    enum { CHILDREN = 500 };
    struct world *world = *state;
    world_limit(world, 1);
    struct uuid lower =
        world_dag(world, "a; b; c; d; e; f; g; h; i; j", "'maxConcurrentRuns':1000");
    char key[UUID_TEXT];
    uuid_format(&lower, key);
    struct buf tasks;
    buf_init(&tasks, 1 << 20);
    for (int i = 0; i < CHILDREN; i++)
        buf_printf(&tasks, "!c%d: {'jobKey':'%s'};", i, key);
    struct uuid upper = world_dag(world, tasks.data, WIDE);
    buf_release(&tasks);
    struct uuid run = world_submit(world, &upper, NULL);
    size_t first = world->book.run_count;
    assert_in_range(first, 2, CHILDREN);
    assert_int_equal(engine_next_deadline(world->engine), 0);
    world_crash(world); /* what is left to be launched is in the rows */
    while (engine_next_deadline(world->engine) <= world->mono_ms)
        world_report(world, ENGINE_TIMER, (struct attempt_ref){0}, NULL);
    assert_int_equal(world->book.run_count, CHILDREN + 1);
    world_cancel(world, &run);
    world_ends(world, &world->running[0].run, "a", CAUSE_STOPPED);
    assert_int_equal(world_run(world, &run)->state, STATE_CANCELED);
}

/* ---- commits that fail ---- */

static void parent_and_child_are_in_one_commit(void **state)
{
    struct world *world = *state;
    struct uuid lower = world_dag(world, "x", WIDE);
    struct uuid upper = world_dag_of(world, &lower, "a; !c: a {'jobKey':'%s'}; d: c", WIDE);
    struct uuid run = world_submit(world, &upper, NULL);
    struct attempt_ref ref = world_running(world, &run, "a")->ref;
    const struct attempt_outcome ok = {.cause = CAUSE_EXITED, .ended_ms = FIELD_NULL};
    world->fate = COMMIT_FAILED;
    world_report(world, ENGINE_OUTCOME, ref, &ok);
    assert_int_equal(world->book.run_count, 1);
    world->running_count = 0;
    world->fate = COMMIT_UNANSWERED;
    world_report(world, ENGINE_OUTCOME, ref, &ok);
    assert_int_equal(world->book.run_count, 2);
    struct uuid child = world_child(world, &run, "c");
    world_expect(world, &run, "RUNNING a=SUCCESS c=RUNNING d=BLOCKED");
    world_expect(world, &child, "RUNNING x=RUNNING");
    ref = world_running(world, &child, "x")->ref;
    world->fate = COMMIT_FAILED;
    world_report(world, ENGINE_OUTCOME, ref, &ok);
    world_expect(world, &run, "RUNNING a=SUCCESS c=RUNNING d=BLOCKED");
    world_exit(world, &child, "x", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS c=SUCCESS d=RUNNING");
    world_exit(world, &run, "d", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_child_is_a_run_of_its_job),
        WORLD_TEST(the_childs_end_is_the_tasks),
        WORLD_TEST(a_child_that_times_out),
        WORLD_TEST(a_scheduled_parents_children_are_scheduled),
        WORLD_TEST(a_child_is_handed_the_tasks_own_parameters),
        WORLD_TEST(an_unreadable_parameter_starts_no_child),
        WORLD_TEST(a_retry_starts_a_new_child),
        WORLD_TEST(a_tasks_timeout_cancels_the_child),
        WORLD_TEST(a_timeout_that_is_retried),
        WORLD_TEST(a_timeout_that_was_cancelled_over),
        WORLD_TEST(a_cancel_goes_down),
        WORLD_TEST(a_runs_timeout_cancels_children),
        WORLD_TEST(the_childs_cap_and_queue),
        WORLD_TEST(a_child_that_is_skipped),
        WORLD_TEST(a_job_that_is_gone),
        WORLD_TEST(a_job_without_tasks),
        WORLD_TEST(the_childs_definition_is_the_current_one),
        WORLD_TEST(a_job_task_takes_no_execution_slot),
        WORLD_TEST(deleting_a_parent_leaves_its_children),
        cmocka_unit_test_setup_teardown(many_children_come_in_parts, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(parent_and_child_are_in_one_commit, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
