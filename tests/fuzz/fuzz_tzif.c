/* Any bytes as a time zone file: refused, or a zone in which every question has an answer. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "calendar/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct zone *zone;
    struct err err;
    if (zone_parse(data, len, &zone, &err)) {
        assert(err.message[0]);
        return 0;
    }
    struct cron cron;
    struct cron_error error;
    if (!cron_parse("0 30 2 L * ?", &cron, &error))
        return 0;
    int64_t after_ms = 946684800000, next_ms;
    for (int i = 0; i < 20 && cron_next(&cron, zone, after_ms, &next_ms); i++) {
        struct zone_change change;
        int32_t offset_s = zone_offset(zone, next_ms / 1000);
        assert(offset_s >= -ZONE_MAX_OFFSET_S && offset_s <= ZONE_MAX_OFFSET_S);
        (void)zone_change_of_day(zone, next_ms / 1000, &change);
        after_ms = next_ms > after_ms ? next_ms : after_ms + 86400000;
    }
    zone_unref(zone);
    return 0;
}
