/* Accounts: lists in pages, rows that go by their keys, the audit. */
#include "store/world.h"

#include "base/mem.h"

static size_t list(struct world *world, const struct account_query *query, void *ret)
{
    void *rows;
    size_t count = store_accounts(world->reader, query, &world->arena, &rows);
    memcpy(ret, &rows, sizeof rows);
    return count;
}

static void write_accounts(struct world *world, enum store_result result)
{
    assert_int_equal(store_write_accounts(world->store, &world->batch), result);
    row_batch_clear(&world->batch);
}

static void add_accounts(struct world *world)
{
    static const char *const names[] = {"zoe", "ada", "eva"};
    for (int64_t i = 0; i < 3; i++) {
        struct user_row user = {.id = arena_printf(&world->arena, "id%d", (int)i),
                                .name = names[i],
                                .disabled_ms = FIELD_NULL};
        struct role_row role = {7 - i, "id1", (int)i};
        struct token_row token = {
            .user_id = i < 2 ? "id1" : "id2", .expires_ms = FIELD_NULL, .revoked_ms = FIELD_NULL};
        memset(token.hash, (int)(9 - i), sizeof token.hash);
        struct access_key_row key = {.id = names[i], .user_id = "id1"};
        struct api_key_row api_key = {.id = names[i], .user_id = i ? "id1" : "id0"};
        struct secret_row secret = {.workspace = i < 2 ? 1 : 2, .name = names[i]};
        world_add(world, ROW_USER, ROW_INSERT, &user);
        world_add(world, ROW_ROLE, ROW_INSERT, &role);
        world_add(world, ROW_TOKEN, ROW_INSERT, &token);
        world_add(world, ROW_ACCESS_KEY, ROW_INSERT, &key);
        world_add(world, ROW_API_KEY, ROW_INSERT, &api_key);
        world_add(world, ROW_SECRET, ROW_INSERT, &secret);
    }
    write_accounts(world, STORE_OK);
}

static void accounts_are_listed_in_pages(void **state)
{
    struct world *world = *state;
    struct user_row *users;
    struct role_row *roles;
    struct token_row *tokens;
    struct access_key_row *keys;
    struct api_key_row *api_keys;
    struct secret_row *secrets;
    add_accounts(world);
    store_read_begin(world->reader);
    struct account_query query = {.kind = ROW_USER, .limit = 2};
    assert_int_equal(list(world, &query, &users), 2);
    assert_string_equal(users[0].name, "ada");
    assert_string_equal(users[1].name, "eva");
    query.after = "eva";
    assert_int_equal(list(world, &query, &users), 1);
    assert_string_equal(users[0].name, "zoe");

    query = (struct account_query){.kind = ROW_ROLE, .user_id = "id1", .limit = 9};
    assert_int_equal(list(world, &query, &roles), 3);
    assert_int_equal(roles[0].workspace, 5);
    assert_int_equal(roles[2].workspace, 7);

    query = (struct account_query){.kind = ROW_TOKEN, .user_id = "id1", .limit = 9};
    assert_int_equal(list(world, &query, &tokens), 2);
    assert_int_equal(tokens[0].hash[0], 8);
    query.after_hash = tokens[0].hash;
    assert_int_equal(list(world, &query, &tokens), 1);
    assert_int_equal(tokens[0].hash[0], 9);

    query = (struct account_query){.kind = ROW_ACCESS_KEY, .user_id = "id1", .limit = 2};
    assert_int_equal(list(world, &query, &keys), 2);
    assert_string_equal(keys[1].id, "eva");
    query =
        (struct account_query){.kind = ROW_API_KEY, .user_id = "id1", .after = "ada", .limit = 2};
    assert_int_equal(list(world, &query, &api_keys), 1);
    assert_string_equal(api_keys[0].id, "eva");
    query = (struct account_query){.kind = ROW_SECRET, .workspace = 1, .limit = 9};
    assert_int_equal(list(world, &query, &secrets), 2);
    assert_string_equal(secrets[0].name, "ada");
    store_read_end(world->reader);
}

static void accounts_are_deleted_by_their_keys(void **state)
{
    struct world *world = *state;
    struct access_key_row key = {.id = "ada"}, read;
    struct secret_row secret = {.workspace = 1, .name = "zoe"};
    struct api_key_row api_key = {.id = "zoe"}, read_api_key;
    struct role_row role = {.workspace = 7, .user_id = "id1"};
    struct job_permission_row permission = {
        .workspace = 7, .job = world->job, .grantee_type = GRANTEE_ROLE, .grantee = "VIEWER"};
    struct job_permission_row *permissions, other = permission;
    struct token_row token;
    int found;
    memset(token.hash, 9, sizeof token.hash);
    add_accounts(world);
    other.grantee_type = GRANTEE_USER;
    world_add(world, ROW_JOB_PERMISSION, ROW_INSERT, &permission);
    world_add(world, ROW_JOB_PERMISSION, ROW_INSERT, &other);
    write_accounts(world, STORE_OK);
    world_add(world, ROW_JOB_PERMISSION, ROW_DELETE, &permission);
    world_add(world, ROW_ACCESS_KEY, ROW_DELETE, &key);
    world_add(world, ROW_SECRET, ROW_DELETE, &secret);
    world_add(world, ROW_API_KEY, ROW_DELETE, &api_key);
    world_add(world, ROW_ROLE, ROW_DELETE, &role);
    world_add(world, ROW_TOKEN, ROW_DELETE, &token);
    write_accounts(world, STORE_OK);
    store_read_begin(world->reader);
    assert_int_equal(
        store_job_permissions(world->reader, 7, &world->job, &world->arena, &permissions), 1);
    assert_int_equal(permissions[0].grantee_type, GRANTEE_USER);
    assert_false(store_get_access_key(world->reader, "ada", &world->arena, &read));
    assert_true(store_get_access_key(world->reader, "eva", &world->arena, &read));
    assert_false(store_get_secret(world->reader, 1, "zoe", &world->arena, &secret));
    assert_false(store_get_api_key(world->reader, "zoe", &world->arena, &read_api_key));
    assert_false(store_get_role(world->reader, 7, "id1", &found));
    assert_false(store_get_token(world->reader, token.hash, &world->arena, &token));
    store_read_end(world->reader);
    /* what is not there cannot go, and nothing else of the batch goes with it */
    world_add(world, ROW_ACCESS_KEY, ROW_DELETE, &read);
    world_add(world, ROW_ACCESS_KEY, ROW_DELETE, &key);
    write_accounts(world, STORE_FAILED);
    store_read_begin(world->reader);
    assert_true(store_get_access_key(world->reader, "eva", &world->arena, &read));
    store_read_end(world->reader);
}

static void the_audit_is_newest_first_and_refusals_are_pruned(void **state)
{
    struct world *world = *state;
    struct audit_row *rows;
    int64_t border_ms = 0;
    for (int i = 0; i < 6; i++) {
        world->now_ms += 1000;
        struct audit_row row = {.key = world_key(world), .outcome = i % 2, .time_ms = i};
        if (i == 4)
            border_ms = uuid_time_ms(&row.key);
        world_add(world, ROW_AUDIT, ROW_INSERT, &row);
    }
    write_accounts(world, STORE_OK);
    struct account_query query = {.kind = ROW_AUDIT, .limit = 4};
    store_read_begin(world->reader);
    assert_int_equal(list(world, &query, &rows), 4);
    assert_int_equal(rows[0].time_ms, 5);
    query.before = &rows[3].key;
    assert_int_equal(list(world, &query, &rows), 2);
    assert_int_equal(rows[1].time_ms, 0);
    store_read_end(world->reader);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_REFUSED, border_ms, 1), 1);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_REFUSED, border_ms, 9), 1);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_REFUSED, border_ms, 9), 0);
    query = (struct account_query){.kind = ROW_AUDIT, .limit = 9};
    store_read_begin(world->reader);
    assert_int_equal(list(world, &query, &rows), 4); /* 5, 4, 2, 0 */
    assert_int_equal(rows[2].time_ms, 2);
    store_read_end(world->reader);
}

/* Of a run and of a job with one key: `subject` tells them apart. */
static void the_audit_of_one_thing_is_found(void **state)
{
    struct world *world = *state;
    struct audit_row *rows;
    struct uuid things[2] = {world_key(world), world_key(world)};
    struct uuid middle = {{0}};
    for (int i = 0; i < 8; i++) {
        world->now_ms += 1000;
        struct audit_row row = {.key = world_key(world),
                                .time_ms = i,
                                .subject = i < 6 ? AUDIT_ABOUT_RUN : AUDIT_ABOUT_JOB,
                                .resource = things[i % 2]};
        if (i == 4)
            middle = row.key;
        world_add(world, ROW_AUDIT, ROW_INSERT, &row);
    }
    struct audit_row of_nothing = {.key = world_key(world), .subject = AUDIT_ABOUT_USER};
    world_add(world, ROW_AUDIT, ROW_INSERT, &of_nothing);
    write_accounts(world, STORE_OK);
    struct account_query query = {
        .kind = ROW_AUDIT, .subject = AUDIT_ABOUT_RUN, .resource = &things[0], .limit = 9};
    store_read_begin(world->reader);
    assert_int_equal(list(world, &query, &rows), 3); /* 4, 2, 0 */
    assert_int_equal(rows[0].time_ms, 4);
    assert_true(uuid_equal(&rows[2].resource, &things[0]));
    query.before = &middle;
    assert_int_equal(list(world, &query, &rows), 2);
    assert_int_equal(rows[0].time_ms, 2);
    query.before = NULL;
    query.since = &middle;
    assert_int_equal(list(world, &query, &rows), 1);
    query.subject = AUDIT_ABOUT_JOB;
    assert_int_equal(list(world, &query, &rows), 1);
    assert_int_equal(rows[0].time_ms, 6);
    query = (struct account_query){.kind = ROW_AUDIT, .since = &middle, .limit = 9};
    assert_int_equal(list(world, &query, &rows), 5);
    store_read_end(world->reader);
}

/* Only of runs, and only when their run is old too. */
static void changes_of_old_runs_are_pruned(void **state)
{
    struct world *world = *state;
    struct audit_row *rows;
    struct uuid old_run = world_key(world), old_job = world_key(world);
    world->now_ms += 1000;
    int64_t border_ms = world->now_ms + 2500;
    for (int i = 0; i < 4; i++) {
        world->now_ms += 1000;
        struct uuid key = world_key(world);
        struct audit_row of_run = {.key = key, .subject = AUDIT_ABOUT_RUN, .resource = old_run};
        struct audit_row of_job = {
            .key = world_key(world), .subject = AUDIT_ABOUT_JOB, .resource = old_job};
        world_add(world, ROW_AUDIT, ROW_INSERT, &of_run);
        world_add(world, ROW_AUDIT, ROW_INSERT, &of_job);
    }
    struct audit_row of_young = {
        .key = uuid_at_ms(border_ms - 2), .subject = AUDIT_ABOUT_RUN, .resource = world_key(world)};
    world_add(world, ROW_AUDIT, ROW_INSERT, &of_young);
    write_accounts(world, STORE_OK);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_RUNS, border_ms, 1), 1);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_RUNS, border_ms, 9), 1);
    assert_int_equal(store_prune_audit(world->store, AUDIT_PRUNE_RUNS, border_ms, 9), 0);
    struct account_query query = {.kind = ROW_AUDIT, .limit = 20};
    store_read_begin(world->reader);
    assert_int_equal(list(world, &query, &rows), 7);
    query.subject = AUDIT_ABOUT_RUN;
    query.resource = &old_run;
    assert_int_equal(list(world, &query, &rows), 2);
    store_read_end(world->reader);
}

/* A hundred years before a clock that stands at 0, and one that has just begun. */
static void nothing_is_older_than_all_times(void **state)
{
    static const int64_t before_ms[] = {INT64_C(-36500) * 86400 * 1000, -1, 0};
    struct world *world = *state;
    struct audit_row *rows;
    struct audit_row refused = {.key = world_key(world), .outcome = AUDIT_REFUSED};
    struct audit_row of_run = {
        .key = world_key(world), .subject = AUDIT_ABOUT_RUN, .resource = refused.key};
    struct operation_row operation = {
        .workspace = 1, .key = world_key(world), .display_name = "job", .finished_ms = 1};
    world_add(world, ROW_OPERATION, ROW_INSERT, &operation);
    assert_int_equal(world_commit(world), STORE_OK);
    world_add(world, ROW_AUDIT, ROW_INSERT, &refused);
    world_add(world, ROW_AUDIT, ROW_INSERT, &of_run);
    write_accounts(world, STORE_OK);
    for (size_t i = 0; i < ARRAY_LEN(before_ms); i++) {
        struct store *store = world->store;
        assert_int_equal(store_prune_audit(store, AUDIT_PRUNE_REFUSED, before_ms[i], 9), 0);
        assert_int_equal(store_prune_audit(store, AUDIT_PRUNE_RUNS, before_ms[i], 9), 0);
        assert_int_equal(store_prune_operations(store, 1, before_ms[i], 9), 0);
        assert_int_equal(store_prune_skipped(store, before_ms[i], 9), 0);
        assert_int_equal(store_prune_retry_tokens(store, before_ms[i], 9), 0);
    }
    struct account_query query = {.kind = ROW_AUDIT, .limit = 9};
    store_read_begin(world->reader);
    assert_int_equal(list(world, &query, &rows), 2);
    assert_true(store_get_operation(world->reader, 1, &operation.key, &world->arena, &operation));
    store_read_end(world->reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_listed_in_pages),
        cmocka_unit_test(accounts_are_deleted_by_their_keys),
        cmocka_unit_test(the_audit_is_newest_first_and_refusals_are_pruned),
        cmocka_unit_test(the_audit_of_one_thing_is_found),
        cmocka_unit_test(changes_of_old_runs_are_pruned),
        cmocka_unit_test(nothing_is_older_than_all_times),
    };
    return world_run("accounts", tests, ARRAY_LEN(tests));
}
