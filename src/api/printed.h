/*
 * Cache of printed answers: what was printed once for a resource that did not change since.
 *
 * Keyed by the resource and two stamps (its version and its newest event), so an entry is never
 * wrong, only useless; bounded in bytes, the least recently used go first. Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

struct printed;

struct printed *printed_new(size_t max_bytes);
void printed_free(struct printed *cache);

/* Appends the text to `out` when it is there under these stamps. */
bool printed_get(struct printed *cache, const struct uuid *key, int64_t version, int64_t event,
                 struct buf *out);
/* Keeps a copy; a text over an eighth of the cache is not kept. */
void printed_put(struct printed *cache, const struct uuid *key, int64_t version, int64_t event,
                 const char *text, size_t len);
