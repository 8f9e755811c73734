/*
 * For which times of their schedules runs stand. The list of runs has the times, what else there is to know is asked for: a hundred
 * runs at a time, and only of those that a schedule or a campaign made.
 */
#pragma once

#include <jansson.h>

#include "base/map.h"
#include "cli/context.h"

struct planned {
    json_t *items;          /* PlannedRun each */
    struct str_map by_run;  /* key → its item */
    struct str_map by_zone; /* id → struct planned_zone, in the command's arena */
};

/* Of JobRun or JobRunSummary bodies. A server that does not tell leaves it empty: nothing is said. */
void planned_init(struct planned *planned, struct cli *cli, const json_t *const *runs, size_t count,
                  bool with_campaign);
void planned_release(struct planned *planned);

/* NULL: it stands for no planned time. */
const json_t *planned_item(const struct planned *planned, const json_t *run);
/* The zone of its schedule, lent; NULL is UTC. */
const struct zone *planned_zone(struct planned *planned, struct cli *cli, const json_t *item);
/* As its schedule's clock has it, in the arena; NULL without one. */
const char *planned_text(struct planned *planned, struct cli *cli, const json_t *item);
