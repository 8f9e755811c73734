/* The pump (DURABILITY §1): batches, tokens, failed commits, recovery, the end. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/clock.h"
#include "server/metrics.h"
#include "server/stage.h"

/* Its runs wait for ever: they are live and do nothing. */
static const char waiting_job[] =
    "{'name':'waiting','path':'/','maxConcurrentRuns':0,'queue':{'isEnabled':true},"
    "'tasks':[{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.sh'}]}";
static const char one_task[] = "{'name':'one','path':'/','maxConcurrentRuns':1000,"
                               "'tasks':[{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.sh'}]}";

static bool is_ready(void *context)
{
    return pump_is_ready(context);
}

/* ---- a commit fails ---- */

static void a_failed_commit_is_503_and_what_was_asked_is_not_there(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    stage->failures = 1;
    struct request *request = stage_request(stage, COMMAND_RUN_CREATE, &job);
    stage_submit(stage, request);
    assert_int_equal(stage_answer(stage, request), ERR_UNAVAILABLE);
    assert_false(pump_is_ready(stage->pump));
    assert_int_equal(stage_live_runs(stage), 0);

    int commits = stage->commits;
    stage_await(stage, is_ready, stage->pump); /* by itself: nobody needs to ask for a write */
    assert_int_equal(stage->commits, commits);
    stage_run(stage, &job);
    assert_int_equal(stage_live_runs(stage), 1);
}

static void a_lost_answer_is_found_by_its_token(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    stage->failures = 1;
    stage->applied = true;
    struct request *lost = stage_request(stage, COMMAND_RUN_CREATE, &job);
    stage_token(lost, "token", "body");
    stage_submit(stage, lost);
    assert_int_equal(stage_answer(stage, lost), ERR_UNAVAILABLE);
    assert_int_equal(stage_live_runs(stage), 1);

    stage_await(stage, is_ready, stage->pump);
    struct request *again = stage_request(stage, COMMAND_RUN_CREATE, &job);
    stage_token(again, "token", "body");
    stage_submit(stage, again);
    assert_int_equal(stage_answer(stage, again), ERR_OK);
    assert_true(again->pending.result.replayed);
    assert_int_equal(again->pending.replay_status, 201);
    assert_int_equal(stage_live_runs(stage), 1);
}

struct counted {
    struct stage *stage;
    size_t most; /* reports that waited at a time */
};

static bool no_failures_left(void *context)
{
    struct counted *counted = context;
    if (counted->stage->pump->inbox.count > counted->most)
        counted->most = counted->stage->pump->inbox.count;
    return counted->stage->failures == 0;
}

/* `applied`: the outcome was committed all the same. Either way it counts once. */
static void lose_outcomes(struct stage *stage, bool applied)
{
    const char *path = stage_path(stage, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int pipe = open(path, O_RDWR | O_CLOEXEC);
    stage_script(stage, "a.sh", arena_printf(&stage->arena, "read line < %s\nexit 3\n", path));
    stage_up(stage);
    struct uuid job = stage_job(stage, one_task);
    struct uuid run = stage_run(stage, &job);
    stage_await_state(stage, &run, STATE_RUNNING);

    stage->failures = 4;
    stage->applied = applied;
    assert_int_equal(write(pipe, "go\n", 3), 3);
    struct counted counted = {.stage = stage};
    if (!applied)
        stage_await(stage, no_failures_left, &counted);
    stage_await_state(stage, &run, STATE_FAILED);
    assert_true(counted.most <= 1);
    stage->failures = 0;
    stage_await(stage, is_ready, stage->pump);
    assert_int_equal(stage->pump->inbox.count, 0);
    assert_int_equal(exec_live(stage->pump->exec), 0);

    struct run_image image;
    store_read_begin(stage->reader);
    assert_true(
        store_get_run_image(stage->reader, stage->workspace.id, &run, &stage->arena, &image));
    store_read_end(stage->reader);
    assert_int_equal(image.attempt_count, 1);
    assert_int_equal(image.attempts[0].exit_code, 3);
    close(pipe);
}

static void an_outcome_outlives_failed_commits(void **state)
{
    lose_outcomes(*state, false);
}

static void an_outcome_whose_commit_was_not_answered_counts_once(void **state)
{
    lose_outcomes(*state, true);
}

/* ---- tokens ---- */

static void a_token_twice_in_a_batch_is_one_run(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    static const char *const bodies[] = {"body", "body", "another body"};
    struct request *requests[3];
    for (size_t i = 0; i < 3; i++) {
        requests[i] = stage_request(stage, COMMAND_RUN_CREATE, &job);
        stage_token(requests[i], "token", bodies[i]);
        stage_submit(stage, requests[i]);
    }
    assert_int_equal(stage_answer(stage, requests[0]), ERR_OK);
    assert_int_equal(stage_answer(stage, requests[1]), ERR_OK);
    assert_int_equal(stage_answer(stage, requests[2]), ERR_INVALIDATED_RETRY_TOKEN);
    assert_string_equal(requests[0]->pending.replay_body, requests[1]->pending.replay_body);
    assert_int_equal(stage_live_runs(stage), 1);
}

/* ---- who asked for what ---- */

static void note(struct request *request, const char *id)
{
    request->pending.audit = (struct audit_row){
        .subject = AUDIT_ABOUT_RUN, .action = "run.create", .user_name = "eva", .request_id = id};
}

static size_t audit_rows(struct stage *stage, struct audit_row **ret)
{
    const struct account_query query = {.kind = ROW_AUDIT, .limit = 100};
    void *rows;
    store_read_begin(stage->reader);
    size_t count = store_accounts(stage->reader, &query, &stage->arena, &rows);
    store_read_end(stage->reader);
    *ret = rows;
    return count;
}

static void a_change_is_written_down_in_its_transaction(void **state)
{
    struct stage *stage = *state;
    struct audit_row *rows;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job), nobody = {{1}};
    struct request *refused = stage_request(stage, COMMAND_RUN_CREATE, &nobody);
    note(refused, "refused");
    stage_submit(stage, refused);
    assert_int_equal(stage_answer(stage, refused), ERR_NOT_AUTHORIZED_OR_NOT_FOUND);
    stage->failures = 1;
    struct request *failed = stage_request(stage, COMMAND_RUN_CREATE, &job);
    note(failed, "failed");
    stage_submit(stage, failed);
    assert_int_equal(stage_answer(stage, failed), ERR_UNAVAILABLE);
    assert_int_equal(audit_rows(stage, &rows), 0);

    stage_await(stage, is_ready, stage->pump);
    int commits = stage->commits;
    struct request *done = stage_request(stage, COMMAND_RUN_CREATE, &job);
    note(done, "done");
    stage_submit(stage, done);
    assert_int_equal(stage_answer(stage, done), ERR_OK);
    assert_int_equal(stage->commits, commits + 1);
    assert_int_equal(audit_rows(stage, &rows), 1);
    assert_string_equal(rows[0].request_id, "done");
    assert_string_equal(rows[0].user_name, "eva");
    assert_true(uuid_equal(&rows[0].resource, &done->pending.result.key));
    assert_true(rows[0].time_ms > 0 && uuid_time_ms(&rows[0].key) >= rows[0].time_ms);
}

/* Lost answer or second request: the one that did it is written down. */
static void a_replay_is_written_down_once(void **state)
{
    struct stage *stage = *state;
    struct audit_row *rows;
    static const char *const ids[] = {"first", "second", "third"};
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    stage->failures = 1;
    stage->applied = true;
    for (size_t i = 0; i < 3; i++) {
        struct request *request = stage_request(stage, COMMAND_RUN_CREATE, &job);
        stage_token(request, "token", "body");
        note(request, ids[i]);
        stage_submit(stage, request);
        assert_int_equal(stage_answer(stage, request), i ? ERR_OK : ERR_UNAVAILABLE);
        stage_await(stage, is_ready, stage->pump);
    }
    assert_int_equal(audit_rows(stage, &rows), 1);
    assert_string_equal(rows[0].request_id, "first");
}

static bool has_token(struct stage *stage, const struct retry_token_row *row)
{
    struct retry_token_row found;
    store_read_begin(stage->reader);
    bool has = store_get_retry_token(stage->reader, stage->workspace.id, row->scope, &stage->arena,
                                     &found);
    store_read_end(stage->reader);
    return has;
}

static void old_tokens_are_forgotten(void **state)
{
    struct stage *stage = *state;
    struct retry_token_row rows[250] = {0};
    struct row_batch batch;
    row_batch_init(&batch);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rows[i] = (struct retry_token_row){.workspace = stage->workspace.id, .status = 201};
        rows[i].scope[0] = (uint8_t)i;
        rows[i].body = "";
        rows[i].created_ms = clock_wall_ms() - (i ? INT64_C(25) * 3600 * 1000 : 0);
        row_batch_add(&batch, ROW_RETRY_TOKEN, ROW_INSERT, &rows[i]);
    }
    assert_int_equal(store_write_accounts(stage->store, &batch), STORE_OK);
    row_batch_release(&batch);
    stage_up(stage);
    pump_run(stage->pump);
    pump_run(stage->pump);
    size_t left = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        left += has_token(stage, &rows[i]);
    assert_int_equal(left, 150); /* a few at a time: the rest a second later */
    assert_true(has_token(stage, &rows[0]));
}

/* ---- fairness ---- */

static struct uuid fan_job(struct stage *stage, int tasks)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "{'name':'fan','path':'/','maxConcurrentRuns':9,'tasks':["
                    "{'taskKey':'a','type':'PYTHON_TASK','filePath':'fan.sh'}");
    for (int i = 0; i < tasks; i++)
        buf_printf(&text,
                   ",{'taskKey':'t%d','type':'PYTHON_TASK','filePath':'fan.sh',"
                   "'dependsOn':[{'taskKey':'a'}]}",
                   i);
    buf_puts(&text, "]}");
    struct uuid job = stage_job(stage, text.data);
    buf_release(&text);
    return job;
}

/* A fifo at which scripts wait; they get a line each. */
static int gate(struct stage *stage, const char *script, int exit_code)
{
    const char *path = stage_path(stage, arena_printf(&stage->arena, "%s.gate", script));
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    stage_script(stage, script,
                 arena_printf(&stage->arena, "read line < %s\nexit %d\n", path, exit_code));
    return fd;
}

/* One outcome fills the first batch, the next is all of the second. When a commit fails that is none of a
 * batch, those that come afterwards are heard all the same. */
static void outcomes_are_heard_after_a_commit_beside_the_batches_has_failed(void **state)
{
    enum { TASKS = 5000 }; /* an event each */
    struct stage *stage = *state;
    int fan = gate(stage, "fan.sh", 1), one = gate(stage, "a.sh", 0);
    stage_up(stage);
    struct pump *pump = stage->pump;
    struct uuid wide = fan_job(stage, TASKS), job = stage_job(stage, one_task);
    struct uuid runs[] = {stage_run(stage, &wide), stage_run(stage, &wide), stage_run(stage, &job)};
    for (int i = 0; i < 3; i++)
        stage_await_state(stage, &runs[i], STATE_RUNNING);
    assert_int_equal(write(fan, "go\ngo\n", 6), 6);
    while (pump->inbox.count < 2) {
        struct pollfd watched = {.fd = exec_fd(pump->exec), .events = POLLIN};
        assert_int_equal(poll(&watched, 1, STAGE_PATIENCE_MS), 1);
        exec_dispatch(pump->exec);
    }
    pump_run(pump);
    assert_int_equal(inbox_waiting(&pump->inbox), 1);
    pump_run(pump);
    assert_int_equal(pump->inbox.count, 0);
    pump_lose(pump, STORE_FAILED);
    stage_await(stage, stage_is_recovered, stage);
    assert_int_equal(write(one, "go\n", 3), 3);
    stage_await_state(stage, &runs[2], STATE_SUCCESS);
    close(fan);
    close(one);
}

static void ask_again(struct api_pending *pending)
{
    struct request *request = pending->owner;
    request->done++;
    pump_submit(request->stage->pump, pending);
}

static void an_outcome_is_heard_while_commands_keep_coming(void **state)
{
    struct stage *stage = *state;
    stage_script(stage, "a.sh", "exit 0\n");
    stage_up(stage);
    struct uuid idle = stage_job(stage, waiting_job);
    struct uuid job = stage_job(stage, one_task);
    struct request *request = stage_request(stage, COMMAND_JOB_DELETE, &idle);
    request->pending.done = ask_again;
    stage_submit(stage, request);
    struct uuid run = stage_run(stage, &job);
    stage_await_state(stage, &run, STATE_SUCCESS);
    assert_true(request->done > 1);
}

/* ---- start and end ---- */

static void many_runs_are_recovered_however_long_it_takes(void **state)
{
    enum { RUNS = 3000, SNAPSHOT_MS = 40 };
    struct stage *stage = *state;
    stage_use_sqlite(stage, 0);
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    struct request *requests[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        requests[i] = stage_request(stage, COMMAND_RUN_CREATE, &job);
        stage_submit(stage, requests[i]);
    }
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(stage_answer(stage, requests[i]), ERR_OK);
    stage_down(stage);
    stage_use_sqlite(stage, SNAPSHOT_MS);
    stage_up(stage);
    assert_int_equal(engine_run_count(stage->pump->engine), RUNS);
}

/* Ended instances of a job, as many as a window takes. */
static void add_instances(struct stage *stage, const struct uuid *job, const struct uuid *like)
{
    struct run_row row;
    struct row_batch rows;
    struct uuid_source keys;
    store_read_begin(stage->reader);
    assert_true(store_get_run(stage->reader, stage->workspace.id, like, &stage->arena, &row));
    store_read_end(stage->reader);
    assert_true(uuid_equal(&row.job, job));
    stage_down(stage);
    assert_int_equal(store_take_over(stage->store, stage->workspace.id, 0, &stage->workspace),
                     STORE_OK);
    uuid_source_init(&keys, 0, 1);
    row_batch_init(&rows);
    row.state = STATE_SUCCESS;
    row.launched = LAUNCHED_SCHEDULED;
    row.instance_type = INSTANCE_SUPPLEMENT;
    row.end_ms = row.created_ms;
    for (int i = 0; i < ENGINE_WINDOW_MAX; i++) {
        row.key = row.root_run = row.original_attempt_run = uuid_next(&keys, row.created_ms);
        row.number++;
        row.plan_ms--;
        row_batch_add_copy(&rows, &stage->arena, ROW_RUN, ROW_INSERT, &row);
    }
    struct store_commit commit = {.workspace = &stage->workspace, .rows = &rows};
    assert_int_equal(store_commit(stage->store, &commit), STORE_OK);
    row_batch_release(&rows);
}

/* A job that fires once, at that second, and then waits for all that `upstream` was planned for. */
static struct uuid once(struct stage *stage, const struct uuid *upstream, time_t at)
{
    char key[UUID_TEXT], when[64];
    struct tm utc;
    gmtime_r(&at, &utc);
    strftime(when, sizeof when, "%S %M %H %d %m ? %Y", &utc);
    return stage_job(
        stage, arena_printf(&stage->arena,
                            "{'name':'once','path':'/','dependencies':[{'jobKey':'%s'}],"
                            "'schedule':{'quartzCronExpression':'%s','timezoneId':'UTC'},"
                            "'tasks':[{'taskKey':'a','type':'PYTHON_TASK','filePath':'a.sh'}]}",
                            uuid_format(upstream, key), when));
}

static bool are_held(void *context)
{
    const struct stage *stage = context;
    return pump_is_ready(stage->pump) && engine_run_count(stage->pump->engine) > 1;
}

static bool is_alone(void *context)
{
    const struct stage *stage = context;
    return pump_is_ready(stage->pump) && engine_run_count(stage->pump->engine) == 1;
}

/* What a snapshot may last, so that some of the windows can be read in it, on this machine, and by far not all. */
static int64_t short_snapshot_ms(struct stage *stage, const struct uuid *job)
{
    enum { SOME = 12 };
    int64_t longest_ms = 0;
    for (int i = 0; i < 3; i++) {
        struct window_run *runs;
        int64_t before_ms = clock_ms(CLOCK_MONOTONIC);
        store_read_begin(stage->reader);
        size_t count = store_window_runs(stage->reader, stage->workspace.id, job, 0, INT64_MAX,
                                         ENGINE_WINDOW_MAX, &stage->arena, &runs);
        store_read_end(stage->reader);
        assert_int_equal(count, ENGINE_WINDOW_MAX);
        int64_t took_ms = clock_ms(CLOCK_MONOTONIC) - before_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    return SOME * (longest_ms + 1);
}

/* Reading the windows of all of them takes longer than a snapshot may last. */
static void big_windows_are_read_however_long_it_takes(void **state)
{
    enum { REPORTS = 60, IN_SECONDS = 3 };
    struct stage *stage = *state;
    stage_use_sqlite(stage, 0);
    stage_script(stage, "a.sh", "exit 0\n");
    stage_up(stage);
    struct uuid load = stage_job(stage, waiting_job);
    struct uuid one = stage_run(stage, &load);
    add_instances(stage, &load, &one);
    stage_up(stage);
    int64_t snapshot_ms = short_snapshot_ms(stage, &load);
    stage_down(stage);
    stage_use_sqlite(stage, snapshot_ms);
    stage_up(stage);
    int64_t epoch = engine_workspace(stage->pump->engine)->epoch;
    time_t at = (time_t)(clock_wall_ms() / 1000) + IN_SECONDS;
    for (int i = 0; i < REPORTS; i++)
        once(stage, &load, at);
    stage_await(stage, are_held, stage);
    stage_await(stage, is_alone, stage);
    assert_int_equal(engine_workspace(stage->pump->engine)->epoch, epoch);
}

static void what_waits_at_the_end_is_answered_and_nothing_after_it(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    struct request *requests[3];
    for (size_t i = 0; i < 3; i++) {
        requests[i] = stage_request(stage, COMMAND_RUN_CREATE, &job);
        stage_token(requests[i], "token", "body"); /* needs three batches */
        stage_submit(stage, requests[i]);
    }
    pump_drain(stage->pump);
    pump_close(stage->pump);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(requests[i]->done, 1);
        assert_int_equal(requests[i]->pending.result.code, ERR_OK);
    }
    struct request *late = stage_request(stage, COMMAND_RUN_CREATE, &job);
    stage_submit(stage, late);
    assert_int_equal(late->done, 1);
    assert_int_equal(late->pending.result.code, ERR_UNAVAILABLE);
    assert_int_equal(stage_live_runs(stage), 1);
}

static void an_end_without_a_store_answers_too(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(stage, waiting_job);
    struct request *requests[2];
    stage->failures = 1;
    for (size_t i = 0; i < 2; i++) {
        requests[i] = stage_request(stage, COMMAND_RUN_CREATE, &job);
        stage_token(requests[i], "token", "body"); /* the second waits for another batch */
        stage_submit(stage, requests[i]);
    }
    pump_drain(stage->pump);
    pump_close(stage->pump);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(requests[i]->done, 1);
        assert_int_equal(requests[i]->pending.result.code, ERR_UNAVAILABLE);
    }
    assert_int_equal(stage_live_runs(stage), 0);
}

/* ---- what is told of attempts ---- */

static struct attempt_id attempt_of(struct stage *stage, const struct uuid *run)
{
    struct run_image image;
    store_read_begin(stage->reader);
    assert_true(
        store_get_run_image(stage->reader, stage->workspace.id, run, &stage->arena, &image));
    store_read_end(stage->reader);
    return (struct attempt_id){*run, image.task_runs[0].key, 0, image.attempts[0].number,
                               image.attempts[0].epoch};
}

/* News of an attempt that goes on are no end: whoever cancels it is heard, although the answer of that commit is
 * lost and everything is loaded anew. The script ends with the signal alone. */
static void a_stop_is_not_lost_beside_news(void **state)
{
    struct stage *stage = *state;
    const char *path = stage_path(stage, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int pipe = open(path, O_RDWR | O_CLOEXEC);
    stage_script(stage, "a.sh", arena_printf(&stage->arena, "read line < %s\n", path));
    stage_up(stage);
    struct uuid job = stage_job(stage, one_task);
    struct uuid run = stage_run(stage, &job);
    stage_await_state(stage, &run, STATE_RUNNING);
    const struct exec_report news = {
        .kind = EXEC_NEWS, .id = attempt_of(stage, &run), .external_id = "app-1"};
    stage->pump->config.exec.on_report(stage->pump, &news);
    stage->failures = 1;
    stage->applied = true;
    struct request *cancel = stage_request(stage, COMMAND_RUN_CANCEL, &run);
    stage_submit(stage, cancel);
    assert_int_equal(stage_answer(stage, cancel), ERR_UNAVAILABLE);
    stage_await_state(stage, &run, STATE_CANCELED);
    close(pipe);
}

static void what_a_failed_commit_had_is_counted_once(void **state)
{
    struct stage *stage = *state;
    stage_script(stage, "a.sh", "exit 0");
    stage_up(stage);
    struct metrics *metrics = metrics_new(0);
    stage->pump->config.metrics = metrics;
    struct uuid job = stage_job(stage, one_task);
    struct uuid run = stage_run(stage, &job);
    stage->failures = 3;
    stage_await_state(stage, &run, STATE_SUCCESS);
    assert_int_equal(counter_read(&metrics->attempts_ended[CAUSE_EXITED]), 1);
    stage->pump->config.metrics = NULL;
    metrics_free(metrics);
}

static bool has_many_attempts(void *context)
{
    struct counted *counted = context;
    struct inbox *inbox = &counted->stage->pump->inbox;
    if (inbox->count > counted->most)
        counted->most = inbox->count;
    return counted->stage->commits > 300;
}

/* Each start fails at once, is told in the middle of a batch, and is tried again. */
static void starts_that_fail_do_not_pile_up(void **state)
{
    struct stage *stage = *state;
    stage_up(stage);
    struct uuid job = stage_job(
        stage,
        "{'name':'j','path':'x','maxConcurrentRuns':10,'tasks':[{'taskKey':'a','type':'PYTHON_TASK',"
        "'filePath':'none.sh','maxRetries':300}]}");
    for (int i = 0; i < 10; i++)
        stage_run(stage, &job);
    struct counted counted = {.stage = stage};
    stage_await(stage, has_many_attempts, &counted);
    assert_in_range(counted.most, 1, 100);
}

int main(void)
{
#define STAGED(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGED(a_failed_commit_is_503_and_what_was_asked_is_not_there),
        STAGED(a_lost_answer_is_found_by_its_token),
        STAGED(an_outcome_outlives_failed_commits),
        STAGED(an_outcome_whose_commit_was_not_answered_counts_once),
        STAGED(outcomes_are_heard_after_a_commit_beside_the_batches_has_failed),
        STAGED(a_token_twice_in_a_batch_is_one_run),
        STAGED(a_change_is_written_down_in_its_transaction),
        STAGED(a_replay_is_written_down_once),
        STAGED(old_tokens_are_forgotten),
        STAGED(an_outcome_is_heard_while_commands_keep_coming),
        STAGED(many_runs_are_recovered_however_long_it_takes),
        STAGED(big_windows_are_read_however_long_it_takes),
        STAGED(what_waits_at_the_end_is_answered_and_nothing_after_it),
        STAGED(an_end_without_a_store_answers_too),
        STAGED(a_stop_is_not_lost_beside_news),
        STAGED(what_a_failed_commit_had_is_counted_once),
        STAGED(starts_that_fail_do_not_pile_up),
    };
    return cmocka_run_group_tests_name("pump", tests, NULL, NULL);
}
