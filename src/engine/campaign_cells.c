/*
 * What cells do (RULES §10): they start in order, `concurrent` at a time, wait for those before them,
 * and end as their runs end. A cell is started by the commit that repairs or makes its run, so no
 * crash starts one twice; from then on it runs exactly as long as its run is active, whoever asked for that.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/timefmt.h"
#include "engine/campaign.h"

/* ---- gates ---- */

static bool lets_through(const struct ecell *cell)
{
    return cell->row.state == CELL_SUCCESS || cell->row.state == CELL_SKIPPED;
}

static bool has_ended(const struct ecell *cell)
{
    return lets_through(cell) || cell->row.state == CELL_FAILED || cell->row.state == CELL_CANCELED;
}

/* Before the campaign has asked for anything of a run, what somebody else does to it is not what was asked for: another
 * definition, other tasks. Afterwards it is as good: it goes on with what had failed. */
static bool is_taken(const struct engine *engine, const struct ecell *cell)
{
    const struct erun *run =
        cell->row.repair_number == FIELD_NULL ? engine_run(engine, &cell->row.run) : NULL;
    return run && !state_is_final(run->row.state);
}

enum cell_gate cell_gate(const struct engine *engine, const struct ecell *cell,
                         const struct ecell **ret_by)
{
    const struct ecell *cells = cell->campaign->cells;
    enum cell_gate gate = GATE_OPEN;
    *ret_by = NULL;
    for (uint32_t i = 0; i < cell->need_count + cell->follow_count; i++) {
        bool must_succeed = i < cell->need_count;
        const struct ecell *up =
            &cells[must_succeed ? cell->needs[i] : cell->follows[i - cell->need_count]];
        if (must_succeed ? lets_through(up) : has_ended(up))
            continue;
        bool is_stuck = up->row.state == CELL_BLOCKED || (must_succeed && has_ended(up));
        if (is_stuck) {
            *ret_by = up;
            return GATE_BLOCKED;
        }
        if (gate == GATE_OPEN)
            *ret_by = up;
        gate = GATE_WAIT;
    }
    return gate == GATE_OPEN && is_taken(engine, cell) ? GATE_TAKEN : gate;
}

void cell_place(struct ecell *cell, enum cell_gate gate)
{
    struct ecampaign *campaign = cell->campaign;
    bool waits = cell->row.state == CELL_WAITING;
    campaign->taken -= cell->is_taken;
    cell->is_taken = waits && gate == GATE_TAKEN;
    campaign->taken += cell->is_taken;
    if (waits && gate == GATE_OPEN)
        heap_set(&campaign->ready, &cell->ready, cell->row.position);
    else
        heap_remove(&campaign->ready, &cell->ready);
}

/* ---- the setters ---- */

static void campaign_touch(struct step *step, struct ecampaign *campaign)
{
    campaign->row.revision++;
    campaign->row.updated_ms = step->now_ms;
    track(step->engine, &campaign->tracked);
    if (!campaign_is_final((enum campaign_state)campaign->row.state))
        campaign_set_due(step->engine, campaign);
}

static void count_cell(struct ecampaign *campaign, int state, int by)
{
    size_t *count = state == CELL_RUNNING   ? &campaign->running
                    : state == CELL_FAILED  ? &campaign->failed
                    : state == CELL_SUCCESS ? &campaign->succeeded
                                            : NULL;
    if (count)
        *count += (size_t)by;
}

static void set_cell(struct step *step, struct ecell *cell, enum campaign_cell_state to,
                     const char *message)
{
    struct ecampaign *campaign = cell->campaign;
    count_cell(campaign, cell->row.state, -1);
    count_cell(campaign, (int)to, 1);
    cell->row.state = (int)to;
    set_text(step->engine, &cell->row.message, message);
    if (to == CELL_RUNNING)
        cell->row.start_ms = step->now_ms;
    cell->row.finished_ms = has_ended(cell) ? step->now_ms : FIELD_NULL;
    cell_place(cell, GATE_WAIT); /* until it is reviewed */
    track(step->engine, &cell->tracked);
    if (!list_is_linked(&cell->moved))
        list_append(&campaign->moved, &cell->moved);
}

static const char *cell_text(struct arena *arena, const struct ecell *cell)
{
    char planned[TIMEFMT_TEXT];
    timefmt_rfc3339(cell->row.plan_ms, planned);
    return arena_printf(arena, "%s of %s", cell->job_name, planned);
}

static const char *blocked_text(struct arena *arena, const struct ecell *by)
{
    return arena_printf(arena, "Blocked: %s %s", cell_text(arena, by),
                        by->row.state == CELL_BLOCKED ? "is blocked" : "did not succeed");
}

static const char *waiting_text(const struct ecell *cell, enum cell_gate gate)
{
    if (gate == GATE_TAKEN)
        return "Waits until what somebody else has started of its run has ended";
    return cell->need_count + cell->follow_count ? "Waits for what it depends on"
                                                 : "Waits for its turn";
}

/* Of a cell that goes on waiting, or stays blocked. */
static void tell_cell(struct step *step, struct ecell *cell, const char *message)
{
    if (strcmp(cell->row.message, message) == 0)
        return;
    set_text(step->engine, &cell->row.message, message);
    track(step->engine, &cell->tracked);
}

/* Of a campaign that has ended with cells that could have started. */
static const char *stop_text(const struct ecampaign *campaign)
{
    return campaign->row.stop_on_fail == 1 ? "the campaign stops at the first failure"
                                           : "the canary failed";
}

/* What cells say that wait, as the campaign ends, and as it goes on: nobody has kept that up meanwhile. */
static void tell_waiting(struct step *step, struct ecampaign *campaign)
{
    const char *stopped =
        campaign->row.state == CAMPAIGN_FAILED
            ? arena_printf(&step->fx->arena, "Not started: %s", stop_text(campaign))
            : NULL;
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        if (cell->row.state == CELL_WAITING)
            tell_cell(step, cell,
                      stopped ? stopped
                              : waiting_text(cell, cell->is_taken ? GATE_TAKEN : GATE_WAIT));
    }
}

void move_campaign(struct step *step, struct ecampaign *campaign, enum campaign_state to,
                   const char *message)
{
    struct campaign_row *row = &campaign->row;
    bool was_final = campaign_is_final((enum campaign_state)row->state);
    row->state = (int)to;
    set_text(step->engine, &row->message, message);
    if (to == CAMPAIGN_RUNNING && row->start_ms == FIELD_NULL)
        row->start_ms = step->now_ms;
    row->finished_ms = campaign_is_final(to) ? step->now_ms : FIELD_NULL;
    campaign_enlist(step->engine, campaign);
    campaign_touch(step, campaign);
    if (to == CAMPAIGN_FAILED || was_final)
        tell_waiting(step, campaign);
}

/* A cell that has not started: is what holds it up still the same? */
static void review(struct step *step, struct ecell *cell)
{
    const struct ecell *by;
    struct arena *arena = &step->fx->arena;
    int state = cell->row.state;
    if (state != CELL_WAITING && state != CELL_BLOCKED)
        return;
    enum cell_gate gate = cell_gate(step->engine, cell, &by);
    step->engine->links_reviewed += cell->need_count + cell->follow_count;
    if (gate == GATE_BLOCKED && state != CELL_BLOCKED)
        set_cell(step, cell, CELL_BLOCKED, blocked_text(arena, by));
    else if (gate == GATE_BLOCKED)
        tell_cell(step, cell, blocked_text(arena, by)); /* perhaps by another one than before */
    else if (state == CELL_BLOCKED)
        set_cell(step, cell, CELL_WAITING, waiting_text(cell, gate));
    else if (cell->is_taken != (gate == GATE_TAKEN))
        tell_cell(step, cell, waiting_text(cell, gate));
    cell_place(cell, gate);
}

static void review_later(struct ecell *cell)
{
    if (!list_is_linked(&cell->review))
        list_append(&cell->campaign->reviews, &cell->review);
}

/* Reviews what hangs on cells that have moved. A cell is looked at once for all before it that moved together: who looks
 * goes through everything that the cell is linked to. */
static void tell_dependents(struct step *step, struct ecampaign *campaign)
{
    bool final = campaign_is_final((enum campaign_state)campaign->row.state);
    while (!list_is_empty(&campaign->moved) || !list_is_empty(&campaign->reviews)) {
        LIST_EACH_SAFE (&campaign->moved, node) {
            const struct ecell *cell = LIST_ITEM(node, struct ecell, moved);
            list_remove(node);
            for (uint32_t i = 0; i < cell->dependent_count && !final; i++)
                review_later(&campaign->cells[cell->dependents[i]]);
        }
        if (list_is_empty(&campaign->reviews))
            break;
        struct list *next = campaign->reviews.next;
        list_remove(next);
        review(step, LIST_ITEM(next, struct ecell, review));
    }
    campaign_touch(step, campaign);
}

void move_cell(struct step *step, struct ecell *cell, enum campaign_cell_state to,
               const char *message)
{
    set_cell(step, cell, to, message);
    tell_dependents(step, cell->campaign);
}

void campaign_restart_failed(struct step *step, struct ecampaign *campaign)
{
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        if (cell->row.state != CELL_FAILED)
            continue;
        set_cell(step, cell, CELL_WAITING, waiting_text(cell, GATE_WAIT));
        review_later(cell);
    }
    tell_dependents(step, campaign);
}

void campaign_begin(struct step *step, struct ecampaign *campaign)
{
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        if (cell->row.state == CELL_WAITING)
            set_text(step->engine, &cell->row.message, waiting_text(cell, GATE_WAIT));
        review(step, cell);
        track(step->engine, &cell->tracked);
    }
    tell_dependents(step, campaign);
}

/* ---- as runs move ---- */

static void cell_run_ended(struct step *step, struct ecell *cell, const struct erun *run)
{
    struct arena *arena = &step->fx->arena;
    cell->row.repair_number = run->row.repair_number;
    if (run->row.state == STATE_SUCCESS)
        move_cell(step, cell, CELL_SUCCESS, "Succeeded");
    else
        move_cell(step, cell, CELL_FAILED,
                  arena_printf(arena, "Ended %s: %s", state_name(run->row.state),
                               run->row.message ? run->row.message : ""));
}

/* Of one that waits: the run that it stands for has begun, or ended. */
static void cell_run_passes(struct step *step, struct ecell *cell)
{
    const struct ecell *ignored;
    if (campaign_is_final((enum campaign_state)cell->campaign->row.state)) {
        cell_place(cell, cell_gate(step->engine, cell, &ignored));
        return;
    }
    review(step, cell);
    campaign_touch(step, cell->campaign);
}

void campaign_run_moved(struct step *step, const struct erun *run, enum state from)
{
    struct ecell *cell = uuid_map_get(&step->engine->cells, &run->row.key);
    bool begins_or_ends = state_is_final(from) != state_is_final(run->row.state);
    for (; cell; cell = cell->next_of_run) {
        if (begins_or_ends && cell->row.state == CELL_WAITING) {
            cell_run_passes(step, cell);
        } else if (state_is_final(run->row.state) && cell->row.state == CELL_RUNNING) {
            cell_run_ended(step, cell, run);
        } else if (state_is_final(from) && cell->row.state == CELL_FAILED) {
            if (cell->campaign->row.state == CAMPAIGN_FAILED)
                move_campaign(step, cell->campaign, CAMPAIGN_RUNNING,
                              "Goes on: what had failed is being repaired");
            cell->row.repair_number = run->row.repair_number;
            move_cell(step, cell, CELL_RUNNING, "Being repaired");
        }
    }
}

/* ---- starting ---- */

enum start_result { START_DONE, START_PARKED };

static struct principal owner_of(const struct ecampaign *campaign)
{
    return (struct principal){campaign->row.created_by, campaign->row.created_by_name};
}

/* MISSING: another campaign, or the schedule itself, may have made the instance since it was planned. */
static enum want_answer is_made(struct step *step, const struct ecell *cell, bool *ret)
{
    const struct campaign_row *campaign = &cell->campaign->row;
    *ret = false;
    if (campaign->kind != CAMPAIGN_RERUN || campaign->set != CAMPAIGN_MISSING)
        return WANT_THERE;
    return want_slot(step, &cell->row.job, cell->row.plan_ms, ret);
}

/* A decision: from the run a reader finds the campaign, whose name need not be unique. */
static void note_campaign(struct step *step, const struct ecampaign *campaign, struct erun *run)
{
    struct arena *arena = &step->fx->arena;
    char key[UUID_TEXT];
    uuid_format(&campaign->row.key, key);
    note_event(step, run, NULL, EVENT_NOTE,
               arena_printf(arena, "Asked for by campaign %s", campaign->row.name),
               arena_printf(arena, CAMPAIGN_DECISION "%s\"}", key));
}

static enum start_result make_run(struct step *step, struct ecell *cell)
{
    const struct ecampaign *campaign = cell->campaign;
    const struct command command = {
        .kind = COMMAND_RUN_CREATE,
        .principal = owner_of(campaign),
        .key = cell->row.job,
        .run = {.parameters = campaign->parameters, .queue_enabled = FIELD_UNSET},
    };
    const struct run_origin origin = {
        .launched = LAUNCHED_SCHEDULED,
        .trigger = TRIGGER_PERIODIC,
        .instance_type = INSTANCE_SUPPLEMENT,
        .plan_ms = cell->row.plan_ms,
        .submit_ms = campaign->row.created_ms,
        .in_campaign = true,
    };
    struct ejob *job;
    bool made;
    enum want_answer about_slot = is_made(step, cell, &made);
    if (want_job(step, &cell->row.job, &job) == WANT_ASKED || about_slot == WANT_ASKED)
        return START_PARKED;
    if (made) {
        move_cell(step, cell, CELL_SKIPPED, "Not made: the planned time has an instance by now");
        return START_DONE;
    }
    struct command_result result = {.code = ERR_OK};
    run_create(step, &command, &origin, NULL, &result);
    if (result.code) {
        move_cell(step, cell, CELL_FAILED,
                  arena_printf(&step->fx->arena, "Could not be started: %s", result.message));
        return START_DONE;
    }
    cell_set_run(step->engine, cell, &result.key);
    cell->row.repair_number = cell->row.asked_number = 0;
    note_campaign(step, campaign, engine_run(step->engine, &result.key));
    move_cell(step, cell, CELL_RUNNING, "Started");
    return START_DONE;
}

static bool has_other_tasks(const struct job_def *a, const struct job_def *b)
{
    if (a->task_count != b->task_count)
        return true;
    for (uint32_t i = 0; i < a->task_count; i++)
        if (job_def_find(b, a->tasks[i].task_key) < 0)
            return true;
    return false;
}

/* RULES §10: a successful instance, and a definition with other nodes, from the first node. A cell
 * that was started before and failed goes on with what is unsuccessful. False: the task to begin with is not
 * in the definition. */
static bool choose_tasks(const struct ecell *cell, const struct erun *run, struct repair_task *node,
                         struct command *command)
{
    const struct campaign_row *campaign = &cell->campaign->row;
    struct repair_request *request = &command->repair;
    struct job_def *def;
    struct err ignored;
    bool again = cell->row.repair_number != FIELD_NULL;
    request->monitor = campaign->ignore_monitor == 1 ? MONITOR_PASSED : MONITOR_AGAIN;
    if (repair_choose_def(run, request, command->def, &def, &ignored))
        return true; /* the repair will be refused */
    bool renewed = has_other_tasks(run->def, def);
    if (again && !renewed)
        return true;
    if (campaign->where == CAMPAIGN_FROM_NODE && job_def_find(def, campaign->task_key) < 0)
        return false;
    if (campaign->where == CAMPAIGN_FROM_NODE && !renewed) {
        *node = (struct repair_task){1, 0, campaign->task_key};
        request->repair_tasks = node;
        request->repair_task_count = 1;
        request->mode = REPAIR_MODE_RERUN;
    } else if (campaign->where == CAMPAIGN_FROM_FIRST || run->row.state == STATE_SUCCESS ||
               renewed) {
        request->mode = REPAIR_MODE_RERUN;
    }
    return true;
}

/* The older definition that the repair needs: parked until it is there. */
static bool bring_version(struct step *step, struct command *command)
{
    struct uuid job;
    int64_t version;
    return !engine_lacks_version(step->engine, command, &job, &version) ||
           want_version(step, &job, version, &command->def) != WANT_ASKED;
}

static enum start_result repair_run(struct step *step, struct ecell *cell, struct erun *run)
{
    struct ecampaign *campaign = cell->campaign;
    struct arena *arena = &step->fx->arena;
    struct repair_task node;
    struct command command = {
        .kind = COMMAND_RUN_REPAIR,
        .principal = owner_of(campaign),
        .key = run->row.key,
        .repair = {.parameters = campaign->parameters,
                   .mode = FIELD_UNSET,
                   .definition = campaign->row.version == CAMPAIGN_CURRENT ? DEFINITION_CURRENT
                                                                           : DEFINITION_ORIGINAL,
                   .in_campaign = true},
    };
    if (!bring_version(step, &command))
        return START_PARKED;
    struct command_result result = {.code = ERR_OK};
    if (choose_tasks(cell, run, &node, &command))
        run_repair(step, &command, run, &result);
    else
        result_refuse(&result, ERR_INVALID_PARAMETER, "its definition has no task %.100s",
                      campaign->row.task_key);
    if (result.code) {
        move_cell(step, cell, CELL_FAILED,
                  arena_printf(arena, "Could not be started: %s", result.message));
        return START_DONE;
    }
    cell->row.repair_number = cell->row.asked_number = run->row.repair_number;
    note_campaign(step, campaign, run);
    move_cell(step, cell, CELL_RUNNING, "Started");
    return START_DONE;
}

static enum start_result cell_start(struct step *step, struct ecell *cell)
{
    struct erun *run;
    if (uuid_is_nil(&cell->row.run))
        return make_run(step, cell);
    switch (want_run(step, &cell->row.run, &run)) {
    case WANT_ASKED:
        return START_PARKED;
    case WANT_MISSING:
        move_cell(step, cell, CELL_SKIPPED, "Not rerun: the run was deleted");
        return START_DONE;
    case WANT_THERE:
        break;
    }
    if (run->is_deleted) {
        move_cell(step, cell, CELL_SKIPPED, "Not rerun: the run was deleted");
    } else if (!state_is_final(run->row.state)) {
        assert(cell->row.repair_number != FIELD_NULL); /* else it is taken */
        cell->row.repair_number = run->row.repair_number;
        move_cell(step, cell, CELL_RUNNING, "Being repaired");
    } else if (cell->row.repair_number != FIELD_NULL && run->row.state == STATE_SUCCESS) {
        move_cell(step, cell, CELL_SUCCESS, "Has since succeeded");
    } else {
        return repair_run(step, cell, run);
    }
    return START_DONE;
}

/* ---- the window ---- */

static bool is_stopped(const struct ecampaign *campaign)
{
    return campaign->failed > 0 && (campaign->row.stop_on_fail == 1 ||
                                    (campaign->row.canary == 1 && campaign->succeeded == 0));
}

static bool has_room(const struct ecampaign *campaign)
{
    bool alone = campaign->row.canary == 1 && campaign->succeeded == 0;
    return campaign->running < (alone ? 1 : (size_t)campaign->row.concurrent);
}

static void campaign_end(struct step *step, struct ecampaign *campaign)
{
    struct arena *arena = &step->fx->arena;
    size_t counts[CAMPAIGN_CELL_STATE_COUNT] = {0};
    for (uint32_t i = 0; i < campaign->count; i++)
        counts[campaign->cells[i].row.state]++;
    size_t left = counts[CELL_BLOCKED] + counts[CELL_WAITING];
    const char *why =
        counts[CELL_WAITING]
            ? arena_printf(arena, ": %s; it goes on once what failed is repaired or it is resumed",
                           stop_text(campaign))
            : "";
    if (counts[CELL_FAILED] + left == 0)
        move_campaign(step, campaign, CAMPAIGN_SUCCESS,
                      arena_printf(arena, "%zu succeeded, %zu skipped", counts[CELL_SUCCESS],
                                   counts[CELL_SKIPPED]));
    else
        move_campaign(step, campaign, CAMPAIGN_FAILED,
                      arena_printf(arena,
                                   "%zu succeeded, %zu skipped, %zu failed, %zu not started%s",
                                   counts[CELL_SUCCESS], counts[CELL_SKIPPED], counts[CELL_FAILED],
                                   left, why));
}

bool campaign_has_work(const struct ecampaign *campaign)
{
    if (campaign->row.state != CAMPAIGN_PENDING && campaign->row.state != CAMPAIGN_RUNNING)
        return false;
    if (campaign->ready.count == 0 || is_stopped(campaign))
        return campaign->running == 0 && (campaign->taken == 0 || is_stopped(campaign));
    return has_room(campaign);
}

void campaign_work(struct step *step)
{
    struct engine *engine = step->engine;
    struct ecampaign *campaign = LIST_ITEM(engine->campaigns_due.next, struct ecampaign, due);
    const struct heap_item *first = heap_first(&campaign->ready);
    list_remove(&campaign->due);
    if (!campaign_has_work(campaign))
        return;
    if (!first || is_stopped(campaign)) {
        campaign_end(step, campaign);
        return;
    }
    struct ecell *cell = CONTAINER_OF(first, struct ecell, ready);
    if (cell_start(step, cell) == START_PARKED)
        list_append(&engine->campaigns_parked, &campaign->parked);
    else if (campaign->row.state == CAMPAIGN_PENDING)
        move_campaign(step, campaign, CAMPAIGN_RUNNING, "Running");
}

void campaigns_go_on(struct step *step)
{
    LIST_EACH_SAFE (&step->engine->campaigns_parked, node) {
        struct ecampaign *campaign = LIST_ITEM(node, struct ecampaign, parked);
        list_remove(node);
        campaign_set_due(step->engine, campaign);
    }
}
