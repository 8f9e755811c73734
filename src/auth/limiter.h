/*
 * Rate limits by key: a token bucket for each address or principal, in a table of fixed size.
 *
 * A key may take `burst` at once and then `per_minute`. The table holds LIMITER_KEYS keys; when it
 * is full, the key of its row that owes least is forgotten, so that a flood of new keys cannot
 * forgive those that are being held off. Time comes from the caller (ms, any clock that does not go
 * back). Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIMITER_KEYS = 4096, LIMITER_ROW = 8 };

struct limiter_slot {
    uint64_t key;    /* hash; 0: free */
    int64_t full_ns; /* when its bucket will be full again */
};

struct limiter {
    int64_t each_ns; /* per unit: of some thousands a second each takes a part of a ms */
    int64_t most_ns; /* that may be owed by one who takes another */
    uint64_t seed;
    struct limiter_slot *slots;
};

/* `seed` keeps strangers from choosing keys that collide. */
void limiter_init(struct limiter *limiter, double per_minute, double burst, uint64_t seed);
void limiter_release(struct limiter *limiter);

/* How many ms until this key may take one more; 0: now. Changes nothing. */
int64_t limiter_wait_ms(const struct limiter *limiter, const char *key, int64_t now_ms);
/* Takes one. 0, or how many ms it is too early (then nothing was taken). */
int64_t limiter_take(struct limiter *limiter, const char *key, int64_t now_ms);
