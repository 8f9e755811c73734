#include "sim/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calendar/zones.h"
#include "sim/fail.h"
#include "sim/replay_internal.h"

enum { PAGE_RUNS = 200 };

/* ---- reading ---- */

static int by_number(const void *a, const void *b)
{
    const struct past_event *left = a;
    const struct past_event *right = b;
    return left->event->number < right->event->number ? -1
                                                      : left->event->number > right->event->number;
}

static bool read_run(struct replay *replay, const struct uuid *key)
{
    struct past_run *run = &replay->runs[replay->run_count];
    struct event_row *events;
    *run = (struct past_run){0};
    if (!store_get_run_image(replay->reader, replay->workspace, key, &replay->arena, &run->image))
        return !store_reader_failed(replay->reader);
    size_t count = store_run_events(replay->reader, replay->workspace, key, 0, SIZE_MAX >> 1,
                                    &replay->arena, &events);
    run->events = events;
    run->event_count = count;
    for (size_t i = 0; i < count; i++) {
        GROW(replay->events, replay->event_count, replay->event_cap);
        replay->events[replay->event_count++] =
            (struct past_event){.run = replay->run_count, .event = &events[i]};
    }
    replay->run_count++;
    return !store_reader_failed(replay->reader);
}

/* All keys first: `runs` must not move once events point into it. */
static bool read_runs(struct replay *replay)
{
    const struct run_filter filter = {.created_from_ms = FIELD_NULL, .created_to_ms = FIELD_NULL};
    const struct list_order order = {SORT_TIME_CREATED, true, PAGE_RUNS};
    struct store_cursor cursor = {.is_set = false};
    struct uuid *keys = NULL;
    size_t count = 0;
    size_t cap = 0;
    for (bool more = true; more;) {
        struct run_list list;
        store_list_runs(replay->reader, replay->workspace, &filter, &order, &cursor, &replay->arena,
                        &list);
        for (size_t i = 0; i < list.count; i++) {
            GROW(keys, count, cap);
            keys[count++] = list.items[i].key;
        }
        cursor = list.next;
        more = list.more;
    }
    bool ok = !store_reader_failed(replay->reader);
    replay->runs = xcalloc(count + 1, sizeof *replay->runs);
    for (size_t i = 0; i < count && ok; i++)
        ok = read_run(replay, &keys[i]);
    free(keys);
    if (replay->event_count)
        qsort(replay->events, replay->event_count, sizeof *replay->events, by_number);
    return ok;
}

/* ---- differing ---- */

void replay_differs(struct replay *replay, const struct past_run *run, const char *task,
                    const char *format, ...)
{
    char key[UUID_TEXT];
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(&replay->arena, format, args);
    va_end(args);
    replay->result->differences++;
    replay->tell(replay->context, arena_printf(&replay->arena, "run %lld %s%s%s: %s",
                                               (long long)run->image.run.number,
                                               uuid_format(&run->image.run.key, key),
                                               task ? ", task " : "", task ? task : "", what));
}

/* ---- all of it ---- */

static struct zone *zone_of(void *context, const char *id)
{
    struct zone *zone = NULL;
    struct err ignored;
    return id && zones_get(context, id, &zone, &ignored) == ERR_OK ? zone : NULL;
}

static void begin_world(struct replay *replay, const struct workspace_row *workspace)
{
    struct world *world = world_new_on(NULL, workspace->name ? workspace->name : "replay", false);
    world->more_runs = replay_more_runs;
    world->context = replay;
    world->config.zone = zone_of;
    world->config.context = replay->zones;
    world->slots_elsewhere = ENGINE_NO_SLOT;
    world_limit(world, REPLAY_SLOTS); /* the settings are in force from here on */
    replay->world = world;
}

static void count_deleted(struct replay *replay)
{
    int64_t last = 0;
    for (size_t i = 0; i < replay->run_count; i++)
        if (replay->runs[i].image.run.number > last)
            last = replay->runs[i].image.run.number;
    replay->result->deleted = (size_t)last - replay->run_count;
}

bool replay_workspace(struct store_reader *reader, const struct workspace_row *workspace,
                      replay_tell *tell, void *context, struct replay_result *ret)
{
    *ret = (struct replay_result){0};
    struct replay replay = {.reader = reader,
                            .workspace = workspace->id,
                            .tell = tell,
                            .context = context,
                            .result = ret};
    arena_init(&replay.arena);
    replay.zones = zones_new(ZONES_FOLDER);
    bool ok = read_runs(&replay);
    if (ok) {
        begin_world(&replay, workspace);
        uuid_map_init(&replay.jobs);
        replay_find_jobs(&replay);
        count_deleted(&replay);
        for (size_t i = 0; i < replay.event_count && ok; i++) {
            const struct past_event *past = &replay.events[i];
            broken_context("event %lld of run %lld, replayed", (long long)past->event->number,
                           (long long)replay.runs[past->run].image.run.number);
            ok = replay_event(&replay, &replay.runs[past->run], past->event);
        }
        for (size_t i = 0; i < replay.run_count && ok; i++)
            replay_compare(&replay, &replay.runs[i]);
        ok = ok && !store_reader_failed(reader); /* what was not read is no difference */
        broken_context("%s", "");
        uuid_map_release(&replay.jobs);
        world_free(replay.world);
    }
    free(replay.runs);
    free(replay.events);
    free(replay.past_jobs);
    zones_free(replay.zones);
    arena_release(&replay.arena);
    return ok;
}
