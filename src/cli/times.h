/*
 * Instants on the command line: as everywhere (RFC 3339, epoch ms), or a plain date, which is a whole day of some zone.
 *
 * Units: ms since 1970-01-01T00:00:00Z.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "calendar/zone.h"

enum day_end {
    DAY_BEGINS,
    DAY_ENDS
}; /* which instant of its day a plain date is: the first, the last ms */

/* "2026-01-31", of a day that there is. NULL is none. */
bool times_is_date(const char *text);
/* `zone` NULL: UTC. False: it is none of the three. Eight digits are none either: whoever writes 20260131 means no ms of 1970. */
bool times_parse(const char *text, const struct zone *zone, enum day_end end, int64_t *ret_ms);
/* Of --OPTION: CLI_USAGE after a complaint. */
__attribute__((warn_unused_result)) int times_option(const char *option, const char *text,
                                                     const struct zone *zone, enum day_end end,
                                                     int64_t *ret_ms);
/* The zone of a Java id as this host knows it, one reference. CLI_USAGE after a complaint, which names `what` it is of. */
__attribute__((warn_unused_result)) int times_zone(const char *what, const char *id,
                                                   struct zone **ret);
/* "2026-01-31 03:00+01:00", "2026-01-31 02:00Z", with seconds where they are not 0; in the arena. `zone` NULL: UTC. */
const char *times_wall(struct arena *arena, int64_t ms, const struct zone *zone);
