#include "model/campaign.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"

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

static json_t *parse_stored(const char *text)
{
    struct err ignored;
    return text ? json_parse(text, strlen(text), &ignored) : NULL;
}

struct campaign_jobs campaign_jobs_load(const char *json, struct arena *arena)
{
    json_t *list = parse_stored(json);
    size_t count = json_array_size(list);
    struct campaign_jobs jobs = {ARENA_ARRAY(arena, count, struct uuid),
                                 ARENA_ARRAY(arena, count, const char *), 0};
    for (size_t i = 0; i < count; i++) {
        json_t *job = json_array_get(list, i);
        const char *key = json_string_value(json_object_get(job, "jobKey"));
        const char *name = json_string_value(json_object_get(job, "name"));
        if (key && name && uuid_parse(key, &jobs.keys[jobs.count]))
            jobs.names[jobs.count++] = arena_strdup(arena, name);
    }
    json_decref(list);
    return jobs;
}

const char *campaign_job_name(const struct campaign_jobs *jobs, const struct uuid *key)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (uuid_equal(&jobs->keys[i], key))
            return jobs->names[i];
    return NULL;
}

const uint32_t *campaign_positions_load(const char *json, uint32_t limit, struct arena *arena,
                                        uint32_t *ret_count)
{
    json_t *list = parse_stored(json);
    uint32_t *items = ARENA_ARRAY(arena, json_array_size(list), uint32_t);
    uint32_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t position = json_integer_value(item);
        if (json_is_integer(item) && position >= 0 && position < limit)
            items[count++] = (uint32_t)position;
    }
    json_decref(list);
    *ret_count = count;
    return items;
}
