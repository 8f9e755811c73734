#include "api/printed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
    struct uuid key;
    int64_t version;
    int64_t event;
    struct list used; /* in printed->used, least recently used first */
    size_t len;
    char text[];
};

struct printed {
    pthread_mutex_t lock;
    struct uuid_map entries;
    struct list used;
    size_t bytes;
    size_t max_bytes;
};

struct printed *printed_new(size_t max_bytes)
{
    struct printed *cache = xcalloc(1, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    uuid_map_init(&cache->entries);
    list_init(&cache->used);
    cache->max_bytes = max_bytes;
    return cache;
}

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof *entry + entry->len;
}

static void drop(struct printed *cache, struct entry *entry)
{
    uuid_map_remove(&cache->entries, &entry->key);
    list_remove(&entry->used);
    cache->bytes -= entry_bytes(entry);
    free(entry);
}

void printed_free(struct printed *cache)
{
    if (!cache)
        return;
    LIST_EACH_SAFE (&cache->used, node)
        drop(cache, LIST_ITEM(node, struct entry, used));
    uuid_map_release(&cache->entries);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

bool printed_get(struct printed *cache, const struct uuid *key, int64_t version, int64_t event,
                 struct buf *out)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = uuid_map_get(&cache->entries, key);
    bool hit = entry && entry->version == version && entry->event == event;
    if (hit) {
        list_remove(&entry->used);
        list_append(&cache->used, &entry->used);
        buf_add(out, entry->text, entry->len);
    }
    pthread_mutex_unlock(&cache->lock);
    return hit;
}

void printed_put(struct printed *cache, const struct uuid *key, int64_t version, int64_t event,
                 const char *text, size_t len)
{
    if (len > cache->max_bytes / 8)
        return;
    struct entry *entry = xmalloc(sizeof *entry + len);
    *entry = (struct entry){.key = *key, .version = version, .event = event, .len = len};
    memcpy(entry->text, text, len);
    pthread_mutex_lock(&cache->lock);
    struct entry *old = uuid_map_get(&cache->entries, key);
    if (old)
        drop(cache, old);
    uuid_map_put(&cache->entries, &entry->key, entry);
    list_append(&cache->used, &entry->used);
    cache->bytes += entry_bytes(entry);
    while (cache->bytes > cache->max_bytes)
        drop(cache, LIST_ITEM(cache->used.next, struct entry, used));
    pthread_mutex_unlock(&cache->lock);
}
