#include "server/campaigns.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "engine/campaign_plan.h"

/* What is found, one by one; definitions and zones are held until the plan is made. */
struct search {
    const struct campaign_sources *sources;
    struct store_reader *reader;
    const struct campaign_request *request;
    struct arena *arena;
    struct campaign_job *jobs; /* the campaign's, then those that perhaps stand between them */
    struct job_def **defs;
    size_t count, cap, def_cap;
    size_t own_count;
    struct uuid_map found;
    struct err *err;
};

static enum err_code unreadable(const struct search *search)
{
    return err_set(search->err, ERR_UNAVAILABLE, "the store cannot be read at the moment");
}

/* Takes over one reference of `def`. */
static void keep_job(struct search *search, const struct job_row *row, struct job_def *def)
{
    GROW(search->jobs, search->count, search->cap);
    GROW(search->defs, search->count, search->def_cap);
    search->jobs[search->count] = (struct campaign_job){.row = *row, .def = def};
    search->defs[search->count] = def;
    uuid_map_put(&search->found, &row->key, def);
    search->count++;
}

/* Of the campaign. The same. */
static enum err_code add_job(struct search *search, const struct job_row *row, struct job_def *def)
{
    if (search->count == CAMPAIGN_MAX_JOBS) {
        job_def_unref(def);
        return err_set(search->err, ERR_INVALID_PARAMETER, "a campaign has at most %d jobs",
                       CAMPAIGN_MAX_JOBS);
    }
    keep_job(search, row, def);
    return ERR_OK;
}

static enum err_code find_job(struct search *search, const struct uuid *key)
{
    char text[UUID_TEXT];
    struct job_row row;
    const struct campaign_sources *sources = search->sources;
    if (uuid_map_get(&search->found, key))
        return ERR_OK;
    if (!store_get_job(search->reader, sources->workspace, key, search->arena, &row) ||
        row.deleted_ms != FIELD_NULL) {
        if (store_reader_failed(search->reader))
            return unreadable(search);
        bool is_named = search->count > 0 && !uuid_is_nil(key); /* nil: it is no key at all */
        return !is_named ? err_set(search->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                                   "Job not found or not allowed")
                         : err_set(search->err, ERR_NOT_AUTHORIZED_OR_NOT_FOUND,
                                   "Job %s not found or not allowed", uuid_format(key, text));
    }
    struct job_def *def =
        defs_get(sources->defs, search->reader, sources->workspace, key, row.version);
    return def ? add_job(search, &row, def) : unreadable(search);
}

/* ---- downstream ---- */

static bool depends_on_found(const struct search *search, const struct job_def *def)
{
    const struct job_dependency *items = def->details.dependencies.items;
    for (size_t i = 0; i < def->details.dependencies.count; i++) {
        struct uuid key;
        if (uuid_parse(items[i].job_key, &key) && uuid_map_get(&search->found, &key))
            return true;
    }
    return false;
}

/* One pass over all jobs of the workspace. *ret_added becomes true where one was added, on which others may
 * depend in turn. */
static enum err_code add_dependents(struct search *search, bool *ret_added)
{
    enum { PAGE = 200 };
    const struct job_filter every = {0};
    const struct list_order order = {.sort = SORT_TIME_CREATED, .ascending = true, .limit = PAGE};
    struct store_cursor cursor = {0};
    int64_t workspace = search->sources->workspace;
    enum err_code code = ERR_OK;
    for (bool more = true; more && !code;) {
        struct job_list list;
        store_list_jobs(search->reader, workspace, &every, &order, &cursor, search->arena, &list);
        for (size_t i = 0; i < list.count && !code; i++) {
            const struct job_row *row = &list.items[i];
            if (uuid_map_get(&search->found, &row->key))
                continue;
            struct job_def *def =
                defs_get(search->sources->defs, search->reader, workspace, &row->key, row->version);
            if (!def)
                return unreadable(search);
            if (!depends_on_found(search, def)) {
                job_def_unref(def);
                continue;
            }
            *ret_added = true;
            code = add_job(search, row, def);
        }
        more = list.more;
        cursor = list.next;
    }
    return code ? code : store_reader_failed(search->reader) ? unreadable(search) : ERR_OK;
}

/* ---- between ---- */

/* What a job depends on, where that is nobody of the campaign's: it may lead to one of them. */
static enum err_code add_upstream(struct search *search, const struct job_def *def)
{
    const struct campaign_sources *sources = search->sources;
    const struct job_dependency *items = def->details.dependencies.items;
    for (size_t i = 0; i < def->details.dependencies.count; i++) {
        struct uuid key;
        struct job_row row;
        if (!uuid_parse(items[i].job_key, &key) || uuid_map_get(&search->found, &key))
            continue;
        if (!store_get_job(search->reader, sources->workspace, &key, search->arena, &row) ||
            row.deleted_ms != FIELD_NULL) {
            if (store_reader_failed(search->reader))
                return unreadable(search);
            continue;
        }
        if (search->count - search->own_count == CAMPAIGN_MAX_BETWEEN)
            return err_set(search->err, ERR_INVALID_PARAMETER,
                           "the jobs of the campaign depend on more than %d others",
                           CAMPAIGN_MAX_BETWEEN);
        struct job_def *upstream =
            defs_get(sources->defs, search->reader, sources->workspace, &key, row.version);
        if (!upstream)
            return unreadable(search);
        keep_job(search, &row, upstream);
    }
    return ERR_OK;
}

/* One job alone has nobody between. */
static enum err_code find_between(struct search *search)
{
    enum err_code code = ERR_OK;
    search->own_count = search->count;
    for (size_t i = 0; i < search->count && search->own_count > 1 && !code; i++)
        code = add_upstream(search, search->defs[i]);
    return code;
}

/* ---- what is known of them ---- */

static enum err_code load_schedule(struct search *search, struct campaign_job *job)
{
    const struct schedule *schedule = job->def->details.schedule;
    const struct campaign_sources *sources = search->sources;
    struct zone *zone = NULL;
    struct err why = {0};
    if (schedule && zones_get(sources->zones, schedule->timezone_id, &zone, &why) &&
        why.code == ERR_UNAVAILABLE) {
        *search->err = why; /* it may have times; where the zone is unknown it has none */
        return why.code;
    }
    if (zone) {
        campaign_job_schedule(job, zone);
        if (!job->zone)
            zone_unref(zone);
    }
    return ERR_OK;
}

static enum err_code load_instances(struct search *search, struct campaign_job *job)
{
    const struct campaign_request *request = search->request;
    const struct campaign_sources *sources = search->sources;
    struct schedule_row row;
    struct run_row *runs = NULL;
    job->decided_ms = sources->now_ms;
    if (store_get_schedule(search->reader, sources->workspace, &job->row.key, search->arena,
                           &row) &&
        row.active == 1 && row.kind == SCHEDULE_CRON)
        job->decided_ms = row.cursor_ms;
    job->run_count = store_planned_runs(search->reader, sources->workspace, &job->row.key,
                                        request->begin_ms, request->end_ms, CAMPAIGN_MAX_CELLS + 1,
                                        search->arena, &runs);
    job->runs = runs;
    return store_reader_failed(search->reader) ? unreadable(search) : ERR_OK;
}

/* ---- the task to begin with ---- */

/* By one of these definitions an instance would be rerun: the job's newest, or else those of its runs. Those of neighbours are
 * mostly the same. */
static enum err_code has_task(const struct search *search, const struct campaign_job *job,
                              bool *ret_has)
{
    const struct campaign_sources *sources = search->sources;
    const char *task = search->request->task_key;
    int64_t looked_at = FIELD_NULL;
    if (search->request->version == CAMPAIGN_CURRENT) {
        *ret_has = job_def_find(job->def, task) >= 0;
        return ERR_OK;
    }
    *ret_has = false;
    for (size_t i = 0; i < job->run_count && !*ret_has; i++) {
        int64_t version = job->runs[i].definition_version;
        if (version == looked_at)
            continue;
        struct job_def *def =
            defs_get(sources->defs, search->reader, sources->workspace, &job->row.key, version);
        if (!def)
            return unreadable(search);
        *ret_has = job_def_find(def, task) >= 0;
        job_def_unref(def);
        looked_at = version;
    }
    return ERR_OK;
}

/* A task that is in no instance's definition would let every cell fail at its start: that is told before. */
static enum err_code check_task(const struct search *search)
{
    const struct campaign_request *request = search->request;
    bool found = false, has_runs = false;
    enum err_code code = ERR_OK;
    if (request->kind != CAMPAIGN_RERUN || request->set == CAMPAIGN_MISSING ||
        request->where != CAMPAIGN_FROM_NODE)
        return ERR_OK;
    for (size_t i = 0; i < search->own_count && !found && !code; i++) {
        has_runs |= search->jobs[i].run_count > 0;
        code = has_task(search, &search->jobs[i], &found);
    }
    if (code || found || !has_runs)
        return code;
    return err_set(search->err, ERR_INVALID_PARAMETER,
                   "taskKey: the definition of no instance has a task %.100s", request->task_key);
}

/* Names that a run would refuse, where it is known by which definition it runs: else every cell would fail at its start. */
static enum err_code check_parameters(const struct search *search)
{
    const struct campaign_request *request = search->request;
    const struct param_list *given = &request->parameters;
    bool by_newest = request->kind != CAMPAIGN_RERUN || request->set == CAMPAIGN_MISSING ||
                     request->version == CAMPAIGN_CURRENT;
    for (size_t i = 0; i < search->own_count && by_newest; i++) {
        struct err wrong;
        if (job_def_check_parameters(search->jobs[i].def, given->items, given->count, &wrong))
            return err_set(search->err, wrong.code, "job %.128s: %s", search->jobs[i].row.name,
                           wrong.message);
    }
    return ERR_OK;
}

static enum err_code search_all(struct search *search)
{
    const struct campaign_request *request = search->request;
    enum err_code code = find_job(search, &request->job);
    for (size_t i = 0; i < request->job_count && !code; i++)
        code = find_job(search, &request->jobs[i]);
    for (bool added = request->downstream; added && !code;) {
        added = false;
        code = add_dependents(search, &added);
    }
    if (!code)
        code = find_between(search);
    for (size_t i = 0; i < search->count && !code; i++)
        code = load_schedule(search, &search->jobs[i]);
    for (size_t i = 0; i < search->own_count && !code; i++)
        code = load_instances(search, &search->jobs[i]);
    if (!code)
        code = check_task(search);
    return code ? code : check_parameters(search);
}

enum err_code campaigns_plan(const struct campaign_sources *sources, struct store_reader *reader,
                             const struct campaign_request *request, struct arena *arena,
                             struct campaign_plan *ret, struct err *err)
{
    struct search search = {
        .sources = sources,
        .reader = reader,
        .request = request,
        .arena = arena,
        .err = err,
    };
    uuid_map_init(&search.found);
    enum err_code code = search_all(&search);
    if (!code)
        code = campaign_plan_make(request, search.jobs, search.own_count, search.count, arena, ret,
                                  err);
    for (size_t i = 0; i < search.count; i++) {
        zone_unref(search.jobs[i].zone);
        job_def_unref(search.defs[i]);
    }
    free(search.jobs);
    free(search.defs);
    uuid_map_release(&search.found);
    return code;
}
