/* Any text as an expression: taken or refused, with a column inside it; and the search ends, and goes forward. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "calendar/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[CRON_MAX_TEXT + 8];
    struct cron cron;
    struct cron_error error;
    if (len >= sizeof text)
        len = sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    if (!cron_parse(text, &cron, &error)) {
        assert(error.column >= 1 && (size_t)error.column <= strlen(text) + 1);
        assert(error.message[0]);
        return 0;
    }
    struct zone *zone = zone_fixed(3600);
    int64_t after_ms = 1700000000000, next_ms;
    for (int i = 0; i < 3 && cron_next(&cron, zone, after_ms, &next_ms); i++) {
        assert(next_ms > after_ms && next_ms % 1000 == 0);
        after_ms = next_ms;
    }
    if (after_ms > 1700000000000)
        assert(cron_is_satisfiable(&cron));
    zone_unref(zone);
    return 0;
}
