/* What a campaign would consist of, before it is asked for: the plan that would go with the request. */
#include "api/extras/campaigns.h"
#include "api/oracle/run_source.h"

static struct campaign_plan_job_view *view_of_job(struct campaign_plan_job_view *views,
                                                  const struct campaign_plan *plan,
                                                  const struct uuid *job)
{
    for (size_t i = 0; i < plan->job_count; i++)
        if (uuid_equal(&plan->jobs[i], job))
            return &views[i];
    return NULL;
}

static void count_cell(struct campaign_plan_job_view *view, const struct planned_cell *cell)
{
    view->cells++;
    view->made += uuid_is_nil(&cell->run);
    view->skipped += cell->skip != NULL;
    if (view->first_ms == FIELD_NULL || cell->plan_ms < view->first_ms)
        view->first_ms = cell->plan_ms;
    if (view->last_ms == FIELD_NULL || cell->plan_ms > view->last_ms)
        view->last_ms = cell->plan_ms;
}

static struct campaign_cell_view view_of_cell(const struct planned_cell *cell, size_t position,
                                              const struct campaign_plan_job_view *job,
                                              struct arena *arena)
{
    bool is_new = uuid_is_nil(&cell->run);
    return (struct campaign_cell_view){
        .position = (int64_t)position,
        .job_key = job->job_key,
        .job_name = job->name,
        .plan_ms = cell->plan_ms,
        .state = cell->skip ? CELL_SKIPPED : CELL_WAITING,
        .message = cell->skip ? cell->skip
                   : is_new   ? "A new run"
                              : "Its run, again",
        .run_key = is_new ? NULL : key_text(&cell->run, arena),
        .repair_key = FIELD_NULL,
        .needs = cell->needs,
        .follows = cell->follows,
        .start_ms = FIELD_NULL,
        .finished_ms = FIELD_NULL,
    };
}

struct campaign_plan_view campaign_plan_view(const struct campaign_plan *plan, struct arena *arena)
{
    size_t shown = plan->cell_count < API_PAGE_MAX_LIMIT ? plan->cell_count : API_PAGE_MAX_LIMIT;
    struct campaign_plan_job_view *jobs =
        ARENA_ARRAY(arena, plan->job_count, struct campaign_plan_job_view);
    struct campaign_cell_view *cells = ARENA_ARRAY(arena, shown, struct campaign_cell_view);
    struct campaign_plan_view view = {
        .cells = (int64_t)plan->cell_count,
        .jobs = {jobs, plan->job_count},
        .first_cells = {cells, shown},
    };
    for (size_t i = 0; i < plan->job_count; i++)
        jobs[i] = (struct campaign_plan_job_view){.job_key = key_text(&plan->jobs[i], arena),
                                                  .name = plan->job_names[i],
                                                  .first_ms = FIELD_NULL,
                                                  .last_ms = FIELD_NULL};
    for (size_t i = 0; i < plan->cell_count; i++) {
        const struct planned_cell *cell = &plan->cells[i];
        struct campaign_plan_job_view *job = view_of_job(jobs, plan, &cell->job);
        count_cell(job, cell);
        view.doubles += cell->is_double;
        if (i < shown)
            cells[i] = view_of_cell(cell, i, job, arena);
    }
    for (size_t i = 0; i < plan->job_count; i++) {
        view.made += jobs[i].made;
        view.skipped += jobs[i].skipped;
    }
    return view;
}
