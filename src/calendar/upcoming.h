/*
 * The next times of a schedule, as people are shown them: local time, and what the clock changes of the zone do to them.
 *
 * Pure. Instants are ms since 1970-01-01T00:00:00Z.
 */
#pragma once

#include "base/buf.h"
#include "calendar/cron.h"

enum {
    UPCOMING_DEFAULT = 10, /* times that are shown when nobody says how many */
    UPCOMING_MAX = 1000,
    UPCOMING_TEXT = 32,
};

struct upcoming {
    int64_t time_ms;
    int32_t offset_s;
    /* The clock change of its local day. */
    bool has_change;
    struct zone_change change;
    /* The newest wall time of the expression since the time before that no clock showed: it was in a gap, and nothing fired. */
    bool has_skipped;
    int64_t skipped_local_s;
    /* The first wall time that a clock did show, behind a gap, and that Quartz leaves out all the same
     * (docs/design/calendar.md). */
    bool has_left_out;
    int64_t left_out_local_s;
};

/* At most `max` times after `after_ms`, fewer when it fires no more. Returns how many. */
size_t upcoming_list(const struct cron *cron, const struct zone *zone, int64_t after_ms, size_t max,
                     struct upcoming *ret);

/* "2026-03-09T02:30:00-04:00"; returns `text`. */
char *upcoming_local(const struct upcoming *upcoming, char text[static UPCOMING_TEXT]);
/* "GAP", "OVERLAP", or NULL on an ordinary day. */
const char *upcoming_change_name(const struct upcoming *upcoming);
/* Says in words what is special; nothing on an ordinary day. */
void upcoming_note(const struct upcoming *upcoming, struct buf *out);
