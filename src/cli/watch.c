#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "cli/call.h"
#include "cli/clocks.h"
#include "cli/failures.h"
#include "cli/format.h"
#include "cli/tree.h"

enum {
    POLL_LEAST_MS = 200,
    POLL_MOST_MS = 2000,
    POLL_SHARE = 5,     /* at most a fifth of the time is spent on asking */
    REDRAW_MS = 1000,   /* durations go on between changes */
    TOLD_LEAST_MS = 50, /* what comes within is asked for together */
    LISTEN_MS = 60 * 1000,
    HEARD_BYTES = 4096,
};

struct watch {
    struct cli *cli;
    enum watch_how how;
    bool live; /* redraws a tree in place */
    char etag[128];
    uint32_t lines; /* of the tree that stands on the terminal */
    int64_t drawn_ms;
    struct str_map seen; /* task key → struct seen */
    struct arena arena;
    char run_status[64];    /* last one told */
    json_t *run;            /* as it was last seen */
    struct http_feed *feed; /* of its events: the bell that says when to ask; NULL: none */
    bool is_told_end;       /* the last feed said that the run has ended: look before another */
    bool is_polling;        /* the server has no feed for us */
    int64_t asked_ms;       /* monotonic: when the run was last asked for, and how long it took */
    int64_t took_ms;
};

struct seen {
    char status[64];
};

int64_t watch_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

void watch_tree(struct cli *cli, const json_t *run, struct tree *ret)
{
    const char *id = clocks_id(run);
    tree_init(ret, run, &cli->screen, watch_now_ms());
    if (!id)
        return;
    struct clocks clocks;
    clocks_init(&clocks, cli);
    clocks.arena = &ret->arena; /* a run may be watched for days */
    ret->message = clocks_sentence(&clocks, id, ret->message);
    clocks_release(&clocks);
}

int watch_get_run(struct cli *cli, const char *key, bool patient, struct http_answer *ret)
{
    struct buf path;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/jobRuns/%s", key);
    const struct call call = {
        .method = "GET", .path = path.data, .flags = patient ? CALL_PATIENT : 0};
    int status = call_send(cli, &call, ret);
    buf_release(&path);
    return status;
}

static void tell(const struct watch *watch, const char *key, const char *status,
                 const char *message, const char *attempts, int64_t at_ms, int64_t took_ms)
{
    char at[FORMAT_TEXT], took[FORMAT_TEXT] = "";
    if (took_ms >= 0 && state_name_is_final(status))
        format_duration(took_ms, took);
    message = state_reason(status, message);
    struct line line;
    line_init(&line, &watch->cli->screen);
    line_add(&line, format_time(at_ms, at), NULL);
    line_add(&line, "  ", NULL);
    line_add(&line, key, NULL);
    line_add(&line, "  ", NULL);
    line_add(&line, status, NULL);
    line_add(&line, *took ? "  " : "", NULL);
    line_add(&line, took, NULL);
    line_add(&line, *message ? "  " : "", NULL);
    line_add(&line, message, NULL);
    line_add(&line, *attempts ? "  " : "", NULL);
    line_add(&line, attempts, NULL);
    line_print(&line, stdout);
    line_release(&line);
}

/* A task that a repair keeps: it ended before what is watched began. */
static bool is_kept(const struct tree *tree, const struct tree_task *task)
{
    return tree->version > 1 && *task->status && state_name_is_final(task->status) &&
           !state_name_is_final(tree->status) && task->end_ms >= 0 &&
           (tree->attempt_start_ms < 0 || task->end_ms < tree->attempt_start_ms);
}

/* One line for each task and for the run, when its state is another than the last one told. */
static void tell_changes(struct watch *watch, const struct tree *tree)
{
    int64_t now_ms = watch_now_ms();
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct tree_task *task = &tree->tasks[i];
        struct seen *seen = str_map_get(&watch->seen, task->key);
        bool is_first = !seen;
        if (is_first) {
            seen = ARENA_NEW(&watch->arena, struct seen);
            str_map_add(&watch->seen, arena_strdup(&watch->arena, task->key), seen);
        }
        if (strcmp(seen->status, task->status) == 0)
            continue;
        snprintf(seen->status, sizeof seen->status, "%s", task->status);
        if (strcmp(task->status, "BLOCKED") == 0 || (is_first && is_kept(tree, task)))
            continue;
        int64_t at_ms = task->end_ms >= 0 ? task->end_ms : now_ms;
        if (task->end_ms < 0 && strcmp(task->status, "RUNNING") == 0 && task->start_ms >= 0)
            at_ms = task->start_ms;
        char attempts[TREE_ATTEMPTS_TEXT];
        tell(watch, task->key, task->status, task->message, tree_attempts(task, attempts), at_ms,
             task->took_ms);
    }
    if (strcmp(watch->run_status, tree->status) != 0) {
        snprintf(watch->run_status, sizeof watch->run_status, "%s", tree->status);
        tell(watch, tree->job, tree->status, tree->message, "",
             tree->end_ms >= 0 ? tree->end_ms : now_ms, tree->took_ms);
    }
    fflush(stdout);
}

static void redraw(struct watch *watch, const struct tree *tree, bool final)
{
    struct screen *screen = &watch->cli->screen;
    screen_measure(screen);
    if (watch->lines)
        printf("\x1b[%uA\x1b[J", watch->lines);
    uint32_t room = screen->height > 4 ? (uint32_t)screen->height - 1 : 3;
    watch->lines = tree_print(tree, screen, final ? 0 : room);
    watch->drawn_ms = clock_ms(CLOCK_MONOTONIC);
    fflush(stdout);
}

static void show(struct watch *watch, const struct http_answer *answer, const json_t *run,
                 bool final)
{
    bool changed = strcmp(watch->etag, answer->etag) != 0 || !*answer->etag;
    struct tree tree;
    snprintf(watch->etag, sizeof watch->etag, "%s", answer->etag);
    if (watch->how == WATCH_SILENT && !final)
        return;
    if (watch->cli->options.output != OUTPUT_TABLE) {
        if (final)
            (void)call_print_raw(watch->cli, answer);
        return;
    }
    if (!changed && !final &&
        !(watch->live && clock_ms(CLOCK_MONOTONIC) - watch->drawn_ms >= REDRAW_MS))
        return;
    watch_tree(watch->cli, run, &tree);
    if (watch->how == WATCH_SILENT || watch->live)
        redraw(watch, &tree, final);
    else
        tell_changes(watch, &tree);
    tree_release(&tree);
    if (final)
        failures_print(watch->cli, run);
}

/* ---- when to ask ---- */

/* Before the run is asked for, so that nothing falls in between: what is new afterwards rings. */
static void listen_first(struct watch *watch, const char *escaped)
{
    struct buf path;
    bool is_told_end = watch->is_told_end;
    watch->is_told_end = false;
    if (watch->feed || watch->is_polling || is_told_end)
        return;
    buf_init(&path, 1 << 20);
    buf_printf(&path, "/jobRuns/%s/events?onlyNew=true", escaped);
    watch->feed = call_listen(watch->cli, path.data, "text/event-stream", &watch->is_polling);
    buf_release(&path);
}

static void stop_listening(struct watch *watch)
{
    http_feed_close(watch->feed);
    watch->feed = NULL;
}

static void redraw_durations(struct watch *watch)
{
    struct tree tree;
    if (!watch->live || clock_ms(CLOCK_MONOTONIC) - watch->drawn_ms < REDRAW_MS)
        return;
    watch_tree(watch->cli, watch->run, &tree);
    redraw(watch, &tree, false);
    tree_release(&tree);
}

/* Until an event was told, or the feed has ended. */
static void await_event(struct watch *watch)
{
    struct buf *heard = &watch->feed->answer.body;
    for (;;) {
        /* Comments are no events; many of them are let pass for one. */
        bool rings = heard->len && (heard->len > HEARD_BYTES || strstr(heard->data, "data:"));
        watch->is_told_end |= heard->len && strstr(heard->data, "event: end");
        if (rings)
            buf_clear(heard);
        if (watch->feed->is_over)
            stop_listening(watch);
        if (rings || !watch->feed)
            return;
        http_feeds_wait(watch->cli->http, watch->live ? REDRAW_MS : LISTEN_MS);
        redraw_durations(watch);
    }
}

/* Until there may be something new, and not too often. */
static void await_change(struct watch *watch)
{
    bool listened = watch->feed != NULL;
    if (listened)
        await_event(watch);
    int64_t least_ms = watch->feed ? TOLD_LEAST_MS : POLL_LEAST_MS;
    int64_t pause_ms = watch->took_ms * POLL_SHARE;
    pause_ms = pause_ms < least_ms ? least_ms : pause_ms > POLL_MOST_MS ? POLL_MOST_MS : pause_ms;
    if (listened) /* the wait counts */
        pause_ms -= clock_ms(CLOCK_MONOTONIC) - watch->asked_ms;
    if (pause_ms > 0)
        call_pause_ms((long)pause_ms);
}

/* Asks once, and shows it. *ret_final: the run has ended; the result says how. */
static int look(struct watch *watch, const char *escaped, bool *ret_final)
{
    struct http_answer answer;
    int64_t before = clock_ms(CLOCK_MONOTONIC);
    int status = watch_get_run(watch->cli, escaped, *watch->etag != '\0', &answer);
    if (status)
        return status;
    watch->asked_ms = clock_ms(CLOCK_MONOTONIC);
    watch->took_ms = watch->asked_ms - before;
    json_decref(watch->run);
    watch->run = NULL;
    status = call_parse(&answer, &watch->run);
    const char *word = get_text(json_object_get(watch->run, "state"), "status");
    if (status == CLI_DONE) {
        *ret_final = word && state_name_is_final(word);
        show(watch, &answer, watch->run, *ret_final);
    }
    if (*ret_final)
        status = strcmp(word, "SUCCESS") == 0 ? CLI_DONE : CLI_RUN_FAILED;
    http_answer_release(&answer);
    return status;
}

int watch_run(struct cli *cli, const char *key, enum watch_how how)
{
    struct watch watch = {
        .cli = cli,
        .how = how,
        .live = how == WATCH_SHOWN && cli->options.output == OUTPUT_TABLE &&
                cli->screen.is_terminal && !(getenv("TERM") && strcmp(getenv("TERM"), "dumb") == 0),
    };
    const char *escaped = call_escape(cli, key);
    int status;
    arena_init(&watch.arena);
    str_map_init(&watch.seen);
    for (bool final = false; !final;) {
        listen_first(&watch, escaped);
        status = look(&watch, escaped, &final);
        if (status && !final)
            break;
        if (!final)
            await_change(&watch);
    }
    stop_listening(&watch);
    json_decref(watch.run);
    str_map_release(&watch.seen);
    arena_release(&watch.arena);
    return status;
}
