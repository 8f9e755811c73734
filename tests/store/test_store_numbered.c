/* Jobs and runs by number, instances and jobs with an offset and a total: one contract for every
 * store. */
#include <stdio.h>

#include "store/world.h"

enum { RUNS = 6 };

static void make_runs(struct world *world, struct run_row *runs)
{
    static const struct {
        int64_t plan_ms;
        enum state state;
        int type;
    } made[RUNS] = {
        {300, STATE_SUCCESS, INSTANCE_SUPPLEMENT}, {100, STATE_FAILED, INSTANCE_SUPPLEMENT},
        {200, STATE_RUNNING, INSTANCE_MANUAL},     {200, STATE_SUCCESS, INSTANCE_MANUAL},
        {400, STATE_RUNNING, INSTANCE_SUB_JOB},    {500, STATE_SUCCESS, INSTANCE_SUB_JOB},
    };
    for (int i = 0; i < RUNS; i++) {
        runs[i] = world_run_row(world, made[i].state);
        runs[i].number = 100 + i;
        runs[i].plan_ms = made[i].plan_ms;
        runs[i].instance_type = made[i].type;
        runs[i].is_suspended = i == 4;
        runs[i].ignored_failure = i == 3;
        runs[i].job_name = i == 5 ? "as it was" : "nightly";
        world_write(world, ROW_RUN, ROW_INSERT, &runs[i]);
    }
}

static struct instance_filter range(int64_t from_ms, int64_t to_ms)
{
    return (struct instance_filter){
        .from_ms = from_ms,
        .to_ms = to_ms,
        .is_suspended = FIELD_UNSET,
        .ignored_failure = FIELD_UNSET,
        .type = FIELD_NULL,
        .limit = 10,
    };
}

/* The numbers of what is found, less 100, as digits; and the total. */
static void expect(struct world *world, const struct instance_filter *filter, const char *digits,
                   int64_t total)
{
    struct instance_list list;
    char found[RUNS + 1] = "";
    store_list_instances(world->reader, world->workspace.id, filter, &world->arena, &list);
    assert_false(store_reader_failed(world->reader));
    for (size_t i = 0; i < list.count; i++) {
        found[i] = (char)('0' + list.items[i].number - 100);
        assert_null(list.items[i].parameters);
    }
    assert_string_equal(found, digits);
    assert_int_equal(list.total, total);
}

static void instances_are_newest_planned_first(void **state)
{
    struct world *world = *state;
    struct run_row runs[RUNS];
    make_runs(world, runs);
    store_read_begin(world->reader);
    struct instance_filter filter = range(100, 500);
    expect(world, &filter, "540321", 6);
    filter.job = &world->job;
    expect(world, &filter, "540321", 6);
    filter.offset = 1;
    filter.limit = 2;
    expect(world, &filter, "40", 6);
    filter.offset = 9;
    expect(world, &filter, "", 6);
    filter = range(101, 300);
    expect(world, &filter, "032", 3);
    struct uuid nobody = world_key(world);
    filter.job = &nobody;
    expect(world, &filter, "", 0);
    store_read_end(world->reader);
}

static void instances_are_filtered(void **state)
{
    struct world *world = *state;
    struct run_row runs[RUNS];
    make_runs(world, runs);
    store_read_begin(world->reader);
    for (int by_job = 0; by_job < 2; by_job++) {
        struct instance_filter filter = range(0, 1000);
        filter.job = by_job ? &world->job : NULL;
        filter.states = 1U << STATE_RUNNING;
        expect(world, &filter, "42", 2);
        filter.is_suspended = 1;
        expect(world, &filter, "4", 1);
        filter.is_suspended = 0;
        expect(world, &filter, "2", 1);
        filter = range(0, 1000);
        filter.job = by_job ? &world->job : NULL;
        filter.type = INSTANCE_SUPPLEMENT;
        expect(world, &filter, "01", 2);
        filter.type = FIELD_NULL;
        filter.ignored_failure = 1;
        expect(world, &filter, "3", 1);
        filter.ignored_failure = FIELD_UNSET;
        filter.name = "as it was"; /* by the name that the job has now */
        expect(world, &filter, "", 0);
        filter.name = "nightly";
        expect(world, &filter, "540321", 6);
        filter.name = "night";
        expect(world, &filter, "", 0);
        filter.name_is_part = true;
        filter.limit = 1;
        expect(world, &filter, "5", 6);
    }
    store_read_end(world->reader);
}

static struct job_row make_job(struct world *world, int64_t number, const char *name, int active)
{
    struct job_row job = {
        .workspace = world->workspace.id,
        .key = world_key(world),
        .number = number,
        .name = name,
        .version = 1,
        .deleted_ms = FIELD_NULL,
        .scheduled_ms = FIELD_NULL,
        .cancel_number = FIELD_NULL,
        .cancel_ms = FIELD_NULL,
    };
    const struct schedule_row schedule = {.workspace = job.workspace,
                                          .job = job.key,
                                          .active = active,
                                          .window_start_ms = FIELD_NULL,
                                          .window_end_ms = FIELD_NULL};
    world_write(world, ROW_JOB, ROW_INSERT, &job);
    if (active >= 0)
        world_write(world, ROW_SCHEDULE, ROW_INSERT, &schedule);
    return job;
}

static void expect_jobs(struct world *world, const struct numbered_job_filter *filter,
                        const char *names, int64_t total)
{
    struct numbered_job_list list;
    char found[64] = "";
    store_list_numbered_jobs(world->reader, world->workspace.id, filter, &world->arena, &list);
    size_t len = 0;
    for (size_t i = 0; i < list.count; i++)
        len += (size_t)snprintf(found + len, sizeof found - len, "%s%s", i ? " " : "",
                                list.items[i].name);
    assert_string_equal(found, names);
    assert_int_equal(list.total, total);
}

static void jobs_are_listed_and_counted(void **state)
{
    struct world *world = *state;
    make_job(world, 71, "x-one", 1);
    make_job(world, 72, "x-two", 0);
    make_job(world, 73, "x-three", -1);
    struct job_row gone = make_job(world, 74, "x-gone", 1);
    gone.deleted_ms = 5;
    world_write(world, ROW_JOB, ROW_UPDATE, &gone);
    store_read_begin(world->reader);
    struct numbered_job_filter filter = {.is_active = FIELD_UNSET, .name_part = "x-", .limit = 10};
    expect_jobs(world, &filter, "x-three x-two x-one", 3);
    filter.offset = 1;
    filter.limit = 1;
    expect_jobs(world, &filter, "x-two", 3);
    filter = (struct numbered_job_filter){.is_active = 1, .limit = 10};
    expect_jobs(world, &filter, "x-one", 1);
    filter = (struct numbered_job_filter){.is_active = 0, .name_part = "t", .limit = 10};
    expect_jobs(world, &filter, "x-three x-two nightly", 3);
    static const int64_t numbers[] = {71, 73, 74, 999};
    filter = (struct numbered_job_filter){
        .numbers = numbers, .number_count = 4, .is_active = FIELD_UNSET, .limit = 10};
    expect_jobs(world, &filter, "x-three x-one", 2);
    store_read_end(world->reader);
}

static void numbers_find_jobs_and_runs(void **state)
{
    struct world *world = *state;
    struct run_row runs[RUNS], run;
    struct job_row job;
    int64_t workspace = world->workspace.id;
    make_runs(world, runs);
    make_job(world, 71, "x-one", 1);
    store_read_begin(world->reader);
    assert_true(store_find_run(world->reader, workspace, 103, &world->arena, &run));
    assert_true(uuid_equal(&run.key, &runs[3].key));
    assert_false(store_find_run(world->reader, workspace, 99, &world->arena, &run));
    assert_true(store_find_job(world->reader, workspace, 71, &world->arena, &job));
    assert_string_equal(job.name, "x-one");
    assert_false(store_find_job(world->reader, workspace + 1, 71, &world->arena, &job));
    store_read_end(world->reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_are_newest_planned_first),
        cmocka_unit_test(instances_are_filtered),
        cmocka_unit_test(jobs_are_listed_and_counted),
        cmocka_unit_test(numbers_find_jobs_and_runs),
    };
    return world_run("numbers", tests, sizeof tests / sizeof *tests);
}
