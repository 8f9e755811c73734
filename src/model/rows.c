#include "model/rows.h"

#include <stdlib.h>

#include "base/mem.h"

const char *const event_type_names[EVENT_TYPE_COUNT] = {
    [EVENT_RUN_STATE] = "RUN_STATE", [EVENT_TASK_STATE] = "TASK_STATE", [EVENT_ATTEMPT] = "ATTEMPT",
    [EVENT_REPAIR] = "REPAIR",       [EVENT_SCHEDULE] = "SCHEDULE",     [EVENT_NOTE] = "NOTE",
};

static const size_t row_sizes[ROW_KIND_COUNT] = {
#define ROW_SIZE(kind, type) [kind] = sizeof(struct type),
    ROW_KINDS(ROW_SIZE)
#undef ROW_SIZE
};

void row_batch_init(struct row_batch *batch)
{
    *batch = (struct row_batch){0};
}

void row_batch_release(struct row_batch *batch)
{
    free(batch->items);
    row_batch_init(batch);
}

void row_batch_clear(struct row_batch *batch)
{
    batch->count = 0;
}

void row_batch_add(struct row_batch *batch, enum row_kind kind, enum row_action action,
                   const void *row)
{
    GROW(batch->items, batch->count, batch->cap);
    batch->items[batch->count++] = (struct row_change){kind, action, row};
}

void row_batch_add_copy(struct row_batch *batch, struct arena *arena, enum row_kind kind,
                        enum row_action action, const void *row)
{
    row_batch_add(batch, kind, action, arena_memdup(arena, row, row_sizes[kind]));
}

struct uuid cluster_local_key(const struct uuid *workspace)
{
    static const uint8_t mark[] = {'l', 'o', 'c', 'a', 'l'};
    struct uuid key = *workspace;
    for (size_t i = 0; i < sizeof mark; i++)
        key.bytes[sizeof key.bytes - sizeof mark + i] ^= mark[i];
    return key;
}
