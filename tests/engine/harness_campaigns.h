/* Short forms for tests of campaigns, beside those of the harness. */
#pragma once

#include "engine/harness.h"

enum { MINUTE_MS = 60 * 1000 };

/* A job "a; b: a" with so many instances, one a minute, which ended with that exit code. Its schedule
 * rests by now; `more`: further fields of the job since then. */
struct uuid world_history(struct world *world, int minutes, int64_t code, const char *more);
/* Gives it these fields alone: without a schedule among them it fires no more. */
void world_rest(struct world *world, const struct uuid *job, const char *more);

/* A request for all instances of a job up to now, from what failed on. */
struct campaign_request world_over_all(const struct world *world, const struct uuid *job,
                                       int64_t concurrent);
/* Fails the test when it is refused. */
struct uuid world_start_campaign(struct world *world, const struct campaign_request *request);
/* COMMAND_CAMPAIGN_PAUSE, … RESUME, … CANCEL. */
struct command_result world_act(struct world *world, enum command_kind kind,
                                const struct uuid *campaign);

const struct campaign_cell_row *world_cell(struct world *world, const struct uuid *campaign,
                                           size_t at);
/* "RUNNING SRW-": the campaign's state, and one letter a cell: W waits, B blocked, R runs, S succeeded,
 * F failed, - skipped, C cancelled. */
const char *world_cells(struct world *world, const struct uuid *campaign);
#define world_expect_cells(world, campaign, text) \
    assert_string_equal(world_cells((world), (campaign)), (text))
/* Ends both tasks of the cell's run well, or the first one badly. */
void world_finish(struct world *world, const struct uuid *campaign, size_t at, bool well);
