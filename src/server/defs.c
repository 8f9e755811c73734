#include "server/defs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"

/* Whichever comes first: many small definitions, or few large ones. */
enum { DEFS_KEPT = 2048, DEFS_MAX_BYTES = 128 << 20 };

/* The map's key is mixed from all three parts; the parts themselves are compared on a hit. */
struct entry {
    struct uuid map_key;
    int64_t workspace;
    struct uuid job;
    int64_t version;
    struct job_def *def;
    size_t bytes;
    struct list used; /* in defs->used, least recently used first */
};

struct defs {
    pthread_mutex_t lock;
    struct uuid_map map;
    struct list used;
    size_t bytes;
};

struct defs *defs_new(void)
{
    struct defs *defs = xcalloc(1, sizeof *defs);
    pthread_mutex_init(&defs->lock, NULL);
    uuid_map_init(&defs->map);
    list_init(&defs->used);
    return defs;
}

static void entry_free(struct defs *defs, struct entry *entry)
{
    uuid_map_remove(&defs->map, &entry->map_key);
    list_remove(&entry->used);
    defs->bytes -= entry->bytes;
    job_def_unref(entry->def);
    free(entry);
}

void defs_free(struct defs *defs)
{
    if (!defs)
        return;
    LIST_EACH_SAFE (&defs->used, node)
        entry_free(defs, LIST_ITEM(node, struct entry, used));
    uuid_map_release(&defs->map);
    pthread_mutex_destroy(&defs->lock);
    free(defs);
}

static struct uuid map_key_of(int64_t workspace, const struct uuid *job, int64_t version)
{
    struct uuid key = *job;
    for (int i = 0; i < 8; i++) {
        key.bytes[i] ^= (uint8_t)((uint64_t)version >> (8 * i));
        key.bytes[8 + i] ^= (uint8_t)((uint64_t)workspace >> (8 * i));
    }
    return key;
}

static struct job_def *lookup(struct defs *defs, const struct uuid *map_key, int64_t workspace,
                              const struct uuid *job, int64_t version)
{
    struct entry *entry = uuid_map_get(&defs->map, map_key);
    if (!entry || entry->workspace != workspace || entry->version != version ||
        !uuid_equal(&entry->job, job))
        return NULL;
    list_remove(&entry->used);
    list_append(&defs->used, &entry->used);
    return job_def_ref(entry->def);
}

static void remember(struct defs *defs, const struct uuid *map_key, int64_t workspace,
                     const struct uuid *job, int64_t version, struct job_def *def)
{
    if (uuid_map_get(&defs->map, map_key))
        return; /* another thread was faster, or a rare clash: not worth more */
    size_t bytes = sizeof(struct entry) + def->arena.used;
    while (!list_is_empty(&defs->used) &&
           (defs->map.count >= DEFS_KEPT || defs->bytes + bytes > DEFS_MAX_BYTES))
        entry_free(defs, LIST_ITEM(defs->used.next, struct entry, used));
    struct entry *entry = xcalloc(1, sizeof *entry);
    *entry = (struct entry){.map_key = *map_key,
                            .workspace = workspace,
                            .job = *job,
                            .version = version,
                            .bytes = bytes,
                            .def = job_def_ref(def)};
    defs->bytes += bytes;
    uuid_map_put(&defs->map, map_key, entry);
    list_append(&defs->used, &entry->used);
}

struct job_def *defs_get(struct defs *defs, struct store_reader *reader, int64_t workspace,
                         const struct uuid *job, int64_t version)
{
    struct uuid map_key = map_key_of(workspace, job, version);
    pthread_mutex_lock(&defs->lock);
    struct job_def *def = lookup(defs, &map_key, workspace, job, version);
    pthread_mutex_unlock(&defs->lock);
    if (def || !reader)
        return def;

    struct arena arena;
    struct job_version_row row;
    struct err err;
    arena_init(&arena);
    if (store_get_job_version(reader, workspace, job, version, &arena, &row)) {
        if (job_def_load(row.definition, row.version, &def, &err)) {
            log_event(LOG_ERROR, "stored definition is unreadable",
                      LOG_TEXT("problem", err.message), LOG_NUMBER("version", version));
            def = NULL;
        }
    }
    arena_release(&arena);
    if (!def)
        return NULL;
    pthread_mutex_lock(&defs->lock);
    remember(defs, &map_key, workspace, job, version, def);
    pthread_mutex_unlock(&defs->lock);
    return def;
}
