/*
 * Cache of parsed definitions, by (workspace, job, version). A definition never changes, so what is
 * in the cache is right for ever; it is bounded and thread safe.
 */
#pragma once

#include <stdint.h>

#include "model/def.h"
#include "store/store.h"

struct defs;

struct defs *defs_new(void);
void defs_free(struct defs *defs);
/* The definition with one reference for the caller, read through `reader` when it is not cached;
 * NULL when there is no such version, or there is no reader. Any thread. */
struct job_def *defs_get(struct defs *defs, struct store_reader *reader, int64_t workspace,
                         const struct uuid *job, int64_t version);
