/* For which planned times runs stand. */
#include <string.h>

#include "api/extras/extras.h"
#include "api/oracle/lists.h"
#include "api/oracle/run_source.h"
#include "api/oracle/tables.h"
#include "api/respond.h"
#include "model/campaign.h"

enum { PLANNED_MAX_RUNS = 100 };

struct planned_query {
    struct field_list run_keys; /* of const char * */
    int8_t with_campaign;
};

static const struct field query_fields[] = {
    {.name = "jobRunKey",
     .kind = FIELD_STRINGS,
     .flags = FIELD_REQUIRED,
     AT(planned_query, run_keys),
     .max = PLANNED_MAX_RUNS,
     .doc = "Keys of the runs."},
    {.name = "withCampaign",
     .kind = FIELD_BOOL,
     .flags = FIELD_DEFAULT,
     AT(planned_query, with_campaign),
     .doc = "Whether campaignKey is looked for, too."},
};
const struct schema planned_run_query_schema =
    SCHEMA("ListPlannedRuns", planned_query, query_fields, "Which runs.");

struct planned_view {
    const char *run_key;
    int64_t plan_ms;
    const char *schedule;
    const char *campaign_key;
};

static const struct field view_fields[] = {
    {.name = "jobRunKey",
     .kind = FIELD_STRING,
     AT(planned_view, run_key),
     .doc = "Key of the run."},
    {.name = "plannedTime",
     .kind = FIELD_TIME,
     AT(planned_view, plan_ms),
     .doc = "The time of the schedule that it stands for."},
    {.name = "schedule",
     .kind = FIELD_RAW,
     .raw_kind = FIELD_OBJECT,
     .object = &schedule_schema,
     AT(planned_view, schedule),
     .doc = "Schedule of the run, or the job's when it was made, with its zone."},
    {.name = "campaignKey",
     .kind = FIELD_STRING,
     .flags = FIELD_SPARSE,
     AT(planned_view, campaign_key),
     .doc = "With withCampaign: key of the newest campaign that asked for the run or for a repair "
            "of it, if one did."},
};
const struct schema planned_run_schema =
    SCHEMA("PlannedRun", planned_view, view_fields, "A run that stands for a planned time.");

/* Of the newest campaign that asked for it; NULL: none did. */
static const char *campaign_of(struct call *call, const struct run_row *run)
{
    const size_t before = sizeof CAMPAIGN_DECISION - 1;
    struct event_row *events;
    struct uuid key;
    size_t count = call->backend->reads.entity_events(call->reading.reader, run->workspace,
                                                      &run->key, NULL, call->arena, &events);
    while (count-- > 0) {
        const char *decision = events[count].decision;
        if (!decision || strncmp(decision, CAMPAIGN_DECISION, before) != 0 ||
            strlen(decision) < before + UUID_TEXT - 1)
            continue;
        char *text = arena_memdup(call->arena, decision + before, UUID_TEXT - 1);
        return uuid_parse(text, &key) ? text : NULL;
    }
    return NULL;
}

enum err_code planned_run_list(struct call *call)
{
    const struct api_reads *reads = &call->backend->reads;
    const struct planned_query *query = call->filter;
    size_t count, printed = 0;
    const struct uuid *keys = keys_of(&query->run_keys, call->arena, &count);
    respond_items_begin(call);
    for (size_t i = 0; i < count; i++) {
        struct run_row run;
        if (!reads->get_run(call->reading.reader, call->workspace.id, &keys[i], call->arena,
                            &run) ||
            !run_is_planned(&run))
            continue;
        const struct planned_view view = {
            .run_key = key_text(&run.key, call->arena),
            .plan_ms = run.plan_ms,
            .schedule = run.schedule,
            .campaign_key = query->with_campaign == 1 ? campaign_of(call, &run) : NULL,
        };
        respond_item(call, printed++, &planned_run_schema, &view);
    }
    respond_items_end(call);
    return call_reader_check(call);
}
