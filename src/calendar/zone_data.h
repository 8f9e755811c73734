/* What a zone holds. For src/calendar only: others ask through calendar/zone.h. */
#pragma once

#include <stdatomic.h>

#include "calendar/posix_tz.h"

struct zone_data {
    int32_t first_offset_s;      /* before the first change */
    struct zone_change *changes; /* ascending; each one really changes the offset; malloc'd */
    size_t count;
    struct posix_tz rule; /* behind the last of them (2199 and more), when it has summer time */
};

struct zone {
    struct zone_data data;
    _Atomic uint32_t references;
};

/* Takes over what `data` points to. */
__attribute__((returns_nonnull)) struct zone *zone_new(const struct zone_data *data);
