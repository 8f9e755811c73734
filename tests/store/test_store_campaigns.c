/* Campaigns, their cells, and runs by planned time: one contract for every store. */
#include "store/world.h"

static struct campaign_row campaign_row(struct world *world, const char *name, int kind, int state)
{
    return (struct campaign_row){
        .workspace = world->workspace.id,
        .key = world_key(world),
        .kind = kind,
        .name = name,
        .job = world->job,
        .jobs = "[]",
        .parameters = "[{\"name\":\"day\",\"value\":\"1\"}]",
        .concurrent = 1,
        .cell_count = 3,
        .state = state,
        .start_ms = FIELD_NULL,
        .finished_ms = FIELD_NULL,
    };
}

static void add_cells(struct world *world, const struct uuid *campaign, const int *states,
                      const struct uuid *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct campaign_cell_row row = {
            .workspace = world->workspace.id,
            .campaign = *campaign,
            .position = (int64_t)i,
            .job = world->job,
            .plan_ms = (int64_t)i * 1000,
            .needs = "[]",
            .follows = "[]",
            .run = runs[i],
            .state = states[i],
            .repair_number = FIELD_NULL,
            .asked_number = FIELD_NULL,
            .start_ms = FIELD_NULL,
            .finished_ms = FIELD_NULL,
        };
        world_add(world, ROW_CAMPAIGN_CELL, ROW_INSERT, &row);
    }
}

static void they_are_listed_newest_first(void **state)
{
    struct world *world = *state;
    struct store_reader *reader = world->reader;
    struct campaign_row made[4], *rows;
    static const int states[] = {CAMPAIGN_SUCCESS, CAMPAIGN_RUNNING, CAMPAIGN_FAILED,
                                 CAMPAIGN_PAUSED};
    struct uuid *keys;
    int64_t workspace = world->workspace.id;
    for (int i = 0; i < 4; i++) {
        made[i] = campaign_row(world, i % 2 ? "odd" : "even", i == 3, states[i]);
        world_write(world, ROW_CAMPAIGN, ROW_INSERT, &made[i]);
    }
    struct campaign_filter filter = {.kind = FIELD_UNSET, .limit = 3};
    store_read_begin(reader);
    assert_int_equal(store_campaigns(reader, workspace, &filter, &world->arena, &rows), 3);
    for (int i = 0; i < 3; i++)
        assert_true(uuid_equal(&rows[i].key, &made[3 - i].key));
    filter.before = rows[2].key;
    assert_int_equal(store_campaigns(reader, workspace, &filter, &world->arena, &rows), 1);
    assert_true(uuid_equal(&rows[0].key, &made[0].key));
    filter = (struct campaign_filter){.kind = FIELD_UNSET, .name = "odd", .limit = 9};
    assert_int_equal(store_campaigns(reader, workspace, &filter, &world->arena, &rows), 2);
    filter.kind = CAMPAIGN_SUPPLEMENT;
    assert_int_equal(store_campaigns(reader, workspace, &filter, &world->arena, &rows), 1);
    filter = (struct campaign_filter){
        .kind = FIELD_UNSET, .states = 1u << CAMPAIGN_FAILED | 1u << CAMPAIGN_SUCCESS, .limit = 9};
    assert_int_equal(store_campaigns(reader, workspace, &filter, &world->arena, &rows), 2);
    assert_int_equal(store_campaigns(reader, workspace + 1, &filter, &world->arena, &rows), 0);
    /* Those that are not final, oldest first. */
    assert_int_equal(store_active_campaigns(reader, workspace, &world->arena, &keys), 2);
    assert_true(uuid_equal(&keys[0], &made[1].key));
    assert_true(uuid_equal(&keys[1], &made[3].key));
    store_read_end(reader);
}

static void cells_are_paged_counted_and_found_by_their_run(void **state)
{
    struct world *world = *state;
    struct store_reader *reader = world->reader;
    int64_t workspace = world->workspace.id;
    struct campaign_row campaigns[2];
    struct uuid runs[] = {world_key(world), world_key(world), world_key(world)};
    static const int states[2][3] = {{CELL_SUCCESS, CELL_FAILED, CELL_WAITING},
                                     {CELL_FAILED, CELL_FAILED, CELL_FAILED}};
    for (int i = 0; i < 2; i++) {
        campaigns[i] = campaign_row(world, "one", CAMPAIGN_RERUN, CAMPAIGN_FAILED);
        world_add(world, ROW_CAMPAIGN, ROW_INSERT, &campaigns[i]);
        add_cells(world, &campaigns[i].key, states[i], runs, 3);
    }
    assert_int_equal(world_commit(world), STORE_OK);
    struct campaign_cell_row *cells;
    struct campaign_counts counts;
    struct uuid *keys;
    store_read_begin(reader);
    assert_int_equal(
        store_campaign_cells(reader, workspace, &campaigns[0].key, 1, 1, &world->arena, &cells), 1);
    assert_int_equal(cells[0].position, 1);
    assert_int_equal(
        store_campaign_cells(reader, workspace, &campaigns[0].key, 1, 9, &world->arena, &cells), 2);
    assert_true(store_campaign_counts(reader, workspace, &campaigns[0].key, &counts));
    assert_int_equal(counts.cells[CELL_SUCCESS], 1);
    assert_int_equal(counts.cells[CELL_FAILED], 1);
    assert_int_equal(counts.cells[CELL_WAITING], 1);
    assert_int_equal(counts.cells[CELL_RUNNING], 0);
    assert_int_equal(store_campaigns_of_run(reader, workspace, &runs[0], &world->arena, &keys), 1);
    assert_true(uuid_equal(&keys[0], &campaigns[1].key));
    assert_int_equal(store_campaigns_of_run(reader, workspace, &runs[1], &world->arena, &keys), 2);
    struct uuid nobody = world_key(world);
    assert_int_equal(store_campaigns_of_run(reader, workspace, &nobody, &world->arena, &keys), 0);
    store_read_end(reader);
}

static void a_cell_needs_its_campaign_and_has_its_place_alone(void **state)
{
    struct world *world = *state;
    static const int waiting[] = {CELL_WAITING};
    struct uuid run = world_key(world), nobody = world_key(world);
    add_cells(world, &nobody, waiting, &run, 1);
    assert_int_equal(world_commit(world), STORE_FAILED);
    struct campaign_row campaign = campaign_row(world, "one", CAMPAIGN_RERUN, CAMPAIGN_RUNNING);
    world_write(world, ROW_CAMPAIGN, ROW_INSERT, &campaign);
    add_cells(world, &campaign.key, waiting, &run, 1);
    add_cells(world, &campaign.key, waiting, &run, 1);
    assert_int_equal(world_commit(world), STORE_FAILED);
}

static void one_that_is_deleted_takes_its_cells_along(void **state)
{
    struct world *world = *state;
    static const int states[] = {CELL_SUCCESS, CELL_FAILED};
    struct uuid runs[] = {world_key(world), world_key(world)};
    struct campaign_row campaigns[2];
    struct campaign_row seen;
    struct campaign_cell_row *cells;
    for (int i = 0; i < 2; i++) {
        campaigns[i] = campaign_row(world, "one", CAMPAIGN_RERUN, CAMPAIGN_FAILED);
        world_write(world, ROW_CAMPAIGN, ROW_INSERT, &campaigns[i]);
        add_cells(world, &campaigns[i].key, states, runs, 2);
        assert_int_equal(world_commit(world), STORE_OK);
    }
    world_write(world, ROW_CAMPAIGN, ROW_DELETE, &campaigns[0]);
    store_read_begin(world->reader);
    for (int i = 0; i < 2; i++) { /* the other one stays */
        assert_int_equal(store_get_campaign(world->reader, world->workspace.id, &campaigns[i].key,
                                            &world->arena, &seen),
                         i);
        assert_int_equal(store_campaign_cells(world->reader, world->workspace.id, &campaigns[i].key,
                                              0, 9, &world->arena, &cells),
                         2 * i);
    }
    store_read_end(world->reader);
    world_add(world, ROW_CAMPAIGN, ROW_DELETE, &campaigns[0]);
    assert_int_equal(world_commit(world), STORE_FAILED); /* it is not there */
}

static void runs_are_found_by_planned_time(void **state)
{
    struct world *world = *state;
    struct store_reader *reader = world->reader;
    struct run_row *rows;
    static const int64_t times[] = {300, 100, 200, 200, 400};
    for (int i = 0; i < 5; i++) {
        struct run_row run = world_run_row(world, STATE_SUCCESS);
        run.plan_ms = times[i];
        run.instance_type = INSTANCE_SUPPLEMENT;
        run.parameters = "[{}]";
        world_write(world, ROW_RUN, ROW_INSERT, &run);
    }
    store_read_begin(reader);
    size_t count = store_planned_runs(reader, world->workspace.id, &world->job, 100, 300, 10,
                                      &world->arena, &rows);
    assert_int_equal(count, 4); /* both ends count */
    for (size_t i = 1; i < count; i++)
        assert_true(rows[i - 1].plan_ms < rows[i].plan_ms ||
                    uuid_compare(&rows[i - 1].key, &rows[i].key) < 0);
    assert_null(rows[0].parameters);
    assert_int_equal(store_planned_runs(reader, world->workspace.id, &world->job, 100, 300, 2,
                                        &world->arena, &rows),
                     2);
    assert_int_equal(store_planned_runs(reader, world->workspace.id, &world->job, 401, 900, 2,
                                        &world->arena, &rows),
                     0);
    struct window_run *window;
    count = store_window_runs(reader, world->workspace.id, &world->job, 100, 300, 10, &world->arena,
                              &window);
    assert_int_equal(count, 4);
    for (size_t i = 1; i < count; i++)
        assert_true(window[i - 1].plan_ms > window[i].plan_ms ||
                    uuid_compare(&window[i - 1].key, &window[i].key) > 0);
    assert_int_equal(window[0].plan_ms, 300);
    assert_int_equal(window[0].state, STATE_SUCCESS);
    assert_int_equal(window[0].instance_type, INSTANCE_SUPPLEMENT);
    assert_int_equal(store_window_runs(reader, world->workspace.id, &world->job, 100, 300, 1,
                                       &world->arena, &window),
                     1);
    assert_int_equal(window[0].plan_ms, 300); /* the newest ones */
    store_read_end(reader);
}

/* RULES §4: what a campaign asked for queues like a new run, and not ahead of any. */
static void repairs_of_campaigns_do_not_queue_ahead(void **state)
{
    struct world *world = *state;
    struct run_row runs[3];
    for (int i = 0; i < 3; i++) {
        runs[i] = world_run_row(world, STATE_QUEUED);
        runs[i].queued_ms = 100 + i;
        runs[i].repair_number = i > 0;
        runs[i].in_campaign = i == 1;
        world_write(world, ROW_RUN, ROW_INSERT, &runs[i]);
    }
    store_read_begin(world->reader);
    assert_int_equal(store_queue_position(world->reader, &runs[2]), 0); /* a repair by somebody */
    assert_int_equal(store_queue_position(world->reader, &runs[0]), 1);
    assert_int_equal(store_queue_position(world->reader, &runs[1]), 2);
    store_read_end(world->reader);
}

/* RULES §10: a run that waits for other jobs stands in no line. */
static void held_runs_are_in_nobodys_way(void **state)
{
    struct world *world = *state;
    struct run_row runs[2];
    for (int i = 0; i < 2; i++) {
        runs[i] = world_run_row(world, STATE_QUEUED);
        runs[i].queued_ms = 100 + i;
        runs[i].is_held = i == 0;
        world_write(world, ROW_RUN, ROW_INSERT, &runs[i]);
    }
    store_read_begin(world->reader);
    assert_int_equal(store_queue_position(world->reader, &runs[1]), 0);
    store_read_end(world->reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_listed_newest_first),
        cmocka_unit_test(cells_are_paged_counted_and_found_by_their_run),
        cmocka_unit_test(a_cell_needs_its_campaign_and_has_its_place_alone),
        cmocka_unit_test(one_that_is_deleted_takes_its_cells_along),
        cmocka_unit_test(runs_are_found_by_planned_time),
        cmocka_unit_test(repairs_of_campaigns_do_not_queue_ahead),
        cmocka_unit_test(held_runs_are_in_nobodys_way),
    };
    return world_run("campaigns", tests, sizeof tests / sizeof *tests);
}
