/*
 * Hash maps: one from UUIDs and one from strings, to pointers that the owner keeps alive.
 *
 * Open addressing with linear probing; memory is linear in the number of entries. Order of
 * iteration is not defined, so nothing that must be reproducible may depend on it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct uuid_map_slot {
    struct uuid key;
    void *value; /* NULL: empty */
};

struct uuid_map {
    struct uuid_map_slot *slots;
    size_t cap; /* a power of two, or 0 */
    size_t count;
};

void uuid_map_init(struct uuid_map *map);
void uuid_map_release(struct uuid_map *map);
void *uuid_map_get(const struct uuid_map *map, const struct uuid *key);
/* `value` is not NULL; an entry with that key is replaced. */
void uuid_map_put(struct uuid_map *map, const struct uuid *key, void *value);
/* Returns what was removed, or NULL. */
void *uuid_map_remove(struct uuid_map *map, const struct uuid *key);
/* Iteration: start with *cursor = 0; NULL at the end. Do not change the map meanwhile. */
void *uuid_map_next(const struct uuid_map *map, size_t *cursor);

struct str_map_slot {
    const char *key;
    uint64_t hash;
    void *value;
};

/* Keys are not copied: they live as long as their entry. */
struct str_map {
    struct str_map_slot *slots;
    size_t cap;
    size_t count;
};

void str_map_init(struct str_map *map);
void str_map_release(struct str_map *map);
void *str_map_get(const struct str_map *map, const char *key);
/* Returns the value that the key had already (and leaves it), or NULL after inserting. */
void *str_map_add(struct str_map *map, const char *key, void *value);
uint64_t str_hash(const char *text);
