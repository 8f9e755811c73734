/* Schedules and continuous jobs (RULES §11), on clocks that do what they like. */
#include <stdio.h>

#include "engine/harness.h"
#include "base/timefmt.h"
#include "sim/world_internal.h"
#include "store/store.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };
#define DAY_MS (INT64_C(24) * HOUR_MS)

#define CRON(expression, more)                                                    \
    "'schedule':{'quartzCronExpression':'" expression "','timezoneId':'UTC'" more \
    "},'maxConcurrentRuns':0"
#define MINUTELY(more) CRON("0 * * * * ?", more)

static struct uuid scheduled(struct world *world, const char *more)
{
    return world_dag(world, "a", more);
}

static struct command_result change(struct world *world, const struct uuid *job, const char *more)
{
    return world_update_job(world, job, world_dag_json(world, "a", more), NULL);
}

/* Planned times of the runs of a job, in the order in which they were made. */
static size_t planned(const struct world *world, const struct uuid *job, int64_t *ret, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < world->book.run_count; i++) {
        const struct run_row *run = &world->book.runs[i]->row;
        if (!uuid_equal(&run->job, job))
            continue;
        assert_true(count < max);
        ret[count++] = run->plan_ms;
    }
    return count;
}

static struct skipped_row skipped(struct world *world, const struct uuid *job, size_t expected)
{
    struct skipped_row *rows;
    store_read_begin(world->disk->reader);
    size_t count =
        store_skipped(world->disk->reader, world->book.workspace.id, job, 10, &world->arena, &rows);
    store_read_end(world->disk->reader);
    assert_int_equal(count, expected);
    return count ? rows[0] : (struct skipped_row){.count = 0};
}

/* Whole minutes from here on. */
static void to_the_minute(struct world *world)
{
    world_advance(world, MINUTE_MS - world->now_ms % MINUTE_MS);
}

static void every_planned_time_makes_one_run(void **state)
{
    struct world *world = *state;
    int64_t times[64] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, MINUTELY(""));
    assert_int_equal(engine_next_alarm(world->engine), start + MINUTE_MS);
    world_advance(world, 10 * MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 64), 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(times[i], start + (i + 1) * MINUTE_MS);
    const struct run_row *run = &world->book.runs[0]->row;
    assert_int_equal(run->launched, LAUNCHED_SCHEDULED);
    assert_int_equal(run->trigger, TRIGGER_PERIODIC);
    assert_int_equal(run->instance_type, INSTANCE_SCHEDULED);
    assert_int_equal(run->submit_ms, start);
    assert_string_equal(run->created_by_name, "ann");
    skipped(world, &job, 0);
}

static void late_by_a_minute_is_late_and_more_is_missed(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid late = scheduled(world, CRON("0 0/5 * * * ?", ",'missedRunPolicy':'NONE'"));
    int64_t due = engine_next_alarm(world->engine);
    world_sleep(world, due + MINUTE_MS - start);
    world_advance(world, 0);
    assert_int_equal(planned(world, &late, times, 8), 1);
    assert_int_equal(times[0], due);
    skipped(world, &late, 0);
    world_sleep(world, 4 * MINUTE_MS + MINUTE_MS + 1);
    world_advance(world, 0);
    assert_int_equal(planned(world, &late, times, 8), 1);
    struct skipped_row gone = skipped(world, &late, 1);
    assert_int_equal(gone.count, 1);
    assert_int_equal(gone.first_ms, due + 5 * MINUTE_MS);
    assert_int_equal(gone.last_ms, due + 5 * MINUTE_MS);
    assert_int_equal(engine_next_alarm(world->engine), due + 10 * MINUTE_MS);
}

static void latest_makes_one_run_for_the_newest_missed_time(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, MINUTELY(""));
    world_sleep(world, HOUR_MS + 30 * SECOND_MS);
    world_crash(world);
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 2);
    assert_int_equal(times[0], start + 59 * MINUTE_MS); /* 90 s ago: missed */
    assert_int_equal(times[1], start + 60 * MINUTE_MS); /* 30 s ago: late */
    struct skipped_row gone = skipped(world, &job, 1);
    assert_int_equal(gone.count, 58);
    assert_int_equal(gone.first_ms, start + MINUTE_MS);
    assert_int_equal(gone.last_ms, start + 58 * MINUTE_MS);
}

static void all_makes_a_run_for_each_of_seven_days(void **state)
{
    struct world *world = *state;
    static int64_t times[200];
    to_the_minute(world);
    struct uuid job = scheduled(world, CRON("0 0 * * * ?", ",'missedRunPolicy':'ALL'"));
    int64_t first = engine_next_alarm(world->engine);
    world_sleep(world, 20 * DAY_MS);
    world_crash(world);
    world_advance(world, 0);
    size_t count = planned(world, &job, times, 200);
    assert_int_equal(count, 7 * 24);
    for (size_t i = 0; i < count; i++) {
        assert_true(times[i] >= world->now_ms - 7 * DAY_MS);
        assert_true(i == 0 || times[i] == times[i - 1] + HOUR_MS);
    }
    struct skipped_row gone = skipped(world, &job, 1);
    assert_int_equal(gone.count, 13 * 24);
    assert_int_equal(gone.first_ms, first);
    assert_int_equal(gone.last_ms, times[0] - HOUR_MS);
}

static void all_counts_no_time_behind_the_end(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    char end[TIMEFMT_TEXT];
    int64_t hour = (world->now_ms / HOUR_MS + 1) * HOUR_MS;
    const char *schedule =
        arena_printf(&world->arena, CRON("0 0 * * * ?", ",'missedRunPolicy':'ALL','endTime':'%s'"),
                     timefmt_rfc3339(hour + 2 * HOUR_MS, end));
    struct uuid job = scheduled(world, schedule);
    world_sleep(world, 20 * DAY_MS);
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 0);
    struct skipped_row gone = skipped(world, &job, 1);
    assert_int_equal(gone.count, 3);
    assert_int_equal(gone.first_ms, hour);
    assert_int_equal(gone.last_ms, hour + 2 * HOUR_MS);
    assert_int_equal(engine_next_alarm(world->engine), INT64_MAX);
}

static void none_makes_no_run_for_what_was_missed(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    struct uuid job = scheduled(world, MINUTELY(",'missedRunPolicy':'NONE'"));
    world_sleep(world, 10 * DAY_MS + 30 * SECOND_MS);
    world_crash(world);
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 1);   /* the late one */
    assert_int_equal(skipped(world, &job, 1).count, 1000); /* or more */
}

static void a_clock_that_goes_back_fires_nothing_twice(void **state)
{
    struct world *world = *state;
    static int64_t times[200];
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, MINUTELY(""));
    world_advance(world, 10 * MINUTE_MS);
    world_set_clock(world, start + 2 * MINUTE_MS);
    world_advance(world, 8 * MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 200), 10);
    world_advance(world, 2 * MINUTE_MS);
    size_t count = planned(world, &job, times, 200);
    assert_int_equal(count, 12);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(times[i], start + (int64_t)(i + 1) * MINUTE_MS);
}

/* A planned time is decided once, whatever is saved while the clock is behind it. */
static void a_change_after_the_clock_went_back_fires_nothing_twice(void **state)
{
    struct world *world = *state;
    int64_t times[200] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, MINUTELY(""));
    world_advance(world, 10 * MINUTE_MS);
    world_set_clock(world, start + 2 * MINUTE_MS);
    assert_answer(change(world, &job, MINUTELY(",'pauseStatus':'PAUSED'")), ERR_OK, "");
    assert_answer(change(world, &job, CRON("0 0/1 * * * ?", "")), ERR_OK, "");
    world_advance(world, 8 * MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 200), 10);
    world_advance(world, MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 200), 11);
    assert_int_equal(times[10], start + 11 * MINUTE_MS);
}

/* … nor in between as something else than a cron schedule. */
static void a_continuous_time_in_between_forgets_nothing(void **state)
{
    struct world *world = *state;
    int64_t times[200] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, MINUTELY(""));
    world_advance(world, 10 * MINUTE_MS);
    world_set_clock(world, start + 2 * MINUTE_MS);
    assert_answer(change(world, &job, "'continuous':{'pauseStatus':'PAUSED'}"), ERR_OK, "");
    assert_answer(change(world, &job, ""), ERR_OK, "");
    world_crash(world);
    assert_answer(change(world, &job, "'continuous':{'pauseStatus':'PAUSED'}"), ERR_OK, "");
    assert_answer(change(world, &job, MINUTELY("")), ERR_OK, "");
    world_advance(world, 8 * MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 200), 10);
    world_advance(world, MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 200), 11);
    assert_int_equal(times[10], start + 11 * MINUTE_MS);
}

static void a_clock_that_jumps_leaves_missed_times(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, CRON("0 0/30 * * * ?", ""));
    int64_t first = engine_next_alarm(world->engine);
    world_set_clock(world, start + 3 * HOUR_MS + 5 * MINUTE_MS);
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 1);
    assert_int_equal(skipped(world, &job, 1).first_ms, first);
    assert_true(times[0] > start + 2 * HOUR_MS && times[0] < world->now_ms - MINUTE_MS);
}

static void pausing_and_changing_never_fire_the_past(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    struct uuid job = scheduled(world, MINUTELY(""));
    world_advance(world, MINUTE_MS);
    assert_answer(change(world, &job, MINUTELY(",'pauseStatus':'PAUSED'")), ERR_OK, "");
    assert_int_equal(engine_next_alarm(world->engine), INT64_MAX);
    world_advance(world, HOUR_MS);
    world_crash(world);
    assert_answer(change(world, &job, MINUTELY("")), ERR_OK, "");
    assert_int_equal(planned(world, &job, times, 8), 1);
    int64_t resumed = world->now_ms;
    world_advance(world, MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 8), 2);
    assert_true(times[1] > resumed);
    world_advance(world, 30 * SECOND_MS);
    assert_answer(change(world, &job, CRON("0/10 * * * * ?", "")), ERR_OK, "");
    assert_int_equal(engine_next_alarm(world->engine),
                     world->now_ms - world->now_ms % (10 * SECOND_MS) + 10 * SECOND_MS);
    skipped(world, &job, 0);
}

static void another_description_keeps_the_cursor(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    struct uuid job = scheduled(world, MINUTELY(""));
    int64_t submitted = book_job(&world->book, &job)->row.scheduled_ms;
    world_sleep(world, MINUTE_MS + 10 * SECOND_MS); /* a time has come, and nobody has looked */
    assert_answer(change(world, &job, "'description':'d'," MINUTELY("")), ERR_OK, "");
    assert_int_equal(book_job(&world->book, &job)->row.scheduled_ms, submitted);
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 1);
}

static void a_deleted_job_fires_no_more(void **state)
{
    struct world *world = *state;
    struct uuid job = scheduled(world, MINUTELY(""));
    assert_answer(world_delete_job(world, &job, NULL), ERR_OK, "");
    assert_int_equal(engine_next_alarm(world->engine), INT64_MAX);
    world_advance(world, HOUR_MS);
    assert_int_equal(world->book.run_count, 0);
}

static void a_window_bounds_what_fires(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    char from[TIMEFMT_TEXT], to[TIMEFMT_TEXT];
    const char *more = arena_printf(&world->arena, MINUTELY(",'startTime':'%s','endTime':'%s'"),
                                    timefmt_rfc3339(start + 3 * MINUTE_MS, from),
                                    timefmt_rfc3339(start + 5 * MINUTE_MS, to));
    struct uuid job = scheduled(world, more);
    world_advance(world, HOUR_MS);
    assert_int_equal(planned(world, &job, times, 8), 3);
    assert_int_equal(times[0], start + 3 * MINUTE_MS);
    assert_int_equal(times[2], start + 5 * MINUTE_MS);
    assert_int_equal(engine_next_alarm(world->engine), INT64_MAX);
}

static void what_cannot_be_run_is_skipped_with_the_reason(void **state)
{
    struct world *world = *state;
    to_the_minute(world);
    struct uuid job = scheduled(world, MINUTELY(""));
    assert_answer(world_update_job(world, &job, "{'name':'j','path':'/'," MINUTELY("") "}", NULL),
                  ERR_OK, "");
    world_advance(world, MINUTE_MS);
    assert_int_equal(world->book.run_count, 0);
    assert_has(skipped(world, &job, 1).reason, "job has no tasks");
}

/* ---- continuous ---- */

static struct uuid newest_run(const struct world *world)
{
    return world->book.runs[world->book.run_count - 1]->row.key;
}

static void continuous_keeps_one_run_going(void **state)
{
    struct world *world = *state;
    world_dag(world, "a", "'continuous':{}");
    world_advance(world, 0);
    assert_int_equal(world->book.run_count, 1);
    for (size_t i = 1; i < 5; i++) {
        struct uuid run = newest_run(world);
        assert_int_equal(world_run(world, &run)->trigger, TRIGGER_CONTINUOUS);
        world_advance(world, HOUR_MS);
        assert_int_equal(world->book.run_count, i);
        world_exit(world, &run, "a", 0);
        world_advance(world, 0);
        assert_int_equal(world->book.run_count, i + 1);
    }
}

static void continuous_waits_longer_after_each_failure(void **state)
{
    struct world *world = *state;
    static const int64_t waits_s[] = {10, 20, 40, 80, 160, 320, 600, 600};
    world_dag(world, "a", "'continuous':{}");
    world_advance(world, 0);
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        struct uuid run = newest_run(world);
        size_t count = world->book.run_count;
        world_advance(world, SECOND_MS);
        world_exit(world, &run, "a", 1);
        world_advance(world, waits_s[i] * SECOND_MS - 1);
        assert_int_equal(world->book.run_count, count);
        world_advance(world, 1);
        assert_int_equal(world->book.run_count, count + 1);
    }
    struct uuid run = newest_run(world);
    world_advance(world, SECOND_MS);
    world_exit(world, &run, "a", 0);
    world_advance(world, 0);
    run = newest_run(world);
    world_advance(world, SECOND_MS);
    world_exit(world, &run, "a", 1);
    size_t count = world->book.run_count;
    world_advance(world, 10 * SECOND_MS);
    assert_int_equal(world->book.run_count, count + 1); /* a success makes patience short again */
}

static void continuous_goes_on_once_its_job_can_run(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'continuous':{'pauseStatus':'PAUSED'}");
    assert_answer(world_update_job(world, &job, "{'name':'j','path':'/','continuous':{}}", NULL),
                  ERR_OK, "");
    world_advance(world, 0);
    assert_has(skipped(world, &job, 1).reason, "job has no tasks");
    assert_answer(change(world, &job, "'continuous':{}"), ERR_OK, "");
    world_advance(world, 10 * SECOND_MS);
    assert_int_equal(world->book.run_count, 1);
}

static void continuous_does_not_wait_for_a_clock_that_went_back(void **state)
{
    struct world *world = *state;
    world_dag(world, "a", "'continuous':{}");
    world_advance(world, 0);
    struct uuid run = newest_run(world);
    world_set_clock(world, world->now_ms - DAY_MS);
    world_cancel(world, &run);
    world_exit(world, &run, "a", 143);
    world_advance(world, SECOND_MS);
    assert_int_equal(world->book.run_count, 2);
}

/* What is due lies a day ahead then: no wait is longer than the longest there is. */
static void continuous_backs_off_no_longer_when_the_clock_went_back(void **state)
{
    struct world *world = *state;
    world_dag(world, "a", "'continuous':{}");
    world_advance(world, 0);
    for (int crashes = 0; crashes < 2; crashes++) {
        struct uuid run = newest_run(world);
        size_t count = world->book.run_count;
        world_advance(world, SECOND_MS);
        world_exit(world, &run, "a", 1);
        world_set_clock(world, world->now_ms - DAY_MS);
        if (crashes)
            world_crash(world);
        world_advance(world, 0); /* the pump is woken by the clock's change */
        assert_int_equal(world->book.run_count, count);
        world_advance(world, 600 * SECOND_MS);
        assert_int_equal(world->book.run_count, count + 1);
    }
}

/* The jobs of all of them have to be read first; then the step still makes no more than its share. */
static void many_cold_jobs_fire_in_parts(void **state)
{
    struct world *world = *state;
    enum { MANY = 400, TASKS = 40 };
    char *tasks = arena_alloc(&world->arena, TASKS * 8);
    size_t len = 0;
    for (int i = 0; i < TASKS; i++)
        len += (size_t)snprintf(tasks + len, 8, "%st%d", i ? ";" : "", i);
    to_the_minute(world);
    for (int i = 0; i < MANY; i++)
        world_dag(world, tasks,
                  "'schedule':{'quartzCronExpression':'0 0 * * * ?','timezoneId':'UTC'},"
                  "'maxConcurrentRuns':0,'queue':{'isEnabled':true}");
    world_crash(world);
    int64_t first = engine_next_alarm(world->engine);
    world_set_clock(world, first);
    struct engine_event event = {.kind = ENGINE_TIMER};
    size_t before = world->book.run_count;
    world_step(world, &event);
    size_t made = world->book.run_count - before;
    assert_true(made > 0 && made < MANY);
    world_advance(world, 0);
    assert_int_equal(world->book.run_count - before, MANY);
}

static void continuous_rests_while_somebody_else_runs_it(void **state)
{
    struct world *world = *state;
    struct uuid job = world_dag(world, "a", "'continuous':{},'maxConcurrentRuns':5");
    world_advance(world, 0);
    struct uuid first = newest_run(world);
    struct uuid by_hand = world_submit(world, &job, NULL);
    world_advance(world, SECOND_MS);
    world_exit(world, &first, "a", 0);
    world_advance(world, HOUR_MS);
    assert_int_equal(world->book.run_count, 2);
    world_exit(world, &by_hand, "a", 0);
    world_advance(world, 0);
    assert_int_equal(world->book.run_count, 3);
}

/* A schedule with one time, so long from now. */
static const char *once(const struct world *world, int64_t in_ms, const char *more)
{
    static char text[160];
    struct civil at = civil_from_ms(world->now_ms + in_ms);
    snprintf(text, sizeof text,
             "'schedule':{'quartzCronExpression':'%d %d %d %d %d ? %d','timezoneId':'UTC',"
             "'isOnce':true%s}",
             at.second, at.minute, at.hour, at.day, at.month, at.year, more);
    return text;
}

/* Who asks for the next second may be there only behind it. */
static void the_one_time_may_come_before_its_schedule(void **state)
{
    struct world *world = *state;
    int64_t times[8] = {0};
    to_the_minute(world);
    int64_t start = world->now_ms;
    struct uuid job = scheduled(world, once(world, 0, ""));
    world_advance(world, 0);
    assert_int_equal(planned(world, &job, times, 8), 1);
    assert_int_equal(times[0], start);
    assert_int_equal(world->book.runs[0]->row.instance_type, INSTANCE_ONCE);
    char again[160];
    snprintf(again, sizeof again, "%s", once(world, 0, ""));
    assert_int_equal(change(world, &job, once(world, 0, ",'pauseStatus':'PAUSED'")).code, ERR_OK);
    assert_int_equal(change(world, &job, again).code, ERR_OK);
    world_advance(world, MINUTE_MS);
    assert_int_equal(planned(world, &job, times, 8), 1); /* it is decided */
    struct uuid past = scheduled(world, once(world, -MINUTE_MS - SECOND_MS, ""));
    world_advance(world, HOUR_MS);
    assert_int_equal(planned(world, &past, times, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_planned_time_makes_one_run),
        WORLD_TEST(late_by_a_minute_is_late_and_more_is_missed),
        WORLD_TEST(latest_makes_one_run_for_the_newest_missed_time),
        WORLD_TEST(all_makes_a_run_for_each_of_seven_days),
        WORLD_TEST(all_counts_no_time_behind_the_end),
        WORLD_TEST(none_makes_no_run_for_what_was_missed),
        WORLD_TEST(a_clock_that_goes_back_fires_nothing_twice),
        WORLD_TEST(a_change_after_the_clock_went_back_fires_nothing_twice),
        WORLD_TEST(a_continuous_time_in_between_forgets_nothing),
        WORLD_TEST(a_clock_that_jumps_leaves_missed_times),
        WORLD_TEST(pausing_and_changing_never_fire_the_past),
        WORLD_TEST(another_description_keeps_the_cursor),
        WORLD_TEST(a_deleted_job_fires_no_more),
        WORLD_TEST(a_window_bounds_what_fires),
        WORLD_TEST(what_cannot_be_run_is_skipped_with_the_reason),
        WORLD_TEST(continuous_keeps_one_run_going),
        WORLD_TEST(continuous_waits_longer_after_each_failure),
        WORLD_TEST(continuous_backs_off_no_longer_when_the_clock_went_back),
        WORLD_TEST(many_cold_jobs_fire_in_parts),
        WORLD_TEST(continuous_does_not_wait_for_a_clock_that_went_back),
        WORLD_TEST(continuous_goes_on_once_its_job_can_run),
        WORLD_TEST(continuous_rests_while_somebody_else_runs_it),
        WORLD_TEST(the_one_time_may_come_before_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
