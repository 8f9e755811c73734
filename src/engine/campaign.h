/*
 * Campaigns as the engine keeps them (model/campaign.h). Included by src/engine only.
 *
 * Those that are not final are all here, from the start; others while a command needs them: one that
 * has FAILED comes with the run of a failed cell, and goes on when that is repaired. A cell
 * that stands for a run finds it by key: the run itself is here only while it is active, or wanted.
 * What a cell waits for follows from the states of the cells that it is linked to, and is looked up,
 * never counted; campaign_cells.c alone changes a cell's state, and what hangs on it.
 */
#pragma once

#include "engine/internal.h"
#include "model/campaign.h"

struct ecell {
    struct ecampaign *campaign;
    struct campaign_cell_row row; /* fixed strings in the campaign's arena */
    struct tracked tracked;
    const uint32_t *needs, *follows, *dependents; /* positions */
    uint32_t need_count, follow_count, dependent_count;
    struct heap_item ready;    /* in campaign->ready, by position: may start */
    struct list moved;         /* in campaign->moved: its dependents are not told yet */
    struct list review;        /* in campaign->reviews: something that it is linked to has moved */
    struct ecell *next_of_run; /* another cell that stands for the same run */
    bool is_of_run;            /* on engine->cells */
    bool is_taken;             /* WAITING at GATE_TAKEN: counted in campaign->taken */
    const char *job_name;
};

struct ecampaign {
    struct campaign_row row;
    struct tracked tracked;
    struct ecell *cells;
    uint32_t count;
    struct param_list parameters; /* of row.parameters */
    struct heap ready;
    struct list moved, reviews; /* empty but while cells move */
    size_t running;             /* cells in RUNNING */
    size_t failed;              /* in FAILED */
    size_t succeeded;
    size_t taken; /* cells that wait for nothing but what somebody else has started */
    /* In engine->campaigns_due: perhaps something is to be started, or all is done. */
    struct list due;
    struct list parked; /* in engine->campaigns_parked: rows are wanted */
    struct list done;   /* in engine->campaigns_done: final, to be let go after the commit */
    struct arena arena; /* what never moves */
};

/* ---- campaign.c: as objects ---- */
struct ecampaign *campaign_new(struct engine *engine, const struct campaign_row *row,
                               const struct campaign_cell_row *cells, size_t count);
/* Puts a campaign on the lists that its state asks for. */
void campaign_enlist(struct engine *engine, struct ecampaign *campaign);
/* Oldest first, however they came. */
void campaign_set_due(struct engine *engine, struct ecampaign *campaign);
/* The cell stands for that run from now on. */
void cell_set_run(struct engine *engine, struct ecell *cell, const struct uuid *run);
struct ecampaign *engine_campaign(const struct engine *engine, const struct uuid *key);

/* ---- campaign_cells.c: what cells do ---- */
/* TAKEN: those before it let it through, but somebody else has its run active, which the campaign has not started yet. */
enum cell_gate { GATE_OPEN, GATE_TAKEN, GATE_WAIT, GATE_BLOCKED };
/* May the cell start? `*ret_by`: which other one holds it up, or NULL. */
enum cell_gate cell_gate(const struct engine *engine, const struct ecell *cell,
                         const struct ecell **ret_by);
/* Puts the cell where its state and its gate belong: into the heap of those that may start, or the count of taken ones. */
void cell_place(struct ecell *cell, enum cell_gate gate);
/* Is there something to be started, or all that could be done? */
bool campaign_has_work(const struct ecampaign *campaign);
/* Finds what may start, and tells what may not why; of a campaign just made. */
void campaign_begin(struct step *step, struct ecampaign *campaign);
/* The only setter of a cell's state, but for those that failed and start again. */
void move_cell(struct step *step, struct ecell *cell, enum campaign_cell_state to,
               const char *message);
/* What failed starts again, what waited for it waits again. */
void campaign_restart_failed(struct step *step, struct ecampaign *campaign);
void move_campaign(struct step *step, struct ecampaign *campaign, enum campaign_state to,
                   const char *message);
