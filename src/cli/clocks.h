/*
 * The clocks of schedules: planned times are shown as the schedule of their job has them, with the offset, so that their day is the one
 * that somebody would ask for.
 *
 * Clocks are named by Java ids ("Europe/Berlin"). NULL, and one that this host does not know, is UTC.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/map.h"
#include "calendar/zones.h"
#include "cli/context.h"

struct clocks {
    struct cli *cli;
    struct arena *arena; /* of the texts: that of `cli`, unless somebody gives another one */
    struct zones *zones;
    struct str_map by_job; /* key → id, "": it has none */
};

void clocks_init(struct clocks *clocks, struct cli *cli);
void clocks_release(struct clocks *clocks);

/* The id in the schedule of a body (a job, a run), as long as that; NULL: it has none. */
const char *clocks_id(const json_t *body);
/* That of a job's schedule as it is now, in the arena; NULL also where the job cannot be had. Each job is asked for once. */
const char *clocks_id_of_job(struct clocks *clocks, const char *job_key);
/* "2026-01-31 03:00+01:00" (times_wall). */
const char *clocks_time(const struct clocks *clocks, const char *id, int64_t ms);
/* A date-time of the API likewise; what is none, or NULL, stays as it is. */
const char *clocks_date_time(const struct clocks *clocks, const char *id, const char *text);
/* Of one body alone (a job), on the clock of its own schedule. */
const char *clocks_next(struct cli *cli, const json_t *body, const char *text);
/* A sentence of the server, with the date-times in it shown likewise; NULL stays NULL. */
const char *clocks_sentence(const struct clocks *clocks, const char *id, const char *text);
