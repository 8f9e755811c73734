#include "server/guard.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth/base64url.h"
#include "auth/digest.h"
#include "auth/limiter.h"
#include "auth/network.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "server/clock.h"
#include "server/known.h"

enum { CODE_BYTES = 20, CODES_OF_ONE = 4, PRUNE_EVERY = 100, PRUNE_AT_ONCE = 1000 };

struct code {
    uint8_t hash[SHA256_BYTES];
    int64_t expires_ms; /* 0: free */
    struct api_account account;
};

struct guard {
    struct store *store;
    int64_t audit_ms;
    bool limits_requests;
    struct known *known;
    pthread_mutex_t lock; /* over all that follows */
    struct limiter failures;
    struct limiter passwords; /* by network */
    struct limiter names;     /* wrong passwords by user */
    struct limiter audit;
    struct limiter requests;
    struct code codes[GUARD_CODES];
    struct uuid_source keys;
    int64_t suppressed; /* refusals since the last that was written down */
    int64_t written;
};

struct guard *guard_new(struct store *store, int64_t requests_per_s, int64_t audit_days)
{
    uint64_t seed[2];
    struct guard *guard = xcalloc(1, sizeof *guard);
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort();
    guard->store = store;
    guard->audit_ms = audit_days * 24 * 3600 * 1000;
    guard->limits_requests = requests_per_s > 0;
    pthread_mutex_init(&guard->lock, NULL);
    limiter_init(&guard->failures, GUARD_FAILURES_PER_MINUTE, GUARD_FAILURES_BURST, seed[0]);
    limiter_init(&guard->passwords, GUARD_PASSWORDS_PER_MINUTE, GUARD_PASSWORDS_BURST, seed[0]);
    limiter_init(&guard->names, GUARD_NAME_PER_MINUTE, GUARD_NAME_BURST, seed[0]);
    guard->known = known_new(store);
    limiter_init(&guard->audit, GUARD_AUDIT_PER_MINUTE, GUARD_AUDIT_BURST, seed[0]);
    if (guard->limits_requests)
        limiter_init(&guard->requests, (double)requests_per_s * 60, (double)requests_per_s * 2,
                     seed[0]);
    uuid_source_init(&guard->keys, 0, seed[1]);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    known_free(guard->known);
    limiter_release(&guard->failures);
    limiter_release(&guard->passwords);
    limiter_release(&guard->names);
    limiter_release(&guard->audit);
    if (guard->limits_requests)
        limiter_release(&guard->requests);
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

struct uuid guard_new_key(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    struct uuid key = uuid_next(&guard->keys, clock_wall_ms());
    pthread_mutex_unlock(&guard->lock);
    return key;
}

/* ---- what was refused ---- */

/* Tokens that are out of date are everyday; whoever signs, or knows a name, is worth a line. */
static bool is_recorded(const struct api_refused *refused)
{
    return strcmp(refused->scheme, "Bearer") != 0 && strcmp(refused->scheme, "session") != 0;
}

static void record(struct guard *guard, const struct api_refused *refused, int64_t suppressed)
{
    enum { DETAIL_MAX = 700, CLAIMED_MAX = 512 };
    char detail[DETAIL_MAX];
    char claimed[CLAIMED_MAX + 1] = "";
    if (suppressed)
        snprintf(detail, sizeof detail, "%s (and %lld more refusals before it)", refused->why,
                 (long long)suppressed);
    else
        snprintf(detail, sizeof detail, "%s", refused->why);
    if (refused->claimed)
        snprintf(claimed, sizeof claimed, "%s", refused->claimed);
    const struct uuid key = guard_new_key(guard);
    const struct audit_row row = {
        .key = key,
        .time_ms = uuid_time_ms(&key),
        .outcome = AUDIT_REFUSED,
        .action = refused->scheme,
        .target = refused->claimed ? claimed : NULL,
        .request_id = refused->request_id,
        .address = refused->address,
        .detail = detail,
    };
    struct row_batch rows;
    row_batch_init(&rows);
    row_batch_add(&rows, ROW_AUDIT, ROW_INSERT, &row);
    store_write_accounts(guard->store, &rows); /* that it failed was logged */
    row_batch_release(&rows);
    log_event(LOG_WARN, "credential refused", LOG_TEXT("scheme", refused->scheme),
              LOG_TEXT("claimed", claimed), LOG_TEXT("address", refused->address),
              LOG_TEXT("why", refused->why));
}

int64_t guard_refused(struct guard *guard, const struct api_refused *refused)
{
    int64_t now_ms = clock_boot_ms();
    int64_t suppressed = 0;
    bool writes = false;
    bool prunes = false;
    pthread_mutex_lock(&guard->lock);
    char network[NETWORK_TEXT];
    int64_t wait_ms = limiter_take(&guard->failures, network_of(refused->address, network), now_ms);
    if (is_recorded(refused)) {
        writes = limiter_take(&guard->audit, "", now_ms) == 0;
        if (writes) {
            suppressed = guard->suppressed;
            guard->suppressed = 0;
            prunes = guard->written++ % PRUNE_EVERY == 0;
        } else {
            guard->suppressed++;
        }
    }
    pthread_mutex_unlock(&guard->lock);
    if (writes)
        record(guard, refused, suppressed);
    if (prunes)
        store_prune_audit(guard->store, AUDIT_PRUNE_REFUSED, clock_wall_ms() - guard->audit_ms,
                          PRUNE_AT_ONCE);
    return wait_ms;
}

int64_t guard_admit(struct guard *guard, const struct api_account *account)
{
    if (!guard->limits_requests)
        return 0;
    pthread_mutex_lock(&guard->lock);
    int64_t wait_ms = limiter_take(&guard->requests, account->id, clock_boot_ms());
    pthread_mutex_unlock(&guard->lock);
    return wait_ms;
}

/* ---- passwords ---- */

int64_t guard_password_wait_ms(struct guard *guard, const char *name, const char *address)
{
    char network[NETWORK_TEXT];
    int64_t now_ms = clock_boot_ms();
    bool is_known = known_has(guard->known, name, network_of(address, network), clock_wall_ms());
    pthread_mutex_lock(&guard->lock);
    int64_t of_user = is_known ? 0 : limiter_wait_ms(&guard->names, name, now_ms);
    int64_t of_network = limiter_wait_ms(&guard->passwords, network, now_ms);
    pthread_mutex_unlock(&guard->lock);
    return of_user > of_network ? of_user : of_network;
}

void guard_password_failed(struct guard *guard, const char *name, const char *address)
{
    char network[NETWORK_TEXT];
    int64_t now_ms = clock_boot_ms();
    network_of(address, network);
    pthread_mutex_lock(&guard->lock);
    limiter_take(&guard->names, name, now_ms);
    limiter_take(&guard->passwords, network, now_ms);
    pthread_mutex_unlock(&guard->lock);
}

void guard_password_right(struct guard *guard, const char *name, const char *address)
{
    char network[NETWORK_TEXT];
    known_add(guard->known, name, network_of(address, network), clock_wall_ms());
}

/* ---- one-time codes ---- */

/* The key's name is the request's, which ends. What is begun with the code ends with the key. */
static bool note_key(struct api_account *account)
{
    int len = snprintf(account->parent_key, sizeof account->parent_key, "%s", account->key_id);
    account->parent_key_is_public = account->key_is_public;
    account->key_id = NULL;
    return len > 0 && (size_t)len < sizeof account->parent_key;
}

static struct code *earlier(struct code *a, struct code *b)
{
    return !a || b->expires_ms < a->expires_ms ? b : a;
}

/* Under the lock. Who has CODES_OF_ONE already takes the place of their own oldest: a user alone drives nobody else's
 * out. */
static struct code *place_of_code(struct guard *guard, const char *user_id)
{
    struct code *oldest = NULL, *oldest_own = NULL;
    int64_t now_ms = clock_wall_ms();
    int own = 0;
    for (size_t i = 0; i < GUARD_CODES; i++) {
        struct code *code = &guard->codes[i];
        oldest = earlier(oldest, code);
        if (code->expires_ms <= now_ms || strcmp(code->account.id, user_id) != 0)
            continue;
        oldest_own = earlier(oldest_own, code);
        own++;
    }
    return own >= CODES_OF_ONE ? oldest_own : oldest;
}

bool guard_make_code(struct guard *guard, const struct api_account *account,
                     char text[static API_CODE_TEXT], int64_t *ret_expires_ms)
{
    uint8_t bytes[CODE_BYTES];
    struct code code = {.expires_ms = clock_wall_ms() + GUARD_CODE_LIFE_MS, .account = *account};
    if (account->key_id && !note_key(&code.account))
        return false;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    base64url_encode(bytes, sizeof bytes, text);
    sha256(text, strlen(text), code.hash);
    pthread_mutex_lock(&guard->lock);
    *place_of_code(guard, account->id) = code;
    pthread_mutex_unlock(&guard->lock);
    *ret_expires_ms = code.expires_ms;
    return true;
}

/* Under the lock. NULL: there is no such code, or it is too old. */
static struct code *find_code(struct guard *guard, const char *code)
{
    uint8_t hash[SHA256_BYTES];
    sha256(code, strlen(code), hash);
    for (size_t i = 0; i < GUARD_CODES; i++)
        if (digest_equal(guard->codes[i].hash, hash, sizeof hash))
            return clock_wall_ms() < guard->codes[i].expires_ms ? &guard->codes[i] : NULL;
    return NULL;
}

bool guard_find_code(struct guard *guard, const char *code, struct api_account *ret)
{
    pthread_mutex_lock(&guard->lock);
    const struct code *found = find_code(guard, code);
    if (found)
        *ret = found->account;
    pthread_mutex_unlock(&guard->lock);
    return found != NULL;
}

bool guard_use_code(struct guard *guard, const char *code, struct api_account *ret)
{
    pthread_mutex_lock(&guard->lock);
    struct code *found = find_code(guard, code);
    if (found) {
        *ret = found->account;
        *found = (struct code){.expires_ms = 0};
    }
    pthread_mutex_unlock(&guard->lock);
    return found != NULL;
}
