/* Campaigns made, paused, resumed and cancelled (RULES §10). */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "engine/campaign.h"

enum { JOBS_MAX_BYTES = 1 << 20 };

/* ---- made ---- */

static const char *jobs_json(const struct campaign_plan *plan, struct arena *arena)
{
    struct buf text;
    buf_init(&text, JOBS_MAX_BYTES);
    buf_putc(&text, '[');
    for (size_t i = 0; i < plan->job_count; i++) {
        char key[UUID_TEXT];
        buf_printf(&text, "%s{\"jobKey\":\"%s\",\"name\":", i ? "," : "",
                   uuid_format(&plan->jobs[i], key));
        buf_json_string(&text, plan->job_names[i]);
        buf_putc(&text, '}');
    }
    buf_putc(&text, ']');
    const char *json = arena_memdup(arena, text.data, text.len);
    buf_release(&text);
    return json;
}

static const char *name_of(struct step *step, const struct campaign_order *order)
{
    char now[TIMEFMT_TEXT];
    if (order->request.name)
        return order->request.name;
    timefmt_rfc3339(step->now_ms, now);
    return arena_printf(&step->fx->arena, "%s %s %s", order->plan.job_names[0],
                        order->request.kind == CAMPAIGN_SUPPLEMENT ? "supplement" : "rerun", now);
}

static struct campaign_row campaign_row_of(struct step *step, const struct command *command)
{
    const struct campaign_order *order = &command->campaign;
    const struct campaign_request *request = &order->request;
    return (struct campaign_row){
        .workspace = step->engine->workspace.id,
        .key = step_new_key(step),
        .kind = request->kind,
        .name = name_of(step, order),
        .job = request->job,
        .jobs = jobs_json(&order->plan, &step->fx->arena),
        .begin_ms = request->begin_ms,
        .end_ms = request->end_ms,
        .concurrent = request->concurrent,
        .canary = request->canary,
        .where = request->where,
        .task_key = request->task_key,
        .version = request->version,
        .set = request->set,
        .ignore_monitor = request->ignore_monitor,
        .stop_on_fail = request->stop_on_fail,
        .reverse = request->reverse,
        .parameters = request->parameters.count ? params_json(request->parameters, &step->fx->arena)
                                                : NULL,
        .cell_count = (int64_t)order->plan.cell_count,
        .created_by = command->principal.id,
        .created_by_name = command->principal.name,
        .created_ms = step->now_ms,
        .state = CAMPAIGN_PENDING,
        .message = "Nothing has started yet",
        .updated_ms = step->now_ms,
        .start_ms = FIELD_NULL,
        .finished_ms = FIELD_NULL,
    };
}

static struct campaign_cell_row *cell_rows(struct step *step, const struct campaign_row *campaign,
                                           const struct campaign_plan *plan)
{
    struct campaign_cell_row *rows =
        ARENA_ARRAY(&step->fx->arena, plan->cell_count, struct campaign_cell_row);
    for (size_t i = 0; i < plan->cell_count; i++) {
        const struct planned_cell *cell = &plan->cells[i];
        rows[i] = (struct campaign_cell_row){
            .workspace = campaign->workspace,
            .campaign = campaign->key,
            .position = (int64_t)i,
            .job = cell->job,
            .plan_ms = cell->plan_ms,
            .is_new = uuid_is_nil(&cell->run),
            .needs = cell->needs,
            .follows = cell->follows,
            .run = cell->run,
            .state = cell->skip ? CELL_SKIPPED : CELL_WAITING,
            .message = cell->skip,
            .repair_number = FIELD_NULL,
            .asked_number = FIELD_NULL,
            .start_ms = FIELD_NULL,
            .finished_ms = cell->skip ? step->now_ms : FIELD_NULL,
        };
    }
    return rows;
}

/* A command whose name is unique is alone: no other supplement of that name, or of its job, is going on. Those are all
 * here, those of this batch too. NULL: none is. */
static const struct ecampaign *going_on(const struct engine *engine,
                                        const struct campaign_request *request)
{
    const struct ecampaign *campaign;
    for (size_t cursor = 0; (campaign = uuid_map_next(&engine->campaigns, &cursor));) {
        const struct campaign_row *row = &campaign->row;
        if (row->kind == CAMPAIGN_SUPPLEMENT &&
            !campaign_is_final((enum campaign_state)row->state) &&
            (uuid_equal(&row->job, &request->job) ||
             (request->name && strcmp(row->name, request->name) == 0)))
            return campaign;
    }
    return NULL;
}

static void create(struct step *step, const struct command *command, struct command_result *result)
{
    const struct campaign_plan *plan = &command->campaign.plan;
    if (command->campaign.refused) {
        result_refuse(result, command->campaign.refused, "%s", command->campaign.refusal);
        return;
    }
    const struct ecampaign *other =
        command->name_is_unique ? going_on(step->engine, &command->campaign.request) : NULL;
    if (other) {
        result_refuse(result, ERR_INVALID_PARAMETER,
                      "The request parameter is invalid: supplement %.128s is going on under this "
                      "name or for this job: wait for it, or use force",
                      other->row.name);
        return;
    }
    assert(plan->skip_count < plan->cell_count); /* the planner refuses others */
    struct campaign_row row = campaign_row_of(step, command);
    struct ecampaign *campaign =
        campaign_new(step->engine, &row, cell_rows(step, &row, plan), plan->cell_count);
    track(step->engine, &campaign->tracked); /* before its cells */
    campaign_enlist(step->engine, campaign);
    campaign_begin(step, campaign);
    result->key = row.key;
    result->operation =
        new_operation(step, command, "RERUN_CAMPAIGN", "CREATE", &row.key, row.name);
}

/* ---- paused, resumed, cancelled ---- */

static void pause_campaign(struct step *step, struct ecampaign *campaign, const char *by,
                           struct command_result *result)
{
    enum campaign_state state = (enum campaign_state)campaign->row.state;
    if (campaign_is_final(state))
        result_refuse(result, ERR_INCORRECT_STATE, "the campaign is %s: there is nothing to pause",
                      campaign_state_names[state]);
    else if (state != CAMPAIGN_PAUSED)
        move_campaign(step, campaign, CAMPAIGN_PAUSED,
                      arena_printf(&step->fx->arena, "Paused by %s", by));
}

static void resume_campaign(struct step *step, struct ecampaign *campaign, const char *by,
                            struct command_result *result)
{
    enum campaign_state state = (enum campaign_state)campaign->row.state;
    const char *message = arena_printf(&step->fx->arena, "Resumed by %s", by);
    if (state == CAMPAIGN_SUCCESS || state == CAMPAIGN_CANCELED) {
        result_refuse(result, ERR_INCORRECT_STATE, "the campaign is %s: there is nothing to resume",
                      campaign_state_names[state]);
        return;
    }
    if (state != CAMPAIGN_PAUSED && state != CAMPAIGN_FAILED)
        return; /* nothing changes */
    move_campaign(step, campaign,
                  campaign->row.start_ms == FIELD_NULL ? CAMPAIGN_PENDING : CAMPAIGN_RUNNING,
                  message);
    if (state == CAMPAIGN_FAILED)
        campaign_restart_failed(step, campaign);
}

/* The attempt of a run that this campaign asked for, and nobody else, no other campaign either. */
static void stop_run(struct step *step, const struct ecell *cell, const char *message)
{
    struct erun *run = engine_run(step->engine, &cell->row.run);
    if (run && !state_is_final(run->row.state) && run->row.state != STATE_CANCELING &&
        run->row.repair_number == cell->row.asked_number)
        run_stop(step, run, STATE_CANCELED, message);
}

static void cancel_campaign(struct step *step, struct ecampaign *campaign, const char *by)
{
    const char *message = arena_printf(&step->fx->arena, "Canceled by %s", by);
    const char *of_run =
        arena_printf(&step->fx->arena, "Canceled by %s, with campaign %s", by, campaign->row.name);
    if (campaign_is_final((enum campaign_state)campaign->row.state))
        return; /* nothing changes */
    move_campaign(step, campaign, CAMPAIGN_CANCELED, message);
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        int state = cell->row.state;
        if (state == CELL_RUNNING)
            stop_run(step, cell, of_run);
        if (state == CELL_RUNNING || state == CELL_WAITING || state == CELL_BLOCKED)
            move_cell(step, cell, CELL_CANCELED, message);
    }
}

void campaign_command(struct step *step, const struct command *command,
                      struct command_result *result)
{
    if (command->kind == COMMAND_CAMPAIGN_CREATE) {
        create(step, command, result);
        return;
    }
    struct ecampaign *campaign = engine_campaign(step->engine, &command->key);
    if (!campaign) {
        result_refuse(result, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                      "Rerun campaign not found or not allowed");
        return;
    }
    result->key = command->key;
    if (command->kind == COMMAND_CAMPAIGN_PAUSE)
        pause_campaign(step, campaign, command->principal.name, result);
    else if (command->kind == COMMAND_CAMPAIGN_RESUME)
        resume_campaign(step, campaign, command->principal.name, result);
    else
        cancel_campaign(step, campaign, command->principal.name);
}
