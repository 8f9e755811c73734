/* The feed: what streams find in memory, what they must read from the store, and who is woken. */
#include "server/stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "server/feed.h"

/* ---- a feed alone ---- */

struct listener {
    struct http_request request; /* first */
    struct api_watch watch;
    int wakes;
};

static void on_wake(struct http_request *request)
{
    ((struct listener *)request)->wakes++;
}

static void listen_to(struct feed *feed, struct listener *listener, unsigned run)
{
    *listener = (struct listener){.request = {.wake = on_wake}};
    listener->watch.request = &listener->request;
    listener->watch.run.bytes[15] = (uint8_t)run;
    feed_watch(feed, &listener->watch);
}

/* Events from `first` on, each of run number % 3 + 1. */
static void publish(struct feed *feed, int64_t first, size_t count, size_t text_bytes)
{
    struct event_row *rows = xcalloc(count, sizeof *rows);
    struct row_batch batch;
    char *text = xcalloc(1, text_bytes + 1);
    row_batch_init(&batch);
    memset(text, 'x', text_bytes);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (struct event_row){.number = first + (int64_t)i, .reason = text};
        rows[i].run.bytes[15] = (uint8_t)(rows[i].number % 3 + 1);
        row_batch_add(&batch, ROW_EVENT, ROW_INSERT, &rows[i]);
    }
    feed_publish(feed, &batch, first + (int64_t)count - 1);
    memset(text, 'y', text_bytes); /* what was published is a copy */
    row_batch_release(&batch);
    free(rows);
    free(text);
}

/* Takes what is behind `after` to the end; the number of the last one. */
static int64_t take_all(struct feed *feed, int64_t after)
{
    struct api_events events;
    for (;;) {
        assert_true(feed_take(feed, after, &events));
        if (!events.count)
            return after;
        size_t skipped = 0;
        for (size_t i = 0; i < events.count; i++) {
            if (events.rows[i].number <= after) {
                skipped++;
                continue;
            }
            assert_int_equal(events.rows[i].number, ++after);
            assert_null(strchr(events.rows[i].reason, 'y'));
        }
        assert_true(skipped < events.count);
        feed_drop(&events);
    }
}

static void what_nobody_watches_is_not_kept(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    struct listener one;
    struct api_events events;
    publish(feed, 1, 10, 5);
    assert_false(feed_take(feed, 3, &events));
    listen_to(feed, &one, 1);
    assert_true(feed_take(feed, 10, &events));
    assert_int_equal(events.count, 0);
    publish(feed, 11, 4, 5);
    assert_int_equal(take_all(feed, 10), 14);
    feed_unwatch(feed, &one.watch);
    feed_free(feed);
}

static void one_finds_ones_place_from_every_number(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    struct listener all;
    int64_t next = 1;
    listen_to(feed, &all, 0);
    for (size_t i = 1; i < 60; i++) {
        publish(feed, next, i % 7 + 1, i % 11);
        next += (int64_t)(i % 7 + 1);
    }
    for (int64_t after = 0; after < next; after++)
        assert_int_equal(take_all(feed, after), next - 1);
    feed_unwatch(feed, &all.watch);
    feed_free(feed);
}

static void only_those_concerned_are_woken(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    struct listener of_1, of_2, all;
    listen_to(feed, &of_1, 1);
    listen_to(feed, &of_2, 2);
    listen_to(feed, &all, 0);
    publish(feed, 3, 1, 0); /* 3 % 3 + 1 */
    assert_int_equal(of_1.wakes, 1);
    assert_int_equal(of_2.wakes, 0);
    assert_int_equal(all.wakes, 1);
    publish(feed, 4, 1, 0);
    assert_int_equal(of_1.wakes, 1);
    assert_int_equal(of_2.wakes, 1);
    feed_unwatch(feed, &of_1.watch);
    publish(feed, 5, 3, 0);
    assert_int_equal(of_1.wakes, 1);
    assert_int_equal(of_2.wakes, 2);
    assert_int_equal(all.wakes, 3);
    feed_reset(feed, 7);
    assert_int_equal(of_2.wakes, 3);
    assert_int_equal(all.wakes, 4);
    feed_unwatch(feed, &of_2.watch);
    feed_unwatch(feed, &all.watch);
    feed_free(feed);
}

/* By number of commits, by number of events and by bytes; the newest always stay. */
static void it_is_bounded(void **state)
{
    (void)state;
    const struct {
        size_t count, bytes, kept;
    } cases[] = {{1, 0, FEED_MAX_BATCHES},
                 {100, 0, FEED_MAX_EVENTS / 100 * 100},
                 {1, 1 << 20, 7},
                 {FEED_MAX_EVENTS + 5, 0, FEED_MAX_EVENTS + 5}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct feed *feed = feed_new();
        struct listener all;
        struct api_events events;
        int64_t next = 1;
        listen_to(feed, &all, 0);
        for (int n = 0; n < 1100; n++) {
            publish(feed, next, cases[i].count,
                    n > 1080 || cases[i].bytes == 0 ? cases[i].bytes : 0);
            next += (int64_t)cases[i].count;
            if (cases[i].count > FEED_MAX_EVENTS && n == 2)
                break;
        }
        int64_t oldest = next - 1 - (int64_t)cases[i].kept;
        assert_int_equal(take_all(feed, oldest), next - 1);
        assert_false(feed_take(feed, oldest - 1, &events));
        feed_unwatch(feed, &all.watch);
        feed_free(feed);
    }
}

/* What is held stays, whatever is published meanwhile. */
static void what_is_held_stays(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    struct listener all;
    struct api_events held;
    listen_to(feed, &all, 0);
    publish(feed, 1, 3, 10);
    assert_true(feed_take(feed, 0, &held));
    for (int64_t n = 0; n < 2 * FEED_MAX_BATCHES; n++)
        publish(feed, 4 + n, 1, 0);
    assert_int_equal(held.count, 3);
    assert_int_equal(held.rows[2].number, 3);
    assert_string_equal(held.rows[2].reason, "xxxxxxxxxx");
    feed_drop(&held);
    feed_unwatch(feed, &all.watch);
    feed_free(feed);
}

static void a_hole_sends_everybody_to_the_store(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    struct listener all;
    struct api_events events;
    listen_to(feed, &all, 0);
    publish(feed, 1, 5, 0);
    publish(feed, 8, 2, 0); /* 6 and 7 were committed, and their answer was lost */
    assert_false(feed_take(feed, 5, &events));
    assert_false(feed_take(feed, 6, &events));
    assert_int_equal(take_all(feed, 7), 9);
    feed_unwatch(feed, &all.watch);
    feed_free(feed);
}

/* ---- behind a pump ---- */

enum { EVENTS_MAX = 1000 };

/* A stream as the API makes one: from memory what memory has, else from the store. */
static int64_t catch_up(struct stage *stage, struct feed *feed, int64_t position)
{
    struct api_events events;
    for (;;) {
        if (!feed_take(feed, position, &events)) {
            const struct event_filter filter = {0};
            struct event_row *rows;
            store_read_begin(stage->reader);
            size_t count = store_workspace_events(stage->reader, stage->workspace.id, &filter,
                                                  position, EVENTS_MAX, &stage->arena, &rows,
                                                  &position);
            store_read_end(stage->reader);
            assert_true(count < EVENTS_MAX);
            for (size_t i = 0; i < count; i++)
                assert_non_null(rows[i].job_name);
            continue;
        }
        if (!events.count)
            return position;
        for (size_t i = 0; i < events.count; i++) {
            if (events.rows[i].number <= position)
                continue;
            assert_int_equal(events.rows[i].number, position + 1);
            assert_string_equal(events.rows[i].job_name, "nightly");
            assert_false(uuid_is_nil(&events.rows[i].job));
            position++;
        }
        feed_drop(&events);
    }
}

static int64_t newest_stored(struct stage *stage)
{
    store_read_begin(stage->reader);
    int64_t newest = store_newest_event(stage->reader, stage->workspace.id);
    store_read_end(stage->reader);
    return newest;
}

static void a_commit_whose_answer_was_lost_is_told_all_the_same(void **state)
{
    struct stage *stage = *state;
    struct listener all;
    stage->feed = feed_new();
    stage_up(stage);
    stage_script(stage, "ok.sh", "exit 0\n");
    struct uuid job = stage_job(stage, "{'name':'nightly','path':'p','tasks':[{'taskKey':'a',"
                                       "'type':'PYTHON_TASK','filePath':'ok.sh'}]}");
    listen_to(stage->feed, &all, 0);
    int64_t position = catch_up(stage, stage->feed, 0);
    struct uuid run = stage_run(stage, &job);
    stage_await_state(stage, &run, STATE_SUCCESS);
    position = catch_up(stage, stage->feed, position);
    assert_true(position > 0);
    assert_int_equal(position, newest_stored(stage));
    int wakes = all.wakes;
    stage->failures = 1;
    stage->applied = true;
    struct request *request = stage_request(stage, COMMAND_RUN_CREATE, &job);
    stage_submit(stage, request);
    assert_int_equal(stage_answer(stage, request), ERR_UNAVAILABLE);
    stage_await(stage, stage_is_recovered, stage);
    assert_true(all.wakes > wakes);
    int64_t after = catch_up(stage, stage->feed, position);
    assert_true(after > position);
    while (stage_live_runs(stage))
        pump_run(stage->pump);
    assert_int_equal(catch_up(stage, stage->feed, after), newest_stored(stage));
    feed_unwatch(stage->feed, &all.watch);
    stage_down(stage);
    feed_free(stage->feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_watches_is_not_kept),
        cmocka_unit_test(one_finds_ones_place_from_every_number),
        cmocka_unit_test(only_those_concerned_are_woken),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(a_hole_sends_everybody_to_the_store),
        cmocka_unit_test_setup_teardown(a_commit_whose_answer_was_lost_is_told_all_the_same,
                                        stage_setup, stage_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
