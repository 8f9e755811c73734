/* Campaigns as objects: made, loaded, let go; what the engine has of them. */
#include "engine/campaign.h"

#include <stdlib.h>
#include <string.h>

struct ecampaign *engine_campaign(const struct engine *engine, const struct uuid *key)
{
    return uuid_map_get(&engine->campaigns, key);
}

uint64_t engine_links_reviewed(const struct engine *engine)
{
    return engine->links_reviewed;
}

bool engine_has_campaign(const struct engine *engine, const struct uuid *key)
{
    return engine_campaign(engine, key) != NULL;
}

/* ---- links ---- */

/* The names that jobs had when the campaign was made. */
static void name_cells(struct ecampaign *campaign)
{
    struct campaign_jobs jobs = campaign_jobs_load(campaign->row.jobs, &campaign->arena);
    for (uint32_t i = 0; i < campaign->count; i++) {
        const char *name = campaign_job_name(&jobs, &campaign->cells[i].row.job);
        campaign->cells[i].job_name = name ? name : "?";
    }
}

/* Who is linked to whom, seen from the other end. */
static void link_dependents(struct ecampaign *campaign)
{
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < campaign->count; i++) {
            const struct ecell *cell = &campaign->cells[i];
            for (uint32_t n = 0; n < cell->need_count + cell->follow_count; n++) {
                uint32_t up = n < cell->need_count ? cell->needs[n]
                                                   : cell->follows[n - cell->need_count];
                struct ecell *upstream = &campaign->cells[up];
                if (pass == 1)
                    ((uint32_t *)(uintptr_t)upstream->dependents)[upstream->dependent_count] = i;
                upstream->dependent_count++;
            }
        }
        for (uint32_t i = 0; i < campaign->count && pass == 0; i++) {
            struct ecell *cell = &campaign->cells[i];
            cell->dependents = ARENA_ARRAY(&campaign->arena, cell->dependent_count, uint32_t);
            cell->dependent_count = 0;
        }
    }
}

/* ---- cells and runs ---- */

static bool comes_before(const struct ecell *a, const struct ecell *b)
{
    int order = uuid_compare(&a->row.campaign, &b->row.campaign);
    return order ? order < 0 : a->row.position < b->row.position;
}

/* In one order however they came, so that an engine made from the store does what this one does. */
void cell_set_run(struct engine *engine, struct ecell *cell, const struct uuid *run)
{
    cell->row.run = *run;
    if (uuid_is_nil(run) || cell->is_of_run)
        return;
    struct ecell *first = uuid_map_get(&engine->cells, run);
    if (!first || comes_before(cell, first)) {
        cell->next_of_run = first;
        uuid_map_put(&engine->cells, run, cell);
    } else {
        while (first->next_of_run && comes_before(first->next_of_run, cell))
            first = first->next_of_run;
        cell->next_of_run = first->next_of_run;
        first->next_of_run = cell;
    }
    cell->is_of_run = true;
}

void campaign_set_due(struct engine *engine, struct ecampaign *campaign)
{
    if (list_is_linked(&campaign->due) || list_is_linked(&campaign->parked))
        return;
    struct list *place = engine->campaigns_due.next;
    while (place != &engine->campaigns_due &&
           uuid_compare(&LIST_ITEM(place, struct ecampaign, due)->row.key, &campaign->row.key) < 0)
        place = place->next;
    list_insert_before(place, &campaign->due);
}

static void cell_forget_run(struct engine *engine, struct ecell *cell)
{
    if (!cell->is_of_run)
        return;
    struct ecell *first = uuid_map_get(&engine->cells, &cell->row.run);
    if (first == cell && !cell->next_of_run) {
        uuid_map_remove(&engine->cells, &cell->row.run);
    } else if (first == cell) {
        uuid_map_put(&engine->cells, &cell->row.run, cell->next_of_run);
    } else {
        while (first->next_of_run != cell)
            first = first->next_of_run;
        first->next_of_run = cell->next_of_run;
    }
    cell->next_of_run = NULL;
    cell->is_of_run = false;
}

/* ---- life ---- */

static void own_fixed(struct ecampaign *campaign)
{
    struct campaign_row *row = &campaign->row;
    const char **fixed[] = {
        &row->name,      &row->jobs, &row->task_key, &row->created_by, &row->created_by_name,
        &row->parameters};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        *fixed[i] = arena_strdup(&campaign->arena, *fixed[i]);
    row->message = row->message ? xstrdup(row->message) : NULL;
    campaign->parameters = params_load(row->parameters, &campaign->arena);
}

static void own_cell(struct ecampaign *campaign, struct ecell *cell,
                     const struct campaign_cell_row *row)
{
    struct arena *arena = &campaign->arena;
    cell->campaign = campaign;
    cell->row = *row;
    cell->row.needs = arena_strdup(arena, row->needs);
    cell->row.follows = arena_strdup(arena, row->follows);
    cell->row.message = row->message ? xstrdup(row->message) : NULL;
    cell->tracked = (struct tracked){.kind = ROW_CAMPAIGN_CELL, .row = &cell->row};
    cell->needs = campaign_positions_load(row->needs, campaign->count, arena, &cell->need_count);
    cell->follows =
        campaign_positions_load(row->follows, campaign->count, arena, &cell->follow_count);
    campaign->running += row->state == CELL_RUNNING;
    campaign->failed += row->state == CELL_FAILED;
    campaign->succeeded += row->state == CELL_SUCCESS;
}

struct ecampaign *campaign_new(struct engine *engine, const struct campaign_row *row,
                               const struct campaign_cell_row *cells, size_t count)
{
    struct ecampaign *campaign = xcalloc(1, sizeof *campaign);
    arena_init(&campaign->arena);
    campaign->row = *row;
    campaign->count = (uint32_t)count;
    campaign->cells = xcalloc(count, sizeof *campaign->cells);
    campaign->tracked = (struct tracked){.kind = ROW_CAMPAIGN, .row = &campaign->row};
    heap_init(&campaign->ready);
    list_init(&campaign->moved);
    list_init(&campaign->reviews);
    own_fixed(campaign);
    for (size_t i = 0; i < count; i++)
        own_cell(campaign, &campaign->cells[i], &cells[i]);
    name_cells(campaign);
    link_dependents(campaign);
    uuid_map_put(&engine->campaigns, &campaign->row.key, campaign);
    return campaign;
}

void campaign_enlist(struct engine *engine, struct ecampaign *campaign)
{
    bool final = campaign_is_final((enum campaign_state)campaign->row.state);
    bool is_over = final && campaign->row.state != CAMPAIGN_FAILED;
    list_remove(&campaign->done);
    if (final) {
        list_remove(&campaign->due);
        list_append(&engine->campaigns_done, &campaign->done);
    } else {
        campaign_set_due(engine, campaign);
    }
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        if (is_over)
            cell_forget_run(engine, cell);
        else
            cell_set_run(engine, cell, &cell->row.run);
    }
}

void engine_add_campaign(struct engine *engine, const struct campaign_row *row,
                         const struct campaign_cell_row *cells, size_t count)
{
    struct ecampaign *campaign = campaign_new(engine, row, cells, count);
    const struct ecell *ignored;
    campaign->tracked.is_stored = true;
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        cell->tracked.is_stored = true;
        cell_place(cell, cell_gate(engine, cell, &ignored));
    }
    campaign_enlist(engine, campaign);
    if (!campaign_has_work(campaign))
        list_remove(&campaign->due);
}

static void campaign_free(struct engine *engine, struct ecampaign *campaign)
{
    set_text(engine, &campaign->row.message, NULL);
    for (uint32_t i = 0; i < campaign->count; i++) {
        struct ecell *cell = &campaign->cells[i];
        cell_forget_run(engine, cell);
        set_text(engine, &cell->row.message, NULL);
        list_remove(&cell->tracked.link);
        list_remove(&cell->moved);
        list_remove(&cell->review);
    }
    list_remove(&campaign->tracked.link);
    list_remove(&campaign->due);
    list_remove(&campaign->parked);
    list_remove(&campaign->done);
    uuid_map_remove(&engine->campaigns, &campaign->row.key);
    heap_release(&campaign->ready);
    arena_release(&campaign->arena);
    free(campaign->cells);
    free(campaign);
}

void campaigns_free(struct engine *engine)
{
    size_t cursor = 0;
    for (struct ecampaign *campaign; (campaign = uuid_map_next(&engine->campaigns, &cursor));
         cursor = 0)
        campaign_free(engine, campaign);
    uuid_map_release(&engine->campaigns);
    uuid_map_release(&engine->cells);
}

void campaigns_init(struct engine *engine)
{
    uuid_map_init(&engine->campaigns);
    uuid_map_init(&engine->cells);
    list_init(&engine->campaigns_due);
    list_init(&engine->campaigns_parked);
    list_init(&engine->campaigns_done);
}

void campaigns_committed(struct engine *engine)
{
    LIST_EACH_SAFE (&engine->campaigns_done, node)
        campaign_free(engine, LIST_ITEM(node, struct ecampaign, done));
}

bool campaigns_left(const struct engine *engine)
{
    return !engine->is_draining && !list_is_empty(&engine->campaigns_due);
}

/* ---- invariants ---- */

static const char *check_cell(const struct engine *engine, const struct ecell *cell,
                              struct arena *arena)
{
    const struct ecell *ignored;
    const struct erun *run = engine_run(engine, &cell->row.run);
    bool active = run && !state_is_final(run->row.state);
    enum cell_gate gate = cell_gate(engine, cell, &ignored);
    bool waits = cell->row.state == CELL_WAITING;
    long long position = (long long)cell->row.position;
    if (cell->row.state == CELL_RUNNING && !active)
        return arena_printf(arena, "cell %lld is RUNNING and its run is not active", position);
    if (waits && gate == GATE_BLOCKED)
        return arena_printf(arena, "cell %lld waits and is blocked", position);
    if (cell->row.state == CELL_BLOCKED && gate != GATE_BLOCKED)
        return arena_printf(arena, "cell %lld is blocked by nobody", position);
    if ((cell->ready.place != 0) != (waits && gate == GATE_OPEN))
        return arena_printf(arena, "cell %lld: ready heap and state differ", position);
    if (cell->is_taken != (waits && gate == GATE_TAKEN))
        return arena_printf(arena, "cell %lld: whether somebody else has its run is not known",
                            position);
    return NULL;
}

const char *campaigns_validate(const struct engine *engine, struct arena *arena)
{
    size_t cursor = 0;
    for (const struct ecampaign *campaign;
         (campaign = uuid_map_next(&engine->campaigns, &cursor));) {
        size_t counts[CAMPAIGN_CELL_STATE_COUNT] = {0}, taken = 0;
        bool final = campaign_is_final((enum campaign_state)campaign->row.state);
        for (uint32_t i = 0; i < campaign->count; i++) {
            const char *problem = final ? NULL : check_cell(engine, &campaign->cells[i], arena);
            if (problem)
                return problem;
            counts[campaign->cells[i].row.state]++;
            taken += campaign->cells[i].is_taken;
        }
        if (counts[CELL_RUNNING] != campaign->running || counts[CELL_FAILED] != campaign->failed ||
            counts[CELL_SUCCESS] != campaign->succeeded || taken != campaign->taken)
            return "the cells of a campaign are miscounted";
        if (final != list_is_linked(&campaign->done))
            return "a campaign's done list and state differ";
        if (final && campaign->running)
            return "a campaign is final and a cell runs";
        if (!heap_validate(&campaign->ready))
            return "a campaign's ready heap is out of order";
        if (!final && !campaign->running && !campaign->ready.count && !campaign->taken &&
            campaign->row.state == CAMPAIGN_RUNNING && !list_is_linked(&campaign->due))
            return "a campaign was forgotten";
    }
    return list_is_empty(&engine->campaigns_parked) ? NULL
                                                    : "rows that a campaign wanted did not come";
}
