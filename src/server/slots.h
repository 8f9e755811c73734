/*
 * Execution slots, which all workspaces of a server share (RULES §4, exec.max_running).
 *
 * Each pump has a place here, in which it says after each batch how many slots it holds and whether tasks of
 * its wait for one; before each batch it asks how many are not for it. Who waits and has started nothing for longer
 * comes first, for one slot each: so a workspace that has much to do does not keep the others out, and one slot goes round.
 * Nothing is counted twice or kept: what a pump holds is what its engine says.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct slots {
    pthread_mutex_t lock; /* pumps are made on any thread */
    struct list places;
    int64_t max;      /* 0: no limit */
    uint64_t started; /* counts the batches that started something */
};

struct slot_place {
    struct list node;
    int64_t held;
    bool is_waiting;
    uint64_t last_start; /* 0: never */
};

void slots_init(struct slots *slots, int64_t max);
void slots_release(struct slots *slots);

void slots_join(struct slots *slots, struct slot_place *place);
/* Harmless for one that is zeroed. */
void slots_leave(struct slots *slots, struct slot_place *place);

/* How many others hold, or are first in line for. */
int64_t slots_elsewhere(struct slots *slots, const struct slot_place *place);
/* After a batch. `has_started`: something, in this batch. */
void slots_tell(struct slots *slots, struct slot_place *place, int64_t held, bool is_waiting,
                bool has_started);
