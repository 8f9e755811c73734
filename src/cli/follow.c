#include "cli/follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"

enum { WAIT_MS = 60 * 1000, AGAIN_MS = 200 };

static bool is_one_of(const char *word, const char *const *words)
{
    for (; word && *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

int follow_look(struct cli *cli, const char *task_run, struct task_place *ret)
{
    static const char *const waiting[] = {"BLOCKED", "QUEUED", "PENDING", NULL};
    static const char *const live[] = {"RUNNING", "CANCELING", NULL};
    struct http_answer answer;
    json_t *tree = NULL;
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/taskRuns/%s", task_run);
    const struct call call = {.method = "GET", .path = path.data, .flags = CALL_PATIENT};
    int status = call_send(cli, &call, &answer);
    buf_release(&path);
    if (status)
        return status;
    status = call_parse(&answer, &tree);
    if (!status) {
        const char *word = get_text(json_object_get(tree, "state"), "status");
        ret->is_between = is_one_of(word, waiting);
        ret->has_ended = !ret->is_between && !is_one_of(word, live);
        ret->attempt = get_number(tree, "retryAttempt", -1);
    }
    json_decref(tree);
    http_answer_release(&answer);
    return status;
}

/* The streams of one attempt. */
struct follow {
    struct cli *cli;
    const char *task_run;
    struct output *outputs;
    struct http_feed *feeds[FOLLOW_OUTPUTS];
    int64_t attempt; /* -1: the newest; then the one that the server chose */
};

static void close_feeds(struct follow *follow)
{
    for (size_t i = 0; i < FOLLOW_OUTPUTS; i++) {
        http_feed_close(follow->feeds[i]);
        follow->feeds[i] = NULL;
    }
}

/* False when the server has none for us; *ret_refused: and will not have. */
static bool open_feeds(struct follow *follow, bool *ret_refused)
{
    for (size_t i = 0; i < FOLLOW_OUTPUTS; i++) {
        struct output *output = &follow->outputs[i];
        struct buf path;
        if (!output->is_wanted)
            continue;
        buf_init(&path, 1 << 20);
        buf_printf(&path, "/taskRuns/%s/logs?follow=true&stream=%s&offset=%" PRId64,
                   follow->task_run, output->name, output->offset);
        if (follow->attempt >= 0)
            buf_printf(&path, "&attempt=%" PRId64, follow->attempt);
        follow->feeds[i] = call_listen(follow->cli, path.data, NULL, ret_refused);
        buf_release(&path);
        if (!follow->feeds[i]) {
            close_feeds(follow);
            return false;
        }
        const char *begin = follow->feeds[i]->answer.offset; /* what was cut out is passed over */
        if (*begin)
            output->offset = strtoll(begin, NULL, 10);
        /* None has started: the first that does is number 0. */
        const char *number = follow->feeds[i]->answer.attempt;
        follow->attempt = *number                ? strtoll(number, NULL, 10)
                          : follow->attempt >= 0 ? follow->attempt
                                                 : 0;
    }
    return true;
}

/* Puts out what comes until all have ended; false when one was cut off. */
static bool hear(struct follow *follow)
{
    for (;;) {
        bool is_open = false, is_whole = true;
        for (size_t i = 0; i < FOLLOW_OUTPUTS; i++) {
            struct http_feed *feed = follow->feeds[i];
            if (!feed)
                continue;
            struct buf *body = &feed->answer.body;
            if (body->len)
                output_put(&follow->outputs[i], body->data, body->len);
            follow->outputs[i].offset += (int64_t)body->len;
            buf_clear(body);
            is_open |= !feed->is_over;
            is_whole &= !feed->is_over || feed->is_whole;
        }
        if (!is_open || !is_whole)
            return is_whole;
        http_feeds_wait(follow->cli->http, WAIT_MS);
    }
}

bool follow_task_run(struct cli *cli, const char *task_run,
                     struct output outputs[static FOLLOW_OUTPUTS], int *ret_status)
{
    struct follow follow = {
        .cli = cli, .task_run = task_run, .outputs = outputs, .attempt = cli->options.attempt};
    bool only_one = cli->options.attempt >= 0, refused = false;
    for (;;) {
        bool whole = open_feeds(&follow, &refused) && hear(&follow);
        close_feeds(&follow);
        if (refused)
            return false;
        struct task_place now;
        *ret_status = follow_look(cli, task_run, &now);
        if (*ret_status)
            return true;
        /* Whole is what the attempt has written until its end; look what comes after it. */
        bool is_past = now.has_ended || now.attempt > follow.attempt ||
                       (now.is_between && now.attempt == follow.attempt);
        if (!whole || !is_past) {
            call_pause_ms(AGAIN_MS);
            continue;
        }
        if (only_one || (now.has_ended && now.attempt <= follow.attempt))
            return true;
        follow.attempt++;
        for (size_t i = 0; i < FOLLOW_OUTPUTS; i++)
            outputs[i].offset = 0;
    }
}
