#include "model/campaign.h"

const char *const campaign_kind_names[CAMPAIGN_KIND_COUNT] = {
    [CAMPAIGN_RERUN] = "RERUN",
    [CAMPAIGN_SUPPLEMENT] = "SUPPLEMENT",
};

const char *const campaign_state_names[CAMPAIGN_STATE_COUNT] = {
    [CAMPAIGN_PENDING] = "PENDING", [CAMPAIGN_RUNNING] = "RUNNING",
    [CAMPAIGN_PAUSED] = "PAUSED",   [CAMPAIGN_SUCCESS] = "SUCCESS",
    [CAMPAIGN_FAILED] = "FAILED",   [CAMPAIGN_CANCELED] = "CANCELED",
};

const char *const campaign_cell_state_names[CAMPAIGN_CELL_STATE_COUNT] = {
    [CELL_WAITING] = "WAITING",   [CELL_BLOCKED] = "BLOCKED", [CELL_RUNNING] = "RUNNING",
    [CELL_SUCCESS] = "SUCCESS",   [CELL_FAILED] = "FAILED",   [CELL_SKIPPED] = "SKIPPED",
    [CELL_CANCELED] = "CANCELED",
};

const char *const campaign_where_names[CAMPAIGN_WHERE_COUNT] = {
    [CAMPAIGN_FROM_FIRST] = "FIRST",
    [CAMPAIGN_FROM_ERROR] = "ERROR",
    [CAMPAIGN_FROM_NODE] = "NODE",
};

const char *const campaign_version_names[CAMPAIGN_VERSION_COUNT] = {
    [CAMPAIGN_ORIGINAL] = "ORIGINAL",
    [CAMPAIGN_CURRENT] = "CURRENT",
};

const char *const campaign_set_names[CAMPAIGN_SET_COUNT] = {
    [CAMPAIGN_ALL] = "ALL",
    [CAMPAIGN_UNSUCCESSFUL] = "UNSUCCESSFUL",
    [CAMPAIGN_MISSING] = "MISSING",
};

bool campaign_is_final(enum campaign_state state)
{
    return state == CAMPAIGN_SUCCESS || state == CAMPAIGN_FAILED || state == CAMPAIGN_CANCELED;
}
