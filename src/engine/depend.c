/*
 * Jobs that depend on jobs (RULES §10, dependJobs): when a job is saved, what it depends on must exist
 * and not lead back to it. Everything upstream is gone through, so that the newest definitions never
 * form a cycle.
 */
#include <stdlib.h>

#include "engine/internal.h"

struct upstream {
    struct ejob *job;
    size_t through; /* the dependency of the definition that is saved */
};

struct upstream_walk {
    struct step *step;
    const struct uuid *self; /* NULL: the job has no key yet */
    struct upstream *found;
    size_t count, cap;
    struct uuid_map seen;
    bool is_waiting;
    struct err *err;
};

static enum nest_verdict refuse(const struct upstream_walk *walk, size_t through, const char *what)
{
    err_set(walk->err, ERR_INVALID_PARAMETER, "dependencies[%zu].jobKey %s", through, what);
    return NEST_REFUSED;
}

/* One dependency; `direct`: of the definition itself. */
static enum nest_verdict visit(struct upstream_walk *walk, const char *text, size_t through,
                               bool direct)
{
    struct uuid key;
    struct ejob *job = NULL;
    enum want_answer answer = uuid_parse(text, &key) ? want_job(walk->step, &key, &job)
                                                     : WANT_MISSING;
    if (answer == WANT_ASKED) {
        walk->is_waiting = true;
        return NEST_OK;
    }
    if (answer == WANT_MISSING || job->row.deleted_ms != FIELD_NULL)
        return direct ? refuse(walk, through, "names no job of the workspace") : NEST_OK;
    if (walk->self && uuid_equal(&key, walk->self))
        return refuse(walk, through,
                      direct ? "names the job itself: dependsOnPreviousRun says that"
                             : "names a job that depends on this one: a cycle");
    if (uuid_map_get(&walk->seen, &key))
        return NEST_OK;
    if (walk->count == DEF_MAX_NESTED_JOBS)
        return refuse(walk, through, "leads to too many jobs: at most 1,000 may stand before one");
    uuid_map_put(&walk->seen, &key, job);
    GROW(walk->found, walk->count, walk->cap);
    walk->found[walk->count++] = (struct upstream){job, through};
    return NEST_OK;
}

static enum nest_verdict visit_all(struct upstream_walk *walk, const struct job_def *def,
                                   const struct upstream *at)
{
    const struct field_list *list = &def->details.dependencies;
    const struct job_dependency *items = list->items;
    enum nest_verdict verdict = NEST_OK;
    for (size_t i = 0; i < list->count && verdict == NEST_OK; i++)
        verdict = visit(walk, items[i].job_key, at ? at->through : i, !at);
    return verdict;
}

enum nest_verdict depend_check_def(struct step *step, const struct job_def *def,
                                   const struct uuid *self, struct err *err)
{
    struct upstream_walk walk = {.step = step, .self = self, .err = err};
    uuid_map_init(&walk.seen);
    enum nest_verdict verdict = visit_all(&walk, def, NULL);
    for (size_t i = 0; i < walk.count && verdict == NEST_OK; i++) {
        const struct upstream at = walk.found[i]; /* the array moves as it grows */
        verdict = visit_all(&walk, at.job->def, &at);
    }
    uuid_map_release(&walk.seen);
    free(walk.found);
    return verdict == NEST_OK && walk.is_waiting ? NEST_WAIT : verdict;
}
