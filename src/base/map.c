#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SMALLEST = 16 };

/* ---- keyed by UUID ---- */

void uuid_map_init(struct uuid_map *map)
{
    *map = (struct uuid_map){0};
}

void uuid_map_release(struct uuid_map *map)
{
    free(map->slots);
    uuid_map_init(map);
}

/* The slot that holds `key`, or the empty one where it belongs. */
static struct uuid_map_slot *uuid_map_slot(const struct uuid_map *map, const struct uuid *key)
{
    size_t i = uuid_hash(key) & (map->cap - 1);
    while (map->slots[i].value && !uuid_equal(&map->slots[i].key, key))
        i = (i + 1) & (map->cap - 1);
    return &map->slots[i];
}

void *uuid_map_get(const struct uuid_map *map, const struct uuid *key)
{
    return map->cap ? uuid_map_slot(map, key)->value : NULL;
}

static void uuid_map_grow(struct uuid_map *map)
{
    struct uuid_map old = *map;
    map->cap = old.cap ? old.cap * 2 : SMALLEST;
    map->slots = xcalloc(map->cap, sizeof *map->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *uuid_map_slot(map, &old.slots[i].key) = old.slots[i];
    free(old.slots);
}

void uuid_map_put(struct uuid_map *map, const struct uuid *key, void *value)
{
    if (map->count * 4 >= map->cap * 3)
        uuid_map_grow(map);
    struct uuid_map_slot *slot = uuid_map_slot(map, key);
    if (!slot->value)
        map->count++;
    *slot = (struct uuid_map_slot){.key = *key, .value = value};
}

void *uuid_map_remove(struct uuid_map *map, const struct uuid *key)
{
    if (!map->cap)
        return NULL;
    struct uuid_map_slot *slot = uuid_map_slot(map, key);
    void *value = slot->value;
    if (!value)
        return NULL;
    slot->value = NULL;
    map->count--;
    /* Entries behind the hole that probed past it are put in again: no tombstones. */
    size_t mask = map->cap - 1;
    for (size_t i = ((size_t)(slot - map->slots) + 1) & mask; map->slots[i].value;
         i = (i + 1) & mask) {
        struct uuid_map_slot moved = map->slots[i];
        map->slots[i].value = NULL;
        *uuid_map_slot(map, &moved.key) = moved;
    }
    return value;
}

void *uuid_map_next(const struct uuid_map *map, size_t *cursor)
{
    while (*cursor < map->cap) {
        void *value = map->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}

/* ---- keyed by string ---- */

uint64_t str_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3U;
    return mix64(hash);
}

void str_map_init(struct str_map *map)
{
    *map = (struct str_map){0};
}

void str_map_release(struct str_map *map)
{
    free(map->slots);
    str_map_init(map);
}

static struct str_map_slot *str_map_slot(const struct str_map *map, const char *key, uint64_t hash)
{
    size_t i = hash & (map->cap - 1);
    while (map->slots[i].value &&
           (map->slots[i].hash != hash || strcmp(map->slots[i].key, key) != 0))
        i = (i + 1) & (map->cap - 1);
    return &map->slots[i];
}

void *str_map_get(const struct str_map *map, const char *key)
{
    return map->cap ? str_map_slot(map, key, str_hash(key))->value : NULL;
}

static void str_map_grow(struct str_map *map)
{
    struct str_map old = *map;
    map->cap = old.cap ? old.cap * 2 : SMALLEST;
    map->slots = xcalloc(map->cap, sizeof *map->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            *str_map_slot(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void *str_map_add(struct str_map *map, const char *key, void *value)
{
    if (map->count * 4 >= map->cap * 3)
        str_map_grow(map);
    uint64_t hash = str_hash(key);
    struct str_map_slot *slot = str_map_slot(map, key, hash);
    if (slot->value)
        return slot->value;
    map->count++;
    *slot = (struct str_map_slot){.key = key, .hash = hash, .value = value};
    return NULL;
}
