#include "engine/campaign_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/state.h"

/* A cell while it is being planned. */
struct draft {
    struct planned_cell cell;
    uint32_t job;   /* place in `jobs` */
    uint32_t order; /* in which it was found */
    uint32_t position;
};

/* Planned times of a job that is not rerun, both included. */
struct stretch {
    int64_t from_ms, to_ms;
    bool is_there;
};

struct planner {
    const struct campaign_request *request;
    const struct campaign_job *jobs; /* those of the campaign, then those between them */
    size_t job_count;
    size_t known_count;
    /* By place of a job and of its dependency: the place of the other, or NOWHERE. */
    uint32_t **upstream;
    bool *reaches;     /* [known][job]: does it depend on that, perhaps by way of others? */
    uint32_t *between; /* places of jobs not rerun, with cells above them: downstream first */
    size_t between_count;
    /* By place, less job_count: of what must have succeeded, of what must have ended */
    struct stretch *stretches[2];
    struct arena *arena;
    uint32_t *rank; /* by place of the job: behind those that it depends on */
    struct draft *drafts;
    size_t count, cap;
    struct draft **by_position;
    struct draft ***of_job; /* by planned time, then position */
    size_t *of_job_count;
    size_t links, passes;
    struct err *err;
};
enum { NOWHERE = UINT32_MAX };

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
        bool is_there = has_instance(job, plan_ms, &at);
        if (!missing || !is_there)
            code = add_cell(planner, place, plan_ms, NULL, NULL);
        if (!missing && !code)
            planner->drafts[planner->count - 1].cell.is_double = is_there;
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

/* ---- who depends on whom ---- */

static const struct field_list *dependencies_of(const struct planner *planner, size_t place)
{
    return &planner->jobs[place].def->details.dependencies;
}

static void find_upstream(struct planner *planner)
{
    struct uuid_map places;
    uuid_map_init(&places);
    for (size_t i = 0; i < planner->known_count; i++)
        uuid_map_put(&places, &planner->jobs[i].row.key, (void *)(uintptr_t)(i + 1));
    planner->upstream = ARENA_ARRAY(planner->arena, planner->known_count, uint32_t *);
    for (size_t i = 0; i < planner->known_count; i++) {
        const struct field_list *list = dependencies_of(planner, i);
        const struct job_dependency *items = list->items;
        planner->upstream[i] = ARENA_ARRAY(planner->arena, list->count, uint32_t);
        for (size_t n = 0; n < list->count; n++) {
            struct uuid key;
            void *place = uuid_parse(items[n].job_key, &key) ? uuid_map_get(&places, &key) : NULL;
            planner->upstream[i][n] = place ? (uint32_t)(uintptr_t)place - 1 : NOWHERE;
        }
    }
    uuid_map_release(&places);
}

/* Every place behind those that its job depends on. Of a cycle, which saving refuses, one link is passed over. */
static uint32_t *upstream_first(const struct planner *planner)
{
    size_t count = planner->known_count, depth = 0, found = 0;
    uint32_t *order = ARENA_ARRAY(planner->arena, count, uint32_t);
    uint32_t *stack = ARENA_ARRAY(planner->arena, count, uint32_t);
    size_t *next = ARENA_ARRAY(planner->arena, count, size_t); /* dependency to look at, by place */
    bool *seen = ARENA_ARRAY(planner->arena, count, bool);
    for (uint32_t i = 0; i < count; i++) {
        if (!seen[i])
            stack[depth++] = i;
        seen[i] = true;
        while (depth) {
            uint32_t place = stack[depth - 1];
            if (next[place] == dependencies_of(planner, place)->count) {
                order[found++] = place;
                depth--;
                continue;
            }
            uint32_t up = planner->upstream[place][next[place]++];
            if (up == NOWHERE || seen[up])
                continue;
            seen[up] = true;
            stack[depth++] = up;
        }
    }
    return order;
}

static void add_reached(struct planner *planner, size_t place, size_t up)
{
    bool *reached = &planner->reaches[place * planner->job_count];
    const bool *by_way = &planner->reaches[up * planner->job_count];
    for (size_t job = 0; job < planner->job_count; job++)
        reached[job] |= by_way[job] || up == job;
}

static void find_between(struct planner *planner)
{
    const uint32_t *order = upstream_first(planner);
    size_t most = planner->known_count - planner->job_count;
    planner->reaches = ARENA_ARRAY(planner->arena, planner->known_count * planner->job_count, bool);
    for (size_t i = 0; i < planner->known_count; i++)
        for (size_t n = 0; n < dependencies_of(planner, order[i])->count; n++)
            if (planner->upstream[order[i]][n] != NOWHERE)
                add_reached(planner, order[i], planner->upstream[order[i]][n]);
    planner->between = ARENA_ARRAY(planner->arena, most, uint32_t);
    for (size_t i = planner->known_count; i-- > 0;)
        if (order[i] >= planner->job_count && planner->jobs[order[i]].zone &&
            memchr(&planner->reaches[order[i] * planner->job_count], true, planner->job_count))
            planner->between[planner->between_count++] = order[i];
    for (size_t i = 0; i < ARRAY_LEN(planner->stretches); i++)
        planner->stretches[i] = ARENA_ARRAY(planner->arena, most, struct stretch);
}

/* ---- order ---- */

static bool waits_for_unranked(const struct planner *planner, size_t place)
{
    for (size_t job = 0; job < planner->job_count; job++)
        if (planner->reaches[place * planner->job_count + job] && planner->rank[job] == UINT32_MAX)
            return true;
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

/* What a cell waits for, while that is being found. */
struct waits {
    struct links needs, follows;
};

/* Planned times of `up` are waited for: cells, or what stands above it in turn. */
static void wait_for(struct planner *planner, struct waits *waits, uint32_t up, bool must_succeed,
                     int64_t from_ms, int64_t to_ms)
{
    if (up < planner->job_count) {
        add_links(planner, must_succeed ? &waits->needs : &waits->follows, up, from_ms, to_ms);
        return;
    }
    struct stretch *stretch = &planner->stretches[must_succeed ? 0 : 1][up - planner->job_count];
    bool is_first = !stretch->is_there;
    stretch->is_there = true;
    if (is_first || from_ms < stretch->from_ms)
        stretch->from_ms = from_ms;
    if (is_first || to_ms > stretch->to_ms)
        stretch->to_ms = to_ms;
}

/* What the job's planned times from `first_ms` to `last_ms` wait for, one behind the other: the windows join. */
static void wait_above(struct planner *planner, struct waits *waits, size_t job, bool must_succeed,
                       int64_t first_ms, int64_t last_ms)
{
    const struct field_list *list = dependencies_of(planner, job);
    const struct job_dependency *items = list->items;
    if (!list->count)
        return;
    int64_t before_first = previous_time(planner, job, first_ms);
    int64_t before_last = first_ms == last_ms ? before_first : previous_time(planner, job, last_ms);
    for (size_t i = 0; i < list->count; i++) {
        uint32_t up = planner->upstream[job][i];
        bool must = must_succeed && items[i].fail_policy != DEPENDENCY_IGNORE;
        if (up == NOWHERE)
            continue;
        if (items[i].period != PERIOD_PRE)
            wait_for(planner, waits, up, must, after(before_first), last_ms);
        else if (before_last != INT64_MIN)
            wait_for(planner, waits, up, must, after(previous_time(planner, job, before_first)),
                     before_last);
    }
}

/* The first and the last planned time of a stretch; false: it has none. */
static bool times_of(struct planner *planner, const struct campaign_job *job,
                     const struct stretch *stretch, int64_t *ret_first, int64_t *ret_last)
{
    planner->passes++;
    if (!campaign_previous(job, stretch->to_ms + 1, ret_last) || *ret_last < stretch->from_ms)
        return false;
    if (stretch->from_ms == INT64_MIN)
        *ret_first = INT64_MIN;
    else if (!cron_next_since(&job->cron, job->zone, INT64_MIN, stretch->from_ms, *ret_last,
                              ret_first))
        *ret_first = *ret_last;
    return true;
}

/* By way of jobs that are not rerun. */
static void wait_beyond(struct planner *planner, struct waits *waits)
{
    for (size_t i = 0; i < planner->between_count; i++) {
        uint32_t place = planner->between[i];
        for (size_t kind = 0; kind < ARRAY_LEN(planner->stretches); kind++) {
            struct stretch *stretch = &planner->stretches[kind][place - planner->job_count];
            int64_t first, last;
            if (stretch->is_there && planner->passes < CAMPAIGN_MAX_PASSES &&
                times_of(planner, &planner->jobs[place], stretch, &first, &last))
                wait_above(planner, waits, place, kind == 0, first, last);
            stretch->is_there = false;
        }
    }
}

static void link_cell(struct planner *planner, struct draft *draft)
{
    const struct job_details *details = &planner->jobs[draft->job].def->details;
    struct waits waits = {0};
    int64_t plan_ms = draft->cell.plan_ms;
    wait_above(planner, &waits, draft->job, true, plan_ms, plan_ms);
    wait_beyond(planner, &waits);
    if (details->depends_on_previous_run == 1) {
        int64_t previous = previous_time(planner, draft->job, plan_ms);
        if (previous != INT64_MIN)
            add_links(planner, &waits.needs, draft->job, previous, plan_ms - 1);
    }
    draft->cell.needs = links_text(planner, &waits.needs);
    draft->cell.follows = links_text(planner, &waits.follows);
    free(waits.needs.items);
    free(waits.follows.items);
}

/* ---- all of it ---- */

static enum err_code plan(struct planner *planner, struct campaign_plan *ret)
{
    enum err_code code = find_cells(planner);
    if (code)
        return code;
    find_upstream(planner);
    find_between(planner);
    rank_jobs(planner);
    put_in_order(planner);
    for (size_t i = 0; i < planner->count; i++)
        link_cell(planner, planner->by_position[i]);
    if (planner->passes >= CAMPAIGN_MAX_PASSES)
        return err_set(planner->err, ERR_INVALID_PARAMETER,
                       "too many jobs stand between those of the campaign for a range of so many "
                       "instances: take a shorter one");
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
                                 size_t known_count, struct arena *arena, struct campaign_plan *ret,
                                 struct err *err)
{
    struct planner planner = {
        .request = request,
        .jobs = jobs,
        .job_count = job_count,
        .known_count = known_count,
        .arena = arena,
        .rank = ARENA_ARRAY(arena, job_count, uint32_t),
        .err = err,
    };
    enum err_code code = plan(&planner, ret);
    free(planner.drafts);
    return code;
}
