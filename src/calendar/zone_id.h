/*
 * Names of time zones, as java.util.TimeZone knows them: ids of the tz database, the old short ids of Java (PST, ACT, …),
 * and GMT with an offset. Pure; calendar/zones.h has the files.
 *
 * Java takes an unknown id for GMT, in silence; here it is refused (zones_get).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONE_ID_MAX = 64, ZONE_ID_SHORT_COUNT = 28 };

struct zone_id {
    bool is_fixed;    /* no file: an offset */
    int32_t offset_s; /* of a fixed one */
    /* "America/Los_Angeles": segments of letters, digits, + - _ that begin with a capital, so that it names nothing outside
     * the folder of zones, and none of its other files. */
    char file[ZONE_ID_MAX];
};

/* What file or offset an id stands for. False: it has not the form of one. */
__attribute__((warn_unused_result)) bool zone_id_parse(const char *id, struct zone_id *ret);
/* Could it be the name of a file or folder of zones? */
bool zone_id_is_segment(const char *text, size_t len);
/* The old short ids, by place, from 0 to ZONE_ID_SHORT_COUNT - 1. */
const char *zone_id_short(size_t index);
