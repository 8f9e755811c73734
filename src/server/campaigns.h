/*
 * Planning a campaign for the API: finds the jobs, their schedules and instances on a snapshot, and
 * asks the engine's planner (engine/campaign_plan.h). Any thread.
 */
#pragma once

#include "calendar/zones.h"
#include "model/campaign.h"
#include "server/defs.h"
#include "store/store.h"

struct campaign_sources {
    struct defs *defs;
    struct zones *zones;
    int64_t workspace;
    int64_t now_ms;
};

/* As api_backend.plan_campaign. */
enum err_code campaigns_plan(const struct campaign_sources *sources, struct store_reader *reader,
                             const struct campaign_request *request, struct arena *arena,
                             struct campaign_plan *ret, struct err *err);
