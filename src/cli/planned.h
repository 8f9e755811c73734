/*
 * For which times of their schedules runs stand. The list of runs has the times, what else there is to know is asked for: a hundred
 * runs at a time, and only of those that a schedule or a campaign made.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/map.h"
#include "cli/clocks.h"

struct planned {
    json_t *items;         /* PlannedRun each */
    struct str_map by_run; /* key → its item */
    struct clocks clocks;
};

enum planned_flag {
    PLANNED_CAMPAIGN = 1 << 0, /* the campaigns that asked for the runs, too */
    /* Something is decided by it: what cannot be had is complained about. Without it nothing is said, and the runs seem to stand
     * for no time. */
    PLANNED_NEEDED = 1 << 1,
};

/* Of JobRun or JobRunSummary bodies. An exit code, which is CLI_DONE without PLANNED_NEEDED; to be released even so. */
int planned_init(struct planned *planned, struct cli *cli, const json_t *const *runs, size_t count,
                 unsigned flags);
void planned_release(struct planned *planned);

/* NULL: it stands for no planned time. */
const json_t *planned_item(const struct planned *planned, const json_t *run);
/* The zone of its schedule, one reference; UTC where it names none. As zones_get. */
__attribute__((warn_unused_result)) enum err_code planned_zone(const struct planned *planned,
                                                               const json_t *item,
                                                               struct zone **ret, struct err *err);
/* As its schedule's clock has it, in the arena, or in UTC where this host does not know that clock; NULL without a time. */
const char *planned_text(const struct planned *planned, const json_t *item);
