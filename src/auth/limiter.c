#include "auth/limiter.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

static const int64_t ns_per_minute = INT64_C(60000000000), ns_per_ms = 1000000;

void limiter_init(struct limiter *limiter, double per_minute, double burst, uint64_t seed)
{
    double exact_ns = (double)ns_per_minute / per_minute;
    int64_t each_ns = exact_ns < 1 ? 1 : llround(exact_ns);
    *limiter = (struct limiter){
        .each_ns = each_ns,
        .most_ns = llround((burst - 1) * (double)each_ns),
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

static int64_t wait_of(const struct limiter *limiter, int64_t full_ns, int64_t now_ms)
{
    /* Units that are missing from the bucket, of which at most burst - 1 may be. */
    int64_t early_ns = full_ns - now_ms * ns_per_ms - limiter->most_ns;
    return early_ns > 0 ? (early_ns + ns_per_ms - 1) / ns_per_ms : 0;
}

int64_t limiter_wait_ms(const struct limiter *limiter, const char *key, int64_t now_ms)
{
    uint64_t hash = hash_of(limiter, key);
    const struct limiter_slot *row = row_of(limiter, hash);
    for (size_t i = 0; i < LIMITER_ROW; i++)
        if (row[i].key == hash)
            return wait_of(limiter, row[i].full_ns, now_ms);
    return 0;
}

int64_t limiter_take(struct limiter *limiter, const char *key, int64_t now_ms)
{
    uint64_t hash = hash_of(limiter, key);
    struct limiter_slot *row = row_of(limiter, hash);
    struct limiter_slot *slot = NULL;
    int64_t now_ns = now_ms * ns_per_ms;
    for (size_t i = 0; i < LIMITER_ROW && !slot; i++)
        if (row[i].key == hash)
            slot = &row[i];
    if (!slot) {
        slot = row;
        for (size_t i = 1; i < LIMITER_ROW; i++)
            if (row[i].full_ns < slot->full_ns)
                slot = &row[i];
        *slot = (struct limiter_slot){hash, now_ns};
    }
    int64_t wait_ms = wait_of(limiter, slot->full_ns, now_ms);
    if (wait_ms)
        return wait_ms;
    slot->full_ns = (slot->full_ns > now_ns ? slot->full_ns : now_ns) + limiter->each_ns;
    return 0;
}
