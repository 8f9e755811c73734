/* What the engine made of it, against what is stored. */
#include <string.h>

#include "sim/replay_internal.h"

/* The nth event of a sequence: about one task run (by key) or, with nil, about the run itself. */
static const struct event_row *next_move(const struct event_row *events, size_t count,
                                         const struct uuid *task_run, size_t *cursor)
{
    while (*cursor < count) {
        const struct event_row *event = &events[(*cursor)++];
        bool moves = event->type == EVENT_RUN_STATE || event->type == EVENT_TASK_STATE;
        if (moves && uuid_equal(&event->task_run, task_run))
            return event;
    }
    return NULL;
}

/* The states that it went through, one by one. */
static bool same_moves(struct replay *replay, const struct past_run *run,
                       const struct booked_run *booked, const struct uuid *stored,
                       const struct uuid *replayed, const char *task)
{
    size_t a = 0;
    size_t b = 0;
    for (;;) {
        const struct event_row *left = next_move(run->events, run->event_count, stored, &a);
        const struct event_row *right =
            next_move(booked->events, booked->event_count, replayed, &b);
        if (!left && !right)
            return true;
        if (left && right && left->from == right->from && left->to == right->to)
            continue;
        replay_differs(replay, run, task, "stored %s -> %s, replayed %s -> %s",
                       left ? state_name(left->from) : "nothing", left ? state_name(left->to) : "",
                       right ? state_name(right->from) : "nothing",
                       right ? state_name(right->to) : "");
        return false;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_key(const char *text)
{
    char key[UUID_TEXT] = "";
    struct uuid uuid;
    memcpy(key, text, strnlen(text, UUID_TEXT - 1));
    return uuid_parse(key, &uuid);
}

/* Keys are others in a replay. */
static bool same_but_for_keys(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    while (*a && *b) {
        bool keys = is_key(a) && is_key(b);
        if (!keys && *a != *b)
            return false;
        a += keys ? UUID_TEXT - 1 : 1;
        b += keys ? UUID_TEXT - 1 : 1;
    }
    return *a == *b;
}

static const struct booked_task *find_task(const struct booked_run *booked,
                                           const struct task_run_row *row)
{
    for (size_t i = 0; i < booked->task_count; i++) {
        const struct task_run_row *other = &booked->tasks[i]->row;
        if (other->repair_number == row->repair_number &&
            strcmp(other->task_key, row->task_key) == 0)
            return booked->tasks[i];
    }
    return NULL;
}

static void compare_task(struct replay *replay, const struct past_run *run,
                         const struct booked_run *booked, const struct task_run_row *row)
{
    const struct booked_task *task = find_task(booked, row);
    if (!task) {
        replay_differs(replay, run, row->task_key, "repair %lld made it, the replay does not",
                       (long long)row->repair_number);
        return;
    }
    const struct task_run_row *other = &task->row;
    if (!same_moves(replay, run, booked, &row->key, &other->key, row->task_key))
        return;
    if (row->outcome != other->outcome || row->attempts != other->attempts ||
        !same_text(row->error_code, other->error_code))
        replay_differs(replay, run, row->task_key,
                       "stored outcome %d, %lld attempts, code %s; replayed %d, %lld, %s",
                       row->outcome, (long long)row->attempts,
                       row->error_code ? row->error_code : "none", other->outcome,
                       (long long)other->attempts, other->error_code ? other->error_code : "none");
    if (state_is_final(row->state) && !same_but_for_keys(row->message, other->message))
        replay_differs(replay, run, row->task_key, "stored \"%s\", replayed \"%s\"", row->message,
                       other->message);
    if (!same_but_for_keys(row->parameters, other->parameters))
        replay_differs(replay, run, row->task_key, "started with %s, in the replay with %s",
                       row->parameters ? row->parameters : "nothing",
                       other->parameters ? other->parameters : "nothing");
}

static void compare_repairs(struct replay *replay, const struct past_run *run,
                            const struct booked_run *booked)
{
    if (run->image.repair_count != booked->repair_count) {
        replay_differs(replay, run, NULL, "%zu attempts of the run, in the replay %zu",
                       run->image.repair_count, booked->repair_count);
        return;
    }
    for (size_t i = 0; i < booked->repair_count; i++) {
        if (!same_text(run->image.repairs[i].plan, booked->repairs[i].plan))
            replay_differs(replay, run, NULL, "repair %zu planned %s, in the replay %s", i,
                           run->image.repairs[i].plan, booked->repairs[i].plan);
        replay->result->repairs += i > 0;
    }
}

void replay_compare(struct replay *replay, const struct past_run *run)
{
    static const struct uuid nil;
    replay->result->runs++;
    if (run->is_lost || !run->is_made)
        return; /* told already */
    const struct booked_run *booked = book_run(&replay->world->book, &run->key);
    const struct run_row *row = &run->image.run;
    if (!same_moves(replay, run, booked, &nil, &nil, NULL))
        return;
    if (state_is_final(row->state) && row->state != STATE_SKIPPED &&
        !same_but_for_keys(row->message, booked->row.message))
        replay_differs(replay, run, NULL, "stored \"%s\", replayed \"%s\"", row->message,
                       booked->row.message);
    compare_repairs(replay, run, booked);
    for (size_t i = 0; i < run->image.task_run_count; i++)
        compare_task(replay, run, booked, &run->image.task_runs[i]);
}
