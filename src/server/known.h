/*
 * Where users have signed in from with their password: by user and network (auth/network.h), hashed.
 *
 * KNOWN_PAIRS at most; the one that was seen longest ago makes room for one more of its row. Kept in the
 * store as one setting of the installation, which is written when a pair is new or was last written
 * a day ago: not with every sign-in. Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum { KNOWN_PAIRS = 1024 };

struct known;

/* Reads what an earlier server has kept; what cannot be read is forgotten. */
struct known *known_new(struct store *store);
void known_free(struct known *known);

/* `now_ms`: wall clock. Not what was seen more than 90 days ago: an address is another's by then. */
bool known_has(struct known *known, const char *user, const char *network, int64_t now_ms);
void known_add(struct known *known, const char *user, const char *network, int64_t now_ms);
