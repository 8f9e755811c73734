#include "engine/campaign_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/state.h"

/* A cell while it is being planned. */
struct draft {
    struct planned_cell cell;
    uint32_t job;   /* place in `jobs` */
    uint32_t order; /* in which it was found */
    uint32_t position;
};

struct planner {
    const struct campaign_request *request;
    const struct campaign_job *jobs;
    size_t job_count;
    struct arena *arena;
    uint32_t *rank; /* by place of the job: behind those that it depends on */
    struct draft *drafts;
    size_t count, cap;
    struct draft **by_position;
    struct draft ***of_job; /* by planned time, then position */
    size_t *of_job_count;
    size_t links;
    struct err *err;
};

/* ---- schedules ---- */

void campaign_job_schedule(struct campaign_job *job, struct zone *zone)
{
    const struct schedule *schedule = job->def->details.schedule;
    struct cron_error ignored;
    if (schedule && zone && cron_parse(schedule->quartz_cron_expression, &job->cron, &ignored))
        job->zone = zone;
}

bool campaign_previous(const struct campaign_job *job, int64_t before_ms, int64_t *ret_ms)
{
    return job->zone && cron_previous(&job->cron, job->zone, before_ms, ret_ms);
}

/* ---- cells ---- */

static enum err_code too_many(struct planner *planner)
{
    return err_set(planner->err, ERR_INVALID_PARAMETER,
                   "the range has too many instances: a campaign has at most %d",
                   CAMPAIGN_MAX_CELLS);
}

static enum err_code add_cell(struct planner *planner, uint32_t job, int64_t plan_ms,
                              const struct uuid *run, const char *skip)
{
    if (planner->count == CAMPAIGN_MAX_CELLS)
        return too_many(planner);
    GROW(planner->drafts, planner->count, planner->cap);
    planner->drafts[planner->count] = (struct draft){
        .cell = {.job = planner->jobs[job].row.key, .plan_ms = plan_ms, .skip = skip},
        .job = job,
        .order = (uint32_t)planner->count,
    };
    if (run)
        planner->drafts[planner->count].cell.run = *run;
    planner->count++;
    return ERR_OK;
}

/* RULES §10: what may not be rerun, and why; NULL: it may. */
static const char *unfit(const struct run_row *run, struct arena *arena)
{
    if (run->instance_type == INSTANCE_MANUAL)
        return "Not rerun: it was started by hand, for no planned time";
    if (run->state == STATE_SKIPPED)
        return "Not rerun: it was skipped, nothing of it has run";
    if (!state_is_final(run->state))
        return arena_printf(arena, "Not rerun: it was %s when the campaign was made",
                            state_name(run->state));
    return NULL;
}

static enum err_code add_instances(struct planner *planner, uint32_t place)
{
    const struct campaign_job *job = &planner->jobs[place];
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < job->run_count && !code; i++) {
        const struct run_row *run = &job->runs[i];
        if (planner->request->set == CAMPAIGN_UNSUCCESSFUL && run->state == STATE_SUCCESS)
            continue;
        code = add_cell(planner, place, run->plan_ms, &run->key, unfit(run, planner->arena));
    }
    return code;
}

/* Is there an instance of that planned time? `*at` goes along with the runs. */
static bool has_instance(const struct campaign_job *job, int64_t plan_ms, size_t *at)
{
    while (*at < job->run_count && job->runs[*at].plan_ms < plan_ms)
        ++*at;
    for (size_t i = *at; i < job->run_count && job->runs[i].plan_ms == plan_ms; i++)
        if (job->runs[i].instance_type != INSTANCE_MANUAL &&
            job->runs[i].instance_type != INSTANCE_SUB_JOB)
            return true;
    return false;
}

static enum err_code add_slots(struct planner *planner, uint32_t place)
{
    const struct campaign_request *request = planner->request;
    const struct campaign_job *job = &planner->jobs[place];
    bool missing = request->kind == CAMPAIGN_RERUN;
    int64_t since_ms = INT64_MIN, end_ms = request->end_ms, plan_ms;
    size_t at = 0;
    if (!job->zone)
        return err_set(planner->err, ERR_INVALID_PARAMETER,
                       "job %s has no schedule, so nothing says when it should have run",
                       job->row.name);
    if (missing) {
        const struct schedule *schedule = job->def->details.schedule;
        if (schedule->start_ms != FIELD_NULL)
            since_ms = schedule->start_ms - 1;
        if (schedule->end_ms != FIELD_NULL && end_ms > schedule->end_ms)
            end_ms = schedule->end_ms;
        if (end_ms > job->decided_ms)
            end_ms = job->decided_ms;
    }
    enum err_code code = ERR_OK;
    bool more =
        cron_next_since(&job->cron, job->zone, since_ms, request->begin_ms, end_ms, &plan_ms);
    while (more && !code) {
        if (!missing || !has_instance(job, plan_ms, &at))
            code = add_cell(planner, place, plan_ms, NULL, NULL);
        more = cron_next_until(&job->cron, job->zone, plan_ms, end_ms, &plan_ms);
    }
    return code;
}

static enum err_code find_cells(struct planner *planner)
{
    const struct campaign_request *request = planner->request;
    bool new_ones = request->kind == CAMPAIGN_SUPPLEMENT || request->set == CAMPAIGN_MISSING;
    enum err_code code = ERR_OK;
    for (uint32_t i = 0; i < planner->job_count && !code; i++)
        code = new_ones ? add_slots(planner, i) : add_instances(planner, i);
    return code;
}

/* ---- order ---- */

static int64_t place_of(const struct planner *planner, const struct job_dependency *dependency)
{
    struct uuid key;
    if (!uuid_parse(dependency->job_key, &key))
        return -1;
    for (size_t i = 0; i < planner->job_count; i++)
        if (uuid_equal(&planner->jobs[i].row.key, &key))
            return (int64_t)i;
    return -1;
}

static bool waits_for_unranked(const struct planner *planner, size_t place)
{
    const struct field_list *list = &planner->jobs[place].def->details.dependencies;
    const struct job_dependency *items = list->items;
    for (size_t i = 0; i < list->count; i++) {
        int64_t upstream = place_of(planner, &items[i]);
        if (upstream >= 0 && planner->rank[upstream] == UINT32_MAX)
            return true;
    }
    return false;
}

/* Always the first named one that waits for nobody; of a cycle, which saving refuses, the first. */
static void rank_jobs(struct planner *planner)
{
    size_t count = planner->job_count;
    for (size_t i = 0; i < count; i++)
        planner->rank[i] = UINT32_MAX;
    for (uint32_t next = 0; next < count; next++) {
        size_t chosen = count;
        for (size_t i = 0; i < count && chosen == count; i++)
            if (planner->rank[i] == UINT32_MAX && !waits_for_unranked(planner, i))
                chosen = i;
        for (size_t i = 0; i < count && chosen == count; i++)
            if (planner->rank[i] == UINT32_MAX)
                chosen = i;
        planner->rank[chosen] = next;
    }
}

static int compare_drafts(const void *a, const void *b, void *context)
{
    const struct draft *x = *(const struct draft *const *)a;
    const struct draft *y = *(const struct draft *const *)b;
    const struct planner *planner = context;
    if (x->cell.plan_ms != y->cell.plan_ms)
        return (x->cell.plan_ms < y->cell.plan_ms) != planner->request->reverse ? -1 : 1;
    if (planner->rank[x->job] != planner->rank[y->job])
        return planner->rank[x->job] < planner->rank[y->job] ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void put_in_order(struct planner *planner)
{
    planner->by_position = ARENA_ARRAY(planner->arena, planner->count, struct draft *);
    for (size_t i = 0; i < planner->count; i++)
        planner->by_position[i] = &planner->drafts[i];
    if (planner->count)
        qsort_r(planner->by_position, planner->count, sizeof(struct draft *), compare_drafts,
                planner);
    for (uint32_t i = 0; i < planner->count; i++)
        planner->by_position[i]->position = i;
    planner->of_job = ARENA_ARRAY(planner->arena, planner->job_count, struct draft **);
    planner->of_job_count = ARENA_ARRAY(planner->arena, planner->job_count, size_t);
    for (size_t i = 0; i < planner->count; i++)
        planner->of_job_count[planner->drafts[i].job]++;
    for (size_t j = 0; j < planner->job_count; j++) {
        planner->of_job[j] = ARENA_ARRAY(planner->arena, planner->of_job_count[j], struct draft *);
        planner->of_job_count[j] = 0;
    }
    /* They were found by planned time. */
    for (size_t i = 0; i < planner->count; i++) {
        struct draft *draft = &planner->drafts[i];
        planner->of_job[draft->job][planner->of_job_count[draft->job]++] = draft;
    }
}

/* ---- links ---- */

/* The first of the job's cells whose planned time is not before that. */
static size_t cells_from(const struct planner *planner, size_t job, int64_t plan_ms)
{
    size_t low = 0, high = planner->of_job_count[job];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (planner->of_job[job][middle]->cell.plan_ms < plan_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Before everything: what has no previous planned time. */
static int64_t previous_time(const struct planner *planner, size_t job, int64_t plan_ms)
{
    int64_t found;
    if (plan_ms == INT64_MIN)
        return INT64_MIN;
    if (planner->jobs[job].zone)
        return campaign_previous(&planner->jobs[job], plan_ms, &found) ? found : INT64_MIN;
    size_t at = cells_from(planner, job, plan_ms);
    return at > 0 ? planner->of_job[job][at - 1]->cell.plan_ms : INT64_MIN;
}

static int compare_positions(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct links {
    uint32_t *items;
    size_t count, cap;
};

/* Cells of `job` planned in [from, to]. */
static void add_links(struct planner *planner, struct links *links, size_t job, int64_t from_ms,
                      int64_t to_ms)
{
    for (size_t i = cells_from(planner, job, from_ms); i < planner->of_job_count[job]; i++) {
        const struct draft *draft = planner->of_job[job][i];
        if (draft->cell.plan_ms > to_ms || planner->links > CAMPAIGN_MAX_LINKS)
            return;
        GROW(links->items, links->count, links->cap);
        links->items[links->count++] = draft->position;
        planner->links++;
    }
}

static const char *links_text(const struct planner *planner, struct links *links)
{
    enum { LINKS_MAX_BYTES = CAMPAIGN_MAX_LINKS * 8 };
    struct buf text;
    if (links->count)
        qsort(links->items, links->count, sizeof *links->items, compare_positions);
    buf_init(&text, LINKS_MAX_BYTES);
    buf_putc(&text, '[');
    for (size_t i = 0; i < links->count; i++)
        if (i == 0 || links->items[i] != links->items[i - 1])
            buf_printf(&text, "%s%u", i ? "," : "", links->items[i]);
    buf_putc(&text, ']');
    const char *json = arena_memdup(planner->arena, text.data, text.len);
    buf_release(&text);
    return json;
}

static int64_t after(int64_t time_ms)
{
    return time_ms == INT64_MIN ? INT64_MIN : time_ms + 1;
}

static void link_cell(struct planner *planner, struct draft *draft)
{
    const struct job_details *details = &planner->jobs[draft->job].def->details;
    const struct job_dependency *items = details->dependencies.items;
    struct links needs = {0}, follows = {0};
    bool waits = details->dependencies.count > 0 || details->depends_on_previous_run == 1;
    int64_t plan_ms = draft->cell.plan_ms;
    int64_t previous = waits ? previous_time(planner, draft->job, plan_ms) : 0;
    for (size_t i = 0; i < details->dependencies.count; i++) {
        int64_t job = place_of(planner, &items[i]);
        if (job < 0)
            continue;
        struct links *links = items[i].fail_policy == DEPENDENCY_IGNORE ? &follows : &needs;
        if (items[i].period != PERIOD_PRE)
            add_links(planner, links, (size_t)job, after(previous), plan_ms);
        else if (previous != INT64_MIN)
            add_links(planner, links, (size_t)job,
                      after(previous_time(planner, draft->job, previous)), previous);
    }
    if (details->depends_on_previous_run == 1 && previous != INT64_MIN)
        add_links(planner, &needs, draft->job, previous, plan_ms - 1);
    draft->cell.needs = links_text(planner, &needs);
    draft->cell.follows = links_text(planner, &follows);
    free(needs.items);
    free(follows.items);
}

/* ---- all of it ---- */

static enum err_code plan(struct planner *planner, struct campaign_plan *ret)
{
    enum err_code code = find_cells(planner);
    if (code)
        return code;
    rank_jobs(planner);
    put_in_order(planner);
    for (size_t i = 0; i < planner->count; i++)
        link_cell(planner, planner->by_position[i]);
    if (planner->links > CAMPAIGN_MAX_LINKS)
        return err_set(planner->err, ERR_INVALID_PARAMETER,
                       "the instances of the range depend on each other in more than %d ways",
                       CAMPAIGN_MAX_LINKS);
    struct planned_cell *cells = ARENA_ARRAY(planner->arena, planner->count, struct planned_cell);
    struct uuid *keys = ARENA_ARRAY(planner->arena, planner->job_count, struct uuid);
    const char **names = ARENA_ARRAY(planner->arena, planner->job_count, const char *);
    struct campaign_plan made = {.jobs = keys,
                                 .job_names = names,
                                 .job_count = planner->job_count,
                                 .cells = cells,
                                 .cell_count = planner->count};
    for (size_t i = 0; i < planner->count; i++) {
        cells[i] = planner->by_position[i]->cell;
        made.skip_count += cells[i].skip != NULL;
    }
    for (size_t i = 0; i < planner->job_count; i++) {
        keys[i] = planner->jobs[i].row.key;
        names[i] = arena_strdup(planner->arena, planner->jobs[i].row.name);
    }
    if (made.skip_count == made.cell_count)
        return err_set(planner->err, ERR_INCORRECT_STATE, "Job %s have no instances to rerun",
                       names[0]);
    *ret = made;
    return ERR_OK;
}

enum err_code campaign_plan_make(const struct campaign_request *request,
                                 const struct campaign_job *jobs, size_t job_count,
                                 struct arena *arena, struct campaign_plan *ret, struct err *err)
{
    struct planner planner = {
        .request = request,
        .jobs = jobs,
        .job_count = job_count,
        .arena = arena,
        .rank = ARENA_ARRAY(arena, job_count, uint32_t),
        .err = err,
    };
    enum err_code code = plan(&planner, ret);
    free(planner.drafts);
    return code;
}
