/* One contract, every implementation: commits, fencing, settings, accounts, what is pruned. */
#include "store/world.h"

/* ---- commits ---- */

/* P3 */
static void a_planned_time_is_run_once(void **state)
{
    struct world *world = *state;
    struct run_row first = world_run_row(world, STATE_PENDING), again;
    static const enum instance_type both[] = {INSTANCE_SCHEDULED, INSTANCE_ONCE};
    first.instance_type = INSTANCE_SCHEDULED;
    first.plan_ms = 1000;
    world_write(world, ROW_RUN, ROW_INSERT, &first);
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        again = world_run_row(world, STATE_PENDING);
        again.instance_type = both[i];
        again.plan_ms = 1000;
        world_add(world, ROW_RUN, ROW_INSERT, &again);
        assert_int_equal(world_commit(world), STORE_FAILED);
    }
    again.instance_type = INSTANCE_MANUAL; /* by hand, as often as one likes */
    world_write(world, ROW_RUN, ROW_INSERT, &again);
    again = world_run_row(world, STATE_PENDING);
    again.instance_type = INSTANCE_SCHEDULED;
    again.plan_ms = 2000;
    world_write(world, ROW_RUN, ROW_INSERT, &again);
}

static void a_failed_commit_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING);
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    struct workspace_row before = world->workspace;
    struct run_row other = world_run_row(world, STATE_PENDING), read, moved = run;
    moved.state = STATE_RUNNING;
    for (int fault = 0; fault < 4; fault++) {
        struct run_row missing = world_run_row(world, STATE_RUNNING);
        struct event_row orphan = world_event_row(world, &missing.key, STATE_NEW, STATE_PENDING);
        world_add(world, ROW_RUN, ROW_INSERT, &other);
        world_add(world, ROW_RUN, ROW_UPDATE, &moved);
        if (fault == 3)
            world_add(world, ROW_RUN, ROW_DELETE, &run);
        if (fault == 0)
            world_add(world, ROW_RUN, ROW_INSERT, &run); /* exists */
        else if (fault == 1)
            world_add(world, ROW_RUN, ROW_UPDATE, &missing);
        else if (fault == 2)
            world_add(world, ROW_EVENT, ROW_INSERT, &orphan); /* of a run that is not there */
        else
            world_add(world, ROW_RUN, ROW_DELETE, &run); /* gone */
        assert_int_equal(world_commit(world), STORE_FAILED);
        assert_int_equal(world->workspace.batch, before.batch);
        store_read_begin(world->reader);
        assert_false(store_get_run(world->reader, before.id, &other.key, &world->arena, &read));
        assert_true(store_get_run(world->reader, before.id, &run.key, &world->arena, &read));
        assert_row_equal(ROW_RUN, &run, &read);
        store_read_end(world->reader);
    }
    world_write(world, ROW_RUN, ROW_INSERT, &other); /* and it goes on */
    assert_int_equal(world->workspace.batch, before.batch + 1);
}

static void whoever_takes_over_fences_the_other(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING);
    struct workspace_row first = world->workspace, second, third;
    assert_int_equal(store_take_over(world->store, first.id, 0, &second), STORE_OK);
    assert_int_equal(second.epoch, first.epoch + 1);
    assert_int_equal(second.batch, first.batch);
    assert_true(uuid_equal(&second.key, &first.key));
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(world_commit(world), STORE_FENCED);
    world->workspace = second;
    world->workspace.last_event = 41;
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(store_take_over(world->store, first.id, 0, &third), STORE_OK);
    assert_int_equal(third.epoch, second.epoch + 1);
    assert_int_equal(third.batch, second.batch + 1);
    assert_int_equal(third.last_event, 41);
    run = world_run_row(world, STATE_PENDING);
    world_add(world, ROW_RUN, ROW_INSERT, &run);
    assert_int_equal(world_commit(world), STORE_FENCED);
    assert_int_equal(store_take_over(world->store, 99, 0, &third), STORE_FAILED);
    /* Begun already, by what this store does not know of. */
    assert_int_equal(store_take_over(world->store, first.id, 40, &second), STORE_OK);
    assert_int_equal(second.epoch, 41);
    assert_int_equal(store_take_over(world->store, first.id, 40, &second), STORE_OK);
    assert_int_equal(second.epoch, 42);
}

/* A batch number that is behind: somebody of the same epoch has committed. */
static void a_batch_is_committed_once(void **state)
{
    struct world *world = *state;
    struct workspace_row before = world->workspace;
    struct run_row run = world_run_row(world, STATE_PENDING), read;
    world_write(world, ROW_RUN, ROW_INSERT, &run);
    world->workspace.batch = before.batch;
    struct run_row again = world_run_row(world, STATE_PENDING);
    world_add(world, ROW_RUN, ROW_INSERT, &again);
    assert_int_equal(world_commit(world), STORE_FENCED);
    store_read_begin(world->reader);
    assert_false(store_get_run(world->reader, before.id, &again.key, &world->arena, &read));
    store_read_end(world->reader);
}

static void the_answer_of_a_commit_may_be_lost(void **state)
{
    struct world *world = *state;
    if (world->kind != WORLD_MEMORY)
        return; /* a database loses answers only with its server */
    struct run_row lost = world_run_row(world, STATE_PENDING), read;
    struct run_row failed = world_run_row(world, STATE_PENDING);
    int64_t batch = world->workspace.batch;
    world->next_result = STORE_FAILED;
    world_add(world, ROW_RUN, ROW_INSERT, &failed);
    assert_int_equal(world_commit(world), STORE_FAILED);
    assert_false(store_get_run(world->reader, 1, &failed.key, &world->arena, &read));
    world->next_result = STORE_FAILED;
    world->next_applied = true;
    world_add(world, ROW_RUN, ROW_INSERT, &lost);
    assert_int_equal(world_commit(world), STORE_FAILED);
    assert_int_equal(world->workspace.batch, batch);
    assert_true(store_get_run(world->reader, 1, &lost.key, &world->arena, &read));
    assert_int_equal(store_take_over(world->store, 1, 0, &world->workspace), STORE_OK);
    assert_int_equal(world->workspace.batch, batch + 1);
    world_write(world, ROW_RUN, ROW_INSERT, &failed);
}

struct extension {
    struct world *world;
    struct run_row run;
    struct operation_row row;
    bool seen;
};

static void extend(void *context, struct store_reader *reader, struct row_batch *more)
{
    struct extension *extension = context;
    struct run_row read;
    extension->seen = store_get_run(reader, extension->run.workspace, &extension->run.key,
                                    &extension->world->arena, &read) &&
                      read.state == extension->run.state;
    row_batch_add(more, ROW_OPERATION, ROW_INSERT, &extension->row);
}

static void an_extension_sees_its_own_transaction(void **state)
{
    struct world *world = *state;
    struct extension extension = {.world = world, .run = world_run_row(world, STATE_PENDING)};
    struct operation_row read;
    row_fill(&store_tables[ROW_OPERATION], &extension.row, 3, true, &world->arena);
    extension.row.workspace = world->workspace.id;
    struct store_commit commit = {&world->workspace, &world->batch, extend, &extension};
    world_add(world, ROW_RUN, ROW_INSERT, &extension.run);
    assert_int_equal(store_commit(world->store, &commit), STORE_OK);
    assert_true(extension.seen);
    store_read_begin(world->reader);
    assert_true(store_get_operation(world->reader, world->workspace.id, &extension.row.key,
                                    &world->arena, &read));
    assert_row_equal(ROW_OPERATION, &extension.row, &read);
    store_read_end(world->reader);
    /* The same row again: the whole commit fails, the run's move included. */
    row_batch_clear(&world->batch);
    extension.run.state = STATE_RUNNING;
    world_add(world, ROW_RUN, ROW_UPDATE, &extension.run);
    assert_int_equal(store_commit(world->store, &commit), STORE_FAILED);
    assert_true(extension.seen);
    store_read_begin(world->reader);
    struct run_row run;
    assert_true(
        store_get_run(world->reader, world->workspace.id, &extension.run.key, &world->arena, &run));
    assert_int_equal(run.state, STATE_PENDING);
    store_read_end(world->reader);
}

static void every_write_changes_the_version(void **state)
{
    struct world *world = *state;
    struct run_row run = world_run_row(world, STATE_PENDING);
    struct user_row user = {.id = "u", .name = "U", .disabled_ms = FIELD_NULL};
    uint64_t versions[5];
    for (int i = 0; i < 5; i++) {
        if (i == 1)
            world_write(world, ROW_RUN, ROW_INSERT, &run);
        if (i == 2)
            assert_int_equal(store_meta_set(world->store, "a", "b"), STORE_OK);
        if (i == 3) {
            row_batch_add(&world->batch, ROW_USER, ROW_INSERT, &user);
            assert_int_equal(store_write_accounts(world->store, &world->batch), STORE_OK);
            row_batch_clear(&world->batch);
        }
        if (i == 4)
            assert_int_equal(store_take_over(world->store, 1, 0, &world->workspace), STORE_OK);
        store_read_begin(world->reader);
        versions[i] = store_read_version(world->reader);
        assert_int_equal(store_read_version(world->reader), versions[i]);
        store_read_end(world->reader);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(versions[k], versions[i]);
    }
}

/* ---- settings and accounts ---- */

static void settings_and_workspaces(void **state)
{
    struct world *world = *state;
    struct workspace_row other = {.name = "other", .created_ms = 5}, *rows;
    size_t count;
    char *value;
    assert_true(store_meta_get(world->store, "pageKey", &world->arena, &value));
    assert_null(value);
    assert_int_equal(store_meta_set(world->store, "pageKey", "one"), STORE_OK);
    assert_int_equal(store_meta_set(world->store, "pageKey", "two"), STORE_OK);
    world_reopen(world);
    assert_true(store_meta_get(world->store, "pageKey", &world->arena, &value));
    assert_string_equal(value, "two");
    other.key = world->workspace.key;
    assert_int_equal(store_workspace_create(world->store, &other), STORE_FAILED);
    other.key = world_key(world);
    other.name = "default";
    assert_int_equal(store_workspace_create(world->store, &other), STORE_FAILED);
    other.name = "other";
    assert_int_equal(store_workspace_create(world->store, &other), STORE_OK);
    assert_true(store_workspaces(world->store, &world->arena, &rows, &count));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].id, world->workspace.id);
    assert_string_equal(rows[0].name, "default");
    assert_int_equal(rows[0].batch, world->workspace.batch);
    assert_int_equal(rows[1].id, other.id);
    assert_string_equal(rows[1].name, "other");
    assert_true(uuid_equal(&rows[1].key, &other.key));
    assert_true(store_is_writable(world->store));
    /* The same key in another workspace is another row. */
    struct job_row job = {.workspace = other.id, .key = world->job, .name = "elsewhere"};
    assert_int_equal(store_take_over(world->store, other.id, 0, &other), STORE_OK);
    row_batch_add(&world->batch, ROW_JOB, ROW_INSERT, &job);
    struct store_commit commit = {.workspace = &other, .rows = &world->batch};
    assert_int_equal(store_commit(world->store, &commit), STORE_OK);
    assert_true(store_get_job(world->reader, other.id, &world->job, &world->arena, &job));
    assert_string_equal(job.name, "elsewhere");
    assert_true(store_get_job(world->reader, 1, &world->job, &world->arena, &job));
    assert_string_equal(job.name, "nightly");
}

static void accounts_are_found(void **state)
{
    struct world *world = *state;
    struct user_row user = {.id = "ocid1", .name = "ada", .disabled_ms = FIELD_NULL}, read;
    struct user_row same = {.id = "ocid2", .name = "ada", .disabled_ms = FIELD_NULL};
    int role = 77;
    row_batch_add(&world->batch, ROW_USER, ROW_INSERT, &user);
    assert_int_equal(store_write_accounts(world->store, &world->batch), STORE_OK);
    row_batch_clear(&world->batch);
    row_batch_add(&world->batch, ROW_USER, ROW_INSERT, &same);
    assert_int_equal(store_write_accounts(world->store, &world->batch), STORE_FAILED);
    row_batch_clear(&world->batch);
    store_read_begin(world->reader);
    assert_true(store_get_user(world->reader, "ada", &world->arena, &read));
    assert_row_equal(ROW_USER, &user, &read);
    assert_false(store_get_user(world->reader, "ocid1", &world->arena, &read));
    assert_false(store_get_user_by_id(world->reader, "ada", &world->arena, &read));
    assert_false(store_get_role(world->reader, 1, "ocid1", &role));
    assert_int_equal(role, 77);
    store_read_end(world->reader);
}

/* ---- housekeeping ---- */

static void retry_tokens_are_pruned_oldest_first(void **state)
{
    struct world *world = *state;
    struct retry_token_row token = {.workspace = 1, .body = "{}", .body_len = 2}, read;
    for (int i = 0; i < 10; i++) {
        memset(token.scope, (i * 7) % 10, sizeof token.scope);
        token.created_ms = 1000 + i;
        world_add(world, ROW_RETRY_TOKEN, ROW_INSERT, &token);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    assert_int_equal(store_prune_retry_tokens(world->store, 1005, 3), 3);
    assert_int_equal(store_prune_retry_tokens(world->store, 1005, 3), 2);
    assert_int_equal(store_prune_retry_tokens(world->store, 1005, 3), 0);
    store_read_begin(world->reader);
    for (int i = 0; i < 10; i++) {
        uint8_t scope[32];
        memset(scope, (i * 7) % 10, sizeof scope);
        assert_int_equal(store_get_retry_token(world->reader, 1, scope, &world->arena, &read),
                         i >= 5);
    }
    store_read_end(world->reader);
}

static void operations_and_skipped_times_are_pruned_oldest_first(void **state)
{
    struct world *world = *state;
    struct operation_row operation = {.workspace = 1, .display_name = "job"}, read;
    struct skipped_row skipped = {.workspace = 1, .job = world->job, .count = 1}, *rows;
    for (int i = 0; i < 6; i++) {
        operation.key = uuid_at_ms(1000 + i);
        operation.finished_ms = i == 1 ? FIELD_NULL : 1000 + i;
        world_add(world, ROW_OPERATION, ROW_INSERT, &operation);
        skipped.key = world_key(world);
        skipped.created_ms = 1000 + (i * 5) % 6;
        world_add(world, ROW_SKIPPED, ROW_INSERT, &skipped);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    assert_int_equal(store_prune_operations(world->store, 2, 1004, 9), 0); /* another workspace */
    assert_int_equal(store_prune_operations(world->store, 1, 1004, 2), 2);
    assert_int_equal(store_prune_operations(world->store, 1, 1004, 9), 1);
    assert_int_equal(store_prune_skipped(world->store, 1004, 3), 3);
    assert_int_equal(store_prune_skipped(world->store, 1004, 9), 1);
    store_read_begin(world->reader);
    for (int i = 0; i < 6; i++) {
        const struct uuid key = uuid_at_ms(1000 + i);
        assert_int_equal(store_get_operation(world->reader, 1, &key, &world->arena, &read),
                         i == 1 || i >= 4); /* one goes on, two are young */
    }
    assert_int_equal(store_skipped(world->reader, 1, &world->job, 9, &world->arena, &rows), 2);
    assert_true(rows[0].created_ms >= 1004 && rows[1].created_ms >= 1004);
    store_read_end(world->reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planned_time_is_run_once),
        cmocka_unit_test(a_failed_commit_leaves_nothing),
        cmocka_unit_test(whoever_takes_over_fences_the_other),
        cmocka_unit_test(a_batch_is_committed_once),
        cmocka_unit_test(the_answer_of_a_commit_may_be_lost),
        cmocka_unit_test(an_extension_sees_its_own_transaction),
        cmocka_unit_test(every_write_changes_the_version),
        cmocka_unit_test(settings_and_workspaces),
        cmocka_unit_test(accounts_are_found),
        cmocka_unit_test(retry_tokens_are_pruned_oldest_first),
        cmocka_unit_test(operations_and_skipped_times_are_pruned_oldest_first),
    };
    return world_run("store contract", tests, sizeof tests / sizeof *tests);
}
