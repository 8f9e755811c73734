/*
 * What concerns many runs at once, done in parts: a step does so much of it, and as long as some is
 * left the engine's next deadline has passed already, so that a TIMER follows at once.
 *
 * Maintenance (RULES §1): while the server drains, runs that are PENDING or RUNNING are paused; at the
 * next start they go on. Sweeps: all active runs of a job are cancelled (cancelJobRuns). What is to
 * be swept stands in the job's row, so that a sweep outlives a crash; runs and repairs that are asked
 * for later are not touched by it.
 */
#include "engine/internal.h"

/* ---- maintenance ---- */

static bool is_due(const struct engine *engine, const struct erun *run)
{
    enum state state = run->row.state;
    return engine->is_draining ? state == STATE_PENDING || state == STATE_RUNNING
                               : state == STATE_PAUSED_MAINTENANCE;
}

void maintenance_note(struct engine *engine, struct erun *run)
{
    list_remove(&run->maintenance);
    if (is_due(engine, run))
        list_append(&engine->maintenance, &run->maintenance);
}

void maintenance_begin(struct engine *engine)
{
    size_t cursor = 0;
    engine->is_draining = true;
    for (struct erun *run; (run = uuid_map_next(&engine->runs, &cursor));)
        maintenance_note(engine, run);
}

void maintenance_end(struct step *step, struct erun *run)
{
    if (run->row.state != STATE_PAUSED_MAINTENANCE)
        return;
    bool had_started = run->repair.start_ms != FIELD_NULL;
    const char *reason = run->row.is_suspended ? policy_suspended(&step->fx->arena, run)
                         : had_started         ? "Running"
                                               : "Waiting for the first task to start";
    run_move(step, run, had_started ? STATE_RUNNING : STATE_PENDING, reason, NULL);
    run_evaluate(step, run);
}

static void maintain(struct step *step, struct erun *run)
{
    if (!step->engine->is_draining)
        maintenance_end(step, run);
    else
        run_move(step, run, STATE_PAUSED_MAINTENANCE,
                 "Paused: the server is being stopped, nothing new starts until it is back", NULL);
}

/* ---- sweeps ---- */

bool sweep_covers(const struct ejob *job, const struct erun *run)
{
    if (job->row.cancel_number == FIELD_NULL || run->row.number > job->row.cancel_number)
        return false;
    return run->row.repair_number == 0 || run->repair.requested_ms <= job->row.cancel_ms;
}

static struct erun *next_covered(const struct ejob *job)
{
    /* The queue first: what is cancelled there never gets the slots that become free. */
    const struct list *const lists[] = {&job->held.runs, &job->queue.runs, &job->repairs.runs,
                                        &job->holders};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        LIST_EACH (lists[i], node) {
            struct erun *run = LIST_ITEM(node, struct erun, of_job);
            if (sweep_covers(job, run) && run->row.state != STATE_CANCELING)
                return run;
        }
    return NULL;
}

static void sweep_end(struct step *step, struct ejob *job)
{
    struct engine *engine = step->engine;
    list_remove(&job->sweep);
    job->row.cancel_number = job->row.cancel_ms = FIELD_NULL;
    set_text(engine, &job->row.cancel_by, NULL);
    track(engine, &job->tracked);
    if (!list_is_linked(&job->freed))
        list_append(&engine->freed, &job->freed); /* the queue has waited for this */
}

static void sweep_one(struct step *step, struct ejob *job)
{
    struct erun *run = next_covered(job);
    if (!run) {
        sweep_end(step, job);
        return;
    }
    run_stop(step, run, STATE_CANCELED,
             arena_printf(&step->fx->arena, "Canceled by %s, with all runs of the job",
                          job->row.cancel_by));
}

void sweep_begin(struct step *step, struct ejob *job, const char *by)
{
    struct engine *engine = step->engine;
    job->row.cancel_number = engine->workspace.last_run_number;
    job->row.cancel_ms = step->now_ms;
    set_text(engine, &job->row.cancel_by, by);
    track(engine, &job->tracked);
    if (!list_is_linked(&job->sweep))
        list_append(&engine->sweeps, &job->sweep);
}

/* ---- in parts ---- */

bool chores_left(const struct engine *engine)
{
    return !list_is_empty(&engine->maintenance) || !list_is_empty(&engine->sweeps);
}

void chores_do_one(struct step *step)
{
    struct engine *engine = step->engine;
    if (!list_is_empty(&engine->sweeps)) {
        sweep_one(step, LIST_ITEM(engine->sweeps.next, struct ejob, sweep));
        return;
    }
    maintain(step, LIST_ITEM(list_take(&engine->maintenance), struct erun, maintenance));
}
