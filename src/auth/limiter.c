#include "auth/limiter.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

void limiter_init(struct limiter *limiter, double per_minute, double burst, uint64_t seed)
{
    *limiter = (struct limiter){
        .ms_each = 60000.0 / per_minute,
        .burst = burst,
        .seed = seed,
        .slots = xcalloc(LIMITER_KEYS, sizeof *limiter->slots),
    };
}

void limiter_release(struct limiter *limiter)
{
    free(limiter->slots);
    limiter->slots = NULL;
}

static uint64_t hash_of(const struct limiter *limiter, const char *key)
{
    uint64_t hash = mix64(str_hash(key) ^ limiter->seed);
    return hash ? hash : 1;
}

static struct limiter_slot *row_of(const struct limiter *limiter, uint64_t hash)
{
    return limiter->slots + hash % (LIMITER_KEYS / LIMITER_ROW) * LIMITER_ROW;
}

static int64_t wait_of(const struct limiter *limiter, int64_t full_ms, int64_t now_ms)
{
    /* Units that are missing from the bucket, of which at most burst - 1 may be. */
    double owed_ms = full_ms > now_ms ? (double)(full_ms - now_ms) : 0;
    double allowed_ms = (limiter->burst - 1) * limiter->ms_each;
    return owed_ms > allowed_ms ? (int64_t)ceil(owed_ms - allowed_ms) : 0;
}

int64_t limiter_wait_ms(const struct limiter *limiter, const char *key, int64_t now_ms)
{
    uint64_t hash = hash_of(limiter, key);
    const struct limiter_slot *row = row_of(limiter, hash);
    for (size_t i = 0; i < LIMITER_ROW; i++)
        if (row[i].key == hash)
            return wait_of(limiter, row[i].full_ms, now_ms);
    return 0;
}

int64_t limiter_take(struct limiter *limiter, const char *key, int64_t now_ms)
{
    uint64_t hash = hash_of(limiter, key);
    struct limiter_slot *row = row_of(limiter, hash);
    struct limiter_slot *slot = NULL;
    for (size_t i = 0; i < LIMITER_ROW && !slot; i++)
        if (row[i].key == hash)
            slot = &row[i];
    if (!slot) {
        slot = row;
        for (size_t i = 1; i < LIMITER_ROW; i++)
            if (row[i].full_ms < slot->full_ms)
                slot = &row[i];
        *slot = (struct limiter_slot){hash, now_ms};
    }
    int64_t wait_ms = wait_of(limiter, slot->full_ms, now_ms);
    if (wait_ms)
        return wait_ms;
    int64_t from_ms = slot->full_ms > now_ms ? slot->full_ms : now_ms;
    slot->full_ms = from_ms + (int64_t)ceil(limiter->ms_each);
    return 0;
}
