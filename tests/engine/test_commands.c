/* RULES §7: making, changing and deleting jobs and runs; if-match. */
#include "engine/harness.h"

static void jobs_have_versions(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    char etag[ETAG_TEXT];
    assert_int_equal(book_job(&world->book, &job)->row.version, 1);
    const char *json = world_dag_json(world, "a; b", "'maxConcurrentRuns':4");
    assert_answer(world_update_job(world, &job, json, "\"7\""), ERR_NO_ETAG_MATCH, "");
    assert_answer(world_update_job(world, &job, json, etag_of_job(1, etag)), ERR_OK, "");
    assert_answer(world_update_job(world, &job, json, etag), ERR_NO_ETAG_MATCH, "");
    assert_answer(world_update_job(world, &job, json, "*"), ERR_OK, "");
    assert_int_equal(book_job(&world->book, &job)->row.version, 3);
    assert_int_equal(book_job(&world->book, &job)->version_count, 3);
    struct uuid nobody = job;
    nobody.bytes[0] ^= 1;
    assert_answer(world_update_job(world, &nobody, json, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                  "");
    assert_answer(world_delete_job(world, &nobody, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
}

static void a_job_with_active_runs_is_not_deleted(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'queue':{'isEnabled':true}");
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    assert_answer(world_delete_job(world, &job, NULL), ERR_INCORRECT_STATE, "");
    world_exit(world, &run, "a", 0);
    world_cancel(world, &queued);
    assert_answer(world_delete_job(world, &job, NULL), ERR_INCORRECT_STATE, ""); /* CANCELING */
    world_ends(world, &queued, "a", CAUSE_STOPPED);
    assert_answer(world_delete_job(world, &job, "\"99\""), ERR_NO_ETAG_MATCH, "");
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
    struct run_request request = {.queue_enabled = FIELD_UNSET};
    assert_answer(world_try_submit(world, &job, &request), ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
    assert_answer(world_delete_job(world, &job, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
    world_expect(world, &run, "SUCCESS a=SUCCESS"); /* stays readable */
}

static void a_job_with_queued_runs_only_is_not_deleted(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':0,'queue':{'isEnabled':true}");
    struct uuid run = world_submit(world, &job, NULL);
    assert_answer(world_delete_job(world, &job, NULL), ERR_INCORRECT_STATE, "");
    world_cancel(world, &run);
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
}

static void a_job_whose_run_is_being_repaired_is_not_deleted(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_repair(world, &run, NULL, NULL, NULL);
    assert_answer(world_delete_job(world, &job, NULL), ERR_INCORRECT_STATE, "");
    world_exit(world, &run, "a", 0);
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
}

static void only_a_finished_run_is_deleted(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'queue':{'isEnabled':true}");
    struct uuid run = world_submit(world, &job, NULL);
    struct uuid queued = world_submit(world, &job, NULL);
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &run, NULL), ERR_INCORRECT_STATE,
                  "RUNNING");
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &queued, NULL), ERR_INCORRECT_STATE,
                  "QUEUED");
    world_cancel(world, &run);
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &run, NULL), ERR_INCORRECT_STATE,
                  "CANCELING");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_delete(world, &run);
    assert_null(book_run(&world->book, &run));
    assert_int_equal(world->purged_count, 1);
    assert_true(uuid_equal(&world->purged[0], &run));
    static const enum command_kind kinds[] = {COMMAND_RUN_CANCEL, COMMAND_RUN_REPAIR,
                                              COMMAND_RUN_DELETE};
    for (size_t i = 0; i < 3; i++)
        assert_answer(world_on_run(world, kinds[i], &run, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                      "");
    world_exit(world, &queued, "a", 0);
    world_expect(world, &queued, "SUCCESS a=SUCCESS");
}

static void if_match_of_a_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    char old[ETAG_TEXT];
    char etag[ETAG_TEXT];
    etag_of_run(1, book_run(&world->book, &run)->last_event, old);
    world_exit(world, &run, "a", 1); /* a task moves: so does the run's etag */
    etag_of_run(1, book_run(&world->book, &run)->last_event, etag);
    assert_string_not_equal(old, etag);
    assert_answer(world_on_run(world, COMMAND_RUN_CANCEL, &run, old), ERR_NO_ETAG_MATCH, "");
    struct command repair = {.kind = COMMAND_RUN_REPAIR, .key = run, .if_match = old};
    repair.repair.mode = FIELD_UNSET;
    assert_answer(world_command(world, &repair), ERR_NO_ETAG_MATCH, "");
    repair.if_match = arena_printf(&world->arena, "\"%s\"", etag);
    assert_answer(world_command(world, &repair), ERR_OK, "");
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &run, etag), ERR_NO_ETAG_MATCH, "");
    assert_answer(world_on_run(world, COMMAND_RUN_CANCEL, &run, "*"), ERR_OK, "");
    world_ends(world, &run, "a", CAUSE_STOPPED);
    etag_of_run(2, book_run(&world->book, &run)->last_event, etag);
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &run, etag), ERR_OK, "");
}

/* 412 comes before 409. */
static void if_match_before_state(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    assert_answer(world_on_run(world, COMMAND_RUN_DELETE, &run, "nonsense"), ERR_NO_ETAG_MATCH, "");
    assert_answer(world_delete_job(world, &job, "nonsense"), ERR_NO_ETAG_MATCH, "");
    world_exit(world, &run, "a", 0);
}

static void a_job_without_tasks_is_saved_but_not_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_job(world, "{'name':'empty','path':'/','tasks':[]}");
    struct run_request request = {.queue_enabled = FIELD_UNSET};
    assert_answer(world_try_submit(world, &job, &request), ERR_INVALID_PARAMETER,
                  "job has no tasks");
}

static void what_a_run_keeps_from_its_creation(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'maxConcurrentRuns':5");
    struct uuid run = world_submit(world, &job, "x=1");
    const struct run_row *row = world_run(world, &run);
    assert_string_equal(row->job_name, "j");
    assert_int_equal(row->version, 1);
    assert_int_equal(row->definition_version, 1);
    assert_int_equal(row->max_concurrent_runs, 5);
    assert_int_equal(row->launched, LAUNCHED_MANUAL);
    assert_true(uuid_equal(&row->original_attempt_run, &run));
    assert_true(uuid_equal(&row->root_run, &run));
    assert_true(uuid_is_nil(&row->parent_run));
    assert_string_equal(row->parameters, "[{\"name\":\"x\",\"value\":\"1\"}]");
    struct run_request again = {
        .queue_enabled = FIELD_UNSET, .has_original_attempt = true, .original_attempt_run = run};
    assert_answer(world_try_submit(world, &job, &again), ERR_INVALID_PARAMETER,
                  "originalAttemptRunId");
    again.original_is_known = true;
    struct command_result result = world_try_submit(world, &job, &again);
    assert_answer(result, ERR_OK, "");
    assert_true(uuid_equal(&world_run(world, &result.key)->original_attempt_run, &run));
    /* Renaming the job changes no run. */
    world_update_job(world, &job, "{'name':'renamed','path':'/','tasks':[]}", NULL);
    assert_string_equal(world_run(world, &run)->job_name, "j");
    world_all_succeed(world);
}

static void accepted_commands_have_an_operation(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    size_t before = world->book.operations;
    struct command_result result = world_try_repair(world, &run, NULL, NULL, NULL);
    assert_answer(result, ERR_OK, "");
    assert_false(uuid_is_nil(&result.operation));
    assert_true(uuid_equal(&result.operation, &world_newest_repair(world, &run)->operation));
    assert_int_equal(world->book.operations, before + 1);
    world_exit(world, &run, "a", 0);
}

/* The same command again after a commit that failed makes one run (the token is the store's). */
static void a_command_whose_commit_failed_has_done_nothing(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "");
    struct run_request request = {.queue_enabled = FIELD_UNSET};
    world->fate = COMMIT_FAILED;
    struct uuid lost = world_try_submit(world, &job, &request).key;
    assert_null(book_run(&world->book, &lost));
    assert_int_equal(world->start_count, 0);
    struct uuid run = world_submit(world, &job, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 1);
    world->fate = COMMIT_FAILED;
    world_try_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run, "FAILED a=FAILED");
    assert_int_equal(world_run(world, &run)->version, 1);
    world->fate = COMMIT_UNANSWERED;
    world_try_repair(world, &run, NULL, NULL, NULL);
    world_expect(world, &run, "RUNNING a=RUNNING");
    world_exit(world, &run, "a", 0);
}

/* Of a run that has ended its row is enough to cancel it; a repair in the same batch has all of it. */
static void an_outline_makes_room_for_the_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a; b: a", "");
    struct uuid run = world_submit(world, &job, NULL);
    world_exit(world, &run, "a", 1);
    world_begin(world);
    world_cancel(world, &run);
    assert_answer(world_try_repair(world, &run, NULL, NULL, NULL), ERR_OK, "");
    world_cancel(world, &run);
    world_commit(world);
    world_ends(world, &run, "a", CAUSE_STOPPED);
    world_expect(world, &run, "CANCELED a=CANCELED b=CANCELED");
    world_begin(world);
    world_cancel(world, &run);
    world_cancel(world, &run);
    world_delete(world, &run);
    assert_answer(world_try_repair(world, &run, NULL, NULL, NULL), ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                  "");
    assert_answer(world_on_run(world, COMMAND_RUN_CANCEL, &run, NULL),
                  ERR_NOT_AUTHORIZED_OR_NOT_FOUND, "");
    world_commit(world);
    assert_null(book_run(&world->book, &run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_outline_makes_room_for_the_run),
        WORLD_TEST(jobs_have_versions),
        WORLD_TEST(a_job_with_active_runs_is_not_deleted),
        WORLD_TEST(a_job_with_queued_runs_only_is_not_deleted),
        WORLD_TEST(a_job_whose_run_is_being_repaired_is_not_deleted),
        WORLD_TEST(only_a_finished_run_is_deleted),
        WORLD_TEST(if_match_of_a_run),
        WORLD_TEST(if_match_before_state),
        WORLD_TEST(a_job_without_tasks_is_saved_but_not_run),
        WORLD_TEST(what_a_run_keeps_from_its_creation),
        WORLD_TEST(accepted_commands_have_an_operation),
        WORLD_TEST(a_command_whose_commit_failed_has_done_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
