/* The time zone of this machine's clock, by name: the server and its client come to the same. */
#pragma once

#include "base/arena.h"

/* The id of TZ, else of /etc/localtime, else UTC; in the arena, or static. It may be one that nobody knows. */
__attribute__((returns_nonnull)) const char *own_zone_id(struct arena *arena);
