#include "server/feed.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

/* The events of one commit. Never changed; freed with the last reference. */
struct batch {
    atomic_uint references;
    struct arena arena; /* of the rows' strings */
    size_t count;
    struct event_row rows[];
};

/* The watchers of one run. */
struct run_watchers {
    struct uuid run;
    struct list watchers; /* struct api_watch, by node */
};

struct feed {
    pthread_mutex_t lock;
    struct batch *ring[FEED_MAX_BATCHES]; /* circular, oldest at `first` */
    size_t first, count;
    size_t events, bytes; /* in the ring */
    int64_t base;         /* number of the first event that the ring has, or would have */
    int64_t newest;
    size_t watch_count;
    struct uuid_map by_run;  /* struct run_watchers */
    struct list of_all_runs; /* struct api_watch, by node */
};

struct feed *feed_new(void)
{
    struct feed *feed = xcalloc(1, sizeof *feed);
    pthread_mutex_init(&feed->lock, NULL);
    uuid_map_init(&feed->by_run);
    list_init(&feed->of_all_runs);
    feed->base = 1;
    return feed;
}

/* ---- batches ---- */

static void drop_batch(struct batch *batch)
{
    if (atomic_fetch_sub(&batch->references, 1) != 1)
        return;
    arena_release(&batch->arena);
    free(batch);
}

static size_t bytes_of(const struct batch *batch)
{
    return sizeof *batch + batch->count * sizeof batch->rows[0] + batch->arena.used;
}

/* NULL: there are no events among them. */
static struct batch *new_batch(const struct row_batch *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += rows->items[i].kind == ROW_EVENT;
    if (!count)
        return NULL;
    struct batch *batch = xcalloc(1, sizeof *batch + count * sizeof batch->rows[0]);
    atomic_init(&batch->references, 1);
    arena_init(&batch->arena);
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].kind != ROW_EVENT)
            continue;
        struct event_row *row = &batch->rows[batch->count++];
        *row = *(const struct event_row *)rows->items[i].row;
        row->task_key = arena_strdup(&batch->arena, row->task_key);
        row->job_name = arena_strdup(&batch->arena, row->job_name);
        row->reason = arena_strdup(&batch->arena, row->reason);
        row->decision = arena_strdup(&batch->arena, row->decision);
    }
    return batch;
}

/* ---- the ring. Under the lock ---- */

static struct batch *ring_at(const struct feed *feed, size_t place)
{
    return feed->ring[(feed->first + place) % FEED_MAX_BATCHES];
}

static void ring_drop_oldest(struct feed *feed)
{
    struct batch *oldest = ring_at(feed, 0);
    feed->base = oldest->rows[oldest->count - 1].number + 1;
    feed->events -= oldest->count;
    feed->bytes -= bytes_of(oldest);
    feed->first = (feed->first + 1) % FEED_MAX_BATCHES;
    feed->count--;
    drop_batch(oldest);
}

static void ring_restart(struct feed *feed, int64_t newest)
{
    while (feed->count)
        ring_drop_oldest(feed);
    feed->newest = newest;
    feed->base = newest + 1;
}

static void ring_add(struct feed *feed, struct batch *batch)
{
    int64_t first = batch->rows[0].number;
    if (first != feed->newest + 1)
        ring_restart(feed, first - 1);
    while (feed->count == FEED_MAX_BATCHES ||
           (feed->count && (feed->events + batch->count > FEED_MAX_EVENTS ||
                            feed->bytes + bytes_of(batch) > FEED_MAX_BYTES)))
        ring_drop_oldest(feed);
    feed->ring[(feed->first + feed->count++) % FEED_MAX_BATCHES] = batch;
    feed->events += batch->count;
    feed->bytes += bytes_of(batch);
    feed->newest = batch->rows[batch->count - 1].number;
}

/* The oldest batch with a number behind `after`, which is not before the ring and not its end. */
static struct batch *ring_find(const struct feed *feed, int64_t after)
{
    size_t low = 0, high = feed->count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct batch *batch = ring_at(feed, middle);
        if (batch->rows[batch->count - 1].number > after)
            high = middle;
        else
            low = middle + 1;
    }
    return ring_at(feed, low);
}

void feed_free(struct feed *feed)
{
    if (!feed)
        return;
    assert(!feed->watch_count);
    ring_restart(feed, 0);
    uuid_map_release(&feed->by_run);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

/* ---- publishing ---- */

static void wake_list(const struct list *watchers)
{
    LIST_EACH (watchers, node) {
        struct http_request *request = LIST_ITEM(node, struct api_watch, node)->request;
        request->wake(request);
    }
}

static void wake_for(struct feed *feed, const struct batch *batch)
{
    const struct run_watchers *before = NULL;
    for (size_t i = 0; i < batch->count && feed->by_run.count; i++) {
        const struct run_watchers *of_run = uuid_map_get(&feed->by_run, &batch->rows[i].run);
        if (of_run && of_run != before)
            wake_list(&of_run->watchers);
        before = of_run;
    }
    wake_list(&feed->of_all_runs);
}

void feed_publish(struct feed *feed, const struct row_batch *rows, int64_t newest)
{
    pthread_mutex_lock(&feed->lock);
    bool is_watched = feed->watch_count > 0;
    /* Who begins to watch after this has a snapshot with all of it. */
    if (!is_watched && newest != feed->newest)
        ring_restart(feed, newest);
    pthread_mutex_unlock(&feed->lock);
    struct batch *batch = is_watched ? new_batch(rows) : NULL;
    if (!batch)
        return;
    pthread_mutex_lock(&feed->lock);
    ring_add(feed, batch);
    wake_for(feed, batch);
    pthread_mutex_unlock(&feed->lock);
}

void feed_reset(struct feed *feed, int64_t newest)
{
    size_t cursor = 0;
    const struct run_watchers *of_run;
    pthread_mutex_lock(&feed->lock);
    ring_restart(feed, newest);
    while ((of_run = uuid_map_next(&feed->by_run, &cursor)))
        wake_list(&of_run->watchers);
    wake_list(&feed->of_all_runs);
    pthread_mutex_unlock(&feed->lock);
}

/* ---- watching ---- */

void feed_watch(struct feed *feed, struct api_watch *watch)
{
    pthread_mutex_lock(&feed->lock);
    struct list *watchers = &feed->of_all_runs;
    if (!uuid_is_nil(&watch->run)) {
        struct run_watchers *of_run = uuid_map_get(&feed->by_run, &watch->run);
        if (!of_run) {
            of_run = xcalloc(1, sizeof *of_run);
            of_run->run = watch->run;
            list_init(&of_run->watchers);
            uuid_map_put(&feed->by_run, &of_run->run, of_run);
        }
        watchers = &of_run->watchers;
    }
    list_append(watchers, &watch->node);
    feed->watch_count++;
    pthread_mutex_unlock(&feed->lock);
}

void feed_unwatch(struct feed *feed, struct api_watch *watch)
{
    pthread_mutex_lock(&feed->lock);
    list_remove(&watch->node);
    feed->watch_count--;
    struct run_watchers *of_run = uuid_map_get(&feed->by_run, &watch->run);
    if (of_run && list_is_empty(&of_run->watchers)) {
        uuid_map_remove(&feed->by_run, &watch->run);
        free(of_run);
    }
    pthread_mutex_unlock(&feed->lock);
}

bool feed_take(struct feed *feed, int64_t after, struct api_events *ret)
{
    *ret = (struct api_events){0};
    pthread_mutex_lock(&feed->lock);
    bool covered = after + 1 >= feed->base;
    if (covered && after < feed->newest) {
        struct batch *batch = ring_find(feed, after);
        atomic_fetch_add(&batch->references, 1);
        *ret = (struct api_events){batch->rows, batch->count, batch};
    }
    pthread_mutex_unlock(&feed->lock);
    return covered;
}

void feed_drop(struct api_events *events)
{
    if (events->held)
        drop_batch(events->held);
    *events = (struct api_events){0};
}
