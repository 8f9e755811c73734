/*
 * What a batch has made of a run, for the answer to whoever asked for it.
 *
 * A run that was made in this batch is in the batch's rows whole: they are copied to the request, and its answer
 * need not be read back from a store whose last commit has emptied every reader's cache (a third of what
 * a POST cost the server).
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "server/pump_internal.h"
#include "store/columns.h"

/* Of one run: copying more would keep others waiting for their answers, and reading is cheap then. */
enum { MADE_MAX_ROWS = 256 };

/* Rows of one run in the batch: counted, then copied. */
struct found {
    struct api_pending *pending;
    const struct run_row *run;
    size_t repairs, task_runs, attempts, events;
    bool is_partial; /* something of it was there before, or goes */
};

static const struct uuid *run_of(const struct row_change *change)
{
    switch ((int)change->kind) {
    case ROW_RUN:
        return &((const struct run_row *)change->row)->key;
    case ROW_REPAIR:
        return &((const struct repair_row *)change->row)->run;
    case ROW_TASK_RUN:
        return &((const struct task_run_row *)change->row)->run;
    case ROW_ATTEMPT:
        return &((const struct attempt_row *)change->row)->run;
    case ROW_EVENT:
        return &((const struct event_row *)change->row)->run;
    default:
        return NULL;
    }
}

static struct found *found_of(const struct uuid_map *runs, const struct row_change *change)
{
    const struct uuid *run = run_of(change);
    return run ? uuid_map_get(runs, run) : NULL;
}

/* Those of the run itself, which is what is shown of it. */
static bool is_own_event(const struct row_change *change)
{
    return uuid_is_nil(&((const struct event_row *)change->row)->task_run);
}

static void count_row(struct found *found, const struct row_change *change)
{
    found->is_partial |= change->action != ROW_INSERT;
    switch ((int)change->kind) {
    case ROW_RUN:
        found->run = change->row;
        break;
    case ROW_REPAIR:
        found->repairs++;
        break;
    case ROW_TASK_RUN:
        found->task_runs++;
        break;
    case ROW_ATTEMPT:
        found->attempts++;
        break;
    default:
        found->events += is_own_event(change);
        break;
    }
}

static bool is_worth_it(const struct found *found)
{
    size_t rows = found->repairs + found->task_runs + found->attempts + found->events;
    return found->run && !found->is_partial && rows <= MADE_MAX_ROWS;
}

static void make_room(struct found *found)
{
    struct arena *arena = found->pending->arena;
    struct api_made *made = ARENA_NEW(arena, struct api_made);
    table_copy_row(&store_tables[ROW_RUN], found->run, &made->image.run, arena);
    made->image.repairs = ARENA_ARRAY(arena, found->repairs, struct repair_row);
    made->image.task_runs = ARENA_ARRAY(arena, found->task_runs, struct task_run_row);
    made->image.attempts = ARENA_ARRAY(arena, found->attempts, struct attempt_row);
    made->events = ARENA_ARRAY(arena, found->events, struct event_row);
    found->pending->made = made;
}

static void copy_row(struct found *found, const struct row_change *change)
{
    struct api_made *made = found->pending->made;
    struct run_image *image = &made->image;
    void *to;
    if (change->kind == ROW_RUN || (change->kind == ROW_EVENT && !is_own_event(change)))
        return;
    if (change->kind == ROW_REPAIR)
        to = &image->repairs[image->repair_count++];
    else if (change->kind == ROW_TASK_RUN)
        to = &image->task_runs[image->task_run_count++];
    else if (change->kind == ROW_ATTEMPT)
        to = &image->attempts[image->attempt_count++];
    else
        to = &made->events[made->event_count++];
    table_copy_row(&store_tables[change->kind], change->row, to, found->pending->arena);
    if (change->kind == ROW_EVENT) /* no column of its own */
        ((struct event_row *)to)->job_name = image->run.job_name;
}

/* ---- as an image has them ---- */

static int by_task_run(const void *a, const void *b)
{
    const struct attempt_row *x = a;
    const struct attempt_row *y = b;
    int order = uuid_compare(&x->task_run, &y->task_run);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* Repairs and events are in order: a batch has them as they were made. */
static void put_in_order(struct run_image *image)
{
    run_image_sort_task_runs(image);
    qsort(image->attempts, image->attempt_count, sizeof *image->attempts, by_task_run);
    run_image_drop_traces(image);
}

static bool wants_rows(const struct api_pending *pending)
{
    return pending->command.kind == COMMAND_RUN_CREATE && pending->result.code == ERR_OK &&
           pending->arena;
}

void pump_hand_made(struct pump *pump)
{
    const struct row_batch *rows = &pump->effects.rows;
    struct found *all = NULL;
    size_t count = 0;
    struct uuid_map runs;
    uuid_map_init(&runs);
    for (size_t i = 0; i < pump->stepped_count; i++) {
        if (!wants_rows(pump->stepped[i]))
            continue;
        if (!all)
            all = arena_array(&pump->answers, pump->stepped_count, sizeof *all);
        all[count] = (struct found){.pending = pump->stepped[i]};
        uuid_map_put(&runs, &pump->stepped[i]->result.key, &all[count++]);
    }
    struct found *found;
    for (size_t i = 0; count && i < rows->count; i++)
        if ((found = found_of(&runs, &rows->items[i])))
            count_row(found, &rows->items[i]);
    for (size_t i = 0; i < count; i++)
        if (is_worth_it(&all[i]))
            make_room(&all[i]);
    for (size_t i = 0; count && i < rows->count; i++)
        if ((found = found_of(&runs, &rows->items[i])) && found->pending->made)
            copy_row(found, &rows->items[i]);
    for (size_t i = 0; i < count; i++)
        if (all[i].pending->made)
            put_in_order(&all[i].pending->made->image);
    uuid_map_release(&runs);
}
