/* One contract, every implementation: rows of every kind written, updated, deleted, read back. */
#include "store/world.h"

#include <stdlib.h>

#include "base/mem.h"

/* The rows of one story, related as the store wants them. */
struct story {
    struct job_row job;
    struct job_version_row version;
    struct schedule_row schedule;
    struct skipped_row skipped;
    struct run_row run;
    struct repair_row repair;
    struct task_run_row task_run;
    struct attempt_row attempt;
    struct event_row event;
    struct operation_row operation;
    struct retry_token_row token;
    struct user_row user;
    struct role_row role;
    struct token_row access;
    struct api_key_row api_key;
    struct access_key_row access_key;
    struct secret_row secret;
    struct audit_row audit;
    struct resource_row resource;
    struct recent_job_row recent;
    struct job_permission_row permission;
    struct campaign_row campaign;
    struct campaign_cell_row cell;
};

static void fill_story(struct world *world, struct story *story, unsigned seed, bool set)
{
    void *const rows[] = {
        [ROW_JOB] = &story->job,
        [ROW_JOB_VERSION] = &story->version,
        [ROW_SCHEDULE] = &story->schedule,
        [ROW_SKIPPED] = &story->skipped,
        [ROW_RUN] = &story->run,
        [ROW_REPAIR] = &story->repair,
        [ROW_TASK_RUN] = &story->task_run,
        [ROW_ATTEMPT] = &story->attempt,
        [ROW_EVENT] = &story->event,
        [ROW_OPERATION] = &story->operation,
        [ROW_RETRY_TOKEN] = &story->token,
        [ROW_USER] = &story->user,
        [ROW_ROLE] = &story->role,
        [ROW_TOKEN] = &story->access,
        [ROW_API_KEY] = &story->api_key,
        [ROW_ACCESS_KEY] = &story->access_key,
        [ROW_SECRET] = &story->secret,
        [ROW_AUDIT] = &story->audit,
        [ROW_RESOURCE] = &story->resource,
        [ROW_RECENT_JOB] = &story->recent,
        [ROW_CAMPAIGN] = &story->campaign,
        [ROW_CAMPAIGN_CELL] = &story->cell,
        [ROW_JOB_PERMISSION] = &story->permission,
    };
    int64_t workspace = world->workspace.id;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++)
        row_fill(&store_tables[kind], rows[kind], seed + (unsigned)kind, set, &world->arena);
    story->job.workspace = story->version.workspace = story->run.workspace = workspace;
    story->repair.workspace = story->task_run.workspace = story->attempt.workspace = workspace;
    story->event.workspace = story->operation.workspace = story->token.workspace = workspace;
    story->role.workspace = story->secret.workspace = workspace;
    story->audit.key = world_key(world);
    story->schedule.workspace = story->skipped.workspace = workspace;
    story->role.workspace = workspace;
    story->resource.workspace = story->recent.workspace = workspace;
    story->permission.workspace = workspace;
    story->resource.key = world_key(world);
    story->campaign.workspace = story->cell.workspace = workspace;
    story->campaign.key = story->cell.campaign = world_key(world);
    story->recent.job = story->job.key;
    story->job.key = story->version.job = story->run.job = world_key(world);
    story->schedule.job = story->skipped.job = story->job.key;
    story->permission.job = story->job.key;
    story->skipped.key = world_key(world);
    story->run.key = story->repair.run = story->task_run.run = world_key(world);
    story->attempt.run = story->event.run = story->run.key;
    story->task_run.key = story->attempt.task_run = world_key(world);
    story->operation.key = world_key(world);
    if (set)
        story->event.task_run = story->task_run.key;
}

static void write_story(struct world *world, const struct story *story, enum row_action action)
{
    world_add(world, ROW_JOB, action, &story->job);
    world_add(world, ROW_SCHEDULE, action, &story->schedule);
    world_add(world, ROW_RUN, action, &story->run);
    world_add(world, ROW_REPAIR, action, &story->repair);
    world_add(world, ROW_TASK_RUN, action, &story->task_run);
    world_add(world, ROW_ATTEMPT, action, &story->attempt);
    world_add(world, ROW_CAMPAIGN, action, &story->campaign);
    world_add(world, ROW_CAMPAIGN_CELL, action, &story->cell);
    world_add(world, ROW_OPERATION, action, &story->operation);
    world_add(world, ROW_RETRY_TOKEN, action, &story->token);
    if (action == ROW_INSERT) {
        world_add(world, ROW_JOB_VERSION, action, &story->version);
        world_add(world, ROW_SKIPPED, action, &story->skipped);
        world_add(world, ROW_EVENT, action, &story->event);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    world_add(world, ROW_USER, action, &story->user);
    world_add(world, ROW_ROLE, action, &story->role);
    world_add(world, ROW_TOKEN, action, &story->access);
    world_add(world, ROW_SECRET, action, &story->secret);
    if (action == ROW_INSERT) {
        world_add(world, ROW_API_KEY, action, &story->api_key);
        world_add(world, ROW_ACCESS_KEY, action, &story->access_key);
        world_add(world, ROW_AUDIT, action, &story->audit);
    }
    world_add(world, ROW_RESOURCE, action, &story->resource);
    world_add(world, ROW_RECENT_JOB, action, &story->recent);
    world_add(world, ROW_JOB_PERMISSION, action, &story->permission);
    assert_int_equal(store_write_accounts(world->store, &world->batch), STORE_OK);
    row_batch_clear(&world->batch);
}

/* Reads all that the story wrote. */
static void read_story(struct world *world, const struct story *keys, struct story *ret)
{
    struct store_reader *reader = world->reader;
    struct arena *arena = &world->arena;
    int64_t workspace = world->workspace.id;
    struct run_image image;
    struct attempt_row *attempts;
    struct event_row *events;
    struct skipped_row *skipped;
    store_read_begin(reader);
    assert_true(store_get_schedule(reader, workspace, &keys->job.key, arena, &ret->schedule));
    assert_int_equal(store_skipped(reader, workspace, &keys->job.key, 10, arena, &skipped), 1);
    ret->skipped = skipped[0];
    assert_true(store_get_job(reader, workspace, &keys->job.key, arena, &ret->job));
    assert_true(store_get_job_version(reader, workspace, &keys->job.key, keys->version.version,
                                      arena, &ret->version));
    assert_true(store_get_run(reader, workspace, &keys->run.key, arena, &ret->run));
    assert_true(store_get_run_image(reader, workspace, &keys->run.key, arena, &image));
    assert_row_equal(ROW_RUN, &ret->run, &image.run);
    assert_int_equal(image.repair_count, 1);
    ret->repair = image.repairs[0];
    assert_int_equal(image.task_run_count, 1);
    assert_true(store_get_task_run(reader, workspace, &keys->task_run.key, arena, &ret->task_run));
    assert_row_equal(ROW_TASK_RUN, &ret->task_run, &image.task_runs[0]);
    assert_int_equal(
        store_attempts(reader, workspace, &keys->task_run.key, 0, 10, arena, &attempts), 1);
    assert_int_equal(image.attempt_count, 1);
    assert_row_equal(ROW_ATTEMPT, &attempts[0], &image.attempts[0]);
    ret->attempt = attempts[0];
    assert_int_equal(store_run_events(reader, workspace, &keys->run.key, 0, 10, arena, &events), 1);
    ret->event = events[0];
    assert_true(
        store_get_operation(reader, workspace, &keys->operation.key, arena, &ret->operation));
    assert_true(store_get_retry_token(reader, workspace, keys->token.scope, arena, &ret->token));
    assert_true(store_get_user_by_id(reader, keys->user.id, arena, &ret->user));
    ret->role = keys->role;
    ret->role.role = -2;
    assert_true(store_get_role(reader, workspace, keys->role.user_id, &ret->role.role));
    assert_true(store_get_token(reader, keys->access.hash, arena, &ret->access));
    assert_true(store_get_api_key(reader, keys->api_key.id, arena, &ret->api_key));
    assert_true(store_get_access_key(reader, keys->access_key.id, arena, &ret->access_key));
    assert_true(store_get_secret(reader, workspace, keys->secret.name, arena, &ret->secret));
    const struct account_query newest = {.kind = ROW_AUDIT, .limit = 1};
    void *audit;
    assert_int_equal(store_accounts(reader, &newest, arena, &audit), 1);
    ret->audit = *(struct audit_row *)audit;
    assert_true(store_get_resource(reader, workspace, &keys->resource.key, arena, &ret->resource));
    struct recent_job_row *recent;
    assert_int_equal(store_recent_jobs(reader, workspace, keys->recent.user_id, arena, &recent), 1);
    ret->recent = *recent;
    struct job_permission_row *permissions;
    assert_int_equal(
        store_job_permissions(reader, workspace, &keys->permission.job, arena, &permissions), 1);
    ret->permission = *permissions;
    struct campaign_cell_row *cells;
    const struct uuid *campaign = &keys->campaign.key;
    assert_true(store_get_campaign(reader, workspace, campaign, arena, &ret->campaign));
    assert_int_equal(store_campaign_cells(reader, workspace, campaign, 0, 10, arena, &cells), 1);
    ret->cell = cells[0];
    assert_false(store_reader_failed(reader));
    store_read_end(reader);
}

static void assert_story_equal(const struct story *a, const struct story *b)
{
    assert_row_equal(ROW_JOB, &a->job, &b->job);
    assert_row_equal(ROW_JOB_VERSION, &a->version, &b->version);
    assert_row_equal(ROW_SCHEDULE, &a->schedule, &b->schedule);
    assert_row_equal(ROW_SKIPPED, &a->skipped, &b->skipped);
    assert_row_equal(ROW_RUN, &a->run, &b->run);
    assert_row_equal(ROW_REPAIR, &a->repair, &b->repair);
    assert_row_equal(ROW_TASK_RUN, &a->task_run, &b->task_run);
    assert_row_equal(ROW_ATTEMPT, &a->attempt, &b->attempt);
    assert_row_equal(ROW_EVENT, &a->event, &b->event);
    assert_row_equal(ROW_OPERATION, &a->operation, &b->operation);
    assert_row_equal(ROW_RETRY_TOKEN, &a->token, &b->token);
    assert_row_equal(ROW_USER, &a->user, &b->user);
    assert_row_equal(ROW_ROLE, &a->role, &b->role);
    assert_row_equal(ROW_TOKEN, &a->access, &b->access);
    assert_row_equal(ROW_API_KEY, &a->api_key, &b->api_key);
    assert_row_equal(ROW_ACCESS_KEY, &a->access_key, &b->access_key);
    assert_row_equal(ROW_SECRET, &a->secret, &b->secret);
    assert_row_equal(ROW_AUDIT, &a->audit, &b->audit);
    assert_row_equal(ROW_RESOURCE, &a->resource, &b->resource);
    assert_row_equal(ROW_RECENT_JOB, &a->recent, &b->recent);
    assert_row_equal(ROW_JOB_PERMISSION, &a->permission, &b->permission);
    assert_row_equal(ROW_CAMPAIGN, &a->campaign, &b->campaign);
    assert_row_equal(ROW_CAMPAIGN_CELL, &a->cell, &b->cell);
}

static void every_kind_is_read_back(void **state)
{
    struct world *world = *state;
    for (unsigned round = 0; round < 2; round++) {
        struct story written, read;
        fill_story(world, &written, 100 * (round + 1), round == 0);
        write_story(world, &written, ROW_INSERT);
        world_reopen(world);
        read_story(world, &written, &read);
        assert_story_equal(&written, &read);
        if (round == 0)
            assert_string_equal(read.event.task_key, written.task_run.task_key);
        else
            assert_null(read.event.task_key);
    }
}

/* `row` with the moving columns of `moved`. */
static void merge(enum row_kind kind, void *row, const void *moved)
{
    const struct table *table = &store_tables[kind];
    const char *from = moved;
    char *to = row;
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        if (!(column->flags & COLUMN_MOVING))
            continue;
        size_t size = column->kind == COLUMN_INT    ? sizeof(int)
                      : column->kind == COLUMN_INT8 ? sizeof(int8_t)
                      : column->kind == COLUMN_UUID ? sizeof(struct uuid)
                      : column->kind == COLUMN_HASH ? COLUMN_HASH_BYTES
                                                    : sizeof(int64_t);
        memcpy(to + column->offset, from + column->offset, size);
        if (column->kind == COLUMN_BYTES)
            memcpy(to + column->length_offset, from + column->length_offset, sizeof(int64_t));
    }
}

static void copy_keys(struct story *to, const struct story *from)
{
    to->job.key = to->schedule.job = from->job.key;
    to->run.key = to->repair.run = to->task_run.run = to->attempt.run = from->run.key;
    to->repair.number = from->repair.number;
    to->task_run.key = to->attempt.task_run = from->task_run.key;
    to->attempt.number = from->attempt.number;
    to->operation.key = from->operation.key;
    memcpy(to->token.scope, from->token.scope, sizeof to->token.scope);
    to->user.id = to->role.user_id = from->user.id;
    to->role.user_id = from->role.user_id;
    memcpy(to->access.hash, from->access.hash, sizeof to->access.hash);
    to->secret.name = from->secret.name;
    to->api_key = from->api_key;
    to->access_key = from->access_key;
    to->audit = from->audit;
    to->resource.key = from->resource.key;
    to->recent.user_id = from->recent.user_id;
    to->recent.job = from->recent.job;
    to->permission.job = from->permission.job;
    to->permission.grantee_type = from->permission.grantee_type;
    to->permission.grantee = from->permission.grantee;
    to->campaign.key = to->cell.campaign = from->campaign.key;
    to->cell.position = from->cell.position;
}

static void an_update_writes_what_moves(void **state)
{
    struct world *world = *state;
    struct story old, new, read;
    fill_story(world, &old, 100, true);
    write_story(world, &old, ROW_INSERT);
    for (unsigned round = 0; round < 2; round++) {
        fill_story(world, &new, 500, round == 0);
        copy_keys(&new, &old);
        write_story(world, &new, ROW_UPDATE);
        merge(ROW_JOB, &old.job, &new.job);
        merge(ROW_SCHEDULE, &old.schedule, &new.schedule);
        merge(ROW_RUN, &old.run, &new.run);
        merge(ROW_REPAIR, &old.repair, &new.repair);
        merge(ROW_TASK_RUN, &old.task_run, &new.task_run);
        merge(ROW_ATTEMPT, &old.attempt, &new.attempt);
        merge(ROW_OPERATION, &old.operation, &new.operation);
        merge(ROW_RETRY_TOKEN, &old.token, &new.token);
        merge(ROW_USER, &old.user, &new.user);
        merge(ROW_ROLE, &old.role, &new.role);
        merge(ROW_TOKEN, &old.access, &new.access);
        merge(ROW_SECRET, &old.secret, &new.secret);
        merge(ROW_RESOURCE, &old.resource, &new.resource);
        merge(ROW_RECENT_JOB, &old.recent, &new.recent);
        merge(ROW_JOB_PERMISSION, &old.permission, &new.permission);
        merge(ROW_CAMPAIGN, &old.campaign, &new.campaign);
        merge(ROW_CAMPAIGN_CELL, &old.cell, &new.cell);
        read_story(world, &old, &read);
        assert_story_equal(&old, &read);
    }
}

static void a_deleted_run_leaves_nothing_but_its_tokens(void **state)
{
    struct world *world = *state;
    struct story gone, kept, read;
    fill_story(world, &gone, 100, true);
    fill_story(world, &kept, 300, true);
    gone.token.run = gone.run.key;
    gone.token.run_deleted = kept.token.run_deleted = 0;
    kept.token.run = kept.run.key;
    write_story(world, &gone, ROW_INSERT);
    write_story(world, &kept, ROW_INSERT);
    world_write(world, ROW_RUN, ROW_DELETE, &gone.run);
    read_story(world, &kept, &read);
    assert_story_equal(&kept, &read);
    struct run_image image;
    struct event_row *events;
    struct attempt_row *attempts;
    int64_t ignored;
    store_read_begin(world->reader);
    assert_false(store_get_run(world->reader, 1, &gone.run.key, &world->arena, &read.run));
    assert_false(store_get_run_image(world->reader, 1, &gone.run.key, &world->arena, &image));
    assert_false(store_get_run_etag(world->reader, 1, &gone.run.key, &ignored, &ignored, &ignored));
    assert_false(
        store_get_task_run(world->reader, 1, &gone.task_run.key, &world->arena, &read.task_run));
    assert_int_equal(
        store_attempts(world->reader, 1, &gone.task_run.key, 0, 9, &world->arena, &attempts), 0);
    assert_int_equal(
        store_run_events(world->reader, 1, &gone.run.key, 0, 9, &world->arena, &events), 0);
    assert_true(
        store_get_retry_token(world->reader, 1, gone.token.scope, &world->arena, &read.token));
    assert_int_equal(read.token.run_deleted, 1);
    assert_true(store_get_job(world->reader, 1, &gone.job.key, &world->arena, &read.job));
    store_read_end(world->reader);
    world_write(world, ROW_RUN, ROW_INSERT, &gone.run); /* nothing is in the way of a new one */
}

static void a_definition_may_be_large(void **state)
{
    struct world *world = *state;
    enum { SIZE = 1 << 20 };
    char *text = xmalloc(SIZE + 1);
    for (int i = 0; i < SIZE; i += 4)
        memcpy(text + i, "\xf0\x9f\x8e\xb5", 4);
    text[SIZE] = '\0';
    struct job_version_row row = {
        .workspace = world->workspace.id, .job = world->job, .definition = text};
    for (row.version = 1; row.version <= 3; row.version++)
        world_write(world, ROW_JOB_VERSION, ROW_INSERT, &row);
    struct job_version_row read;
    store_read_begin(world->reader);
    assert_true(
        store_get_job_version(world->reader, row.workspace, &row.job, 0, &world->arena, &read));
    assert_int_equal(read.version, 3);
    assert_string_equal(read.definition, text);
    assert_true(
        store_get_job_version(world->reader, row.workspace, &row.job, 2, &world->arena, &read));
    assert_int_equal(read.version, 2);
    assert_false(
        store_get_job_version(world->reader, row.workspace, &row.job, 4, &world->arena, &read));
    store_read_end(world->reader);
    free(text);
}

static void schedules_that_fire_are_listed(void **state)
{
    struct world *world = *state;
    struct schedule_row row = {.workspace = world->workspace.id, .job = world->job, .active = 1},
                        *rows;
    world_write(world, ROW_SCHEDULE, ROW_INSERT, &row);
    store_read_begin(world->reader);
    assert_int_equal(store_active_schedules(world->reader, row.workspace, &world->arena, &rows), 1);
    assert_row_equal(ROW_SCHEDULE, &row, &rows[0]);
    assert_int_equal(store_active_schedules(world->reader, row.workspace + 1, &world->arena, &rows),
                     0);
    store_read_end(world->reader);
    row.active = 0;
    world_write(world, ROW_SCHEDULE, ROW_UPDATE, &row);
    store_read_begin(world->reader);
    assert_int_equal(store_active_schedules(world->reader, row.workspace, &world->arena, &rows), 0);
    assert_true(store_get_schedule(world->reader, row.workspace, &row.job, &world->arena, &row));
    store_read_end(world->reader);
}

static void skipped_times_are_listed_newest_first(void **state)
{
    struct world *world = *state;
    struct skipped_row row = {.workspace = world->workspace.id, .job = world->job}, *rows;
    for (row.count = 1; row.count <= 3; row.count++) {
        row.key = world_key(world);
        world_write(world, ROW_SKIPPED, ROW_INSERT, &row);
    }
    store_read_begin(world->reader);
    assert_int_equal(store_skipped(world->reader, row.workspace, &row.job, 2, &world->arena, &rows),
                     2);
    assert_int_equal(rows[0].count, 3);
    assert_int_equal(rows[1].count, 2);
    store_read_end(world->reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_back),
        cmocka_unit_test(an_update_writes_what_moves),
        cmocka_unit_test(a_deleted_run_leaves_nothing_but_its_tokens),
        cmocka_unit_test(a_definition_may_be_large),
        cmocka_unit_test(schedules_that_fire_are_listed),
        cmocka_unit_test(skipped_times_are_listed_newest_first),
    };
    return world_run("store rows", tests, sizeof tests / sizeof *tests);
}
