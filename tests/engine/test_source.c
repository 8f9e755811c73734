/* Files from git: what a run goes by, and when it is asked (RULES §6, §8.7). */
#include "base/mem.h"
#include "engine/harness.h"

static const char one[] = "1111111111111111111111111111111111111111";
static const char two[] = "2222222222222222222222222222222222222222";

#define FROM_GIT   "{'source':'GIT_PROVIDER'}"
#define REPOSITORY "'gitConfig':{'repositoryUrl':'https://host/x'}"

/* The files of this task, which are asked for now. */
static const struct asked *asked_for(struct world *world, const struct uuid *run, const char *task)
{
    const struct booked_task *booked = world_task(world, run, task);
    for (size_t i = 0; i < world->asked_count; i++)
        if (uuid_equal(&world->asked[i].ref.task_run, &booked->row.key))
            return &world->asked[i];
    fail_msg("nothing is asked for %s", task);
    return NULL;
}

static void told(struct world *world, const struct uuid *run, const char *task, const char *commit)
{
    world_prepare(world, (size_t)(asked_for(world, run, task) - world->asked), commit);
}

static void a_task_is_set_up_until_its_files_are_there(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT "; b: a " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=PENDING b=BLOCKED");
    assert_has(world_message(world, &run, "a"), "fetched from git");
    assert_int_equal(world_task(world, &run, "a")->attempt_count, 0);
    assert_string_equal(asked_for(world, &run, "a")->commit, "");
    if (!world->crash_always)
        world_advance(world, 7000);
    told(world, &run, "a", one);
    world_expect(world, &run, "RUNNING a=RUNNING b=BLOCKED");
    const struct attempt_row *attempt = world_attempt(world, &run, "a", 0);
    assert_int_equal(attempt->setup_ms, attempt->start_ms - attempt->setup_start_ms);
    if (!world->crash_always)
        assert_int_equal(attempt->setup_ms, 7000);
    assert_string_equal(world->last_start.commit, one);
    world_exit(world, &run, "a", 0);
    assert_string_equal(asked_for(world, &run, "b")->commit, one);
    told(world, &run, "b", one);
    world_all_succeed(world);
    world_expect(world, &run, "SUCCESS a=SUCCESS b=SUCCESS");
}

static void the_first_answer_holds_the_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT "; b " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    told(world, &run, "b", one);
    world_expect(world, &run, "RUNNING a=PENDING b=RUNNING");
    told(world, &run, "a", two); /* what the branch has moved to */
    world_expect(world, &run, "RUNNING a=PENDING b=RUNNING");
    assert_string_equal(asked_for(world, &run, "a")->commit, one);
    told(world, &run, "a", one);
    world_expect(world, &run, "RUNNING a=RUNNING b=RUNNING");
}

static void what_cannot_be_fetched_is_an_attempt_and_is_retried(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world, "a {'source':'GIT_PROVIDER','maxRetries':1}; b: a", REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    told(world, &run, "a", NULL);
    world_expect(world, &run, "RUNNING a=PENDING b=BLOCKED");
    assert_int_equal(world_attempt(world, &run, "a", 0)->cause, CAUSE_CANNOT_START);
    assert_int_equal(world_attempt(world, &run, "a", 0)->launch, FIELD_NULL);
    told(world, &run, "a", NULL);
    world_expect(world, &run, "FAILED a=INTERNAL_ERROR b=UPSTREAM_FAILED");
    assert_has(world_message(world, &run, "a"), "cannot be fetched");
    world_repair(world, &run, NULL, NULL, NULL);
    assert_string_equal(asked_for(world, &run, "a")->commit, "");
}

static void a_cancel_does_not_wait_for_files(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    world_cancel(world, &run);
    world_expect(world, &run, "CANCELED a=CANCELED");
    if (world->asked_count)
        world_prepare(world, 0, one); /* too late: nothing changes */
    world_expect(world, &run, "CANCELED a=CANCELED");
    assert_int_equal(world->start_count, 0);
}

static void files_take_an_execution_slot(void **state)
{
    struct world *world = *state;
    world->crash_always = false; /* whose turn it is is in no row */
    world_limit(world, 1);
    struct uuid job = world_dag(world, "a " FROM_GIT "; b", REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=PENDING b=QUEUED");
    told(world, &run, "a", one);
    world_expect(world, &run, "RUNNING a=RUNNING b=QUEUED");
    world_exit(world, &run, "a", 0);
    world_expect(world, &run, "RUNNING a=SUCCESS b=RUNNING");
}

static void nothing_starts_while_the_server_drains(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    bool always = world->crash_always;
    world->crash_always = false;
    world_report(world, ENGINE_DRAIN, (struct attempt_ref){0}, NULL);
    told(world, &run, "a", one);
    world_expect(world, &run, "PAUSED_MAINTENANCE a=QUEUED");
    world_crash(world);
    world->crash_always = always;
    assert_string_equal(asked_for(world, &run, "a")->commit, one);
    told(world, &run, "a", one);
    world_expect(world, &run, "RUNNING a=RUNNING");
}

static void a_repair_goes_by_the_same_commit_unless_it_is_of_now(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    told(world, &run, "a", one);
    world_exit(world, &run, "a", 1);
    world_expect(world, &run, "FAILED a=FAILED");
    static const struct {
        const char *definition, *asked;
    } repairs[] = {{NULL, one},       {"CURRENT", ""}, {NULL, two},    {"1", two},
                   {"ORIGINAL", one}, {NULL, one},     {"CURRENT", ""}};
    for (size_t i = 0; i < ARRAY_LEN(repairs); i++) {
        world_repair_on(world, &run, repairs[i].definition, NULL, NULL);
        assert_string_equal(asked_for(world, &run, "a")->commit, repairs[i].asked);
        told(world, &run, "a", *repairs[i].asked ? repairs[i].asked : two);
        world_exit(world, &run, "a", 1);
        world_expect(world, &run, "FAILED a=FAILED");
    }
}

/* Several runs that are repaired together, of now: each asks its repository again. */
static void reruns_of_now_ask_again(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a " FROM_GIT, REPOSITORY);
    struct uuid run = world_submit(world, &job, NULL);
    told(world, &run, "a", one);
    world_exit(world, &run, "a", 1);
    struct rerun again = {
        .run = run,
        .version = world_run(world, &run)->version,
        .repair = world_repair_request(world, "CURRENT", NULL, NULL, NULL),
    };
    struct command command = {.kind = COMMAND_RUNS_RERUN, .reruns = &again, .rerun_count = 1};
    assert_answer(world_command(world, &command), ERR_OK, "");
    assert_string_equal(asked_for(world, &run, "a")->commit, "");
    told(world, &run, "a", two);
    world_exit(world, &run, "a", 0);
}

static void references_are_put_in_before_it_is_asked(void **state)
{
    struct world *world = *state;
    struct uuid job =
        world_dag(world,
                  "a {'source':'GIT_PROVIDER','gitConfig':{'repositoryUrl':'https://host/x',"
                  "'branch':'{{job.parameters.branch}}'}}",
                  "'parameters':[{'name':'branch'}]");
    struct uuid run = world_submit(world, &job, "branch=-x");
    world_expect(world, &run, "INTERNAL_ERROR a=INTERNAL_ERROR");
    assert_has(world_message(world, &run, "a"), "gitConfig.branch must not begin with '-'");
    run = world_submit(world, &job, "branch=main");
    told(world, &run, "a", one);
    world_expect(world, &run, "RUNNING a=RUNNING");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_task_is_set_up_until_its_files_are_there),
        WORLD_TEST(the_first_answer_holds_the_run),
        WORLD_TEST(what_cannot_be_fetched_is_an_attempt_and_is_retried),
        WORLD_TEST(a_cancel_does_not_wait_for_files),
        WORLD_TEST(files_take_an_execution_slot),
        WORLD_TEST(nothing_starts_while_the_server_drains),
        WORLD_TEST(reruns_of_now_ask_again),
        WORLD_TEST(a_repair_goes_by_the_same_commit_unless_it_is_of_now),
        WORLD_TEST(references_are_put_in_before_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
