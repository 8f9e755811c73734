#include "server/known.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

enum { ROW = 8, PAIR_TEXT = 512, LINE_TEXT = 48 };
static const char setting[] = "knownNetworks";
static const int64_t written_again_ms = INT64_C(24) * 3600 * 1000;
static const int64_t forgotten_ms = INT64_C(90) * 24 * 3600 * 1000;

struct pair {
    uint64_t hash; /* 0: free */
    int64_t seen_ms;
    int64_t written_ms; /* `seen_ms` as the store has it */
};

struct known {
    struct store *store;
    pthread_mutex_t writing; /* held over a write: what was printed last is written last */
    pthread_mutex_t lock;    /* over what follows; taken inside `writing` */
    uint64_t seed;
    struct pair pairs[KNOWN_PAIRS];
};

/* ---- the setting: the seed on a line, then one for each pair with its time, in hex ---- */

static struct pair *place_of(struct known *known, uint64_t hash)
{
    struct pair *row = known->pairs + (hash >> 1) % (KNOWN_PAIRS / ROW) * ROW;
    struct pair *place = row;
    for (size_t i = 0; i < ROW; i++) {
        if (row[i].hash == hash)
            return &row[i];
        if (row[i].seen_ms < place->seen_ms)
            place = &row[i];
    }
    return place;
}

static void read_pairs(struct known *known, char *text)
{
    char *at = text;
    known->seed = strtoull(at, &at, 16);
    while (*at == '\n') {
        char *begin = at, *behind;
        uint64_t hash = strtoull(begin, &behind, 16);
        int64_t seen_ms = (int64_t)strtoull(behind, &at, 16);
        if (behind == begin || at == behind)
            return; /* damaged: what follows is not known, and learned again */
        if (hash && seen_ms > 0)
            *place_of(known, hash) = (struct pair){hash, seen_ms, seen_ms};
    }
}

static void print_pairs(struct known *known, struct buf *out)
{
    buf_printf(out, "%016" PRIx64, known->seed);
    for (size_t i = 0; i < KNOWN_PAIRS; i++) {
        struct pair *pair = &known->pairs[i];
        if (!pair->hash)
            continue;
        buf_printf(out, "\n%016" PRIx64 " %" PRIx64, pair->hash, (uint64_t)pair->seen_ms);
        pair->written_ms = pair->seen_ms;
    }
}

/* That it failed was logged: what is known is known until the end of this server then. */
static void keep(struct known *known)
{
    struct buf text;
    buf_init(&text, (KNOWN_PAIRS + 1) * LINE_TEXT);
    pthread_mutex_lock(&known->writing);
    pthread_mutex_lock(&known->lock);
    print_pairs(known, &text);
    pthread_mutex_unlock(&known->lock);
    store_meta_set(known->store, setting, text.data);
    pthread_mutex_unlock(&known->writing);
    buf_release(&text);
}

struct known *known_new(struct store *store)
{
    struct arena arena;
    struct known *known = xcalloc(1, sizeof *known);
    known->store = store;
    pthread_mutex_init(&known->writing, NULL);
    pthread_mutex_init(&known->lock, NULL);
    if (getrandom(&known->seed, sizeof known->seed, 0) != (ssize_t)sizeof known->seed)
        abort(); /* 8 bytes, and after boot: it cannot fail */
    arena_init(&arena);
    char *text; /* what cannot be read is not known: that costs some users a wait */
    if (store_meta_get(store, setting, &arena, &text) && text)
        read_pairs(known, text);
    arena_release(&arena);
    return known;
}

void known_free(struct known *known)
{
    if (!known)
        return;
    pthread_mutex_destroy(&known->lock);
    pthread_mutex_destroy(&known->writing);
    free(known);
}

static uint64_t hash_of(const struct known *known, const char *user, const char *network)
{
    char text[PAIR_TEXT];
    snprintf(text, sizeof text, "%s from %s", user, network);
    return mix64(str_hash(text) ^ known->seed) | 1;
}

bool known_has(struct known *known, const char *user, const char *network, int64_t now_ms)
{
    uint64_t hash = hash_of(known, user, network);
    pthread_mutex_lock(&known->lock);
    const struct pair *place = place_of(known, hash);
    bool has = place->hash == hash && now_ms - place->seen_ms <= forgotten_ms;
    pthread_mutex_unlock(&known->lock);
    return has;
}

void known_add(struct known *known, const char *user, const char *network, int64_t now_ms)
{
    uint64_t hash = hash_of(known, user, network);
    pthread_mutex_lock(&known->lock);
    struct pair *place = place_of(known, hash);
    if (place->hash != hash)
        *place = (struct pair){.hash = hash};
    place->seen_ms = now_ms;
    bool is_due = now_ms - place->written_ms >= written_again_ms;
    pthread_mutex_unlock(&known->lock);
    if (is_due)
        keep(known);
}
