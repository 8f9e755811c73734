/*
 * The guard: what keeps strangers from trying. Failed logins by address and by user name, requests by
 * user, one-time codes, and what of all that goes into the audit. In memory (but for the networks that users
 * have signed in from, server/known.h), bounded, thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/backend.h"
#include "store/store.h"

struct guard;

enum {
    GUARD_FAILURES_BURST = 20, /* refused credentials of one address before they are told to wait */
    GUARD_FAILURES_PER_MINUTE = 10,
    GUARD_PASSWORDS_BURST = 5, /* wrong passwords from one network */
    GUARD_PASSWORDS_PER_MINUTE = 5,
    GUARD_NAME_BURST = 50, /* wrong passwords for one user, from anywhere */
    GUARD_NAME_PER_MINUTE = 10,
    GUARD_AUDIT_BURST = 100, /* refusals that are written down; the rest is counted */
    GUARD_AUDIT_PER_MINUTE = 12,
    GUARD_CODES = 16, /* one-time codes that wait to be used */
    GUARD_CODE_LIFE_MS = 15 * 60 * 1000,
};

/* `requests_per_s` 0: no limit. */
struct guard *guard_new(struct store *store, int64_t requests_per_s, int64_t audit_days);
void guard_free(struct guard *guard);

/* Counts a refused credential and writes it down. ms until this address is answered in detail
 * again; 0: now. */
int64_t guard_refused(struct guard *guard, const struct api_refused *refused);
/* ms until a request of this user may be answered; 0: now, and it was counted. */
int64_t guard_admit(struct guard *guard, const struct api_account *account);
/* ms until a password may be tried for this user from this address; 0: now. Wrong ones of others hold off
 * nobody who has signed in from here before. Addresses count by their network (auth/network.h). */
int64_t guard_password_wait_ms(struct guard *guard, const char *name, const char *address);
/* A password was wrong, or right. */
void guard_password_failed(struct guard *guard, const char *name, const char *address);
void guard_password_right(struct guard *guard, const char *name, const char *address);

/* A code for one sign-in; the oldest makes room. False without randomness. */
bool guard_make_code(struct guard *guard, const struct api_account *account,
                     char text[static API_CODE_TEXT], int64_t *ret_expires_ms);
/* Whom the code is for; it stays good. */
bool guard_find_code(struct guard *guard, const char *code, struct api_account *ret);
/* Takes the code: it is good once. */
bool guard_use_code(struct guard *guard, const char *code, struct api_account *ret);

/* A key for a row of the audit. */
struct uuid guard_new_key(struct guard *guard);
