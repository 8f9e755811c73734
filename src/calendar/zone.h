/*
 * Time zones: what clocks show at an instant, and which instant a wall time is.
 *
 * A zone is immutable, counted by references, and made from the bytes of a TZif file (RFC 8536, versions 1 to 3) or from a
 * fixed offset. Pure: files are read by calendar/zones.h. Behind the end of the table the POSIX rule of the footer goes on.
 *
 * Units: instants are seconds since 1970-01-01T00:00:00Z, offsets seconds east of Greenwich, and a local time is the
 * instant plus the offset: seconds that a clock on the wall would have counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    ZONE_MAX_BYTES = 256 << 10, /* of a TZif file; real ones have less than 4 KiB */
    ZONE_MAX_OFFSET_S = 26 * 3600,
};

struct zone;

/* A moment at which clocks are changed. before < after: a gap, wall times that do not exist; after < before: an overlap,
 * wall times that exist twice. */
struct zone_change {
    int64_t at_s; /* the first instant with the new offset */
    int32_t before_s;
    int32_t after_s;
};

/* From the bytes of a TZif file, one reference for the caller. ERR_INVALID_PARAMETER saying what is wrong with them; with leap
 * seconds they are refused, since instants here have none. */
__attribute__((warn_unused_result)) enum err_code zone_parse(const void *data, size_t len,
                                                             struct zone **ret, struct err *err);
/* |offset_s| ≤ ZONE_MAX_OFFSET_S. */
__attribute__((returns_nonnull)) struct zone *zone_fixed(int32_t offset_s);
/* Both are thread safe. */
struct zone *zone_ref(struct zone *zone);
void zone_unref(struct zone *zone); /* NULL is fine */

int32_t zone_offset(const struct zone *zone, int64_t instant_s);

/* The instant that a wall time means, as java.util.GregorianCalendar has it, and so Quartz: one that exists twice is the
 * second; one that does not exist is moved on by the length of the gap. */
int64_t zone_instant(const struct zone *zone, int64_t local_s);

/* The newest change at or before the instant; false: none. */
bool zone_newest_change(const struct zone *zone, int64_t instant_s, struct zone_change *ret);

/* The change whose gap or overlap touches the local day of the instant; false: an ordinary day. */
bool zone_change_of_day(const struct zone *zone, int64_t instant_s, struct zone_change *ret);
